"""The python printer: a program as a Python function over math or NumPy, to be read, and to be run anywhere.

Arrays are written into buffers (`out=`), parts of one piece of memory that are used again when their contents are not
needed any more (placing.py); each thread has its own. Results are copied out, so that nothing the caller holds changes
later.
"""

import itertools
import keyword
import linecache
import math
import re
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import words
from ..operation import ON_ARRAYS, ON_FLOATS, Function
from ..users import quiet
from .placing import Arena, last_uses
from .program import Program, Variable

NUMPYS = {
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
    "neg": "negative",
    "mod": "remainder",
    "floordiv": "floor_divide",
}
VIEWS = {"reshape", "transpose", "swapaxes", "getitem", "flip"}  # what may show the memory of an argument
SCOPE = {
    **words.ARRAYS,
    **{name: words.ARRAYS[word] for word, name in NUMPYS.items()},
    "dot": np.dot,
    "copyto": np.copyto,
    "array": np.array,
    "asarray": np.asarray,
}


class Source:
    """The text of a program, being written."""

    def __init__(self, program: Program, name: str):
        self.program = program
        self.names: dict[Variable, str] = {}
        self.taken = {*SCOPE, *words.FLOATS, "buffers", "constants", "nan", "inf"}
        self.constants: list = []
        self.functions: dict[Function, str] = {}  # of the user, and what they are called here
        self.arena = Arena()
        self.buffers: dict[tuple, int] = {}  # by where in the arena they are, shape and dtype
        self.parts: dict[Variable, tuple[int, int]] = {}  # of the arena, that are in use
        self.last = last_uses(program, {v for v in program.steps if v.word in VIEWS or isinstance(v.word, Function)})
        self.beside = {arg for v in program.steps if v.shape for arg in v.args if not arg.shape}
        self.dying: dict[int, list[Variable]] = defaultdict(list)  # what has a part, by the step that needs it last
        self.name = self.called(name)

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
        if variable not in self.names:
            value = variable.value
            if type(value) in (int, float, bool):  # NumPy's own numbers keep their dtype
                return repr(value) if np.copysign(1, value) > 0 else f"({value!r})"
            self.names[variable] = f"constants[{len(self.constants)}]"
            self.constants.append(value)
        return self.names[variable]

    def lines(self) -> Iterator[str]:
        """The function, line by line."""
        for variable in self.program.inputs:
            self.names[variable] = self.called(variable.name or "x")
        parameters = [self.names[v] for v in self.program.inputs]
        yield f"def {self.name}({', '.join(parameters)}):"
        for i, variable in enumerate(self.program.steps):
            code = self._float(variable) if variable.scalar else self._array(i, variable)
            for line in code:
                yield f"    {line}"
        results = [self.of(v) if v.scalar else f"array({self.of(v)})" for v in self.program.outputs]
        yield f"    return ({''.join(f'{x}, ' for x in results)})"

    def _float(self, variable: Variable) -> Iterator[str]:
        text = self._text(variable, ON_FLOATS)
        self.names[variable] = self.called(variable.name or f"v{len(self.names)}")
        yield f"{self.names[variable]} = {text}"

    def _array(self, i: int, variable: Variable) -> Iterator[str]:
        name, word = self.called(variable.name or f"v{len(self.names)}"), variable.word
        comment = f"  # {variable.shape} {getattr(word, 'name', word)}"
        where = self._into(variable) if variable.shape and word not in VIEWS else None
        if where is None:
            text = self._text(variable, ON_ARRAYS)
            if variable in self.beside:  # where an array of shape () takes half the time of NumPy's own number
                text = f"asarray({text})"
            yield f"{name} = {text}{comment}"
            self._release(i)
        else:
            *before, last = where(f"buffers[{self._take(i, variable)}]")
            yield from before
            yield f"{name} = {last}{comment}"
        self.names[variable] = name

    def _text(self, variable: Variable, templates: dict[str, str]) -> str:
        """A word applied to variables and static arguments, as an expression."""
        args = [*map(self.of, variable.args), *map(self._static, variable.static)]
        if variable.word in templates:
            text = templates[variable.word].format(*args).replace(".swapaxes(-1, -2)", ".mT")
            return text[1:-1] if templates[variable.word][0] == "(" else text
        return f"{self._name_of(variable.word)}({', '.join(args)})"

    def _name_of(self, word: Any) -> str:
        """How a word is called: by its name; a function of the user by one of its own."""
        if isinstance(word, str):
            return word
        if word not in self.functions:
            self.functions[word] = self.called(word.name)
        return self.functions[word]

    def _static(self, x: Any) -> str:
        if _is_literal(x):
            return repr(x).replace("Ellipsis", "...")
        self.constants.append(x)
        return f"constants[{len(self.constants) - 1}]"

    def _into(self, variable: Variable) -> Callable | None:
        """How to write the value of a word into a buffer, if there is a way: a function of the buffer's name."""
        word, args = variable.word, [self.of(arg) for arg in variable.args]
        matrices = [x for x in variable.args if len(x.shape) == 2 and x.dtype == variable.dtype]  # dot is strict
        if isinstance(word, str) and isinstance(words.ARRAYS.get(word), np.ufunc):
            return lambda out: [f"{NUMPYS.get(word, word)}({', '.join(args)}, out={out})"]
        large = all(math.prod(arg.shape) != 1 for arg in variable.args)  # else dot loses NaN, as words.py says
        if word == "matmul" and large and len(matrices) == 2:
            return lambda out: [f"dot({', '.join(args)}, out={out})"]
        if word == "sum_to" and len(matrices) == 1 and variable.shape == variable.args[0].shape[1:]:
            ones = self._static(np.ones(variable.args[0].shape[0], variable.dtype))
            return lambda out: [f"dot({ones}, {args[0]}, out={out})"]
        if word == "expand":
            return lambda out: [f"copyto({out}, {args[0]})", out]
        return None

    def _take(self, i: int, variable: Variable) -> int:
        """A buffer for the result of a step: that of an argument like it which nobody needs afterwards, or another."""
        over = [arg for arg in variable.args if arg in self.dying[i] and arg.like(variable)]
        if over and variable.word != "matmul":  # a product may not be written over its factors
            self.dying[i].remove(over[0])
            part = self.parts.pop(over[0])
        else:
            part = self.arena.take(math.prod(variable.shape) * variable.dtype.itemsize)
        self.parts[variable] = part
        self.dying[self.last[variable]].append(variable)
        self._release(i)
        return self.buffers.setdefault((part[0], variable.shape, variable.dtype), len(self.buffers))

    def _release(self, i: int) -> None:
        """Give back the buffers that are needed for the last time in a step."""
        for variable in self.dying.pop(i, ()):
            self.arena.give(self.parts.pop(variable))


def _is_literal(x: Any) -> bool:
    """Whether repr gives Python text for it that stands for the same."""
    if isinstance(x, (tuple, list)):
        return all(map(_is_literal, x))
    if isinstance(x, slice):
        return all(map(_is_literal, (x.start, x.stop, x.step)))
    return x is None or x is Ellipsis or type(x) in (int, bool, str)


_number = itertools.count(1)  # tells programs of the same name apart in a traceback


class PythonExecutable:
    """A program that runs as a Python function; `source` is its text."""

    backend = "python"

    def __init__(self, program: Program, why: str, name: str, moves: Sequence[bool], carried: Mapping[int, int]):
        self.moves, self.carried, self.why = moves, carried, why
        source = Source(program, name)
        self.program, self.source = program, "\n".join(source.lines()) + "\n"
        filename = f"<jit: {source.name} {next(_number)}>"
        linecache.cache[filename] = (len(self.source), None, self.source.splitlines(True), filename)
        weakref.finalize(self, linecache.cache.pop, filename, None)
        self._code, self._name = compile(self.source, filename, "exec"), source.name
        self._floats = all(v.scalar for v in program.steps)
        self._functions = {name: word.function for word, name in source.functions.items()}
        self._constants, self._buffers, self._bytes = source.constants, [*source.buffers], source.arena.size
        self._local, program.memory = threading.local(), source.arena.size

    @quiet
    def __call__(self, inputs: list) -> tuple:
        """Numbers and arrays for the inputs; a tuple of numbers and arrays."""
        return self._function()(*inputs)

    @quiet
    def iterate(self, count: int, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run this many iterations; what is not carried, by iteration. What is ends in the inputs' arrays."""
        run, current = self._function(), list(arrays)
        outputs = self.program.outputs
        kept = [(np.empty((count, *v.shape), v.dtype), i) for i, v in enumerate(outputs) if i not in self.carried]
        moving, carried = [j for j, moves in enumerate(self.moves) if moves], list(self.carried.items())
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
            memory = np.empty(self._bytes, np.uint8)
            scope: dict[str, Any] = {
                **(words.FLOATS if self._floats else SCOPE),
                **self._functions,
                "constants": self._constants,
                "nan": np.nan,
                "inf": np.inf,
                "array": np.array,
                "buffers": [np.ndarray(shape, dtype, memory, start) for start, shape, dtype in self._buffers],
            }
            exec(self._code, scope)
            run = self._local.run = scope[self._name]
        return run
