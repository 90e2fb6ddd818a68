"""What training is fed with: batches, their arrays as a program takes them, and random numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from autograd.compiler import NATIVE, Drawn, native
from autograd.tree import flatten, map_tree

from .arguments import generator, positive

TAKEN = NATIVE | {np.dtype(np.int64), np.dtype(bool)}  # what a batch may hold


def batches(x: Any, y: Any, size: int, rng: Any) -> Iterator[tuple[Any, Any]]:
    """The pairs (x, y) of an epoch: every example once, in a random order, `size` at a time; the last may be fewer.

    x and y are arrays, or tuples of arrays, of as many entries along the first axis. Each epoch has an order of its own
    where `rng` is a Generator, the same one where it is a seed. Raises ValueError for other lengths, and no examples.
    """
    try:
        pair = tuple(tuple(map(np.asanyarray, z)) if isinstance(z, tuple) else np.asanyarray(z) for z in (x, y))
    except ValueError as error:
        raise ValueError(f"batches: shorter sequences need padding, to make an array of all: {error}") from None
    found, size = flatten(pair), positive("batches: size", size)
    if len({array.shape[:1] for array in found}) != 1 or found[0].shape[:1] in ((), (0,)):
        raise ValueError(f"batches: x and y need equally many examples, along the first axis, not {shapes(found)}")
    order = generator(rng).permutation(len(found[0]))
    places = (order[start : start + size] for start in range(0, len(order), size))
    return (map_tree(lambda array, at=at: array[at], pair) for at in places)


def drawn(draws: Sequence[Drawn], twins: Mapping[Generator, Generator], count: int) -> tuple[list, list[Any]]:
    """What is drawn for so many iterations, one after the other, and where it leaves the generators.

    Twins draw in their places, so that an interruption leaves them where they are.
    """
    for rng, twin in twins.items():
        twin.bit_generator.state = rng.bit_generator.state
    arrays = [np.empty((count, *draw.node.example.shape), draw.node.example.dtype) for draw in draws]
    for k in range(count):
        for array, draw in zip(arrays, draws):
            array[k] = draw.draw(twins[draw.generator])
    return arrays, [twin.bit_generator.state for twin in twins.values()]


def arrays(name: str, x: Any) -> list[np.ndarray]:
    """The arrays of a batch as the program takes them: in this machine's order of bytes, one number after the other."""
    return [_array(name, part) for part in x] if isinstance(x, tuple) else [_array(name, x)]


def _array(name: str, x: Any) -> np.ndarray:
    if x.__class__ is np.ndarray and x.dtype in TAKEN and x.flags.c_contiguous:
        return x
    try:
        array = native(x)
        return np.asarray(array, np.int64 if array.dtype.kind in "iu" else None, order="C")
    except (TypeError, ValueError) as error:
        hint = (
            "; a shorter batch, such as the last one, is a call of its own: step(x, y)" if isinstance(x, list) else ""
        )
        raise type(error)(f"TrainStep: {name}: {error}{hint}") from None


def in_parts(x: np.ndarray, n: int) -> np.ndarray:
    """Batches (K, size, ...), each cut into n equal parts: (K * n, size / n, ...)."""
    if x.ndim < 2 or x.shape[1] % n:
        raise ValueError(f"TrainStep: a batch of shape {x.shape[1:]} cannot be cut into accumulate={n} equal parts")
    return x.reshape(len(x) * n, x.shape[1] // n, *x.shape[2:])


def shapes(of: list[np.ndarray]) -> str:
    """Their shapes, for a message."""
    return " and ".join(str(a.shape) for a in of) or "nothing"
