"""What is wrong with the layers of a store: codes, hierarchy, topology and location quality, with places to click.

Checks look at the rows that count on one day and that the viewer may see, and say nothing about layers that are not
there. Tolerances are data: `data/checks.json`, overridden by the store's setting `checks`; what is a repeated report
or a stacked position is a number of the rule set in force.
"""

from datetime import date
from typing import TYPE_CHECKING

from ..figures.rules import read_rule_set
from ..findings import SEVERITIES, Finding
from ..kinds import AREA_KINDS, KINDS
from ..notebook import Notebook
from ..places.check_limits import read_limits
from ..rights import Viewer, allowed
from ..storage.history import day
from . import check_borders, check_codes, check_places

if TYPE_CHECKING:
    from ..storage.store import Store


def run(store: "Store", viewer: Viewer, as_of: date | str | None = None) -> list[Finding]:
    """Everything there is to look at, errors first, layer by layer from the county down.

    `code` is the area or device concerned, `kind` the sort of finding: code, duplicate, parent, parent_position,
    no_children, invalid, gap, overlap, outside_parent, sliver, shared_point, no_location, outside, stacked, repeated,
    centroid. A sort with more findings than `listed_per_sort` in one layer is cut, with a line that tells how many.
    """
    on, limits = day(as_of), read_limits(store)
    rules = read_rule_set(store)
    versions = store.versions()
    found: list[Finding] = []
    for kind in (*AREA_KINDS, *(name for name in KINDS if name not in AREA_KINDS)):
        if not versions.get(kind) or not allowed(kind, viewer).rows:
            continue
        notebook = Notebook(int(limits.listed_per_sort))
        if kind in AREA_KINDS:
            check_codes.look(store, viewer, KINDS[kind], on, limits, notebook)
            check_borders.look(store, viewer, KINDS[kind], on, limits, notebook)
        elif KINDS[kind].homed:
            check_places.look(store, viewer, KINDS[kind], on, limits, rules, notebook)
        found += notebook.all()
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
