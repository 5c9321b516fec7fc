"""The command line's words: every command, its options and their help, in the reader's language.

Scripts depend on these names: options may be added, never renamed. Those of several commands are in `options`.
"""

from collections.abc import Callable

from geo.words import Text

from .options import ACCOUNT, AS_OF, BOUNDARIES, JSON, KNOWN_ON, STORE, WHERE, figure_options, hotspot_options
from .terminal import language
from .words import Parser, Version, a_date, a_moment, a_pair, a_port, some_boundaries

COMMANDS = {
    "demo": "demo",
    "init": "store",
    "import": "imports",
    "layers": "layers",
    "check": "layers",
    "coverage": "figures",
    "hotspots": "figures",
    "export": "export",
    "redraw": "redraw",
    "serve": "serve",
    "user": "user",
    "backup": "store",
    "restore": "store",
}
"""Command -> module of this package whose `run` does it."""


def make_parser(tongue: str) -> Parser:
    """The parser of the whole command line."""
    about = Text(
        "网格治理地理信息系统：视频覆盖缺口、事件热点、网格图层。",
        "A GIS for grid governance: camera coverage gaps, incident hotspots, layers of grids.",
    )
    ending = Text(
        "退出码：0 完成；1 数据未被接受，什么也没有改变；2 用法不对；3 程序的问题。",
        "Exit codes: 0 done; 1 the data was refused, nothing changed; 2 wrong use; 3 a fault of ours.",
    )
    parser = Parser(prog="wangge", description=about.to(tongue), epilog=ending.to(tongue))
    parser.add("--version", help=Text("显示版本", "show the version"), action=Version, nargs=0)
    title = "命令" if tongue == "zh" else "commands"
    commands = parser.add_subparsers(dest="command", required=True, metavar=title, title=title, parser_class=Parser)

    def command(name: str, help: Text, more: Text | None = None) -> Parser:
        description = help.to(tongue) + ("\n" + more.to(tongue) if more else "")
        return commands.add_parser(name, help=help.to(tongue), description=description)

    for define in (_demo, _store, _import, _layers, _figures, _export, _redraw, _user):
        define(command)
    return parser


Command = Callable[..., Parser]


def _demo(command: Command) -> None:
    parser = command(
        "demo",
        Text("生成示例县并启动服务，显示地址和登录账号", "make the sample county, serve it, show address and sign-ins"),
        Text(
            "示例县全部为虚构。密码随机生成、不以明文保存；对已有的示例数据库再次运行时，不重新生成数据，\n"
            "而是为示例账号换上新密码并显示。真实数据库不会被改动。",
            "Everything in the sample is made up. Passwords are random and never kept in the clear: run again on an\n"
            "existing sample, it keeps the data and gives its accounts new passwords. Real stores are never touched.",
        ),
    )
    parser.add("--size", choices=("county", "city"), default="county", help=Text("规模", "how large"))
    parser.add("--host", default="127.0.0.1", help=Text("监听地址", "address to listen on"))
    parser.add("--port", type=a_port, default=8000, help=Text("端口", "port"))
    parser.add("--store", help=Text("存放处（缺省 wangge-demo.gpkg）", "where to put it (default wangge-demo.gpkg)"))
    parser.add("--no-serve", action="store_true", help=Text("只生成，不启动服务", "make it only, do not serve"))


def _store(command: Command) -> None:
    parser = command("init", Text("建立空数据库", "make an empty store"))
    parser.add("--store", help=STORE)
    parser.add("--rules", help=Text("规则集名称", "name of the rule set"))
    parser.add(
        "--codes",
        choices=("cn12", "free"),
        default="cn12",
        help=Text(
            "编码方式：cn12 为 12 位区划代码；free 为任意文本", "codes: cn12 twelve-digit area codes; free any text"
        ),
    )
    parser = command("serve", Text("启动网页服务", "serve the pages"))
    parser.add("--host", default="127.0.0.1", help=Text("监听地址", "address to listen on"))
    parser.add("--port", type=a_port, default=8000, help=Text("端口", "port"))
    parser.add("--store", help=STORE)
    parser.add(
        "--set",
        type=a_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=Text("其他设置，如 TLS=true，可重复", "another setting, e.g. TLS=true; may be repeated"),
    )
    parser = command("backup", Text("备份数据库到一个新文件", "copy the store to a new file"))
    parser.add("file", metavar="FILE", help=Text("备份文件", "the copy"))
    parser.add("--store", help=STORE)
    parser = command("restore", Text("由备份恢复成新的数据库", "make a store from a backup"))
    parser.add("file", metavar="FILE", help=Text("备份文件", "the copy"))
    parser.add("--store", help=STORE)


def _import(command: Command) -> None:
    parser = command(
        "import",
        Text("导入文件", "import files"),
        Text(
            "发现的问题一次列出；有错误时什么也不保存（除非 --skip-bad）。可读 .gz 压缩的文件。",
            "All findings are told at once; with errors nothing is stored (unless --skip-bad). Reads .gz as it is.",
        ),
    )
    parser.add("files", nargs="+", metavar="FILE", help=Text("文件，可多个", "one file or several"))
    parser.add(
        "--layer",
        required=True,
        metavar="KIND",
        help=Text(
            "图层：village、grid、camera、incident、reference:名称 等",
            "layer: village, grid, camera, incident, reference:NAME, ...",
        ),
    )
    parser.add("--store", help=STORE)
    parser.add("--source-layer", metavar="NAME", help=Text("文件中的图层", "layer inside the file"))
    parser.add("--sheet", metavar="NAME", help=Text("工作表", "worksheet"))
    parser.add(
        "--encoding", default="auto", metavar="auto|NAME", help=Text("文字编码，如 gbk", "text encoding, e.g. gbk")
    )
    parser.add("--crs", default="auto", metavar="auto|gcj02|bd09|EPSG:n", help=Text("坐标系", "coordinate system"))
    parser.add(
        "--dates",
        choices=("auto", "ymd", "mdy", "dmy", "roc"),
        default="auto",
        help=Text("日期写法", "how dates are written"),
    )
    parser.add(
        "--map",
        nargs="+",
        type=a_pair,
        action="extend",
        default=[],
        metavar="COLUMN=FIELD",
        help=Text("列对应的字段，可写多对、可重复", "which column is which field; several pairs, may be repeated"),
    )
    parser.add(
        "--mode",
        choices=("append", "replace", "update"),
        default="append",
        help=Text("追加、替换整层、按编码更新", "append, replace the layer, update by code"),
    )
    parser.add(
        "--as-of",
        type=a_date,
        metavar="DATE",
        help=Text(
            "自何日起有效（首次导入缺省为一直有效，之后缺省今天）",
            "from which day the rows count (default: always at first, later today)",
        ),
    )
    parser.add("--dry-run", action="store_true", help=Text("只检查，不保存", "check only, store nothing"))
    parser.add("--findings", metavar="FILE.csv|.json", help=Text("把问题清单写入文件", "write the findings to a file"))
    parser.add("--skip-bad", action="store_true", help=Text("略过有错误的行", "leave out rows with errors"))
    parser.add("--repair", action="store_true", help=Text("修复无效图形", "mend invalid shapes"))
    parser.add("--account", metavar="NAME", help=ACCOUNT)


def _layers(command: Command) -> None:
    for name, help in (
        ("layers", Text("列出图层：行数、版本、范围、来源", "list layers: rows, version, extent, source")),
        ("check", Text("检查编码、层级、拓扑和数据质量", "check codes, hierarchy, topology and quality")),
    ):
        parser = command(name, help)
        parser.add("--store", help=STORE)
        parser.add("--json", action="store_true", help=JSON)
        parser.add("--as-of", type=a_date, metavar="DATE", help=AS_OF)
        parser.add("--account", metavar="NAME", help=ACCOUNT)


def _figures(command: Command) -> None:
    parser = command("coverage", Text("按规则统计视频覆盖缺口", "coverage gaps by a rule"))
    parser.add("--rule", metavar="ID", help=Text("规则（缺省 cam_admin）", "rule (default cam_admin)"))
    parser.add(
        "--rules", metavar="NAME", help=Text("规则集（缺省为数据库的规则集）", "rule set (default: the store's)")
    )
    parser.add(
        "--unit", choices=("village", "natural_village", "grid", "township", "county"), help=Text("统计单元", "unit")
    )
    parser.add("--threshold", type=float, help=Text("改用此门槛", "another threshold"))
    parser.add("--against", type=a_date, metavar="DATE", help=Text("与此日期相比", "compare with this day"))
    figure_options(parser)
    parser = command("hotspots", Text("事件热点", "incident hotspots"))
    parser.add("--unit", choices=("cell", "grid", "village"), default="cell", help=Text("统计单元", "unit"))
    hotspot_options(parser)
    figure_options(parser)


def _export(command: Command) -> None:
    parser = command(
        "export",
        Text("导出图层、结果或地图", "export a layer, a result or a map"),
        Text(
            "WHAT：图层名、reference:名称、coverage、hotspots、draft:编号，或 map:coverage 等地图。\n"
            "格式由后缀决定：geojson gpkg shp(zip) kml csv xlsx parquet；地图为 pdf png html。",
            "WHAT: a layer, reference:NAME, coverage, hotspots, draft:ID, or a map such as map:coverage.\n"
            "The suffix names the format: geojson gpkg shp(zip) kml csv xlsx parquet; maps: pdf png html.",
        ),
    )
    parser.add("what", metavar="WHAT", help=Text("导出什么", "what to export"))
    parser.add("file", metavar="FILE", help=Text("写入的文件", "file to write"))
    parser.add("--format", metavar="NAME", help=Text("格式（缺省看后缀）", "format (default: by suffix)"))
    parser.add("--store", help=STORE)
    parser.add("--as-of", type=a_date, metavar="DATE", help=AS_OF)
    parser.add("--where", metavar="EXPR", help=WHERE)
    parser.add("--account", metavar="NAME", help=ACCOUNT)
    parser.add(
        "--encoding",
        choices=("utf-8", "gbk"),
        default="utf-8",
        help=Text("CSV、Shapefile 的文字编码", "text encoding of CSV and Shapefile"),
    )
    parser.add(
        "--headers",
        choices=("names", "zh", "en"),
        default="names",
        help=Text("CSV、XLSX 的表头", "headers of CSV and XLSX"),
    )
    parser.add("--rule", metavar="ID", help=Text("coverage 的规则", "rule of coverage"))
    parser.add("--rules", metavar="NAME", help=Text("coverage 的规则集", "rule set of coverage"))
    parser.add("--unit", metavar="UNIT", help=Text("coverage、hotspots 的统计单元", "unit of coverage and hotspots"))
    hotspot_options(parser)
    parser.add("--boundaries", type=some_boundaries, metavar="then|today|DATE", help=BOUNDARIES)
    parser.add("--known-on", type=a_moment, metavar="MOMENT", help=KNOWN_ON)
    parser.add("--paper", choices=("A4", "A3"), default="A4", help=Text("纸张", "paper"))
    parser.add("--portrait", action="store_true", help=Text("竖幅", "upright"))
    parser.add("--title", help=Text("地图标题", "title of the map"))
    parser.add("--approval-number", default="", metavar="NO", help=Text("审图号", "map approval number"))
    parser.add("--unit-name", default="", metavar="NAME", help=Text("制图单位", "who made the map"))


def _redraw(command: Command) -> None:
    parser = command(
        "redraw",
        Text("把一串划界操作重放成一份草案", "replay drawing operations into a draft"),
        Text(
            "文件为 JSON 列表，几何为 GeoJSON 经纬度：redraw push corner transfer split merge carve dissolve。\n"
            "退出码：0 全部完成；1 有的被拒绝，其余留在草案中；2 用法或文件不对。",
            "The file is a JSON list with GeoJSON shapes in lon/lat: redraw push corner transfer split merge carve\n"
            "dissolve. Exit codes: 0 all done; 1 some refused, the others are in the draft; 2 wrong use or file.",
        ),
    )
    parser.add("--ops", required=True, metavar="FILE.json", help=Text("操作文件", "file of operations"))
    parser.add("--title", help=Text("草案标题（缺省取文件名）", "title of the draft (default: the file's name)"))
    parser.add("--effective", type=a_date, metavar="DATE", help=Text("自何日起生效", "from which day it is to hold"))
    parser.add("--reason", help=Text("理由", "why"))
    parser.add("--decision-number", metavar="NO", help=Text("文号", "number of the decision"))
    parser.add("--store", help=STORE)
    parser.add("--json", action="store_true", help=JSON)
    parser.add("--account", metavar="NAME", help=ACCOUNT)


def _user(command: Command) -> None:
    from layers.rights import ROLES

    roles = "、".join(f"{name} {label.zh}" for name, label in ROLES.items())
    parser = command("user", Text("管理账号", "manage accounts"), Text(f"角色：{roles}", "Roles: " + ", ".join(ROLES)))
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    area = Text("只限这些区域代码，可重复", "only in areas with these codes; may be repeated")
    stdin = Text("从标准输入读取密码（缺省随机生成）", "read the password from standard input (default: a random one)")
    for name, help in (
        ("add", Text("新建账号", "make an account")),
        ("list", Text("列出账号", "list accounts")),
        ("role", Text("改变角色和区域", "change role and areas")),
        ("password", Text("重设密码", "set a new password")),
        ("disable", Text("停用账号", "close an account")),
    ):
        action: Parser = actions.add_parser(name, help=help.to(language()), description=help.to(language()))
        if name != "list":
            action.add("name", metavar="NAME", help=Text("账号名", "name of the account"))
        if name == "add":
            action.add("--role", choices=tuple(ROLES), required=True, help=Text("角色", "role"))
        if name == "role":
            action.add("role", choices=tuple(ROLES), metavar="ROLE", help=Text("角色", "role"))
        if name in ("add", "role"):
            action.add("--area", action="append", metavar="CODE", help=area)
        if name in ("add", "password"):
            action.add("--password-stdin", action="store_true", help=stdin)
        if name == "disable":
            action.add("--enable", action="store_true", help=Text("重新启用", "open it again"))
        if name == "list":
            action.add("--json", action="store_true", help=JSON)
        action.add("--store", help=STORE)
