"""Making areas that were drawn one by one fit together again: no gap, no overlap, and exactly the land of their parent.

Modelling decisions:

- The parent's outline is given and stays: every vertex of it, and no land beyond it. Where a border between two areas
  meets it, the end goes to a vertex of the outline within `snapping_m`; where none is so near, the outline is given a
  vertex there, at most seven millimetres (half a diagonal of the 1 cm grid) beside the line that was.
- Borders inside come from GEOS' coverage cleaning (`shapely.coverage_clean`), always with both tolerances said. Land
  that two areas claim goes to the smaller of them, so that a school drawn on top of its surroundings stays.
- Cleaning does not promise to keep the outer edge and "valid" does not mean gapless, so only borders between two areas
  are taken from it; outline and borders are then noded once on the 1 cm grid, and land is told by its largest overlap.
- What would lose an area, or give away more land than a narrow gap, is refused with the place; nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from .crs import CENTIMETRE, round_centimetre
from .faces import grouped, narrow, owners, without_needles, without_slivers
from .refusals import RefusedError
from .seams import seams
from .weld import drop_vertices
from .words import Text

_HALF_DIAGONAL_M = 0.0071
_POLYGONAL = (3, 6)


@dataclass(frozen=True, slots=True)
class Moved:
    """What mending does to one area: its size before and after, the land that changes hands, how far its border goes.

    `moved_m2` is the land that is in one of the two shapes only; `shift_m` the largest distance from a vertex of
    either border to the other border; parts are the separate pieces of land.
    """

    code: str
    before_m2: float
    after_m2: float
    moved_m2: float
    shift_m: float
    parts_before: int
    parts_after: int


@dataclass(frozen=True, slots=True)
class Mended:
    """Areas that fit: shapes by code before (on the 1 cm grid) and after, all of them, and the outline as noded.

    `outline_shift_m`: how far the noded outline lies beside the given one at most (0 when no vertex was needed).
    """

    before: dict[str, shapely.Geometry]
    shapes: dict[str, shapely.Geometry]
    outline: shapely.Geometry
    outline_shift_m: float

    @property
    def moved(self) -> tuple[Moved, ...]:
        """What becomes of each area that changes; worked out at every asking, an overlay for each."""
        return tuple(
            compare(code, old, self.shapes[code])
            for code, old in self.before.items()
            if not shapely.equals_exact(old, self.shapes[code], normalize=True)
        )


def fits(shapes: Mapping[str, shapely.Geometry], outline: shapely.Geometry | None = None) -> bool:
    """Whether areas (metric, on the 1 cm grid) neither overlap nor leave gaps and together are the outline."""
    listed = np.array(list(shapes.values()), dtype=object)
    if not len(listed) or not shapely.is_valid(listed).all() or not shapely.coverage_is_valid(listed):
        return False
    return outline is None or bool(shapely.equals(shapely.coverage_union_all(listed), outline))


def mend(
    shapes: Mapping[str, shapely.Geometry],
    outline: shapely.Geometry | None = None,
    *,
    snapping_m: float,
    gap_width_m: float,
    min_width_m: float,
    least_share: float,
) -> Mended:
    """Areas of one parent made to fit.

    Parameters
    ----------
    shapes
        Polygons in a metric system by code, as drawn; invalid rings stand for the land they mean.
    outline
        The land they divide, in the same system; None: what they cover together (lakes wider than a gap stay).
    snapping_m
        Vertices closer than this are one.
    gap_width_m
        Gaps up to this wide go to the area with the longest border along them; wider ones are refused.
    min_width_m
        Detached parts thinner than this that come up on the way go to the neighbour.
    least_share
        An area that would keep less than this share of its land counts as lost: it lies on another.

    Returns
    -------
    mended
        Shapes on the 1 cm grid; areas that fit already come back unchanged (rounded to the centimetre).

    Raises
    ------
    RefusedError
        `swallowed` when an area would vanish (it lies on another, or outside the outline), `not_a_coverage` when a gap
        is wider than `gap_width_m`, `malformed` when a shape is no polygon, `not_exact` when the result would not be
        the outline to the centimetre.
    """
    codes = list(shapes)
    before = _polygons(shapes)
    if outline is not None:
        outline = _areal(round_centimetre([outline])[0])
    given = dict(zip(codes, before, strict=True))
    if fits(given, outline):
        return Mended(given, given, outline if outline is not None else shapely.coverage_union_all(before), 0.0)
    clean = _cleaned(before, snapping_m)
    _require_land(codes, before, clean, 0.0)
    gaps = _enclosed(clean)
    if outline is None:
        gaps = gaps[narrow(gaps, gap_width_m)]
        outline = _areal(shapely.union_all(np.append(clean, gaps), grid_size=CENTIMETRE))
    else:
        _require_narrow(outline, clean, codes, gap_width_m)
    lines = seams(np.append(clean, gaps), outline, snapping_m, gap_width_m)
    noded = shapely.union_all(np.append(lines, outline.boundary), grid_size=CENTIMETRE)
    faces = np.array(shapely.polygonize([noded]).geoms, dtype=object)
    faces = faces[shapely.intersects(outline, shapely.point_on_surface(faces))]
    owner = owners(faces, np.append(clean, gaps), len(clean))
    owner = without_slivers(faces, owner, min_width_m)
    after = grouped(faces, owner, len(codes))
    _require_land(codes, before, after, least_share)
    after = without_needles(before, after, reach_m=snapping_m, width_m=max(gap_width_m, snapping_m))
    after = _without_spares(after, outline)
    whole = shapely.coverage_union_all(after)
    shift = _shift(outline, whole)
    if not shapely.coverage_is_valid(after) or shift > _HALF_DIAGONAL_M:
        raise RefusedError(
            "not_exact",
            shapely.symmetric_difference(whole, outline),
            what=Text("修补结果与村界不能完全吻合。", "The mended areas would not be the outline to the centimetre."),
            mend=Text("请调小吸附距离后重试。", "Try a smaller snapping distance."),
        )
    return Mended(given, dict(zip(codes, after, strict=True)), whole, shift)


def _polygons(shapes: Mapping[str, shapely.Geometry]) -> np.ndarray:
    """The shapes on the 1 cm grid, invalid ones as the land they mean; RefusedError for what is no polygon."""
    found = np.empty(len(shapes), dtype=object)
    found[:] = list(shapes.values())
    wrong = ~np.isin(shapely.get_type_id(found), _POLYGONAL) | shapely.is_empty(found)
    if wrong.any() or not len(found):
        code = list(shapes)[int(np.flatnonzero(wrong)[0])] if wrong.any() else ""
        raise RefusedError(
            "malformed",
            codes=(code,) if code else (),
            what=Text(f"网格 {code} 没有范围。", f"Grid {code} has no land."),
            mend=Text("请先补充它的范围。", "Give it a polygon first."),
        )
    broken = ~shapely.is_valid(found)
    if broken.any():
        found[broken] = [_areal(shape) for shape in shapely.make_valid(found[broken], method="structure")]
    rounded = round_centimetre(found)
    return np.array([_areal(shape) for shape in rounded], dtype=object)


def _areal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape: one as it is, several together, without lines and points between them."""
    if shape.geom_type == "Polygon":
        return shape
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _require_land(codes: list[str], before: np.ndarray, after: np.ndarray, least_share: float) -> None:
    lost = np.flatnonzero(shapely.is_empty(after) | (shapely.area(after) < least_share * shapely.area(before)))
    if not len(lost):
        return
    names = tuple(codes[row] for row in lost)
    listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    raise RefusedError(
        "swallowed",
        before[lost[0]],
        codes=names,
        what=Text(
            f"网格 {listed} 会消失：它与别的网格重合、比吸附距离还窄，或在村界之外。",
            f"Grid {listed} would vanish: it lies on another grid, is thinner than what is snapped, or lies outside the village.",
        ),
        mend=Text("请删除重复的网格，或改正它的范围。", "Remove the duplicate, or correct its land."),
    )


def _cleaned(before: np.ndarray, snapping_m: float) -> np.ndarray:
    """The areas as a valid coverage, gaps left open.

    GEOS 3.14 now and then loses a whole polygon at one snapping distance and not at another (2 of 300 made-up
    villages); then the distance is halved. Land that is lost at all of them stays lost, and the caller refuses.
    """
    clean = before
    for halved in range(5):
        clean = shapely.coverage_clean(
            before, snapping_distance=snapping_m / 2**halved, gap_width=0.0, merge_strategy="min_area"
        )
        less = np.flatnonzero(shapely.area(clean) < 0.9 * shapely.area(before))
        if not len(less):
            break
        lost = shapely.get_parts(shapely.difference(before[less], shapely.coverage_union_all(clean)))
        if narrow(lost, 4 * snapping_m).all():
            break
    return clean


def _enclosed(clean: np.ndarray) -> np.ndarray:
    """The holes in the land of a clean coverage, as polygons."""
    rings = [ring for part in shapely.get_parts(shapely.coverage_union_all(clean)) for ring in part.interiors]
    return shapely.polygons(np.array(rings, dtype=object)) if rings else np.empty(0, dtype=object)


def _require_narrow(outline: shapely.Geometry, clean: np.ndarray, codes: list[str], gap_width_m: float) -> None:
    """Refuse land of the outline that nobody has and that is wider than a gap to be closed."""
    open_land = shapely.get_parts(shapely.difference(outline, shapely.coverage_union_all(clean)))
    wide = open_land[~narrow(open_land, gap_width_m)]
    if not len(wide):
        return
    piece = wide[np.argmax(shapely.area(wide))]
    near = tuple(sorted(codes[row] for row in shapely.STRtree(clean).query(piece, predicate="intersects")))
    radius = shapely.length(shapely.maximum_inscribed_circle(piece, tolerance=max(0.1, piece.length / 1000)))
    raise RefusedError(
        "not_a_coverage",
        piece,
        codes=near,
        what=Text(
            f"有 {piece.area:,.0f} 平方米（宽约 {2 * radius:,.1f} 米）不属于任何网格，超过缝隙宽度 {gap_width_m:g} 米。",
            f"{piece.area:,.0f} m2 (about {2 * radius:,.1f} m wide) belong to no grid, wider than a gap of {gap_width_m:g} m.",
        ),
        mend=Text(
            "请补上缺少的网格；或加大缝隙宽度，把它并给相邻网格。",
            "Add the missing grid, or allow a wider gap so that a neighbour gets the land.",
        ),
    )


def _without_spares(after: np.ndarray, outline: shapely.Geometry) -> np.ndarray:
    """Areas without the vertices on the outer edge that the outline has not, except where two areas meet."""
    corners = np.round(shapely.get_coordinates(outline), 2) @ [1, 1j]
    edge = shapely.get_coordinates(shapely.coverage_union_all(after))
    return drop_vertices(after, edge[~np.isin(np.round(edge, 2) @ [1, 1j], corners)])


def _shift(outline: shapely.Geometry, whole: shapely.Geometry) -> float:
    """How far two outlines lie apart at most; infinite when the second lacks a vertex of the first."""
    wanted = {tuple(pair) for pair in np.round(shapely.get_coordinates(outline), 2)}
    there = {tuple(pair) for pair in np.round(shapely.get_coordinates(whole), 2)}
    if not wanted <= there:
        return float("inf")
    added = np.array(sorted(there - wanted))
    return float(shapely.distance(shapely.points(added), outline.boundary).max()) if len(added) else 0.0


def compare(code: str, old: shapely.Geometry, new: shapely.Geometry) -> Moved:
    """What becomes of an area when `new` takes the place of `old`, both in one metric system."""
    return Moved(
        code,
        float(old.area),
        float(new.area),
        float(shapely.area(shapely.symmetric_difference(old, new))),
        float(shapely.hausdorff_distance(old.boundary, new.boundary)),
        len(shapely.get_parts(old)),
        len(shapely.get_parts(new)),
    )
