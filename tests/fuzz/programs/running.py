"""Programs are drawn and compared until the time is over."""

import random
import sys
import time
from collections.abc import Sequence
from functools import partial

from ..peers.comparing import Peer
from . import comparing
from .drawing import drawn
from .shrinking import smallest


def run(
    seed: int, seconds: float, first: int = 0, most: int = 10**9, steps: int = 12, peers: Sequence[Peer] = ()
) -> tuple[int, int, list[str]]:
    """How many programs ran, how many were discarded, and the failures."""
    ran, discarded, failures, end = 0, 0, {}, time.monotonic() + seconds
    difference = partial(comparing.difference, peers=peers)
    python = f" --peers {peers[0].python}" if peers and peers[0].python != sys.executable else ""
    for number in range(first, first + most):
        if time.monotonic() > end:
            break
        rng = random.Random(f"{seed} {number}")
        program = drawn(rng, rng.randint(1, steps))
        try:
            said = difference(program)
            ran += 1
        except comparing.Discarded:
            discarded += 1
            continue
        if said and comparing.sort_of(said) not in failures:
            program, said = smallest(program, said, difference, most=30)
            again = f"python -m tests.fuzz programs --seed {seed} --first {number} --most 1 --steps {steps}{python}"
            notes = "".join(f"# {line}\n" for line in [*said.split("\n"), f"again: {again}"])
            failures[comparing.sort_of(said)] = f"{program.text()}{notes}"
            print(failures[comparing.sort_of(said)], flush=True)
    return ran, discarded, [*failures.values()]
