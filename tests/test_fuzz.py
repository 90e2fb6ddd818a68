"""Random programs come to the same by every backend, and so does each that once did not."""

import numpy
import pytest

import autograd.numpy as np
from autograd import Tensor, jit, scan, vmap
from autograd.tree import flatten

pytest.importorskip("llvmlite")

from .fuzz.programs.comparing import BACKENDS  # noqa: E402
from .fuzz.programs.running import run  # noqa: E402

ROW = numpy.arange(3.0)
FOUND = {  # what random programs found, as small as it can be
    "an integer array is reshaped as its method is called": (
        lambda x: x.reshape(-1, 1).transpose(1, 0),
        [ROW.astype(int)],
    ),
    "a product with a row of integers": (lambda x, y: x @ y, [numpy.ones((1, 1)), numpy.array([2])]),
    "a row of the table that NumPy has no function for, of constants": (lambda x: x * np.softmax(ROW), [ROW]),
    "the same in vmap": (vmap(lambda x: x * np.norm(ROW)), [ROW]),
    "padding a number": (lambda x: np.pad(x, 1), [numpy.array(2.0)]),
    "an integer of 32 bits beside a larger one": (lambda x: [x < 2**40, 2**40 <= x], [ROW.astype("i4")]),
    "an integer of 64 bits beside one": (
        lambda x: [x < 2**53, x == 2**53],
        [numpy.array([2**53 - 1, 2**53, 2**53 + 1])],
    ),
    "a bound that is no number": (lambda x: [np.clip(x, -1.0, numpy.nan), np.clip(x, numpy.nan, x)], [ROW]),
    "remainders by no number": (lambda x: [x % numpy.nan, x < x % numpy.nan, x // numpy.nan, x % numpy.inf], [ROW]),
    "large products of small integers": (lambda x: [np.prod(x), np.cumprod(x)], [numpy.full(9, 65537, "i4")]),
    "large integers in a loop": (lambda x: scan(lambda a, b: (a * 3, a), x, length=3), [numpy.array([2**53 + 1])]),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name, backend):
    function, args = FOUND[name]
    expected = flatten(function(*(Tensor(x) if x.dtype.kind == "f" else x for x in args)))
    for ours, theirs in zip(flatten(jit(function, backend=backend)(*args)), expected, strict=True):
        theirs = numpy.asarray(theirs.data if isinstance(theirs, Tensor) else theirs)
        numpy.testing.assert_allclose(ours, theirs, rtol=1e-12)
        assert numpy.shape(ours) == theirs.shape and ours.dtype == theirs.dtype


def test_a_word_that_is_not_printed_and_does_not_broadcast():
    with pytest.raises(TypeError, match="searchsorted is not printed"):
        jit(lambda x: np.interp(x, [0, 1], [2, 4]), backend="llvm")(numpy.ones((2, 3)))


def test_what_is_refused_is_said_and_not_what_comes_of_trying_on():
    with pytest.raises(ValueError, match="cannot reshape"):
        jit(lambda x: np.take(x, x % 2).reshape(3))(numpy.arange(4))


def test_random_programs():
    ran, _, failures = run(seed=0, seconds=60, most=60)
    assert ran > 50 and not failures
