"""Numbers of border lines and markers, kept as long as the line is the same border.

A line has four digits, a marker the line's four, a serial of three and a letter: Q stands alone, A and B are twins on
the two sides, C, D and E a triple around a tri-junction.

Modelling decision: a line is the same border when it separates the same two areas; when the areas have other codes,
when more than half of it lies where the other lay. Of several the one with most length in common takes the number, then the
nearest. A number is never given to another line again.
"""

import re
from collections.abc import Iterable
from itertools import count

import geopandas as gpd
import numpy as np
import shapely

from .errors import InputError, LimitError
from .words import Text

SINGLE, TWINS, TRIPLE = "Q", ("A", "B"), ("C", "D", "E")
MOST_LINES, MOST_MARKERS = 9999, 999
_SAME_PLACE_M = 0.5
_MARKER = re.compile(r"([0-9]{4})([0-9]{3})([QABCDE])\Z")


def line_number(number: int) -> str:
    """Four digits; LimitError above 9999."""
    if not 0 < number <= MOST_LINES:
        raise LimitError(
            Text(
                f"界线编号只有四位，放不下第 {number} 条。",
                f"Line numbers have four digits: no room for line {number}.",
            ),
            where="number",
            mend=Text("请按乡镇分别生成。", "Derive the lines of fewer areas."),
        )
    return f"{number:04d}"


def marker_number(line: str, serial: int, kind: str) -> str:
    """Number of a marker: line, three digits, letter; LimitError above 999 on one line."""
    if not 0 < serial <= MOST_MARKERS:
        raise LimitError(
            Text(f"界线 {line} 的界桩超过 {MOST_MARKERS} 个。", f"Line {line} has more than {MOST_MARKERS} markers."),
            where=line,
            mend=Text("请加大界桩间距。", "Put the markers further apart."),
        )
    number = f"{line}{serial:03d}{kind}"
    read_marker_number(number)
    return number


def read_marker_number(number: str) -> tuple[str, int, str]:
    """Line, serial and letter of a marker number; InputError when it is none."""
    found = _MARKER.match(number)
    if found is None:
        raise InputError(
            Text(f"“{number[:20]}”不是界桩编号。", f"'{number[:20]}' is not a marker number."),
            where="number",
            mend=Text(
                "应为四位线号、三位序号和类型字母 Q、A、B、C、D、E。", "Four digits, three digits and one of QABCDE."
            ),
        )
    return found[1], int(found[2]), found[3]


def keep_numbers(lines: gpd.GeoDataFrame, known: gpd.GeoDataFrame, used: Iterable[int]) -> list[int]:
    """A number for each line: that of the known line it continues, else the lowest one never used.

    `lines`: `codes` (pair) and geometry; `known`: also `number` (int). Both in one metric system. `used`: every number
    there ever was, also of lines that are gone. New numbers rise in the order of `lines`.
    """
    numbers: list[int | None] = [None] * len(lines)
    free = set(range(len(known)))
    pairs, shapes = list(lines["codes"]), lines.geometry.to_numpy()
    old_pairs, old_shapes = list(known["codes"]), known.geometry.to_numpy()
    given = [int(number) for number in known["number"]]
    by_pair: dict[tuple[str, ...], list[int]] = {}
    for row, pair in enumerate(old_pairs):
        by_pair.setdefault(tuple(pair), []).append(row)
    same = [(row, old) for row, pair in enumerate(pairs) for old in by_pair.get(tuple(pair), ())]
    _match(same, shapes, old_shapes, given, numbers, free, least=None)
    rest = [row for row, number in enumerate(numbers) if number is None]
    if rest and free:
        left = sorted(free)
        tree = shapely.STRtree(old_shapes[left])
        row, old = tree.query(shapes[rest], predicate="dwithin", distance=_SAME_PLACE_M)
        moved = [(rest[i], left[j]) for i, j in zip(row, old, strict=True)]
        _match(moved, shapes, old_shapes, given, numbers, free, least=0.5)
    taken = {*used, *given}
    fresh = (number for number in count(1) if number not in taken)
    return [next(fresh) if number is None else number for number in numbers]


def _match(
    pairs: list[tuple[int, int]],
    shapes: np.ndarray,
    old_shapes: np.ndarray,
    given: list[int],
    numbers: list[int | None],
    free: set[int],
    *,
    least: float | None,
) -> None:
    """Give numbers along the pairs, most length in common first; `least`: share of the old line that must be common."""
    scored = []
    for row, old in pairs:
        common = shapely.intersection(shapes[row], shapely.buffer(old_shapes[old], _SAME_PLACE_M, quad_segs=2)).length
        if least is None or common > least * old_shapes[old].length:
            scored.append(
                (-round(common, 2), round(shapely.distance(shapes[row], old_shapes[old]), 2), given[old], row, old)
            )
    for _, _, number, row, old in sorted(scored):
        if numbers[row] is None and old in free:
            numbers[row] = number
            free.discard(old)
