"""Texts of any kind where the user writes one: they are taken, or refused by a ValueError, TypeError or OSError.

An example is a line of Python. Its text is quoted, or pieces of what is right, put together.
"""

import contextlib
import os
import re
import tempfile
import warnings
from typing import Any
from unittest.mock import patch

import numpy

import autograd.numpy as np
import nn
from autograd import Tensor, Value, define, draw, grad, jit, render
from autograd.node import Node
from autograd.operation import OPERATIONS

from .hunting import Choices, Maker

PIECES = """
f(x) = f(x,y) f(x;n) | || g out x y n ** * + - / // % @ ( ) [ ] , ; . : exp( sin( where(x,y,0) relu(x) neg 1 0 2.5
1e400 inf nan x.T x.shape x.dtype x.mT x[0] x[1:] x[...] None ... True lambda x: if else not and or is == <
> << ~ & ^ ! @= := ->
x**2 g*y g*x -x --x 1j 'a' "b" f"{x}" \\ # $ ? _x __import__ 10**9 9**9**9 0x10 1_0 *x **x sum(x) mean( (x,) {} {x}
expand(x,x.shape) sum_to(g,shape) ties( cube PI LN2 e é ﬁ 变 \u00a0 \u200b \t""".split()
ROWS = [
    "f(x) = x ** 2 | g * 2 * x",
    "f(x, y) = x * y | g * y | g * x",
    "f(x; n) = x * n | g * n",
    "f(x) = exp(x) | g * out",
]
ODD = ["", " ", ".", "..", "\0", "\n", "\ud800", "a" * 300, "é", "\u202e", "<b>&lt;", '"', "\\N", "a.b", "a/b", "con"]
ODD += [
    "x.npz",
    "x.svg",
    ".svg",
    "x.",
    "ends/",
    "x.jpg",
    "x.gv",
    "-o",
    "~",
    "$HOME",
    "%s",
    "{0}",
    "a" * 70_000 + ".svg",
]
LIMITS = (0x80, 0x250, 0x3000, 0x110000)  # of the characters of a text


def anything(choices: Choices) -> str:
    """Any text."""
    if choices.below(2):
        return choices.one_of(ODD)
    limit = choices.one_of(LIMITS)
    return "".join(chr(choices.below(limit)) for _ in range(choices.below(13)))


def around(choices: Choices) -> str:
    """What is deeper than anybody writes."""
    n = choices.below(400)
    return choices.one_of(["(" * n + "x" + ")" * n, "-" * n + "x", "x" + "+x" * n])


def broken(choices: Choices) -> str:
    """A row, broken somewhere."""
    row = choices.one_of(ROWS)
    for _ in range(choices.below(4)):
        at, length = choices.below(len(row) + 1), choices.below(7)
        piece = choices.one_of([lambda _: choices.one_of(PIECES), anything, around])(choices)
        row = row[:at] + piece + row[at + length :]
    return row


def rows(choices: Choices) -> str:
    """A row, or what is none."""
    row = choices.one_of([broken, lambda _: " ".join(choices.some(PIECES, 8)), anything])(choices)
    return f"of_a_row({row!r})"


def quoted(*templates: str) -> Maker:
    """Lines with a text in the place of %s."""
    return lambda choices: choices.one_of(templates) % repr(anything(choices))


def subscripts(choices: Choices) -> str:
    """Subscripts of einsum."""
    text = "".join(choices.some([*"i j k , -> ... . - > 1 é ij,jk ii ".split(), " "], 8))
    return f"np.einsum({text!r}, Tensor([[1.0]]), Tensor([[1.0]]))"


MAKERS: dict[str, Maker] = {
    "rows": rows,
    "names": quoted(
        "saved(%s)",
        "draw(exp(Value(1.0, name=%s))).source",
        "repr(Tensor([1.0], name=%s))",
        "Value(1.0, label=%s).name",
    ),
    "labels": quoted(
        "draw(Tensor([2.0], name=%s) * Value(3.0, name='<b>')).source", "attribute(%s)", "define(%s, exp, [exp])"
    ),
    "options": quoted(
        "jit(exp, backend=%s)(1.0)",
        "jit(exp, %s)",
        "nn.TrainStep(nn.MLP(1, [1], 1, rng=0), nn.MSE(), nn.SGD([Tensor([1.0])], lr=0.1), backend=%s)",
        "nn.MLP(1, [2], 1, %s, rng=0)",
        "nn.MLP(1, [2], 1, rng=%s)",
        "nn.Linear(1, 1, rng=0, init=%s)",
        "nn.GELU(%s)(Tensor([1.0]))",
        "nn.CrossEntropy(reduction=%s)",
        "nn.Adam([Tensor([1.0])], lr=%s)",
        "Tensor([1.0], %s)",
        "Tensor(%s)",
        "Value(%s)",
        "Tensor([1.0]) + %s",
        "Value(1.0) * %s",
        "Tensor([1.0])[%s]",
        "grad(exp, %s)(1.0)",
        "np.einsum(%s, Tensor([1.0]), Tensor([1.0]))",
        "np.pad(Tensor([1.0]), 1, %s)",
        "np.linalg.norm(Tensor([1.0]), %s)",
        "np.sum(Tensor([1.0]), %s)",
        "np.quantile(Tensor([1.0]), 0.5, method=%s)",
        "Tensor([1.0]).astype(%s)",
        "np.r_[%s, Tensor([1.0])]",
    ),
    "subscripts": subscripts,
    "paths": quoted("nn.save(path(%s), layer)", "nn.load(path(%s))", "render(exp(Value(1.0)), path=path(%s))"),
}


def difference(text: str) -> str | None:
    """What is wrong with what a line comes to; None if nothing is."""
    with _somewhere(), patch.dict(OPERATIONS), warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            eval(text, SCOPE)
        except (ValueError, TypeError, IndexError, OSError) as error:
            return None if str(error) else f"refused without a reason: {type(error).__name__}"
        except RuntimeError as error:
            return None if "Graphviz" in str(error) else f"internal {type(error).__name__}: {error}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return None


@contextlib.contextmanager
def _somewhere() -> Any:
    """In a directory of its own; nothing may be written outside it."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def path(text: str) -> str:
    """A path within this directory."""
    return os.path.join(os.getcwd(), *(part for part in text.split("/") if part != "..")) if text else ""


def of_a_row(row: str) -> None:
    """A row that reads means the same on numbers, on arrays and in a program."""
    f = define(row)
    if f.static or len(f.arguments) > 2:
        return
    numbers = [0.75, 1.5][: len(f.arguments)]
    found = f(*map(Value, numbers)), f(*map(Tensor, numbers)), jit(f, backend="python")(*numbers)
    x, y, z = (numpy.asarray(out.data if isinstance(out, Node) else out, float) for out in found)
    assert numpy.allclose(x, y, equal_nan=True) and numpy.allclose(x, z, equal_nan=True), f"{x}, {y}, {z}"


def saved(name: str) -> None:
    """A name comes back from a file as it was, or is refused."""
    arrays = {name: numpy.ones(2)}
    nn.save("here.npz", arrays)
    assert [*nn.load("here.npz")] == [name], "another name came back"


def attribute(name: str) -> None:
    """A parameter of this name is found, saved and loaded."""
    module = nn.Linear(1, 1, rng=0)
    setattr(module, name, Tensor([3.0]))
    nn.save("here.npz", module)
    nn.load("here.npz", module)
    assert repr(module) and name in dict(module.named_parameters()), "a parameter was lost"


SCOPE = {
    **{f.__name__: f for f in (Tensor, Value, define, draw, grad, jit, render, path, of_a_row, saved, attribute)},
    **{"np": np, "nn": nn, "exp": np.exp, "layer": nn.Linear(1, 1, rng=0)},
}


def sort_of(said: str) -> str:
    """What kind of failure it is."""
    return re.sub(r"\d+|'.*?'", "", said.split("\n")[0])[:40]
