"""TrainStep: forward, loss, gradients and the optimizer's rule as one compiled program."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from itertools import islice, repeat
from operator import attrgetter
from typing import Any

import numpy as np

from autograd import Tensor, Value, compiler
from autograd.recording import hooks, inspection
from autograd.tree import flatten, map_tree, unflatten

from .feeding import arrays, drawn, in_parts, shapes
from .module import Module, buffers_stay, set_together, settle_buffers
from .optim import Optimizer
from .updating import Buffers, Update

CHUNK = 10_000  # iterations between two chances to be interrupted
UNWATCHED = {"state", "steps", "lr", "groups"}  # of an optimizer: all else is a setting
DRAWN = 2**26  # bytes of random numbers that are drawn ahead at most, if it is more than one iteration's


@dataclass
class UpdateForm(compiler.Form):
    """What the update was compiled to for one form of batches, and what that reads and changes."""

    most: int  # iterations at once, so that what is drawn for them takes no more memory than it should
    buffers: Buffers  # that forward assigns anew
    rates: dict[Optimizer, Value]  # where learning rates stand that are numbers
    frozen: list[Any]  # Tensors that are read and not changed, and Values, the rates among them
    extras: Any  # the structure of what the loss returns besides its number
    native: bool = True  # whether all that it reads is in this machine's order of bytes

    def __post_init__(self) -> None:
        self.twins = {draw.generator: copy.deepcopy(draw.generator) for draw in self.draws}


def _setting(name: str) -> Any:
    """One of a TrainStep's; where it is assigned to, what was compiled before is forgotten."""

    def assign(step: "TrainStep", x: Any) -> None:
        step.update = replace(step.update, **{name: x})
        step.clear()

    return property(attrgetter(f"update.{name}"), assign)


class TrainStep(compiler.Compiled):
    """A compiled update of a model: step(x, y) returns the loss; step.run(xs, ys) makes one update per leading entry.

    It does what loss(model(x), y), backward() and optimizer.step() do, to rounding. If x and y are tuples, the loss is
    loss(model(*x), *y); without y it is loss(model(x)). Integers (as int64) and booleans are given to the model as they
    are. What the model draws by autograd.random is drawn anew for each update.

    The program is compiled for each new shape of x and y, and again when the model, the loss, the optimizer or its
    schedule has changed (a layer, a setting, an array) or is replaced, as by step.loss = nn.L1(). A learning rate that
    is a number is read at each call, and so are Tensors that the optimizer was not given, which stay as they are.
    `backend` is as for jit; inside detect_anomaly the update runs uncompiled. Parameters, the optimizer's state,
    buffers that forward assigns, and generators change all at once at the end of a call (of at most 10,000 updates of
    run), so an interruption leaves them consistent.

    With `has_aux` the loss returns (loss, extras), and so do step and, stacked, run: arrays, and lists, tuples and
    dicts of them. Gradients are clipped element by element to `clip_value`, then by their common norm to `clip_norm`. A
    batch is cut into `accumulate` equal parts, computed one after another to save memory; losses and gradients are
    averaged, and extras have an entry for each part. Raises ValueError for a batch that is empty or cannot be cut, and
    for a parameter that is no array of floats or has a state that does not fit.

    With backend="jax", `devices` (a number or a jax.sharding.Mesh) share each batch, split along the mesh's `axis`.
    Parameters and states are copied to each; those of at least `shard_above` elements are split as well. See
    docs/beyond.md. Raises ValueError for too many devices, a mesh without the axis, a batch that cannot be divided.
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
        devices: Any = None,
        axis: str = "batch",
        shard_above: float = math.inf,
    ):
        super().__init__(backend)
        if devices is not None and backend != "jax":
            raise ValueError(f'TrainStep: devices={devices!r} need backend="jax", not {backend!r}')
        self._spread = None if devices is None else compiler.spread(devices, axis, shard_above)
        self.update = Update(model, loss, optimizer, has_aux, clip_norm, clip_value, accumulate)
        self._extras: Any = ()  # the structure of what the last loss returned besides its number

    model, loss, optimizer, has_aux, clip_norm, clip_value, accumulate = map(_setting, [x.name for x in fields(Update)])

    def __repr__(self) -> str:
        names = (type(part).__name__ for part in (self.model, self.loss, self.optimizer))
        return f"<TrainStep of {', '.join(names)}: {len(self.forms)} programs>"

    def __call__(self, x: Any, y: Any = ()) -> Any:
        """One update on a batch; the loss before it."""
        xs, ys = arrays("x", x), arrays("y", y)
        outputs = self._iterate([x[None] for x in xs + ys], len(xs))
        if not self.has_aux:
            return outputs[0].item()
        loss, *extras = [x[0] for x in outputs]
        return float(loss), unflatten(self._extras, extras)

    def run(self, xs: Any, ys: Any = ()) -> Any:
        """An update for each of xs (K, batch, ...) and ys (K, batch, ...); the K losses."""
        xs, ys = arrays("xs", xs), arrays("ys", ys)
        rest, found, lengths = xs + ys, list[list[np.ndarray]](), {x.shape[:1] for x in xs + ys}
        if len(lengths) != 1 or () in lengths or all(x.ndim < 2 for x in xs):
            raise ValueError(
                "TrainStep.run: xs (K, batch, ...) and ys (K, batch, ...) need the same K, "
                f"not shapes {shapes(xs)} and {shapes(ys)}"
            )
        while len(rest[0]):
            found.append(self._iterate(rest, len(xs)))
            rest = [x[len(found[-1][0]) :] for x in rest]
        losses, *extras = map(np.concatenate, zip(*found)) if found else [np.empty(0)]
        return (losses, unflatten(self._extras, extras) if found else None) if self.has_aux else losses

    def _iterate(self, batches: list[np.ndarray], inputs: int) -> list[np.ndarray]:
        """Updates by the first entries; the losses of those that were done, and what there is besides."""
        n = self.accumulate
        if not batches:
            raise TypeError("TrainStep: an update is of one array or more, and was given none")
        batches = [in_parts(x, n) for x in batches] if n > 1 else batches
        outputs = (self._one_uncompiled if hooks and inspection.inspector else self._many_compiled)(batches, inputs)
        if n == 1:
            return outputs
        losses, *extras = [x.reshape(-1, n, *x.shape[1:]) for x in outputs]
        return [losses.mean(1), *extras]

    def _many_compiled(self, batches: list[np.ndarray], inputs: int) -> list[np.ndarray]:
        """Updates by the program, as many as it does at once; all that has changed is taken over."""
        optimizer, n = self.optimizer, self.accumulate
        form, held = self._form(batches, inputs)
        end = len(held) - len(form.frozen)
        changed = [x.copy() for x in held[:end]] if form.native else [compiler.native(x.copy()) for x in held[:end]]
        totals = [np.zeros_like(x) for x in changed[: len(optimizer.parameters)]] if n > 1 else ()
        steps = np.array(float(optimizer.steps * n))
        if len(batches[0]) > form.most:
            batches = [x[: form.most] for x in batches]
        draws, ends = drawn(form.draws, form.twins, len(batches[0])) if form.draws else ((), [])
        outputs = form.run.iterate(len(batches[0]), [*batches, *draws, *changed, *totals, steps, *held[end:]])
        count = len(optimizer.parameters)
        following = iter(changed[count:])
        states = [state and tuple(islice(following, len(state))) for state in optimizer.state]
        new: Any = [*changed[:count], *following], states, optimizer.steps + len(outputs[0]) // n, *zip(*form.buffers)
        optimizer.adopt(*new) if not ends else self._adopt(form.twins, ends, new)
        return outputs

    def _one_uncompiled(self, batches: list[np.ndarray], inputs: int) -> list[np.ndarray]:
        """The first update by operations one at a time, at which detect_anomaly looks."""
        optimizer, n, found = self.optimizer, self.accumulate, list[list]()
        rates = {each: each.rate(1.0) for each in (optimizer, *optimizer.groups) if not each.schedule}
        carried = [*self.update.carried([])[:-1], Value(float(optimizer.steps * n))]
        modules = [x for x in (self.model, self.loss) if isinstance(x, Module)]
        places = [place for module in modules for place in module._all_places() if isinstance(place.held, np.ndarray)]
        for part in zip(*(x[:n] for x in batches)):
            nodes = tuple(Tensor(x) if x.dtype.kind == "f" else x for x in part)
            loss, extras, (after, _, *carried[3:]), _ = self.update(nodes, inputs, carried, rates, [])
            found.append([np.asarray(getattr(x, "data", x)) for x in flatten([loss, extras])])
            for _, owner, name, before in places:
                if isinstance(owner, Module) and isinstance(now := getattr(owner, name, None), Tensor):
                    setattr(owner, name, np.asarray(now.data, before.dtype))
        self._extras = map_tree(lambda _: None, extras)
        arrays, states = unflatten(
            [[*optimizer.parameters], optimizer.state], [np.asarray(x.data) for x in flatten(after)]
        )
        optimizer.adopt(arrays, states, optimizer.steps + 1)
        return [np.stack(parts) for parts in zip(*found)]

    def _adopt(self, generators: Iterable, ends: list, new: Any) -> None:
        """Take over all that is new, generators included, each of which may be interrupted while it is set."""
        bits = [generator.bit_generator for generator in generators]
        starts = [each.state for each in bits]
        try:
            set_together(bits, repeat("state"), ends)
            self.optimizer.adopt(*new)
        except BaseException:
            if self.optimizer.state is not new[1]:
                set_together(bits, repeat("state"), starts)
            raise

    def _form(self, batches: list[np.ndarray], inputs: int) -> tuple[UpdateForm, list]:
        """The program for these shapes, and for everything else as it is now; what it reads besides batches."""
        key = inputs, *[(x.shape[1:], x.dtype) for x in batches]
        form: Any = self.find(key)
        held = self._held(form) if form else []
        if form is None or not form.fits(held):
            form = self._compile([x[0] for x in batches], inputs, form and form.run)
            held = self._held(self.forms.keep(key, form))
            form.looks, form.native = compiler.looks(held), all(x.dtype.isnative for x in held)
        self._last, self._extras = form, form.extras
        return form, held

    def _held(self, form: UpdateForm) -> list:
        """The arrays that an update reads, as they are now: parameters, states, buffers, and what is frozen."""
        held = [getattr(p, "number", None) for p in self.optimizer.parameters]
        for state in self.optimizer.state:
            held += state
        for buffer in form.buffers:
            now = getattr(*buffer)  # a node, where forward has run by itself meanwhile
            held.append(np.asarray(getattr(now, "number", now)))
        for owner, rate in form.rates.items():
            rate.number = owner.rate(1.0)
        for node in form.frozen:
            held.append(np.asarray(node.number))
        return held

    @compiler.uncollected
    def _compile(self, batch: list[np.ndarray], inputs: int, known: compiler.Executable | None) -> UpdateForm:
        """Record one update and print it, or take over what is known; what is carried replaces what it was made of."""
        self.optimizer.check()
        settle_buffers((self.model, self.loss))
        if any(0 in x.shape for x in batch):
            raise ValueError(f"TrainStep: the batch is empty, of shapes {shapes(batch)}")
        everyone = self.optimizer, *self.optimizer.groups
        rates = {each: Value(each.rate(1.0), "lr") for each in everyone if not each.schedule}
        recording, carried, watch, buffers = self._recorded(batch, inputs, rates, [])
        frozen = dict(zip(recording.outside, recording.inputs[len(batch) :]))
        carry = [frozen.pop(x) for x in flatten(carried)]
        moving, draws = [*recording.inputs[: len(batch)], *(draw.node for draw in recording.draws)], recording.draws
        loss, extras, after, _ = recording.output
        results = flatten([loss, extras, after])
        results = [x if isinstance(x, Tensor) else compiler.leaf(compiler.native(x)) for x in results]
        for name, old, new in zip(self.update.names(*carried), carry, results[-len(carry) :], strict=True):
            old.name = new.name = name
        program = compiler.Program([*moving, *carry, *frozen.values()], results)
        moves = [i < len(moving) for i in range(len(program.inputs))]
        places = {len(results) - len(carry) + i: len(moving) + i for i in range(len(carry))}
        run = compiler.executable(program, "train_step", self.wanted, moves, places, known, self._spread)
        most = min(CHUNK, DRAWN // (sum(draw.node.example.nbytes for draw in draws) or 1)) // self.accumulate
        most, extras = max(most, 1) * self.accumulate, map_tree(lambda _: None, extras)
        return UpdateForm(run, [], watch.settle(), draws, most, buffers, rates, [*frozen], extras)

    def _recorded(self, batch: list, inputs: int, rates: dict, buffers: Buffers) -> tuple[Any, list, Any, Buffers]:
        """One update on nodes, the leaves that it changes, what else it depends on, and the buffers among the leaves.

        A buffer is an array until it turns out that forward assigns to it; then it is a leaf, in another recording.
        """
        everyone, names = (self.optimizer, *self.optimizer.groups), ["x"] * inputs + ["y"] * (len(batch) - inputs)
        getters = [compiler.attributes(each, vars(each).keys() - UNWATCHED | {"schedule"}) for each in everyone]
        watch = compiler.Watch(self.model, self.loss, getters=flatten(getters), but=buffers)
        carried = self.update.carried(buffers)
        lift = lambda tree: map_tree(compiler.lift, tree)
        update = lambda *nodes: self.update(nodes, inputs, lift(carried), lift(rates), buffers)
        with watch.undrawn(), buffers_stay((self.model, self.loss)):
            found = compiler.record(update, batch, names)
        if found.output[-1] != buffers:
            return self._recorded(batch, inputs, rates, found.output[-1])
        return compiler.unmixed(found), carried, watch, buffers
