"""What was recorded for one example, applied to many at once: for each operation, a rule for a batch axis in front.

Rows of the table are applied, not their words, so where nodes take part the result has the history, and with it the
derivatives, that each example alone would have.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .calling import shape_of
from .compiler.tracing import Recording
from .grammar import words_in
from .graph import history
from .meeting import as_array
from .node import Node, Value
from .numpy import stack
from .numpy.decompositions import complement, eigh, qr, svd
from .on_arrays import basic_parts
from .operation import BUILT_IN, ELEMENTWISE, OPERATIONS, Function, Operation
from .tree import flatten

_add, _expand, _matmul, _reshape, _swapaxes = (OPERATIONS[x] for x in "add expand matmul reshape swapaxes".split())


class Batch(NamedTuple):
    """An operation and its arguments, some with an axis of the examples in front, and what they are for one of them."""

    operation: Operation
    args: Sequence  # arrays, nodes and numbers
    mapped: Sequence[bool]  # which of them have the axis in front
    shapes: list[tuple[int, ...]]  # of these for one example
    static: tuple
    shape: tuple[int, ...]  # of the result for one example
    size: int  # how many examples there are

    @property
    def ndim(self) -> int:
        """The most axes that an argument has for one example."""
        return max(map(len, self.shapes))

    def lined_up(self, ndim: int | None = None) -> list:
        """The arguments, with axes of length 1 behind the one in front, so that they broadcast as for one example."""
        ndim = self.ndim if ndim is None else ndim
        own = [(*(1,) * (ndim - len(shape)), *shape) for shape in self.shapes]
        return [shaped(x, (self.size, *shape)) if m else x for x, m, shape in zip(self.args, self.mapped, own)]

    def full(self) -> list:
        """The arguments, repeated for every example where they have no axis for them."""
        parts = zip(self.args, self.mapped, self.shapes)
        return [x if mapped else _expand(as_array(x), (self.size, *shape)) for x, mapped, shape in parts]

    def axis(self, i: int) -> int:
        """An axis of one example as that of all."""
        return i % self.ndim + 1

    def axes(self, axes: tuple[int, ...] | None) -> tuple[int, ...]:
        """The same of several axes, or of all (None)."""
        return tuple(map(self.axis, range(self.ndim) if axes is None else axes))


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """An array or a node in this shape."""
    return x if shape_of(x) == shape else _reshape(x, shape)


def _broadcasting(batch: Batch) -> Any:
    """Of what broadcasts: elementwise operations, and those of stacks of matrices."""
    return batch.operation(*batch.lined_up(), *batch.static)


def _reducing(batch: Batch) -> Any:
    """Of what is along some axes, or all."""
    return batch.operation(*batch.lined_up(), batch.axes(*batch.static))


def _along(batch: Batch) -> Any:
    """Of what is along one axis, and does not broadcast."""
    axis, *others = batch.static
    return batch.operation(*batch.full(), batch.axis(axis), *others)


def _multiplying(batch: Batch) -> Any:
    """With one matrix for all examples a product is one of all their rows, or of all their columns."""
    x, y = batch.lined_up()[:2]
    if not batch.mapped[1] and y.ndim == 2:
        return _of_rows(x, y)
    if not batch.mapped[0] and x.ndim == 2:
        return _swapaxes(_of_rows(_swapaxes(y, -1, -2), _swapaxes(x, -1, -2)), -1, -2)
    return _matmul(x, y)


def _of_rows(x: Any, matrix: Any) -> Any:
    rows = shaped(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    return shaped(_matmul(rows, matrix), (*x.shape[:-1], matrix.shape[-1]))


def _indexing(index: Any, shape: tuple[int, ...]) -> tuple[tuple, tuple[int, ...]]:
    """An index of one example as that of all, and the shape that each must have.

    Where there are arrays in the index that is all elements in a row: NumPy might put their axes in front of the batch.
    """
    if (parts := basic_parts(index)) is not None:
        return (slice(None), *parts), shape
    size = math.prod(shape)
    return (slice(None), np.arange(size).reshape(shape)[index]), (size,)


def _getting(batch: Batch) -> Any:
    index, shape = _indexing(batch.static[0], batch.shapes[0])
    return batch.operation(shaped(batch.args[0], (batch.size, *shape)), index)


def _scattering(batch: Batch) -> Any:
    index, shape = _indexing(*batch.static)
    return batch.operation(*batch.args, index, (batch.size, *shape))


def _places(batch: Batch) -> Any:
    """Places among the rows of one example as those among the rows of all."""
    count = (batch.static[0] if batch.static else batch.shapes[0])[0]
    first = np.arange(0, batch.size * count, count) if count else np.zeros(batch.size, int)
    return _add(batch.full()[1], first.reshape(-1, *(1,) * len(batch.shapes[1])))


def _gathering(batch: Batch) -> Any:
    """With rows that all examples share, as it is; else from the rows of all examples."""
    x, places = batch.args
    if not batch.mapped[0]:
        return batch.operation(x, places)
    count, *others = batch.shapes[0]
    return batch.operation(shaped(x, (batch.size * count, *others)), _places(batch))


def _scattering_rows(batch: Batch) -> Any:
    (count, *others), x = batch.static[0], batch.full()[0]
    return batch.operation(x, _places(batch), (batch.size * count, *others))


def _one_by_one(batch: Batch) -> Any:
    """Of an operation of the user, about which nothing is known."""
    parts = list(zip(batch.args, batch.mapped))
    results = [batch.operation(*[x[i] if m else x for x, m in parts], *batch.static) for i in range(batch.size)]
    return stack(results) if results else np.zeros((0, *batch.shape))


def _searching(batch: Batch) -> Any:
    """Among numbers that all examples share, at once."""
    return _one_by_one(batch) if batch.mapped[0] else batch.operation(*batch.args, *batch.static)


# what a rule returns is given the shape of the result, with the examples in front
RULES: dict[Operation, Callable[[Batch], Any]] = {
    **dict.fromkeys(ELEMENTWISE, _broadcasting),
    **{
        BUILT_IN[name]: rule
        for names, rule in {
            "cast solve inv det detsign logdet cofactor minors cholesky": _broadcasting,
            "sum mean max min top from_top others size norm": _reducing,
            "logsumexp softmax log_softmax balanced ties": _reducing,
            "bitwise_and bitwise_or bitwise_xor left_shift right_shift invert bounded": _broadcasting,
            "gather": _gathering,
            "scatter_add": _scattering_rows,
            "searchsorted": _searching,
            "argmax argsort cumsum flip sorted_as unsorted_as concatenate": _along,
            "matmul": _multiplying,
            "affine": lambda b: _add(_multiplying(b), b.lined_up()[2]),
            "reshape": lambda b: b.args[0],
            "transpose": lambda b: b.operation(*b.args, (0, *b.axes(*b.static))),
            "swapaxes": lambda b: b.operation(*b.args, *b.axes(b.static)),
            "expand": lambda b: b.operation(*b.lined_up(len(b.shape)), (b.size, *b.shape)),
            "sum_to": lambda b: b.operation(*b.args, (b.size, *(1,) * (b.ndim - len(b.shape)), *b.shape)),
            "getitem": _getting,
            "scatter": _scattering,
        }.items()
        for name in names.split()
    },
    **dict.fromkeys((eigh, svd, qr, complement), _broadcasting),
}


def rule_of(operation: Operation) -> Callable[[Batch], Any]:
    """How an operation is applied to a batch."""
    return RULES.get(operation) or (_broadcasting if is_elementwise(operation) else _one_by_one)


def has_rule(operation: Operation) -> bool:
    """Whether an operation is applied to all examples at once, not one by one."""
    return rule_of(operation) is not _one_by_one


@functools.lru_cache(maxsize=1024)
def is_elementwise(operation: Operation) -> bool:
    """Whether an operation of the user is made of elementwise words, its pullbacks too."""
    found = [operation]
    for row in found:
        words = {call.word for tree in (row.value, *row.pullbacks) for call in words_in(tree)}
        if row.static or not all(_may_be_elementwise(word) for word in words):
            return False
        found += [word for word in words if isinstance(word, Operation) and word not in found]
    return True


def _may_be_elementwise(word: Any) -> bool:
    if isinstance(word, str):
        return BUILT_IN.get(word) in ELEMENTWISE
    return word.elementwise if isinstance(word, Function) else True


def on_batch(
    recording: Recording, given: Sequence, drawn: Sequence, size: int, since: int
) -> dict[Node, tuple[Any, bool]]:
    """What was recorded since a tick, on all examples: for each node of the result its array, and whether by example.

    `given` are the inputs and `drawn` the draws, with the axis of the examples in front. Numbers become arrays of
    shape ().
    """
    outside = zip(recording.inputs[len(given) :], recording.outside)
    of: dict[Node, tuple[Any, bool]] = {node: (x, True) for node, x in zip(recording.inputs, given)}
    of |= {node: (as_array(x), False) for node, x in outside}
    of |= {each.node: (x, True) for each, x in zip(recording.draws, drawn)}
    outputs = {x for x in flatten(recording.output) if hasattr(x, "example")}
    nodes = history(*outputs, since=since)[::-1]
    last = {x: node for node in nodes for x in node.args if isinstance(x, Node)}  # where it is used
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.when <= since:
                of[node] = as_array(node), False
            elif node not in of:
                of[node] = _applied(node, of, size)
                for x in node.args:
                    if isinstance(x, Node) and last[x] is node and x not in outputs:
                        of.pop(x, None)
    return of


def _applied(node: Any, of: dict, size: int) -> tuple[Any, bool]:
    """An operation that was recorded, on all examples."""
    if node.operation is None:
        return np.asarray(node.example), False
    count = len(node.operation.arguments)
    given, static = node.args[:count], node.args[count:]
    args, mapped = zip(*[of[x] if isinstance(x, Node) else (x, False) for x in given])
    if any(mapped):
        batch = Batch(node.operation, args, mapped, [*map(shape_of, given)], static, shape_of(node), size)
        out = shaped(rule_of(node.operation)(batch), (size, *batch.shape))
    else:
        out = node.operation(*args, *static)
    if isinstance(node, Value) and out.dtype.kind != "f":  # among numbers a comparison is 1.0 or 0.0
        out = OPERATIONS["cast"](out, np.dtype(float))
    return out, any(mapped)
