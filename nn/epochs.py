"""A data set in batches, for loops that are the user's own."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd.tree import flatten, map_tree

from .arguments import generator, positive


def batches(x: Any, y: Any, size: int, rng: Any) -> Iterator[tuple[Any, Any]]:
    """The pairs (x, y) of an epoch: every example once, in a random order, `size` at a time; the last may be fewer.

    x and y are arrays, or tuples of arrays, of as many entries along the first axis. Each epoch has an order of its own
    where `rng` is a Generator, the same one where it is a seed. Raises ValueError for other lengths, and no examples.
    """
    pair = tuple(tuple(map(np.asanyarray, z)) if isinstance(z, tuple) else np.asanyarray(z) for z in (x, y))
    shapes, size = [array.shape for array in flatten(pair)], positive("batches: size", size)
    if len({shape[:1] for shape in shapes}) != 1 or shapes[0][:1] in ((), (0,)):
        raise ValueError(f"batches: x and y need examples, as many of each along the first axis, not shapes {shapes}")
    order = generator(rng).permutation(shapes[0][0])
    places = (order[start : start + size] for start in range(0, len(order), size))
    return (map_tree(lambda array, at=at: array[at], pair) for at in places)
