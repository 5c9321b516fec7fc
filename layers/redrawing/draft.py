"""What a draft is: the operations drawn so far, what is said about it, and the state it stands in."""

from dataclasses import dataclass, fields
from typing import Any

from geo.words import Text

from ..kinds import KINDS

STATES = {
    "draft": Text("起草中", "draft"),
    "proposed": Text("已提交", "proposed"),
    "reviewed": Text("已审核", "reviewed"),
    "approved": Text("已批准", "approved"),
    "effective": Text("已生效", "effective"),
    "superseded": Text("已被替代", "superseded"),
    "discarded": Text("已放弃", "discarded"),
}
"""Stored are draft, proposed, reviewed, approved and discarded; the other two follow from the calendar and the rows."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft as stored; `base` holds a mark of each area it changes, as it was when first touched."""

    id: int
    version: int
    level: str  # grid, village or township
    parent_kind: str | None
    parent_code: str | None
    title: str
    reason: str
    decision_number: str
    attachments: tuple[str, ...]  # names only
    author: str
    editors: tuple[str, ...]  # accounts that drew in it, the author included
    state: str
    effective_from: str  # ISO day
    correction: bool  # mends a digitising error: no decision, history is put right
    operations: tuple[dict[str, Any], ...]
    redone: tuple[dict[str, Any], ...]  # taken back, the last one taken back at the end
    lost: tuple[dict[str, Any], ...]  # could not be drawn again when the boundaries below had changed
    locked: tuple[str, ...]
    base: dict[str, str]
    codes: tuple[str, ...]  # given to new areas by the operations; nobody else may use them
    reviews: tuple[dict[str, Any], ...]
    change_id: int | None  # the change that put it into the layers
    created_at: str
    updated_at: str
    updated_by: str

    def as_dict(self, language: str) -> dict[str, Any]:
        """The draft for pages and scripts, with the words of its state and level."""
        shown = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "base"}
        shown = {name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()}
        return shown | {
            "state_label": STATES[self.state].to(language),
            "level_label": KINDS[self.level].label.to(language),
            "touched": sorted(self.base),
        }
