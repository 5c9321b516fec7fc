"""Codes of areas, grids and devices: their shape, their mistakes and their hierarchy.

Area codes have 12 digits (province, city, county, township, village: 2+2+2+3+3) in a store with the scheme "cn12"; in
a "free" store any text is a code. Spreadsheets spoil codes in known ways (a number that lost its leading zeros, a
decimal point behind it, an exponent); what can be restored without guessing is restored and reported.

Sources: GB/T 2260 (first six digits), GB/T 10114 (townships), the statistical coding rules for villages; grids after
DB11/T 2157-2023, CJ/T 213-2005 and CJ/T 349-2010; devices after GB/T 28181. The ranges of the last three digits are
what published lists agree on.
"""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.words import Text

PROVINCES_WORDS = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82"
)
PROVINCES = frozenset(PROVINCES_WORDS.split())
EXERCISE = "99"
"""No province: what made-up counties and exercises begin with. Importing them is a warning, not an error."""
LEVEL_DIGITS = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
_TOWNSHIPS = ((1, 99), (100, 199), (200, 399), (400, 599))
_VILLAGES = ((1, 199), (200, 399), (400, 498), (500, 598))
_PARENT_DIGITS = {"township": 6, "village": 9, "natural_village": 12, "grid": 12}
_FLOAT = re.compile(r"(\d+)\.0*")
_EXPONENT = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{1,2}")
_CAMERA_TYPES = frozenset({"120", "121", "122", "131", "132"})
GRID_PROFILES = {"unit15": 15, "unit14": 14, "community20": 20}

PROBLEMS = {
    "digits": Text("代码应全部为数字。", "A code has digits only."),
    "length": Text("代码长度应为 2、4、6、9 或 12 位。", "A code has 2, 4, 6, 9 or 12 digits."),
    "province": Text("没有这个省级代码。", "There is no such province."),
    "county": Text("县级代码段无效。", "The county part is not valid."),
    "township": Text("乡级代码段应在 001-599 之间。", "The township part must be 001 to 599."),
    "village": Text("村级代码段应在 001-498 或 500-598 之间。", "The village part must be 001 to 498 or 500 to 598."),
    "orphan": Text("有村级段而无乡级段。", "There is a village part without a township part."),
    "level": Text("代码的级别与图层不符。", "The level of the code is not that of the layer."),
    "grid": Text("网格编码应为 14、15 或 20 位数字。", "A grid code has 14, 15 or 20 digits."),
    "exponent": Text(
        "代码被表格软件写成科学计数法，末位已丢失。", "The code was turned into an exponent; its last digits are lost."
    ),
}


@dataclass(frozen=True, slots=True)
class Device:
    """The parts of a 20-digit device id (GB/T 28181)."""

    centre: str
    industry: str
    type: str
    network: str
    serial: str

    @property
    def is_camera(self) -> bool:
        """Whether the type is one that may stand in the camera layer."""
        return self.type in _CAMERA_TYPES


def parse_device(text: str) -> Device | None:
    """The parts of a device id; None when it does not have 20 digits."""
    if not re.fullmatch(r"[0-9]{20}", text):
        return None
    return Device(text[:8], text[8:10], text[10:13], text[13], text[14:])


def pad(code: str) -> str:
    """A code of 2, 4, 6 or 9 digits as 12 characters; anything else as it is."""
    return code.ljust(12, "0") if len(code) in (2, 4, 6, 9) and code.isdigit() else code


def level(code: str) -> str:
    """The level of a 12-digit code: cut its trailing zero parts."""
    for name, digits in LEVEL_DIGITS.items():
        if not code[digits:].strip("0"):
            return name
    return "village"


def parent(code: str, kind_name: str) -> str | None:
    """The code of the parent area in the cn12 scheme; None when the code says nothing about it."""
    digits = _PARENT_DIGITS.get(kind_name)
    if digits is None or len(code) < max(digits, 12):
        return None
    return code[:digits].ljust(12, "0")


def problem(code: str) -> str | None:
    """What is wrong with an area code (a key of `PROBLEMS`), or None. Short codes are judged as padded."""
    if not code.isascii() or not code.isdigit():
        return "digits"
    if len(code) not in (2, 4, 6, 9, 12):
        return "length"
    code = pad(code)
    county, township, village = int(code[4:6]), int(code[6:9]), int(code[9:])
    if code[:2] not in PROVINCES:
        return "province"
    # County part 00 is allowed below prefecture level: some cities have no counties.
    if 19 <= county <= 20:
        return "county"
    if township and not any(first <= township <= last for first, last in _TOWNSHIPS):
        return "township"
    if village and not township:
        return "orphan"
    if village and not any(first <= village <= last for first, last in _VILLAGES):
        return "village"
    return None


def grid_problem(code: str) -> str | None:
    """What is wrong with a grid code in the cn12 scheme: length, digits, or the area it begins with."""
    if not code.isascii() or not code.isdigit():
        return "digits"
    if len(code) not in GRID_PROFILES.values():
        return "grid"
    return problem(code[:12]) if len(code) != 20 else None


@dataclass(frozen=True, slots=True)
class Restored:
    """A column of codes after mending: `values` (None where empty), and masks of what was done or cannot be done."""

    values: np.ndarray
    decimal: np.ndarray  # "433127101002.0"
    zeros: np.ndarray  # lost leading zeros, put back
    exponent: np.ndarray  # digits lost for good


def restore(texts: pd.Series, *, cn12: bool) -> Restored:
    """Mend codes that a spreadsheet spoiled. Leading zeros are put back only where other codes show the length."""
    stripped = texts.str.strip()
    values = stripped.where(stripped != "", None).to_numpy(dtype=object, na_value=None)
    decimal, zeros, exponent = (np.zeros(len(values), dtype=bool) for _ in range(3))
    dotted = stripped.str.contains(".", regex=False, na=False).to_numpy()
    powered = stripped.str.contains(r"^\d(?:\.\d+)?[eE]\+?\d", na=False).to_numpy()
    for row in np.flatnonzero(dotted | powered):
        text = values[row]
        if _EXPONENT.fullmatch(text):
            whole = _whole(text)
            exponent[row] = whole is None
            decimal[row] = whole is not None
            values[row] = whole if whole is not None else text
        elif cn12 and (found := _FLOAT.fullmatch(text)):
            values[row], decimal[row] = found.group(1), True
    if not cn12:
        _restore_zeros(values, zeros)
    return Restored(values, decimal, zeros, exponent)


def _whole(text: str) -> str | None:
    """The integer an exponent stands for when no digit is missing: 4.33127101002E+11, but not 4.33127E+11."""
    mantissa, power = re.split("[eE]", text)
    digits = mantissa.replace(".", "")
    decimals = len(mantissa.partition(".")[2])
    return digits if int(power) == decimals else None


def _restore_zeros(values: np.ndarray, zeros: np.ndarray) -> None:
    """In a column of otherwise equally long digit codes, shorter ones lost their zeros.

    Only one length may occur besides shorter ones, nearly all codes must have it or begin with a zero there, and a
    padded code must not collide with another: else nothing is touched.
    """
    there = np.array([isinstance(value, str) and value.isascii() and value.isdigit() for value in values], dtype=bool)
    if there.sum() < 2 or there.sum() != sum(value is not None for value in values):
        return
    lengths = np.array([len(value) if ok else 0 for value, ok in zip(values, there, strict=True)])
    longest = int(lengths.max())
    short = there & (lengths < longest)
    begins_with_zero = any(value[0] == "0" for value, ok in zip(values, there, strict=True) if ok)
    if not short.any() or longest < 4 or not begins_with_zero:
        return
    known = set(values[there])
    padded = {row: values[row].zfill(longest) for row in np.flatnonzero(short)}
    if any(code in known for code in padded.values()):
        return
    for row, code in padded.items():
        values[row], zeros[row] = code, True


def as_stored(value: object) -> str:
    """A code for a message: text, or "" when there is none."""
    return value if isinstance(value, str) else ""
