"""What pullbacks hand on, outside a sweep."""

from typing import Any

import numpy as np

from ..node import Node, Tensor, Value
from ..on_arrays import sum_to

Handed = list[tuple[Node, Any]]  # to whom, and what


class _Noting:
    """Stands for the gradients that pullbacks of Values add to, and for what those of Tensors hand over to."""

    def __init__(self):
        self.handed: Handed = []

    def __getitem__(self, x: Node) -> float:
        return 0.0

    def __call__(self, x: Node, g: Any) -> None:
        self.handed.append((x, g))

    __setitem__ = __call__


def handed_on(node: Node, g: Any) -> Handed:
    """What a node hands on of its gradient to which of its arguments, before broadcasting is undone."""
    if isinstance(node, Tensor) and isinstance(node.x, Value):  # which becomes an array here
        return [(node.x, float(g))]
    noting = _Noting()
    if isinstance(node, Tensor) or g:  # 0.0 passes nothing on, whatever the derivative
        with np.errstate(all="ignore"):  # as in a sweep
            node.reading.pull[node.operation](node, g, noting)
    return noting.handed


def as_added(x: Node, given: Any) -> Any:
    """What is handed to a node, as the sweep adds it to the node's gradient."""
    if isinstance(x, Value):
        return given
    return np.asarray(given if np.shape(given) == x.data.shape else sum_to(given, x.data.shape), x.data.dtype)
