"""Findings: what is wrong with data, as rows and all at once; bad data is never an exception."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from geo.words import Text

SEVERITIES = ("error", "warning", "info")
COLUMNS = ("row", "column", "code", "severity", "what", "mend")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: where it stands in the source, how bad it is, what to do about it.

    `row` counts data rows from 1 (0 = the file or layer as a whole); `code` is the code of the place, if known;
    `kind` is a stable word for the sort of finding (scripts filter on it); `lon`, `lat` is a place to click.
    """

    what: Text
    mend: Text = field(default_factory=lambda: Text("", ""))
    severity: str = "error"
    row: int = 0
    column: str = ""
    code: str = ""
    kind: str = ""
    lon: float | None = None
    lat: float | None = None

    def as_row(self, language: str) -> dict[str, object]:
        """The finding as a row of the findings file: row, column, code, severity, what, mend."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "what": self.what.to(language),
            "mend": self.mend.to(language),
        }

    def as_dict(self) -> dict[str, object]:
        """Everything, both languages, for storing."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "what": self.what.as_dict(),
            "mend": self.mend.as_dict(),
            "kind": self.kind,
            "lon": self.lon,
            "lat": self.lat,
        }

    @classmethod
    def from_dict(cls, stored: dict) -> "Finding":
        """The inverse of `as_dict`."""
        return cls(
            what=Text.from_dict(stored["what"]),
            mend=Text.from_dict(stored["mend"]),
            **{name: stored[name] for name in ("severity", "row", "column", "code", "kind", "lon", "lat")},
        )


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error, so that nothing may be stored."""
    return any(finding.severity == "error" for finding in findings)
