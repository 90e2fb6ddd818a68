"""Functions of functions: the derivative of a Python function, from the graph that it records when it is called.

Arguments are floats, arrays, nodes, and lists, tuples and dicts of them. What is differentiated is wrapped in fresh
nodes, so that a node of an outer derivative is never taken for one of an inner one. Where a node from outside takes
part, the gradient is a node too and can be differentiated again; else it is plain numbers.
"""

import functools
import numbers
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .backward import gradients, history
from .node import Node, Tensor, Value, tick
from .operation import OPERATIONS


def leaves(tree: Any) -> Iterator[Any]:
    """What the lists, tuples and dicts of a nested structure hold, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def map_tree(f: Callable, tree: Any) -> Any:
    """The same structure with f applied to everything that it holds."""
    if isinstance(tree, dict):
        return {key: map_tree(f, part) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [map_tree(f, part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return f(tree)


def grad(f: Callable, argnum: int | tuple[int, ...] = 0) -> Callable:
    """The gradient of a scalar function as a function: same arguments, result in the structure of argument `argnum`."""
    value_and_gradient = value_and_grad(f, argnum)

    @functools.wraps(f, assigned=("__doc__",))
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return value_and_gradient(*args, **kwargs)[1]

    return gradient


def value_and_grad(f: Callable, argnum: int | tuple[int, ...] = 0) -> Callable:
    """As grad, but the function returns the pair of its value and its gradient."""
    positions = (argnum,) if isinstance(argnum, numbers.Integral) else tuple(argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        started = tick()
        wrapped = wrap(args, positions)
        output = f(*wrapped, **kwargs)
        size = np.size(output.data if isinstance(output, Node) else output)
        if size != 1:
            raise TypeError(f"grad() is of functions with one number as their result, this one returned {size}: "
                            "sum them, or use jacobian")
        inputs = list(leaves([wrapped[i] for i in positions]))
        given = list(leaves([args[i] for i in positions]))
        found, outside = _gradients(output, inputs, started)
        results = map(_as_given, found, given)
        structure = map_tree(lambda _: next(results), [wrapped[i] for i in positions])
        value = output if outside or not isinstance(output, Node) else _plain(output)
        return value, structure[0] if isinstance(argnum, numbers.Integral) else tuple(structure)

    return value_and_gradient


def _gradients(output: Any, inputs: list[Node], started: int) -> tuple[list, bool]:
    """The gradients, and whether they are nodes because a node older than `started` took part."""
    related = [x for x in inputs if type(x) is type(output)]
    outside = isinstance(output, Node) and history(output)[-1].when < started
    found = dict(zip(related, gradients(output, related, create_graph=outside))) if related else {}
    return [found[x] if x in found else np.zeros_like(x.data) for x in inputs], outside


def _plain(node: Node) -> Any:
    return node.data if isinstance(node, Value) else np.asarray(node.data)[()]


def _as_given(g: Any, given: Any) -> Any:
    """A gradient as its argument was given: a float for a number, an array for an array."""
    if isinstance(g, Node) or isinstance(given, Node):
        return g
    return np.asarray(g) if isinstance(given, np.ndarray) else float(g)


def wrap(args: tuple, positions: tuple[int, ...]) -> list:
    """Arguments with everything at these positions turned into fresh nodes.

    Numbers become Values, or Tensors where an array or a Tensor is among the arguments, since the two do not mix.
    """
    arrays = any(isinstance(x, (np.ndarray, Tensor)) for x in leaves(args))
    for i in positions:
        if not -len(args) <= i < len(args):
            raise TypeError(f"argnum {i}: the function was called with {len(args)} positional arguments")

    def fresh(x: Any) -> Node:
        if isinstance(x, Node):
            return OPERATIONS["alias"](x)
        if isinstance(x, np.ndarray) or isinstance(x, numbers.Real) and arrays:
            return Tensor(x)
        if isinstance(x, numbers.Real):
            return Value(x)
        raise TypeError(f"a gradient is with respect to floats, arrays and nodes, and lists, tuples and dicts of them, "
                        f"not {type(x).__name__}")

    wrapped = list(args)
    for i in positions:
        wrapped[i] = map_tree(fresh, args[i])
    return wrapped
