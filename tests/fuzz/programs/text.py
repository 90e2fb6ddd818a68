"""A program as text: lines, what they need, and the function that they are."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor, grad, jit, jvp, scan, value_and_grad, vmap

NAME = re.compile(r"\b[xvu]\d+\b")
SCOPE = {"np": np, "grad": grad, "jit": jit, "jvp": jvp, "scan": scan, "vmap": vmap}  # what lines call
EPSILON = {"f8": 1e-11, "f4": 2e-5}  # what each step is off by where errors are estimated


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
        """As a function of Python."""
        given = [f"{name} = {step}({name})" for name in self.inputs] if step else []
        lines = [*given, *(text for line in self.lines for text in line.source(step))]
        body = "\n    ".join([*lines, f"return [{', '.join(self.outputs)}]"])
        return f"def program({', '.join(self.inputs)}):\n    {body}\n"

    def function(self, step: str = "", compiled: Callable = lambda f: f, **scope: Any) -> Callable:
        """The function itself, as it is differentiated and compiled in this mode."""
        scope = {**SCOPE, "rounded": rounded, **scope}
        exec(self.source(step), scope)
        places = tuple(i for i, x in enumerate(self.inputs.values()) if x[0].dtype.kind == "f")
        if self.mode == "pulled":
            return value_and_grad(compiled(scalar(scope["program"])), places)
        return compiled(MODES[self.mode](scope["program"], places))

    def arguments(self, call: int) -> list:
        """Fresh arguments for a call."""
        layouts = [*self.layouts[call], *[""] * len(self.inputs)]
        return [LAYOUTS[layout](x[call].copy()) for x, layout in zip(self.inputs.values(), layouts)]

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
        """All that is needed to run it again."""
        calls = [
            f"#   {name} = numpy.array({x.tolist()}, '{x.dtype.str[1:]}').reshape({x.shape}) {layout}"
            for call, layouts in enumerate(self.layouts)
            for name, x, layout in zip(self.inputs, self.arguments(call), [*layouts, *[""] * len(self.inputs)])
        ]
        return "\n".join([self.source(), f"# {self.mode}{', as if large' * self.as_large}, of", *calls, ""])

    def is_single(self) -> bool:
        """Whether something in it is of float32."""
        return "f4" in self.source() or any(x[0].dtype == "f4" for x in self.inputs.values())

    def uses(self, word: str) -> bool:
        """Whether a line calls this."""
        return any(word in line.text for line in self.lines)


def scalar(function: Callable) -> Callable:
    """A number that depends on all floats of a result."""

    def total(*args: Any) -> Any:
        found = [y for y in function(*args) if numpy.dtype(y.dtype).kind == "f"]
        return sum([np.sum(0.5 * y * y) + np.sum(y) for y in found], start=0.0 * np.sum(args[0]))

    return total


def gradients(function: Callable, places: tuple) -> Callable:
    """That number and its gradients."""
    return value_and_grad(scalar(function), places)


def second(function: Callable, places: tuple) -> Callable:
    """Gradients of a number made of gradients."""
    first = grad(scalar(function), places)
    return grad(lambda *args: sum([np.sum(g * g) + np.sum(g) for g in first(*args)]), places)


MODES: dict[str, Callable] = {"values": lambda f, places: f, "gradients": gradients, "second": second}
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
        return np.stack([f(*(x if isinstance(x, Tensor) else numpy.asarray(x) for x in part)) for part in parts])

    return mapped


def wrapped(x: numpy.ndarray) -> Any:
    """Floats as a Tensor, all else as it is."""
    return Tensor(x) if x.dtype.kind == "f" else x


NOISE = numpy.random.default_rng(0)


def rounded(x: Any) -> Any:
    """A step's result, off by a little; integers among floats are likely exact, and stay."""
    if numpy.dtype(getattr(x, "dtype", object)).kind != "f":
        return x
    factor = (1 + EPSILON[x.dtype.str[1:]] * NOISE.uniform(-1, 1, x.shape)).astype(x.dtype)
    return np.where(np.floor(x) == x, x, x * factor)
