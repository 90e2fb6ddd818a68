"""Gradients are the caller's alone: an array that anything else holds is copied before it is returned."""

from sys import getrefcount

import numpy as np


def own_gradients(gradients: list) -> list:
    """The gradients, each array the receiver's alone: one that anybody else holds too, or sees a part of, is copied."""
    for i in range(len(gradients)):
        if getrefcount(gradients[i]) > ALONE and type(gradients[i]) is np.ndarray:
            gradients[i] = gradients[i].copy()
        elif getattr(gradients[i], "base", None) is not None:
            if _holders_of_base(gradients[i]) > ONE_VIEW or not gradients[i].flags.writeable:
                gradients[i] = gradients[i].copy()
    return gradients


def is_alone(x: np.ndarray) -> bool:
    """Whether a container and one name are all that holds this array, and it holds its own memory."""
    return getrefcount(x) <= ONE_NAME and x.base is None and x.flags.writeable


def _holders_of_base(view: np.ndarray) -> int:
    base = view.base
    return getrefcount(base)


def _holders(x: np.ndarray) -> int:
    return getrefcount(x)


def _named() -> int:
    held = [np.empty(1)]
    one = held[0]
    return _holders(one)


# what is counted where nobody else holds the array: Python 3.14 counts names less often, so this is measured, not known
_one = [np.empty(1)]
ALONE = getrefcount(_one[0])  # a list holds it
ONE_VIEW = _holders_of_base(np.empty(1)[:])
ONE_NAME = _named()  # a list and a name hold it
