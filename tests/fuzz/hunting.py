"""Examples are drawn until the time is over; of each kind of failure a small one is kept.

What is drawn follows from the seed alone, whatever the machine and the versions of packages.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


class Choices:
    """What an example is made of: numbers from 0 on, of which smaller ones make simpler examples.

    They are drawn, or given, and then 0 behind their end.
    """

    def __init__(self, rng: random.Random | None, given: Sequence[int] = ()):
        self.rng, self.given, self.made = rng, given, list[int]()

    def below(self, n: int) -> int:
        """One of the n numbers 0, 1, ... n - 1."""
        place = len(self.made)
        if self.rng is not None:
            number = self.rng.randrange(n)
        else:
            number = min(self.given[place], n - 1) if place < len(self.given) else 0
        self.made.append(number)
        return number

    def one_of(self, options: Sequence) -> Any:
        """One of these, of which earlier ones are simpler."""
        return options[self.below(len(options))]

    def some(self, options: Sequence, most: int) -> list:
        """Some of these, as they come."""
        return [self.one_of(options) for _ in range(self.below(most + 1))]

    def permuted(self, options: Sequence) -> list:
        """All of these, in any order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in options]


Maker = Callable[[Choices], str]


class Hunt:
    """What was tried and what failed, for a kind of examples that are texts."""

    def __init__(self, difference: Callable[[str], str | None], sort_of: Callable[[str], str], seed: int, prefix: str):
        self.difference, self.sort_of, self.seed, self.prefix = difference, sort_of, seed, prefix
        self.tried = 0
        self.failures: dict[tuple[str, str], str] = {}

    def run(self, makers: Mapping[str, Maker], seconds: float, first: int = 0, most: int = 10**9) -> None:
        """One example of each, again and again until the time is over."""
        end = time.monotonic() + seconds
        for number in range(first, first + most):
            for name, make in makers.items():
                if time.monotonic() > end:
                    return
                choices = Choices(random.Random(f"{self.seed} {name} {number}"))
                said = self._said(make(choices))
                if said and (name, self.sort_of(said)) not in self.failures:
                    self._keep(name, number, make, choices.made, self.sort_of(said))

    def _said(self, text: str) -> str:
        self.tried += 1
        return self.difference(text) or ""

    def _keep(self, name: str, number: int, make: Maker, made: list[int], sort: str) -> None:
        """Print the smallest example that fails in this way of those that fewer and smaller choices make."""
        smaller, tries = True, 1000
        while smaller and tries > 0:
            smaller = False
            for fewer in _simpler(made):
                choices, tries = Choices(None, fewer), tries - 1
                if self.sort_of(self._said(make(choices))) == sort and (len(choices.made), choices.made) < (
                    len(made),
                    made,
                ):
                    made, smaller = choices.made, True
                    break
        text = make(Choices(None, made))
        again = f"{self.prefix} --seed {self.seed} --only '{name}' --first {number} --most 1"
        self.failures[name, sort] = f"{text}\n# {self.difference(text)}\n# again: {again}\n"
        print(self.failures[name, sort], flush=True)


def _simpler(made: list[int]) -> Iterator[list[int]]:
    """With some choices left out, or with one that is smaller."""
    for count in (8, 4, 2, 1):
        yield from (made[:i] + made[i + count :] for i in range(len(made) - count + 1))
    for i, number in enumerate(made):
        yield from ([*made[:i], less, *made[i + 1 :]] for less in sorted({0, number // 2, number - 1} - {-1, number}))
