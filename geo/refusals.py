"""Why an edit of boundaries is not done: one exception with a stable reason and the piece of land in question.

Modelling decision: the kernel refuses instead of repairing, so that nobody finds land moved that he did not move.
Every refusal says what is wrong, how to draw it instead, and, where there is one, shows the place as a geometry.
"""

from collections.abc import Iterable

import shapely

from .errors import WanggeError
from .words import Text

_SAYS: dict[str, tuple[Text, Text]] = {
    "malformed": (
        Text("这一步操作读不懂。", "This operation cannot be read."),
        Text("请检查操作的名称、编码和坐标。", "Check its name, codes and coordinates."),
    ),
    "self_crossing": (
        Text("画的线与自己相交。", "The drawing crosses itself."),
        Text("请重画，线不要打结或回穿。", "Draw it again without a loop."),
    ),
    "lonlat_swapped": (
        Text("经度和纬度好像写反了。", "Longitude and latitude seem to be swapped."),
        Text("坐标请按 [经度, 纬度] 的顺序书写。", "Write coordinates as [longitude, latitude]."),
    ),
    "too_many_vertices": (
        Text("画的点太多。", "The drawing has too many points."),
        Text("请少取一些点，或分几步画。", "Use fewer points, or draw it in several steps."),
    ),
    "zero_length": (
        Text("画的线没有长度，或圈没有面积。", "The drawing has no length or no area."),
        Text("请至少点出两个（画圈时三个）不同的位置。", "Give at least two different places, three for a ring."),
    ),
    "misses": (
        Text("画的线没有碰到网格{codes}。", "The drawing does not reach grid {codes}."),
        Text("请从边界画到边界。", "Draw from border to border."),
    ),
    "no_change": (
        Text("与现有边界相同，没有可改的。", "Nothing would change: the drawing follows the present border."),
        Text("要改得比手抖更多一些，或放大后再画。", "Move the border further, or zoom in and draw again."),
    ),
    "unknown_grid": (
        Text("没有网格{codes}。", "There is no grid {codes}."),
        Text("它可能已被并掉、拆分，或属于别的村。", "It may have been merged or split, or belong to another village."),
    ),
    "locked": (
        Text("网格{codes}已锁定，不能改动。", "Grid {codes} is locked and must not change."),
        Text("请先解锁，或绕开它画。", "Unlock it first, or draw around it."),
    ),
    "swallowed": (
        Text("网格{codes}会整个消失。", "Grid {codes} would disappear."),
        Text("若确要取消它，请用“合并”。", "If it is to go, use merge."),
    ),
    "cut_in_two": (
        Text("网格{codes}会断成不相连的几块。", "Grid {codes} would fall apart into detached pieces."),
        Text("请让它保持相连，或把断开的一块一并划出。", "Keep it connected, or move the detached piece as well."),
    ),
    "outside_parent": (
        Text("村界不能在这里改动。", "The outline of the village must not change here."),
        Text("请在村界以内画；改村界要走上一级的程序。", "Stay inside; the outline changes one level up, by another decision."),
    ),
    "not_neighbours": (
        Text("{codes}与这块地不相邻。", "{codes} does not border on this land."),
        Text("土地只能划给有一段共同边界的网格。", "Land can only go to a grid that shares a stretch of border with it."),
    ),
    "ambiguous": (
        Text("有两种理解，无法判断：{codes}。", "This can be understood in two ways: {codes}."),
        Text("请指明划给哪个网格。", "Say which grid the land goes to."),
    ),
    "no_corner": (
        Text("这里没有边界的拐点。", "There is no corner of a border here."),
        Text("请点在已有的拐点上。", "Pick an existing corner."),
    ),
    "not_exact": (
        Text("这样改动后，网格不能严丝合缝地拼在一起。", "After this edit the grids would not fit together to the centimetre."),
        Text("请换个位置重画，离现有拐点远一些。", "Draw it again a little further from existing corners."),
    ),
    "not_a_coverage": (
        Text("网格{codes}互相重叠或边界对不上。", "Grids {codes} overlap or their borders do not match."),
        Text("请先修整边界，再改动。", "Mend the borders first, then edit."),
    ),
    "ended": (
        Text("网格{codes}已经停用。", "Grid {codes} has ended."),
        Text("请改用接替它的网格。", "Use the grid that took its place."),
    ),
}  # fmt: skip

REASONS = tuple(_SAYS)


class RefusedError(WanggeError):
    """An edit that is not done.

    Parameters
    ----------
    reason
        One of `REASONS`; stable, scripts may rely on it.
    piece
        The land, line or point in question, in the metric system of the partition; None when there is no place.
    codes
        Codes of the grids in question.
    what, mend
        Words that fit the case better than the usual ones of the reason.
    """

    code = "refused"

    def __init__(
        self,
        reason: str,
        piece: shapely.Geometry | None = None,
        *,
        codes: Iterable[str] = (),
        what: Text | None = None,
        mend: Text | None = None,
        where: str = "",
    ) -> None:
        self.reason = reason
        self.piece = piece
        # A grid that would begin has no code yet.
        self.codes = tuple(code for code in codes if code)
        usual, usual_mend = _SAYS[reason]
        super().__init__(what or _named(usual, self.codes), where=where, mend=mend or usual_mend)


def _named(text: Text, codes: tuple[str, ...]) -> Text:
    shown = list(codes[:5])
    more = len(codes) - len(shown)
    zh = "、".join(shown) + (f" 等 {len(codes)} 个" if more else "")
    en = ", ".join(shown) + (f" and {more} more" if more else "")
    return Text(text.zh.format(codes=f" {zh} " if zh else ""), text.en.format(codes=en).replace("  ", " "))
