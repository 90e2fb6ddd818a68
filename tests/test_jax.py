"""Backend jax: what is printed for XLA equals what is recorded, to the same digits, on one device and on several."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

import autograd.numpy as anp
import nn
from autograd import Tensor, define, grad, hessian, jit, random, scan, value_and_grad, vmap
from autograd.operation import ELEMENTWISE
from autograd.tree import flatten

from . import exact, strategies
from .demos import ROOT
from .derivatives import by_program
from .test_accuracy import CASES, allowed, points, truth
from .test_compiler import assert_agree
from .test_examples import BLOCKS, printed_by

FLAG = "--xla_force_host_platform_device_count"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {FLAG}=4"  # counts until JAX is first used
jax = pytest.importorskip("jax", reason="backend jax needs the extra jax: pip install 'crabgrad[jax]'")
import jax.numpy as jnp  # noqa: E402
from jax.sharding import AxisType, NamedSharding, PartitionSpec  # noqa: E402

RNG = np.random.default_rng(0)
# XLA's own of float32 near the largest number, and a power whose base and exponent are both rounded
WIDER = {("exp", 0): 8, ("expm1", 0): 8, ("pow", 1): 11, ("inverted", 1): 9}


def compiled(f):
    return jit(f, backend="jax")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("row", [row for row, _ in CASES], ids=lambda row: row.name)
def test_right_to_the_last_digits(row, dtype):
    where, least = points(row, dtype), 4 * np.finfo(dtype).tiny  # XLA takes subnormal numbers for 0
    with np.errstate(all="ignore"):
        found = by_program("jax")(row, 1, where)
    for orders, expected in truth(row, dtype, 1).items():
        assert found[orders].dtype == dtype
        for point, x, right in zip(zip(*(x.tolist() for x in where)), found[orders], expected, strict=True):
            if right is not None and min(abs(right), *map(abs, point)) >= least:
                most = max(allowed(row.name, sum(orders), point), WIDER.get((row.name, sum(orders)), 0))
                assert exact.units(x, right) <= most, (orders, point, x, right)


def derived(operation, static=()):
    """Its value and its gradients, as one function."""
    count = len(operation.pullbacks or ())

    def f(*args):
        slopes = grad(lambda *inner: anp.sum(operation(*inner, *static)), tuple(range(count)))
        return [operation(*args, *static), *(slopes(*args) if count else ())]

    return f


@pytest.mark.parametrize("operation", strategies.OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation(operation):
    @settings(max_examples=1)
    @given(strategies.calls(operation))
    def check(call):
        arrays, static = call
        assert_agree(derived(operation, static), *map(np.asarray, arrays), backends=["jax"], rtol=1e-9, atol=1e-12)

    check()


EDGES = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-8, 1e300, -745.5, 710.0, 0.5, 2.0])
UNLIKE = {"mod", "floordiv", "sign", "powlog", "lowered", "regained", "inverted"}  # docs/numerics.md: XLA


@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if row.name not in UNLIKE], ids=lambda row: row.name)
def test_edges(row):
    pairs = np.meshgrid(*[EDGES] * len(row.arguments))
    assert_agree(derived(row), *(x.ravel() for x in pairs), backends=["jax"], rtol=1e-11, atol=1e-290)


def recurrent(w, xs):
    h, ys = scan(lambda h, x: (anp.tanh(w @ h + x), anp.sum(h * h)), np.zeros(3), xs)
    return anp.sum(h) + anp.sum(ys)


def decomposed(x):
    a = x @ x.mT + np.eye(3)
    values, vectors = anp.linalg.eigh(a)
    parts = [values, anp.linalg.cholesky(a), anp.linalg.inv(a), anp.linalg.solve(a, x), anp.abs(vectors)]
    parts += [anp.linalg.svd(x)[1], anp.abs(anp.linalg.qr(x)[1]), anp.linalg.pinv(x), anp.linalg.slogdet(a)[1]]
    return sum(anp.sum(part) for part in parts) + anp.linalg.det(x)


SQUARE, WHOLE = RNG.normal(size=(3, 3)), np.array([2, 0, -1])
FUNCTIONS = {
    "masks": (lambda x: anp.where((x > 0) & ~(x > 1), x, x * x) * (x < 0.5), SQUARE),
    "places": (lambda x: (anp.take(x, anp.argmax(x, 0)), x[WHOLE], x[[0, 2], 1:], anp.argsort(x) // 2 * 2.5), SQUARE),
    "a scan": (recurrent, SQUARE, RNG.normal(size=(5, 3))),
    "the gradient of a scan": (grad(recurrent, (0, 1)), SQUARE, RNG.normal(size=(5, 3))),
    "many at once": (vmap(grad(lambda x: anp.sum(anp.sin(x) ** 3))), SQUARE),
    "linear algebra": (value_and_grad(decomposed), SQUARE),
    "a second derivative": (hessian(lambda x: anp.logsumexp(x * x)), SQUARE[0]),
    "sorting": (lambda x: (anp.sort(x, 0), anp.median(x), anp.cumsum(x, 1)), SQUARE),
    "numbers": (lambda x, y: [x**y, anp.where(x > y, x, y), (x > y) * x], 2.0, 3.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_runs_eagerly_compiles(name):
    f, *args = FUNCTIONS[name]
    assert_agree(f, *args, fresh=[args], backends=["jax"], rtol=1e-9, atol=1e-11)


def test_integers_are_numpys():
    def f(i, x):
        return i // 2, i % -3, i // 0, i**2, i * x, ~i << 2

    i, x = np.array([5, -7, 2]), np.full(3, 0.1, np.float32)
    with np.errstate(all="ignore"):
        expected = f(i, x)
    for ours, theirs in zip(compiled(f)(i, x), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)
        assert ours.dtype == theirs.dtype


def test_scipys_functions():
    special = pytest.importorskip("autograd.scipy").special

    def f(x):
        return special.erf(x) + special.gammaln(x + 2) * special.ndtr(x) + special.log_ndtr(x) + special.digamma(x + 2)

    assert_agree(value_and_grad(lambda x: anp.sum(f(x))), SQUARE, backends=["jax"], rtol=1e-9)
    with pytest.raises(TypeError, match="jv is a function of NumPy's or SciPy's"):
        compiled(lambda x: special.jv(1.5, x))(SQUARE)
    with pytest.raises(TypeError, match="jv is a function of NumPy's or SciPy's"):
        compiled(lambda x: scan(lambda a, b: (a, special.jv(1.5, b)), 0.0, x)[1])(SQUARE)


def test_transformations_in_any_order():
    f = compiled(lambda x: anp.sum(anp.exp(x) * x))
    for ours in (grad(f), compiled(grad(f)), grad(compiled(lambda x: f(x) * 1.0))):
        np.testing.assert_allclose(ours(SQUARE), (SQUARE + 1) * np.exp(SQUARE), rtol=1e-12)
    x = Tensor(SQUARE)
    f(x).backward()
    np.testing.assert_allclose(x.grad, (SQUARE + 1) * np.exp(SQUARE), rtol=1e-12)


def test_random_numbers_are_those_of_eager_code():
    ours, theirs = (np.random.default_rng(3) for _ in range(2))
    f = compiled(lambda x: x * random.bernoulli(ours, 0.5, x.shape) + random.normal(ours, (3,)))
    for _ in range(2):
        expected = SQUARE * random.bernoulli(theirs, 0.5, (3, 3)) + random.normal(theirs, (3,))
        np.testing.assert_allclose(f(SQUARE), expected, rtol=1e-12)


def test_results_are_the_callers_and_float64_is_nobody_elses():
    f = compiled(lambda x: (x * 1.0, x.sum()))
    out, total = f(SQUARE)
    out += 1  # it can be written
    assert type(out) is np.ndarray and total.dtype == float and not jax.config.jax_enable_x64
    assert jnp.arange(3.0).dtype == np.float32 and "f64[3,3]" in f.source and f.backend == "jax (as asked for)"


def test_arrays_of_jax_stay_where_they_are():
    mesh = jax.make_mesh((4,), ("batch",), axis_types=(AxisType.Auto,))
    x = jax.device_put(np.arange(24, dtype=np.float32).reshape(8, 3), NamedSharding(mesh, PartitionSpec("batch")))
    w = Tensor(np.ones((3, 2), np.float32))
    for f in (lambda x: anp.tanh(x @ w), grad(lambda x: anp.sum(anp.sin(x) @ w))):
        out = compiled(f)(x)
        assert isinstance(out, jax.Array) and out.sharding.is_equivalent_to(x.sharding, 2) and out.dtype == np.float32
        eager = f(Tensor(np.asarray(x)))
        np.testing.assert_allclose(out, getattr(eager, "data", eager), rtol=1e-6)
    f = compiled(lambda x, y: x * y)
    assert f(x, 2.0).sharding.is_equivalent_to(x.sharding, 2) and type(f(np.asarray(x), 2.0)) is np.ndarray
    with pytest.raises(TypeError, match="real numbers and arrays of them, not bfloat16"):
        f(x.astype(jnp.bfloat16), 2.0)
    with pytest.raises(TypeError, match='backend="jax"'):
        jit(lambda x: x * 2)(x)
    with pytest.raises(TypeError, match="a node beside an array of JAX's"):
        f(x, Tensor(2.0))


def trained(backend="jax", batch=16, **options):
    """Losses and parameters after updates with all that a model may do in them."""
    xs = np.random.default_rng(1).normal(size=(5, batch, 3))
    drops = nn.Dropout(0.2, np.random.default_rng(2))
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.BatchNorm(8), nn.Tanh(), drops, nn.Linear(8, 4, rng=1))
    optimizer = nn.AdamW(model.parameters(), nn.CosineDecay(0.01, 10))
    step = nn.TrainStep(model, nn.CrossEntropy(), optimizer, backend, clip_norm=1.0, **options)
    labels = np.arange(5 * batch).reshape(5, batch) % 4
    return [step.run(xs, labels), *model.state_dict().values()], (model, step)


ALONE = trained("python")[0]


@pytest.mark.parametrize(
    "options",
    [{}, {"devices": 2}, {"devices": 4, "shard_above": 1}, {"devices": 2, "accumulate": 2}],
    ids=str,
)
def test_a_train_step_on_devices_is_that_of_one(options):
    expected = trained("python", accumulate=2)[0] if "accumulate" in options else ALONE
    for ours, theirs in zip(trained(**options)[0], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


def test_a_mesh_of_two_axes_and_a_checkpoint_for_other_devices(tmp_path):
    mesh = jax.make_mesh((2, 2), ("data", "model"))
    found, (model, _) = trained(devices=mesh, axis="data")
    np.testing.assert_allclose(found[0], ALONE[0], rtol=1e-8)
    nn.save(tmp_path / "model.npz", model)
    _, (other, step) = trained(devices=4)
    nn.load(tmp_path / "model.npz", other)
    for ours, theirs in zip(other.state_dict().values(), found[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.isfinite(step.run(np.ones((5, 16, 3)), np.zeros((5, 16), int))).all()


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"devices": 99}, ValueError, "devices=99, and JAX has 4"),
        ({"devices": 0}, ValueError, "devices=0, and JAX has 4"),
        ({"devices": "two"}, TypeError, "a number of devices or a jax.sharding.Mesh, not 'two'"),
        ({"devices": 2, "axis": "batch", "batch": 15}, ValueError, r"shape \(15, 3\) cannot be split among 2 devices"),
        ({"devices": 2, "backend": "python"}, ValueError, "devices=2 need backend=\"jax\", not 'python'"),
    ],
    ids=str,
)
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        trained(**options)


def test_more_mistakes():
    with pytest.raises(ValueError, match=r"the mesh has axes \('data',\), and axis='batch' is none of them"):
        trained(devices=jax.make_mesh((4,), ("data",)))
    by_hand = define("twice_by_function", forward=lambda x: 2 * x, pullbacks=[lambda g, out, x: 2 * g])
    with pytest.raises(TypeError, match=r'jit\(backend="jax"\): twice_by_function is a function of NumPy'):
        compiled(by_hand)(1.0)
    with pytest.raises(IndexError, match="an index is out of bounds for an axis of length 3"):
        f = compiled(lambda x, i: scan(lambda c, k: (c + x[k], c), 0.0, i)[0])
        f(np.ones(3), np.array([0, 2])), f(np.ones(3), np.array([0, 3]))
    _, (model, step) = trained()
    before = model.state_dict()
    with pytest.raises(IndexError):
        step(np.ones((16, 3)), np.full(16, 4))
    assert all(np.array_equal(x, y) for x, y in zip(flatten(before), flatten(model.state_dict())))


def test_two_processes_are_one(tmp_path):
    from benchmarks.beyond import measured

    for devices, processes in ((1, 1), (1, 2)):
        measured(devices, processes, str(tmp_path / f"{processes}.npz"), turns=1)
    one, two = (nn.load(tmp_path / f"{processes}.npz") for processes in (1, 2))
    assert all(np.allclose(one[name], two[name], rtol=1e-10, atol=1e-12) for name in one)


def test_the_page_prints_what_it_says():
    page = (ROOT / "docs" / "beyond.md").read_text()
    ((code, printed),) = BLOCKS.findall(page)
    assert printed_by(code, {}) == printed.split()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.beyond", "--paper"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout and done.stdout in page


def test_without_jax_it_says_what_to_install():
    code = "import sys; sys.modules['jax'] = None; from autograd import jit; jit(lambda x: x, backend='jax')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'ImportError: JAX is not installed, or too old: pip install "crabgrad[jax]"' in done.stderr
