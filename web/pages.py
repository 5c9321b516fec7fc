"""The pages people open: one shell, the words and colours it needs, and nothing of the data, which scripts fetch."""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import metadata, resources
from typing import Any, cast

from flask import Blueprint, Flask, Response, abort, render_template, request, send_from_directory
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from layers import rights
from layers.kinds import KINDS
from layers.redrawing import draft_rights

from . import api, assets, basemaps, current, early, language, maps, security

PAGES = ("map", "coverage", "hotspots", "redraw", "layers", "reports", "admin", "help")
"""Pages in the order of the rail; the address is `/` for the map and `/<page>` for the others."""

FONT_FILES = frozenset({"WanggeSansSC.woff2"})

blueprint = Blueprint("pages", __name__)


blueprint.record_once(lambda state: assets.register(cast(Flask, state.app)))


@blueprint.get("/")
def start() -> str:
    """The map with all layers."""
    return _map_page("map")


@blueprint.get("/coverage")
def coverage() -> str:
    """Where cameras fall short of the rule."""
    return _map_page("coverage")


@blueprint.get("/hotspots")
def hotspots() -> str:
    """Where incidents cluster."""
    return _map_page("hotspots")


@blueprint.get("/redraw")
def redraw() -> str:
    """Where boundaries are redrawn, handed on and decided."""
    return _map_page("redraw", template="redraw")


@blueprint.get("/layers")
def layers() -> str:
    """What is kept, where it came from, and the import."""
    may_import = current.viewer().may("import")
    return _page("layers", may_import=may_import, shell=_shell() if may_import else None)


@blueprint.get("/reports")
def reports() -> str:
    """Maps, tables and layers to take away."""
    return _page("reports")


@blueprint.get("/admin")
def admin() -> str:
    """Accounts, rule sets, settings, audit trail, jobs and backup."""
    return _page("admin")


@blueprint.get("/help")
def guide() -> str:
    """How to use wangge, without a network."""
    return _page("help")


@blueprint.get("/fonts/<file>")
def font(file: str) -> Response:
    """The bundled Chinese font, for machines that have none."""
    if file not in FONT_FILES:
        abort(404)
    with resources.as_file(resources.files("data") / "fonts") as folder:
        return send_from_directory(folder, file, max_age=30 * 24 * 3600)


@blueprint.app_context_processor
def words_and_pieces() -> dict[str, Any]:
    """What every template needs, also the sign-in and error pages that are rendered elsewhere."""
    signed_in = bool(current_user and current_user.is_authenticated)
    return {
        "language": language.language(),
        "account": {"name": current_user.viewer.name} if signed_in else None,
        "asset": assets.address,
        "icon": icon,
        "place_name": current.setting("PLACE_NAME") if signed_in else "",
        "page": "door",
    }


def icon(name: str) -> Markup:
    """One drawing of `templates/icons.html`; always beside a word, so hidden from screen readers."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>').format(name)


@cache
def _cartography() -> Mapping[str, Any]:
    return json.loads((resources.files("data") / "cartography.json").read_text("utf-8"))


@lru_cache(maxsize=4)
def _rendered_shell(basemaps: str) -> maps.Shell:
    return maps.map_shell(basemaps=json.loads(basemaps))


def _shell() -> maps.Shell:
    shell = _rendered_shell(json.dumps(_basemaps()))
    shell = shell.with_nonce(security.nonce())
    head = shell.head.replace(maps.VENDOR_URL, assets.address("vendor/"))
    # folium's own text around settings of the administrator, which folium writes as JSON and we as escaped text.
    return maps.Shell(*(Markup(part) for part in (head, shell.body, shell.script)))  # noqa: S704


def _basemaps() -> list[dict[str, Any]]:
    return basemaps.listed()


def _map_page(page: str, template: str = "map") -> str:
    listed = api.described_layers()
    bounds = api.session_facts()["place"]["bounds"]
    return _page(
        page,
        template=template,
        shell=_shell(),
        start=early.first_view(page, request.args, listed, bounds),
    )


def _page(page: str, *, template: str | None = None, start: early.FirstView | None = None, **values: Any) -> str:
    viewer = current.viewer()
    code = language.language()
    rail = [{"page": name, "href": "/" if name == "map" else f"/{name}"} for name in PAGES if _opens(name, viewer)]
    account = {"name": viewer.name, "role_label": rights.ROLES[viewer.role].to(code), "areas": list(viewer.areas)}
    return render_template(
        f"{template or page}.html",
        page=page,
        rail=rail,
        account=account,
        today=current.today().isoformat(),
        nonce=security.nonce(),
        modules=assets.modules_of(page),
        config_json=_as_script(_config(page, code) | ({"start": start.config} if start else {})),
        early_json=_as_script(start.addresses if start else []),
        **values,
    )


def _opens(page: str, viewer: rights.Viewer) -> bool:
    """Whether the rail shows a page: only what the reader may open."""
    if page == "redraw":
        return draft_rights.has_sight(current.store(), viewer)
    return page != "admin" or viewer.may("accounts")


def _config(page: str, code: str) -> dict[str, Any]:
    return {
        "page": page,
        "language": code,
        "words": _words(page, code),
        "cartography": _cartography(),
        "product": f"wangge {metadata.version('wangge')}",
        "today": current.today().isoformat(),
        "csrf": generate_csrf(),
        # What every page asks first comes with it: one round less until something is drawn.
        "session": api.session_facts(),
        "layers": api.described_layers(),
        "basemaps": [
            {
                "name": str(basemap.get("name", "")),
                "datum": basemap.get("datum", "wgs84"),
                "labels": bool(basemap.get("labels_url")),
            }
            for basemap in _basemaps()
        ],
        "kinds": {name: kind.label.to(code) for name, kind in KINDS.items()},
        "fields": _fields(code) if page == "layers" else {},
        "roles": {name: label.to(code) for name, label in rights.ROLES.items()} if page == "admin" else {},
        "vendor": {
            name: assets.address(f"vendor/{name}")
            for name in ("tabulator.min.mjs", "tabulator.min.css", "protomaps-leaflet.js")
        },
    }


@cache
def _words(page: str, code: str) -> dict[str, str]:
    """What the modules of a page may say: the words of every group that one of them names, and those of no group."""
    named = set(re.findall(r"[\"'`]([a-z_]+)\.", assets.text_of(page)))
    return {
        key: both.get(code) or both["zh"]
        for key, both in language.words().items()
        if "." not in key or key.split(".")[0] in named
    }


def _fields(code: str) -> dict[str, list[dict[str, Any]]]:
    """What a column of a file can become, by kind: for the mapping of an import."""
    return {
        name: [{"name": field.name, "label": field.label.to(code), "required": field.required} for field in kind.fields]
        for name, kind in KINDS.items()
    }


def _as_script(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
