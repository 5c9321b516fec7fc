"""Codes of areas that begin in a draft: what they begin with, and which are taken.

Taken is every code that was ever stored, that another live draft gives, or that the draft itself has met; how the next
free one is chosen is said in `grid_codes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import shapely

from geo.operations import Operation

from ..places import grid_codes
from .redraw_ground import WHOLE, Ground

if TYPE_CHECKING:
    from ..storage.store import Store


def asked_codes(operation: Operation) -> list[str]:
    """Codes that an operation wants for areas that begin."""
    asked = list(operation.codes)
    if operation.op in ("merge", "recode") and operation.into is not None and operation.into not in operation.grids:
        asked.append(operation.into)
    return asked


@dataclass(slots=True)
class NewCodes:
    """Gives the codes of one draft; what was ever stored is read once per stem."""

    store: "Store"
    draft_id: int
    ground: Ground
    _used: dict[str, set[str]] = field(default_factory=dict)

    def give(
        self,
        operation: Operation,
        group: str,
        sources: tuple[str, ...],
        shapes: Sequence[shapely.Geometry],
        met: set[str],
    ) -> list[str]:
        """One unused code per shape (metric).

        Parameters
        ----------
        group
            Code of the village the land is in, or `WHOLE`.
        sources
            Codes the land comes from.
        met
            Codes that there are or were in the draft; they are not given again.

        Raises
        ------
        LimitError
            When the numbers of a village or township are used up.
        """
        used = met | self._promised()
        for stem in self._stems(group, sources):
            if stem not in self._used:
                with self.store.read() as connection:
                    self._used[stem] = grid_codes.used_codes(connection, self.ground.level, [stem])
            used |= self._used[stem]
        numbering = grid_codes.Numbering(self.ground.level, self.store.codes == "cn12", used)
        dedicated = operation.op == "carve" and operation.kind in ("", "dedicated")
        dedicated |= operation.op == "split" and self._is_dedicated(sources)
        if operation.op == "recode" and self.ground.level == "village":
            sources = tuple(grid_codes.as_community(code) for code in sources)
        return numbering.give(sources, shapes, None if group == WHOLE else group, dedicated=dedicated)

    def require_unused(self, asked: Sequence[str], met: set[str]) -> None:
        """RefusedError when one of the codes was ever used, is promised to another draft, or was met in this one."""
        with self.store.read() as connection:
            taken = grid_codes.known_codes(connection, self.ground.level, asked)
        grid_codes.require_unused(asked, taken | self._promised() | met)

    def _stems(self, group: str, sources: Sequence[str]) -> list[str]:
        """What new codes begin with."""
        if self.store.codes == "cn12":
            if self.ground.level == "grid" and group != WHOLE:
                return [group]
            return [code[: {"township": 6, "village": 9, "grid": 12}[self.ground.level]] for code in sources]
        return [f"{code}-" for code in sources[:1]]

    def _is_dedicated(self, sources: Sequence[str]) -> bool:
        frame = self.ground.frame
        return "kind" in frame and any(
            code in frame.index and frame.at[code, "kind"] == "dedicated" for code in sources
        )

    def _promised(self) -> set[str]:
        with self.store.read() as connection:
            return grid_codes.promised_codes(connection, self.ground.level, but=self.draft_id)
