"""Layers of nn against NumPy by hand, against finite differences, compiled, and against PyTorch where it is."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor, check_gradients, detect_anomaly, grad, jit

from .layers import CASES, convolved, on_parameters, over_windows


def made(name, dtype="f8"):
    """A layer with other numbers than it begins with, an input without equal or nearly equal numbers, and its case."""
    case, rng = CASES[name], np.random.default_rng(0)
    layer = case.make(dtype)
    layer.load_state_dict({k: rng.uniform(0.5, 1.5, a.shape).astype(dtype) for k, a in layer.state_dict().items()})
    x = (rng.permutation(math.prod(case.shape)).reshape(case.shape) * 0.05 - 1.987).astype(dtype)
    return layer, x, case


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_its_formula(name, dtype):
    layer, x, case = made(name, dtype)
    expected = case.reference(x, layer.state_dict())
    for given_x in (x, Tensor(x)):
        out = layer(given_x)
        assert out.dtype == dtype and out.shape == expected.shape
        np.testing.assert_allclose(
            getattr(out, "data", out), expected, *((1e-12, 1e-13) if dtype == "f8" else (1e-4, 1e-5))
        )
    layer(Tensor(x)).sum().backward()
    assert all(p.dtype == p.grad.dtype == dtype for p in layer.parameters())


@pytest.mark.parametrize("name", CASES)
def test_a_list_of_numbers_or_of_nodes_is_an_array(name):
    layer, x, _ = made(name)
    for given_x in (x.tolist(), [Tensor(part) for part in x]):
        out = layer(given_x)
        np.testing.assert_array_equal(getattr(out, "data", out), getattr(layer(x), "data", layer(x)))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i8", "?"])
@pytest.mark.parametrize("name", CASES)
def test_integers_and_masks_are_floats(name, dtype):
    (layer, x, case), rng = made(name), np.random.default_rng(0)
    x = rng.integers(0, 2 if dtype == "?" else 127, x.shape).astype(dtype)
    x[..., 0] = 1  # no row of zeros, of which RMSNorm's formula makes 0 / 0
    for layer_x in (layer(x), jit(layer, backend="python")(x)):
        out = np.asarray(getattr(layer_x, "data", layer_x))
        np.testing.assert_allclose(out, case.reference(x.astype(float), layer.state_dict()), 1e-12, 1e-13)


@pytest.mark.parametrize("dtype", ["u1", "i8", "?"])
@pytest.mark.parametrize("name", [name for name in CASES if made(name)[0].parameters()])
def test_integers_widen_no_weight(name, dtype):
    layer, x, _ = made(name, "f4")
    for f in (layer, jit(layer, backend="python")):
        assert f(np.ones(x.shape, dtype)).dtype == "f4"


NO_NUMBERS = {
    "None": None,
    "text": "abc",
    "complex": np.ones((2, 2, 4, 5)) * 1j,
    "objects": np.full((2, 2, 4, 5), None),
    "dates": np.zeros((2, 2, 4, 5), "M8[D]"),
    "ragged": [[1.0], [2.0, 3.0]],
    "a generator": (i for i in range(2)),
    "a mask": np.ma.masked_array(np.ones((2, 2, 4, 5)), True),
}


@pytest.mark.parametrize("what", NO_NUMBERS)
@pytest.mark.parametrize("name", CASES)
def test_what_is_no_number_is_refused_by_the_layer(name, what):
    layer, _, _ = made(name)
    with pytest.raises((TypeError, ValueError), match=type(layer).__name__):
        layer(NO_NUMBERS[what])


WIDE = {  # layers of float32 with settings of float64
    "Dropout": lambda: nn.Dropout(np.float64(0.5), 0),
    "LeakyReLU": lambda: nn.LeakyReLU(np.float64(0.1)),
    "LayerNorm": lambda: nn.LayerNorm(4, np.float64(1e-5), dtype="f4"),
    "RMSNorm": lambda: nn.RMSNorm(4, np.float64(1e-5), dtype="f4"),
    "BatchNorm": lambda: nn.BatchNorm(4, np.float64(1e-5), np.float64(0.1), dtype="f4"),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_setting_of_numpy_widens_nothing(name):
    x, layer = np.random.default_rng(0).normal(size=(3, 4)).astype("f4"), WIDE[name]()
    assert {layer(x).dtype, layer(Tensor(x)).dtype, jit(layer.eval())(x).dtype} == {np.dtype("f4")}


@pytest.mark.parametrize("name", CASES)
def test_healthy_layers_are_no_anomaly(name):
    layer, x, _ = made(name)
    with detect_anomaly():
        layer(Tensor(x)).sum().backward()


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    layer, x, case = made(name)
    function, parameters = on_parameters(layer)
    check_gradients(function, x, *parameters, order=1)
    if case.smooth:
        check_gradients(function, x, *parameters, order=2, directions=3)


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", CASES)
def test_a_compiled_layer_is_the_eager_one(name, backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    layer, x, _ = made(name)
    np.testing.assert_allclose(jit(lambda x: layer(Tensor(x)), backend)(x).data, layer(Tensor(x)).data, 1e-12, 1e-14)


def network():
    """Everything after each other, on images (batch, 1, 8, 8)."""
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3, 0, padding=1), nn.BatchNorm(4).eval(), nn.SiLU(), nn.MaxPool2d(2)),
        *(
            nn.Conv2d(4, 6, 2, 1, stride=2, bias=False, init="xavier"),
            nn.GELU("tanh"),
            nn.AvgPool2d(2, 1),
            nn.Flatten(),
        ),
        *(nn.LayerNorm(6), nn.Linear(6, 5, 2, bias=False), nn.LeakyReLU(), nn.Dropout(0.2, 3)),
        *(nn.RMSNorm(5, 1e-5), nn.MLP(5, [4], 3, 4, activation="GELU"), nn.Softmax()),
    )


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_they_train_together_as_by_hand(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(3, 4, 1, 8, 8)), rng.uniform(size=(3, 4, 3))
    ours, by_hand = network(), network()
    losses, optimizer = [], nn.SGD(by_hand.parameters(), 0.1)
    for x, y in zip(xs, ys):
        loss = nn.MSE()(by_hand(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    step = nn.TrainStep(ours, nn.MSE(), nn.SGD(ours.parameters(), 0.1), backend)
    np.testing.assert_allclose([step(xs[0], ys[0]), *step.run(xs[1:], ys[1:])], losses, 1e-10)
    for name, array in by_hand.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], array, 1e-9, 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_it_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    layer, x, case = made(name)
    theirs, rename = case.torch(torch.nn).double(), {"mean": "running_mean", "var": "running_var"}
    turned = (lambda a: a.T) if name.startswith("Linear") else lambda a: a
    state = {rename.get(k, k): torch.tensor(turned(a)) for k, a in layer.state_dict().items()}
    theirs.load_state_dict(state, strict=not name.startswith("BatchNorm"))  # which counts batches
    a, b = Tensor(x), torch.tensor(x, requires_grad=True)
    weight = np.random.default_rng(1).normal(size=layer(x).shape)
    for _ in range(2):  # an update in between
        ((out := layer(a)) * weight).sum().backward()
        ((expected := theirs(b)) * torch.tensor(weight)).sum().backward()
        np.testing.assert_allclose(out.data, expected.detach().numpy(), 1e-11, 1e-12)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), 1e-10, 1e-11)
        for key, p in layer.named_parameters():
            q = getattr(theirs, key)
            np.testing.assert_allclose(turned(p.grad), q.grad.numpy(), 1e-10, 1e-11)
            p.data, q.data = p.data - 0.01 * p.grad, q.data - 0.01 * q.grad


@pytest.mark.parametrize("name", CASES)
def test_the_state_is_all_there_is(name):
    layer, x, case = made(name)
    other = case.make("f8")
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other(Tensor(x)).data, layer(Tensor(x)).data)
    assert nn.Sequential(layer)[0] is layer and layer.describe() in repr(nn.Sequential(layer))


@given(st.data())
def test_windows_of_any_kind(data):
    size, stride, dilation = (data.draw(st.integers(1, 3)) for _ in range(3))
    padding, span = data.draw(st.integers(0, 2)), dilation * (size - 1) + 1
    n_in, n_out, batch = (data.draw(st.integers(1, 3)) for _ in range(3))
    shape = [batch, n_in, *(data.draw(st.integers(max(1, span - 2 * padding), span + 4)) for _ in range(2))]
    x, layer = np.random.default_rng(0).normal(size=shape), nn.Conv2d(n_in, n_out, size, 0, stride, padding, dilation)
    expected = convolved(x, layer.state_dict(), size, stride, padding, dilation)
    np.testing.assert_allclose(layer(x).data, expected, atol=1e-12)
    assert layer(x[:0]).shape == (0, *expected.shape[1:])
    if 2 * padding <= size <= min(shape[2:]):
        largest = over_windows(lambda seen: seen.max((2, 3)), x, size, stride, padding, fill=-np.inf)
        mean = over_windows(lambda seen: seen.mean((2, 3)), x, size, stride, padding)
        np.testing.assert_array_equal(nn.MaxPool2d(size, stride, padding)(Tensor(x)).data, largest)
        np.testing.assert_allclose(nn.AvgPool2d(size, stride, padding)(Tensor(x)).data, mean, atol=1e-12)


def test_dropout():
    x, layer = np.arange(1.0, 4001.0), nn.Dropout(0.25, 0)
    out = layer(Tensor(x)).data
    kept = out != 0
    assert abs(kept.mean() - 0.75) < 0.03
    np.testing.assert_allclose(out[kept], x[kept] / 0.75)
    again = jit(nn.Dropout(0.25, 0))
    np.testing.assert_array_equal(again(x), out)
    assert (again(x) != out).any()
    gradient = grad(lambda x: nn.Dropout(0.25, 0)(x).sum())(x)
    np.testing.assert_allclose(gradient, kept / 0.75)
    assert layer(x.astype("f4")).dtype == "f4" and layer.eval()(x) is x and nn.Dropout(0, 0)(x) is x
    assert not nn.Sequential(nn.Sequential(layer)).train().eval()[0][0].training


def test_kinks_and_ties():
    assert grad(nn.LeakyReLU(0.2))(0.0) == 0.2 and nn.LeakyReLU()(-1.0) == -0.01
    image = np.zeros((1, 1, 2, 2))
    np.testing.assert_array_equal(grad(lambda x: nn.MaxPool2d(2)(x).sum())(image), np.full_like(image, 0.25))


def test_the_left_tail_of_gelu():
    x = -10.0
    for layer, expected in (
        (nn.GELU(), x * math.erfc(10 / 2**0.5) / 2),
        (nn.SiLU(), x * math.exp(x) / (1 + math.exp(x))),
    ):
        assert layer(Tensor(x)).item() == pytest.approx(expected, rel=1e-14)
    z = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    assert nn.GELU("tanh")(Tensor(x)).item() == pytest.approx(x / (1 + math.exp(-2 * z)), rel=1e-12)


def test_gelu_without_scipy(monkeypatch):
    for name in ("autograd.scipy.special", "autograd.scipy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "scipy", None)
    nn.GELU("tanh")(np.ones(2))
    with pytest.raises(ImportError, match="autograd.scipy needs scipy, which is not installed") as error:
        nn.GELU()(np.ones(2))
    assert 'GELU("tanh")' in str(error.getrepr())  # the line of GELU that the traceback shows


def test_weights_of_windows_begin_as_the_papers_say():
    he, xavier = (nn.Conv2d(16, 64, 5, 0, init=init) for init in ("he", "xavier"))
    assert he.weight.data.var() == pytest.approx(2 / (16 * 25), rel=0.05) and not he.bias.data.any()
    assert xavier.weight.data.var() == pytest.approx(2 / (80 * 25), rel=0.05)
    mlp = nn.MLP(2, [3], 1, 0, activation="silu", dtype="f4")
    assert {p.dtype for p in mlp.parameters()} == {np.dtype("f4")} and isinstance(mlp[1], nn.SiLU)
    assert repr(nn.Sequential(he)).splitlines()[1].split("  ")[1:3] == [
        "Conv2d(16 -> 64, 5 x 5)",
        "(64, 16, 5, 5) (64,)",
    ]


X = np.ones((2, 3, 4, 4))


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: nn.Conv2d(2, 4, 3, 0)(X),
            r"Conv2d\(2 -> 4, 3 x 3\) takes images \(batch, 2, height, .* got .*\(2, 3, 4, 4\)",
        ),
        (lambda: nn.Conv2d(3, 4, 3, 0)(X[0]), r"takes images \(batch, 3, height, width\).*\(3, 4, 4\)"),
        (lambda: nn.Conv2d(3, 4, 5, 0)(X), r"of at least 5 x 5 with padding 0, got an input of shape \(2, 3, 4, 4\)"),
        (lambda: nn.MaxPool2d(5)(X), r"MaxPool2d\(5 x 5\) takes images \(batch, channels, height, width\)"),
        (lambda: nn.AvgPool2d(2)(X[0, 0]), r"AvgPool2d\(2 x 2\) takes images .* shape \(4, 4\)"),
        (lambda: nn.AvgPool2d(2, padding=2), r"AvgPool2d\(2 x 2\): padding is at most half"),
        (lambda: nn.MaxPool2d(2, 0), "MaxPool2d: stride must be a positive integer, not 0"),
        (lambda: nn.Conv2d(3, 4, 2.0, 0), "Conv2d: kernel_size must be a positive integer, not 2.0"),
        (lambda: nn.Conv2d(3, 4, 2, 0, padding=-1), "Conv2d: padding must be a positive integer or 0, not -1"),
        (lambda: nn.Conv2d(0, 4, 2, 0), "Conv2d: n_in must be a positive integer"),
        (lambda: nn.Conv2d(3, 4, 2, None), "rng is a seed"),
        (lambda: nn.Conv2d(3, 4, 2, 0, init="kaiming"), "init is a function, or one of 'he'"),
        (
            lambda: nn.LayerNorm(5)(X),
            r"LayerNorm\(5\) takes 5 features in the last axis, got an input of shape \(2, 3, 4, 4\)",
        ),
        (
            lambda: nn.RMSNorm(5)(np.float64(1.0)),
            r"RMSNorm\(5\) takes 5 features in the last axis, got an input of shape \(\)",
        ),
        (lambda: nn.LayerNorm(0), "LayerNorm: width must be a positive integer"),
        (lambda: nn.RMSNorm(4, -1.0), "RMSNorm: eps must be at least 0"),
        (
            lambda: nn.BatchNorm(4)(X),
            r"BatchNorm\(4\) takes 2 or 4 axes and 4 features in axis 1, got an input of shape \(2, 3, 4, 4\)",
        ),
        (
            lambda: nn.BatchNorm(3)(X[0, 0, 0, :3]),
            r"BatchNorm\(3\) takes 2 or 4 axes and 3 features in axis 1, got an input of shape \(3,\)",
        ),
        (lambda: nn.BatchNorm(3)(X[..., 0]), r"takes 2 or 4 axes .* got an input of shape \(2, 3, 4\)"),
        (lambda: nn.BatchNorm(3)(X[:1, :, 0, 0]), r"BatchNorm\(3\) in training takes several examples, .*\(1, 3\)"),
        (lambda: nn.BatchNorm(3, momentum=2.0), "BatchNorm: momentum must be at least 0 and at most 1"),
        (lambda: nn.Dropout(1.0, 0), "Dropout: p must be at least 0 and below 1, not 1.0"),
        (lambda: nn.Dropout(-0.1, 0), "Dropout: p must be at least 0"),
        (lambda: nn.Dropout("0.1", 0), "Dropout: p must be a number"),
        (lambda: nn.Dropout(0.1, None), "rng is a seed"),
        (lambda: nn.Flatten()(1.0), r"Flatten takes \(batch, ...\), got an input of shape \(\)"),
        (lambda: nn.Sequential(nn.GRU(4, 2, 0), nn.Linear(2, 1, 0))(X[0]), r"Linear\(2 -> 1\): .* give the first"),
        (lambda: nn.Sequential(nn.GRU(4, 2, 0), nn.Dropout(0.1, 0))(X[0]), r"Dropout: .* give the first"),
        (lambda: nn.Tanh()(X, X), "takes 2 positional arguments but 3 were given"),
        (lambda: nn.LeakyReLU("0.1"), "LeakyReLU: slope must be a number, not '0.1'"),
        (lambda: nn.GELU("erf"), "GELU: approximate is 'none' or 'tanh', not 'erf'"),
        (lambda: nn.Linear(2, 3, 0, bias=False)(X), r"Linear\(2 -> 3\) takes 2 features in the last axis"),
        (lambda: nn.Linear(2, 3, 0, dtype=int), "holds floats, not int64"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
