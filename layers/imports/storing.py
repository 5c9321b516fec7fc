"""Writes prepared rows into the store: append, replace or update, under one pending change.

Nobody sees any of it before the change is finished; whatever goes wrong before, the change is abandoned and the store
is as it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geo import crs

from ..kinds import Kind
from ..places import matching
from ..places.matching import Kept
from ..storage.rows import close_rows, insert_rows, retire_rows
from .prepared import Prepared, frame_of

if TYPE_CHECKING:
    from ..storage.store import Store

_LARGE = 200_000
"""Above so many kept rows a replacement does not compare row by row: everything is ended and written anew."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be written: rows of `prepared` where `keep`, with `overrides` (arrays over all rows) on top."""

    kind: Kind
    mode: str
    prepared: Prepared
    keep: np.ndarray
    kept: Kept
    on: str  # the day the change takes effect
    valid_from: str | None
    overrides: dict[str, np.ndarray] = field(default_factory=dict)
    spared: frozenset[str] = frozenset()  # keys whose new row is not fit to be stored: the kept row stays


@dataclass(slots=True)
class Written:
    """How many rows were inserted, ended and left alone."""

    inserted: int = 0
    ended: int = 0
    same: int = 0


def write(store: "Store", change_id: int, job: Job, *, progress: Callable[[int], None]) -> Written:
    """Write everything of `job` under a pending change; `progress` is told the rows written so far."""
    written = Written()
    compare = job.mode == "update" or (job.mode == "replace" and bool(job.kind.key) and len(job.kept) <= _LARGE)
    ended: list[np.ndarray] = []
    untouched: set[int] = set()
    frames = _compared(store, job, written, ended, untouched) if compare and len(job.kept) else _plain(job)
    written.inserted = insert_rows(
        store,
        change_id,
        job.kind.name,
        told(frames, progress),
        valid_from=job.valid_from if job.kind.versioned else None,
    )
    if job.mode == "replace":
        stay = np.concatenate([np.array(sorted(untouched), dtype=np.int64), job.kept.fids_of(job.spared)])
        ended = [job.kept.fids[~np.isin(job.kept.fids, stay)]]
    fids = np.concatenate(ended) if ended else np.empty(0, np.int64)
    _end(store, change_id, job, fids)
    written.ended = len(fids)
    return written


def told(frames: Iterator[pd.DataFrame], progress: Callable[[int], None]) -> Iterator[pd.DataFrame]:
    """The frames as they come, telling `progress` how many rows have been taken."""
    done = 0
    for frame in frames:
        yield frame
        done += len(frame)
        progress(done)


def _end(store: "Store", change_id: int, job: Job, fids: np.ndarray) -> None:
    """Rows that began on the very day were never true on any other: they are taken back, older ones are closed."""
    if not len(fids):
        return
    if not job.kind.versioned:
        retire_rows(store, change_id, job.kind.name, fids)
        return
    began = job.kept.frame.set_index("fid")["valid_from"].reindex(fids)
    same_day = (began >= job.on).to_numpy()
    if same_day.any():
        retire_rows(store, change_id, job.kind.name, fids[same_day])
    if (~same_day).any():
        close_rows(store, change_id, job.kind.name, fids[~same_day], job.on)


def _plain(job: Job) -> Iterator[pd.DataFrame]:
    """Every kept row of the file, batch by batch."""
    for start, batch in job.prepared.batches():
        keep = job.keep[start : start + batch.num_rows]
        if keep.any():
            frame, shapes = frame_of(batch, keep)
            yield _finished(job, frame, shapes, start + np.flatnonzero(keep))


def _finished(job: Job, frame: pd.DataFrame, shapes: np.ndarray | None, positions: np.ndarray) -> pd.DataFrame:
    """The frame with overrides and geometry."""
    for name, values in job.overrides.items():
        frame[name] = values[positions]
    if job.kind.name == "incident" and "location_quality" in job.kind.names:
        _quality(frame, shapes)
    if shapes is None:
        return frame
    return GeoDataFrame(frame, geometry=shapes, crs=crs.LONLAT)


def _quality(frame: pd.DataFrame, shapes: np.ndarray | None) -> None:
    """An incident without a position says so itself."""
    lost = np.ones(len(frame), dtype=bool) if shapes is None else shapely.is_missing(shapes)
    if lost.any():
        given = frame["location_quality"] if "location_quality" in frame else pd.Series(None, index=frame.index)
        frame["location_quality"] = given.astype(object).where(~lost, "none")


def _compared(
    store: "Store", job: Job, written: Written, ended: list[np.ndarray], untouched: set[int]
) -> Iterator[pd.DataFrame]:
    """Rows that are new or say something new; what they replace goes to `ended`, what stays to `untouched`."""
    assert job.prepared.keys is not None
    by_key = job.kept.frame.dropna(subset=["key"]).drop_duplicates("key").set_index("key")["fid"]
    for start, batch in job.prepared.batches():
        keep = job.keep[start : start + batch.num_rows]
        if not keep.any():
            continue
        frame, shapes = frame_of(batch, keep)
        positions = start + np.flatnonzero(keep)
        for name, values in job.overrides.items():
            frame[name] = values[positions]
        keys = pd.Series(job.prepared.keys[positions], dtype=object)
        fids = by_key.reindex(keys).to_numpy(dtype=float, na_value=np.nan)
        known = ~np.isnan(fids)
        if known.any():
            chosen = fids[known].astype(np.int64)
            old, old_shapes = matching.read_full(store, job.kind, chosen)
            if job.mode == "update":
                _overlay(job, frame, known, old)
                shapes = _overlay_shapes(shapes, known, old_shapes, len(frame))
            part = frame[known].reset_index(drop=True)
            changed = matching.differs(
                job.kind,
                part,
                None if shapes is None else shapes[known],
                old.reset_index(drop=True),
                old_shapes,
                store.place_offset_h,
            )
            untouched.update(chosen[~changed].tolist())
            ended.append(chosen[changed])
            written.same += int((~changed).sum())
            stay = np.flatnonzero(known)[~changed]
            rest = np.setdiff1d(np.arange(len(frame)), stay)
            frame, positions = frame.iloc[rest].reset_index(drop=True), positions[rest]
            shapes = None if shapes is None else shapes[rest]
        if len(frame):
            yield _finished(job, frame, shapes, positions)


def _overlay(job: Job, frame: pd.DataFrame, known: np.ndarray, old: pd.DataFrame) -> None:
    """Fill what the file leaves open (columns it does not have, empty cells) from the row kept; in place."""
    rows = np.flatnonzero(known)
    for name in job.kind.names:
        if name not in old:
            continue
        if name not in frame:
            frame[name] = pd.Series([None] * len(frame), index=frame.index, dtype=object)
        values = frame[name].astype(object).to_numpy(copy=True)
        empty = pd.isna(values[rows])
        before = old[name].to_numpy(dtype=object)
        values[rows[empty]] = before[empty]
        dtype = job.kind.field(name).dtype
        plain = np.array([None if pd.isna(value) else value for value in values], dtype=object)
        if dtype == "datetime":
            frame[name] = _moments(plain)
        elif dtype == "integer":
            frame[name] = pd.array(plain.tolist(), dtype="Int64")
        elif dtype == "boolean":
            frame[name] = pd.array(plain.tolist(), dtype="boolean")
        elif dtype == "real":
            frame[name] = pd.array([np.nan if value is None else float(value) for value in plain], dtype="float64")
        else:
            frame[name] = pd.Series(plain, index=frame.index, dtype=object)


def _moments(values: np.ndarray) -> pd.Series:
    """A mix of stored moments (UTC text) and moments of the file."""
    return pd.Series(
        [
            None
            if value is None
            else pd.Timestamp(value).tz_localize(None)
            if pd.Timestamp(value).tzinfo is None
            else pd.Timestamp(value).tz_convert("UTC").tz_localize(None)
            for value in values
        ],
        dtype="datetime64[ms]",
    )


def _overlay_shapes(
    shapes: np.ndarray | None, known: np.ndarray, old_shapes: np.ndarray | None, count: int
) -> np.ndarray | None:
    """Positions the file does not give stay as they were."""
    if old_shapes is None:
        return shapes
    merged = np.full(count, None, dtype=object) if shapes is None else shapes.copy()
    rows = np.flatnonzero(known)
    empty = shapely.is_missing(merged[rows])
    merged[rows[empty]] = old_shapes[empty]
    return merged
