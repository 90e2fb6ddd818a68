"""What random programs are made of: templates of one line, filled with variables that fit.

In a template {f} is a variable of floats, {i} of integers, {b} a mask, {a} any; {x} is the first of the line again, and
what the other braces say of it (an axis, a shape, an index) is drawn by the method of that name.
"""

import itertools
import math
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy

from .templates import COMMON, RARE


class Retry(Exception):
    """A template that cannot be filled with what there is."""


class Words:
    """Draws lines over variables, of which it has examples."""

    def __init__(self, rng: random.Random, examples: Mapping[str, Any]):
        self.rng, self.examples = rng, examples
        self.first, self.chosen = "", 0

    def line(self) -> str:
        """A template, filled."""
        self.first, self.chosen = "", 0
        return re.sub(
            r"\{(\w+)\}",
            lambda found: str(getattr(self, found[1])()),
            self.rng.choice(RARE if self.rng.random() < 0.2 else COMMON),
        )

    def pick(self, kinds: str, fits: Callable = lambda shape: True) -> str:
        """A variable of one of these kinds; later ones are likely the younger."""
        found = [name for name, x in self.examples.items() if kind(x) in kinds and fits(numpy.shape(x))]
        if not found:
            raise Retry
        return found[-1] if self.rng.random() < 0.25 else self.rng.choice(found)

    def _next(self, kinds: str) -> str:
        if not self.first:
            self.first = self.pick(kinds)
            return self.first
        with_first = self.shape_of_first

        def fits(shape: tuple[int, ...]) -> bool:
            return all(1 in (n, m) or n == m for n, m in zip(shape[::-1], with_first[::-1]))

        return self.pick(kinds, fits if self.rng.random() < 0.8 else lambda shape: True)

    f, i, b = (lambda self, k=k: self._next(k) for k in "fib")

    def a(self) -> str:
        """Any variable, floats more often."""
        return self._next("f" if self.rng.random() < 0.3 else "fib")

    def x(self) -> str:
        """The first variable."""
        return self.first or self.f()

    @property
    def shape_of_first(self) -> tuple[int, ...]:
        return numpy.shape(self.examples[self.x()])

    def c(self) -> str:
        """A number."""
        return self.rng.choice("0.5 -1.5 2.0 0.0 1.0 -0.0 3 np.inf -np.inf np.nan 2 0.1 np.float32(0.25)".split())

    def k(self) -> int:
        """An integer."""
        return self.rng.choice([-3, -1, 0, 1, 2, 3, 7, 2**40])

    def bool(self) -> bool:
        return self.rng.random() < 0.5

    def ndim(self) -> int:
        return len(self.shape_of_first)

    def axis(self) -> int:
        """An axis."""
        if not self.ndim():
            raise Retry
        self.chosen = self.rng.randrange(-self.ndim(), self.ndim())
        return self.chosen

    def again(self) -> int:
        """The same axis."""
        return self.chosen

    def axes(self) -> Any:
        """An axis, several, or all."""
        all_of_them = range(self.ndim())
        several = tuple(self.rng.sample(all_of_them, self.rng.randint(0, self.ndim())))
        return self.rng.choice([None, several, self.axis() if self.ndim() else None])

    def order(self) -> tuple[int, ...]:
        return tuple(self.rng.sample(range(self.ndim()), self.ndim()))

    def shape(self) -> Any:
        """Another shape for as many elements."""
        shape = [*self.shape_of_first]
        whole = [math.prod(shape[:1]) * math.prod(shape[1:2]), *shape[2:]]
        return self.rng.choice([-1, (*shape, 1), (1, *shape), tuple(shape[::-1]), tuple(whole), (-1, *shape[-1:])])

    def wider(self) -> tuple[int, ...]:
        """A shape to which it may be broadcast."""
        return (
            *self.rng.choice([(), (2,), (1,), (3, 1)]),
            *(self.rng.choice([n, 3]) if n == 1 else n for n in self.shape_of_first),
        )

    def matrix(self) -> str:
        n = self._length(-1)
        return f"np.arange({n * 3}.0).reshape({n}, 3)"

    def gram(self) -> str:
        """A positive definite matrix."""
        name = self.x()
        return f"(np.swapaxes({name}, -1, -2) @ {name} + np.eye({self._length(-1) if self.ndim() > 1 else self._no()}))"

    def _length(self, axis: int) -> int:
        try:
            return self.shape_of_first[axis] or self._no()
        except IndexError:
            raise Retry from None

    def _no(self) -> int:
        raise Retry

    def n(self) -> int:
        return self._length(self.chosen)

    def m(self) -> int:
        return self._length(-1)

    def m2(self) -> int:
        return self._length(1)

    def size(self) -> int:
        return math.prod(self.shape_of_first) or self._no()

    def basic(self) -> str:
        """A basic index: integers, slices of any direction, None, an ellipsis."""
        parts = [self._basic_part(n) for n in self.shape_of_first[: self.rng.randint(0, self.ndim())]]
        if self.rng.random() < 0.3:
            parts.insert(self.rng.randint(0, len(parts)), "None")
        if self.rng.random() < 0.3:
            parts = [*parts, "..."]
        return ", ".join(parts) or "..."

    def basic1(self) -> str:
        return self._basic_part(self._length(1))

    def _basic_part(self, n: int) -> str:
        ends = ["", *range(-n - 1, n + 2)]
        start, stop, step = self.rng.choice(ends), self.rng.choice(ends), self.rng.choice(["", "", 2, -1, -2])
        at = [str(self.rng.randrange(-n, n))] if n else []
        return self.rng.choice([*at, ":", f"{start}:{stop}:{step}", f"{start}:{stop}:{step}"])

    def fancy(self) -> str:
        """An index with arrays that are known, masks among them."""
        n = self._length(0)
        places = [self.rng.randrange(-n, n) for _ in range(self.rng.randint(0, 4))]
        mask = [self.rng.random() < 0.5 for _ in range(n)]
        kinds = [f"np.array({places}, int)", f"np.array({mask})", f"np.array([{places}, {places}], int)", str(places)]
        index = self.rng.choice(kinds)
        if self.ndim() > 1 and self.rng.random() < 0.5:
            index += f", {self._basic_part(self._length(1))}"
        return index


def kind(x: Any) -> str:
    """f, i or b; nothing for what is no variable."""
    found = getattr(x, "dtype", None)
    return found.kind if found is not None else "f" if isinstance(x, float) else " "


# ---- numbers to begin with

SHAPES = [
    (),
    (1,),
    (3,),
    (0,),
    (2, 3),
    (3, 2),
    (1, 3),
    (3, 1),
    (2, 1, 3),
    (3, 3),
    (5,),
    (2, 2, 3),
    (0, 3),
    (3, 0),
    (7, 3),
    (17,),
    (1, 1),
    (9, 5),
]
DTYPES = ["f8"] * 6 + ["f4"] * 2 + ["i8"] * 2 + ["i4", "?", "?"]


def family(rng: random.Random) -> list[tuple[int, ...]]:
    """Shapes that often go together: of a few lengths."""
    n, m = rng.choice([1, 2, 3, 4, 5, 8]), rng.choice([0, 1, 2, 3, 3, 6])
    return [(), (n,), (m,), (n, m), (m, n), (1, m), (n, 1), (2, n, m), (n, n), rng.choice(SHAPES)]


def numbers(rng: random.Random, shape: tuple[int, ...], dtype: str) -> numpy.ndarray:
    """An array of this shape: mostly plain numbers, sometimes what is special."""
    size = math.prod(shape)
    draw: Callable = rng.choice(
        [
            lambda: rng.uniform(-2, 2),
            lambda: rng.uniform(-2, 2),
            lambda: rng.uniform(0.1, 1.5),
            lambda: rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
            lambda: rng.choice([0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, rng.gauss(0, 1)]),
        ]
    )
    if dtype in ("i8", "i4"):
        draw = rng.choice([lambda: rng.randint(-3, 4), lambda: rng.choice([0, -1, 1, 63, 64, -(2**31), 2**31 - 1])])
    elif dtype == "?":
        draw = lambda: rng.random() < 0.5
    return numpy.array([draw() for _ in range(size)], dtype).reshape(shape)


def names(prefix: str) -> Any:
    """x0, x1, ..."""
    return map(f"{prefix}{{}}".format, itertools.count())
