"""Elementwise functions of large arrays, block by block: what they compute on the way stays in the cache.

A fresh array of megabytes costs more than the arithmetic on it, since the system clears its pages first.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

BLOCK = 1 << 13  # elements: some such arrays fit into a core's own cache, and BLAS takes one thread for one
LARGE = 2 * BLOCK


def in_blocks(function: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """The function, of numbers and arrays, applied to blocks where these are large and of one shape, in one piece."""

    @functools.wraps(function)
    def blocked(*args: Any) -> Any:
        shapes = {x.shape for x in args if isinstance(x, np.ndarray)}
        if len(shapes) != 1 or (size := math.prod(shape := shapes.pop())) <= LARGE or not all(map(_in_one_piece, args)):
            return function(*args)
        views = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in args]
        out: Any = None
        for start in range(0, size, BLOCK):
            here = slice(start, start + BLOCK)
            part = function(*(x[here] if isinstance(x, np.ndarray) else x for x in views))
            out = np.empty(size, part.dtype) if out is None else out
            out[here] = part
        return out.reshape(shape)

    return blocked


def _in_one_piece(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.flags.c_contiguous or not any(x.strides)  # or one number, broadcast
