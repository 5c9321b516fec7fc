"""A small made-up county in a store file, as `wangge demo` makes it, for tests that need every layer."""

from pathlib import Path

from geo.synthetic import County, make_county
from layers.imports.sample import read_syllables, store_county
from layers.storage.store import Store

SIZE = {"villages": 28, "grids": 90, "cameras": 420, "incidents": 2500, "natural_villages": 70}


def make_small_county() -> County:
    """28 villages with everything in them."""
    return make_county(seed=11, syllables=read_syllables(), **SIZE)


def make_small_store(path: Path) -> County:
    """Write the small county to a new, closed store file."""
    county = make_small_county()
    with Store.create(str(path)) as store:
        store_county(store, county)
    return county
