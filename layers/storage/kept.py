"""Results kept in memory for as long as the layers they came from do not change.

A key holds everything that shapes the result: layer versions, role and area scope, parameters. Each open store has its
own cache of bounded size; the entry used longest ago goes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .store import Store

Value = TypeVar("Value")

LIMIT = 1_000_000
"""Rows kept per store, all entries together: some hundred megabytes at most, and a county's views many times over."""

_LEAST = 1_000  # what an entry counts at least, so that their number is bounded too


def rows_of(value: Any) -> int:
    """How many rows a kept value holds: its length, or that of the table or arrays inside it."""
    for name in ("rows", "frame", "lonlat", "lon", "codes", "array", "per_unit"):
        inner = getattr(value, name, None)
        if inner is not None:
            # A pixel is a single number, a row several of them.
            return len(inner) if name != "array" else inner.size // 16
    return len(value) if hasattr(value, "__len__") else 0


class Kept:
    """A bounded cache that several threads may use; what two threads work out at once is simply worked out twice."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._total = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The entry under `key`, made by `make` when it is not there."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key][0]
        value = make()
        cost = max(_LEAST, rows_of(value))
        with self._lock:
            if key in self._entries:
                self._total -= self._entries.pop(key)[1]
            self._entries[key] = (value, cost)
            self._total += cost
            while self._total > self._limit and len(self._entries) > 1:
                self._total -= self._entries.popitem(last=False)[1][1]
        return value


class KeptThen(Kept):
    """What is kept of a store as it was known at a moment: in the cache of the store, under keys with the moment."""

    def __init__(self, of: Kept, known_on: str) -> None:
        self._of = of
        self._known_on = known_on

    def __len__(self) -> int:
        return len(self._of)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The entry under `key` by what was known at the moment."""
        return self._of.get((self._known_on, key), make)


_OF_STORE: WeakKeyDictionary[Any, Kept] = WeakKeyDictionary()
_LOCK = Lock()


def kept(store: "Store") -> Kept:
    """The cache that belongs to an open store and ends with it."""
    owner = store.origin or store
    with _LOCK:
        if owner not in _OF_STORE:
            _OF_STORE[owner] = Kept()
        found = _OF_STORE[owner]
    return found if store.known_on is None else KeptThen(found, store.known_on)
