"""The text encoding of a shapefile's table: stated by .cpg or language byte, or guessed from its bytes."""

import codecs
import struct
from pathlib import Path

from geo.words import Text

from ..findings import Finding
from . import encodings
from .reader_out import Output

_DBF_SAMPLE = 200_000
_LDID = {
    0x4D: "gb18030",
    0x4F: "big5",
    0x4E: "euc-kr",
    0x13: "shift_jis",
    0x7B: "shift_jis",
    0x7A: "gb18030",
    0x78: "big5",
}
_CODEC_TO_ICONV = {"gb18030": "GB18030", "big5": "CP950", "shift_jis": "CP932", "euc-kr": "CP949", "cp1252": "CP1252"}


def find_encoding(path: str, driver: str, asked: str, output: Output) -> tuple[str | None, encodings.Guess | None]:
    """The encoding to hand to OGR: only a shapefile's table has one that may be unknown."""
    if driver != "ESRI Shapefile":
        return None, None
    main = Path(path)
    table = main if main.suffix.lower() == ".dbf" else main.with_suffix(".dbf")
    if not table.exists():
        return None, None
    header, texts, full = dbf_text(table)
    guess = encodings.guess(b"\n".join(texts), whole=True)
    found = _chosen(asked, main, header, guess, output)
    if _cut(full, found[1].encoding):
        output.find(
            Finding(
                Text(
                    "有字段在汉字中间被截断（字段宽度不足）。",
                    "Some texts were cut in the middle of a character (field too narrow).",
                ),
                Text("请在源文件中加宽字段后重新导出。", "Widen the field in the source and export again."),
                severity="warning",
                kind="encoding",
            )
        )
    return found


def _cut(full: list[bytes], codec: str) -> bool:
    """Whether a text that fills its field ends in half a character."""
    for piece in full:
        try:
            codecs.getincrementaldecoder(codec)().decode(piece, final=True)
        except UnicodeDecodeError as error:
            if error.start >= len(piece) - 3:
                return True
    return False


def _chosen(
    asked: str, main: Path, header: bytes, guess: encodings.Guess, output: Output
) -> tuple[str | None, encodings.Guess]:
    if asked != "auto":
        return _CODEC_TO_ICONV.get(asked, asked), encodings.Guess(asked, guess.candidates, True)
    label = main.with_suffix(".cpg")
    stated = _stated(label.read_text("ascii", "ignore") if label.exists() else "", header)
    if stated and not (stated == "utf-8" and guess.encoding != "utf-8"):
        return _CODEC_TO_ICONV.get(stated, stated), encodings.Guess(stated, ((stated, 1.0),), True)
    if stated:
        output.find(
            Finding(
                Text(
                    f".cpg 写明 UTF-8，但文字不是 UTF-8；已按 {guess.label} 读取。",
                    f"The .cpg says UTF-8 but the text is not; it was read as {guess.label}.",
                ),
                Text("请核对预览，必要时另选编码。", "Check the preview and choose another encoding if need be."),
                severity="warning",
                kind="encoding",
            )
        )
    if guess.encoding == "utf-8" and not guess.certain:
        return None, guess
    return _CODEC_TO_ICONV.get(guess.encoding, guess.encoding), guess


def _stated(label: str, header: bytes) -> str | None:
    """The encoding that the .cpg or the language byte names; a language byte of Western Windows says nothing here."""
    if label.strip():
        try:
            return encodings.normalise(label.strip())
        except LookupError:
            return None
    return _LDID.get(header[29]) if len(header) > 29 else None


def dbf_text(path: Path) -> tuple[bytes, list[bytes], list[bytes]]:
    """Header of a .dbf, the bytes of its field names and text fields (a sample), and those that fill their field."""
    with path.open("rb") as file:
        header = file.read(32)
        if len(header) < 32:
            return header, [], []
        header_size, record_size = struct.unpack("<HH", header[8:12])
        fields, at, spans = file.read(max(0, header_size - 32)), 1, []
        pieces: list[bytes] = []
        for start in range(0, len(fields) - 31, 32):
            field = fields[start : start + 32]
            if field[0] == 0x0D:
                break
            pieces.append(field[:11].split(b"\0")[0])
            if field[11:12] == b"C":
                spans.append((at, at + field[16]))
            at += field[16]
        file.seek(header_size)
        data = file.read(_DBF_SAMPLE)
    full: list[bytes] = []
    for start in range(0, len(data) if record_size else 0, max(1, record_size)):
        record = data[start : start + record_size]
        for left, right in spans:
            piece = record[left:right]
            pieces.append(piece.strip(b" \0"))
            if len(piece) == right - left and piece[-1:] not in (b" ", b"\0", b""):
                full.append(piece)
    return header, [piece for piece in pieces if piece], full
