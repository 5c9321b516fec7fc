"""Every address of the application with values filled in, for tests that go through all of them."""

from collections.abc import Iterator

from flask import Flask
from office import village_code

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
VALUES = {
    "kind": "village",
    "z": "12",
    "x": "3311",
    "y": "1721",
    "key": village_code(0),
    "name": "nobody",
    "upload": "0" * 32,
    "job": "nothing",
    "change": 999_999,
    "draft": 999_999,
    "code": village_code(0),
    "filename": "css/theme.css",
    "file": "none.woff2",
}
QUERIES = {
    "/api/v1/search": "?q=石",
    "/api/v1/export": "?what=village&format=geojson",
    "/api/v1/print": "?view=village&format=png",
    "/api/v1/standalone": "?view=village",
    "/features/<kind>": "?bbox=110,27,112,28",
    # Before the first day nothing was there: everything the caller may see is new.
    "/api/v1/comparison/<kind>": "?compare=1899-12-31",
}
PER_KIND = (
    "/features/<kind>",
    "/points/<kind>",
    "/tiles/<kind>/<z>/<x>/<y>.mvt",
    "/api/v1/features/<kind>/<path:key>",
    "/api/v1/table/<kind>",
    "/api/v1/history/<kind>/<path:code>",
    "/api/v1/comparison/<kind>",
)


def methods_of(rule) -> list[str]:
    return sorted(method for method in rule.methods if method in ("GET", *UNSAFE))


def all_routes(app: Flask) -> Iterator[tuple[str, str]]:
    """(method, rule) of everything the application answers to."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: r.rule):
        for method in methods_of(rule):
            yield method, rule.rule


def path_of(rule: str, **values: object) -> str:
    """The rule with values filled in, and the query it needs."""
    filled = rule
    for name, value in {**VALUES, **values}.items():
        for converter in ("", "path:", "int:"):
            filled = filled.replace(f"<{converter}{name}>", str(value))
    assert "<" not in filled, f"give a value for {rule}"
    return filled + QUERIES.get(rule, "")
