"""`wangge redraw`: a list of drawing operations from a file, replayed into a new draft; an answer for each.

Exit codes: 0 all were done; 1 some were refused, the others stand in the draft; 2 wrong use, nothing was made.
"""

import json
from argparse import Namespace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from geo.errors import InputError
from geo.words import Text

from .store import open_store, viewer_of
from .terminal import answer, answer_json, cut, language, say, table

if TYPE_CHECKING:
    from layers.redrawing.draft import Draft

DONE, REFUSED = 0, 1
MOST_BYTES = 64 * 1024 * 1024
PRINTED = ("draft", "results", "valid", "area_change_m2")
_LONGEST_TITLE = 200


def run(arguments: Namespace) -> int:
    """Replay the file into a new draft and print what became of each operation."""
    operations = read_operations(Path(arguments.ops))
    with open_store(arguments.store) as store:
        from layers.redrawing import draft_operations, drafts, redraw_parent, redraw_session

        viewer = viewer_of(store, arguments.account)
        viewer.require("redraw")
        effective = date.fromisoformat(arguments.effective) if arguments.effective else None
        parent = redraw_parent.find(store, viewer, operations, on=effective)
        title = arguments.title or Text(f"脚本 {Path(arguments.ops).name}", f"script {Path(arguments.ops).name}").to(
            language()
        )
        draft = drafts.create(
            store,
            viewer,
            title=title[:_LONGEST_TITLE],
            parent_code=parent,
            reason=arguments.reason or "",
            decision_number=arguments.decision_number or "",
            effective_from=effective,
        )
        shape = draft_operations.apply(store, viewer, draft.id, draft.version, operations).as_dict(language())
        snapped = redraw_session.session(store, viewer, drafts.read(store, viewer, draft.id)).ground.snapped
    if snapped.grids:
        say(
            Text(
                f"{snapped.grids} 个网格原不在厘米格上，草案中已取整（最多移动 {snapped.max_m * 100:.1f} 厘米）。",
                f"{snapped.grids} grids were not on whole centimetres: in the draft they are (moved by {snapped.max_m * 100:.1f} cm at most).",
            )
        )
    if arguments.json:
        answer_json({name: shape[name] for name in PRINTED})
    else:
        _tell(draft, operations, shape)
    return DONE if all(result["ok"] for result in shape["results"]) else REFUSED


def read_operations(path: Path) -> list[dict[str, Any]]:
    """The operations of a file: a JSON list of objects, or an object whose `operations` is one (the API's body).

    Raises
    ------
    InputError
        When the file cannot be read, is not JSON or is not such a list. Whether an operation can be done is not
        decided here: each gets its own answer.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            _refuse(f"文件超过 {MOST_BYTES // 1024**2} MB。", f"the file is larger than {MOST_BYTES // 1024**2} MB.")
        found = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_constant)
    except FileNotFoundError:
        _refuse(f"找不到文件 {path.name[:200]}。", f"there is no file {path.name[:200]}.")
    except OSError as error:
        _refuse(f"无法读取：{error.strerror}。", f"it cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        _refuse("文件不是 UTF-8 文本。", "the file is not UTF-8 text.")
    except json.JSONDecodeError as error:
        _refuse(f"第 {error.lineno} 行不是 JSON。", f"line {error.lineno} is not JSON.")
    except ValueError:
        _refuse("含有 NaN 或无穷大。", "it holds NaN or infinity.")
    except RecursionError:
        _refuse("JSON 嵌套过深。", "the JSON is nested too deeply.")
    if isinstance(found, dict):
        found = found.get("operations")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        _refuse("应为操作的列表，且至少有一项。", "a list of operations with at least one entry is wanted.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _refuse(zh: str, en: str) -> NoReturn:
    raise InputError(
        Text(f"操作文件不能用：{zh}", f"The file of operations cannot be used: {en}"),
        where="--ops",
        mend=Text(
            '写成 [{"op":"split","grid":"编码","line":{…}}, …]。',
            'Write [{"op":"split","grid":"CODE","line":{...}}, ...].',
        ),
    ) from None


def _tell(draft: "Draft", operations: list[dict[str, Any]], shape: dict[str, Any]) -> None:
    done = sum(result["ok"] for result in shape["results"])
    answer(
        Text(
            f"草案 {shape['draft']}“{draft.title}”：{len(operations)} 项操作，完成 {done} 项，拒绝 {len(operations) - done} 项。",
            f"Draft {shape['draft']} '{draft.title}': {done} of {len(operations)} operations done, {len(operations) - done} refused.",
        )
    )
    heads = (Text("序号", "no."), Text("操作", "operation"), Text("结果", "result"), Text("说明", "what"))
    rows = [
        (number, str(operation.get("op", ""))[:20], _outcome(result), _said(result))
        for number, (operation, result) in enumerate(zip(operations, shape["results"], strict=True), 1)
    ]
    for line in table(heads, rows, most=90):
        answer(line)
    whole = Text("网格仍完整覆盖，面积变化 {} 平方米。", "The grids still cover everything; the area changed by {} m².")
    broken = Text("注意：草案中的网格没有完整覆盖。", "Beware: the grids of the draft do not cover everything.")
    say(whole.to(language()).format(shape["area_change_m2"]) if shape["valid"] else broken)


def _outcome(result: dict[str, Any]) -> str:
    return (Text("完成", "done") if result["ok"] else Text("拒绝", "refused")).to(language())


def _said(result: dict[str, Any]) -> str:
    if not result["ok"]:
        return cut(f"{result['what']} {result['mend']}".strip(), 90)
    moved = sum(change["area_m2"] for change in result["changes"])
    words = Text(
        f"{len(result['changes'])} 块土地，{moved:.0f} 平方米", f"{len(result['changes'])} pieces, {moved:.0f} m²"
    )
    return words.to(language())
