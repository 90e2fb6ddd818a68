"""Optimizers: a rule for one parameter, and the loop that applies it to all.

A rule is a pure function in the engine's arithmetic, (parameter, gradient, state, lr, step) -> (parameter, state): it
runs on arrays here, and it can be recorded as a graph as well. `step` counts from 1. A schedule is a function of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor

from .module import check_state


def _check(name: str, number: float, low: float = 0.0, high: float = float("inf"), open_low: bool = False) -> None:
    if not (low < number <= high if open_low else low <= number <= high):
        raise ValueError(
            f"{name} must be {'above' if open_low else 'at least'} {low:g} and at most {high:g}, not {number!r}"
        )


@dataclass(frozen=True)
class Constant:
    """The same learning rate at every step."""

    rate: float

    def __call__(self, step: Any) -> Any:
        return self.rate


@dataclass(frozen=True)
class ExponentialDecay:
    """initial * decay ** step: the rate is multiplied before each use, the first one included."""

    initial: float
    decay: float

    def __call__(self, step: Any) -> Any:
        return self.initial * self.decay**step


@dataclass(frozen=True)
class CosineDecay:
    """From initial to final along half a cosine in `steps` steps (Loshchilov and Hutter 2017, equation 5)."""

    initial: float
    steps: int
    final: float = 0.0

    def __call__(self, step: Any) -> Any:
        done = np.minimum(step * (1.0 / self.steps), 1.0)
        return self.final + (self.initial - self.final) * (0.5 + 0.5 * np.cos(numpy.pi * done))


@dataclass(frozen=True)
class Warmup:
    """Another schedule (or a constant rate), reached linearly in the first `steps` steps."""

    schedule: Any
    steps: int

    def __call__(self, step: Any) -> Any:
        rate = self.schedule(step) if callable(self.schedule) else self.schedule
        return rate * np.minimum(step * (1.0 / self.steps), 1.0)


class Optimizer:
    """What optimizers share: parameters, a learning rate or schedule, one tuple of state arrays for each parameter."""

    slots: tuple[str, ...] = ()  # the names of a parameter's state arrays, which begin as zeros

    def __init__(self, parameters: Sequence[Tensor], lr: float | Callable[[Any], Any]):
        self.parameters = list(parameters)
        if not self.parameters or not all(isinstance(p, Tensor) for p in self.parameters):
            raise TypeError(f"{type(self).__name__} needs the Tensors to change: model.parameters()")
        if not callable(lr):
            _check("lr", lr, open_low=True)
        self.lr = lr if callable(lr) else Constant(lr)
        self.steps = 0
        self.state = [tuple(numpy.zeros_like(p.data) for _ in self.slots) for p in self.parameters]

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The new parameter and its new state."""
        raise NotImplementedError

    def settings(self) -> tuple:
        """The learning rate and whatever else the rule depends on besides its arguments."""
        return tuple(x for name, x in vars(self).items() if name not in ("parameters", "state", "steps"))

    def step(self) -> None:
        """Apply the rule to every parameter that has a gradient."""
        self.steps += 1
        lr = float(self.lr(float(self.steps)))
        for i, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                parameter.data, self.state[i] = self.rule(
                    parameter.data, parameter.grad, self.state[i], lr, float(self.steps)
                )

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, numpy.ndarray]:
        """The number of steps and a copy of the state arrays, by name."""
        arrays = {
            f"{slot}.{i}": numpy.array(array)
            for i, state in enumerate(self.state)
            for slot, array in zip(self.slots, state)
        }
        return {"steps": numpy.array(self.steps), **arrays}

    def load_state_dict(self, state: Mapping[str, numpy.ndarray]) -> None:
        """Go on from a state; its names, shapes and dtypes must be those of this optimizer, else nothing changes."""
        check_state(state, self.state_dict(), type(self).__name__)
        self.steps = int(state["steps"])
        self.state = [
            tuple(numpy.array(state[f"{slot}.{i}"]) for slot in self.slots) for i in range(len(self.parameters))
        ]


class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's or plain, and weight decay as part of the gradient, as in PyTorch."""

    def __init__(
        self,
        parameters: Sequence[Tensor],
        lr: Any,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        _check("momentum", momentum, high=1.0)
        _check("weight_decay", weight_decay)
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov=True needs a momentum above 0")
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.slots = ("velocity",) if momentum else ()
        super().__init__(parameters, lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """velocity = momentum * velocity + gradient; parameter -= lr * velocity (Sutskever et al. 2013)."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return parameter - lr * gradient, ()
        velocity = self.momentum * state[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, (velocity,)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), with weight decay as part of the gradient."""

    slots = ("mean", "square")

    def __init__(
        self,
        parameters: Sequence[Tensor],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        for beta in betas:
            _check("a beta", beta, high=1.0)
        _check("eps", eps, open_low=True)
        _check("weight_decay", weight_decay)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        super().__init__(parameters, lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """Moving means of the gradient and its square, corrected for beginning at 0."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        return self.moved(parameter, gradient, state, lr, step)

    def moved(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """Algorithm 1 of the paper, its last lines folded into one step size."""
        first, second = self.betas
        mean = first * state[0] + (1 - first) * gradient
        square = second * state[1] + (1 - second) * gradient * gradient
        scale = lr / (1 - first**step)
        return parameter - scale * mean / (np.sqrt(square / (1 - second**step)) + self.eps), (mean, square)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)."""

    def __init__(
        self,
        parameters: Sequence[Tensor],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The parameter shrinks by lr * weight_decay, besides Adam's step."""
        return self.moved(parameter - lr * self.weight_decay * parameter, gradient, state, lr, step)
