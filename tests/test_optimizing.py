"""Clipping, groups of parameters and batches: eagerly, and in a compiled update."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor
from nn import clip_grad_norm, clip_grad_value

from .test_training import RNG, Normed, assert_same, backends, by_hand, numbers


@backends
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "clip", [{"clip_norm": 0.1}, {"clip_value": 0.02}, {"clip_norm": 0.05, "clip_value": 0.02}, {"clip_norm": 1e9}]
)
def test_gradients_are_clipped_as_by_hand(backend, dtype, clip):
    def between(parameters):
        if "clip_value" in clip:
            clip_grad_value(parameters, clip["clip_value"])
        if "clip_norm" in clip:
            before = np.sqrt(sum((p.grad**2).sum() for p in parameters))
            assert clip_grad_norm(parameters, clip["clip_norm"]) == pytest.approx(before, rel=1e-6)
            after = np.sqrt(sum((p.grad**2).sum() for p in parameters))
            assert after == pytest.approx(min(before, clip["clip_norm"]), rel=1e-3)
        assert all(p.grad.dtype == p.data.dtype for p in parameters)

    models = [nn.MLP(3, [4], 2, rng=0, activation=nn.Tanh) for _ in range(2)]
    for p in models[0].parameters() + models[1].parameters():
        p.data = p.data.astype(dtype)
    ours, theirs = (nn.SGD(m.parameters(), 0.5) for m in models)
    xs, ys = RNG.normal(size=(3, 5, 3)).astype(dtype), 5 * RNG.normal(size=(3, 5, 2)).astype(dtype)
    losses = nn.TrainStep(models[0], nn.MSE(), ours, backend, **clip).run(xs, ys)
    expected = [by_hand(models[1], nn.MSE(), theirs, x, y, between) for x, y in zip(xs, ys)]
    assert_same([[*losses], numbers(models[0])], [expected, numbers(models[1])], 1e-9 if dtype == "f8" else 1e-4)


def test_clipping_is_as_in_pytorch():
    torch = pytest.importorskip("torch")
    gradients = [RNG.normal(size=shape) for shape in ((3, 2), (2,), ())]
    for norm, value in ((0.5, 0.3), (100.0, 100.0)):
        ours = [Tensor(np.zeros_like(g)) for g in gradients]
        theirs = [torch.zeros(g.shape, dtype=torch.float64) for g in gradients]
        for a, b, g in zip(ours, theirs, gradients):
            a.grad, b.grad = g, torch.tensor(g)
        assert clip_grad_norm(ours, norm) == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, norm).item())
        assert_same([p.grad for p in ours], [p.grad.numpy() for p in theirs])
        clip_grad_value(ours, value)
        torch.nn.utils.clip_grad_value_(theirs, value)
        assert_same([p.grad for p in ours], [p.grad.numpy() for p in theirs])


def test_clipping_passes_over_what_has_no_gradient_and_names_mistakes():
    p, other = Tensor([3.0, 4.0]), Tensor([1.0])
    assert clip_grad_norm([p, other], 1.0) == 0.0 and p.grad is None
    p.grad = kept = np.array([3.0, 4.0])
    assert clip_grad_norm([p, other], 1.0) == 5.0 and kept.tolist() == [3.0, 4.0] and other.grad is None
    with pytest.raises(ValueError, match="clip_grad_norm: most must be above 0"):
        clip_grad_norm([p], 0.0)
    with pytest.raises(TypeError, match="clip_grad_value needs a list of the Tensors"):
        clip_grad_value(nn.Linear(2, 1, 0), 1.0)
    with pytest.raises(TypeError, match="clip_grad_norm needs a list of the Tensors"):
        clip_grad_norm(p, 1.0)
    with pytest.raises(ValueError, match="clip_norm must be above 0"):
        nn.TrainStep(lambda x: x * p, nn.MSE(), nn.SGD([p], 0.1), clip_norm=-1.0)


def test_a_limit_of_numpys_widens_no_gradient():
    model = nn.Linear(3, 2, rng=0, dtype=np.float32)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters()), "python", clip_value=np.float64(0.1))
    step(np.ones((4, 3), np.float32), np.ones((4, 2), np.float32))
    assert all(x.dtype != np.float64 for x in step.program.steps if x.shape)


def test_an_epoch_in_batches():
    x, y, weights = RNG.normal(size=(7, 2)), np.arange(7), [*range(7)]
    rng, orders = np.random.default_rng(0), []
    for _ in range(2):
        found = [*nn.batches((x, weights), y, 3, rng)]
        assert [len(labels) for _, labels in found] == [3, 3, 1]
        orders.append(np.concatenate([labels for _, labels in found]).tolist())
        for (rows, some), labels in found:
            np.testing.assert_array_equal(rows, x[labels])
            assert some.tolist() == labels.tolist() and labels.dtype == y.dtype
    assert sorted(orders[0]) == sorted(orders[1]) == weights and orders[0] != orders[1]
    one, again = ([labels.tolist() for _, labels in nn.batches(x, y, 3, 5)] for _ in range(2))
    assert one == again
    for wrong in ((x, y[:6]), (x[:0], y[:0]), (1.0, 2.0), ((), ())):
        with pytest.raises(ValueError, match="batches: x and y need equally many examples"):
            nn.batches(*wrong, 3, rng)
    with pytest.raises(ValueError, match="size must be a positive integer"):
        nn.batches(x, y, 0, rng)
    with pytest.raises(TypeError, match="rng is a seed"):
        nn.batches(x, y, 3, None)


@pytest.mark.parametrize("make", [lambda p: nn.SGD(p, 0.1), lambda p: nn.Adam(p, 0.1)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_parameter_may_be_a_single_number(make, dtype):
    of_numbers, of_arrays = Tensor(np.array(3.0, dtype)), Tensor(np.array([3.0], dtype))
    for w in (of_numbers, of_arrays):
        optimizer = make([w])
        for _ in range(3):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
        assert type(w.data) is np.ndarray and w.dtype == dtype
    assert of_numbers.data == of_arrays.data[0]


GROUPS = {
    "sgd": lambda m: nn.SGD(
        [{"params": m[0].parameters(), "lr": 0.05, "momentum": 0.9}, {"params": m[2].parameters()}], 0.1
    ),
    "adamw": lambda m: nn.AdamW(
        [
            {"params": [m[0].weight, m[2].weight]},
            {"params": [m[0].bias, m[2].bias], "weight_decay": 0.0, "lr": nn.Warmup(0.1, 3)},
        ],
        0.01,
        weight_decay=0.1,
    ),
    "a Tensor among groups": lambda m: nn.SGD(
        [m[0].weight, {"params": m[2].parameters(), "lr": 0.3}, m[0].bias], nn.ExponentialDecay(0.1, 0.9)
    ),
}


@backends
@pytest.mark.parametrize("make", GROUPS)
def test_groups_have_settings_of_their_own(backend, make, tmp_path):
    models = [nn.MLP(3, [4], 2, rng=0, activation=nn.Tanh) for _ in range(3)]
    ours, theirs, loaded = (GROUPS[make](m) for m in models)
    step = nn.TrainStep(models[0], nn.MSE(), ours, backend)
    xs, ys = RNG.normal(size=(4, 5, 3)), RNG.normal(size=(4, 5, 2))
    for k in range(4):
        if k == 2:
            ours.groups[0].lr = theirs.groups[0].lr = loaded.groups[0].lr = 0.2
            nn.save(tmp_path / "model.npz", models[0]), nn.save(tmp_path / "optimizer.npz", ours)
            nn.load(tmp_path / "model.npz", models[2]), nn.load(tmp_path / "optimizer.npz", loaded)
        loss = by_hand(models[1], nn.MSE(), theirs, xs[k], ys[k])
        assert step(xs[k], ys[k]) == pytest.approx(loss, rel=1e-9)
        assert_same(numbers(models[0], ours), numbers(models[1], theirs))
        if k >= 2:
            by_hand(models[2], nn.MSE(), loaded, xs[k], ys[k])
    assert_same(numbers(models[0], ours), numbers(models[2], loaded))


bounds = st.none() | st.floats(0.01, 10)


@given(
    parts=st.integers(1, 3), norm=bounds, value=bounds, rate=st.floats(0.01, 0.2), momentum=st.sampled_from([0, 0.9])
)
def test_everything_together_is_the_loop_by_hand(parts, norm, value, rate, momentum):
    models = [Normed() for _ in range(2)]
    ours, theirs = (
        nn.SGD([m.first.weight, {"params": [m.norm.scale, m.last.bias], "lr": rate, "momentum": momentum}], 0.1)
        for m in models
    )
    options = {"has_aux": True, "clip_norm": norm, "clip_value": value, "accumulate": parts}

    def loss(prediction, y, weight):
        return (weight * (prediction - y) ** 2).mean(), prediction[:1]

    x, y, weight = RNG.normal(size=(2, 6, 3)), RNG.normal(size=(2, 6, 2)), RNG.uniform(size=(2, 6, 1))
    losses, first = nn.TrainStep(models[0], loss, ours, "python", **options).run(x, (y, weight))
    for k in range(2):
        theirs.zero_grad()
        cut = [np.split(array[k], parts) for array in (x, y, weight)]
        found = [loss(models[1](a), b, c) for a, b, c in zip(*cut)]
        (sum(each for each, _ in found) / parts).backward()
        if value is not None:
            clip_grad_value(theirs.parameters, value)
        if norm is not None:
            clip_grad_norm(theirs.parameters, norm)
        theirs.step()
        assert losses[k] == pytest.approx(sum(each.item() for each, _ in found) / parts)
        expected = np.stack([top.data for _, top in found])
        np.testing.assert_allclose(first[k], expected if parts > 1 else expected[0], rtol=1e-9)
    del models[1].seen
    assert_same(numbers(models[0], ours), numbers(models[1], theirs))


def test_groups_are_the_optimizers_of_their_parameters():
    model, separate = nn.MLP(2, [3], 1, rng=0), nn.MLP(2, [3], 1, rng=0)
    together = nn.Adam(
        [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters(), "eps": 1e-3}], 0.01
    )
    alone = [nn.Adam(separate[0].parameters(), 0.1), nn.Adam(separate[2].parameters(), 0.01, eps=1e-3)]
    for _ in range(3):
        x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 1))
        by_hand(model, nn.MSE(), together, x, y)
        separate.zero_grad()
        nn.MSE()(separate(x), y).backward()
        for optimizer in alone:
            optimizer.step()
        assert_same(numbers(model), numbers(separate))


def test_a_learning_rate_alone_may_be_a_function():
    parameters = [Tensor([1.0])]
    nn.Adam(parameters, lr=lambda step: 0.1 / step)
    for setting in ("momentum", "weight_decay"):
        with pytest.raises(TypeError, match=f"SGD: {setting}"):
            nn.SGD(parameters, 0.1, **{setting: lambda step: 0.9})


@pytest.mark.parametrize(
    "make, kind, message",
    [
        (
            lambda w: [{"params": [w], "rate": 0.1}],
            TypeError,
            "SGD: a group is a dict of 'params' and lr, .*not 'rate'",
        ),
        (lambda w: [{"parameters": [w]}], TypeError, "not 'parameters'"),
        (lambda w: [{"params": [w], "lr": -1.0}], ValueError, "SGD: lr must be at least 0"),
        (lambda w: [{"lr": 0.1}], TypeError, "needs a list of the Tensors"),
        (lambda w: [{"params": w}], TypeError, "needs a list of the Tensors"),
        (lambda w: [{"params": [w]}, {"params": [w]}], ValueError, "SGD: a parameter stands in two groups"),
        (lambda w: [w, {"params": [w]}], ValueError, "SGD: a parameter stands in two groups"),
        (lambda w: 5, TypeError, "needs a list of the Tensors"),
    ],
)
def test_mistakes_in_groups_are_named(make, kind, message):
    with pytest.raises(kind, match=message):
        nn.SGD(make(Tensor([1.0])), 0.1)


def test_a_schedule_without_a_number_is_named():
    w = Tensor([1.0])
    w.grad = np.ones(1)
    with pytest.raises(TypeError, match="Adam: lr gave None at step 1, which is no number"):
        nn.Adam([w], lambda step: None).step()
    for rate in (np.array(0.5), Tensor(0.5), np.float32(0.5), 0.5):
        nn.SGD([w], lambda step, rate=rate: rate).step()
    assert w.data.tolist() == [-1.0]


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam, nn.RMSprop, nn.Adagrad])
def test_what_overflows_warns_at_the_users_line(make):
    w = Tensor(np.array([1e200, 1.0]))
    for update, gradient in [
        (lambda: nn.clip_grad_norm([w], 1.0), [np.inf, 1.0]),
        (make([w], 1e200).step, [1e200, 1.0]),
    ]:
        w.grad = np.array(gradient)
        with pytest.warns(RuntimeWarning) as found:
            update()
        assert {warning.filename for warning in found} == {__file__}
