"""GeoJSON and GeoParquet, written without GDAL: both are small formats whose every byte we want to decide.

GeoJSON follows RFC 7946: WGS 84 longitude and latitude (CGCS2000 is the same within centimetres, so nothing is
shifted), outer rings counter-clockwise, no `crs` member. The provenance is a foreign member. GeoParquet is version 1.1
with the box of every row beside it, so that readers can skip row groups; the provenance is a key of the file.
"""

import json
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from ..selection.export_table import ExportTable, python_values

_BATCH = 20_000
ROW_GROUP = 50_000


def write_geojson(table: ExportTable, path: Path) -> None:
    """Write a FeatureCollection, one feature a line; rows without position have a null geometry."""
    names = [field.name for field in table.fields]
    head = {"type": "FeatureCollection", "name": table.name, "provenance": table.provenance}
    to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False, default=str)[:-1] + ', "features": [')
        for start in range(0, len(table.frame), _BATCH):
            rows = table.frame.iloc[start : start + _BATCH]
            columns = [_json_values(rows[field.name], field.dtype) for field in table.fields]
            shapes = _json_shapes(rows.geometry.array, len(rows)) if table.spatial else repeat("null", len(rows))
            values = zip(*columns, strict=True) if columns else repeat((), len(rows))
            for number, (row, shape) in enumerate(zip(values, shapes, strict=True)):
                properties = to_json(dict(zip(names, row, strict=True)))
                comma = "\n" if start + number == 0 else ",\n"
                file.write(f'{comma}{{"type": "Feature", "properties": {properties}, "geometry": {shape}}}')
        file.write("\n]}\n")


def _json_values(column: Any, dtype: str) -> list[Any]:
    values = python_values(column, dtype)
    if dtype in ("date", "datetime"):
        return [None if value is None else value.isoformat() for value in values]
    return values


def _json_shapes(geometries: Any, count: int) -> list[str]:
    shapes = shapely.orient_polygons(np.asarray(geometries, dtype=object))
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    texts = np.full(count, "null", dtype=object)
    texts[there] = shapely.to_geojson(shapes[there])
    return texts.tolist()


def write_parquet(table: ExportTable, path: Path) -> None:
    """Write GeoParquet 1.1 (plain Parquet for tables without geometry), zstd, provenance under the key `provenance`."""
    frame = table.frame[[field.name for field in table.fields] + (["geometry"] if table.spatial else [])]
    if table.spatial:
        frame.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True, compression="zstd")
    else:
        frame.to_parquet(path, index=False, compression="zstd")
    written = pq.read_table(path)
    provenance = json.dumps(table.provenance, ensure_ascii=False, default=str)
    metadata = {**(written.schema.metadata or {}), b"provenance": provenance.encode()}
    pq.write_table(written.replace_schema_metadata(metadata), path, compression="zstd", row_group_size=ROW_GROUP)
