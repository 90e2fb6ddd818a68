"""A program is never stale: it is recorded again when anything that it was recorded from has changed."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import jit, value_and_grad

pytest.importorskip("llvmlite")
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])


class Settings:
    """Not callable: the code that names its attributes decides which of them count."""

    def __init__(self):
        self.rate, self.calls = 2.0, 0


SETTINGS = Settings()


@dataclass
class Shrinking:
    """A schedule that can be changed."""

    rate: float

    def __call__(self, step):
        return self.rate / step


class Scaled(nn.Module):
    """A model with everything that may be changed: a layer, a function, a number, an array, a list, a setting."""

    def __init__(self):
        self.layers = [nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1)]
        self.scale, self.mask, self.options = 1.5, np.array([1.0, 0.5, 1.0]), {"shift": 0.25}
        self.activation = anp.sin

    def __call__(self, x):
        x = self.layers[1](self.layers[0](x)) * self.mask
        return self.activation(self.layers[2](x)) * self.scale * SETTINGS.rate + self.options["shift"]


def edit(array):
    array *= 2.0


CHANGES = {
    "a replaced activation": lambda m, loss, o: m.layers.__setitem__(1, nn.ReLU()),
    "a replaced layer": lambda m, loss, o: setattr(m.layers[0], "weight", m.layers[0].weight),
    "a function": lambda m, loss, o: setattr(m, "activation", anp.cos),
    "a number": lambda m, loss, o: setattr(m, "scale", 0.5),
    "a dict": lambda m, loss, o: m.options.update(shift=-1.0),
    "an array in place": lambda m, loss, o: edit(m.mask),
    "an array": lambda m, loss, o: setattr(m, "mask", np.array([0.0, 1.0, 2.0])),
    "a global object": lambda m, loss, o: setattr(SETTINGS, "rate", SETTINGS.rate * 1.5),
    "the loss": lambda m, loss, o: setattr(loss, "delta", 0.125),
    "the schedule": lambda m, loss, o: setattr(o.lr, "rate", 0.001),
    "another schedule": lambda m, loss, o: setattr(o, "lr", nn.Constant(0.005)),
    "a setting": lambda m, loss, o: setattr(o, "momentum", 0.5),
}


@every_backend
def test_a_step_sees_whatever_is_changed(backend):
    pairs = []
    for _ in range(2):
        model, loss = Scaled(), nn.Huber(0.5)
        optimizer = nn.SGD(model.layers[0].parameters() + model.layers[2].parameters(), Shrinking(0.01), momentum=0.9)
        pairs.append((model, loss, optimizer))
    step = nn.TrainStep(*pairs[0], backend=backend)
    x, y = np.linspace(-1, 1, 8).reshape(4, 2), np.linspace(2, -2, 4).reshape(4, 1)
    before = SETTINGS.rate
    for name, change in {"nothing": lambda m, loss, o: None, **CHANGES}.items():
        rate = SETTINGS.rate
        for pair in pairs:
            SETTINGS.rate = rate
            change(*pair)
        model, loss, optimizer = pairs[1]
        value = loss(model(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        np.testing.assert_allclose(step(x, y), value.item(), rtol=1e-10, err_msg=name)
        for a, b in zip(pairs[0][2].parameters, optimizer.parameters):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-10, err_msg=name)
    SETTINGS.rate = before


@every_backend
def test_a_function_sees_whatever_is_changed(backend):
    model, constant = Scaled(), np.array([1.0, -1.0])

    def total(x, power=[2.0]):  # noqa: B006
        return anp.sum(model(x) ** power[0] * SETTINGS.rate) + anp.sum(x * constant)

    compiled = jit(total, backend=backend), jit(value_and_grad(total), backend=backend), jit(model, backend=backend)
    x, before = np.linspace(-1, 1, 8).reshape(4, 2), SETTINGS.rate
    changes = {name: change for name, change in CHANGES.items() if "schedule" not in name}
    changes |= {"a constant": lambda *_: edit(constant), "a default": lambda *_: total.__defaults__[0].append(3)}
    for name, change in {"nothing": lambda *_: None, **changes}.items():
        change(model, nn.Huber(), nn.SGD(model.layers[0].parameters(), 0.1))
        for f, eager in zip(compiled, (total, value_and_grad(total), model)):
            expected = eager(x)
            expected, ours = (value[0] if isinstance(value, tuple) else value for value in (expected, f(x)))
            np.testing.assert_allclose(ours.data, expected.data, rtol=1e-12, err_msg=name)
    SETTINGS.rate = before


class Defaults:
    """Objects have what their class has as long as they have none of their own."""

    rate = 2.0

    def scaled(self, x):
        return x * self.rate


class Doubling(nn.Module):
    """A module that holds nothing."""

    def forward(self, x):
        return x * 2.0 if self.training else x


def test_an_attribute_that_only_the_class_had_is_seen_when_it_is_set():
    defaults, layer = Defaults(), Doubling()
    named, bound = jit(lambda x: x * defaults.rate, "python"), jit(defaults.scaled, "python")
    functions = named, bound, jit(layer, "python"), jit(lambda x: layer(x), "python")
    assert [f(3.0) for f in functions] == [6.0] * 4
    defaults.rate = 5.0
    layer.eval()
    assert [f(3.0) for f in functions] == [15.0, 15.0, 3.0, 3.0]


def test_a_variable_of_a_closure_may_have_its_value_later():
    f = jit(lambda x: x * 2.0 if len(values) < 2 else x * later, "python")
    values = [0]
    assert f(3.0) == 6.0
    values, later = [0, 1], 5.0
    assert f(3.0) == 15.0


def test_what_does_not_count_is_not_compiled_again(monkeypatch):
    from autograd.compiler import llvm

    made = []
    code = llvm.MachineCode
    monkeypatch.setattr(llvm, "MachineCode", lambda *args, **kwargs: made.append(args) or code(*args, **kwargs))

    def f(x):
        SETTINGS.calls += 1  # not part of the program, though it runs when the program is recorded
        return anp.sin(x) * SETTINGS.rate

    compiled = jit(f, backend="llvm")
    for _ in range(5):
        assert compiled(1.0) == np.sin(1.0) * SETTINGS.rate
    SETTINGS.unknown = 1.0
    compiled(2.0)
    assert len(made) == 1
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), backend="llvm")
    for i in range(3):
        step(np.ones((2, 2)), np.ones((2, 1)))
        model.note = i  # the program is recorded again, and its machine code is the same
    assert len(made) == 2


class Remembers(Scaled):
    """Its forward assigns attributes and an entry of a dict, which leaves the others as worth watching as they are."""

    def __init__(self):
        super().__init__()
        self.shape = None

    def __call__(self, x):
        self.shape, self.count, self.options["last"] = x.shape, len(x), x.shape
        return super().__call__(x) * (1.0 if self.training else 2.0)


@given(st.lists(st.sampled_from(["nothing", "eval", "train", *list(CHANGES)[:7]]), max_size=5))
@settings(max_examples=10)
def test_what_forward_assigns_hides_no_other_change(changes):
    model, twin, x, y = Remembers(), Remembers(), np.linspace(-1, 1, 8).reshape(4, 2), np.ones((4, 1))
    changing = {**CHANGES, "nothing": str, "eval": nn.Module.eval, "train": nn.Module.train}
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.layers[0].parameters(), 0.0), backend="python")
    fast = jit(model, backend="python")
    for name in ["nothing", *changes]:
        for each in (model, twin):
            changing[name](each, None, None) if name in CHANGES else changing[name](each)
        result = twin(x)
        np.testing.assert_allclose(fast(x).data, result.data, rtol=1e-12)
        assert step(x, y) == pytest.approx(nn.MSE()(result, y).item(), rel=1e-12)
    step(x, y), fast(x)
    assert len(step.forms) == len(fast.forms) == 1
