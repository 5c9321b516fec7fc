"""Codes of a whole layer: mended, judged, unique, and each under its parent.

The parent of an area is the one its row names, else the one its 12-digit code says, else the one it lies in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.words import Text

from .. import codes
from ..findings import Finding
from ..kinds import KINDS, Kind

if TYPE_CHECKING:
    from ..storage.store import Store

_LEVELS = {"county": "county", "township": "township", "village": "village"}
_RIGHT_CODE = Text("请核对代码。", "Check the code.")
_AS_TEXT = Text("在表格软件中把代码列设为文本。", "Set the column of codes to text in the spreadsheet.")


@dataclass(frozen=True, slots=True)
class Note:
    """Something about one position of the layer."""

    at: int
    finding: Finding


def read_keys(texts: pd.Series, kind: Kind, header: str, *, cn12: bool) -> tuple[np.ndarray, list[Note]]:
    """The codes of an area layer as stored (object, None where missing), and what was noticed on the way."""
    restored = codes.restore(texts, cn12=cn12)
    values = restored.values
    notes: list[Note] = []

    def note(at: int, code: object, kind_word: str, severity: str, zh: str, en: str, mend: Text) -> None:
        finding = Finding(
            Text(zh, en), mend, severity=severity, column=header, code=codes.as_stored(code), kind=kind_word
        )
        notes.append(Note(at, finding))

    for at in np.flatnonzero(restored.decimal):
        note(
            int(at),
            values[at],
            "code_number",
            "warning",
            "代码是带小数的数字，已还原。",
            "The code was a decimal number and was restored.",
            _AS_TEXT,
        )
    for at in np.flatnonzero(restored.zeros):
        note(
            int(at),
            values[at],
            "code_number",
            "warning",
            "代码丢失了前导零，已补回。",
            "The code had lost its leading zeros; they were put back.",
            _AS_TEXT,
        )
    for at in np.flatnonzero(restored.exponent):
        words = codes.PROBLEMS["exponent"]
        note(int(at), "", "code", "error", words.zh, words.en, _AS_TEXT)
    for number, value in enumerate(values):
        if value is None or restored.exponent[number]:
            continue
        if not cn12 or kind.name not in (*_LEVELS, "grid", "natural_village", "staffing"):
            continue
        if kind.name != "grid" and len(value) < 12:
            values[number] = value = codes.pad(value)
        found = _judge(value, kind)
        if found is not None:
            words = codes.PROBLEMS[found]
            made_up = found == "province" and value.startswith(codes.EXERCISE)
            severity = "warning" if made_up or kind.name in ("grid", "natural_village") else "error"
            note(number, value, "code", severity, words.zh, words.en, _RIGHT_CODE)
    return values, notes


def _judge(code: str, kind: Kind) -> str | None:
    if kind.name == "grid":
        return codes.grid_problem(code)
    if kind.name == "natural_village":
        return codes.problem(code[:12]) if len(code) >= 12 else None
    found = codes.problem(code)
    if found is None and kind.name in _LEVELS and codes.level(code) != _LEVELS[kind.name]:
        return "level"
    return found


def duplicates(keys: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """For each position the first position with the same key, -1 when it is the first or has none."""
    first = np.full(len(keys), -1, dtype=np.int64)
    there = np.flatnonzero(keep & np.array([key is not None for key in keys], dtype=bool))
    if not len(there):
        return first
    numbers, _ = pd.factorize(keys[there])
    seen = np.full(numbers.max() + 1, -1, dtype=np.int64)
    order = np.arange(len(there))[::-1]
    seen[numbers[order]] = there[order]  # written from the end, so that the first one stays
    earliest = seen[numbers]
    first[there] = np.where(earliest == there, -1, earliest)
    return first


def parents(
    store: "Store",
    kind: Kind,
    keys: np.ndarray,
    named: pd.Series | None,
    lon: np.ndarray,
    lat: np.ndarray,
    on: str,
    header: str,
) -> tuple[np.ndarray, list[Note]]:
    """The parent code of each area (None when nothing says), and what does not fit."""
    from .areas import area_set

    cn12 = store.codes == "cn12"
    notes: list[Note] = []
    if named is not None:
        restored = codes.restore(named, cn12=cn12)
        values = np.array([codes.pad(v) if cn12 and v is not None else v for v in restored.values], dtype=object)
    else:
        values = np.full(len(keys), None, dtype=object)
    if cn12:
        coded = np.array([codes.parent(key, kind.name) if key is not None else None for key in keys], dtype=object)
        empty = np.array([value is None for value in values], dtype=bool)
        differ = ~empty & np.array([code is not None for code in coded], dtype=bool) & (values != coded)
        for at in np.flatnonzero(differ) if kind.name in ("township", "village") else ():
            finding = Finding(
                Text(
                    f"上级代码与本级代码不符，按所填的 {values[at]}。",
                    f"The parent code does not match the code; {values[at]} was kept.",
                ),
                _RIGHT_CODE,
                severity="warning",
                column=header,
                code=codes.as_stored(keys[at]),
                kind="parent",
            )
            notes.append(Note(int(at), finding))
        values[empty] = coded[empty]
    if not kind.parent_kind:
        return values, notes
    above = area_set(store, kind.parent_kind, on)
    known = set(above.frame.index)
    missing = np.array([value is None for value in values], dtype=bool) & np.isfinite(lon)
    if kind.name in ("grid", "natural_village") and known:
        # A village code inside a grid code may be of another year's list: position then says where the grid is now.
        missing |= np.array([value is not None and value not in known for value in values], dtype=bool) & np.isfinite(
            lon
        )
    if missing.any() and known:
        home = above.home(lon[missing], lat[missing])
        found = np.where(home >= 0, above.frame.index.to_numpy(dtype=object)[np.maximum(home, 0)], None)
        values[missing] = np.where(home >= 0, found, values[missing])
    if known:
        notes.extend(_orphans(kind, keys, values, known, header))
    return values, notes


def _orphans(kind: Kind, keys: np.ndarray, values: np.ndarray, known: set[str], header: str) -> Iterator[Note]:
    label = KINDS[kind.parent_kind].label
    for at, value in enumerate(values):
        if value not in known and keys[at] is not None:
            what = (
                Text(f"{label.zh}图层中没有上级代码 {value}。", f"The layer {label.en} has no parent {value}.")
                if value is not None
                else Text(f"找不到所属的{label.zh}。", f"No {label.en} was found that it belongs to.")
            )
            yield Note(
                at,
                Finding(
                    what, _RIGHT_CODE, severity="warning", column=header, code=codes.as_stored(keys[at]), kind="parent"
                ),
            )


def read_devices(keys: np.ndarray) -> list[Note]:
    """Device ids in a store of Chinese codes: 20 digits, of a type that is a camera."""
    notes = []
    for at, key in enumerate(keys):
        if key is None:
            continue
        device = codes.parse_device(key)
        if device is None:
            what = Text("设备编码不是 20 位数字。", "The device id does not have 20 digits.")
        elif not device.is_camera:
            what = Text(f"设备类型 {device.type} 不是摄像机。", f"Device type {device.type} is not a camera.")
        else:
            continue
        finding = Finding(
            what, Text("请核对国标编码。", "Check the device id."), severity="warning", code=key, kind="device"
        )
        notes.append(Note(at, finding))
    return notes
