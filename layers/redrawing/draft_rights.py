"""Who may see, draw and approve drafts of boundaries, and in which areas."""

from typing import TYPE_CHECKING

from geo.errors import RightsError
from geo.words import Text

from ..rights import ROLES, Viewer
from ..selection.scopes import Scope

if TYPE_CHECKING:
    from ..storage.store import Store
    from .draft import Draft

APPROVERS = "approvers"
"""Setting: names of accounts that may approve besides administrators."""


def may_draw(viewer: Viewer, draft: "Draft") -> bool:
    """Whether the account may change a draft while it is being drafted."""
    return viewer.may("redraw") and (viewer.name == draft.author or viewer.may("review_redraw"))


def require_sight(store: "Store", viewer: Viewer) -> None:
    """RightsError unless the account has anything to do with drafts."""
    if not has_sight(store, viewer):
        raise RightsError(
            Text(
                f"您的角色（{ROLES[viewer.role].zh}）不能查看边界草案。",
                f"Your role ({ROLES[viewer.role].en}) does not see drafts of boundaries.",
            ),
            where="redraw",
            mend=Text("请联系管理员。", "Ask the administrator."),
        )


def has_sight(store: "Store", viewer: Viewer) -> bool:
    """Whether the account draws, reviews or approves boundaries."""
    return viewer.may("redraw") or viewer.may("review_redraw") or may_approve(store, viewer)


def may_approve(store: "Store", viewer: Viewer) -> bool:
    """Whether the account may approve drafts: administrators, and those the setting `approvers` names."""
    return viewer.may("approve_redraw") or viewer.name in (store.settings.get(APPROVERS) or ())


def reaches(draft: "Draft", reach: Scope) -> bool:
    """Whether the area a draft belongs to is within the reach of an account."""
    return _within((draft.parent_kind, draft.parent_code), reach)


def require_reach(parent: tuple[str | None, str | None], reach: Scope) -> None:
    """RightsError unless the area a draft belongs to is one of the account's own."""
    if not _within(parent, reach):
        raise RightsError(
            Text("该区域不在您的管辖范围内。", "This area is not one of yours."),
            where=parent[1] or "",
            mend=Text("请选择自己辖区内的村或乡镇。", "Choose a village or township of your own."),
        )


def _within(parent: tuple[str | None, str | None], reach: Scope) -> bool:
    kind, code = parent
    return reach.everywhere if kind is None or code is None else reach.contains(kind, code)
