"""Schedules against their formulas and PyTorch's numbers, on numbers and inside a compiled update."""

import math

import numpy as np
import pytest

import nn
from autograd import Tensor, jit

SCHEDULES = {  # and the rate at a step by hand
    "constant": (nn.Constant(0.5), lambda t: 0.5),
    "exponential": (nn.ExponentialDecay(0.5, 0.9), lambda t: 0.5 * 0.9**t),
    "steps": (nn.StepDecay(0.5, 3, 0.2), lambda t: 0.5 * 0.2 ** ((t - 1) // 3)),
    "linear": (nn.LinearDecay(0.5, 8, 0.1), lambda t: 0.5 - 0.4 * min(t / 8, 1)),
    "cosine": (nn.CosineDecay(0.5, 8, 0.1), lambda t: 0.1 + 0.4 * (1 + math.cos(math.pi * min(t / 8, 1))) / 2),
    "warmup": (nn.Warmup(nn.ExponentialDecay(0.5, 0.9), 4), lambda t: 0.5 * 0.9**t * min(t / 4, 1)),
    "warmup of a number": (nn.Warmup(0.5, 4), lambda t: 0.5 * min(t / 4, 1)),
    "one cycle": (nn.OneCycle(0.5, 11, 0.4, 10.0, 100.0), lambda t: one_cycle(t, 0.5, 11, 0.4, 10.0, 100.0)),
    "one cycle, up at once": (nn.OneCycle(0.5, 11, 0.15), lambda t: one_cycle(t, 0.5, 11, 0.15, 25.0, 1e4)),
    "one cycle, down": (nn.OneCycle(0.5, 11, 0.0), lambda t: one_cycle(t, 0.5, 11, 0.0, 25.0, 1e4)),
}


def one_cycle(t, most, steps, rise, div, final_div):
    peak, first = rise * steps, most / div
    if t < peak:
        begin, end, done = first, most, (t - 1) / (peak - 1)
    else:
        begin, end, done = most, first / final_div, min((t - peak) / (steps - peak), 1)
    return end + (begin - end) * (1 + math.cos(math.pi * done)) / 2


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_its_formula(name):
    schedule, by_hand = SCHEDULES[name]
    for t in range(1, 15):
        for step in (t, float(t), np.float64(t), np.array(float(t))):
            assert float(schedule(step)) == pytest.approx(by_hand(t), rel=1e-12)


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_compiled_update_has_the_same_rates(name, backend):
    pytest.importorskip("llvmlite") if backend == "llvm" else None
    schedule, by_hand = SCHEDULES[name]
    w = Tensor([0.0])
    step = nn.TrainStep(lambda x: w * x, lambda z, y: (z + y).sum(), nn.SGD([w], schedule), backend)
    before = w.data
    for t in range(1, 9):
        step(np.ones(1), np.zeros(1))
        assert (before - w.data).item() == pytest.approx(by_hand(t), rel=1e-9)
        before = w.data
    step.run(np.ones((6, 1)), np.zeros((6, 1)))
    assert (before - w.data).item() == pytest.approx(sum(map(by_hand, range(9, 15))), rel=1e-9)


def test_both_ends_are_exact():
    assert nn.LinearDecay(0.3, 7, 0.1)(7) == nn.CosineDecay(0.3, 7, 0.1)(99) == 0.1
    cycle = nn.OneCycle(0.3, 10)
    assert (cycle(1), cycle(3), cycle(10), cycle(99)) == (0.3 / 25, 0.3, 0.3 / 25 / 1e4, 0.3 / 25 / 1e4)
    assert nn.OneCycle(0.3, 1)(1) > 0 and nn.OneCycle(0.3, 4, 1.0)(4) == 0.3
    rates = jit(lambda t: nn.StepDecay(1.0, 2, 0.5)(t))(np.arange(1.0, 6.0))
    assert rates.tolist() == [1.0, 1.0, 0.5, 0.5, 0.25]


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: nn.Constant(-1.0), ValueError, "Constant: rate must be at least 0"),
        (lambda: nn.ExponentialDecay(0.1, "0.9"), TypeError, "ExponentialDecay: decay must be a number, not '0.9'"),
        (lambda: nn.StepDecay(0.1, 0), ValueError, "StepDecay: every must be at least 1"),
        (lambda: nn.LinearDecay(0.1, 0.5), ValueError, "LinearDecay: steps must be at least 1"),
        (lambda: nn.CosineDecay(0.1, 0), ValueError, "CosineDecay: steps must be at least 1"),
        (lambda: nn.Warmup("0.1", 5), TypeError, "Warmup: schedule must be a number"),
        (lambda: nn.OneCycle(0.1, 10, 1.5), ValueError, "OneCycle: pct_start must be at least 0 and at most 1"),
        (lambda: nn.OneCycle(0.1, 10, div_factor=0), ValueError, "OneCycle: div_factor must be above 0"),
    ],
)
def test_mistakes_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("name", ["steps", "one cycle", "one cycle, up at once", "one cycle, down"])
def test_rates_of_pytorch(name):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    kinds, schedule = torch.optim.lr_scheduler, SCHEDULES[name][0]
    theirs = {
        "steps": lambda: kinds.StepLR(optimizer, 3, 0.2),
        "one cycle": lambda: kinds.OneCycleLR(optimizer, 0.5, 11, pct_start=0.4, div_factor=10, final_div_factor=100),
        "one cycle, up at once": lambda: kinds.OneCycleLR(optimizer, 0.5, 11, pct_start=0.15),
        "one cycle, down": lambda: kinds.OneCycleLR(optimizer, 0.5, 11, pct_start=0.0),
    }[name]()
    for t in range(1, 12):
        assert schedule(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        theirs.step() if t < 11 else None
