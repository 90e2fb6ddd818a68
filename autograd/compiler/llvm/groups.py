"""Loops that make several arrays at once: elements of one shape, their sums, and numbers of which each row has one.

A row lies along the last axis. Where rows are reduced, as by the maximum and the sum of a softmax, each is gone through
in stages: what needs such a number of its row begins the next stage, and finds the number in a register.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..program import Variable
from .arrays import Array, Arrays, Memory
from .lanes import FUNCTIONS
from .loops import reduced
from .text import MASKED, WIDE, literal

TOGETHER, SHORT = 4, range(16, 65)  # so many rows of so many elements are gone through at once


@dataclass(eq=False)
class Member:
    """What a loop makes of elements: an array of them, or what a word reduces them to, of all or of each row."""

    variable: Variable
    elements: Array
    word: str = ""
    place: Memory | None = None  # where it is kept, if anybody needs it after its stage

    def __post_init__(self):
        # what others find; where it is known how, in a register or in memory, that is set
        self.made = self.elements if not self.word else Array(self.variable.shape, self.elements.type, None)

    @property
    def divisor(self) -> int:
        """What a sum is divided by."""
        return math.prod(self.elements.shape) // math.prod(self.made.shape) if self.word == "mean" else 1


@dataclass(eq=False)
class Stage:
    """What is made of a row before anything needs what the row was reduced to: numbers of the row, then a loop."""

    numbers: list[Member] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    end: int = 0  # the step with which the next one begins


class Group:
    """Members that one loop, or one nest of loops, will make; `began` is the step of the first."""

    def __init__(self, began: int):
        self.began = began
        self.shape: tuple[int, ...] = ()  # of all elements
        self.stages = [Stage()]
        self.by_rows = self.of_all = False  # whether it reduces rows, or everything

    def members(self) -> list[Member]:
        """All of them."""
        return [member for stage in self.stages for member in (*stage.numbers, *stage.members)]

    def ends(self) -> Iterator[tuple[Member, int]]:
        """Each of them with the step from which on it can be found in memory alone."""
        for stage in self.stages:
            for member in (*stage.numbers, *stage.members):
                yield member, self.stages[-1].end if member.word or member in stage.numbers else stage.end

    def waits(self, variable: Variable) -> bool:
        """Whether a step needs what is known when the stage is over."""
        return any(member.word and member.variable in variable.args for member in self.stages[-1].members)

    def next_stage(self, i: int) -> None:
        """Begin another stage with this step."""
        self.stages[-1].end = i
        self.stages.append(Stage())

    def take(self, member: Member) -> bool:
        """Add a member, if it fits to those before."""
        shape, stage, first = member.elements.shape, self.stages[-1], not self.members()
        of_rows = bool(member.word and member.made.shape)
        if not first and not member.word and self.by_rows and shape == (*self.shape[:-1], 1):
            if member.variable.word in FUNCTIONS:
                return False  # many instructions, which are computed for the numbers of many rows at once
            stage.numbers.append(member)
            return True
        if not first and shape != self.shape or of_rows and self.of_all or member.word and not of_rows and self.by_rows:
            return False
        self.shape, self.by_rows = shape, self.by_rows or of_rows
        self.of_all = self.of_all or bool(member.word) and not of_rows
        stage.members.append(member)
        return True

    def write(self, p: Arrays) -> None:
        """The code; afterwards all that has a place is there."""
        if self.by_rows:
            with p.kernel():
                p.code.attributes = WIDE
                *lead, count = self.shape[:-1] or (1,)
                size = math.gcd(count, TOGETHER) if self.shape[-1] in SHORT else 1
                p.code.nest((*lead, count // size), lambda outer: self._rows(p, size, outer))
        else:
            arrays = [(place, m) for place, m in _kept(self.members()) if not m.word]
            totals = [(place, m.elements, m.divisor) for place, m in _kept(self.members()) if m.word]
            p.fill_all([place for place, _ in arrays], [m.elements for _, m in arrays], totals)
        for place, member in _kept(self.members()):
            member.made.at, member.made.flat = place.at, place.flat

    def _rows(self, p: Arrays, size: int, outer: Sequence[str]) -> None:
        """So many rows, stage by stage: what one waits for, as when all of it is added up, others fill."""
        *lead, i = outer
        rows = [(*lead, p.code.linear([i], [size], k))[: len(self.shape) - 1] for k in range(size)]
        for stage in self.stages:
            for member in stage.numbers:
                _know(p, member, {row: member.elements.at((*row, "0")) for row in rows})
            arrays = [(place, m) for place, m in _kept(stage.members) if not m.word]
            numbers = [m for m in stage.members if m.word]
            if arrays or numbers:
                _along(p, self.shape[-1], rows, arrays, numbers)


def _kept(members: list[Member]) -> list[tuple[Memory, Member]]:
    """Those that have a place, with it."""
    return [(member.place, member) for member in members if member.place]


def _along(p: Arrays, n: int, rows: Sequence, arrays: list[tuple[Memory, Member]], numbers: list[Member]) -> None:
    """The loop along rows, which writes arrays and reduces to numbers."""
    sums = [(row, m, reduced(p, m.word, m.made.type)) for m in numbers for row in rows]
    types = [m.made.type for _, m, _ in sums]

    def element(j: str, *so_far: str) -> list[str]:
        values = [(m.elements.at((*row, j)), place, (*row, j)) for row in rows for place, m in arrays]
        after = [step(x, m.elements.at((*row, j))) for (row, m, (_, step)), x in zip(sums, so_far)]
        for value in values:
            p.store(*value)
        return after

    begin = [literal(first, type) for (*_, (first, _)), type in zip(sums, types)]
    found = p.code.loop(n, element, begin, types, MASKED)
    for member in numbers:
        registers, found = found[: len(rows)], found[len(rows) :]
        if member.divisor > 1:
            type = member.made.type
            registers = [p.code.emit(f"fdiv {type} {x}, {literal(member.divisor, type)}") for x in registers]
        _know(p, member, dict(zip(rows, registers)))
    for place, member in arrays:
        member.made.at, member.made.flat = place.at, None


def _know(p: Arrays, member: Member, registers: dict[tuple, str]) -> None:
    """Let others find the numbers of these rows in registers from now on."""
    member.made.at = lambda indices: registers[tuple(indices[:-1])]
    if member.place:
        for row, register in registers.items():
            p.store(register, member.place, (*row, "0"))
