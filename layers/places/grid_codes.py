"""Codes of areas that begin when boundaries are redrawn. A code that was ever used is never given again.

With 12-digit area codes a grid is the code of its village and three digits (001-899 base, 900-999 dedicated grids); a
village or township takes the next free number of the range it comes from (residents' committees, villagers' committees,
streets, towns ...). In a free store a new area is called after the one it comes from: A-1, A-2.

Several that begin at once are numbered by bands of latitude from the north, within a band from west to east; a band is
as high as the median of the areas.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from sqlalchemy import select

from geo.errors import LimitError
from geo.refusals import RefusedError
from geo.words import Text

from ..kinds import KINDS
from ..storage import schema
from ..storage.filters import among

if TYPE_CHECKING:
    from sqlalchemy import Connection

LIVE = ("draft", "proposed", "reviewed", "approved")
"""States of drafts whose codes are spoken for."""
BASE, DEDICATED = (1, 899), (900, 999)
_RANGES = {
    "village": ((1, 199), (200, 399), (400, 498), (500, 598)),
    "township": ((1, 99), (100, 199), (200, 399), (400, 599)),
}
_STEM = {"village": 9, "township": 6}
_LONGEST = 64


def numbered(shapes: Sequence[shapely.Geometry]) -> list[int]:
    """Rows of `shapes` (metric) in the order of their numbers: bands from the north, west to east within each.

    A band reaches from the middle of its northernmost area so far down as the median of the areas is high.
    """
    if not len(shapes):
        return []
    west, south, east, north = shapely.bounds(np.asarray(list(shapes), dtype=object)).T
    height = float(np.median(north - south)) * (1 - 1e-9)
    middle = (south + north) / 2
    band, top = np.zeros(len(middle), dtype=int), np.inf
    for row in np.argsort(-middle, kind="stable"):
        if top - middle[row] >= height:
            band[middle <= middle[row]] += 1
            top = middle[row]
    return np.lexsort((np.arange(len(band)), -middle, (west + east) / 2, band)).tolist()


def used_codes(connection: "Connection", level: str, stems: Iterable[str]) -> set[str]:
    """Every code of a level that begins with one of `stems` and was ever stored, also in rows taken back."""
    table, history = schema.ROWS[level], schema.lineage
    found: set[str] = set()
    for stem in sorted(set(stems)):
        for column in (table.c[KINDS[level].key], history.c.old_code, history.c.new_code):
            met = column.startswith(stem, autoescape=True)
            if column.table is history:
                met &= history.c.level == level
            found.update(str(code) for code in connection.scalars(select(column).where(met).distinct()))
    return found


def known_codes(connection: "Connection", level: str, codes: Iterable[str]) -> set[str]:
    """Which of `codes` were ever stored."""
    table = schema.ROWS[level]
    column = table.c[KINDS[level].key]
    return set(connection.scalars(select(column).where(among(column, sorted(set(codes)))).distinct()))


def promised_codes(connection: "Connection", level: str, *, but: int) -> set[str]:
    """Codes that live drafts other than number `but` give to new areas of a level."""
    table = schema.draft
    query = select(table.c.codes).where(
        table.c.level == level, table.c.id != but, table.c.state.in_(LIVE), table.c.codes != "[]"
    )
    return {code for listed in connection.scalars(query) for code in json.loads(listed)}


@dataclass(frozen=True, slots=True)
class Numbering:
    """Gives codes; `used` grows with every code given."""

    level: str
    cn12: bool
    used: set[str]

    def give(
        self, sources: Sequence[str], shapes: Sequence[shapely.Geometry], parent: str | None, *, dedicated: bool = False
    ) -> list[str]:
        """One unused code per shape.

        Parameters
        ----------
        sources
            Codes the land comes from; in a free store the first gives its name, elsewhere the range it is in.
        shapes
            Metric; several are numbered from north-west to south-east.
        parent
            Code of the village of new grids, None in a store without villages.
        dedicated
            Whether new grids are dedicated ones (schools, hospitals, estates).

        Raises
        ------
        LimitError
            When the numbers of a village or township are used up.
        """
        found = [""] * len(shapes)
        for row in numbered(shapes):
            found[row] = self._next(str(sources[0]) if len(sources) else "", parent, dedicated)
            self.used.add(found[row])
        return found

    def _next(self, source: str, parent: str | None, dedicated: bool) -> str:
        if self.cn12:
            stem, tail, numbers = self._place(source, parent, dedicated)
            if stem is not None:
                for number in numbers:
                    code = f"{stem}{number:03d}{tail}"
                    if code not in self.used:
                        return code
                raise LimitError(
                    Text(f"{stem} 的编号已用完。", f"All numbers of {stem} are used up."),
                    where=stem,
                    mend=Text("请换用别的编码方案。", "Use another scheme of codes."),
                )
        number = 1
        while (code := f"{source}-{number}") in self.used:
            number += 1
        if len(code) > _LONGEST:
            raise LimitError(
                Text(f"编码 {source} 太长，无法续编。", f"The code {source} is too long to be continued."), where=source
            )
        return code

    def _place(self, source: str, parent: str | None, dedicated: bool) -> tuple[str | None, str, Sequence[int]]:
        """What a code begins and ends with, and the numbers to try in between; no beginning where codes are free text."""
        if self.level == "grid":
            stem = parent if parent is not None else source[:12]
            first, last = DEDICATED if dedicated else BASE
            return (stem if re.fullmatch(r"[0-9]{12}", stem) else None), "", range(first, last + 1)
        digits = _STEM[self.level]
        if not re.fullmatch(r"[0-9]{12}", source):
            return None, "", ()
        number = int(source[digits : digits + 3])
        first, last = next((each for each in _RANGES[self.level] if each[0] <= number <= each[1]), (1, 999))
        numbers = [*range(number + 1, last + 1), *range(first, number)]
        return source[:digits], "0" * (9 - digits), numbers


def as_community(code: str) -> str:
    """The code of a village as if it were a residents' committee: a community that it becomes is numbered among these."""
    whole = re.fullmatch(r"[0-9]{12}", code)
    return f"{code[:9]}{_RANGES['village'][0][1]:03d}" if whole else code


def require_unused(codes: Iterable[str], taken: set[str]) -> None:
    """RefusedError (`malformed`) when a code that somebody asks for was used before or is promised to another draft."""
    again = [code for code in codes if code in taken]
    if again:
        raise RefusedError(
            "malformed",
            codes=again,
            what=Text(
                f"编码 {again[0]} 已用过或已留给另一草案。",
                f"The code {again[0]} was used before, or another draft gives it.",
            ),
            mend=Text(
                "编码不重复使用；请换一个，或不写，由系统编号。",
                "Codes are never reused: choose another, or give none.",
            ),
        )
