"""Every operation of the table: its readings agree with each other, and its derivatives with finite differences."""

import linecache
import math
import traceback

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, gradients
from autograd.operation import ELEMENTWISE, PLAIN_ARRAYS, PLAIN_FLOATS, read

from . import strategies

every_operation = pytest.mark.parametrize("operation", strategies.OPERATIONS, ids=lambda operation: operation.name)
elementwise = pytest.mark.parametrize("operation", ELEMENTWISE, ids=lambda operation: operation.name)
differentiable = pytest.mark.parametrize(
    "operation",
    [operation for operation in strategies.OPERATIONS if operation.pullbacks],
    ids=lambda operation: operation.name,
)


def far_from_kinks(operation, arrays):
    """No two numbers that a comparison might take for equal, when one of them moves by a finite difference."""
    if operation.name == "mod":  # no quotient near an integer
        quotient = np.divide(*arrays)
        return bool(np.all(np.abs(quotient - np.rint(quotient)) > 0.03))
    if operation.name not in (*strategies.KINKED, "max", "min"):
        return True
    everything = np.sort(np.concatenate([np.ravel(x) for x in arrays] + [[0.0]]))
    return bool(np.all(np.diff(everything) > 0.1 * np.abs(everything[1:])))


def reference(operation):
    """What NumPy calls the operation, where it has a function of that name."""
    names = {
        "neg": "negative",
        "mul": "multiply",
        "sub": "subtract",
        "truediv": "divide",
        "abs": "absolute",
        "pow": "power",
        "floordiv": "floor_divide",
    }
    return getattr(np, names.get(operation.name, operation.name), None)


@differentiable
@given(data=st.data())
def test_derivatives_of_arrays(operation, data):
    arrays, static = data.draw(strategies.calls(operation).filter(lambda call: far_from_kinks(operation, call[0])))
    rtol = 1e-2 if operation.name == "cast" else 1e-5
    differentiated = [i for i, pullback in enumerate(operation.pullbacks) if pullback]
    held = list(arrays)

    def f(*chosen):
        for i, x in zip(differentiated, chosen):
            held[i] = x
        return operation(*held, *static), size

    # beside it, since rounding in a function of several numbers costs as much as they are large
    size = max(float(np.max(np.abs(x), initial=0.0)) for x in arrays)
    check_gradients(f, *[arrays[i] for i in differentiated], order=1 if rtol > 1e-3 else 2, rtol=rtol)


@elementwise
@given(data=st.data())
def test_derivatives_of_values(operation, data):
    numbers = [data.draw(strategies.numbers_for(operation.name)) for _ in operation.arguments]
    if operation.pullbacks and far_from_kinks(operation, [np.array([x]) for x in numbers]):
        first = 1 if operation.name == "where" else 0
        check_gradients(lambda *chosen: operation(*numbers[:first], *chosen), *numbers[first:])


@elementwise
@given(data=st.data())
def test_floats_arrays_and_nodes_agree(operation, data):
    edges = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-8, 1e300, -745.5, 710.0, 0.5])
    numbers = [data.draw(edges | strategies.numbers_for(operation.name)) for _ in operation.arguments]
    with np.errstate(all="ignore"):
        on_arrays = PLAIN_ARRAYS.value[operation](*map(np.array, numbers))
        on_tensors = operation(*map(Tensor, numbers))
        tensors = [Tensor([x]) for x in numbers]
        tensor_gradients = gradients(operation(*tensors), tensors)
        graph_gradients = gradients(operation(*tensors), tensors, create_graph=True)
    values = [Value(x) for x in numbers]
    out = operation(*values)
    assert isinstance(out.data, float) and isinstance(on_tensors.data.item(), (float, bool))
    for result in (PLAIN_FLOATS.value[operation](*numbers), on_arrays, on_tensors.data):
        np.testing.assert_allclose(out.data, result, rtol=1e-14, atol=1e-300)
    for value, tensor, graph in zip(gradients(out, values), tensor_gradients, graph_gradients):
        np.testing.assert_allclose(value, tensor[0], rtol=1e-13, atol=1e-300)
        np.testing.assert_array_equal(graph.data, tensor)


@elementwise
@given(data=st.data())
def test_values_are_numpys(operation, data):
    function = reference(operation)
    if function is None:
        pytest.skip("NumPy has no function of this name")
    arrays, static = data.draw(strategies.calls(operation))
    np.testing.assert_allclose(operation(*map(Tensor, arrays)).data, function(*arrays), rtol=1e-12)


@every_operation
@given(data=st.data())
def test_float32_stays(operation, data):
    arrays, static = data.draw(strategies.calls(operation))
    if operation.name == "cast":
        static = (np.dtype(np.float32),)
    tensors = [Tensor(x, np.float32) for x in arrays]
    with np.errstate(all="ignore"):
        out = operation(*tensors, *static)
        expected = bool if operation.name in strategies.COMPARISONS else np.float32
        assert out.dtype == expected
        for x, g in zip(tensors, gradients(out, tensors, seed=np.ones(out.shape))):
            assert g.dtype == np.float32 and g.shape == x.shape
    if len(tensors) == 2 and operation in ELEMENTWISE:
        assert operation(tensors[0], 2.0).dtype == operation(3, tensors[1]).dtype == expected


@every_operation
def test_every_row_is_drawn_for(operation):
    assert operation in ELEMENTWISE or operation.name in strategies.ARRAY_CALLS
    assert repr(operation).startswith(f"<operation {operation.name}(")


KINKS = [
    (lambda x: x.relu(), 0.0, 0.0),
    (lambda x: abs(x), 0.0, 0.0),
    (lambda x: anp.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: anp.minimum(x, x), 2.0, 1.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**3, -8.0, 192.0),
    (lambda x: x**-2, -2.0, 0.25),
    (lambda x: x.sqrt(), 0.0, math.inf),
    (lambda x: anp.where(x.data > 0, x.sqrt(), 0.0), 0.0, 0.0),
    (lambda x: anp.where(x.data > 0, x.log(), x), -1.0, 1.0),
    (lambda x: anp.where(x.data < 9, x, (x * x).exp()), 30.0, math.inf),
    (lambda x: anp.where(x.data < 9, (x * x).exp(), x), 30.0, 1.0),
    (lambda x: x.sigmoid(), 1000.0, 0.0),
    (lambda x: x.sigmoid(), -1000.0, 0.0),
    (lambda x: x.softplus(), 1000.0, 1.0),
    (lambda x: x.tanh(), -1000.0, 0.0),
    (lambda x: 0.0 * x.log(), 0.0, 0.0),
    (lambda x: (0.0 * x) ** 0.5, 1.0, math.nan),
]


@pytest.mark.parametrize("f, x, slope", KINKS)
def test_kinks_and_edges(f, x, slope):
    value, tensor = Value(x), Tensor([x, x])
    with np.errstate(all="ignore"):
        f(value).backward()
        f(tensor).sum().backward()
    np.testing.assert_allclose([value.grad, *tensor.grad], slope, rtol=1e-12)


@pytest.mark.parametrize(
    "f, x, expected",
    [
        (lambda x: 1 / x, 0.0, math.inf),
        (lambda x: -1 / x, 0.0, -math.inf),
        (lambda x: x / x, 0.0, math.nan),
        (lambda x: x**-1, 0.0, math.inf),
        (lambda x: x.log(), 0.0, -math.inf),
        (lambda x: x.log(), -1.0, math.nan),
        (lambda x: x.log1p(), -1.0, -math.inf),
        (lambda x: x ** (1 / 3), -8.0, math.nan),
        (lambda x: x**3, -8.0, -512.0),
        (lambda x: x.sqrt(), -1.0, math.nan),
        (lambda x: x.exp(), 1e3, math.inf),
        (lambda x: x * 1e308, 1e308, math.inf),
        (lambda x: 2**x, 5000.0, math.inf),
        (lambda x: x.sin(), math.inf, math.nan),
        (lambda x: x.relu(), math.nan, math.nan),
        (lambda x: x.arcsin(), 2.0, math.nan),
    ],
)
def test_ieee_754_on_values_and_on_tensors(f, x, expected):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal([f(Value(x)).data, f(Tensor(x)).data], expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ties_share_the_gradient(dtype):
    for n in (1, 3, 70_000):
        x = Tensor(np.full(n, 2.0), dtype)
        (g,) = gradients(x.max(), [x])
        assert g.dtype == dtype and len(set(g.tolist())) == 1
        assert abs(g.astype(float).sum() - 1.0) <= 4 * np.finfo(dtype).eps


def test_singular_derivatives_pass_nothing_through_a_zero_gradient_in_higher_orders():
    x = Tensor([0.0, 4.0, -1.0])
    with np.errstate(all="ignore"):
        y = anp.where(x > 0, x.sqrt(), 0.0).sum()
    (first,) = gradients(y, [x], create_graph=True)
    (second,) = gradients(first.sum(), [x])
    np.testing.assert_array_equal(first.data, [0.0, 0.25, 0.0])
    np.testing.assert_array_equal(second, [0.0, -1 / 32, 0.0])


def test_norm_and_std_have_gradient_zero_at_zero():
    for f in (lambda x: x.norm(), lambda x: x.std()):
        x = Tensor(np.zeros((2, 3)))
        np.testing.assert_array_equal(gradients(f(x), [x])[0], np.zeros((2, 3)))


def test_variance_survives_a_large_offset():
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose((Tensor(x) + 1e9).var(ddof=1).data, x.var(ddof=1), rtol=1e-9)


@given(data=st.data())
def test_prod_is_right_with_zeros_and_over_axes(data):
    x = data.draw(strategies.arrays(data.draw(st.sampled_from([(5,), (2, 3), (3, 2, 2), (0, 2), ()])), "pow"))
    x[x < 1] = 0.0
    axis = data.draw(st.sampled_from([None, *range(x.ndim)]))
    np.testing.assert_allclose(Tensor(x).prod(axis).data, x.prod(axis), rtol=1e-13)
    check_gradients(lambda t: anp.prod(t, axis), x)


@pytest.mark.parametrize("row", ["half(x) x / 2", "twice(x) = 2 * x | g * 2 | g", ""])
def test_a_row_that_does_not_read(row):
    with pytest.raises(ValueError, match="row reads|pullbacks"):
        read(row)


def test_a_traceback_shows_the_rule():
    try:
        Tensor(np.ones(3)) + Tensor(np.ones(4))
    except ValueError as error:
        assert "add: x of shape (3,), y of shape (4,)" in str(error)
        shown = "".join(traceback.format_tb(error.__traceback__))
    assert "<add: Tensor forward>" in shown
    assert "__data = _x + _y" in "".join(linecache.getlines("<add: Tensor forward>"))


@elementwise
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [">f4", ">f8"])
def test_the_order_of_bytes_is_no_matter(operation, dtype):
    arrays = [np.array([0.25, 0.5], dtype)] * len(operation.arguments)
    native = [x.astype(x.dtype.newbyteorder("=")) for x in arrays]
    np.testing.assert_array_equal(operation(*arrays), operation(*native))
