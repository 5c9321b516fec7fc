"""Options that several commands take, with the same name, help and meaning in each; options may be added, never renamed."""

from geo.words import Text

from .terminal import language
from .words import Parser, a_count, a_date, a_moment, some_boundaries

STORE = Text(
    "数据库：.gpkg 文件或 postgresql+psycopg:// 地址（缺省 $WANGGE_STORE，再缺省当前文件夹的 wangge.gpkg）",
    "store: a .gpkg file or postgresql+psycopg:// URL (default $WANGGE_STORE, else wangge.gpkg here)",
)
ACCOUNT = Text(
    "按此账号的权限执行（缺省：数据库所有者）", "with the rights of this account (default: the store's owner)"
)
AS_OF = Text("截至日期 YYYY-MM-DD（缺省今天）", "state of this day, YYYY-MM-DD (default today)")
BOUNDARIES = Text(
    "按何时的边界统计：then 当时边界、today 现行边界，或日期",
    "in whose boundaries to count: then (as of each day), today, or a day",
)
KNOWN_ON = Text(
    "按此日（终了）或时刻所知统计，用于重做以前的报表，如 2026-03-01 或 2026-03-01T18:00",
    "by what was known on this day (its end) or moment, to make an earlier report again: 2026-03-01, 2026-03-01T18:00",
)
WHERE = Text(
    "筛选，如 \"video_class = '1' and status = 'online'\"", "filter, e.g. \"video_class = '1' and status = 'online'\""
)
JSON = Text("以 JSON 输出到标准输出", "print JSON to standard output")
CSV = Text("写入 CSV 文件", "write a CSV file")


def hotspot_options(parser: Parser) -> None:
    """What hotspots are looked for in: cells, days, a category, what is expected."""
    parser.add(
        "--cell-m", type=a_count, default=500, metavar="METRES", help=Text("格子边长（米）", "cell size in metres")
    )
    parser.add("--from", dest="date_from", type=a_date, metavar="DATE", help=Text("起始日期", "first day"))
    parser.add("--to", dest="date_to", type=a_date, metavar="DATE", help=Text("截止日期（含）", "last day, included"))
    parser.add("--category", metavar="C", help=Text("事件类别", "category"))
    parser.add(
        "--exposure",
        choices=("area", "households", "population"),
        help=Text(
            "期望数按面积、户数或人口（默认用已有的最好者）",
            "expected by area, households or population (default: best recorded)",
        ),
    )


def figure_options(parser: Parser) -> None:
    """What a figure is worked out from, for whom, and how it is printed."""
    parser.add("--store", help=STORE)
    parser.add("--as-of", type=a_date, metavar="DATE", help=AS_OF)
    parser.add("--boundaries", type=some_boundaries, metavar="then|today|DATE", help=BOUNDARIES)
    parser.add("--known-on", type=a_moment, metavar="MOMENT", help=KNOWN_ON)
    parser.add("--where", metavar="EXPR", help=WHERE)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=JSON.to(language()))
    form.add_argument("--csv", metavar="FILE", help=CSV.to(language()))
    parser.add("--account", metavar="NAME", help=ACCOUNT)
