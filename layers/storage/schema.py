"""The store's tables, built from `kinds.py`, the same on GeoPackage and PostgreSQL.

`<kind>_row` holds every row there ever was of a kind. A row is never updated in place except for the columns that end
it (`valid_to`, `closed_by`, `retired_at`, `retired_by`) and, on homed kinds, where it falls.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine, UserDefinedType

from ..kinds import HOME_FIELDS, KINDS, Field, Kind
from .geometry import SRID, Geom

LATEST = 3
"""Number of the newest migration in `migrate.py`."""


class Day(UserDefinedType):
    """A date; text `YYYY-MM-DD` in Python and in SQLite, DATE in PostgreSQL."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """DATE in both."""
        return "DATE"

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        """Dates and ISO text are taken."""
        return lambda value: value.isoformat() if isinstance(value, date) else value

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        """ISO text, whatever the driver gives."""
        return lambda value: value.isoformat() if isinstance(value, date) else value


class Moment(UserDefinedType):
    """A moment in UTC; text `YYYY-MM-DDTHH:MM:SS.sssZ` in Python and SQLite, TIMESTAMPTZ in PostgreSQL."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """DATETIME, the GeoPackage word."""
        return "DATETIME"

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        """Aware datetimes and text are taken."""
        return lambda value: moment_text(value) if isinstance(value, datetime) else value

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        """Text with a trailing Z, whatever the driver gives."""
        return lambda value: moment_text(value) if isinstance(value, datetime) else value


@compiles(Moment, "postgresql")
def _moment_on_postgresql(_type: Moment, _compiler: Any, **_: Any) -> str:
    return "TIMESTAMPTZ"


@compiles(Geom, "postgresql")
def _geometry_on_postgresql(_type: Geom, _compiler: Any, **_: Any) -> str:
    return f"geometry(Geometry,{SRID})"


def moment_text(value: datetime) -> str:
    """ISO text of an aware datetime in UTC, milliseconds, trailing Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def now() -> str:
    """This moment as stored."""
    return moment_text(datetime.now(UTC))


BIG = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData()

_TYPES: dict[str, Callable[[], TypeEngine]] = {
    "text": Text,
    "integer": lambda: BIG,
    "real": Double,
    "boolean": Boolean,
    "date": Day,
    "datetime": Moment,
}


def column_type(field: Field) -> TypeEngine:
    """The column type of a field."""
    return _TYPES[field.dtype]()


def own_fields(kind: Kind) -> tuple[Field, ...]:
    """The fields of a kind with the home columns of homed kinds."""
    return kind.fields + (tuple(f for f in HOME_FIELDS if f.name not in kind.names) if kind.homed else ())


def _row_table(kind: Kind) -> Table:
    columns = [Column("fid", BIG, primary_key=True, autoincrement=True)]
    if kind.geometry != "none":
        columns.append(Column("geom", Geom))
    columns += [Column(field.name, column_type(field)) for field in own_fields(kind)]
    if kind.versioned:
        columns += [Column("valid_from", Day, nullable=False), Column("valid_to", Day), Column("closed_by", BIG)]
    columns += [
        Column("recorded_at", Moment, nullable=False),
        Column("created_by", BIG, nullable=False),
        Column("retired_at", Moment),
        Column("retired_by", BIG),
    ]
    table = Table(f"{kind.name}_row", metadata, *columns, sqlite_autoincrement=True)
    if kind.is_area:
        Index(f"{kind.name}_row_by_key", table.c[kind.key])
        Index(f"{kind.name}_row_by_parent", table.c[kind.parent])
    return table


ROWS: dict[str, Table] = {name: _row_table(kind) for name, kind in KINDS.items()}

change = Table(
    "change",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("state", Text, nullable=False),  # pending, done, undone; abandoned, then erased
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kinds", Text, nullable=False, default="[]"),
    Column("rows", Text, nullable=False, default="{}"),
    Column("details", Text, nullable=False, default="{}"),
    Column("source", Text),
    Column("key", Text, unique=True),
    Column("answer", Text),
    Column("process", Text),
    Column("opened_at", Moment, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    Column("closed_at", Moment),
    sqlite_autoincrement=True,
)
Index("change_by_state", change.c.state)

layer_version = Table(
    "layer_version",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("version", BIG, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("change_id", BIG),
    Column("source", Text),
    Column("imported_at", Moment),
    Column("row_total", BIG),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("change_id", BIG),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("areas", Text, nullable=False, default="[]"),
    Column("language", Text, nullable=False, default="zh"),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False, default=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("session_version", Integer, nullable=False, default=1),
    Column("created_at", Moment, nullable=False),
    Column("last_sign_in_at", Moment),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("subject", Text, primary_key=True),  # "name:..." or "address:..."
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # queued, running, done, failed, cancelled
    Column("payload", Text, nullable=False),
    Column("key", Text, unique=True),
    Column("progress", Double, nullable=False, default=0.0),
    Column("message", Text),
    Column("result", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("sequence", BIG, nullable=False),
    Column("submitted_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("heartbeat_at", Moment),
    Column("finished_at", Moment),
)
Index("job_by_state", job.c.state)

reference = Table(
    "reference",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("table_name", Text, nullable=False, unique=True),
    Column("columns", Text, nullable=False),
    Column("geometry", Text, nullable=False),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("based_on", Text),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("version", Integer, nullable=False, default=1),
)

setting = Table("setting", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

mapping_memory = Table(
    "mapping_memory",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("mapping", Text, nullable=False),
    Column("used_at", Moment, nullable=False),
)

draft = Table(
    "draft",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False, default=1),
    Column("level", Text, nullable=False),  # grid, village or township: what is redrawn
    Column("parent_kind", Text),  # village, township or county; null: a store without villages
    Column("parent_code", Text),
    Column("title", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("decision_number", Text, nullable=False, default=""),
    Column("attachments", Text, nullable=False, default="[]"),
    Column("author", Text, nullable=False),
    Column("editors", Text, nullable=False, default="[]"),  # accounts that drew in it
    Column("state", Text, nullable=False),  # draft, proposed, reviewed, approved, discarded
    Column("effective_from", Day, nullable=False),
    Column("correction", Boolean, nullable=False, default=False),
    Column("operations", Text, nullable=False, default="[]"),
    Column("redone", Text, nullable=False, default="[]"),
    Column("lost", Text, nullable=False, default="[]"),
    Column("locked", Text, nullable=False, default="[]"),
    Column("base", Text, nullable=False, default="{}"),
    Column("codes", Text, nullable=False, default="[]"),  # codes it gives to new areas
    Column("reviews", Text, nullable=False, default="[]"),
    Column("change_id", BIG),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("draft_by_state", draft.c.state)

lineage = Table(
    "lineage",
    metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("level", Text, nullable=False),  # the kind of area: grid, village, township
    Column("old_code", Text, nullable=False),
    Column("new_code", Text, nullable=False),
    Column("kind", Text, nullable=False),  # split, merge, carve, dissolve, recode ...
    Column("share_of_area", Double, nullable=False),
    Column("share_of_households", Double),
    Column("on", Day, nullable=False),
    Column("change_id", BIG, nullable=False),
    sqlite_autoincrement=True,
)
Index("lineage_by_old", lineage.c.old_code)
Index("lineage_by_new", lineage.c.new_code)

migration = Table(
    "migration",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", Moment, nullable=False),
)

GUARDED = (
    *ROWS.values(),
    change,
    audit,
    account,
    sign_in_try,
    job,
    rule_set,
    setting,
    mapping_memory,
    reference,
    draft,
    lineage,
)
"""Tables that only wangge's own connections may change."""
