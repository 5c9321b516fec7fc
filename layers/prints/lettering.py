"""Letters of the print map: our own fonts first, then fonts of the machine, and no box where a character is missing.

A character that no font has is printed as 〓 (the mark typesetters leave for a missing sort) and listed, so that the
maker of the map knows which name to mend.
"""

from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

TEXT_FAMILY = "Wangge Sans SC"
HEADING_FAMILY = "Wangge Sans SC Heading"
MISSING_MARK = "〓"
_OTHERS = (
    "Noto Sans SC",
    "Noto Sans CJK",
    "Source Han Sans",
    "Microsoft YaHei",
    "SimSun",
    "SimHei",
    "PingFang",
    "WenQuanYi",
    "DejaVu Sans",
)


@lru_cache(maxsize=1)
def _own_fonts() -> tuple[Path, Path]:
    """Paths of text and heading font, made known to matplotlib once per process."""
    paths = []
    for name in ("WanggeSansSC.otf", "WanggeSansSC-Heading.otf"):
        with as_file(files("data").joinpath("fonts", name)) as path:
            font_manager.fontManager.addfont(path)
            paths.append(path)
    return paths[0], paths[1]


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(FT2Font(str(_own_fonts()[0])).get_charmap())


@lru_cache(maxsize=1)
def _installed() -> dict[str, frozenset[int]]:
    """Families of the machine that may help out, with their characters; opened only when a character is missing."""
    found: dict[str, frozenset[int]] = {}
    for start in _OTHERS:
        for entry in font_manager.fontManager.ttflist:
            if entry.name.startswith(start) and entry.weight in (400, "normal", "regular") and entry.name not in found:
                try:
                    found[entry.name] = frozenset(FT2Font(entry.fname).get_charmap())
                except (OSError, RuntimeError):  # a damaged font of the machine is no reason not to print
                    continue
    return found


class Lettering:
    """Prepares every text of one print and remembers the characters that no font has."""

    def __init__(self) -> None:
        _own_fonts()
        self._helpers: list[str] = []
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """Characters printed as 〓, in the order met."""
        return tuple(self._missing)

    def families(self, *, heading: bool = False) -> list[str]:
        """Font families to set a prepared text in, best first."""
        own = [HEADING_FAMILY, TEXT_FAMILY] if heading else [TEXT_FAMILY]
        return [*own, *self._helpers]

    def prepare(self, value: object, *, longest: int = 0) -> str:
        """`value` as one printable line: no control characters, at most `longest` characters (0: any length)."""
        text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(value)).split())
        if longest and len(text) > longest:
            text = text[: longest - 1] + "…"
        return "".join(sign if self._has(sign) else MISSING_MARK for sign in text)

    def _has(self, sign: str) -> bool:
        code = ord(sign)
        if code in _characters():
            return True
        for family, characters in _installed().items():
            if code in characters:
                if family not in self._helpers:
                    self._helpers.append(family)
                return True
        self._missing[sign] = None
        return False
