"""What people have built in a made-up county: natural villages, roads, streets, buildings.

Roads follow cheapest paths over the mesh, that is valleys; natural villages lie on them; buildings stand around both.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from .synthetic_land import paths, road_cost, smooth_lines
from .synthetic_plan import Plan

ROAD_CLASSES = (("highway", 12.0), ("county", 8.0), ("village", 5.0), ("track", 3.5), ("street", 10.0))
"""Road class and width in metres, main roads first."""


@dataclass(frozen=True, slots=True)
class Works:
    """Roads as lines with a class number, the mesh cells they touch, natural villages and buildings."""

    road: np.ndarray  # lines
    road_class: np.ndarray  # row number in ROAD_CLASSES
    on_road: np.ndarray  # bool per mesh cell
    natural_xy: np.ndarray
    natural_grid: np.ndarray
    building: np.ndarray  # polygons
    building_use: np.ndarray  # text, GB codes: 01 residence, 02 business, 06 mixed
    building_floors: np.ndarray


def make_works(rng: np.random.Generator, plan: Plan) -> Works:
    """Natural villages first, then roads to them, then buildings along both."""
    cell, grid = _natural_villages(rng, plan)
    natural_xy = plan.mesh.xy[cell] + rng.uniform(-0.12, 0.12, (len(cell), 2)) * plan.mesh.spacing_m[cell, None]
    lines, classes, on_road = _roads(plan, cell)
    streets = _streets(plan)
    road = np.concatenate([lines, streets])
    road_class = np.concatenate([classes, np.full(len(streets), 4)])
    building, use, floors = _buildings(rng, plan, natural_xy)
    return Works(road, road_class, on_road, natural_xy, grid, building, use, floors)


def _natural_villages(rng: np.random.Generator, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Cells and grids of natural villages: one per rural grid while they last, then second ones in large grids."""
    rural = np.flatnonzero(~plan.urban[plan.village_of_grid])
    wanted = plan.size.natural_villages
    if len(rural) == 0 or wanted == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    weight = plan.households[rural] + 1.0
    first = rng.choice(rural, size=min(wanted, len(rural)), replace=False, p=weight / weight.sum())
    # Every rural village has at least one natural village, as far as the number allows.
    owners = plan.village_of_grid[first]
    lacking = np.setdiff1d(np.flatnonzero(~plan.urban), owners)
    spare = np.flatnonzero(np.bincount(owners, minlength=plan.size.villages)[owners] > 3)[: len(lacking)]
    seat_grid = plan.grid_of_cell[plan.village_seat[lacking[: len(spare)]]]
    first[spare] = seat_grid
    first = np.unique(first)
    cells = [plan.grid_seat[first]]
    taken = set(cells[0].tolist())
    candidates = np.flatnonzero(np.isin(plan.grid_of_cell, rural))
    missing = wanted - len(first)
    if missing > 0:
        free = np.array([row for row in candidates.tolist() if row not in taken])
        pull = (plan.settled * plan.mesh.spacing_m**2)[free]
        cells.append(rng.choice(free, size=missing, replace=False, p=pull / pull.sum()))
    cell = np.concatenate(cells)
    return cell, plan.grid_of_cell[cell]


def _roads(plan: Plan, natural_cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines with class, and which cells lie on a road."""
    mesh = plan.mesh
    inside = plan.grid_of_cell >= 0
    keep = inside[mesh.edges].all(axis=1)
    cost = road_cost(mesh)
    graph = mesh.graph(cost, keep)
    seats = plan.township_seat
    capitals = plan.township_seat[plan.street]
    on_road = np.zeros(len(mesh.xy), dtype=bool)
    lines, classes = [], []

    def lay(pairs: np.ndarray, number: int) -> None:
        new = pairs[~on_road[pairs].all(axis=1)]
        made = smooth_lines(mesh.xy, new)
        lines.append(made)
        classes.append(np.full(len(made), number))
        on_road[pairs.ravel()] = True

    rim = np.flatnonzero(inside & _touches_outside(mesh.edges, inside, len(inside)))
    _, before = dijkstra(graph, directed=False, indices=capitals[0], return_predecessors=True)
    bearing = np.arctan2(*(mesh.xy[rim] - mesh.xy[capitals[0]]).T)
    gates = []
    for direction in (-2.2, -0.2, 1.6):
        sector = rim[np.abs(np.angle(np.exp(1j * (bearing - direction)))) < 0.6]
        if len(sector):
            gates.append(int(sector[np.argmax(mesh.valley[sector])]))
    lay(paths(before, np.array(gates + capitals.tolist(), dtype=np.int64)), 0)
    _, before, _ = dijkstra(
        graph, directed=False, indices=np.flatnonzero(on_road), return_predecessors=True, min_only=True
    )
    lay(paths(before, seats), 1)
    # Neighbouring market towns are linked even where the way to the county town is another one.
    for seat in seats.tolist():
        _, before = dijkstra(graph, directed=False, indices=seat, return_predecessors=True, limit=15_000.0)
        near = seats[(before[seats] >= 0)]
        order = np.argsort(np.hypot(*(mesh.xy[near] - mesh.xy[seat]).T))
        lay(paths(before, near[order][:2]), 1)
    for ends, number in ((plan.village_seat, 2), (natural_cell, 3)):
        if len(ends) == 0:
            continue
        _, before, _ = dijkstra(
            graph, directed=False, indices=np.flatnonzero(on_road), return_predecessors=True, min_only=True
        )
        lay(paths(before, ends), number)
    return np.concatenate(lines), np.concatenate(classes), on_road


def _touches_outside(edges: np.ndarray, inside: np.ndarray, count: int) -> np.ndarray:
    mixed = edges[inside[edges].sum(axis=1) == 1]
    result = np.zeros(count, dtype=bool)
    result[mixed.ravel()] = True
    return result


def _town_frames(plan: Plan) -> list[tuple[np.ndarray, float, float]]:
    """Centre, radius and street bearing of every town; streets run along the river nearby."""
    frames = []
    tree = cKDTree(plan.terrain.xy)
    for centre, radius in zip(plan.towns.xy, plan.towns.radius_m, strict=True):
        near = tree.query_ball_point(centre, max(radius, 900.0))
        wet = plan.terrain.xy[near][plan.terrain.drained_km2[near] > 20.0]
        spread = wet - wet.mean(axis=0) if len(wet) > 2 else np.eye(2)
        axis = np.linalg.svd(spread, full_matrices=False)[2][0]
        frames.append((centre, float(radius), float(np.arctan2(axis[1], axis[0]))))
    return frames


def _bent(along: np.ndarray, across: np.ndarray, centre: np.ndarray, bearing: float, radius: float) -> np.ndarray:
    """From street frame to map: lattice lines are bent a little, as in towns that grew along a river."""
    u = along + 0.05 * radius * np.sin(across / radius * 1.9 + 0.4)
    v = across + 0.09 * radius * np.sin(along / radius * 1.4)
    cos, sin = np.cos(bearing), np.sin(bearing)
    return np.column_stack([u * cos - v * sin, u * sin + v * cos]) + centre


def _streets(plan: Plan) -> np.ndarray:
    """Street lattices of the towns, cut off where the town ends."""
    lines = []
    for number, (centre, radius, bearing) in enumerate(_town_frames(plan)):
        block = 210.0 if number < plan.towns.counties else 150.0
        reach = np.arange(-1.5 * radius, 1.5 * radius, 30.0)
        offsets = np.arange(-1.4 * radius, 1.4 * radius, block)
        bundle = []
        for turn, step in ((0, 1.0), (1, 1.35)):
            along, across = np.tile(reach, len(offsets)), np.repeat(offsets * step, len(reach))
            if turn == 1:
                along, across = across, along
            bundle.append(_bent(along, across, centre, bearing, radius))
        points = np.concatenate(bundle)
        keep = plan.towns.density(points) > 0.42
        for street in range(2 * len(offsets)):
            part = slice(street * len(reach), (street + 1) * len(reach))
            lines += _runs(points[part], keep[part])
    return np.array(lines, dtype=object)


def _runs(points: np.ndarray, keep: np.ndarray) -> list:
    """Lines over the runs of kept points, at least five points long."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    return [shapely.linestrings(points[a:b]) for a, b in bounds.reshape(-1, 2) if b - a >= 5]


def _buildings(
    rng: np.random.Generator, plan: Plan, natural_xy: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rectangles in town blocks and around natural villages."""
    centres, bearings, lengths, widths, uses, floors = [], [], [], [], [], []
    for number, (centre, radius, bearing) in enumerate(_town_frames(plan)):
        pitch = 48.0 if number < plan.towns.counties else 40.0
        axis = np.arange(-1.4 * radius, 1.4 * radius, pitch)
        along, across = (part.ravel() for part in np.meshgrid(axis, axis))
        points = _bent(along, across, centre, bearing, radius)
        density = plan.towns.density(points)
        kept = rng.random(len(points)) < np.where(density > 0.35, 0.62 * density, 0.0)
        points, density = points[kept], density[kept]
        count = len(points)
        centres.append(points)
        bearings.append(np.full(count, bearing))
        lengths.append(rng.uniform(14.0, 36.0, count))
        widths.append(rng.uniform(10.0, 16.0, count))
        uses.append(rng.choice(np.array(["01", "02", "06"]), count, p=[0.62, 0.16, 0.22]))
        tall = 2.0 + 9.0 * density**2 if number < plan.towns.counties else 2.0 + 3.0 * density
        floors.append(np.maximum(1, np.rint(tall * rng.uniform(0.4, 1.2, count))).astype(np.int64))
    homes = rng.integers(3, 7, len(natural_xy))
    owner = np.repeat(np.arange(len(natural_xy)), homes)
    centres.append(natural_xy[owner] + rng.normal(0.0, 55.0, (len(owner), 2)))
    bearings.append(rng.uniform(0.0, np.pi, len(natural_xy))[owner] + rng.normal(0.0, 0.1, len(owner)))
    lengths.append(rng.uniform(10.0, 17.0, len(owner)))
    widths.append(rng.uniform(8.0, 11.0, len(owner)))
    uses.append(np.full(len(owner), "01"))
    floors.append(rng.integers(1, 4, len(owner)))
    shapes = _rectangles(
        np.concatenate(centres), np.concatenate(bearings), np.concatenate(lengths), np.concatenate(widths)
    )
    return shapes, np.concatenate(uses), np.concatenate(floors)


def _rectangles(centre: np.ndarray, bearing: np.ndarray, length: np.ndarray, width: np.ndarray) -> np.ndarray:
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    u, v = corners[:, 0] * length[:, None], corners[:, 1] * width[:, None]
    cos, sin = np.cos(bearing)[:, None], np.sin(bearing)[:, None]
    rings = np.stack([centre[:, :1] + u * cos - v * sin, centre[:, 1:] + u * sin + v * cos], axis=-1)
    return shapely.polygons(rings)
