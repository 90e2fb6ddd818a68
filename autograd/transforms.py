"""Functions of functions: the derivative of a Python function, from the graph that it records when it is called.

Arguments are floats, arrays, nodes, and lists, tuples and dicts of them. What is differentiated is wrapped in fresh
nodes, so that a node of an outer derivative is never taken for one of an inner one. Where a node from outside takes
part, the gradient is a node too and can be differentiated again; else it is plain numbers.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arguments import no_mask
from .calling import Argnums, RecordedCall, call_with_nodes, chosen, shape_of
from .node import Node, Tensor, Value
from .recording import records_for_itself
from .tree import flatten, map_tree


def grad(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """The gradient of a scalar function as a function: same arguments, result in the structure of argument `argnum`.

    A float for a float, an array of the argument's shape and dtype for an array; for several `argnum`, a tuple. It is
    the first argument unless given, and `argnums` is another name for it. With `has_aux` f returns a pair, the number
    and anything else, and the result is the pair of the gradient and that. Raises TypeError where f returns anything
    but one number, or an argument is neither number, array, nor a nest of them.
    """
    value_and_gradient = value_and_grad(f, argnum, argnums=argnums, has_aux=has_aux)

    @functools.wraps(f, assigned=("__doc__",))
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = value_and_gradient(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """As grad, but the function returns the pair of its value and its gradient; `has_aux`: ((value, aux), gradient)."""
    positions = chosen(f, argnum, argnums)

    @records_for_itself
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = call_with_nodes(f, args, positions, kwargs, has_aux)
        gradients = call.pullback(call.outputs(), [_one(call.output)], call.outside)
        value = call.plain((call.output, call.aux) if has_aux else call.output)
        return value, call.in_structure(gradients)

    return value_and_gradient


def elementwise_grad(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None
) -> Callable[..., Any]:
    """The derivative of a function that works element by element, at each element: the gradient of the result's sum."""
    positions = chosen(f, argnum, argnums)

    @records_for_itself
    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = call_with_nodes(f, args, positions, kwargs)
        if isinstance(call.output, (list, tuple, dict)):
            raise TypeError(
                f"elementwise_grad() is of functions that return one array, not {type(call.output).__name__}"
            )
        ones = [_ones(y) for y in call.outputs()]
        return call.in_structure(call.pullback(call.outputs(), ones, call.outside))

    return derivative


def _one(output: Any) -> Any:
    """The seed of a function with one number as its result."""
    size = sum(math.prod(shape_of(x)) for x in flatten(output))
    if isinstance(output, (list, tuple, dict)) or size != 1:
        raise TypeError(
            f"grad() is of functions with one number as their result, this one returned {size}: "
            "sum them, or use jacobian"
        )
    return _ones(output)


def _ones(y: Any) -> Any:
    return np.ones(y.shape, y.dtype) if isinstance(y, Tensor) else 1.0


@records_for_itself
def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[..., Any]]:
    """f(*args), and the function from a cotangent of the result's structure to a tuple of the arguments' ones."""
    call = call_with_nodes(f, args, tuple(range(len(args))), {})

    def pull(cotangent: Any) -> tuple:
        outputs, seeds = _matched("vjp: the cotangent", call.output, cotangent)
        return call.in_structure(call.pullback(outputs, seeds, call.outside or has_node(seeds)))

    return call.plain(call.output), pull


@records_for_itself
def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*args), and its derivative along tangents, which have the structure of args.

    The gradients of the result under a weight u are linear in u, so the derivative of <gradients, tangents> with
    respect to u is what is asked for: two sweeps, at a small multiple of what f costs.
    """
    if not isinstance(args, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise TypeError("jvp(f, args, tangents): of a tuple of arguments and a tuple of tangents, such as (x,), (v,)")
    call = call_with_nodes(f, tuple(args), tuple(range(len(args))), {})
    _, seeds = _matched("jvp: the tangents", list(call.structure), list(tangents))
    weights = map_tree(lambda y: weight(y) if isinstance(y, Node) else y, call.output)
    pairs = [(y, u) for y, u in zip(flatten(call.output), flatten(weights)) if isinstance(y, Node)]
    gradients = call.pullback([y for y, _ in pairs], [u for _, u in pairs], create_graph=True)
    again = RecordedCall(None, [u for _, u in pairs], [], None, call.outside)
    found = iter(again.pullback(gradients, seeds, call.outside or has_node(seeds)))

    def along(y: Any) -> Any:
        g = next(found) if isinstance(y, Node) else np.zeros_like(y)
        return g if isinstance(g, Node) else g if shape_of(y) else float(g)

    tangent = map_tree(along, call.output)
    return call.plain(call.output), tangent


def weight(y: Any) -> Any:
    """A node of ones that weighs the elements of y."""
    return type(y)(_ones(y))


def hvp(f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None) -> Callable[..., Any]:
    """The product of a scalar function's hessian with a vector, as a function of f's arguments and the vector.

    The vector and the result have the structure of argument `argnum`. It costs two sweeps; the hessian is never built.
    """
    positions = chosen(f, argnum, argnums)

    @records_for_itself
    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        call = call_with_nodes(f, tuple(given), positions, kwargs)
        _, seeds = _matched("hvp: the vector", call.structure, vector)
        gradients = call.pullback(call.outputs(), [_one(call.output)], create_graph=True)
        return call.in_structure(call.pullback(gradients, seeds, call.outside or has_node(seeds)))

    return product


def has_node(items: Sequence) -> bool:
    """Whether a node is among these."""
    return any(isinstance(x, Node) for x in items)


def _matched(what: str, tree: Any, given: Any) -> tuple[list[Node], list]:
    """The nodes of a tree, and what another one of the same structure and shapes has in their places."""
    expected, found = flatten(tree), flatten(given)
    shapes = [[shape_of(x) for x in part] for part in (expected, found)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{what} must have the shapes {shapes[0]}, not {shapes[1]}")
    pairs = [(x, seed) for x, seed in zip(expected, found) if isinstance(x, Node)]
    return [x for x, _ in pairs], [_as_seed(x, seed) for x, seed in pairs]


def _as_seed(x: Any, seed: Any) -> Any:
    no_mask((seed,))
    return seed if isinstance(seed, Node) else float(seed) if isinstance(x, Value) else np.asarray(seed, x.dtype)
