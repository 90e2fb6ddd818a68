"""What is compiled runs operation by operation inside detect_anomaly, which looks at each, and does the same."""

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, detect_anomaly, grad, jit, vmap

from .test_anomaly import quiet, said  # noqa: F401  # a fixture


def test_jit_runs_uncompiled():
    w = Tensor([0.0, 2.0])
    f = jit(lambda x, k: anp.log(x * w) * k)
    assert f(np.ones(2), 1).data[0] == -np.inf
    for x in (np.ones(2), Tensor(np.ones(2))):
        assert "the value of log is -inf at (0,)" in said(lambda x=x: f(x, 1))
    with detect_anomaly():
        assert f.backend == "none (detect_anomaly looks at each operation)"
        assert jit(lambda x, i: x.exp()[i] * 2.0)(np.zeros(3), 1) == 2.0
        assert jit(lambda x: {"a": (x.exp(), None)})(0.0) == {"a": (1.0, None)}
        assert type(jit(grad(lambda x: x * x))(3.0)) is float
        np.testing.assert_array_equal(jit(lambda x, i: anp.take(x, i))(np.arange(3.0), np.array([2, 1])), [2.0, 1.0])
        assert grad(jit(lambda x: anp.sum(x**2)))(np.ones(2)).tolist() == [2.0, 2.0]
        assert isinstance(f(np.full(2, np.e), 0.0 * w + 1.0)[1], Tensor)
    assert f.backend != "none (detect_anomaly looks at each operation)"


def test_what_vmap_computes_is_looked_at():
    slope, zeros = vmap(grad(lambda x: anp.sum(anp.sqrt(x)))), np.zeros((3, 2))
    assert slope(zeros)[0, 0] == np.inf
    assert "the value of ratio is inf at (0, 0), one of 0 NaN and 6" in said(lambda: slope(zeros))
    with detect_anomaly():
        found = slope(zeros + 0.25)
        assert type(found) is np.ndarray and (found == 1.0).all()
        assert vmap(lambda x, i: x[i])(np.eye(2), np.array([1, 0])).tolist() == [0.0, 0.0]


class Net(nn.Module):
    """With a buffer to which forward assigns nodes, an unused parameter and random numbers."""

    def __init__(self):
        self.first, self.norm, self.last = nn.Linear(3, 4, 0), nn.BatchNorm(4), nn.Linear(4, 2, 1)
        self.drop, self.mean, self.unused = nn.Dropout(0.2, np.random.default_rng(3)), np.zeros(2), Tensor(np.ones(2))

    def forward(self, x):
        out = self.last(self.drop(anp.tanh(self.norm(self.first(x)))))
        self.mean = 0.9 * self.mean + 0.1 * out.mean(0)
        return out


def squares(prediction, target):
    return nn.MSE()(prediction, target), {"mean": prediction.mean(), "all": [prediction]}


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"clip_norm": 0.1, "clip_value": 0.01, "accumulate": 4}])
def test_a_train_step_runs_uncompiled_and_does_the_same(options):
    rng = np.random.default_rng(0)
    xs, ys, results = rng.normal(size=(3, 8, 3)), rng.normal(size=(3, 8, 2)), []
    for plain in (True, False):
        model = Net()
        optimizer = nn.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.1)
        step = nn.TrainStep(model, squares, optimizer, "python", has_aux=True, **options)
        if plain:
            run, once = step.run(xs, ys), step(xs[0], ys[0])
        else:
            with detect_anomaly():
                run, once = step.run(xs, ys), step(xs[0], ys[0])
                assert step.backend.startswith("none") and not step.forms
        assert type(once[0]) is float and all(p.grad is None for p in model.parameters())
        results.append([run[0], run[1]["mean"], run[1]["all"][0], once[0], once[1]["mean"], once[1]["all"][0]])
        results[-1] += [*model.state_dict().values(), *optimizer.state_dict().values()]
    for ours, theirs in zip(*results, strict=True):
        assert np.shape(ours) == np.shape(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_an_anomaly_in_a_train_step_changes_no_parameter():
    model = nn.MLP(3, [4], 2, rng=0)
    step = nn.TrainStep(model, lambda p, y: anp.log(p - 100.0).mean(), nn.SGD(model.parameters(), 0.1))
    before = model.state_dict()
    assert "the value of log is nan at (0, 0)" in said(lambda: step(np.ones((2, 3)), np.ones((2, 2))))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_optimizers_rule_is_looked_at():
    w = Tensor([1e3])
    step = nn.TrainStep(lambda x: x * w, nn.MSE(), nn.SGD([w], 1e308))
    found = said(lambda: step(np.ones((1, 1)), np.zeros((1, 1))))
    assert "the value of mul is inf at (0,)" in found and "by SGD.rule" in found
