"""TrainStep: forward, loss, gradients and the optimizer's rule as one compiled program."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.backward import gradients
from autograd.calling import pair
from autograd.compiler import (
    Compiled,
    Executable,
    Form,
    Program,
    Recording,
    Watch,
    attributes,
    executable,
    leaf,
    lift,
    looks,
    native,
    record,
    take_back,
    uncollected,
    unmixed,
)
from autograd.graph import history
from autograd.operation import OPERATIONS
from autograd.recording import inspection
from autograd.tree import flatten, map_tree, unflatten

from .arguments import between, function, positive
from .clipping import by_norm, by_value
from .feeding import arrays, drawn, part, shapes
from .optim import Optimizer
from .uncompiled import uncompiled

CHUNK = 10_000  # iterations between two chances to be interrupted
NOTHING: Any = contextlib.nullcontext(())
UNWATCHED = {"state", "steps", "lr", "groups", "_owners"}  # of an optimizer: all else is a setting
Buffers = list[tuple[Any, str]]  # their owners and names
DRAWN = 2**26  # bytes of random numbers that are drawn ahead at most, if it is more than one iteration's


class Parts(NamedTuple):
    """What an update is computed from besides the parameters: arrays, and in a trace nodes."""

    xs: list
    ys: list
    step: Any
    rates: list  # of the optimizer and its groups
    states: list[list]
    buffers: list
    totals: list  # of the gradients of a batch's parts so far, where it is cut


@dataclass
class Update(Form):
    """A compiled update."""

    native: bool  # whether what it changes is in this machine's order of bytes
    most: int  # updates at once, so that what is drawn for them takes no more memory than it should
    buffers: Buffers  # that forward assigns anew
    frozen: list[Any]  # Tensors that are read and not changed
    extras: Any  # the structure of what the loss returns besides its number


class TrainStep(Compiled):
    """An update of a model, compiled: step(x, y) gives the loss; step.run(xs, ys) updates once per leading entry.

    The result is what loss(model(x), y), backward() and optimizer.step() give, to rounding; for tuples x and y it is of
    loss(model(*x), *y). The program is compiled when shapes of x and y are first seen, and anew when the model, the
    loss, the optimizer or its schedule were changed (a layer, a setting, an array that they hold); a learning rate that
    is a number is read at each call, and so are Tensors that the optimizer was not given, which do not change. Integers
    (as int64) and booleans are given to the model as they are. What it draws by autograd.random is drawn anew for each
    iteration. Parameters, the optimizer's state, buffers that forward assigns anew, and generators change all at once
    at the end of a call (of every 10,000 iterations of run, fewer where they draw much), so an interruption leaves them
    consistent. `backend` is as for jit; inside detect_anomaly the update runs uncompiled.

    With `has_aux` the loss returns (loss, extras), and so do step and, stacked, run: arrays, and lists, tuples and
    dicts of them. Gradients are clipped element by element to `clip_value`, then all together to `clip_norm`. A batch
    is cut into `accumulate` equal parts, which follow each other in the memory of one; losses and gradients are
    averaged, and extras have an entry for each. Raises ValueError for a batch that is empty or cannot be cut so, and
    for a parameter, which it names, that is no array of floats or has a state that does not fit.
    """

    def __init__(
        self,
        model: Callable,
        loss: Callable,
        optimizer: Optimizer,
        backend: str = "auto",
        has_aux: bool = False,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
    ):
        super().__init__(backend)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"TrainStep(model, loss, optimizer): {optimizer!r} is no optimizer, such as nn.SGD(...)")
        self.model, self.loss = function("TrainStep: the model", model), function("TrainStep: the loss", loss)
        self.optimizer, self.has_aux, self.accumulate = optimizer, has_aux, positive("accumulate", accumulate)
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self._extras: Any = ()  # the structure of what the last loss returned besides its number
        for name, most in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if most is not None:
                between(name, most, open_low=True)

    def __repr__(self) -> str:
        names = (type(part).__name__ for part in (self.model, self.loss, self.optimizer))
        return f"<TrainStep of {', '.join(names)}: {len(self.forms)} programs>"

    def __call__(self, x: Any, y: Any) -> Any:
        """One update on a batch; the loss before it."""
        xs, ys = arrays("x", x), arrays("y", y)
        losses, *extras = self._iterate([x[None] for x in xs + ys], len(xs))
        return (float(losses[0]), self._in_structure([x[0] for x in extras])) if self.has_aux else float(losses[0])

    def run(self, xs: Any, ys: Any) -> Any:
        """An update for each of xs (K, batch, ...) and ys (K, batch, ...); the K losses."""
        xs, ys = arrays("xs", xs), arrays("ys", ys)
        rest, found, lengths = xs + ys, list[list[np.ndarray]](), {x.shape[:1] for x in xs + ys}
        if len(lengths) != 1 or () in lengths or any(x.ndim < 2 for x in xs):
            raise ValueError(
                "TrainStep.run: xs (K, batch, ...) and ys (K, batch, ...) need the same K, "
                f"not shapes {shapes(xs)} and {shapes(ys)}"
            )
        while len(rest[0]):
            found.append(self._iterate(rest, len(xs)))
            rest = [x[len(found[-1][0]) :] for x in rest]
        losses, *extras = map(np.concatenate, zip(*found)) if found else [np.empty(0)]
        return (losses, self._in_structure(extras) if found else None) if self.has_aux else losses

    def _in_structure(self, extras: list) -> Any:
        return unflatten(self._extras, extras)

    def _iterate(self, batches: list[np.ndarray], inputs: int) -> list[np.ndarray]:
        """Updates by the first entries, as many as are done at once; all that has changed is taken over."""
        if inspection.inspector:
            found, self._extras = uncompiled(self, [x[0] for x in batches], inputs)
            return found
        optimizer, n = self.optimizer, self.accumulate
        update, held = self._update(batches, inputs)
        end = len(held) - len(update.frozen)
        changed = [x.copy() for x in held[:end]] if update.native else [native(x.copy()) for x in held[:end]]
        totals = [np.zeros_like(x) for x in changed[: len(optimizer.parameters)]] if n > 1 else []
        rates = [np.array(each.rate(1.0)) for each in (optimizer, *optimizer.groups) if not each.schedule]
        steps = np.array(float(optimizer.steps * n))
        if len(batches[0]) > update.most:
            batches = [x[: update.most] for x in batches]
        if n > 1:
            batches = [x.reshape(-1, x.shape[1] // n, *x.shape[2:]) for x in batches]
        with drawn(update.draws, len(batches[0])) if update.draws else NOTHING as draws:
            read = [*batches, *draws, *changed, *totals, steps, *rates, *held[end:]]
            outputs = update.run.iterate(len(batches[0]), read)
        if n > 1:
            losses, *extras = [x.reshape(-1, n, *x.shape[1:]) for x in outputs]
            outputs = [losses.mean(1), *extras]
        following = iter(changed)
        data = [*islice(following, len(optimizer.parameters))]
        states = [state and tuple(islice(following, len(state))) for state in optimizer.state]
        optimizer.adopt([*data, *following], states, int(steps) // n, *zip(*update.buffers))
        return outputs

    def _update(self, batches: list[np.ndarray], inputs: int) -> tuple[Update, list]:
        """The program for these shapes, and for everything else as it is now; what it reads besides batches."""
        key = inputs, *[(x.shape[1:], x.dtype) for x in batches]
        update: Any = self.find(key)
        held = self._held(update.buffers, update.frozen) if update else []
        if update is None or not update.fits(held):
            update = self.forms.keep(key, self._compile([x[0] for x in batches], inputs, update and update.run))
            held = self._held(update.buffers, update.frozen)
        self._last, self._extras = update, update.extras
        return update, held

    def _held(self, buffers: Buffers, frozen: list[Any]) -> list:
        """The arrays that an update reads, as they are now: parameters, states and buffers, and what is frozen."""
        held = [getattr(p, "data", None) for p in self.optimizer.parameters]
        for state in self.optimizer.state:
            held += state
        for buffer in buffers:
            held.append(np.asarray(getattr(*buffer)))
        for node in frozen:
            held.append(np.asarray(node.data))
        return held

    @uncollected()
    def _compile(self, batch: list[np.ndarray], inputs: int, known: Executable | None) -> Update:
        """Record one update and print it, or take over what is known; what is carried replaces what it was made of."""
        optimizer, n = self.optimizer, self.accumulate
        optimizer.check()
        if any(0 in x.shape for x in batch):
            raise ValueError(f"TrainStep: the batch is empty, of shapes {shapes(batch)}")
        if n > 1:
            batch = [part(x, n) for x in batch]
        recording, given, watch, buffers = self._recorded(batch[:inputs], batch[inputs:], [])
        parts = unflatten(given, recording.inputs)
        frozen = dict(zip(recording.outside, recording.inputs[len(flatten(given)) :]))
        parameters = [frozen.pop(p) for p in optimizer.parameters]
        rates = [x for each, x in zip((optimizer, *optimizer.groups), parts.rates) if not each.schedule]
        moving = [*parts.xs, *parts.ys, *(draw.node for draw in recording.draws)]
        carried = flatten([parameters, parts.states, parts.buffers, parts.totals, parts.step])
        loss, extras, after, _ = recording.output
        outputs = [o if isinstance(o, Tensor) else leaf(native(o, "fiub")) for o in flatten([loss, extras, after])]
        program = Program([*moving, *carried, *rates, *frozen.values()], outputs)
        moves = [i < len(moving) for i in range(len(program.inputs))]
        places = {len(outputs) - len(carried) + i: len(moving) + i for i in range(len(carried))}
        run = executable(program, "train_step", self.wanted, moves, places, known)
        held = self._held(buffers, [*frozen])
        most = min(CHUNK, DRAWN // (sum(draw.node.example.nbytes for draw in recording.draws) or 1))
        ours = all(x.dtype.isnative for x in held), max(most // n, 1), buffers, [*frozen]
        return Update(run, looks(held), watch.settle(), recording.draws, *ours, map_tree(lambda _: None, extras))

    def _recorded(self, xs: list, ys: list, buffers: Buffers) -> tuple[Recording, Parts, Watch, Buffers]:
        """One update on nodes, what these stand for, what else it depends on, and the buffers among them.

        A buffer is an array until it turns out that forward assigns to it; then it is a node, in another recording.
        """
        optimizer = self.optimizer
        everyone = optimizer, *optimizer.groups
        getters = [attributes(each, vars(each).keys() - UNWATCHED | {"schedule"}) for each in everyone]
        watch = Watch(self.model, self.loss, getters=flatten(getters), but=buffers)
        states = [[native(x) for x in state] for state in optimizer.state]
        totals = [native(p.data) for p in optimizer.parameters] if self.accumulate > 1 else []
        kept, number = [native(getattr(*buffer)) for buffer in buffers], 1.0
        given = Parts(xs, ys, number, [number] * len(everyone), states, kept, totals)
        slots, names = [optimizer.group(p).slots for p in optimizer.parameters], [name for _, name in buffers]
        names = ["x"] * len(xs) + ["y"] * len(ys) + ["step"] + ["lr"] * len(everyone) + flatten(slots) + names
        names += ["total"] * len(totals)
        with watch.undrawn():
            found = record(lambda *nodes: self._update_on(unflatten(given, nodes), buffers), flatten(given), names)
        assigned = found.output[-1]
        return (unmixed(found), given, watch, buffers) if assigned == buffers else self._recorded(xs, ys, assigned)

    def _update_on(self, parts: Parts, buffers: Buffers) -> tuple[Any, Any, list, Buffers]:
        """One update on nodes: the loss, its extras, what becomes of all that changes, and the buffers among that."""
        for (owner, name), node in zip(buffers, parts.buffers):
            setattr(owner, name, node)
        loss, extras = self.loss(self.model(*parts.xs), *parts.ys), ()
        if self.has_aux:
            loss, extras = pair(loss)
        before, n, where = [lift(p) for p in self.optimizer.parameters], self.accumulate, OPERATIONS["where"]
        totals, step, assigned = gradients(loss, before, create_graph=True), parts.step + 1.0, take_back()
        if n > 1:
            totals = [total + g / n for total, g in zip(parts.totals, totals)]
        after = self._updated(before, totals, parts, step / n if n > 1 else step, {*history(loss)})
        if n > 1:  # it is the last part of a batch that updates, and the next one begins anew
            last, pairs = step % n == 0.0, zip(flatten(after), flatten([before, parts.states]))
            after, totals = [where(last, new, old) for new, old in pairs], [where(last, 0.0, x) for x in totals]
        after = [after, [_fitting(*each) for each in assigned], totals if n > 1 else [], step]
        return loss, extras, after, [(owner, name) for owner, name, _ in assigned]

    def _updated(self, parameters: list, gradient: list, parts: Parts, step: Any, used: set) -> list:
        """What the optimizer makes of parameters that the loss has used, and of their states, as nodes."""
        if self.clip_value is not None:
            gradient = by_value(gradient, self.clip_value)
        if self.clip_norm is not None:
            _, gradient = by_norm(gradient, self.clip_norm)
        optimizer, cast, changed = self.optimizer, OPERATIONS["cast"], list[Any]()
        everyone = zip((optimizer, *optimizer.groups), parts.rates)
        rates = {each: each.schedule(step) if each.schedule else rate for each, rate in everyone}
        for owner, x, g, state in zip(map(optimizer.group, optimizer.parameters), parameters, gradient, parts.states):
            if x not in used:
                changed.append((x, state))
                continue
            value, after = owner.rule(x, g, tuple(state), rates[owner], step)
            changed.append((cast(value, x.dtype), [cast(new, old.dtype) for new, old in zip(after, state)]))
        return [[x for x, _ in changed], [state for _, state in changed]]


def _fitting(owner: Any, name: str, x: Any) -> Any:
    """What was assigned to a buffer, of its dtype."""
    before = native(getattr(owner, name))
    if x.shape != before.shape:
        raise ValueError(f"{type(owner).__name__}.{name} has shape {before.shape} and was assigned one of {x.shape}")
    return OPERATIONS["cast"](x, before.dtype)
