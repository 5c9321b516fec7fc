"""A look into a GeoPackage before OGR opens it: views and triggers are programs that the file's author wrote."""

import re
import sqlite3

from geo.words import Text

from .formats import refuse

_HARMLESS_TABLE = re.compile(r"^\s*CREATE\s+VIRTUAL\s+TABLE\s+\S+\s+USING\s+rtree\b", re.IGNORECASE)
_STANDARD_TRIGGER = re.compile(
    r"""^\s*CREATE\s+TRIGGER\s+["'`\[]?(rtree_|gpkg_|trigger_(insert|delete)_feature_count_)""", re.IGNORECASE
)
_SQL_STEPS = 5_000


def require_plain_geopackage(path: str) -> None:
    """Refuse a GeoPackage that carries programs: views, virtual tables other than R*Trees, own triggers."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            connection.execute("pragma trusted_schema=off")
            connection.execute("pragma query_only=on")
            steps = iter(range(_SQL_STEPS))
            connection.set_progress_handler(lambda: 0 if next(steps, None) is not None else 1, 1_000)
            entries = connection.execute("select type, name, coalesce(sql, '') from sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise refuse(
            "unreadable", "GeoPackage 已损坏，无法读取。", "The GeoPackage is damaged and cannot be read."
        ) from error
    finally:
        if "connection" in locals():
            connection.close()
    for kind, _, sql in entries:
        virtual = re.match(r"^\s*CREATE\s+VIRTUAL", sql, re.IGNORECASE)
        foreign_trigger = kind == "trigger" and not _STANDARD_TRIGGER.match(sql)
        if kind == "view" or foreign_trigger or (virtual and not _HARMLESS_TABLE.match(sql)):
            raise refuse(
                "program",
                "GeoPackage 含有视图、触发器或虚拟表等程序，已拒绝。",
                "The GeoPackage carries views, triggers or virtual tables, which are programs, and is refused.",
                Text(
                    "请在桌面软件中把图层另存为新的 GeoPackage。",
                    "Save the layer as a new GeoPackage in a desktop GIS.",
                ),
            )
