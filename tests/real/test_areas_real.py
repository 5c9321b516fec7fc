"""Derived village areas of a real county, and the lookup on real borders against the expected counts."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import crs, topology
from geo.areas import derive_areas
from geo.lookup import Lookup

pytestmark = pytest.mark.real


def test_yongshun_is_divided_among_its_240_positions(real_data):
    path = real_data / "cn" / "yongshun_433127.gpkg"
    land = gpd.read_file(path, layer="county").geometry.iloc[0]
    villages = gpd.read_file(path, layer="villages").set_index("code")
    cells = derive_areas(villages, land)
    assert (len(cells), int(villages.geometry.notna().sum())) == (301, 254)
    assert int(cells["derived"].sum()) == 240
    assert int((~cells["derived"] & (cells["shared_with"] != "")).sum()) == 14

    zone = crs.metric_crs(land.bounds)
    made = cells.geometry.dropna()
    assert all(shape.covers(at) for shape, at in zip(made, villages.geometry[made.index], strict=True))
    shapes = shapely.transform(crs.transform_geometries(made, crs.LONLAT, zone), lambda xy: np.round(xy, 2))
    assert shapely.is_valid(shapes).all() and bool(shapely.coverage_is_valid(shapes))
    together = shapely.coverage_union_all(shapes)
    assert not together.interiors
    snapped = crs.transform_geometries(crs.snap_centimetre([land], zone), crs.LONLAT, zone)
    outline = shapely.transform(snapped, lambda xy: np.round(xy, 2))[0]
    kept, corners = (set(map(tuple, shapely.get_coordinates(shape).tolist())) for shape in (together, outline))
    assert corners <= kept
    assert shapely.hausdorff_distance(together, outline) < 0.0072
    frame = gpd.GeoDataFrame(geometry=shapes, index=made.index, crs=zone)
    assert topology.find_overlaps(frame).empty
    assert topology.find_gaps(frame, outline, min_area_m2=1.0).empty


def test_edges_between_real_blocks_are_no_topology_findings(real_data):
    blocks = gpd.read_file(real_data / "ellis" / "ellis_blocks.gpkg")
    blocks.index = [f"{row:05d}" for row in range(len(blocks))]
    assert topology.find_overlaps(blocks).empty
    assert topology.find_gaps(blocks, shapely.coverage_union_all(blocks.geometry.to_numpy())).empty


def test_toronto_incidents_fall_where_the_independent_count_put_them(real_data):
    incidents = pd.read_csv(real_data / "toronto" / "incidents.csv.gz", usecols=["lon", "lat"])
    tracts = gpd.read_file(real_data / "toronto" / "areas.gpkg", layer="census_tracts_2011")
    code = next(name for name in tracts.columns if tracts[name].astype(str).str.contains("5350011").any())
    lookup = Lookup.build(tracts[code].astype(str), tracts.geometry)
    home = lookup.home(incidents["lon"], incidents["lat"])
    count = np.bincount(home[home >= 0], minlength=len(tracts))
    assert int((home < 0).sum()) == 89
    assert int((count == 0).sum()) == 14
    assert int(count.max()) == 4722 and "5350011" in str(lookup.codes[count.argmax()])


def test_brooklyn_cameras_fall_where_the_independent_count_put_them(real_data):
    path = real_data / "brooklyn" / "brooklyn.gpkg"
    sites = gpd.read_file(path, layer="camera_intersections")
    tracts = gpd.read_file(path, layer="census_tracts_2020")
    code = next(name for name in tracts.columns if tracts[name].astype(str).eq("36047044902").any())
    lookup = Lookup.build(tracts[code].astype(str), tracts.geometry)
    home = lookup.home(sites.geometry.x, sites.geometry.y)
    cameras = np.bincount(home[home >= 0], weights=sites["n_cameras"][home >= 0], minlength=len(tracts))
    assert int((cameras == 0).sum()) == 26
    assert int((cameras < 5).sum()) == 192
    assert int(cameras.max()) == 143 and lookup.codes[cameras.argmax()] == "36047044902"
    blocks = gpd.read_file(path, layer="census_blocks_2020")
    at = Lookup.build([f"{row:05d}" for row in range(len(blocks))], blocks.geometry).home(
        sites.geometry.x, sites.geometry.y
    )
    assert int((np.bincount(at[at >= 0], minlength=len(blocks)) == 0).sum()) == 3371
