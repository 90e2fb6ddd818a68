"""Who holds an array is counted rightly by every Python."""

import numpy as np

from autograd import owning


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
