"""Writes what type checkers read of the names that come from the table: `python -m tests.make_stubs`.

A function is written once for each argument that may be a node, and once for plain numbers, whose result is NumPy's.
"""

import inspect
import pathlib
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import autograd.numpy as names
from autograd import Tensor, Value
from autograd.methods import BINARY, COMPARISONS, OF_ARRAYS, UNARY
from autograd.operation import ELEMENTWISE, Operation

HOME = pathlib.Path(__file__).parent.parent / "autograd"
NODES = (
    "x y weight bias operands arrays fill_value a b f p m ary v array object start stop xp fp".split()
)  # may be nodes
SEVERAL = "eigh svd qr slogdet linspace gradient unstack astype".split()  # whose result may be a tuple
HEAD = '"""Made from the table by tests/make_stubs.py."""\n\n'
FUNCTIONS = """from collections.abc import Sequence
from typing import Any, overload

import numpy

from ..node import Tensor, Value

Real = float | numpy.floating[Any] | numpy.integer[Any] | numpy.bool
"""
METHODS = """from collections.abc import Sequence
from typing import Any, overload

import numpy
from numpy.typing import ArrayLike, NDArray

from .node import Tensor, Value

Real = float | numpy.floating[Any] | numpy.integer[Any] | numpy.bool
Array = NDArray[Any] | Sequence[Any]
"""
ANYTHING = "(*args: Any, **kwargs: Any) -> Any"


def signature(function: Callable) -> str:
    """A signature as text, without the modules of its types."""
    found = inspect.signature(getattr(function, "__wrapped__", function))
    given = [p if p.annotation is not p.empty else p.replace(annotation=Any) for p in found.parameters.values()]
    result = Any if found.return_annotation is found.empty else found.return_annotation  # of a function of one line
    found = found.replace(parameters=given, return_annotation=result)
    text = re.sub(r"\b(autograd\.node|typing|collections\.abc)\.", "", str(found))
    return text.replace("Sequence,", "Sequence[Any],").replace("Sequence)", "Sequence[Any])")


def functions(module: ModuleType) -> Iterator[str]:
    """What a module of functions has, NumPy's other names included."""
    for name in sorted({*module.__all__} - {"linalg"}):
        row = names.ROWS.get(name) if module is names else None
        texts = of_row(row) if row else of_function(getattr(module, name))
        for text in texts:
            yield "@overload\n" * (len(texts) > 1) + f"def {name}{text}: ..."
    yield "def __getattr__(name: str) -> Any: ..."


def of_row(row: Operation) -> list[str]:
    several = getattr(row.value, "word", "") == "tuple"
    text = f"({', '.join(f'{name}: Any' for name in row.names)}, /) -> {'tuple[Any, Any]' if several else 'Any'}"
    spots = [name for name in row.names if name in NODES]
    tensors = [with_node(text, spot, kind) for kind in ("Tensor", "Value") for spot in spots]
    tensors = [signature.replace("-> Value", "-> Tensor") for signature in tensors]
    beside = text.rsplit(" -> ")[0].replace("Any", "Value | Real") + " -> Any"
    values = [with_node(beside, spot, "Value") for spot in spots]
    return [*values, *(tensors if len(row.names) > 1 else tensors[:1]), ANYTHING]


def of_function(function: Callable) -> list[str]:
    text, name = signature(function), function.__name__
    if name in SEVERAL:
        return [text]
    kinds = ("Value", "Tensor") if function.__module__.endswith("elementwise") else ("Tensor | Value",)
    given = [x.name for x in inspect.signature(function).parameters.values() if x.default is x.empty]
    spots = [name for name in given if name in NODES]
    return [with_node(text, spot, kind) for kind in kinds for spot in spots] + [ANYTHING]


def with_node(text: str, spot: str, kind: str) -> str:
    """The signature with a node in this place; the result is one, too, or holds it."""
    arguments, result = text.replace("Tensor", "Any").rsplit(" -> ", 1)[0], text.rsplit(" -> ", 1)[1]
    given = f"Sequence[{kind}]" if spot == "arrays" else kind
    arguments = re.sub(rf"\b{spot}: [^,)=]*[^,)= ]", f"{spot}: {given}", arguments)
    result = result.replace("Any", kind.split(" ")[0]) if result in ("Any", "tuple[Any, Any]") else result
    return f"{arguments} -> {result}"


def methods(kind: type) -> Iterator[str]:
    """The methods that a class of nodes gets in methods.py."""
    name, array = kind.__name__, kind is Tensor
    other, truth = ("ArrayLike", "NDArray[numpy.bool]") if array else ("Real", "bool")
    nodes = "Value | Tensor" if array else "Value"
    yield f"class {name}Methods:"
    for row in ELEMENTWISE:
        if row.name in BINARY:
            yield from operator(f"__{row.name}__", f"{nodes} | {other}", name, array)
            yield from operator(f"__r{row.name}__", other, name, array)
        elif hasattr(kind, method := f"__{row.name}__" if row.name in UNARY else row.name) and len(row.names) == 1:
            yield f"    def {method}(self) -> {name}: ..."
    yield f"    def __pos__(self) -> {name}: ..."
    yield f"    def __divmod__(self, other: {name} | {other}, /) -> tuple[{name}, {name}]: ..."
    yield f"    def __rdivmod__(self, other: {other}, /) -> tuple[{name}, {name}]: ..."
    for symbol in COMPARISONS:
        if symbol in ("__eq__", "__ne__"):
            ignored = "  # type: ignore[override]" * array
            yield f"    def {symbol}(self, other: object, /) -> {truth}: ...{ignored}"
        else:
            yield from operator(symbol, f"{nodes} | {other}", truth, array)
    yield "    def __hash__(self) -> int: ..."
    yield "    def backward(self, seed: Any = None) -> None: ..."
    if array:
        yield "    def __matmul__(self, other: Tensor | ArrayLike, /) -> Tensor: ..."
        yield "    def __rmatmul__(self, other: ArrayLike, /) -> Tensor: ..."
        yield "    def __contains__(self, item: Any, /) -> bool: ..."
        yield "    def expand(self, *sizes: Any) -> Tensor: ..."
        for method in (*OF_ARRAYS, "flatten"):
            text = re.sub(r"^\((\w+: \w+)", "(self", signature(getattr(Tensor, method))).replace("(*", "(self, *")
            text = text.replace(": Tensor", ": Any")  # further arrays
            yield f"    def {method}{text if method in names.CONSTANT else text.replace('-> Any', '-> Tensor')}: ..."


def operator(name: str, other: str, result: str, array: bool) -> Iterator[str]:
    """An operator; a Value's makes an array beside one."""
    found = [f"    def {name}(self, other: {other}, /) -> {result}: ..."]
    if not array:
        beside = "NDArray[numpy.bool]" if result == "bool" else "Tensor"
        found.append(f"    def {name}(self, other: Tensor | Array, /) -> {beside}: ...")
    for text in found:
        yield "    @overload\n" * (len(found) > 1) + text


def stubs() -> dict[pathlib.Path, str]:
    """The text of every file."""
    numpy = HEAD + FUNCTIONS.replace("from ..node", "from . import linalg as linalg\nfrom ..node")
    return {
        HOME / "typed.pyi": "\n".join([HEAD + METHODS, *methods(Value), "", *methods(Tensor), ""]),
        HOME / "numpy" / "__init__.pyi": "\n".join([numpy, *functions(names), ""]),
        HOME / "numpy" / "linalg.pyi": "\n".join([HEAD + FUNCTIONS, *functions(names.linalg), ""]),
    }


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
