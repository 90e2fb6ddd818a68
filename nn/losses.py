"""Losses: a number, the mean over the batch, that says how far predictions are from targets.

Where nothing else is said, both have one shape, else ValueError.
"""

from dataclasses import dataclass
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor, Value
from autograd.arguments import numeric
from autograd.operation import OPERATIONS

from .arguments import Positive, Real, Settings, Share, array, floats, places

_square, _scaled = OPERATIONS["square"], OPERATIONS["scaled"]


@dataclass(eq=False)
class Loss(Settings):
    """The base: the mean of what `each` says of every number, or of every vector."""

    def __new__(cls, *settings: Any, **named: Any) -> "Loss":
        if any(isinstance(x, Tensor) for x in settings):
            raise TypeError(f"{cls.__name__}: make the loss, then call it: {cls.__name__}()(prediction, target)")
        return super().__new__(cls)

    def __call__(self, prediction: Tensor, target: Any) -> Tensor:
        return self.each(*self._alike(prediction, target)).mean()

    def each(self, prediction: Any, target: Any) -> Any:
        """How far each prediction is from its target."""
        raise NotImplementedError

    def describe(self) -> str:
        """What messages call it."""
        return type(self).__name__

    def _arrays(self, prediction: Any, target: Any) -> tuple[Any, Any]:
        if not hasattr(prediction, "shape"):
            raise TypeError(f"{self.describe()}: the prediction is a Tensor, not {type(prediction).__name__}")
        return array(self, prediction), np.array(target) if isinstance(target, Value) else array(self, target)

    def _alike(self, prediction: Any, target: Any) -> tuple[Any, Any]:
        """Both, of one shape, since (n, 1) against (n,) would learn nonsense; integers widen no prediction."""
        prediction, target = self._arrays(prediction, target)
        if prediction.shape != target.shape or 0 in target.shape:
            which = f"the prediction has shape {prediction.shape}, the target {target.shape}"
            raise ValueError(f"{self.describe()}: {which}: make them equal, and not empty")
        return prediction, floats(target, prediction)

    def _positive(self, label: Any) -> Any:
        """Whether labels are 1, and not -1; IndexError for others."""
        place = np.where(np.equal(label, -1), 0, np.where(np.equal(label, 1), 1, 2))
        return places(place, 2, f"{self.describe()}: labels are -1 and 1")


class MSE(Loss):
    """The mean of squared errors."""

    def each(self, prediction: Any, target: Any) -> Any:
        return _square(prediction - target)


class L1(Loss):
    """The mean of absolute errors."""

    def each(self, prediction: Any, target: Any) -> Any:
        return abs(prediction - target)


@dataclass(eq=False)
class Huber(Loss):
    """Half the squared error up to `delta`, beyond it delta * (|error| - delta / 2) (Huber 1964)."""

    delta: Positive = 1.0

    def each(self, prediction: Any, target: Any) -> Any:
        error = prediction - target
        near = np.clip(error, -self.delta, self.delta)  # near * (error - near / 2) is both branches at once
        return near * (error - 0.5 * near)


class BCEWithLogits(Loss):
    """Minus the log-probability of targets in [0, 1] (not -1 and 1) when 1 has probability sigmoid(logit)."""

    def each(self, prediction: Any, target: Any) -> Any:
        # of a probability near 1 the logarithm keeps its digits: softplus(x) - x * target would lose them
        return target * np.softplus(-prediction) + np.subtract(1.0, target) * np.softplus(prediction)


class KLDiv(Loss):
    """How far probabilities (..., classes) are from predicted log-probabilities (Kullback and Leibler 1951).

    The sum over the classes and the mean over the rest, as PyTorch's "batchmean".
    """

    def each(self, prediction: Any, target: Any) -> Any:
        return _scaled(target, np.log(np.where(target, target, 1.0)) - prediction).sum(-1)


class Hinge(Loss):
    """relu(1 - label * score) of labels -1 and 1."""

    def each(self, prediction: Any, target: Any) -> Any:
        return np.relu(1.0 - np.where(self._positive(target), prediction, -prediction))


@dataclass(eq=False)
class CosineSimilarity(Loss):
    """1 - cosine between vectors along the last axis; the cosine of a vector of zeros is 0.

    Where a label (...) is -1, relu(cosine - margin) instead, as PyTorch's CosineEmbeddingLoss.
    """

    margin: Real = 0.0

    def __call__(self, prediction: Tensor, target: Any, label: Any = None) -> Tensor:
        prediction, target = self._alike(prediction, target)
        (x, x_is_zero), (y, y_is_zero) = _unit(prediction), _unit(target)
        # half a squared distance keeps the digits that 1 - cosine would lose
        apart = 0.5 * (_square(x - y).sum(-1) + x_is_zero + y_is_zero)
        if label is not None:
            apart, label = self._alike(apart, label)
            apart = np.where(self._positive(label), apart, np.relu(1.0 - self.margin - apart))
        return apart.mean()


@dataclass(eq=False)
class CrossEntropy(Loss):
    """Minus the log-probability of integer labels (...) under logits (..., classes); the mean over the labels.

    `weight` has a number for each class, and the mean is then weighted; a share of `label_smoothing` of each label goes
    to all classes evenly (Szegedy et al. 2016); labels that are `ignore_index` do not count; all as in PyTorch. Raises
    ValueError for other shapes, IndexError for a label that is no class, in a compiled step too.
    """

    weight: Any = None
    label_smoothing: Share = 0.0
    ignore_index: Real = -100

    def __post_init__(self) -> None:
        super().__post_init__()
        self.weight = None if self.weight is None else numeric(self.weight).astype(float)

    def __call__(self, logits: Tensor, labels: Any) -> Tensor:
        logits, labels = self._arrays(logits, labels)
        shape = logits.shape
        if labels.shape != shape[:-1] or not shape or 0 in shape:
            expected = "logits are (..., classes) and labels (...), with at least one of each"
            raise ValueError(f"CrossEntropy: {expected}, not {shape} and {labels.shape}")
        classes, kept = shape[-1], np.not_equal(labels, self.ignore_index)
        weight = numpy.ones(classes) if self.weight is None else self.weight
        if weight.shape != (classes,):
            raise ValueError(f"CrossEntropy: weight has shape {weight.shape}, the logits {classes} classes")
        known = f"integers from 0 to {classes - 1}, or ignore_index={self.ignore_index}"
        place = places(np.where(kept, labels, 0), classes, f"CrossEntropy: labels are {known}")
        weight = weight.astype(logits.dtype)
        log_p, share = np.log_softmax(logits, -1), np.where(kept, np.take(weight, place), 0.0)
        each = _scaled(share, np.take_along_axis(log_p, place[..., None], -1)[..., 0])
        if self.label_smoothing:
            even = np.where(kept, _scaled(weight, log_p).mean(-1), 0.0)
            each = (1.0 - self.label_smoothing) * each + self.label_smoothing * even
        return -each.mean() / share.mean()


def _unit(x: Any) -> tuple[Any, Any]:
    """Vectors by their lengths, and for each whether it has none, as a number."""
    size = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(size, size, 1.0), np.equal(size[..., 0], 0).astype(size.dtype)
