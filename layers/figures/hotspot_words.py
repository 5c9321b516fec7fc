"""Hotspots in plain sentences: where, how many reported against how many expected, how sure, when, what most."""

from geo.words import Text

_SURE = (
    (0.001, Text("几乎可以排除偶然", "chance can almost be ruled out")),
    (0.01, Text("偶然出现的可能很小", "chance is very unlikely")),
    (1.0, Text("偶然出现的可能较小", "chance is unlikely")),
)


def how_sure(q: float) -> Text:
    """A corrected p value in words, with the figure."""
    words = next(words for limit, words in _SURE if q <= limit)
    figure = "q < 0.001" if q < 0.001 else f"q = {q:.3f}"
    return Text(f"{words.zh}（{figure}）", f"{words.en} ({figure})")


def how_many_times(ratio: float) -> Text:
    """A ratio in words."""
    figure = f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
    return Text(f"是预期的 {figure} 倍", f"{figure} times as many")


def hotspot_sentence(
    *,
    place: Text,
    neighbours: int,
    count: int,
    expected: float,
    q: float,
    exposure: Text,
    period: Text,
    chosen: Text,
    category: Text | None,
    of_category: int,
) -> Text:
    """The sentence of one hot unit.

    Parameters
    ----------
    place
        Name of the unit, or of the village around a cell.
    neighbours
        Units around it that are counted with it.
    count, expected
        Reported incidents in the unit and its neighbours without repeats, and how many there would be by the exposure.
    period, chosen
        The days, and the other filters in words (may be empty).
    category, of_category
        The most frequent category there and its number; None when none is recorded.
    """
    near = Text(f"{place.zh}一带", f"Around {place.en}")
    if neighbours:
        near = Text(f"{near.zh}（含相邻 {neighbours} 个单元）", f"{near.en} (with {neighbours} units next to it)")
    limits = Text(f"（{chosen.zh}）" if chosen.zh else "", f" ({chosen.en})" if chosen.en else "")
    times, sure = how_many_times(count / expected), how_sure(q)
    most = Text("", "")
    if category is not None:
        most = Text(
            f"最多的是“{category.zh}”（{of_category} 起）。", f" Most frequent: '{category.en}' ({of_category})."
        )
    number = f"{expected:.1f}" if expected < 100 else f"{expected:.0f}"
    return Text(
        f"{near.zh}，{period.zh}{limits.zh}，共报告事件 {count} 起，按{exposure.zh}推算约 {number} 起，{times.zh}；"
        f"{sure.zh}。{most.zh}",
        f"{near.en}, {period.en}{limits.en}: {count} reported incidents where {number} would be expected by {exposure.en}, "
        f"{times.en}; {sure.en}.{most.en}",
    )


def plain_sentence(place: Text, period: Text) -> Text:
    """The sentence for roles that do not see counts."""
    return Text(
        f"{place.zh}一带，{period.zh}报告的事件明显偏多。",
        f"Around {place.en}, {period.en}: clearly more reported incidents than expected.",
    )


def period_words(days: tuple[str, str] | None) -> Text:
    """First and last day in words."""
    if days is None:
        return Text("（未记录日期）", "(no dates recorded)")
    first, last = days
    return Text(first, first) if first == last else Text(f"{first} 至 {last}", f"{first} to {last}")
