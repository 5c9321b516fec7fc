"""Answers kept in memory, bounded by bytes, forgotten oldest first.

A key always holds layer versions, role and area scope (`web.etags`), so that no entry can reach another role.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Kept:
    """A bounded memory: `size` tells an entry's bytes; entries larger than a quarter of the limit are not kept."""

    def __init__(self, limit_bytes: int, size: Callable[[Any], int] = len) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._size = size
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any | None:
        """The entry, now the newest; None when it is not kept."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def set(self, key: Hashable, value: Any) -> None:
        """Keep `value`, forgetting the oldest entries that no longer fit."""
        size = self._size(value)
        if size > self.limit_bytes // 4:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            if old:
                self.used_bytes -= old[1]
            self._entries[key] = (value, size)
            self.used_bytes += size
            while self.used_bytes > self.limit_bytes:
                _, (_, freed) = self._entries.popitem(last=False)
                self.used_bytes -= freed

    def __len__(self) -> int:
        return len(self._entries)
