"""nn.TrainStep: a compiled update is the update by hand, for every optimizer, schedule and loss."""

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.tree import flatten

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
RNG = np.random.default_rng(0)
OPTIMIZERS = {
    "sgd": lambda p: nn.SGD(p, nn.ExponentialDecay(0.02, 0.99)),
    "momentum": lambda p: nn.SGD(p, 0.01, momentum=0.9),
    "nesterov": lambda p: nn.SGD(p, nn.Warmup(nn.CosineDecay(0.02, 15), 5), 0.9, True, 1e-3),
    "adam": lambda p: nn.Adam(p, nn.CosineDecay(0.05, 30), weight_decay=0.01),
    "adamw": lambda p: nn.AdamW(p, nn.Constant(0.01)),
    "rmsprop": lambda p: nn.RMSprop(p, nn.OneCycle(0.01, 20), momentum=0.9, weight_decay=0.01),
    "adagrad": lambda p: nn.Adagrad(p, 0.05, weight_decay=0.01),
}
TARGETS = {
    "MSE": (nn.MSE(), lambda n: RNG.normal(size=(n, 6, 2))),
    "L1": (nn.L1(), lambda n: RNG.normal(size=(n, 6, 2))),
    "Huber": (nn.Huber(0.5), lambda n: RNG.normal(size=(n, 6, 2))),
    "CrossEntropy": (nn.CrossEntropy(), lambda n: RNG.integers(0, 2, size=(n, 6))),
    "BCE": (nn.BCEWithLogits(), lambda n: RNG.uniform(size=(n, 6, 2))),
    "Hinge": (nn.Hinge(), lambda n: RNG.choice([-1, 1], size=(n, 6, 2))),
    "Cosine": (nn.CosineSimilarity(), lambda n: RNG.normal(size=(n, 6, 2))),
}
# they meet in the gradient alone
PAIRS = [*((optimizer, "MSE") for optimizer in OPTIMIZERS), *(("adam", loss) for loss in TARGETS if loss != "MSE")]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimizer, loss", PAIRS)
def test_train_step_is_the_loop_by_hand(backend, optimizer, loss):
    loss_function, make = TARGETS[loss]
    xs, ys = RNG.normal(size=(12, 6, 3)), make(12)
    ours, by_hand = (nn.MLP(3, [4], 2, rng=0, activation=nn.Tanh) for _ in range(2))
    mine, theirs = (OPTIMIZERS[optimizer](m.parameters()) for m in (ours, by_hand))
    losses = []
    for x, y in zip(xs, ys):
        value = loss_function(by_hand(x), y)
        theirs.zero_grad()
        value.backward()
        theirs.step()
        losses.append(value.item())
    step = nn.TrainStep(ours, loss_function, mine, backend=backend)
    found = [step(xs[0], ys[0]), *step.run(xs[1:], ys[1:])]
    np.testing.assert_allclose(found, losses, rtol=1e-9)
    for a, b in zip(
        flatten((ours.state_dict(), mine.state_dict())), flatten((by_hand.state_dict(), theirs.state_dict()))
    ):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert mine.steps == 12 and step.backend.startswith(backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_float32_stays_float32(backend, optimizer):
    ours, by_hand = (nn.MLP(3, [4], 2, rng=0) for _ in range(2))
    for p in [*ours.parameters(), *by_hand.parameters()]:
        p.data = p.data.astype(np.float32)
    mine, theirs = (OPTIMIZERS[optimizer](m.parameters()) for m in (ours, by_hand))
    xs, labels = RNG.normal(size=(5, 6, 3)).astype(np.float32), RNG.integers(0, 2, size=(5, 6))
    losses = nn.TrainStep(ours, nn.CrossEntropy(), mine, backend).run(xs, labels)
    for x, y, loss in zip(xs, labels, losses):
        value = nn.CrossEntropy()(by_hand(x), y)
        theirs.zero_grad()
        value.backward()
        theirs.step()
        assert loss.dtype == value.dtype == np.float32
        np.testing.assert_allclose(loss, value.data, rtol=1e-5)
    for a, b in zip(
        flatten((ours.state_dict(), mine.state_dict())), flatten((by_hand.state_dict(), theirs.state_dict()))
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_label_that_is_no_class_is_an_error_that_changes_nothing(backend):
    model = nn.MLP(2, [3], 2, rng=0)
    step = nn.TrainStep(model, nn.CrossEntropy(), nn.SGD(model.parameters(), 0.1), backend)
    assert np.isfinite(step(np.ones((2, 2)), np.array([0, 1])))
    before = model.state_dict()
    for label in (2, -1, -2, -100 - 2**40):
        with pytest.raises(IndexError, match="CrossEntropy: labels are integers from 0 to 1, or ignore_index=-100"):
            step(np.ones((2, 2)), np.array([0, label]))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_changed_learning_rate_is_seen(backend):
    model = nn.MLP(2, [3], 1, rng=0)
    optimizer = nn.SGD(model.parameters(), 0.1)
    step, before = nn.TrainStep(model, nn.MSE(), optimizer, backend), model.state_dict()
    x, y = np.ones((4, 2)), np.ones((4, 1))
    step(x, y)
    moved = {name: array - before[name] for name, array in model.state_dict().items()}
    model.load_state_dict(before)
    optimizer.lr = nn.Constant(0.2)
    step(x, y)
    for name, array in model.state_dict().items():
        np.testing.assert_allclose(array - before[name], 2 * moved[name], atol=1e-15)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_next_step_uses_an_assigned_learning_rate(backend, dtype):
    ours, by_hand = (nn.MLP(2, [3], 1, rng=0) for _ in range(2))
    for p in [*ours.parameters(), *by_hand.parameters()]:
        p.data = p.data.astype(dtype)
    mine, theirs = (nn.Adam(m.parameters(), 0.1) for m in (ours, by_hand))
    step, x, y = nn.TrainStep(ours, nn.MSE(), mine, backend), np.ones((4, 2), dtype), np.zeros((4, 1), dtype)
    programs = []
    for lr in (0.1, 0.01, np.float64(0.5), 1, nn.Warmup(0.1, 9), nn.ExponentialDecay(0.1, 0.5), 0.3):
        mine.lr = theirs.lr = lr
        theirs.zero_grad()
        nn.MSE()(by_hand(x), y).backward()
        theirs.step()
        step(x, y)
        programs.append(step.program)
        for a, b in zip(ours.parameters(), by_hand.parameters()):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-10 if dtype == "f8" else 1e-5)
    assert len({*map(id, programs[:4])}) == 1  # a number is an input of the program
    mine.lr = "0.1"
    with pytest.raises(TypeError, match="lr must be a number, not '0.1'"):
        step(x, y)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["i8", "u1", "i2", "?"])
def test_integers_and_booleans_are_given_to_the_model_as_they_are(backend, dtype):
    seen, x, y = [], RNG.integers(0, 2, (3, 6, 2)).astype(dtype), RNG.integers(0, 2, (3, 6, 1)).astype(dtype)

    def trained(x, y):
        model = nn.MLP(2, [3], 1, rng=0)
        step = nn.TrainStep(lambda x: seen.append(x.dtype) or model(x), nn.MSE(), nn.Adam(model.parameters()), backend)
        return [step(x[0], y[0]), *step.run(x[1:], y[1:])], [p.data for p in model.parameters()], step

    *ours, step = trained(x, y)
    for a, b in zip(flatten(ours), flatten(trained(x.astype(float), y.astype(float))[:2])):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert seen == [np.dtype(bool if dtype == "?" else int), np.dtype(float)] and len(step.forms) == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["i8", "u1", "i2", ">i4"])
def test_labels_are_integers_of_any_size(backend, dtype):
    model, labels = nn.MLP(2, [3], 2, rng=0), RNG.integers(0, 2, 6)
    x = RNG.normal(size=(6, 2))
    expected = nn.CrossEntropy()(model(x), labels).item()
    step = nn.TrainStep(model, nn.CrossEntropy(), nn.SGD(model.parameters(), 0.1), backend)
    assert step(x, labels.astype(dtype)) == pytest.approx(expected, rel=1e-12)
    assert step(x.tolist(), labels.tolist()) < expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_may_be_read_only_in_any_order_and_anywhere_in_memory(backend):
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4))
    start = RNG.normal(size=(3, 4))
    odd, fixed = np.zeros(97, np.uint8)[1:].view(float).reshape(3, 4), start.copy()
    odd[:], fixed.flags.writeable = start, False
    results = []
    for data in (start.copy(), odd, fixed, np.asfortranarray(start), start.copy().view(Subclass)):
        model = nn.Linear(3, 4, rng=0)
        model.weight.data = data
        step = nn.TrainStep(model, nn.MSE(), nn.Adam(model.parameters(), lr=0.1), backend)
        results.append([step(x, y), step(x, y), model.weight.data])
        assert np.array_equal(data, start)
    for each in results[1:]:
        for ours, first in zip(each, results[0]):
            np.testing.assert_allclose(ours, first, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("moved", [lambda p: p, lambda p: p.T, lambda p: p[::-1], lambda p: p[:, ::-1]])
def test_a_parameter_may_become_a_view_of_itself(backend, moved):
    class Moved(nn.SGD):
        def rule(self, parameter, gradient, state, lr, step):
            return moved(parameter), ()

    model, start = nn.Linear(3, 3, rng=0), np.arange(9.0).reshape(3, 3)
    model.weight.data, model.bias.data = start, -start
    step = nn.TrainStep(model, nn.MSE(), Moved(model.parameters(), lr=0.1), backend)
    step.run(np.ones((3, 3, 3)), np.ones((3, 3, 3)))
    for parameter, before in zip(model.parameters(), (start, -start)):
        np.testing.assert_array_equal(parameter.data, moved(moved(moved(before))))


class Subclass(np.ndarray):
    """An array of another class."""


def test_settings_may_be_lists():
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.Adam(model.parameters(), betas=[0.9, 0.999]))
    assert np.isfinite(step(np.ones((4, 2)), np.ones((4, 1))))
    assert repr(step) == "<TrainStep of MLP, MSE, Adam: 1 programs>"


def test_train_step_names_mistakes():
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    with pytest.raises(ValueError, match="need the same K"):
        step.run(np.ones((3, 4, 2)), np.ones((2, 4, 1)))
    with pytest.raises(ValueError, match="takes 2 features"):
        step(np.ones((4, 3)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="the target"):
        step(np.ones((4, 2)), np.ones(4))
    for wrong, message in (
        ((model, nn.MSE, step.optimizer), "the loss is the class MSE"),
        ((model, step.optimizer, nn.MSE()), r"MSE\(\) is no optimizer"),
        ((None, nn.MSE(), step.optimizer), "the model must be a layer or another function, not NoneType"),
    ):
        with pytest.raises(TypeError, match=message):
            nn.TrainStep(*wrong)
    for loss, message in (
        (lambda y, target: (y - target) ** 2, r"the loss is a node of shape \(\), such as a mean, not \(4, 1\)"),
        (lambda y, target: ((y - target) ** 2).sum((0, 1), keepdims=True)[0], r"not \(1,\)"),
        (lambda y, target: 1.0, "such as a mean, not float"),
        (lambda y, target: (y.mean(), y), "not tuple; has_aux=True takes a pair"),
    ):
        before = model.state_dict()
        with pytest.raises(TypeError, match=message):
            nn.TrainStep(model, loss, step.optimizer)(np.ones((4, 2)), np.ones((4, 1)))
        assert all((array == before[name]).all() for name, array in model.state_dict().items())
    with pytest.raises(ValueError, match="the loss depends on no parameter of the optimizer"):
        nn.TrainStep(nn.MLP(2, [3], 1, rng=0), nn.MSE(), step.optimizer)(np.ones((4, 2)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="auto, llvm, python and jax, not 'cuda'"):
        nn.TrainStep(model, nn.MSE(), step.optimizer, backend="cuda")
    with pytest.raises(RuntimeError, match="not been called"):
        _ = step.source


class Scaled(nn.SGD):
    """A rule whose elements depend on other elements of the parameter."""

    def rule(self, parameter, gradient, state, lr, step):
        return parameter / parameter[:1] - lr * gradient * parameter[-1:] + parameter[::-1], state


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_parameter_is_not_overwritten_before_all_of_it_was_read(backend):
    def losses(update):
        weight = Tensor(np.arange(1.0, 9.0))
        return update(weight, Scaled([weight], lr=0.1)), weight.data

    def by_hand(weight, optimizer):
        for _ in range(3):
            loss = (weight * 0.5).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def compiled(weight, optimizer):
        step = nn.TrainStep(lambda x: x * weight, nn.MSE(), optimizer, backend)
        step.run(np.full((3, 1, 8), 0.5), np.zeros((3, 1, 8)))

    np.testing.assert_allclose(losses(compiled)[1], losses(by_hand)[1], rtol=1e-12)
