"""Words for people, in both languages of the product.

A message lives where it is raised, Chinese first. `Text` carries both languages and is turned into one only at the
edge (page, terminal, export), in the language of the reader.
"""

import re
from dataclasses import dataclass

LANGUAGES = ("zh", "en")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 cannot carry, and with it neither XLSX, DOCX nor KML; PostgreSQL takes no NUL, no database a
lone surrogate."""


@dataclass(frozen=True, slots=True)
class Text:
    """One message in Chinese and English."""

    zh: str
    en: str

    def to(self, language: str) -> str:
        """The message in `language` ("zh" or "en"; anything else reads as Chinese)."""
        return self.en if language == "en" else self.zh

    def as_dict(self) -> dict[str, str]:
        """Both languages, for storing a message as JSON."""
        return {"zh": self.zh, "en": self.en}

    @classmethod
    def from_dict(cls, stored: dict[str, str]) -> "Text":
        """The inverse of `as_dict`."""
        return cls(stored["zh"], stored["en"])

    def __str__(self) -> str:
        return self.zh
