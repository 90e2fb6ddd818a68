"""Optimizers: a rule for one parameter, and the loop that applies it to all.

A rule is a pure function in the engine's arithmetic, (parameter, gradient, state, lr, step) -> (parameter, state): it
runs on arrays here, and it can be recorded as a graph as well. `step` counts from 1. A schedule is a function of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor

from .arguments import between, tensors
from .module import ASSIGN, check_state, set_together


def _is_array(x: Any) -> bool:
    return isinstance(x, numpy.ndarray) and x.dtype.kind == "f" and not isinstance(x, numpy.ma.MaskedArray)


def _described(x: Any) -> str:
    return f"{type(x).__name__} of {x.dtype} and shape {x.shape}" if isinstance(x, numpy.ndarray) else repr(x)


def _alike(*arrays: numpy.ndarray) -> bool:
    """Whether all have the same shape and dtype."""
    return all(x.dtype is arrays[0].dtype and x.shape == arrays[0].shape for x in arrays)


class Optimizer:
    """What optimizers share: parameters, a learning rate or schedule, one tuple of state arrays for each parameter.

    Among the parameters may be groups, such as {"params": [...], "lr": 0.1}, with settings of their own. Each becomes
    an optimizer in `groups`, which says what holds for its parameters from then on: groups[0].lr may be assigned to.
    """

    slots: tuple[str, ...] = ()  # the names of a parameter's state arrays, which begin as zeros

    def __init__(self, parameters: Sequence[Any], lr: float | Callable[[Any], Any]):
        given: list = [*parameters] if isinstance(parameters, Iterable) and not isinstance(parameters, Tensor) else []
        self.groups = [self._group(**each) for each in given if isinstance(each, dict)]
        self._owners = {p: group for group in self.groups for p in group.parameters}
        others = {id(p): p for p in given if not isinstance(p, dict)}.values()
        self.parameters: Sequence[Tensor] = tensors(type(self).__name__, [*others, *self._owners])
        if len(self.parameters) < len(others) + sum(len(group.parameters) for group in self.groups):
            raise ValueError(f"{type(self).__name__}: a parameter stands in two groups")
        for i, p in enumerate(self.parameters):
            if p.operation is not None:
                raise TypeError(
                    f"{type(self).__name__}: parameter {i} was made by {p.operation.name}, so there is more to change "
                    "than itself: give what it was made of, or make it with .detach()"
                )
        self.lr, self.steps = lr, 0
        if not callable(lr):
            self.rate(1.0)
        self.state = [tuple(numpy.zeros_like(p.data) for _ in self.group(p).slots) for p in self.parameters]

    def _group(self, params: Any = None, **settings: Any) -> Any:
        """An optimizer of this class for some of the parameters, whose state is kept here."""
        group: Any = replace(self, parameters=params, **settings)  # type: ignore[type-var]  # a dataclass
        group.state = []
        return group

    def group(self, parameter: Any) -> "Optimizer":
        """Whose settings hold for a parameter."""
        return self._owners.get(parameter, self)

    @property
    def schedule(self) -> Callable[[Any], Any] | None:
        """The learning rate as a function of the step, where it is one; `lr` may be assigned to at any time."""
        return self.lr if callable(self.lr) else None

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        if callable(self.lr):
            return float(self.lr(step))
        between("lr", self.lr, open_low=True)
        return float(self.lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The new parameter and its new state."""
        raise NotImplementedError

    def step(self) -> None:
        """Apply the rule to every parameter that has a gradient.

        All change at once, so an interruption leaves either everything as it was or everything new. Raises ValueError
        before anything changes if a gradient or a state does not have the shape of its parameter.
        """
        if len(self.state) != len(self.parameters):
            self.check()
        step = float(self.steps + 1)
        arrays, states = [], []
        for parameter, state, (rule, lr) in zip(self.parameters, self.state, self._rules(step)):
            data, gradient = parameter.data, parameter.grad
            if gradient is not None:
                if data.__class__ is not numpy.ndarray or getattr(gradient, "shape", ()) != data.shape:
                    self.check(gradients=True)
                before, (data, state) = data, rule(data, gradient, state, lr, step)
                if data.dtype is not before.dtype or state and not _alike(before, data, *state):
                    data, state = self._refitted(before, data, state)
            arrays.append(data)
            states.append(state)
        self.adopt(arrays, states, self.steps + 1)

    def _rules(self, step: float) -> Iterable[tuple[Callable, float]]:
        """For each parameter the rule that holds for it, and its learning rate at a step."""
        if not self.groups:
            return repeat((self.rule, self.rate(step)))
        rates = {group: group.rate(step) for group in (self, *self.groups)}
        return [(group.rule, rates[group]) for group in map(self.group, self.parameters)]

    def _refitted(self, before: numpy.ndarray, data: numpy.ndarray, state: tuple) -> tuple[numpy.ndarray, tuple]:
        """A parameter's next array and state in the dtype that it has, where a gradient or a setting has another."""
        self.check()
        return data.astype(before.dtype), tuple([x.astype(before.dtype) for x in state])

    def adopt(
        self, arrays: Sequence, states: list[tuple], steps: int, buffers: Sequence = (), names: Sequence[str] = ()
    ) -> None:
        """Take over parameters, buffers (of owners, by names), states and the count of steps, all of them or none."""
        owners = [*self.parameters, *buffers, self, self]
        names = [*["data"] * len(self.parameters), *names, "state", "steps"]
        set_together(owners, names, [*arrays, states, steps], repeat(ASSIGN) if buffers else None)

    def check(self, gradients: bool = False) -> None:
        """Raise ValueError unless every parameter is an array of floats and has states of its shape and dtype.

        And, where that is asked, a gradient of its shape or none.
        """
        owner = type(self).__name__
        if len({*map(id, self.parameters)}) != len(self.parameters) or len(self.state) != len(self.parameters):
            raise ValueError(
                f"{owner}: of its {len(self.parameters)} parameters each must be there once and have one of the "
                f"{len(self.state)} states: make a new {owner} for other parameters"
            )
        for i, (parameter, state) in enumerate(zip(self.parameters, self.state)):
            data: Any = getattr(parameter, "data", None)
            name = getattr(parameter, "name", "")
            name = f"parameter {i}" + (f" ({name!r})" if name else "")
            if not _is_array(data):
                raise ValueError(f"{owner}: {name} must hold an array of floats, not {_described(data)}")
            for slot, array in zip(self.group(parameter).slots, state, strict=True):
                if not _is_array(array) or array.shape != data.shape or array.dtype.char != data.dtype.char:
                    raise ValueError(
                        f"{owner}: the state {slot!r} of {name} must be as the parameter is, {_described(data)}, "
                        f"not {_described(array)}"
                    )
            shape = numpy.shape(parameter.grad) if gradients and parameter.grad is not None else data.shape
            if shape != data.shape:
                raise ValueError(f"{owner}: the gradient of {name} has shape {shape}, the parameter {data.shape}")

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, numpy.ndarray]:
        """The number of steps and a copy of the state arrays, by name."""
        arrays = {
            f"{slot}.{i}": numpy.array(array)
            for i, (parameter, state) in enumerate(zip(self.parameters, self.state))
            for slot, array in zip(self.group(parameter).slots, state)
        }
        return {"steps": numpy.array(self.steps), **arrays}

    def load_state_dict(self, state: Mapping[str, numpy.ndarray]) -> None:
        """Go on from a state; its names, shapes and dtypes must be those of this optimizer, else nothing changes."""
        check_state(state, self.state_dict(), type(self).__name__)
        slots = enumerate(self.group(p).slots for p in self.parameters)
        states = [tuple(numpy.array(state[f"{slot}.{i}"]) for slot in each) for i, each in slots]
        self.adopt([p.data for p in self.parameters], states, int(state["steps"]))


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's or plain, and weight decay as part of the gradient, as in PyTorch."""

    parameters: Sequence[Any] = field(repr=False)
    lr: Any = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        between("momentum", self.momentum, high=1.0)
        between("weight_decay", self.weight_decay)
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs a momentum above 0")
        self.slots = ("velocity",) if self.momentum else ()
        super().__init__(self.parameters, self.lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """velocity = momentum * velocity + gradient; parameter -= lr * velocity (Sutskever et al. 2013)."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return parameter - lr * gradient, ()
        velocity = self.momentum * state[0] + gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, (velocity,)


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), with weight decay as part of the gradient."""

    slots = ("mean", "square")
    parameters: Sequence[Any] = field(repr=False)
    lr: Any = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.betas, Sequence) or len(self.betas) != 2:
            raise TypeError(f"betas are two numbers, such as (0.9, 0.999), not {self.betas!r}")
        for beta in self.betas:
            between("a beta", beta, high=1.0)
            if beta == 1:
                raise ValueError(f"both betas must be below 1, or a mean would stay 0, not {self.betas!r}")
        between("eps", self.eps, open_low=True)
        between("weight_decay", self.weight_decay)
        super().__init__(self.parameters, self.lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """Moving means of the gradient and its square, corrected for beginning at 0."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        return self.moved(parameter, gradient, state, lr, step)

    def moved(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """Algorithm 1 of the paper, its last lines with one division for each element."""
        first, second = self.betas
        mean = first * state[0] + (1 - first) * gradient
        square = second * state[1] + (1 - second) * gradient * gradient
        scale, root = lr / (1 - first**step), (1 - second**step) ** -0.5
        return parameter - scale * mean / (root * np.sqrt(square) + self.eps), (mean, square)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)."""

    weight_decay: float = 0.01

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The parameter shrinks by lr * weight_decay, besides Adam's step."""
        return self.moved(parameter - lr * self.weight_decay * parameter, gradient, state, lr, step)


@dataclass(eq=False)
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5), with momentum and weight decay as in PyTorch."""

    parameters: Sequence[Any] = field(repr=False)
    lr: Any = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0

    def __post_init__(self) -> None:
        between("alpha", self.alpha, high=1.0)
        between("eps", self.eps)
        between("weight_decay", self.weight_decay)
        between("momentum", self.momentum, high=1.0)
        self.slots = ("square", "velocity") if self.momentum else ("square",)
        super().__init__(self.parameters, self.lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The gradient by the root of a moving mean of its square; PyTorch's velocity of it has no lr in it."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        square = self.alpha * state[0] + (1 - self.alpha) * gradient * gradient
        direction = gradient / (np.sqrt(square) + self.eps)
        if not self.momentum:
            return parameter - lr * direction, (square,)
        velocity = self.momentum * state[1] + direction
        return parameter - lr * velocity, (square, velocity)


@dataclass(eq=False)
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011), with weight decay as part of the gradient, as in PyTorch."""

    slots = ("square",)
    parameters: Sequence[Any] = field(repr=False)
    lr: Any = 0.01
    weight_decay: float = 0.0
    eps: float = 1e-10

    def __post_init__(self) -> None:
        between("weight_decay", self.weight_decay)
        between("eps", self.eps)
        super().__init__(self.parameters, self.lr)

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The gradient by the root of the sum of its squares so far."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        square = state[0] + gradient * gradient
        return parameter - lr * gradient / (np.sqrt(square) + self.eps), (square,)
