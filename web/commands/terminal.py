"""Speaking at a terminal: which language, what goes to which stream, progress, tables.

Standard output carries what a command was asked for and nothing else (JSON stays parseable); how it went, findings
and progress go to standard error.
"""

import os
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from geo.words import Text

if TYPE_CHECKING:
    from layers.findings import Finding

SHOWN_FINDINGS = 20
_SEVERITY = {"error": Text("错误", "error"), "warning": Text("警告", "warning"), "info": Text("提示", "note")}


def language_of(environment: dict[str, str] | os._Environ[str]) -> str:
    """The reader's language: LC_ALL, LC_MESSAGES, LANG in this order, the first that names one; Chinese without any."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        tongue = environment.get(name, "").partition(".")[0]
        if tongue and tongue not in ("C", "POSIX"):
            return "zh" if tongue.lower().startswith("zh") else "en"
    return "zh"


def language() -> str:
    """The language of whoever runs this command."""
    return language_of(os.environ)


def say(message: Text | str) -> None:
    """One message about how it goes, on standard error."""
    _write(sys.stderr, message.to(language()) if isinstance(message, Text) else message)


def answer(line: Text | str) -> None:
    """One line of what the command was asked for, on standard output."""
    _write(sys.stdout, line.to(language()) if isinstance(line, Text) else line)


def _write(stream: TextIO, line: str) -> None:
    # A file name or a cell may hold escape codes that would drive the terminal: they are shown, not obeyed.
    safe = "".join(char if char == "\t" or not _drives(char) else f"\\x{ord(char):02x}" for char in line)
    try:
        stream.write(safe + "\n")
    except UnicodeEncodeError:
        code = stream.encoding or "ascii"
        stream.write(safe.encode(code, "backslashreplace").decode(code) + "\n")
    stream.flush()


def _drives(char: str) -> bool:
    """Whether a character steers a terminal (control characters and marks that turn the direction of writing)."""
    return (
        char != "\n" and unicodedata.category(char) == "Cc"
    ) or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def answer_json(value: object) -> None:
    """A JSON document on standard output, UTF-8 whatever the terminal says."""
    import json

    document = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str, indent=1)
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(document + "\n")
    else:
        sys.stdout.flush()
        raw.write(document.encode("utf-8", "replace") + b"\n")
    sys.stdout.flush()


class Progress:
    """A bar on standard error, drawn only when that is a terminal.

    Call it with a count and a total, or with a share from 0 to 1 and None; `message` takes the place of the label.
    """

    def __init__(self, label: Text) -> None:
        self._label = label
        self._stream = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None
        self._drawn_at = 0.0

    def __call__(self, done: float, total: float | None = None, message: Text | None = None) -> None:
        if self._stream is None:
            return
        share = min(max(done / total if total else done, 0.0), 1.0)
        moment = time.monotonic()
        if moment - self._drawn_at < 0.1 and share < 1.0:
            return
        self._drawn_at = moment
        label = cut((message or self._label).to(language()), 30)
        bar = "#" * round(24 * share)
        self._stream.write(f"\r\x1b[K{label} [{bar:<24}] {share:4.0%}")
        self._stream.flush()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None and self._drawn_at:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def width(text: str) -> int:
    """Columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, most: int) -> str:
    """The text on one line and in at most so many columns."""
    flat = " ".join(text.split())
    if width(flat) <= most:
        return flat
    while flat and width(flat) > most - 1:
        flat = flat[:-1]
    return flat + "…"


def table(heads: Sequence[Text | str], rows: Iterable[Sequence[object]], *, most: int = 44) -> list[str]:
    """Rows as aligned lines; numbers to the right."""
    lines = [[head.to(language()) if isinstance(head, Text) else head for head in heads]]
    right = [True] * len(heads)
    for row in rows:
        lines.append(["" if value is None else cut(_shown(value), most) for value in row])
        right = [
            was and (value is None or isinstance(value, int | float)) for was, value in zip(right, row, strict=True)
        ]
    widths = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    return [
        "  ".join(
            " " * (wide - width(cell)) + cell if to_right else cell + " " * (wide - width(cell))
            for cell, wide, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _shown(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.3g}"
    return str(value)


def _place(finding: "Finding") -> str | None:
    """A place to click, to a metre; None for what has none."""
    return None if finding.lon is None or finding.lat is None else f"{finding.lon:.5f} {finding.lat:.5f}"


def say_findings(findings: "Sequence[Finding]") -> None:
    """Findings as a table on standard error: the worst first, the first twenty and how many there are."""
    if not findings:
        return
    order = {name: number for number, name in enumerate(_SEVERITY)}
    ranked = sorted(findings, key=lambda finding: order[finding.severity])
    tongue = language()
    shown = ranked[:SHOWN_FINDINGS]
    placed = any(finding.lon is not None for finding in shown)
    heads = (
        Text("行", "row"),
        Text("列", "column"),
        Text("编码", "code"),
        Text("程度", "severity"),
        *((Text("位置（经纬度）", "place (lon, lat)"),) if placed else ()),
        Text("说明", "what"),
    )
    rows = [
        (
            finding.row or None,
            finding.column,
            finding.code,
            _SEVERITY[finding.severity].to(tongue),
            *((_place(finding),) if placed else ()),
            f"{finding.what.to(tongue)} {finding.mend.to(tongue)}".strip(),
        )
        for finding in shown
    ]
    for line in table(heads, rows, most=100):
        say(line)
    counts = {name: sum(finding.severity == name for finding in findings) for name in _SEVERITY}
    parts_zh = "，".join(f"{_SEVERITY[name].zh} {count}" for name, count in counts.items() if count)
    parts_en = ", ".join(f"{count} {_SEVERITY[name].en}" for name, count in counts.items() if count)
    more = len(findings) - SHOWN_FINDINGS
    say(
        Text(
            f"共 {len(findings)} 条（{parts_zh}）" + (f"，以上是前 {SHOWN_FINDINGS} 条。" if more > 0 else "。"),
            f"{len(findings)} findings ({parts_en})"
            + (f"; the first {SHOWN_FINDINGS} are shown." if more > 0 else "."),
        )
    )
