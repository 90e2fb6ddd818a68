"""The reverse sweep: from a node, newest first, every operation hands its gradient on to its arguments.

Gradients live in a dictionary of the sweep, not in the nodes, so threads do not meet. On Values the pullbacks add
floats into it. On arrays and on nodes they hand over to `into`, which undoes broadcasting (`sum_to`) and widening
(`cast`).
"""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .node import Node, Tensor, Value
from .on_arrays import sum_to
from .operation import OPERATIONS, Lazy, node_pullback
from .owning import own_gradients
from .recording import inspection

NODE_PULLBACKS = Lazy(lambda operation: node_pullback(operation, {"__Node": Node}))
_age = operator.attrgetter("when")


def history(*outputs: Node) -> list[Node]:
    """Every node that these (of one class) were made of, themselves included, newest first."""
    return sorted(_reached(outputs, None)[0], key=_age, reverse=True)


def frontier(output: Node, since: int) -> list[Node]:
    """The nodes as old as `since` that this one was made of, by way of younger ones; itself if it is as old."""
    return sorted((node for node in _reached([output], None, since)[0] if node.when <= since), key=_age)


def oldest(outputs: Sequence[Node], since: int) -> float:
    """When the oldest node was made that these nodes lead to; what is as old as `since` is not looked behind."""
    kinds = {type(node) for node in outputs}
    reached = [_reached([node for node in outputs if type(node) is kind], None, since)[0] for kind in kinds]
    return min((node.when for nodes in reached for node in nodes), default=math.inf)


def _reached(outputs: Sequence[Node], zero: Any, since: int = 0) -> tuple[dict, list[Node], list[Node]]:
    """`zero` as the gradient of each node below these; those made after `since`, newest first; leaves made after it."""
    kind, grads = outputs[0].__class__, dict.fromkeys(outputs, zero)
    made, leaves, stack = [], [], [*grads]
    while stack:  # the hottest loop of a sweep, so it is written out for x and y
        node = stack.pop()
        if since and node.when <= since:
            continue
        if node.operation is None:
            leaves.append(node)
            continue
        made.append(node)
        x = node.x
        if x.__class__ is kind and x not in grads:
            grads[x] = zero
            stack.append(x)
        x = node.y
        if x.__class__ is kind:
            if x not in grads:
                grads[x] = zero
                stack.append(x)
        elif x.__class__ is tuple:
            for part in x:
                if part.__class__ is kind and part not in grads:
                    grads[part] = zero
                    stack.append(part)
    made.sort(key=_age, reverse=True)
    return grads, made, leaves


def backward(output: Node, seed: Any = None) -> None:
    """Add the derivative of this node with respect to every leaf below it to the leaf's `.grad`.

    Inner nodes get theirs too, of this sweep alone. A leaf that this node was not made of keeps the `.grad` it had, and
    is not set to 0. `seed` weighs the elements; a node of one element needs none.
    """
    kind, seed = output.__class__, _seed(output, seed)
    with np.errstate(all="ignore"):
        grads, made, leaves = _reached([output], 0.0 if kind is Value else None)
        if kind is Value:
            _sweep_floats(grads, made, [(output, seed)], keep=True)
        else:
            _sweep_arrays(grads, made, [(output, seed)], keep=True)
    for leaf, g in zip(leaves, own_gradients([grads.pop(leaf) for leaf in leaves])):
        g = _zero_like(leaf) if g is None else g
        leaf.grad = g if leaf.grad is None else leaf.grad + g


def gradients(output: Node, inputs: Sequence[Node], create_graph: bool = False, seed: Any = None) -> list:
    """The gradients of an output with respect to some nodes, in their order; nobody's `.grad` changes.

    They are floats or arrays; with `create_graph` they are nodes, and can be differentiated again.
    """
    inputs = list(inputs)
    for node in (output, *inputs):
        if node.__class__ is not output.__class__ or not isinstance(node, Node):
            raise TypeError(f"gradients() is of a node with respect to nodes of its class, not {type(node).__name__}")
    return pullback([output], [_seed(output, seed)], inputs, create_graph)


def pullback(
    outputs: Sequence, seeds: Sequence, inputs: Sequence, create_graph: bool = False, since: int | None = None
) -> list:
    """The gradients of outputs, each weighed by its seed and summed, with respect to inputs; all of one class.

    Paths through what is older than the oldest input, or as old as `since`, are not followed.
    """
    if not inputs:
        return []
    since = min(node.when for node in inputs) if since is None else since
    found = _sweep(outputs, seeds, since, create_graph) if outputs else {}
    results = [found.get(node) for node in inputs]
    found.clear()
    if create_graph:
        return [
            g if isinstance(g, Node) else type(x)(_zero_like(x) if g is None else g) for g, x in zip(results, inputs)
        ]
    return [_zero_like(x) if g is None else g for g, x in zip(own_gradients(results), inputs)]


def _seed(output: Any, seed: Any) -> Any:
    if isinstance(output, Value):
        return 1.0 if seed is None else seed if isinstance(seed, Value) else Value.reading.scope["__constant"](seed)
    if seed is None:
        if output.size != 1:
            raise ValueError(
                f"backward() of a Tensor of shape {output.shape} needs a seed of that shape: "
                "a weight for each element, or sum the Tensor first"
            )
        return np.ones(output.shape, output.dtype) if output.ndim else output.dtype.type(1)
    if not isinstance(seed, Tensor):
        seed = np.array(Tensor.reading.scope["__constant"](seed), output.dtype)  # it may become somebody's .grad
    if seed.shape != output.shape:
        raise ValueError(f"the seed has shape {seed.shape}, the Tensor has {output.shape}")
    return seed


def _sweep(outputs: Sequence[Node], seeds: Sequence, since: int, create_graph: bool) -> dict:
    """The gradients that the seeds at some outputs give rise to, by node: of all that these were made of after `since`.

    An array's is None where nothing arrived.
    """
    floats = isinstance(outputs[0], Value) and not create_graph
    sweep = _sweep_floats if floats else _sweep_nodes if create_graph else _sweep_arrays
    with np.errstate(all="ignore"):  # 1 / 0 is an answer here; the forward pass warned as the user wished
        grads, made, _ = _reached(outputs, 0.0 if floats else None, since)
        sweep(grads, made, zip(outputs, seeds))
    return grads


def _sweep_floats(grads: dict, made: list[Node], seeds: Iterable, keep: bool = False) -> None:
    pulls = inspection.around(Value.reading.pull) if inspection.around else Value.reading.pull
    for output, seed in seeds:
        grads[output] += seed
    for node in made:
        g = grads[node]
        if keep:
            node.grad = g
        if g:  # 0 passes nothing on, whatever the derivative
            pulls[node.operation](node, g, grads)


def _sweep_arrays(grads: dict, made: list[Node], seeds: Iterable, keep: bool = False) -> None:
    def into(x: Node, g: np.ndarray) -> None:
        data = x.data
        if g.shape != data.shape:
            g = sum_to(g, data.shape)
        if g.dtype is not data.dtype:
            g = g.astype(data.dtype)
        before = grads[x]
        grads[x] = g if before is None else before + g

    _run(grads, made, seeds, into, Tensor.reading.pull, keep)


def _sweep_nodes(grads: dict, made: list[Node], seeds: Iterable) -> None:
    def into(x: Node, g: Any) -> None:
        if isinstance(x, Tensor):
            if g.shape != x.shape:
                g = OPERATIONS["sum_to"](g, x.shape)
            if g.dtype != x.dtype:
                g = OPERATIONS["cast"](g, x.dtype)
        before = grads[x]
        grads[x] = g if before is None else before + g

    _run(grads, made, seeds, into, NODE_PULLBACKS)


def _run(grads: dict, made: list[Node], seeds: Iterable, into: Callable, pulls: dict, keep: bool = False) -> None:
    pulls = inspection.around(pulls) if inspection.around else pulls
    for output, seed in seeds:
        into(output, seed)
    for node in made:
        g = grads[node]
        if keep:
            node.grad = g
        if g is not None:
            pulls[node.operation](node, g, into)


def _zero_like(node: Any) -> Any:
    return 0.0 if isinstance(node, Value) else np.zeros(node.shape, node.dtype)
