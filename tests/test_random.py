"""autograd.random: the same numbers from the same generator, eagerly, compiled, and in every iteration of a run."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, TracingError, Value, checkpoint, grad, hessian, jit, random, vmap
from nn import train

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
X = np.array([0.3, -0.7, 1.2])
DRAWS = {
    "uniform": lambda rng: random.uniform(rng, 3),
    "uniform of float32": lambda rng: random.uniform(rng, (2, 3), np.float32),
    "normal": lambda rng: random.normal(rng, [3]),
    "normal of float32": lambda rng: random.normal(rng, (1, 3), np.float32),
    "number": lambda rng: random.uniform(rng),
    "normal number": lambda rng: random.normal(rng),
    "number of float32": lambda rng: random.normal(rng, (), np.float32),
    "mask": lambda rng: random.bernoulli(rng, 0.4, (2, 3)),
    "mask of probabilities": lambda rng: random.bernoulli(rng, [0.1, 0.5, 0.9]),
    "one of two": lambda rng: random.bernoulli(rng, 0.5),
    "permutation": lambda rng: random.permutation(rng, 3),
}
NAMES = st.lists(st.sampled_from(list(DRAWS)), min_size=1, max_size=4)
SEEDS = st.integers(0, 2**32)


def test_they_are_those_of_the_generator():
    ours, theirs = (np.random.default_rng(1) for _ in range(2))
    np.testing.assert_array_equal(random.uniform(ours, (2, 3)), theirs.random((2, 3)))
    np.testing.assert_array_equal(random.uniform(ours, 3, "f4"), theirs.random(3, np.float32))
    np.testing.assert_array_equal(random.normal(ours, 4), theirs.standard_normal(4))
    assert (type(random.uniform(ours)), random.normal(ours)) == (float, theirs.standard_normal(2)[1])
    np.testing.assert_array_equal(random.permutation(ours, 9), theirs.permutation(9))
    assert random.bernoulli(ours, 1.0, 5).all() and not random.bernoulli(ours, 0, 5).any()
    assert random.bernoulli(ours, 0.3, 100_000).mean() == pytest.approx(0.3, abs=0.01)


@every_backend
@settings(max_examples=8)
@given(names=NAMES, seed=SEEDS)
def test_each_call_of_a_program_draws_what_the_function_would(backend, names, seed):
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)

    def f(rng):
        return lambda x: sum([anp.sum(anp.sin(x * DRAWS[name](rng)) * (i + 1)) for i, name in enumerate(names)])

    compiled, slope = jit(f(ours), backend=backend), jit(grad(f(ours)), backend=backend)
    for x in (X, 2 * X, X.astype(np.float32)):
        rtol = 1e-4 if x.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(compiled(x), f(theirs)(x), rtol=rtol, atol=rtol)
        np.testing.assert_allclose(slope(x), grad(f(theirs))(x), rtol=rtol, atol=rtol)
        node, again = Tensor(x), Tensor(x)
        compiled(node).backward()
        f(theirs)(again).backward()
        np.testing.assert_allclose(node.grad, again.grad, rtol=rtol, atol=rtol)
    assert ours.bit_generator.state == theirs.bit_generator.state and len(compiled.forms) == 2


@every_backend
def test_numbers_among_numbers(backend):
    ours, theirs = np.random.default_rng(0), np.random.default_rng(0)

    def f(rng, x):
        return x * random.uniform(rng) + anp.where(random.bernoulli(rng, 0.5), x, -x) * random.normal(rng)

    compiled = jit(lambda x: f(ours, x), backend=backend)
    assert [compiled(2.0) for _ in range(5)] == pytest.approx([f(theirs, 2.0) for _ in range(5)])
    x = Value(2.0)
    compiled(x).backward()
    assert x.grad == pytest.approx(f(theirs, 1.0))


def test_each_example_draws_its_own():
    rngs = [np.random.default_rng(0) for _ in range(2)]
    found = vmap(lambda x: x + random.normal(rngs[0], (3,)) * random.uniform(rngs[0]))(np.zeros((4, 3)))
    np.testing.assert_array_equal(found, [random.normal(rngs[1], (3,)) * random.uniform(rngs[1]) for _ in range(4)])


@every_backend
def test_a_generator_may_be_an_argument_and_is_a_part_of_the_form(backend):
    f = jit(lambda rng, x: x * random.uniform(rng, 3), backend=backend)
    for _ in range(2):
        for seed in (0, 1):
            ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
            for _ in range(2):
                np.testing.assert_array_equal(f(ours, X), X * theirs.random(3))
    assert len(f.forms) == 4


@every_backend
def test_a_gradient_is_of_what_was_drawn_for_its_value(backend):
    rng = np.random.default_rng(0)
    f = jit(lambda x: anp.sum(x**3 * random.uniform(rng, 3)), backend=backend)
    x = Tensor(X)
    first, second = f(x), f(x)
    drawn = np.random.default_rng(0).random((2, 3))
    second.backward()
    np.testing.assert_allclose(x.grad, 3 * X**2 * drawn[1])
    first.backward()
    np.testing.assert_allclose(x.grad, 3 * X**2 * drawn.sum(0))
    drawn = copy.deepcopy(rng).random(3)
    np.testing.assert_allclose(hessian(f)(X), np.diag(6 * X * drawn))


class Noisy(nn.Module):
    """A network with dropout, noise and a random scale."""

    def __init__(self, rng):
        self.first, self.second, self.rng = nn.Linear(3, 4, rng=0), nn.Linear(4, 1, rng=1), rng

    def forward(self, x):
        h = anp.tanh(self.first(x))
        h = anp.where(random.bernoulli(self.rng, 0.7, h.shape), h / 0.7, 0.0)
        return self.second(h + 0.1 * random.normal(self.rng, h.shape) * random.uniform(self.rng))


XS, YS = np.random.default_rng(5).normal(size=(12, 6, 3)), np.random.default_rng(6).normal(size=(12, 6, 1))


def by_hand(seed):
    model = Noisy(np.random.default_rng(seed))
    optimizer, losses = nn.Adam(model.parameters(), 0.05), []
    for x, y in zip(XS, YS):
        loss = nn.MSE()(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model


@every_backend
def test_each_iteration_of_a_run_draws_what_the_loop_by_hand_would(backend, monkeypatch):
    for bytes_ahead in (2**26, 1000, 1):  # all at once, a few iterations at a time, each alone
        monkeypatch.setattr(train, "DRAWN", bytes_ahead)
        losses, theirs = by_hand(3)
        ours = Noisy(np.random.default_rng(3))
        step = nn.TrainStep(ours, nn.MSE(), nn.Adam(ours.parameters(), 0.05), backend)
        found = [step(XS[0], YS[0]), *step.run(XS[1:9], YS[1:9]), *step.run(XS[9:], YS[9:])]
        np.testing.assert_allclose(found, losses, rtol=1e-9)
        for a, b in zip(ours.parameters(), theirs.parameters()):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9)
        assert ours.rng.bit_generator.state == theirs.rng.bit_generator.state and len(step.forms) == 1


def test_a_run_that_fails_has_drawn_nothing(monkeypatch):
    model = Noisy(np.random.default_rng(3))
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), "python")
    step(XS[0], YS[0])
    before, weights = model.rng.bit_generator.state, model.first.weight.data

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(step.last), "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        step.run(XS, YS)
    assert model.rng.bit_generator.state == before and model.first.weight.data is weights


@every_backend
def test_another_generator_in_its_place_is_seen(backend):
    class Holder:
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def __call__(self, x):
            return x * random.uniform(self.rng, 3)

    holder = Holder()
    f = jit(holder, backend=backend)
    for seed in (0, 7):
        holder.rng = np.random.default_rng(seed)
        np.testing.assert_array_equal(f(X), X * np.random.default_rng(seed).random(3))


def test_inside_checkpoint_the_second_run_draws_the_same():
    def slopes(wrap, compile):
        rng, w, x = np.random.default_rng(0), Tensor(X), Tensor(X)
        inner = wrap(compile(lambda x: x * random.uniform(rng, 3) * w))
        outer = wrap(lambda x: inner(x) * random.normal(rng, 3) + inner(x) ** 2)
        loss = outer(x).sum()
        state = rng.bit_generator.state
        loss.backward()
        assert rng.bit_generator.state == state
        return x.grad, w.grad

    expected = slopes(lambda f: f, lambda f: f)
    for wrap, compile in ((checkpoint, lambda f: f), (checkpoint, jit), (lambda f: f, jit)):
        for a, b in zip(slopes(wrap, compile), expected):
            np.testing.assert_allclose(a, b, rtol=1e-12)


GLOBAL = np.random.default_rng(0)


class Own:
    """What draws by itself, from a generator of one of NumPy's two kinds."""

    def __init__(self, rng):
        self.rng = rng

    def __call__(self, x):
        return x * self.rng.normal()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * np.random.rand(),  # noqa: NPY002
        lambda x: x * GLOBAL.random(),
        lambda x, rng=GLOBAL: x * rng.random(),
        Own(np.random.default_rng(0)),
        Own(np.random.RandomState(0)),  # noqa: NPY002
    ],
)
def test_what_would_be_drawn_once_for_all_is_refused(f):
    with pytest.raises(TracingError, match=r"autograd\.random, such as uniform\(rng, shape\)"):
        jit(f)(1.0)
    model = nn.Linear(2, 1, rng=0)
    step = nn.TrainStep(lambda x: f(1.0) * model(x), nn.MSE(), nn.SGD(model.parameters(), 0.1))
    with pytest.raises(TracingError, match="the same at each call"):
        step(np.ones((3, 2)), np.ones((3, 1)))


def test_recording_draws_nothing_and_generators_that_are_arguments_are_looked_at():
    rng = np.random.default_rng(0)
    with pytest.raises(TracingError, match="random numbers were drawn"):
        jit(lambda rng, x: x * rng.random())(rng, 1.0)
    rng = np.random.default_rng(0)
    with pytest.raises(TracingError, match="decided a branch"):
        jit(lambda x: x if random.uniform(rng) > 0.5 else -x)(1.0)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


@pytest.mark.parametrize(
    "draw, error, message",
    [
        (lambda rng: random.uniform(0, 3), TypeError, r"numpy\.random\.default_rng\(0\), not 0"),
        (lambda rng: random.normal(None), TypeError, "not None"),
        (lambda rng: random.permutation(np.random.RandomState(0), 3), TypeError, "rng is a"),  # noqa: NPY002
        (lambda rng: random.bernoulli(rng, 1.5, 3), ValueError, "between 0 and 1, not 1.5"),
        (lambda rng: random.bernoulli(rng, np.nan), ValueError, "between 0 and 1"),
        (lambda rng: random.bernoulli(rng, [0.5, 0.5], 3), ValueError, "mismatch|do not broadcast"),
        (lambda rng: random.bernoulli(rng, [0.5, 0.5], ()), ValueError, r"shape \(2,\) do not broadcast"),
        (lambda rng: random.uniform(rng, 3, int), TypeError, "int64"),
        (lambda rng: random.uniform(rng, -1), ValueError, "negative"),
        (lambda rng: random.uniform(rng, 1.5), TypeError, "float"),
    ],
)
def test_mistakes_are_named(draw, error, message):
    rng = np.random.default_rng(0)
    for work in (lambda: draw(rng), lambda: jit(lambda x: x * draw(rng))(X)):
        with pytest.raises(error, match=message):
            work()
