"""Who holds an array is counted rightly by every Python."""

import tracemalloc

import numpy as np

from autograd import Tensor, owning


def test_an_array_is_alone_until_somebody_else_holds_it():
    for _ in range(300):  # also after Python has adapted the code to what it is given
        held = [np.ones(3)]
        one = held[0]
        assert owning.is_alone(one)
        other = one
        assert not owning.is_alone(one) and owning.own_gradients([np.ones(3)[:2]])[0].base is not None
        part = other[:2]
        assert [x.base for x in owning.own_gradients([part, one])] == [None, None]
        first, second = owning.own_gradients([other[:1], other[1:]])
        assert not np.shares_memory(first, other) and not np.shares_memory(second, other)


def test_large_gradients_are_added_up_in_place():
    x = Tensor(np.ones(100_000))
    y = sum((x * float(k) for k in range(8)), start=x).sum()
    tracemalloc.start()
    try:
        y.backward()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 2.5 * x.data.nbytes and set(x.grad) == {29.0}
    x.grad = None
    x.sum().backward()
    x.grad += 1.0  # which is no view of one number
    assert set(x.grad) == {2.0}
