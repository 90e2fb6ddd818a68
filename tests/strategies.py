"""What the property tests draw: shapes that broadcast, numbers of many magnitudes, and the domain of each operation."""

import functools
import math
import re

import numpy as np
from hypothesis import strategies as st

from autograd import rules
from autograd.operation import ARRAY, ELEMENTWISE

TABLE = rules.ELEMENTWISE_ROWS + rules.INNER_ROWS + rules.ARRAY_ROWS
ROW = r"^(\w+)\(.*# (?:(\S+) < )?(\|x\||x)(?: < (\S+))?$"
# where an operation is smooth, as the comment behind its row says: least and largest magnitude, whether negative
DOMAINS = {
    name: (max(1e-8, float(low or 0)), float(high or 1e8), x == "|x|")
    for name, low, x, high in re.findall(ROW, TABLE, re.M)
}
DOMAINS["unit"] = (0.05, 1.0, True)  # elements of matrices
EVERYWHERE = (1e-8, 1e8, True)
COMPARISONS = ("greater", "less", "equal", "greater_equal", "less_equal", "not_equal")  # on arrays they make masks
KINKED = (
    *COMPARISONS,
    "relu",
    "abs",
    "sign",
    "maximum",
    "minimum",
    "wins",
    "where",
    "ties",
    "floor",
    "ceil",
    "rint",
    "sorted_as",
    "unsorted_as",
)
OPERATIONS = ELEMENTWISE + ARRAY


def magnitudes(low: float, high: float, negative: bool) -> st.SearchStrategy[float]:
    """Numbers whose order of magnitude is uniform between these bounds."""
    size = st.floats(math.log(low), math.log(high)).map(math.exp)
    return st.builds(lambda x, sign: x * sign, size, st.sampled_from([1.0, -1.0] if negative else [1.0]))


@functools.cache  # Hypothesis looks at each new strategy for long
def numbers_for(name: str) -> st.SearchStrategy[float]:
    """One argument of an operation of this name, where it is smooth."""
    return magnitudes(*DOMAINS.get(name, EVERYWHERE))


shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def broadcasting(draw: st.DrawFn, count: int) -> list[tuple[int, ...]]:
    """Shapes that broadcast with each other: axes of one shape, some of length 1 and some leading ones left out."""
    whole = draw(shapes)
    found = []
    for _ in range(count):
        shape = tuple(draw(st.sampled_from([n, 1])) for n in whole)
        found.append(shape[draw(st.integers(0, len(shape))) :])
    return found


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...], name: str = "", dtype: type = np.float64) -> np.ndarray:
    """An array of this shape with numbers from the domain of an operation."""
    size = math.prod(shape)
    drawn = draw(st.lists(numbers_for(name), min_size=size, max_size=size))
    return np.array(drawn, dtype).reshape(shape)


@st.composite
def calls(draw: st.DrawFn, operation) -> tuple[list[np.ndarray], tuple]:
    """Arguments for an operation of the table: arrays, and its static arguments."""
    if operation in ELEMENTWISE:
        return [draw(arrays(shape, operation.name)) for shape in draw(broadcasting(len(operation.arguments)))], ()
    return draw(ARRAY_CALLS[operation.name](operation.name))


@st.composite
def _reductions(draw, name):
    shape = draw(st.lists(st.integers(1 if name not in ("sum", "norm") else 0, 3), max_size=3).map(tuple))
    axes = tuple(sorted(draw(st.sets(st.sampled_from(range(len(shape))))))) if shape else ()
    x = draw(arrays(shape, name))
    axis, keepdims = draw(st.sampled_from([(None, False), (axes, True)]))
    second = {"ties": [x.max(axis, keepdims=keepdims)] if x.size else [], "balanced": [np.exp(-abs(x)) - 0.5]}
    return [x, *second.get(name, [])], (axis,)


@st.composite
def _matmul(draw, name):
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    left, right = draw(broadcasting(2))
    bias = [draw(arrays(draw(st.sampled_from([(m,), (1, m), (1,), ()])), name))] if name == "affine" else []
    return [draw(arrays((*left[-2:], n, k), name)), draw(arrays((*right[-2:], k, m), name)), *bias], ()


@st.composite
def _rearranged(draw, name):
    shape = draw(st.lists(st.integers(1, 3), min_size=2, max_size=3).map(tuple))
    order = tuple(draw(st.permutations(range(len(shape)))))
    static = {
        "reshape": (tuple(reversed(shape)),),
        "transpose": (order,),
        "swapaxes": order[:2],
        "cast": (np.dtype(draw(st.sampled_from(["f4", "f8"]))),),
    }[name]
    return [draw(arrays(shape, name))], static


@st.composite
def _broadcast(draw, name):
    small = draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))
    large = (*draw(shapes)[:1], *(draw(st.integers(0, 3)) if n == 1 else n for n in small))
    return ([draw(arrays(small, name))], (large,)) if name == "expand" else ([draw(arrays(large, name))], (small,))


INDICES = [
    0,
    -1,
    slice(None, None, -1),
    slice(1, None),
    (Ellipsis, 0),
    (None, 1),
    ([0, 0, 1],),
    (np.array([[1, 0], [1, 1]]), 1),
    (slice(None), [1, 1]),
    np.array([[True, False], [True, True]]),
]


@st.composite
def _indexed(draw, name):
    index = draw(st.sampled_from(INDICES))
    part = np.zeros((2, 2))[index]
    return (
        ([draw(arrays((2, 2), name))], (index,))
        if name == "getitem"
        else ([draw(arrays(part.shape, name))], (index, (2, 2)))
    )


@st.composite
def _joined(draw, name):
    shape = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    axis = draw(st.sampled_from(range(len(shape))))
    other = [*shape[:axis], draw(st.integers(0, 3)), *shape[axis + 1 :]]
    return [draw(arrays(tuple(shape), name)), draw(arrays(tuple(other), name))], (axis,)


@st.composite
def _along(draw, name):
    shape = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple))
    return [draw(arrays(shape, name)) for _ in range(2 if "sorted" in name else 1)], (
        draw(st.sampled_from(range(len(shape)))),
    )


@st.composite
def _square(draw, name):
    """Regular matrices, positive definite for cholesky, a right side for solve, a direction for minors."""
    n = draw(st.integers(1, 3))
    lead = draw(shapes)[:1]
    a = draw(arrays((*lead, n, n), "unit")) + 2 * n * np.eye(n)
    a = a @ a.swapaxes(-1, -2) if name == "cholesky" else a
    columns = {"solve": draw(st.integers(0, 2)), "minors": n}.get(name)
    return [a] if columns is None else [a, draw(arrays((*lead, n, columns), "unit"))], ()


ARRAY_CALLS = {
    **dict.fromkeys("cumsum flip sorted_as unsorted_as".split(), _along),
    **dict.fromkeys("solve inv det detsign logdet cofactor minors cholesky".split(), _square),
    **dict.fromkeys(
        "sum mean max min norm logsumexp softmax log_softmax balanced ties top from_top others size".split(),
        _reductions,
    ),
    **dict.fromkeys("reshape transpose swapaxes cast".split(), _rearranged),
    "matmul": _matmul,
    "affine": _matmul,
    "expand": _broadcast,
    "sum_to": _broadcast,
    "getitem": _indexed,
    "scatter": _indexed,
    "concatenate": _joined,
}


class Given(int):
    """The number of an argument that stands in an index."""


@st.composite
def traced_indices(draw: st.DrawFn) -> tuple[tuple[int, ...], list, list[list[np.ndarray]]]:
    """A shape; the parts of an index, some of them given; and two sets of arrays of integers to be given."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
    whole = draw(st.lists(st.integers(0, 3), max_size=2).map(tuple))
    traced, parts, given = draw(st.integers(0, len(shape) - 1)), [], []
    for axis, n in enumerate(shape):
        parts += [None] * (draw(st.integers(0, 4)) == 0)
        if axis == traced or draw(st.integers(0, 4)) == 0:
            parts.append(Given(len(given)))
            given.append(_places(draw, n, whole, 2))
        else:
            parts.append(draw(_parts(n)) if draw(st.booleans()) else _places(draw, n, whole, 1)[0])
    begin, length = draw(st.integers(0, len(parts))), draw(st.integers(0, 2))
    if draw(st.booleans()) and not any(type(x) in (type(None), Given) for x in parts[begin : begin + length]):
        parts[begin : begin + length] = [...]
    return shape, parts, [[several[k] for several in given] for k in (0, 1)]


def _parts(n: int) -> st.SearchStrategy:
    """Parts of an index into n elements that are no arrays, and masks."""
    slices = st.sampled_from([slice(None), slice(None, None, -1), slice(1, None), slice(0, -1, 2)])
    numbers = st.integers(-n, n - 1)
    return slices | numbers | st.lists(numbers, max_size=3) | numbers.map(lambda i: np.arange(n) == i % n)


def _places(draw: st.DrawFn, n: int, whole: tuple[int, ...], count: int) -> np.ndarray:
    """As many arrays of integers that index n elements, of a shape that broadcasts to this one."""
    shape = tuple(draw(st.sampled_from([m, 1])) for m in whole)[draw(st.integers(0, len(whole))) :]
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    return generator.integers(-n, n, (count, *shape)).astype(draw(st.sampled_from(["i8", "i4"])))
