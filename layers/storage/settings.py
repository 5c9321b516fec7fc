"""Settings of one store: names with JSON values, kept in the store itself."""

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from . import schema

if TYPE_CHECKING:
    from .store import Store


class Settings:
    """`store.settings`: what an administrator set for this store."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a setting, or `default`."""
        with self._store.read() as connection:
            value = connection.scalar(select(schema.setting.c.value).where(schema.setting.c.name == name))
        return default if value is None else json.loads(value)

    def all(self) -> dict[str, Any]:
        """Every setting."""
        with self._store.read() as connection:
            rows = connection.execute(select(schema.setting).order_by(schema.setting.c.name)).all()
        return {row.name: json.loads(row.value) for row in rows}

    def set(self, name: str, value: Any, *, actor: str = "owner") -> None:
        """Set one setting (None removes it), as a change of its own."""
        with self._store.change(actor, "setting", details={"name": name, "value": value}) as change:
            self.put(change.connection, name, value)

    def put(self, connection: Connection, name: str, value: Any) -> None:
        """Set one setting inside a change of the caller."""
        self._store.forget_settings()
        connection.execute(delete(schema.setting).where(schema.setting.c.name == name))
        if value is not None:
            connection.execute(insert(schema.setting).values(name=name, value=json.dumps(value, ensure_ascii=False)))
