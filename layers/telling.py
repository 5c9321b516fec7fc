"""How far long work is, told while it goes on, and the wish of whoever asked to have it stopped."""

from collections.abc import Callable

from geo.words import Text

Tell = Callable[[float, Text], None]
"""Hears the share done, 0 to 1, and what is being done; raises `Stopped` when nobody wants the work any more."""


class Stopped(Exception):
    """Whoever asked wants no answer any more; nothing was changed."""


def silent(share: float, words: Text) -> None:
    """Nobody listens."""


def within(tell: Tell, start: float, end: float) -> Tell:
    """For a part of the work, which takes the whole from `start` to `end`."""
    return lambda share, words: tell(start + share * (end - start), words)


def counted(tell: Tell, done: int, total: int, words: Text) -> None:
    """Tell of `done` villages of `total`; of a single one only what is being done."""
    if total > 1:
        words = Text(f"{words.zh}：{done:,} / {total:,} 个村", f"{words.en}: {done:,} of {total:,} villages")
    tell(done / total, words)
