"""`wangge layers` and `wangge check`: what is kept, and what is wrong with it."""

from argparse import Namespace

from geo.words import Text

from .store import open_store, viewer_of
from .terminal import answer, answer_json, language, say, say_findings, table

SHAPE = ("kind", "rows", "with_geometry", "version", "bounds", "crs")
"""Keys of one layer in `layers --json`."""


def run(arguments: Namespace) -> int:
    """Do `layers` or `check`."""
    return _layers(arguments) if arguments.command == "layers" else _check(arguments)


def _layers(arguments: Namespace) -> int:
    from layers.selection.frames import list_layers

    with open_store(arguments.store) as store:
        listed = list_layers(store, viewer_of(store, arguments.account), as_of=arguments.as_of)
    if arguments.json:
        answer_json([{key: layer[key] for key in SHAPE} for layer in listed])
        return 0
    if not listed:
        say(
            Text("还没有图层。用 wangge import 导入文件。", "There are no layers yet. Import files with wangge import.")
        )
        return 0
    heads = (
        Text("图层", "layer"),
        Text("名称", "name"),
        Text("行数", "rows"),
        Text("有位置", "with position"),
        Text("版本", "version"),
        Text("范围（经纬度）", "extent (lon, lat)"),
        Text("来源", "source"),
    )
    rows = [
        (
            layer["kind"],
            layer["label"][language()],
            layer["rows"],
            layer["with_geometry"],
            layer["version"],
            " ".join(f"{value:.4f}" for value in layer["bounds"]) if layer["bounds"] else None,
            layer.get("source"),
        )
        for layer in listed
    ]
    for line in table(heads, rows):
        answer(line)
    return 0


def _check(arguments: Namespace) -> int:
    from layers.checking.checks import run as find

    with open_store(arguments.store) as store:
        findings = find(store, viewer_of(store, arguments.account), arguments.as_of)
    if arguments.json:
        places = [{"kind": finding.kind, "lon": finding.lon, "lat": finding.lat} for finding in findings]
        rows = [finding.as_row(language()) for finding in findings]
        answer_json([row | place for row, place in zip(rows, places, strict=True)])
        return 0
    if findings:
        say_findings(findings)
    else:
        say(Text("没有发现问题。", "Nothing found."))
    return 0
