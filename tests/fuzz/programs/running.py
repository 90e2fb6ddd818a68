"""Programs are drawn and compared until the time is over."""

import random
import time

from .comparing import Discarded, difference, sort_of
from .drawing import drawn
from .shrinking import smallest


def run(
    seed: int, seconds: float, first: int = 0, most: int = 10**9, shrink: float = 30, steps: int = 12
) -> tuple[int, int, list[str]]:
    """How many programs ran, how many were discarded, and the failures."""
    ran, discarded, failures, end = 0, 0, {}, time.monotonic() + seconds
    for number in range(first, first + most):
        if time.monotonic() > end:
            break
        rng = random.Random(f"{seed} {number}")
        program = drawn(rng, rng.randint(1, steps))
        try:
            said = difference(program)
            ran += 1
        except Discarded:
            discarded += 1
            continue
        if said and sort_of(said) not in failures:
            program, said = smallest(program, said, shrink)
            failures[sort_of(said)] = f"# program {number} of seed {seed}\n{program.text()}# {said}\n"
            print(failures[sort_of(said)], flush=True)
    return ran, discarded, [*failures.values()]
