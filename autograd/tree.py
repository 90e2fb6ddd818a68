"""Nested lists, tuples and dicts: `flatten` lists what they hold, `unflatten` puts other things in the same places."""

from collections.abc import Callable, Iterable
from typing import Any


def flatten(tree: Any) -> list:
    """What the lists, tuples and dicts of a nested structure hold, in order."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [x for part in tree for x in flatten(part)] if isinstance(tree, (list, tuple)) else [tree]


def unflatten(structure: Any, parts: Iterable) -> Any:
    """The same structure with these parts in it, in order."""
    following = iter(parts)
    return map_tree(lambda _: next(following), structure)


def map_tree(f: Callable, tree: Any) -> Any:
    """The same structure with f applied to everything that it holds."""
    if isinstance(tree, dict):
        return {key: map_tree(f, part) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [map_tree(f, part) if isinstance(part, (list, tuple, dict)) else f(part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return f(tree)
