"""Value and Tensor behave as a number and as an array of NumPy do, and refuse what would lose a derivative."""

import cmath
import copy
import math
import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, callers, gradients

from . import strategies

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]


@pytest.mark.parametrize("x", [Value(2.0), Tensor([2.0], np.float32)])
@pytest.mark.parametrize("op", OPERATORS)
def test_fractions_are_numbers_and_decimals_are_refused(x, op):
    for out, expected in ((op(x, Fraction(1, 2)), op(2.0, 0.5)), (op(Fraction(1, 2), x), op(0.5, 2.0))):
        assert out.data == expected and getattr(out.data, "dtype", None) == getattr(x.data, "dtype", None)
    for work in (lambda: op(x, Decimal("0.5")), lambda: op(Decimal("0.5"), x)):
        with pytest.raises(TypeError, match=r"needs a real number, not Decimal\('0.5'\) .*: use float\(\) of it"):
            work()


@given(x=st.floats(-1e3, 1e3), y=st.floats(0.1, 1e3), op=st.sampled_from(OPERATORS))
def test_value_arithmetic_with_numbers_on_either_side(x, y, op):
    for other in (y, np.float64(y), np.float32(y), int(y) + 1, True):
        assert op(Value(x), other).data == op(x, float(other))
        assert op(other, Value(y)).data == op(float(other), y)
    assert op(Value(x), Value(y)).data == op(x, y)
    assert (-Value(x)).data == -x and abs(Value(x)).data == abs(x)
    assert (Value(y) ** 2.5).data == y**2.5 and (2 ** Value(y / 1e3)).data == 2 ** (y / 1e3)


@given(data=st.data(), op=st.sampled_from(OPERATORS))
def test_tensor_arithmetic_is_numpys(data, op):
    shapes = data.draw(strategies.broadcasting(2))
    x, y = (data.draw(strategies.arrays(shape)) for shape in shapes)
    expected = op(x, y)
    for left, right in [(Tensor(x), Tensor(y)), (Tensor(x), y), (x, Tensor(y)), (Tensor(x), y.tolist())]:
        np.testing.assert_array_equal(op(left, right).data, expected)
    np.testing.assert_array_equal(op(np.float64(2), Tensor(y)).data, op(2.0, y))


@pytest.mark.parametrize(
    "left, right",
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((4, 2, 3), (3, 2)),
        ((5, 1, 2, 3), (4, 3, 2)),
        ((3,), (4, 3, 2)),
        ((4, 2, 3), (3,)),
    ],
)
def test_matrix_products_of_every_dimension(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=left), rng.normal(size=right)
    for product in (Tensor(x) @ Tensor(y), Tensor(x) @ y, x @ Tensor(y)):
        np.testing.assert_allclose(product.data, x @ y, rtol=1e-12)
        assert product.shape == (x @ y).shape


def test_data_is_copied_and_kept_as_floats():
    array = np.arange(3)
    tensor = Tensor(array)
    array[0] = 9
    assert tensor.data.tolist() == [0.0, 1.0, 2.0] and tensor.dtype == np.float64
    assert Tensor([True, False]).dtype == np.float64
    assert Tensor(np.ones(2, np.float32)).dtype == Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert Value(np.int32(3)).data == 3.0 and type(Value(True).data) is float


def test_reading_a_number():
    x, t = Value(2.5), Tensor([[2.5]])
    assert float(x) == float(t) == t.item() == 2.5
    assert [float(v) for v in (x, t)] == [2.5, 2.5]
    assert x > 2 and x < Value(3) and x == 2.5 and x != 2 and not Value(0.0) and 3 > x
    assert f"{x:.2f} {t.item():.1f}" == "2.50 2.5" and "%.1f" % x == "2.5"  # noqa: UP031
    assert (Tensor([1.0, 2.0]) > 1.5).tolist() == [False, True] and (
        Tensor([1.0, 2.0]) == Tensor([1.0, 3.0])
    ).tolist() == [True, False]
    assert len({x, Value(2.5)}) == 2


@pytest.mark.parametrize(
    "read",
    [
        math.exp,
        math.sqrt,
        math.floor,
        cmath.exp,
        complex,
        operator.index,
        np.asarray,
        np.array,
        lambda x: np.array([x, x]),
        lambda x: list(map(math.exp, [x])),
        lambda x: max([x], key=math.exp),
        lambda x: math.exp(float(x) * x),
        lambda x: math.hypot(*[x, x]),
        lambda x: x.__float__(),
        lambda x: np.fromiter(map(math.exp, [x]), dtype=float),
        lambda x: np.array([x], dtype=float),
    ],
)
@pytest.mark.parametrize("node", [Value(1.0), Tensor(1.0)])
def test_what_would_lose_the_history_raises(read, node):
    with pytest.raises(TypeError):
        read(node)


def test_the_message_of_math_exp_says_what_to_write():
    with pytest.raises(TypeError, match=r"x.exp\(\), not math.exp\(x\)"):
        math.exp(Value(1.0))


class Reader:
    read = float


def _in_a_loop(x):
    f = float
    for _ in range(2):
        number = f(x)
    return number


@pytest.mark.parametrize(
    "read",
    [
        lambda x: Reader.read(x),
        lambda x: (lambda self: self.read(x))(Reader()),
        lambda x: (lambda f: f(x))(float),
        lambda x: (lambda zero, f: zero + f(x))(0.0, float),
        lambda x: (lambda f: [f(x) for _ in range(2)])(float)[0],
        _in_a_loop,
        lambda x: next(map(float, [x])),
        lambda x: [*map(float, [x])][0],
        lambda x: [y for y in map(float, [x])][0],
        lambda x: min(*map(float, [x, x])),
        lambda x: (lambda numbers: list(numbers)[0])(map(float, [x])),
        lambda x: max([x, x], key=float).data,
        lambda x: sorted([x], key=float)[0].data,
        lambda x: (lambda a, f: max(a, key=f).data)([x], float),
        lambda x: math.fsum(map(float, [x])),
        lambda x: np.fromiter(map(float, [x]), float)[0],
        lambda x: eval("float(x)", {"x": x}),
    ],
)
@pytest.mark.parametrize("node", [Value(2.5), Tensor(2.5)])
def test_float_as_a_function(read, node):
    assert read(node) == read(node) == 2.5


def test_a_node_is_not_written_into_an_array():
    for node in (Value(1.0), Tensor(1.0)):
        with pytest.raises((TypeError, ValueError)):
            np.zeros(1)[0] = node
        with pytest.raises((TypeError, ValueError)):
            np.fromiter([node], float)


@pytest.mark.parametrize("function", [math.exp, math.floor, lambda x: math.hypot(x, 1.0), np.asarray])
def test_what_was_called_often_with_numbers_does_not_read_a_node(function):
    def call(x):
        return function(x)

    for _ in range(100):
        call(1.0)
    for node in (Value(1.0), Tensor(1.0)):
        with pytest.raises(TypeError, match="its history"):
            call(node)


def test_one_line_that_calls_many_functions_is_looked_at_each_time():
    functions = [float, math.exp, float, math.sqrt]

    def read(function):
        try:
            return function(Value(2.5))
        except TypeError:
            return None

    assert [read(function) for function in functions] == [2.5, None, 2.5, None]


def test_float_takes_no_longer_in_a_long_function(monkeypatch):
    lines = "".join(f"    a{i} = {i}\n" for i in range(3000))
    scope = {}
    exec(f"def long(x):\n{lines}    return [float(x) for _ in range(100)]", scope)
    scope["long"](Value(1.0))
    monkeypatch.delattr(callers, "_site")  # what was read once is not read again
    assert scope["long"](Value(2.0)) == [2.0] * 100


@pytest.mark.parametrize(
    "bad, message",
    [
        ("1.0", "needs a real number, not '1.0'"),
        (1j, "needs a real number, not 1j"),
        (None, "not None"),
    ],
)
def test_a_value_is_one_real_number(bad, message):
    with pytest.raises(TypeError, match=message):
        Value(bad)
    with pytest.raises(TypeError, match=message):
        Value(1.0) * bad


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.ones(2), r"array of shape \(2,\): use a Tensor"),
        (Tensor([1.0]), r"not Tensor\(\[1.\]\)"),
        ([1.0], r"not \[1.0\]"),
    ],
)
def test_a_value_is_no_array(bad, message):
    with pytest.raises(TypeError, match=message):
        Value(bad)


@pytest.mark.parametrize(
    "bad, error, message",
    [
        ([[1.0], [1.0, 2.0]], ValueError, "needs an array, and this is none"),
        ([object()], TypeError, "real numbers, not object"),
        ("text", TypeError, "real numbers"),
        ([1j], TypeError, "real numbers, not complex128"),
    ],
)
def test_a_tensor_is_a_real_array(bad, error, message):
    with pytest.raises(error, match=message):
        Tensor(bad)
    with pytest.raises(error, match=message):
        Tensor([1.0]) + bad


def test_data_is_checked_when_it_is_assigned():
    x, v, floats = Tensor([1.0], name="x"), Value(1.0), np.ones((2, 2), np.float32)
    x.data = floats
    assert x.data is floats and x.dtype == np.float32
    for other in ([1, 2], np.array([1, 2]), np.array([True, True]), np.ones(2)[::-1]):
        x.data = other
        assert type(x.data) is np.ndarray and x.dtype == float and x.shape == (2,)
    v.data = np.float32(2.0)
    assert type(v.data) is float
    masked, objects = np.ma.masked_array([1.0], [True]), np.array([None])
    for bad in ("a", None, 1j, objects, masked, x, v, [[1.0], [1.0, 2.0]]):
        for node in (x, v):
            before = node.data
            with pytest.raises((TypeError, ValueError), match="needs|mask|already|one number"):
                node.data = bad
            assert node.data is before


def test_a_tensor_holds_floats():
    for wrong in (int, complex, object):
        with pytest.raises(TypeError, match="holds floats"):
            Tensor([1.0], dtype=wrong)
    with pytest.raises(TypeError, match="holds floats"):
        Tensor([1.0]).astype(complex)


@pytest.mark.parametrize(
    "f, error, message",
    [
        (lambda t: t + np.ones((2, 2)), ValueError, r"add: x of shape \(2, 3\), y of shape \(2, 2\)"),
        (lambda t: t @ np.ones((2, 3)), ValueError, r"matmul: x of shape \(2, 3\), y of shape \(2, 3\)"),
        (lambda t: t @ 2.0, ValueError, "scalar has no matrix product"),
        (lambda t: t.reshape(4), ValueError, "reshape: x of shape"),
        (lambda t: t.sum(2), ValueError, "axis 2 is out of bounds"),
        (lambda t: t.sum((0, 0)), ValueError, "twice"),
        (lambda t: t.transpose(0, 0), ValueError, "repeated axis in transpose"),
        (lambda t: t[5], IndexError, "getitem: .*out of bounds"),
        (lambda t: t.expand(2), ValueError, r"broadcast_to: shape \(2, 3\) has more axes than \(2,\)"),
        (lambda t: float(t), TypeError, r"shape \(2, 3\) is not one number"),
        (lambda t: bool(t), ValueError, r"shape \(2, 3\) is ambiguous"),
        (lambda t: len(t.sum()), TypeError, "no len"),
        (lambda t: operator.setitem(t, 0, 1.0), TypeError, "cannot be changed in place"),
        (lambda t: Value(1.0) * np.ones(3) + t[:, :2], ValueError, r"add: x of shape \(3,\), y of shape \(2, 2\)"),
        (lambda t: operator.setitem(Value(1.0), 0, 1.0), TypeError, "cannot be changed in place"),
        (lambda t: anp.stack([t, t[0]]), ValueError, r"stack: .* of shape \(1, 2, 3\), y of shape \(1, 3\)"),
        (lambda t: anp.concatenate([t, t], 2), ValueError, "concatenate: axis 2 is out of bounds"),
        (lambda t: Tensor([1.0], name=3), TypeError, "is a string"),
    ],
)
def test_mistakes_are_named(f, error, message):
    with pytest.raises(error, match=message):
        f(Tensor(np.ones((2, 3))))


def test_nodes_are_not_for_inheritance():
    with pytest.raises(TypeError, match="hold a node as an attribute"):
        type("Weight", (Tensor,), {})


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_are_numpys(name, axis, keepdims):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    out = getattr(Tensor(x), name)(axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(out.data, getattr(x, name)(axis=axis, keepdims=keepdims), rtol=1e-12, atol=1e-15)
    assert out.shape == getattr(x, name)(axis=axis, keepdims=keepdims).shape
    np.testing.assert_allclose(getattr(anp, name)(Tensor(x), axis, keepdims=keepdims).data, out.data)
    assert type(getattr(anp, name)(x)) is not Tensor


def test_shapes_are_numpys():
    x = np.arange(24.0).reshape(2, 3, 4)
    t = Tensor(x)
    for f in (
        lambda a: a.T,
        lambda a: a.mT,
        lambda a: a.reshape(4, -1),
        lambda a: a.reshape((6, 4)),
        lambda a: a.ravel(),
        lambda a: a.transpose(1, 0, -1),
        lambda a: a.transpose((2, 0, 1)),
        lambda a: a.swapaxes(0, -1),
        lambda a: a[1, :, ::2],
        lambda a: a[[0, 1, 1], [2, 0, 0]],
        lambda a: a[x > 7],
        lambda a: a[..., None, 0],
        lambda a: a[np.array([1]), 1:],
    ):
        np.testing.assert_array_equal(f(t).data, f(x))
    assert (t.ndim, t.size, t.shape, len(t)) == (3, 24, (2, 3, 4), 2)
    assert [row.data.tolist() for row in t] == x.tolist()
    np.testing.assert_array_equal(anp.stack([t, x], -1).data, np.stack([x, x], -1))
    np.testing.assert_array_equal(anp.concatenate([t, x, t], -1).data, np.concatenate([x, x, x], -1))
    np.testing.assert_array_equal(anp.broadcast_to(t[0, 0], (2, 4)).data, np.broadcast_to(x[0, 0], (2, 4)))
    np.testing.assert_allclose(anp.logsumexp(x, 1), np.log(np.exp(x).sum(1)))


def test_repeated_indices_add_up():
    x = Tensor([1.0, 2.0, 3.0])
    assert gradients(x[[0, 0, 2]].sum(), [x])[0].tolist() == [2.0, 0.0, 1.0]


def test_detach_and_copies():
    x = Value(3.0, name="x")
    assert gradients(x * x.detach(), [x]) == [3.0]
    x.grad = 1.0
    twin = copy.deepcopy(x)
    assert (twin.data, twin.grad, twin.name) == (3.0, 1.0, "x") and twin is not x


def test_a_tensor_of_one_number_has_a_truth():
    assert Tensor(2.0) and Tensor([[1.0]]) and not Tensor([0.0])
    with pytest.raises(ValueError, match=r"shape \(0,\) is ambiguous"):
        bool(Tensor([]))


def test_repr():
    assert repr(Value(1.5, name="w")) == "Value(1.5, name='w')"
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(Tensor([1.0], np.float32, name="b")) == "Tensor([1.], dtype=float32, name='b')"
    assert (Value(2.0) * 3).args[1] == 3.0 and Value(1.0).args == ()


def test_a_float_of_a_longdouble_is_one():
    assert type(float(Tensor(np.longdouble(0.5)))) is float and float(Tensor(np.longdouble([0.5]))) == 0.5
