"""Boundaries that change: rows that end and begin on a day, written as a decision writes them."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import insert

from layers.kinds import KINDS
from layers.rights import OWNER
from layers.selection.frames import read_layer
from layers.storage import rows, schema
from layers.storage.store import Store


def decide(
    store: Store,
    kind: str,
    on: str,
    *,
    ends: Sequence[str] = (),
    begins: gpd.GeoDataFrame | None = None,
    links: Sequence[tuple[str, str, str, float, float | None]] = (),
) -> int:
    """From `on` the codes `ends` count no more and the rows `begins` do; returns the change.

    `links` are lineage: old code, new code, kind of link, share of area, share of households.
    """
    there = read_layer(store, kind, OWNER, as_of=on, columns=[], geometry=False)
    fids = there.loc[list(ends), "fid"].to_numpy(dtype=np.int64)
    with store.change("administrator", "decision") as change:
        rows.close_rows(store, change.id, kind, fids, on, within=change)
        if begins is not None:
            rows.insert_in(change, kind, begins, valid_from=on)
        for old, new, how, of_area, of_households in links:
            change.connection.execute(
                insert(schema.lineage).values(
                    level=kind, old_code=old, new_code=new, kind=how, share_of_area=of_area,
                    share_of_households=of_households, on=on, change_id=change.id,
                )
            )  # fmt: skip
        return change.id


def halves(store: Store, code: str, on: str, new_codes: tuple[str, str]) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Split a grid down its middle from a day on, households in halves; the shapes of both, in the order of codes."""
    old = read_layer(store, "grid", OWNER, as_of=on).loc[code]
    west, south, east, north = old.geometry.bounds
    middle = round((west + east) / 2, 9)
    parts = [
        shapely.intersection(old.geometry, shapely.box(*box))
        for box in ((west - 1, south - 1, middle, north + 1), (middle, south - 1, east + 1, north + 1))
    ]
    share = parts[0].area / old.geometry.area
    columns: dict[str, Any] = {
        name: [old[name]] * 2
        for name in KINDS["grid"].names
        if name not in ("grid_code", "households", "population") and name in old
    }
    households = [(int(old["households"]) + side) // 2 for side in (1, 0)]
    begins = gpd.GeoDataFrame(
        {**columns, "grid_code": list(new_codes), "households": households}, geometry=parts, crs=4490
    )
    links = [
        (code, new, "split", part, count / sum(households))
        for new, part, count in zip(new_codes, (share, 1 - share), households, strict=True)
    ]
    decide(store, "grid", on, ends=[code], begins=begins, links=links)
    return parts[0], parts[1]
