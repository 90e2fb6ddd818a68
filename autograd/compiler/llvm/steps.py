"""The code of a program's steps, one after the other: what becomes one loop, and how long it is kept."""

import builtins
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from ...operation import Function, Lazy
from ..placing import last_uses
from ..program import Program, Unprintable, Variable
from .arrays import PREDICATES, Array, Arrays, Memory, types_of_arguments
from .loops import LOOPS
from .text import TYPES, converted

WIDENED = {"sum", "mean", "sum_to", "cumsum", "matmul", "concatenate"}  # words of arguments of the type of the result
REDUCTIONS = {"sum", "mean", "sum_to", "max", "min", "top", "argmax"}
VIEWS = {"reshape", "transpose", "swapaxes", "getitem", "flip", "expand", "cast"}  # what may show other memory
ONCE = {"reshape", "transpose", "swapaxes", *REDUCTIONS}  # what reads each element once, wherever it stands
BLOCK = 2000  # operations on single numbers in a function


class Steps:
    """Writes the code of a program's steps, once."""

    def __init__(self, program: Program, writer: Arrays):
        self.program, self.writer = program, writer
        self.arrays: dict[Variable, Array] = {}
        self.fused = _fused(program)
        self.last = last_uses(program, {v for v in program.steps if v in self.fused or v.word in VIEWS})
        self.places: dict[Variable, Memory] = {}  # where the caller wants results
        self.parts: dict[int, list[tuple[int, int]]] = {}  # of the arena, that are free after a step

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

    def write_numbers(self, places: range) -> None:
        """Steps on single numbers, in registers; what others need is stored, in one array."""
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
                self.together(type, [*group], registers)
        for i in places:
            self.release(i)

    def together(self, type: str, numbers: list[Variable], registers: dict[Variable, str]) -> None:
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
        return word, self.writer.type(np.result_type(*given)), type

    def step(self, i: int) -> None:
        """The code of one variable, or the promise of it where a single loop will use it."""
        variable = self.program.steps[i]
        of_programs = variable.word.name in OF_PROGRAMS if isinstance(variable.word, Function) else False
        with nullcontext() if of_programs else self.writer.kernel(), self.kept_for(variable):
            x = self.applied(variable)
            self.arrays[variable] = x if variable in self.fused else self.in_its_place(variable, x)
        self.release(i)

    def in_its_place(self, variable: Variable, x: Array) -> Memory:
        """An array in memory: where the caller wants it if it is a result and not stored already."""
        if isinstance(x, Memory) or variable not in self.places:
            return self.writer.memory(x)
        self.writer.fill(self.places[variable], x)
        return self.places[variable]

    @contextmanager
    def kept_for(self, variable: Variable) -> Iterator[None]:
        """What is allocated meanwhile is needed as long as the variable."""
        before, self.writer.fresh = self.writer.fresh, []
        yield
        self.parts.setdefault(self.last[variable], []).extend(self.writer.fresh)
        self.writer.fresh = before

    def release(self, i: int) -> None:
        """Memory that nobody needs after a step is used again."""
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


def _of_numbers(variable: Variable) -> bool:
    """Whether a step makes a single number of single numbers."""
    return variable.word not in LOOPS and not variable.shape and not any(arg.shape for arg in variable.args)


def _fused(program: Program) -> set[Variable]:
    """The variables that are computed where they are used: by one loop, which reads each element once."""
    users: dict[Variable, list[Variable]] = {}
    for step in program.steps:
        for arg in step.args:
            users.setdefault(arg, []).append(step)
    outputs = {*program.outputs}

    def in_place(variable: Variable, user: Variable) -> bool:
        return user.word in ONCE or user.shape == variable.shape and (user.word not in LOOPS or user.word == "cast")

    lazy = [v for v in program.steps if v.shape and v not in outputs and len(users[v]) == 1]
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

    p.code.loop(body.length, entry)
    return rows


OF_PROGRAMS = {"scan": scan}
