"""The llvm printer: a program as machine code, from the same rows as everything else.

Each word is applied to symbolic arrays: an elementwise one makes a lazy array, whose elements are computed where they
are used, so that chains of them become one loop; words along axes make loops over memory with constant offsets.
Numbers (arrays without axes) live in registers, so a graph of Values becomes straight-line code.
"""

import ctypes
import functools
import math
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import llvmlite.binding as binding
import numpy as np

from ...operation import Function
from ..program import Program, Unprintable, Variable
from .arrays import Array, Arrays, Memory
from .loops import LOOPS
from .text import TYPES, literal

COMPARISONS = {"greater", "less", "equal", "greater_equal", "less_equal", "not_equal"}
OF_COUNTS = {"add", "sub", "mul", "neg", "abs", "where"}  # of how many elements a mask has, kept as floats
ON_MASKS = {"add": "maximum"}  # as in NumPy, where the sum of two masks is a mask
ON_THE_STACK = 1 << 18  # bytes; larger workspaces are allocated
BLOCK = 500
WORD = 7  # the bits of an address that are 0 where a number may begin
LONG = 100_000  # characters; of a longer program unrolled loops take LLVM minutes, and run no faster
LARGE = 8000  # operations; larger programs are optimized less, so that compilation stays short


class Printer(Arrays):
    """Writes the body of one iteration of a program."""

    def __init__(self, program: Program):
        super().__init__()
        self.program = program
        self.arrays: dict[Variable, Array] = {}
        self.consumers: dict[Variable, list[Variable]] = {}
        for step in program.steps:
            for arg in step.args:
                self.consumers.setdefault(arg, []).append(step)
        self.outputs = Counter(program.outputs)

    def operand(self, variable: Variable) -> Array:
        """The array of a variable; constants are made when they are first used."""
        if variable not in self.arrays:
            value = np.asarray(variable.value)
            value = value if value.dtype in TYPES else value.astype(float)
            type = self.type(value.dtype)
            if value.size and np.all(value.view(f"u{value.itemsize}") == value.view(f"u{value.itemsize}").flat[0]):
                same = literal(value.flat[0], type)
                self.arrays[variable] = Array(value.shape, type, lambda indices: same)
            else:
                self.arrays[variable] = self.constant(value)
        return self.arrays[variable]

    def step(self, variable: Variable) -> None:
        """The code of one variable, or the promise of it where a single loop will use it."""
        word, args = variable.word, [*map(self.operand, variable.args)]
        if isinstance(word, Function):
            if not word.printable:
                raise Unprintable(f"{word.name} is defined by Python functions")
            word = word.name
        if word in LOOPS:
            x = LOOPS[word](self, *args, *variable.static)
        else:
            word = ON_MASKS.get(word, word) if variable.dtype.kind == "b" else word
            x = self.elementwise(word, args, self.type_within(variable))
        if not variable.shape:
            x = self.number(x.at(()), x.type)
        elif not isinstance(x, Memory) and not self.used_in_place(variable):
            x = self.memory(x)
        self.arrays[variable] = self.cast(x, self.type(variable.dtype))

    def type_within(self, variable: Variable) -> str:
        """The type that an elementwise word computes with: of the numbers, where it compares numbers to a mask."""
        arguments = [v.value if type(v.value) in (int, float) else v.dtype for v in variable.args]
        of_masks = variable.dtype.kind == "b" and variable.word in COMPARISONS
        if variable.dtype.kind in "iu" and variable.word not in OF_COUNTS:
            raise Unprintable(f"{variable.word} of integers is not printed")
        return self.type(np.result_type(*arguments) if of_masks else variable.dtype)

    def used_in_place(self, variable: Variable) -> bool:
        """Whether one loop of the same shape reads each element once."""
        users = self.consumers.get(variable, [])
        if len(users) != 1 or self.outputs[variable]:
            return False
        (user,) = users
        return user.word in ("sum", "mean", "sum_to") or (
            user.shape == variable.shape and user.word not in ("matmul", "cumsum", "max", "min", "top")
        )


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
        self._code: MachineCode = before._code if known else MachineCode(self.source, len(program.steps) > LARGE)
        self.why = f"{why}; {self._code.remark}" if self._code.remark else why
        self._constants, self._bytes = printer.constants, printer.size if printer.size > ON_THE_STACK else 0
        self._packed = _all_numbers(program)
        self._shapes = [v.shape for v in program.inputs]
        self._dtypes = [stored_as(v.dtype) for v in program.inputs]
        self._made = [(v.shape, stored_as(v.dtype)) for i, v in enumerate(program.outputs) if i not in self.carried]
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
        return tuple(
            [
                float(x[0]) if v.scalar else x[0].astype(v.dtype, copy=False)
                for x, v in zip(outputs, self.program.outputs)
            ]
        )

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


def stored_as(dtype: np.dtype) -> np.dtype:
    """The dtype in which machine code holds numbers of a dtype: masks, and what is counted with them, as float64."""
    return dtype if dtype in TYPES else np.dtype(float)


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
        *sorted(code.declared),
        f"define void @run({parameters}) #1 {{",
        "entry:",
        *_workspace(printer),
        "  br label %begin",
        *code.lines,
        "}",
        "attributes #0 = { nounwind willreturn memory(none) }",
        'attributes #1 = { nounwind "prefer-vector-width"="256" }',  # wider, LLVM takes slow gathers for columns
    ]
    return "\n".join(lines) + "\n"


def _iteration(printer: Printer, index: str, moves: Sequence[bool], carried: Mapping[int, int]) -> None:
    """The program once: inputs, steps, outputs."""
    program, code, packed = printer.program, printer.code, _all_numbers(printer.program)

    def place(pointer: str, variable: Variable) -> str:
        """Where the entry of this iteration is."""
        at = code.linear([index], [math.prod(variable.shape)])
        return code.emit(f"getelementptr inbounds {printer.type(variable.dtype)}, ptr {pointer}, i64 {at}")

    for i, variable in enumerate(program.inputs):
        pointer, offset = ("%i", i) if packed else (place(f"%i{i}", variable) if moves[i] else f"%i{i}", 0)
        memory = printer.stored(pointer, variable.shape, printer.type(variable.dtype), offset=offset)
        printer.arrays[variable] = memory if variable.shape else printer.number(memory.at(()), memory.type)
    for i, variable in enumerate(program.steps, 1):
        printer.step(variable)
        if i % BLOCK == 0 and len(program.steps) > LARGE:  # the time to compile a block grows faster than its length
            label = code.new("part")
            code.do(f"br label %{label}")
            code.start(label)
    found = [printer.cast(printer.operand(v), printer.type(v.dtype)) for v in program.outputs]
    # all are computed before the first is written, since an output may take the place of an input
    kept = [x if isinstance(x, Memory) or not x.shape else printer.memory(x) for x in found]
    for i, (x, variable) in enumerate(zip(kept, program.outputs)):
        pointer = "%o" if packed else f"%i{carried[i]}" if i in carried else place(f"%o{i}", variable)
        printer.fill(printer.stored(pointer, variable.shape, x.type, offset=i if packed else 0), x)


def _workspace(printer: Printer) -> list[str]:
    """Where the arrays in between are: on the stack, or in memory that the caller brings where they are large."""
    ends = [offset for _, offset in printer.workspace[1:]] + [printer.size]
    if printer.size > ON_THE_STACK:
        return [f"  {name} = getelementptr i8, ptr %workspace, i64 {offset}" for name, offset in printer.workspace]
    sizes = [max(end - offset, 64) for (_, offset), end in zip(printer.workspace, ends)]
    return [f"  {name} = alloca [{size} x i8], align 64" for (name, _), size in zip(printer.workspace, sizes)]


@functools.cache
def _ready() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


class MachineCode:
    """The function that LLVM makes of a module's text: its address, as long as this lives."""

    def __init__(self, source: str, large: bool):
        _ready()
        self.remark = ""
        try:
            compiled = _compiled(source, large, vectorize_lines=True)
        except RuntimeError:
            try:
                compiled = _compiled(source, large, vectorize_lines=False)
            except RuntimeError as error:
                raise Unprintable(f"LLVM makes no valid code of it: {str(error).splitlines()[0]}") from None
            self.remark = "without LLVM's SLP vectorizer, which made invalid code of it"
        # an engine that compiles by itself keeps thirty times the memory of one that is given the compiled code
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target(large))
        self._engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
        self._engine.finalize_object()
        self.address = self._engine.get_function_address("run")


def _target(large: bool) -> Any:
    return binding.Target.from_default_triple().create_target_machine(
        opt=0 if large else 3, cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten()
    )


def _compiled(source: str, large: bool, vectorize_lines: bool) -> bytes:
    """The machine code of a module's text; RuntimeError where it is not valid, which would end the process later."""
    module, target = binding.parse_assembly(source), _target(large)
    module.verify()
    if not large:
        options = binding.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization, options.loop_unrolling = True, len(source) < LONG
        options.slp_vectorization = vectorize_lines
        builder = binding.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        _inline(module, builder)
        module.verify()
    return target.emit_object(module)


def _inline(module: Any, builder: Any) -> None:
    """Put the functions of vectors (lanes.py) where loops call them now, and drop those that none calls."""
    for function in module.functions:
        if not function.is_declaration and function.name != "run":
            function.linkage = "internal"
    passes = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_instruction_combine_pass()  # what a function now knows of its argument
    passes.run(module, builder)
