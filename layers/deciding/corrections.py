"""Corrections: an error of digitising is put right for the time it was there, without a decision.

The real world did not change, only what we know of it. So the wrong rows are taken back (`retired_at`) and others
are recorded in their place; what was known earlier can still be read (`frames.read_layer(known_on=...)`).

Modelling decision: the areas that are corrected together may have begun and may end on different days. Their new
borders fit together only while all of them are there. So the correction holds from the latest beginning to the first
end of the rows it touches; before and after, each has the shape it had. Households and the like stay with the code:
they were recorded for the area that was meant, not for the line that was drawn wrong.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from geo.words import Text

from ..redrawing.decision_rows import AreaRow, Replacement, frame_of, write_again
from ..storage.changes import Change
from ..storage.rows import insert_in

if TYPE_CHECKING:
    from ..storage.store import Store


def write(store: "Store", change: Change, replacements: Sequence[Replacement], on: str) -> dict[str, str | None]:
    """Put areas right inside a change; the first day and the end (None: open) of the time this holds for.

    `on`: a day on which all of them count; where nothing is corrected it is the first day.

    Raises
    ------
    InputError
        A code would begin or end: that takes a decision.
    """
    first, end = on, None
    for replacement in replacements:
        _require_same_codes(replacement)
        if not replacement.old:
            continue
        rows = list(replacement.old.values())
        first = max(row.valid_from for row in rows)
        ends = [row.valid_to for row in rows if row.valid_to is not None]
        end = min(ends) if ends else None
        _write(store, change, replacement, first, end)
        change.rows = {**(change.rows if isinstance(change.rows, dict) else {}), replacement.kind: len(rows)}
    return {"from": first, "to": end}


def _require_same_codes(replacement: Replacement) -> None:
    others = sorted(set(replacement.old) ^ set(replacement.new))
    if others:
        raise InputError(
            Text(
                f"更正不能新设或撤销编码：{'、'.join(others[:5])}。",
                f"A correction neither begins nor ends a code: {', '.join(others[:5])}.",
            ),
            where=", ".join(others[:20]),
            mend=Text("拆分、合并须按决定办理。", "Splitting and merging take a decision."),
        )


def _write(store: "Store", change: Change, replacement: Replacement, first: str, end: str | None) -> None:
    """Take the rows back and record, of each, what it was before, what it is now known to have been, and what after."""
    kind = replacement.kind
    outside: list[tuple[AreaRow, str, dict[str, Any]]] = []
    for row in replacement.old.values():
        if row.valid_from < first:
            outside.append((row, row.valid_from, {"valid_to": first, "closed_by": change.id}))
        if end is not None and (row.valid_to is None or row.valid_to > end):
            outside.append((row, end, {"valid_to": row.valid_to, "closed_by": row.closed_by}))
    write_again(store, change, kind, replacement.old.values(), outside)
    for code, row in replacement.old.items():
        marks: dict[str, Any] = {}
        if end is not None:
            marks = {"valid_to": end, "closed_by": row.closed_by if row.valid_to == end else change.id}
        frame = frame_of(kind, [dict(row.values)], [replacement.new[code].shape])
        insert_in(change, kind, frame, valid_from=first, marks=marks)
