"""Drawings on the small office's first village, and how they are sent: a square grid in the south, one in the north."""

import json
from typing import Any

import shapely
from office import ORIGIN, SIDE_DEG, Person, village_code

from geo import crs

HOME = village_code(0)
SOUTH, NORTH = f"{HOME}001", f"{HOME}002"
METRIC = 4546


def at(column: float, row: float) -> list[float]:
    """A place in units of grid sides from the south-west corner of the county."""
    return [round(ORIGIN[0] + column * SIDE_DEG, 9), round(ORIGIN[1] + row * SIDE_DEG, 9)]


def line(*places: tuple[float, float]) -> dict[str, Any]:
    """A GeoJSON line through places."""
    return {"type": "LineString", "coordinates": [at(*place) for place in places]}


def ring(*places: tuple[float, float]) -> dict[str, Any]:
    """A GeoJSON polygon around places."""
    return {"type": "Polygon", "coordinates": [[at(*place) for place in (*places, places[0])]]}


SPLIT = {"op": "split", "grid": SOUTH, "line": line((0.5, -0.1), (0.5, 1.1))}
PUSH = {"op": "push", "grid": SOUTH, "line": line((0.2, 1.0), (0.3, 1.2), (0.6, 1.2), (0.7, 1.0))}
CARVE = {
    "op": "carve", "kind": "dedicated", "name": "石桥小学",
    "ring": ring((0.4, 0.9), (0.6, 0.9), (0.6, 1.1), (0.4, 1.1)),
}  # fmt: skip
MISSES = {"op": "push", "grid": NORTH, "line": line((2.2, 1.0), (2.3, 1.2))}


def send(one: Person, path: str, version: int, *operations: dict[str, Any], preview: bool = False, **more: Any) -> Any:
    """Perform operations in the draft with that address."""
    body = {"version": version, "operations": list(operations), "preview": preview}
    return one.send("POST", f"{path}/operations", body, **more)


def metric(shape: dict[str, Any]) -> shapely.Geometry:
    """A GeoJSON shape in metres, on whole centimetres."""
    flat = crs.transform_geometries([shapely.from_geojson(json.dumps(shape))], crs.LONLAT, METRIC)
    return crs.round_centimetre(flat)[0]


def land_of(one: Person, path: str) -> dict[str, shapely.Geometry]:
    """Editable areas in metres by code, checked to divide their land."""
    found = one.get(f"{path}/areas").json["features"]
    land = {each["id"]: metric(each["geometry"]) for each in found if each["properties"]["editable"]}
    assert shapely.coverage_is_valid(list(land.values()))
    return land
