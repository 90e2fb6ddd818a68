"""The llvm printer: a program as machine code, from the same rows as everything else.

Each word is applied to symbolic arrays: an elementwise one makes a lazy array, whose elements are computed where they
are used, so that chains of them become one loop; words along axes make loops over memory with constant offsets.
Numbers (arrays without axes) live in registers, so a graph of Values becomes straight-line code.
"""

import builtins
import ctypes
import itertools
import math
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from ...operation import Function
from ..placing import last_uses
from ..program import Program, Unprintable, Variable
from .arrays import PREDICATES, Array, Arrays, Memory, types_of_arguments
from .loops import LOOPS
from .machine import LONG, MachineCode
from .text import TYPES, converted

SUMS = {"sum", "mean", "sum_to", "cumsum"}  # of elements in the type of the result
REDUCTIONS = {"sum", "mean", "sum_to", "max", "min", "top"}
VIEWS = {"reshape", "transpose", "swapaxes", "getitem", "flip", "expand", "cast"}  # what may show other memory
ONCE = {"reshape", "transpose", "swapaxes", *REDUCTIONS}  # what reads each element once, wherever it stands
ON_THE_STACK = 1 << 15  # bytes; larger workspaces are allocated
WORD = 7  # the bits of an address that are 0 where a number may begin
BLOCK = 500  # operations on single numbers in a function


class Printer(Arrays):
    """Writes the body of one iteration of a program."""

    def __init__(self, program: Program):
        super().__init__()
        self.program = program
        self.arrays: dict[Variable, Array] = {}
        self.fused = _fused(program)
        self.last = last_uses(program, {v for v in program.steps if v in self.fused or v.word in VIEWS})
        self.places: dict[Variable, Memory] = {}  # where the caller wants results
        self.parts: dict[int, list[tuple[int, int]]] = {}  # of the arena, that are free after a step

    def on_the_stack(self) -> bool:
        """Whether all arrays in between are so small that each can have a place there."""
        return sum(end - start for _, (start, end) in self.workspace) <= ON_THE_STACK

    def operand(self, variable: Variable) -> Array:
        """The array of a variable; constants are made when they are first used."""
        if variable not in self.arrays:
            value = np.asarray(variable.value)
            value = value if value.dtype in TYPES else value.astype(float)
            bits = value.view(f"u{value.itemsize}")
            if value.size and np.all(bits == bits.flat[0]):
                self.arrays[variable] = self.constantly(value.flat[0], value.shape, self.type(value.dtype))
            else:
                self.arrays[variable] = self.constant(value)
        return self.arrays[variable]

    def steps(self) -> None:
        """The code of all steps: one after the other, those on single numbers in groups."""
        start, steps = 0, self.program.steps
        while start < len(steps):
            end = start
            while end < min(len(steps), start + BLOCK) and _of_numbers(steps[end]):
                end += 1
            if end > start:
                self.numbers(range(start, end))
            else:
                self.step(start)
            start = max(end, start + 1)

    def numbers(self, places: range) -> None:
        """Steps on single numbers, in registers; what others need is stored, in one array."""
        registers: dict[Variable, str] = {}
        with self.kernel():
            for variable in self.program.steps[places.start : places.stop]:
                word, within, type = self.word(variable)
                numbers = [
                    converted(self.code, registers[arg], self.type(arg.dtype), t)
                    if arg in registers
                    else self.cast(self.operand(arg), t).at(())
                    for arg, t in zip(variable.args, types_of_arguments(word, within))
                ]
                found = self.written(word, within, numbers)
                registers[variable] = converted(self.code, found, "i1" if word in PREDICATES else within, type)
            needed = [v for v in registers if self.last[v] >= places.stop]
            for type, group in itertools.groupby(sorted(needed, key=self.type_of), self.type_of):
                self.together(type, [*group], registers)
        for i in places:
            self.release(i)

    def together(self, type: str, numbers: list[Variable], registers: dict[Variable, str]) -> None:
        """Store numbers of one type side by side."""
        with self.kept_for(max(numbers, key=self.last.__getitem__)):
            line = self.allocate((len(numbers),), type)
        for i, variable in enumerate(numbers):
            self.arrays[variable] = place = self.stored(line.pointer, (), type, offset=i)
            self.store(registers[variable], place, ())

    def type_of(self, variable: Variable) -> str:
        """The LLVM type of a variable's numbers."""
        return self.type(variable.dtype)

    def word(self, variable: Variable) -> tuple[str, str, str]:
        """A variable's word, the type in which it is computed, and that of the result."""
        word, type = variable.word, self.type(variable.dtype)
        if isinstance(word, Function):
            if not word.printable:
                raise Unprintable(f"{word.name} is defined by Python functions")
            word = word.name
        if word not in PREDICATES:
            return word, type, type
        given = [v.value if builtins.type(v.value) in (int, float) else v.dtype for v in variable.args]
        return word, self.type(np.result_type(*given)), type

    def step(self, i: int) -> None:
        """The code of one variable, or the promise of it where a single loop will use it."""
        variable = self.program.steps[i]
        with self.kernel(), self.kept_for(variable):
            x = self.applied(variable)
            self.arrays[variable] = x if variable in self.fused else self.in_its_place(variable, x)
        self.release(i)

    def in_its_place(self, variable: Variable, x: Array) -> Memory:
        """An array in memory: where the caller wants it if it is a result and not stored already."""
        if isinstance(x, Memory) or variable not in self.places:
            return self.memory(x)
        self.fill(self.places[variable], x)
        return self.places[variable]

    @contextmanager
    def kept_for(self, variable: Variable) -> Iterator[None]:
        """What is allocated meanwhile is needed as long as the variable."""
        before = len(self.workspace)
        yield
        for _, part in self.workspace[before:]:
            self.parts.setdefault(self.last[variable], []).append(part)

    def release(self, i: int) -> None:
        """Memory that nobody needs after a step is used again."""
        for part in self.parts.pop(i, ()):
            self.arena.give(part)

    def applied(self, variable: Variable) -> Array:
        """What a word makes of its arguments."""
        args = [*map(self.operand, variable.args)]
        word, within, type = self.word(variable)
        if word not in LOOPS:
            return self.cast(self.elementwise(word, args, within), type)
        args = [self.cast(x, type) for x in args] if word in SUMS else args
        return self.cast(LOOPS[word](self, *args, *variable.static), type)


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

    return {v for v in program.steps if v not in outputs and len(users[v]) == 1 and in_place(v, users[v][0])}


class LlvmExecutable:
    """A program as machine code. Inputs that `moves` have one more leading axis, an entry for each iteration, and so
    have outputs; `carried` outputs replace an input in its own memory instead (output position: input position).

    Machine code reads and writes wherever it is pointed to, so every array is looked at before each run. `before` is a
    program whose machine code is taken over if its text is the same.
    """

    backend = "llvm"

    def __init__(
        self, program: Program, why: str, moves: Sequence[bool], carried: Mapping[int, int], before: Any = None
    ):
        self.program, self.moves, self.carried = program, moves, carried
        printer = Printer(program)
        self.source = _function(printer, self.moves, self.carried)
        known = isinstance(before, LlvmExecutable) and before.source == self.source
        self._code: MachineCode = before._code if known else MachineCode(self.source)
        self.why = why
        self._constants, self._bytes = printer.constants, 0 if printer.on_the_stack() else printer.arena.size
        self._packed = _all_numbers(program)
        self._shapes = [v.shape for v in program.inputs]
        self._dtypes = [v.dtype for v in program.inputs]
        self._made = [(v.shape, v.dtype) for i, v in enumerate(program.outputs) if i not in self.carried]
        pointers = 3 if self._packed else 1 + len(self._constants) + len(self._shapes) + len(self._made)
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * pointers)(self._code.address)
        self._fixed = [_pointer(c) for c in self._constants]
        self._local = threading.local()

    def __call__(self, inputs: list) -> tuple:
        """Numbers and arrays for the inputs; a tuple of numbers and arrays."""
        if self._packed:
            numbers, results = array("d", inputs), array("d", bytes(8 * len(self.program.outputs)))
            self._run(1, self._workspace(), numbers.buffer_info()[0], results.buffer_info()[0])
            return tuple(results)
        outputs = self.iterate(1, inputs)
        return tuple([float(x[0]) if v.scalar else x[0] for x, v in zip(outputs, self.program.outputs)])

    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations; what is not carried, by iteration.

        Raises ValueError for an array of another shape than the program's, and for one that is to be written and is not
        contiguous, aligned, writable and of the dtype. What is only read is copied if it is not so.
        """
        shapes = [(count, *shape) if moves else shape for shape, moves in zip(self._shapes, self.moves)]
        arrays, addresses = self._checked(arrays, shapes)
        results = [np.empty((count, *shape), dtype) for shape, dtype in self._made]
        self._run(count, self._workspace(), *self._fixed, *addresses, *map(_pointer, results))
        return results

    def _checked(self, arrays: Sequence[np.ndarray], shapes: list[tuple[int, ...]]) -> tuple[Sequence, Sequence[int]]:
        """The arrays, or copies that can be read, and their addresses."""
        try:
            if [x.shape for x in arrays] == shapes and [x.dtype for x in arrays] == self._dtypes:
                addresses = [*map(ctypes.addressof, map(_buffer, arrays))]
                if not any(map(WORD.__and__, addresses)):
                    return arrays, addresses
        except (AttributeError, TypeError, ValueError):
            pass  # one is no array, read-only, empty or not contiguous; below each is looked at by itself
        held = [readable(*each) for each in zip(arrays, shapes, self._dtypes, strict=True)]
        for j in self.carried.values():
            if held[j][0] is not arrays[j] or not arrays[j].flags.writeable:
                raise ValueError(f"input {j} is written by the program: it must be a contiguous, writable array")
        return tuple(zip(*held)) if held else ((), ())

    def _workspace(self) -> int:
        """The address of this thread's workspace, on a cache line; 0 where it is on the stack."""
        if self._bytes and not hasattr(self._local, "workspace"):
            self._local.workspace = np.empty(self._bytes // 8 + 8)
            self._local.address = _pointer(self._local.workspace) // 64 * 64 + 64
        return self._local.address if self._bytes else 0


def readable(x: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, int]:
    """An array that machine code can read, and the address of its numbers: x itself, or a copy where it cannot."""
    if x.shape != shape:
        raise ValueError(f"a program for an array of shape {shape} was given one of shape {x.shape}")
    if x.dtype == dtype:
        address = _pointer(x)
        if address is not None and address % dtype.itemsize == 0:
            return x, address
    x = np.array(x, dtype, order="C")
    return x, _pointer(x)


def _all_numbers(program: Program) -> bool:
    """Whether everything is a Python float; then inputs and outputs are one array each."""
    return all(v.scalar for v in (*program.inputs, *program.steps, *program.outputs))


_buffer: Callable = ctypes.c_char.from_buffer


def _pointer(x: Any) -> Any:
    """The address of an array's first element; None if its elements do not lie one after the other."""
    try:
        return ctypes.addressof(_buffer(x))  # a quarter of the time of the other way
    except (TypeError, ValueError):  # it is read-only, empty, or not contiguous
        return x.__array_interface__["data"][0] if x.flags.c_contiguous else None


def _function(printer: Printer, moves: Sequence[bool], carried: Mapping[int, int]) -> str:
    """The whole module: a function of the number of iterations, of the workspace, and of a pointer for each array."""
    code, program = printer.code, printer.program
    code.start("begin")
    code.loop("%n", lambda index: _iteration(printer, index, moves, carried))
    code.do("ret void")
    names = [f"%c{i}" for i in range(len(printer.constants))] + [f"%i{i}" for i in range(len(program.inputs))]
    names += [f"%o{i}" for i in range(len(program.outputs)) if i not in carried]
    names = ["%i", "%o"] if _all_numbers(program) else names
    parameters = ", ".join(["i64 %n", *(f"ptr noalias {name}" for name in ("%workspace", *names))])
    lines = [
        *code.module.lines(),
        f"define void @run({parameters}) #1 {{",
        "entry:",
        *_workspace(printer),
        "  br label %begin",
        *code.lines,
        "}",
    ]
    inline = "alwaysinline" if sum(map(len, lines)) < LONG else "noinline"
    width = '"prefer-vector-width"="256"'  # wider, LLVM takes slow gathers for columns
    attributes = "nounwind willreturn memory(none)", f"nounwind {width}", f"nounwind {inline} {width}"
    lines += [f"attributes #{i} = {{ {each} }}" for i, each in enumerate(attributes)]
    return "\n".join(lines) + "\n"


def _iteration(printer: Printer, index: str, moves: Sequence[bool], carried: Mapping[int, int]) -> None:
    """The program once: inputs, steps, outputs."""
    program, code, packed = printer.program, printer.code, _all_numbers(printer.program)

    def place(pointer: str, variable: Variable) -> str:
        """Where the entry of this iteration is."""
        at = code.linear([index], [math.prod(variable.shape)])
        kept = {"i1": "i8"}.get(printer.type(variable.dtype), printer.type(variable.dtype))
        code.do(f"{pointer}_now = getelementptr inbounds {kept}, ptr {pointer}, i64 {at}")
        return f"{pointer}_now"

    for i, variable in enumerate(program.inputs):
        pointer, offset = ("%i", i) if packed else (place(f"%i{i}", variable) if moves[i] else f"%i{i}", 0)
        printer.arrays[variable] = printer.stored(pointer, variable.shape, printer.type(variable.dtype), offset=offset)
    places = []
    for i, variable in enumerate(program.outputs):
        pointer = "%o" if packed else f"%i{carried[i]}" if i in carried else place(f"%o{i}", variable)
        places.append(printer.stored(pointer, variable.shape, printer.type(variable.dtype), offset=i if packed else 0))
        if i not in carried:
            printer.places.setdefault(variable, places[-1])
    printer.steps()
    _results(printer, places, {f"%i{i}" for i in carried.values()})


def _results(printer: Printer, places: list[Memory], overwritten: set[str]) -> None:
    """Outputs where the caller wants them; all that may be overwritten by then is copied before."""
    found = [printer.operand(v) for v in printer.program.outputs]
    with printer.kernel() if _all_numbers(printer.program) else nullcontext():
        for i, (x, place) in enumerate(zip(found, places)):
            if isinstance(x, Memory) and x.pointer in overwritten - {place.pointer}:
                found[i] = printer.allocate(x.shape, x.type)
                printer.fill(found[i], x)
        for x, place in zip(found, places):
            if x is not place:
                printer.fill(place, x)


def _workspace(printer: Printer) -> list[str]:
    """Where the arrays in between are: on the stack, or in memory that the caller brings where they are large."""
    if printer.on_the_stack():
        return [f"  {name} = alloca [{end - start} x i8], align 64" for name, (start, end) in printer.workspace]
    return [f"  {name} = getelementptr i8, ptr %workspace, i64 {start}" for name, (start, _) in printer.workspace]
