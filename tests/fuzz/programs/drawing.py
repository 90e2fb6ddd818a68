"""Programs are drawn: line by line, each tried on examples, so that most of what is drawn runs."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor

from . import words
from .text import LAYOUTS, SCOPE, Line, Program, looped, wrapped
from .words import Retry, Words

LARGEST = 600  # elements of a variable
MODES = ["values", "values", "gradients", "gradients", "second", "pulled", "forward"]


def drawn(rng: random.Random, steps: int) -> Program:
    """A program of at most so many lines."""
    shapes, xs, inputs = words.family(rng), words.names("x"), {}
    for _ in range(rng.randint(1, 4)):
        shape, dtype = rng.choice(shapes), rng.choice(words.DTYPES)
        inputs[next(xs)] = tuple(words.numbers(rng, shape, dtype) for _ in range(2))
    if rng.random() < 0.1:
        inputs[next(xs)] = rng.choice([*inputs.values()])
    examples = {name: wrapped(x[0]) for name, x in inputs.items()}
    names, lines = words.names("v"), []
    for _ in range(steps):
        lines += _line(rng, examples, names, rng.random() < 0.12)
    outputs = [rng.choice([*examples][-8:]) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.1:
        outputs.append(rng.choice([*inputs]))
    program = Program(inputs, tuple(lines), tuple(outputs)).needed()
    kinds = {x[0].dtype.kind for x in program.inputs.values()}
    modes = MODES if kinds == {"f"} else MODES[:-1] if "f" in kinds else ["values"]
    layouts = tuple(tuple(rng.choice([*LAYOUTS]) for _ in program.inputs) for _ in range(2))
    return replace(program, mode=rng.choice(modes), as_large=rng.random() < 0.6, layouts=layouts)


def _line(rng: random.Random, examples: dict, names: Iterator[str], nested: bool) -> list[Line]:
    """A line whose result is tame; none if no such was found."""
    for _ in range(10):
        try:
            line = (_nested if nested else _plain)(rng, examples, names)
            found = _evaluated(line, examples)
        except Exception:  # it does not fit, or eager code refuses it
            continue
        if all(map(_is_tame, found.values())):
            examples.update(found)
            return [line]
    return []


def _plain(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    return Line((next(names),), Words(rng, examples).line())


def _evaluated(line: Line, examples: dict) -> dict[str, Any]:
    scope = {**SCOPE, "vmap": looped, **examples}
    with numpy.errstate(all="ignore"):
        exec("\n".join(line.source()), scope)
    return {name: scope[name] for name in line.names}


def _is_tame(x: Any) -> bool:
    """Whether it is a variable, no larger than it should be, and far from overflow, where the order of sums counts."""
    if words.kind(x) not in "fib":
        return False
    data = numpy.asarray(x.data if isinstance(x, Tensor) else x)
    if data.size > LARGEST or data.dtype.str[1:] not in words.DTYPES + ["b1"]:
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
        lines += _line(rng, found, map(lambda name: name.replace("v", "u"), names), rng.random() < 0.08)
    if not lines:
        raise Retry
    return lines, found


def needed(lines: list[Line], outputs: set[str]) -> tuple[Line, ...]:
    """The lines that outputs depend on."""
    return Program({"": ()}, tuple(lines), tuple(outputs)).needed().lines


def _mapped(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    """vmap over one or two variables."""
    drawing = Words(rng, examples)
    given = [drawing.pick("fib", lambda shape: len(shape) > 0 and 0 not in shape)]
    n = numpy.shape(examples[given[0]])[0]
    axes: list = [0]
    if rng.random() < 0.5:
        given.append(drawing.pick("fib", lambda shape: n in shape))
        axes.append(numpy.shape(examples[given[1]]).index(n))
    if rng.random() < 0.3:
        given.append(drawing.pick("fib"))
        axes.append(None)
    parameters = [next(names).replace("v", "u") for _ in given]
    rows = [examples[x] if axis is None else np.moveaxis(examples[x], axis, 0)[0] for x, axis in zip(given, axes)]
    lines, found = _inner(rng, examples, dict(zip(parameters, map(_array, rows))), names)
    result, name = lines[-1].names[0], next(names)
    head = f"f{name[1:]}({', '.join(parameters)})"
    call = f"vmap(f{name[1:]}, in_axes={tuple(axes)})({', '.join(given)})"
    return Line((name,), call, needed(lines, {result}), head, result)


def _array(x: Any) -> Any:
    return x if isinstance(x, Tensor) else numpy.asarray(x)


def _scanned(rng: random.Random, examples: dict, names: Iterator[str]) -> Line:
    """scan with a carry and one array of entries."""
    drawing = Words(rng, examples)
    carry, xs = drawing.pick("fib"), drawing.pick("fib", lambda shape: len(shape) > 0 and shape[0] > 0)
    a, b = (next(names).replace("v", "u") for _ in range(2))
    lines, found = _inner(rng, examples, {a: _array(examples[carry]), b: _array(examples[xs][0])}, names)
    kind = words.kind(examples[carry])
    fitting = [name for name, x in found.items() if name[0] == "u" and words.kind(x) == kind]
    one, y = rng.choice(fitting), rng.choice([name for name in found if name[0] == "u"])
    following = {"f": f"np.tanh({a} + np.sum({one}))", "i": f"{a} - np.max({one})", "b": f"{a} ^ np.any({one})"}[kind]
    if rng.random() < 0.3 and numpy.shape(found[one]) == numpy.shape(examples[carry]):
        following = one
    if kind != "b":
        following = f"({following}).astype('{numpy.dtype(examples[carry].dtype).str[1:]}')"
    last, ys = next(names), next(names)
    head, result = f"f{last[1:]}({a}, {b})", f"{following}, {y}"
    return Line((last, ys), f"scan(f{last[1:]}, {carry}, {xs})", needed(lines, {one, y}), head, result)
