"""One update as a graph: what a batch makes of all that is trained. It is recorded, or runs operation by operation."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from autograd import Tensor, Value, compiler
from autograd.backward import gradients
from autograd.calling import pair
from autograd.graph import history
from autograd.node import Node
from autograd.operation import OPERATIONS
from autograd.tree import flatten

from .arguments import between, function, positive
from .clipping import clipped
from .module import Module
from .optim import Optimizer

Buffers = list[tuple[Any, str]]  # their owners and names


@dataclass(eq=False)
class Update:
    """Forward, loss, gradients, clipping and the optimizer's rule, as TrainStep was given them."""

    model: Callable
    loss: Callable
    optimizer: Optimizer
    has_aux: bool
    clip_norm: float | None
    clip_value: float | None
    accumulate: int

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            given = repr(self.optimizer)
            raise TypeError(f"TrainStep(model, loss, optimizer): {given} is no optimizer, such as nn.SGD(...)")
        if (kind := type(self.optimizer)).step is not Optimizer.step:
            raise TypeError(f"TrainStep applies an optimizer's rule, and {kind.__name__} has a step() of its own")
        function("TrainStep: the model", self.model)
        function("TrainStep: the loss", self.loss)
        self.accumulate = positive("accumulate", self.accumulate)
        for name in ("clip_norm", "clip_value"):
            if (most := getattr(self, name)) is not None:
                setattr(self, name, between(name, most, open_low=True))

    def carried(self, buffers: Buffers) -> list:
        """A leaf for all that an update changes: parameters, states, buffers, sums of gradients, and the count."""
        optimizer = self.optimizer
        pairs = [zip(owner.slots, state) for owner, state in zip(optimizer.owners(), optimizer.state)]
        states = [tuple([Tensor(x, name=slot) for slot, x in pair]) for pair in pairs]
        kept = [Tensor(getattr(*buffer), name=buffer[1]) for buffer in buffers]
        summed = optimizer.parameters if self.accumulate > 1 else []
        totals = [Tensor(np.zeros_like(p.data), name="total") for p in summed]
        return [[*optimizer.parameters], states, kept, totals, Value(1.0, "step")]

    def names(self, parameters: list, states: list, kept: list, totals: list, step: Any) -> list[str]:
        """What pictures call all that is carried: a parameter's path in the model, and what belongs to it."""
        paths = {p: path for path, p in self.model.named_parameters()} if isinstance(self.model, Module) else {}
        names = [paths.get(p, p.name) for p in parameters]
        slots = [f"{name}: {x.name}" for name, state in zip(names, states) for x in state]
        totals = [f"{name}: {x.name}" for name, x in zip(names, totals)]
        return [*names, *slots, *(x.name for x in kept), *totals, step.name]

    def __call__(self, batch: tuple, inputs: int, carried: list, rates: dict, buffers: Buffers) -> tuple:
        """One update: the loss, its extras, what becomes of all that is carried, and the buffers among that."""
        parameters, states, kept, totals, step = carried
        for (owner, name), node in zip(buffers, kept):
            setattr(owner, name, node)
        loss, extras = self.loss(self.model(*batch[:inputs]), *batch[inputs:]), ()
        if self.has_aux:
            loss, extras = pair(loss)
        used, step, n = used_by(loss, parameters), step + 1.0, self.accumulate
        gradient, assigned = gradients(loss, parameters, create_graph=True), compiler.take_back()
        if n == 1:
            after: Any = self._updated(parameters, states, gradient, rates, step, used)
        else:  # it is the last part of a batch that updates, and the next one begins anew
            totals, last, where = [x + g / n for x, g in zip(totals, gradient)], step % n == 0.0, OPERATIONS["where"]
            after = self._updated(parameters, states, totals, rates, step / n, used)
            after = [where(last, new, old) for new, old in zip(flatten(after), flatten([parameters, states]))]
            totals = [where(last, 0.0, x) for x in totals]
        after = [after, [_fitting(*each) for each in assigned], totals, step]
        return loss, extras, after, [(owner, name) for owner, name, _ in assigned]

    def _updated(self, parameters: list, states: list, gradient: list, rates: dict, step: Any, used: set) -> tuple:
        """What the optimizer makes of parameters that the loss has used, and of their states."""
        gradient = clipped(gradient, self.clip_norm, self.clip_value)
        gradient = [g if x in used else None for g, x in zip(gradient, parameters)]
        rate = lambda owner: owner.schedule(step) if owner.schedule else rates[owner]
        before = self._held()
        found = self.optimizer.updated(parameters, gradient, states, rate, step, OPERATIONS["cast"])
        for what, held in self._held().items():
            if len(held) != len(known := before.get(what, ())) or not all(map(is_, held, known)):
                raise TypeError(f"TrainStep: an update changes {what[1]}: keep that in slots, or make it of the step")
        return found

    def _held(self) -> dict[tuple[int, str], list]:
        """What the optimizer, its groups and their schedules hold as attributes."""
        owners = [self.optimizer, *self.optimizer.groups]
        owners += [x.schedule for x in owners if hasattr(x.schedule, "__dict__")]
        return {(id(x), f"{type(x).__name__}.{name}"): flatten(held) for x in owners for name, held in vars(x).items()}


def _fitting(owner: Any, name: str, x: Any) -> Any:
    """What was assigned to a buffer, of its dtype."""
    before = compiler.native(getattr(owner, name))
    if x.shape != before.shape:
        raise ValueError(f"{type(owner).__name__}.{name} has shape {before.shape} and was assigned one of {x.shape}")
    return OPERATIONS["cast"](x, before.dtype)


def used_by(loss: Any, parameters: list) -> set[Node]:
    """All that the loss depends on; TypeError unless it is a node of one number, ValueError if no parameter is used."""
    shape = getattr(loss, "shape", ()) if isinstance(loss, Node) else type(loss).__name__
    if shape != ():
        hint = "; has_aux=True takes a pair (loss, extras)" if isinstance(loss, tuple) else ""
        raise TypeError(f"TrainStep: the loss is a node of shape (), such as a mean, not {shape}{hint}")
    used = {*history(loss)}
    if used.isdisjoint(parameters):
        raise ValueError("TrainStep: the loss depends on no parameter of the optimizer: is that for another model?")
    return used
