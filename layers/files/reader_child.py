"""The reading child: opens one file from outside and writes its rows as Arrow into the work folder.

Runs only as a process of its own (`layers.files.sandbox` starts it); the server never imports it. It is handed a request
(path, reader, driver, limits) and leaves `answer.json` and `rows.arrow`. Columns of the output are called c0, c1, ...
(headers are in the answer, where they can do no harm), `row` counts data rows from 1, `geometry` is WKB.
"""

import json
import sys
import warnings
from pathlib import Path

import pyarrow as pa

from geo.words import Text

from ..findings import Finding
from .formats import Refused, refuse
from .reader_out import Output


def read(request: dict, folder: Path) -> dict:
    """Read the file of `request`; the answer as described in `layers.files.reading`."""
    output = Output(request, folder)
    try:
        match request["reader"]:
            case "csv":
                from .reader_csv import read_csv as reader
            case "xlsx":
                from .reader_xlsx import read_xlsx as reader
            case "kml":
                from .reader_kml import read_kml as reader
            case "parquet":
                from .reader_parquet import read_parquet as reader
            case _:
                from .reader_ogr import read_ogr as reader
        return reader(request, output)
    except Refused as refused:
        return {"refused": refused.finding.as_dict()}
    except MemoryError:
        raise
    except pa.ArrowMemoryError as error:
        raise MemoryError from error
    except Exception as error:
        if "File too large" in str(error):  # the limit of what the child may write, seen as an ordinary error
            raise
        # Readers raise errors of many families on damaged files. Whatever it is, the reader of the message needs to
        # know that the file is damaged; the words of the library go to the errors file beside it.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return {"refused": _damaged(error).as_dict()}
    finally:
        output.close()


def _damaged(error: Exception) -> Finding:
    text = str(error).lower()
    if "shx" in text:
        return refuse(
            "unreadable",
            "Shapefile 缺少 .shx 索引文件且无法重建。",
            "The shapefile has no .shx index and it cannot be rebuilt.",
            Text("请提供 .shp、.shx、.dbf 三个文件。", "Provide .shp, .shx and .dbf together."),
        ).finding
    return refuse(
        "unreadable",
        "文件无法读取：结构不完整或已损坏。",
        "The file cannot be read: it is incomplete or damaged.",
        Text("请用桌面软件打开检查并另存后再试。", "Open it in a desktop program, save it anew and try again."),
    ).finding


def main() -> None:
    """Read what the request file named on the command line asks for."""
    warnings.simplefilter("ignore")
    request_file = Path(sys.argv[1])
    folder = request_file.parent
    answer = read(json.loads(request_file.read_text(encoding="utf-8")), folder)
    (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
