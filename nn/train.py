"""TrainStep: forward, loss, gradients and the optimizer's rule as one compiled program."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.backward import gradients
from autograd.compiler.calls import printed
from autograd.compiler.program import Program
from autograd.compiler.tracing import leaf, lift, tracing
from autograd.operation import OPERATIONS

from .optim import Optimizer

CHUNK = 10_000  # iterations between two chances to be interrupted


class TrainStep:
    """An update of a model, compiled: step(x, y) gives the loss; step.run(xs, ys) updates once per leading entry.

    The result is what loss(model(x), y), backward() and optimizer.step() give, to rounding. The program is compiled
    when a shape of x and y, or a setting of the optimizer, is first seen. Parameters and the optimizer's state change
    all at once at the end of a call (of every 10,000 iterations of run), so an interruption leaves them consistent.
    `backend` is as for jit.
    """

    def __init__(self, model: Callable, loss: Callable, optimizer: Optimizer, backend: str = "auto"):
        self.model, self.loss, self.optimizer, self.wanted = model, loss, optimizer, backend
        self.programs: dict[tuple, Any] = {}
        self._last: Any = None
        self._why = ""

    def __call__(self, x: np.ndarray, y: np.ndarray) -> float:
        """One update on a batch; the loss before it."""
        return float(self.run(np.asarray(x)[None], np.asarray(y)[None])[0])

    def run(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """An update for each of xs (K, batch, ...) and ys (K, batch, ...); the K losses."""
        xs, ys = np.ascontiguousarray(xs), np.ascontiguousarray(ys)
        if xs.ndim < 2 or ys.ndim < 1 or len(xs) != len(ys):
            raise ValueError(
                f"TrainStep.run: xs (K, batch, ...) and ys (K, batch, ...) need the same K, "
                f"not shapes {xs.shape} and {ys.shape}"
            )
        xs, ys = (a if a.dtype.kind == "f" else a.astype(float) for a in (xs, ys))
        key = (xs.shape[1:], xs.dtype.str, ys.shape[1:], ys.dtype.str, self.optimizer.settings())
        if key not in self.programs:
            self.programs[key] = self._compile(xs[0], ys[0])
        self._last = self.programs[key]
        parts = [slice(i, i + CHUNK) for i in range(0, len(xs), CHUNK)]
        return (
            np.concatenate([self._iterate(self._last, xs[part], ys[part]) for part in parts]) if parts else np.empty(0)
        )

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
        return f"{self._printed().backend} ({self._why})"

    def _printed(self) -> Any:
        if self._last is None:
            raise RuntimeError("this TrainStep has not been called yet: what is compiled depends on the shapes")
        return self._last

    def _state(self) -> list[np.ndarray]:
        """Parameters, the optimizer's arrays and its count of steps, as fresh contiguous arrays."""
        arrays = [p.data for p in self.optimizer.parameters] + [a for state in self.optimizer.state for a in state]
        return [np.array(a, order="C") for a in arrays] + [np.array(float(self.optimizer.steps))]

    def _adopt(self, arrays: Sequence[np.ndarray]) -> None:
        *arrays, steps = arrays
        parameters = self.optimizer.parameters
        for parameter, array in zip(parameters, arrays):
            parameter.data = array
        rest = iter(arrays[len(parameters) :])
        self.optimizer.state = [tuple(next(rest) for _ in state) for state in self.optimizer.state]
        self.optimizer.steps = int(steps)

    def _iterate(self, program: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        state = self._state()
        losses = program.iterate(len(xs), [xs, ys, *state])[0]
        self._adopt(state)
        return losses

    def _compile(self, x: np.ndarray, y: np.ndarray) -> Any:
        """Record one update and print it; outputs after the loss replace the inputs after x and y."""
        optimizer = self.optimizer
        with tracing() as trace:
            x, y, step = leaf(x, "x"), leaf(y, "y"), leaf(np.array(float(optimizer.steps)), "step")
            states = [tuple(map(leaf, state, optimizer.slots)) for state in optimizer.state]
            loss = self.loss(self.model(x), y)
            before = [lift(p) for p in optimizer.parameters]
            after = self._updated(before, gradients(loss, before, create_graph=True), states, step)
            outside = [node for node in trace.outside if node.operation is None]
        self._check_outside(outside)
        inputs = [*before, *(a for state in states for a in state), step]
        outputs = [o if isinstance(o, Tensor) else leaf(np.asarray(o)) for o in (loss, *after)]
        carried = {1 + i: 2 + i for i in range(len(inputs))}
        moves = [True, True] + [False] * len(inputs)
        recorded = Program([x, y, *inputs], outputs)
        program, self._why = printed(recorded, "train_step", self.wanted, moves, carried)
        return program

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
