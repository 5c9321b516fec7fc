"""The land of a made-up county: valleys, rivers, the mesh that borders follow, roads.

Rivers are the branches of a cheapest-path tree over noise: every place drains to an outlet along low ground, which
gives the branching pattern of real rivers without simulating water. Everything is in metres around the origin of a
local frame; `geo.synthetic` moves it to its zone.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, cKDTree

STREAM_KM2 = (5.0, 40.0, 220.0)
"""Drained area from which a water course is drawn as a brook, a stream, a river."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """Nodes of a jittered lattice with ruggedness (0 flat to 1 mountain), drained area and the node each drains to."""

    xy: np.ndarray  # float64 (n, 2), metres
    ruggedness: np.ndarray  # float64
    drained_km2: np.ndarray  # float64
    downstream: np.ndarray  # int64, -1 at an outlet
    half_m: float  # the lattice covers [-half_m, half_m] in x and y

    def stream_distance(self, xy: np.ndarray, drained_km2: float) -> np.ndarray:
        """Distance of each place to the nearest water course that drains at least so much; inf when there is none."""
        nodes = self.xy[self.drained_km2 >= drained_km2]
        if len(nodes) == 0:
            return np.full(len(xy), np.inf)
        return cKDTree(nodes).query(xy)[0]

    def at(self, xy: np.ndarray) -> np.ndarray:
        """Row number of the nearest lattice node of each place."""
        return cKDTree(self.xy).query(xy)[1]


@dataclass(frozen=True, slots=True)
class Mesh:
    """Small cells that everything is built from: villages, grids and roads follow its edges, so they nest exactly."""

    xy: np.ndarray  # float64 (n, 2)
    spacing_m: np.ndarray  # float64, cell size
    triangles: np.ndarray  # int64 (t, 3)
    edges: np.ndarray  # int64 (e, 2), a < b
    length_m: np.ndarray  # float64 per edge
    ruggedness: np.ndarray  # float64 0 to 1
    valley: np.ndarray  # float64 0 to 1: nearness to water courses, large ones count more
    river_m: np.ndarray  # float64 distance to the nearest river

    def graph(self, cost: np.ndarray, keep: np.ndarray | None = None) -> csr_matrix:
        """Undirected cost graph over the cells; `keep` marks the edges that may be used."""
        edges, cost = (self.edges, cost) if keep is None else (self.edges[keep], cost[keep])
        n = len(self.xy)
        rows = np.concatenate([edges[:, 0], edges[:, 1]])
        cols = np.concatenate([edges[:, 1], edges[:, 0]])
        return csr_matrix((np.concatenate([cost, cost]), (rows, cols)), shape=(n, n))


def fractal_noise(rng: np.random.Generator, n: int, cell_m: float, *, longest_m: float, roughness: float) -> np.ndarray:
    """Smooth random surface (n, n), mean 0 and deviation 1; `roughness` is the fall-off of its spectrum."""
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None, :]) / cell_m
    amplitude = (1.0 + (frequency * longest_m) ** 2) ** (-roughness / 2.0)
    phase = rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)
    surface = np.fft.irfft2(phase * amplitude, s=(n, n))
    return (surface - surface.mean()) / surface.std()


def make_terrain(rng: np.random.Generator, half_m: float) -> Terrain:
    """Hills and rivers over a square of 2 x `half_m`."""
    n = int(np.clip(2.0 * half_m / 260.0, 60, 420))
    cell_m = 2.0 * half_m / n
    broad = fractal_noise(rng, n, cell_m, longest_m=22_000.0, roughness=3.2)
    fine = fractal_noise(rng, n, cell_m, longest_m=7_000.0, roughness=2.2)
    height = broad + 0.9 * fine - 0.5 * np.abs(fine)
    axis = (np.arange(n) + 0.5) * cell_m - half_m
    grid_x, grid_y = np.meshgrid(axis, axis)
    jitter = rng.uniform(-0.34, 0.34, size=(n * n, 2)) * cell_m
    xy = np.column_stack([grid_x.ravel(), grid_y.ravel()]) + jitter
    rank = np.empty(n * n)
    rank[np.argsort(height.ravel())] = np.linspace(0.0, 1.0, n * n)
    drained, downstream = _drain(rng, xy, rank, n, cell_m)
    terrain = Terrain(xy, rank, drained, downstream, half_m)
    # Water has cut its valleys: what lies near a stream is low, whatever the noise said.
    rugged = 0.6 * rank + 0.55 * (1.0 - valley_nearness(terrain, xy)) - 0.1
    return Terrain(xy, np.clip(rugged, 0.0, 1.0), drained, downstream, half_m)


def _drain(
    rng: np.random.Generator, xy: np.ndarray, rank: np.ndarray, n: int, cell_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Drained area of every node and the node it drains to (-1 at an outlet)."""
    index = np.arange(n * n).reshape(n, n)
    sides = (
        (index[:, :-1], index[:, 1:]),
        (index[:-1], index[1:]),
        (index[:-1, :-1], index[1:, 1:]),
        (index[:-1, 1:], index[1:, :-1]),
    )
    pairs = np.concatenate([np.column_stack([a.ravel(), b.ravel()]) for a, b in sides])
    length = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    cost = length * np.exp(4.0 * rank[pairs].mean(axis=1)) * rng.uniform(0.6, 1.4, len(pairs))
    rim = np.concatenate([index[0], index[-1], index[:, -1]])
    first = rim[np.argmin(rank[rim])]
    farther = rim[np.hypot(*(xy[rim] - xy[first]).T) > 1.2 * n * cell_m / 2.0]
    outlets = np.array([first, farther[np.argmin(rank[farther])]])
    drained = np.full(n * n, (cell_m / 1000.0) ** 2)
    for _ in range(3):
        # Large streams draw smaller ones: running again over the water found so far makes branches join.
        eased = cost / (1.0 + np.sqrt(np.minimum(drained[pairs].min(axis=1), 400.0) / 3.0))
        graph = csr_matrix((eased, (pairs[:, 0], pairs[:, 1])), shape=(n * n, n * n))
        distance, downstream, _ = dijkstra(
            graph, directed=False, indices=outlets, return_predecessors=True, min_only=True
        )
        below = downstream.tolist()
        area = [(cell_m / 1000.0) ** 2] * (n * n)
        for node in np.argsort(distance)[::-1].tolist():
            if below[node] >= 0:
                area[below[node]] += area[node]
        drained = np.asarray(area)
    return drained, np.where(downstream < 0, -1, downstream).astype(np.int64)


def valley_nearness(terrain: Terrain, xy: np.ndarray) -> np.ndarray:
    """0 (far from water) to 1 (bottom of a main valley)."""
    nearness = np.zeros(len(xy))
    for drained_km2, weight, reach_m in zip(STREAM_KM2, (0.45, 0.75, 1.0), (500.0, 900.0, 1600.0), strict=True):
        nearness = np.maximum(nearness, weight * np.exp(-terrain.stream_distance(xy, drained_km2) / reach_m))
    return nearness


def make_mesh(
    rng: np.random.Generator,
    terrain: Terrain,
    *,
    spacing_m: float,
    towns: np.ndarray,
    town_radius_m: np.ndarray,
    halvings: np.ndarray,
) -> Mesh:
    """Jittered cells of `spacing_m`, halved `halvings` times around each town, over the circle of the terrain."""
    count = int(np.ceil(2.0 * terrain.half_m / spacing_m))
    axis = (np.arange(count) + 0.5) * spacing_m - terrain.half_m
    cells = np.column_stack([part.ravel() for part in np.meshgrid(axis, axis)])
    cells = cells[np.hypot(*cells.T) < terrain.half_m]
    size = np.full(len(cells), spacing_m)
    for level in range(1, int(halvings.max(initial=0)) + 1):
        busy = halvings >= level
        wanted = np.zeros(len(cells), dtype=bool)
        for centre, radius in zip(towns[busy], town_radius_m[busy] * (1.6 - 0.3 * level), strict=True):
            wanted |= np.hypot(*(cells - centre).T) < radius
        wanted &= size == spacing_m / 2 ** (level - 1)
        quarter = spacing_m / 2 ** (level + 1)
        corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) * quarter
        children = (cells[wanted][:, None, :] + corners[None, :, :]).reshape(-1, 2)
        cells = np.concatenate([cells[~wanted], children])
        size = np.concatenate([size[~wanted], np.full(len(children), 2 * quarter)])
    xy = cells + rng.uniform(-0.42, 0.42, size=cells.shape) * size[:, None]
    triangles = Delaunay(xy).simplices.astype(np.int64)
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    keys = np.unique(sides[:, 0] * np.int64(len(xy)) + sides[:, 1])
    edges = np.column_stack([keys // len(xy), keys % len(xy)])
    length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
    return Mesh(
        xy,
        size,
        triangles,
        edges,
        length,
        terrain.ruggedness[terrain.at(xy)],
        valley_nearness(terrain, xy),
        terrain.stream_distance(xy, STREAM_KM2[1]),
    )


def border_cost(rng: np.random.Generator, mesh: Mesh) -> np.ndarray:
    """Cost per edge for areas that grow from their seats: they meet on ridges and along rivers."""
    middle = mesh.ruggedness[mesh.edges].mean(axis=1)
    at_river = np.exp(-mesh.river_m[mesh.edges].min(axis=1) / 150.0)
    return mesh.length_m * (0.7 + 1.1 * middle**2 + 0.9 * at_river) * rng.uniform(0.75, 1.25, len(mesh.edges))


def road_cost(mesh: Mesh) -> np.ndarray:
    """Cost per edge for roads: cheap in valleys, dear over mountains and on the river itself."""
    middle = mesh.ruggedness[mesh.edges].mean(axis=1)
    valley = mesh.valley[mesh.edges].mean(axis=1)
    wet = np.exp(-mesh.river_m[mesh.edges].mean(axis=1) / 70.0)
    return mesh.length_m * (0.4 + 2.2 * middle**2 + 1.4 * (1.0 - valley) + 0.8 * wet)


def paths(predecessor: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Pairs (node, predecessor) on the way from every end back to a source, each once."""
    on_path = np.zeros(len(predecessor), dtype=bool)
    ahead = np.unique(ends)
    while len(ahead):
        on_path[ahead] = True
        ahead = np.unique(predecessor[ahead])
        ahead = ahead[ahead >= 0]
        ahead = ahead[~on_path[ahead]]
    nodes = np.flatnonzero(on_path & (predecessor >= 0))
    return np.column_stack([nodes, predecessor[nodes]])


def smooth_lines(xy: np.ndarray, pairs: np.ndarray, *, rounds: int = 2) -> np.ndarray:
    """Join node pairs to lines between junctions and round their corners (Chaikin), ends fixed."""
    if len(pairs) == 0:
        return np.empty(0, dtype=object)
    merged = shapely.line_merge(shapely.multilinestrings(list(shapely.linestrings(xy[pairs]))))
    lines = []
    for line in shapely.get_parts(merged):
        points = shapely.get_coordinates(line)
        for _ in range(rounds):
            if len(points) > 2:
                near = 0.75 * points[:-1] + 0.25 * points[1:]
                far = 0.25 * points[:-1] + 0.75 * points[1:]
                points = np.concatenate([points[:1], np.stack([near, far], axis=1).reshape(-1, 2)[1:-1], points[-1:]])
        lines.append(shapely.linestrings(points))
    return np.array(lines, dtype=object)


def river_lines(terrain: Terrain) -> list[tuple[int, np.ndarray]]:
    """(order, lines) for brooks (1), streams (2) and rivers (3); lines run downstream."""
    result = []
    limits = (*STREAM_KM2, np.inf)
    for order in (1, 2, 3):
        wet = (
            (terrain.drained_km2 >= limits[order - 1])
            & (terrain.drained_km2 < limits[order])
            & (terrain.downstream >= 0)
        )
        nodes = np.flatnonzero(wet)
        result.append((order, smooth_lines(terrain.xy, np.column_stack([nodes, terrain.downstream[nodes]]), rounds=3)))
    return result
