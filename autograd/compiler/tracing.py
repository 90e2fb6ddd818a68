"""Tracing: a function is run once on nodes whose numbers cannot be read, and what it records is its graph.

A traced node holds an example of its number, which gives shapes and dtypes; whoever asks for the number itself gets a
TracingError, since a program that depends on it would be wrong for other arguments.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np

from .. import numpy as names
from ..arguments import numeric, tensor_constant, value_constant
from ..callers import called
from ..failing import TracingError, purpose, refuse
from ..graph import history
from ..methods import COMPARISONS, OF_ARRAYS, compare_by, install, install_bits
from ..node import Node, Tensor, Value, beside, kinds, scope
from ..operation import OPERATIONS, PLAIN_ARRAYS, PLAIN_FLOATS, Reading
from ..random import Draw, drawn, source
from ..recording import derivative, hooked, inspection, recording_is_off, tick
from ..tree import map_tree
from ..users import quiet, users_frame
from .assigning import assigned, take_back, taken_back

R = TypeVar("R")
NATIVE = {np.dtype(name) for name in ("f2", "f4", "f8", "g")}  # floats in this machine's order of bytes
COMPARED = {OPERATIONS[row] for row in COMPARISONS.values()}


def asked(what: str, instead: str) -> NoReturn:
    """Refuse what asks a node for its number: the function that the user called, or else `what`."""
    name = called(users_frame())
    refuse(f"{name}() asked for the numbers of a node" if name else what, instead)


class _Traced:
    """What the traced classes share; the example stands where other nodes have their data."""

    __slots__ = ()

    @property
    def data(self) -> Any:
        asked(
            f"the .data of a {type(self).__bases__[1].__name__} was read",
            "compute with the node itself, by where(mask, x, y), take(x, i) and the like, or .detach() it",
        )

    def _become_leaf(self: Any, data: Any, name: str) -> None:
        self.example, self.grad, self.name = data, self._grad_before, name
        self.operation = self.x = self.y = None
        self.when = tick()

    def detach(self) -> Node:
        """The same number without a derivative."""
        return OPERATIONS["detached"](self)

    def backward(self, seed: Any = None) -> None:
        """Not inside jit, since leaves have no `.grad` there."""
        refuse("backward() was called", "use grad, value_and_grad or gradients, which return what they compute")

    def __float__(self) -> float:
        asked("a node was read as a number", "compute with the node itself, by functions of autograd.numpy")

    __int__ = __complex__ = item = tolist = __float__

    def __index__(self) -> int:
        asked(
            "a node was used as an index, or as a length",
            "for array[i] write autograd.numpy's take(array, i, 0), or Tensor(array)[i]; shapes, slices and axes "
            "must be known",
        )

    def __bool__(self) -> bool:
        asked("a node decided a branch", "write where(condition, x, y), or maximum, minimum, clip, relu")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        asked(
            "an array was indexed by a node, or a node turned into an array",
            "use a function of autograd.numpy; for array[i] write its take(array, i, 0), or Tensor(array)[i]",
        )

    def __deepcopy__(self, memo: Any = None) -> NoReturn:
        refuse("a node was copied", "use the node itself: nodes do not change")

    __copy__ = __reduce__ = __deepcopy__

    def __format__(self, spec: str) -> str:
        return repr(self)


class TracedValue(_Traced, Value, final=False):  # type: ignore[misc, override]  # data is asked of the example
    """A Value inside jit."""

    __slots__ = ("example",)
    is_mask = property(lambda self: self.operation in COMPARED)  # what is a boolean outside is a number here

    def __repr__(self) -> str:
        return f"Value(inside {purpose.name})"


class TracedTensor(_Traced, Tensor, final=False):  # type: ignore[misc, override]
    """A Tensor inside jit."""

    __slots__ = ("example",)
    shape = property(lambda self: self.example.shape)
    ndim = property(lambda self: self.example.ndim)
    size = property(lambda self: self.example.size)
    dtype = property(lambda self: self.example.dtype)

    def __len__(self) -> int:
        return len(self.example)

    def __repr__(self) -> str:
        return f"Tensor(inside {purpose.name}, shape={self.shape}, dtype={self.dtype})"


class Trace(threading.local):
    """What this thread is tracing: when it began, the nodes from outside that it met, with their doubles, and draws."""

    started = 0
    outside: dict[Node, Node] = {}
    draws: list["Drawn"] = []


trace = Trace()


class Drawn(NamedTuple):
    """An input that is drawn anew for each run of a program."""

    generator: np.random.Generator
    draw: Draw
    node: Any

    def again(self) -> Any:
        """The next number or array from the generator."""
        return drawn(self.generator, self.draw)

    def example(self) -> Any:
        """One from another generator."""
        return self.draw(np.random.default_rng(0))


def _input_for(generator: np.random.Generator, draw: Draw) -> Any:
    """The node for a draw, with an example from a generator of its own."""
    fresh = Drawn(generator, draw, None)
    trace.draws.append(fresh._replace(node=leaf(fresh.example(), "drawn")))
    return trace.draws[-1].node


def lift(x: Any) -> Any:
    """The traced double of a node from outside: a leaf becomes an input, what was made of leaves is recorded again.

    For vmap, whose trace ends with the call, what was made before is an input, too.
    """
    if not isinstance(x, (Value, Tensor)) or isinstance(x, _Traced):
        return x
    for node in reversed(history(x, since=trace.started)):
        if node in trace.outside:
            continue
        if node.operation is None:
            trace.outside[node] = leaf(number_of(node), node.name)
        elif node.when > trace.started:
            args = [trace.outside[arg] if isinstance(arg, Node) else arg for arg in node.args]
            trace.outside[node] = node.operation(*args)
        elif purpose.name == "vmap":
            trace.outside[node] = leaf(node.number, node.name)
        else:
            refuse(
                f"a {type(node).__name__} that was computed before (by {node.operation.name}) was used",
                "its number would be frozen: give it as an argument, or use .detach() for a constant",
            )
    return trace.outside[x]


def lift_all(nodes: Sequence) -> list:
    """The same of nodes that derivatives are by, on which nothing may depend that was made before."""
    made = [x for x in trace.outside if x.operation is not None and x.when < trace.started]
    below = set(history(*[x for node in made for x in node.args if isinstance(x, Node)]))
    if not below.isdisjoint(x for x in nodes if isinstance(x, Node)):
        refuse(
            "gradients() was asked for a derivative by way of what was computed before",
            "compute it inside, or ask for the derivative by it",
        )
    return [*map(lift, nodes)]


def number_of(node: Node) -> Any:
    """What a leaf from outside holds: a float, or an array of floats in this machine's order of bytes."""
    return float(node.number) if isinstance(node, Value) else native(node.number)


def native(x: Any) -> np.ndarray:
    """Real numbers as an array in this machine's order of bytes."""
    array = numeric(x)
    return np.asarray(array, array.dtype.type)


def leaf(example: Any, name: str = "") -> Any:
    """A traced node for an argument, a float or an array of floats."""
    node: Any = object.__new__(TracedValue if type(example) is float else TracedTensor)
    node._become_leaf(example, name)
    return node


def again(made: Sequence, of: dict) -> list:
    """What was made, recorded again on other nodes: `of` says what stands for which."""
    for node in reversed(history(*made)):
        if node not in of and node.operation is not None and any(isinstance(x, Node) and x in of for x in node.args):
            of[node] = node.operation(*[of.get(x, x) if isinstance(x, Node) else x for x in node.args])
    return [of.get(node, node) for node in made]


def _no_cutting(node: Node) -> Node:
    if recording_is_off(trace.started):
        refuse("no_grad() was entered", "use .detach() on what should have no derivative")
    return node


def _traced(node: Node) -> Node:
    """What stands for a node that was made of nodes from outside alone, so that nobody reads its number."""
    return lift(_no_cutting(node))


def _scope(constant: Callable) -> dict:
    return {**scope(constant, _no_cutting), "__lift": lift, "__lift_all": lift_all}


TracedValue.reading = Reading(TracedValue, PLAIN_FLOATS, _scope(value_constant), held="example")
TracedTensor.reading = Reading(TracedTensor, PLAIN_ARRAYS, _scope(tensor_constant), held="example")
beside(TracedValue.reading, TracedTensor.reading)


def _recorded_comparison(symbol: str) -> Callable:
    row = OPERATIONS[COMPARISONS[symbol]]
    return lambda self, other: row(self, other)


def _of_masks(name: str) -> Callable:
    """Python's operator of booleans, which comparisons of numbers give."""
    logical = getattr(names, name)
    is_mask = lambda x: isinstance(x, bool) or isinstance(x, TracedValue) and x.is_mask
    return lambda self, other: logical(self, other) if is_mask(self) and is_mask(other) else NotImplemented


for _symbol in ("and", "or", "xor"):
    for _name in (f"__{_symbol}__", f"__r{_symbol}__"):
        setattr(TracedValue, _name, _of_masks(f"logical_{_symbol}"))
for _kind in (TracedValue, TracedTensor):
    install(_kind.reading)
    compare_by(_kind, _recorded_comparison)
install_bits(TracedTensor.reading)
for _name in {*OF_ARRAYS} - {"reshape", "transpose"}:  # a Tensor's, but these see to it that integers stay such
    setattr(TracedTensor, _name, getattr(names, _name))


@dataclass
class Recording:
    """A function that was run on traced nodes: these, those of leaves from outside, and what it returned."""

    inputs: list[Any]  # a traced node for each example, then one for each leaf from outside, then one for each draw
    outside: list[Node]  # these leaves themselves
    output: Any
    numbers: dict[Any, Callable] = field(default_factory=dict)  # what makes numbers of Tensors that stand for them
    draws: Sequence[Drawn] = ()


def traced(function: Callable[..., R]) -> Callable[..., R]:
    """The function, during which the thread's fresh nodes are traced ones, and nodes from outside become inputs."""

    @quiet  # the examples' numbers are nobody's result
    @functools.wraps(function)
    def in_trace(*args: Any) -> R:
        before = purpose.name, trace.started, trace.outside, trace.draws, kinds.number, kinds.array, kinds.tracing
        others, outer = (inspection.around, source.instead, derivative.since, kinds.kept), assigned.before
        inspection.inspector = None
        started = tick()
        try:
            purpose.name, trace.outside, trace.draws = "jit", {}, []
            kinds.number, kinds.array, kinds.tracing = TracedValue, TracedTensor, True
            inspection.around, source.instead = None, _input_for  # there are no numbers to look at yet
            trace.started = derivative.since = started  # a no_grad() from before does not reach into it
            with hooked(_traced), taken_back():
                return function(*args)
        finally:  # without calls at first, in which Python might be interrupted
            purpose.name, trace.started, trace.outside, trace.draws, kinds.number, kinds.array, kinds.tracing = before
            inspection.around, source.instead, derivative.since, kinds.kept = others
            if assigned.before is not outer:  # the end of taken_back() was interrupted
                take_back()
                assigned.before = outer

    return in_trace


@traced
def record(function: Callable, examples: Sequence, names: Sequence[str], by: str = "jit") -> Recording:
    """Run a function once on nodes for these examples, floats or arrays of floats, and keep what it recorded."""
    purpose.name, nodes = by, [leaf(x, name) for x, name in zip(examples, names, strict=True)]
    kinds.kept = kinds.kept or by == "jit"
    try:
        output = map_tree(lift, function(*nodes))
    except ValueError as error:  # NumPy's own, where a node is to be written into an array
        if isinstance(error.__cause__, TracingError):
            raise error.__cause__ from None
        raise
    outside = {node: double for node, double in trace.outside.items() if double.operation is None}
    inputs = [*nodes, *outside.values(), *(each.node for each in trace.draws)]
    return Recording(inputs, list(outside), output, draws=trace.draws)
