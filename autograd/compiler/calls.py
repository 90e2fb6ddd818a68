"""jit: a function whose graph is recorded once for each form of its arguments and then runs as a program."""

import functools
import inspect
import numbers
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from ..arguments import MixedError
from ..backward import history
from ..node import Node, Value
from ..operation import OPERATIONS
from ..tree import flatten, map_tree
from .program import Program, Unprintable
from .python import PythonProgram
from .tracing import leaf, tracing
from .watching import Watch

FOR_BLAS = 20_000_000  # multiply-adds from which the cache blocking of a BLAS is worth its calls


FORMS = 64  # programs that a jitted function keeps; each takes up to a megabyte

PLAIN = {float, int, np.ndarray}  # what most arguments are
NATIVE = {np.dtype(name) for name in ("f2", "f4", "f8", "g", "?")}  # what arrays are given to programs as


class Bounded(OrderedDict):
    """A dictionary of a limited size, which forgets what was not used for the longest time."""

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def find(self, key: Hashable) -> Any:
        """The entry, which counts as used now; None if there is none."""
        found = self.get(key)
        if found is not None:
            try:
                self.move_to_end(key)
            except KeyError:
                pass  # another thread forgot it just now
        return found

    def keep(self, key: Hashable, value: Any) -> Any:
        """Enter a value; it is returned."""
        self[key] = value
        while len(self) > self.most:
            self.popitem(last=False)
        return value


@dataclass
class Compiled:
    """What one form of arguments was compiled to."""

    run: Any  # a printed program
    why: str  # why this printer
    outside: list[Node]  # leaves that the function closes over, whose numbers are read at each call
    looks: list  # what the program depends on in their numbers
    convert: list[Callable] | None  # how these are handed over, where they are not as the program takes them
    result: Any  # the structure of the result, with the positions of its numbers
    watch: Watch  # what else it was recorded from

    def numbers(self) -> list | None:
        """The numbers of the leaves from outside; None if this program is not the function's any more."""
        found = [node.data for node in self.outside]
        if self.outside and looks(found) != self.looks or self.watch.changed():
            return None
        return found if self.convert is None else [f(x) for f, x in zip(self.convert, found)]


_look = attrgetter("__class__", "shape", "dtype")


def looks(numbers: list) -> list:
    """What a program depends on in numbers and arrays besides the numbers themselves."""
    try:
        return [*map(_look, numbers)]
    except AttributeError:
        return [*map(type, numbers)]


@dataclass(frozen=True)
class Position:
    """Where in a program's outputs a number of the result is."""

    index: int


class Jit:
    """A compiled function; see jit."""

    def __init__(self, function: Callable, backend: str):
        functools.update_wrapper(self, function)
        self.function, self.wanted = function, backend
        self.compiled = Bounded(FORMS)
        self._last: Compiled | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        flat, form = [*args], len(args)
        if kwargs or not PLAIN.issuperset(map(type, args)):
            flat = []
            form = _form((args, kwargs), flat)
        given, kinds = _numbers(flat)
        if given is None:
            return self.function(*args, **kwargs)  # it takes part in a larger graph, as if it were not compiled
        key = kinds, form
        compiled = self.compiled.find(key)
        numbers = None if compiled is None else compiled.numbers()
        if numbers is None:
            before = compiled and compiled.run
            compiled = self.compiled.keep(key, compile_call(self.function, args, kwargs, given, self.wanted, before))
            numbers = compiled.numbers()
            if numbers is None:
                raise RuntimeError(f"{self!r}: what the function uses was changed while it was recorded")
        self._last = compiled
        outputs = compiled.run(given + numbers)
        if type(compiled.result) is Position:
            return outputs[0]
        return map_tree(lambda x: outputs[x.index] if isinstance(x, Position) else _fresh(x), compiled.result)

    @property
    def source(self) -> str:
        """The program of the last call as text."""
        return self._compiled().run.source

    @property
    def program(self) -> Program:
        """The program of the last call; its repr tells its size and cost."""
        return self._compiled().run.program

    @property
    def backend(self) -> str:
        """What runs the program of the last call, and why."""
        found = self._compiled()
        return f"{found.run.backend} ({found.why})"

    def _compiled(self) -> Compiled:
        if self._last is None:
            raise RuntimeError(f"{self!r} has not been called yet: what is compiled depends on the arguments")
        return self._last

    def clear(self) -> None:
        """Forget what was compiled."""
        self.compiled.clear()
        self._last = None

    def __repr__(self) -> str:
        return f"<jit {getattr(self.function, '__name__', self.function)!s}: {len(self.compiled)} programs>"


def jit(function: Callable, backend: str = "auto") -> Jit:
    """The function as a program, recorded once for each structure, shapes and dtypes of its arguments.

    Arguments are floats, arrays, and lists, tuples and dicts of them; strings, booleans and None are part of the form.
    The result has numbers and fresh arrays where the function returns nodes. Values and Tensors that the function uses,
    such as the parameters of a Module, are read at each call. All else that it finds by name (global variables, its
    closure and defaults, attributes of objects, elements of lists and dicts, arrays) is looked at, and where something
    was changed the function is recorded again. What it finds in other ways, such as a file, is as it was when recorded;
    what it does besides, such as printing, happens only then. A function that closes over Values is one of numbers:
    given arrays, it runs on their elements, which are broadcast. With nodes among its arguments it runs uncompiled and
    is differentiated like any function. `backend` is "python", "llvm" (the extra jit), or "auto": llvm where it is
    installed and can print the program. The last 64 programs are kept (`.compiled.most`). Raises TracingError where the
    function reads a number that it has only when it runs, and ValueError for a Tensor whose `.data` is no array of
    floats any more.
    """
    if backend not in ("auto", "llvm", "python"):
        raise ValueError(f"jit: the backends are auto, llvm and python, not {backend!r}")
    return function if isinstance(function, Jit) else Jit(function, backend)


def _form(tree: Any, flat: list) -> Hashable:
    """The structure of nested arguments; what they hold is appended to a list."""
    if isinstance(tree, dict):
        return "dict", *tree, *[_form(part, flat) for part in tree.values()]
    if isinstance(tree, (list, tuple)):
        return type(tree), *[_form(part, flat) for part in tree]
    flat.append(tree)
    return None


def _numbers(flat: list) -> tuple[list | None, Hashable]:
    """The numbers among arguments, as floats or (if an array is among them) all as arrays, and what they look like.

    None if a node is among them.
    """
    kinds = {*map(type, flat)}
    if kinds == {float}:
        return flat, (float,) * len(flat)
    if kinds == {np.ndarray} and NATIVE.issuperset([x.dtype for x in flat]):
        return flat, tuple([(x.shape, x.dtype) for x in flat])
    if any(isinstance(x, Node) for x in flat):
        return None, None
    weak = _weak([x.dtype for x in flat if isinstance(x, (np.ndarray, np.generic))])
    arrays, given, key = any(isinstance(x, np.ndarray) for x in flat), [], []
    for x in flat:
        if x is None or isinstance(x, (str, bool)):
            key.append(x)
        elif isinstance(x, np.ndarray) or arrays and isinstance(x, (numbers.Real, np.bool_)):
            given.append(_array(x, weak))
            key.append((given[-1].shape, given[-1].dtype))
        elif isinstance(x, numbers.Real):
            given.append(float(x))
            key.append(float)
        else:
            raise TypeError(
                f"jit: arguments are real numbers, arrays, and lists, tuples and dicts of them, not {type(x).__name__}"
            )
    return given, tuple(key)


def _weak(dtypes: list[np.dtype]) -> np.dtype:
    """What a Python number is beside arrays of these dtypes: it does not widen float32."""
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    return np.result_type(*floats) if floats else np.dtype(float)


def _array(x: Any, weak: np.dtype) -> np.ndarray:
    """An argument as a native array of floats, or a mask."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x, weak)
    if isinstance(x, np.ma.MaskedArray) or x.dtype.kind not in "fiub":
        kind = "a masked array" if isinstance(x, np.ma.MaskedArray) else x.dtype
        raise TypeError(f"jit: arguments are real numbers and arrays of them, not {kind}")
    return np.asarray(x, x.dtype.newbyteorder("=") if x.dtype.kind in "fb" else float)


def _fresh(x: Any) -> Any:
    """An array of the result that no program computes, for the caller alone."""
    return x.copy() if isinstance(x, np.ndarray) else x


def compile_call(
    function: Callable, args: tuple, kwargs: dict, given: list, backend: str, before: Any = None
) -> Compiled:
    """Record one call and print its program; `before` is what was printed for this form last, if anything."""
    arrays, dtype = [x for x in given if isinstance(x, np.ndarray)], None
    try:
        inputs, outside, output = _recorded(function, args, kwargs, given)
    except MixedError:
        if not arrays:
            raise
        dtype = _weak([x.dtype for x in arrays])
        inputs, outside, output = _recorded(function, args, kwargs, [0.5] * len(given))
        inputs, output = _on_elements(inputs, [*given, *(np.asarray(x.data, dtype) for x in outside)], output, dtype)
    outputs = list(dict.fromkeys(x for x in flatten(output) if isinstance(x, Node)))
    title = getattr(function, "__name__", "program")
    if not outputs:
        raise TypeError(f"jit: {title} returned nothing that depends on its arguments")
    if len({isinstance(x, Value) for x in (*inputs, *outputs)}) != 1:
        raise TypeError("jit: Values and Tensors do not mix in one program: give arrays throughout, or numbers")
    for node in [x for x in outputs if not hasattr(x, "example")]:
        raise TypeError(
            f"jit: the result holds a {type(node).__name__} that does not depend on the arguments: return its .data"
        )
    place = {node: Position(i) for i, node in enumerate(outputs)}
    result = map_tree(lambda x: place.get(x, x) if isinstance(x, Node) else _fresh(x), output)
    run, why = printed(Program(inputs, outputs), title, backend, before=before)
    held, taken = [node.data for node in outside], [node.example for node in inputs[len(given) :]]
    convert = None if looks(held) == looks(taken) else [_converter(x) for x in taken]
    return Compiled(run, why, outside, looks(held), convert, result, Watch(function))


def _converter(example: Any) -> Callable:
    """What makes a number or an array one like this."""
    return float if type(example) is float else functools.partial(np.asarray, dtype=np.asarray(example).dtype)


def _recorded(function: Callable, args: tuple, kwargs: dict, given: list) -> tuple[list[Node], list[Node], Any]:
    """A node for each number given and then for each leaf from outside; those leaves; the result."""
    names = iter(_names(function, args, kwargs))
    with tracing() as trace:
        nodes = [leaf(x, next(names)) for x in given]
        following = iter(nodes)
        inner, named = map_tree(
            lambda x: x if x is None or isinstance(x, (str, bool)) else next(following), (args, kwargs)
        )
        output = function(*inner, **named)
        outside = {node: double for node, double in trace.outside.items() if node.operation is None}
    return [*nodes, *outside.values()], list(outside), output


def _on_elements(inputs: list[Node], examples: list, output: Any, dtype: np.dtype) -> tuple[list[Node], Any]:
    """What was recorded on numbers, recorded again on arrays that are broadcast: the inputs and the result."""
    shape = np.broadcast_shapes(*map(np.shape, examples))

    def as_numbers(x: Node) -> Node:
        """Two masks add up to a mask, but among numbers a comparison is 1.0 or 0.0."""
        return x if x.dtype.kind == "f" else OPERATIONS["cast"](x, dtype)

    found = [x for x in flatten(output) if isinstance(x, Node) and hasattr(x, "example")]
    with tracing():
        fresh = [leaf(np.asarray(x), node.name) for node, x in zip(inputs, examples)]
        of = dict(zip(inputs, map(as_numbers, fresh)))
        for node in reversed(history(*found)) if found else ():
            if node.operation is not None:
                of[node] = as_numbers(
                    node.operation(*(of[arg] if isinstance(arg, Node) else arg for arg in node.args))
                )
            elif node not in of:
                of[node] = leaf(np.asarray(node.example, dtype))
        results = {node: OPERATIONS["expand"](of[node], shape) for node in found}
    return fresh, map_tree(lambda x: results.get(x, x) if isinstance(x, Node) else x, output)


def _names(function: Callable, args: tuple, kwargs: dict) -> Iterator[str]:
    """Names for the numbers in arguments: the parameter's, and where in it they are."""
    try:
        bound = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        bound = []
    bound += [f"x{i}" for i in range(len(bound), len(args))]

    def parts(name: str, tree: Any) -> Iterator[str]:
        if isinstance(tree, dict):
            for key, part in tree.items():
                yield from parts(f"{name}_{key}", part)
        elif isinstance(tree, (list, tuple)):
            for i, part in enumerate(tree):
                yield from parts(f"{name}_{i}", part)
        elif tree is not None and not isinstance(tree, (str, bool)):
            yield name

    for name, tree in [*zip(bound, args), *kwargs.items()]:
        yield from parts(name, tree)


def printed(
    program: Program,
    name: str,
    backend: str,
    moves: Sequence[bool] | None = None,
    carried: dict[int, int] | None = None,
    before: Any = None,
) -> tuple[Any, str]:
    """The program by the printer that was asked for, and why by this one.

    Where it is iterated, inputs that `moves` have an entry for each iteration, and a `carried` output takes the place
    of an input (output position: input position). Machine code of the same text is taken over from what was printed
    `before`.
    """
    if backend == "python":
        return PythonProgram(program, name, moves, carried), "as asked for"
    if backend == "auto" and program.multiply_adds() > FOR_BLAS:
        return PythonProgram(program, name, moves, carried), "its matrix products are large enough for NumPy's BLAS"
    try:
        from .llvm import LlvmProgram
    except ImportError:
        if backend == "llvm":
            raise ImportError('jit(backend="llvm") needs llvmlite: pip install "crabgrad[jit]"') from None
        return PythonProgram(program, name, moves, carried), "llvmlite is not installed"
    try:
        run = LlvmProgram(program, moves, carried, before)
    except Unprintable as error:
        if backend == "llvm":
            raise TypeError(f'jit(backend="llvm"): {error}') from None
        return PythonProgram(program, name, moves, carried), str(error)
    why = "as asked for" if backend == "llvm" else "every operation is printable"
    return run, f"{why}; {run.remark}" if run.remark else why
