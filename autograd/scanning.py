"""scan: a loop over the entries of arrays, with a carry from step to step, which is recorded once.

Eagerly it is a loop. In a trace the function is recorded once, as a program of its own, and the loop over it is one
operation, so that a program does not grow with the number of entries. Its pullback is a loop in the other direction.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from .backward import NODE_PULLBACKS, pullback
from .batching import RULES, Batch, on_batch
from .calling import a_function, shape_of
from .compiler.assigning import taken_back
from .compiler.printing import Executable, executable
from .compiler.program import Program
from .compiler.tracing import Recording, again, leaf, lift, trace, traced
from .failing import refuse
from .grammar import Call, Name, Row
from .graph import history
from .meeting import as_array, weak
from .node import Node, Tensor, Value, kinds
from .numpy import concatenate, expand_dims, flip, stack
from .operation import OPERATIONS, Function, Operation
from .tree import flatten, map_tree


def scan(f: Callable, carry: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """The last carry and the stacked results of `carry, y = f(carry, x)` for each entry of xs along its first axis.

    carry, xs and y are numbers, arrays, nodes, and lists, tuples and dicts of them; without xs f is called `length`
    times, with None. Every carry has the structure and shapes of the first one. Inside jit f is recorded once, whatever
    the length, and integers beside floats are exact up to 2 ** 53. Raises ValueError where lengths or shapes differ,
    TypeError where f does not return a pair, or the carry in another structure.
    """
    a_function(f)
    given = [as_array(x) for x in _leaves(xs)]
    count = _length(given, length)
    if not count:
        raise ValueError("scan: with no entries nobody knows what f returns")
    if kinds.number is not Value:
        return _as_one(f, carry, xs, given, count)
    found, entries = [], [_entries(x) for x in given]
    for i in range(count):
        parts, y = _next(f, carry, _filled(xs, [x[i] for x in entries]))
        carry = _filled(carry, parts)
        found.append(y)
    return carry, _filled(found[0], [stack(parts) for parts in zip(*map(_leaves, found))])


def _leaves(tree: Any) -> list:
    """What a tree holds, where None is nothing."""
    return [x for x in flatten(tree) if x is not None]


def _filled(tree: Any, parts: Iterable) -> Any:
    """The same tree with these parts in it."""
    following = iter(parts)
    return map_tree(lambda x: None if x is None else next(following), tree)


def _entries(x: Any) -> Any:
    """The entries along the first axis: of a node by halves, since each part's gradient fills an array as long."""
    if not isinstance(x, Tensor):
        return x
    half = len(x) // 2
    return [*_entries(x[:half]), *_entries(x[half:])] if half else [x[0]]


def _length(given: list, length: int | None) -> int:
    """How many entries there are."""
    shapes = [x.shape for x in given]
    lengths: set[Any] = {shape[0] if shape else None for shape in shapes} | ({length} if length is not None else set())
    if len(lengths) != 1 or None in lengths:
        raise ValueError(f"scan: xs of shapes {shapes} and length={length} do not say how many entries there are")
    return lengths.pop()


def _next(f: Callable, carry: Any, x: Any) -> tuple[list, Any]:
    """What f hands on to itself, in the order of the carry, and what it makes, if that fits."""
    found = f(carry, x)
    if not isinstance(found, tuple) or len(found) != 2:
        raise TypeError(f"scan: f returns a carry and a result, (carry, y), not {type(found).__name__}")
    parts = _in_order(carry, found[0])
    before, after = [*map(shape_of, _leaves(carry))], [*map(shape_of, parts)]
    if before != after:
        raise ValueError(f"scan: the carry has parts of shapes {before} before f and {after} after it")
    return parts, found[1]


def _in_order(like: Any, tree: Any) -> list:
    """What a tree holds, in the order of another one of the same structure: dicts may have another order."""
    if isinstance(like, dict) and isinstance(tree, dict) and like.keys() == tree.keys():
        return [x for key in like for x in _in_order(like[key], tree[key])]
    if isinstance(like, (list, tuple)) and isinstance(tree, (list, tuple)) and len(like) == len(tree):
        return [x for pair in zip(like, tree) for x in _in_order(*pair)]
    if any(isinstance(x, (dict, list, tuple)) for x in (like, tree)) or (like is None) != (tree is None):
        raise TypeError(f"scan: f was given {like!r} as its carry, or a part of it, and returned {tree!r} for it")
    return _leaves(tree)


class Body:
    """A recorded step: leaves for what is carried, for entries and for what it takes from outside, and what it makes.

    As a word it is applied to first values of what is carried, to arrays of entries, and to what is from outside.
    """

    loop_backend = "python"

    def __init__(self, carry: list, moving: list, made: list, length: int):
        self.carry, self.moving, self.length = carry, moving, length
        self.outside = _outside({*carry, *moving}, made)
        self.fixed = [leaf(node.example) for node in self.outside]
        self.made = again(made, dict(zip((*carry, *moving, *self.outside), (*carry, *moving, *self.fixed))))
        sizes = [node.size for node in self.made]
        self.columns, self.width = [*pairwise(accumulate(sizes, initial=0))], sum(sizes)
        self.dtype = np.result_type(bool, *(x.dtype for x in self.made))

    def __deepcopy__(self, memo: dict) -> "Body":
        return self

    @functools.cached_property
    def program(self) -> Program:
        """The step as a program."""
        return Program([*self.carry, *self.moving, *self.fixed], self.made)

    def print_loop(self, backend: str) -> None:
        """Print the loop by this backend, in a program of Python that calls it."""
        if backend != self.loop_backend:
            self.loop_backend = backend
            vars(self).pop("executable", None)

    @functools.cached_property
    def executable(self) -> Executable:
        """The loop: what is carried it makes twice, once to carry it on and once to keep it."""
        carried = range(len(self.carry))
        program = Program([*self.carry, *self.moving, *self.fixed], [*self.made[: len(carried)], *self.made])
        moves = [False] * len(carried) + [True] * len(self.moving) + [False] * len(self.fixed)
        return executable(program, "step", self.loop_backend, moves, dict(zip(carried, carried)))

    def loop(self, *arrays: Any) -> np.ndarray:
        """A row for each entry: all that the step makes."""
        carry = [np.array(x, node.dtype) for x, node in zip(arrays, self.carry)]  # these are written
        rows = np.empty((self.length, self.width), self.dtype)
        found = self.executable.iterate(self.length, [*carry, *arrays[len(carry) :]])
        for x, (start, stop) in zip(found, self.columns):
            rows[:, start:stop] = x.reshape(self.length, -1)
        return rows

    @functools.cached_property
    @traced
    def reverse(self) -> "Body":
        """The step backwards: it carries the gradients of what is carried and of what is from outside.

        Its entries are this one's, what was carried into them, and the gradient of the row.
        """
        count = len(self.carry)
        seeds = [leaf(np.zeros(x.shape, x.dtype)) for x in (*self.carry, *self.fixed)]
        row = leaf(np.zeros(self.width, self.dtype))
        of_row = [_column(row, columns, x.shape, x.dtype) for x, columns in zip(self.made, self.columns)]
        weights = [*(a + b for a, b in zip(seeds[:count], of_row)), *of_row[count:]]
        inputs = [*self.carry, *self.fixed, *self.moving]
        found = [lift(g) for g in pullback(self.made, weights, inputs, create_graph=True)]
        totals = [g + seed for g, seed in zip(found[count:], seeds[count:])]
        adjoints = [*found[:count], *totals, *found[count + len(totals) :]]
        return Body(seeds, [*self.moving, *self.carry, row], adjoints, self.length)

    @traced
    def of_examples(self, size: int, mapped: Sequence[bool]) -> tuple["Body", list]:
        """The step of many examples, whose axis is in front where inputs are `mapped`; and leaves for those outside."""
        inner = [*self.carry, *self.moving, *self.fixed]
        shapes = [(size, *x.shape) if m else x.shape for x, m in zip(inner, mapped)]
        leaves = [leaf(np.broadcast_to(x.example, shape).copy()) for x, shape in zip(inner, shapes)]
        order = sorted(range(len(inner)), key=lambda i: not mapped[i])
        each, shared = [leaves[i] for i in order if mapped[i]], [leaves[i] for i in order if not mapped[i]]
        found = on_batch(Recording([inner[i] for i in order], shared, self.made), each, [], size, -1)
        made = [lift(OPERATIONS["expand"](found[x][0], (size, *x.shape))) for x in self.made]
        start, end = len(self.carry), len(self.carry) + len(self.moving)
        return Body(leaves[:start], leaves[start:end], made, self.length), leaves[end:]


def _outside(inner: set, made: list) -> list:
    """The nodes that what was made depends on, and that do not depend on the inner ones."""
    inside = set(inner)
    for node in reversed(history(*made)):
        if any(isinstance(x, Node) and x in inside for x in node.args):
            inside.add(node)
    args = [x for node in inside for x in node.args if isinstance(x, Node)]
    return [*dict.fromkeys(x for x in (*args, *made) if x not in inside)]


def _column(rows: Any, columns: tuple[int, int], shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """A part of rows, as it was before it was put there."""
    part = rows[..., slice(*columns)].reshape((*rows.shape[:-1], *shape))
    return OPERATIONS["cast"](part, dtype)


def _as_one(f: Callable, carry: Any, xs: Any, given: list, count: int) -> tuple[Any, Any]:
    """The loop as one operation of the trace."""
    leaves, before = _leaves(carry), len(trace.draws)
    dtype = weak([x.dtype for x in (*leaves, *given) if hasattr(x, "dtype")])
    first = [lift(as_array(np.asarray(x, dtype) if type(x) is float else x)) for x in leaves]
    entries = [leaf(np.array(_example(x)[0])) for x in given]
    wider: list | None = None
    while wider != [x.dtype for x in first]:  # an integer to which f adds floats is a float
        first = [OPERATIONS["cast"](x, wide) for x, wide in zip(first, wider or [])] or first
        inner = [leaf(np.array(_example(x))) for x in first]
        with taken_back():
            found, y = _next(f, _filled(carry, inner), _filled(xs, entries))
        after = [as_array(x) for x in found]
        wider = [np.result_type(x.dtype, made.dtype) for x, made in zip(first, after)]
    if len(trace.draws) > before:
        refuse("a random number was drawn in the function of a scan()", "draw all before, and give them in xs")
    results = [OPERATIONS["cast"](x, node.dtype) for x, node in zip(after, inner)]
    results = [lift(as_array(x)) for x in (*results, *_leaves(y))]
    body = Body(inner, entries, [x if isinstance(x, Node) else leaf(x) for x in results], count)
    rows = _rows(body, [*first, *given, *body.outside])
    parts = [_column(rows, columns, x.shape, x.dtype) for x, columns in zip(body.made, body.columns)]
    return _filled(carry, [x[-1] for x in parts]), _filled(y, parts[len(first) :])


def _example(x: Any) -> Any:
    """Numbers that the first step is run with; not zeros, since matrices of zeros have no inverse."""
    return getattr(lift(x), "example", x)


def _rows(body: Body, args: list) -> Any:
    return _operation(len(args))(*args, body)


def _given(body: Body, leaves: list, numbers: Sequence) -> list:
    """What a step takes from outside, where leaves stand for these numbers."""
    found = zip(body.outside, again(body.outside, dict(zip(leaves, numbers))))
    return [x.example if x is before else x for before, x in found]  # what is made of nothing is a constant


def _of_examples(batch: Batch) -> Any:
    """The loop of many examples: one over steps of all of them."""
    body, args, size = batch.static[0], batch.args, batch.size
    if not size:
        return np.zeros((0, *batch.shape), body.dtype)
    count, end = len(body.carry), len(body.carry) + len(body.moving)
    mapped = [*[True] * count, *batch.mapped[count:]]
    many, leaves = body.of_examples(size, mapped)
    entries = [OPERATIONS["swapaxes"](x, 0, 1) if m else x for x, m in zip(args[count:end], mapped[count:])]
    rows = _rows(many, [*batch.full()[:count], *entries, *_given(many, leaves, args[end:])])
    parts = [_column(rows, columns, (size, x.size), body.dtype) for x, columns in zip(body.made, many.columns)]
    return OPERATIONS["swapaxes"](concatenate(parts, -1), 0, 1)


@functools.cache
def _operation(count: int) -> Operation:
    """The operation that applies a step again and again, of this many arrays."""
    names = [f"x{i}" for i in range(count)]
    word = Function("scan", lambda *args: args[-1].loop(*args[:-1]), printable=True, static=1)
    operation = Operation(
        Row("scan", names, ["step"], Call(word, tuple(map(Name, [*names, "step"]))), []), "scan by a loop"
    )
    on_arrays: Callable = functools.partial(_pull, create_graph=False)
    Tensor.reading.pull[operation] = Tensor.reading.bare_pull[operation] = on_arrays
    NODE_PULLBACKS[operation] = functools.partial(_pull, create_graph=True)
    RULES[operation] = _of_examples
    return operation


def _pull(node: Any, g: Any, into: Callable, create_graph: bool) -> None:
    """The gradients of all arguments, by the loop backwards."""
    *args, body = node.args
    count, moving = len(body.carry), len(body.moving)
    numbers = args if create_graph else [x.data if isinstance(x, Node) else x for x in args]
    rows = node if create_graph else node.data
    carried = [
        concatenate([expand_dims(x, 0), _column(rows, columns, x.shape, x.dtype)[:-1]])
        for x, columns in zip(numbers, body.columns[:count])
    ]
    entries = [flip(x, 0) for x in (*numbers[count : count + moving], *carried, g)]
    reverse = body.reverse
    zeros = [np.zeros(x.shape, x.dtype) for x in reverse.carry]
    made = _rows(reverse, [*zeros, *entries, *_given(reverse, body.fixed, numbers[count + moving :])])
    parts = [_column(made, columns, x.shape, x.dtype) for x, columns in zip(reverse.made, reverse.columns)]
    ends = [x[-1] for x in parts[: len(reverse.carry)]]
    gradients = [*ends[:count], *(flip(x, 0) for x in parts[len(ends) :]), *ends[count:]]
    for x, gradient in zip(args, gradients):
        if isinstance(x, Node):
            into(x, gradient)
