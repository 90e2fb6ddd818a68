"""jit: what is printed equals what is recorded, for every operation, on fresh inputs; and what cannot be traced says so."""

import gc
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
import nn
from autograd import Tensor, TracingError, Value, define, grad, hessian, hvp, jacobian, jit, jvp, value_and_grad, vjp
from autograd.operation import ELEMENTWISE
from autograd.transforms import leaves

from . import strategies
from .test_backward import OF_ARRAYS, SAFE, programs

pytest.importorskip("llvmlite")
BACKENDS = ["python", "llvm"]
every_operation = pytest.mark.parametrize("operation", strategies.OPERATIONS, ids=lambda operation: operation.name)
elementwise = pytest.mark.parametrize("operation", ELEMENTWISE, ids=lambda operation: operation.name)
EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-8, 1e300, -745.5, 710.0, 0.5, 2.0]


def agree(f, *args, fresh=(), backends=BACKENDS, rtol=1e-12, atol=1e-300):
    """f, compiled by each backend, against f itself on numbers wrapped in nodes; also on fresh arguments of the same form."""
    with np.errstate(all="ignore"):
        for backend in backends:
            compiled = jit(f, backend=backend)
            for given in (args, *fresh):
                expected = [x.data if isinstance(x, (Value, Tensor)) else x for x in leaves(f(*wrapped(given)))]
                for ours, theirs in zip(leaves(compiled(*given)), expected, strict=True):
                    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=f"{backend}\n{compiled.source}")
                    assert np.shape(ours) == np.shape(theirs) and np.asarray(ours).dtype == np.asarray(theirs).dtype


def wrapped(args):
    arrays = any(isinstance(x, np.ndarray) for x in leaves(args))
    return [(Tensor if arrays else Value)(x) for x in args]


def printable(operation):
    return operation.name not in "sorted_as unsorted_as solve inv det detsign logdet cofactor cholesky".split()


def differentiated(operation, static):
    """The values, the gradients, and the gradients of the gradients, as one function."""
    count = len(operation.pullbacks) if operation.pullbacks else 0

    def f(*args):
        return operation(*args, *static)

    def first(*args):
        return grad(lambda *inner: anp.sum(f(*inner)) if isinstance(f(*inner), Tensor) else f(*inner), tuple(range(count)))(*args)

    def both(*args):
        if not count:
            return f(*args)
        second = grad(lambda *inner: sum(anp.sum(g) if isinstance(g, Tensor) else g for g in first(*inner)), tuple(range(count)))
        return [f(*args), first(*args), second(*args)]

    return both


@every_operation
@settings(max_examples=8)
@given(data=st.data())
def test_every_operation_on_arrays(operation, data):
    arrays, static = data.draw(strategies.calls(operation))
    fancy = operation.name in ("getitem", "scatter") and any(
        isinstance(part, (list, np.ndarray)) for part in (static[0] if isinstance(static[0], tuple) else static[:1]))
    empty = operation.name in ("max", "min", "ties", "logsumexp") and not arrays[0].size
    backends = BACKENDS if printable(operation) and not fancy and not empty else ["python"]
    arrays = [np.asarray(x) for x in arrays]
    fresh = [[np.asarray(x * 0.75) for x in arrays]]
    agree(differentiated(operation, static), *arrays, fresh=fresh, backends=backends, rtol=1e-9, atol=1e-12)
    if operation.name != "cast":
        single = [x.astype(np.float32) for x in arrays]
        agree(lambda *x: operation(*x, *static), *single, backends=backends, rtol=1e-4, atol=1e-5)


@elementwise
@settings(max_examples=15)
@given(data=st.data())
def test_every_operation_on_numbers_and_at_edges(operation, data):
    numbers = [data.draw(st.sampled_from(EDGES) | strategies.numbers_for(operation.name)) for _ in operation.arguments]
    fresh = [[data.draw(st.sampled_from(EDGES)) for _ in numbers] for _ in range(5)]
    f = differentiated(operation, ())
    agree(f, *numbers, fresh=fresh, rtol=1e-11, atol=1e-290)
    arrays = [np.array(column) for column in zip(numbers, *fresh)]
    agree(lambda *x: f(*x)[:2] if operation.pullbacks else f(*x), *arrays, rtol=1e-11, atol=1e-290)


@settings(max_examples=15)
@given(program=programs(2), x=st.floats(-2, 2), y=st.floats(-2, 2))
def test_random_programs_on_numbers(program, x, y):
    agree(program, x, y, fresh=[(y, x)], rtol=1e-9, atol=1e-12)
    agree(grad(program, (0, 1)), x, y, fresh=[(y, x)], rtol=1e-8, atol=1e-11)


@settings(max_examples=15)
@given(program=programs(3, OF_ARRAYS), shapes=strategies.broadcasting(3), seed=st.integers(0, 99))
def test_random_programs_on_arrays(program, shapes, seed):
    rng = np.random.default_rng(seed)
    args, fresh = ([rng.uniform(-2, 2, shape) for shape in shapes] for _ in range(2))
    agree(program, *args, fresh=[fresh], rtol=1e-9, atol=1e-11)
    agree(grad(lambda *x: anp.sum(program(*x)), (0, 1, 2)), *args, fresh=[fresh], rtol=1e-8, atol=1e-10)
