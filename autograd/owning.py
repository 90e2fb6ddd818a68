"""What is handed out is the receiver's alone: an array that anybody else holds too is copied, any other is not."""

from sys import getrefcount

import numpy as np


def own_gradients(gradients: list) -> list:
    """The gradients, each array the receiver's alone: one that anybody else holds too, or sees a part of, is copied."""
    for i in range(len(gradients)):
        if getrefcount(gradients[i]) > ALONE and type(gradients[i]) is np.ndarray:
            gradients[i] = gradients[i].copy()
        elif (base := getattr(gradients[i], "base", None)) is not None:
            if getrefcount(base) > ALONE + 1 or not gradients[i].flags.writeable:
                gradients[i] = gradients[i].copy()
    return gradients


def is_alone(x: np.ndarray) -> bool:
    """Whether a container and one name are all that holds this array, and it holds its own memory."""
    return getrefcount(x) <= ALONE + 2 and x.base is None and x.flags.writeable


_one = [np.empty(1)]
ALONE = getrefcount(_one[0])  # of an array that nothing but a list holds
