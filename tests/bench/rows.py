"""One measured line: what we take, what the named peer takes in the same run, and the bar."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement.

    `ours` and `peer` are in `unit`; `peer` is None when the bar is absolute. `bar` is how many times better than the
    peer we must be (or, without a peer, the most that `ours` may be); None when only reported.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    bar: float | None
    note: str = ""
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer we are."""
        if self.peer is None:
            return None
        better, worse = (self.ours, self.peer) if self.more_is_better else (self.peer, self.ours)
        return better / worse if worse else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without a bar."""
        if self.bar is None:
            return None
        if self.peer is not None:
            return (self.ratio or 0.0) >= self.bar
        return self.ours >= self.bar if self.more_is_better else self.ours <= self.bar

    def as_dict(self) -> dict:
        """For handing a row from one process to another."""
        return asdict(self)


def best_of(times: int, act: Callable[[], object], *, clock: Callable[[], float] = perf_counter) -> float:
    """Seconds of the fastest of several runs: the machine is shared, and the fastest was disturbed least.

    `clock=time.process_time` counts this process's own work only, which is fairer where nothing else works for it.
    """
    taken = []
    for _ in range(times):
        begin = clock()
        act()
        taken.append(clock() - begin)
    return min(taken)
