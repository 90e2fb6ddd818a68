"""A tree of words as Python source, and the function that source defines."""

import ast
import linecache
from collections.abc import Callable, Mapping
from typing import Any

from .grammar import Tree, fold, words_in

# how words are written in Python: what stands here as text, all others as calls of functions
STRUCTURE = {"shape": "{}.shape", "dtype": "{}.dtype", "backwards": "backwards({})", "slice": "slice({}, {}, {})"}
ON_FLOATS = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "neg": "(-{})", **STRUCTURE}
ON_FLOATS["where"] = "({1} if {0} else {2})"
ON_ARRAYS = {
    **{word: text for word, text in ON_FLOATS.items() if word != "where"},
    "truediv": "({} / {})",
    "pow": "({} ** {})",
    "getitem": "{}[{}]",
    "reshape": "{}.reshape({})",
    "transpose": "{}.transpose({})",
    "swapaxes": "{}.swapaxes({}, {})",
}
ON_NODES = {word: ON_ARRAYS[word] for word in (*STRUCTURE, "add", "sub", "mul", "neg", "getitem")}


def expression(tree: Tree, names: Mapping[str, str], templates: Mapping[str, str], scope: dict, value: Callable) -> str:
    """A tree as a Python expression; words that are not in the scope go there, each as what value(word) makes of it.

    They are operations and functions of the user, and rows of the table that are no words themselves.
    """

    def call(word: Any, args: list[str]) -> str:
        if word == "tuple":
            return f"({', '.join(args)},)"
        if not isinstance(word, str) or word not in templates and word not in scope:
            name = word if isinstance(word, str) else word.name
            scope[name], word = value(word), name
        return templates[word].format(*args) if word in templates else f"{word}({', '.join(args)})"

    def constant(value: Any) -> str:
        return f"({value!r})".replace("inf", "1e999")  # inf is no name there

    text = fold(tree, lambda name: names.get(name, name), constant, call)
    plain = ast.unparse(ast.parse(text, mode="eval"))  # without parentheses that nobody needs
    return plain.replace(".swapaxes(-1, -2)", ".mT")  # the same in a third of the time


def parameters(operation: Any) -> dict[str, str]:
    """What generated functions call an operation's arguments: as the row does, unless a word in it has that name."""
    trees = [operation.value, *operation.pullbacks]
    taken = {"slice", "Ellipsis", "backwards", *(call.word for tree in trees for call in words_in(tree))}
    found: dict[str, str] = {}
    for name in operation.names:
        called = name
        while called in taken:
            called += "_"
        found[name] = called
        taken.add(called)
    return found


def compiled(source: str, name: str, title: str, scope: dict) -> Callable:
    """The one function that this source defines; a traceback through it shows its lines."""
    filename = f"<{name}: {title}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    made: dict = {}
    exec(compile(source, filename, "exec"), scope, made)
    return made.popitem()[1]
