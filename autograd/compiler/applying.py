"""A program is applied to nodes: each of its results is one node, whose pullback is another program.

That one is recorded from the graph that the first was made of, and is applied in the same way; so there are derivatives
of every order, and each of them runs as a program.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..backward import pullback
from ..graph import history
from ..joint import joint
from ..methods import COMPARISONS
from ..node import Node, Tensor, Value
from ..operation import OPERATIONS
from .collecting import uncollected
from .printing import Executable, executable
from .program import Program
from .tracing import Recording, again, leaf, traced

MASKS = {OPERATIONS[name] for name in COMPARISONS.values()}


@dataclass(eq=False)
class Applicable:
    """A recording, its program, and programs for its pullbacks as they are asked for."""

    recording: Recording  # its output is a list
    run: Executable
    title: str
    backend: str
    pullbacks: dict[tuple, "Applicable"] = field(default_factory=dict)  # by output and inputs
    edges: dict[tuple, list[tuple]] = field(default_factory=dict)  # by which inputs are nodes

    def __post_init__(self) -> None:
        self.convert = [self.recording.numbers.get(y) for y in self.recording.output]
        self.plain = not any(self.convert)

    def __deepcopy__(self, memo: dict) -> "Applicable":
        return self

    def numbers(self, inputs: list) -> Sequence:
        """Floats and arrays for the inputs."""
        found = self.run(inputs)
        return found if self.plain else [y if f is None else f(y) for f, y in zip(self.convert, found)]

    def nodes(self, inputs: list, nodes: Mapping[int, Node]) -> list:
        """The same, where some inputs are the numbers of nodes: what is made of them are nodes."""
        found = []
        for output, (y, edge) in enumerate(zip(self.numbers(inputs), self._edges(tuple(nodes)))):
            if edge:
                kind = Value if self.is_number(output) else Tensor
                result = Applied(self, inputs, nodes, output, edge, y)
                y = joint("jit", kind, [nodes[i] for i in edge], result)
            found.append(y)
        return found

    def is_number(self, output: int) -> bool:
        """Whether an output is a float."""
        return self.convert[output] is float or isinstance(self.recording.output[output], Value)

    def _edges(self, nodes: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Which inputs each output is made of, where these inputs are nodes."""
        if nodes not in self.edges:
            self.edges[nodes] = [tuple([i for i in nodes if bits >> i & 1]) for bits in self._sources]
        return self.edges[nodes]

    @functools.cached_property
    def _sources(self) -> list[int]:
        """The inputs that each output is a node for, as bits: a mask is none, nor is what is made of masks alone."""
        bits: dict[Any, int] = {x: 1 << i for i, x in enumerate(self.recording.inputs)}
        nodes: list[Any] = history(*self.recording.output)
        for node in reversed(nodes):
            if node not in bits:
                bits[node] = 0
                if node.operation not in MASKS and np.asarray(node.example).dtype.kind == "f":
                    for arg in node.args:
                        if isinstance(arg, Node):
                            bits[node] |= bits[arg]
        return [bits[y] for y in self.recording.output]

    @uncollected
    def pullback(self, output: int, edge: tuple[int, ...], inputs: list, seed: Any) -> "Applicable":
        """The gradients of an output with respect to some inputs: a program of all inputs and the seed."""
        key = output, edge
        if key not in self.pullbacks:
            leaves, g, found = self._recorded_pullback(output, edge, inputs, seed)
            convert: Any = dict.fromkeys(found, float) if self.is_number(output) else {}
            self.pullbacks[key] = applicable(
                Recording([*leaves, g], [], found, convert), f"{self.title}_pullback", self.backend
            )
        return self.pullbacks[key]

    @traced
    def _recorded_pullback(self, output: int, edge: tuple[int, ...], inputs: list, seed: Any) -> tuple:
        """Leaves for all inputs and the seed, and the gradients."""
        leaves = [leaf(x, node.name) for x, node in zip(inputs, self.recording.inputs, strict=True)]
        (y,) = again([self.recording.output[output]], dict(zip(self.recording.inputs, leaves)))
        g = leaf(seed, "g")
        return leaves, g, pullback([y], [g], [leaves[i] for i in edge], create_graph=True)


class Applied(NamedTuple):
    """A program on some inputs, of which some are of nodes; an output, which of these it is made of, and its number."""

    program: Applicable
    inputs: list
    nodes: Mapping[int, Node]
    output: int
    edge: tuple[int, ...]
    data: Any

    def __repr__(self) -> str:
        return f"<{self.program.title}>"

    def gradients(self, g: Any, create_graph: bool) -> list:
        """The gradients of the nodes that the output is made of, by a program."""
        program, inputs = self.program, self.inputs
        seed = converter(program.recording.output[self.output].example)(g.data if isinstance(g, Node) else g)
        pull = program.pullback(self.output, self.edge, inputs, seed)
        if not create_graph:
            return [*pull.numbers([*inputs, seed])]
        nodes = {**self.nodes, len(inputs): g} if isinstance(g, Node) else self.nodes
        return pull.nodes([*inputs, seed], nodes)


def applicable(recording: Recording, title: str, backend: str, before: Executable | None = None) -> Applicable:
    """A recording, its output a list of nodes, as a program; its examples are dropped, whose shapes and dtypes stay."""
    run = executable(Program(recording.inputs, recording.output), title, backend, before=before)
    nodes: list[Any] = [*recording.inputs, *(x for x in history(*recording.output) if x.operation is not None)]
    for node in nodes:
        if isinstance(node.example, np.ndarray):
            node.example = np.broadcast_to(np.zeros((), node.example.dtype), node.example.shape)
    return Applicable(recording, run, title, backend)


def converter(example: Any) -> Callable:
    """What makes a number or an array one like this."""
    return float if type(example) is float else functools.partial(np.asarray, dtype=np.asarray(example).dtype)
