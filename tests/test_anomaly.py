"""detect_anomaly names the first operation that goes wrong, and the line of the user."""

import threading

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import AnomalyError, Tensor, Value, detect_anomaly, grad, gradients, hessian, no_grad


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def changed_constant():
    weights = np.ones(3)
    total = (Tensor([1.0, 2.0, 3.0]) * weights).sum()
    weights[0] = 5.0
    total.backward()


def changed_leaf():
    x = Tensor([1.0, 2.0])
    y = anp.sin(x).sum()
    x.data[0] = 3.0
    y.backward()


def infinite_weight():
    model = nn.MLP(2, [3], 1, rng=0)
    model.parameters()[0].data[0, 0] = np.inf
    model(np.ones((2, 2)))


@pytest.mark.parametrize(
    "work, message",
    [
        (
            lambda: anp.log(Tensor([1.0, -1.0, 0.0])),
            r"value of log has 1 NaN and 1 infinite among 3 .* x of shape \(3,\)",
        ),
        (lambda: Value(0.0).log() * 0.0 + 1.0, r"value of log is -inf; it was given x = 0.0"),
        (lambda: 1.0 / Value(0.0), r"value of truediv is inf; it was given x = 1.0, y = 0.0"),
        (
            lambda: anp.sqrt(Tensor([0.0, 1.0])).sum().backward(),
            r"gradient of sqrt with respect to x has 0 NaN and 1 inf",
        ),
        (lambda: (Value(0.0) ** 0.5).backward(), r"gradient of pow with respect to x is inf"),
        (lambda: grad(grad(lambda x: x**1.5))(0.0), r"with respect to x is inf; it was given x = 0.0, y = 1.5"),
        (lambda: hessian(lambda x: anp.sum(x**1.5))(np.zeros(2)), r"gradient of lowered .* 1 infinite among 2"),
        (changed_constant, r"the argument y of mul was changed after it was used"),
        (changed_leaf, r"the argument x of sin was changed after it was used"),
        (infinite_weight, r"value of affine has 0 NaN and 2 infinite among 6 elements"),
    ],
)
def test_the_first_anomaly_is_named(work, message):
    with pytest.raises(AnomalyError, match=rf"{message}.*recorded at {__file__}, line \d+"):
        with detect_anomaly():
            work()
    try:  # outside nothing is looked at
        work()
    except AnomalyError:
        pytest.fail("detect_anomaly() did not end")


def test_what_is_finite_passes_and_numbers_stay_the_same():
    def f(x):
        return anp.sum(anp.tanh(x) ** 2 / (1 + x * x))

    x = np.linspace(-2, 2, 5)
    plain = grad(f)(x), hessian(f)(x)
    for ours, theirs in zip(detect_anomaly()(lambda: (grad(f)(x), hessian(f)(x)))(), plain):
        np.testing.assert_array_equal(ours, theirs)
    before = Value(0.0).sqrt()
    with detect_anomaly(), pytest.raises(AnomalyError, match="recorded at a line before detect_anomaly"):
        before.backward()
    with no_grad(), detect_anomaly():
        assert anp.log(Value(0.0)).data == -np.inf  # no graph, nothing to find


def test_only_this_thread_is_looked_at():
    found, inside, done = [], threading.Event(), threading.Event()

    def elsewhere():
        inside.wait()
        x = Value(0.0)
        found.append(gradients(x.sqrt(), [x])[0])
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with detect_anomaly():
        inside.set()
        assert done.wait(10)
    thread.join()
    assert found == [np.inf]
