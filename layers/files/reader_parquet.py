"""Reads GeoParquet inside the child, row group by row group with a running count of bytes.

The sizes in a Parquet file's own metadata understate what it decodes to, so only rows are taken from there.
"""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from geo.words import Text

from .formats import refuse
from .reader_ogr import plain, valid_wkb
from .reader_out import Output

_BATCH = 8_192


def read_parquet(request: dict, output: Output) -> dict:
    """Read the table; see `reader_child`."""
    with pq.ParquetFile(request["path"], memory_map=True) as file:
        total = file.metadata.num_rows
        if request["max_rows"] is not None and total > request["max_rows"]:
            raise refuse(
                "limit", f"行数超过 {request['max_rows']}。", f"The layer has more than {request['max_rows']} rows."
            )
        schema = file.schema_arrow
        output.require_columns(len(schema.names))
        name, crs, kinds = _geometry(schema)
        headers = [column for column in schema.names if column != name]
        # Column readers are opened one batch at a time; a dictionary of long texts decodes to far more than it says.
        left = request["max_bytes"]
        for batch in file.iter_batches(_BATCH if output.sample is None else max(1, output.sample)):
            left -= batch.nbytes
            if left < 0:
                raise refuse("limit", "文件展开后过大。", "The file unpacks to too much.")
            columns = [plain(batch.column(batch.schema.get_field_index(column))) for column in headers]
            geometry = valid_wkb(batch.column(batch.schema.get_field_index(name)).to_pylist()) if name else None
            output.write(columns, geometry)
            output.progress(int(request["size"] * min(1.0, output.rows / max(1, total))))
            if output.full:
                break
    return output.answer(headers, geometry=name is not None, geometry_type=kinds, crs=crs, total=total)


def _geometry(schema: pa.Schema) -> tuple[str | None, str | None, str | None]:
    """Name of the geometry column, its CRS and its types; all None for a plain table."""
    stated = (schema.metadata or {}).get(b"geo")
    if stated is None:
        return None, None, None
    facts = json.loads(stated)
    name = facts.get("primary_column", "geometry")
    column = facts.get("columns", {}).get(name, {})
    if name not in schema.names or column.get("encoding") != "WKB":
        raise refuse(
            "geometry_type",
            "GeoParquet 的几何编码不是 WKB，不支持。",
            "The geometry of the GeoParquet is not encoded as WKB.",
            Text("请以 WKB 编码另存。", "Save it with WKB geometry."),
        )
    crs = column.get("crs", "OGC:CRS84")
    return (
        name,
        json.dumps(crs) if isinstance(crs, dict) else crs,
        ",".join(column.get("geometry_types", [])) or "Unknown",
    )
