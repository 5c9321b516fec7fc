"""A county's 2,296 blocks as grids: operations replayed from the command line, and the layer the draft would make."""

import io
import json
from contextlib import redirect_stdout

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo import crs
from geo.centimetres import doubled_area
from web.cli import main

pytestmark = pytest.mark.real
STEP = 75


def run(*arguments, expect=0) -> str:
    """Standard output of one command that must end as expected."""
    out = io.StringIO()
    with redirect_stdout(out):
        status = main([str(argument) for argument in arguments])
    assert status == expect, (arguments, out.getvalue()[-2000:])
    return out.getvalue()


@pytest.fixture(scope="module")
def blocks(real_data):
    return gpd.read_file(real_data / "ellis" / "ellis_blocks.gpkg").to_crs(4326).set_index("geoid")


@pytest.fixture(scope="module")
def store(real_data, tmp_path_factory):
    path = tmp_path_factory.mktemp("ellis") / "ellis.gpkg"
    run("init", "--store", path, "--codes", "free")
    source = real_data / "ellis" / "ellis_blocks.gpkg"
    run("import", source, "--layer", "grid", "--map", "geoid=grid_code", "total_pop=population", "--store", path)
    return path


def operations(blocks):
    """Every so many-th block split across, a small ring carved out of the next, the one after merged with a neighbour."""
    made = []
    for row in range(0, len(blocks) - 2, STEP):
        shape = blocks.geometry.iloc[row]
        west, _, east, _ = shape.bounds
        y = shape.representative_point().y
        line = {"type": "LineString", "coordinates": [[west - 0.0005, y], [east + 0.0005, y]]}
        made.append({"op": "split", "grid": blocks.index[row], "line": line})
        ring = blocks.geometry.iloc[row + 1].representative_point().buffer(0.00012, quad_segs=2)
        made.append({"op": "carve", "kind": "dedicated", "ring": shapely.geometry.mapping(ring)})
        third = blocks.geometry.iloc[row + 2]
        near = blocks.iloc[blocks.sindex.query(third, predicate="touches")]
        border = shapely.length(shapely.intersection(near.geometry.to_numpy(), third))
        made.append(
            {
                "op": "merge",
                "grids": [blocks.index[row + 2], near.index[border.argmax()]],
                "into": blocks.index[row + 2],
            }
        )
    return made


def in_metres(shapes, zone):
    return crs.round_centimetre(crs.transform_geometries(np.asarray(shapes, dtype=object), crs.LONLAT, zone))


def test_real_blocks_redrawn_from_a_file_stay_a_coverage_of_the_same_land_and_people(store, blocks, tmp_path):
    listed = operations(blocks)
    (tmp_path / "ops.json").write_text(json.dumps(listed))
    out = run("redraw", "--ops", tmp_path / "ops.json", "--title", "blocks", "--json", "--store", store, expect=1)
    answer = json.loads(out)
    done = [result["ok"] for result in answer["results"]]
    assert sum(done) > 0.8 * len(listed)
    assert all(result["reason"] and result["what"] for result in answer["results"] if not result["ok"])
    assert (answer["valid"], answer["area_change_m2"]) == (True, 0)
    zone = crs.metric_crs(blocks.total_bounds)
    before = in_metres(blocks.geometry, zone)
    outline = shapely.coverage_union_all(before)
    for suffix in ("gpkg", "geojson"):
        path = tmp_path / f"draft.{suffix}"
        run("export", f"draft:{answer['draft']}", path, "--store", store)
        layer = gpd.read_file(path)
        after = in_metres(layer.geometry, zone)
        assert shapely.coverage_is_valid(after)
        assert doubled_area(list(after)) == doubled_area(list(before))
        assert shapely.coverage_union_all(after).normalize().equals_exact(outline.normalize(), 0)
        assert layer["population"].sum() == blocks["total_pop"].sum()
        begun = {code for result in answer["results"] if result["ok"] for code in result["codes"]}
        assert begun <= set(layer["grid_code"])
    run("export", f"draft:{answer['draft']}", tmp_path / "draft.csv", "--store", store)
    assert len((tmp_path / "draft.csv").read_text("utf-8-sig").splitlines()) == len(layer) + 1
