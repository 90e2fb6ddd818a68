"""Copies of nodes: by copy, by deepcopy and by pickle, the latter two of whole graphs and without recursion.

A pickled node is a list of all that it was made of, oldest first, in which nodes are named by their `when`. The nodes
of one pickle are entered in one register while it is loaded, so what several of them were made of is one node again.
Operations are pickled by their names.
"""

import copyreg
import importlib
from collections.abc import Sequence
from copy import copy, deepcopy
from typing import Any, NamedTuple

from .graph import history
from .node import Node
from .operation import Operation


class Record(NamedTuple):
    """A node as plain data."""

    when: int
    kind: type[Node]
    data: Any
    grad: Any
    name: str
    operation: Operation | None
    nodes: tuple[int | None, ...]  # the arguments that are nodes, by their `when`
    constants: tuple[Any, ...]  # the others, with None in the places of nodes


class Register(dict):
    """The nodes of one pickle by when they were made, in the process that pickled them; each pickle begins anew."""

    def __reduce__(self) -> tuple:
        return Register, ()


REGISTER = Register()  # itself always empty: it stands for the one of whoever loads


def pickled(node: Node) -> tuple:
    """What pickle keeps of a node: all that it was made of."""
    return _loaded, (REGISTER, node.when, [tuple(_record(x)) for x in reversed(history(node))])


def _record(x: Node) -> Record:
    nodes = tuple([arg.when if isinstance(arg, Node) else None for arg in x.args])
    constants = tuple([None if isinstance(arg, Node) else arg for arg in x.args])
    return Record(x.when, type(x), x.data, x.grad, x.name, x.operation, nodes, constants)


def _loaded(register: dict[int, Node], when: int, records: list[tuple]) -> Node:
    """The node that was made then, by records of it and of what it was made of; it counts as made now."""
    for record in map(Record._make, records):
        if record.when not in register:
            args = [x if i is None else register[i] for i, x in zip(record.nodes, record.constants, strict=True)]
            register[record.when] = _made(*record[1:6], args)
    return register[when]


def copied(node: Node) -> Node:
    """A node of its own number, made of the same nodes."""
    return _made(type(node), copy(node.data), copy(node.grad), node.name, node.operation, node.args)


def deep_copied(node: Node, memo: dict[int, Any]) -> Node:
    """A node with a graph of its own: all that it was made of is copied, the arrays included."""
    for x in reversed(history(node)):
        if id(x) not in memo:
            args = [deepcopy(arg, memo) for arg in x.args]  # of nodes, all of which are in the memo by now
            data, grad = deepcopy(x.data, memo), deepcopy(x.grad, memo)
            memo[id(x)] = _made(type(x), data, grad, x.name, x.operation, args)
    return memo[id(node)]


def _made(kind: type, data: Any, grad: Any, name: str, operation: Operation | None, args: Sequence) -> Any:
    node: Any = object.__new__(kind)  # as a recorder makes it, which would compute the number
    node._become_leaf(data, name)
    node.grad = grad
    if operation is not None:
        node.operation, (node.x, *rest) = operation, args
        node.y = tuple(rest) if len(rest) > 1 else rest[0] if rest else None
    return node


def _by_name(operation: Operation) -> tuple:
    home = operation.__module__
    if importlib.import_module(home).OPERATIONS.get(operation.name) is not operation:  # type: ignore[attr-defined]
        raise TypeError(
            f"what {operation.name} made cannot be pickled, since no table has this operation under its name "
            "(as with what jit, scan and checkpoint make, or a definition that was replaced): pickle node.detach()"
        )
    return _named, (home, operation.name, operation.__doc__)


def _named(home: str, name: str, rule: str) -> Operation:
    """The operation of this name, if it is the same."""
    found = importlib.import_module(home).OPERATIONS.get(name)  # type: ignore[attr-defined]
    if found is None or found.__doc__ != rule:
        instead = f"here it is {found.__doc__}" if found else "here is none of that name"
        raise ValueError(f"a pickle has a node that was made by\n{rule}\nand {instead}: define() it before loading")
    return found


copyreg.pickle(Operation, _by_name)  # type: ignore[arg-type]  # and so for copy and deepcopy, which give itself
