"""Joint inspections of border lines: which are due in a year, and what was found on the spot.

Modelling decisions:

- Every line is inspected once in `inspection_years` (data/borders.json). A line never inspected has its turn in the year
  that its number falls on, so that each year gets its share from the beginning.
- A record names the photo's file only; pictures stay where the inspectors keep them.
- The newest record is also written on the line (last inspection, state), as a row of its own from that day on.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import select

from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..files.privacy import personal_value
from ..kinds import KINDS
from ..rights import OWNER, Viewer
from ..selection import frames
from ..storage import schema
from ..storage.changes import Change
from ..storage.history import day, today
from ..storage.rows import insert_in
from .areas import area_set
from .border_limits import read_border_limits
from .borders import LEVELS, end_rows

if TYPE_CHECKING:
    from ..storage.store import Store

ACT = "redraw"
ACTION = "inspect_border"
_LONGEST = {"units": 200, "note": 500, "photo": 120}
_NOT_IN_NAMES = set('/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Year:
    """The list of one year: lines due and lines inspected in it, with the period and where that comes from."""

    year: int
    period_years: int
    source: Text
    lines: tuple[dict[str, Any], ...]

    def as_dict(self, language: str) -> dict[str, Any]:
        """In one language."""
        done = sum(line["done_on"] is not None for line in self.lines)
        return {
            "year": self.year,
            "period_years": self.period_years,
            "source": self.source.to(language),
            "due": len(self.lines) - done,
            "done": done,
            "lines": [line | {"state_label": _state_label(line["state"], language)} for line in self.lines],
        }


def _state_label(state: str | None, language: str) -> str:
    labels = dict(KINDS["inspection"].field("state").choices)
    return labels[state].to(language) if state in labels else state or ""


def inspection_list(store: "Store", viewer: Viewer, year: int) -> Year:
    """This year's list: every line the viewer may see that is due in `year` or was inspected in it, by number.

    Lines as they are today. `reason` is never or period; `done_on` the last inspection in the year, None when open.
    """
    limits = read_border_limits(store)
    lines = frames.read_layer(store, "boundary_line", viewer)
    lines = lines[lines["number"].notna()].drop_duplicates("number").sort_values(["number"])
    records = frames.read_layer(store, "inspection", OWNER)
    records = records[records["inspected_on"].notna()]
    names, reach = _names(store), frames.scope(store, viewer)
    before = records[records["inspected_on"].dt.year < year].groupby("line_number")["inspected_on"].max()
    within = records[records["inspected_on"].dt.year == year].sort_values("inspected_on")
    within = within.drop_duplicates("line_number", keep="last").set_index("line_number")
    listed = []
    for row in lines.itertuples():
        last = before.get(row.number)
        # An imported line may carry a date that no record stands for.
        own = row.last_inspection if pd.notna(row.last_inspection) and row.last_inspection.year < year else None
        known = max((moment for moment in (last, own) if moment is not None), default=None)
        done = within.loc[row.number] if row.number in within.index else None
        reason = _reason(row.number, known, year, limits.inspection_years)
        if reason is None and done is None:
            continue
        # A border has two sides; of the one beyond the own areas nothing is said.
        listed_codes = (row.area_codes or "").split(",") if row.area_codes else []
        codes = [code for code in listed_codes if any(reach.contains(kind, code) for kind in LEVELS)]
        listed.append(
            {
                "number": row.number,
                "level": row.level,
                "area_codes": codes,
                "areas": [names.get(code, code) for code in codes],
                "length_m": None if pd.isna(row.length_m) else round(float(row.length_m), 1),
                "last_inspection": None if known is None else known.date().isoformat(),
                "reason": reason or "extra",
                "done_on": None if done is None else done["inspected_on"].date().isoformat(),
                "state": None if done is None else done["state"],
                "bounds": None if row.geometry is None else [round(float(v), 7) for v in shapely.bounds(row.geometry)],
            }
        )
    return Year(year, limits.inspection_years, limits.source, tuple(listed))


def _reason(number: str, last: Any, year: int, period: int) -> str | None:
    if last is not None:
        return "period" if last.year + period <= year else None
    turn = int(number) if number.isdigit() else sum(map(ord, number))
    return "never" if turn % period == year % period else None


def _names(store: "Store") -> dict[str, str]:
    names: dict[str, str] = {}
    for level in LEVELS:
        frame = area_set(store, level, day(None)).frame
        names |= {str(code): str(name) for code, name in frame["name"].items() if name}
    return names


def record(
    store: "Store",
    viewer: Viewer,
    *,
    line_number: str,
    inspected_on: date | str,
    units: str = "",
    state: str = "sound",
    note: str = "",
    photo: str = "",
    key: str | None = None,
) -> dict[str, Any]:
    """Keep what a joint inspection found: {"change", "line_number", "inspected_on"}.

    Raises
    ------
    RightsError
        When the role may not.
    NotFoundError
        When the viewer sees no such line.
    InputError
        When the day lies ahead, the state is unknown, a text is too long or personal, or `photo` is not a file name.
    """
    viewer.require(ACT)
    moment = day(inspected_on, "inspected_on")
    if moment > today().isoformat():
        raise _refuse("inspected_on", "联检日期不能在将来。", "An inspection cannot lie ahead.")
    choices = [value for value, _ in KINDS["inspection"].field("state").choices]
    if state not in choices:
        raise _refuse("state", f"状况应为 {'、'.join(choices)} 之一。", f"One of {', '.join(choices)} is wanted.")
    texts = {"units": units.strip(), "note": note.strip(), "photo": photo.strip()}
    _require_plain(texts)
    lines = frames.read_layer(store, "boundary_line", viewer)
    lines = lines[lines["number"] == line_number]
    if not len(lines):
        raise NotFoundError(Text("没有这条界线。", "There is no such line."), where="line_number")
    row = pd.DataFrame(
        {
            "line_number": [line_number],
            "inspected_on": pd.to_datetime([moment]),
            "state": [state],
            **{name: [text or None] for name, text in texts.items()},
        }
    )

    def body(change: Change) -> dict[str, Any]:
        insert_in(change, "inspection", row, place_offset_h=store.place_offset_h)
        _write_on_lines(store, change, line_number, moment, state)
        change.rows = {"inspection": 1}
        return {"change": change.id, "line_number": line_number, "inspected_on": moment}

    details = {"line_number": line_number, "inspected_on": moment, "state": state}
    return store.act(viewer.name, ACTION, body, key=key, details=details)


def _write_on_lines(store: "Store", change: Change, line_number: str, moment: str, state: str) -> None:
    """The newest inspection on the line itself, from that day on; an older one than it knows changes nothing there.

    Read under the lock of writers, so that two inspectors at once do not double a line.
    """
    lines = frames.read_layer(store, "boundary_line", OWNER)
    lines = lines[(lines["number"] == line_number)]
    last = lines["last_inspection"]
    newer = lines[last.isna() | (last <= pd.Timestamp(moment))]
    table = schema.ROWS["boundary_line"]
    for row in range(len(newer)):
        line = newer.iloc[[row]]
        fids = line["fid"].to_numpy(dtype=np.int64)
        held = change.connection.execute(
            select(table.c.valid_from, table.c.valid_to).where(table.c.fid == int(fids[0]))
        ).one()
        if held.valid_to is not None:
            continue  # its successor stands in the layer already
        begin = max(moment, str(held.valid_from))
        end_rows(store, change, "boundary_line", fids, begin)
        fresh = line.drop(columns="fid").assign(last_inspection=pd.Timestamp(moment), state=state)
        insert_in(change, "boundary_line", fresh, valid_from=begin, place_offset_h=store.place_offset_h)


def _require_plain(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        most = _LONGEST[name]
        if len(text) > most or any(ord(letter) < 32 for letter in text):
            raise _refuse(name, f"最多 {most} 个字符，不能换行。", f"At most {most} characters on one line.")
        if personal_value(text) is not None:
            raise _refuse(name, "不能写入个人信息。", "Personal data must not be kept here.")
    photo = texts["photo"]
    if _NOT_IN_NAMES & set(photo) or photo in (".", ".."):
        raise _refuse("photo", "只填照片的文件名，不带路径。", "The photo's file name only, without a folder.")


def _refuse(where: str, zh: str, en: str) -> InputError:
    return InputError(Text(zh, en), where=where)
