"""Incidents of a made-up county: they follow people, seasons and the hour, and a few known places have too many.

The planted hotspots are returned beside the rows: a method that looks for clusters can be held against the truth.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from .synthetic_plan import Plan
from .synthetic_works import Works

FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2026, 10, 31)
SCHEME = "GBT31000"

# code, share among rural incidents, share among urban ones, daily rhythm, season
CATEGORIES = (
    ("0199", 7.0, 6.0, "evening", "winter"),
    ("0299", 14.0, 12.0, "evening", "summer"),
    ("0402", 0.4, 10.0, "evening", "even"),
    ("0503", 8.0, 9.0, "traffic", "winter"),
    ("0504", 4.0, 4.0, "office", "summer"),
    ("0601", 2.0, 9.0, "office", "even"),
    ("0602", 1.0, 6.0, "office", "even"),
    ("0799", 5.0, 7.0, "office", "winter"),
    ("0899", 1.2, 1.8, "office", "even"),
    ("0901", 10.0, 0.5, "office", "spring"),
    ("0902", 10.0, 0.8, "office", "spring"),
    ("0903", 6.0, 0.3, "office", "winter"),
    ("0904", 5.0, 0.3, "office", "summer"),
    ("1101", 0.8, 2.0, "office", "even"),
    ("1102", 4.0, 1.2, "office", "even"),
    ("1103", 5.0, 4.0, "office", "spring"),
    ("1104", 4.0, 8.0, "office", "summer"),
    ("1105", 0.8, 0.9, "office", "even"),
    ("1203", 0.6, 0.1, "office", "even"),
    ("1301", 2.5, 12.0, "office", "even"),
    ("1304", 3.0, 2.5, "office", "even"),
    ("9999", 2.0, 2.0, "office", "even"),
)
HOURS = {
    "office": (1, 1, 0.5, 0.5, 0.5, 1, 2, 5, 10, 13, 12, 9, 6, 6, 9, 11, 10, 7, 4, 4, 4, 3, 2, 1),
    "evening": (3, 2, 1, 1, 1, 1, 2, 4, 5, 6, 6, 5, 5, 4, 4, 5, 6, 8, 10, 13, 14, 12, 8, 5),
    "traffic": (2, 1, 1, 1, 1, 2, 5, 13, 11, 6, 5, 5, 5, 5, 5, 6, 9, 14, 12, 8, 6, 5, 4, 3),
}
WEEKDAYS = {
    "office": (1.2, 1.12, 1.1, 1.08, 1.1, 0.75, 0.65),
    "evening": (0.92, 0.9, 0.92, 0.95, 1.05, 1.15, 1.11),
    "traffic": (1.05, 0.98, 0.97, 1.0, 1.15, 1.0, 0.85),
}
SEASONS = {
    "even": (1.0,) * 12,
    "summer": (0.7, 0.7, 0.85, 1.0, 1.15, 1.3, 1.45, 1.4, 1.15, 0.95, 0.75, 0.6),
    "winter": (1.5, 1.3, 1.0, 0.85, 0.8, 0.8, 0.8, 0.8, 0.85, 0.95, 1.1, 1.35),
    "spring": (0.8, 1.0, 1.4, 1.4, 1.2, 1.0, 0.8, 0.8, 0.9, 1.0, 0.9, 0.8),
}
SOURCES = ("网格员上报", "群众反映", "12345热线", "视频巡查", "部门转办")
DUPLICATE_SHARE = 0.025
STACKED_SHARE = 0.03
NO_PLACE_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class PlantedHotspot:
    """A place where incidents happen `factor` times as often as usual; the truth a cluster search should find.

    `category` None means all categories; the period includes both days. `lon` and `lat` are the centre.
    """

    what: str
    lon: float
    lat: float
    radius_m: float
    factor: float
    category: str | None
    first_day: date
    last_day: date
    planted_count: int


def make_incidents(
    rng: np.random.Generator, plan: Plan, works: Works
) -> tuple[pd.DataFrame, np.ndarray, list[PlantedHotspot]]:
    """Rows (in order of time), their places (NaN without location) and the planted hotspots (lon/lat hold metres)."""
    total = plan.size.incidents
    mass = _mass(plan, works)
    codes = np.array([entry[0] for entry in CATEGORIES])
    rural = np.array([entry[1] for entry in CATEGORIES]) / sum(entry[1] for entry in CATEGORIES)
    urban = np.array([entry[2] for entry in CATEGORIES]) / sum(entry[2] for entry in CATEGORIES)
    in_town = np.append(plan.urban, False)[plan.village_of_cell]
    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")

    spots = _spots(rng, plan, works)
    expected = []
    for spot, _ in spots:
        disc = np.hypot(*(plan.mesh.xy - (spot.lon, spot.lat)).T) <= spot.radius_m
        share = mass * disc
        if spot.category is not None:
            column = int(np.flatnonzero(codes == spot.category)[0])
            share = share * np.where(in_town, urban[column], rural[column])
        period = ((spot.last_day - spot.first_day).days + 1) / len(days)
        expected.append((share, float(share.sum()) * period))
    added = sum((spot.factor - 1.0) * usual for (spot, _), (_, usual) in zip(spots, expected, strict=True))
    twins = round(DUPLICATE_SHARE * total)
    usual_count = round((total - twins) / (1.0 + added))
    counts = [
        round(usual_count * (spot.factor - 1.0) * usual) for (spot, _), (_, usual) in zip(spots, expected, strict=True)
    ]
    usual_count = max(0, total - twins - sum(counts))

    cell = [rng.choice(len(mass), usual_count, p=mass)]
    category = [
        np.where(in_town[cell[0]], rng.choice(codes, usual_count, p=urban), rng.choice(codes, usual_count, p=rural))
    ]
    day = [np.full(usual_count, -1)]
    planted = []
    for (spot, _), (share, usual), count in zip(spots, expected, counts, strict=True):
        count = count if usual > 0 else 0
        rows = rng.choice(len(mass), count, p=share / share.sum()) if count else np.empty(0, dtype=np.int64)
        mixed = np.where(in_town[rows], rng.choice(codes, count, p=urban), rng.choice(codes, count, p=rural))
        cell.append(rows)
        category.append(mixed if spot.category is None else np.full(count, spot.category))
        first = (spot.first_day - FIRST_DAY).days
        day.append(rng.integers(first, first + (spot.last_day - spot.first_day).days + 1, count))
        planted.append(
            PlantedHotspot(
                spot.what,
                spot.lon,
                spot.lat,
                spot.radius_m,
                spot.factor,
                spot.category,
                spot.first_day,
                spot.last_day,
                count,
            )
        )
    cells = np.concatenate(cell)
    categories = np.concatenate(category)
    moments = _moments(rng, categories, np.concatenate(day), days)
    xy = plan.mesh.xy[cells] + rng.uniform(-0.3, 0.3, (len(cells), 2)) * plan.mesh.spacing_m[cells, None]
    source = rng.integers(0, len(cells), max(0, total - len(cells))) if len(cells) else np.empty(0, dtype=np.int64)
    late = pd.to_timedelta(rng.integers(2, 110, len(source)), unit="min")
    frame = pd.DataFrame({"category": np.concatenate([categories, categories[source]])})
    last = pd.Timestamp(LAST_DAY) + pd.Timedelta(hours=23, minutes=59)
    frame["occurred_at"] = np.concatenate([moments, np.minimum(moments[source] + late, last)])
    xy = np.concatenate([xy, xy[source] + rng.normal(0.0, 8.0, (len(source), 2))])
    frame["location_quality"], xy = _quality(rng, plan, np.concatenate([cells, cells[source]]), xy)
    order = np.argsort(frame["occurred_at"].to_numpy(), kind="stable")
    frame, xy = frame.iloc[order].reset_index(drop=True), xy[order]
    return _handling(rng, frame, last), xy, planted


def _mass(plan: Plan, works: Works) -> np.ndarray:
    """Chance of an incident per mesh cell: households of the grid, within the grid where people and roads are."""
    inside = plan.grid_of_cell >= 0
    local = (plan.settled + 0.01) * plan.mesh.spacing_m**2 * np.where(works.on_road, 3.0, 1.0) * inside
    per_grid = np.bincount(plan.grid_of_cell[inside], local[inside], plan.size.grids)
    # A school or market draws incidents although nobody lives there.
    people = plan.households + np.where(plan.dedicated, 150.0, 2.0)
    people = people * np.where(plan.urban[plan.village_of_grid], 1.25, 1.0)
    grid = np.append(people / per_grid, 0.0)[plan.grid_of_cell]
    return local * grid / (local * grid).sum()


def _spots(rng: np.random.Generator, plan: Plan, works: Works) -> list[tuple[PlantedHotspot, int]]:
    """Where to plant hotspots: (spot with metres for lon/lat, mesh cell)."""
    xy = plan.mesh.xy
    capital = int(np.argmin(np.hypot(*(xy - plan.towns.xy[0]).T)))
    radius = float(plan.towns.radius_m[0])
    inside = plan.grid_of_cell >= 0
    markets = plan.township_seat[~plan.street]
    markets = rng.permutation(markets) if len(markets) else np.array([capital])

    def beside(share: float) -> int:
        ring = np.abs(np.hypot(*(xy - xy[capital]).T) - share * radius) < 0.2 * radius
        rows = np.flatnonzero(inside & ring)
        return int(rng.choice(rows)) if len(rows) else capital

    valley = np.flatnonzero(inside & (plan.mesh.valley > 0.6) & (plan.built_up < 0.05) & works.on_road)
    village = int(rng.choice(valley)) if len(valley) else capital
    whole = (FIRST_DAY, LAST_DAY)
    wanted = (
        ("县城集贸市场", beside(0.2), 300.0, 3.0, None, whole),
        ("老城小区邻里纠纷", beside(0.55), 350.0, 6.0, "0299", whole),
        ("城乡结合部违法建设", beside(1.0), 700.0, 20.0, "1103", (date(2025, 3, 1), date(2025, 10, 31))),
        ("集镇十字路口交通事故", int(markets[0]), 450.0, 12.0, "0503", whole),
        ("集镇综合高发", int(markets[1 % len(markets)]), 600.0, 4.0, None, whole),
        ("征地矛盾", village, 2500.0, 25.0, "1102", (date(2026, 3, 1), date(2026, 8, 31))),
    )
    return [
        (PlantedHotspot(what, float(xy[cell, 0]), float(xy[cell, 1]), radius_m, factor, code, *period, 0), cell)
        for what, cell, radius_m, factor, code, period in wanted
    ]


def _moments(rng: np.random.Generator, category: np.ndarray, day: np.ndarray, days: pd.DatetimeIndex) -> np.ndarray:
    """Date and minute of every incident; `day` >= 0 fixes the date."""
    rhythm = {entry[0]: (entry[3], entry[4]) for entry in CATEGORIES}
    minutes = np.empty(len(category), dtype=np.int64)
    day = day.copy()
    month, weekday = days.month.to_numpy() - 1, days.day_of_week.to_numpy()
    trend = np.linspace(0.92, 1.1, len(days))
    quiet = ((month == 1) & (days.day.to_numpy() < 15)) | ((month == 9) & (days.day.to_numpy() < 6))
    for code, (clock, season) in rhythm.items():
        rows = category == code
        weight = np.array(SEASONS[season])[month] * np.array(WEEKDAYS[clock])[weekday] * trend
        weight = np.where(quiet & (clock == "office"), 0.45 * weight, weight)
        open_rows = rows & (day < 0)
        day[open_rows] = rng.choice(len(days), int(open_rows.sum()), p=weight / weight.sum())
        hour = np.array(HOURS[clock])
        minutes[rows] = rng.choice(24, int(rows.sum()), p=hour / hour.sum()) * 60
    minutes += rng.integers(0, 60, len(minutes))
    return days.to_numpy()[day] + minutes.astype("timedelta64[m]")


def _quality(rng: np.random.Generator, plan: Plan, cell: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How each place was found: some addresses fall on one village point, some have no place at all."""
    n = len(cell)
    draw = rng.random(n)
    quality = np.where(rng.random(n) < 0.6, "surveyed", "geocoded").astype(object)
    stacked = draw < STACKED_SHARE
    quality[stacked] = "centroid"
    xy = xy.copy()
    xy[stacked] = plan.mesh.xy[plan.village_seat[plan.village_of_cell[cell[stacked]]]]
    lost = draw > 1.0 - NO_PLACE_SHARE
    quality[lost] = "none"
    xy[lost] = np.nan
    return quality, xy


def _handling(rng: np.random.Generator, frame: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Acceptance, deadline, state and who solved it, from the moment it happened."""
    n = len(frame)
    received = frame["occurred_at"] + pd.to_timedelta(rng.integers(3, 600, n), unit="min")
    allowed = rng.choice([1, 3, 3, 7, 15], n)
    closed = received + pd.to_timedelta((allowed * 24 * 60 * rng.lognormal(-0.9, 0.7, n)).astype(np.int64), unit="min")
    still_open = closed > last
    state = np.full(n, "archived", dtype=object)
    state[still_open] = rng.choice(
        np.array(["reported", "accepted", "dispatched", "handling", "answered", "returned"], dtype=object),
        int(still_open.sum()),
        p=[0.08, 0.17, 0.25, 0.35, 0.12, 0.03],
    )
    state[~still_open & (rng.random(n) < 0.1)] = "assessed"
    level = rng.choice(np.array(["grid", "village", "township", "county"], dtype=object), n, p=[0.46, 0.3, 0.19, 0.05])
    return frame.assign(
        scheme=SCHEME,
        level=rng.choice(np.array(["04", "03", "02"], dtype=object), n, p=[0.93, 0.06, 0.01]),
        state=state,
        received_at=received,
        due_at=received + pd.to_timedelta(allowed, unit="D"),
        closed_at=closed.mask(still_open),
        resolved_level=pd.Series(level).where(~still_open, None),
        source=rng.choice(np.array(SOURCES, dtype=object), n, p=[0.48, 0.2, 0.16, 0.09, 0.07]),
    )
