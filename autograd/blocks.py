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
