"""vmap: a function of one example, called once for many."""

import functools
import numbers
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .arguments import is_real_array
from .batching import on_batch
from .calling import a_function, looked_at, shape_of
from .compiler.tracing import native, record
from .meeting import as_array
from .node import Node, Tensor
from .numpy import broadcast_to, moveaxis, stack
from .recording import tick
from .tree import unflatten

Axes = Any  # an int or None, or a list, tuple or dict of these
Leaf = tuple[Any, Any, str]  # what arguments or a result hold, with its axis and its place
TREES = list, tuple, dict
WITHOUT_AXES = str, bool, type(None)


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Turn a function of one example into a function of many examples, which lie along an axis of each argument.

    Arguments are arrays and Tensors, and lists, tuples and dicts of them. `in_axes` is the axis of the examples: one
    for all arguments, one for each, or one for each of its parts; None for what the examples share, which f gets as it
    is. Keyword arguments have axis 0. `out_axes` is their axis in the result, None for what they share. f runs once per
    call, on nodes that stand for one example and have no readable numbers; what it records is computed for all at once,
    but an operation defined by functions for one after another. Raises ValueError if there is no such axis or lengths
    differ, TypeError for what has no axes, TracingError where f reads a number.
    """
    a_function(f)

    @looked_at
    @functools.wraps(f, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves = [*_leaves(args, in_axes, "args"), *_leaves(kwargs, 0, "kwargs")]
        places = [i for i, (x, axis, _) in enumerate(leaves) if axis is not None and not isinstance(x, WITHOUT_AXES)]
        size = _length([leaves[i] for i in places])
        given = [_in_front(*leaves[i][:2]) for i in places]

        def of_one(*nodes: Node) -> Any:
            following = dict(zip(places, nodes))
            inner = [following.get(i, x) for i, (x, _, _) in enumerate(leaves)]
            inner_args, inner_kwargs = unflatten((args, kwargs), inner)
            return f(*inner_args, **inner_kwargs)

        since = tick()
        recording = record(of_one, [*map(_example, given)], [""] * len(given), "vmap")
        draws = [[each.again() for each in recording.draws] for _ in range(size)]  # as one call for each example would
        found = on_batch(recording, given, [stack(parts) for parts in zip(*draws)], size, since)
        results = [
            _placed(*(found[y] if isinstance(y, Node) else (y, False)), axis, path, size)
            for y, axis, path in _leaves(recording.output, out_axes, "the result")
        ]
        return unflatten(recording.output, results)

    return mapped


def _leaves(tree: Any, axes: Axes, path: str) -> Iterator[Leaf]:
    """What a tree holds, in order. An axis that is given for a part with parts is that of all of them."""
    if isinstance(tree, TREES):
        parts = _parts(tree)
        inner = _parts(axes) if isinstance(axes, TREES) else dict.fromkeys(parts, axes)
        if inner.keys() != parts.keys():
            raise ValueError(f"vmap: {path} has the parts {[*parts]}, and axes are given for the parts {[*inner]}")
        for key, part in parts.items():
            yield from _leaves(part, inner[key], f"{path}[{key!r}]")
    elif axes is None or isinstance(axes, numbers.Integral):
        yield tree, axes, path
    else:
        raise TypeError(f"vmap: {path} is one array or number, whose axis is an integer or None, not {axes!r}")


def _parts(tree: Any) -> dict:
    return tree if isinstance(tree, dict) else dict(enumerate(tree))


def _length(leaves: list[Leaf]) -> int:
    """How many examples there are."""
    lengths = {}
    for x, axis, path in leaves:
        if not isinstance(x, Tensor) and not is_real_array(x):
            raise TypeError(
                f"vmap: {path} is a {type(x).__name__}, not an array of real numbers: in in_axes its axis is None"
            )
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"vmap: {path} of shape {x.shape} has no axis {axis} with the examples")
        lengths[f"{path} of shape {x.shape} has {x.shape[axis]} along axis {axis}"] = x.shape[axis]
    if not lengths:
        raise ValueError("vmap: no argument has an axis with the examples")
    if len({*lengths.values()}) > 1:
        raise ValueError(f"vmap: how many examples are there? {', '.join(lengths)}")
    return [*lengths.values()][0]


def _in_front(x: Any, axis: int) -> Any:
    if isinstance(x, Tensor):
        return moveaxis(x, axis, 0) if axis % x.ndim else x
    return np.moveaxis(native(x), axis, 0)


def _example(x: Any) -> np.ndarray:
    """The first example; of none, one that has an inverse if it is a matrix."""
    data = getattr(x, x.reading.held) if isinstance(x, Node) else x
    if not len(data) and data.ndim > 2:
        return np.broadcast_to(np.eye(*data.shape[-2:], dtype=data.dtype), data.shape[1:])
    return np.asarray(data[0]) if len(data) else np.ones(data.shape[1:], data.dtype)


def _placed(y: Any, mapped: bool, axis: int | None, path: str, size: int) -> Any:
    """A part of the result with the examples along an axis."""
    if not mapped:
        if axis is None or isinstance(y, WITHOUT_AXES):
            return y
        y = broadcast_to(as_array(y), (size, *shape_of(y)))
    elif axis is None:
        raise ValueError(f"vmap: {path} is another for each example, and its axis in out_axes None")
    if not -y.ndim <= axis < y.ndim:
        raise ValueError(f"vmap: {path} has no axis {axis} for the examples: its shape is {y.shape} with them in front")
    y = moveaxis(y, 0, axis) if axis % y.ndim else y
    if type(y) is Tensor and y.dtype.kind != "f":  # a mask, which is no node where it can be read
        y = y.data
    return y if isinstance(y, Node) or y.base is None else y.copy()  # it may look into an argument
