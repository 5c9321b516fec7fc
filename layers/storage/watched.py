"""Layers that were read before a change begins: whoever writes from what he read asks again, in the same transaction."""

from collections.abc import Mapping

from sqlalchemy import select

from geo.errors import ConflictError
from geo.words import Text

from . import schema
from .changes import Change


def changed_since() -> ConflictError:
    """Somebody changed what the plan was made from."""
    return ConflictError(
        Text("方案之后数据又有变化。", "The data changed after the plan was made."),
        where="version",
        mend=Text("请重新查看后再试。", "Look again, then try once more."),
    )


def require_unchanged(change: Change, versions: Mapping[str, int]) -> None:
    """ConflictError unless each layer still has the version it was read at; the change holds the lock of writers."""
    table = schema.layer_version
    rows = change.connection.execute(select(table.c.kind, table.c.version).where(table.c.kind.in_(versions)))
    now = {row.kind: row.version for row in rows}
    if any(now.get(kind, 0) != version for kind, version in versions.items()):
        raise changed_since()
