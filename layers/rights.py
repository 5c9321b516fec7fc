"""Who may see which rows and columns: decided here and nowhere else.

Pages, API, tiles, points, exports, reports, command line and cache keys all ask `allowed` (what of a kind a role sees)
and read through `layers.selection.frames`, which applies the area scope. A role that is not named for a kind does not see it.
"""

from dataclasses import dataclass

from geo.errors import RightsError
from geo.words import Text

from .kinds import KINDS

ROLES = {
    "viewer": Text("查看", "viewer"),
    "reporter": Text("上报", "reporter"),
    "dispatcher": Text("派遣", "dispatcher"),
    "grid_manager": Text("网格管理", "grid manager"),
    "planner": Text("规划", "planner"),
    "administrator": Text("管理员", "administrator"),
}
INTERNAL = frozenset({"dispatcher", "grid_manager", "planner", "administrator"})
ACTS = {
    "import": frozenset({"planner", "administrator"}),
    "export": frozenset({"planner", "grid_manager", "dispatcher", "reporter", "viewer", "administrator"}),
    "edit_rules": frozenset({"planner", "administrator"}),
    "accounts": frozenset({"administrator"}),
    "settings": frozenset({"administrator"}),
    "audit": frozenset({"administrator"}),
    "backup": frozenset({"administrator"}),
    "undo_import": frozenset({"administrator"}),
    "redraw": frozenset({"grid_manager", "planner", "administrator"}),
    "review_redraw": frozenset({"planner", "administrator"}),
    "approve_redraw": frozenset({"administrator"}),
    "mend": frozenset({"planner", "administrator"}),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks: account name, role, and the area codes the account is limited to (empty: everywhere)."""

    name: str
    role: str
    areas: tuple[str, ...] = ()
    language: str = "zh"

    @property
    def cache_key(self) -> str:
        """Role and area scope: two viewers with the same key see the same bytes."""
        return f"{self.role}:{','.join(sorted(self.areas))}"

    def may(self, act: str) -> bool:
        """Whether the role may do `act` (one of `ACTS`); an unknown act is never allowed."""
        return self.role in ACTS.get(act, frozenset())

    def require(self, act: str) -> None:
        """Raise `RightsError` unless the role may do `act`."""
        if not self.may(act):
            raise RightsError(
                Text(
                    f"您的角色（{ROLES[self.role].zh}）无权进行此操作。",
                    f"Your role ({ROLES[self.role].en}) may not do this.",
                ),
                where=act,
                mend=Text("请联系管理员。", "Ask the administrator."),
            )


OWNER = Viewer("owner", "administrator")
"""The person at the command line: holds the store file, so sees all of it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of one kind a viewer sees; `rows` False means the layer does not exist for this viewer."""

    rows: bool
    geometry: bool
    columns: tuple[str, ...] | None  # None: all columns


def allowed(kind_name: str, viewer: Viewer) -> Allowed:
    """What `viewer` sees of a kind. Internal kinds (cameras, incidents, key areas) are for internal roles only."""
    if kind_name.startswith("reference:"):
        return Allowed(rows=True, geometry=True, columns=None)
    kind = KINDS[kind_name]
    if kind.internal and viewer.role not in INTERNAL:
        return Allowed(rows=False, geometry=False, columns=())
    return Allowed(rows=True, geometry=True, columns=None)


def require(kind_name: str, viewer: Viewer) -> Allowed:
    """`allowed`, or `RightsError` when the viewer may not see rows of this kind."""
    granted = allowed(kind_name, viewer)
    if not granted.rows:
        label = KINDS[kind_name].label
        raise RightsError(
            Text(f"您的角色不能查看“{label.zh}”图层。", f"Your role may not see the layer '{label.en}'."),
            where=kind_name,
            mend=Text("可查看按村汇总的数字。", "Figures per village are open to you."),
        )
    return granted
