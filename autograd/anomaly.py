"""detect_anomaly: where a number first went wrong.

What is not finite may be masked later, so numbers are looked at when they are handed out. Until then of each node only
is kept where it was made, and what its pullbacks will read. From a number that is handed out and not finite the way
back leads to the operation that made it so; for a gradient the sweep is run again, with an eye on each pullback.
"""

import contextlib
import functools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .faults import Site, changed, described, described_site, fault, held, is_elementwise, level, origin, place, site
from .graph import history
from .node import Node, Tensor, Value
from .operation import OPERATIONS
from .recording import hooked, inspection


class AnomalyError(ArithmeticError):
    """A result or a gradient is NaN or infinite, or an array was changed between its use and the backward pass."""


class Known(weakref.ref):
    """What is known of a node while it lives; while nothing was made of it, also how it was made.

    So it can stand for a result that is dropped.
    """

    __slots__ = ("when", "site", "within", "held", "uses", "data", "operation", "x", "y")
    args = Node.args
    x: Any
    when: int
    site: Site | None
    within: str  # the operation in whose gradient it was made
    held: tuple  # what its pullbacks will read
    uses: int  # how often something was made of it

    def stand_for(self, node: Any) -> None:
        """Keep how a result was made, or of None that it is none: something was made of it."""
        if node is None:
            self.operation = self.data = self.x = self.y = None
        else:
            self.operation, self.data, self.x, self.y = node.operation, node.data, node.x, node.y


class Pullbacks:
    """Pullbacks by operation, each called by somebody who looks at it."""

    def __init__(self, by: Callable, pulls: dict):
        self.by, self.pulls = by, pulls

    def __getitem__(self, operation: Any) -> Callable:
        return functools.partial(self.by, self.pulls[operation])


class Inspector:
    """What a detect_anomaly() knows of nodes, by their `when`, and looks at."""

    def __init__(self, least: int, known: dict[int, Known]):
        self.least, self.known = least, known  # 1 if infinity is an anomaly, 2 for NaN alone
        self.found = ""  # what to say of a result that was dropped
        self.is_open, self.sweeping = True, False
        self.pulled: Node | None = None  # whose pullback is recording
        self.on_drop: Callable | None = self._dropped  # one for all nodes, until the end

    def look_at(self, node: Node) -> None:
        """Remember where a fresh node was made, and of what."""
        if node.operation is None or inspection.inspector is not self:
            return
        if self.found:
            self.raise_found()
        args, pulled, known = node.args, self.pulled, Known(node, self.on_drop)
        self.used(args)
        known.when, known.held, known.uses = node.when, held(node, args), 0
        known.stand_for(None if self.sweeping else node)
        if pulled is None:
            known.site, known.within = site(), ""
        else:  # the line is that of what the derivative is of
            of = self.known.get(pulled.when)
            known.site, known.within = of and of.site, pulled.operation.name
        self.known[node.when] = known

    def used(self, args: Sequence) -> None:
        """Know that these, as far as they are nodes, are no results: something is made of them."""
        for arg in args:
            if isinstance(arg, Node) and (known := self.known.get(arg.when)) is not None:
                known.uses += 1
                if known.operation is not None:
                    known.stand_for(None)

    def raise_found(self) -> None:
        """Raise if a result was dropped that is not finite."""
        if found := self.found:
            self.found = ""
            raise AnomalyError(found)

    def results(self, since: int) -> None:
        """Raise if there is a result younger than this that is not finite, or was one."""
        for known in [*self.known.values()]:
            if known.when > since:
                self._look_at_result(known)
        self.raise_found()

    def _dropped(self, known: Known) -> None:
        self.known.pop(known.when, None)
        is_part = known.operation is OPERATIONS["getitem"]
        whole: Any = self.known.get(known.x.when) if is_part else None
        if whole is None or whole.uses == 1:  # of several parts not all need be used
            self._look_at_result(known)

    def _look_at_result(self, known: Known) -> None:
        if known.operation is not None and not self.found and level(known.data) >= self.least:
            self.found = self._of_value(known)

    def sweep(
        self, swept: Callable, outputs: Sequence, seeds: Sequence, since: int, create_graph: bool, wanted: Any
    ) -> tuple:
        """A sweep, unless it starts from an anomaly, or would read what was changed, or hand out an anomaly."""
        run = functools.partial(swept, outputs, seeds, since, create_graph, wanted)
        if self.sweeping:  # in a pullback of another one, which hands out what it makes of this
            return run()
        self.raise_found()
        for output, seed in zip(outputs, seeds):
            if output.operation is not None:
                self._know_as_result(output, None)
                if level(_weighed(output.data, seed)) >= self.least:
                    raise AnomalyError(self._of_value(output))
        for node in history(*outputs, since=since):
            if (known := self.known.get(node.when)) is not None and (what := changed(node, known.held)):
                raise AnomalyError(self._explained(f"{what} of {node.operation.name} was changed after its use", node))
        grads, leaves = found = self._looking(self._recording if create_graph else None, run)
        handed_out = {x: grads.get(x, 0.0) for x in (leaves if wanted is None else wanted)}
        if create_graph:
            for g in handed_out.values():
                self._know_as_result(g, g)
        elif anomalies := {x: g for x, g in handed_out.items() if level(g) >= self.least}:
            raise AnomalyError(self._of_gradients(anomalies, run))
        return found

    def _looking(self, by: Callable | None, run: Callable) -> Any:
        """Run a sweep whose pullbacks are called by somebody, if by anybody."""
        self.sweeping, before = True, inspection.around
        inspection.around = functools.partial(Pullbacks, by) if by else before
        try:
            return run()
        finally:
            self.sweeping, self.pulled, inspection.around = False, None, before

    def _recording(self, pull: Callable, node: Node, g: Any, into: Callable) -> None:
        self.pulled = node
        pull(node, g, into)

    def _know_as_result(self, node: Any, of: Node | None) -> None:
        known = self.known.get(node.when) if isinstance(node, Node) else None
        if known is not None:
            known.stand_for(of)

    def _of_value(self, result: Any) -> str:
        """What to say of a node that is not finite."""
        node, at = origin(result)
        return self._explained(f"the value of {node.operation.name} {fault(node.data, at)}", node, at)

    def _of_gradients(self, anomalies: dict[Node, Any], run: Callable) -> str:
        """What to say of gradients that are not finite: the first pullback that led there and was given better."""
        first, to_explain = None, {x: level(g) for x, g in anomalies.items()}
        for node, x, g, part in reversed(self._parts(run)):
            at = x.x if isinstance(x, Tensor) and isinstance(x.x, Value) else x  # what enters arrays is that Value
            if level(part) >= to_explain.get(at, 3):
                if level(g) >= level(part):
                    to_explain[node] = level(part)
                else:
                    first = node, x, g, part
        if first is None:
            (x, g), *_ = anomalies.items()
            wrong = fault(g, place(g))
            return f"the gradient of {described('a leaf', x, None)}, {wrong}: the seed is, or a sum of what is finite"
        node, x, g, part = first
        name, at = next(name for name, arg in zip(node.operation.names, node.args) if arg is x), place(part)
        what = f"the gradient of {node.operation.name} with respect to {name} {fault(part, at)}"
        return self._explained(what, node, at, name, [("g", g), ("out", node)])

    def _parts(self, run: Callable) -> list[tuple[Node, Node, Any, Any]]:
        """What pullbacks hand on in a sweep that is not finite: whose, to which argument, the gradients of both."""
        found: list[tuple[Node, Node, Any, Any]] = []

        def look(pull: Callable, node: Node, g: Any, into: Any) -> None:
            parts: Any = []
            if isinstance(into, dict):  # of Values, into which the pullback adds
                parts = dict.fromkeys([x for x in node.args if isinstance(x, Node)], 0.0)
                pull(node, g, parts)
                into.update({x: into[x] + part for x, part in parts.items()})
                parts = parts.items()
            else:
                pull(node, g, lambda *part: parts.append(part) or into(*part))
            found.extend((node, x, g, part) for x, part in parts if level(part) >= self.least)

        self._looking(look, run)
        return found

    def _explained(self, what: str, node: Any, at: Any = None, by: str = "", more: Sequence = ()) -> str:
        """What is wrong, the rule, the numbers there, and where it was recorded."""
        operation = node.operation
        at = at if is_elementwise(operation) else None
        rule, *derivatives = operation.__doc__.split("\n")
        rules = [d.strip() for d in derivatives if by and d.strip().startswith(f"d/d{by}:")] or [rule]
        given = [described(name, x, at) for name, x in (*more, *zip(operation.names, node.args))]
        return "\n    ".join([what, *rules, *given, f"recorded at {self._site(node)}", *self._causes(node)])

    def _causes(self, node: Any) -> list[str]:
        """Which operations made what is not finite among all that another one was given."""
        bad = [x for x in node.args if isinstance(x, Node) and x.operation is not None and level(x.data)]
        causes = {cause.when: (cause, at) for cause, at in map(origin, bad)}
        return [
            f"from {cause.operation.name}, whose value {fault(cause.data, at)}, recorded at {self._site(cause)}"
            for cause, at in causes.values()
        ]

    def _site(self, node: Any) -> str:
        known = node if isinstance(node, Known) else self.known.get(node.when)
        return described_site(None, "") if known is None else described_site(known.site, known.within)


@contextlib.contextmanager
def detect_anomaly(*, nan_only: bool = False) -> Iterator[None]:
    """Raise AnomalyError where a result or a gradient is NaN or infinite, and name the operation that first made it so.

    Looked at are: what a derivative is taken of; the derivative, before backward() adds it to a leaf or a function
    returns it; and a result from which nothing else was computed, when it is dropped or the block ends. Values that are
    masked on the way are allowed, such as a score of -inf under softmax or what where() does not select, and so is what
    has no history, as under no_grad(). With `nan_only` infinity is allowed everywhere. The error is also raised if
    numbers that a derivative reads were changed after their use: an array, the `.data` of a node, an index.

    The error shows the operation's rule, its operands, and the line of the user's program. A context manager, and a
    decorator, for this thread or task; of nested ones the inner one decides. Jitted functions and TrainSteps run
    uncompiled inside, and checkpoints keep everything. It is slow: see docs/numerics.md.
    """
    outer = inspection.inspector
    inspector = Inspector(2 if nan_only else 1, outer.known if outer is not None else {})
    try:
        inspection.inspector = inspector
        with hooked(inspector.look_at) as since:
            yield
            inspector.results(since)
    finally:
        inspection.inspector, inspector.is_open, inspector.on_drop = outer, False, None
        if outer is None:
            inspector.known.clear()


def _weighed(data: Any, seed: Any) -> Any:
    """What a seed does not weigh by 0."""
    seed = seed.data if isinstance(seed, Node) else seed
    if seed is None or np.shape(seed) != np.shape(data):
        return data
    return np.where(np.equal(seed, 0), 0.0, data)
