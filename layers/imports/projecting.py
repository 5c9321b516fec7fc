"""In which coordinate system a layer is, and how to bring it home: decided once per import, from all its positions.

What the user declares is obeyed. What the file says is believed unless its numbers contradict it. Otherwise the
numbers are read (`geo.guess`), and whatever was done to them is a warning that says so. A suspected map datum
(GCJ-02, BD-09) is only ever reported: the person decides.
"""

import re
from dataclasses import dataclass

import numpy as np

from geo import crs, datum, guess
from geo.errors import InputError
from geo.words import Text

from ..files.formats import Refused
from ..findings import Finding

DATUMS = ("gcj02", "bd09")
_EPSG = re.compile(r"EPSG:\d{4,6}", re.IGNORECASE)
Bounds = tuple[float, float, float, float]


def require_choice(choice: str) -> str:
    """A `--crs` value in its canonical spelling; InputError when it is none."""
    plain = choice.strip()
    if plain.lower() in ("auto", *DATUMS):
        return plain.lower()
    if plain.lower() in ("wgs84", "cgcs2000"):
        return crs.LONLAT
    if _EPSG.fullmatch(plain):
        crs.read_crs(plain.upper(), where="--crs")
        return plain.upper()
    raise InputError(
        Text(f"不认识的坐标系“{plain[:40]}”。", f"'{plain[:40]}' is not a known coordinate system."),
        where="--crs",
        mend=Text("可用 auto、gcj02、bd09 或 EPSG:编号。", "Use auto, gcj02, bd09 or EPSG:number."),
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """How raw numbers become EPSG:4490: swap first, then project back from `source`, then leave the datum."""

    source: str = crs.LONLAT
    swapped: bool = False
    datum: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether nothing has to be done."""
        return not self.swapped and not self.datum and crs.is_lonlat(self.source)

    @property
    def name(self) -> str:
        """What the layer was in, for the provenance."""
        return self.datum or (self.source if len(self.source) < 40 else crs.read_crs(self.source).name)

    def to_lonlat(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the file as longitude and latitude; NaN stays, what cannot be projected is infinite."""
        if self.swapped:
            x, y = y, x
        x, y = crs.transform_xy(x, y, self.source, crs.LONLAT)
        if self.datum == "gcj02":
            x, y = datum.gcj02_to_wgs84(x, y)
        elif self.datum == "bd09":
            x, y = datum.bd09_to_wgs84(x, y)
        return x, y


def decide(stated: str | None, choice: str, bounds: Bounds | None, near: Bounds | None) -> tuple[Frame, list[Finding]]:
    """The frame of a layer.

    Parameters
    ----------
    stated
        What the file says, or None.
    choice
        What the user says: auto, gcj02, bd09 or EPSG:n.
    bounds
        Of the raw numbers (xmin, ymin, xmax, ymax); None when no row has a position.
    near
        Bounds of the county in degrees, when there is one.

    Raises
    ------
    Refused
        When nothing says what system the numbers are in.
    """
    if bounds is None:
        return Frame(), []
    source = stated if _known(stated) else None
    if choice in DATUMS:
        frame, findings = _read(source, bounds, near) if not _degrees(bounds) else (Frame(), [])
        return Frame(frame.source, frame.swapped or _surely_swapped(bounds), choice), findings
    if choice != "auto":
        swapped = crs.is_lonlat(choice) and _surely_swapped(bounds)
        return Frame(choice, swapped), [_swapped(Text("", ""))] if swapped else []
    return _read(source, bounds, near)


def _known(stated: str | None) -> bool:
    if not stated:
        return False
    try:
        found = crs.read_crs(stated)
    except crs.CrsError:
        return False
    return found.is_geographic or found.is_projected or found.is_compound or found.is_bound


def _degrees(bounds: Bounds) -> bool:
    return all(abs(value) <= 180 for value in bounds)


def _surely_swapped(bounds: Bounds) -> bool:
    """Latitudes beyond 90 degrees, and what would be longitudes within: the columns stand the other way round."""
    xmin, ymin, xmax, ymax = bounds
    return max(abs(ymin), abs(ymax)) > 90 and max(abs(xmin), abs(xmax)) <= 90 and max(abs(ymin), abs(ymax)) <= 180


def _read(source: str | None, bounds: Bounds, near: Bounds | None) -> tuple[Frame, list[Finding]]:
    if source is not None:
        contradicted = crs.read_crs(source).is_geographic and not _degrees(bounds)
        if not contradicted and not _looks_swapped(source, bounds, near):
            return Frame(source), []
    guesses = guess.guess_crs(*bounds, near=near)
    if source is not None and not (crs.read_crs(source).is_geographic and not _degrees(bounds)):
        guesses = [reading for reading in guesses if reading.swapped and crs.is_lonlat(reading.crs)] or guesses
    sure = [reading for reading in guesses if reading.sure] or (
        guesses[:1] if guesses and crs.is_lonlat(guesses[0].crs) else []
    )
    if not sure:
        if source is not None and _degrees(bounds):
            return Frame(source), []
        raise Refused(_unknown(guesses))
    best = sure[0]
    findings = []
    if best.swapped:
        findings.append(_swapped(best.reason))
    elif not crs.is_lonlat(best.crs):
        findings.append(
            Finding(
                Text(
                    f"文件未写明坐标系，按 {best.crs} 读取（{best.reason.zh}）。",
                    f"The file does not say its coordinate system; it was read as {best.crs} ({best.reason.en}).",
                ),
                Text("不对时请用 --crs 指明。", "State it with --crs if this is wrong."),
                severity="warning",
                kind="crs",
            )
        )
    return Frame(best.crs, best.swapped), findings


def _looks_swapped(source: str, bounds: Bounds, near: Bounds | None) -> bool:
    """Whether degrees lie in the county (or in China) only when exchanged."""
    if not crs.read_crs(source).is_geographic:
        return False
    if _surely_swapped(bounds):
        return True
    if near is None:
        return False
    guesses = guess.guess_crs(*bounds, near=near)
    return bool(guesses) and guesses[0].swapped and guesses[0].sure and guesses[0].score > 0.8


def _swapped(reason: Text) -> Finding:
    return Finding(
        Text(
            f"经纬度两列写反了，已对调后导入。{reason.zh}",
            f"Longitude and latitude stood the wrong way round and were exchanged. {reason.en}".strip(),
        ),
        Text(
            "请在源文件中改正，或用 --map 指明经度列和纬度列。", "Correct the source, or name the columns with --map."
        ),
        severity="warning",
        kind="swapped",
    )


def _unknown(guesses: list[guess.CrsGuess]) -> Finding:
    listed = [reading.crs for reading in guesses[:6]]
    hint = Text(
        f"请用 --crs 指明，例如 {'、'.join(listed)}。" if listed else "请用 --crs 指明，例如 EPSG:4490。",
        f"State it with --crs, for example {', '.join(listed)}."
        if listed
        else "State it with --crs, for example EPSG:4490.",
    )
    return Finding(
        Text(
            "文件没有写明坐标系，坐标数值也无法判断。",
            "The file does not say its coordinate system and its numbers do not show it.",
        ),
        hint,
        kind="crs",
    )


def suspicion(found: datum.DatumSuspicion | None, header_datum: str) -> Finding | None:
    """The warning about a datum that is suspected from positions, or named by a header (lon_gcj02)."""
    if found is not None and found.side == "layer":
        name = {"gcj02": "GCJ-02", "bd09": "BD-09"}[found.datum]
        offset = round(found.offset_m, -1)
        return Finding(
            Text(
                f"坐标疑为 {name}，偏移约 {offset:.0f} 米。{found.evidence.zh}",
                f"This looks like {name}, about {offset:.0f} m off. {found.evidence.en}",
            ),
            Text(f"如确认，请加 --crs {found.datum} 重新导入。", f"If so, import again with --crs {found.datum}."),
            severity="warning",
            kind="datum",
        )
    if found is not None:
        return Finding(
            found.evidence,
            Text("请核对已有图层的坐标系。", "Check the layer kept before."),
            severity="warning",
            kind="datum",
        )
    if header_datum:
        return Finding(
            Text(
                f"列名写明坐标为 {header_datum}，但未按此换算。",
                f"A header says that the positions are {header_datum}; they were not converted.",
            ),
            Text(f"如确认，请加 --crs {header_datum} 重新导入。", f"If so, import again with --crs {header_datum}."),
            severity="warning",
            kind="datum",
        )
    return None
