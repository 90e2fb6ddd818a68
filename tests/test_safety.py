"""Compiled code never runs a stale program, never touches memory that is not its own, never loses what is saved."""

import collections
import gc
import pathlib
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, grad, graph, hvp, jit, on_arrays, value_and_grad
from autograd.compiler import Bounded

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
HERE = pathlib.Path(__file__).parent


def in_a_child(*arguments):
    run = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=HERE.parent)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def test_hostile_changes_between_calls():
    in_a_child("-m", "pytest", "-q", "tests/hostile.py")


def test_code_that_a_pass_of_llvm_spoils_is_compiled_without_it():
    said = in_a_child(
        "-c",
        """
import numpy, autograd.numpy as np
from autograd import grad, hvp, jit
def f(x, z):
    u = np.tile(1.0 * x, (2, 1))
    t = grad(lambda t: np.sum(grad(lambda s: np.sum(s ** 3) * np.sum(t))(t)) * np.sum(z))(u)
    return np.sum(np.where(t >= t, np.sin(t), t ** 2))
x, z, a = numpy.arange(6.0).reshape(2, 3) / 7, numpy.ones(3), numpy.ones((2, 3))
both = jit(lambda x, z, a: (f(x, z), hvp(f)(x, z, a)), backend="llvm")
value, product = both(x, z, a)
numpy.testing.assert_allclose(value, f(x, z), rtol=1e-12)
numpy.testing.assert_allclose(product, hvp(f)(x, z, a), rtol=1e-10, atol=1e-12)
print(both.backend)
""",
    )
    assert said.startswith("llvm (as asked for")


def bits(x):
    x = np.asarray(x)
    return x.shape, x.dtype, x.tobytes()


X = np.array([-1.5, -0.0, 0.0, 0.1, 0.75, 2.0, np.nan])
TABLE = np.arange(9.0).reshape(3, 3)


@every_backend
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x > 0) + (x > 0.5),
        lambda x: ((x > 0) + (x > 0.5)) * x,
        lambda x: (x >= 0) * (x <= 1),
        lambda x: (x != 0) + 0.0,
        lambda x: 1.0 - (x == 0),
        lambda x: np.sum(x > 0) * x,
        lambda x: np.mean(x > 0) * x,
        lambda x: x > 0.1,
        lambda x: x > np.float64(0.1),
        lambda x: np.max(x > 0.5),
        lambda x: np.where((x > 0) + (x < -1), x, -x),
        lambda x: x + 0.0,
        lambda x: 0 + x,
        lambda x: x - 0.0,
        lambda x: x + -0.0,
        lambda x: x * np.float32(1.5),
        lambda x: x * np.float64(0.1),
        lambda x: np.float64(2) * (x * 3),
        lambda x: x * np.array(0.1),
        lambda x: x * np.array(0.1, np.float32),
    ],
)
def test_what_is_discrete_and_dtypes_are_those_of_numpy_bit_for_bit(f, dtype, backend):
    x = X.astype(dtype)
    with np.errstate(invalid="ignore"):
        expected = f(x)
    assert bits(jit(f, backend=backend)(x)) == bits(expected)


@every_backend
def test_numpys_numbers_keep_their_dtype(backend):
    x = np.array([700.0, 0.1], np.float32)
    power = jit(lambda x: np.float64(2) ** x, backend=backend)(x)
    assert power.dtype == np.float64 and power[0] == 2.0**700
    weights = np.float32([[1, 2], [3, 4]])
    product = jit(lambda x: anp.dot(x, weights) + np.float32(1), backend=backend)(np.ones((2, 2), np.float32))
    assert product.dtype == np.float32 and product.tolist() == [[5, 7], [5, 7]]
    scaled = jit(lambda s, x: s * x, backend=backend)
    for s in (2, 2.0, np.float32(2), np.float64(2), np.array(2.0)):
        assert bits(scaled(s, x)) == bits(s * x)


@every_backend
def test_masks_as_arguments_stay_masks(backend):
    a, b = np.array([True, True, False]), np.array([True, False, False])
    f = jit(lambda a, b, x: (a + b, (a + b) * x, anp.where(a * b, x, 0.0)), backend=backend)
    for ours, theirs in zip(f(a, b, np.ones(3)), (a + b, (a + b) * np.ones(3), np.array([1.0, 0.0, 0.0]))):
        assert bits(ours) == bits(theirs)
    assert jit(grad(lambda x, m: anp.sum(x * m)), backend=backend)(np.ones(3), a).tolist() == [1.0, 1.0, 0.0]


@every_backend
def test_indices_that_look_alike_are_not_merged(backend):
    def f(x):
        return x[[0, 1]], x[0, 1], x[1], x[True], x[[0]], x[(0,)], x[[1, 0, 1]], x[[True, False, True]], x[0], x[False]

    for ours, theirs in zip(jit(f, backend=backend)(TABLE), f(TABLE), strict=True):
        assert bits(ours) == bits(theirs)


@every_backend
def test_numbers_of_values_compare_to_numbers(backend):
    def f(x):
        return ((x > 0) + (x > 1)) * 1.0

    g = jit(f, backend=backend)
    assert [g(x) for x in (-1.0, 0.5, 2.0)] == [0.0, 1.0, 2.0]
    scale, x = Value(1.0), np.array([-1.0, 0.5, 2.0])
    of_elements = jit(grad(lambda x: f(x) * scale * x), backend=backend)
    assert of_elements(x).tolist() == [0.0, 1.0, 2.0]
    of_arrays = jit(lambda x: ((x > 0) + (x > 1)) * scale, backend=backend)
    assert of_arrays(x).tolist() == (((x > 0) + (x > 1)) * scale).data.tolist() == [0.0, 1.0, 1.0]  # masks, as in NumPy


@every_backend
def test_a_matrix_of_one_zero_does_not_hide_nan(backend):
    x, zero = np.array([[np.nan], [1.0]]), np.zeros((1, 1))
    for f in (lambda x, y: x @ y, lambda x, y: anp.affine(x, y, 0.0), lambda x, y: y @ x.T):
        eager = f(Tensor(x), zero).data
        assert np.isnan(eager.ravel()).tolist() == [True, False]
        assert np.isnan(jit(f, backend=backend)(x, zero).ravel()).tolist() == [True, False]


def test_arrays_that_are_not_plain_are_refused():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    for work in (
        lambda: Tensor(masked),
        lambda: Tensor([1.0, 2.0]) + masked,
        lambda: jit(anp.sin)(masked),
        lambda: jit(lambda x: x + masked)(np.ones(2)),
        lambda: step(masked[None], np.ones((1, 1))),
    ):
        with pytest.raises(TypeError, match="masked array"):
            work()


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


@every_backend
def test_arrays_in_a_result_are_the_callers(backend):
    constant = np.array([1.0, 2.0])
    f = jit(lambda x: [x * 2, constant, {"c": constant}], backend=backend)
    first = f(np.ones(2))
    first[1][...] = 5.0
    first[2]["c"][...] = 7.0
    assert constant.tolist() == [1.0, 2.0] and f(np.ones(2))[1].tolist() == f(np.ones(2))[2]["c"].tolist() == [1.0, 2.0]


@every_backend
def test_a_parameter_that_is_given_twice_or_shared_moves_once(backend):
    class Tied(nn.Module):
        def __init__(self):
            self.first = nn.Linear(2, 2, rng=0)
            self.second = nn.Linear(2, 2, rng=1)
            self.second.weight = self.first.weight

        def __call__(self, x):
            return self.second(anp.tanh(self.first(x)))

    x, y = np.linspace(-1, 1, 6).reshape(3, 2), np.ones((3, 2))
    models = [Tied() for _ in range(2)]
    ours, theirs = (nn.Adam([*m.first.parameters(), *m.second.parameters()], 0.1) for m in models)
    assert len(ours.parameters) == 3
    step = nn.TrainStep(models[0], nn.MSE(), ours, backend=backend)
    for _ in range(3):
        loss = nn.MSE()(models[1](x), y)
        theirs.zero_grad()
        loss.backward()
        theirs.step()
        np.testing.assert_allclose(step(x, y), loss.item(), rtol=1e-12)
    for a, b in zip(ours.parameters, theirs.parameters):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


class Interrupted(BaseException):
    """What the timer raises; nobody catches it by accident."""


@pytest.mark.parametrize("kind", ["python", "llvm", "eager"])
def test_an_interruption_leaves_a_step_whole(kind):
    def fresh():
        model = nn.MLP(1, [2], 1, rng=0, activation=nn.Tanh)
        return model, nn.Adam(model.parameters(), 0.01)

    x, y = np.array([[0.5], [1.0]]), np.array([[1.0], [-1.0]])

    def stepper(model, optimizer):
        if kind != "eager":
            compiled = nn.TrainStep(model, nn.MSE(), optimizer, backend=kind)
            return lambda: compiled(x, y)

        def by_hand():
            loss = nn.MSE()(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return by_hand

    def everything(optimizer):
        arrays = [p.data for p in optimizer.parameters] + [a for state in optimizer.state for a in state]
        return b"".join(array.tobytes() for array in arrays)

    model, optimizer = fresh()
    step = stepper(model, optimizer)
    expected = [everything(optimizer)]
    for _ in range(400):
        step()
        expected.append(everything(optimizer))
    model, optimizer = fresh()
    step = stepper(model, optimizer)
    step()
    rng, stopped = np.random.default_rng(0), 0

    def interrupt(*_):
        raise Interrupted

    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        while optimizer.steps < 400 and stopped < 300:
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, 4e-4))
                while optimizer.steps < 400:
                    step()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupted:
                stopped += 1
            assert everything(optimizer) == expected[optimizer.steps]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert stopped > 20


def test_programs_are_forgotten_least_recently_used_first():
    kept = Bounded(3)
    for key in "abc":
        kept.keep(key, key.upper())
    assert kept.find("a") == "A" and kept.find("x") is None
    kept.keep("d", "D")
    assert list(kept) == ["c", "a", "d"]
    f = jit(lambda x: x * 2, backend="python")
    f.forms.most = 4
    for n in range(1, 10):
        f(np.ones(n))
    assert len(f.forms) == 4


def test_a_program_that_is_forgotten_is_freed():
    import weakref

    f = jit(lambda x: anp.sin(x), backend="llvm")
    f.forms.most = 1
    f(np.ones(2))
    code = weakref.ref(f._last.run._code)
    f(np.ones(3))
    assert code() is None, gc.get_referrers(code())


def test_helper_arrays_are_bounded_in_bytes():
    on_arrays.ones.cache_clear()
    for n in (10, 100, 10**6):
        x = Tensor(np.ones(2))
        (x + np.ones((n, 2))).sum().backward()
        assert x.grad.tolist() == [n, n]
    assert on_arrays.ones.cache_info().currsize == 2 and on_arrays.MOST_ONES * 8 * 64 < 4e6


def held(tree):
    """Every array in nested results."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [a for part in tree for a in held(part)] if isinstance(tree, (list, tuple)) else [tree]


SHARING = [
    lambda x, y: (x + y).sum(),
    lambda x, y: (x - y).sum() + (x.T * 1.0).sum(),
    lambda x, y: anp.concatenate([x, y]).sum(),
    lambda x, y: (x.reshape(-1) + y.reshape(-1)).sum(),
    lambda x, y: anp.stack([x, y])[0].sum(),
    lambda x, y: x[0, 0] + y[0, 0],
    lambda x, y: x.sum() + 0 * y.sum(),
]


@pytest.mark.parametrize("f", SHARING)
def test_gradients_are_the_callers_alone(f):
    x, y = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    from autograd import gradients, jacobian, jvp, vjp

    def alone(results, *others):
        arrays = held(results)
        for i, a in enumerate(arrays):
            assert a.flags.writeable
            assert not any(np.shares_memory(a, b) for b in [*arrays[:i], *others, x, y])

    alone(grad(f, (0, 1))(x, y))
    alone(grad(lambda d: f(d["x"], d["y"]))({"x": x, "y": y}))
    a, b = Tensor(x), Tensor(y)
    alone(gradients(f(a, b), [a, b, a]), a.data, b.data)
    out = f(a, b)
    seed = np.ones(())
    out.backward(seed)
    alone([a.grad, b.grad], seed, a.data)
    alone(hvp(f, (0, 1))(x, y, (x, y)))
    cotangent = np.ones((2, 3))
    value, pull = vjp(lambda x, y: x + y, x, y)
    alone([value, *pull(cotangent), *pull(cotangent)], cotangent)
    value, tangent = jvp(lambda x, y: [x + y, x], (x, y), (x, y))
    alone([*value, *tangent])
    alone(jacobian(lambda x: [x, x])(x))


def test_a_value_that_is_changed_does_not_change_its_pullback():
    from autograd import vjp

    value, pull = vjp(anp.exp, np.zeros(2))
    value *= 0.0
    assert pull(np.ones(2))[0].tolist() == [1.0, 1.0]


def test_a_leafs_gradient_is_apart_from_inner_ones_and_from_the_seed():
    x = Tensor([1.0, 2.0])
    y = x + 1
    seed = np.ones(2)
    y.backward(seed)
    y.grad[...] = 5.0
    assert x.grad.tolist() == seed.tolist() == [1.0, 1.0]
    seed[...] = 7.0
    assert x.grad.tolist() == [1.0, 1.0] and y.grad.tolist() == [5.0, 5.0]


def test_an_inner_derivative_looks_no_further_than_its_own_start(monkeypatch):
    looked = collections.Counter()
    made = graph._made

    def counting(*args):
        found = made(*args)
        looked[count] += sum(map(len, found))
        return found

    monkeypatch.setattr(graph, "_made", counting)
    for count in (40, 80):

        def descend(w, count=count):
            x = 1.0
            for _ in range(count):
                x = x - 0.01 * grad(lambda z: w * z * z / 2)(x)
            return x

        assert grad(descend)(2.0) == pytest.approx(-0.01 * count * (1 - 0.02) ** (count - 1))
    assert looked[80] < 2.2 * looked[40]


def test_inside_no_grad_a_derivative_is_still_one():
    from autograd import gradients, hessian, jacobian, jvp, no_grad, vjp

    x, w = np.array([1.0, 2.0]), Tensor([2.0, 3.0])
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jacobian(lambda x: x * x)(x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
        assert hessian(lambda x: (x**3).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
        assert hvp(lambda x: (x**3).sum())(x, x).tolist() == [6.0, 24.0]
        assert vjp(lambda x: x * x, 3.0)[1](1.0) == jvp(lambda x: x * x, (3.0,), (1.0,))[1:] == (6.0,)
        outer = grad(lambda x: (w * x).sum())(x)
        assert outer.data.tolist() == [2.0, 3.0] and outer.operation is None
        assert (w * 2).operation is None  # and it is on again
        with pytest.raises(TypeError):
            gradients(1.0, [w])

    def inside(x):
        with no_grad():
            constant = x * x
        return constant * x

    assert grad(inside)(3.0) == 9.0
    with no_grad():
        assert grad(inside)(3.0) == 9.0


def test_exceptions_and_silence():
    x = Tensor([1.0, 2.0])
    with np.errstate(all="ignore"):
        for divisor in (0, 0.0, np.float32(0), np.zeros(2)):
            x.grad = None
            (x / divisor).sum().backward()
            assert x.grad.tolist() == [np.inf, np.inf]
        assert anp.var(Tensor([1.0]), ddof=1).backward() is None
        divisor = np.array([0.0, 2.0])  # a quotient that is not selected passes nothing on, whatever it divides by
        guarded = grad(lambda x: anp.where(divisor > 0, x / divisor, 0.0).sum())
        assert guarded(np.array([3.0, 3.0])).tolist() == [0.0, 0.5]
    masked = grad(lambda x: anp.where(anp.isnan(x.data), 0.0, anp.relu(x)).sum())
    assert masked(np.array([np.nan, 1.0, -1.0])).tolist() == [0.0, 1.0, 0.0]
    one = Value(1.0)
    assert not one == None and one not in [None, "a"] and one in [None, 1.0] and one != "a"  # noqa: E711
    assert not x == None and x != "a"  # noqa: E711
    for bad in (np.ones(3), np.ones(()), np.ones((2, 1))):
        p = Tensor([1.0, 2.0], name="w")
        p.grad = bad
        with pytest.raises(ValueError, match=r"gradient of parameter 0 \('w'\) has shape"):
            nn.SGD([p], 0.1).step()
        assert p.data.tolist() == [1.0, 2.0]
    p.grad = np.ones(2)
    p.data = p.data.astype(np.float32)
    nn.SGD([p], 0.5).step()
    assert p.data.dtype == np.float32 and p.data.tolist() == [0.5, 1.5]
    p.data, p.grad = np.array(1.0), 0.5
    nn.SGD([p], 1.0).step()
    assert p.data == 0.5
    filled = grad(lambda a: anp.sum(anp.full_like(np.ones(3), a) * np.arange(3.0)))
    assert filled(np.array(2.0)) == 3.0 and anp.full_like(np.ones(2), 5.0).tolist() == [5.0, 5.0]
    assert anp.prod(Tensor(np.ones((0, 2))), 0).operation is not None


def test_names_in_a_row_do_not_meet_those_of_the_engine():
    from autograd import define

    for name in ("isinstance", "Exception", "float", "tuple", "Node", "kind", "new", "tick"):
        f = define(f"{name}(lift, constant) = lift * constant | g * constant | g * lift")
        assert f(3.0, 5.0) == 15.0 and grad(f, (0, 1))(3.0, 5.0) == (5.0, 3.0)
        assert grad(grad(lambda x, f=f: f(x, x)))(3.0) == 2.0
        for backend in BACKENDS:
            assert jit(grad(lambda x, f=f: f(x, x * x)), backend=backend)(np.array(2.0)) == 12.0
    pair = define("pair(x, x_) = x * x_ | g * x_ | g * x")
    assert pair(Tensor([3.0]), Tensor([5.0])).data.tolist() == [15.0] and grad(pair)(3.0, 5.0) == 5.0
    odd = define("dot(pow, slice, scaled) = pow * sin(slice) / scaled | g | g | g")
    assert odd(2.0, 0.5, 4.0) == 2.0 * np.sin(0.5) / 4.0
    for name in ("copyto", "dot", "buffers", "constants", "array", "nan", "subtract"):
        f = define(f"{name}(x, pow) = x - pow ** 2 | g * 1 | g * (-2 * pow)")
        twice = define(f"twice_{name}(x) = {name}({name}(x, x), x) | g * (1 - 4 * x)")
        for x in (0.5, np.array([0.5, 2.0])):
            for backend in BACKENDS:
                total = jit(lambda x, f=twice: anp.sum(f(x)) if isinstance(x, Tensor) else f(x), backend=backend)
                np.testing.assert_allclose(total(x), np.sum(x - 2 * x**2))


def test_anomalies_are_looked_for_around_compiled_code_and_forgotten_with_their_nodes():
    from autograd import anomaly, detect_anomaly

    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    with detect_anomaly():
        assert jit(grad(lambda x: x * x))(3.0) == 6.0
        assert np.isfinite(step(np.ones((2, 2)), np.ones((2, 1))))
    inspectors = []
    original = anomaly.Inspector

    class Seen(original):
        def __init__(self, *args):
            super().__init__(*args)
            inspectors.append(self)

    anomaly.Inspector = Seen
    try:
        with detect_anomaly():
            for _ in range(5):
                nn.MSE()(model(np.ones((2, 2))), np.ones((2, 1))).backward()
            (inspector,) = inspectors
            assert not inspector.known
    finally:
        anomaly.Inspector = original
