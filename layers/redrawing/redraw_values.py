"""Fields of areas while they are redrawn: what is recorded, carried over and shared out as approval would write it.

Households and population follow the land, from the areas as they were at the beginning: so they depend on where the
borders are now, not on the order in which somebody moved them, and a border put back gives back the old numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.shares import hand_out, land_shares

from ..kinds import KINDS
from .decision_rows import AreaRow, NewArea, Replacement, values_of
from .redraw_land import Session, Step

_WHOLE = 1 - 1e-9
_NOTHING_M2 = 1e-3

Values = dict[str, tuple[dict[str, Any], bool]]
"""By code: fields, and whether the households among them are an estimate."""


def values(session: Session, codes: Sequence[str]) -> Values:
    """The fields of areas as they are now."""
    ground = session.ground
    touched = session.touched()
    asked = [code for code in codes if code in touched]
    found: Values = {code: (_recorded(session)[code], False) for code in codes if code not in touched}
    if not asked:
        return found
    # The areas of the beginning that the asked ones lie on, and all that lies on those now.
    old = _changed_below(session, asked, touched)
    new = set(asked)
    for code in old:
        partition = session.partition(ground.group_of[code])
        new.update(each for each in partition.near(ground.shapes[code], 0.0) if each in touched)
    shares = land_shares({code: ground.shapes[code] for code in old}, {code: session.shape(code) for code in new})
    given = session.given()
    replacement = Replacement(
        ground.level,
        {code: AreaRow(0, code, _recorded(session)[code], ground.shapes[code], "", None, None, 0) for code in old},
        {code: NewArea(session.shape(code), given.get(code, {})) for code in {share.new for share in shares}},
        shares,
    )
    written = values_of(replacement)
    parted = {share.new for share in shares if share.share < _WHOLE}
    return found | {code: (written[code], code in parted) for code in asked}


def households_moved(session: Session, step: Step) -> list[tuple[int | None, bool]]:
    """Households on each piece that a step moved, and whether they are an estimate.

    What an area had before the step is shared out by area among its pieces and what was left of it, in whole numbers.
    """
    old = {code: shape for code, shape in step.before.items() if shape is not None}
    moves = step.outcome.moves
    had = _before(session, step, sorted(old))
    found: list[tuple[int | None, bool]] = [(None, False)] * len(moves)
    for source in {move.source for move in moves}:
        rows = [row for row, move in enumerate(moves) if move.source == source]
        number, estimated = had[source]
        if number is None:
            continue
        areas = [moves[row].area_m2 for row in rows]
        left = old[source].area - sum(areas)
        whole = left < _NOTHING_M2 and len(rows) == 1
        dealt = hand_out(number, [*areas, 0.0 if left < _NOTHING_M2 else left])
        for row, households in zip(rows, dealt, strict=False):  # the last is what stays
            found[row] = households, estimated or not whole
    return found


def _before(session: Session, step: Step, codes: Sequence[str]) -> dict[str, tuple[int | None, bool]]:
    """Households of areas as they were before a step, which is the last one or was just taken back."""
    there = bool(session.steps) and session.steps[-1] is step
    if there:
        session.rewind(len(session.steps) - 1)
    try:
        found = values(session, codes)
    finally:
        if there:
            session.put_back(step)
    return {code: (fields.get("households"), estimated) for code, (fields, estimated) in found.items()}


def _changed_below(session: Session, codes: Sequence[str], touched: set[str]) -> list[str]:
    """Areas of the beginning that were changed since and that some areas of now lie on."""
    listed = sorted(touched & set(session.ground.shapes))
    tree = shapely.STRtree([session.ground.shapes[code] for code in listed])
    shapes = np.array([session.shape(code) for code in codes], dtype=object)
    return [listed[row] for row in np.unique(tree.query(shapes, predicate="intersects")[1])]


def _recorded(session: Session) -> Mapping[str, dict[str, Any]]:
    """Recorded fields of the areas of the beginning by code, None where nothing is recorded."""
    if "recorded" not in session.memory:
        frame, kind = session.frame, KINDS[session.ground.level]
        named = {name: "parent_code" if name == kind.parent else name for name in kind.names}
        columns = {name: _plain(frame[column]) for name, column in named.items() if column in frame}
        rows = zip(*columns.values(), strict=True)
        session.memory["recorded"] = {
            code: dict(zip(columns, row, strict=True)) for code, row in zip(frame.index, rows, strict=True)
        }
    return session.memory["recorded"]


def _plain(column: pd.Series) -> list[Any]:
    return column.astype(object).where(column.notna(), None).tolist()
