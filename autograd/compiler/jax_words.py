"""The words of the table on JAX's arrays; most are NumPy's names there."""

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import on_arrays, words
from ..numpy import decompositions
from ..operation import Function
from .program import Program, Unprintable, Variable
from .python import NUMPYS


def _unless_zero(function: Callable) -> Callable:
    return lambda x, y: jnp.where(x == 0, 0, function(x, y))


def _quotient(function: Callable) -> Callable:
    """Of integers 0 where the divisor is, as NumPy has it."""

    def word(x: Any, y: Any) -> Any:
        if jnp.result_type(x, y).kind == "f":
            return function(x, y)
        return jnp.where(y == 0, 0, function(x, jnp.where(y == 0, 1, y)))

    return word


def _along(function: Callable) -> Callable:
    """A reduction to a number over all axes, to an array that keeps them over some."""
    return lambda x, axis: function(x, axis=axis, keepdims=axis is not None)


def _exp2(x: Any) -> Any:
    """By the whole part alone; XLA's is exp of a rounded product."""
    whole = jnp.rint(jnp.clip(x, -2000, 2000))
    return jnp.ldexp(jnp.exp(words.CONSTANTS["LN2"] * (x - whole)), whole.astype(np.int32))


def _halves(x: Any) -> tuple[Any, Any]:
    """exp(|x|) / 2, which overflows later than exp(|x|), and exp(-|x|) / 2; XLA subtracts log(2), which is rounded."""
    root = jnp.exp(0.5 * jnp.abs(x))
    return 0.5 * root * root, 0.5 * jnp.exp(-jnp.abs(x))


def _sinh(x: Any) -> Any:
    large, small = _halves(x)
    return jnp.where(jnp.abs(x) < 1, jnp.sinh(x), jnp.copysign(large - small, x))


def _arctanh(x: Any) -> Any:
    twice, size = 2 * jnp.abs(x), jnp.abs(x)
    inner = jnp.where(size < 0.5, twice + twice * size / (1 - size), twice / (1 - size))
    return jnp.copysign(0.5 * jnp.log1p(inner), x)


def _ties(x: Any, extreme: Any, axis: Any) -> Any:
    equal = (x == extreme) | (x != x)
    return equal / equal.sum(axis, float, keepdims=True)


def _matmul(x: Any, y: Any) -> Any:
    """With all digits of its dtype, unless the user asks JAX for fewer (jax_default_matmul_precision)."""
    return jnp.matmul(x, y, precision=jax.config.jax_default_matmul_precision or "highest")


def _sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    lead = x.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1]
    return x.sum((*range(lead), *stretched)).reshape(shape)


def _cast(x: Any, dtype: Any) -> Any:
    """XLA takes a mask times a constant for a choice between it and 0, which infinity is not: so the mask is one."""
    x, dtype = jnp.asarray(x), np.dtype(dtype)
    return jnp.where(x, *np.array([1, 0], dtype)) if x.dtype == bool and dtype.kind == "f" else x.astype(dtype)


def _index(index: Any) -> Any:
    """JAX takes no lists in an index."""
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    return np.asarray(index) if isinstance(index, list) else index


def _sorted_as(x: Any, y: Any, axis: int) -> Any:
    return jnp.take_along_axis(x, jnp.argsort(y, axis, stable=True), axis)


def _unsorted_as(x: Any, y: Any, axis: int) -> Any:
    return jnp.take_along_axis(x, jnp.argsort(jnp.argsort(y, axis, stable=True), axis), axis)


def _bounded(wrong: list, i: Any, n: int) -> Any:
    """XLA raises nothing: that a place is outside is told as 1 + n."""
    place = i.astype(int)
    outside = (place != i) | (place < -n) | (place >= n)
    wrong.append(jnp.where(outside.any(), n + 1, 0))
    return jnp.where(place < 0, place + n, place)


def _scan(wrong: list, *args: Any) -> Any:
    """A row for each entry, as scanning.Body.loop makes it."""
    *arrays, body = args
    count = len(body.carry)
    entries, fixed = arrays[count : count + len(body.moving)], arrays[count + len(body.moving) :]

    def step(carry: list, entry: list) -> tuple[list, tuple]:
        inner: list = []
        made = computed(body.program, [*carry, *entry, *fixed], inner)
        carried = [x.astype(node.dtype) for x, node in zip(made, body.carry)]  # of masks the sweep makes floats, zeros
        return carried, (jnp.concatenate([x.ravel().astype(body.dtype) for x in made]), inner)

    first = [jnp.asarray(x, node.dtype) for x, node in zip(arrays, body.carry)]
    _, (rows, found) = jax.lax.scan(step, first, entries, length=body.length)
    wrong += [x.max() for x in found]
    return rows


def _on_jax(function: Any, **names: Any) -> Callable:
    """A function on arrays with JAX's names in place of NumPy's, and so those that it is made of."""
    scope = {**function.__globals__, "np": jnp, **names}
    for name in function.__code__.co_names:
        if name.startswith("_") and isinstance(scope.get(name), types.FunctionType):
            scope[name] = _on_jax(scope[name], **names)
    return types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__)


WORDS: dict[str, Callable] = {
    **{
        name: getattr(jnp, NUMPYS.get(name, name))
        for name in """add sub mul truediv pow neg copysign exp expm1 log log1p log2 log10 sqrt cbrt
        sin cos tan arcsin arccos arctan arctan2 tanh arcsinh arccosh abs sign hypot logaddexp floor
        ceil rint maximum minimum where greater less equal greater_equal less_equal not_equal cumsum flip searchsorted
        bitwise_and bitwise_or bitwise_xor invert left_shift right_shift reshape transpose swapaxes""".split()
    },
    **{name: getattr(jnp.linalg, name) for name in "solve inv det".split()},
    **{name: _along(getattr(jnp, name)) for name in "sum max min".split()},
    **{name: _on_jax(inspect.unwrap(getattr(on_arrays, name))) for name in "sigmoid bell cofactor minors".split()},
    **{name: _quotient(getattr(jnp, NUMPYS[name])) for name in ("mod", "floordiv")},
    "exp2": _exp2,
    "sinh": _sinh,
    "cosh": lambda x: sum(_halves(x)),
    "arctanh": _arctanh,
    "wins": lambda x, y: jnp.where(x > y, 1.0, jnp.where(x < y, 0.0, 0.5)),
    "scaled": _unless_zero(jnp.multiply),
    "ratio": _unless_zero(jnp.true_divide),
    "softplus": lambda x: jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x))),
    "mean": _along(lambda x, **along: jnp.mean(x, dtype=None if x.dtype.kind == "f" else float, **along)),
    "top": _along(functools.partial(jnp.max, initial=-np.inf)),
    "ties": _ties,
    "matmul": _matmul,
    "expand": jnp.broadcast_to,
    "sum_to": _sum_to,
    "getitem": lambda x, index: x[_index(index)],
    "scatter": lambda x, index, shape: jnp.zeros(shape, x.dtype).at[_index(index)].add(x),
    "sorted_as": _sorted_as,
    "unsorted_as": _unsorted_as,
    "argmax": lambda x, axis: jnp.argmax(x, axis, keepdims=True),
    "argsort": lambda x, axis, kind: jnp.argsort(x, axis, stable=True),
    "concatenate": lambda x, y, axis: jnp.concatenate((x, y), axis),
    "gather": lambda x, i: x.at[i].get(mode="clip"),
    "scatter_add": lambda x, i, shape: jnp.zeros(shape, x.dtype).at[i].add(x),
    "cast": _cast,
    "cholesky": lambda x: jnp.linalg.cholesky(x, symmetrize_input=True),
    "detsign": lambda x: jnp.linalg.slogdet(x)[0],
    "logdet": lambda x: jnp.linalg.slogdet(x)[1],
    "bounded": _bounded,
    "scan": _scan,
}
OF_SCIPY = {"polygamma": lambda n, x: jax.scipy.special.polygamma(jnp.asarray(n).astype(int), x)}
WATCHED = {_bounded, _scan}  # these tell what was wrong
PROMOTED = {"where", "matmul", "concatenate", *(word for word, f in words.ARRAYS.items() if isinstance(f, np.ufunc))}
QUOTIENTS, SUMS = {"truediv", "ratio"}, {"add", "sub"}
DECOMPOSITIONS = {getattr(decompositions, name).value.word for name in "eigh svd qr complement pinv".split()}


@functools.cache
def meaning(word: Any) -> Callable:
    """A word on JAX's arrays; Unprintable for a function of NumPy's that has none."""
    found = WORDS.get(word)
    if isinstance(word, Function):
        found = WORDS.get(word.name) if word.printable else None
        if word in DECOMPOSITIONS:
            found = _on_jax(inspect.unwrap(word.function))
        elif word.elementwise:
            found = _of_scipy(word.name)
    if found is None:
        raise Unprintable(f"{getattr(word, 'name', word)} is a function of NumPy's or SciPy's that JAX has not")
    return found


def _of_scipy(name: str) -> Callable | None:
    from ..scipy import special

    inner = special.INNER.get(name)
    names = {"_scipy": jax.scipy.special}
    return _on_jax(inner, **names) if inner else OF_SCIPY.get(name) or getattr(jax.scipy.special, name, None)


def _rewritten(v: Variable, arg: Variable) -> bool:
    """Whether XLA would make x / (y * z) of x / y / z, where the product may overflow, or x of x - 1 + 1."""
    constant = [any(x.value is not None for x in each.args) for each in (v, arg)]
    return {v.word, arg.word} <= QUOTIENTS or {v.word, arg.word} <= SUMS and all(constant)


def _arguments(v: Variable, of: dict) -> list:
    """The arguments of a step, in the dtype that NumPy computes in: JAX takes float32 for integers beside float32."""
    plain = [type(x.value) in (int, float, bool) for x in v.args]
    args = [x.value if is_plain else of.get(x, x.value) for x, is_plain in zip(v.args, plain)]
    args = [jax.lax.optimization_barrier(x) if _rewritten(v, arg) else x for arg, x in zip(v.args, args)]
    given = [x.value if is_plain else x.dtype for x, is_plain in zip(v.args, plain)]
    skipped = v.word == "where"
    within = np.result_type(*given[skipped:]) if v.word in PROMOTED else None
    if within and within.kind == "i" and any(type(x) is int and abs(x) >= 2**31 for x in given):
        within = np.dtype(np.int64)
    return [
        x if is_plain else _cast(x, within) if within and i >= skipped else jnp.asarray(x)
        for i, (x, is_plain) in enumerate(zip(args, plain))
    ]


def computed(program: Program, inputs: Sequence, wrong: list) -> list:
    """The outputs for these inputs; for each test of an index `wrong` gets 0, or 1 + the length that it is outside."""
    of = {v: jnp.asarray(x, v.dtype) for v, x in zip(program.inputs, inputs)}
    for v in program.steps:
        function = meaning(v.word)
        args = [wrong] * (function in WATCHED) + _arguments(v, of)
        of[v] = _cast(function(*args, *v.static), v.dtype)
    return [of[x] if x in of else jnp.asarray(x.value, x.dtype) for x in program.outputs]
