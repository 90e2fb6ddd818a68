"""Where the user's program is, for errors that name its line, and for NumPy's warnings.

NumPy warns at the innermost Python frame, which here is one of ours. A module of ours whose `__warningregistry__` is
`REFUSED` gets a TypeError there instead (CPython takes nothing but a dict for it); that costs nothing where all is
well, and no setting of NumPy or of `warnings` is touched. What was computed is then computed again `at_users_line`.
"""

import functools
import sys
import warnings
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType
from typing import Any, TypeVar

import numpy as np

R = TypeVar("R")
GENERATED = "autograd"  # functions made of rows are in no module
LIBRARIES = {GENERATED, "contextlib", "copy", "numpy", "scipy"}  # whose lines are not the user's
REFUSED: Any = ()
__warningregistry__ = REFUSED
MODES = {"warn": "log", "raise": "raise"}  # what has been called or printed once already is not again


def users_frame() -> FrameType:
    """The innermost frame outside the libraries."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _home(frame).split(".")[0] in LIBRARIES:
        frame = frame.f_back
    return frame


def _home(frame: FrameType) -> str:
    """The module that a frame runs for: of a line that stands in for the user's, ours."""
    return GENERATED if "__standing_in" in frame.f_globals else frame.f_globals.get("__name__", GENERATED)


class _Heard(list):
    """What NumPy writes to where it would warn."""

    def write(self, message: str) -> None:
        self.append(message.removeprefix("Warning: ").strip())


def at_users_line(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function returns; it, and NumPy in it, warns as if the user's line had called it."""
    frame, heard = users_frame(), _Heard()
    file, line, module = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__", "__main__")
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    scope = {"__name__": module, "__warningregistry__": registry, "__standing_in": True}
    scope |= {"f": function, "args": args, "kwargs": kwargs}
    modes: dict[str, Any] = {kind: MODES.get(str(mode), "ignore") for kind, mode in np.geterr().items()}
    try:
        with np.errstate(call=heard, **modes):
            out = eval(compile("\n" * (line - 1) + "f(*args, **kwargs)", file, "eval"), scope)
        for message in heard:
            warnings.warn_explicit(message, RuntimeWarning, file, line, module, registry)
    except Exception as error:
        raise error from None  # it says all; before it was the refusal
    return out


def warning_there(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function that changes nothing returns; it, and NumPy in it, warns as if the user's line had called it."""
    try:
        return function(*args, **kwargs)
    except Exception:  # an error, which comes again, or a warning that was refused
        return at_users_line(function, *args, **kwargs)


def quiet(function: Callable[..., R]) -> Callable[..., R]:
    """The function, in which NumPy does not warn, run in a context of its own.

    So NumPy's settings are as before however it ends. The exit of a block would not do: Python may be interrupted
    (Ctrl-C) between the end of a block and what its exit does.
    """

    def quietly(*args: Any) -> R:
        np.errstate(all="ignore").__enter__()
        return function(*args)

    @functools.wraps(function)
    def run(*args: Any) -> R:
        return copy_context().run(quietly, *args)

    return run
