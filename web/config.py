"""The one table of settings: name, default, what it is for.

Settings enter through `create_app(config)` and are never read at import. Names are upper case; those of libraries
(WTF_CSRF_*, COMPRESS_*, SESSION_COOKIE_*) are set here too, so that one place shows what the server does.
Limits follow the same table: every limit is a number a person may change.
"""

from dataclasses import dataclass
from typing import Any

from geo.errors import InputError
from geo.words import Text

KB, MB = 1024, 1024 * 1024
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `default` also fixes its type; `editable` ones may be changed by an administrator in the page."""

    name: str
    default: Any
    help: Text
    editable: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "STORE",
        None,
        Text("数据库：.gpkg 路径或 postgresql+psycopg:// 地址", "store: .gpkg path or postgresql+psycopg:// URL"),
    ),
    Setting("HOST", "127.0.0.1", Text("监听地址", "address to listen on")),
    Setting("PORT", 8000, Text("监听端口", "port to listen on")),
    Setting(
        "PUBLIC_HOSTS",
        (),
        Text("允许的主机名（除本机名和 IP 外）", "host names answered to, besides this machine's own and IP addresses"),
    ),
    Setting("PROXY_HOPS", 0, Text("前面的反向代理层数", "number of reverse proxies in front")),
    Setting(
        "TLS",
        False,
        Text("经 TLS 提供服务（会话 Cookie 标为 Secure）", "served over TLS (the session cookie becomes Secure)"),
    ),
    Setting("SECRET_KEY", None, Text("签名密钥；缺省保存在数据库中", "signing key; kept in the store when not given")),
    Setting(
        "SESSION_IDLE_S",
        8 * HOUR_S,
        Text("无操作多少秒后须重新登录", "seconds without a request before a new sign-in"),
        True,
    ),
    Setting(
        "SESSION_ABSOLUTE_S",
        7 * 24 * HOUR_S,
        Text("登录多少秒后须重新登录", "seconds after which a new sign-in is needed"),
        True,
    ),
    Setting("UPLOAD_MAX_BYTES", 200 * MB, Text("上传文件上限（字节）", "largest upload in bytes"), True),
    Setting("JSON_MAX_BYTES", 2 * MB, Text("请求正文上限（字节）", "largest request body in bytes")),
    Setting("HEADER_MAX_BYTES", 16 * KB, Text("请求头上限（字节）", "largest request header in bytes")),
    Setting("FEATURES_MAX", 20_000, Text("一次返回的要素上限", "most features in one answer"), True),
    Setting("TABLE_PAGE_MAX", 500, Text("表格每页行数上限", "most rows on one table page")),
    Setting("TILE_MAX_BYTES", 2 * MB, Text("一张瓦片的上限（字节）", "largest tile in bytes")),
    Setting(
        "TILE_LAYER_ROWS", 300_000, Text("为瓦片保留在内存的图层行数上限", "rows of a layer kept in memory for tiles")
    ),
    Setting("CACHE_BYTES", 64 * MB, Text("响应缓存上限（字节）", "memory for kept answers in bytes")),
    Setting(
        "COMPRESSED_CACHE_BYTES",
        32 * MB,
        Text("压缩后响应缓存上限（字节）", "memory for kept compressed answers in bytes"),
    ),
    Setting(
        "WORK_FOLDER",
        None,
        Text(
            "上传和导出的临时文件夹；缺省在系统临时目录",
            "folder for uploads and exports; a new one among the system's temporary files when not given",
        ),
    ),
    Setting("UPLOAD_KEEP_S", 24 * HOUR_S, Text("上传文件保留秒数", "seconds an upload is kept")),
    Setting("JOB_WORKER", True, Text("本进程执行后台任务", "this process runs the jobs")),
    Setting(
        "BASEMAP_FOLDER",
        None,
        Text("离线底图文件夹（.mbtiles、.pmtiles）", "folder of basemap files (.mbtiles, .pmtiles)"),
    ),
    Setting("BASEMAPS", (), Text("在线底图列表", "online basemaps"), True),
    Setting("PLACE_NAME", "", Text("地区名称（缺省取县名）", "name of the place (the county's own when empty)"), True),
    Setting("APPROVAL_NUMBER", "", Text("审图号", "map approval number"), True),
    Setting(
        "APPROVERS",
        (),
        Text(
            "除管理员外可批准边界变更的账号，以逗号分隔",
            "accounts that may approve changes of boundaries besides administrators, separated by commas",
        ),
        True,
    ),
    Setting("UNIT_NAME", "", Text("制图单位", "unit that makes the maps"), True),
    Setting("THREADS", 8, Text("服务线程数", "server threads")),
    Setting("CONNECTION_LIMIT", 1000, Text("最多连接数", "most connections at once")),
    Setting("CHANNEL_TIMEOUT_S", 10, Text("空闲连接关闭秒数", "seconds before an idle connection is closed")),
)
NAMES = {setting.name: setting for setting in SETTINGS}

LIBRARIES: dict[str, Any] = {
    "SESSION_COOKIE_NAME": "wangge_session",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_REFRESH_EACH_REQUEST": False,
    # The token lives as long as the session, whose age is limited by itself.
    "WTF_CSRF_TIME_LIMIT": None,
    "BABEL_DEFAULT_LOCALE": "zh_Hans_CN",
    "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
    "COMPRESS_ALGORITHM": ["gzip"],
    "COMPRESS_ALGORITHM_STREAMING": ["gzip"],
    "COMPRESS_LEVEL": 6,
    # Files that are sent from disk (downloads, basemap tiles) are compressed formats already.
    "COMPRESS_STREAMS": False,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 100,
}


def settings(given: dict[str, Any] | None) -> dict[str, Any]:
    """Defaults overlaid with `given`; `TESTING` and library settings pass through.

    Raises
    ------
    InputError
        When a value has another type than the default, or a lower-case name is given.
    """
    values = {setting.name: setting.default for setting in SETTINGS} | LIBRARIES
    for name, value in (given or {}).items():
        if name != name.upper():
            raise InputError(
                Text(f"设置名应为大写：{name}", f"Setting names are upper case: {name}"), where="create_app"
            )
        if name in NAMES:
            value = require_type(NAMES[name], value)
        values[name] = value
    values["SESSION_COOKIE_SECURE"] = bool(values["TLS"])
    return values


def require_type(setting: Setting, value: Any) -> Any:
    """`value` in the type of the setting's default, or `InputError`."""
    default = setting.default
    wanted = type(default)
    if default is None:
        return value
    if isinstance(default, tuple) and isinstance(value, (list, tuple)):
        return tuple(value)
    if wanted is int and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if wanted is not int and isinstance(value, wanted):
        return value
    raise InputError(
        Text(f"设置 {setting.name} 的值类型不对。", f"Setting {setting.name} has a value of the wrong type."),
        where=setting.name,
        mend=Text(f"应为：{setting.help.zh}", f"Expected: {setting.help.en}"),
    )
