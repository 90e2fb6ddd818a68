"""Call a function with fresh nodes in place of its arguments, and keep what it recorded.

They are fresh, so that a node of an outer derivative is never taken for one of an inner one.
"""

import functools
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import is_real_array
from .backward import pullback
from .graph import oldest
from .node import Node, Tensor, Value, kinds
from .operation import OPERATIONS
from .recording import inspection, tick
from .tree import flatten, map_tree, unflatten

Argnums = int | tuple[int, ...]


class RecordedCall:
    """A function call that was recorded: its result, and the fresh nodes for what it is differentiated by."""

    def __init__(self, output: Any, inputs: list, given: list, structure: Any, outside: bool, aux: Any = None):
        self.output = output
        self.aux = aux  # what the function returned beside it, which is not differentiated
        self.inputs = inputs  # everything that the differentiated arguments hold, in order
        self.given = given  # what stood in their places
        self.structure = structure  # the differentiated arguments, whose form a gradient takes
        self.outside = outside  # whether a node from outside took part, or this is a trace: derivatives are nodes too

    def outputs(self) -> list[Node]:
        """What the result holds that can be differentiated."""
        kinds = {kind for x in self.inputs for kind in (x.reading.number, x.reading.array)}
        return list({x: None for x in flatten(self.output) if type(x) in kinds})

    def pullback(self, outputs: list[Node], seeds: list, create_graph: bool) -> list:
        """Gradients with respect to the inputs."""
        return pullback(outputs, seeds, self.inputs, create_graph)

    def in_structure(self, gradients: list) -> Any:
        """Gradients as the arguments were given: a float for a number, an array for an array."""
        return unflatten(self.structure, map(_as_given, gradients, self.given))

    def plain(self, tree: Any) -> Any:
        """A result without nodes, unless one from outside took part."""
        return tree if self.outside else map_tree(lambda x: _plain(x) if isinstance(x, Node) else x, tree)


def a_function(f: Any) -> None:
    """Raise TypeError for what cannot be called."""
    if not callable(f):
        raise TypeError(f"a transformation is of a function, not of {f!r} ({type(f).__name__})")


def chosen(f: Callable, argnum: Argnums | None, argnums: Argnums | None) -> Argnums:
    """Which arguments of f: by `argnum`, or `argnums` as JAX calls it; the first if neither is given."""
    a_function(f)
    if argnum is not None and argnums is not None:
        raise TypeError(f"argnum and argnums are two names for one thing, give one of them: {argnum!r} or {argnums!r}")
    found = argnums if argnum is None else argnum
    found = 0 if found is None else found
    if not all(isinstance(i, numbers.Integral) for i in (found if isinstance(found, (tuple, list)) else (found,))):
        raise TypeError(
            f"argnum is the position of an argument, or a tuple of positions, not {found!r}: "
            "what f is called with comes later, as in grad(f)(3.0)"
        )
    return found


def call_with_nodes(
    f: Callable[..., Any], args: tuple, argnum: Argnums, kwargs: dict, has_aux: bool = False
) -> RecordedCall:
    """Call f with fresh nodes in place of what these arguments hold; with `has_aux` its result is a pair."""
    positions = (argnum,) if isinstance(argnum, (int, numbers.Integral)) else tuple(argnum)
    started = tick()
    wrapped = wrap(args, positions)
    try:
        output, aux = pair(f(*wrapped, **kwargs)) if has_aux else (f(*wrapped, **kwargs), None)
    except ValueError as error:  # NumPy's own, where a node is to be written into an array
        if error.__cause__ and "is not written into" in str(error.__cause__):
            raise error.__cause__ from None
        raise
    only_numbers(output)
    nodes = [x for x in flatten((output, aux)) if isinstance(x, Node)]
    outside = kinds.tracing or oldest(nodes, started) < started
    inputs, given = ([x for i in positions for x in flatten(tree[i])] for tree in (wrapped, args))
    structure = wrapped[argnum] if isinstance(argnum, (int, numbers.Integral)) else tuple(wrapped[i] for i in positions)
    return RecordedCall(output, inputs, given, structure, outside, aux)


def on_nodes(f: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    """What f returns when floats and arrays of floats are replaced by fresh nodes, so that all is recorded.

    A result stays a node where a node from outside leads to it, as of a jitted function.
    """

    def node(x: Any) -> Any:
        of_floats = isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f"
        return Value(x) if type(x) is float else Tensor(x) if of_floats else x

    started = tick()
    inner, named = map_tree(node, (args, kwargs))
    output = f(*inner, **named)
    return map_tree(lambda x: _plain(x) if isinstance(x, Node) and oldest([x], started) > started else x, output)


def looked_at(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called with nodes in place of numbers while detect_anomaly() is open."""

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        return on_nodes(f, args, kwargs) if inspection.inspector else f(*args, **kwargs)

    return call


def pair(output: Any) -> tuple[Any, Any]:
    """What a function with has_aux returned, checked."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(f"has_aux: the function must return a pair (value, aux), not {_described(output)}")
    return output


def only_numbers(output: Any) -> None:
    """Refuse what a function returned if it has no derivative: None, a text, a complex number, a masked array."""
    for x in flatten(output):
        if not isinstance(x, (Node, numbers.Real)) and not is_real_array(x):
            raise TypeError(
                "a derivative is of a function that returns numbers, arrays or nodes, or lists, tuples and dicts of "
                f"them; this one returned {_described(output)}{': is a return missing?' if x is None else ''}"
            )


def _described(output: Any) -> str:
    text = " ".join(repr(output).split())
    return f"{text if len(text) < 60 else text[:57] + '...'} ({type(output).__name__})"


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a number, an array or a node."""
    return x.shape if isinstance(x, Tensor) else () if isinstance(x, Value) else np.shape(x)


def _plain(node: Node) -> Any:
    return node.data if isinstance(node, Value) else np.array(node.data)[()]  # a pullback may need the original


def _as_given(g: Any, given: Any) -> Any:
    if isinstance(g, Node) or isinstance(given, Node):
        return g
    return np.asarray(g) if isinstance(given, np.ndarray) else g[()] if is_narrow(given) else float(g)


def is_narrow(x: Any) -> bool:
    """Whether this is a number of NumPy whose dtype a float of Python has not, such as a float32."""
    return isinstance(x, np.floating) and not isinstance(x, float)


def wrap(args: tuple, positions: tuple[int, ...]) -> list:
    """Arguments with everything at these positions turned into fresh nodes: Values of numbers, Tensors of arrays."""
    for i in positions:
        if not -len(args) <= i < len(args):
            raise TypeError(f"argnum {i}: the function was called with {len(args)} positional arguments")

    def fresh(x: Any) -> Node:
        if isinstance(x, Tensor) and x.dtype.kind != "f":  # a mask or integers inside jit
            return OPERATIONS["cast"](x, np.dtype(float))
        if isinstance(x, Node):
            return kinds.recorded("alias", x)  # of a trace, while there is one, also from outside
        if isinstance(x, np.ndarray) or is_narrow(x):
            return kinds.array(x)
        if isinstance(x, numbers.Real):
            return kinds.number(float(x))
        kind = type(x)
        name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
        raise TypeError(
            f"a gradient is with respect to floats, arrays and nodes, and lists, tuples and dicts of them, not {name}"
            f"{': convert it by numpy.asarray' if hasattr(x, '__array__') else ''}"
        )

    wrapped = list(args)
    for i in positions:
        wrapped[i] = map_tree(fresh, args[i])
    return wrapped
