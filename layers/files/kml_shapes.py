"""Shapes of a KML placemark as WKB: longitude and latitude; altitudes are not kept.

A placemark may hold several shapes, one inside a MultiGeometry or one beside the other; together they are one
geometry. Rings that were not closed are closed. What is no shape (a word for a number, a line of one point) becomes
`UNREADABLE`, so that the row is reported by whoever reads it and not taken for a place that was never recorded.
"""

import math
import struct
from array import array

UNREADABLE = b"\0"
"""Bytes that are no WKB: there was something, but it is no geometry."""

POINT, LINE, POLYGON, COLLECTION = 1, 2, 3, 7
_MULTI = {POINT: 4, LINE: 5, POLYGON: 6}
NAMES = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}


class Shapes:
    """The shapes of one placemark, in the order in which the file tells them."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytes]] = []
        self._rings: list[array] | None = None
        self._inner: list[bool] = []
        self._wrong = False
        self.vertices = 0
        self.multi = False

    def start_polygon(self) -> None:
        """The coordinates that follow are rings."""
        self._rings, self._inner = [], []

    def end_polygon(self) -> None:
        """All rings are there: the outer one first, then the holes."""
        rings, self._rings = self._rings or [], None
        if not any(rings):
            return
        if self._inner.count(False) != 1 or any(len(ring) < 8 for ring in rings):  # 8 numbers: three corners, closed
            self._wrong = True
            return
        order = sorted(range(len(rings)), key=self._inner.__getitem__)
        body = b"".join(_counted(rings[at]) for at in order)
        self._parts.append((POLYGON, struct.pack("<BII", 1, POLYGON, len(rings)) + body))

    def add(self, tag: str, text: str, *, inner: bool) -> None:
        """The coordinates of a Point, LineString or LinearRing; `inner`: the ring of a hole."""
        numbers = read_coordinates(text)
        if numbers is None:
            self._wrong = True
            return
        self.vertices += len(numbers) // 2
        if tag == "LinearRing" and numbers and numbers[:2] != numbers[-2:]:
            numbers.extend(numbers[:2])
        if self._rings is not None:
            if numbers:
                self._rings.append(numbers)
                self._inner.append(inner)
        elif not numbers:
            return
        elif tag == "Point":
            self._parts.append((POINT, struct.pack("<BI", 1, POINT) + _bytes(numbers[:2])))
        elif len(numbers) < 4:
            self._wrong = True
        else:
            self._parts.append((LINE, struct.pack("<BI", 1, LINE) + _counted(numbers)))

    def as_wkb(self) -> tuple[int, bytes | None]:
        """The WKB number of the type and the WKB itself; (0, None) without a shape, (0, UNREADABLE) for a wrong one."""
        if self._wrong:
            return 0, UNREADABLE
        if not self._parts:
            return 0, None
        if len(self._parts) == 1 and not self.multi:
            return self._parts[0]
        kinds = {kind for kind, _ in self._parts}
        kind = _MULTI[kinds.pop()] if len(kinds) == 1 else COLLECTION
        return kind, struct.pack("<BII", 1, kind, len(self._parts)) + b"".join(wkb for _, wkb in self._parts)


def read_coordinates(text: str) -> array | None:
    """lon, lat, lon, lat ... of "lon,lat,altitude lon,lat,altitude"; None when that is not what it says.

    The altitude may be missing, and blanks may stand around the commas.
    """
    numbers = array("d")
    for place in ",".join(part.strip() for part in text.split(",")).split():
        values = place.split(",")
        if not 2 <= len(values) <= 3:
            return None
        try:
            lon, lat = float(values[0]), float(values[1])
        except ValueError:
            return None
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return None
        numbers.append(lon)
        numbers.append(lat)
    return numbers


def _counted(numbers: array) -> bytes:
    return struct.pack("<I", len(numbers) // 2) + _bytes(numbers)


def _bytes(numbers: array) -> bytes:
    return struct.pack(f"<{len(numbers)}d", *numbers)
