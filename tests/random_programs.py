"""Random programs of mixed words: eager code, Python and machine code come to the same.

    python -m tests.random_programs --seconds 60 --seed 0

prints the smallest failing programs that it finds, as Python, and how many programs ran. Each runs twice, on other
numbers that are held in other ways. How far a result may be off is found by eager code whose every step is off by a
little: what that changes much, or chaotically, is not compared.
"""

import argparse
import faulthandler
import itertools
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor, grad, jit, scan, value_and_grad, vmap
from autograd.failing import TracingError
from autograd.tree import flatten

from . import random_words
from .random_words import Retry, Words

BACKENDS = ("python", "llvm")
NAME = re.compile(r"\b[xvu]\d+\b")
LARGEST = 600  # elements of a variable
CANNOT = "printed|defined by Python functions|for array\\[i\\] write|no median|convolve: of two"  # documented refusals
EPSILON = {"f8": 1e-11, "f4": 2e-5}  # what each step is off by, in the estimate of errors
ABSOLUTE = {"values": 1, "gradients": 100, "pulled": 100, "second": 10_000}  # derivatives may be of what cancels


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
    layouts: tuple[tuple[str, ...], ...] = field(default=((), ()))

    def source(self, step: str = "") -> str:
        """As a function of Python."""
        given = [f"{name} = {step}({name})" for name in self.inputs] if step else []
        lines = [*given, *(text for line in self.lines for text in line.source(step))]
        body = "\n    ".join([*lines, f"return [{', '.join(self.outputs)}]"])
        return f"def program({', '.join(self.inputs)}):\n    {body}\n"

    def function(self, step: str = "", compiled: Callable = lambda f: f, **scope: Any) -> Callable:
        """The function itself, as it is differentiated and compiled in this mode."""
        scope = {"np": np, "numpy": numpy, "grad": grad, "vmap": vmap, "scan": scan, "rounded": rounded, **scope}
        exec(self.source(step), scope)
        places = tuple(i for i, x in enumerate(self.inputs.values()) if x[0].dtype.kind == "f")
        if self.mode == "pulled":
            return value_and_grad(compiled(scalar(scope["program"])), places)
        return compiled(MODES[self.mode](scope["program"], places))

    def arguments(self, call: int) -> list:
        """Fresh arguments for a call."""
        layouts = [*self.layouts[call], *[""] * len(self.inputs)]
        found = [LAYOUTS[layout](x[call].copy()) for x, layout in zip(self.inputs.values(), layouts)]
        return found

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
        return "\n".join([self.source(), f"# {self.mode}, of", *calls, ""])

    def is_single(self) -> bool:
        """Whether something in it is of float32."""
        return "f4" in self.source() or any(x[0].dtype == "f4" for x in self.inputs.values())


def scalar(function: Callable) -> Callable:
    """A number that depends on all floats of a result."""

    def total(*args: Any) -> Any:
        found = [y for y in function(*args) if numpy.dtype(y.dtype).kind == "f"]
        return sum([np.sum(0.5 * y * y) + np.sum(y) for y in found], start=0.0 * np.sum(args[0]))

    return total


def gradients(function: Callable, places: tuple) -> Callable:
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


NOISE = numpy.random.default_rng(0)


def rounded(x: Any) -> Any:
    """A step's result, off by a little; integers among floats are likely exact, and stay."""
    if numpy.dtype(getattr(x, "dtype", object)).kind != "f" or not numpy.shape(getattr(x, "example", x.data)):
        shape = ()
    else:
        shape = x.shape
    if numpy.dtype(getattr(x, "dtype", object)).kind != "f":
        return x
    factor = (1 + EPSILON[x.dtype.str[1:]] * NOISE.uniform(-1, 1, shape)).astype(x.dtype)
    return np.where(np.floor(x) == x, x, x * factor)


# ---- drawing a program


def drawn(rng: random.Random, steps: int) -> Program:
    """A program of at most so many lines."""
    shapes, xs, inputs = random_words.family(rng), random_words.names("x"), {}
    for _ in range(rng.randint(1, 4)):
        shape, dtype = rng.choice(shapes), rng.choice(random_words.DTYPES)
        inputs[next(xs)] = tuple(random_words.numbers(rng, shape, dtype) for _ in range(2))
    if rng.random() < 0.1:
        inputs[next(xs)] = rng.choice([*inputs.values()])
    examples = {name: wrapped(x[0]) for name, x in inputs.items()}
    names, lines = random_words.names("v"), []
    for _ in range(steps):
        lines += _line(rng, examples, names, rng.random() < 0.12)
    outputs = [rng.choice([*examples][-8:]) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.1:
        outputs.append(rng.choice([*inputs]))
    mode = rng.choice(["values", "values", "gradients", "gradients", "second", "pulled"])
    mode = mode if any(x[0].dtype.kind == "f" for x in inputs.values()) else "values"
    layouts = tuple(tuple(rng.choice([*LAYOUTS]) for _ in inputs) for _ in range(2))
    return Program(inputs, tuple(lines), tuple(outputs), mode, layouts).needed()


def wrapped(x: numpy.ndarray) -> Any:
    return Tensor(x) if x.dtype.kind == "f" else x


def _line(rng: random.Random, examples: dict, names: Iterator[str], nested: bool) -> list[Line]:
    """A line whose result is tame; none if no such was found."""
    for _ in range(10):
        try:
            line = (_nested if nested else _plain)(rng, examples, names)
            found = _evaluated(line, examples)
        except (
            Retry,
            ValueError,
            TypeError,
            IndexError,
            AttributeError,
            TracingError,
            ZeroDivisionError,
            KeyError,
            OverflowError,
        ):
            continue
        if all(map(_is_tame, found.values())):
            examples.update(found)
            return [line]
    return []


def _plain(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    return Line((next(names),), Words(rng, examples).line())


def _evaluated(line: Line, examples: dict) -> dict[str, Any]:
    scope = {"np": np, "numpy": numpy, "grad": grad, "vmap": looped, "scan": scan, **examples}
    with numpy.errstate(all="ignore"):
        exec("\n".join(line.source()), scope)
    return {name: scope[name] for name in line.names}


def _is_tame(x: Any) -> bool:
    """Whether it is a variable, no larger than it should be, and far from overflow, where the order of sums counts."""
    data = numpy.asarray(x.data if isinstance(x, Tensor) else x)
    if (
        random_words.kind(x) not in "fib"
        or data.size > LARGEST
        or data.dtype.str[1:] not in random_words.DTYPES + ["b1"]
    ):
        return False
    if data.dtype.kind != "f":
        return True
    sizes = abs(data[numpy.isfinite(data) & (data != 0)])
    most = 1e12 if data.dtype == "f4" else 1e60
    return not sizes.size or bool(sizes.max() < most and sizes.min() > 1 / most)


def _nested(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    return rng.choice([_mapped, _scanned])(rng, examples, names)


def _inner(rng: random.Random, examples: dict, inner: dict, names: Iterator[str]) -> tuple[list[Line], dict]:
    """A few lines over the parameters of a function, and some of what is outside."""
    outside = dict(rng.sample([*examples.items()], min(2, len(examples)))) if rng.random() < 0.5 else {}
    found, lines = {**outside, **inner}, []
    for _ in range(rng.randint(1, 4)):
        lines += _line(rng, found, map(lambda name: name.replace("v", "u"), names), False)
    if not lines:
        raise Retry
    return lines, found


def _needed(lines: list[Line], outputs: set[str]) -> tuple[Line, ...]:
    return Program({"": ()}, tuple(lines), tuple(outputs)).needed().lines


def _mapped(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    """vmap over one or two variables."""
    words = Words(rng, examples)
    given = [words.pick("fib", lambda shape: len(shape) > 0 and 0 not in shape)]
    n = numpy.shape(examples[given[0]])[0]
    axes: list = [0]
    if rng.random() < 0.5:
        given.append(words.pick("fib", lambda shape: n in shape))
        axes.append(numpy.shape(examples[given[1]]).index(n))
    if rng.random() < 0.3:
        given.append(words.pick("fib"))
        axes.append(None)
    parameters = [next(names).replace("v", "u") for _ in given]
    rows = [examples[x] if axis is None else np.moveaxis(examples[x], axis, 0)[0] for x, axis in zip(given, axes)]
    lines, found = _inner(rng, examples, dict(zip(parameters, map(_array, rows))), names)
    result, name = lines[-1].names[0], next(names)
    head = f"f{name[1:]}({', '.join(parameters)})"
    call = f"vmap(f{name[1:]}, in_axes={tuple(axes)})({', '.join(given)})"
    return Line((name,), call, _needed(lines, {result}), head, result)


def _array(x: Any) -> Any:
    return x if isinstance(x, Tensor) else numpy.asarray(x)


def _scanned(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    """scan with a carry and one array of entries."""
    words = Words(rng, examples)
    carry, xs = words.pick("fib"), words.pick("fib", lambda shape: len(shape) > 0 and shape[0] > 0)
    a, b = (next(names).replace("v", "u") for _ in range(2))
    lines, found = _inner(rng, examples, {a: _array(examples[carry]), b: _array(examples[xs][0])}, names)
    kind = random_words.kind(examples[carry])
    fitting = [name for name, x in found.items() if name[0] == "u" and random_words.kind(x) == kind]
    one, y = rng.choice(fitting), rng.choice([name for name in found if name[0] == "u"])
    following = {"f": f"np.tanh({a} + np.sum({one}))", "i": f"{a} - np.max({one})", "b": f"{a} ^ np.any({one})"}[kind]
    if rng.random() < 0.3 and numpy.shape(found[one]) == numpy.shape(examples[carry]):
        following = one
    if kind != "b":
        following = f"({following}).astype('{numpy.dtype(examples[carry].dtype).str[1:]}')"
    last, ys = next(names), next(names)
    head, result = f"f{last[1:]}({a}, {b})", f"{following}, {y}"
    return Line((last, ys), f"scan(f{last[1:]}, {carry}, {xs})", _needed(lines, {one, y}), head, result)


# ---- comparing


class Discarded(Exception):
    """A program that eager code does not run, or whose results say nothing."""


def difference(program: Program) -> str | None:
    """How the programs of the backends differ from eager code; None if they do not."""
    eager, off = program.function(vmap=looped), program.function("rounded", vmap=looped)
    others = {backend: program.function(compiled=jit(backend=backend)) for backend in BACKENDS}
    if any("vmap" in line.text for line in program.lines):
        batched = program.function()
        others["eager vmap"] = lambda *args: batched(*map(wrapped, args))
    with numpy.errstate(all="ignore"):
        expected = [_expected(eager, off, program, call) for call in range(2)]
        for name, function in [*others.items()]:
            said = _compared(name, function, program, expected)
            if said:
                return said
    return None


def _numbers(tree: Any) -> list[numpy.ndarray]:
    return [numpy.array(x.data if isinstance(x, Tensor) else x) for x in flatten(tree)]


def _expected(eager: Callable, off: Callable, program: Program, call: int) -> list[tuple]:
    """The results of eager code, each with how far it may be off; None where nothing can be said."""
    args = program.arguments(call)
    looped = any("scan" in line.text for line in program.lines) and program.mode != "values"
    if looped and not all(numpy.isfinite(x).all() for x in args):
        raise Discarded("a loop passes gradients of 0 on, also where products of matrices make NaN of them")
    try:
        found = _numbers(eager(*map(wrapped, args)) if program.mode == "values" else eager(*args))
        near = [_numbers(off(*(map(wrapped, args) if program.mode == "values" else args))) for _ in range(3)]
    except Exception as error:
        raise Discarded(str(error)) from error
    off_by = 1e-4 if program.is_single() else 1e-9
    return [(x, _tolerance(x, versions, off_by, ABSOLUTE[program.mode])) for x, versions in zip(found, zip(*near))]


def _tolerance(x: numpy.ndarray, versions: tuple, relative: float, factor: float) -> numpy.ndarray:
    """By the differences of some versions; NaN where they are no measure."""
    if x.dtype.kind != "f":
        return numpy.where(numpy.all([x == y for y in versions], axis=0), 0.0, numpy.nan)
    spread = numpy.max([abs(x - y) for y in versions], axis=0, initial=0)
    alike = numpy.all([numpy.isnan(x) == numpy.isnan(y) for y in versions], axis=0)
    alike &= numpy.all([(abs(x) == numpy.inf) == (abs(y) == numpy.inf) for y in versions], axis=0)
    usual = relative * abs(x) + relative * factor / 100
    known = alike & (numpy.isfinite(spread) | ~numpy.isfinite(x)) & ~((spread > 0.01 * abs(x)) & (spread > 1e-8))
    return numpy.where(known, numpy.where(numpy.isfinite(x), 10 * spread + usual, 0), numpy.nan)


def _compared(name: str, function: Callable, program: Program, expected: list) -> str | None:
    before = None
    for call, theirs in enumerate(expected):
        args = program.arguments(call)
        kept = [x.copy() for x in args]
        try:
            results = [x.data if isinstance(x, Tensor) else x for x in flatten(function(*args))]
        except Exception as error:
            if re.search(CANNOT, str(error)) and isinstance(error, (TypeError, ValueError, TracingError)):
                return None
            return f"{name}: {type(error).__name__}: {error}"
        if any(a.tobytes() != b.tobytes() for a, b in zip(args, kept)):
            return f"{name}: an argument was changed"
        if before and any(x.tobytes() != y for x, y in zip(*before)):
            return f"{name}: a result was changed by the next call"
        held = [x for x in results if isinstance(x, numpy.ndarray)]
        if name in BACKENDS and any(numpy.shares_memory(x, y) for x in held for y in args):
            return f"{name}: a result is an argument"
        before = held, [x.tobytes() for x in held]
        for i, (ours, (x, tolerance)) in enumerate(zip(results, theirs, strict=True)):
            said = _unlike(numpy.asarray(ours), x, tolerance)
            if said:
                return f"{name}: call {call}, result {i}: {said}"
    return None


def _unlike(ours: numpy.ndarray, theirs: numpy.ndarray, tolerance: numpy.ndarray) -> str | None:
    if ours.dtype != theirs.dtype:
        return f"dtype {ours.dtype}, not {theirs.dtype}"
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, not {theirs.shape}"
    if ours.dtype.kind != "f":
        wrong = (ours != theirs) & ~numpy.isnan(tolerance)
    else:
        same = (ours == theirs) | (abs(ours - theirs) <= tolerance) | numpy.isnan(ours) & numpy.isnan(theirs)
        wrong = ~same & ~numpy.isnan(tolerance)
    return f"value\n{ours}\nnot\n{theirs}" if wrong.any() else None


def sort_of(said: str | None) -> str:
    """What kind of failure it is, so that shrinking keeps to one."""
    return re.sub(r"call.*result \d+|\d+", "", (said or "").split("\n")[0])


# ---- shrinking


def smallest(program: Program, said: str, most: float) -> tuple[Program, str]:
    """The smallest program, reached by dropping things, that fails in the same way; for at most so many seconds."""
    sort, end, again = sort_of(said), time.monotonic() + most, True
    while again:
        again = False
        for smaller in _smaller(program):
            if time.monotonic() > end:
                return program, said
            found = _failure(smaller)
            if found and sort_of(found) == sort:
                program, said, again = smaller, found, True
                break
    return program, said


def _failure(program: Program) -> str | None:
    try:
        return difference(program)
    except (Discarded, NameError, SyntaxError):
        return None


def _smaller(program: Program) -> Iterator[Program]:
    for output in program.outputs if len(program.outputs) > 1 else ():
        yield replace(program, outputs=(output,)).needed()
    if program.mode != "values":
        yield replace(program, mode="values")
    for output in dict.fromkeys(program.outputs):
        for line in program.lines:
            if output not in line.names:
                rest = tuple(line.names[0] if x == output else x for x in program.outputs)
                yield replace(program, outputs=rest).needed() if len(rest) == 1 else program
    yield from _with_inputs(program)
    yield from _renamed(program)
    for i, of in enumerate(program.layouts):
        if any(of):
            yield replace(program, layouts=tuple(() if k == i else x for k, x in enumerate(program.layouts)))


def _with_inputs(program: Program) -> Iterator[Program]:
    """With an input in the place of what is computed."""
    for i, line in reversed([*enumerate(program.lines)]):
        for name in line.names:
            shown = replace(program, outputs=(name,), mode="values")
            try:
                with numpy.errstate(all="ignore"):
                    eager = shown.function(vmap=looped)
                    found = tuple(_numbers(eager(*map(wrapped, program.arguments(call))))[0] for call in range(2))
            except Exception:
                continue
            following = tuple(each.renamed({name: f"x9{i}"}) for each in program.lines)
            outputs = tuple(f"x9{i}" if x == name else x for x in program.outputs)
            inputs = {**program.inputs, f"x9{i}": found}
            yield replace(program, inputs=inputs, lines=following, outputs=outputs).needed()


def _renamed(program: Program) -> Iterator[Program]:
    """With an earlier variable in the place of another."""
    names = [*program.inputs, *(name for line in program.lines for part in (*line.body, line) for name in part.names)]
    for late, early in itertools.product(names[::-1], names):
        if names.index(early) < names.index(late):
            lines = []
            for line in program.lines:
                body = (
                    _needed([*(x.renamed({late: early}) for x in line.body)], {*NAME.findall(line.result)})
                    if line.body
                    else ()
                )
                lines.append(replace(line.renamed({late: early}), body=body))
            outputs = tuple(early if x == late else x for x in program.outputs)
            smaller = replace(program, lines=tuple(lines), outputs=outputs).needed()
            if len(smaller.source()) < len(program.source()):
                yield smaller


# ---- running


def run(
    seed: int, seconds: float, first: int = 0, most: int = 10**9, shrink: float = 30, steps: int = 12
) -> tuple[int, int, list[str]]:
    """How many programs ran, how many were discarded, and the failures."""
    ran, discarded, failures, end = 0, 0, {}, time.monotonic() + seconds
    for number in range(first, first + most):
        if time.monotonic() > end:
            break
        rng = random.Random(f"{seed} {number}")
        program = drawn(rng, rng.randint(1, steps))
        try:
            said = difference(program)
            ran += 1
        except Discarded:
            discarded += 1
            continue
        if said and sort_of(said) not in failures:
            program, said = smallest(program, said, shrink)
            failures[sort_of(said)] = f"# program {number} of seed {seed}\n{program.text()}# {said}\n"
            print(failures[sort_of(said)], flush=True)
    return ran, discarded, [*failures.values()]


if __name__ == "__main__":
    faulthandler.enable()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=10**9)
    given = parser.parse_args()
    ran, discarded, failures = run(given.seed, given.seconds, given.first, given.most, steps=given.steps)
    print(f"{ran} programs ran, {discarded} were discarded, {len(failures)} kinds of failures")
    sys.exit(bool(failures))
