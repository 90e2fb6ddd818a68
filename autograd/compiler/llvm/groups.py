"""Loops that make several arrays at once: elements of one shape, their sums, and numbers of which each row has one.

A row lies along the last axis. Where rows are reduced, as by the maximum and the sum of a softmax, each is gone through
in stages: what needs such a number of its row begins the next stage, and finds the number in a register.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..program import Variable
from .arrays import Array, Arrays, Memory
from .loops import reduced
from .text import WIDE, literal


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
                p.code.nest(self.shape[:-1], lambda outer: self._row(p, outer))
        else:
            kept = [m for m in self.members() if m.place]
            arrays = [m for m in kept if not m.word]
            totals = [(m.place, m.elements, m.divisor) for m in kept if m.word]
            p.fill_all([m.place for m in arrays], [m.elements for m in arrays], totals)
        for member in self.members():
            if member.place:
                member.made.at, member.made.flat = member.place.at, member.place.flat

    def _row(self, p: Arrays, outer: Sequence[str]) -> None:
        """One row, stage by stage."""
        for stage in self.stages:
            for member in stage.numbers:
                self._known(p, member, member.elements.at((*outer, "0")), outer)
            arrays, numbers = ([m for m in stage.members if bool(m.word) == reduces] for reduces in (False, True))
            starts, steps = zip(*(reduced(p, m.word, m.made.type) for m in numbers)) if numbers else ((), ())
            arrays = [m for m in arrays if m.place]

            def element(j: str, *so_far: str) -> list[str]:
                values = [m.elements.at((*outer, j)) for m in arrays]
                after = [step(x, m.elements.at((*outer, j))) for m, step, x in zip(numbers, steps, so_far)]
                for member, value in zip(arrays, values):
                    p.store(value, member.place, (*outer, j))
                return after

            if arrays or numbers:
                types = [m.made.type for m in numbers]
                firsts = [literal(start, type) for start, type in zip(starts, types)]
                found = p.code.loop(self.shape[-1], element, firsts, types)
                p.code.lines[-2] += ", !llvm.loop !2"  # on its way back
                for member, register in zip(numbers, found):
                    if member.divisor > 1:
                        type = member.made.type
                        register = p.code.emit(f"fdiv {type} {register}, {literal(member.divisor, type)}")
                    self._known(p, member, register, outer)
            for member in arrays:
                member.made.at, member.made.flat = member.place.at, None

    def _known(self, p: Arrays, member: Member, register: str, outer: Sequence[str]) -> None:
        """A number of this row, which others find in a register from now on."""
        member.made.at = lambda indices: register
        if member.place:
            p.store(register, member.place, (*outer, "0"))
