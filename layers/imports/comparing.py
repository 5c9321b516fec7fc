"""The rows of a file against each other, against what is kept, and against what the account may write."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.words import Text

from ..files.formats import Refused
from ..findings import Finding
from ..kinds import Kind
from ..notebook import Notebook
from ..places import hierarchy, matching
from ..places.matching import Kept
from ..rights import Viewer
from ..selection import scopes
from ..storage.history import hidden_changes
from .judging import place_of
from .prepared import Prepared

if TYPE_CHECKING:
    from ..storage.store import Store


def duplicates(prepared: Prepared, usable: np.ndarray, notebook: Notebook) -> None:
    """A code that occurs twice in the file: an error at every row after the first."""
    if prepared.keys is None:
        return
    first = hierarchy.duplicates(prepared.keys, usable)
    rows = np.flatnonzero(first >= 0)
    prepared.bad[rows] = True
    notebook.rows(
        "duplicate",
        "error",
        rows,
        lambda at: Finding(
            Text(
                f"代码与第 {prepared.rows[first[at]]} 行重复。",
                f"The code is the same as in row {prepared.rows[first[at]]}.",
            ),
            Text("每个代码只能出现一次。", "A code may occur only once."),
            row=int(prepared.rows[at]),
            code=str(prepared.keys[at]) if prepared.keys is not None else "",
            kind="duplicate",
            **place_of(prepared, at),
        ),
    )


def against_kept(
    store: "Store",
    kind: Kind,
    prepared: Prepared,
    usable: np.ndarray,
    kept: Kept,
    mode: str,
    on: str,
    notebook: Notebook,
) -> None:
    """Codes that are there already (append), that vanish (replace), that are new (update); a day too early."""
    if mode != "append" and matching.has_later(store, kind, on):
        raise Refused(
            Finding(
                Text(
                    f"图层中有 {on} 之后才生效的数据，不能按该日期替换或更新。",
                    f"The layer has rows that begin after {on}; it cannot be replaced or updated as of that day.",
                ),
                Text("请换一个更晚的日期。", "Choose a later day."),
                kind="history",
            )
        )
    if not kind.key or prepared.keys is None or not len(kept):
        return
    keys = pd.Series(prepared.keys, dtype=object)
    there = keys.notna().to_numpy() & usable
    known = keys.isin(kept.keys()).to_numpy() & there
    if mode == "append":
        rows = np.flatnonzero(known & ~prepared.bad)
        prepared.bad[rows] = True
        notebook.rows(
            "exists",
            "error",
            rows,
            lambda at: Finding(
                Text("该代码已在图层中。", "The layer has this code already."),
                Text("用更新（update）或替换（replace）方式导入。", "Import with mode update or replace."),
                row=int(prepared.rows[at]),
                code=str(keys[at]),
                kind="exists",
            ),
        )
    elif mode == "replace":
        for code in sorted(kept.keys() - set(keys[there])):
            notebook.add(
                Finding(
                    Text(
                        "原有代码不在新文件中，将自生效日起停用。",
                        "This code is not in the new file; its row ends on the effective day.",
                    ),
                    Text("如系合并或改码，请核对。", "Check whether it was merged or re-coded."),
                    severity="warning",
                    code=str(code),
                    kind="vanished",
                )
            )
    else:
        notebook.rows(
            "new",
            "info",
            np.flatnonzero(there & ~known & ~prepared.bad),
            lambda at: Finding(
                Text("图层中没有该代码，作为新行添加。", "The layer does not have this code; a new row is added."),
                severity="info",
                row=int(prepared.rows[at]),
                code=str(keys[at]),
                kind="new",
            ),
        )


def inside_scope(
    store: "Store",
    kind: Kind,
    prepared: Prepared,
    usable: np.ndarray,
    overrides: dict[str, np.ndarray],
    viewer: Viewer,
    on: str,
    notebook: Notebook,
) -> None:
    """An account that is limited to some areas brings in rows of those areas only."""
    if not viewer.areas:
        return
    with store.read() as connection:
        reach = scopes.resolve(connection, viewer.areas, store.codes, hidden_changes(connection), on)
    everything = frozenset().union(*reach.codes.values()) | frozenset(viewer.areas)
    if kind.is_area and prepared.keys is not None:
        own = pd.Series(prepared.keys, dtype=object).isin(everything).to_numpy()
        above = overrides.get(kind.parent)
        inside = own | (pd.Series(above, dtype=object).isin(everything).to_numpy() if above is not None else False)
    elif kind.homed:
        inside = pd.Series(overrides["village_code"], dtype=object).isin(reach.village_codes).to_numpy()
    else:
        inside = np.zeros(len(prepared.rows), dtype=bool)
    rows = np.flatnonzero(usable & ~inside)
    prepared.bad[rows] = True
    notebook.rows(
        "scope",
        "error",
        rows,
        lambda at: Finding(
            Text("该行不在您负责的区域内。", "The row is outside the areas of your account."),
            Text("请联系管理员。", "Ask the administrator."),
            row=int(prepared.rows[at]),
            kind="scope",
        ),
    )


def homeless(prepared: Prepared, usable: np.ndarray, village: np.ndarray, notebook: Notebook) -> None:
    """Rows with a position that lies in no village: kept, and counted as outside."""
    outside = usable & np.isfinite(prepared.lon) & np.array([code is None for code in village], dtype=bool)
    if not any(code is not None for code in village):
        return  # there are no villages yet
    notebook.rows(
        "outside",
        "warning",
        np.flatnonzero(outside),
        lambda at: Finding(
            Text("位置不在任何村（社区）内。", "The position lies in no village."),
            Text("请核对坐标。", "Check the coordinates."),
            severity="warning",
            row=int(prepared.rows[at]),
            code=str(prepared.keys[at]) if prepared.keys is not None and prepared.keys[at] is not None else "",
            kind="outside",
            **place_of(prepared, at),
        ),
    )


def reference(store: "Store", kind_name: str, mode: str, viewer: Viewer, notebook: Notebook) -> None:
    """A reference layer belongs to the whole county and is replaced whole."""
    if viewer.areas:
        notebook.add(
            Finding(
                Text(
                    "参考图层属于全县，限定区域的账号不能导入。",
                    "Reference layers belong to the whole county: an account limited to areas cannot import them.",
                ),
                Text("请联系管理员。", "Ask the administrator."),
                kind="scope",
            )
        )
    if mode == "append" and store.versions([kind_name])[kind_name]:
        notebook.add(
            Finding(
                Text("已有同名参考图层。", "There is a reference layer of this name."),
                Text("用替换（replace）方式导入，或换一个名称。", "Import with mode replace, or choose another name."),
                kind="exists",
            )
        )
