"""Collects the findings of one import: all rows at once, bounded in memory.

Of one sort of finding the first ten thousand are kept; the rest are counted and said in one closing line, so that a
file with a million bad rows still gives a list a person can open.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from geo.words import Text

from .findings import Finding


class Notebook:
    """The findings so far. `errors` counts all of them, kept or not."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self.errors = 0

    def add(self, finding: Finding) -> None:
        """Note one finding."""
        sort = (finding.kind, finding.severity)
        self._counts[sort] += 1
        self.errors += finding.severity == "error"
        if self._counts[sort] <= self._most:
            self._kept.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Note several."""
        for finding in findings:
            self.add(finding)

    def rows(self, kind: str, severity: str, positions: np.ndarray, make: Callable[[int], Finding]) -> None:
        """Note one finding per position; `make` is called only for those that are kept."""
        sort = (kind, severity)
        room = max(0, self._most - self._counts[sort])
        self._counts[sort] += len(positions)
        self.errors += len(positions) if severity == "error" else 0
        self._kept.extend(make(int(position)) for position in positions[:room])

    def count(self, kind: str) -> int:
        """How many findings of a sort there are, kept or not."""
        return sum(number for (name, _), number in self._counts.items() if name == kind)

    def all(self) -> list[Finding]:
        """Every finding kept, file and layer first, then by row; with a closing line for each sort that was cut."""
        found = sorted(self._kept, key=lambda finding: finding.row)
        for (kind, severity), number in sorted(self._counts.items()):
            if number > self._most:
                more = number - self._most
                found.append(
                    Finding(
                        Text(
                            f"同类问题还有 {more} 条未列出（共 {number} 条）。",
                            f"{more} more of this kind are not listed ({number} in all).",
                        ),
                        severity=severity,
                        kind=kind,
                    )
                )
        return found
