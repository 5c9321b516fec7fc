"""Camera sites of a made-up county: dense in town, along roads and at village entrances, too few in some villages.

About a quarter of the villages has fewer working cameras than the usual standard of five asks for; the shortage is
built in unit by unit, so that every other village stands at five or more.
"""

import numpy as np
import pandas as pd

from .synthetic_plan import Plan
from .synthetic_works import Works

SHORT_SHARE = 0.25
ENOUGH = 5
STATUS = np.array(["online", "offline", "planned", ""], dtype=object)
YEARS = np.arange(2015, 2027)
YEAR_WEIGHT = np.array([3, 5, 8, 12, 14, 11, 9, 9, 10, 8, 7, 4], dtype=float)
SPOTS = ("村口", "主干道", "文化广场", "桥头", "村部", "路口", "渡口", "水库坝头")
TOWN_SPOTS = ("路口", "小区门口", "学校门口", "市场", "车站", "广场", "公园", "医院门口", "主干道", "桥头")


def make_cameras(rng: np.random.Generator, plan: Plan, works: Works) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of camera sites (without codes and names) and their places (NaN where the position is unknown).

    The `camera_count` of all rows sums up to the wanted number of cameras. Column `village` is the row number of the
    village a site belongs to, `cell` the mesh cell it stands in.
    """
    village, working = _units(rng, plan)
    status = _status(rng, plan, village, working)
    head, count = _merge_sites(rng, village, status)
    village, status = village[head], status[head]
    cell = _cells(rng, plan, works, village)
    xy = plan.mesh.xy[cell] + rng.uniform(-0.11, 0.11, (len(cell), 2)) * plan.mesh.spacing_m[cell, None]
    xy = _misplace(rng, plan, village, xy)
    frame = _attributes(rng, plan, village, cell, status)
    frame.insert(0, "camera_count", count)
    return frame.assign(village=village, cell=cell), xy


def _units(rng: np.random.Generator, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """The village of every camera, and how many cameras work for certain in each village."""
    size = plan.size
    remote = -np.log(plan.settled[plan.village_seat] + 0.05) + rng.normal(0.0, 0.9, size.villages)
    remote[plan.urban] -= 1.2
    short = np.zeros(size.villages, dtype=bool)
    short[np.argsort(-remote)[: round(SHORT_SHARE * size.villages)]] = True
    working = np.where(short, rng.choice(ENOUGH, size.villages, p=[0.14, 0.14, 0.2, 0.24, 0.28]), ENOUGH)
    base = working + np.where(short, rng.choice(3, size.villages, p=[0.6, 0.25, 0.15]), 0)
    rest = max(0, size.cameras - int(base.sum()))
    people = np.bincount(plan.village_of_grid, plan.households, size.villages)
    pull = np.where(short, 0.0, people * np.where(plan.urban, 3.0, 1.0) * rng.lognormal(0.0, 0.35, size.villages))
    extra = rng.multinomial(rest, pull / pull.sum())
    units = base + extra
    # Fewer cameras than the pattern needs: villages go without from the end of the list.
    surplus = int(units.sum()) - size.cameras
    if surplus > 0:
        kept = np.minimum(np.cumsum(units), size.cameras)
        units = np.diff(kept, prepend=0)
        working = np.minimum(working, units)
    return np.repeat(np.arange(size.villages), units), np.where(short, -working - 1, working)


def _status(rng: np.random.Generator, plan: Plan, village: np.ndarray, working: np.ndarray) -> np.ndarray:
    """Status of every camera; a negative `working` w marks a short village with exactly -w-1 working cameras."""
    serial = np.arange(len(village)) - np.searchsorted(village, village)
    status = rng.choice(STATUS, len(village), p=[0.902, 0.058, 0.025, 0.015])
    promised = np.where(working < 0, -working - 1, working)[village]
    status[serial < promised] = "online"
    idle = (serial >= promised) & (working < 0)[village]
    status[idle] = rng.choice(np.array(["offline", "planned"], dtype=object), int(idle.sum()), p=[0.7, 0.3])
    return status


def _merge_sites(rng: np.random.Generator, village: np.ndarray, status: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some sites hold two to four cameras: rows kept and the cameras each stands for."""
    count = np.ones(len(village), dtype=np.int64)
    kept = np.ones(len(village), dtype=bool)
    for row in np.flatnonzero(rng.random(len(village)) < 0.016).tolist():
        for other in range(row + 1, min(row + int(rng.integers(2, 5)), len(village))):
            if not kept[row] or not kept[other] or village[other] != village[row] or status[other] != status[row]:
                break
            count[row] += count[other]
            kept[other] = False
    return np.flatnonzero(kept), count[kept]


def _cells(rng: np.random.Generator, plan: Plan, works: Works, village: np.ndarray) -> np.ndarray:
    """A mesh cell for every site: roads, squares and hamlets first, each cell once while they last."""
    weight = (0.02 + plan.settled + 1.5 * plan.built_up) * np.where(works.on_road, 6.0, 1.0)
    weight = weight * plan.mesh.spacing_m**1.2
    owner = plan.village_of_cell
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], np.arange(plan.size.villages + 1))
    cell = np.empty(len(village), dtype=np.int64)
    wanted = np.bincount(village, minlength=plan.size.villages)
    start = 0
    for number, count in enumerate(wanted.tolist()):
        rows = order[first[number] : first[number + 1]]
        pull = weight[rows] / weight[rows].sum()
        cell[start : start + count] = rng.choice(rows, count, replace=count > len(rows) // 2, p=pull)
        start += count
    return cell


def _misplace(rng: np.random.Generator, plan: Plan, village: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Faults as real lists have them: some sites without position, some on one spot, a few beyond the county."""
    xy = xy.copy()
    many = np.flatnonzero(np.bincount(village, minlength=plan.size.villages)[village] > 25)
    if len(many) < 50:
        return xy
    picked = rng.permutation(many)
    lost = round(0.012 * len(village))
    xy[picked[:lost]] = np.nan
    pairs = picked[lost : lost + 2 * max(1, len(village) // 400)]
    same = village[pairs[::2]] == village[pairs[1::2]]
    xy[pairs[::2][same]] = xy[pairs[1::2][same]]
    strays = picked[-6:]
    outside = np.flatnonzero(plan.grid_of_cell < 0)
    xy[strays] = plan.mesh.xy[rng.choice(outside, len(strays))]
    return xy


def _attributes(
    rng: np.random.Generator, plan: Plan, village: np.ndarray, cell: np.ndarray, status: np.ndarray
) -> pd.DataFrame:
    n = len(village)
    urban = plan.urban[village]
    video_class = np.where(
        urban, rng.choice(["1", "2", "3"], n, p=[0.34, 0.38, 0.28]), rng.choice(["1", "2", "3"], n, p=[0.16, 0.34, 0.5])
    ).astype(object)
    planned = status == "planned"
    year = rng.choice(YEARS, n, p=YEAR_WEIGHT / YEAR_WEIGHT.sum())
    day = np.where(year == 2026, rng.integers(0, 300, n), rng.integers(0, 365, n))
    in_use = pd.to_datetime(pd.Series(year).astype(str) + "-01-01") + pd.to_timedelta(day, unit="D")
    delay = np.where(rng.random(n) < 0.86, rng.integers(2, 30, n), rng.integers(31, 200, n))
    in_use = in_use.mask(planned | (rng.random(n) < 0.015))
    filed = (in_use + pd.to_timedelta(delay, unit="D")).mask(rng.random(n) < 0.06)
    dome = rng.random(n) < 0.22
    azimuth = np.where(dome, np.nan, np.rint(rng.uniform(0.0, 359.0, n)))
    azimuth[rng.random(n) < 0.05] = np.nan
    reach = np.where(video_class == "1", rng.choice([80.0, 100.0, 150.0], n), rng.choice([30.0, 50.0, 60.0, 80.0], n))
    public = (rng.random(n) < 0.82) | (video_class == "1")
    kept_days = rng.choice([15, 30, 30, 30, 60, 90], n).astype(float)
    kept_days[rng.random(n) < 0.04] = np.nan
    place = rng.choice(np.array(["3", "4", "6", "8", "9", "10"]), n, p=[0.1, 0.2, 0.2, 0.15, 0.15, 0.2]).astype(object)
    spot = np.where(urban, rng.choice(np.array(TOWN_SPOTS), n), rng.choice(np.array(SPOTS), n)).astype(object)
    return pd.DataFrame(
        {
            "spot": spot,
            "video_class": video_class,
            "status": pd.Series(status, dtype=object).where(status != "", None),
            "connected": ~planned & (rng.random(n) < np.where(video_class == "3", 0.72, 0.97)),
            "in_public_area": public,
            "position_type": pd.Series(place, dtype=object).where(public, None),
            "azimuth": azimuth,
            "range_m": np.where(rng.random(n) < 0.04, np.nan, reach),
            "view_deg": np.where(dome, 360.0, rng.choice([60.0, 75.0, 90.0], n)),
            "ptz_type": np.where(dome, "1", rng.choice(np.array(["3", "4"]), n, p=[0.7, 0.3])).astype(object),
            "funding": rng.choice(
                np.array(["财政投资", "社会投资", "村集体", "共建"]), n, p=[0.6, 0.15, 0.15, 0.1]
            ).astype(object),
            "sign_installed": rng.random(n) < 0.91,
            "in_use_on": in_use,
            "filed_on": filed,
            "retention_days": pd.array(kept_days, dtype="Int64"),
            "plan_state": pd.Series(
                np.where(planned, rng.choice(np.array(["proposed", "approved"]), n), ""), dtype=object
            ).where(planned, None),
        }
    )
