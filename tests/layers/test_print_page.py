"""The sheet of paper: round scales, true lengths, boxes that do not meet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from layers.prints.print_page import ROUND_STEPS, Box, bar_length, extent_at_scale, page, round_scale, scale_words

BOX = Box(10, 10, 200, 150)


@given(st.floats(1, 5e6), st.floats(1, 5e6))
def test_scale_is_round_and_everything_fits(width_m: float, height_m: float) -> None:
    scale = round_scale(width_m, height_m, BOX)
    assert width_m <= BOX.width / 1000 * scale * (1 + 1e-6) and height_m <= BOX.height / 1000 * scale * (1 + 1e-6)
    digits = scale
    while digits % 10 == 0:
        digits //= 10
    assert digits in {
        round(step * 100) // 10 ** (2 - len(str(step).rstrip("0").rstrip(".").partition(".")[2]))
        for step in ROUND_STEPS
    } | {1}


def test_the_next_larger_scale_would_not_fit() -> None:
    # 10 km on 200 mm is 1:50 000 exactly; one metre more needs 1:60 000.
    assert round_scale(10_000, 1, BOX) == 50_000
    assert round_scale(10_001, 1, BOX) == 60_000


def test_extent_is_the_ground_under_the_box_at_that_scale() -> None:
    west, south, east, north = extent_at_scale((500_000, 3_000_000), 50_000, BOX)
    assert (east - west, north - south) == (10_000, 7_500)


def test_bar_is_one_two_or_five_and_fits() -> None:
    assert bar_length(50_000, 40) == 2_000  # 40 mm are 2 km
    assert bar_length(400_000, 40) == 10_000
    assert bar_length(1_000, 40) == 20


def test_scale_words_are_grouped() -> None:
    assert scale_words(50_000) == "1:50,000"


@pytest.mark.parametrize("paper", ["A4", "A3", "a4"])
@pytest.mark.parametrize("landscape", [True, False])
def test_boxes_lie_on_the_sheet_and_apart(paper: str, landscape: bool) -> None:
    sheet = page(paper, landscape=landscape)
    boxes = [sheet.title, sheet.map, sheet.panel, sheet.footer]
    assert (sheet.width > sheet.height) == landscape
    for box in boxes:
        assert box.left >= 5 and box.bottom >= 5 and box.right <= sheet.width - 5 and box.top <= sheet.height - 5
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert (
                one.right <= other.left or other.right <= one.left or one.top <= other.bottom or other.top <= one.bottom
            )
    assert sheet.map.width * sheet.map.height > 0.5 * sheet.width * sheet.height


def test_unknown_paper_names_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        page("B5")
    assert "A4" in caught.value.mend.en
