"""Schedules: the learning rate as a function of the step, a number or a node.

Steps count from 1, so that a decay in n steps is one step on at its first one, and ends with step n.
"""

import math
from dataclasses import dataclass
from typing import Any

import autograd.numpy as np

from .arguments import Amount, Count, Positive, Rate, Settings, Share


@dataclass(frozen=True)
class Constant(Settings):
    """The same learning rate at every step."""

    rate: Amount

    def __call__(self, step: Any) -> Any:
        return self.rate


@dataclass(frozen=True)
class ExponentialDecay(Settings):
    """initial * decay ** step: the rate is multiplied before each use, the first one included."""

    initial: Amount
    decay: Amount

    def __call__(self, step: Any) -> Any:
        return self.initial * self.decay**step


@dataclass(frozen=True)
class StepDecay(Settings):
    """The rate is multiplied by a factor after `every` steps, as by PyTorch's StepLR."""

    initial: Amount
    every: Count
    factor: Amount = 0.1

    def __call__(self, step: Any) -> Any:
        return self.initial * self.factor ** ((step - 1) // self.every)


@dataclass(frozen=True)
class LinearDecay(Settings):
    """From initial to final along a line in `steps` steps."""

    initial: Amount
    steps: Count
    final: Amount = 0.0

    def __call__(self, step: Any) -> Any:
        return self.final + (self.initial - self.final) * (1.0 - np.minimum(step * (1.0 / self.steps), 1.0))


class CosineDecay(LinearDecay):
    """From initial to final along half a cosine in `steps` steps (Loshchilov and Hutter 2017, equation 5)."""

    def __call__(self, step: Any) -> Any:
        done = np.minimum(step * (1.0 / self.steps), 1.0)
        return self.final + (self.initial - self.final) * (0.5 + 0.5 * np.cos(math.pi * done))


@dataclass(frozen=True)
class Warmup(Settings):
    """Another schedule (or a constant rate), reached linearly in the first `steps` steps."""

    schedule: Rate
    steps: Count

    def __call__(self, step: Any) -> Any:
        rate = self.schedule(step) if callable(self.schedule) else self.schedule
        return rate * np.minimum(step * (1.0 / self.steps), 1.0)


@dataclass(frozen=True)
class OneCycle(Settings):
    """From most / div_factor to `most` in a share of the steps, and down to a final_div_factor-th of where it began.

    Both along half cosines, as PyTorch's OneCycleLR (Smith and Topin 2018); the rate then stays.
    """

    most: Amount
    steps: Count
    pct_start: Share = 0.3
    div_factor: Positive = 25.0
    final_div_factor: Positive = 1e4

    def __call__(self, step: Any) -> Any:
        first, peak = self.most / self.div_factor, self.pct_start * self.steps
        # of no length, a part is over at once
        up = _eased(1.0 - (peak - step) / max(peak - 1, 1e-9))
        down = _eased((step - peak) / max(self.steps - peak, 1e-9))
        return (1.0 - down) * ((1.0 - up) * first + up * self.most) + down * (first / self.final_div_factor)


def _eased(done: Any) -> Any:
    """From 0 to 1 along half a cosine; 0 before and 1 after."""
    return 0.5 - 0.5 * np.cos(math.pi * np.clip(done, 0.0, 1.0))
