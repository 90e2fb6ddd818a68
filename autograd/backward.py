"""The reverse sweep: from a node back, newest first, every operation hands its gradient on to its arguments.

Gradients live in a dictionary of the sweep, not in the nodes, so threads do not meet. On Values the pullbacks add
floats into it. On arrays and on nodes they hand over to `into`, which undoes broadcasting (`sum_to`) and widening
(`cast`). Where Values stood beside arrays, a sweep of the arrays comes first, and one of the Values starts from what it
leaves at them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .arguments import numeric, real_number
from .blocks import LARGE
from .graph import reached
from .meeting import as_array
from .node import Node, Tensor, Value
from .on_arrays import sum_to
from .operation import OPERATIONS, Lazy, node_pullback
from .owning import is_alone, own_gradients
from .recording import inspected, inspection
from .users import quiet

NODE_PULLBACKS = Lazy(lambda operation: node_pullback(operation, {"__Node": Node}))


def backward(output: Node, seed: Any = None) -> None:
    """Add the derivative of this node with respect to every leaf that it depends on to the leaf's `.grad`.

    Inner nodes get theirs too, of this sweep alone. A leaf that this node was not made of keeps the `.grad` it had, and
    is not set to 0. `seed` weighs the elements; a node of one element needs none.
    """
    # the seed's array may become the .grad of a leaf
    grads, leaves = _sweep([output], [seed.copy() if isinstance(seed, np.ndarray) else seed], 0, False, None)
    for leaf, g in zip(leaves, own_gradients([grads.pop(leaf) for leaf in leaves])):
        g = _zero_like(leaf) if g is None else g
        leaf.grad = g if leaf.grad is None else leaf.grad + g


def gradients(output: Node, inputs: Sequence[Node], create_graph: bool = False, seed: Any = None) -> list:
    """The gradients of an output with respect to some nodes, in their order; nobody's `.grad` changes.

    They are floats or arrays; with `create_graph` they are nodes, and can be differentiated again. So they are inside
    jit and vmap, where nodes from outside, such as parameters, may be among the inputs.
    """
    if isinstance(inputs, Node):
        raise TypeError("gradients() is with respect to a list of nodes: give [x] for one")
    inputs = list(inputs)
    if isinstance(output, Node) and (lift_all := output.reading.scope.get("__lift_all")):
        inputs, create_graph = lift_all(inputs), True
    for node in (output, *inputs):
        if not isinstance(node, Node) or node.reading.number is not output.reading.number:
            raise TypeError(f"gradients(y, [x]) is of nodes, not {type(node).__name__}: make x a node, and y from it")
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
    found, _ = _sweep(outputs, seeds, since, create_graph, frozenset(inputs))
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


class Sweep(NamedTuple):
    """A sweep through nodes of one class: gradients so far, nodes that are no leaves, newest first, and the seeds."""

    grads: dict
    made: Iterable[Node]
    seeds: list[tuple]
    wanted: frozenset | None  # whose gradients are asked for; None: backward(), which leaves all in `.grad`


@inspected
@quiet  # 1 / 0 is an answer here; the forward pass warned as the user wished
def _sweep(outputs: Sequence, seeds: Sequence, since: int, create_graph: bool, wanted: frozenset | None) -> tuple:
    """The gradients of all nodes below the outputs, by node, as far as made after `since`; and the leaves among them.

    Arrays first, then Values: Tensors may depend on Values, never the other way round. A gradient is None where nothing
    arrived, and where an array that nobody `wanted` was given up to save memory.
    """
    pairs = [(output, _seed(output, seed)) for output, seed in zip(outputs, seeds)]
    numbers = [pair for pair in pairs if isinstance(pair[0], Value)]
    arrays = [pair for pair in pairs if not isinstance(pair[0], Value)] if len(numbers) < len(pairs) else []
    grads: dict = {}
    leaves: list[Node] = []
    if arrays:
        grads, made, leaves, entered = reached([output for output, _ in arrays], since)
        (_sweep_nodes if create_graph else _sweep_arrays)(Sweep(grads, made, arrays, wanted))
        for node in entered:  # Tensors of shape () that stand for Values beside arrays: meeting.py
            if wanted is None:
                node.grad = grads[node]
            numbers.append((node.x, _of_number(grads[node])))
    if numbers:
        found, made, more, _ = reached([output for output, _ in numbers], since, by_blocks=not create_graph)
        (_sweep_nodes if create_graph else _sweep_floats)(Sweep(found, made, numbers, wanted))
        grads, leaves = found | grads if grads else found, leaves + more
    return grads, leaves


def _of_number(g: Any) -> Any:
    """What arrives at a Value from arrays: a float, or a node that is as precise."""
    if isinstance(g, Node):
        return OPERATIONS["cast"](g, np.dtype(float))
    return 0.0 if g is None else float(g)


def _sweep_floats(sweep: Sweep) -> None:
    grads, made, seeds, wanted = sweep
    pulls = inspection.around(Value.reading.pull) if inspection.around else Value.reading.pull
    for output, seed in seeds:
        grads[output] += seed
    for node in made:
        g = grads[node] if wanted and node in wanted else grads.pop(node)
        if wanted is None:
            node.grad = g
        if g:  # 0 passes nothing on, whatever the derivative
            pulls[node.operation](node, g, grads)


def _sweep_arrays(sweep: Sweep) -> None:
    """Large arrays at first without guards (scaled, ratio), each of which would cost a pass through memory.

    A guard changes only what would be NaN without it: if no gradient is NaN, none was needed; else all runs again.
    """
    grads = sweep.grads

    def into(x: Node, g: np.ndarray) -> None:
        number = x.number
        if g.shape != number.shape:
            g = sum_to(g, number.shape)
        if g.dtype is not number.dtype:
            g = g.astype(number.dtype)
        before = grads[x]
        if before is not None:
            # looked at here, since the arguments of np.add hold it once more
            out = before if before.size > LARGE and is_alone(before) else None
            g = np.add(before, g, out=out)
        grads[x] = g

    if _run(sweep, into, Tensor.reading.pull, None if inspection.around else Tensor.reading.bare_pull):
        kept = [node.grad for node in sweep.made] if sweep.wanted is None else []
        if any(g is not None and np.isnan(g.min(initial=0.0)) for g in (*grads.values(), *kept)):
            grads.update(dict.fromkeys(grads))
            _run(sweep, into, Tensor.reading.pull)


def _sweep_nodes(sweep: Sweep) -> None:
    grads = sweep.grads

    def into(x: Node, g: Any) -> None:
        if isinstance(x, Tensor):
            if x.dtype.kind != "f":  # of masks and integers, inside jit, nothing has a derivative
                return
            if g.shape != x.shape:
                g = OPERATIONS["sum_to"](g, x.shape)
            if g.dtype != x.dtype:
                g = OPERATIONS["cast"](g, x.dtype)
        before = grads[x]
        grads[x] = g if before is None else before + g

    _run(sweep, into, NODE_PULLBACKS)


def _run(sweep: Sweep, into: Callable, pulls: dict, of_large: dict | None = None) -> bool:
    """Run the pullbacks, for large arrays those in `of_large` if it is given; returns whether there were any."""
    grads, made, seeds, wanted = sweep
    pulls, some = inspection.around(pulls) if inspection.around else pulls, False
    for output, seed in seeds:
        into(output, seed)
    for node in made:
        g = grads[node]
        if wanted is None:
            node.grad = g
        elif node not in wanted:  # its memory is for the gradients that follow
            grads[node] = None
        if g is not None:
            if of_large is None or g.size <= LARGE:
                pulls[node.operation](node, g, into)
            else:
                of_large[node.operation](node, g, into)
                some = True
    return some


def _zero_like(node: Any) -> Any:
    return 0.0 if isinstance(node, Value) else np.zeros(node.shape, node.dtype)
