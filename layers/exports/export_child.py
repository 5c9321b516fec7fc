"""The writing child: the only place where GDAL writes. Run as `python -m layers.exports.export_child JOB.json`.

The parent hands over Arrow files and a list of what to write; the store is not known here. One process per export:
GDAL brings its own SQLite, and two of them in the process that has the store open would undo each other's locks.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.feather as feather
import pyogrio
import pyogrio.raw


def write(part: dict[str, Any]) -> None:
    """Write one Arrow file as one layer; `part` is an entry of the job (see `gdal_out`)."""
    rows = feather.read_table(part["rows"])
    geometry = part["geometry_type"]
    options: dict[str, Any] = {name: value for name, value in part["options"].items() if value is not None}
    if geometry is not None:
        options |= {"geometry_name": "geometry", "geometry_type": geometry, "crs": part["crs"]}
    pyogrio.raw.write_arrow(
        rows,
        part["target"],
        layer=part["layer"],
        driver=part["driver"],
        encoding=part["encoding"],
        append=False,
        layer_metadata=part["metadata"],
        **options,
    )


def main() -> None:
    """Do the job named on the command line; any failure ends the process with a trace on standard error."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    pyogrio.set_gdal_config_options(job["config"])
    for part in job["parts"]:
        write(part)


if __name__ == "__main__":
    main()
