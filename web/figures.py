"""The figures: coverage, hotspots and the density surface, as JSON and as a picture."""

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from apiflask import APIBlueprint
from flask import Response

from layers.figures import derived, rules

from . import current, description, etags, features
from .language import language, t
from .parameters import takes

blueprint = APIBlueprint("figures", __name__, tag="figures")
COVERAGE_TAKES = (
    "rule",
    "rule_set",
    "unit",
    "against",
    "threshold",
    "class",
    "status",
    "older_than",
    "boundaries",
    "known_on",
)
HOTSPOT_TAKES = ("cell_m", "from", "to", "category", "weekdays", "hours", "exposure")
_DENSITY_TAKES = (
    "cell_m", "bandwidth_m", "from", "to", "category", "weekdays", "hours", "as_of", "where", "known_on",
)  # fmt: skip
# Light to dark orange-red, readable without colour as ever darker steps; the ground shows below the first.
_RAMP = ((254, 217, 178), (253, 180, 120), (244, 120, 70), (215, 48, 31), (127, 0, 0))


def rules_state(rule_set: str | None) -> list[Any]:
    """What the figures depend on besides the layers: the rule set as it stands."""
    chosen = rules.read_rule_set(current.store(), rule_set)
    return [chosen.name, chosen.version, chosen.changed_at, chosen.source_date]


def day_of(asked: dict[str, Any]) -> date | None:
    """The day asked for, else today; None when looking back, where it is the day of that moment."""
    return asked["as_of"] or (None if asked["known_on"] else current.today())


def coverage_result(asked: dict[str, Any]) -> Any:
    """The coverage figures the caller asked for."""
    return derived.coverage(
        current.store(),
        current.viewer(),
        rule_id=asked["rule"],
        rule_set=asked["rule_set"],
        unit=asked["unit"],
        as_of=day_of(asked),
        known_on=asked["known_on"],
        against=asked["against"],
        boundaries=asked["boundaries"],
        where=asked["where"],
        threshold=asked["threshold"],
        camera_filter=camera_filter(asked),
    )


def camera_filter(asked: dict[str, Any]) -> Any:
    """Which cameras count; None for all that work."""
    if not any(asked[name] for name in ("class_", "status", "older_than")):
        return None
    return derived.CameraFilter(classes=asked["class_"], statuses=asked["status"], older_than_years=asked["older_than"])


def hotspot_result(asked: dict[str, Any]) -> Any:
    """The hotspots the caller asked for."""
    return derived.hotspots(
        current.store(),
        current.viewer(),
        unit=asked["unit"],
        cell_m=asked["cell_m"],
        date_from=asked["from_"],
        date_to=asked["to"],
        category=asked["category"],
        weekdays=asked["weekdays"],
        hours=asked["hours"],
        exposure=asked["exposure"],
        boundaries=asked["boundaries"],
        as_of=day_of(asked),
        known_on=asked["known_on"],
        where=asked["where"],
    )


@blueprint.get("/api/v1/coverage")
@blueprint.doc(summary="Who falls short of a standard, and by how much")
@takes(*COVERAGE_TAKES, "as_of", "where", "parent")
def coverage(**asked: Any) -> Response:
    """Summary, rows by shortfall, totals, change against an earlier day, provenance."""
    return etags.answer_json(
        None,
        [asked, rules_state(asked["rule_set"])],
        lambda: _within(coverage_result(asked).as_json(language()), asked),
    )


def _within(body: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Only the rows of one area above when asked for; the summary stays that of the whole."""
    if asked["parent"]:
        codes = {asked["parent"]}
        body["rows"] = [row for row in body["rows"] if row["parent_code"] in codes or row["code"] in codes]
    return body


@blueprint.get("/api/v1/hotspots")
@blueprint.doc(summary="Where incidents cluster")
@takes(*HOTSPOT_TAKES, "unit", "as_of", "boundaries", "where", "known_on")
def hotspots(**asked: Any) -> Response:
    """Rows with counts, expected counts and tests; for cells their outlines; a sentence for each hotspot."""
    return etags.answer_json(None, [asked, rules_state(None)], lambda: _hotspots(hotspot_result(asked)))


def _hotspots(result: Any) -> dict[str, Any]:
    body = result.as_json(language())
    if result.cells is not None:
        body["geometry"] = json.loads(features.outlines(result.cells))
    return body


@blueprint.get("/api/v1/density")
@blueprint.doc(summary="Where the density surface lies and what its classes mean")
@takes(*_DENSITY_TAKES)
def density(**asked: Any) -> Response:
    """Bounds, size and class limits in incidents per square kilometre; the picture is density.png."""
    return etags.answer_json(None, asked, lambda: _density(density_result(asked)))


@blueprint.get("/api/v1/density.png")
@blueprint.doc(summary="The density surface as a picture", responses=description.sends("image/png"))
@blueprint.doc(summary="The density surface as a picture with a clear ground")
@takes(*_DENSITY_TAKES)
def density_picture(**asked: Any) -> Response:
    """An indexed PNG, one colour per class, the lowest class clear."""
    return etags.answer(None, asked, lambda: picture(density_result(asked)), "image/png")


def density_result(asked: dict[str, Any]) -> Any:
    """The density surface the caller asked for."""
    return derived.density(
        current.store(),
        current.viewer(),
        cell_m=asked["cell_m"],
        bandwidth_m=asked["bandwidth_m"],
        date_from=asked["from_"],
        date_to=asked["to"],
        category=asked["category"],
        weekdays=asked["weekdays"],
        hours=asked["hours"],
        as_of=day_of(asked),
        known_on=asked["known_on"],
        where=asked["where"],
    )


def levels(surface: np.ndarray) -> list[float]:
    """Lower limits of the classes, rising in steps of 1, 3, 10, 30 ... up to the last below the peak.

    Densities differ by orders of magnitude between a town and its hills; even steps would show the town alone.
    """
    peak = float(np.nanmax(surface, initial=0.0))
    if peak <= 0:
        return []
    power = int(np.floor(np.log10(peak)))
    series = [factor * 10.0**exponent for exponent in range(power - 2, power + 1) for factor in (1, 3)]
    return [round(limit, 12) for limit in series if limit < peak][-len(_RAMP) :]


def _density(result: Any) -> dict[str, Any]:
    height, width = result.array.shape
    limits = levels(result.array)
    classes = zip(limits, [*limits[1:], None], _RAMP, strict=False)
    return {
        "bounds": [float(v) for v in result.bounds],
        "width": width,
        "height": height,
        "levels": [
            {"from": low, "to": high, "color": "#{:02X}{:02X}{:02X}".format(*colour)} for low, high, colour in classes
        ],
        "provenance": result.provenance,
    }


def picture(result: Any) -> bytes:
    """The surface as PNG, north up, classes as in `levels`."""
    from PIL import Image

    classes = np.digitize(np.nan_to_num(result.array), levels(result.array)).astype(np.uint8)
    image = Image.fromarray(classes, "P")
    image.putpalette([0, 0, 0, *(channel for colour in _RAMP for channel in colour)])
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0, optimize=True)
    return out.getvalue()


def options_of(what: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The options of `layers.figures.derived` that an export or a print of a figure takes from the same parameters."""
    if what == "coverage":
        return {
            "rule_id": asked["rule"],
            "rule_set": asked["rule_set"],
            "unit": asked["unit"],
            "boundaries": asked["boundaries"],
            "threshold": asked["threshold"],
            "camera_filter": camera_filter(asked),
        }
    if what == "hotspots":
        return {
            "unit": asked["unit"],
            "cell_m": asked["cell_m"],
            "date_from": asked["from_"],
            "date_to": asked["to"],
            "category": asked["category"],
            "weekdays": asked["weekdays"],
            "hours": asked["hours"],
            "exposure": asked["exposure"],
            "boundaries": asked["boundaries"],
        }
    return {}


def describe_column(name: str, column: pd.Series) -> dict[str, Any]:
    """A column of figures for the table."""
    kinds = {"i": "integer", "u": "integer", "f": "real", "b": "boolean", "M": "date"}
    return {
        "name": name,
        "label": t(f"api.{name}"),
        "dtype": kinds.get(column.dtype.kind, "text"),
        "choices": [],
        "unit": "",
    }
