"""Which encoding a text is in, for files that do not say: UTF-8, GB18030 (GBK), Big5, UTF-16 and a few others.

A byte order mark decides; then valid UTF-8 decides (other text is practically never valid UTF-8). Otherwise every
candidate decodes a sample and is marked by what comes out: characters that place names and headers are made of count
most, characters nobody writes count against it. The reader shows the ranking, and the user may choose another.
"""

import codecs
from dataclasses import dataclass

CANDIDATES = ("gb18030", "big5", "utf-16-le", "utf-16-be", "shift_jis", "euc-kr", "cp1252")
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "gb18030": "GBK",
    "big5": "Big5",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "shift_jis": "Shift_JIS",
    "euc-kr": "EUC-KR",
    "cp1252": "Windows-1252",
}
_ALIASES = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "936": "gb18030",
    "big5-hkscs": "big5",
    "950": "big5",
    "euc_kr": "euc-kr",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "村镇乡县市区省街道社居委会组屯庄湾坪溪河山水田石龙凤东西南北新老前高金白黄红青长安平福兴永顺和家坡岭沟坝塘井桥场口头底冲洞湖江海洲岛"
    "名称代码编号类别类型状态日期时间经度纬度位置地址单位数量人口户数面积备注所属网格设备摄像机监控点事件发生上报处理办结在线离线万王李张刘陈杨赵吴周"
    "語國縣區鄉鎮鄰里鳳龍灣門間時處東長號碼類經緯設備監視點發現線簡體繁台北中正大安信義南投竹山水里名間集魚池仁愛草屯埔信投延平"
)
_HANZI = range(0x4E00, 0xA000)


@dataclass(frozen=True, slots=True)
class Guess:
    """The encoding that fits best, and every candidate with its mark, best first."""

    encoding: str
    candidates: tuple[tuple[str, float], ...]
    certain: bool

    @property
    def label(self) -> str:
        """The name people know it by."""
        return NAMES.get(self.encoding, self.encoding)


def normalise(name: str) -> str:
    """The codec for a name written by a person or a .cpg file; LookupError when there is none."""
    plain = name.strip().lower().replace("_", "-").removeprefix("ansi ").removeprefix("cp-")
    plain = _ALIASES.get(plain, plain)
    codec = codecs.lookup(plain)
    if not getattr(codec, "_is_text_encoding", True):
        raise LookupError(name)
    return _ALIASES.get(codec.name, codec.name)


def guess(sample: bytes, *, whole: bool = True) -> Guess:
    """The encoding of `sample`; `whole` False says that it may be cut in the middle of a character."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return Guess(encoding, ((encoding, 1.0),), True)
    if _is_utf8(sample, whole):
        return Guess("utf-8", (("utf-8", 1.0),), not sample.isascii())
    marks = sorted(((name, _mark(sample, name)) for name in CANDIDATES), key=lambda pair: -pair[1])
    best, second = marks[0], marks[1]
    return Guess(best[0], tuple(marks), best[1] - second[1] > 0.2)


def _is_utf8(sample: bytes, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=whole)
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample[:200]


def _mark(sample: bytes, encoding: str) -> float:
    """How much `sample` reads like text in `encoding`: 1 = common characters only, below 0 = not this one."""
    text = sample.decode(encoding, errors="replace")
    if "utf-16" in encoding:
        foreign = text.replace("\r", "").replace("\n", "")
        ascii_share = sum(character < "\x7f" for character in foreign) / max(1, len(foreign))
        if b"\0" not in sample and ascii_share < 0.01:
            return -1.0
    else:
        foreign = "".join(character for character in text if character > "\x7f")
    if not foreign:
        return 0.0
    return sum(map(_character_mark, foreign)) / len(foreign)


def _character_mark(character: str) -> float:
    point = ord(character)
    if character in _COMMON:
        return 1.0
    if point in _HANZI:
        return 0.55 if _is_frequent(character) else 0.0
    if character == "\ufffd" or 0xE000 <= point < 0xF900:
        return -4.0
    if 0xFF61 <= point < 0xFFA0 or (point < 0x20 and character not in "\t\r\n"):
        return -0.6  # half-width kana and control characters are what wrong guesses are made of
    if 0x3041 <= point < 0x30FF or 0xAC00 <= point < 0xD7A4:
        return 0.4
    if 0x3000 <= point < 0x3040 or 0xFF00 <= point < 0xFF61:
        return 0.5
    if point < 0x7F:
        return 0.6
    return 0.2 if chr(point).isalpha() and point < 0x250 else -0.3


def _is_frequent(character: str) -> bool:
    """Whether the character is in the first level of GB 2312 or of Big5: the ones everyday text is made of."""
    for encoding, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        try:
            lead = character.encode(encoding)[0]
        except UnicodeEncodeError:
            continue
        if first <= lead <= last:
            return True
    return False
