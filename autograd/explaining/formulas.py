"""A tree of words as mathematics: MathML, which browsers show by themselves."""

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..drawing.arrays import text_of, written
from ..grammar import Call, Constant, Name, Tree, fold

COMPARISON, SUM, NEGATIVE, PRODUCT, POWER, WHOLE = range(1, 7)  # how tightly a part holds together


class Formula(NamedTuple):
    """MathML, and how tightly it holds together: among tighter ones it needs parentheses."""

    markup: str
    holds: int = WHOLE


ONE, LEFT, RIGHT = "<mn>1</mn>", '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
GRADIENT = Formula('<mi class="gradient">g</mi>')  # in a colour, for a node of the user may be called g as well


class Sign(NamedTuple):
    """How a word is written, and how tightly each of its arguments must hold together there."""

    template: str
    holds: int = WHOLE
    parts: tuple[int, ...] = ()  # of those that are not there, nothing is asked


def _between(sign: str, holds: int, right: int) -> Sign:
    return Sign(f"{{}}<mo>{sign}</mo>{{}}", holds, (holds, right))


def _named(name: str) -> Sign:
    return Sign(f"<mi>{name}</mi>{LEFT}{{}}{RIGHT}")


ROW = "<mtr><mtd>{}</mtd><mtd><mtext>{}</mtext>{}</mtd></mtr>"
CASES = f"<mo>{{{{</mo><mtable>{ROW.format('{1}', 'if&#160;', '{0}')}{ROW.format('{2}', 'else', '')}</mtable>"
SQUARE = "<msup>{0}<mn>2</mn></msup>"
COMPARISONS = {"greater": "&gt;", "less": "&lt;", "equal": "=", "greater_equal": "≥", "less_equal": "≤"}
SIGNS = {
    "add": _between("+", SUM, PRODUCT),
    "sub": _between("−", SUM, PRODUCT),
    "neg": Sign("<mo>−</mo>{}", NEGATIVE, (PRODUCT,)),
    "mul": _between("·", PRODUCT, PRODUCT),
    "scaled": _between("·", PRODUCT, PRODUCT),
    "matmul": _between("@", PRODUCT, POWER),
    "affine": Sign("{}<mo>@</mo>{}<mo>+</mo>{}", SUM, (PRODUCT, POWER, PRODUCT)),
    "truediv": Sign("<mfrac>{}{}</mfrac>"),
    "ratio": Sign("<mfrac>{}{}</mfrac>"),
    "pow": Sign("<msup>{}{}</msup>", POWER, (WHOLE,)),
    "square": Sign(SQUARE, POWER, (WHOLE,)),
    "sqrt": Sign("<msqrt>{}</msqrt>"),
    "exp": Sign("<msup><mi>e</mi>{}</msup>", POWER),
    "abs": Sign("<mo>|</mo>{}<mo>|</mo>"),
    "where": Sign(CASES),
    "maximum": Sign(f"<mi>max</mi>{LEFT}{{}}<mo>,</mo>{{}}{RIGHT}"),
    "sigmoid": _named("σ"),
    # the words that derivatives are written in
    "bell": Sign(f"<mi>σ</mi>{LEFT}{{0}}{RIGHT}<mo>·</mo><mi>σ</mi>{LEFT}<mo>−</mo>{{0}}{RIGHT}", PRODUCT),
    "sec_arcsin": Sign(f"<mfrac>{ONE}<msqrt>{ONE}<mo>−</mo>{SQUARE}</msqrt></mfrac>", parts=(WHOLE,)),
    "cos_arctan": Sign(f"<mfrac>{ONE}<msqrt>{ONE}<mo>+</mo>{SQUARE}</msqrt></mfrac>", parts=(WHOLE,)),
    "lowered": Sign(f"{{1}}<mo>·</mo><msup>{{0}}<mrow>{{1}}<mo>−</mo>{ONE}</mrow></msup>", PRODUCT, (WHOLE, PRODUCT)),
    "powlog": Sign(f"<msup>{{0}}{{1}}</msup><mo>·</mo><mi>log</mi>{LEFT}{{0}}{RIGHT}", PRODUCT, (WHOLE,)),
    "wins": Sign("<mo>[</mo>{}<mo>&gt;</mo>{}<mo>]</mo>"),
    # and those of arrays
    "swapaxes": Sign(f"{{}}<mtext>.swapaxes</mtext>{LEFT}{{}}<mo>,</mo>{{}}{RIGHT}", parts=(WHOLE,)),
    "getitem": Sign('{}<mo stretchy="false">[</mo>{}<mo stretchy="false">]</mo>', parts=(WHOLE,)),
    "shape": Sign("{}<mtext>.shape</mtext>", parts=(WHOLE,)),
    "share": Sign(f"<mfrac>{ONE}<mi>n</mi></mfrac>"),
    "expand": _named("expand"),
    "sum_to": _named("sum"),
    "cast": Sign("{}"),
    **{word: _between(sign, COMPARISON, SUM) for word, sign in COMPARISONS.items()},
}


def letter(name: str) -> Formula:
    """A name."""
    return Formula(f"<mi>{html.escape(name)}</mi>")


def number(x: Any) -> Formula:
    """A number with four digits; an axis, a shape or an index as Python writes it; an array without its numbers."""
    if isinstance(x, (int, float, np.number)):
        digits = text_of(abs(x)).replace("inf", "∞").replace("e-", "e−").replace("e+", "e")
        return Formula(f"<mo>−</mo><mn>{digits}</mn>", NEGATIVE) if x < 0 else Formula(f"<mn>{digits}</mn>")
    return Formula(f"<mtext>{html.escape('constant' if isinstance(x, np.ndarray) else written(x))}</mtext>")


NONE = number(None)


def mathematics(tree: Tree, names: Mapping[str, Formula]) -> Formula:
    """A tree, its names replaced by these formulas where there is one."""
    known = {"g": GRADIENT, **names}
    return fold(tree, lambda name: known.get(name) or letter(name), number, _written)


def _written(word: Any, args: list[Formula]) -> Formula:
    sign = SIGNS.get(word) if isinstance(word, str) else None
    while args[-1] == NONE and word != "getitem":  # an axis that nobody named
        args = args[:-1]
    if sign is None:
        name = word if isinstance(word, str) else word.name
        listed = "<mo>,</mo>".join(arg.markup for arg in args)
        return Formula(f"{'' if name == 'tuple' else letter(name).markup}{LEFT}{listed}{RIGHT}")
    if word == "where" and args[0].holds > COMPARISON:  # a number as a condition
        args = [Formula(f"{args[0].markup}<mo>≠</mo><mn>0</mn>", COMPARISON), *args[1:]]
    least = (*sign.parts, *(0 for _ in args))
    parts = [f"<mrow>{x.markup if x.holds >= n else f'{LEFT}{x.markup}{RIGHT}'}</mrow>" for x, n in zip(args, least)]
    transposed = word == "swapaxes" and args[1:] == [number(-1), number(-2)]
    return Formula(f"<msup>{parts[0]}<mi>T</mi></msup>" if transposed else sign.template.format(*parts), sign.holds)


def without_gradient(pullback: Tree) -> Tree:
    """The local derivative: a pullback for the gradient 1, which it is linear in."""
    one = Constant(1)

    def call(word: Any, args: list[Tree]) -> Tree:
        if word in ("mul", "scaled") and one in args:
            return args[1] if args[0] == one else args[0]
        if word == "neg" and args == [one]:
            return Constant(-1)
        return Call(word, tuple(args))

    return fold(pullback, lambda name: one if name == "g" else Name(name), Constant, call)
