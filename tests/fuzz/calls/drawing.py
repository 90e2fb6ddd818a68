"""A call is drawn: a function, which of its arguments are given, and an expression for each."""

import inspect
import math
import operator
import re
from collections.abc import Callable

import numpy
import scipy.special
import scipy.stats

import autograd.numpy as np
from autograd.scipy import special, stats

from ..hunting import Choices
from .arguments import FURTHER, NEVER, TABLE
from .comparing import DEFINED

SHAPES = [(3,), (2, 3), (2, 2), (), (1,), (3, 3), (2, 3, 2), (0,), (1, 3), (3, 1), (0, 3), (2, 0), (2, 2, 2, 2), (6,)]
NUMBERS = [1.0, 0.0, 2.0, -1.0, 0.5, 3.0, -0.25, 1.5, -2.0, 0.75, 4.0, 0.125, -3.0, 7.0, -0.0]
SPECIAL = [*NUMBERS, math.inf, -math.inf, math.nan]
EINSUM = """
i->i ij->ji ij->i ij-> ii ii->i i,i ij,jk ij,kj->ik i,j ij,ij->ij ij,j i,i-> ...i->... ...,... ij,jk,kl->il ,i i,
i,ij ij,i->j ...ij->...ji bij,bjk->bik ij,ij,ij-> i...,i... ij->ii i->ij ij,k-> iii jii,ij""".split()
OPERATORS = "+ - * / ** % // @ < <= > >= == != & | ^ << >>".split()
SEVERAL = ("arys", "xi", "args")  # parameters for as many arrays as one likes
# methods that arrays have too; other arguments are those of the function
METHODS = """
sum mean max min prod var std cumsum cumprod reshape ravel transpose swapaxes squeeze repeat take diagonal trace dot
clip round copy any all argmax argmin argsort nonzero astype""".split()
UFUNCS = [name for name in np.__all__ if isinstance(getattr(numpy, name, None), numpy.ufunc)]
OF_UFUNCS: dict[str, Callable] = {  # what they take besides arrays, and what their methods take
    "": lambda out=None, *, where=True, casting=None, order=None, dtype=None: None,
    "reduce": lambda array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True: None,
    "accumulate": lambda array, axis=0, dtype=None, out=None: None,
    "reduceat": lambda array, indices, axis=0, dtype=None, out=None: None,
    "outer": lambda A, B, *, dtype=None, where=True: None,
    "at": lambda a, indices, b: None,
}
NAMES = [f"np.{name}" for name in [*np.__all__, *FURTHER] if name != "linalg"]
NAMES += [f"np.linalg.{name}" for name in np.linalg.__all__]
NAMES += [f"np.ufunc.{name}" for name in OF_UFUNCS if name]
NAMES += [f"special.{name}" for name in special.__all__]
NAMES += [
    f"stats.{family}.{name}" for family in stats.__all__ for name in vars(getattr(stats, family)) if name[0] != "_"
]
NAMES += [f".{name}" for name in METHODS]
EXPRESSIONS = "OPERATIONS INDEXING PROPERTIES BUILTINS JOINING".split()  # no calls, or of no function of NumPy


def home(name: str) -> Callable:
    """NumPy's or SciPy's function of this name, or one that is defined here where NumPy has none."""
    if name.startswith("stats."):  # which takes less than SciPy's
        return operator.attrgetter(name.removeprefix("stats."))(stats)
    if name.startswith("special."):
        return getattr(scipy.special, name.removeprefix("special."))
    name = name.removeprefix("np.").removeprefix(".")
    if name.startswith("ufunc."):
        return OF_UFUNCS[name.removeprefix("ufunc.")]
    return DEFINED.get(name) or operator.attrgetter(name)(numpy)


def templates(name: str, parameter: str) -> list[str]:
    """What an argument is drawn from; nothing if nobody has said it."""
    last = name.split(".")[-1]
    own = f"{name.removeprefix('np.').removeprefix('.')}.{parameter}", f"{last}.{parameter}"
    return next((TABLE[key] for key in own if key in TABLE), TABLE.get(parameter, []))


def call(name: str, choices: Choices) -> str:
    """A call, as text: T() makes a Tensor, V() a Value."""
    words = Words(choices, special="linalg" not in name)
    if name in EXPRESSIONS:
        return words.word(name)
    before = words.node() if name[0] == "." else ""
    called = name.replace("ufunc", choices.one_of(UFUNCS)) if "ufunc" in name else name
    if called.startswith("np.") and hasattr(numpy, called.split(".")[1]) and choices.below(4) == 3:
        called = f"numpy.{called.removeprefix('np.')}"
    return f"{before}{called}({', '.join(_arguments(words, name))})"


def parameters(name: str) -> list[inspect.Parameter]:
    """The parameters of a function that are drawn, of a method those behind the array."""
    function, places = home(name), []
    if isinstance(function, numpy.ufunc):
        names = ["x1", "x2", "x3"][: function.nin] if function.nin > 1 else ["x"]
        places = [inspect.Parameter(x, inspect.Parameter.POSITIONAL_ONLY) for x in names]
        function = OF_UFUNCS[""] if name.startswith("np.") else lambda: None  # SciPy's break down at where=
    try:
        found = [*places, *inspect.signature(function).parameters.values()][name[0] == "." :]
    except ValueError:  # an older NumPy does not say it
        return []
    return [p for p in found if p.name not in NEVER and (templates(name, p.name) or p.default is p.empty)]


def _arguments(words: "Words", name: str) -> list[str]:
    """Arguments: all that must be given, and a few of the others, by name or by place."""
    found, by_place = [], True
    for p in parameters(name):
        optional = p.default is not p.empty or p.kind is p.VAR_POSITIONAL
        if optional and words.below(4) != 3:
            by_place = False
            continue
        text = words.argument(templates(name, p.name)) if p.name not in SEVERAL else ", ".join(words.several())
        by_name = optional and p.kind is p.POSITIONAL_OR_KEYWORD and words.flip()
        if p.kind is not p.VAR_POSITIONAL and (p.kind is p.KEYWORD_ONLY or not by_place or by_name):
            by_place = False
            text = f"{p.name}={text}"
        found += [text] if text else []
    return found


class Words:
    """What stands in braces, drawn; arrays of one call have shapes that go together, mostly."""

    def __init__(self, choices: Choices, special: bool):
        self.below, self.one_of, self.permuted = choices.below, choices.one_of, choices.permuted
        self.shape_of_first = self.one_of(SHAPES)
        self.special = special and self.below(10) == 9  # of infinities LAPACK may not return
        self.single = self.below(5) == 4

    def flip(self) -> bool:
        return bool(self.below(2))

    def argument(self, found: list[str]) -> str:
        """One of these templates, filled; now and then what fits nowhere."""
        return self.word("WRONG") if self.below(25) == 24 else self.filled(self.one_of(found))

    def word(self, name: str) -> str:
        """One of the templates of this name."""
        return self.filled(self.one_of(TABLE[name]))

    def filled(self, template: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: str(getattr(self, found[1])()), template)

    def several(self) -> list[str]:
        return [self.x() if i == 0 else self.y() for i in range(self.below(4))]

    def node(self) -> str:
        return self._array(self.shape_of_first, "T")

    def x(self) -> str:
        """An array of the first shape, as a rule a Tensor."""
        return self._array(self.shape_of_first, self.one_of(["T", "T", "T", "T", "T", "np.array"]))

    def y(self) -> str:
        """An array of a shape that often broadcasts with the first."""
        shape = self.shape_of_first
        others = [shape, shape[1:], tuple(1 if i else n for i, n in enumerate(shape)), (1, *shape), shape[::-1]]
        return self._array(self.one_of([*others, *SHAPES]), self._maker())

    def columns(self) -> str:
        """An array with as many rows as the first has columns."""
        shape = self.shape_of_first
        return self._array((*shape[:-2], *shape[-1:], 2), self._maker())

    def rows(self) -> str:
        """An array with as many rows as the first."""
        return self._array((*self.shape_of_first[:-1], 2), self._maker())

    def row(self) -> str:
        """An array with one axis."""
        return self._array(self.shape_of_first[-1:] or (2,), self._maker())

    def list(self) -> str:
        """A list of numbers, Values among them."""
        return f"[{', '.join(self.num() for _ in range(self.below(4)))}]"

    def num(self) -> str:
        number = repr(self.one_of(NUMBERS))
        return self.one_of([number, f"V({number})", f"T({number})", "2", "np.float32(2)", "np.array(3)"])

    def mask(self) -> str:
        shape = self.one_of([self.shape_of_first, self.shape_of_first[-1:], (2,)])
        return self._listed(shape, [True, False], "np.array")

    def ints(self) -> str:
        shape = self.one_of([self.shape_of_first[-1:], self.shape_of_first, (), (2, 2)])
        return self._listed(shape, [0, 1, 0, -1, 2], "np.array")

    def _maker(self) -> str:
        return self.one_of(["T", "T", "np.array", "np.array", "list", "ints", "V"])

    def _array(self, shape: tuple[int, ...], maker: str) -> str:
        if maker == "ints":
            return self._listed(shape, [1, 0, 2, -3], "np.array")
        if maker == "V":
            return f"V({self.one_of(NUMBERS)!r})"
        numbers = SPECIAL if self.special else NUMBERS
        return self._listed(
            shape, numbers, "" if maker == "list" else maker, ", 'f4'" * (self.single and maker != "list")
        )

    def _listed(self, shape: tuple[int, ...], numbers: list, maker: str, more: str = "") -> str:
        """An array's numbers as nested lists."""
        if 0 in shape:
            return f"{maker or 'np.array'}(np.zeros({shape}){more})"
        array = numpy.array([self.one_of(numbers) for _ in range(math.prod(shape))]).reshape(shape)
        text = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        return f"{maker}({text}{more})" if maker else text

    def operator(self) -> str:
        return self.one_of(OPERATORS)

    def operand(self) -> str:
        return f"({self.word('OPERANDS')})"

    def index(self) -> str:
        return self.word("INDICES")

    def like(self) -> str:
        """An array to write into."""
        shape = self.one_of([self.shape_of_first, self.shape_of_first[1:], ()])
        return self._listed(shape, [0.0], "np.array", ", 'f4'" * self.single)

    def ndim(self) -> int:
        return len(self.shape_of_first)

    def axis(self) -> int:
        return self.below(2 * self.ndim() or 1) - self.ndim()

    def axes(self) -> tuple[int, ...]:
        return tuple(self.order()[: self.below(4)])

    def order(self) -> tuple[int, ...]:
        return tuple(self.permuted(range(self.ndim())))

    def shape(self) -> tuple[int, ...]:
        shape = self.shape_of_first
        return self.one_of([shape[::-1], (*shape, 1), (math.prod(shape),), (-1, *shape[1:]), (1, *shape)])

    def wider(self) -> tuple[int, ...]:
        return (*self.one_of([(), (2,), (1,), (0,)]), *self.shape_of_first)

    def einsum(self) -> str:
        """Subscripts, and as many arrays."""
        subscripts = self.one_of(EINSUM)
        sizes = {letter: self.one_of([2, 2, 2, 3, 1, 0]) for letter in "ijkbl"}
        terms = subscripts.split("->")[0].replace("...", "").split(",")
        arrays = [
            self._array(tuple(sizes[c] for c in term), "T" if not i else self._maker()) for i, term in enumerate(terms)
        ]
        return ", ".join([repr(subscripts), *arrays])
