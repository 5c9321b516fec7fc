"""Results kept in memory for as long as the layers they came from do not change.

A key holds everything that shapes the result: layer versions, role and area scope, parameters. Each open store has its
own cache of bounded length; the entry used longest ago goes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .store import Store

Value = TypeVar("Value")

LIMIT = 48
"""Entries per store: a handful of area lookups and the views that a few people look at in turn."""


class Kept:
    """A bounded cache that several threads may use; what two threads work out at once is simply worked out twice."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The entry under `key`, made by `make` when it is not there."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        value = make()
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)
        return value


_OF_STORE: WeakKeyDictionary[Any, Kept] = WeakKeyDictionary()
_LOCK = Lock()


def kept(store: "Store") -> Kept:
    """The cache that belongs to an open store and ends with it."""
    with _LOCK:
        if store not in _OF_STORE:
            _OF_STORE[store] = Kept()
        return _OF_STORE[store]
