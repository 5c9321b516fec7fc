"""KML as people make it: folders in folders, holes, several shapes in one placemark, attributes of every making."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from layers.files import reader_child, reading
from layers.files.formats import Refused
from layers.files.reader_out import GEOMETRY
from layers.findings import Finding
from layers.imports.importing import ImportOptions, import_file
from layers.limits import WEB, Limits
from layers.rights import OWNER
from layers.selection import frames
from layers.storage.store import Store

pytestmark = pytest.mark.usefixtures("reader_here")

RING = "<LinearRing><coordinates>{}</coordinates></LinearRing>"
SQUARE = "109,29 109.4,29 109.4,29.4 109,29.4 109,29"
HOLE = "109.1,29.1,5 109.2,29.1,5 109.2,29.2,5 109.1,29.1,5"
OTHER_HOLE = "109.3,29.3 109.35,29.3 109.35,29.35 109.3,29.3"
AREA = f"<outerBoundaryIs>{RING.format(SQUARE)}</outerBoundaryIs>"


@pytest.fixture
def reader_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading child's own function in this process: the same answers without the start of a process each time."""

    def run(request: dict, folder: Path, *_: object, **__: object) -> dict:
        answer = reader_child.read(request, folder)
        if "refused" in answer:
            raise Refused(Finding.from_dict(answer["refused"]))
        return answer

    monkeypatch.setattr(reading, "run_reader", run)


def kml(body: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return f'{head}\n<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://x/gx">\n<Document>{body}</Document></kml>'


def point(name: str, inside: str = "", at: str = "109.7,29.1,0") -> str:
    return f"<Placemark><name>{name}</name>{inside}<Point><coordinates>{at}</coordinates></Point></Placemark>\n"


def placemark(inside: str) -> str:
    return f"<Placemark>{inside}</Placemark>\n"


@contextmanager
def opened(
    folder: Path, text: str | bytes, limits: Limits = WEB, **options: Any
) -> Iterator[tuple[reading.Source, list[dict], np.ndarray]]:
    """The source, its rows under their headers, and its shapes."""
    path = folder / "a.kml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with reading.opened(path, limits=limits, **options) as source:
        rows, shapes = [], []
        for batch in source.batches():
            for row in batch.to_pylist():
                rows.append({header: row[f"c{at}"] for at, header in enumerate(source.columns)})
                shapes.append(row.get(GEOMETRY))
        yield source, rows, shapely.from_wkb(np.array(shapes, dtype=object), on_invalid="ignore")


def refused(folder: Path, text: str | bytes, **options: Any) -> Any:
    with pytest.raises(Refused) as caught, opened(folder, text, **options):
        pass
    return caught.value.finding


def test_placemarks_of_nested_folders_are_one_layer(tmp_path: Path) -> None:
    deep = f"<Folder><name>内</name>{point('丙')}</Folder>"
    body = f"{point('甲')}<Folder><name>外</name>{point('乙')}{deep}<Document>{point('丁')}</Document></Folder>"
    with opened(tmp_path, kml(body)) as (source, rows, shapes):
        assert [row["name"] for row in rows] == ["甲", "乙", "丙", "丁"]
        assert source.crs == "EPSG:4326" and source.geometry_type == "Point" and source.total == 4
        assert shapely.equals(shapes, shapely.Point(109.7, 29.1)).all()
    with opened(tmp_path, kml(body), source_layer="外") as (_, rows, _):
        assert [row["name"] for row in rows] == ["乙", "丙", "丁"]
    assert "外" in refused(tmp_path, kml(body), source_layer="无").mend.zh


def test_attributes_of_every_making_become_columns(tmp_path: Path) -> None:
    schema = '<Schema id="s"><SimpleField name="空" type="int"/><SimpleField name="编码" type="string"/></Schema>'
    body = schema + "".join(
        [
            point(
                "甲", '<ExtendedData><SchemaData><SimpleData name="编码">007</SimpleData></SchemaData></ExtendedData>'
            ),
            point(
                "乙",
                '<ExtendedData><Data name="类"><displayName>X</displayName><value>一</value></Data></ExtendedData>',
            ),
            point("丙", "<ExtendedData><gx:数>3</gx:数></ExtendedData>"),
            point(
                "丁",
                "<description><![CDATA[<b>说明</b> &amp; ]]></description><atom:author><name>他</name></atom:author>",
            ),
            point("", '<ExtendedData><Data name="name"><value>同名</value></Data></ExtendedData>'),
        ]
    )
    with opened(tmp_path, kml(body)) as (source, rows, _):
        assert source.columns == ["name", "description", "空", "编码", "类", "数", "name_2"]
        assert [row["name"] for row in rows] == ["甲", "乙", "丙", "丁", None]
        assert [row["编码"] for row in rows] == ["007", None, None, None, None]
        assert (rows[1]["类"], rows[2]["数"], rows[4]["name_2"]) == ("一", "3", "同名")
        assert rows[3]["description"] == "<b>说明</b> &amp;"
        assert {row["空"] for row in rows} == {None}


def test_polygons_keep_their_holes_and_several_shapes_are_one(tmp_path: Path) -> None:
    hole = "<innerBoundaryIs>{}</innerBoundaryIs>"
    holed = f"<Polygon>{hole.format(RING.format(HOLE))}{AREA}{hole.format(RING.format(OTHER_HOLE))}</Polygon>"
    point_ = "<Point><coordinates>109,29</coordinates></Point>"
    line = "<LineString><coordinates>109,29,1 109.5,29,2\n\t109.5,29.5</coordinates></LineString>"
    multi = "<MultiGeometry>{}</MultiGeometry>"
    body = [
        holed,
        multi.format(holed + multi.format(f"<Polygon>{AREA}</Polygon>")),
        multi.format(point_ * 2),
        multi.format(line * 2),
        multi.format(point_ + line),
        RING.format(SQUARE),
        f"<Polygon><outerBoundaryIs>{RING.format(SQUARE.rpartition(' ')[0])}</outerBoundaryIs></Polygon>",
    ]
    with opened(tmp_path, kml("".join(map(placemark, body)))) as (_, _, shapes):
        kinds = [
            "Polygon",
            "MultiPolygon",
            "MultiPoint",
            "MultiLineString",
            "GeometryCollection",
            "LineString",
            "Polygon",
        ]
        assert [shape.geom_type for shape in shapes] == kinds
        assert len(shapes[0].interiors) == 2 and shapes[0].area == pytest.approx(0.16 - 0.005 - 0.00125)
        assert shapes[1].area == pytest.approx(shapes[0].area + 0.16)
        assert shapes[3].geoms[0].coords[2] == (109.5, 29.5)
        assert shapes[6].area == pytest.approx(0.16), "an open ring is closed"
        assert not shapely.has_z(shapes).any()


@pytest.mark.parametrize(
    "text", ["109.7,29.1", " \n109.7 , 29.1 ,\t5\n", "109.7,29.1,0 ", "109.7,29.1,", "+109.70,2.91e1"]
)
def test_coordinates_are_read_however_they_are_spaced(tmp_path: Path, text: str) -> None:
    with opened(tmp_path, kml(point("甲", at=text))) as (_, _, shapes):
        assert shapes[0].equals(shapely.Point(109.7, 29.1))


def test_placemarks_without_a_place_are_rows_and_wrong_places_are_findings(store: Store, tmp_path: Path) -> None:
    wrong = [point(f"错{n}", at=at) for n, at in enumerate(("东,北", "109.7", "nan,29", "109,29,0,1", "inf,inf"))]
    body = point("甲") + placemark("<name>乙</name>") + point("丙", at=" ") + "".join(wrong)
    path = tmp_path / "a.kml"
    path.write_text(kml(body), "utf-8")
    report = import_file(store, path, ImportOptions("camera"), viewer=OWNER)
    assert report.stored and report.rows_stored == 8 and report.no_location == 7
    told = {finding.row: finding.what.zh for finding in report.findings if finding.kind == "no_location"}
    assert {row for row, zh in told.items() if "无法识别" in zh} == {4, 5, 6, 7, 8} and set(told) == set(range(2, 9))
    cameras = frames.read_layer(store, "camera", OWNER)
    assert cameras["name"].tolist()[:3] == ["甲", "乙", "丙"]
    assert cameras.geometry.notna().tolist() == [True] + [False] * 7


def test_links_are_not_followed_and_models_are_told(tmp_path: Path) -> None:
    link = "<NetworkLink><name>他处</name><Link><href>http://127.0.0.1:1/x.kml</href></Link></NetworkLink>"
    body = link + point("甲") + placemark("<name>楼</name><Model><Link><href>a.dae</href></Link></Model>")
    with opened(tmp_path, kml(body)) as (source, rows, shapes):
        assert [row["name"] for row in rows] == ["甲", "楼"] and shapes[1] is None
        assert [(finding.kind, finding.row) for finding in source.findings] == [("geometry_type", 2), ("links", 0)]
    assert refused(tmp_path, kml(link)).kind == "empty"


def test_a_document_type_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    entities = f'<!DOCTYPE k [<!ENTITY l0 "哈">{laughs}]>'
    for head in (entities, "<!DOCTYPE kml>", f'<!DOCTYPE k SYSTEM "file://{tmp_path}/secret.dtd">'):
        # In the first bytes it is seen at once; behind a long comment only the reading itself meets it.
        for before in ("", f"<!--{'x' * 100_000}-->"):
            for encoding in ("utf-8", "utf-16"):
                text = f'<?xml version="1.0" encoding="{encoding}"?>{before}{head}' + kml(point("&l9;"), "")
                started = time.process_time()
                assert refused(tmp_path, text.encode(encoding)).kind == "format"
                assert time.process_time() - started < 2


def test_broken_xml_is_one_finding_with_its_line(tmp_path: Path) -> None:
    good = kml(point("甲") + point("乙") + point("丙"))
    cut = refused(tmp_path, good[: good.index("丙")])
    assert cut.kind == "unreadable" and "第 5 行" in cut.what.zh and "不完整" in cut.what.zh
    assert "Line 4 " in refused(tmp_path, good.replace("乙</name>", "乙</nam>")).what.en
    assert "Line 4 " in refused(tmp_path, good.replace("乙", "乙&nbsp;")).what.en


@pytest.mark.parametrize("declared", ["GBK", "gb2312", "UTF-8", None])
def test_names_in_gbk_are_read_whatever_the_file_says(tmp_path: Path, declared: str | None) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = kml("".join(point(name) for name in ("望川县城关社区", "河口村", "石桥村村民委员会")), head)
    with opened(tmp_path, text.encode("gbk")) as (source, rows, _):
        assert [row["name"] for row in rows] == ["望川县城关社区", "河口村", "石桥村村民委员会"]
        assert source.encoding == "gb18030"


def test_limits_hold(tmp_path: Path) -> None:
    def limits(**changes: int) -> Limits:
        return dataclasses.replace(WEB, **changes)

    three = kml(
        "".join(
            point(name, f'<ExtendedData><Data name="{name}"><value>1</value></Data></ExtendedData>')
            for name in "甲乙丙"
        )
    )
    assert refused(tmp_path, three, limits=limits(rows=2)).kind == "limit"
    assert refused(tmp_path, three, limits=limits(columns=3)).kind == "limit"
    area = kml(point("甲") + placemark(f"<Polygon>{AREA}</Polygon>"))
    found = refused(tmp_path, area, limits=limits(vertices=4))
    assert (found.kind, found.row) == ("vertices", 2)
    endless = kml(point("甲") + placemark(f"<LineString><coordinates>{'109,29 ' * 3000}</coordinates></LineString>"))
    assert refused(tmp_path, endless, limits=limits(vertices=100)).kind == "vertices"
    assert refused(tmp_path, kml("<Folder>" * 5000 + point("甲") + "</Folder>" * 5000)).kind == "limit"
    with opened(tmp_path, kml(point("长" * 100)), limits=limits(cell_chars=10)) as (_, rows, _):
        assert rows[0]["name"] == "长" * 11, "one more than allowed, so that the cut is reported"
    with opened(tmp_path, three, sample=2) as (source, rows, _):
        assert len(rows) == 2 and source.total is None


def test_ten_thousand_placemarks_are_read_fast(tmp_path: Path) -> None:
    fields = "".join(f'<SimpleData name="f{n}">值{n}</SimpleData>' for n in range(10))
    late = '<ExtendedData><Data name="late"><value>1</value></Data></ExtendedData>'
    inside = f"<ExtendedData><SchemaData>{fields}</SchemaData></ExtendedData>"
    text = kml("".join(point(f"点{n}", inside, f"109.{n:05d},29") for n in range(10_500)) + point("末", late))
    started = time.process_time()
    with opened(tmp_path, text) as (source, rows, shapes):
        taken = time.process_time() - started
        assert source.rows == 10_501 and not shapely.is_missing(shapes).any()
        assert source.columns == ["name", *(f"f{n}" for n in range(10)), "late"]
        assert rows[10_499]["f9"] == "值9" and rows[10_499]["late"] is None and rows[-1]["late"] == "1"
    assert taken < 10, taken
