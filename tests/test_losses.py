"""Losses against NumPy by hand and PyTorch's numbers, eager and compiled, and what is no label."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, check_gradients, gradients, jit, value_and_grad, vmap
from autograd.tree import flatten

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(2, 6, 4))
SIGNS = np.array([1, -1, 1, -1, -1, 1])
DENSITIES = RNG.dirichlet(np.ones(4), 6)
DENSITIES[0] = [1.0, 0.0, 0.0, 0.0]
LABELS = np.array([3, 0, 2, 1, 2, 2])
WEIGHT = [0.5, 1.0, 0.0, 3.0]
BACKENDS = ["python", "llvm"]


def cosine(x, y):
    return (x * y).sum(-1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)


def cross_entropy(x, labels, weight=None, smoothing=0.0, ignored=-100):
    """Label by label, from the definition."""
    p, classes = np.exp(x) / np.exp(x).sum(-1, keepdims=True), x.shape[-1]
    weight, total, weights = np.ones(classes) if weight is None else np.asarray(weight), 0.0, 0.0
    for place in np.ndindex(labels.shape):
        if (label := labels[place]) != ignored:
            even = -(weight * np.log(p[place])).mean()
            total += (1 - smoothing) * -weight[label] * np.log(p[place][label]) + smoothing * even
            weights += weight[label]
    return total / weights


LOSSES = {  # the loss of an array, and the same by hand
    "cross entropy": (lambda x: nn.CrossEntropy()(x, LABELS), lambda x: cross_entropy(x, LABELS)),
    "weights": (lambda x: nn.CrossEntropy(WEIGHT)(x, LABELS), lambda x: cross_entropy(x, LABELS, WEIGHT)),
    "smoothing": (
        lambda x: nn.CrossEntropy(WEIGHT, 0.2, ignore_index=1)(x, LABELS),
        lambda x: cross_entropy(x, LABELS, WEIGHT, 0.2, 1),
    ),
    "KL": (
        lambda x: nn.KLDiv()(anp.log_softmax(x, -1), DENSITIES),
        lambda x: (
            sum(
                p * (np.log(p) - np.log(q))
                for p, q in zip(DENSITIES.ravel(), (np.exp(x) / np.exp(x).sum(-1, keepdims=True)).ravel())
                if p
            )
            / 6
        ),
    ),
    "cosine": (lambda x: nn.CosineSimilarity()(x, Y), lambda x: (1 - cosine(x, Y)).mean()),
    "cosine, labels": (
        lambda x: nn.CosineSimilarity(0.1)(x, Y, SIGNS),
        lambda x: np.where(SIGNS > 0, 1 - cosine(x, Y), np.maximum(cosine(x, Y) - 0.1, 0)).mean(),
    ),
    "hinge": (
        lambda x: nn.Hinge()(x[:, 0] * x[:, 1], SIGNS),
        lambda x: np.maximum(0, 1 - SIGNS * (x[:, 0] * x[:, 1])).mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_its_definition(name):
    loss, expected = LOSSES[name]
    np.testing.assert_allclose(loss(Tensor(X)).data, expected(X), rtol=1e-12)
    check_gradients(loss, X, order=2)
    for dtype, digits in ((np.float32, 1e-5), (np.float16, 1e-2)):
        found = loss(Tensor(X.astype(dtype)))
        np.testing.assert_allclose(found.data, expected(X), rtol=digits)
        assert found.dtype == dtype or name in ("KL", "cosine", "cosine, labels")  # whose targets are float64


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LOSSES)
def test_compiled_is_eager(name, backend):
    pytest.importorskip("llvmlite") if backend == "llvm" else None
    f = value_and_grad(LOSSES[name][0])
    for a, b in zip(jit(f, backend=backend)(X), f(X)):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@given(
    shape=st.lists(st.integers(1, 3), max_size=3),
    classes=st.integers(1, 4),
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.3, 1.0]),
    ignored=st.sampled_from([-100, 0, 2]),
    dtype=st.sampled_from(["u1", "i4", "i8", "f8"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60)
def test_cross_entropy_over_any_axes(shape, classes, weighted, smoothing, ignored, dtype, seed):
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(*shape, classes)), rng.integers(0, classes, shape)
    weight = rng.uniform(0.1, 2, classes) if weighted else None
    loss = nn.CrossEntropy(weight, smoothing, ignored)
    with np.errstate(invalid="ignore"):
        found = loss(Tensor(x), labels.astype(dtype))
        expected = (
            np.float64(cross_entropy(x, labels, weight, smoothing, ignored)) if np.any(labels != ignored) else np.nan
        )
    np.testing.assert_allclose(found.data, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("backend", ["eager", *BACKENDS])
@pytest.mark.parametrize(
    "loss, x, labels, expected",
    [
        (nn.CrossEntropy(WEIGHT, 0.1), X, np.where(SIGNS > 0, LABELS, -100), "from 0 to 3, or ignore_index=-100"),
        (nn.Hinge(), X[:, 0], SIGNS, "-1 and 1"),
    ],
)
def test_what_is_no_label_is_an_error(backend, loss, x, labels, expected):
    pytest.importorskip("llvmlite") if backend == "llvm" else None
    f = loss if backend == "eager" else jit(lambda x, labels: loss(x, labels), backend=backend)
    np.testing.assert_allclose(f(x, labels), loss(x, labels), rtol=1e-12)
    message = f"^{type(loss).__name__}: labels are .*{expected}"
    for wrong in (4, -4, -5, 2**40):
        with pytest.raises(IndexError, match=message):
            f(x, np.where(np.arange(6) == 4, wrong, labels))
    for other in (1.5, np.nan):  # of another dtype, so that a compiled function is recorded anew
        with np.errstate(invalid="ignore"), pytest.raises(IndexError, match=message):
            f(x, np.where(np.arange(6) == 4, other, labels))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.CrossEntropy()(Tensor(X), LABELS[:, None]), r"labels \(...\), .* not \(6, 4\) and \(6, 1\)"),
        (lambda: nn.CrossEntropy()(Tensor(X[:0]), LABELS[:0]), "at least one of each"),
        (lambda: nn.CrossEntropy()(Tensor(1.0), 0), r"not \(\) and \(\)"),
        (lambda: nn.CrossEntropy([1.0, 2.0])(Tensor(X), LABELS), r"weight has shape \(2,\), the logits 4 classes"),
        (
            lambda: nn.CrossEntropy(label_smoothing=1.5),
            "CrossEntropy: label_smoothing must be at least 0 and at most 1",
        ),
        (lambda: nn.CrossEntropy(ignore_index=np.nan), "CrossEntropy: ignore_index must be at least -inf"),
        (lambda: nn.MSE()(Tensor(X[:0]), X[:0]), "MSE: the prediction has shape .* not empty"),
        (lambda: nn.KLDiv()(Tensor(X), X[0]), r"KLDiv: the prediction has shape \(6, 4\), the target \(4,\)"),
        (lambda: nn.CosineSimilarity()(Tensor(X), Y, SIGNS[:, None]), r"shape \(6,\), the target \(6, 1\)"),
        (lambda: nn.Hinge()(Tensor(X[:, :1]), SIGNS), r"Hinge: the prediction has shape \(6, 1\), the target \(6,\)"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_extreme_logits(dtype):
    x = Tensor(np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0]], dtype))
    loss = nn.CrossEntropy(label_smoothing=0.5)(x, [0, 2])
    assert loss.dtype == dtype and loss.item() == 0.5 * (0.0 + 1e4) / 2 + 0.5 * 1e4
    (slope,) = gradients(loss, [x])
    np.testing.assert_allclose(slope, [[1 / 6, -1 / 12, -1 / 12], [-1 / 12, 5 / 12, -1 / 3]], rtol=1e-3, atol=1e-7)
    masked = Tensor(np.array([[0.0, -np.inf, 0.0]], dtype))
    loss = nn.CrossEntropy()(masked, [2])
    np.testing.assert_allclose(loss.data, np.log(2), rtol=1e-3)
    np.testing.assert_allclose(gradients(loss, [masked])[0], [[0.5, 0.0, -0.5]], rtol=1e-3)
    long = Tensor(np.ones((70_000, 2), dtype))  # more than float16 can count
    np.testing.assert_allclose(nn.CrossEntropy()(long, np.zeros(70_000, int)).data, np.log(2), rtol=1e-3)


PLAIN = [nn.MSE(), nn.L1(), nn.Huber(), nn.BCEWithLogits(), nn.KLDiv(), nn.Hinge()]


@pytest.mark.parametrize("loss", PLAIN, ids=repr)
def test_targets_may_be_lists_but_have_no_mask(loss):
    x, y = Tensor(X), np.sign(X) if isinstance(loss, nn.Hinge) else DENSITIES
    for given_y in (y.tolist(), [Tensor(row) for row in y]):
        assert loss(x, given_y).item() == pytest.approx(loss(x, y).item(), rel=1e-12)
    with pytest.raises(TypeError, match="a masked array would lose its mask"):
        loss(x, np.ma.masked_array(y, y > 0.5))


def test_a_setting_of_numpy_widens_nothing():
    x = Tensor(X.astype("f4"))
    assert nn.Huber(np.float64(1.0))(x, x.data).dtype == "f4"
    assert nn.CrossEntropy(WEIGHT, np.float64(0.1))(x, LABELS).dtype == "f4"


@pytest.mark.parametrize("dtype", ["u1", "i8", "?"])
@pytest.mark.parametrize("loss", PLAIN, ids=repr)
def test_integers_widen_no_prediction(loss, dtype):
    x, y = X.astype("f4"), np.ones(X.shape, dtype)
    compiled = jit(loss, backend="python")(x, y)
    assert loss(Tensor(x), y).dtype == compiled.dtype == "f4"
    np.testing.assert_allclose([loss(Tensor(x), y).data, compiled], loss(Tensor(X), y.astype(float)).data, 1e-5)


@pytest.mark.parametrize("what", [np.full(X.shape, "a"), X * 1j, np.full(X.shape, None), [[1.0], [2.0, 3.0]]])
@pytest.mark.parametrize("loss", [*PLAIN, nn.CosineSimilarity(), nn.CrossEntropy()], ids=repr)
def test_what_is_no_number_is_refused_by_the_loss(loss, what):
    with pytest.raises((TypeError, ValueError), match=type(loss).__name__):
        loss(Tensor(X), what)
    with pytest.raises((TypeError, ValueError), match=type(loss).__name__):
        loss(what, X)


def test_vectors_that_are_near_each_other_or_nothing():
    x, far = np.array([[3e150, 4e150]]), np.array([[3.0, 4.0 + 1e-7]])
    angle = np.arctan2(far[0, 1], 3.0) - np.arctan2(4.0, 3.0)
    np.testing.assert_allclose(nn.CosineSimilarity()(Tensor(x), far).data, angle**2 / 2, rtol=1e-6)
    zeros = Tensor(np.zeros((1, 2)))
    loss = nn.CosineSimilarity()(zeros, far)
    assert loss.item() == 1.0 and np.isfinite(gradients(loss, [zeros])[0]).all()


def test_a_mapped_loss_is_the_loss_of_each():
    x, labels = RNG.normal(size=(5, 6, 4)), RNG.integers(0, 4, (5, 6))
    loss = nn.CrossEntropy(WEIGHT, 0.1)
    found = vmap(value_and_grad(lambda x, y: loss(x, y)))(x, labels)
    each = [value_and_grad(lambda x, y=y: loss(x, y))(x) for x, y in zip(x, labels)]
    for a, b in zip(found, zip(*each)):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_weights_that_are_changed_are_seen_by_a_compiled_step():
    pytest.importorskip("llvmlite")
    models = [nn.Linear(4, 4, rng=0) for _ in range(2)]
    loss = nn.CrossEntropy(np.ones(4))
    step = nn.TrainStep(models[0], loss, nn.SGD(models[0].parameters(), 0.1))
    by_hand = nn.SGD(models[1].parameters(), 0.1)
    for weight in (1.0, 5.0):
        loss.weight[2] = weight
        value = loss(models[1](X), LABELS)
        by_hand.zero_grad()
        value.backward()
        by_hand.step()
        assert step(X, LABELS) == pytest.approx(value.item(), rel=1e-12)
    for a, b in zip(*(flatten(model.state_dict()) for model in models)):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_numbers_of_pytorch(name):
    torch = pytest.importorskip("torch")
    functional, labels, signs = torch.nn.functional, torch.tensor(LABELS), torch.tensor(SIGNS)
    weight, y, p = (torch.tensor(a, dtype=torch.float64) for a in (WEIGHT, Y, DENSITIES))
    theirs = {
        "cross entropy": lambda x: functional.cross_entropy(x, labels),
        "weights": lambda x: functional.cross_entropy(x, labels, weight),
        "smoothing": lambda x: functional.cross_entropy(x, labels, weight, ignore_index=1, label_smoothing=0.2),
        "KL": lambda x: functional.kl_div(functional.log_softmax(x, -1), p, reduction="batchmean"),
        "cosine": lambda x: functional.cosine_embedding_loss(x, y, torch.ones(6)),
        "cosine, labels": lambda x: functional.cosine_embedding_loss(x, y, signs, 0.1),
        "hinge": lambda x: torch.relu(1 - signs * (x[:, 0] * x[:, 1])).mean(),
    }[name]
    x, t = Tensor(X), torch.tensor(X, requires_grad=True)
    ours, other = LOSSES[name][0](x), theirs(t)
    slope, (slope_there,) = gradients(ours, [x], True)[0], torch.autograd.grad(other, [t], create_graph=True)
    bend, (bend_there,) = gradients((slope**2).sum(), [x])[0], torch.autograd.grad((slope_there**2).sum(), [t])
    for a, b in ((ours.data, other), (slope.data, slope_there), (bend, bend_there)):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-8, atol=1e-11)
