"""What came of drawing in a draft: results of operations, figures of the areas that changed, whether the land is whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from geo.errors import ConflictError
from geo.refusals import RefusedError
from geo.words import Text

from . import redraw_figures, redraw_session
from .redraw_ground import to_lonlat
from .redraw_land import Session, Step
from .redraw_points import Bearings

if TYPE_CHECKING:
    from ..rights import Viewer
    from ..storage.store import Store
    from .draft import Draft


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of some operations: one result each, whether the land is whole, and the areas that changed."""

    draft: int
    version: int
    results: list[dict[str, Any]]  # with words in both languages
    valid: bool
    area_change_m2: float
    ended: tuple[str, ...]
    areas: list[dict[str, Any]]  # features with figures, words in both languages

    def as_dict(self, language: str) -> dict[str, Any]:
        """The answer in one language, as page, API and command line give it."""
        return {
            "draft": self.draft,
            "version": self.version,
            "results": [_in_language(result, language) for result in self.results],
            "valid": self.valid,
            "area_change_m2": self.area_change_m2,
            "ended": list(self.ended),
            "areas": {
                "type": "FeatureCollection",
                "features": [redraw_figures.in_language(feature, language) for feature in self.areas],
            },
        }


def done(session: Session, viewer: "Viewer", step: Step, given: Bearings, *, back: bool = False) -> dict[str, Any]:
    """The result of a step that was performed (`back`: taken back): land that changed hands, new codes.

    `snapped_m` is how far the drawing was moved onto what was there, in metres to a tenth of a millimetre.
    """
    return {
        "ok": True,
        "changes": redraw_figures.change_rows(session, viewer, step, back=back, given=given),
        "snapped_m": round(step.outcome.snapped_m, 4),
        "codes": list(step.operation.get("codes", ())),
    }


def refused(session: Session, error: RefusedError) -> dict[str, Any]:
    """The result of an operation that was refused: why, how to mend it, and the place as GeoJSON in lon/lat."""
    piece = None
    if error.piece is not None and not error.piece.is_empty:
        piece = shapely.geometry.mapping(to_lonlat([error.piece], session.crs)[0])
    return {
        "ok": False,
        "reason": error.reason,
        "what": error.what.as_dict(),
        "mend": error.mend.as_dict(),
        "piece": piece,
        "codes": list(error.codes),
    }


def _in_language(result: dict[str, Any], language: str) -> dict[str, Any]:
    words = {name: Text.from_dict(result[name]).to(language) for name in ("what", "mend") if name in result}
    return result | words


def answer_of(
    session: Session,
    viewer: "Viewer",
    draft: "Draft",
    results: list[dict[str, Any]],
    steps: Sequence[Step],
    given: Bearings,
    *,
    whole: bool,
    back: bool = False,
) -> Answer:
    """What came of steps, with one result each.

    `whole`: all land of the groups is checked, else what changed and its neighbours (the same, sooner); `back`: the
    steps were taken back.
    """
    codes = sorted({code for step in steps for code in (*step.before, *step.outcome.shapes)})
    there = [code for code in codes if session.group(code) is not None]
    return Answer(
        draft=draft.id,
        version=draft.version,
        results=results,
        valid=session.is_valid() if whole else session.is_valid_around(there),
        area_change_m2=session.area_change_of(steps, back=back) / 20_000,
        ended=tuple(code for code in codes if session.group(code) is None),
        areas=redraw_figures.features(session, viewer, there, locked=draft.locked, given=given),
    )


def again(store: "Store", viewer: "Viewer", draft: "Draft", known: dict[str, Any]) -> Answer:
    """The answer to something that was done before, with the areas as they are now.

    `known`: what the change answered then. ConflictError when its key was used for something else.
    """
    if known.get("draft") != draft.id or "results" not in known:
        raise ConflictError(
            Text("这个请求键已用于另一项操作。", "This idempotency key was used for something else."),
            where="Idempotency-Key",
            mend=Text("请换一个。", "Use another one."),
        )
    with redraw_session.held(store, draft) as session:
        there = [code for code in known["codes"] if session.group(code) is not None]
        areas = redraw_figures.features(session, viewer, there, locked=draft.locked)
    return Answer(
        draft.id, known["version"], known["results"], known["valid"], known["area_change_m2"],
        tuple(known["ended"]), areas,
    )  # fmt: skip
