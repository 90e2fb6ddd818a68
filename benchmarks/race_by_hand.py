"""The race without an engine: NumPy and C with derivatives by hand, and the smallest scalar class."""

import ctypes
import pathlib
from collections.abc import Callable
from functools import partial

import by_hand
import numpy as np
import race
import race_numpy

HERE = pathlib.Path(__file__).parent


def in_c(width: int, n: int, dtype: str) -> ctypes.CDLL:
    """race.c for a width, a batch and a dtype, which are constants in it."""
    real = {"float32": "float", "float64": "double"}[dtype]
    constants = f"-DWIDTH={width}", f"-DBATCH={n}", f"-DREAL={real}", f"-DDOUBLE={real == 'double':d}"
    return by_hand.compiled((HERE / "race.c").read_text(), f"-I{HERE}", *constants)


def c_race(width: int, n: int, dtype: str) -> Callable:
    """All updates in one call."""
    run, losses = in_c(width, n, dtype).run, np.empty(race.UPDATES)
    run.argtypes, run.restype = [ctypes.c_long, *[ctypes.c_void_p] * 4], None
    arrays = (
        np.concatenate([a.ravel() for a in race.weights(width, dtype)]),
        *map(np.ascontiguousarray, race.batches(n)),
    )

    def work() -> np.ndarray:
        run(len(losses), *(a.ctypes.data for a in (*arrays, losses)))
        return losses

    work.count = race.UPDATES * n
    return work


WORKS = {
    "numpy race": race_numpy.numpy_race,
    "C race": c_race,
    "microgpt race-scalar": partial(race.on_numbers, by_hand.Scalar),
}

if __name__ == "__main__":
    race_numpy.serve(WORKS)
