"""The llvm printer: a program as machine code, from the same rows as everything else.

Each word is applied to symbolic arrays: an elementwise one makes a lazy array, whose elements are computed where they
are used, so that chains of them become one loop; words along axes make loops over memory with constant offsets.
Numbers (arrays without axes) live in registers, so a graph of Values becomes straight-line code.
"""

import ctypes
import math
import threading
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..program import Program, Variable
from .arrays import Arrays, Memory
from .machine import LONG, MachineCode
from .steps import Steps

ON_THE_STACK = 1 << 15  # bytes; larger workspaces are allocated
WORD = 7  # the bits of an address that are 0 where a number may begin


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
        writer = Arrays()
        self.source = _function(program, writer, self.moves, self.carried)
        known = isinstance(before, LlvmExecutable) and before.source == self.source
        self._code: MachineCode = before._code if known else MachineCode(self.source)
        self.why = why
        self._constants, self._bytes = writer.constants, 0 if _on_the_stack(writer) else writer.arena.size
        self._packed = _all_numbers(program)
        self._shapes = [v.shape for v in program.inputs]
        self._dtypes = [v.dtype for v in program.inputs]
        self._made = [(v.shape, v.dtype) for i, v in enumerate(program.outputs) if i not in self.carried]
        pointers = 3 if self._packed else 1 + len(self._constants) + len(self._shapes) + len(self._made)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * pointers)(
            self._code.address("run")
        )
        self._fixed = [_pointer(c) for c in self._constants]
        self._local = threading.local()

    def __call__(self, inputs: list) -> tuple:
        """Numbers and arrays for the inputs; a tuple of numbers and arrays."""
        if self._packed:
            numbers, results = array("d", inputs), array("d", bytes(8 * len(self.program.outputs)))
            _say(self._run(1, self._workspace(), numbers.buffer_info()[0], results.buffer_info()[0]))
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
        _say(self._run(count, self._workspace(), *self._fixed, *addresses, *map(_pointer, results)))
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


def _say(status: int) -> None:
    """Raise what a program found to be wrong."""
    if status:
        raise IndexError(f"an index is out of bounds for an axis of length {status - 1}")


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


def _function(program: Program, writer: Arrays, moves: Sequence[bool], carried: Mapping[int, int]) -> str:
    """The whole module: a function of the number of iterations, of the workspace, and of a pointer for each array."""
    code = writer.code
    code.start("begin")
    code.loop("%n", lambda index: _iteration(Steps(program, writer), index, moves, carried))
    code.lines[-2] += ", !llvm.loop !0"  # on its way back
    code.do(f"ret i64 {writer.status.at(())}")
    names = [f"%c{i}" for i in range(len(writer.constants))] + [f"%i{i}" for i in range(len(program.inputs))]
    names += [f"%o{i}" for i in range(len(program.outputs)) if i not in carried]
    names = ["%i", "%o"] if _all_numbers(program) else names
    parameters = ", ".join(["i64 %n", *(f"ptr noalias {name}" for name in ("%workspace", *names))])
    lines = [
        *code.module.lines(),
        f"define i64 @run({parameters}) #1 {{",
        "entry:",
        "  %status = alloca i64",
        "  store i64 0, ptr %status",
        *_workspace(writer),
        "  br label %begin",
        *code.lines,
        "}",
    ]
    inline = "alwaysinline" if sum(map(len, lines)) < LONG else "noinline"
    width = '"prefer-vector-width"="256"'  # wider, LLVM takes slow gathers for columns
    attributes = "nounwind willreturn memory(none)", f"nounwind {width}", f"nounwind {inline} {width}"
    lines += [f"attributes #{i} = {{ {each} }}" for i, each in enumerate(attributes)]
    # several iterations at once: seldom possible, of no use, and of some programs LLVM never comes to an end
    lines += ["!0 = distinct !{!0, !1}", '!1 = !{!"llvm.loop.vectorize.enable", i1 false}']
    return "\n".join(lines) + "\n"


def _iteration(steps: Steps, index: str, moves: Sequence[bool], carried: Mapping[int, int]) -> None:
    """The program once: inputs, steps, outputs."""
    program, writer, packed = steps.program, steps.writer, _all_numbers(steps.program)

    def array(pointer: str, variable: Variable, moves: bool, offset: int) -> Memory:
        """The array at a pointer; where it moves, the entry of this iteration."""
        shape, type = variable.shape, writer.type(variable.dtype)
        return (
            writer.entry(writer.stored(pointer, (1, *shape), type), index)
            if moves
            else writer.stored(pointer, shape, type, offset=offset)
        )

    for i, variable in enumerate(program.inputs):
        steps.arrays[variable] = array("%i" if packed else f"%i{i}", variable, moves[i], i if packed else 0)
    places = []
    for i, variable in enumerate(program.outputs):
        pointer = "%o" if packed else f"%i{carried[i]}" if i in carried else f"%o{i}"
        places.append(array(pointer, variable, not packed and i not in carried, i if packed else 0))
        if i not in carried:
            steps.places.setdefault(variable, places[-1])
    steps.write()
    _results(steps, places, {f"%i{i}" for i in carried.values()})


def _results(steps: Steps, places: list[Memory], overwritten: set[str]) -> None:
    """Outputs where the caller wants them; all that may be overwritten by then is copied before."""
    writer = steps.writer
    found = [steps.operand(v) for v in steps.program.outputs]
    with writer.kernel() if _all_numbers(steps.program) else nullcontext():
        for i, (x, place) in enumerate(zip(found, places)):
            if isinstance(x, Memory) and x.pointer in overwritten and not x.is_at(place):
                found[i] = writer.allocate(x.shape, x.type)
                writer.fill(found[i], x)
        for x, place in zip(found, places):
            if not (isinstance(x, Memory) and x.is_at(place)):
                writer.fill(place, x)


def _workspace(writer: Arrays) -> list[str]:
    """Where the arrays in between are: on the stack, or in memory that the caller brings where they are large."""
    if _on_the_stack(writer):
        return [f"  {name} = alloca [{end - start} x i8], align 64" for name, (start, end) in writer.workspace]
    return [f"  {name} = getelementptr i8, ptr %workspace, i64 {start}" for name, (start, _) in writer.workspace]


def _on_the_stack(writer: Arrays) -> bool:
    """Whether all arrays in between are so small that each can have a place there."""
    return sum(end - start for _, (start, end) in writer.workspace) <= ON_THE_STACK
