"""The code of a program's steps, one after the other: what becomes one loop, and how long it is kept."""

import builtins
import copy
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from ...operation import Function, Lazy
from ..placing import last_uses
from ..program import Program, Unprintable, Variable
from .arrays import Array, Arrays, Memory, types_of_arguments
from .groups import Group, Member
from .indexing import BY_PLACE
from .integers import PREDICATES
from .loops import ALONG_AXES
from .systems import OF_MATRICES
from .text import TYPES, converted

LOOPS = ALONG_AXES | BY_PLACE | OF_MATRICES  # words that are not elementwise
WIDENED = {"sum", "mean", "sum_to", "cumsum", "matmul", "concatenate", "solve"}  # of arguments of the result's type
ALONG_ROWS = {"sum", "mean", "sum_to", "max", "min", "top"}
BY_ELEMENTS = {"expand", "cast"}
VIEWS = {"reshape", "transpose", "swapaxes", "getitem", "flip", "expand", "cast"}  # what may show other memory
ONCE = {"reshape", "transpose", "swapaxes", "argmax", *ALONG_ROWS}  # what reads each element once, wherever it stands
BLOCK = 2000  # operations on single numbers in a function


class Steps:
    """Writes the code of a program's steps, once."""

    def __init__(self, program: Program, writer: Arrays):
        program = copy.copy(program)
        program.steps = _late(program)
        self.program, self.writer = program, writer
        self.arrays: dict[Variable, Array] = {}
        self.fused = _fused(program)
        self.last = last_uses(program, {v for v in program.steps if v in self.fused or v.word in VIEWS})
        self.places: dict[Variable, tuple[Memory, Variable | None]] = {}  # where results belong; over which input
        self.parts: dict[int, list[tuple[int, int]]] = {}  # of the arena, that are free after a step
        self.done = -1  # the last step that was written, or will be by the loop that is to be written next
        self.group: Group | None = None  # what one loop will make

    def operand(self, variable: Variable) -> Array:
        """The array of a variable; constants are made when they are first used."""
        if variable not in self.arrays:
            value = np.asarray(variable.value)
            value = value if value.dtype in TYPES else value.astype(float)
            bits = value.view(f"u{value.itemsize}")
            if value.size and np.all(bits == bits.flat[0]):
                self.arrays[variable] = self.writer.constantly(
                    value.flat[0], value.shape, self.writer.type(value.dtype)
                )
            else:
                self.arrays[variable] = self.writer.constant(value)
        return self.arrays[variable]

    def write(self) -> None:
        """The code of all steps: one after the other, those on single numbers in groups."""
        start, steps = 0, self.program.steps
        while start < len(steps):
            end = start
            while end < min(len(steps), start + BLOCK) and _of_numbers(steps[end]):
                end += 1
            if end > start:
                self.write_numbers(range(start, end))
            else:
                self.step(start)
            start = max(end, start + 1)
        self.write_loop()

    def write_numbers(self, places: range) -> None:
        """Steps on single numbers, in registers; what others need is stored, in one array."""
        self.write_loop()
        registers = Lazy(lambda variable: self.operand(variable).at(()))  # what others keep is loaded once
        steps = self.program.steps[places.start : places.stop]
        with self.writer.kernel():
            for variable in steps:
                word, within, type = self.word(variable)
                numbers = [
                    self.writer.cast(self.operand(arg), t).at(())
                    if arg.value is not None
                    else converted(self.writer.code, registers[arg], self.type_of(arg), t)
                    for arg, t in zip(variable.args, types_of_arguments(word, within))
                ]
                found = self.writer.written(word, within, numbers)
                registers[variable] = converted(self.writer.code, found, "i1" if word in PREDICATES else within, type)
            needed = [v for v in steps if self.last[v] >= places.stop]
            for type, group in itertools.groupby(sorted(needed, key=self.type_of), self.type_of):
                self.side_by_side(type, [*group], registers)
        for i in places:
            self.release(i)

    def side_by_side(self, type: str, numbers: list[Variable], registers: dict[Variable, str]) -> None:
        """Store numbers of one type side by side."""
        with self.kept_for(max(numbers, key=self.last.__getitem__)):
            line = self.writer.allocate((len(numbers),), type)
        for i, variable in enumerate(numbers):
            self.arrays[variable] = place = self.writer.stored(line.pointer, (), type, offset=i)
            self.writer.store(registers[variable], place, ())

    def type_of(self, variable: Variable) -> str:
        """The LLVM type of a variable's numbers."""
        return self.writer.type(variable.dtype)

    def word(self, variable: Variable) -> tuple[str, str, str]:
        """A variable's word, the type in which it is computed, and that of the result."""
        word, type = variable.word, self.writer.type(variable.dtype)
        if isinstance(word, Function):
            if not word.printable:
                raise Unprintable(f"{word.name} is defined by Python functions")
            word = word.name
        if word not in PREDICATES:
            return word, type, type
        given = [v.value if builtins.type(v.value) in (int, float) else v.dtype for v in variable.args]
        within = np.result_type(*given)
        if within.kind == "i" and any(builtins.type(x) is int and abs(x) > np.iinfo(within).max for x in given):
            within = np.dtype(np.int64)  # NumPy compares with integers of any size
        return word, self.writer.type(within), type

    def step(self, i: int) -> None:
        """The code of one variable, or the promise of it where a loop will use it or make it with others."""
        variable = self.program.steps[i]
        word = getattr(variable.word, "name", variable.word)
        if self.group and self.group.waits(variable):
            if self.group.by_rows:
                self.group.next_stage(i)
            else:
                self.write_loop()
        if word in BY_ELEMENTS or word not in LOOPS and word not in OF_PROGRAMS:
            self.arrays[variable] = x = self.applied(variable)
            if variable not in self.fused and not isinstance(x, Memory):
                self.join(i, Member(variable, x))
        elif elements := self.reduced(word, variable):
            self.join(i, Member(variable, elements, word))
        else:
            if word not in VIEWS or not all(isinstance(self.operand(arg), Memory) for arg in variable.args):
                self.write_loop()
            with nullcontext() if word in OF_PROGRAMS else self.writer.kernel(), self.kept_for(variable):
                x = self.applied(variable)
                self.arrays[variable] = x if variable in self.fused else self.writer.memory(x)
        self.release(i)

    def reduced(self, word: Any, variable: Variable) -> Array | None:
        """What a step reduces, if it is numbers that lie along memory, to one, or rows."""
        if not _of_rows(variable) and (word not in ("sum", "mean") or variable.shape or variable.dtype.kind != "f"):
            return None
        x = self.writer.cast(self.operand(variable.args[0]), self.type_of(variable))
        return x if variable.shape or x.flat and math.prod(x.shape) > 1 else None

    def join(self, i: int, member: Member) -> None:
        """Let the loop that is to be written next make this too, if it can, or begin another."""
        self.arrays[member.variable] = member.made
        if self.group and not self.group.take(member):
            self.write_loop()
        if not self.group:
            self.group = Group(i)
            self.group.take(member)

    def write_loop(self) -> None:
        """The loop for what has come together; from now on that is in memory."""
        if not self.group:
            return
        group, self.group = self.group, None
        group.stages[-1].end = self.done + 1
        for member, end in group.ends():
            if member.variable in self.places or self.last[member.variable] >= end:
                member.place = self.place(member, group)
        group.write(self.writer)
        for member in group.members():
            self.arrays[member.variable] = member.place or member.made
        for i in [i for i in self.parts if i <= self.done]:
            self.release(i)

    def place(self, member: Member, group: Group) -> Memory:
        """Where it is kept: where the caller wants it, if it can be written there already."""
        place, over = self.places.get(member.variable, (None, None))
        if place is None or over is not None and not (member.made.flat and self.may_write_over(over, group)):
            with self.kept_for(member.variable):
                place = self.writer.allocate(member.variable.shape, member.made.type)
        return place

    def may_write_over(self, given: Variable, group: Group) -> bool:
        """Whether an input can be replaced by a loop, which reads each element before it writes that one.

        Nobody must need it afterwards, and no view of it, whose elements are elsewhere, since the loop began.
        """
        views = [v for v in self.program.steps if v.word in VIEWS and given in v.args]
        last = self.last.get(given, -1)
        return not group.by_rows and last <= self.done and all(self.last[v] < group.began for v in views)

    @contextmanager
    def kept_for(self, variable: Variable) -> Iterator[None]:
        """What is allocated meanwhile is needed as long as the variable."""
        before, self.writer.fresh = self.writer.fresh, []
        yield
        self.parts.setdefault(self.last[variable], []).extend(self.writer.fresh)
        self.writer.fresh = before

    def release(self, i: int) -> None:
        """Memory that nobody needs after a step is used again, but not before all is written that reads it."""
        self.done = i
        if not self.group:
            for part in self.parts.pop(i, ()):
                self.writer.arena.give(part)

    def applied(self, variable: Variable) -> Array:
        """What a word makes of its arguments."""
        args = [*map(self.operand, variable.args)]
        word, within, type = self.word(variable)
        if word in OF_PROGRAMS:
            return OF_PROGRAMS[word](self.writer, *args, *variable.static)
        if word not in LOOPS:
            return self.writer.cast(self.writer.elementwise(word, args, within), type)
        args = [self.writer.cast(x, type) for x in args] if word in WIDENED else args
        return self.writer.cast(LOOPS[word](self.writer, *args, *variable.static), type)


def _late(program: Program) -> list[Variable]:
    """The steps, but elementwise outputs right before what needs them first, so that one loop makes both.

    As it makes a weight's moments and the weight, which waits for the learning rate.
    """
    needed = {arg for step in program.steps for arg in step.args}.intersection(program.outputs, program.steps)
    late = {v for v in needed if v.shape and v.word not in LOOPS | OF_PROGRAMS}
    order: dict[Variable, None] = {}
    for step in program.steps:
        order.update(dict.fromkeys(arg for arg in step.args if arg in late))
        if step not in late:
            order[step] = None
    return [*order]


def _of_numbers(variable: Variable) -> bool:
    """Whether a step makes a single number of single numbers."""
    return variable.word not in LOOPS and not variable.shape and not any([arg.shape for arg in variable.args])


def _of_rows(variable: Variable) -> bool:
    """Whether a step reduces the rows of an array of floats to a number each."""
    if variable.word not in ALONG_ROWS or variable.dtype.kind != "f" or not variable.shape:
        return False
    *lead, n = variable.args[0].shape
    return n > 1 and variable.shape == (*lead, 1) and math.prod(lead) > 0


def _fused(program: Program) -> set[Variable]:
    """The variables that are computed where they are used: by one loop, which reads each element once."""
    users: dict[Variable, list[Variable]] = {}
    for step in program.steps:
        for arg in step.args:
            if arg.shape:
                users.setdefault(arg, []).append(step)
    outputs = {*program.outputs}

    def in_place(variable: Variable, user: Variable) -> bool:
        return user.word in ONCE or user.shape == variable.shape and (user.word not in LOOPS or user.word == "cast")

    lazy = [v for v in program.steps if v.shape and v not in outputs and len(users[v]) == 1 and not _of_rows(v)]
    return {v for v in lazy if in_place(v, users[v][0])}


def scan(p: Arrays, *args: Any) -> Memory:
    """A program for each entry of some arrays, whose first results are its first arguments the next time.

    The result has a row for each entry: all that the program gives, one after the other.
    """
    *given, body = args
    count = len(body.carry)
    moving = [p.memory(x) for x in given[count : count + len(body.moving)]]
    fixed = [p.memory(x) for x in given[count + len(body.moving) :]]
    carry = [p.allocate(x.shape, x.type) for x in given[:count]]
    for to, x in zip(carry, given):
        p.fill(to, x)
    rows = p.allocate((body.length, body.width), p.type(body.dtype))

    def entry(index: str) -> None:
        inner, row = Steps(body.program, p), p.entry(rows, index)
        inner.arrays.update(zip(body.program.inputs, [*carry, *(p.entry(x, index) for x in moving), *fixed]))
        inner.write()
        found = [inner.operand(v) for v in body.program.outputs]
        places = [p.stored(row.pointer, x.shape, row.type, offset=start) for x, (start, _) in zip(found, body.columns)]
        for to, x in [*zip(places, found), *zip(carry, places)]:  # what is carried changes when all is computed
            p.fill(to, p.cast(x, to.type))

    p.code.module.short = False  # whatever the length
    p.code.loop(body.length, entry)
    return rows


OF_PROGRAMS = {"scan": scan}
