"""Every kind of layer wangge keeps: its words, key, geometry and columns. The one table of them.

Field names are the product's vocabulary: the store's columns, the API's properties, `--map COLUMN=FIELD` targets and
the default headers of exports are all these names. `aliases` are headers seen in county files (compared after lower
case and without blanks, underscores and brackets).
"""

from dataclasses import dataclass

from geo.words import Text

BASELINE_DATE = "1900-01-01"
"""`valid_from` of rows whose beginning is unknown: the first import of a layer without an explicit date."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column: dtype is text, integer, real, boolean, date or datetime; `choices` are stored values with labels."""

    name: str
    dtype: str
    label: Text
    aliases: tuple[str, ...] = ()
    required: bool = False
    choices: tuple[tuple[str, Text], ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of layer.

    `geometry`: polygon, area (polygon, or point: then the area is derived), line, point, any or none. `key`: the column that identifies a row ("" when rows have no code).
    `parent`: the column that holds the code of the parent area, `parent_kind` the kind it points at.
    `versioned`: rows carry valid_from/valid_to (everything but incidents). `homed`: rows get village_code and grid_code
    by position. `internal`: rows and positions for internal roles only.
    """

    name: str
    label: Text
    geometry: str
    fields: tuple[Field, ...]
    key: str = ""
    parent: str = ""
    parent_kind: str = ""
    versioned: bool = True
    homed: bool = False
    internal: bool = False
    centimetre: bool = False

    @property
    def is_area(self) -> bool:
        """Whether the kind is one of the five administrative levels or the grid."""
        return self.name in AREA_KINDS

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError when the kind has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in display order."""
        return tuple(field.name for field in self.fields)


AREA_KINDS = ("county", "township", "village", "natural_village", "grid")


def _text(name: str, zh: str, en: str, *aliases: str, required: bool = False, choices: tuple = ()) -> Field:
    return Field(name, "text", Text(zh, en), aliases, required, choices)


def _integer(name: str, zh: str, en: str, *aliases: str, unit: str = "") -> Field:
    return Field(name, "integer", Text(zh, en), aliases, unit=unit)


def _real(name: str, zh: str, en: str, *aliases: str, unit: str = "") -> Field:
    return Field(name, "real", Text(zh, en), aliases, unit=unit)


def _flag(name: str, zh: str, en: str, *aliases: str) -> Field:
    return Field(name, "boolean", Text(zh, en), aliases)


def _date(name: str, zh: str, en: str, *aliases: str) -> Field:
    return Field(name, "date", Text(zh, en), aliases)


def _moment(name: str, zh: str, en: str, *aliases: str) -> Field:
    return Field(name, "datetime", Text(zh, en), aliases)


def _choice(name: str, zh: str, en: str, choices: dict[str, tuple[str, str]], *aliases: str) -> Field:
    return Field(name, "text", Text(zh, en), aliases, choices=tuple((v, Text(*words)) for v, words in choices.items()))


_NAME = _text(
    "name",
    "名称",
    "name",
    "名",
    "村名",
    "村名称",
    "社区名称",
    "xzqmc",
    "mc",
    "name",
    "villname",
    "点位名称",
    "地点名称",
    "qsdwmc",
)
_CODE_ALIASES = (
    "编码",
    "代码",
    "区划代码",
    "行政区划代码",
    "统计用区划代码",
    "村代码",
    "村编码",
    "社区代码",
    "xzqdm",
    "dm",
    "geoid",
    "villcode",
    "qsdwdm",
    "ctuid",
    "areashortcode",
)
_HOUSEHOLDS = _integer("households", "户数", "households", "总户数", "户籍户数")
_POPULATION = _integer(
    "population", "人口", "population", "总人口", "人口数", "常住人口", "户籍人口", "totalpop", "pop"
)
_AREA_FIELDS = (
    _HOUSEHOLDS,
    _POPULATION,
    _integer("pop_urban", "城镇人口", "urban population"),
    _integer("pop_rural", "乡村人口", "rural population", "农村人口"),
    _text("urban_rural", "城乡分类代码", "urban-rural class", "城乡分类", "城乡代码", "urcode", "cxfldm"),
    _integer("code_year", "代码年份", "code year", "区划年份"),
)


def _area(name: str, zh: str, en: str, parent_kind: str, *extra: Field, parent_aliases: tuple[str, ...] = ()) -> Kind:
    fields = (
        _text("code", f"{zh}代码", f"{en} code", *_CODE_ALIASES, required=True),
        _NAME,
        _text("parent_code", "上级代码", "parent code", "上级编码", "所属代码", *parent_aliases),
        *_AREA_FIELDS,
        *extra,
    )
    return Kind(
        name,
        Text(zh, en),
        "polygon" if name == "county" else "area",
        fields,
        key="code",
        parent="parent_code",
        parent_kind=parent_kind,
        centimetre=name in ("village", "grid"),
    )


_STATUS = {
    "online": ("在线", "online"),
    "offline": ("离线", "offline"),
    "planned": ("规划", "planned"),
}

_BORDER_LEVEL = _choice(
    "level",
    "层级",
    "level",
    {"township": ("乡镇界", "between townships"), "village": ("村界", "between villages")},
)
_ORIGIN = _choice(
    "origin", "来源", "origin", {"derived": ("由面推算", "derived from areas"), "surveyed": ("实测", "surveyed")}
)

_KINDS = (
    _area("county", "县（区）", "county", ""),
    _area("township", "乡镇（街道）", "township", "county", parent_aliases=("县代码", "所属县代码", "countycode")),
    _area(
        "village",
        "村（社区）",
        "village",
        "township",
        _choice(
            "village_type",
            "村类型",
            "village type",
            {
                "urban_built": ("建成城市社区", "built urban community"),
                "urban_new": ("新建城市社区", "new urban community"),
                "rural_central": ("中心村", "central rural village"),
                "rural_other": ("一般村", "other rural village"),
            },
        ),
        _flag("central_village", "中心村", "central village"),
        parent_aliases=("乡镇代码", "镇代码", "街道代码", "所属乡镇代码", "towncode"),
    ),
    _area(
        "natural_village",
        "自然村",
        "natural village",
        "village",
        parent_aliases=("行政村代码", "村代码", "所属村代码", "villagecode"),
    ),
    Kind(
        "grid",
        Text("网格", "grid"),
        "polygon",
        (
            _text(
                "grid_code",
                "网格编码",
                "grid code",
                "网格代码",
                "网格编号",
                "gridcode",
                "gridid",
                "code",
                "geoid",
                "wgbm",
                "wgdm",
                required=True,
            ),
            _text("name", "网格名称", "grid name", "名称", "wgmc", "name"),
            _text("village_code", "所属村代码", "village code", "村代码", "村编码", "社区代码", "villagecode"),
            _choice(
                "kind",
                "网格类型",
                "grid kind",
                {"base": ("综合网格", "base grid"), "dedicated": ("专属网格", "dedicated grid")},
                "类型",
            ),
            _HOUSEHOLDS,
            _POPULATION,
            _integer("workers_full", "专职网格员数", "full-time workers", "专职网格员", "网格员数"),
            _integer("workers_part", "兼职网格员数", "part-time workers", "兼职网格员"),
        ),
        key="grid_code",
        parent="village_code",
        parent_kind="village",
        centimetre=True,
    ),
    Kind(
        "camera",
        Text("视频监控点", "camera"),
        "point",
        (
            _text(
                "device_id",
                "设备编码",
                "device id",
                "国标编码",
                "设备国标编码",
                "设备编号",
                "点位编码",
                "点位编号",
                "deviceid",
                "id",
            ),
            _text("name", "点位名称", "site name", "名称", "监控点名称", "设备名称", "安装位置", "name"),
            _integer("camera_count", "摄像机数", "camera count", "数量", "台数", "探头数", "摄像头数", "ncameras"),
            _choice(
                "video_class",
                "视频类别",
                "video class",
                {"1": ("一类", "class 1"), "2": ("二类", "class 2"), "3": ("三类", "class 3")},
                "类别",
                "点位类别",
                "监控点类别",
            ),
            _choice("status", "状态", "status", _STATUS, "在线状态", "设备状态", "运行状态"),
            _flag("connected", "已联网", "connected", "是否联网", "联网"),
            _flag("in_public_area", "公共区域", "in a public area", "是否公共区域"),
            _text("position_type", "位置类型", "position type", "positiontype"),
            _real("azimuth", "方位角", "azimuth", "朝向", "方向角", unit="deg"),
            _real("range_m", "可视距离", "range", "可视距离米", "监控距离", "rangem", unit="m"),
            _real("view_deg", "视场角", "field of view", "视角", unit="deg"),
            _text("ptz_type", "云台类型", "PTZ type", "ptztype", "摄像机类型"),
            _text("managing_unit", "管理单位", "managing unit", "管护单位", "建设单位"),
            _text("funding", "资金来源", "funding"),
            _flag("sign_installed", "已设提示标识", "sign installed", "提示标识", "标识"),
            _date(
                "in_use_on", "启用日期", "in use on", "投用日期", "启用时间", "安装日期", "建成日期", "activationdate"
            ),
            _date("filed_on", "备案日期", "filed on", "备案时间"),
            _integer("retention_days", "存储天数", "retention days", "录像保存天数", "保存天数", unit="d"),
            _text("plan_state", "规划状态", "plan state"),
        ),
        key="device_id",
        homed=True,
        internal=True,
    ),
    Kind(
        "incident",
        Text("事件", "incident"),
        "point",
        (
            _text(
                "incident_no", "事件编号", "incident number", "编号", "事件编码", "工单号", "工单编号", "流水号", "id"
            ),
            _text("category", "事件类别", "category", "类别", "事件类型", "类型", "事件分类", "category"),
            _text("scheme", "分类体系", "scheme"),
            _text("level", "级别", "level", "事件级别", "等级"),
            _choice(
                "state",
                "办理状态",
                "state",
                {
                    "reported": ("已上报", "reported"),
                    "accepted": ("已受理", "accepted"),
                    "dispatched": ("已派遣", "dispatched"),
                    "handling": ("处置中", "handling"),
                    "answered": ("已反馈", "answered"),
                    "assessed": ("已评价", "assessed"),
                    "archived": ("已办结", "archived"),
                    "returned": ("已退回", "returned"),
                },
                "状态",
                "事件状态",
            ),
            _moment(
                "occurred_at",
                "发生时间",
                "occurred at",
                "时间",
                "案发时间",
                "上报时间",
                "登记时间",
                "发生日期时间",
                "occurredlocal",
                "datetime",
            ),
            _date("occurred_on", "发生日期", "occurred on", "日期", "date"),
            _integer("occurred_hour", "发生时刻", "occurred hour", "时", "小时", "hour"),
            _moment("received_at", "受理时间", "received at"),
            _moment("due_at", "办理时限", "due at", "截止时间"),
            _moment("closed_at", "办结时间", "closed at", "结案时间"),
            _text("resolved_level", "办结层级", "resolved level"),
            _text("source", "来源", "source", "事件来源", "上报来源"),
            _choice(
                "location_quality",
                "定位质量",
                "location quality",
                {
                    "surveyed": ("实测", "surveyed"),
                    "geocoded": ("地址匹配", "geocoded"),
                    "centroid": ("代表点", "centroid"),
                    "none": ("无位置", "no position"),
                },
                "定位方式",
            ),
        ),
        key="incident_no",
        versioned=False,
        homed=True,
        internal=True,
    ),
    Kind(
        "facility",
        Text("服务设施", "facility"),
        "any",
        (
            _text("name", "名称", "name", "设施名称"),
            _text("type", "类型", "type", "设施类型"),
            _text("level", "层级", "level"),
            _real("floor_area_m2", "建筑面积", "floor area", "建筑面积平方米", unit="m2"),
            _real("service_area_m2", "服务面积", "service area", "服务用房面积", unit="m2"),
            _date("built_on", "建成日期", "built on"),
        ),
        homed=True,
    ),
    Kind(
        "staffing",
        Text("力量配备", "staffing"),
        "none",
        (
            _text("area_code", "区域代码", "area code", *_CODE_ALIASES, required=True),
            _integer("patrol", "巡防队员", "patrol members", "专职巡防队员"),
            _integer("volunteers_urban", "城镇志愿者", "urban volunteers"),
            _integer("volunteers_rural", "农村志愿者", "rural volunteers"),
            _integer("social_workers", "社会工作者", "social workers", "社工"),
            _integer("auxiliary_police", "辅警", "auxiliary police"),
            _integer("legal_adviser", "法律顾问", "legal advisers"),
            _integer("cleaners", "保洁员", "cleaners"),
        ),
        key="area_code",
    ),
    Kind(
        "key_area",
        Text("重点地区", "key area"),
        "polygon",
        (
            _text("name", "名称", "name"),
            _text("area_type", "地区类型", "area type"),
            _text("problem_type", "突出问题", "problem type"),
            _text("quarter", "季度", "quarter"),
            _text("state", "整治状态", "state"),
            _text("effect", "整治效果", "effect"),
        ),
        homed=True,
        internal=True,
    ),
    *(
        Kind(
            name,
            Text(zh, en),
            geometry,
            (
                _text("number", "编号", "number"),
                *more,
                _text("side_type", "类型", "side type"),
                _BORDER_LEVEL,
                _text("area_codes", "相邻区域代码", "codes of the areas"),
                _date("last_inspection", "最近联检", "last inspection"),
                _text("state", "状态", "state"),
                _ORIGIN,
            ),
        )
        for name, zh, en, geometry, more in (
            ("boundary_line", "界线", "boundary line", "line", (_real("length_m", "长度", "length", unit="m"),)),
            ("tri_junction", "三交点", "tri-junction", "point", ()),
            ("boundary_marker", "界桩", "boundary marker", "point", (_text("line_number", "界线编号", "line number"),)),
        )
    ),
    Kind(
        "inspection",
        Text("界线联检", "joint inspection"),
        "none",
        (
            _text("line_number", "界线编号", "line number", required=True),
            _date("inspected_on", "联检日期", "inspected on", "检查日期"),
            _text("units", "参加单位", "units taking part", "联检单位"),
            _choice(
                "state",
                "界线状况",
                "state of the line",
                {
                    "sound": ("完好", "sound"),
                    "marker_damaged": ("界桩损坏", "marker damaged"),
                    "marker_moved": ("界桩移位", "marker moved"),
                    "landmark_changed": ("界线标志物变化", "landmark changed"),
                    "disputed": ("有争议", "disputed"),
                },
                "状况",
            ),
            _text("note", "备注", "note"),
            _text("photo", "照片文件名", "photo file name", "照片"),
        ),
        versioned=False,
    ),
    *(
        Kind(
            name,
            Text(zh, en),
            "polygon",
            (
                _text("name", "名称", "name"),
                _text("zone_type", "区域类型", "zone type"),
                _text("legal_ref", "依据", "legal reference"),
            ),
        )
        for name, zh, en in (
            ("no_camera_zone", "禁设区", "no-camera zone"),
            ("consent_zone", "须征求意见区", "consent zone"),
        )
    ),
    *(
        Kind(
            name,
            Text(zh, en),
            "point",
            (
                _text("name", "名称", "name"),
                _text("state", "状态", "state"),
                _text("area_code", "所属代码", "area code"),
            ),
            homed=True,
        )
        for name, zh, en in (
            ("waste_station", "垃圾收集点", "waste station"),
            ("incinerator", "焚烧设施", "incinerator"),
            ("depot", "中转站", "depot"),
        )
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

REFERENCE = "reference"
"""Prefix of layers with free columns: `reference:schools`. They keep their own column names and stay editable."""

HOME_FIELDS = (_text("village_code", "所在村代码", "village code"), _text("grid_code", "所在网格编码", "grid code"))
"""Columns that homed kinds carry besides their own: where the row fell, by position."""
