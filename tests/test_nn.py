"""nn against explicit NumPy, and against what its papers say."""

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, check_gradients

RNG = np.random.default_rng(0)


def test_mlp_is_its_matrices():
    model = nn.MLP(3, [4, 5], 2, rng=0, bias_init=nn.uniform)
    x = RNG.normal(size=(6, 3))
    w1, b1, w2, b2, w3, b3 = (p.data for p in model.parameters())
    hidden = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
    np.testing.assert_allclose(model(x).data, hidden @ w3 + b3, rtol=1e-12)


@pytest.mark.parametrize(
    "loss, expected",
    [
        (nn.MSE(), lambda p, t: np.mean((p - t) ** 2)),
        (nn.L1(), lambda p, t: np.mean(abs(p - t))),
        (nn.Huber(0.5), lambda p, t: np.mean(np.where(abs(p - t) < 0.5, (p - t) ** 2 / 2, 0.5 * (abs(p - t) - 0.25)))),
        (
            nn.BCEWithLogits(),
            lambda p, t: np.mean(-t * np.log(1 / (1 + np.exp(-p))) - (1 - t) * np.log(1 - 1 / (1 + np.exp(-p)))),
        ),
    ],
)
def test_losses(loss, expected):
    p, t = RNG.normal(size=(5, 2)), RNG.uniform(size=(5, 2))
    np.testing.assert_allclose(loss(Tensor(p), t).data, expected(p, t), rtol=1e-10)
    check_gradients(lambda p: loss(p if isinstance(p, Tensor) else Tensor(p), t), p, order=1)
    with pytest.raises(ValueError, match=r"shape \(5, 2\), the target \(5,\)"):
        loss(Tensor(p), t[:, 0])


def test_optimizers_against_their_equations():
    for make, reference in (
        (lambda p: nn.SGD(p, 0.1, 0.9), _momentum),
        (lambda p: nn.Adam(p, 0.1), _adam),
        (lambda p: nn.RMSprop(p, 0.1, 0.9, 1e-3, 0.1, 0.8), _rmsprop),
        (lambda p: nn.Adagrad(p, 0.1, 0.1, 1e-3), _adagrad),
    ):
        w = Tensor([1.0, -2.0])
        optimizer = make([w])
        expected = reference(w.data.copy())
        for _ in range(5):
            optimizer.zero_grad()
            (w**4).sum().backward()
            optimizer.step()
        np.testing.assert_allclose(w.data, expected, rtol=1e-10)


def _momentum(w):
    v = 0.0
    for _ in range(5):
        v = 0.9 * v + 4 * w**3
        w = w - 0.1 * v
    return w


def _adam(w):
    m = v = 0.0
    for t in range(1, 6):
        g = 4 * w**3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def _rmsprop(w):
    v = b = 0.0
    for _ in range(5):
        g = 4 * w**3 + 0.1 * w
        v = 0.9 * v + 0.1 * g * g
        b = 0.8 * b + g / (np.sqrt(v) + 1e-3)
        w = w - 0.1 * b
    return w


def _adagrad(w):
    v = 0.0
    for _ in range(5):
        g = 4 * w**3 + 0.1 * w
        v = v + g * g
        w = w - 0.1 * g / (np.sqrt(v) + 1e-3)
    return w


@pytest.mark.parametrize(
    "name, options",
    [
        ("RMSprop", {}),
        ("RMSprop", {"alpha": 0.5, "momentum": 0.9, "weight_decay": 0.1, "eps": 0.01}),
        ("Adagrad", {}),
        ("Adagrad", {"weight_decay": 0.1, "eps": 0.01}),
    ],
)
def test_optimizers_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = Tensor([1.0, -2.0, 0.0]), torch.tensor([1.0, -2.0, 0.0], dtype=torch.float64, requires_grad=True)
    mine, other = getattr(nn, name)([ours], **options), getattr(torch.optim, name)([theirs], **options)
    for _ in range(5):
        for w, optimizer in ((ours, mine), (theirs, other)):
            optimizer.zero_grad()
            (w**4).sum().backward()
            optimizer.step()
        np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)


def test_initializers_have_their_variances():
    rng = np.random.default_rng(0)
    assert nn.he((100, 400), rng).var() == pytest.approx(2 / 100, rel=0.05)
    assert nn.xavier((100, 400), rng).var() == pytest.approx(2 / 500, rel=0.05)
    assert nn.uniform((100, 400), rng).var() == pytest.approx(1 / 12, rel=0.05) and not nn.zeros((3,), rng).any()


def test_initializers_take_a_seed():
    for initializer in (nn.he, nn.xavier, nn.uniform, nn.normal, nn.zeros):
        np.testing.assert_array_equal(initializer((2, 3), 7), initializer((2, 3), np.random.default_rng(7)))
    with pytest.raises(TypeError, match="rng is a seed or a numpy.random.Generator.*not 0.1"):
        nn.uniform(-0.1, 0.1)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.MLP(2, [8], 1, rng=0)(np.ones((4, 3))), r"MLP.layers\[0\] = Linear\(2 -> 8\) takes 2 features"),
        (lambda: nn.Linear(0, 2, rng=0), "Linear: n_in must be a positive integer"),
        (lambda: nn.MLP(2, [-1], 1, rng=0), "MLP: a hidden size must be"),
        (lambda: nn.SGD([Tensor([1.0])], lr=-1.0), "SGD: lr must be at least 0"),
        (lambda: nn.MLP(2, 8, 1, rng=0), r"hidden_sizes is a list of sizes, such as \[8, 8\], not 8"),
        (lambda: nn.MLP(2, [8], 1, rng=0, activation="tanhh"), "activation is a function, or one of 'relu', 'tanh'"),
        (lambda: nn.MLP(2, [8], 1, rng=0, activation=3), "activation is a function, or one of .* not 3"),
        (lambda: nn.Linear(2, 8, rng=0, init="kaiming"), "init is a function, or one of 'he', 'xavier'"),
        (
            lambda: nn.Linear(2, 8, 0, init=lambda shape, rng: rng.normal(size=shape[::-1])),
            r"init gave an array of shape \(8, 2\) for a weight of shape \(2, 8\)",
        ),
        (lambda: nn.Linear(2, 8, 0, bias_init=lambda shape, rng: 0.0), r"bias_init gave an array of shape \(\)"),
        (lambda: nn.Linear(2, 8, rng=-1), "rng is a seed .* not -1: expected non-negative integer"),
        (lambda: nn.Linear(2, 8, rng=0.5), "rng is a seed .* not 0.5: "),
        (lambda: nn.Linear(2, 8, rng=None), "rng is a seed or a numpy.random.Generator"),
        (lambda: nn.Sequential(nn.Linear(2, 3, 0), nn.ReLU), "layer 1 is the class ReLU"),
        (lambda: nn.Sequential([nn.ReLU()]), "layer 0 must be a layer or another function, not list"),
        (lambda: nn.MSE()([1.0], [1.0]), "MSE: the prediction is a Tensor, not list"),
        (lambda: nn.CrossEntropy()(1.0, [1]), "CrossEntropy: the prediction is a Tensor, not float"),
        (lambda: nn.SGD(nn.Linear(2, 3, 0)), "SGD needs a list of the Tensors to change: model.parameters()"),
        (lambda: nn.SGD(nn.Linear(2, 3, 0), 0.1), "SGD needs a list of the Tensors to change: model.parameters()"),
        (lambda: nn.SGD(Tensor([1.0]), 0.1), "needs a list of the Tensors"),
        (lambda: nn.SGD([Tensor([1.0])], "0.1"), "SGD: lr must be a number, not '0.1'"),
        (lambda: nn.SGD([Tensor([1.0])], 0.1, momentum=None), "momentum must be a number, not None"),
        (lambda: nn.Adam([Tensor([1.0])], betas=0.9), "betas are two numbers"),
        (lambda: nn.Adam([Tensor([1.0])], betas=(1.0, 0.9)), "Adam: a beta must be at least 0 and below 1, not 1.0"),
        (lambda: nn.SGD([Tensor([1.0])], nn.CosineDecay), r"SGD: lr is the class CosineDecay: give CosineDecay\("),
        (lambda: nn.Warmup(nn.CosineDecay, 3), "Warmup: schedule is the class CosineDecay"),
        (lambda: nn.CosineDecay(0.1, 0), "steps must be at least 1"),
        (lambda: nn.save(nn.ReLU(), "m.npz"), "save: str is neither .*: the path comes first"),
        (lambda: nn.load(nn.ReLU(), "m.npz"), "load: str is no Module .* the path comes first"),
        (lambda: nn.scalar.MLP(2, 8), "nouts is a list of sizes"),
        (lambda: nn.scalar.Neuron(2)([1.0]), r"ReLUNeuron\(2\) has 2 weights, the input has 1"),
        (lambda: nn.SGD([Tensor([1.0])], nesterov=True), "nesterov=True needs a momentum above 0"),
        (lambda: nn.scalar.Neuron(2)(1.0), r"ReLUNeuron\(2\) takes a list of 2 numbers or Values, not 1.0"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize("activation", ["tanh", "Tanh", nn.Tanh, nn.Tanh(), np.tanh, anp.tanh, lambda x: x.tanh()])
def test_an_activation_is_a_class_a_name_a_layer_or_a_function(activation):
    model = nn.MLP(np.int64(2), np.array([3, 3]), np.int32(1), rng=0, activation=activation, init="xavier")
    x = RNG.normal(size=(4, 2))
    expected = nn.MLP(2, [3, 3], 1, rng=0, activation=nn.Tanh, init=nn.xavier)(x)
    np.testing.assert_array_equal(model(x).data, expected.data)
    np.testing.assert_array_equal(model(x.tolist()).data, expected.data)
    assert model[1] is not model[3] or not isinstance(activation, nn.Module)


def test_sequential_is_a_sequence():
    model, x = nn.MLP(2, [3], 1, rng=0), RNG.normal(size=(4, 2))
    assert len(model) == 3 and [*model] == model.layers and model[-1] is model.layers[2]
    np.testing.assert_array_equal(model[2:](model[:2](x)).data, model(x).data)


def test_optimizers_losses_and_schedules_have_a_repr():
    w = [Tensor([1.0])]
    assert repr(nn.SGD(w, 0.1)) == "SGD(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)"
    assert repr(nn.AdamW(w, nn.Warmup(0.1, 5))) == (
        "AdamW(lr=Warmup(schedule=0.1, steps=5), betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)"
    )
    assert repr((nn.MSE(), nn.Huber(2.0))) == "(MSE(), Huber(delta=2.0))"


def test_an_optimizer_is_saved_like_a_module(tmp_path):
    first, second = (nn.SGD([Tensor([1.0, 2.0])], 0.1, momentum=0.9) for _ in range(2))
    first.parameters[0].grad = np.ones(2)
    first.step()
    nn.save(tmp_path / "o.npz", first)
    nn.load(tmp_path / "o.npz", second)
    assert second.steps == 1 and second.state[0][0].tolist() == [1.0, 1.0]


def test_lr_may_be_assigned():
    w = Tensor([1.0])
    optimizer = nn.SGD([w], lr=0.5)
    for lr in (0.25, nn.Constant(0.5), 1, 0.0):
        before, w.grad = w.data, np.ones(1)
        optimizer.lr = lr
        optimizer.step()
        assert before - w.data == (lr(1) if callable(lr) else lr) and optimizer.lr is lr
    optimizer.lr = -1.0
    with pytest.raises(ValueError, match="SGD: lr must be at least 0"):
        optimizer.step()


@pytest.mark.parametrize("make", [nn.SGD, nn.RMSprop])
def test_momentum_may_be_assigned_where_there_was_some(make):
    model, x, y = nn.Linear(2, 1, 0), np.ones((3, 2)), np.ones((3, 1))
    optimizer = make(model.parameters(), lr=0.1, momentum=0.9)
    step = nn.TrainStep(model, nn.MSE(), optimizer)
    for momentum in (0.9, 0.0, 0.5):
        optimizer.momentum = momentum
        nn.MSE()(model(x), y).backward()
        optimizer.step()
        step(x, y)
        assert all(len(state) == len(optimizer.slots) for state in optimizer.state)
    without = make(model.parameters(), lr=0.1)
    without.momentum = 0.9
    with pytest.raises(ValueError, match=f"{make.__name__}: its momentum was 0.* make a new {make.__name__}"):
        without.step()


def test_scalar_mlp_learns():
    model = nn.scalar.MLP(2, [8, 1], rng=0)
    points = [([0.0, 0.0], -1), ([1.0, 1.0], 1)]
    for _ in range(200):
        loss = sum((model(x) - y) ** 2 for x, y in points)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.02 * p.grad
    assert loss.data < 0.1
    assert repr(nn.scalar.MLP(2, [2, 1])).endswith("ReLUNeuron(2)], Layer of [LinearNeuron(2)]]")
