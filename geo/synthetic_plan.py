"""The plan of a made-up county: where its towns lie, which cell of the mesh belongs to which area, how many live there.

The order is that of a real valley landscape: water first, then towns at the rivers, then villages along the valleys,
then townships around market towns; grids divide villages last. Nothing here is named or coded yet.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from .synthetic_areas import Segments, border_segments, divide, grow, inside_cells, nearest_distinct, spread
from .synthetic_land import Mesh, Terrain, border_cost, make_mesh, make_terrain, valley_nearness
from .synthetic_people import choose_dedicated, grid_households, grid_share, village_households

VILLAGE_KM2 = 8.0
VILLAGES_PER_TOWNSHIP = 14
CELLS_PER_GRID = (34.0, 20.0)
"""Mesh cells that a rural grid is drawn with: up to 5,000 grids, and above."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything to make."""

    villages: int
    grids: int
    cameras: int
    incidents: int
    natural_villages: int
    counties: int


@dataclass(frozen=True, slots=True)
class Towns:
    """Town centres: the first `counties` are county towns, the others market towns."""

    xy: np.ndarray
    radius_m: np.ndarray
    counties: int

    def density(self, xy: np.ndarray) -> np.ndarray:
        """How built-up each place is: 1 in a county town's centre, 0 in the open country."""
        result = np.zeros(len(xy))
        order = np.argsort(xy[:, 0])
        east = xy[order, 0]
        for number, (centre, radius) in enumerate(zip(self.xy, self.radius_m, strict=True)):
            # Beyond 2.2 radii a town is nothing: looking there would take as long as the towns are many.
            strip = order[slice(*np.searchsorted(east, (centre[0] - 2.2 * radius, centre[0] + 2.2 * radius)))]
            near = strip[np.abs(xy[strip, 1] - centre[1]) < 2.2 * radius]
            dx, dy = (xy[near] - centre).T
            bearing = np.arctan2(dy, dx)
            # Towns are not round: they reach along two or three roads.
            reach = radius * (1.0 + 0.22 * np.cos(2 * bearing + number) + 0.13 * np.cos(3 * bearing + 2.0 * number))
            peak = 1.0 if number < self.counties else 0.7
            density = peak * np.exp(-((np.hypot(dx, dy) / reach) ** 4) * 0.7)
            result[near] = np.maximum(result[near], density)
        return result


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that has a place; labels are row numbers of the level above or -1 outside."""

    size: Size
    terrain: Terrain
    towns: Towns
    mesh: Mesh
    segments: Segments
    settled: np.ndarray  # per cell: relative density of people
    built_up: np.ndarray  # per cell: Towns.density
    grid_of_cell: np.ndarray
    village_of_grid: np.ndarray
    township_of_village: np.ndarray
    county_of_township: np.ndarray
    street: np.ndarray  # per township: part of a county town
    urban: np.ndarray  # per village: a residents' community
    dedicated: np.ndarray  # per grid: around a school, hospital or the like
    village_seat: np.ndarray  # cell
    grid_seat: np.ndarray  # cell
    township_seat: np.ndarray  # cell
    households: np.ndarray  # per grid
    population: np.ndarray  # per grid

    @property
    def village_of_cell(self) -> np.ndarray:
        """Village of every cell, -1 outside."""
        return np.append(self.village_of_grid, -1)[self.grid_of_cell]

    @property
    def township_of_cell(self) -> np.ndarray:
        """Township of every cell, -1 outside."""
        return np.append(self.township_of_village, -1)[self.village_of_cell]

    @property
    def county_of_cell(self) -> np.ndarray:
        """County of every cell, -1 outside."""
        return np.append(self.county_of_township, -1)[self.township_of_cell]

    @property
    def population_of_township(self) -> np.ndarray:
        """People per township."""
        owner = self.township_of_village[self.village_of_grid]
        return np.bincount(owner, self.population, len(self.county_of_township))


def make_plan(rng: np.random.Generator, size: Size) -> Plan:
    """Water, towns, villages, townships, grids and people."""
    area_m2 = size.villages * VILLAGE_KM2 * 1e6
    terrain = make_terrain(rng, 1.45 * np.sqrt(area_m2 / np.pi))
    town_villages = max(2, round(0.08 * size.villages / size.counties))
    towns = _place_towns(rng, terrain, size, town_villages, np.sqrt(area_m2 / np.pi))
    halvings = np.where(np.arange(len(towns.xy)) < size.counties, 2, 1)
    spacing_m = np.sqrt(area_m2 / max(0.85 * size.grids, size.villages) / CELLS_PER_GRID[size.grids > 5000])
    mesh = make_mesh(
        rng, terrain, spacing_m=spacing_m, towns=towns.xy, town_radius_m=1.25 * towns.radius_m, halvings=halvings
    )
    cost = border_cost(rng, mesh)
    middle = int(np.argmin(np.hypot(*(mesh.xy - 0.4 * towns.xy[: size.counties].mean(axis=0)).T)))
    inside = inside_cells(mesh, cost, middle, area_m2)
    built_up = towns.density(mesh.xy)
    settled = (0.02 + mesh.valley**1.4) * (1.05 - mesh.ruggedness) * 0.5 + 6.0 * built_up**1.3
    seats, urban, town = _village_seats(rng, mesh, inside, built_up, settled, towns, size, town_villages)
    keep = inside[mesh.edges].all(axis=1)
    village = grow(mesh, cost, seats, keep=keep)
    village[~inside] = -1
    seat_cells = _liveliest(village, settled, size.villages)
    township_of_village, county_of_township, street = _group_villages(mesh, village, seat_cells, urban, town, towns)

    weight = settled * mesh.spacing_m**2
    people = village_households(rng, village, weight, urban, town)
    share = grid_share(people, urban, village, size.grids)
    grid, village_of_grid = divide(rng, mesh, cost, village, share, weight)
    dedicated = choose_dedicated(rng, village_of_grid, urban, share)
    households = grid_households(rng, grid, village_of_grid, weight, people, dedicated)
    size_of_household = rng.normal(2.85, 0.12, size.villages)[village_of_grid]
    return Plan(
        size=size,
        terrain=terrain,
        towns=towns,
        mesh=mesh,
        segments=border_segments(mesh, grid),
        settled=settled,
        built_up=built_up,
        grid_of_cell=grid,
        village_of_grid=village_of_grid,
        township_of_village=township_of_village,
        county_of_township=county_of_township,
        street=street,
        urban=urban,
        dedicated=dedicated,
        village_seat=seat_cells,
        grid_seat=_liveliest(grid, settled, size.grids),
        township_seat=_liveliest(np.append(township_of_village, -1)[village], settled, len(county_of_township)),
        households=households,
        population=np.rint(households * size_of_household).astype(np.int64),
    )


def _place_towns(rng: np.random.Generator, terrain: Terrain, size: Size, town_villages: int, radius_m: float) -> Towns:
    far = np.hypot(*terrain.xy.T)
    nearness = valley_nearness(terrain, terrain.xy)
    core = np.flatnonzero(far < radius_m * (0.3 if size.counties == 1 else 0.8))
    if size.counties == 1:
        centres = core[[int(np.argmax(nearness[core] + 0.02 * np.log(terrain.drained_km2[core])))]]
    else:
        centres = core[spread(rng, terrain.xy[core], 0.05 + nearness[core], size.counties)]
        around = [np.flatnonzero(np.hypot(*(terrain.xy - terrain.xy[row]).T) < 5000.0) for row in centres]
        centres = np.array([rows[np.argmax(terrain.drained_km2[rows])] for rows in around])
    markets = max(1, round(size.villages / VILLAGES_PER_TOWNSHIP) - 2 * size.counties)
    near_town = np.min([np.hypot(*(terrain.xy - terrain.xy[row]).T) for row in centres], axis=0)
    county_radius = np.sqrt(town_villages * 0.5e6 / np.pi)
    land = np.flatnonzero((far < 0.88 * radius_m) & (near_town > 2.2 * county_radius))
    chosen = land[spread(rng, terrain.xy[land], 0.12 + nearness[land] ** 2, markets)]
    # A market lies at the water, not at the centre of its hinterland.
    best = [
        rows[np.argmax(nearness[rows] + 0.05 * np.log(terrain.drained_km2[rows]))]
        for rows in (land[np.hypot(*(terrain.xy[land] - terrain.xy[row]).T) < 1500.0] for row in chosen)
    ]
    radius = np.concatenate([np.full(size.counties, county_radius), rng.uniform(380.0, 620.0, markets)])
    return Towns(terrain.xy[np.concatenate([centres, best])], radius, size.counties)


def _village_seats(
    rng: np.random.Generator,
    mesh: Mesh,
    inside: np.ndarray,
    built_up: np.ndarray,
    settled: np.ndarray,
    towns: Towns,
    size: Size,
    town_villages: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells the villages grow from, which are urban communities, and the county town each of these lies in (-1)."""
    seats: list[np.ndarray] = []
    town: list[np.ndarray] = []
    cell_m2 = mesh.spacing_m**2
    for number in range(towns.counties):
        near = np.hypot(*(mesh.xy - towns.xy[number]).T) < 2.0 * towns.radius_m[number]
        rows = np.flatnonzero(inside & near & (built_up > 0.35))
        seats.append(rows[spread(rng, mesh.xy[rows], (cell_m2 * built_up)[rows], town_villages)])
        town.append(np.full(town_villages, number))
    markets = nearest_distinct(mesh.xy, towns.xy[towns.counties :]).tolist()
    markets = [row for row in markets if inside[row]][: max(0, size.villages - towns.counties * town_villages)]
    seats.append(np.array(markets, dtype=np.int64))
    town.append(np.full(len(markets), -1))
    urban_count = sum(len(part) for part in seats)
    rows = np.flatnonzero(inside & (built_up < 0.3))
    weight = cell_m2[rows] * (0.03 + np.minimum(settled[rows], 1.0)) ** 0.8
    rural = rows[spread(rng, mesh.xy[rows], weight, size.villages - urban_count)]
    seats.append(rural)
    town.append(np.full(len(rural), -1))
    return np.concatenate(seats), np.arange(size.villages) < urban_count, np.concatenate(town)


def _liveliest(label: np.ndarray, settled: np.ndarray, count: int) -> np.ndarray:
    """The most settled cell of every label."""
    rows = np.flatnonzero(label >= 0)
    order = rows[np.lexsort([-settled[rows], label[rows]])]
    return order[np.searchsorted(label[order], np.arange(count))]


def _group_villages(
    mesh: Mesh, village: np.ndarray, seat: np.ndarray, urban: np.ndarray, town: np.ndarray, towns: Towns
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Townships around market towns and streets in county towns; counties around county towns."""
    pair = np.sort(village[mesh.edges], axis=1)
    pair = np.unique(pair[(pair[:, 0] >= 0) & (pair[:, 0] != pair[:, 1])], axis=0)
    steep = mesh.ruggedness[seat][pair].max(axis=1)
    # Leaving a town costs more than crossing it: streets stay with their town.
    leaves = urban[pair[:, 0]] != urban[pair[:, 1]]
    cost = np.hypot(*(mesh.xy[seat[pair[:, 0]]] - mesh.xy[seat[pair[:, 1]]]).T) * (1.0 + steep + 0.8 * leaves)
    graph = csr_matrix((cost, (pair[:, 0], pair[:, 1])), shape=(len(seat), len(seat)))
    sources: list[int] = []
    street: list[bool] = []
    for number in range(towns.counties):
        members = np.flatnonzero(town == number)
        east = mesh.xy[seat[members], 0]
        split = members[np.argsort(east)]
        parts = [split[: len(split) // 2], split[len(split) // 2 :]] if len(members) > 3 else [split]
        for part in parts:
            centre = mesh.xy[seat[part]].mean(axis=0)
            sources.append(int(part[np.argmin(np.hypot(*(mesh.xy[seat[part]] - centre).T))]))
            street.append(True)
    markets = np.flatnonzero(urban & (town < 0)).tolist()
    sources += markets
    street += [False] * len(markets)
    _, _, source = dijkstra(graph, directed=False, indices=sources, return_predecessors=True, min_only=True)
    number_of = np.full(len(seat), -1)
    number_of[sources] = np.arange(len(sources))
    township = number_of[source]
    if towns.counties == 1:
        return township, np.zeros(len(sources), dtype=np.int64), np.array(street)
    pair_t = np.sort(township[pair], axis=1)
    pair_t = np.unique(pair_t[pair_t[:, 0] != pair_t[:, 1]], axis=0)
    place = mesh.xy[seat[sources]]
    length = np.hypot(*(place[pair_t[:, 0]] - place[pair_t[:, 1]]).T)
    graph = csr_matrix((length, (pair_t[:, 0], pair_t[:, 1])), shape=(len(sources), len(sources)))
    heads = np.flatnonzero(street)
    _, _, head = dijkstra(graph, directed=False, indices=heads, return_predecessors=True, min_only=True)
    return township, town[np.array(sources)][head], np.array(street)
