"""Words of the pages: every key that is used exists in both languages, and every key that exists is used."""

import json
import re
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "web"
WORDS: dict[str, dict[str, str]] = json.loads((WEB / "translations" / "words.json").read_text("utf-8"))
SOURCES = [*sorted((WEB / "static" / "js").glob("*.js")), *sorted((WEB / "templates").glob("*.html"))]
_PLAIN = re.compile(r"""\bt\(\s*["']([a-z_0-9.]+)["']\s*[,)]""")
_CHOSEN = re.compile(r"""["']([a-z_]+\.[a-z_0-9]+)["']""")
_MADE = re.compile(r"""`([a-z_]+)\.\$\{|\bt\('([a-z_]+)\.' ~""")


def _used() -> set[str]:
    return {key for path in SOURCES for key in _PLAIN.findall(path.read_text("utf-8"))}


def _prefixes() -> set[str]:
    """First parts of keys that are put together from a value, such as `state.${job.state}`."""
    return {first or second for path in SOURCES for first, second in _MADE.findall(path.read_text("utf-8"))}


def test_every_used_word_exists() -> None:
    missing = sorted(key for key in _used() if key not in WORDS)
    assert missing == []


def test_words_are_there_in_both_languages_with_the_same_places() -> None:
    wrong = []
    for key, both in WORDS.items():
        places = [set(re.findall(r"\{(\w+)\}", text)) for text in both.values()]
        if set(both) != {"zh", "en"} or not all(text.strip() for text in both.values()) or places[0] != places[1]:
            wrong.append(key)
    assert wrong == []


def test_no_word_is_left_over() -> None:
    chosen = {key for path in SOURCES for key in _CHOSEN.findall(path.read_text("utf-8"))}
    left = sorted(key for key in WORDS if key not in _used() | chosen and key.split(".")[0] not in _prefixes())
    assert left == []


def test_chinese_words_are_chinese() -> None:
    names = {"GeoPackage", "GeoJSON", "wangge"}
    same = {key for key, both in WORDS.items() if both["zh"] == both["en"] and both["zh"] not in names}
    spoken = sorted(key for key in same if re.search(r"[A-Za-z]{4}", re.sub(r"\{\w+\}", "", WORDS[key]["zh"])))
    assert [key for key in spoken if not key.startswith("format.")] == []
