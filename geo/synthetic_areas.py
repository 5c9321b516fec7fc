"""Areas of a made-up county: growing them over the mesh and turning labelled cells into polygons.

Every level is drawn from one set of border segments, so county, townships, villages and grids share their vertices:
there is no gap and no overlap anywhere, and grids divide villages exactly, to the centimetre they are rounded to.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from .synthetic_land import Mesh

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class Segments:
    """Pieces of border: each runs from `start` to `end` and parts the mesh cells `left` and `right`."""

    start: np.ndarray  # float64 (s, 2)
    end: np.ndarray  # float64 (s, 2)
    left: np.ndarray  # int64
    right: np.ndarray  # int64


def grow(mesh: Mesh, cost: np.ndarray, seats: np.ndarray, *, keep: np.ndarray | None = None) -> np.ndarray:
    """For every cell the number of the seat that reaches it most cheaply; -1 where none does. Areas are connected."""
    graph = mesh.graph(cost, keep)
    _, _, source = dijkstra(graph, directed=False, indices=seats, return_predecessors=True, min_only=True)
    number = np.full(len(mesh.xy) + 1, OUTSIDE)
    number[seats] = np.arange(len(seats))
    return number[np.where(source < 0, len(mesh.xy), source)]


def spread(rng: np.random.Generator, xy: np.ndarray, weight: np.ndarray, count: int, *, rounds: int = 8) -> np.ndarray:
    """Row numbers of `count` different places, dense where `weight` is large and evenly spaced there (k-means)."""
    if count == 0:
        return np.empty(0, dtype=np.int64)
    chosen = rng.choice(len(xy), size=count, replace=False, p=weight / weight.sum())
    centres = xy[chosen]
    for _ in range(rounds):
        label = cKDTree(centres).query(xy)[1]
        mass = np.bincount(label, weight, count)
        filled = mass > 0
        for axis in (0, 1):
            centres[filled, axis] = np.bincount(label, weight * xy[:, axis], count)[filled] / mass[filled]
    return nearest_distinct(xy, centres)


def nearest_distinct(xy: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest row of `xy` for every centre, no row twice."""
    tree = cKDTree(xy)
    near = tree.query(centres, k=min(12, len(xy)))[1].reshape(len(centres), -1)
    taken: set[int] = set()
    rows = []
    for options in near.tolist():
        row = next((option for option in options if option not in taken), None)
        if row is None:
            row = next(option for option in range(len(xy)) if option not in taken)
        taken.add(row)
        rows.append(row)
    return np.array(rows, dtype=np.int64)


def inside_cells(mesh: Mesh, cost: np.ndarray, centre: int, area_m2: float) -> np.ndarray:
    """The cells nearest to `centre` by cost and distance that sum up to `area_m2`, in one piece without holes."""
    # Cost alone grows tentacles along the valleys; straight distance keeps the shape compact.
    far = dijkstra(mesh.graph(cost), directed=False, indices=centre)
    dx, dy = (mesh.xy - mesh.xy[centre]).T
    order = np.argsort(far + 0.35 * np.hypot(dx + 0.15 * dy, 1.25 * dy))
    inside = np.zeros(len(mesh.xy), dtype=bool)
    inside[order[np.cumsum(mesh.spacing_m[order] ** 2) <= area_m2]] = True
    joined = inside[mesh.edges]
    rim = np.argmax(np.abs(mesh.xy).max(axis=1))
    around = dijkstra(mesh.graph(mesh.length_m, ~joined.any(axis=1)), directed=False, indices=rim)
    filled = ~np.isfinite(around)
    reach = dijkstra(mesh.graph(mesh.length_m, filled[mesh.edges].all(axis=1)), directed=False, indices=centre)
    return np.isfinite(reach)


def divide(
    rng: np.random.Generator, mesh: Mesh, cost: np.ndarray, parent: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Divide every parent area into `share` connected parts of about equal weight.

    Returns the label of every cell (-1 outside) and the parent of every part; parts of one parent are consecutive.
    """
    order = np.argsort(parent, kind="stable")
    first = np.searchsorted(parent[order], np.arange(len(share) + 1))
    seats: list[int] = []
    for number, count in enumerate(share.tolist()):
        members = order[first[number] : first[number + 1]]
        seats.extend(members[spread_few(rng, mesh.xy[members], weight[members], count)].tolist())
    part_parent = np.repeat(np.arange(len(share)), share)
    within = (parent[mesh.edges[:, 0]] == parent[mesh.edges[:, 1]]) & (parent[mesh.edges[:, 0]] >= 0)
    chosen = np.array(seats, dtype=np.int64)
    label = grow(mesh, cost, chosen, keep=within)
    for _ in range(3):
        chosen = centre_cells(mesh.xy, label, weight, len(chosen))
        label = grow(mesh, cost, chosen, keep=within)
    return label, part_parent


def spread_few(rng: np.random.Generator, xy: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """`count` rows far from each other: the first by weight, each next the farthest, favouring heavy places."""
    chosen = [int(rng.choice(len(xy), p=weight / weight.sum()))]
    pull = np.sqrt(weight / weight.max()) + 0.05
    distance = np.hypot(xy[:, 0] - xy[chosen[0], 0], xy[:, 1] - xy[chosen[0], 1])
    while len(chosen) < count:
        row = int(np.argmax(distance * pull))
        chosen.append(row)
        distance = np.minimum(distance, np.hypot(xy[:, 0] - xy[row, 0], xy[:, 1] - xy[row, 1]))
    return np.array(chosen, dtype=np.int64)


def centre_cells(xy: np.ndarray, label: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """For every label its own cell nearest to the label's weighted centre."""
    rows = np.flatnonzero(label >= 0)
    own = label[rows]
    mass = np.bincount(own, weight[rows], count)
    centre = np.column_stack([np.bincount(own, weight[rows] * xy[rows, axis], count) / mass for axis in (0, 1)])
    order = np.lexsort([np.hypot(*(xy[rows] - centre[own]).T), own])
    return rows[order][np.searchsorted(own[order], np.arange(count))]


def border_segments(mesh: Mesh, label: np.ndarray) -> Segments:
    """Borders between labels, triangle by triangle.

    A triangle whose corners carry two labels is cut from edge middle to edge middle; one with three labels is cut by
    three spokes from its centre. Each cut stays in its own triangle, so borders cannot cross.
    """
    corner = mesh.triangles
    name = label[corner]
    middles = [(corner[:, i], corner[:, (i + 1) % 3]) for i in range(3)]
    differs = np.column_stack([name[:, i] != name[:, (i + 1) % 3] for i in range(3)])
    cuts = differs.sum(axis=1)
    starts, ends, lefts, rights = [], [], [], []
    three = np.flatnonzero(cuts == 3)
    centre = mesh.xy[corner[three]].mean(axis=1)
    for a, b in middles:
        starts.append(centre)
        ends.append(_middle(mesh.xy, a[three], b[three]))
        lefts.append(a[three])
        rights.append(b[three])
    for i in range(3):
        # Edges i and i+1 are cut: the corner between them, number i+1, stands alone.
        rows = np.flatnonzero((cuts == 2) & ~differs[:, (i + 2) % 3])
        lone = corner[rows, (i + 1) % 3]
        starts.append(_middle(mesh.xy, corner[rows, i], lone))
        ends.append(_middle(mesh.xy, lone, corner[rows, (i + 2) % 3]))
        lefts.append(lone)
        rights.append(corner[rows, i])
    return Segments(np.concatenate(starts), np.concatenate(ends), np.concatenate(lefts), np.concatenate(rights))


def _middle(xy: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low, high = np.minimum(a, b), np.maximum(a, b)
    # A place on the edge that depends on the edge alone, a little off its middle, so that borders look drawn by hand.
    share = 0.5 + 0.24 * (((low * 7919 + high * 104_729) % 1009) / 1008.0 - 0.5)
    return xy[low] + (xy[high] - xy[low]) * share[:, None]


def polygons(segments: Segments, label: np.ndarray, seat: np.ndarray) -> np.ndarray:
    """One polygon per label from the border segments between labels; `seat` is a cell inside each label."""
    border = label[segments.left] != label[segments.right]
    lines = shapely.linestrings(np.stack([segments.start[border], segments.end[border]], axis=1))
    faces = shapely.get_parts(shapely.polygonize(lines))
    tree = shapely.STRtree(faces)
    number, face = tree.query(shapely.points(seat), predicate="within")
    result = np.empty(len(seat), dtype=object)
    result[number] = faces[face]
    return result
