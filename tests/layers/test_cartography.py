"""One table of colours: every unit in exactly one class, at most five classes, readable without colour."""

import json

import numpy as np
import pandas as pd
import pytest

from geo.words import Text
from layers.prints import cartography


def labels(classes: cartography.Classes) -> dict[str, int]:
    return {style.label.zh: style.count for style in classes.styles}


def test_shortfalls_fall_into_round_classes_and_counts_add_up() -> None:
    shortfall = [0, 0, 1, 2, 3, 4, 5, 214, np.nan, 0]
    state = ["met", "met", "short", "short", "short", "short", "short", "short", "no_data", "no_data"]
    classes = cartography.shortfall_classes(shortfall, state)
    assert labels(classes) == {"达标": 2, "缺 1–2": 2, "缺 3–4": 2, "缺 5 及以上": 2, "无数据": 2}
    assert sum(style.count for style in classes.styles) == len(shortfall)


def test_no_data_is_never_the_colour_of_zero() -> None:
    classes = cartography.shortfall_classes([0, 0], ["met", "no_data"])
    met, unknown = (classes.styles[number] for number in classes.style_of)
    assert met.fill != unknown.fill and unknown.hatch and unknown.fill.upper() != "#FFFFFF"


def test_any_shortfall_above_zero_is_short_even_a_share_of_one() -> None:
    classes = cartography.shortfall_classes([0.2, 0.0], ["short", "met"])
    assert [classes.styles[number].id for number in classes.style_of] == ["low", "met"]


def test_limits_of_a_rule_set_make_their_own_classes_with_the_darkest_for_the_worst() -> None:
    classes = cartography.shortfall_classes([0, 1, 2, 9], ["met", "short", "short", "short"], limits=(1, 2))
    assert labels(classes) == {"达标": 1, "缺 1": 1, "缺 2 及以上": 2, "无数据": 0}
    assert classes.styles[2].fill == "#B30000"


def test_title_names_what_is_counted() -> None:
    assert cartography.shortfall_classes([1], ["short"], unit=Text("人", "persons")).title.en == "Shortfall (persons)"


def test_significance_needs_the_flag_and_q_only_says_how_strong() -> None:
    rows = pd.DataFrame(
        {
            "hot": [True, True, True, False, False, False],
            "cold": [False, False, False, True, True, False],
            "q": [0.0005, 0.01, 0.04, 0.009, 0.05, 0.0001],
        }
    )
    classes = cartography.significance_classes(rows)
    assert [classes.styles[number].id for number in classes.style_of] == [
        "hot_3",
        "hot_2",
        "hot_1",
        "cold_2",
        "cold_1",
        "none",
    ]


def test_flags_without_figures_are_classed_weakest() -> None:
    classes = cartography.significance_classes(pd.DataFrame({"hot": [True, False], "cold": [False, True]}))
    assert [classes.styles[number].id for number in classes.style_of] == ["hot_1", "cold_1"]


def test_camera_without_status_is_a_class_of_its_own() -> None:
    assert labels(cartography.camera_classes(["online", None, "planned", "odd"])) == {
        "在线": 1,
        "离线": 0,
        "规划": 1,
        "状态未记录": 2,
    }


@pytest.mark.parametrize("name", ["shortfall", "significance"])
def test_at_most_five_classes_the_two_worst_and_no_data_hatched(name: str) -> None:
    entries = cartography.table()[name]
    assert len(entries["classes"]) <= 5
    assert all(entry["zh"] and entry["en"] for entry in entries["classes"])
    worst = entries["classes"][-2:] if name == "shortfall" else entries["classes"][:2]
    assert all(entry["hatch"] and entry["hatch_color"] for entry in (*worst, entries["no_data"]))


def test_the_colours_are_those_of_the_design() -> None:
    shown = json.dumps(cartography.table())
    for colour in (
        "#F5F3EE",
        "#E6E8EA",
        "#C9DCE8",
        "#DCE6EA",
        "#FDD49E",
        "#FC8D59",
        "#B30000",
        "#7F0000",
        "#ABD9E9",
        "#4575B4",
        "#0B7285",
    ):
        assert colour in shown
