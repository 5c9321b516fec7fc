"""Positions, coordinate systems and shapes."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from geo.errors import InputError
from layers.files.formats import Refused
from layers.imports import projecting, shaping
from layers.imports.positions import read_degrees, read_numbers
from layers.imports.projecting import Frame

NEAR = (109.5, 28.7, 110.4, 29.5)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("109°42'46\"E", 109 + 42 / 60 + 46 / 3600),
        ("109 42 46", 109 + 42 / 60 + 46 / 3600),
        ("109°42′46″", 109 + 42 / 60 + 46 / 3600),
        ("东经109度42分46秒", 109 + 42 / 60 + 46 / 3600),
        ("109°42.77'", 109 + 42.77 / 60),
        ("E109.7128", 109.7128),
        ("79.5W", -79.5),
        ("-79.5", -79.5),
        ("29度5分", 29 + 5 / 60),
    ],
)
def test_degrees_as_text_are_read(text: str, degrees: float) -> None:
    assert read_degrees(text) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize("text", ["abc", "109°75'", "", "1 2 3 4", "无"])
def test_what_is_no_degree_is_no_number(text: str) -> None:
    assert np.isnan(read_degrees(text))


def test_a_column_of_mixed_writing_is_read_row_by_row() -> None:
    values, bad, worded = read_numbers(pa.array(["109.5", "109°30'", "x", None, "inf"]))
    assert values[:2].tolist() == [109.5, 109.5]
    assert bad.tolist() == [False, False, True, False, True]
    assert worded.tolist() == [False, True, False, False, False]
    assert np.isnan(values[2:]).all()


def test_what_the_file_says_is_believed() -> None:
    frame, findings = projecting.decide("EPSG:4326", "auto", (109.6, 28.8, 110.3, 29.4), NEAR)
    assert frame.is_identity and findings == []


def test_the_users_word_is_obeyed() -> None:
    assert projecting.decide("EPSG:4326", "gcj02", (109.6, 28.8, 110.3, 29.4), NEAR)[0].datum == "gcj02"
    assert projecting.decide("EPSG:4326", "EPSG:4525", (37e6, 3.1e6, 37.6e6, 3.3e6), None)[0].source == "EPSG:4525"


def test_zone_prefixed_eastings_without_a_system_are_read_and_reported() -> None:
    frame, findings = projecting.decide(None, "auto", (37366000, 3180000, 37438000, 3255000), None)
    assert frame.source == "EPSG:4525"
    assert [finding.kind for finding in findings] == ["crs"]
    lon, lat = frame.to_lonlat(np.array([37400000.0]), np.array([3220000.0]))
    assert 109 < lon[0] < 111 and 28 < lat[0] < 30


def test_swapped_axes_are_mended_only_with_a_warning() -> None:
    for near in (None, NEAR):
        frame, findings = projecting.decide(None, "auto", (28.8, 109.6, 29.4, 110.3), near)
        assert frame.swapped
        assert [(finding.kind, finding.severity) for finding in findings] == [("swapped", "warning")]
        lon, lat = frame.to_lonlat(np.array([29.0]), np.array([110.0]))
        assert (lon[0], lat[0]) == (110.0, 29.0)


def test_numbers_that_fit_nothing_are_refused_with_examples() -> None:
    with pytest.raises(Refused) as caught:
        projecting.decide(None, "auto", (5e5, 3.1e6, 5.6e5, 3.2e6), None)
    assert "--crs" in caught.value.finding.mend.en


def test_an_unknown_choice_of_system_is_refused() -> None:
    assert projecting.require_choice("GCJ02") == "gcj02"
    assert projecting.require_choice("epsg:4490") == "EPSG:4490"
    for choice in ("wgs85", "EPSG:1", "EPSG:x", "http://example.com"):
        with pytest.raises(InputError):
            projecting.require_choice(choice)


BOWTIE = shapely.Polygon([(109, 29), (109.1, 29.1), (109.1, 29), (109, 29.1)])
SQUARE = shapely.box(109, 29, 109.1, 29.1)


def checked(*shapes: shapely.Geometry | None, geometry: str = "area", **options: bool) -> shaping.Shapes:
    raw = np.array([*shapes, None], dtype=object)[:-1]
    return shaping.shape(raw, geometry, Frame(), repair=options.get("repair", False), vertices=1000)


def test_an_invalid_ring_is_described_with_its_place() -> None:
    found = checked(SQUARE, BOWTIE)
    assert [at for at, _ in found.findings] == [1]
    finding = found.findings[0][1]
    assert finding.severity == "error" and finding.kind == "invalid"
    assert finding.lon == pytest.approx(109.05) and finding.lat == pytest.approx(29.05)


def test_an_invalid_ring_is_mended_only_when_asked() -> None:
    found = checked(BOWTIE, repair=True)
    assert found.values[0].is_valid and found.values[0].geom_type == "MultiPolygon"
    assert [(f.kind, f.severity) for _, f in found.findings] == [("mended", "warning")]


def test_shapes_of_the_wrong_type_are_findings() -> None:
    line = shapely.LineString([(109, 29), (109.1, 29)])
    found = checked(line, SQUARE, shapely.Point(109, 29), geometry="polygon")
    assert [(at, finding.kind) for at, finding in found.findings] == [(0, "geometry_type"), (2, "geometry_type")]
    assert found.values[0] is None and found.values[1] is not None


def test_collections_and_single_multipoints_become_what_they_hold() -> None:
    collection = shapely.GeometryCollection([SQUARE, shapely.box(110, 29, 110.1, 29.1)])
    found = checked(collection, shapely.MultiPoint([(109, 29)]))
    assert found.findings == []
    assert [shape.geom_type for shape in found.values] == ["MultiPolygon", "Point"]


def test_empty_and_missing_shapes_have_one_spelling() -> None:
    found = checked(None, shapely.Point(), shapely.Polygon())
    assert found.empty.all() and found.findings == []
    assert list(found.values) == [None, None, None]


def test_positions_outside_the_world_are_errors() -> None:
    found = checked(shapely.Point(109, 29), shapely.Point(500, 29), geometry="point")
    assert [(at, finding.kind, finding.severity) for at, finding in found.findings] == [(1, "position", "error")]


def test_too_many_vertices_are_refused() -> None:
    ring = shapely.Point(109, 29).buffer(0.1, quad_segs=500)
    assert [finding.kind for _, finding in checked(ring).findings] == ["vertices"]


def test_heights_are_dropped() -> None:
    found = checked(shapely.Point(109, 29, 300), geometry="point")
    assert not found.values[0].has_z
