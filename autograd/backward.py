"""The reverse sweep: from a node, newest first, every operation hands its gradient on to its arguments.

Gradients live in a dictionary of the sweep, not in the nodes, so threads do not meet. On Values the pullbacks add
floats into it. On arrays and on nodes they hand over to `into`, which undoes broadcasting (`sum_to`) and widening
(`cast`). Where Values stood beside arrays, a sweep of the arrays comes first, and one of the Values starts from what it
leaves at them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .arguments import numeric, real_number
from .blocks import LARGE, in_blocks
from .graph import reached
from .meeting import as_array
from .node import Node, Tensor, Value
from .on_arrays import sum_to
from .operation import ELEMENTWISE, OPERATIONS, Lazy, node_pullback
from .owning import own_gradients
from .recording import inspection

NODE_PULLBACKS = Lazy(lambda operation: node_pullback(operation, {"__Node": Node}))
BY_ELEMENT = frozenset(ELEMENTWISE)


def backward(output: Node, seed: Any = None) -> None:
    """Add the derivative of this node with respect to every leaf below it to the leaf's `.grad`.

    Inner nodes get theirs too, of this sweep alone. A leaf that this node was not made of keeps the `.grad` it had, and
    is not set to 0. `seed` weighs the elements; a node of one element needs none.
    """
    # an array may become somebody's .grad
    grads, leaves = _sweep([output], [seed.copy() if isinstance(seed, np.ndarray) else seed], keep=True)
    for leaf, g in zip(leaves, own_gradients([grads.pop(leaf) for leaf in leaves])):
        g = _zero_like(leaf) if g is None else g
        leaf.grad = g if leaf.grad is None else leaf.grad + g


def gradients(output: Node, inputs: Sequence[Node], create_graph: bool = False, seed: Any = None) -> list:
    """The gradients of an output with respect to some nodes, in their order; nobody's `.grad` changes.

    They are floats or arrays; with `create_graph` they are nodes, and can be differentiated again.
    """
    if isinstance(inputs, Node):
        raise TypeError("gradients() is with respect to a list of nodes: give [x] for one")
    inputs = list(inputs)
    for node in (output, *inputs):
        if not isinstance(node, Node) or node.reading.number is not output.reading.number:
            raise TypeError(f"gradients() is of a node with respect to nodes of its graph, not {type(node).__name__}")
    return pullback([output], [seed], inputs, create_graph)


def pullback(
    outputs: Sequence, seeds: Sequence, inputs: Sequence, create_graph: bool = False, since: int | None = None
) -> list:
    """The gradients of outputs, each weighed by its seed (None is 1) and summed, with respect to inputs.

    Paths through what is older than the oldest input, or as old as `since`, are not followed.
    """
    if not inputs:
        return []
    since = min(node.when for node in inputs) if since is None else since
    found = _sweep(outputs, seeds, since, create_graph)[0]
    results = [found.get(node) for node in inputs]
    found.clear()
    if create_graph:
        return [
            g if isinstance(g, Node) else type(x)(_zero_like(x) if g is None else g) for g, x in zip(results, inputs)
        ]
    return [_zero_like(x) if g is None else g for g, x in zip(own_gradients(results), inputs)]


def _seed(output: Any, seed: Any) -> Any:
    if isinstance(output, Value):
        return 1.0 if seed is None else seed if isinstance(seed, Node) else real_number(seed)
    if seed is None:
        if output.size != 1:
            raise ValueError(
                f"backward() of a Tensor of shape {output.shape} needs a seed of that shape: "
                "a weight for each element, or sum the Tensor first"
            )
        return np.ones(output.shape, output.dtype) if output.ndim else output.dtype.type(1)
    seed = as_array(seed) if isinstance(seed, Node) else np.asarray(numeric(seed), output.dtype)
    if seed.shape != output.shape:
        raise ValueError(f"the seed has shape {seed.shape}, the Tensor has {output.shape}")
    return seed


def _sweep(
    outputs: Sequence[Node], seeds: Sequence, since: int = 0, create_graph: bool = False, keep: bool = False
) -> tuple[dict, list[Node]]:
    """The gradients that the seeds at some outputs give rise to, by node, of all made after `since`; and the leaves.

    Arrays first, then Values, on which alone Tensors may depend. A gradient is None where nothing arrived.
    """
    numbers: list[tuple] = []
    arrays: list[tuple] = []
    for output, seed in zip(outputs, seeds):
        (numbers if isinstance(output, Value) else arrays).append((output, _seed(output, seed)))
    grads: dict = {}
    leaves: list[Node] = []
    with np.errstate(all="ignore"):  # 1 / 0 is an answer here; the forward pass warned as the user wished
        if arrays:
            grads, made, leaves, entered = reached([output for output, _ in arrays], None, since)
            (_sweep_nodes if create_graph else _sweep_arrays)(grads, made, arrays, keep)
            for node in entered:
                g = grads[node]
                if keep:
                    node.grad = g
                numbers.append((node.x, _of_number(g)))
        if numbers:
            found, made, more, _ = reached([output for output, _ in numbers], None if create_graph else 0.0, since)
            (_sweep_nodes if create_graph else _sweep_floats)(found, made, numbers, keep)
            grads, leaves = found | grads if grads else found, leaves + more
    return grads, leaves


def _of_number(g: Any) -> Any:
    """What arrives at a Value from arrays: a float, or a node that is as precise."""
    if isinstance(g, Node):
        return OPERATIONS["cast"](g, np.dtype(float))
    return 0.0 if g is None else float(g)


def _sweep_floats(grads: dict, made: list[Node], seeds: Iterable, keep: bool) -> None:
    pulls = inspection.around(Value.reading.pull) if inspection.around else Value.reading.pull
    for output, seed in seeds:
        grads[output] += seed
    for node in made:
        g = grads[node]
        if keep:
            node.grad = g
        if g:  # 0 passes nothing on, whatever the derivative
            pulls[node.operation](node, g, grads)


def _sweep_arrays(grads: dict, made: list[Node], seeds: Iterable, keep: bool) -> None:
    def into(x: Node, g: np.ndarray) -> None:
        data = x.data
        if g.shape != data.shape:
            g = sum_to(g, data.shape)
        if g.dtype is not data.dtype:
            g = g.astype(data.dtype)
        before = grads[x]
        grads[x] = g if before is None else before + g

    _run(grads, made, seeds, into, Tensor.reading.pull, keep, blocks=not inspection.around)


def _pull_in_blocks(pull: Callable, node: Node, g: np.ndarray, into: Callable) -> bool:
    """Call the pullback of an elementwise operation on large arrays in blocks; False, and nothing done, if not so."""
    if g.size <= LARGE or node.operation not in BY_ELEMENT:
        return False

    def piece(g: np.ndarray, out: np.ndarray, *numbers: Any) -> list:
        part, found = _stand_in(out), list[np.ndarray]()
        x, *rest = [_stand_in(y) if isinstance(arg, Node) else y for arg, y in zip(node.args, numbers)]
        part.x, part.y = x, rest[0] if len(rest) == 1 else tuple(rest)
        pull(part, g, lambda _, gradient: found.append(gradient))
        return found

    found = in_blocks(piece, g, node.data, *(arg.data if isinstance(arg, Node) else arg for arg in node.args))
    if found is not None:
        nodes = [
            arg for arg, pullback in zip(node.args, node.operation.pullbacks) if pullback and isinstance(arg, Node)
        ]
        for arg, gradient in zip(nodes, found, strict=True):
            into(arg, gradient)
    return found is not None


def _stand_in(data: np.ndarray) -> Tensor:
    """A Tensor for a pullback to read the data of."""
    node = object.__new__(Tensor)
    node.data = data
    return node


def _sweep_nodes(grads: dict, made: list[Node], seeds: Iterable, keep: bool) -> None:
    def into(x: Node, g: Any) -> None:
        if isinstance(x, Tensor):
            if g.shape != x.shape:
                g = OPERATIONS["sum_to"](g, x.shape)
            if g.dtype != x.dtype:
                g = OPERATIONS["cast"](g, x.dtype)
        before = grads[x]
        grads[x] = g if before is None else before + g

    _run(grads, made, seeds, into, NODE_PULLBACKS, keep)


def _run(
    grads: dict, made: list[Node], seeds: Iterable, into: Callable, pulls: dict, keep: bool, blocks: bool = False
) -> None:
    pulls = inspection.around(pulls) if inspection.around else pulls
    for output, seed in seeds:
        into(output, seed)
    for node in made:
        g = grads[node]
        if keep:
            node.grad = g
        if g is not None:
            pull = pulls[node.operation]
            if not (blocks and _pull_in_blocks(pull, node, g, into)):
                pull(node, g, into)


def _zero_like(node: Any) -> Any:
    return 0.0 if isinstance(node, Value) else np.zeros(node.shape, node.dtype)
