"""checkpoint: what a function computes on the way is not kept for the backward pass, but computed again in it.

A checkpointed result is one node, made of what stood at the function's edge: arguments and nodes that it closes over.
Its pullback runs the function once more, and sweeps through what that records, back to the same edge.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, ParamSpec, TypeVar

import numpy as np

from .backward import pullback
from .calling import a_function
from .graph import frontier
from .joint import joint
from .node import Node, kinds
from .random import Repeatable
from .recording import inspection, records_for_itself, tick
from .tree import flatten, unflatten

P = ParamSpec("P")
R = TypeVar("R")


class Rerun(NamedTuple):
    """A call that can be made again, one of its results, that result's number or array, and what it was made of."""

    call: functools.partial
    place: int
    data: Any
    edge: list[Node]
    draws: Repeatable

    def __repr__(self) -> str:
        return f"<call of {getattr(self.call.func, '__name__', self.call.func)}>"

    def __deepcopy__(self, memo: dict) -> NoReturn:
        raise TypeError("what checkpoint made cannot be copied, since its function holds nodes: copy node.detach()")

    @records_for_itself
    def gradients(self, g: Any, create_graph: bool) -> list:
        """The gradients at the edge, by a second run."""
        since = tick()
        with self.draws.again():
            output = flatten(self.call())[self.place]
        if not _alike(output.data, self.data):
            raise RuntimeError(
                "checkpoint: the second run of the function gave another result than the first: it must draw random "
                "numbers by autograd.random alone, and what it uses must not be changed before the backward pass"
            )
        return pullback([output], [g], self.edge, create_graph, since)


def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """The same function, which keeps no intermediate results: f runs again in the backward pass.

    It saves memory, and costs a run of f for each of its results that takes part in a derivative. Gradients reach f's
    arguments and the nodes that f uses from outside, to any order; with create_graph the graph of f is kept after all.
    Inside jit and detect_anomaly f is recorded as it is. The second run draws the same numbers from autograd.random.
    Raises RuntimeError if it gives other numbers than the first, for example because weights have changed in between.
    """

    a_function(f)

    @functools.wraps(f, updated=())
    def checkpointed(*args: P.args, **kwargs: P.kwargs) -> R:
        if kinds.tracing or inspection.inspector:  # whose program decides what it keeps; who wants to see all
            return f(*args, **kwargs)
        since = tick()
        call = functools.partial(f, *args, **kwargs)
        draws = Repeatable()
        with draws.first():
            output = call()
        return unflatten(output, [_kept(y, i, call, since, draws) for i, y in enumerate(flatten(output))])

    return checkpointed


def _kept(y: Any, place: int, call: functools.partial, since: int, draws: Repeatable) -> Any:
    """A result as one node made of the edge; as it is where it was there before, or depends on nothing."""
    if not isinstance(y, Node) or y.when <= since:
        return y
    edge = frontier(y, since)
    return joint("checkpoint", type(y), edge, Rerun(call, place, y.data, edge, draws)) if edge else y


def _alike(again: Any, before: Any) -> bool:
    """Whether two runs gave the same, to what the order of sums in a library may differ by."""
    if np.shape(again) != np.shape(before):
        return False
    size = np.max(np.abs(before), initial=0.0, where=np.isfinite(before))
    return np.allclose(again, before, rtol=1e-3, atol=1e-3 * size, equal_nan=True)
