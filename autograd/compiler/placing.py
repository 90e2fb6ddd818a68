"""Where arrays are kept while a program runs: memory that is dead is used again."""

from collections.abc import Container

from .program import Program, Variable

LINE = 64  # bytes of a cache line, on which arrays begin


def last_uses(program: Program, seen_through: Container[Variable]) -> dict[Variable, int]:
    """The step that needs a variable's numbers last; outputs are needed after all.

    What is `seen_through` has no memory of its own: whoever needs it needs its arguments.
    """
    last = dict.fromkeys(program.outputs, len(program.steps))
    for i, variable in reversed([*enumerate(program.steps)]):
        at = last.setdefault(variable, i) if variable in seen_through else i
        for arg in variable.args:
            if last.get(arg, -1) < at:
                last[arg] = at
    return last


class Arena:
    """One piece of memory for many arrays, each as long as it is needed."""

    def __init__(self):
        self.size = 0
        self._free: list[tuple[int, int]] = []  # where free parts begin and end, in order

    def take(self, size: int) -> tuple[int, int]:
        """A part of at least this many bytes: the smallest free one that is large enough, or a new one at the end."""
        size = -(-max(size, 1) // LINE) * LINE
        fitting = [(end - start, start, end) for start, end in self._free if end - start >= size]
        if not fitting:
            self.size += size
            return self.size - size, self.size
        _, start, end = min(fitting)
        self._free.remove((start, end))
        if start + size < end:
            self.give((start + size, end))
        return start, start + size

    def give(self, part: tuple[int, int]) -> None:
        """Nobody needs this part any more."""
        parts: list[tuple[int, int]] = []
        for start, end in sorted([*self._free, part]):
            if parts and parts[-1][1] == start:
                start = parts.pop()[0]
            parts.append((start, end))
        self._free = parts
