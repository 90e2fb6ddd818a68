"""Elementwise work on large arrays, block by block: what is computed on the way stays in the cache and needs no memory.

A fresh array of megabytes costs more than the arithmetic on it, since the system clears its pages first.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BLOCK = 1 << 13  # elements: a few such arrays fit into a core's own cache, and BLAS takes one thread for them
LARGE = 2 * BLOCK


def in_blocks(function: Callable[..., Sequence], *args: Any) -> list[np.ndarray] | None:
    """The arrays that function(*args) returns, elementwise ones of numbers and of arrays of one shape.

    None, and nothing is called, where the shapes differ or an array does not lie in memory in one piece.
    """
    shapes = {x.shape for x in args if isinstance(x, np.ndarray)}
    views = [x.reshape(-1) if isinstance(x, np.ndarray) and _in_one_piece(x) else x for x in args]
    if len(shapes) != 1 or any(isinstance(x, np.ndarray) and x.ndim != 1 for x in views):
        return None
    (shape,) = shapes
    whole: list[np.ndarray] = []
    for start in range(0, math.prod(shape), BLOCK):
        here = slice(start, start + BLOCK)
        parts = function(*(x[here] if isinstance(x, np.ndarray) else x for x in views))
        whole = whole or [np.empty(shape, part.dtype) for part in parts]
        for out, part in zip(whole, parts):
            out.reshape(-1)[here] = part
    return whole


def _in_one_piece(x: np.ndarray) -> bool:
    return x.flags.c_contiguous or not any(x.strides)  # the latter: one number, broadcast


def pull_in_blocks(pull: Callable, node: Any, g: np.ndarray, into: Callable) -> bool:
    """Call the pullback of an elementwise operation in blocks; False, and nothing is done, where that cannot be."""
    kind, args = type(node), node.args

    def stand_in(data: np.ndarray) -> Any:
        part = object.__new__(kind)
        part.data = data
        return part

    def piece(g: np.ndarray, out: np.ndarray, *numbers: Any) -> list:
        part, found = stand_in(out), list[np.ndarray]()
        part.x, *rest = [stand_in(y) if isinstance(arg, kind) else y for arg, y in zip(args, numbers)]
        part.y = rest[0] if len(rest) == 1 else tuple(rest)
        pull(part, g, lambda _, gradient: found.append(gradient))
        return found

    found = in_blocks(piece, g, node.data, *(arg.data if isinstance(arg, kind) else arg for arg in args))
    if found is not None:
        nodes = [arg for arg, p in zip(args, node.operation.pullbacks) if p is not None and isinstance(arg, kind)]
        for arg, gradient in zip(nodes, found, strict=True):
            into(arg, gradient)
    return found is not None
