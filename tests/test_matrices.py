"""Matrix products in machine code: every size, every order in memory, and numbers that are not finite."""

import ctypes
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import jit

pytest.importorskip("llvmlite")
from autograd.compiler.llvm import matrices, tiles  # noqa: E402

RNG = np.random.default_rng(0)
sizes = st.one_of(st.integers(0, 40), st.sampled_from([47, 48, 49, 63, 64, 65, 95, 97, 127, 129, 255, 257]))
deep = st.one_of(sizes, st.sampled_from([tiles.DEPTH, tiles.DEPTH + 1, 2 * tiles.DEPTH + 3]))
dtypes = st.sampled_from([np.float64, np.float32])
ORDERS = {
    "rows": lambda x: x,
    "columns": lambda x: x.mT,
    "upside down": lambda x: x[..., ::-1, :],
    "backwards": lambda x: x[..., :, ::-1],
    "every other": lambda x: x[..., 1::2, ::3],
}
orders = st.sampled_from([*ORDERS])


def matrix(shape, order, dtype):
    """Small integers, of which products are exact in any order, and what makes a matrix of this shape of them."""
    lead, (m, n) = shape[:-2], shape[-2:]
    shape = {"columns": (n, m), "every other": (2 * m + 1, max(3 * n - 2, 0))}.get(order, (m, n))
    return RNG.integers(-9, 10, (*lead, *shape)).astype(dtype), ORDERS[order]


def assert_exact(x, y, x_view, y_view):
    f = jit(lambda x, y: x_view(x) @ y_view(y), backend="llvm")
    expected = x_view(x) @ y_view(y)
    np.testing.assert_array_equal(f(x, y), expected)
    assert f(x, y).dtype == expected.dtype


@given(sizes, deep, sizes, orders, orders, dtypes)
def test_products_of_every_size_and_order_in_memory(m, k, n, x_order, y_order, dtype):
    (x, x_view), (y, y_view) = matrix((m, k), x_order, dtype), matrix((k, n), y_order, dtype)
    assert_exact(x, y, x_view, y_view)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("x_order", ["rows", "columns"])
@pytest.mark.parametrize("y_order", ["rows", "columns"])
def test_products_of_several_blocks(x_order, y_order, dtype):
    m, k, n = tiles.rows_of_block("double" if dtype is np.float64 else "float") + 3, tiles.DEPTH + 5, matrices.WIDE + 1
    (x, x_view), (y, y_view) = matrix((m, k), x_order, dtype), matrix((k, n), y_order, dtype)
    assert_exact(x, y, x_view, y_view)


@pytest.mark.parametrize("x_order", ["rows", "columns", "every other"])
@pytest.mark.parametrize("y_order", ["rows", "columns", "every other"])
def test_one_row_or_one_column(x_order, y_order):
    for m, k, n in ((1, 150, 41), (41, 150, 1), (1, 5001, 1)):
        (x, x_view), (y, y_view) = matrix((m, k), x_order, np.float64), matrix((k, n), y_order, np.float64)
        assert_exact(x, y, x_view, y_view)


@given(
    st.tuples(sizes, sizes, sizes), st.sampled_from([((2,), ()), ((), (2,)), ((3, 1), (2,)), ((2, 3), (1, 1))]), orders
)
def test_stacks_are_broadcast_against_each_other(shape, leads, order):
    (m, k, n), (x_lead, y_lead) = shape, leads
    (x, x_view), (y, y_view) = matrix((*x_lead, m, k), order, np.float64), matrix((*y_lead, k, n), "rows", np.float64)
    assert_exact(x, y, x_view, y_view)


@given(
    *[st.integers(1, 70)] * 3,
    st.sampled_from([np.nan, np.inf, -np.inf]),
    st.booleans(),
    dtypes,
    orders,
    orders,
    st.data(),
)
def test_what_is_not_finite_reaches_its_row_or_column_alone(m, k, n, bad, left, dtype, x_order, y_order, data):
    (x, x_view), (y, y_view) = matrix((m, k), x_order, dtype), matrix((k, n), y_order, dtype)
    part = x_view(x) if left else y_view(y)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in part.shape)
    part[place] = bad
    with np.errstate(invalid="ignore"):
        assert_exact(x, y, x_view, y_view)


@pytest.fixture(scope="module", params=[(16, 32), (32, 64)], ids=["AVX2", "AVX-512"])
def built(request):
    """The functions for products, by dtype, for processors with these registers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "registers", lambda: request.param)
        yield {np.dtype(name): tiles.functions.__wrapped__(type) for name, type in [("f8", "double"), ("f4", "float")]}


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 600), st.integers(16, 120)),
    orders,
    orders,
    dtypes,
    *[st.booleans()] * 2,
)
def test_functions_for_other_registers_with_and_without_copies(built, shape, x_order, y_order, dtype, copy_x, copy_y):
    (m, k, n), size = shape, np.dtype(dtype).itemsize
    (x, x_view), (y, y_view) = matrix((m, k), x_order, dtype), matrix((k, n), y_order, dtype)
    x, y, out = x_view(x), y_view(y), np.full((m, n), np.nan, dtype)
    panel, block = np.full(1 << 14, np.nan), np.full(1 << 17, np.nan)
    address = built[out.dtype].address(f"product.{'double' if size == 8 else 'float'}")
    integer, pointer, yes = ctypes.c_int64, ctypes.c_void_p, ctypes.c_bool
    factor = [pointer, integer, integer, yes]
    left, right = (
        (each.ctypes.data, *(stride // size for stride in each.strides), copy)
        for each, copy in ((x, copy_x), (y, copy_y or y.strides[1] != size))
    )
    call = ctypes.CFUNCTYPE(None, integer, integer, integer, *factor, *factor, pointer, pointer, pointer)(address)
    call(m, k, n, *left, *right, out.ctypes.data, panel.ctypes.data, block.ctypes.data)
    np.testing.assert_array_equal(out, x @ y)


@given(
    st.lists(st.sampled_from([4, 8, 12, 3, 1]), min_size=2, max_size=4).map(tuple),
    st.data(),
    st.sampled_from(["f4", "f8", "i8"]),
    st.booleans(),
)
def test_arrays_that_lie_along_other_axes_are_copied(shape, data, dtype, flipped):
    axes = [*range(len(shape))][::-1] if data.draw(st.booleans()) else data.draw(st.permutations(range(len(shape))))
    x = np.arange(math.prod(shape), dtype=dtype).reshape(shape)

    def f(x):
        return np.transpose(x[::-1] if flipped else x, axes)

    np.testing.assert_array_equal(jit(f, backend="llvm")(x), f(x))
    np.testing.assert_array_equal(jit(lambda x: f(x).reshape(-1), backend="llvm")(x), f(x).reshape(-1))
