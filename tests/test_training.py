"""What nn.TrainStep can do besides the plain update: each is the loop by hand, by both printers."""

import contextlib
import copy
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, TracingError, detect_anomaly, jit, random, scan, vmap
from autograd.node import kinds
from autograd.tree import flatten

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
RNG = np.random.default_rng(0)
backends = pytest.mark.parametrize("backend", BACKENDS)


class Norm(nn.Module):
    """A layer with buffers: a running mean, and how often it was computed."""

    def __init__(self, width=3):
        self.scale, self.mean, self.count = Tensor(np.ones(width)), np.zeros(width), np.zeros(())

    def forward(self, x):
        if not self.training:
            return (x - self.mean) * self.scale
        mean = x.mean(0)
        self.mean = 0.75 * self.mean + 0.25 * (mean if kinds.tracing else np.asarray(getattr(mean, "data", mean)))
        self.count = self.count + 1.0
        return (x - mean) * self.scale


class Normed(nn.Module):
    def __init__(self, rng=0):
        self.first, self.norm, self.last = nn.Linear(3, 3, rng), Norm(), nn.Linear(3, 2, rng)

    def forward(self, x):
        self.seen = self.norm(anp.tanh(self.first(x)))  # a result that is kept for looking at
        return self.last(self.seen)


def by_hand(model, loss, optimizer, x, y, between=lambda parameters: None):
    value = loss(model(x), y)
    optimizer.zero_grad()
    value.backward()
    between(optimizer.parameters)
    optimizer.step()
    return value.item()


def numbers(*states):
    """All numbers of modules and optimizers, by name, one after the other."""
    return flatten([state.state_dict() for state in states])


def assert_same(ours, theirs, rtol=1e-9, atol=1e-12):
    for a, b in zip(flatten(ours), flatten(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@backends
def test_several_inputs_and_targets_are_tuples(backend):
    def model(x, places, scale):
        return layer(x)[:, 0] * scale + anp.take(table, places, axis=0)

    def loss(prediction, y, weight):
        return ((prediction - y) ** 2 * weight).mean()

    layer, table = nn.Linear(2, 1, rng=0), Tensor(np.linspace(0, 1, 5))
    twin, entries = nn.Linear(2, 1, rng=0), Tensor(np.linspace(0, 1, 5))
    mine, theirs = nn.Adam([*layer.parameters(), table], 0.1), nn.Adam([*twin.parameters(), entries], 0.1)
    xs = RNG.normal(size=(4, 6, 2)), RNG.integers(0, 5, (4, 6)), RNG.normal(size=(4, 6)).tolist()
    ys = RNG.normal(size=(4, 6)), RNG.uniform(size=(4, 6))
    step = nn.TrainStep(model, loss, mine, backend)
    found = [step(tuple(x[0] for x in xs), tuple(y[0] for y in ys))]
    found += [*step.run(tuple(x[1:] for x in xs), tuple(y[1:] for y in ys))]
    expected = []
    for k in range(4):
        x, places, scale = (np.asarray(x[k]) for x in xs)
        value = loss(twin(x)[:, 0] * scale + entries[places], *(y[k] for y in ys))
        theirs.zero_grad()
        value.backward()
        theirs.step()
        expected.append(value.item())
    assert_same([found, numbers(mine), table.data], [expected, numbers(theirs), entries.data])
    with pytest.raises(ValueError, match=r"same K, not shapes \(4, 6, 2\) and \(3, 6\) and \(2, 6\)"):
        step.run(xs[0], (ys[0][:3], ys[1][:2]))
    with pytest.raises(ValueError, match="same K, not shapes nothing and nothing"):
        step.run((), ())


@backends
def test_a_number_for_each_update_and_no_targets(backend):
    models = [nn.Linear(2, 1, rng=0) for _ in range(2)]
    mine, theirs = (nn.SGD(m.parameters(), 0.1) for m in models)
    step = nn.TrainStep(lambda x, scale: models[0](x) * scale, lambda out: (out**2).mean(), mine, backend)
    xs, scales = RNG.normal(size=(4, 5, 2)), RNG.normal(size=4)
    found = [step((xs[0], scales[0])), *step.run((xs[1:], scales[1:]))]
    for x, scale, loss in zip(xs, scales, found):
        assert loss == pytest.approx(by_hand(models[1], lambda out, y: ((out * y) ** 2).mean(), theirs, x, scale))
    assert_same(numbers(models[0]), numbers(models[1]))
    with pytest.raises(TypeError, match="one array or more, and was given none"):
        step(())


@backends
def test_what_is_replaced_holds_from_then_on(backend):
    models = [nn.MLP(2, [3], 1, rng=k % 2) for k in range(4)]
    x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 1))
    step = nn.TrainStep(models[0], nn.MSE(), nn.SGD(models[0].parameters(), 0.1), backend)
    theirs = nn.SGD(models[2].parameters(), 0.1)
    assert step(x, y) == pytest.approx(by_hand(models[2], nn.MSE(), theirs, x, y))
    step.loss = nn.L1()
    assert step(x, y) == pytest.approx(by_hand(models[2], nn.L1(), theirs, x, y))
    step.optimizer, theirs = (nn.Adam(m[2].parameters(), 0.1) for m in (models[0], models[2]))
    step.clip_norm = 0.01
    for _ in range(2):
        loss = by_hand(models[2], nn.L1(), theirs, x, y, lambda parameters: nn.clip_grad_norm(parameters, 0.01))
        assert step(x, y) == pytest.approx(loss)
    assert_same(numbers(models[0], step.optimizer), numbers(models[2], theirs))
    step.model, step.clip_norm = models[1], None
    step.optimizer, theirs = (nn.Adam(m.parameters(), 0.1) for m in (models[1], models[3]))
    assert step(x, y) == pytest.approx(by_hand(models[3], nn.L1(), theirs, x, y))
    assert_same(numbers(models[1], step.optimizer), numbers(models[3], theirs))
    for name, wrong, message in (("optimizer", 0.1, "is no optimizer"), ("loss", nn.MSE, r"give MSE\(...\)")):
        with pytest.raises(TypeError, match=message):
            setattr(step, name, wrong)
    assert step(x, y) == pytest.approx(by_hand(models[3], nn.L1(), theirs, x, y))


@backends
def test_what_a_loss_returns_besides(backend):
    def loss(logits, labels):
        right = logits.argmax(1) == labels
        return nn.CrossEntropy()(logits, labels), {"right": right.mean(), "each": [right, logits], "two": 2.0}

    model, twin = nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=0)
    mine, theirs = nn.SGD(model.parameters(), 0.1), nn.SGD(twin.parameters(), 0.1)
    step = nn.TrainStep(model, loss, mine, backend, has_aux=True)
    xs, ys = RNG.normal(size=(3, 5, 2)), RNG.integers(0, 3, (3, 5))
    found = [step(xs[0], ys[0])]
    losses, extras = step.run(xs[1:], ys[1:])
    found += [
        (losses[k], {"right": extras["right"][k], "each": [x[k] for x in extras["each"]], "two": 2.0}) for k in (0, 1)
    ]
    for x, y, (value, extra) in zip(xs, ys, found):
        logits = twin(x).data
        right = logits.argmax(1) == y
        assert_same([extra["right"], *extra["each"]], [right.mean(), right, logits])
        assert extra["each"][0].dtype == bool and extra["two"] == 2.0 and extras["two"].tolist() == [2.0, 2.0]
        assert value == pytest.approx(by_hand(twin, nn.CrossEntropy(), theirs, x, y))
    assert step.run(xs[:0], ys[:0])[1] is None
    for wrong, message in ((nn.CrossEntropy(), "must return a pair"), (lambda p, y: (p.sum(), None), "NoneType")):
        with pytest.raises(TypeError, match=message):
            nn.TrainStep(model, wrong, mine, backend, has_aux=True)(xs[0], ys[0])


@backends
def test_what_the_optimizer_was_not_given_is_read_and_stays(backend):
    models = [nn.MLP(3, [4], 2, rng=0, activation=nn.Tanh) for _ in range(2)]
    ours, theirs = (nn.Adam(m[2].parameters(), 0.1, weight_decay=0.1) for m in models)
    step = nn.TrainStep(models[0], nn.MSE(), ours, backend)
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    for change in (lambda p: p, lambda p: p * 2, lambda p: p.astype(">f8"), lambda p: p[::-1], np.asfortranarray):
        for model in models:
            model[0].weight.data = change(model[0].weight.data)
        kept = model[0].weight.data
        assert step(x, y) == pytest.approx(by_hand(models[1], nn.MSE(), theirs, x, y), rel=1e-12)
        assert models[1][0].weight.data is kept
        assert_same(numbers(models[0], ours), numbers(models[1], theirs))
    assert len(step.forms) == 1


@backends
def test_a_parameter_that_the_loss_does_not_use_stays(backend):
    w, unused = Tensor([1.0, 2.0]), Tensor([3.0])
    step = nn.TrainStep(lambda x: x * w, nn.MSE(), nn.SGD([w, unused], 0.1, momentum=0.9, weight_decay=0.5), backend)
    step(np.ones((1, 2)), np.zeros((1, 2)))
    assert unused.data.tolist() == [3.0] and w.data.tolist() != [1.0, 2.0]


@backends
@pytest.mark.parametrize("accumulate", [1, 3])
def test_buffers_are_carried_through_the_updates(backend, accumulate):
    models = [Normed() for _ in range(2)]
    ours, theirs = (nn.SGD(m.parameters(), 0.1) for m in models)
    xs, ys = RNG.normal(size=(4, 6, 3)), RNG.normal(size=(4, 6, 2))
    step = nn.TrainStep(lambda x, model=models[0]: model(x), nn.MSE(), ours, backend, accumulate=accumulate)
    for k in range(4):
        gradients = []
        for x, y in zip(np.split(xs[k], accumulate), np.split(ys[k], accumulate)):
            theirs.zero_grad()
            nn.MSE()(models[1](x), y).backward()
            gradients.append([p.grad for p in theirs.parameters])
        for p, *parts in zip(theirs.parameters, *gradients):
            p.grad = sum(parts) / accumulate
        theirs.step()
    step(xs[0], ys[0])
    step.run(xs[1:3], ys[1:3])
    assert models[0].norm.count == 3 * accumulate
    step(xs[3], ys[3])
    del models[1].seen
    assert "seen" not in vars(models[0]) and len(step.forms) == 1  # what only a trace knows is not kept
    assert_same(numbers(models[0]), numbers(models[1]))
    for model in models:
        model.norm.mean = model.norm.mean + 1.0  # it is read at each call
    program = step.program
    step(xs[0], ys[0])
    assert step.program is program
    models[0].eval()
    step(xs[0], ys[0])
    assert step.program is not program and models[0].norm.count == 5 * accumulate


class Spectral(nn.Module):
    """A matrix by its largest singular value, towards whose vectors the buffer goes with each call."""

    def __init__(self, detached):
        self.w, self.u, self.detached = Tensor(np.eye(3, 2) + 0.25), np.ones(3), detached

    def forward(self, x):
        v = self.w.detach().T @ self.u
        u = self.w.detach() @ v
        self._keep(u / anp.linalg.norm(u))
        return x @ (self.w / (self.u @ self.w @ (v / anp.linalg.norm(v))))

    def _keep(self, u):
        self.u = u.detach() if self.detached else u


@given(st.text("ecad", min_size=1, max_size=5), st.booleans())
@settings(max_examples=15)
def test_a_buffer_is_one_however_updates_follow_each_other(plan, detached):
    """By hand (e), compiled (c), compiled anew (d), looked at by detect_anomaly (a)."""
    x, y, losses = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2)), []
    for kinds_of_step in (plan, "e" * len(plan)):
        model, found = Spectral(detached), []
        optimizer = nn.SGD(model.parameters(), 0.1)
        step = nn.TrainStep(model, nn.MSE(), optimizer, "python")
        for kind in kinds_of_step:
            if kind == "d":
                step.clear()
            with detect_anomaly() if kind == "a" else contextlib.nullcontext():
                found.append(by_hand(model, nn.MSE(), optimizer, x, y) if kind == "e" else step(x, y))
            assert [*model.state_dict()] == ["w", "u"] and model.parameters() == [model.w]
            assert not detached or type(model.u) is np.ndarray
        losses.append([*found, *numbers(model)])
    assert_same(*losses)


def test_a_buffer_that_is_assigned_another_shape_is_refused():
    class Grows(Norm):
        def forward(self, x):
            self.mean = x.mean(0, keepdims=True)
            return x * self.scale

    model = Grows()
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), "python")
    with pytest.raises(ValueError, match=r"Grows.mean has shape \(3,\) and was assigned one of \(1, 3\)"):
        step(np.ones((2, 3)), np.ones((2, 3)))
    assert model.mean.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "buffer, change",
    [
        (np.zeros(2), lambda s, x: s.held.__iadd__(1.0)),
        (np.zeros((), int), lambda s, x: setattr(s, "held", s.held + 1)),
        ([np.zeros(2)], lambda s, x: s.held.__setitem__(0, s.held[0] + 1.0)),
        ({"mean": np.zeros(2)}, lambda s, x: s.held.update(mean=x.mean(0))),
        ((np.zeros(2),), lambda s, x: s.held[0].fill(1.0)),
    ],
)
def test_a_buffer_that_a_program_would_not_change_is_refused_and_put_back(buffer, change):
    class Changes(nn.Module):
        def __init__(self):
            self.w, self.held = Tensor(np.ones(2)), copy.deepcopy(buffer)

        def forward(self, x):
            change(self, x)
            return x * self.w

    model, x = Changes(), np.ones((3, 2))
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), "python")
    for _ in range(2):
        with pytest.raises(ValueError, match="forward changes the buffer held.*assigned anew"):
            step(x, x)
        assert repr(model.held) == repr(buffer)


def test_a_count_in_a_forward_is_not_lost_in_jit():
    class Counts(nn.Module):
        def __init__(self):
            self.count, self.table = np.zeros(()), np.zeros(1)

        def forward(self, x):
            self.table = np.arange(float(len(x)))  # of this form of arguments, which is no matter
            if self.training:
                self.count = self.count + 1.0
            return x * self.table

    model, x = Counts(), np.ones(3)
    with pytest.raises(TracingError, match=r"Counts\.count was assigned to inside jit"):
        jit(model)(x)
    assert model.count == 0.0 and jit(model.eval())(x).tolist() == [0.0, 1.0, 2.0]


class Remembers(nn.Module):
    """A recurrence whose state is None at first, as one writes it before thinking of compilation."""

    def __init__(self, holder):
        self.w, self.state, self.seen, self.holder = Tensor(np.ones(3)), None, None, holder

    def forward(self, x):
        inner, other = lambda: self.w, self.holder.seen  # of another object
        y = inner() * x if self.state is None else inner() * x + self.state[0]
        self.state = (y.detach(),)
        self.seen = y if other is None else other
        return y


class Watches(nn.Module):
    """What it assigns is there to be looked at: nothing comes of it in the next call."""

    def __init__(self):
        self.w, self.seen, self.both = Tensor(np.ones(3)), None, None

    def forward(self, x):
        self.seen = x * self.w
        self.both = (self.seen, self.seen)
        return self.both[0] + 0.0


@pytest.mark.parametrize("compiled", ["jit", "TrainStep", "scan"])
def test_a_state_that_begins_as_none_is_not_lost_in_a_program(compiled):
    def run(model):
        step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.0), "python")
        loop = lambda: scan(lambda carry, x: (carry, model(x)), 0.0, np.ones((2, 3)))
        return {
            "jit": lambda: jit(model)(np.ones(3)),
            "TrainStep": lambda: step(np.ones(3), np.zeros(3)),
            "scan": jit(loop),
        }

    model = Remembers(Watches())
    for _ in range(2):
        with pytest.raises(TracingError, match=r"Remembers\.state was read, and then assigned to inside .*float array"):
            run(model)[compiled]()
        assert model.state is None and model.seen is None
    assert model(np.ones(3)).tolist() == model.state[0].tolist() == [1.0, 1.0, 1.0]
    watched = Watches()
    run(watched)[compiled]()
    assert watched.seen is watched.both is None


@pytest.mark.parametrize(
    "loop", [lambda f, x: vmap(f)(x), lambda f, x: scan(lambda carry, row: (carry, f(row)), 0.0, x)[1]]
)
def test_buffers_do_not_change_in_loops_within_a_program(loop):
    model = Normed()
    optimizer = nn.SGD(model.parameters(), 0.1)
    step = nn.TrainStep(lambda x: loop(lambda row: model(row[None])[0], x), nn.MSE(), optimizer, "python")
    with pytest.raises(TracingError, match=r"Norm\.mean was assigned to"):
        step(np.ones((4, 3)), np.ones((4, 2)))
    assert type(model.norm.mean) is np.ndarray
    model.eval()
    assert np.isfinite(step(np.ones((4, 3)), np.ones((4, 2))))


@backends
def test_a_compiled_model_sees_what_training_has_changed(backend):
    model, x = Normed(), RNG.normal(size=(6, 3))
    step, fast = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), backend), jit(model, backend=backend)
    with pytest.raises(TracingError, match=r"Norm\.mean was assigned to inside jit"):
        fast(x)
    assert type(model.norm.mean) is np.ndarray and "seen" not in vars(model)
    for _ in range(2):
        step(x, x[:, :2])
        np.testing.assert_allclose(fast_of(model, fast, x), model(x).data, rtol=1e-12)
        model.train()


def fast_of(model, fast, x):
    model.eval()
    return fast(x).data


@backends
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_batch_in_parts_is_the_batch(backend, dtype):
    models = [nn.MLP(3, [40], 2, rng=0, activation=nn.Tanh) for _ in range(2)]
    for p in models[0].parameters() + models[1].parameters():
        p.data = p.data.astype(dtype)
    whole, parts = (nn.Adam(m.parameters(), nn.ExponentialDecay(0.1, 0.9), weight_decay=0.1) for m in models)
    xs, ys = RNG.normal(size=(3, 40, 3)).astype(dtype), RNG.normal(size=(3, 40, 2)).astype(dtype)
    steps = [
        nn.TrainStep(m, nn.MSE(), o, backend, accumulate=n, clip_norm=0.5)
        for m, o, n in zip(models, (whole, parts), (1, 8))
    ]
    losses = [[step(xs[0], ys[0]), *step.run(xs[1:], ys[1:])] for step in steps]
    near = (1e-9, 1e-12) if dtype == "f8" else (1e-4, 1e-6)
    assert_same([losses[0], numbers(models[0], whole)], [losses[1], numbers(models[1], parts)], *near)
    assert parts.steps == 3 and steps[1].program.memory < steps[0].program.memory / 3
    with pytest.raises(ValueError, match=r"a batch of shape \(40, 3\) cannot be cut into accumulate=3 equal parts"):
        nn.TrainStep(models[0], nn.MSE(), whole, backend, accumulate=3)(xs[0], ys[0])
    with pytest.raises(ValueError, match="accumulate must be a positive integer"):
        nn.TrainStep(models[0], nn.MSE(), whole, backend, accumulate=0)
    with pytest.raises(ValueError, match=r"the batch is empty, of shapes \(0, 3\) and \(0, 2\)"):
        steps[0](xs[0][:0], ys[0][:0])


@backends
def test_parts_draw_each_their_own_and_extras_have_an_entry_for_each(backend):
    model, rng = nn.Linear(3, 1, rng=0), np.random.default_rng(1)

    def loss(prediction, y):
        kept = random.bernoulli(rng, 0.5, (4,))
        return nn.MSE()(prediction, y), kept

    step = nn.TrainStep(model, loss, nn.SGD(model.parameters(), 0.1), backend, has_aux=True, accumulate=2)
    step.forms.most = 4
    x, y = RNG.normal(size=(3, 8, 3)), RNG.normal(size=(3, 8, 1))
    one, (losses, more) = step(x[0], y[0])[1], step.run(x[1:], y[1:])
    expected = np.random.default_rng(1).random((6, 4)) < 0.5
    assert one.shape == (2, 4) and more.shape == (2, 2, 4) and losses.shape == (2,)
    assert np.array_equal(np.concatenate([one, *more]), expected)


@backends
def test_an_interruption_leaves_parameters_state_and_buffers_of_one_step(backend):
    """Wherever it comes: before each line of Python that a call runs."""
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))

    def fresh():
        model = Normed()
        optimizer = nn.Adam(model.parameters(), 0.1)
        return model, optimizer, nn.TrainStep(model, nn.MSE(), optimizer, backend)

    model, optimizer, step = fresh()
    step(x, y)
    before = numbers(model, optimizer)
    step(x, y)
    after = numbers(model, optimizer)
    model, optimizer, step = fresh()
    step(x, y)
    stopped = 0

    def interrupt(frame, event, _):
        nonlocal left
        left -= event == "line"
        if not left:
            raise KeyboardInterrupt
        return interrupt

    for lines in range(1, 10_000):
        left = lines
        sys.settrace(interrupt)
        try:
            step(x, y)
        except KeyboardInterrupt:
            stopped += 1
        finally:
            sys.settrace(None)
        assert_same(numbers(model, optimizer), before if optimizer.steps == 1 else after)
        if optimizer.steps == 2:
            break
    assert stopped > 30


def test_batches_of_several_sizes_are_told_where_to_go():
    model = nn.Linear(2, 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1), "python")
    with pytest.raises(ValueError, match=r"xs: .*a shorter batch, such as the last one, is a call of its own"):
        step.run([np.ones((3, 2)), np.ones((1, 2))], [np.ones((3, 1)), np.ones((1, 1))])
