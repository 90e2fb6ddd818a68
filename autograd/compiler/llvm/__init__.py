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
from operator import attrgetter
from typing import Any

import numpy as np

from ..program import Program, Variable
from .arrays import Arrays, Memory
from .machine import HUGE, STRAIGHT, MachineCode, registers
from .steps import Steps
from .text import ALONE, MASKED, ROLLED

LOOK = attrgetter("__class__", "shape", "dtype", "flags.carray")  # the last: contiguous, aligned, writable
ON_THE_STACK = 1 << 15  # bytes; larger workspaces are allocated
LONG = 45_000  # characters of code, once all is one function; of more, keeping them, and loops, saves LLVM minutes


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
        self.source, short = _function(program, writer, self.moves, self.carried)
        self._packed, self._room = program.of_numbers, [0.0] * len(program.outputs)
        known = isinstance(before, LlvmExecutable) and before.source == self.source
        self._code = before._code if known else self._compiled(short)
        self.why, program.memory = why, writer.arena.size
        self._refusals = [*writer.refusals]
        self._constants, self._bytes = writer.constants, 0 if _on_the_stack(writer) else writer.arena.size
        self._looks = self._looks_of(1)
        self._made = [(v.shape, v.dtype) for i, v in enumerate(program.outputs) if i not in self.carried]
        self._of_arrays = all(shape for shape, _ in self._made)
        self._run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * (3 if self._packed else 2))(
            self._code.address("run" if self._packed else "call")
        )
        self._local = threading.local()

    def _compiled(self, short: bool) -> MachineCode:
        names = ("run",) if self._packed else ("run", "call")
        return MachineCode(self.source, *names, unrolled=short, most=STRAIGHT if self._packed else HUGE)

    def __call__(self, inputs: list) -> tuple:
        """Numbers and arrays for the inputs; a tuple of numbers and arrays."""
        if self._packed:
            numbers = array("d", inputs + self._room)
            start = numbers.buffer_info()[0]
            if status := self._run(1, self._bytes and self._workspace(), start, start + 8 * len(inputs)):
                raise self._refused(status)
            return tuple(numbers[len(inputs) :])
        results = [np.empty(shape, dtype) for shape, dtype in self._made]
        self._into(results, 1, inputs)
        if self._of_arrays:
            return tuple(results)
        return tuple([x if v.shape else x[()] for x, v in zip(results, self.program.outputs)])

    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations; what is not carried, by iteration.

        Raises ValueError for an array of another shape than the program's, and for one that is to be written and is not
        contiguous, aligned, writable and of the dtype. What is only read is copied if it is not so.
        """
        results = [np.empty((count, *shape), dtype) for shape, dtype in self._made]
        self._into(results, count, arrays)
        return results

    def _into(self, results: Sequence[np.ndarray], count: int, arrays: Sequence[np.ndarray]) -> None:
        """Run this many iterations, whose outputs that are not carried go into these arrays."""
        expected = self._looks if count == 1 else self._looks_of(count)
        if [*map(LOOK, arrays)] != expected:
            arrays = self._readable(arrays, expected)
        everything = (*self._constants, *arrays, *results)
        if status := self._run(count, self._bytes and self._workspace(), id(everything)):
            raise self._refused(status)

    def _refused(self, status: int) -> Exception:
        kind, text = self._refusals[status - 1]
        return kind(text)

    def _looks_of(self, count: int) -> list:
        """What LOOK should say of the inputs for this many iterations."""
        return [
            (np.ndarray, (count, *v.shape) if moves else v.shape, v.dtype, True)
            for v, moves in zip(self.program.inputs, self.moves)
        ]

    def _readable(self, arrays: Sequence[np.ndarray], expected: list) -> list[np.ndarray]:
        """The arrays, or copies that machine code can read."""
        found = []
        for x, (_, shape, dtype, _) in zip(arrays, expected, strict=True):
            if x.shape != shape:
                raise ValueError(f"a program for an array of shape {shape} was given one of shape {x.shape}")
            found.append(np.require(x, dtype, ["C", "A"]))
        for j in self.carried.values():
            if LOOK(arrays[j])[1:] != expected[j][1:]:
                raise ValueError(f"input {j} is written by the program: it must be a contiguous, writable array")
        return found

    def _workspace(self) -> int:
        """The address of this thread's workspace, on a cache line."""
        if not hasattr(self._local, "workspace"):
            self._local.workspace = np.empty(self._bytes // 8 + 8)
            self._local.address = self._local.workspace.ctypes.data // 64 * 64 + 64
        return self._local.address


def _function(program: Program, writer: Arrays, moves: Sequence[bool], carried: Mapping[int, int]) -> tuple[str, bool]:
    """The whole module: a function of the number of iterations, of the workspace, and of a pointer for each array.

    And whether it is short.
    """
    code = writer.code
    code.start("begin")
    code.loop("%n", lambda index: _iteration(Steps(program, writer), index, moves, carried), kind=ALONE)
    code.do(f"ret i64 {writer.status.at(())}")
    names = [f"%c{i}" for i in range(len(writer.constants))] + [f"%i{i}" for i in range(len(program.inputs))]
    names += [f"%o{i}" for i in range(len(program.outputs)) if i not in carried]
    names = ["%i", "%o"] if program.of_numbers else names
    lines = [] if program.of_numbers else _call(len(names))
    parameters = ", ".join(["i64 %n", *(f"ptr noalias {name}" for name in ("%workspace", *names))])
    lines += [
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
    short = code.module.short and code.module.length + sum(map(len, code.lines)) < LONG
    return "\n".join([*lines, *_options(short)]) + "\n", short


def _options(short: bool) -> list[str]:
    """Attributes of functions, and what is said of loops."""
    inline = "alwaysinline" if short else "noinline"
    width = '"prefer-vector-width"="{}"'  # in most loops 256, since LLVM takes slow gathers for columns else
    of_loops = [f"nounwind {inline} {width.format(256)}", f"nounwind noinline {width.format(512)}"]
    attributes = ["nounwind willreturn memory(none)", f"nounwind noinline {width.format(256)}", *of_loops]
    masks = "true" if registers()[1] == 64 else "false"  # those of AVX2 take longer than number by number
    return [
        *(f"attributes #{i} = {{ {each} }}" for i, each in enumerate(attributes)),
        # several iterations at once: seldom possible, of no use, and of some programs LLVM never comes to an end
        f"{ALONE} = distinct !{{{ALONE}, !1}}",
        '!1 = !{!"llvm.loop.vectorize.enable", i1 false}',
        f"{MASKED} = distinct !{{{MASKED}, !3}}",
        f'!3 = !{{!"llvm.loop.vectorize.predicate.enable", i1 {masks}}}',
        f"{ROLLED} = distinct !{{{ROLLED}, !5}}",
        '!5 = !{!"llvm.loop.unroll.disable"}',
    ]


def _call(count: int) -> list[str]:
    """The program as a function of a tuple of arrays, each of which has the address of its numbers behind its header.

    That is where NumPy's own interface for C finds it; Python asks an array for it ten times as long.
    """
    lines = ["define i64 @call(i64 %n, ptr %workspace, ptr %arrays) {"]
    for i in range(count):
        lines += [
            f"  %item{i} = getelementptr i8, ptr %arrays, i64 {tuple.__basicsize__ + 8 * i}",
            f"  %array{i} = load ptr, ptr %item{i}",
            f"  %place{i} = getelementptr i8, ptr %array{i}, i64 {object.__basicsize__}",
            f"  %numbers{i} = load ptr, ptr %place{i}",
        ]
    given = ", ".join(["i64 %n", "ptr %workspace", *(f"ptr %numbers{i}" for i in range(count))])
    return [*lines, f"  %status = call i64 @run({given})", "  ret i64 %status", "}"]


def _iteration(steps: Steps, index: str, moves: Sequence[bool], carried: Mapping[int, int]) -> None:
    """The program once: inputs, steps, outputs."""
    program, writer, packed = steps.program, steps.writer, steps.program.of_numbers

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
        steps.places.setdefault(variable, (places[-1], program.inputs[carried[i]] if i in carried else None))
    steps.write()
    _results(steps, places, {f"%i{i}" for i in carried.values()})


def _results(steps: Steps, places: list[Memory], overwritten: set[str]) -> None:
    """Outputs where the caller wants them; all that may be overwritten by then is copied before."""
    writer = steps.writer
    found = [steps.operand(v) for v in steps.program.outputs]
    with writer.kernel() if steps.program.of_numbers else nullcontext():
        for i, (x, place) in enumerate(zip(found, places)):
            if isinstance(x, Memory) and writer.whole.get(x.pointer, x.pointer) in overwritten and not x.is_at(place):
                found[i] = copy = writer.allocate(x.shape, x.type)
                writer.fill(copy, x)
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
