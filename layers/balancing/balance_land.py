"""The grids that a balance starts from, and what they carry: as they are on a day, or as a draft has drawn them so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.errors import InputError
from geo.words import Text

from ..redrawing.redraw_ground import WHOLE
from ..redrawing.redraw_session import Session


@dataclass(frozen=True, slots=True)
class Land:
    """The grids to balance: metric shapes on the centimetre grid, by village."""

    codes: tuple[str, ...]
    shapes: Mapping[str, shapely.Geometry]
    village: Mapping[str, str]
    crs: Any
    on: str
    households: Mapping[str, float]  # as recorded for the grids before any drawing; NaN where not
    before: Mapping[str, shapely.Geometry]  # their shapes then
    changed: frozenset[str]  # codes of grids that were drawn since
    notes: tuple[Text, ...]


def land_of(session: Session, on: str) -> Land:
    """The grids of a session; villages whose land is not divided cleanly are left out, and a note says so."""
    shapes = {code: shape for part in session.partitions.values() for code, shape in part.shapes.items()}
    codes = tuple(sorted(shapes))
    return Land(
        codes=codes,
        shapes=shapes,
        village={code: session.group(code) or WHOLE for code in codes},
        crs=session.crs,
        on=on,
        households=session.frame["households"].astype("float64").to_dict(),
        before=dict(session.ground.shapes),
        changed=frozenset(code for code in session.touched() if code in shapes),
        notes=tuple(
            Text(
                f"{group or '全部网格'}的边界有问题，未参与均衡：{error.what.zh}",
                f"{group or 'the grids'} takes no part: {error.what.en}",
            )
            for group, error in session.refusals.items()
        ),
    )


def households_of(land: Land, shapes: np.ndarray, grid: np.ndarray, recorded: np.ndarray) -> tuple[np.ndarray, bool]:
    """Households of each block, and whether any is an estimate by area.

    Parameters
    ----------
    shapes, grid
        Blocks and the row of the grid (in `Land.codes`) each lies in.
    recorded
        What the layer of blocks says, NaN where nothing. Only their proportion counts: the blocks of a grid add up to
        what the grid records. Of a grid drawn since, blocks have the share of their land in each grid before.
    """
    area = shapely.area(shapes)
    found = np.full(len(area), np.nan)
    estimated = False
    for number, code in enumerate(land.codes):
        rows = np.flatnonzero(grid == number)
        if code in land.changed:
            found[rows] = _from_before(land, shapes[rows])
            estimated = True
            continue
        own = recorded[rows]
        by_blocks = bool(np.isfinite(own).all()) and own.sum() > 0
        share = own if by_blocks else area[rows]
        estimated |= not by_blocks and len(rows) > 1
        found[rows] = land.households.get(code, np.nan) * share / share.sum()
    return found, estimated


def require_households(land: Land, grid: np.ndarray, households: np.ndarray) -> None:
    """InputError naming the grids whose blocks have no households."""
    missing = [land.codes[number] for number in np.unique(grid[np.isnan(households)]).tolist()]
    if missing:
        shown = missing[:5]
        raise InputError(
            Text(
                f"{len(missing)} 个网格没有户数：{'、'.join(shown)}。",
                f"{len(missing)} grids do not record households: {', '.join(shown)}.",
            ),
            where="households",
            mend=Text("请先补全户数，再做均衡。", "Record them first, then balance."),
        )


def _from_before(land: Land, shapes: np.ndarray) -> np.ndarray:
    codes = list(land.before)
    lands = np.array([land.before[code] for code in codes], dtype=object)
    block, grid = shapely.STRtree(lands).query(shapes, predicate="intersects")
    part = shapely.area(shapely.intersection(shapes[block], lands[grid]))
    figures = np.array([land.households.get(code, np.nan) for code in codes])
    given = np.where(part > 0, figures[grid] * part / shapely.area(lands[grid]), 0.0)
    return np.bincount(block, weights=given, minlength=len(shapes))
