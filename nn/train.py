"""TrainStep: forward, loss, gradients and the optimizer's rule as one compiled program."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.arguments import numeric
from autograd.backward import gradients
from autograd.compiler.calls import FORMS, Bounded, looks, printed
from autograd.compiler.program import Program
from autograd.compiler.tracing import leaf, lift, tracing
from autograd.compiler.watching import Watch, attributes
from autograd.operation import OPERATIONS

from .optim import Optimizer

CHUNK = 10_000  # iterations between two chances to be interrupted
NATIVE = {np.dtype(name) for name in ("f2", "f4", "f8")}


@dataclass
class Update:
    """A compiled update, and what it was compiled for."""

    run: Any  # a printed program
    why: str  # why this printer
    looks: list  # what it depends on in the parameters and the optimizer's arrays
    native: bool  # whether these are in this machine's order of bytes
    watch: Watch  # the model, the loss and the optimizer's settings


class TrainStep:
    """An update of a model, compiled: step(x, y) gives the loss; step.run(xs, ys) updates once per leading entry.

    The result is what loss(model(x), y), backward() and optimizer.step() give, to rounding. The program is compiled
    when shapes of x and y are first seen, and anew when the model, the loss, the optimizer or its schedule were changed
    (a layer, a setting, an array that they hold). Parameters and the optimizer's state change all at once at the end of
    a call (of every 10,000 iterations of run), so an interruption leaves them consistent. `backend` is as for jit.
    Raises ValueError, which names it, for a parameter that is no array of floats or has a state that does not fit.
    """

    def __init__(self, model: Callable, loss: Callable, optimizer: Optimizer, backend: str = "auto"):
        self.model, self.loss, self.optimizer, self.wanted = model, loss, optimizer, backend
        self.programs = Bounded(FORMS)
        self._last: Update | None = None

    def __call__(self, x: np.ndarray, y: np.ndarray) -> float:
        """One update on a batch; the loss before it."""
        xs, ys = _floats("x", x)[None], _floats("y", y)[None]
        return float(self._iterate(xs, ys)[0])

    def run(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each of xs (K, batch, ...) and ys (K, batch, ...); the K losses."""
        xs, ys = _floats("xs", xs), _floats("ys", ys)
        if xs.ndim < 2 or ys.ndim < 1 or len(xs) != len(ys):
            raise ValueError(
                f"TrainStep.run: xs (K, batch, ...) and ys (K, batch, ...) need the same K, "
                f"not shapes {xs.shape} and {ys.shape}"
            )
        parts = [slice(i, i + CHUNK) for i in range(0, len(xs), CHUNK)]
        return np.concatenate([self._iterate(xs[part], ys[part]) for part in parts]) if parts else np.empty(0)

    @property
    def source(self) -> str:
        """The last program as text."""
        return self._printed().source

    @property
    def program(self) -> Program:
        """The last program; its repr tells its size and cost."""
        return self._printed().program

    @property
    def backend(self) -> str:
        """What runs the last program, and why."""
        return f"{self._printed().backend} ({self._last.why})"

    def _printed(self) -> Any:
        if self._last is None:
            raise RuntimeError("this TrainStep has not been called yet: what is compiled depends on the shapes")
        return self._last.run

    def _iterate(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each entry, and then all that has changed taken over."""
        optimizer = self.optimizer
        held = [getattr(p, "data", None) for p in optimizer.parameters]
        held += [array for state in optimizer.state for array in state]
        update = self._update(xs, ys, looks(held))
        arrays = [x.copy() for x in held] if update.native else [x.astype(x.dtype.newbyteorder("=")) for x in held]
        steps = np.array(float(optimizer.steps))
        losses = update.run.iterate(len(xs), [xs, ys, *arrays, steps])[0]
        count = len(optimizer.parameters)
        rest = iter(arrays[count:])
        optimizer.adopt(arrays[:count], [tuple([next(rest) for _ in s]) for s in optimizer.state], int(steps))
        return losses

    def _update(self, xs: np.ndarray, ys: np.ndarray, held: list) -> Update:
        """The program for these shapes, and for everything else as it is now."""
        key = xs.shape[1:], xs.dtype, ys.shape[1:], ys.dtype
        update = self._last = self.programs.find(key)
        if update is None or update.looks != held or update.watch.changed():
            self.optimizer.check()
            run, why = self._compile(xs[0], ys[0], update and update.run)
            native = all(dtype.isnative for _, _, dtype in held)
            settings = vars(self.optimizer).keys() - {"state", "steps"}
            watch = Watch(self.model, self.loss, getters=attributes(self.optimizer, settings))
            update = self._last = self.programs.keep(key, Update(run, why, held, native, watch))
        return update

    def _compile(self, x: np.ndarray, y: np.ndarray, known: Any) -> tuple[Any, str]:
        """Record one update and print it, or take over what is known; outputs after the loss replace inputs after x and y."""
        optimizer = self.optimizer
        with tracing() as trace:
            x, y, step = leaf(x, "x"), leaf(y, "y"), leaf(np.array(float(optimizer.steps)), "step")
            states = [tuple(map(_leaf, state, optimizer.slots)) for state in optimizer.state]
            loss = self.loss(self.model(x), y)
            before = [lift(p) for p in optimizer.parameters]
            after = self._updated(before, gradients(loss, before, create_graph=True), states, step)
            outside = [node for node in trace.outside if node.operation is None]
        self._check_outside(outside)
        inputs = [*before, *(a for state in states for a in state), step]
        outputs = [o if isinstance(o, Tensor) else leaf(np.asarray(o)) for o in (loss, *after)]
        carried = {1 + i: 2 + i for i in range(len(inputs))}
        moves = [True, True] + [False] * len(inputs)
        return printed(Program([x, y, *inputs], outputs), "train_step", self.wanted, moves, carried, known)

    def _updated(self, parameters: list, gradients: list, states: list[tuple], step: Any) -> list:
        """What the optimizer makes of parameters, of their states, and of the count of steps, as nodes."""
        following = step + 1.0
        lr = self.optimizer.lr(following)
        changed, fresh = [], []
        for parameter, gradient, state in zip(parameters, gradients, states):
            value, after = self.optimizer.rule(parameter, gradient, state, lr, following)
            # the learning rate is an array here and would widen float32, as a Python number does not
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


def _leaf(array: np.ndarray, name: str) -> Tensor:
    return leaf(array.astype(array.dtype.newbyteorder("="), copy=False), name)


def _floats(name: str, x: Any) -> np.ndarray:
    """A batch as the program takes it: floats in this machine's order of bytes, one after the other."""
    if x.__class__ is np.ndarray and x.dtype in NATIVE and x.flags.c_contiguous:
        return x
    try:
        array = numeric(x)
    except (TypeError, ValueError) as error:
        raise type(error)(f"TrainStep: {name}: {error}") from None
    return np.asarray(array, array.dtype.newbyteorder("=") if array.dtype.kind == "f" else float, order="C")
