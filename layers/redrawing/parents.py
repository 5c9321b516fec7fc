"""The area a draft belongs to: which kinds it may be of, and whether there is one in the store at all."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from geo.errors import InputError, NotFoundError
from geo.words import Text

from ..kinds import KINDS
from ..storage import schema
from ..storage.history import counted, hidden_changes

if TYPE_CHECKING:
    from ..storage.store import Store

OF_LEVEL = {"grid": ("village", "township"), "village": ("township", "county"), "township": ("county",)}
"""What can be redrawn, and the kinds of area such a draft may belong to."""


def require_parent(store: "Store", level: str, code: str | None, on: str) -> tuple[str | None, str | None]:
    """Kind and code of the area `code` on a day; (None, None) where the store has no area to belong to.

    Raises
    ------
    NotFoundError, InputError
        No such area on that day; none was named although there are some.
    """
    kinds = OF_LEVEL[level]
    with store.read() as connection:
        hidden = hidden_changes(connection)
        for kind in kinds:
            table = schema.ROWS[kind]
            met = counted(kind, table, hidden, on)
            if code is None:
                if connection.execute(select(table.c.fid).where(met).limit(1)).first() is not None:
                    break
            elif connection.execute(select(table.c.fid).where(met, table.c.code == code).limit(1)).first() is not None:
                return kind, code
        else:
            if code is None:
                return None, None
    words = Text("或".join(KINDS[kind].label.zh for kind in kinds), " or ".join(KINDS[kind].label.en for kind in kinds))
    if code is None:
        raise InputError(
            Text(f"请指定{words.zh}。", f"Say which {words.en} is meant."),
            where="parent_code",
        )
    raise NotFoundError(
        Text(f"{on} 没有代码为“{code[:40]}”的{words.zh}。", f"On {on} there is no {words.en} '{code[:40]}'."),
        where="parent_code",
    )
