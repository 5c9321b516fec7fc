"""Giving memory back: figures of a county need a hundred megabytes for a second, the server should not keep them.

glibc hands freed memory back late and keeps a heap per thread. With few heaps, large arrays outside of them and a trim
after heavy work, the server holds what it uses. Where there is no glibc nothing is done.
"""

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_HEAPS = 2
_LARGE_BYTES = 256 * 1024


@cache
def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def be_frugal() -> None:
    """Set the allocator for a process that lives long; once, before the threads start."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _HEAPS)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Hand freed memory back to the system; a millisecond or so."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)
