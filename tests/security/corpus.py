"""Every hostile file of the catalogue, built in memory: name -> (file name, bytes).

Nothing here is a binary fixture. `MARKER` is the text of a secret that lies beside the store and must never come out;
`{secret}` and `{port}` are filled in with its path and with the port of a server that counts requests.
"""

import gzip
import io
import json
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MARKER = "MARKER-a8f3c1"
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource relativeToVRT="0">{secret}</SrcDataSource>'
    "<SrcLayer>secret</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"
)
VRT_URL = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:{port}/x</SrcDataSource>'
    "</OGRVRTLayer></OGRVRTDataSource>"
)
SUFFIXES = (
    ".csv",
    ".txt",
    ".json",
    ".geojson",
    ".gpkg",
    ".kml",
    ".gml",
    ".shp",
    ".xlsx",
    ".fgb",
    ".parquet",
    ".vrt",
    ".dbf",
    ".zip",
    ".gpx",
)


def geopackage(*statements: str) -> bytes:
    """A GeoPackage with one empty layer and whatever `statements` add."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.gpkg"
        connection = sqlite3.connect(path)
        connection.executescript(
            """
            PRAGMA application_id = 1196444487; PRAGMA user_version = 10300;
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
                organization_coordsys_id INTEGER, definition TEXT, description TEXT);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84"]', NULL);
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, description TEXT,
                last_change DATETIME, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT,
                srs_id INTEGER, z TINYINT, m TINYINT);
            CREATE TABLE village (fid INTEGER PRIMARY KEY, code TEXT);
            INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('village', 'attributes', 'village');
            """
        )
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return path.read_bytes()


def zipped(members: dict[str, bytes], *, links: tuple[str, ...] = ()) -> bytes:
    """A zip of members; names in `links` are marked as symbolic links."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in links:
                info.create_system, info.external_attr = 3, 0o120777 << 16
            archive.writestr(info, data)
    return out.getvalue()


def lying_zip() -> bytes:
    """A zip whose directory says a hundred bytes where thirty million come out."""
    data = bytearray(zipped({"a.geojson": b" " * 30_000_000}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(data)


def dbf(count: int) -> bytes:
    """A table with one text field and no rows whose header claims `count`."""
    field = b"NAME\0\0\0\0\0\0\0C\0\0\0\0\x14" + b"\0" * 15
    return struct.pack("<BBBBIHH20x", 3, 26, 1, 1, count, 65, 21) + field + b"\x0d"


def shapefile(length: int, parts: int | None = None) -> bytes:
    """A header that claims `length` words, and maybe one polygon that claims `parts`."""
    head = struct.pack(">I20xI", 9994, length) + struct.pack("<II8d", 1000, 5 if parts else 1, *([0.0] * 8))
    if parts is None:
        return head
    return head + struct.pack(">II", 1, 1000) + struct.pack("<I4dII", 5, 0, 0, 1, 1, parts, parts)


def workbook(sheet: str, *, shared: str = "") -> bytes:
    """The smallest workbook around the XML of one sheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    return zipped(
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{package}/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/>'
                '<Override PartName="/xl/workbook.xml" '
                'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
            ).encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="s" sheetId="1" r:id="r1"/>'
                "</sheets></workbook>"
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relations}/worksheet" '
                'Target="worksheets/sheet1.xml"/></Relationships>'
            ).encode(),
            "xl/worksheets/sheet1.xml": f'{shared}<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>'.encode(),
        }
    )


def far_cell() -> bytes:
    """One header row and one cell in the last corner of a sheet."""
    return workbook(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>名称</t></is></c><c r="B1" t="inlineStr"><is><t>经度</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )


def laughs() -> str:
    """Ten levels of ten."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE k [<!ENTITY l0 "ha">{levels}]>'


def dictionary_parquet(rows: int = 2_000_000) -> bytes:
    """A small file that decodes to two gigabytes: one long text, named many times."""
    out = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), pa.array(["x" * 1000]))
    pq.write_table(pa.table({"name": column}), out, compression="zstd")
    return out.getvalue()


KML = (
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>{name}</name></Placemark></Document></kml>'
)


def files(secret: Path, port: int) -> dict[str, tuple[str, bytes]]:
    """Every file of the catalogue; values are file name and content."""
    found: dict[str, tuple[str, bytes]] = {}
    for suffix in SUFFIXES:
        found[f"vrt in {suffix}"] = (f"x{suffix}", VRT.format(secret=secret).encode())
        found[f"vrt to an address in {suffix}"] = (f"x{suffix}", VRT_URL.format(port=port).encode())
    inner = {f"x{suffix}": VRT.format(secret=secret).encode() for suffix in (".csv", ".geojson", ".shp", ".gpkg")}
    for name, data in inner.items():
        found[f"vrt in a zip as {name}"] = ("x.zip", zipped({name: data}))
    entity = f'<?xml version="1.0"?><!DOCTYPE k [<!ENTITY x SYSTEM "file://{secret}.txt">]>'
    external = workbook('<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>', shared=entity)
    linked = KML.format(name="a").replace(
        "<Placemark>", f"<NetworkLink><Link><href>http://127.0.0.1:{port}/x</href></Link></NetworkLink><Placemark>"
    )
    found |= {
        "sqlite with VirtualOGR": ("x.sqlite", virtual_ogr(secret)),
        "gpkg with VirtualOGR": ("x.gpkg", virtual_ogr(secret)),
        "gpkg view that never ends": (
            "x.gpkg",
            geopackage(
                "create view bomb as with recursive n(i) as (select 1 union all select i+1 from n) select count(*) as code from n",
                "insert into gpkg_contents (table_name, data_type, identifier) values ('bomb', 'attributes', 'bomb')",
            ),
        ),
        "gpkg with a trigger": (
            "x.gpkg",
            geopackage("create trigger t after insert on village begin insert into village (code) values ('x'); end"),
        ),
        "gpkg that reads files": ("x.gpkg", geopackage(f"create view v as select readfile('{secret}') as code")),
        "kml with an entity": ("x.kml", (entity + KML.format(name="&x;")).encode()),
        "kml with an entity in UTF-16": ("x.kml", (entity + KML.format(name="&x;")).encode("utf-16")),
        "kml that laughs": ("x.kml", (laughs() + KML.format(name="&l9;")).encode()),
        "kml with a network link": ("x.kml", linked.encode()),
        "xlsx with an entity": ("x.xlsx", external),
        "xlsx that laughs": (
            "x.xlsx",
            workbook('<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>', shared=laughs()),
        ),
        "xlsx with a far cell": ("x.xlsx", far_cell()),
        "zip bomb": ("x.zip", zipped({"a.geojson": b" " * 300_000_000})),
        "zip with a lying header": ("x.zip", lying_zip()),
        "gzip bomb": ("x.csv.gz", gzip.compress(b" " * 300_000_000)),
        "zip with many members": ("x.zip", zipped({f"{n}.csv": b"a" for n in range(1_001)})),
        "zip in a zip": ("x.zip", zipped({"a.zip": zipped({"a.csv": b"a"}), "b.csv": b"a,b\n1,2\n"})),
        "zip that climbs": (
            "x.zip",
            zipped({"../../up.csv": b"code\n1\n", "/abs.csv": b"code\n1\n", "C:\\w.csv": b"code\n1\n"}),
        ),
        "zip with a link": ("x.zip", zipped({"a.csv": str(secret).encode()}, links=("a.csv",))),
        "dbf that claims two billion rows": ("x.dbf", dbf(2_000_000_000)),
        "shp that claims two gigabytes": ("x.shp", shapefile(0x7FFFFFF0)),
        "shp with fifty million parts": ("x.shp", shapefile(1000, 50_000_000)),
        "nested arrays": (
            "x.geojson",
            b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":{"a":'
            + b"[" * 1_000_000,
        ),
        "nested collections": (
            "x.geojson",
            b'{"type":"GeometryCollection","geometries":[' * 20_000 + b"]}" * 20_000,
        ),
        "numbers that are none": (
            "x.geojson",
            b'{"type":"Feature","properties":{"a":NaN,"b":1e999},"geometry":{"type":"Point","coordinates":[NaN,Infinity]}}',
        ),
        "a number of five thousand digits": (
            "x.geojson",
            b'{"type":"Feature","properties":{"a":' + b"9" * 5_000 + b'},"geometry":null}',
        ),
        "topojson with a wild arc": (
            "x.topojson",
            b'{"type":"Topology","arcs":[],"objects":{"a":{"type":"Polygon","arcs":[[999999999]]}}}',
        ),
        "flatgeobuf with a huge header": ("x.fgb", b"fgb\x03fgb\x00" + struct.pack("<I", 0x7FFFFFFF) + b"\0" * 100),
        "flatgeobuf cut short": ("x.fgb", b"fgb\x03fgb\x00\x10"),
        "parquet that unfolds": ("x.parquet", dictionary_parquet()),
        "parquet of nothing": ("x.parquet", b"PAR1" + b"\0" * 20 + b"PAR1"),
        "five thousand columns": ("x.csv", ",".join(f"c{n}" for n in range(5_000)).encode() + b"\n"),
        "a cell of ten megabytes": ("x.csv", "名称,经度,纬度\n".encode() + b"x" * 10_000_000 + b",109,29\n"),
        "a table of NUL": ("x.csv", b"\0" * 100_000),
        "an old workbook": ("x.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 1000),
        "a quote that never ends": ("x.csv", '名称,经度,纬度\n"abc\n'.encode() + b"x,y,z\n" * 1000),
        "deep json as lines": ("x.geojsonl", b'{"a":' * 100_000),
    }
    return found


def virtual_ogr(secret: Path) -> bytes:
    """A GeoPackage with a virtual table that opens another file."""
    sql = f"CREATE VIRTUAL TABLE vt USING VirtualOGR('{secret}')".replace("'", "''")
    return geopackage(
        "pragma writable_schema = 1",
        f"insert into sqlite_master values ('table', 'vt', 'vt', 0, '{sql}')",
        "insert into gpkg_contents (table_name, data_type, identifier) values ('vt', 'attributes', 'vt')",
    )


NAMES = (
    "网格.csv", "a\u202egpj.csv", "a\nb.csv", "CON.csv", "x" * 200 + ".csv", "=1+1.csv", "'; drop table village; --.csv",
    "<script>alert(1)<script>.csv", "%2e%2e%2fetc.csv", "a b.csv", "-rf.csv", "$(touch x).csv", "..csv", "\u0301.csv",
)  # fmt: skip
"""File names that must be harmless: shown as text, never used as a path."""

VALUES = (
    "</script><img src=x onerror=alert(1)>", "=HYPERLINK(\"http://x\")", "../../etc/passwd", "運誠乗縗", "'; DROP TABLE x; --",
    "{{7*7}}", "%s%n", "a\u202eb", "𠀀𪚥", "\\", "NULL", "nan", "+1", "@SUM(A1)", "🏘️", "\u0000x",
)  # fmt: skip
"""Values that must be stored and shown as the text they are."""


def mutants(data: bytes, count: int, seed: int) -> list[bytes]:
    """Damaged copies: flipped bits, cut ends, doubled blocks."""
    import random

    rng = random.Random(seed)
    made = []
    for number in range(count):
        copy = bytearray(data)
        if number % 3 == 0:
            for _ in range(rng.randint(1, 8)):
                copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
        elif number % 3 == 1:
            copy = copy[: rng.randrange(1, len(copy))]
        else:
            start = rng.randrange(len(copy))
            block = copy[start : start + rng.randint(1, 400)]
            copy[start:start] = block
        made.append(bytes(copy))
    return made


def sources() -> dict[str, Callable[[Path], Path]]:
    """One good file per format, for damaging."""
    import geopandas as gpd
    import shapely

    frame = gpd.GeoDataFrame(
        {"code": ["433127101201", "433127101202"], "name": ["甲村", "乙村"]},
        geometry=[shapely.box(109, 29, 109.1, 29.1), shapely.box(109.1, 29, 109.2, 29.1)],
        crs=4326,
    )

    def ogr(name: str, driver: str) -> Callable[[Path], Path]:
        def make(folder: Path) -> Path:
            frame.to_file(folder / name, driver=driver)
            return folder / name

        return make

    def parquet(folder: Path) -> Path:
        frame.to_parquet(folder / "a.parquet")
        return folder / "a.parquet"

    def kml(folder: Path) -> Path:
        (folder / "a.kml").write_text(KML.format(name="甲村"), encoding="utf-8")
        return folder / "a.kml"

    def topojson(folder: Path) -> Path:
        body = {
            "type": "Topology",
            "arcs": [[[0, 0], [1, 0], [1, 1], [0, 0]]],
            "objects": {"a": {"type": "Polygon", "arcs": [[0]]}},
        }
        (folder / "a.topojson").write_text(json.dumps(body))
        return folder / "a.topojson"

    return {
        "gpkg": ogr("a.gpkg", "GPKG"), "geojson": ogr("a.geojson", "GeoJSON"), "fgb": ogr("a.fgb", "FlatGeobuf"),
        "shp": ogr("a.shp", "ESRI Shapefile"), "parquet": parquet, "kml": kml, "topojson": topojson,
    }  # fmt: skip
