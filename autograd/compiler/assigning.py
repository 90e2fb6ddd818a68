"""What a function that is traced assigns to attributes of objects: no trace leaves its nodes there."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..failing import purpose, refuse
from ..node import kinds
from ..tree import flatten
from ..users import at_users_line

MISSING = object()
LOST = (
    " inside {}, which happens only while it is recorded: nn.TrainStep changes float arrays, as in self.count = "
    "self.count + 1.0 where that began as np.array(0.0)"
)


class Assigned(threading.local):
    """What attributes were before this thread's trace assigned to them, with their owner; by its id and their name."""

    before: dict[tuple[int, str], tuple[Any, Any]] = {}


assigned = Assigned()


def assigning(owner: Any, name: str) -> None:
    """Remember what an attribute is that a trace is about to assign to."""
    assigned.before.setdefault((id(owner), name), (owner, vars(owner).get(name, MISSING)))


def take_back() -> list[tuple[Any, str, Any]]:
    """Make attributes what they were, where nodes of this trace were assigned to them, or floats in place of floats.

    The latter are buffers that change: their owners and names, and the nodes or arrays that were assigned last. Of
    Python's numbers, which no program changes, a warning tells.
    """
    changed, lost = [], []
    for (_, name), (owner, before) in assigned.before.items():
        held, now = vars(owner), vars(owner).get(name)
        is_buffer = _is_floats(before) and now is not before and (_is_traced(now) or _is_floats(now))
        if is_buffer:
            changed.append((owner, name, now))
        if is_buffer or any(map(_is_traced, flatten(now))):
            held.pop(name) if before is MISSING else held.update({name: before})
        runs_anew = purpose.name == "vmap" and not kinds.kept  # each time that it is called
        if {type(before), type(now)} <= {int, float} and now != before and not runs_anew:
            lost.append(f"{type(owner).__name__}.{name} went from {before} to {now}")
    assigned.before.clear()
    for what in lost:
        at_users_line(warnings.warn, what + LOST.format(purpose.name), RuntimeWarning)
    return changed


@contextmanager
def taken_back() -> Iterator[None]:
    """Take back all that is assigned meanwhile; TracingError for a buffer, whose change would be lost."""
    before, assigned.before = assigned.before, {}
    try:
        yield
        for owner, name, x in take_back():
            now = vars(owner)[name]
            if _is_traced(x) or np.shape(x) == np.shape(now) and not np.array_equal(x, now, equal_nan=True):
                refuse(
                    f"{type(owner).__name__}.{name} was assigned to",
                    "nn.TrainStep takes it over, but not out of scan or vmap; or put the model into eval()",
                )
    finally:
        take_back()
        assigned.before = before


def _is_floats(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f"


def _is_traced(x: Any) -> bool:
    return hasattr(x, "example")
