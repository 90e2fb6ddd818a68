"""A program as text: lines, what they need, and the function that they are."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

import autograd
import autograd.numpy as np
from autograd import Tensor
from autograd.node import Node
from autograd.scipy import special

BACKENDS = ("python", "llvm", *["jax"] * bool(importlib.util.find_spec("jax")))
NAME = re.compile(r"\b[xvu]\d+\b")
TRANSFORMS = """checkpoint elementwise_grad grad hessian hvp jacfwd jacobian jacrev jit jvp scan value_and_grad vjp
vmap""".split()
SCOPE = {"np": np, "special": special, **{name: getattr(autograd, name) for name in TRANSFORMS}}  # what lines call
EPSILON = {"f8": 1e-11, "f4": 2e-5}  # what each step is off by where errors are estimated

# a number that depends on all floats of a result
TOTAL = """
def total(*args):
    found = [y for y in program(*args) if "float" in str(getattr(y, "dtype", "float"))]
    return sum([np.sum(0.5 * y * y) + np.sum(y) for y in found], start=0.0 * np.sum(args[0]))
"""
# what is called, by the arguments that are floats; `compiled` is a function of functions
MODES = {
    "values": "run = compiled(program)",
    "gradients": "run = compiled(value_and_grad(total, {places}))",
    "pulled": "run = value_and_grad(compiled(total), {places})",
    "forward": "run = compiled(lambda *args: jvp(total, args, args))",
    "second": "squares = lambda *args: sum([np.sum(g * g) + np.sum(g) for g in grad(total, {places})(*args)])\n"
    "run = compiled(grad(squares, {places}))",
}


@dataclass(frozen=True)
class Line:
    """Variables and the expression that they are; or a function of its own, which the expression calls."""

    names: tuple[str, ...]
    text: str
    body: tuple["Line", ...] = ()
    head: str = ""  # the function's: its name and parameters
    result: str = ""

    def uses(self) -> set[str]:
        """The variables from outside."""
        text = " ".join([self.text, self.head, self.result])
        return {*NAME.findall(text)}.union(*(line.uses() for line in self.body))

    def renamed(self, of: dict[str, str]) -> "Line":
        """With other variables in the place of some."""

        def other(text: str) -> str:
            return NAME.sub(lambda found: of.get(found[0], found[0]), text)

        body = tuple(line.renamed(of) for line in self.body)
        return replace(self, text=other(self.text), result=other(self.result), body=body)

    def source(self, step: str = "") -> list[str]:
        """As Python; `step` is a function of each number."""
        text = f"{step}({self.text})" if step and len(self.names) == 1 else self.text
        inner = [line for part in self.body for line in part.source(step)]
        function = [f"def {self.head}:", *(f"    {line}" for line in (*inner, f"return {self.result}"))]
        return [*(function if self.head else []), f"{', '.join(self.names)} = {text}"]


@dataclass(frozen=True)
class Program:
    """Inputs with their numbers for each call, lines, and outputs."""

    inputs: dict[str, tuple]
    lines: tuple[Line, ...]
    outputs: tuple[str, ...]
    mode: str = "values"
    as_large: bool = False  # whether memory is used again and loops are functions, as in large programs
    layouts: tuple[tuple[str, ...], ...] = field(default=((), ()))

    def source(self, step: str = "") -> str:
        """As a function of Python; `step` is a function of each number."""
        given = [f"{name} = {step}({name})" for name in self.inputs] if step else []
        lines = [*given, *(text for line in self.lines for text in line.source(step))]
        body = "\n    ".join([*lines, f"return [{', '.join(self.outputs)}]"])
        return f"def program({', '.join(self.inputs)}):\n    {body}\n"

    def module(self, step: str = "") -> str:
        """With the function `run`, which is differentiated and compiled as in this mode."""
        places = tuple(i for i, x in enumerate(self.inputs.values()) if x[0].dtype.kind == "f")
        return self.source(step) + TOTAL * (self.mode != "values") + MODES[self.mode].format(places=places)

    def function(self, step: str = "", compiled: Callable = lambda f: f, **scope: Any) -> Callable:
        """The function `run`."""
        scope = {**SCOPE, "rounded": rounded, "compiled": compiled, **scope}
        exec(self.module(step), scope)
        return scope["run"]

    def arguments(self, call: int) -> list:
        """Fresh arguments for a call."""
        return [LAYOUTS[layout](x[call].copy()) for x, layout in zip(self.inputs.values(), self._layouts(call))]

    def _layouts(self, call: int) -> list[str]:
        return [*self.layouts[call], *[""] * len(self.inputs)]

    def needed(self) -> "Program":
        """Without the lines and inputs that nothing depends on."""
        used, lines = {*self.outputs}, []
        for line in reversed(self.lines):
            if used.intersection(line.names):
                lines.append(line)
                used |= line.uses()
        inputs = {name: x for name, x in self.inputs.items() if name in used}
        return replace(self, inputs=inputs or dict([*self.inputs.items()][:1]), lines=tuple(lines[::-1]))

    def text(self) -> str:
        """All that is needed to run it again, eagerly and by each backend, from the root of the repository."""
        body = self.module()
        used = [name for name in TRANSFORMS if name == "jit" or re.search(rf"\b{name}\(", body)]
        lines = ["import numpy", "from numpy import array, inf, nan", "", "import autograd.numpy as np"]
        lines += [f"from autograd import Tensor, {', '.join(used)}"]
        lines += ["from autograd.scipy import special"] * ("special." in body)
        lines += ["from tests.fuzz.programs.text import LAYOUTS"] * any(map(any, self.layouts))
        lines += ["from autograd.compiler import llvm", "", "llvm.ON_THE_STACK = llvm.LONG = 0"] * self.as_large
        lines += ["", f"for compiled in (lambda f: f, {', '.join(f'jit(backend={name!r})' for name in BACKENDS)}):"]
        inner = [*body.splitlines(), "", *(f"print(*run({self._given(call)}))" for call in range(2))]
        return "\n".join([*lines, *(f"    {line}" if line else line for line in inner), ""])

    def _given(self, call: int) -> str:
        """The arguments of a call as text, floats as Tensors where values are asked for."""
        parts = []
        for x, layout in zip(self.inputs.values(), self._layouts(call)):
            text = f"array({x[call].tolist()}, '{x[call].dtype.str[1:]}').reshape({x[call].shape})"
            text = f"LAYOUTS[{layout!r}]({text})" if layout else text
            parts.append(f"Tensor({text})" if self.mode == "values" and x[call].dtype.kind == "f" else text)
        return ", ".join(parts)

    def is_single(self) -> bool:
        """Whether something in it is of float32."""
        return bool(re.search("f4|float32", self.source())) or any(x[0].dtype == "f4" for x in self.inputs.values())

    def uses(self, word: str) -> bool:
        """Whether a line calls this, functions' own lines among them."""
        return word in self.source()


# how an array is held
LAYOUTS: dict[str, Callable] = {
    "": lambda x: x,
    "columns": lambda x: x.T.copy().T,
    "reversed": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "strided": lambda x: numpy.repeat(x, 2, -1)[..., ::2] if x.ndim else x,
    "read-only": lambda x: numpy.frombuffer(x.tobytes(), x.dtype).reshape(x.shape) if x.size else x,
}


def looped(f: Callable, in_axes: tuple) -> Callable:
    """vmap by a loop."""

    def mapped(*args: Any) -> Any:
        rows = [x if axis is None else np.moveaxis(x, axis, 0) for x, axis in zip(args, in_axes)]
        count = max(len(x) for x, axis in zip(rows, in_axes) if axis is not None)
        parts = [[x if axis is None else x[k] for x, axis in zip(rows, in_axes)] for k in range(count)]
        return np.stack([f(*(x if isinstance(x, Node) else numpy.asarray(x) for x in part)) for part in parts])

    return mapped


def wrapped(x: numpy.ndarray) -> Any:
    """Floats as a Tensor, all else as it is."""
    return Tensor(x) if x.dtype.kind == "f" else x


NOISE = numpy.random.default_rng(0)


def rounded(x: Any) -> Any:
    """A step's result, off by a little; integers among floats are likely exact if they are not large, and stay."""
    if numpy.dtype(getattr(x, "dtype", object)).kind != "f":
        return x
    factor = (1 + EPSILON[x.dtype.str[1:]] * NOISE.uniform(-1, 1, x.shape)).astype(x.dtype)
    return np.where((np.floor(x) == x) & (np.abs(x) < 2.0**24), x, x * factor)
