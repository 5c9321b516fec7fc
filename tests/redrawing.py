"""Made-up land divided among grids, and seeded hands that redraw it, for the tests and the bench of the kernel."""

import math
from collections import Counter
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Point, Polygon

from geo import crs as systems
from geo.operations import parse
from geo.partition import Partition
from geo.redraw import Outcome, perform
from geo.refusals import RefusedError

CRS = "EPSG:4546"  # CGCS2000, 111 degrees east
CENTRE = np.array([500_000.0, 4_000_000.0])
HANDS = {"exact": (0.0, 0.0), "sloppy": (0.4, 0.0), "from afar": (4.0, 2.5)}  # metres off, metres per pixel
_SHARES = {
    "redraw": 0.35, "push": 0.2, "split": 0.1, "transfer": 0.12, "merge": 0.06, "corner": 0.07, "carve": 0.05,
    "dissolve": 0.05,
}  # fmt: skip


def disc(radius_m: float, *, vertices: int = 400) -> Polygon:
    """A wavy disc, on the centimetre."""
    t = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    x = CENTRE[0] + radius_m * np.cos(t) * (1 + 0.1 * np.sin(5 * t))
    y = CENTRE[1] + radius_m * np.sin(t) * (1 + 0.1 * np.cos(3 * t))
    return Polygon(np.round(np.column_stack([x, y]), 2))


def divide(land: shapely.Geometry, count: int, *, seed: int, winding_m: float = 0.0) -> np.ndarray:
    """`land` divided among about `count` cells that fit to the centimetre; with `winding_m` the borders wind."""
    rng = np.random.default_rng(seed)
    west, south, east, north = land.bounds
    sites = np.empty((0, 2))
    while len(sites) < count:
        fresh = rng.uniform([west, south], [east, north], (2 * count, 2))
        sites = np.vstack([sites, fresh[shapely.contains_xy(land, fresh)]])[:count]
    edges = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=land, only_edges=True)
    lines = shapely.get_parts(shapely.node(shapely.intersection(edges, land)))
    if winding_m:
        lines = [_wound(line, winding_m, rng) for line in lines]
    noded = shapely.union_all([*lines, land.boundary], grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return faces[shapely.contains(land, shapely.point_on_surface(faces))]


def _wound(line: LineString, winding_m: float, rng: np.random.Generator) -> LineString:
    dense = shapely.get_coordinates(shapely.segmentize(line, max(line.length / 14, 3 * winding_m)))
    dense[1:-1] += rng.uniform(-winding_m, winding_m, (len(dense) - 2, 2))
    return LineString(dense)


def partition(shapes: np.ndarray) -> Partition:
    """A partition with codes in the order of the shapes."""
    return Partition([f"g{row:05d}" for row in range(len(shapes))], shapes)


def plain(count: int, *, seed: int = 1, winding_m: float = 0.0) -> Partition:
    """A village without peculiarities: one outline, every grid in one part; about 0.6 km2 per grid."""
    return partition(divide(disc(450 * math.sqrt(count)), count, seed=seed, winding_m=winding_m))


def hard(count: int, *, seed: int = 1, winding_m: float = 0.0) -> Partition:
    """A village with two lakes and two islands, grids in two parts (one across the water), grids within grids."""
    radius = 450 * math.sqrt(count)
    lakes = [Point(CENTRE + at).buffer(radius * size, quad_segs=6) for at, size in _spots(radius)]
    islands = [Point(CENTRE + np.array([1.5, side]) * radius).buffer(0.2 * radius, quad_segs=4) for side in (-1, 1)]
    land = shapely.set_precision(shapely.difference(disc(radius), shapely.union_all(lakes)), 0.01)
    land = shapely.union(land, shapely.set_precision(shapely.union_all(islands), 0.01))
    cells = list(divide(land, count, seed=seed, winding_m=winding_m))
    rng = np.random.default_rng(seed)
    return partition(_joined_up(cells, rng, rings=max(2, count // 60), doubles=max(2, count // 30)))


def _spots(radius: float) -> list[tuple[np.ndarray, float]]:
    return [(np.array([0.3, 0.2]) * radius, 0.15), (np.array([-0.4, -0.1]) * radius, 0.08)]


def _joined_up(cells: list[Polygon], rng: np.random.Generator, *, rings: int, doubles: int) -> np.ndarray:
    """Some cells joined with all around another one, some with a cell far away."""
    used: set[int] = set()
    result = []
    tree = shapely.STRtree(cells)
    for middle in rng.permutation(len(cells)):
        around = [int(row) for row in tree.query(cells[middle], predicate="intersects") if row != middle]
        ring = shapely.coverage_union_all([cells[row] for row in around])
        encloses = ring.geom_type == "Polygon" and len(ring.interiors) == 1
        if rings and encloses and not used & {int(middle), *around}:
            used |= {int(middle), *around}
            result += [cells[middle], ring]
            rings -= 1
    free = [int(row) for row in rng.permutation(len(cells)) if int(row) not in used]
    for one, other in zip(free[: 2 * doubles : 2], free[1 : 2 * doubles : 2], strict=True):
        if not shapely.intersects(cells[one], cells[other]):
            used |= {one, other}
            result.append(shapely.multipolygons([cells[one], cells[other]]))
    return np.array([*result, *(cell for row, cell in enumerate(cells) if row not in used)], dtype=object)


def blob(rng: np.random.Generator, at: np.ndarray, radius: float) -> Polygon:
    """A star-shaped ring as a hand draws it."""
    t = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(6, 14))))
    r = radius * rng.uniform(0.5, 1.0, len(t))
    drawn = Polygon(np.column_stack([at[0] + r * np.cos(t), at[1] + r * np.sin(t)]))
    return drawn if drawn.is_valid and drawn.area > 0 else Point(at).buffer(0.6 * radius, quad_segs=3)


def geojson(shape: shapely.Geometry, crs: Any = CRS) -> dict:
    """The shape as the page would send it: GeoJSON in lon/lat with 9 decimals."""
    lonlat = systems.transform_geometries([shape], crs, systems.LONLAT)
    return shapely.geometry.mapping(shapely.transform(lonlat, lambda xy: np.round(xy, 9))[0])


def body_of(shape: shapely.Geometry, crs: Any = CRS) -> dict:
    """`geojson` with lists, as JSON has it."""

    def listed(value: object) -> object:
        return [listed(entry) for entry in value] if isinstance(value, tuple | list) else value

    made = geojson(shape, crs)
    return {"type": made["type"], "coordinates": listed(made["coordinates"])}


def lonlat(point: np.ndarray, crs: Any = CRS) -> list[float]:
    """One place as [lon, lat]."""
    return body_of(Point(point), crs)["coordinates"]


@dataclass(slots=True)
class Hand:
    """Somebody who redraws at random: `off_m` is how far a drawn point may be beside the one meant."""

    rng: np.random.Generator
    off_m: float = 0.0
    metres_per_pixel: float = 0.0
    crs: Any = CRS

    @classmethod
    def of(cls, kind: str, *, seed: int, crs: Any = CRS) -> "Hand":
        """One of `HANDS`."""
        return cls(np.random.default_rng(seed), *HANDS[kind], crs)

    def drawn(self, xy: np.ndarray) -> np.ndarray:
        """Points as this hand draws them."""
        return xy + self.rng.uniform(-self.off_m, self.off_m, np.shape(xy))

    def operation(self, land: Partition) -> dict | None:
        """The JSON of an operation somewhere; None when the hand drew nothing sensible."""
        codes = list(land.shapes)
        code = codes[self.rng.integers(len(codes))]
        op = str(self.rng.choice(list(_SHARES), p=list(_SHARES.values())))
        made = getattr(self, f"_{op}")(land, code)
        return None if made is None else {"op": op, **made, "metres_per_pixel": self.metres_per_pixel}

    def _part(self, land: Partition, code: str) -> tuple[Polygon, float]:
        part = max(shapely.get_parts(land.shapes[code]), key=lambda shape: shape.area)
        return part, 0.6 * math.sqrt(part.area / math.pi)

    def _on(self, part: Polygon) -> np.ndarray:
        return np.array(part.exterior.interpolate(self.rng.uniform(), normalized=True).coords[0])

    def _redraw(self, land: Partition, code: str) -> dict | None:
        part, radius = self._part(land, code)
        drawn = blob(self.rng, self._on(part), radius)
        whole = Polygon(part.exterior)
        new = whole.union(drawn) if self.rng.uniform() < 0.5 else whole.difference(drawn)
        if new.geom_type != "Polygon" or new.interiors:
            return None
        ring = Polygon(self.drawn(shapely.get_coordinates(new)[:-1]))
        return {"grid": code, "ring": body_of(ring, self.crs)} if ring.is_valid else None

    def _push(self, land: Partition, code: str) -> dict | None:
        part, _ = self._part(land, code)
        begin, share = self.rng.uniform(), self.rng.uniform(0.1, 0.3)
        one, middle, other = (
            np.array(part.exterior.interpolate((begin + step * share) % 1, normalized=True).coords[0])
            for step in (0.0, 0.5, 1.0)
        )
        middle = middle + (middle - np.array(part.centroid.coords[0])) * self.rng.uniform(-0.6, 0.6)
        path = np.array([one, (one + middle) / 2, middle, (other + middle) / 2, other])
        path[1:-1] += self.rng.normal(0, 0.05 * math.sqrt(part.area), (3, 2))
        line = LineString(self.drawn(path))
        return {"grid": code, "line": body_of(line, self.crs)} if line.is_simple else None

    def _split(self, land: Partition, code: str) -> dict:
        part, radius = self._part(land, code)
        middle, angle = np.array(part.representative_point().coords[0]), self.rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) * 2 * math.sqrt(part.area)
        bend = self.rng.normal(0, 0.1 * radius, 2)
        line = LineString(self.drawn(np.array([middle - way, middle + bend, middle + way])))
        return {"grid": code, "line": body_of(line, self.crs)}

    def _neighbour(self, land: Partition, code: str) -> str | None:
        around = sorted(land.neighbours(code))
        return around[self.rng.integers(len(around))] if around else None

    def _merge(self, land: Partition, code: str) -> dict | None:
        other = self._neighbour(land, code)
        if other is None:
            return None
        return {"grids": [code, other], **({"into": code} if self.rng.uniform() < 0.5 else {})}

    def _dissolve(self, land: Partition, code: str) -> dict:
        return {"grid": code}

    def _transfer(self, land: Partition, code: str) -> dict | None:
        other = self._neighbour(land, code)
        if other is None:
            return None
        border = shapely.intersection(land.shapes[code].boundary, land.shapes[other].boundary)
        _, radius = self._part(land, code)
        at = np.array(border.interpolate(0.5, normalized=True).coords[0]) if border.geom_type == "LineString" else (
            shapely.get_coordinates(border).mean(axis=0)
        )  # fmt: skip
        piece = blob(self.rng, at, 0.6 * radius)
        return {"from": code, "to": other, "piece": body_of(piece, self.crs)}

    def _corner(self, land: Partition, code: str) -> dict:
        part, radius = self._part(land, code)
        vertices = shapely.get_coordinates(part)
        at = vertices[self.rng.integers(len(vertices))]
        return {"at": lonlat(at, self.crs), "to": lonlat(at + self.rng.normal(0, 0.3 * radius, 2), self.crs)}

    def _carve(self, land: Partition, code: str) -> dict:
        part, radius = self._part(land, code)
        return {
            "ring": body_of(blob(self.rng, self._on(part), 0.7 * radius), self.crs),
            "kind": "dedicated",
            "name": "学校",
        }


@dataclass(slots=True)
class Session:
    """A partition being edited, with the record that undoes everything."""

    land: Partition
    crs: Any = CRS
    undo: list[dict] = field(default_factory=list)
    done: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    begun: int = 0

    def new_codes(self, op: str, sources: tuple[str, ...], shapes: list) -> list[str]:
        """Numbers that were never used."""
        self.begun += len(shapes)
        return [f"n{self.begun - row:06d}" for row in range(len(shapes))]

    def outcome(self, body: dict) -> Outcome | None:
        """What an operation would do; None when it is refused."""
        try:
            return perform(self.land, parse(body, self.crs), new_codes=self.new_codes)
        except RefusedError as refused:
            self.refused[body["op"], refused.reason] += 1
            return None

    def apply(self, body: dict) -> bool:
        """Do one operation; False when it is refused."""
        begin = process_time()
        outcome = self.outcome(body)
        if outcome is not None:
            self.undo.append(self.land.replace(outcome.shapes))
            self.done[body["op"]] += 1
        self.seconds.append(process_time() - begin)
        return outcome is not None

    def edit(self, hand: Hand, count: int, *, check_every: int) -> None:
        """`count` edits done by `hand`; the whole land is looked at after every `check_every` of them."""
        area, tries = self.land.doubled_area(), 0
        while self.done.total() < count:
            tries += 1
            assert tries < 4 * count, f"too much is refused: {self.refused}"
            body = hand.operation(self.land)
            if body is not None and self.apply(body) and self.done.total() % check_every == 0:
                assert self.land.is_valid(), f"not a coverage after {self.done.total()} edits, the last {body}"
                assert self.land.doubled_area() == area

    def undo_all(self) -> None:
        """Take every edit back, the last first."""
        while self.undo:
            self.land.replace(self.undo.pop())

    def timing(self) -> str:
        """Median and 95th percentile in milliseconds of processor time, what was done and what was refused."""
        took = np.array(self.seconds) * 1000
        return (
            f"median {np.median(took):.2f} ms, p95 {np.percentile(took, 95):.2f} ms, max {took.max():.1f} ms; "
            f"done {dict(self.done)}; refused {sum(self.refused.values())} {dict(self.refused)}"
        )


def wkb(land: Partition) -> dict[str, bytes]:
    """The bytes of every shape."""
    return dict(zip(land.shapes, shapely.to_wkb(list(land.shapes.values())), strict=True))


def vertices(shape: shapely.Geometry) -> set[tuple[float, float]]:
    """The corners of a shape."""
    return set(map(tuple, shapely.get_coordinates(shape).tolist()))


def homes(land: Partition, count: int, *, seed: int) -> np.ndarray:
    """In how many grids each of `count` random points of the land lies."""
    rng = np.random.default_rng(seed)
    west, south, east, north = land.outline.bounds
    shapely.prepare(land.outline)
    points = np.empty((0, 2))
    while len(points) < count:
        fresh = rng.uniform([west, south], [east, north], (2 * count, 2))
        points = np.vstack([points, fresh[shapely.contains_xy(land.outline, fresh)]])[:count]
    shapes = np.array(list(land.shapes.values()), dtype=object)
    point, _ = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    return np.bincount(point, minlength=count)
