"""Print maps: drawn at the scale they state, counted as they show, lettered without boxes, under the viewer's rights."""

import io
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
import shapely
import squares
from matplotlib.patches import Rectangle
from PIL import Image

from geo import crs
from geo.errors import InputError, RightsError
from layers.prints import lettering, print_furniture, print_layout, print_map, print_page, print_view
from layers.prints.printing import print_map as print_to
from layers.prints.view_content import Options
from layers.rights import OWNER, Viewer
from layers.storage.audit import read_audit
from layers.storage.store import Store

DAY = "2026-11-21"


@pytest.fixture
def county_store(gpkg_store: Store) -> Store:
    return squares.fill(gpkg_store)


def drawn(
    store: Store, view: str = "coverage", *, viewer: Viewer = OWNER, landscape: bool = True, **options: object
) -> print_layout.Drawing:
    chosen = Options(str(options.pop("language", "zh")), DAY, **options)  # type: ignore[arg-type]
    return print_layout.draw(print_view.sheet(store, viewer, view, chosen), print_page.page("A4", landscape=landscape))


def texts(drawing: print_layout.Drawing) -> list[str]:
    return [text.get_text() for axes in drawing.figure.axes for text in axes.texts if text.get_gid() != print_map.HALO]


def groups(drawing: print_layout.Drawing) -> dict[str, tuple[dict[str, int], str]]:
    return {
        title: ({style.label.zh: style.count for style in styles}, total[1])
        for title, styles, total, _ in print_map.legend_groups(drawing)
    }


def test_map_is_drawn_at_exactly_the_scale_it_states(county_store: Store) -> None:
    drawing = drawn(county_store)
    axes = next(axes for axes in drawing.figure.axes if axes is not drawing.paper)
    width_mm = axes.get_position().width * drawing.page.width
    ground_m = axes.get_xlim()[1] - axes.get_xlim()[0]
    assert ground_m / (width_mm / 1000) == pytest.approx(drawing.scale, rel=1e-9)
    assert f"比例尺 1:{drawing.scale:,}" in texts(drawing)


def test_scale_bar_is_as_long_as_it_says(county_store: Store) -> None:
    drawing = drawn(county_store)
    bar = [
        patch
        for patch in drawing.paper.patches
        if isinstance(patch, Rectangle) and patch.get_height() == pytest.approx(1.5)
    ]
    length_mm = sum(patch.get_width() for patch in bar)
    said = next(
        float(text)
        for text in texts(drawing)
        if re.fullmatch(r"\d+", text) and float(text) * 1e6 / drawing.scale == pytest.approx(length_mm)
    )
    assert len(bar) == 4 and said > 0


def test_legend_counts_what_is_seen_and_adds_up(county_store: Store) -> None:
    # Working cameras by position: V1 5, V2 5, V3 0, V4 7, V5 0, V6 0 of 5 asked (the arithmetic is in test_coverage).
    shown, total = groups(drawn(county_store))["缺口（台）"]
    assert sum(shown.values()) == int(total) == 6
    assert shown == {"达标": 3, "缺 5 及以上": 3}


def test_units_without_a_shape_are_counted_and_told(gpkg_store: Store) -> None:
    villages = squares.villages()
    villages.loc[0, "geometry"] = None
    squares.put(gpkg_store, "village", villages)
    drawing = drawn(gpkg_store)
    shown, total = groups(drawing)["缺口（台）"]
    assert sum(shown.values()) == int(total) == 6 and shown["无数据"] >= 1
    assert "其中 1 个没有图形，未绘出" in texts(drawing)
    assert print_map.shown_boundaries(drawing)[0] == "extent"


def test_a_part_of_the_county_counts_its_part_and_shows_where_it_lies(county_store: Store) -> None:
    whole, part = drawn(county_store), drawn(county_store, bbox=(111.15, 30.02, 111.25, 30.08))
    assert len(part.figure.axes) == len(whole.figure.axes) + 1
    shown, total = groups(part)["缺口（台）"]
    assert sum(shown.values()) == int(total) < 6
    assert "本图在全域的位置" in texts(part) and "本图在全域的位置" not in texts(whole)
    assert any("全部 6" in text for text in texts(part))


def test_north_arrow_points_to_true_north() -> None:
    # One degree east of the central meridian grid north lies sin(latitude) degrees off true north.
    zone = "EPSG:4546"
    x, y = crs.transform_xy([112.0], [30.0], crs.LONLAT, zone)
    extent = (x[0] - 1000, y[0] - 1000, x[0] + 1000, y[0] + 1000)
    assert print_furniture.north_angle(extent, zone) == pytest.approx(-0.5, abs=0.01)


def test_sheet_says_what_where_when_and_from_what(county_store: Store) -> None:
    said = "\n".join(texts(drawn(county_store, unit_name="规划科", approval_number="某S(2026)001号")))
    for words in (
        "望川县",
        f"截至 {DAY}",
        "规则集",
        "made_up.geojson",
        "CGCS2000",
        "编制单位：规划科",
        "审图号：某S(2026)001号",
        "制图日期",
    ):
        assert words in said


def test_both_languages_have_no_words_of_the_other(county_store: Store) -> None:
    english = [
        text
        for text in texts(drawn(county_store, language="en"))
        if not re.search("南桥镇|北岭乡|村|社区|望川县|审图号", text)
    ]
    assert english and not [text for text in english if re.search(r"[\u4e00-\u9fff]", text)]


def test_townships_are_named_without_overlaps(county_store: Store) -> None:
    drawing = drawn(county_store)
    axes = next(axes for axes in drawing.figure.axes if axes is not drawing.paper)
    renderer = drawing.canvas.get_renderer()
    names = [text for text in axes.texts if text.get_gid() != print_map.HALO]
    boxes = [text.get_window_extent(renderer) for text in names]
    assert {"南桥镇", "北岭乡"} <= {text.get_text() for text in names}
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])


def test_derived_outlines_are_named_derived(gpkg_store: Store) -> None:
    squares.put(gpkg_store, "county", squares.county())
    squares.put(gpkg_store, "village", squares.villages(as_points=True))
    squares.put(gpkg_store, "camera", squares.cameras())
    drawing = drawn(gpkg_store)
    assert print_map.shown_boundaries(drawing) == ["county", "derived"]
    assert any("推算" in text for text in drawing.sheet.footer_left)


def test_classes_can_be_seen_on_the_picture(county_store: Store, tmp_path: Path) -> None:
    print_to(county_store, OWNER, "coverage", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (2338, 1653)  # A4 at 200 dots per inch
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for colour in ("#DCE6EA", "#B30000", "#E6E8EA"):
        wanted = np.array(matplotlib.colors.to_rgb(colour)) * 255
        assert (np.abs(pixels - wanted).max(axis=1) <= 2).sum() > 10_000, colour


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts (poppler-utils) is not installed")
def test_pdf_is_vector_with_embedded_fonts_and_searchable_text(county_store: Store, tmp_path: Path) -> None:
    print_to(county_store, OWNER, "coverage", tmp_path / "map.pdf")
    fonts = subprocess.run(
        ["pdffonts", tmp_path / "map.pdf"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[2:]
    assert fonts and all(" yes " in line.split("Custom")[1] for line in fonts)
    text = subprocess.run(["pdftotext", tmp_path / "map.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "南桥镇" in text and "审图号" in text
    images = subprocess.run(
        ["pdfimages", "-list", tmp_path / "map.pdf"], capture_output=True, text=True, check=True
    ).stdout
    assert len(images.splitlines()) == 2  # the head of an empty list


@pytest.mark.parametrize("view", ["village", "camera", "township", "county"])
@pytest.mark.parametrize("landscape", [True, False])
def test_every_layer_can_be_printed_either_way(county_store: Store, view: str, landscape: bool) -> None:
    drawing = drawn(county_store, view, landscape=landscape)
    assert drawing.figure.axes and drawing.scale > 0


def test_names_are_letters_never_formulas_markup_or_boxes(gpkg_store: Store) -> None:
    names = ["$\\frac{1}{0}$", "<b>x</b>", "a\nb\x07c", "བོད村", "長" * 40_000, "堽垚埗墕塝運誠乗"]
    squares.put(gpkg_store, "village", squares.villages().assign(name=names))
    drawing = drawn(gpkg_store, "village")
    drawing.figure.savefig(io.BytesIO(), format="png", dpi=50)
    said = texts(drawing)
    assert {"$\\frac{1}{0}$", "<b>x</b>", "a b c", "堽垚埗墕塝運誠乗"} <= set(said)
    assert any(text.endswith("…") for text in said)
    assert any("〓" in text for text in said)
    assert any("U+0F56" in note.zh for note in drawing.notes)


def test_rare_characters_of_place_names_are_in_our_own_font() -> None:
    letters = lettering.Lettering()
    assert letters.prepare("堽垚埗墕塝運誠乗㙍𠅤") == "堽垚埗墕塝運誠乗㙍𠅤"
    assert letters.families() == [lettering.TEXT_FAMILY] and letters.missing == ()


def test_guest_prints_coverage_but_no_cameras(county_store: Store, tmp_path: Path) -> None:
    guest = Viewer("guest", "viewer")
    with pytest.raises(RightsError):
        print_to(county_store, guest, "camera", tmp_path / "c.png")
    print_to(county_store, guest, "coverage", tmp_path / "c.png")
    assert sorted(path.name for path in tmp_path.glob("c.*")) == ["c.png"]


def test_area_scope_is_all_that_is_drawn(county_store: Store) -> None:
    south = drawn(county_store, viewer=Viewer("south", "grid_manager", areas=(squares.SOUTH,)))
    assert groups(south)["缺口（台）"][1] == "3"
    assert "北岭乡" not in texts(south)


def test_hotspots_are_drawn_with_words_for_every_class(county_store: Store) -> None:
    squares.put(county_store, "incident", squares.incidents())
    shown, total = groups(drawn(county_store, "hotspots", figures={"unit": "cell", "cell_m": 2000}))["事件热点与冷点"]
    assert sum(shown.values()) == int(total.replace(",", "")) and any("热点" in label for label in shown)


def test_print_is_in_the_audit_trail(county_store: Store, tmp_path: Path) -> None:
    print_to(county_store, OWNER, "village", tmp_path / "v.png", paper="A3")
    last = read_audit(county_store, limit=1)[0]
    assert last["action"] == "export" and last["details"]["what"] == "map:village"


@pytest.mark.parametrize(
    ("name", "options", "where"),
    [
        ("m.gif", {}, "path"),
        ("m.png", {"paper": "B5"}, "paper"),
        ("m.png", {"language": "fr"}, "language"),
        ("m.png", {"bbox": (112, 30, 111, 31)}, "bbox"),
        ("m.png", {"nonsense": 1}, "nonsense"),
        ("none/m.png", {}, "path"),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(
    county_store: Store, tmp_path: Path, name: str, options: dict, where: str
) -> None:
    with pytest.raises(InputError) as caught:
        print_to(county_store, OWNER, "coverage", tmp_path / name, **options)
    assert caught.value.where == where
    assert not list(tmp_path.glob("**/m.*")) and not list(tmp_path.glob(".wangge-*"))


def test_nothing_with_a_position_is_told(gpkg_store: Store) -> None:
    squares.put(gpkg_store, "village", squares.frame([None], code=[squares.V1], name=["石门村"]))
    with pytest.raises(InputError) as caught:
        drawn(gpkg_store, "village")
    assert "位置" in caught.value.what.zh


def test_holes_run_against_their_shell_so_that_they_stay_open() -> None:
    ring = shapely.Polygon(squares.square(0, 0, 3, 2).exterior.coords, [squares.square(1, 0.5).exterior.coords])
    path = print_map.polygon_paths([ring])[0]
    shell, hole = np.split(path.vertices, np.flatnonzero(path.codes == path.MOVETO)[1:])
    assert shapely.LinearRing(shell[:-1]).is_ccw and not shapely.LinearRing(hole[:-1]).is_ccw


def test_what_is_no_polygon_gives_an_empty_path() -> None:
    assert [len(path) for path in print_map.polygon_paths([shapely.Point(0, 0), shapely.Polygon(), None])] == [0, 0, 0]


def test_single_point_gets_some_ground_around_it(gpkg_store: Store) -> None:
    squares.put(gpkg_store, "facility", squares.frame([squares.at(0.5, 0.5)], name=["便民服务点"]))
    drawing = drawn(gpkg_store, "facility")
    assert drawing.scale >= 10_000 and groups(drawing)["服务设施"][1] == "1"


def test_prints_made_at_once_are_those_made_one_after_another(county_store: Store) -> None:
    sheets = [
        print_view.sheet(county_store, OWNER, view, Options("zh", DAY)) for view in ("coverage", "township", "camera")
    ]

    def picture(sheet: object) -> bytes:
        drawing = print_layout.draw(sheet, print_page.page())  # type: ignore[arg-type]
        made = io.BytesIO()
        drawing.figure.savefig(made, format="png", dpi=60)
        return made.getvalue()

    alone = [picture(sheet) for sheet in sheets]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(picture, sheets * 2)) == alone * 2


def test_frames_are_left_unchanged(county_store: Store) -> None:
    sheet = print_view.sheet(county_store, OWNER, "coverage", Options("zh", DAY))
    assert sheet.areas is not None
    before = sheet.areas.geometry.copy()
    print_layout.draw(sheet, print_page.page())
    pd.testing.assert_series_equal(sheet.areas.geometry, before)


def test_lines_are_drawn_as_lines_and_counted_when_they_cross_the_map(gpkg_store: Store) -> None:
    squares.put(gpkg_store, "county", squares.county())
    crossing = shapely.LineString([squares.at(0.1, 0.1), squares.at(2.9, 1.9)])
    squares.put(gpkg_store, "boundary_line", squares.frame([crossing], number=["0001"]))
    drawing = drawn(gpkg_store, "boundary_line", bbox=(111.13, 30.07, 111.17, 30.13))
    assert groups(drawing)["界线"] == ({"界线（线）": 1}, "1")
    # No end of the line lies on this part of the map, only its middle does.
    assert len(drawing.sheet.marks[0].geometry) == 1
