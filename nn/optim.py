"""Optimizers: a rule for one parameter, and the loop that applies it to all.

A rule is a pure function in the engine's arithmetic, (parameter, gradient, state, lr, step) -> (parameter, state): it
runs on arrays here, and it can be recorded as a graph as well. `step` counts from 1. A schedule is a function of it.
"""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy
from numpy import ndarray

import autograd.numpy as np
from autograd import Tensor
from autograd.arguments import is_masked
from autograd.tables import table
from autograd.tree import flatten, map_tree, unflatten
from autograd.users import REFUSED, warning_there

from .arguments import Amount, Positive, Rate, Settings, Share, between, positive, tensors
from .module import ASSIGN, check_state, set_together

__warningregistry__ = REFUSED  # users.py


def _is_array(x: Any) -> bool:
    return isinstance(x, ndarray) and x.dtype.kind == "f" and not is_masked(x)


def _described(x: Any) -> str:
    return f"{type(x).__name__} of {x.dtype} and shape {x.shape}" if isinstance(x, ndarray) else repr(x)


def _are_as_before(made: Any, parameter: Any, state: tuple) -> bool:
    """Whether a rule has returned a parameter and states as it was given, all of the parameter's shape."""
    try:
        x, others = made
        shape = parameter.shape
        for y in others:  # in each step of each parameter: a comprehension would take longer
            if y.shape != shape:
                return False
        return x.shape == shape and len(others) == len(state)
    except (TypeError, ValueError, AttributeError):
        return False


@dataclass(eq=False)
class Optimizer(Settings):
    """What optimizers share: parameters, a learning rate or schedule, one tuple of state arrays for each parameter.

    Among the parameters may be groups, such as {"params": [...], "lr": 0.1}, with settings of their own. Each becomes
    an optimizer in `groups`, which says what holds for its parameters from then on: groups[0].lr may be assigned to.
    """

    slots: ClassVar[tuple[str, ...]] = ()  # the names of a parameter's state arrays, which begin as zeros
    parameters: Sequence[Any] = field(repr=False)
    lr: Rate

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        cls.__hash__ = object.__hash__  # type: ignore[method-assign]  # also of a dataclass that compares its fields

    def __post_init__(self) -> None:
        super().__post_init__()
        name, given = type(self).__name__, self.parameters
        given = [*given] if isinstance(given, Iterable) and not isinstance(given, Tensor) else []
        self.groups = [self._group(**each) for each in given if isinstance(each, dict)]
        others = {id(p): p for p in given if not isinstance(p, dict)}.values()
        grouped = [p for group in self.groups for p in group.parameters]
        self.parameters = tensors(name, [*others, *grouped])
        if len(self.parameters) < len(others) + len(grouped):
            raise ValueError(f"{name}: a parameter stands in two groups")
        for i, p in enumerate(self.parameters):
            if p.operation is not None:
                raise TypeError(
                    f"{name}: parameter {i} was made by {p.operation.name}, so there is more to change than itself: "
                    "give what it was made of, or make it with .detach()"
                )
        self.steps, pairs = 0, zip(self.parameters, self.owners())
        self.state = [tuple(numpy.zeros_like(p.data) for _ in owner.slots) for p, owner in pairs]

    def _group(self, params: Any = None, **settings: Any) -> Any:
        """An optimizer of this class for some of the parameters, whose state is kept here."""
        name, known = type(self).__name__, {each.name for each in fields(self)[1:]}
        if unknown := settings.keys() - known:
            raise TypeError(
                f"{name}: a group is a dict of 'params' and {', '.join(sorted(known))}, not {min(unknown)!r}"
            )
        group = copy.copy(self)  # whatever arguments its class takes
        vars(group).update(settings, parameters=params)
        group.__post_init__()
        group.state = []
        return group

    def owners(self) -> list["Optimizer"]:
        """For each parameter the optimizer whose settings hold for it: this one, or a group, whose come last."""
        for group in self.groups:  # an __init__ of the user may have set more since
            vars(group).update(vars(self) | vars(group))
        grouped = [group for group in self.groups for _ in group.parameters]
        return [self] * (len(self.parameters) - len(grouped)) + grouped

    @property
    def schedule(self) -> Callable[[Any], Any] | None:
        """The learning rate as a function of the step, where it is one; `lr` may be assigned to at any time."""
        return self.lr if callable(self.lr) else None

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        rate = self.lr(step) if callable(self.lr) else between(f"{type(self).__name__}: lr", self.lr)
        try:
            return float(rate)
        except (TypeError, ValueError):
            raise TypeError(f"{type(self).__name__}: lr gave {rate!r} at step {step:g}, which is no number") from None

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The new parameter and its new state, as many arrays as there are slots, all of the parameter's shape."""
        raise NotImplementedError(f"{type(self).__name__} defines no rule(self, parameter, gradient, state, lr, step)")

    def updated(
        self, parameters: Sequence, gradients: Sequence, states: Sequence, rate: Callable, step: Any, cast: Callable
    ) -> tuple[list, list]:
        """What becomes of all parameters and states, as arrays or nodes; those without a gradient stay as they are.

        `rate` gives the learning rate of an owner, and `cast` what the rule has made as an array of a dtype.
        """
        fresh, after, last, lr = [], [], None, None
        for owner, x, gradient, state in zip(self.owners(), parameters, gradients, states):
            if gradient is not None:
                if getattr(gradient, "shape", ()) != getattr(x, "shape", None):
                    self.check(gradients=True)
                if owner is not last:
                    last, lr = owner, rate(owner)
                made = owner.rule(x, gradient, state, lr, step)
                if not _are_as_before(made, x, state):
                    self._refuse(made, x, state)
                before, (x, state) = x, made
                if x.__class__ is not ndarray or x.dtype is not before.dtype:
                    x, *others = (cast(y, before.dtype) for y in (x, *state))
                    state = tuple(others)
            fresh.append(x)
            after.append(state)
        if last is None:
            raise ValueError(f"{type(self).__name__}: no parameter has a gradient: call loss.backward() before step()")
        return fresh, after

    def _refuse(self, made: Any, parameter: Any, state: tuple) -> None:
        """Raise for what a rule has returned, or for what it was given."""
        self.check(gradients=True)
        raise TypeError(
            f"{type(self).__name__}.rule must return the parameter and a tuple of its states, "
            f"{(parameter.shape, tuple(parameter.shape for _ in state))}, not "
            f"{map_tree(lambda y: getattr(y, 'shape', type(y).__name__), made)}"
        )

    def step(self) -> None:
        """Apply the rule to every parameter that has a gradient.

        All change at once, so an interruption leaves either everything as it was or everything new. Raises ValueError
        before anything changes if no parameter has a gradient, or if a gradient or a state does not have the shape of
        its parameter.
        """
        if len(self.state) != len(self.parameters):
            self.check()
        arrays, gradients, step = [p.data for p in self.parameters], [p.grad for p in self.parameters], self.steps + 1.0
        rate = lambda owner: owner.rate(step)
        new, states = warning_there(self.updated, arrays, gradients, self.state, rate, step, self._narrowed)
        self.adopt(new, states, self.steps + 1)

    def _narrowed(self, x: Any, dtype: Any) -> ndarray:
        """An array of a dtype, of one that is wider since a gradient or a setting was, or of a number of NumPy."""
        self.check()
        return numpy.asarray(x, dtype)

    def adopt(
        self, arrays: Sequence, states: list[tuple], steps: int, buffers: Sequence = (), names: Sequence[str] = ()
    ) -> None:
        """Take over parameters, buffers (of owners, by names), states and the count of steps, all of them or none."""
        names = [*["number"] * len(self.parameters), *names, "state", "steps"]
        put = ASSIGN if buffers else setattr
        set_together([*self.parameters, *buffers, self, self], names, [*arrays, states, steps], put)

    def check(self, gradients: bool = False) -> None:
        """Raise ValueError unless every parameter is an array of floats and has states of its shape and dtype.

        And, where that is asked, a gradient of its shape or none.
        """
        owner, count = type(self).__name__, len(self.parameters)
        if len({*map(id, self.parameters)}) != count or len(self.state) != count:
            raise ValueError(
                f"{owner}: of its {count} parameters each must be there once and have one of the "
                f"{len(self.state)} states: make a new {owner} for other parameters"
            )
        for i, (p, state, group) in enumerate(zip(self.parameters, self.state, self.owners())):
            data: Any = getattr(p, "number", None)
            name = f"parameter {i}" + (f" ({p.name!r})" if getattr(p, "name", "") else "")
            if not _is_array(data):
                raise ValueError(f"{owner}: {name} must hold an array of floats, not {_described(data)}")
            for slot, array in zip(group.slots, state, strict=True):
                if not _is_array(array) or array.shape != data.shape or array.dtype.char != data.dtype.char:
                    wanted = f"as the parameter is, {_described(data)}, not {_described(array)}"
                    raise ValueError(f"{owner}: the state {slot!r} of {name} must be {wanted}")
            if gradients and p.grad is not None and (shape := numpy.shape(p.grad)) != data.shape:
                raise ValueError(f"{owner}: the gradient of {name} has shape {shape}, the parameter {data.shape}")

    def _repr_html_(self) -> str:
        shown = [each.name for each in fields(self) if each.repr]
        rows = []
        for group in (self, *self.groups):
            sizes = [p.size for p, owner in zip(self.parameters, self.owners()) if owner is group]
            rows.append((*(getattr(group, name) for name in shown), len(sizes), f"{sum(sizes):,}"))
        return table(f"{type(self).__name__} after {self.steps:,} steps", (*shown, "parameters", "numbers"), rows)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, ndarray]:
        """The number of steps and a copy of the state arrays, by name."""
        names = (f"{slot}.{i}" for i, owner in enumerate(self.owners()) for slot in owner.slots)
        return {"steps": numpy.array(self.steps)} | dict(zip(names, map(numpy.array, flatten(self.state))))

    def load_state_dict(self, state: Mapping[str, ndarray]) -> None:
        """Go on from a state; its names, shapes and dtypes must be those of this optimizer, else nothing changes."""
        expected = self.state_dict()
        check_state(state, expected, type(self).__name__)
        steps, *arrays = (numpy.array(state[name]) for name in expected)
        positive(f"{type(self).__name__}: the number of steps", int(steps), 0)
        self.adopt([p.data for p in self.parameters], unflatten(self.state, arrays), int(steps))

    def _with_momentum(self, momentum: float, direction: Any, velocity: tuple) -> tuple[Any, tuple]:
        """The direction that the way so far gives together with this one, which is the new velocity if it is kept."""
        if velocity:
            direction = momentum * velocity[0] + direction
            return direction, (direction,)
        if momentum:
            kind = type(self).__name__
            raise ValueError(f"{kind}: its momentum was 0, so it keeps no velocity: make a new {kind}")
        return direction, ()


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's or plain, and weight decay as part of the gradient, as in PyTorch."""

    lr: Rate = 1e-3
    momentum: Share = 0.0
    nesterov: bool = False
    weight_decay: Amount = 0.0

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs a momentum above 0")
        self.slots = ("velocity",) if self.momentum else ()  # type: ignore[misc]
        super().__post_init__()

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """velocity = momentum * velocity + gradient; parameter -= lr * velocity (Sutskever et al. 2013)."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        direction, velocity = self._with_momentum(self.momentum, gradient, state)
        if self.nesterov:
            direction = gradient + self.momentum * direction
        return parameter - lr * direction, velocity


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), with weight decay as part of the gradient."""

    slots = ("mean", "square")
    decoupled: ClassVar[bool] = False  # weight decay from the gradient
    lr: Rate = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: Positive = 1e-8
    weight_decay: Amount = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.betas, Sequence) or len(self.betas) != 2:
            raise TypeError(f"betas are two numbers, such as (0.9, 0.999), not {self.betas!r}")
        for beta in self.betas:
            between("Adam: a beta", beta, high=1.0, open_high=True)
        super().__post_init__()

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """Moving means of the gradient and its square, corrected for beginning at 0, with one division an element."""
        if self.weight_decay and self.decoupled:
            parameter = parameter - lr * self.weight_decay * parameter
        elif self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        first, second = self.betas
        mean = first * state[0] + (1 - first) * gradient
        square = second * state[1] + (1 - second) * gradient * gradient
        scale, root = lr / (1 - first**step), (1 - second**step) ** -0.5
        return parameter - scale * mean / (root * np.sqrt(square) + self.eps), (mean, square)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)."""

    decoupled = True
    weight_decay: Amount = 0.01


@dataclass(eq=False)
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5), with momentum and weight decay as in PyTorch."""

    lr: Rate = 0.01
    alpha: Share = 0.99
    eps: Amount = 1e-8
    weight_decay: Amount = 0.0
    momentum: Share = 0.0

    def __post_init__(self) -> None:
        self.slots = ("square", "velocity") if self.momentum else ("square",)  # type: ignore[misc]
        super().__post_init__()

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The gradient by the root of a moving mean of its square; PyTorch's velocity of it has no lr in it."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        square = self.alpha * state[0] + (1 - self.alpha) * gradient * gradient
        direction = gradient / (np.sqrt(square) + self.eps)
        direction, velocity = self._with_momentum(self.momentum, direction, state[1:])
        return parameter - lr * direction, (square, *velocity)


@dataclass(eq=False)
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011), with weight decay as part of the gradient, as in PyTorch."""

    slots = ("square",)
    lr: Rate = 0.01
    weight_decay: Amount = 0.0
    eps: Amount = 1e-10

    def rule(self, parameter: Any, gradient: Any, state: tuple, lr: Any, step: Any) -> tuple[Any, tuple]:
        """The gradient by the root of the sum of its squares so far."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        square = state[0] + gradient * gradient
        return parameter - lr * gradient / (np.sqrt(square) + self.eps), (square,)
