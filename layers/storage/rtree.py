"""SQLite's R*Tree in bulk: leaf and inner pages are packed here and written whole.

Row-by-row insertion costs about 10 s per million boxes; packing costs about a tenth. The page layout is SQLite's
(ext/rtree/rtree.c, "Database Format of R-Tree Tables"): big endian, 51 cells of 24 bytes at most, root = page 1.
"""

from typing import Any

import numpy as np
from sqlalchemy import Connection

_CELLS = 51
_CELL = np.dtype([("id", ">i8"), ("box", ">f4", 4)])  # minx, maxx, miny, maxy
_NODE_BYTES = 4 + _CELLS * _CELL.itemsize
_REBUILD_SHARE = 0.1


def _outward(boxes: np.ndarray) -> np.ndarray:
    """float32 boxes that contain the float64 ones: minima rounded down, maxima up."""
    small = boxes.astype(np.float32)
    back = small.astype(np.float64)
    down, up = np.float32(-np.inf), np.float32(np.inf)
    for column, towards in ((0, down), (1, up), (2, down), (3, up)):
        wrong = back[:, column] > boxes[:, column] if towards == down else back[:, column] < boxes[:, column]
        small[wrong, column] = np.nextafter(small[wrong, column], towards)
    return small


def _pages(ids: np.ndarray, boxes: np.ndarray) -> tuple[list[bytes], np.ndarray]:
    """Pages of consecutive cells (51 each) and the box of each page."""
    count = len(ids)
    page_count = -(-count // _CELLS)
    cells = np.zeros(page_count * _CELLS, _CELL)
    cells["id"][:count] = ids
    cells["box"][:count] = boxes
    pages = np.zeros((page_count, _NODE_BYTES), np.uint8)
    sizes = np.full(page_count, _CELLS, dtype=">u2")
    sizes[-1] = count - (page_count - 1) * _CELLS
    pages[:, 2:4] = sizes.view(np.uint8).reshape(-1, 2)
    pages[:, 4:] = cells.view(np.uint8).reshape(page_count, -1)
    starts = np.arange(page_count) * _CELLS
    outer = np.stack(
        [
            np.minimum.reduceat(boxes[:, 0], starts),
            np.maximum.reduceat(boxes[:, 1], starts),
            np.minimum.reduceat(boxes[:, 2], starts),
            np.maximum.reduceat(boxes[:, 3], starts),
        ],
        axis=1,
    )
    return pages.view(f"V{_NODE_BYTES}").ravel().tolist(), outer


def _spatial_order(boxes: np.ndarray) -> np.ndarray:
    """Sort-tile-recursive order: vertical slices, south to north inside each."""
    x = boxes[:, 0] + boxes[:, 1]
    y = boxes[:, 2] + boxes[:, 3]
    slice_count = max(1, int(np.sqrt(len(boxes) / _CELLS)))
    rank = np.empty(len(boxes), np.int64)
    rank[np.argsort(x, kind="stable")] = np.arange(len(boxes))
    return np.lexsort((y, rank * slice_count // len(boxes)))


def write_all(connection: Connection, tree: str, ids: np.ndarray, boxes: np.ndarray) -> None:
    """Replace the whole content of R*Tree `tree` by boxes (float, columns minx, maxx, miny, maxy) of `ids`."""
    cursor: Any = connection.connection.cursor()
    for part in ("node", "rowid", "parent"):
        cursor.execute(f'DELETE FROM "{tree}_{part}"')  # noqa: S608
    if len(ids) == 0:
        cursor.execute(f'INSERT INTO "{tree}_node" VALUES (1, ?)', (bytes(_NODE_BYTES),))  # noqa: S608
        return
    order = _spatial_order(boxes)
    level_ids, level_boxes = ids[order], _outward(boxes[order])
    depth, next_node, leaf = 0, 2, True
    while True:
        pages, outer = _pages(level_ids, level_boxes)
        root = len(pages) == 1
        numbers = np.array([1]) if root else np.arange(next_node, next_node + len(pages))
        next_node += len(pages)
        homes = np.repeat(numbers, _CELLS)[: len(level_ids)]
        if root:
            pages[0] = depth.to_bytes(2, "big") + pages[0][2:]
        cursor.executemany(f'INSERT INTO "{tree}_node" VALUES (?, ?)', zip(numbers.tolist(), pages, strict=True))  # noqa: S608
        sorting = np.argsort(level_ids, kind="stable")
        part = "rowid" if leaf else "parent"
        cursor.executemany(
            f'INSERT INTO "{tree}_{part}" VALUES (?, ?)',  # noqa: S608
            zip(level_ids[sorting].tolist(), homes[sorting].tolist(), strict=True),
        )
        if root:
            return
        level_ids, level_boxes, depth, leaf = numbers, outer, depth + 1, False


def read_all(connection: Connection, tree: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids and float32 boxes of every entry."""
    pages = connection.exec_driver_sql(
        f'SELECT data FROM "{tree}_node" WHERE nodeno NOT IN (SELECT parentnode FROM "{tree}_parent")'  # noqa: S608
    ).scalars()
    ids, boxes = [], []
    for page in pages:
        cells = np.frombuffer(page, _CELL, count=int.from_bytes(page[2:4], "big"), offset=4)
        ids.append(cells["id"].astype(np.int64))
        boxes.append(cells["box"].astype(np.float32))
    if not ids:
        return np.empty(0, np.int64), np.empty((0, 4), np.float32)
    return np.concatenate(ids), np.concatenate(boxes)


def count(connection: Connection, tree: str) -> int:
    """Number of entries."""
    return connection.exec_driver_sql(f'SELECT count(*) FROM "{tree}_rowid"').scalar_one()  # noqa: S608


def extent(connection: Connection, tree: str) -> tuple[float, float, float, float] | None:
    """minx, miny, maxx, maxy of all entries (rounded outward to float32), from the root page alone; None when empty."""
    page = connection.exec_driver_sql(f'SELECT data FROM "{tree}_node" WHERE nodeno = 1').scalar_one()  # noqa: S608
    box = np.frombuffer(page, _CELL, count=int.from_bytes(page[2:4], "big"), offset=4)["box"].astype(float)
    if len(box) == 0:
        return None
    return float(box[:, 0].min()), float(box[:, 2].min()), float(box[:, 1].max()), float(box[:, 3].max())


def add(connection: Connection, tree: str, ids: np.ndarray, boxes: np.ndarray) -> None:
    """Add entries: one by one when few, by packing the whole tree anew when many."""
    present = count(connection, tree)
    if len(ids) < 200 or len(ids) < present * _REBUILD_SHARE:
        cursor: Any = connection.connection.cursor()
        cursor.executemany(
            f'INSERT INTO "{tree}" VALUES (?, ?, ?, ?, ?)',  # noqa: S608
            zip(ids.tolist(), *boxes.T.tolist(), strict=True),
        )
        return
    if present:
        old_ids, old_boxes = read_all(connection, tree)
        ids, boxes = np.concatenate([old_ids, ids]), np.concatenate([old_boxes.astype(float), boxes])
    write_all(connection, tree, ids, boxes)


def remove(connection: Connection, tree: str, ids: np.ndarray) -> None:
    """Remove entries; ids that are not there are no error."""
    present = count(connection, tree)
    if len(ids) < 200 or len(ids) < present * _REBUILD_SHARE:
        cursor: Any = connection.connection.cursor()
        cursor.executemany(f'DELETE FROM "{tree}" WHERE id = ?', ((value,) for value in ids.tolist()))  # noqa: S608
        return
    old_ids, old_boxes = read_all(connection, tree)
    keep = ~np.isin(old_ids, ids)
    write_all(connection, tree, old_ids[keep], old_boxes[keep].astype(float))
