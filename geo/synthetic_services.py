"""Facilities, staffing, zones and boundary marks of a made-up county."""

import numpy as np
import pandas as pd
import shapely

from .synthetic_incidents import PlantedHotspot
from .synthetic_plan import Plan

DEDICATED_USES = ("小学", "中学", "医院", "集贸市场", "汽车站", "工业园", "幼儿园", "商住小区")
AREA_TYPES = {"小学": "01", "中学": "01", "汽车站": "02", "集贸市场": "04"}


def dedicated_uses(rng: np.random.Generator, plan: Plan) -> np.ndarray:
    """What each dedicated grid stands around ("" for base grids); the first ones make sure every use occurs."""
    uses = np.full(plan.size.grids, "", dtype=object)
    rows = np.flatnonzero(plan.dedicated)
    drawn = rng.choice(np.array(DEDICATED_USES, dtype=object), len(rows))
    drawn[: len(DEDICATED_USES)] = DEDICATED_USES[: len(rows)]
    uses[rows] = drawn
    return uses


def make_facilities(rng: np.random.Generator, plan: Plan, uses: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Service centres of every village and township, schools, hospitals; names are added later from `village`."""
    rows: list[tuple[int, int, str, str, float]] = []
    people = np.bincount(plan.village_of_grid, plan.households, plan.size.villages)
    village_of_cell = plan.village_of_cell
    order = np.argsort(village_of_cell, kind="stable")
    first = np.searchsorted(village_of_cell[order], np.arange(plan.size.villages + 1))

    def beside(village: int) -> int:
        return _beside(rng, plan, order[first[village] : first[village + 1]], int(plan.village_seat[village]))

    for village, cell in enumerate(plan.village_seat.tolist()):
        floor = max(120.0 if not plan.urban[village] else 300.0, 0.3 * people[village]) * rng.uniform(0.7, 1.6)
        rows.append((village, cell, "党群服务中心" if rng.random() < 0.9 else "便民服务点", "village", floor))
        if not plan.urban[village] and rng.random() < 0.2:
            rows.append((village, beside(village), "小学", "village", rng.uniform(900.0, 3200.0)))
        if rng.random() < 0.75:
            rows.append((village, beside(village), "卫生室", "village", rng.uniform(60.0, 160.0)))
    for cell in plan.township_seat.tolist():
        village = int(village_of_cell[cell])
        for use, low, high in (
            ("综治中心", 700, 1900),
            ("卫生院", 1500, 6000),
            ("派出所", 500, 1500),
            ("养老院", 800, 3000),
        ):
            rows.append((village, beside(village), use, "township", rng.uniform(low, high)))
    for grid in np.flatnonzero(plan.dedicated).tolist():
        village = int(plan.village_of_grid[grid])
        rows.append((village, int(plan.grid_seat[grid]), str(uses[grid]), "county", rng.uniform(2500.0, 24_000.0)))
    frame = pd.DataFrame(rows, columns=["village", "cell", "type", "level", "floor_area_m2"])
    n = len(frame)
    frame["floor_area_m2"] = frame["floor_area_m2"].round(0)
    frame["service_area_m2"] = (frame["floor_area_m2"] * rng.uniform(0.55, 0.95, n)).round(0)
    frame["built_on"] = pd.Timestamp("1996-01-01") + pd.to_timedelta(rng.integers(0, 10_800, n), unit="D")
    cell = frame["cell"].to_numpy()
    return frame, plan.mesh.xy[cell] + rng.uniform(-0.1, 0.1, (n, 2)) * plan.mesh.spacing_m[cell, None]


def _beside(rng: np.random.Generator, plan: Plan, rows: np.ndarray, seat: int) -> int:
    """A settled cell among `rows` near the seat."""
    far = np.hypot(*(plan.mesh.xy[rows] - plan.mesh.xy[seat]).T)
    weight = (plan.settled[rows] + 0.01) * np.exp(-far / 500.0) + 1e-9
    return int(rng.choice(rows, p=weight / weight.sum()))


def make_staffing(rng: np.random.Generator, plan: Plan) -> pd.DataFrame:
    """Head counts per village, in the order of villages."""
    population = np.bincount(plan.village_of_grid, plan.population, plan.size.villages)
    n = plan.size.villages
    urban = plan.urban
    return pd.DataFrame(
        {
            "patrol": rng.poisson(population * np.where(urban, 1.3e-3, 1.6e-3)),
            "volunteers_urban": np.where(urban, population * rng.normal(0.135, 0.03, n).clip(0.02), 0).astype(np.int64),
            "volunteers_rural": np.where(urban, 0, population * rng.normal(0.085, 0.025, n).clip(0.01)).astype(
                np.int64
            ),
            "social_workers": np.where(urban, rng.poisson(population * 19e-4), rng.poisson(0.3, n)).astype(np.int64),
            "auxiliary_police": rng.choice(4, n, p=[0.07, 0.68, 0.18, 0.07]),
            "legal_adviser": rng.choice(2, n, p=[0.06, 0.94]),
            "cleaners": 1 + rng.poisson(population / 700.0),
        }
    )


def make_zones(
    rng: np.random.Generator, plan: Plan, uses: np.ndarray, grids: np.ndarray, spots: list[PlantedHotspot]
) -> dict[str, pd.DataFrame]:
    """Key areas, no-camera zones and consent zones: frames with a column `shape` in metres."""
    key = [
        (
            spot.what,
            "05" if "结合部" in spot.what else "04" if "市场" in spot.what else "99",
            _blob(rng, spot.lon, spot.lat, 0.8 * spot.radius_m),
        )
        for spot in spots
    ]
    for use, code in AREA_TYPES.items():
        for grid in np.flatnonzero(uses == use)[:2].tolist():
            key.append((f"{use}周边", code, shapely.buffer(shapely.convex_hull(grids[grid]), 60.0)))
    states = np.array(["挂牌整治", "整治中", "已验收"], dtype=object)
    quarters = np.array(["2026Q2", "2026Q3", "2026Q4"], dtype=object)
    frame = pd.DataFrame(key, columns=["name", "area_type", "shape"])
    frame["problem_type"] = rng.choice(np.array(["02", "04", "06", "14", "99"], dtype=object), len(frame))
    frame["quarter"] = rng.choice(quarters, len(frame))
    frame["state"] = rng.choice(states, len(frame))
    frame["effect"] = frame["state"].map({"已验收": "明显好转"}).astype(object)
    town = np.flatnonzero(plan.built_up > 0.5)
    rooms = [
        ("学生宿舍", "视频条例第八条"),
        ("宾馆客房楼", "视频条例第八条"),
        ("公共浴室", "视频条例第八条"),
        ("母婴室与更衣区", "视频条例第八条"),
    ]
    centres = plan.mesh.xy[rng.choice(town, 2 * len(rooms))] if len(town) else np.empty((0, 2))
    blocked = pd.DataFrame(
        [
            {
                "name": f"{rooms[i % 4][0]}{i // 4 + 1}",
                "zone_type": rooms[i % 4][0],
                "legal_ref": rooms[i % 4][1],
                "shape": _blob(rng, centre[0], centre[1], 35.0),
            }
            for i, centre in enumerate(centres)
        ],
        columns=["name", "zone_type", "legal_ref", "shape"],
    )
    hills = np.flatnonzero((plan.grid_of_cell >= 0) & (plan.mesh.ruggedness > 0.6))
    sites = plan.mesh.xy[rng.choice(hills, 2)] if len(hills) else np.empty((0, 2))
    consent = pd.DataFrame(
        [
            {
                "name": f"须征求意见区{i + 1}",
                "zone_type": "涉密单位周边",
                "legal_ref": "视频条例第十条",
                "shape": _blob(rng, site[0], site[1], 600.0),
            }
            for i, site in enumerate(sites)
        ],
        columns=["name", "zone_type", "legal_ref", "shape"],
    )
    return {"key_area": frame, "no_camera_zone": blocked, "consent_zone": consent}


def _blob(rng: np.random.Generator, x: float, y: float, radius: float) -> shapely.Polygon:
    turn = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    phase = rng.uniform(0.0, 6.28, 2)
    reach = radius * (1.0 + 0.16 * np.cos(2 * turn + phase[0]) + 0.1 * np.cos(3 * turn + phase[1]))
    return shapely.Polygon(np.column_stack([x + reach * np.cos(turn), y + reach * np.sin(turn)]))


def make_waste(rng: np.random.Generator, plan: Plan) -> dict[str, pd.DataFrame]:
    """Waste stations (none to three per village), transfer depots and an incinerator: columns village, x, y, state."""
    count = rng.choice(4, plan.size.villages, p=[0.05, 0.75, 0.15, 0.05])
    village = np.repeat(np.arange(plan.size.villages), count)
    cell = plan.village_seat[village]
    states = np.array(["正常", "满溢", "停用"], dtype=object)

    def frame(owner: np.ndarray, rows: np.ndarray, offset: float) -> pd.DataFrame:
        xy = plan.mesh.xy[rows] + rng.uniform(-offset, offset, (len(rows), 2)) * plan.mesh.spacing_m[rows, None]
        state = rng.choice(states, len(rows), p=[0.9, 0.06, 0.04])
        return pd.DataFrame({"village": owner, "x": xy[:, 0], "y": xy[:, 1], "state": state})

    depots = plan.township_seat[::3]
    remote = plan.village_seat[
        [int(np.argmin(plan.built_up[plan.village_seat] + 0.2 * plan.settled[plan.village_seat]))]
    ]
    owner = plan.village_of_cell
    return {
        "waste_station": frame(village, cell, 0.12),
        "depot": frame(owner[depots], depots, 0.1),
        "incinerator": frame(owner[remote], remote, 0.0),
    }


def make_boundary(rng: np.random.Generator, outline: shapely.Polygon) -> dict[str, pd.DataFrame]:
    """The outline cut into six lines with markers along them and tri-junctions at their ends: column `shape`."""
    ring = shapely.get_coordinates(outline.exterior)[:-1]
    cuts = np.linspace(0, len(ring), 7).astype(int)
    ring = np.concatenate([ring, ring[:1]])
    lines, markers = [], []
    for i in range(6):
        line = shapely.linestrings(ring[cuts[i] : cuts[i + 1] + 1])
        number = f"43{i + 1:02d}"
        day = pd.Timestamp("2025-03-01") + pd.Timedelta(days=int(rng.integers(0, 500)))
        lines.append({"number": number, "side_type": "县界", "last_inspection": day, "state": "已联检", "shape": line})
        for serial, share in enumerate(np.linspace(0.1, 0.9, 7), start=1):
            shape = shapely.line_interpolate_point(line, share, normalized=True)
            state = "完好" if rng.random() < 0.85 else "损坏"
            markers.append(
                {
                    "number": f"{number}{serial:03d}Q",
                    "side_type": "单立",
                    "last_inspection": day,
                    "state": state,
                    "shape": shape,
                }
            )
    junctions = [
        {
            "number": f"43{i + 1:02d}S",
            "side_type": "三交点",
            "last_inspection": lines[i]["last_inspection"],
            "state": "完好",
            "shape": shapely.Point(ring[cuts[i]]),
        }
        for i in range(6)
    ]
    return {
        "boundary_line": pd.DataFrame(lines),
        "boundary_marker": pd.DataFrame(markers),
        "tri_junction": pd.DataFrame(junctions),
    }
