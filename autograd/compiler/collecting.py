"""Compiling with Python's garbage collector off, which would search a million live objects again and again."""

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def uncollected(function: Callable[P, R]) -> Callable[P, R]:
    """The function, during which the collector does not run by itself; then it does if it did before."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        enabled = gc.isenabled()
        try:
            gc.disable()
            return function(*args, **kwargs)
        finally:  # where a block's exit might be interrupted
            if enabled:
                gc.enable()

    return run
