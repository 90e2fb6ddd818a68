"""What this thread does with each node that it makes: nothing, forget how it was made (no_grad), or look at it."""

import contextlib
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, ParamSpec, TypeVar

from .arguments import is_node
from .tree import map_tree

P = ParamSpec("P")
R = TypeVar("R")

tick = itertools.count(1).__next__


class Hook(NamedTuple):
    """What a thread does with each node that it makes, from a tick on; it returns what stands for it, if not itself."""

    thread: int
    action: Callable[[Any], Any]
    since: int


hooks: list[Hook] = []


@contextlib.contextmanager
def hooked(action: Callable[[Any], Any]) -> Iterator[int]:
    """Do this with each node that this thread makes after this tick; cut it off before anybody looks at it."""
    hook = Hook(threading.get_ident(), action, tick())
    hooks.insert(0 if action is cut else len(hooks), hook)
    try:
        yield hook.since
    finally:
        hooks.remove(hook)


class Derivative(threading.local):
    """When the derivative began that this thread is computing: a no_grad() from before does not reach into it."""

    since = 0


derivative = Derivative()


def attend(node: Any) -> Any:
    """Do with a fresh node what this thread wants done, latest wish last; what stands for it from now on."""
    here = threading.get_ident()
    for hook in hooks[:]:
        if hook.thread == here and (hook.action is not cut or hook.since > derivative.since):
            other = hook.action(node)
            if other is not None:
                return other
    return node


def cut(node: Any) -> None:
    """Cut a node off from what it was made of."""
    node.operation = node.x = node.y = None


def no_grad() -> "contextlib._GeneratorContextManager[int]":
    """Record nothing in this thread: results are leaves. A context manager, and a decorator.

    `grad` and its kin called inside give the derivative all the same, without a history of its own.
    """
    return hooked(cut)


class Inspection(threading.local):
    """Who looks at this thread's sweeps, if anybody does; and what is put around the pullbacks of one."""

    inspector: Any = None
    around: Callable[[dict], Any] | None = None


inspection = Inspection()


def inspected(sweep: Callable) -> Callable:
    """A sweep, by way of who looks at it."""

    @functools.wraps(sweep)
    def looked_at(*how: Any) -> Any:
        inspector = inspection.inspector
        return sweep(*how) if inspector is None else inspector.sweep(sweep, *how)

    return looked_at


def recording_is_off(since: int) -> bool:
    """Whether this thread entered a no_grad() after a tick that is still open."""
    here = threading.get_ident()
    return any(hook.thread == here and hook.action is cut and hook.since > since for hook in hooks[:])


def records_for_itself(derivatives: Callable[P, R]) -> Callable[P, R]:
    """The function, which records what it needs inside no_grad() too; there its result has no history."""

    @functools.wraps(derivatives)
    def recorded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not recording_is_off(derivative.since):
            return derivatives(*args, **kwargs)
        before, derivative.since = derivative.since, tick()
        try:
            result = derivatives(*args, **kwargs)
        finally:
            derivative.since = before
        return map_tree(lambda x: x.detach() if is_node(x) else x, result)

    return recorded
