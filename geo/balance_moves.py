"""Which block lies in which grid while a plan is looked for: moves that never tear a grid apart, undone as easily.

A block passes to a neighbouring grid only. It must not be the grid's last one, and what stays must hang together as
before: a grid of two parts (an island) may stay one of two parts, but never become one of three.
"""

from .blocks import Blocks


class Assignment:
    """Blocks in grids; plain lists, because single numbers are read far more often than whole columns.

    `locked` grids neither give nor take. `load`, `inside` (the blocks of each grid) and `moved` follow every move;
    `cut` is the cost of all borders between grids.
    """

    def __init__(self, blocks: Blocks, locked: frozenset[int] = frozenset()) -> None:
        self.weight: list[float] = blocks.load.tolist()
        self.home: list[int] = blocks.grid.tolist()
        self.grid: list[int] = list(self.home)
        self.grids = blocks.grids
        self.locked = locked
        self.near: list[list[tuple[int, float]]] = [[] for _ in self.home]
        for a, b, cost in zip(blocks.left.tolist(), blocks.right.tolist(), blocks.cost.tolist(), strict=True):
            self.near[a].append((b, cost))
            self.near[b].append((a, cost))
        self.load = [0.0] * self.grids
        # Dictionaries instead of sets: their order is that of the moves, so that runs repeat.
        self.inside: list[dict[int, None]] = [{} for _ in range(self.grids)]
        for block, grid in enumerate(self.grid):
            self.load[grid] += self.weight[block]
            self.inside[grid][block] = None
        self.moved = 0
        self.cut = sum(
            cost for block, near in enumerate(self.near) for other, cost in near if self.grid[other] != self.grid[block]
        ) / 2  # fmt: skip

    def assign(self, grid: list[int]) -> None:
        """Put every block where `grid` says, without asking whether that hangs together."""
        for block, target in enumerate(grid):
            if self.grid[block] != target:
                self.move(block, target)

    def around(self, block: int) -> dict[int, float]:
        """Cost of the block's border with each grid it touches, its own among them."""
        found: dict[int, float] = {}
        grid = self.grid
        for other, cost in self.near[block]:
            g = grid[other]
            found[g] = found.get(g, 0.0) + cost
        return found

    def may_leave(self, block: int) -> bool:
        """Whether the block's grid stays whole, and stays a grid, without it."""
        grid = self.grid
        own = grid[block]
        if len(self.inside[own]) < 2 or own in self.locked:
            return False
        beside = [other for other, _ in self.near[block] if grid[other] == own]
        if len(beside) < 2:
            return True
        wanted = set(beside[1:])
        seen = {block, beside[0]}
        front = [beside[0]]
        while front:
            here = front.pop()
            for other, _ in self.near[here]:
                if other not in seen and grid[other] == own:
                    seen.add(other)
                    wanted.discard(other)
                    if not wanted:
                        return True
                    front.append(other)
        return False

    def move(self, block: int, target: int) -> None:
        """Give the block to another grid; whether it may is asked before."""
        own, weight, home, grid = self.grid[block], self.weight[block], self.home[block], self.grid
        change = 0.0
        for other, cost in self.near[block]:
            g = grid[other]
            if g == own:
                change += cost
            elif g == target:
                change -= cost
        self.cut += change
        self.load[own] -= weight
        self.load[target] += weight
        del self.inside[own][block]
        self.inside[target][block] = None
        self.moved += (target != home) - (own != home)
        grid[block] = target

    def parts(self, which: int) -> int:
        """In how many parts a grid lies."""
        left = set(self.inside[which])
        found = 0
        while left:
            found += 1
            front = [left.pop()]
            while front:
                for other, _ in self.near[front.pop()]:
                    if other in left:
                        left.discard(other)
                        front.append(other)
        return found
