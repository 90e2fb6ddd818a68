"""Random numbers from a numpy.random.Generator: drawn at once, and in a compiled program anew for each run.

Inside jit and TrainStep a draw becomes an input of the program. Each call, and each iteration of TrainStep.run, draws
it from the same generator, in the order in which the function drew; so all backends and eager code see the same
numbers. A generator that the function makes itself is kept, and goes on from call to call.
"""

import contextlib
import copy
import json
import operator
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .calling import shape_of
from .node import Node

__all__ = ["bernoulli", "normal", "permutation", "uniform"]
Shape = int | Sequence[int]
Draw = Callable[[np.random.Generator], Any]
LAST = {"pos": 624, "buffer_pos": 4}  # places in the memory of generators, beyond which NumPy would read on


class Source(threading.local):
    """Who draws for this thread: each generator itself, unless somebody stands in for all of them."""

    instead: Callable[[np.random.Generator, Draw], Any] | None = None
    again = False  # whether a function runs once more, which is to leave everything as it is


source = Source()


class Repeatable:
    """What one run of a function draws, so that another run can draw the same."""

    def __init__(self) -> None:
        self._before: dict[int, tuple] = {}  # each generator, and a copy of it as it was; by the first one's id

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """Draw as usual, and remember from where."""
        outer = source.instead or (lambda rng, draw: draw(rng))

        def instead(rng: np.random.Generator, draw: Draw) -> Any:
            def remembered(real: np.random.Generator) -> Any:
                self._before.setdefault(id(rng), (rng, copy.deepcopy(real)))
                return draw(real)

            return outer(rng, remembered)

        with _standing_in(instead):
            yield

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Draw the same once more, and leave the generators as they are."""
        copies = {key: copy.deepcopy(before) for key, (_, before) in self._before.items()}
        before, source.again = source.again, True
        try:
            with _standing_in(lambda rng, draw: draw(copies.get(id(rng), rng))):
                yield
        finally:
            source.again = before


@contextlib.contextmanager
def _standing_in(instead: Callable[[np.random.Generator, Draw], Any]) -> Iterator[None]:
    before, source.instead = source.instead, instead
    try:
        yield
    finally:
        source.instead = before


def uniform(rng: np.random.Generator, shape: Shape = (), dtype: Any = float) -> Any:
    """Numbers uniform in [0, 1), of dtype float64 or float32; a float where neither shape nor dtype are given."""
    shape, dtype = _sizes(shape), np.dtype(dtype)
    return drawn(rng, lambda rng: _number(rng.random(shape, dtype)))


def normal(rng: np.random.Generator, shape: Shape = (), dtype: Any = float) -> Any:
    """Numbers of mean 0 and standard deviation 1, of dtype float64 or float32; a float where neither is given."""
    shape, dtype = _sizes(shape), np.dtype(dtype)
    return drawn(rng, lambda rng: _number(rng.standard_normal(shape, dtype)))


def bernoulli(rng: np.random.Generator, p: Any, shape: Shape | None = None) -> Any:
    """A mask that is true with probability p: a number, or an array that broadcasts to the shape, which is p's if none.

    Raises ValueError for a probability that is not between 0 and 1, and for a shape that p does not broadcast to.
    """
    if not isinstance(p, Node) and not np.all((np.asarray(p) >= 0) & (np.asarray(p) <= 1)):
        raise ValueError(f"bernoulli: p is a probability between 0 and 1, not {p!r}")
    shape = shape_of(p) if shape is None else _sizes(shape)
    if np.broadcast_shapes(shape, shape_of(p)) != shape:
        raise ValueError(f"bernoulli: probabilities of shape {shape_of(p)} do not broadcast to the shape {shape}")
    return uniform(rng, shape) < p


def permutation(rng: np.random.Generator, n: int) -> Any:
    """The integers from 0 to n - 1 in a random order."""
    n = operator.index(n)
    return drawn(rng, lambda rng: rng.permutation(n))


def drawn(rng: Any, draw: Draw) -> Any:
    """What is drawn, by the generator or by who stands in for it."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is a numpy.random.Generator, such as numpy.random.default_rng(0), not {rng!r}")
    return draw(rng) if source.instead is None else source.instead(rng, draw)


def _sizes(shape: Shape) -> tuple[int, ...]:
    """A shape as a tuple."""
    return tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))


def _number(x: np.ndarray) -> Any:
    """One number of float64 as Python has it, which beside arrays is as wide as they are."""
    return x if x.shape or x.dtype != float else float(x)


def states(generators: Mapping[str, np.random.Generator]) -> str:
    """The states of generators, as a text for `draw_on`."""
    found = {name: generator.bit_generator.state for name, generator in generators.items()}
    return json.dumps(found, default=np.ndarray.tolist)


def draw_on(generators: Mapping[str, np.random.Generator], text: Any) -> None:
    """Let generators go on from their states; ValueError for what is none, where some may have changed already."""
    try:
        given = json.loads(text)
        for name, generator in generators.items():
            numbers = {**given[name], **given[name]["state"]}
            if all(0 <= numbers.get(place, 0) <= last for place, last in LAST.items()):
                generator.bit_generator.state = given[name]
        fit = json.loads(states(generators)) == given
    except Exception:  # a dozen kinds, from Python's parser and NumPy
        fit = False
    if not fit:
        kinds = [f"{name} ({type(each.bit_generator).__name__})" for name, each in generators.items()]
        raise ValueError(f"these are not the states of generators {', '.join(kinds) or '(there are none)'}")
