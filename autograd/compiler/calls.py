"""jit: a function whose graph is recorded once for each form of its arguments and then runs as a program."""

import contextlib
import functools
import inspect
import numbers
import operator
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, overload

import numpy as np
from numpy import ndarray

from ..arguments import is_masked
from ..calling import a_function, is_narrow, on_nodes
from ..node import Node, Tensor, Value, kinds
from ..recording import hooks, inspection
from ..tree import flatten, map_tree
from .applying import Applicable, applicable, converter
from .collecting import uncollected
from .forms import Bounded, Compiled, Form
from .mixing import on_elements, unmixed
from .printing import Executable
from .program import look, looks
from .tracing import NATIVE, Recording, native, number_of, record
from .watching import Watch

FORMS = NATIVE | {np.dtype(name) for name in "?bhilqBHILQ"}  # what arrays are given to programs as
SETTINGS = str, bool, type(None), np.random.Generator  # arguments that are part of the form themselves
NUMBERS = {float, Value, Tensor, np.ndarray}  # of these classes is what holds nothing
NONE: Mapping[int, Node] = {}


@dataclass
class CallForm(Form):
    """What one form of a jitted function's arguments was compiled to."""

    program: Applicable
    outside: dict[int, Node]  # leaves that the function closes over, and where among the inputs they are
    convert: list[Callable] | None  # what makes of numbers what the program takes, where that is not the same
    result: Any  # the structure of the result, with the positions of its numbers
    only_numbers: bool  # whether it holds nothing else

    def inputs(self, given: list) -> list | None:
        """The inputs of a call: what is given, leaves from outside, draws; None if this is not the program any more."""
        held = [node.number for node in self.outside.values()] if self.outside else []
        if held and looks(held) != self.looks or self.watch.changed():
            return None
        if held or self.draws:
            given = [*given, *held, *(drawn.again() for drawn in self.draws)]
        return given if self.convert is None else [f(x) for f, x in zip(self.convert, given, strict=True)]


class Position(int):
    """Where in a program's outputs a number or an array of the result is."""


class Jit(Compiled):
    """A compiled function; see jit."""

    def __init__(self, function: Callable, backend: str):
        super().__init__(backend)
        a_function(function)
        functools.update_wrapper(self, function, updated=())  # of a wrapped Jit not its programs
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kinds.number is not Value:
            return self.function(*args, **kwargs)  # it is recorded as a part of another program
        if hooks and inspection.inspector:
            return on_nodes(self.function, args, kwargs)
        given, nodes = [*args], NONE
        form: Any = None if kwargs else self.find(_glance(args))
        inputs = None if form is None else form.inputs(given)
        if inputs is None:
            flat, structure, nodes = _parts(args, kwargs)
            given, key = _numbers(flat, structure, self.foreign)
            form = self.find(key)
            inputs = None if form is None else form.inputs(given)
        if inputs is None:
            form = self.forms.keep(key, compile_call(self, args, kwargs, given, form and form.run))
            inputs = form.inputs(given)
            if inputs is None:
                raise RuntimeError(f"{self!r}: what the function uses was changed while it was recorded")
        self._last = form
        if self.foreign and any([isinstance(x, self.foreign) for x in given]):
            if nodes:
                raise TypeError("jit: a node beside an array of JAX's, of which no node is made")
        else:
            nodes = {**nodes, **form.outside} if nodes and form.outside else nodes or form.outside
        outputs = form.program.nodes(inputs, nodes) if nodes else form.program.numbers(inputs)
        if type(form.result) is Position:
            return outputs[form.result]
        if form.only_numbers:
            return map_tree(outputs.__getitem__, form.result)
        return map_tree(lambda x: outputs[x] if type(x) is Position else _fresh(x), form.result)

    def __reduce__(self) -> str | tuple:
        """Where a decorated function can be found by its name, that, as of every function; else what it is made of."""
        home, name = str(getattr(self, "__module__", "")), getattr(self, "__qualname__", "")
        with contextlib.suppress(KeyError, AttributeError):
            if operator.attrgetter(name)(sys.modules[home]) is self:
                return name
        return Jit, (self.function, self.wanted), {"forms": Bounded(self.forms.most)}

    def __repr__(self) -> str:
        return f"<jit {getattr(self.function, '__name__', self.function)!s}: {len(self.forms)} programs>"


@overload
def jit(function: Callable, backend: str = "auto") -> Jit:
    """Of a function."""


@overload
def jit(function: None = None, backend: str = "auto") -> Callable[[Callable], Jit]:
    """A decorator with options."""


def jit(function: Callable | None = None, backend: str = "auto") -> Any:
    """The function as a compiled program, one for each structure, shapes and dtypes of its arguments.

    It is a decorator too: `@jit` or `@jit(backend="python")`. `backend` is "python", "llvm" (the extra jit), "jax" (the
    extra jax), or "auto": llvm if it is installed and can print the program, else python.

    Arguments are floats, arrays, nodes, and lists, tuples and dicts of them. Strings, booleans, None and Generators may
    be given too; each value has its own program. Integer arrays and masks have no derivative; a Python int is a float,
    but may be an index. Shapes must not depend on numbers: x[i] compiles, x[mask] does not. The result is a node if it
    depends on a node, an argument or a Value or Tensor from outside such as a parameter; else it is numbers and fresh
    arrays. With jax, JAX's arrays may be given, and then are returned. Nodes can be differentiated to any order.

    Values and Tensors from outside are read at each call. If anything else that the function finds by name has changed
    (global variables, its closure and defaults, attributes, lists, dicts, arrays), it is recorded again. It does not
    notice what it gets in other ways, such as a file, and what it prints appears only while it is recorded. The last 64
    programs are kept (`.forms.most`). A function of Values that is given arrays runs on their elements, broadcast.
    Inside another jitted function it is part of that program; inside detect_anomaly it runs uncompiled.

    Raises TracingError where the function needs a number that is known only when the program runs, as `if x > 0` does.
    """
    if function is None:
        return functools.partial(jit, backend=backend)
    return function if isinstance(function, Jit) else Jit(function, backend)


def _structure(tree: Any, flat: list) -> Hashable:
    """The structure of nested arguments; what they hold is appended to a list."""
    if isinstance(tree, dict):
        return "dict", *tree, *[_structure(part, flat) for part in tree.values()]
    if isinstance(tree, (list, tuple)):
        if NUMBERS.issuperset(map(type, tree)):  # of most lists
            flat += tree
            return type(tree), len(tree)
        return type(tree), *[_structure(part, flat) for part in tree]
    flat.append(tree)
    return None


def _parts(args: tuple, kwargs: dict) -> tuple[list, Hashable, Mapping[int, Node]]:
    """What arguments hold, with numbers in place of nodes; its structure; the nodes, by their place among numbers."""
    flat: list = []
    structure = _structure((args, kwargs), flat)
    if not kwargs and len(flat) == len(args) and not any(isinstance(x, (list, tuple, dict, *SETTINGS)) for x in args):
        structure = None  # numbers, arrays and nodes, at which a glance is enough
    if not _some_are(Node, flat):
        return flat, structure, NONE
    given = [x for x in flat if not isinstance(x, SETTINGS)]
    nodes = {i: x for i, x in enumerate(given) if isinstance(x, Node)}
    return [number_of(x) if isinstance(x, Node) else x for x in flat], structure, nodes


def _some_are(kind: type, flat: list) -> bool:
    """Whether anything here is of a class; there are fewer classes than things."""
    return any(issubclass(each, kind) for each in {*map(type, flat)})


def _glance(args: tuple) -> Hashable:
    """What floats and arrays look like, as the key of their form has it; of other arguments no form has such a key."""
    return tuple([look(x) if type(x) is ndarray else type(x) for x in args])


def _numbers(flat: list, structure: Hashable, foreign: Any) -> tuple[list, Hashable]:
    """The numbers among arguments, as floats or arrays, and the key of their form: what they look like, and where.

    Arrays of a foreign class stay as they are.
    """
    arrays, given, key = _some_are(np.ndarray, flat), list[Any](), list[Any]()
    for x in flat:
        if type(x) is float:
            given.append(x)
            key.append(float)
        elif isinstance(x, SETTINGS):
            key.append(x)
        elif isinstance(x, np.ndarray) or isinstance(x, np.generic) and (arrays or is_narrow(x)):
            given.append(native(_of_numbers(x)))
            key.append(look(given[-1]))
        elif isinstance(x, foreign):
            given.append(_of_numbers(x))
            key.append(look(x))
        elif isinstance(x, numbers.Real):
            given.append(float(x))
            key.append(float)
        else:
            raise TypeError(
                "jit: arguments are real numbers, arrays, and lists, tuples and dicts of them, not "
                f'{type(x).__name__}, which the function may find by name; arrays of JAX are for backend="jax"'
            )
    return given, tuple(key) if structure is None else (tuple(key), structure)


def _of_numbers(x: Any) -> Any:
    """An array, if it is one of real numbers."""
    if is_masked(x) or x.dtype.kind not in "fiub":
        kind = "a masked array" if is_masked(x) else x.dtype
        raise TypeError(f"jit: arguments are real numbers and arrays of them, not {kind}")
    return x


def _fresh(x: Any) -> Any:
    """An array of the result that no program computes, for the caller alone."""
    return x.copy() if isinstance(x, np.ndarray) else x


def _example(x: Any) -> np.ndarray:
    """The numbers of a foreign array, or zeros where other hosts have some of them."""
    return np.asarray(x) if x.is_fully_addressable else np.zeros(x.shape, x.dtype)


def _same(x: Any) -> Any:
    return x


@uncollected
def compile_call(jit: Jit, args: tuple, kwargs: dict, given: list, before: Executable | None) -> CallForm:
    """Record one call and print its program; `before` is what was printed for this form last, if anything."""
    title = getattr(jit.function, "__name__", "program")
    watch = Watch(jit.function, *(x for x in flatten((args, kwargs)) if isinstance(x, np.random.Generator)))
    foreign = [isinstance(x, jit.foreign) for x in given]
    given = [_example(x) if is_foreign else x for x, is_foreign in zip(given, foreign)]
    with watch.undrawn():
        recording = _recorded(jit.function, args, kwargs, given)
    outputs: list[Any] = list(dict.fromkeys(x for x in flatten(recording.output) if isinstance(x, Node)))
    place = {x: Position(i) for i, x in enumerate(outputs)}
    result = map_tree(lambda x: place.get(x, x) if isinstance(x, Node) else _fresh(x), recording.output)
    held = [node.number for node in recording.outside]
    inputs = [*given, *held, *(drawn.example() for drawn in recording.draws)]
    taken = [node.example for node in recording.inputs]
    convert = None if looks(inputs) == looks(taken) else [converter(x) for x in taken]
    convert = convert and [_same if is_foreign else f for is_foreign, f in zip_longest(foreign, convert)]
    program = applicable(replace(recording, output=outputs), title, jit.wanted, before)
    outside = dict(enumerate(recording.outside, len(given)))
    only_numbers = all(type(x) is Position for x in flatten(result))
    of_form = program.run, looks(held), watch.settle(), recording.draws
    return CallForm(*of_form, program, outside, convert, result, only_numbers)


def _recorded(function: Callable, args: tuple, kwargs: dict, given: list) -> Recording:
    """One call; where it refuses arrays and uses Values, on their elements."""
    names = [*_names(function, args, kwargs)]

    def call(*nodes: Node) -> Any:
        following = iter(nodes)
        inner, named = map_tree(lambda x: x if isinstance(x, SETTINGS) else next(following), (args, kwargs))
        return function(*inner, **named)

    refusals = AttributeError, TypeError, ValueError
    try:
        found = record(call, given, names)
    except refusals:
        if any(isinstance(x, np.ndarray) for x in given):
            with contextlib.suppress(Exception):  # it is the first refusal that counts
                of_numbers = record(call, [0.5] * len(given), names)
                if any(isinstance(node, Value) for node in of_numbers.outside) and not of_numbers.draws:
                    return on_elements(of_numbers, given)
        raise
    return unmixed(found)


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
        elif not isinstance(tree, SETTINGS):
            yield name

    for name, tree in [*zip(bound, args), *kwargs.items()]:
        yield from parts(name, tree)
