"""The python printer: a program as a Python function over math or NumPy, to be read, and to be run anywhere.

Arrays are written into buffers (`out=`) that are taken from a pool as long as their contents are needed; each thread
has its own. Results are copied out, so that nothing the caller holds changes later.
"""

import ast
import itertools
import keyword
import linecache
import math
import re
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import words
from ..operation import PLAIN_FLOATS, rewrite
from .program import Program, Variable

UFUNCS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}
VIEWS = {"reshape", "transpose", "swapaxes", "getitem"}
SCOPE = {
    **words.ARRAYS,
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "negative": np.negative,
    "dot": np.dot,
    "copyto": np.copyto,
    "array": np.array,
}
INTO = {name for name, word in SCOPE.items() if isinstance(word, np.ufunc)}  # they take out=


class Source:
    """The text of a program, being written."""

    def __init__(self, program: Program, name: str):
        self.program = program
        self.names: dict[int, str] = {}
        self.taken = {*SCOPE, *words.FLOATS, "buffers", "constants", "nan", "inf"}
        self.constants: list[np.ndarray] = []
        self.words: dict[str, Callable] = {}  # functions that single operations were defined by
        self.buffers: list[tuple[tuple, np.dtype]] = []
        self.free: dict[tuple, list[int]] = {}
        self.held: dict[int, int] = {}  # a variable's buffer
        self.uses = Counter(id(_root(arg)) for v in program.steps for arg in v.args) + Counter(
            id(_root(v)) for v in program.outputs
        )
        self.name = self.called(name or "program")

    def called(self, wish: str) -> str:
        """A name that is an identifier, is in nobody's way and is as wished otherwise."""
        name = re.sub(r"[^A-Za-z0-9_]", "_", wish)
        name = (
            name
            if name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")
            else f"v_{name.strip('_')}"
        )
        found, i = name, 2
        while found in self.taken:
            found, i = f"{name}_{i}", i + 1
        self.taken.add(found)
        return found

    def of(self, variable: Variable) -> str:
        """How a variable is written where it is used."""
        if id(variable) not in self.names:
            value = variable.value
            if type(value) in (int, float, bool):  # NumPy's own numbers keep their dtype
                return repr(value)
            self.names[id(variable)] = f"constants[{len(self.constants)}]"
            self.constants.append(value)
        return self.names[id(variable)]

    def lines(self) -> Iterator[str]:
        """The function, line by line."""
        for variable in self.program.inputs:
            self.names[id(variable)] = self.called(variable.name or "x")
        parameters = [self.names[id(v)] for v in self.program.inputs]
        yield f"def {self.name}({', '.join(parameters)}):"
        for variable in self.program.steps:
            code = self._float(variable) if variable.scalar else self._array(variable)
            for line in code:
                yield f"    {line}"
        for variable in self.program.outputs:
            self.of(variable)
        yield f"    return ({''.join(self._result(v) + ', ' for v in self.program.outputs)})"

    def _result(self, variable: Variable) -> str:
        return self.of(variable) if variable.scalar else f"array({self.of(variable)})"

    def _float(self, variable: Variable) -> Iterator[str]:
        names = dict(zip(variable.operation.names, (*map(self.of, variable.args), *map(repr, variable.static))))
        names |= self._words_of(variable)
        text = PLAIN_FLOATS.text(variable.operation.value, names)
        self.names[id(variable)] = self.called(variable.name or f"v{len(self.names)}")
        yield f"{self.names[id(variable)]} = {text}"

    def _array(self, variable: Variable) -> Iterator[str]:
        operation = variable.operation
        static = [self._static(x) for x in variable.static]
        names = dict(zip(operation.names, (*map(self.of, variable.args), *static))) | self._words_of(variable)
        tree = ast.parse(rewrite(operation.value, names, calls={}), mode="eval").body
        name, comment = self.called(variable.name or f"v{len(self.names)}"), f"  # {variable.shape} {operation.name}"
        where = self._into(tree, variable) if variable.shape and operation.name not in VIEWS else None
        if where is None:
            yield f"{name} = {ast.unparse(tree)}{comment}"
            self._release(variable)
        else:
            *before, last = where(f"buffers[{self._take(variable)}]")
            yield from before
            yield f"{name} = {last}{comment}"
        self.names[id(variable)] = name

    def _words_of(self, variable: Variable) -> dict[str, str]:
        """Names for the functions that an operation was defined by."""
        named = {word: self.called(f"{variable.operation.name}_{word}") for word in variable.operation.words}
        self.words.update({named[word]: function for word, function in variable.operation.words.items()})
        return named

    def _static(self, x: Any) -> str:
        if _is_literal(x):
            return repr(x).replace("Ellipsis", "...")
        self.constants.append(x)
        return f"constants[{len(self.constants) - 1}]"

    def _into(self, tree: ast.expr, variable: Variable) -> Callable | None:
        """How to write the value of an expression into a buffer, if there is a way: a function of the buffer's name."""
        call, args = _called(tree)
        simple = not any(isinstance(arg, (ast.BinOp, ast.Call)) for arg in args)
        texts = [ast.unparse(arg) for arg in args]
        matrices = [
            arg for arg in variable.args if len(arg.shape) == 2 and arg.dtype == variable.dtype
        ]  # dot is strict
        if call in INTO and simple:
            return lambda out: [f"{call}({', '.join(texts)}, out={out})"]
        large = all(math.prod(arg.shape) != 1 for arg in variable.args[:2])  # else dot loses NaN, as words.py says
        if call == "matmul" and simple and large and len(matrices) == 2:
            return lambda out: [f"dot({', '.join(texts)}, out={out})"]
        if variable.operation.name == "affine" and large and matrices[:2] == list(variable.args[:2]):
            x, y, b = map(self.of, variable.args)
            return lambda out: [f"dot({x}, {y}, out={out})", f"add({out}, {b}, out={out})"]
        if call == "sum_to" and len(matrices) == 1 and variable.shape == variable.args[0].shape[1:]:
            ones = self._static(np.ones(variable.args[0].shape[0], variable.dtype))
            return lambda out: [f"dot({ones}, {texts[0]}, out={out})"]
        if call == "expand":
            return lambda out: [f"copyto({out}, {texts[0]})", out]
        return None

    def _take(self, variable: Variable) -> int:
        """A buffer for a variable: one that nobody needs any more, or a new one."""
        elementwise = variable.operation.name not in ("matmul", "affine")
        if elementwise:  # may be written over an argument; a matrix product may not
            self._release(variable)
        key = variable.shape, variable.dtype
        free = self.free.setdefault(key, [])
        if not free:
            self.buffers.append(key)
            free.append(len(self.buffers) - 1)
        self.held[id(variable)] = free.pop()
        if not elementwise:
            self._release(variable)
        return self.held[id(variable)]

    def _release(self, variable: Variable) -> None:
        """Give back the buffers of arguments that are used for the last time here."""
        for arg in map(_root, variable.args):
            self.uses[id(arg)] -= 1
            if not self.uses[id(arg)] and id(arg) in self.held:
                self.free[arg.shape, arg.dtype].append(self.held.pop(id(arg)))


def _root(variable: Variable) -> Variable:
    """What a view looks into; else the variable itself."""
    while variable.operation is not None and variable.operation.name in VIEWS and not variable.scalar:
        variable = variable.args[0]
    return variable


def _is_literal(x: Any) -> bool:
    """Whether repr gives Python text for it that stands for the same."""
    if isinstance(x, (tuple, list)):
        return all(map(_is_literal, x))
    if isinstance(x, slice):
        return all(map(_is_literal, (x.start, x.stop, x.step)))
    return x is None or x is Ellipsis or type(x) in (int, bool)


def _called(tree: ast.expr) -> tuple[str, list[ast.expr]]:
    """An infix operator or a call as the name of a function and its arguments."""
    if isinstance(tree, ast.BinOp) and type(tree.op) in UFUNCS:
        return UFUNCS[type(tree.op)], [tree.left, tree.right]
    if isinstance(tree, ast.UnaryOp):
        return "negative", [tree.operand]
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return tree.func.id, tree.args
    return "", []


_number = itertools.count(1)  # tells programs of the same name apart in a traceback


class PythonProgram:
    """A program that runs as a Python function; `source` is its text."""

    backend = "python"

    def __init__(
        self, program: Program, name: str, moves: Sequence[bool] | None = None, carried: dict[int, int] | None = None
    ):
        self.moves, self.carried = moves or [False] * len(program.inputs), carried or {}
        source = Source(program, name)
        self.program, self.source = program, "\n".join(source.lines()) + "\n"
        filename = f"<jit: {source.name} {next(_number)}>"
        linecache.cache[filename] = (len(self.source), None, self.source.splitlines(True), filename)
        weakref.finalize(self, linecache.cache.pop, filename, None)
        self._code, self._name = compile(self.source, filename, "exec"), source.name
        self._floats = all(v.scalar for v in program.steps)
        self._words = source.words
        self._constants, self._buffers, self._local = source.constants, source.buffers, threading.local()

    def __call__(self, inputs: list) -> tuple:
        """Numbers and arrays for the inputs; a tuple of numbers and arrays."""
        with np.errstate(all="ignore"):
            return self._function()(*inputs)

    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations; what is not carried, by iteration. What is ends in the inputs' arrays."""
        run, current = self._function(), list(arrays)
        outputs = self.program.outputs
        kept = [(np.empty((count, *v.shape), v.dtype), i) for i, v in enumerate(outputs) if i not in self.carried]
        moving, carried = [j for j, moves in enumerate(self.moves) if moves], list(self.carried.items())
        with np.errstate(all="ignore"):
            for k in range(count):
                for j in moving:
                    current[j] = arrays[j][k]
                out = run(*current)
                for result, i in kept:
                    result[k] = out[i]
                for i, j in carried:
                    current[j] = out[i]
        for j in self.carried.values():
            arrays[j][...] = current[j]
        return [result for result, _ in kept]

    def _function(self) -> Callable:
        run = getattr(self._local, "run", None)
        if run is None:
            scope = {
                **(words.FLOATS if self._floats else words.ARRAYS | SCOPE),
                **self._words,
                "constants": self._constants,
                "nan": np.nan,
                "inf": np.inf,
                "array": np.array,
                "buffers": [np.empty(shape, dtype) for shape, dtype in self._buffers],
            }
            exec(self._code, scope)
            run = self._local.run = scope[self._name]
        return run
