"""What is traced: integers, masks and indices that are known only when a program runs are as they are in NumPy."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import (
    Tensor,
    TracingError,
    Value,
    check_gradients,
    grad,
    gradients,
    hessian,
    jit,
    no_grad,
    value_and_grad,
    vmap,
)
from autograd.numpy import OF_MASKS, OF_NUMBERS, OF_SHAPES, masks
from autograd.operation import OPERATIONS, PLACE
from autograd.tree import flatten

from . import strategies

RNG = np.random.default_rng(0)
X = np.array([[0.5, -1.0, np.nan, 0.0], [np.inf, -np.inf, 2.0, 2.0], [-0.0, 3.0, 1.0, 1.0]])
ARRAYS = (X, X.astype("f4"), np.array([[3, 1, 2], [0, -5, 2]]), np.array([7, 0, 255], np.uint8), X > 0.5)
TABLE = np.arange(5.0)


def compiled(f):
    return jit(f, backend="python")


def assert_same(ours, theirs):
    """The same numbers, shapes and dtypes."""
    for x, y in zip(flatten(ours), flatten(theirs), strict=True):
        np.testing.assert_array_equal(x, y)
        assert np.shape(x) == np.shape(y) and np.asarray(x).dtype == np.asarray(y).dtype


@settings(max_examples=100)
@given(strategies.traced_indices(), st.booleans())
def test_an_index_that_is_traced_is_numpys(case, alone):
    shape, parts, several = case

    def at(x, *given):
        index = tuple(given[part] if isinstance(part, strategies.Given) else part for part in parts)
        return x[index[0] if alone and len(index) == 1 else index]

    def slope(x, w, *given):
        return grad(lambda x: anp.sum(w * at(x, *given) ** 3))(x)

    x = RNG.normal(size=shape)
    try:
        w = RNG.normal(size=at(x, *several[0]).shape)
    except IndexError:  # shapes that do not broadcast, as those of a mask
        with pytest.raises((IndexError, ValueError)):
            compiled(at)(x, *several[0])
        return
    f, first, second = compiled(at), compiled(slope), compiled(grad(lambda *args: anp.sum(slope(*args) ** 2)))
    for arrays in several:
        assert_same(f(x, *arrays), np.asarray(at(x, *arrays)))
        np.testing.assert_allclose(first(x, w, *arrays), slope(x, w, *arrays), rtol=1e-12)
        expected = grad(lambda x, arrays=arrays: anp.sum(slope(x, w, *arrays) ** 2))(x)
        np.testing.assert_allclose(second(x, w, *arrays), expected, rtol=1e-12)


@given(strategies.traced_indices(), st.sampled_from(["raise", "wrap", "clip"]), st.integers(-1, 2))
def test_take_and_take_along_axis(case, mode, axis):
    shape, _, ((i, *_), _) = case
    x = RNG.normal(size=shape)
    axis = min(axis, x.ndim - 1) if axis < 2 else None
    i = i % (x.size if axis is None else x.shape[axis]) + (0 if mode == "raise" else 7)
    along = np.argsort(x, axis)
    for f, places in ((lambda np, x, i: np.take(x, i, axis, mode=mode), i), (_along(axis), along)):
        f_of = compiled(lambda x, i, f=f: f(anp, x, i))
        assert_same(f_of(x, places), np.asarray(f(np, x, places)))
        slope = compiled(grad(lambda x, i, f=f: anp.sum(anp.sin(f(anp, x, i)))))
        np.testing.assert_allclose(slope(x, places), grad(lambda x, f=f, i=places: anp.sum(anp.sin(f(anp, x, i))))(x))


def _along(axis):
    return lambda np, x, i: np.take_along_axis(x, i, axis)


def test_places_may_be_computed_and_named_twice():
    x, rows = RNG.normal(size=(5, 3)), np.array([[1, 1], [4, -1]])

    def f(x, rows):
        best = anp.argmax(x, 1)
        return anp.sum(x[rows] * x[anp.argmin(x[:, 0])]) + anp.sum(anp.take(TABLE, best + 1) * x[np.arange(5), best])

    def eager(x):
        best = np.argmax(x.data, 1)
        return anp.sum(x[rows] * x[np.argmin(x.data[:, 0])]) + anp.sum(TABLE[best + 1] * x[np.arange(5), best])

    value, slope = compiled(value_and_grad(f))(x, rows)
    t = Tensor(x)
    np.testing.assert_allclose([value], [eager(t).data])
    np.testing.assert_allclose(slope, gradients(eager(t), [t])[0])
    check_gradients(lambda x: anp.sum(OPERATIONS["gather"](x, rows) ** 2), x)
    curve = compiled(hessian(lambda x, i: anp.sum(x[i] ** 3)))(x[:, 0], rows)
    np.testing.assert_allclose(curve, np.diag(6 * x[:, 0] * np.bincount(rows.ravel() % 5, minlength=5)))


@pytest.mark.parametrize("backend", ["python", "auto"])
def test_what_is_no_place_raises(backend):
    f = jit(lambda x, i: x[i], backend=backend)
    assert_same(f(TABLE, np.array([4, -5])), TABLE[[4, -5]])
    for wrong in (5, -6):
        with pytest.raises(IndexError, match="index .*is out of bounds for an axis of length 5"):
            f(TABLE, np.array([0, wrong]))
    assert f(TABLE, 3) == f(TABLE, np.int64(3)) == 3.0 and len(f.forms) == 3
    with pytest.raises(IndexError, match="index .*is out of bounds"):
        f(TABLE, 1.5)
    for index in (lambda x: x[x], lambda x: x[0, x > 0], lambda x: x[0, x.astype(int)]):
        with pytest.raises((IndexError, TracingError), match="made of integers|a mask was used|too many indices"):
            compiled(index)(TABLE)
    with pytest.raises(IndexError, match="made of integers"):
        Tensor(TABLE)[Value(1.0)]


OPERATORS = {
    symbol: eval(f"lambda x, y: x {symbol} y") for symbol in "+ - * / // % ** < <= > >= == != & | ^ << >>".split()
}


@given(
    symbol=st.sampled_from(list(OPERATORS)),
    dtypes=st.lists(st.sampled_from(["?", "u1", "i4", "i8", "f4", "f8"]), min_size=2, max_size=2),
    other=st.sampled_from(["array", 3, True, 1.5]),
    swap=st.booleans(),
)
@settings(max_examples=200)
def test_arithmetic_of_integers_is_numpys(symbol, dtypes, other, swap):
    x, y, z, w = (RNG.integers(0, 4, (2, 3)).astype(dtypes[k % 2]) for k in range(4))
    f = OPERATORS[symbol]
    g = f if not swap else lambda x, y: f(y, x)
    given_ = [(x, y), (z, w)] if other == "array" else [(x,), (z,)]
    h = g if other == "array" else lambda x: g(x, other)
    with np.errstate(all="ignore"):
        try:
            expected = [h(*args) for args in given_]
        except (TypeError, ValueError) as error:
            with pytest.raises(type(error)):
                [compiled(h)(*args) for args in given_]
            return
        program = compiled(h)
        for args, out in zip(given_, expected):
            assert_same(program(*args), out)


MORE = {
    "argpartition": [],  # in another order
    "digitize": [(X, [-1.0, 0.5, 2.0]), (X, [2.0, 0.5, -1.0])],
    "searchsorted": [(np.array([0.0, 0.5, 0.5, 2.0]), X), (np.arange(5), ARRAYS[2])],
    "isclose": [(X, X.T.reshape(3, 4)), (X, 1.0), (ARRAYS[2], 1), (X > 0, X > 1)],
    "allclose": [(X, X), (ARRAYS[2], ARRAYS[2])],
    "array_equal": [(X, X), (TABLE, TABLE), (X, TABLE)],
    "array_equiv": [(TABLE, TABLE[None]), (TABLE, X), (X, X)],
    "isin": [(X, [0.0, 2.0]), (ARRAYS[2], np.array([1, 2]))],
    **{name: [(ARRAYS[2], ARRAYS[2][0]), (X > 0, X > 1)] for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    **{name: [(ARRAYS[2], np.array(2))] for name in ("left_shift", "right_shift")},
    **{name: [(ARRAYS[2],), (X > 0,)] for name in ("invert", "bitwise_not")},
}
BINARY = [name for name in OF_MASKS if name.startswith(("greater", "less", "equal", "not_equal", "logical_"))]
MORE |= {name: [(x, x.ravel()[0]) for x in ARRAYS] + [(X, 2.0)] for name in BINARY if name != "logical_not"}


@pytest.mark.parametrize("name", sorted({*OF_MASKS, *masks.__all__}))
def test_every_name_of_masks_and_places(name):
    for args in MORE.get(name, [(x,) for x in ARRAYS]):
        f = getattr(anp, name)
        arrays = [x for x in args if isinstance(x, np.ndarray)]
        program = compiled(lambda *x, f=f, args=args: f(*x, *args[len(x) :]))
        assert_same(program(*arrays), f(*args))
        if name != "digitize":
            fresh = [np.roll(x, 1, -1) if len(arrays) == 1 else x for x in arrays]
            assert_same(program(*fresh), f(*fresh, *args[len(arrays) :]))


@pytest.mark.parametrize("name", ["any", "all", "count_nonzero", "argmax", "argmin", "argsort", "sum", "prod", "max"])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_masks_along_axes(name, axis):
    f = getattr(anp, name)
    calls = [lambda x: f(x, axis), lambda x: f(x, axis, keepdims=True), lambda x: getattr(x, name)(axis)]
    chosen = {"argsort": calls[:1], "count_nonzero": calls[:2]}.get(name, calls)
    for x in ARRAYS[::2]:
        for call in chosen:
            with np.errstate(invalid="ignore"):
                assert_same(compiled(call)(x), call(x))


@pytest.mark.parametrize("backend", ["python", "llvm"])
@given(x=st.floats(-2, 2), low=st.floats(-2, 2))
def test_comparisons_of_numbers_are_joined_as_booleans_are(x, low, backend):
    def f(x, low):
        inside = (x > low) & (x < 1.0) | (x == low) & True ^ (low > 0.0)
        return anp.where(inside, x * x, -x)

    for function in (f, grad(f)):
        assert jit(function, backend=backend)(x, low) == function(x, low)
    masked = lambda x, low: (
        anp.sum(X[1:, 2:], where=x > low) + anp.sum(X[1:, 2:] * (x > low)) + ((x > low) & (X[1:, 2:] > 0)).sum()
    )
    assert jit(masked, backend=backend)(x, low) == masked(x, low)
    with pytest.raises(TypeError, match="unsupported operand"):
        jit(lambda x: x & 1, backend=backend)(x)


def test_what_else_integers_do():
    i, x, mask = np.array([[3, 1, 2], [0, 5, 2]]), np.linspace(-1, 1, 6, dtype="f4").reshape(2, 3), np.eye(2, 3) > 0
    for f in (
        lambda i, x, mask: (-i, abs(i), ~i, ~mask, i[0], i[..., None] == np.arange(4), i.astype(float), i.astype(bool)),
        lambda i, x, mask: (mask.sum(), mask.mean(), i.max(0), i.T, i.reshape(-1), anp.cumsum(mask), anp.diff(i)),
        lambda i, x, mask: (x * mask, x + i, anp.where(mask, x, 0.0), anp.where(i > 1, i, 0), anp.where(mask, i, x)),
        lambda i, x, mask: (anp.sum(i == 2), anp.median(i, 1), anp.var(i), anp.round(i), anp.tril(i), anp.prod(mask)),
        lambda i, x, mask: (anp.zeros_like(i), anp.full_like(x, i[0, 0]), anp.shape(i), anp.ndim(i), len(i), i.size),
        lambda i, x, mask: (anp.concatenate([i, x]), anp.stack([mask, mask]), i @ i.T, anp.einsum("ij->i", i)),
        lambda i, x, mask: (x.astype(int), anp.nanmedian(x, 1), anp.sort(i), anp.clip(i, 1, 2), anp.maximum(i, x)),
        lambda i, x, mask: (anp.sum(x, where=mask), anp.interp(x, i[0] * [-1, 0, 1], x[0]), anp.partition(x, 1)[:, 1]),
    ):
        for _ in range(2):
            ours, theirs = compiled(f)(i, x, mask), f(i, x, mask)
            for a, b in zip(flatten(ours), flatten(theirs), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6)
                assert np.asarray(a).dtype == np.asarray(b).dtype
            i, x, mask = i[::-1], -x, ~mask


def test_no_derivative_flows_into_integers_or_through_them():
    x, i = np.array([0.5, 1.5, -2.5]), np.array([1, 2, 2])
    f = compiled(grad(lambda x, i: anp.sum(x * i + x.astype(int) * x + (x > 0) * i * anp.sum(i))))
    np.testing.assert_array_equal(f(x, i), i + x.astype(int))
    assert_same(compiled(grad(lambda x: anp.sum(x.astype(int).astype(float) ** 2)))(x), np.zeros(3))
    assert_same(compiled(grad(lambda i: anp.sum(i**2.0)))(i), 2.0 * i)  # its argument is floats, as outside jit
    assert_same(compiled(grad(lambda x: anp.argmax(x) * 1.0))(x), np.zeros(3))


@pytest.mark.parametrize("row", PLACE, ids=lambda row: row.name)
def test_every_row_of_places(row):
    i, x = np.array([[1, 0], [3, 1]]), RNG.normal(size=(4, 2)).astype("f4")
    calls = {
        "invert": ([i], ()),
        "argmax": ([x], (1,)),
        "argsort": ([x], (0, "stable")),
        "searchsorted": ([np.sort(x[:, 0]), x], ("right",)),
        "bounded": ([i - 2], (4,)),
        "gather": ([x, i], ()),
        "scatter_add": ([x[:2], i[0]], ((4, 2),)),
    }
    arrays, static = calls.get(row.name, ([i, i + 1], ()))
    out = row(*arrays, *static)
    assert_same(compiled(lambda *arrays: row(*arrays, *static))(*arrays), out)
    if row.pullbacks:
        t = Tensor(x[: len(arrays[0])])
        (g,) = gradients(row(t, *arrays[1:], *static), [t], seed=np.ones(out.shape, "f4"))
        assert g.dtype == out.dtype == np.float32 and g.shape == t.shape
        check_gradients(lambda t: row(t, *arrays[1:], *static), arrays[0].astype(float))


@pytest.mark.parametrize("backend", ["python", "auto"])
def test_results_that_depend_on_no_argument(backend):
    w = Tensor([1.0, 2.0])
    f = jit(lambda x: {"x": x * 2, "w": w, "twice": w * 2, "array": TABLE, "number": 3, "none": None}, backend=backend)
    for _ in range(2):
        ours = f(np.ones(2))
        assert_same([ours["x"], ours["array"]], [2 * np.ones(2), TABLE])
        assert_same([ours["w"].data, ours["twice"].data], [w.data, 2 * w.data])  # nodes, as of any function
        assert ours["number"] == 3 and ours["none"] is None
        ours["array"][0] = 9.0  # a copy
        w.data = w.data + 1.0
    assert jit(lambda x: 1.0, backend=backend)(2.0) == 1.0
    assert_same(jit(lambda x: anp.zeros_like(x), backend=backend)(TABLE), 0 * TABLE)


def test_what_is_asked_of_a_node_from_outside_is_asked_at_each_call():
    w, v = Tensor([1.0, -2.0, 3.0]), Value(1.0)
    f = compiled(lambda x: (anp.where(w > 0, x, 0.0), anp.argmax(w) + x, w.astype(int), anp.isnan(w), x * (v > 0)))
    for new in ([1.0, -2.0, 3.0], [-1.0, 2.5, np.nan]):
        w.data, v.data = np.array(new), new[0] ** 2
        with np.errstate(invalid="ignore"):
            ours, expected = f(TABLE[:3]), np.where(w.data > 0, TABLE[:3], 0.0)
            assert_same(ours[0], expected)
            assert_same(ours[1:], (np.argmax(w.data) + TABLE[:3], w.data.astype(int), np.isnan(w.data), TABLE[:3]))


def _written(x):
    out = np.zeros(3)
    out[0] = x[0]
    return out


@no_grad()
def _unrecorded(x):
    return 2.0 * x


MESSAGES = {
    r"float\(\) asked .* by functions of autograd\.numpy": lambda x, i: float(x[0]),
    r"math\.exp\(\) asked": lambda x, i: math.exp(x[0]),
    r"x\.item\(\) asked": lambda x, i: x.item(),
    r"x\.tolist\(\) asked": lambda x, i: x.tolist(),
    r"the \.data of a Tensor was read": lambda x, i: x.data,
    r"a node decided a branch .* write where": lambda x, i: x if x[0] > 0 else -x,
    r"max\(\) asked .* write where": lambda x, i: max(x[0], x[1]),
    r"np\.asarray\(\) asked": lambda x, i: np.asarray(x),
    r"range\(\) asked": lambda x, i: range(i[0]),
    r"an array was indexed by a node, .* take\(array, i, 0\), or Tensor\(array\)\[i\]": lambda x, i: TABLE[i],
    r"a node was used as an index, .* take\(array, i, 0\)": lambda x, i: [1, 2][i[0]],
    r"a mask was used as an index .* where\(mask, x, 0\.0\)": lambda x, i: x[x > 0],
    r"numpy\.nonzero\(\) of a node .* where\(mask, x, 0\.0\)": lambda x, i: anp.nonzero(x),
    r"numpy\.unique\(\) of a node": lambda x, i: anp.unique(x),
    r"numpy\.add\.at\(\) of a node": lambda x, i: np.add.at(TABLE, i, x),
    r"anp\.where\(\) asked": lambda x, i: anp.where(x > 0),
    r"anp\.repeat\(\) asked": lambda x, i: anp.repeat(x, i),
    r"anp\.bincount\(\) asked": lambda x, i: anp.bincount(i),
    r"digitize\(\) with bins": lambda x, i: anp.digitize(x, x),
    r"a node was read as a number": lambda x, i: _written(x),
    r"a node was copied": lambda x, i: copy.deepcopy(x),
    r"no_grad\(\) was entered": lambda x, i: _unrecorded(x),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_what_needs_a_number_says_so(message):
    with pytest.raises(TracingError, match=rf"test_tracing\.py, line \d+: {message}"):
        compiled(MESSAGES[message])(TABLE, np.arange(5))


def test_arguments_of_what_is_recorded_inside_jit_alone():
    x = np.array([3.0, 1.0, 2.0, np.nan])
    for f in (
        lambda x: anp.array_equal(x, x + 0.0, equal_nan=True),
        lambda x: anp.isclose(x, x + 0.0, equal_nan=True),
        lambda x: anp.argsort(x, stable=True),
        lambda x: anp.searchsorted(x[:3], x[:2], sorter=anp.argsort(x[:3])),
        lambda x: anp.digitize(x[:3], [1.0, 2.0, 3.0], right=True),
        lambda x: anp.digitize(x[:3], [2.0]),
        lambda x: anp.sum(x[:3], initial=x[0]),
        lambda x: anp.piecewise(x, x > 1, [1.0, lambda x: -x]),
        lambda x: anp.ldexp(x.astype("f4"), [1, 2, 3, 4]),
    ):
        assert_same(compiled(f)(x), f(x))


def test_a_node_without_a_number_has_a_text():
    texts = compiled(lambda x, y: (x * 2, f"{x:.2f} {x} {y:.2f}"))(1.0, np.ones(2))[1]
    assert texts == "Value(inside jit) Value(inside jit) Tensor(inside jit, shape=(2,), dtype=float64)"


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_names_that_no_program_has(name):
    args = (TABLE,) * (2 if name in ("histogram2d", "may_share_memory") else 1)
    with pytest.raises(TracingError, match=rf"numpy\.{name}\(\) of a node"):
        compiled(lambda *args: getattr(anp, name)(*args))(*args)


@pytest.mark.parametrize("name", OF_SHAPES)
def test_names_that_ask_for_shapes(name):
    x, f = np.eye(3), getattr(anp, name)
    args = (x, 1.0) if name == "result_type" else (x,)
    ours, theirs = compiled(lambda x: f(x, *args[1:]))(x), f(*args)
    assert np.shape(ours) == np.shape(theirs)
    if name != "empty_like":
        assert all(np.all(a == b) for a, b in zip(flatten(ours), flatten(theirs), strict=True))


READS = {
    "data": lambda w: w.data,
    "item": lambda w: w.item(),
    "float": float,
    "int": int,
    "bool": lambda w: 1.0 if w else 2.0,
    "copy": copy.copy,
    "tolist": lambda w: w.data.tolist(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("node", [Value(2.0), Tensor(2.0), Tensor([2.0])], ids=str)
def test_the_number_of_a_node_from_outside_is_not_frozen_into_a_program(node, read):
    for f in (lambda x: x * read(node), lambda x: x * read(node.detach())):
        with pytest.raises(TracingError, match="inside jit: the number is not known yet"):
            compiled(f)(1.0)
        with pytest.raises(TracingError, match="the number is not known yet"):
            compiled(lambda x, read=read: vmap(lambda x: x * read(node))(x))(np.ones(3))
    assert vmap(lambda x: x * node.data)(np.ones(3)).ravel().tolist() == [2.0, 2.0, 2.0]  # it is traced each time
    made = node * 3.0
    assert compiled(lambda x: x * made.detach())(2.0) == 12.0 and compiled(lambda x: x * made.data)(2.0) == 12.0


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=3), st.booleans())
def test_what_is_detached_from_outside_is_read_at_each_call(numbers, alone):
    w = Value(1.0) if alone else Tensor([1.0, -2.0])
    f = compiled(lambda x: anp.sum(x * w.detach() * w + w.detach()))
    for number in numbers:
        w.data, w.grad = (number if alone else np.array([number, 0.5])), None
        total = f(3.0)
        total.backward()
        assert total.data == pytest.approx(np.sum(3.0 * w.data**2 + w.data))
        np.testing.assert_allclose(w.grad, 3.0 * w.data)
    assert len(f.forms) == 1
