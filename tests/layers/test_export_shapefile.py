"""Shapefile: names of ten bytes, texts of 254, one kind of shape a file, the encoding named."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.words import Text
from layers.exports import shapefile_out
from layers.kinds import Field
from layers.selection.export_table import ExportTable, make_frame


def table(shapes: list, **texts: list) -> ExportTable:
    fields = tuple(Field(name, "text", Text(name, name)) for name in texts)
    frame = make_frame(
        {name: pd.Series(values, dtype=object) for name, values in texts.items()}, np.array(shapes, dtype=object)
    )
    return ExportTable("facility", Text("服务设施", "facility"), frame, fields, True, {"made_at": "today"})


def test_long_names_are_cut_to_ten_bytes_and_stay_different() -> None:
    short = shapefile_out.short_names(["managing_unit", "managing_unit_2", "MANAGING_UNIT"], "utf-8")
    assert list(short.values()) == ["managing_u", "managing_1", "MANAGING_2"]


def test_chinese_names_are_cut_between_characters_by_the_bytes_of_the_encoding() -> None:
    name = "行政村所属乡镇名称"
    assert shapefile_out.short_names([name], "utf-8")[name] == "行政村"
    assert shapefile_out.short_names([name], "gbk")[name] == "行政村所属"


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=30))
def test_short_names_always_fit_and_are_unique_whatever_the_case(names: list[str]) -> None:
    short = shapefile_out.short_names(names, "utf-8")
    assert all(len(name.encode()) <= 10 for name in short.values())
    assert len({name.upper() for name in short.values()}) == len(names)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_zip_holds_the_encoding_the_projection_and_the_full_column_names(tmp_path: Path, encoding: str) -> None:
    there = table([shapely.Point(111, 30)], name=["石门村"], managing_unit_of_it=["县公安局"])
    shapefile_out.write_shapefile(there, tmp_path / "f.zip", stem="facility", encoding=encoding, zipped=True)
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        assert archive.read("facility.cpg").decode().lower() == encoding
        assert b"China_Geodetic" in archive.read("facility.prj") or b"CGCS" in archive.read("facility.prj")
        told = json.loads(archive.read("facility.provenance.json"))
        assert "石门村".encode(encoding) in archive.read("facility.dbf")
    assert told["shapefile_columns"] == {"name": "name", "managing_u": "managing_unit_of_it"}
    assert "managing_unit_of_it → managing_u" in there.notes[0].zh


def test_points_lines_and_areas_become_separate_files_and_no_row_is_lost(tmp_path: Path) -> None:
    shapes = [shapely.Point(111, 30), shapely.box(111, 30, 112, 31), shapely.LineString([(111, 30), (112, 31)]), None]
    there = table(shapes, name=["a", "b", "c", "d"])
    shapefile_out.write_shapefile(there, tmp_path / "f.shp", stem="f", encoding="utf-8", zipped=False)
    names = {
        part: sorted(pyogrio.read_dataframe(tmp_path / f"f_{part}.shp")["name"])
        for part in ("polygon", "line", "point")
    }
    assert names == {"polygon": ["b", "d"], "line": ["c"], "point": ["a"]}


def test_texts_over_254_bytes_are_cut_between_characters_and_counted(tmp_path: Path) -> None:
    there = table([shapely.Point(111, 30)] * 2, name=["長" * 40_000, "短"])
    shapefile_out.write_shapefile(there, tmp_path / "f.shp", stem="f", encoding="utf-8", zipped=False)
    assert pyogrio.read_dataframe(tmp_path / "f.shp")["name"].tolist() == ["長" * 84, "短"]
    assert "1" in there.notes[0].zh and "254" in there.notes[0].zh


def test_multipart_and_single_areas_come_back_as_they_were(tmp_path: Path) -> None:
    two = shapely.MultiPolygon([shapely.box(111, 30, 111.1, 30.1), shapely.box(112, 30, 112.1, 30.1)])
    there = table([two, shapely.box(113, 30, 113.1, 30.1)], name=["two", "one"])
    shapefile_out.write_shapefile(there, tmp_path / "f.shp", stem="f", encoding="utf-8", zipped=False)
    back = pyogrio.read_dataframe(tmp_path / "f.shp").geometry
    assert shapely.equals(back.array, there.shapes).all()
