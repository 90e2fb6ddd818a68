"""Examples are drawn by Hypothesis until the time is over; of each kind of failure the smallest is kept."""

import time
from collections.abc import Callable, Mapping

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

SETTINGS = settings(
    database=None,
    deadline=None,
    derandomize=False,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


class Found(Exception):
    """An example that fails."""


class Hunt:
    """What was tried and what failed, for a kind of examples that are texts."""

    def __init__(self, difference: Callable[[str], str | None], sort_of: Callable[[str], str], seed: int, prefix: str):
        self.difference, self.sort_of, self.seed, self.prefix = difference, sort_of, seed, prefix
        self.tried = 0
        self.failures: dict[tuple[str, str], str] = {}

    def run(
        self, strategies: Mapping[str, SearchStrategy[str]], seconds: float, rounds: int = 10**9, each: int = 40
    ) -> None:
        """Go through these again and again until the time is over."""
        end = time.monotonic() + seconds
        for turn in range(rounds):
            for name, strategy in strategies.items():
                if time.monotonic() > end:
                    return
                while self._smallest(name, strategy, turn, each):
                    pass

    def _smallest(self, name: str, strategy: SearchStrategy[str], turn: int, each: int) -> bool:
        """Whether a failure of a new kind was found."""
        last: list[str] = []

        @hypothesis.seed(f"{self.seed} {name} {turn}")
        @settings(SETTINGS, max_examples=each)
        @given(strategy)
        def attempt(text: str) -> None:
            self.tried += 1
            said = self.difference(text)
            sort = self.sort_of(said or "")
            if said and (name, sort) not in self.failures and (not last or last[1] == sort):
                last[:] = text, sort, said
                raise Found

        try:
            attempt()
        except Found:
            text, sort, said = last
            again = f"{self.prefix} --seed {self.seed} --only '{name}'"
            self.failures[name, sort] = f"{text}\n# {said}\n# again, in turn {turn}: {again}\n"
            print(self.failures[name, sort], flush=True)
            return True
        return False
