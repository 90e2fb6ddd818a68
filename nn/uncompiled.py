"""An update of a TrainStep by operations one at a time, at which detect_anomaly looks."""

from itertools import repeat
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.backward import gradients
from autograd.calling import pair
from autograd.graph import history
from autograd.node import Node
from autograd.tree import flatten, map_tree

from .clipping import clipped
from .feeding import part
from .module import Module, set_together


def uncompiled(step: Any, batch: list[np.ndarray], inputs: int) -> tuple[list[np.ndarray], Any]:
    """One update; the loss and its extras, each with an axis for updates in front, and the structure of the extras."""
    n, parameters = step.accumulate, step.optimizer.parameters
    losses, totals, found, used = list[Any](), [0.0] * len(parameters), list[list](), set[Node]()
    for i in range(n):
        given = [x[i * len(part(x, n)) :][: len(part(x, n))] if n > 1 else x for x in batch]
        loss, extras = _loss(step, [Tensor(x) if x.dtype.kind == "f" else x for x in given], inputs)
        check_loss(loss)
        totals = [total + g for total, g in zip(totals, gradients(loss, parameters))]
        used |= used_by(loss, parameters)
        losses.append(loss.data)
        found.append([np.asarray(x.data if isinstance(x, Node) else x) for x in flatten(extras)])
    changes = [total / n for total in totals]
    changes = clipped(changes, step.clip_norm, step.clip_value)
    _step(step.optimizer, [g if p in used else None for p, g in zip(parameters, changes)])
    outputs = [np.stack(parts) if n > 1 else parts[0] for parts in zip(*found)]
    return [np.mean(losses, 0)[None], *(x[None] for x in outputs)], map_tree(lambda _: None, extras)


def _loss(step: Any, given: list, inputs: int) -> tuple[Any, Any]:
    """The loss and its extras; a buffer that forward assigned a node to is an array again."""
    modules = [x for x in (step.model, step.loss) if isinstance(x, Module)]
    places = [place for module in modules for place in module._all_places() if isinstance(place.held, np.ndarray)]
    loss = step.loss(step.model(*given[:inputs]), *given[inputs:])
    for _, owner, name, before in places:
        if isinstance(owner, Module) and isinstance(now := getattr(owner, name, None), Tensor):
            setattr(owner, name, np.asarray(now.data, before.dtype))
    return pair(loss) if step.has_aux else (loss, ())


def _step(optimizer: Any, changes: list) -> None:
    """The optimizer's step by these gradients; those that the parameters have stay as they are."""
    before = [p.grad for p in optimizer.parameters]
    set_together(optimizer.parameters, repeat("grad"), changes)
    try:
        optimizer.step()
    finally:
        set_together(optimizer.parameters, repeat("grad"), before)


def check_loss(loss: Any) -> None:
    """Raise TypeError unless it is a node of one number."""
    shape = getattr(loss, "shape", ()) if isinstance(loss, Node) else type(loss).__name__
    if shape != ():
        hint = "; has_aux=True takes a pair (loss, extras)" if isinstance(loss, tuple) else ""
        raise TypeError(f"TrainStep: the loss is a node of shape (), such as a mean, not {shape}{hint}")


def used_by(loss: Any, parameters: list) -> set[Node]:
    """All that the loss depends on; ValueError if no parameter is among that."""
    used = {*history(loss)}
    if used.isdisjoint(parameters):
        raise ValueError("TrainStep: the loss depends on no parameter of the optimizer: is that for another model?")
    return used
