"""Functions of functions: the derivative of a Python function, from the graph that it records when it is called.

Arguments are floats, arrays, nodes, and lists, tuples and dicts of them. Those that are differentiated are wrapped in
fresh nodes, so that nested derivatives do not mix (perturbation confusion). If a node from outside takes part, as in
grad(grad(f)), the gradient is a node too and can be differentiated again; else it is plain numbers.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import holds_node, no_mask
from .calling import Argnums, call_with_nodes, chosen, shape_of
from .node import Node, Tensor, Value
from .recording import records_for_itself
from .tree import flatten


def grad(
    f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """The gradient of a scalar function as a function: same arguments, result in the structure of argument `argnum`.

    A float for a float, an array of the argument's shape and dtype for an array; a tuple if `argnum` is one. That is
    the argument's position, 0 unless given; `argnums` means the same. With `has_aux` f returns a pair (number, aux) and
    the result is (gradient, aux). Raises TypeError if f returns anything but one number, or if the argument holds
    anything but numbers, arrays and nodes.
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
        gradients = call.pullback(call.outputs(), [seed_of_number(call.output)], call.outside)
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
        seeds = [ones(y) for y in call.outputs()]
        return call.in_structure(call.pullback(call.outputs(), seeds, call.outside))

    return derivative


def seed_of_number(output: Any) -> Any:
    """The seed of a function with one number as its result."""
    size = sum(math.prod(shape_of(x)) for x in flatten(output))
    if isinstance(output, (list, tuple, dict)) or size != 1:
        raise TypeError(
            f"grad() is of functions with one number as their result, this one returned {size}: "
            "sum them, or use jacobian"
        )
    return ones(output)


def ones(y: Any) -> Any:
    """A weight of 1 for each element."""
    return np.ones(y.shape, y.dtype) if isinstance(y, Tensor) else 1.0


@records_for_itself
def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[..., Any]]:
    """f(*args), and a function from a cotangent (a gradient of the result) to the tuple of the arguments' gradients."""
    call = call_with_nodes(f, args, tuple(range(len(args))), {})

    def pull(cotangent: Any) -> tuple:
        outputs, seeds = matched("vjp: the cotangent", call.output, cotangent)
        return call.in_structure(call.pullback(outputs, seeds, call.outside or holds_node(seeds)))

    return call.plain(call.output), pull


def matched(what: str, tree: Any, given: Any) -> tuple[list[Node], list]:
    """The nodes of a tree, and what `given`, of the same structure and shapes, has in their places."""
    expected, found = flatten(tree), flatten(given)
    shapes = [[shape_of(x) for x in part] for part in (expected, found)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{what} must have the shapes {shapes[0]}, not {shapes[1]}")
    pairs = [(x, seed) for x, seed in zip(expected, found) if isinstance(x, Node)]
    return [x for x, _ in pairs], [_as_seed(x, seed) for x, seed in pairs]


def _as_seed(x: Any, seed: Any) -> Any:
    no_mask((seed,))
    return seed if isinstance(seed, Node) else float(seed) if isinstance(x, Value) else np.asarray(seed, x.dtype)
