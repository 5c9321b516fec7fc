"""`wangge coverage` and `wangge hotspots`: as JSON, as CSV with its provenance, or as a short answer for people."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.words import Text

from .store import open_store, viewer_of
from .terminal import answer, answer_json, language, say, table

if TYPE_CHECKING:
    from layers.rights import Viewer
    from layers.storage.store import Store

SHOWN = 20
_STATE = {"met": Text("达标", "met"), "short": Text("不足", "short"), "no_data": Text("无数据", "no data")}


def run(arguments: Namespace) -> int:
    """Do `coverage` or `hotspots`."""
    options = coverage_options(arguments) if arguments.command == "coverage" else hotspot_options(arguments)
    with open_store(arguments.store) as store:
        viewer = viewer_of(store, arguments.account)
        if arguments.csv:
            return _csv(store, viewer, arguments, options)
        return (
            _coverage(store, viewer, arguments, options)
            if arguments.command == "coverage"
            else _hotspots(store, viewer, arguments, options)
        )


def coverage_options(arguments: Namespace) -> dict[str, Any]:
    """Options of `layers.figures.derived.coverage` that were given."""
    named = {"rule_id": arguments.rule, "rule_set": arguments.rules, "unit": arguments.unit}
    for name in ("threshold", "against", "boundaries", "known_on"):
        named[name] = getattr(arguments, name, None)
    return {name: value for name, value in named.items() if value is not None}


def hotspot_options(arguments: Namespace) -> dict[str, Any]:
    """Options of `layers.figures.derived.hotspots` that were given."""
    names = ("unit", "cell_m", "date_from", "date_to", "category", "exposure", "boundaries", "known_on")
    named = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in named.items() if value is not None}


def _csv(store: "Store", viewer: "Viewer", arguments: Namespace, options: dict[str, Any]) -> int:
    from layers.exports.exporting import export

    report = export(
        store,
        viewer,
        arguments.command,
        Path(arguments.csv),
        format="csv",
        as_of=arguments.as_of,
        where=arguments.where,
        **options,
    )
    for note in report.notes:
        say(note)
    say(Text(f"已写入 {report.path}，{report.rows} 行。", f"Wrote {report.rows} rows to {report.path}."))
    return 0


def _coverage(store: "Store", viewer: "Viewer", arguments: Namespace, options: dict[str, Any]) -> int:
    from layers.figures import derived

    result = derived.coverage(store, viewer, as_of=arguments.as_of, where=arguments.where, **options)
    shape = result.as_json(language())
    if arguments.json:
        answer_json(shape)
        return 0
    answer(shape["sentence"])
    heads = (
        Text("编码", "code"),
        Text("名称", "name"),
        Text("现有", "has"),
        Text("应有", "required"),
        Text("缺", "missing"),
        Text("状态", "state"),
    )
    worst = [row for row in shape["rows"] if row["state"] == "short"][:SHOWN]
    rows = [
        (row["code"], row["name"], row["value"], row["required"], row["shortfall"], _STATE[row["state"]].to(language()))
        for row in worst
    ]
    if rows:
        for line in table(heads, rows):
            answer(line)
    _tell_rest(len([row for row in shape["rows"] if row["state"] == "short"]), len(rows))
    _tell_source(shape)
    return 0


def _hotspots(store: "Store", viewer: "Viewer", arguments: Namespace, options: dict[str, Any]) -> int:
    from layers.figures import derived

    result = derived.hotspots(store, viewer, as_of=arguments.as_of, where=arguments.where, **options)
    shape = result.as_json(language())
    if arguments.json:
        answer_json(shape)
        return 0
    hot = [row for row in shape["rows"] if row["hot"]]
    cold = sum(bool(row["cold"]) for row in shape["rows"])
    answer(
        Text(
            f"{len(shape['rows'])} 个单元中 {len(hot)} 个热点，{cold} 个冷点。",
            f"{len(hot)} hot and {cold} cold of {len(shape['rows'])} units.",
        )
    )
    heads = (
        Text("单元", "unit"),
        Text("经度", "lon"),
        Text("纬度", "lat"),
        Text("事件数", "count"),
        Text("期望", "expected"),
        Text("倍数", "ratio"),
        Text("q 值", "q"),
    )
    ranked = sorted(hot, key=lambda row: -(row.get("ratio") or 0))[:SHOWN]
    rows = [
        (
            str(row.get("code", row.get("cell"))),
            f"{row['lon']:.5f}" if row.get("lon") is not None else None,
            f"{row['lat']:.5f}" if row.get("lat") is not None else None,
            *(row.get(name) for name in ("count", "expected", "ratio", "q")),
        )
        for row in ranked
    ]
    if rows:
        for line in table(heads, rows):
            answer(line)
    _tell_rest(len(hot), len(rows))
    _tell_ended(shape["ended"])
    _tell_source(shape)
    return 0


def _tell_ended(ended: list[dict[str, Any]]) -> None:
    """Areas that are no more with the incidents of their days."""
    if not ended:
        return
    heads = (
        Text("已撤销单元", "ended unit"),
        Text("名称", "name"),
        Text("撤销日期", "ended on"),
        Text("事件数", "count"),
    )
    rows = [(row["code"], row["name"], row["ended_on"], row["count"]) for row in ended[:SHOWN]]
    for line in table(heads, rows):
        answer(line)
    _tell_rest(len(ended), len(rows))


def _tell_rest(all_rows: int, shown: int) -> None:
    if all_rows > shown:
        say(
            Text(
                f"共 {all_rows} 行，以上是前 {shown} 行；全部用 --json 或 --csv。",
                f"The first {shown} of {all_rows} rows; all of them with --json or --csv.",
            )
        )


def _tell_source(shape: dict[str, Any]) -> None:
    """Rule set, day and notes, so that a figure on a terminal can be traced too."""
    provenance = shape["provenance"]
    rule_set = provenance.get("rule_set") or {}
    named = f"{rule_set.get('name', '')} {rule_set.get('date', '') or ''}".strip()
    parts = Text(f"截至 {shape['as_of']}", f"As of {shape['as_of']}").to(language())
    say("; ".join(part for part in (parts, shape["boundaries"]["label"], named) if part))
    for note in provenance.get("notes", []):
        say(Text(note["zh"], note["en"]) if isinstance(note, dict) else str(note))
