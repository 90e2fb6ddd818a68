"""Elementwise functions of large arrays, block by block: what they compute on the way stays in the cache.

A fresh array of megabytes costs more than the arithmetic on it, since the system clears its pages first.
"""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BLOCK = 1 << 13  # elements: some such arrays fit into a core's own cache, and BLAS takes one thread for one
LARGE = 2 * BLOCK


def _blocks(args: tuple) -> tuple[tuple[int, ...], Iterator[tuple[slice, list]]] | None:
    """The shape of large arrays, and each block of them: where it is, and its parts. None if they are not of one shape.

    Numbers among them are the same in each block.
    """
    shapes = {x.shape for x in args if isinstance(x, np.ndarray)}
    if len(shapes) != 1 or (size := math.prod(shape := shapes.pop())) <= LARGE or not all(map(_in_one_piece, args)):
        return None
    views = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in args]
    places = (slice(start, start + BLOCK) for start in range(0, size, BLOCK))
    return shape, ((here, [x[here] if isinstance(x, np.ndarray) else x for x in views]) for here in places)


def _in_one_piece(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.flags.c_contiguous or not any(x.strides)  # or one number, broadcast


def in_blocks(function: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """The function, of numbers and arrays, applied to blocks where these are large, of one shape and in one piece."""

    @functools.wraps(function)
    def blocked(*args: Any) -> Any:
        found = _blocks(args)
        if found is None:
            return function(*args)
        shape, blocks = found
        out: Any = None
        for here, parts in blocks:
            part = function(*parts)
            out = np.empty(math.prod(shape), part.dtype) if out is None else out
            out[here] = part
        return out.reshape(shape)

    return blocked


def with_squares(ufunc: Callable, x: Any, y: Any) -> tuple[np.ndarray, float] | None:
    """ufunc(x, y) of large arrays, and the sum of its squares; None if they are not of one shape."""
    found = _blocks((x, y))
    if found is None:
        return None
    shape, blocks = found
    out, total = np.empty(math.prod(shape), np.result_type(x, y)), 0.0
    for here, (a, b) in blocks:
        part = ufunc(a, b, out=out[here])
        total += np.vdot(part, part)
    return out.reshape(shape), total
