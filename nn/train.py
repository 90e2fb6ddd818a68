"""TrainStep: forward, loss, gradients and the optimizer's rule as one compiled program."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.backward import gradients
from autograd.compiler import (
    NATIVE,
    Compiled,
    Drawn,
    Executable,
    Form,
    Program,
    Watch,
    attributes,
    executable,
    leaf,
    lift,
    looks,
    native,
    record,
    uncollected,
    unmixed,
)
from autograd.operation import OPERATIONS

from .arguments import function
from .optim import Optimizer

CHUNK = 10_000  # iterations between two chances to be interrupted
NOTHING: Any = contextlib.nullcontext(())
TAKEN = NATIVE | {np.dtype(np.int64), np.dtype(bool)}  # what a batch may hold
DRAWN = 2**26  # bytes of random numbers that are drawn ahead at most, if it is more than one iteration's


@dataclass
class Update(Form):
    """A compiled update."""

    native: bool  # whether parameters and state are in this machine's order of bytes
    most: int  # iterations at once, so that what is drawn for them takes no more memory than it should


class TrainStep(Compiled):
    """An update of a model, compiled: step(x, y) gives the loss; step.run(xs, ys) updates once per leading entry.

    The result is what loss(model(x), y), backward() and optimizer.step() give, to rounding. The program is compiled
    when shapes of x and y are first seen, and anew when the model, the loss, the optimizer or its schedule were changed
    (a layer, a setting, an array that they hold); a learning rate that is a number is read at each call. Integers (as
    int64) and booleans are given to the model as they are. What it draws by autograd.random is drawn anew for each
    iteration. Parameters, the optimizer's state and generators change all at once at the end of a call (of every 10,000
    iterations of run, fewer where they draw much), so an interruption leaves them consistent. `backend` is as for jit.
    Raises ValueError, which names it, for a parameter that is no array of floats or has a state that does not fit.
    """

    def __init__(self, model: Callable, loss: Callable, optimizer: Optimizer, backend: str = "auto"):
        super().__init__(backend)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"TrainStep(model, loss, optimizer): {optimizer!r} is no optimizer, such as nn.SGD(...)")
        self.model, self.loss = function("TrainStep: the model", model), function("TrainStep: the loss", loss)
        self.optimizer = optimizer

    def __repr__(self) -> str:
        names = (type(part).__name__ for part in (self.model, self.loss, self.optimizer))
        return f"<TrainStep of {', '.join(names)}: {len(self.forms)} programs>"

    def __call__(self, x: np.ndarray, y: np.ndarray) -> float:
        """One update on a batch; the loss before it."""
        xs, ys = _batch("x", x)[None], _batch("y", y)[None]
        return float(self._iterate(xs, ys)[0])

    def run(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each of xs (K, batch, ...) and ys (K, batch, ...); the K losses."""
        xs, ys = _batch("xs", xs), _batch("ys", ys)
        if xs.ndim < 2 or ys.ndim < 1 or len(xs) != len(ys):
            raise ValueError(
                f"TrainStep.run: xs (K, batch, ...) and ys (K, batch, ...) need the same K, "
                f"not shapes {xs.shape} and {ys.shape}"
            )
        losses = [np.empty(0)][len(xs) > 0 :]
        while len(xs):
            losses.append(self._iterate(xs, ys))
            xs, ys = xs[len(losses[-1]) :], ys[len(losses[-1]) :]
        return np.concatenate(losses)

    def _iterate(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each of the first entries, as many as are done at once, and all that has changed taken over."""
        optimizer = self.optimizer
        held: list[Any] = [getattr(p, "data", None) for p in optimizer.parameters]
        for state in optimizer.state:
            held += state
        update = self._update(xs, ys, held)
        arrays = [x.copy() for x in held] if update.native else [native(x.copy()) for x in held]
        steps, rate = np.array(float(optimizer.steps)), [] if optimizer.schedule else [np.array(optimizer.rate(1.0))]
        if len(xs) > update.most:
            xs, ys = xs[: update.most], ys[: update.most]
        with drawn(update.draws, len(xs)) if update.draws else NOTHING as inputs:
            losses = update.run.iterate(len(xs), [xs, ys, *inputs, *arrays, steps, *rate])[0]
        count, width = len(optimizer.parameters), len(optimizer.slots)
        states = [tuple(arrays[i : i + width]) for i in range(count, len(arrays), width or 1)] or [()] * count
        optimizer.adopt(arrays[:count], states, int(steps))
        return losses

    def _update(self, xs: np.ndarray, ys: np.ndarray, held: list) -> Update:
        """The program for these shapes, and for everything else as it is now."""
        key = xs.shape[1:], xs.dtype, ys.shape[1:], ys.dtype
        update = self._last = self.forms.find(key)
        if update is None or not update.fits(held):
            self.optimizer.check()
            settings = vars(self.optimizer).keys() - {"state", "steps", "lr"} | {"schedule"}
            watch = Watch(self.model, self.loss, getters=attributes(self.optimizer, settings))
            with watch.undrawn():
                run, draws = self._compile(xs[0], ys[0], update and update.run)
            size = sum(draw.node.example.nbytes for draw in draws)
            most = min(CHUNK, max(1, DRAWN // size)) if size else CHUNK
            update = Update(run, looks(held), watch.settle(), draws, all(x.dtype.isnative for x in held), most)
            self._last = self.forms.keep(key, update)
        return update

    @uncollected()
    def _compile(self, x: Any, y: Any, known: Executable | None) -> tuple[Executable, Sequence[Drawn]]:
        """Record one update and print it, or take over what is known; all but the loss replaces what it is made of.

        With what is drawn for it.
        """
        optimizer, slots = self.optimizer, self.optimizer.slots
        state = [native(array) for arrays in optimizer.state for array in arrays]
        names = ["x", "y", "step", "lr", *[slot for _ in optimizer.parameters for slot in slots]]
        given = [x, y, np.array(float(optimizer.steps)), np.array(1.0), *state]
        recording = unmixed(record(self._update_on, given, names))
        doubles = dict(zip(recording.outside, recording.inputs[len(names) :]))
        draws = [drawn.node for drawn in recording.draws]
        self._check_outside(recording.outside)
        loss, *after = [o if isinstance(o, Tensor) else leaf(np.asarray(o)) for o in recording.output]
        xs, ys, step, lr, *arrays = recording.inputs[: len(names)]
        inputs = [*(doubles[p] for p in optimizer.parameters), *arrays, step]
        carried = {1 + i: 2 + len(draws) + i for i in range(len(inputs))}
        inputs += [] if optimizer.schedule else [lr]
        moves = [True] * (2 + len(draws)) + [False] * len(inputs)
        program = Program([xs, ys, *draws, *inputs], [loss, *after])
        return executable(program, "train_step", self.wanted, moves, carried, known), recording.draws

    def _update_on(self, x: Tensor, y: Tensor, step: Tensor, lr: Tensor, *arrays: Tensor) -> list:
        """One update on nodes: the loss, then what becomes of parameters, state and the count of steps."""
        optimizer, count = self.optimizer, len(self.optimizer.slots)
        states = [arrays[i * count : (i + 1) * count] for i in range(len(optimizer.parameters))]
        loss = self.loss(self.model(x), y)
        before = [lift(p) for p in optimizer.parameters]
        return [loss, *self._updated(before, gradients(loss, before, create_graph=True), states, step, lr)]

    def _updated(self, parameters: list, gradients: list, states: list[tuple], step: Any, number: Any) -> list:
        """What the optimizer makes of parameters, of their states, and of the count of steps, as nodes."""
        following, schedule = step + 1.0, self.optimizer.schedule
        rate = schedule(following) if schedule else number
        changed, fresh = [], []
        for parameter, gradient, state in zip(parameters, gradients, states):
            lr = OPERATIONS["cast"](rate, parameter.dtype) if isinstance(rate, Tensor) else rate
            value, after = self.optimizer.rule(parameter, gradient, state, lr, following)
            # the count of steps is an array here and may widen float32, as a Python number does not
            changed.append(OPERATIONS["cast"](value, parameter.dtype))
            fresh += [OPERATIONS["cast"](a, before.dtype) for a, before in zip(after, state)]
        return [*changed, *fresh, following]

    def _check_outside(self, leaves: list) -> None:
        for node in leaves:
            if not any(node is p for p in self.optimizer.parameters):
                raise TypeError(
                    f"TrainStep: the model or the loss uses {node!r}, which is no parameter of the optimizer: "
                    "give the optimizer all parameters of the model, and keep constants as arrays"
                )


@contextlib.contextmanager
def drawn(draws: Sequence[Drawn], count: int) -> Iterator[list[np.ndarray]]:
    """What is drawn for so many iterations, one after the other; where these fail, it was not drawn."""
    before = [(draw.generator.bit_generator, draw.generator.bit_generator.state) for draw in draws]
    examples = [draw.node.example for draw in draws]
    arrays = [np.empty((count, *x.shape), x.dtype) for x in examples]
    try:
        for k in range(count):
            for array, draw in zip(arrays, draws):
                array[k] = draw.again()
        yield arrays
    except BaseException:
        for generator, state in before:
            generator.state = state
        raise


def _batch(name: str, x: Any) -> np.ndarray:
    """A batch as the program takes it: in this machine's order of bytes, one number after the other."""
    if x.__class__ is np.ndarray and x.dtype in TAKEN and x.flags.c_contiguous:
        return x
    try:
        array = native(x, "fiub")
        return np.asarray(array, np.int64 if array.dtype.kind in "iu" else None, order="C")
    except (TypeError, ValueError) as error:
        raise type(error)(f"TrainStep: {name}: {error}") from None
