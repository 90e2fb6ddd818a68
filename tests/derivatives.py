"""The value and all derivatives of a row up to some order, by each reading of the table."""

import numpy as np

from autograd import Tensor, Value, gradients, jit


def derivatives(row, most, *args):
    """The row's value and derivatives by the engine."""
    found = {(0,) * len(args): row(*args)}
    for order in range(most):
        for orders, y in [pair for pair in found.items() if sum(pair[0]) == order]:
            seed = None if isinstance(y, Value) else np.ones(y.shape, y.dtype)
            for i, g in enumerate(gradients(y, args, create_graph=True, seed=seed)):
                found[(*orders[:i], orders[i] + 1, *orders[i + 1 :])] = g
    return found


def by_tensors(row, most, where):
    return {orders: y.data for orders, y in derivatives(row, most, *map(Tensor, where)).items()}


def by_values(row, most, where):
    each = [derivatives(row, most, *map(Value, point)) for point in zip(*(x.tolist() for x in where))]
    return {orders: np.array([found[orders].data for found in each]) for orders in each[0]}


def by_program(backend):
    def compiled(row, most, where):
        f = jit(lambda *args: list(derivatives(row, most, *args).values()), backend=backend)
        return dict(zip(derivatives(row, most, *(Tensor(x[:1]) for x in where)), f(*where)))

    return compiled
