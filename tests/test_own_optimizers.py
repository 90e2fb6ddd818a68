"""Optimizers of the user: slots and a rule, in groups, by hand and in a compiled update, and what a rule may not do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn

from .test_training import RNG, assert_same, backends, by_hand, numbers


class Late(nn.optim.Optimizer):
    """Of a user, with an __init__ that calls Optimizer's first."""

    slots = ("last",)

    def __init__(self, params, lr=0.1, decay=0.0, sign=-1.0):
        super().__init__(params, lr)
        self.decay, self.sign = decay, sign

    def rule(self, parameter, gradient, state, lr, step):
        gradient = gradient + self.decay * parameter + 0.5 * state[0]
        return parameter + self.sign * lr * gradient, (gradient,)


class Early(Late):
    def __init__(self, decay, everything, lr):
        self.decay, self.sign = decay, -1.0
        nn.optim.Optimizer.__init__(self, everything, lr)


@dataclasses.dataclass
class Dated(nn.optim.Optimizer):
    decay: float = 0.0
    sign, slots, rule = -1.0, Late.slots, Late.rule


@pytest.mark.parametrize(
    "make",
    [
        lambda parameters, lr, decay: Late(parameters, lr, decay, sign=-1.0),
        lambda parameters, lr, decay: Early(decay, parameters, lr),
        lambda parameters, lr, decay: Dated(parameters, lr, decay),
    ],
)
@given(rates=st.tuples(*[st.floats(0.0, 0.2)] * 2), decay=st.floats(0.1, 0.5))
def test_groups_of_an_optimizer_of_the_user_have_its_settings(make, rates, decay):
    models = [nn.MLP(2, [3], 1, rng=0) for _ in range(3)]
    grouped = [
        make([{"params": m[0].parameters(), "lr": rates[0]}, {"params": m[2].parameters()}], rates[1], decay)
        for m in models[:2]
    ]
    alone = [make(models[2][k].parameters(), rate, decay) for k, rate in zip((0, 2), rates)]
    step = nn.TrainStep(models[0], nn.MSE(), grouped[0], "python")
    for _ in range(3):
        x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 1))
        assert step(x, y) == pytest.approx(by_hand(models[1], nn.MSE(), grouped[1], x, y))
        models[2].zero_grad()
        nn.MSE()(models[2](x), y).backward()
        for optimizer in alone:
            optimizer.step()
        assert_same(numbers(models[0]), numbers(models[1]))
        assert_same(numbers(models[1]), numbers(models[2]))


def ruled(returned, base=nn.optim.Optimizer, slots=("mean", "square")):
    """An optimizer with a rule that returns this."""
    rule = lambda self, parameter, gradient, state, lr, step: returned(self, parameter, gradient, state)
    return type("Mine", (base,), {"rule": rule, "slots": slots})


@backends
@pytest.mark.parametrize(
    "returned, got",
    [
        (lambda self, p, g, state: p - g, r"\(2, 1\)"),
        (lambda self, p, g, state: None, "NoneType"),
        (lambda self, p, g, state: (p, (g,)), r"\(\(2, 1\), \(\(2, 1\),\)\)"),
        (lambda self, p, g, state: (p, (g, g, g)), r"\(\(2, 1\), \(\(2, 1\), \(2, 1\), \(2, 1\)\)\)"),
        (lambda self, p, g, state: (p, (g, 1.0)), "'float'"),
        (lambda self, p, g, state: (p, (g, g.sum())), r"\(\(2, 1\), \(\)\)"),
        (lambda self, p, g, state: (p.sum(), state), r"\(\(\), \("),
        (lambda self, p, g, state: (p + np.ones((2, 3)), state), r"\(\(2, 3\), \("),
    ],
)
def test_a_rule_returns_what_it_was_given(backend, returned, got):
    model, x, y = nn.Linear(2, 1, rng=0), np.ones((4, 2)), np.ones((4, 1))
    optimizer, before = ruled(returned)(model.parameters(), 0.1), numbers(model)
    for update in (
        lambda: by_hand(model, nn.MSE(), optimizer, x, y),
        lambda: nn.TrainStep(model, nn.MSE(), optimizer, backend)(x, y),
    ):
        with pytest.raises(TypeError, match=f"Mine.rule must return the parameter .* not .*{got}"):
            update()
        assert_same(numbers(model), before)


@backends
def test_what_a_step_would_not_do_again_is_refused(backend):
    def counting(self, p, g, state):
        self.count = getattr(self, "count", 0) + 1
        return p - g / self.count, state

    def keeping(self, p, g, state):
        self.seen[p.shape] = g
        return p - g, state

    model, x, y = nn.Linear(2, 1, rng=0), np.ones((4, 2)), np.ones((4, 1))

    class Shrinking:
        rate = 0.1

        def __call__(self, step):
            self.rate *= 0.5
            return self.rate

    shrinking = lambda parameters, lr: nn.SGD(parameters, Shrinking())
    for make, name in (
        (ruled(counting, slots=()), "Mine.count"),
        (ruled(keeping, slots=()), "Mine.seen"),
        (shrinking, "Shrinking.rate"),
    ):
        optimizer = make(model.parameters(), 0.1)
        optimizer.seen = {}
        with pytest.raises(TypeError, match=f"an update changes {name}: keep that in slots, or make it of the step"):
            nn.TrainStep(model, nn.MSE(), optimizer, backend)(x, y)
    own = type("Own", (nn.SGD,), {"step": lambda self: nn.SGD.step(self)})(model.parameters(), 0.1)
    with pytest.raises(TypeError, match=r"Own has a step\(\) of its own"):
        nn.TrainStep(model, nn.MSE(), own, backend)
    without = type("Without", (nn.optim.Optimizer,), {})(model.parameters(), 0.1)
    with pytest.raises(NotImplementedError, match="Without defines no rule"):
        by_hand(model, nn.MSE(), without, x, y)
