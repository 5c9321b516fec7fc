"""Cameras as columns to count with: which of them work, are connected, signed, filed, and which a filter keeps.

A camera whose status is not recorded counts as working; planned ones never exist yet. For the other tests a camera
whose value is not recorded is left out of numerator and denominator and its number is told, because "not recorded" is
neither yes nor no.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.coverage import camera_weights
from geo.errors import InputError
from geo.words import Text

from ..kinds import KINDS
from ..rights import OWNER
from ..selection import frames
from ..storage.history import day
from ..storage.kept import kept

if TYPE_CHECKING:
    from ..storage.store import Store

_COLUMNS = KINDS["camera"].names
_LOOKED_INTO = (
    "video_class", "status", "connected", "sign_installed", "in_use_on", "filed_on", "retention_days",
)  # fmt: skip
_YEAR_DAYS = 365.2425
STATUS_NOTE = Text("未记录状态的摄像机按在用计算。", "Cameras whose status is not recorded count as working.")


@dataclass(frozen=True, slots=True)
class CameraFilter:
    """Which cameras count; empty means all.

    `statuses` take the place of "working" in count rules: with ("offline",) the offline cameras are counted.
    `older_than_years` leaves out cameras that on the day of the figure have been in use for longer; a camera without
    a date of first use stays.
    """

    classes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    older_than_years: float | None = None

    def __post_init__(self) -> None:
        # Lists and None from forms become tuples, so that a filter can be part of a cache key.
        object.__setattr__(self, "classes", tuple(self.classes or ()))
        object.__setattr__(self, "statuses", tuple(self.statuses or ()))
        for field, values in (("video_class", self.classes), ("status", self.statuses)):
            known = [value for value, _ in KINDS["camera"].field(field).choices]
            for value in values:
                if value not in known:
                    label = KINDS["camera"].field(field).label
                    raise InputError(
                        Text(f"{label.zh}没有“{value[:20]}”这一项。", f"'{value[:20]}' is no {label.en}."),
                        where=field,
                        mend=Text(f"可用：{'、'.join(known)}", f"There are: {', '.join(known)}"),
                    )
        if self.older_than_years is not None and not 0 <= self.older_than_years <= 200:
            raise InputError(Text("启用年限须为 0 至 200 年。", "The age must be 0 to 200 years."), where="older_than")

    def as_dict(self) -> dict[str, Any]:
        """The filter as parameters of a provenance; only what is set."""
        given = {
            "class": list(self.classes),
            "status": list(self.statuses),
            "older_than": self.older_than_years,
        }
        return {name: value for name, value in given.items() if value not in ([], None)}


@dataclass(frozen=True, slots=True)
class Cameras:
    """All cameras that count on a day, as arrays of one length."""

    lon: np.ndarray  # NaN without position
    lat: np.ndarray
    weight: np.ndarray  # cameras per row
    columns: dict[str, np.ndarray]  # those that tests and filters look into
    recorded: dict[str, np.ndarray]  # for every column, in which rows something is recorded
    as_of: str

    def kept_by(self, chosen: CameraFilter) -> np.ndarray:
        """Which rows a filter keeps; planned cameras only when asked for by status."""
        keep = np.ones(len(self.lon), dtype=bool)
        if chosen.classes:
            keep &= np.isin(self.columns["video_class"].astype(str), chosen.classes)
        if chosen.statuses:
            status = np.where(self.recorded["status"], self.columns["status"], "online").astype(str)
            keep &= np.isin(status, chosen.statuses)
        if chosen.older_than_years is not None:
            days = (np.datetime64(self.as_of, "D") - self.columns["in_use_on"].astype("datetime64[D]")).astype(float)
            keep &= ~self.recorded["in_use_on"] | (days / _YEAR_DAYS <= chosen.older_than_years)
        return keep

    def passes(self, measure: dict[str, Any]) -> np.ndarray:
        """For each row 1.0 (yes), 0.0 (no) or NaN (not recorded, or not asked of it) for a camera test of a rule."""
        planned = self.columns["status"] == "planned"
        test = measure["test"]
        if test == "existing":
            answer = np.where(planned, 0.0, 1.0)
        elif test == "working":
            answer = np.where(planned | (self.columns["status"] == "offline"), 0.0, 1.0)
        elif test == "registered":
            complete = np.ones(len(self.lon), dtype=bool)
            for field in measure.get("fields", ()):
                complete &= self.recorded[field]
            answer = complete.astype(float)
        elif test in ("connected", "sign_installed"):
            answer = self.columns[test].astype(float)
        elif test == "retained":
            days = self.columns["retention_days"]
            answer = np.where(np.isnan(days), np.nan, (days >= measure["days"]).astype(float))
        else:
            answer = self._filed(measure["days"])
        answer = np.where(planned & (test not in ("existing", "working")), np.nan, answer)
        classes = measure.get("class")
        return (
            np.where(np.isin(self.columns["video_class"].astype(str), classes), answer, np.nan) if classes else answer
        )

    def _filed(self, days: float) -> np.ndarray:
        """Filed within so many days of first use; not asked before the time has run out, or when nothing is on file."""
        used = self.columns["in_use_on"].astype("datetime64[D]")
        filed = self.columns["filed_on"].astype("datetime64[D]")
        if np.isnat(filed).all():
            return np.full(len(used), np.nan)
        limit = np.timedelta64(int(days), "D")
        overdue = np.isnat(filed) & (np.datetime64(self.as_of, "D") - used > limit)
        answer = np.where(filed - used <= limit, 1.0, 0.0)
        answer[np.isnat(filed) & ~overdue] = np.nan
        return np.where(np.isnat(used), np.nan, answer)


def read_cameras(store: "Store", as_of: date | str | None = None, where: str | None = None) -> Cameras:
    """All cameras that count on a day, for figures per area (never to be shown as points without asking rights)."""
    on = day(as_of)
    key = ("cameras", on, where, store.versions(["camera"])["camera"])

    def make() -> Cameras:
        points = frames.read_points(store, "camera", OWNER, as_of=on, where=where, columns=_COLUMNS)
        weight = camera_weights(points.columns["camera_count"])
        recorded = {name: ~_missing(values) for name, values in points.columns.items()}
        # Names and ids are only asked whether they are there; not keeping them halves what a city takes.
        columns = {name: points.columns[name] for name in _LOOKED_INTO}
        return Cameras(points.lon, points.lat, weight, columns, recorded, on)

    return kept(store).get(key, make)


def _missing(values: np.ndarray) -> np.ndarray:
    """Where nothing is recorded: None or empty text, NaN, NaT."""
    if values.dtype == object:
        return np.array([value is None or value == "" or value != value for value in values], dtype=bool)
    return np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)
