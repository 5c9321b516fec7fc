"""Tables made from the rows of a coverage result: totals of the levels above, change since a day, JSON values."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo import coverage as figures

from ..places.areas import area_set

if TYPE_CHECKING:
    from ..storage.store import Store

_ABOVE = {
    "grid": ("village", "township", "county"),
    "natural_village": ("village", "township", "county"),
    "village": ("township", "county"),
    "township": ("county",),
    "county": (),
}


def totals(store: "Store", unit: str, on: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Sums per township and county (and village, for smaller units)."""
    parts = []
    codes = rows["parent_code"].to_numpy(dtype=object)
    for level in _ABOVE[unit]:
        above = area_set(store, level, on).frame
        known = pd.Series(codes, index=rows.index, dtype=object)
        state, number = rows["state"], pd.Series(1, index=rows.index)
        table = pd.DataFrame(
            {
                "units": number,
                "met": (state == figures.MET).astype(int),
                "short": (state == figures.SHORT).astype(int),
                "no_data": (state == figures.NO_DATA).astype(int),
                "missing": rows["shortfall"].fillna(0.0),
                "value": rows["numerator"].fillna(0.0),
            }
        )
        summed = table.groupby(known).sum()
        summed.insert(0, "name", above["name"].reindex(summed.index).astype(object))
        summed.insert(0, "code", summed.index)
        summed.insert(0, "level", level)
        summed = summed.reset_index(drop=True)
        parts.append(summed.sort_values(["missing", "code"], ascending=[False, True]))
        upward = above["parent_code"].reindex(codes)
        codes = upward.to_numpy(dtype=object)
    columns = ["level", "code", "name", "units", "met", "short", "no_data", "missing", "value"]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def compared(now: pd.DataFrame, then: pd.DataFrame, earlier: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Rows with the figures of the earlier day beside them, and what changed altogether.

    Units that are no more are listed under `gone` with the figures they had, so that both days add up.
    """
    before = then.set_index("code")
    both = now.copy()
    for name in ("value", "shortfall", "state"):
        both[f"{name}_then"] = before[name].reindex(both["code"]).to_numpy()
    both["value_change"] = both["value"] - both["value_then"].astype(float)
    gone = then[~then["code"].isin(now["code"])]
    was, is_ = both["state_then"], both["state"]
    return both, {
        "against": earlier,
        "units_then": len(then),
        "short_then": int((then["state"] == figures.SHORT).sum()),
        "missing_then": int(then.loc[then["state"] == figures.SHORT, "shortfall"].sum()),
        "became_met": int(((was == figures.SHORT) & (is_ == figures.MET)).sum()),
        "became_short": int(((was == figures.MET) & (is_ == figures.SHORT)).sum()),
        "new_units": int((~both["code"].isin(before.index)).sum()),
        "gone_units": len(gone),
        "gone": records(gone[["code", "name", "parent_code", "value", "shortfall", "state"]]),
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON values: whole numbers as integers, missing ones as null, numpy left behind."""
    columns = {name: [_plain(value) for value in table[name].tolist()] for name in table.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value
