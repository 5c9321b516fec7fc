"""Text that a spreadsheet would run: guarded on the way out to CSV, given back as it was on the way in.

A cell that begins with a sign of a formula gets an apostrophe in front; one that begins with apostrophes before such a
sign gets one more. So the guard can be taken off again without guessing.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = "[=+\\-@\\t\\r\\n＝＋－＠]"
_FORMULA = re.compile(f"'*{_SIGNS}")
_GUARDED = re.compile(f"''*{_SIGNS}")


def neutralise(text: str) -> str:
    """`text` so that no spreadsheet runs it: an apostrophe before a sign that would begin a formula."""
    return "'" + text if _FORMULA.match(text) else text


def restore(text: str) -> str:
    """The inverse of `neutralise`; text without a guard comes back as it is."""
    return text[1:] if _GUARDED.match(text) else text


def restore_column(column: pa.Array) -> pa.Array:
    """`restore` for a column of text."""
    if not pc.any(pc.starts_with(column, "'")).as_py():
        return column
    return pc.replace_substring_regex(column, f"^'('*{_SIGNS})", "\\1")
