"""Libraries of other people: listed, unchanged, licensed; and nothing of ours asks an outside host."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
VENDOR = WEB / "static" / "vendor"
LISTED = tomllib.loads((VENDOR / "vendor.toml").read_text("utf-8"))["file"]
OURS = sorted(
    path
    for folder, endings in ((WEB / "static", ("*.js", "*.css", "*.svg")), (WEB / "templates", ("*.html",)))
    for ending in endings
    for path in folder.rglob(ending)
    if VENDOR not in path.parents
)
# An address that a browser would fetch: of an attribute, a CSS url() or import, a module, a fetch.
_FETCHED = re.compile(
    r"""(?:\b(?:src|href|action)\s*=\s*["']?|url\(\s*["']?|@import\s+["']|\bfrom\s+["']|import\(\s*["']|fetch\(\s*["'`])"""
    r"""\s*((?:https?:)?//[^"'\s)>]+)""",
    re.IGNORECASE,
)


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_vendored_file_is_the_one_that_was_listed(entry: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert {"package", "version", "source", "licence"} <= set(entry)


def test_every_vendored_file_is_listed() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    expected = {entry["file"] for entry in LISTED} | {entry["licence_text"] for entry in LISTED} | {"vendor.toml"}
    assert there == expected


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_licence_text_comes_with_the_file(entry: dict[str, str]) -> None:
    text = (VENDOR / entry["licence_text"]).read_text("utf-8")
    words = {"MIT": "Permission is hereby granted", "BSD": "Redistribution and use"}
    assert words[entry["licence"].split("-")[0]] in text


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(WEB)))
def test_page_or_script_names_no_outside_host(path: Path) -> None:
    assert _FETCHED.findall(path.read_text("utf-8")) == []


def test_outside_addresses_would_be_noticed() -> None:
    bad = '<script src="https://cdn.example/x.js"></script> url(//cdn.example/y.css) import "a" from "http://x/y.js"'
    assert len(_FETCHED.findall(bad)) == 3


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_values_of_the_data_never_become_markup(path: Path) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text("utf-8")
    )


@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_module_is_of_a_readable_length(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300
