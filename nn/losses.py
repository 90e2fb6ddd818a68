"""Losses: a number, the mean over the batch, that says how far predictions are from targets."""

from dataclasses import dataclass
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor
from autograd.arguments import no_mask
from autograd.operation import OPERATIONS

from .arguments import between

_square = OPERATIONS["square"]  # itself, since small networks ask for it often


def _array(loss: Any, prediction: Any) -> None:
    if not hasattr(prediction, "shape"):
        raise TypeError(f"{type(loss).__name__}: the prediction is a Tensor, not {type(prediction).__name__}")


def _same_shape(loss: Any, prediction: Any, target: Any) -> None:
    _array(loss, prediction)
    # (n, 1) against (n,) would broadcast to (n, n) and learn nonsense
    shape = target.shape if hasattr(target, "shape") else numpy.shape(target)
    if prediction.shape != shape:
        raise ValueError(
            f"{type(loss).__name__}: the prediction has shape {prediction.shape}, the target {shape}: make them equal"
        )


@dataclass(eq=False)
class MSE:
    """The mean of squared errors; prediction and target of one shape, else ValueError."""

    def __call__(self, prediction: Tensor, target: Any) -> Tensor:
        _same_shape(self, prediction, target)
        return _square(prediction - target).mean()


@dataclass(eq=False)
class L1:
    """The mean of absolute errors; prediction and target of one shape, else ValueError."""

    def __call__(self, prediction: Tensor, target: Any) -> Tensor:
        _same_shape(self, prediction, target)
        return abs(prediction - target).mean()


@dataclass(eq=False)
class Huber:
    """Half the squared error up to `delta`, beyond it delta * (|error| - delta / 2) (Huber 1964); the mean over all.

    Prediction and target have one shape, else ValueError.
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        between("Huber: delta", self.delta, open_low=True)

    def __call__(self, prediction: Tensor, target: Any) -> Tensor:
        _same_shape(self, prediction, target)
        error = prediction - target
        near = np.clip(error, -self.delta, self.delta)  # near * (error - near / 2) is both branches at once
        return (near * (error - 0.5 * near)).mean()


@dataclass(eq=False)
class CrossEntropy:
    """Minus the log-probability of integer labels (batch,) under logits (batch, classes); the mean over the batch.

    Raises ValueError for other shapes, and for labels that are no integers from 0 to classes - 1.
    """

    def __call__(self, logits: Tensor, labels: Any) -> Tensor:
        _array(self, logits)
        no_mask((labels,))
        labels = labels if isinstance(labels, Tensor) else numpy.asarray(labels)
        if logits.ndim != 2 or labels.shape != logits.shape[:1]:
            raise ValueError(
                f"CrossEntropy: logits are (batch, classes) and labels (batch,), not {logits.shape} and {labels.shape}"
            )
        if isinstance(labels, numpy.ndarray):
            _check_labels(labels, logits.shape[1])
        chosen = labels[:, None] == numpy.arange(logits.shape[1])
        # in a compiled step nobody has looked at the labels: one that is no class makes the loss 0 / 0, NaN
        count = np.where(chosen, numpy.ones(logits.shape, logits.dtype), 0.0).sum(1)
        return -(np.where(chosen, np.log_softmax(logits, 1), 0.0).sum(1) / count).mean()


def _check_labels(labels: numpy.ndarray, classes: int) -> None:
    if labels.dtype.kind not in "iu" or labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"CrossEntropy: labels are integers from 0 to {classes - 1}")


@dataclass(eq=False)
class BCEWithLogits:
    """Minus the log-probability of targets in [0, 1] when 1 has probability sigmoid(logit); the mean over all.

    Logits and target have one shape, else ValueError.
    """

    def __call__(self, logits: Tensor, target: Any) -> Tensor:
        _same_shape(self, logits, target)
        # of a probability near 1 the logarithm keeps its digits: softplus(x) - x * target would lose them
        return (target * np.softplus(-logits) + (1.0 - target) * np.softplus(logits)).mean()
