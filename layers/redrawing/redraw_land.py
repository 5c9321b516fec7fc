"""Land at work: the areas of a draft with the operations performed so far, step by step, forward and back."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely

from geo.centimetres import doubled_area
from geo.operations import Operation, parse
from geo.partition import Partition
from geo.redraw import Outcome, perform
from geo.refusals import RefusedError
from geo.words import Text

from ..findings import Finding
from ..kinds import KINDS
from .redraw_codes import NewCodes, asked_codes
from .redraw_ground import WHOLE, Ground
from .redraw_outlines import outline_findings, refused_findings

if TYPE_CHECKING:
    from ..storage.store import Store

_KEYS = (
    "op", "grid", "grids", "from", "to", "ring", "line", "piece", "at", "into", "give_to", "holes", "kind", "name",
    "codes", "metres_per_pixel",
)  # fmt: skip
"""What is stored of an operation."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation that was performed: as stored (with the codes it gave), where, what it came to, what was before."""

    operation: dict[str, Any]
    group: str
    outcome: Outcome
    before: dict[str, shapely.Geometry | None]

    @property
    def began(self) -> tuple[str, ...]:
        """Codes of areas that begin with it."""
        return tuple(code for code, shape in self.before.items() if shape is None)

    @property
    def handed(self) -> set[str]:
        """Codes of areas that begin, end, gain or lose land; not of neighbours that get a vertex on their border."""
        ends = {code for code in self.before if self.outcome.shapes.get(code) is None}
        moves = {code for move in self.outcome.moves for code in (move.source, move.target)}
        return ends.union(self.began, moves)


@dataclass(slots=True)
class Session:
    """The boundaries of one draft as they are after its operations. Hold `lock` while using it."""

    store: "Store"
    draft_id: int
    ground: Ground  # with shapes of its own
    source: Ground  # the one that is shared, and remembered until an area layer changes
    partitions: dict[str, Partition]
    refusals: dict[str, RefusedError]  # groups whose land is not divided cleanly, and why nothing can be drawn there
    steps: list[Step] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    memory: dict[Any, Any] = field(default_factory=dict)  # figures by code, see `redraw_figures`
    _group_of: dict[str, str] = field(default_factory=dict)
    _problems: list[Finding] | None = None
    _codes: NewCodes = field(init=False)

    def __post_init__(self) -> None:
        self._codes = NewCodes(self.store, self.draft_id, self.ground)

    # --- what is there

    @property
    def crs(self) -> Any:
        """The metric system of all shapes."""
        return self.ground.crs

    @property
    def frame(self) -> Any:
        """Fields of the areas the draft started from, by code."""
        return self.ground.frame

    def partition(self, group: str = WHOLE) -> Partition:
        """The land of one group (the code of a village; `WHOLE` where it is not divided by villages)."""
        if group in self.refusals:
            raise self.refusals[group]
        return self.partitions[group]

    def group(self, code: str) -> str | None:
        """The group a code is in now; None when there is no such area."""
        return self._group_of.get(code)

    def codes(self) -> list[str]:
        """Codes of all areas as they are now, sorted."""
        return sorted(self._group_of)

    def shape(self, code: str) -> shapely.Geometry:
        """An area as it is now, metric. Groups that cannot be redrawn have their shapes from the ground."""
        group = self._group_of[code]
        return self.partitions[group].shapes[code] if group in self.partitions else self.ground.shapes[code]

    def touched(self) -> set[str]:
        """Codes of all areas, of the ground or begun since, that the operations changed."""
        return {code for step in self.steps for code in step.before}

    def replaced(self) -> tuple[dict[str, shapely.Geometry], dict[str, shapely.Geometry]]:
        """Areas that are not what they were: their shapes at the beginning and those in their place now, metric."""
        codes = self.touched()
        old = {code: self.ground.shapes[code] for code in codes if code in self.ground.shapes}
        new = {code: self.shape(code) for code in codes if code in self._group_of}
        same = {code for code in old if code in new and shapely.equals_identical(old[code], new[code])}
        return (
            {code: shape for code, shape in sorted(old.items()) if code not in same},
            {code: shape for code, shape in sorted(new.items()) if code not in same},
        )

    def given(self) -> dict[str, dict[str, Any]]:
        """Fields that operations give to areas that begin: name and kind of a carved grid, parent."""
        found: dict[str, dict[str, Any]] = {}
        for step in self.steps:
            for code in step.began:
                if code not in self._group_of:
                    continue
                fields: dict[str, Any] = {}
                if step.group != WHOLE:
                    fields[KINDS[self.ground.level].parent] = step.group
                if step.operation.get("name"):
                    fields["name"] = step.operation["name"]
                if step.operation["op"] == "carve" and self.ground.level == "grid":
                    fields["kind"] = step.operation.get("kind") or "dedicated"
                found[code] = fields
        return found

    def base(self) -> dict[str, str]:
        """Marks of the areas of the ground whose land the operations changed."""
        handed = {code for step in self.steps for code in step.handed}
        return {code: self.ground.mark(code) for code in sorted(handed) if code in self.ground.shapes}

    def area_change_of(self, steps: Sequence[Step], *, back: bool = False) -> int:
        """Doubled square centimetres by which land grew in steps (`back`: in taking them back); 0 when all is well."""
        change = 0
        for step in steps:
            new = doubled_area([shape for shape in step.outcome.shapes.values() if shape is not None])
            old = doubled_area([shape for shape in step.before.values() if shape is not None])
            change += new - old
        return -change if back else change

    def is_valid(self) -> bool:
        """Whether the land of every group that was drawn in is divided without gap or overlap, its outline unchanged."""
        return all(self.partitions[group].is_valid() for group in {step.group for step in self.steps})

    def is_valid_around(self, codes: Sequence[str]) -> bool:
        """The same for areas and those around them: what lies farther off did not change."""
        around = set(codes)
        for code in codes:
            around.update(self.partitions[self._group_of[code]].near(self.shape(code)))
        return bool(shapely.coverage_is_valid([self.shape(code) for code in sorted(around)])) if around else True

    @property
    def problems(self) -> list[Finding]:
        """What is not in order with the boundaries it starts from; told, never mended on the way."""
        if self._problems is None:
            self._problems = [
                *self.ground.findings,
                *refused_findings(list(self.refusals.values()), self.crs),
                *outline_findings(self.store, self.ground),
            ]
        return self._problems

    # --- what is done

    def perform(self, operation: Mapping[str, Any], *, locked: Sequence[str] = (), fresh: bool = True) -> Step:
        """Perform one operation and keep it as the last step.

        `fresh`: drawn just now, so that codes it asks for must never have been used; False for one that is repeated
        from the stored draft. RefusedError leaves everything as it was.
        """
        read = parse(operation, self.crs, bounds_lonlat=self.ground.bounds_lonlat)
        group = self._group_for(read)
        partition = self.partition(group)
        asked = asked_codes(read) if fresh else []
        if asked:
            self._codes.require_unused(asked, self._met())
        given: list[str] = []

        def new_codes(_op: str, sources: tuple[str, ...], shapes: Sequence[shapely.Geometry]) -> list[str]:
            given.extend(self._codes.give(read, group, sources, shapes, self._met()))
            return given

        partition.locked = {code for code in locked if code in partition}
        try:
            outcome = perform(partition, read, new_codes=new_codes)
        finally:
            partition.locked = set()
        body = _plain(operation)
        if given:
            body["codes"] = given
        step = Step(body, group, outcome, partition.replace(outcome.shapes))
        self.steps.append(step)
        self._note(step.group, outcome.shapes)
        return step

    def rewind(self, count: int) -> None:
        """Take back all steps after the first `count`: the shapes from before are put in their places."""
        while len(self.steps) > count:
            step = self.steps.pop()
            self.partitions[step.group].replace(step.before)
            self._note(step.group, step.before)

    def put_back(self, step: Step) -> None:
        """Have again a step that was the last one before `rewind` took it back."""
        self.partitions[step.group].replace(step.outcome.shapes)
        self.steps.append(step)
        self._note(step.group, step.outcome.shapes)

    def follow(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """Come to what `operations` come to: keep what is the same from the beginning, take back or perform the rest."""
        same = 0
        while same < min(len(self.steps), len(operations)) and self.steps[same].operation == operations[same]:
            same += 1
        self.rewind(same)
        for operation in operations[same:]:
            self.perform(operation, fresh=False)

    def _note(self, group: str, shapes: Mapping[str, shapely.Geometry | None]) -> None:
        for code, shape in shapes.items():
            if shape is None:
                self._group_of.pop(code, None)
            else:
                self._group_of[code] = group

    def _group_for(self, operation: Operation) -> str:
        """The group an operation is about. It never reaches over two: land stays in its village."""
        if set(self.ground.groups) == {WHOLE}:
            self._require_there(operation)
            return WHOLE
        named = self._require_there(operation)
        if not named and operation.shape is not None:
            named = {self._group_at(operation)}
        if len(named) > 1:
            raise RefusedError(
                "outside_parent",
                operation.shape,
                codes=operation.grids,
                what=Text("土地不能划到别的村。", "Land cannot go to another village."),
                mend=Text("网格只在本村以内调整。", "Grids are redrawn inside their own village."),
            )
        if not named:
            raise RefusedError("unknown_grid")
        return named.pop()

    def _require_there(self, operation: Operation) -> set[str]:
        """Groups of the areas an operation names; RefusedError for those that are not there, or no longer."""
        named = [*operation.grids, *(code for code in (operation.give_to,) if code is not None)]
        if operation.op in ("transfer", "dissolve") and operation.into is not None:
            named.append(operation.into)
        lost = [code for code in named if code not in self._group_of]
        if lost:
            ended = [code for code in lost if code in self.ground.shapes or code in self.touched()]
            raise RefusedError("ended" if ended else "unknown_grid", codes=ended or lost)
        return {self._group_of[code] for code in named}

    def _group_at(self, operation: Operation) -> str:
        """The group whose land a drawing without names is on: most of a ring, or the place of a corner."""
        drawn: Any = operation.shape
        if operation.op == "corner":
            drawn = shapely.Point(drawn.coords[0])
        best, found = None, WHOLE
        for group, partition in self.partitions.items():
            size = (
                -shapely.distance(partition.outline, drawn)
                if operation.op == "corner"
                else shapely.intersection(partition.outline, drawn).area
            )
            if best is None or size > best:
                best, found = size, group
        if best is None or (operation.op != "corner" and best == 0):
            raise RefusedError("misses", operation.shape)
        return found

    def _met(self) -> set[str]:
        """Codes of the areas that there are now, and of those that the operations changed or ended."""
        return set(self._group_of) | self.touched()


def _plain(operation: Mapping[str, Any]) -> dict[str, Any]:
    """An operation that could be read, without what it need not carry: as it is stored."""
    body = {}
    for name in _KEYS:
        value = operation.get(name)
        if name in ("ring", "line", "piece") and isinstance(value, Mapping):
            value = value.get("geometry", value)
            value = {"type": value["type"], "coordinates": value["coordinates"]}
        if value is not None:
            body[name] = value
    return body
