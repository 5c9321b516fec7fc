"""Administration: the audit trail, settings, backup, taking back an import."""

from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify

from geo.errors import InputError, NotFoundError
from geo.words import Text
from layers.imports.undoing import undo_change
from layers.redrawing import draft_rights
from layers.storage import accounts, audit

from . import bodies, config, current, description, exports
from .language import language
from .parameters import takes

blueprint = APIBlueprint("admin", __name__, tag="admin")
SAVED = "web"
DATUMS = ("wgs84", "gcj02")
_BASEMAP_KEYS = {
    "name", "url", "labels_url", "attribution", "datum", "key", "subdomains", "min_zoom", "max_zoom", "tms",
}  # fmt: skip
_BASEMAP_NUMBERS = {"min_zoom": int, "max_zoom": int, "tms": bool}
_MOST_BASEMAPS = 20


@blueprint.get("/api/v1/audit")
@blueprint.doc(summary="Who did what when, newest first")
@takes("page", "size")
def read_audit(page: int, size: int) -> Response:
    """Rows of the audit chain, and whether the chain is whole."""
    wanted = audit.read_audit(current.store(), limit=page * size)
    broken = audit.verify_chain(current.store())
    rows = wanted[(page - 1) * size :]
    response = jsonify(
        rows=[{key: row[key] for key in ("id", "at", "actor", "action", "details", "change_id")} for row in rows],
        whole=not broken,
        findings=[finding.as_row(language()) for finding in broken[:20]],
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/api/v1/settings")
@blueprint.doc(summary="The settings an administrator may change")
def read_settings() -> Response:
    """Name, help, default and value."""
    code = language()
    response = jsonify(
        [
            {
                "name": setting.name,
                "help": setting.help.to(code),
                "default": current_app.config[setting.name],
                "value": _value(setting.name),
            }
            for setting in config.SETTINGS
            if setting.editable
        ]
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.put("/api/v1/settings")
@blueprint.input(bodies.SettingsChange, arg_name="body")
@blueprint.doc(summary="Change settings")
def change_settings(body: dict[str, Any]) -> Response:
    """The settings as they are now."""
    store = current.store()
    saved = dict(store.settings.get(SAVED) or {})
    for name, value in body["values"].items():
        setting = config.NAMES.get(name)
        if setting is None or not setting.editable:
            raise InputError(
                Text(f"没有可修改的设置“{name}”。", f"There is no setting '{name}' to change."), where=name
            )
        if value is None:
            saved.pop(name, None)
            continue
        saved[name] = basemaps(value) if name == "BASEMAPS" else config.require_type(setting, value)
    approvers = _approvers(saved.pop("APPROVERS", None)) if "APPROVERS" in body["values"] else None
    with store.change(current.viewer().name, "settings", details={"names": sorted(body["values"])}) as change:
        store.settings.put(change.connection, SAVED, saved)
        if approvers is not None:
            store.settings.put(change.connection, draft_rights.APPROVERS, approvers)
    current.forget_settings()
    return read_settings()


def _value(name: str) -> Any:
    """The value in force; who may approve is kept where the layers look for it."""
    return current.store().settings.get(draft_rights.APPROVERS, []) if name == "APPROVERS" else current.setting(name)


def _approvers(given: Any) -> list[str]:
    """Names of accounts that there are; InputError for others."""
    named = list(dict.fromkeys(given or ()))
    known = {account.name for account in accounts.list_accounts(current.store())}
    unknown = [str(name)[:64] for name in named if name not in known]
    if unknown:
        raise InputError(
            Text(f"没有账号“{unknown[0]}”。", f"There is no account '{unknown[0]}'."),
            where="APPROVERS",
            mend=Text("请先新建账号。", "Make the account first."),
        )
    return named


def basemaps(given: Any) -> list[dict[str, Any]]:
    """Online basemaps, checked: the browser fetches them, so their hosts go into the content policy and nowhere else."""
    if not isinstance(given, list) or len(given) > _MOST_BASEMAPS:
        raise _bad_basemap("应为列表。", "a list is wanted.")
    for entry in given:
        if not isinstance(entry, dict) or not set(entry) <= _BASEMAP_KEYS or not entry.get("name"):
            raise _bad_basemap("每项应有 name、url、attribution、datum。", "each has name, url, attribution, datum.")
        texts = [value for key, value in entry.items() if key not in _BASEMAP_NUMBERS]
        if any(not isinstance(value, str) or len(value) > 500 or any(ord(c) < 32 for c in value) for value in texts):
            raise _bad_basemap("取值应为不超过 500 个字符的文字。", "values are texts of at most 500 characters.")
        for key in ("url", "labels_url"):
            if key in entry or key == "url":
                _require_address(entry.get(key, ""))
        if entry.get("datum", "wgs84") not in DATUMS:
            raise _bad_basemap("datum 应为 wgs84 或 gcj02。", "datum is wgs84 or gcj02.")
        for key, kind in _BASEMAP_NUMBERS.items():
            if type(entry.get(key, kind())) is not kind:
                raise _bad_basemap(f"{key} 的类型不对。", f"{key} is of the wrong type.")
    return given


def _require_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        host_ok = bool(parts.hostname) and not set(parts.netloc) & set(" ;,'\"@\\*")
    except ValueError:
        host_ok = False
    if (
        not host_ok
        or parts.scheme not in ("http", "https")
        or not all(part in address for part in ("{z}", "{x}", "{y}"))
    ):
        raise _bad_basemap(
            "地址应为含 {z}/{x}/{y} 的 http(s) 模板。", "the address is an http(s) template with {z}/{x}/{y}."
        )


def _bad_basemap(zh: str, en: str) -> InputError:
    return InputError(Text(f"底图设置不对：{zh}", f"Basemaps: {en}"), where="BASEMAPS")


@blueprint.post("/api/v1/backup")
@blueprint.doc(summary="A backup of the whole store as one file", responses=description.sends())
def make_backup() -> Response:
    """The file, made by the database's own backup while others keep working."""
    from layers.storage import backup

    return exports.download(
        lambda path: backup.backup(current.store(), path), ".gpkg" if current.store().path else ".dump", "backup", None
    )


@blueprint.post("/api/v1/changes/<int:change>/undo")
@blueprint.doc(summary="Take back an import")
def undo(change: int) -> Response:
    """409 when a later change touched the same layer."""
    if change >= 2**62:
        raise NotFoundError(Text("没有这项更改。", "There is no such change."), where="change")
    undo_change(current.store(), change, current.viewer().name)
    return jsonify(undone=change)
