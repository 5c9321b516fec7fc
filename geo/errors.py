"""What can go wrong, in the words of the domain: what is wrong, where, how to mend it.

`web/errors.py` alone turns a class into an HTTP status or an exit code.
"""

from .words import Text


class WanggeError(Exception):
    """Base of every error that a reader may see; `code` is stable and may be relied on by scripts."""

    code = "error"

    def __init__(self, what: Text, *, where: str = "", mend: Text | None = None) -> None:
        super().__init__(what.en)
        self.what = what
        self.where = where
        self.mend = mend or Text("", "")

    def to(self, language: str) -> str:
        """One line: what, where, how to mend, in `language`."""
        parts = [self.what.to(language), f"({self.where})" if self.where else "", self.mend.to(language)]
        return " ".join(part for part in parts if part)


class CrsError(WanggeError):
    """A layer has no coordinate system, or one that does not fit the task."""

    code = "crs"


class GeometryError(WanggeError):
    """A shape is of the wrong type, invalid or outside its parent."""

    code = "geometry"


class InputError(WanggeError):
    """A value from outside (parameter, option, form field) cannot be used."""

    code = "input"


class RightsError(WanggeError):
    """The account may not see or do this."""

    code = "rights"


class NotFoundError(WanggeError):
    """No such layer, rule, job, file or feature (also the answer for what the account may not know of)."""

    code = "not_found"


class ConflictError(WanggeError):
    """Somebody else changed it first."""

    code = "conflict"


class LimitError(WanggeError):
    """Too large, too many, too often; `retry_after_s` when the limit passes with time."""

    code = "limit"

    def __init__(
        self, what: Text, *, where: str = "", mend: Text | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.retry_after_s = retry_after_s


class StoreError(WanggeError):
    """The store cannot be opened, read or written (disk full, locked, damaged, newer version)."""

    code = "store"
