"""Derivatives along a direction, by two reverse sweeps: jvp, and the product of a hessian with a vector."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arguments import holds_node
from .calling import Argnums, RecordedCall, call_with_nodes, chosen
from .node import Node
from .recording import records_for_itself
from .transforms import matched, ones, seed_of_number
from .tree import flatten, map_tree


@records_for_itself
def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*args), and its derivative along tangents, which have the structure of args.

    The gradients of the result under a weight u are linear in u, so the derivative of <gradients, tangents> with
    respect to u is what is asked for: two sweeps, at a small multiple of what f costs.
    """
    if not isinstance(args, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise TypeError("jvp(f, args, tangents): of a tuple of arguments and a tuple of tangents, such as (x,), (v,)")
    call = call_with_nodes(f, tuple(args), tuple(range(len(args))), {})
    _, seeds = matched("jvp: the tangents", list(call.structure), list(tangents))
    weights = map_tree(lambda y: weight(y) if isinstance(y, Node) else y, call.output)
    pairs = [(y, u) for y, u in zip(flatten(call.output), flatten(weights)) if isinstance(y, Node)]
    gradients = call.pullback([y for y, _ in pairs], [u for _, u in pairs], create_graph=True)
    again = RecordedCall(None, [u for _, u in pairs], [], None, call.outside)
    found = iter(again.pullback(gradients, seeds, call.outside or holds_node(seeds)))

    def along(y: Any) -> Any:
        g = next(found) if isinstance(y, Node) else np.zeros_like(y)
        return g if isinstance(g, Node) else np.asarray(g)[()] if hasattr(y, "dtype") else float(g)

    tangent = map_tree(along, call.output)
    return call.plain(call.output), tangent


def weight(y: Any) -> Any:
    """A node of ones that weighs the elements of y."""
    return type(y)(ones(y))


def hvp(f: Callable[..., Any], argnum: Argnums | None = None, *, argnums: Argnums | None = None) -> Callable[..., Any]:
    """The product of a scalar function's hessian with a vector, as a function of f's arguments and the vector.

    The vector and the result have the structure of argument `argnum`. It costs two sweeps; the hessian is never built.
    """
    positions = chosen(f, argnum, argnums)

    @records_for_itself
    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        call = call_with_nodes(f, tuple(given), positions, kwargs)
        _, seeds = matched("hvp: the vector", call.structure, vector)
        gradients = call.pullback(call.outputs(), [seed_of_number(call.output)], create_graph=True)
        return call.in_structure(call.pullback(gradients, seeds, call.outside or holds_node(seeds)))

    return product
