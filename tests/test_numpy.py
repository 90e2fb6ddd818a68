"""autograd.numpy: every name against NumPy's value, its derivatives against differences, and what raises."""

import subprocess
import sys

import numpy
import pytest

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, jit, jvp, vjp
from autograd.numpy import CONSTANT as PLAIN
from autograd.numpy import ROWS
from autograd.tree import flatten, unflatten

from . import array_calls, number_calls

RECORDED = {name: getattr(anp, name) for name in anp.__all__ if name not in (*PLAIN, "linalg")}
RNG = numpy.random.default_rng(0)
V, W = RNG.uniform(0.3, 0.9, 4), RNG.uniform(1.1, 1.9, 4)
M, N = RNG.uniform(0.3, 0.9, (3, 4)), RNG.uniform(1.1, 1.9, (4, 2))
A, S = RNG.uniform(0.3, 0.9, (2, 3, 4)), RNG.uniform(-1, 1, (2, 3, 3)) + 3 * numpy.eye(3)
MASK = M > 0.5

# name: calls, each a function of (np, arrays...) and the arrays
CALLS = {
    **{
        name: [(lambda np, x, name=name: getattr(np, name)(x), M)]
        for name in """
        exp expm1 exp2 log log1p log2 log10 sqrt cbrt square sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh
        arctanh abs
        absolute negative sign floor ceil rint reciprocal sinc ravel squeeze atleast_1d atleast_2d atleast_3d flip
        fliplr flipud
        trace tril triu transpose rot90 diag diagonal sum mean max min prod var std cumsum cumprod sort diff
        round""".split()
    },
    **{
        name: [(lambda np, x, y, name=name: getattr(np, name)(x, y), M, W)]
        for name in """
        add subtract multiply divide power maximum minimum arctan2 hypot logaddexp outer inner""".split()
    },
    "arccosh": [(lambda np, x: np.arccosh(x), W)],
    "clip": [
        (lambda np, x: np.clip(x, 0.45, 0.7), M),
        (lambda np, x, y: np.clip(x, None, y), M, 0.5 * W),
        *[(lambda np, x: np.clip(x, min=0.5), M)] * array_calls.RECENT,
    ],
    "where": [(lambda np, x, y: np.where(MASK, x, y), M, W)],
    "reshape": [
        (lambda np, x: np.reshape(x, (2, -1)), M),
        (lambda np, x: np.reshape(x, 12), M),
        *[(lambda np, x: np.reshape(x, shape=(4, 3)), M)] * array_calls.RECENT,
    ],
    "swapaxes": [(lambda np, x: np.swapaxes(x, 0, -1), A)],
    "full_like": [(lambda np, x: np.full_like(M, x[0, 0]), M), (lambda np, x: np.full_like(W, x, shape=(2, 3, 4)), M)],
    "moveaxis": [(lambda np, x: np.moveaxis(x, 0, -1), A), (lambda np, x: np.moveaxis(x, [0, 1], [2, 0]), A)],
    "expand_dims": [(lambda np, x: np.expand_dims(x, (0, -1)), M)],
    "broadcast_to": [(lambda np, x: np.broadcast_to(x, (3, 4)), V)],
    "take": [(lambda np, x: np.take(x, [0, 0, 2], axis=1), M), (lambda np, x: np.take(x, 3), M)],
    "take_along_axis": [(lambda np, x: np.take_along_axis(x, numpy.argsort(M, 1), 1), M)],
    "delete": [(lambda np, x: np.delete(x, [0, 2], 1), M)],
    "repeat": [(lambda np, x: np.repeat(x, [1, 0, 2], axis=0), M)],
    "tile": [(lambda np, x: np.tile(x, (2, 1)), M)],
    "roll": [(lambda np, x: np.roll(x, 2, axis=1), M)],
    "pad": [
        (lambda np, x, mode=mode: np.pad(x, ((1, 2), (0, 1)), mode), M)
        for mode in ("constant", "edge", "reflect", "wrap", "symmetric")
    ]
    + [(lambda np, x: np.pad(x, 1, constant_values=7.0), M)],
    "split": [(lambda np, x: np.split(x, 2, 1), M), (lambda np, x: np.split(x, [1, 1, 5]), M)],
    "array_split": [(lambda np, x: np.array_split(x, 3, axis=-1), M)],
    "array": [(lambda np, x: np.array([[x[0], x[1]], [x[2], 1.0]]), V), (lambda np, x: np.array(x, "f8"), V)],
    "asarray": [(lambda np, x: np.asarray([x, 2 * x], dtype=float) * np.asarray(x), V)],
    "concatenate": [
        (lambda np, x, y: np.concatenate([x, y.T, x], 1), M, RNG.uniform(size=(1, 3))),
        (lambda np, x, y: np.concatenate([x, y], None), M, V),
    ],
    "stack": [(lambda np, x, y: np.stack([x, y, x], axis=-1), V, W)],
    "vstack": [(lambda np, x, y: np.vstack([x, y]), V, M)],
    "hstack": [(lambda np, x, y: np.hstack([x, y]), V, W), (lambda np, x: np.hstack([x, x]), M)],
    "column_stack": [(lambda np, x, y: np.column_stack([x, y.T]), V, numpy.ones((2, 4)))],
    "matmul": [
        (lambda np, x, y: np.matmul(x, y), *pair)
        for pair in ((M, N), (V, W), (M, V), (V, N), (A, N), (N.T, A.swapaxes(1, 2)))
    ],
    "dot": [
        (lambda np, x, y: np.dot(x, y), *pair)
        for pair in ((M, N), (V, W), (A, V), (N.T, A.swapaxes(1, 2)), (V, numpy.array(2.0)))
    ],
    "vdot": [(lambda np, x, y: np.vdot(x, y), M, M + 1)],
    "tensordot": [
        (lambda np, x, y: np.tensordot(x, y, 1), A, N),
        (lambda np, x, y: np.tensordot(x, y, ([0, 2], [1, 0])), A, N),
        (lambda np, x, y: np.tensordot(x, y, 0), V, W),
    ],
    "einsum": [
        (lambda np, *x, spec=spec: np.einsum(spec, *x), *arrays)
        for spec, arrays in [
            ("ij,jk", (M, N)),
            ("ij->ji", (M,)),
            ("bij,bij->b", (A, A)),
            ("bij,jk,b->ik", (A, N, V[:2])),
            ("bii->b", (S,)),
            ("bii", (S,)),
            ("...ij,jk->...ik", (A, N)),
            ("i,j,k->kij", (V[:2], W, V[:3])),
            ("ij,ij,ij->", (M, M, M)),
            ("bij,bjk->bik", (A, A.swapaxes(1, 2))),
            ("ij->", (M,)),
            ("ii,i->i", (S[0], V[:3])),
            ("...,...->...", (M, V)),
            ("ij,kj->ik", (M, V[None])),
        ]
    ],
    "convolve": [(lambda np, x, y, mode=mode: np.convolve(x, y, mode), V, W[:3]) for mode in ("full", "same", "valid")]
    + [(lambda np, x, y: np.convolve(x, y, "same"), W[:2], V)],
}
AXES = "sum mean max min prod var std".split()
CALLS |= {
    name: CALLS[name]
    + [
        (lambda np, x, name=name: getattr(np, name)(x, axis=(0, -1), keepdims=True), A),
        (lambda np, x, name=name: getattr(np, name)(x, 1), A),
    ]
    for name in AXES
}
for _name in ("cumsum", "cumprod", "sort"):
    CALLS[_name] = [
        *CALLS[_name],
        (lambda np, x, name=_name: getattr(np, name)(x, axis=1), A),
        (lambda np, x, name=_name: getattr(np, name)(x, axis=None), M),
    ]
CALLS["diff"] += [(lambda np, x: np.diff(x, 2, axis=0), A)]
CALLS["var"] += [(lambda np, x: np.var(x, ddof=1), M)]
CALLS["std"] += [(lambda np, x: np.std(x, 0, ddof=1), M)]
CALLS["trace"] += [(lambda np, x: np.trace(x, 1, 1, 2), A)]
CALLS["diag"] += [(lambda np, x: np.diag(x, -1), V), (lambda np, x: np.diag(x, 1), M)]
CALLS["tril"] += [(lambda np, x: np.tril(x, -1), A)]
CALLS["triu"] += [(lambda np, x: np.triu(x, 1), A)]
CALLS["transpose"] += [
    (lambda np, x: np.transpose(x, (2, 0, 1)), A),
    (lambda np, x: np.transpose(x, axes=(1, 0, 2)), A),
]
CALLS["round"] += [(lambda np, x: np.round(x, 1), M)]
CALLS["sum"] += [(lambda np, x: np.sum(x, dtype=numpy.float64), M.astype("f4"))]

OF_OURS = {  # what NumPy does not have, by its definition
    "relu": lambda x: numpy.where(x > 0, x, 0.0),
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "softplus": lambda x: numpy.log(1 + numpy.exp(x)),
    "log_sigmoid": lambda x: -numpy.log(1 + numpy.exp(-x)),
    "logsumexp": lambda x: numpy.log(numpy.exp(x).sum()),
    "norm": lambda x: numpy.sqrt((x * x).sum()),
    "softmax": lambda x: numpy.exp(x) / numpy.exp(x).sum(-1, keepdims=True),
    "log_softmax": lambda x: numpy.log(numpy.exp(x) / numpy.exp(x).sum(-1, keepdims=True)),
}
SYSTEM = [
    (lambda np, a, b: np.linalg.solve(a, b), S, RNG.uniform(size=(3, 2))),
    (lambda np, a, b: np.linalg.solve(a, b), S[0], V[:3]),
]
LINALG = {
    "solve": SYSTEM,
    "inv": [(lambda np, a: np.linalg.inv(a), S)],
    "det": [(lambda np, a: np.linalg.det(a), S)],
    "slogdet": [(lambda np, a: np.linalg.slogdet(a)[1], S), (lambda np, a: np.linalg.slogdet(a)[0], -S)],
    "cholesky": [(lambda np, a: np.linalg.cholesky(a @ a.swapaxes(-1, -2)), S)],
    "norm": [(lambda np, x, o=o: np.linalg.norm(x, o, axis=-1), M) for o in (None, 1, 2, 3, 2.5, numpy.inf, -numpy.inf)]
    + [(lambda np, x: np.linalg.norm(x), M), (lambda np, x: np.linalg.norm(x, "fro", (0, 2), keepdims=True), A)],
}
for _table, _more in ((CALLS, array_calls.CALLS), (CALLS, number_calls.CALLS), (LINALG, array_calls.LINALG)):
    for _name, _calls in _more.items():
        _table[_name] = _table.get(_name, []) + _calls
EVERY = [
    pytest.param(*call, id=f"{name}-{i}")
    for calls in (CALLS, LINALG)
    for name, several in calls.items()
    for i, call in enumerate(several)
    if hasattr(numpy, name) or hasattr(numpy.linalg, name)  # some are new in NumPy 2.1 and 2.2
]


def listed(result):
    return result if isinstance(result, (list, tuple)) else [result]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # since NumPy 2.5
@pytest.mark.parametrize("call", [p.values for p in EVERY], ids=[p.id for p in EVERY])
def test_every_name_against_numpy(call):
    f, *arrays = call
    expected = listed(f(numpy, *arrays))
    ours, plain = listed(f(anp, *map(Tensor, arrays))), listed(f(anp, *arrays))
    for theirs, out, without_graph in zip(expected, ours, plain, strict=True):
        assert isinstance(out, Tensor) and out.shape == numpy.shape(theirs) and not isinstance(without_graph, Tensor)
        numpy.testing.assert_allclose(out.data, theirs, rtol=1e-5 if arrays[0].dtype == "f4" else 1e-12)
        numpy.testing.assert_array_equal(without_graph, theirs)
    if arrays[0].dtype == float and f(numpy, *arrays) is not None:
        check_gradients(lambda *x: f(anp, *x), *arrays)


@pytest.mark.parametrize("call", [p.values for p in EVERY], ids=[p.id for p in EVERY])
def test_forward_and_backward_are_adjoint(call):
    f, *arrays = call
    tangents = [RNG.normal(size=x.shape) for x in arrays]
    out, forward = jvp(lambda *x: f(anp, *x), arrays, tangents)
    cotangents = [RNG.normal(size=numpy.shape(y)) for y in listed(out)]
    _, pull = vjp(lambda *x: f(anp, *x), *arrays)
    backward = pull(unflatten(out, cotangents))
    one = sum(numpy.vdot(x, y) for x, y in zip(cotangents, listed(forward)))
    other = sum(numpy.vdot(x, y) for x, y in zip(tangents, backward))
    assert one == pytest.approx(other, rel=1e-4 if arrays[0].dtype == "f4" else 1e-9, abs=1e-12)


@pytest.mark.parametrize("call", [p.values for p in EVERY], ids=[p.id for p in EVERY])
def test_every_name_compiled(call, request):
    f, *arrays = call
    compiled = jit(lambda *x: f(anp, *x), backend="python")
    order = numpy.sort if "partition" in request.node.callspec.id else numpy.asarray  # that of a part is free
    for ours, out in zip(listed(compiled(*arrays)), listed(f(anp, *map(Tensor, arrays))), strict=True):
        ours, out = order(ours), Tensor(order(out.data))
        numpy.testing.assert_allclose(ours, out.data, rtol=1e-12)


@pytest.mark.parametrize("name", OF_OURS)
def test_names_that_numpy_lacks(name):
    f = getattr(anp, name)
    numpy.testing.assert_allclose(f(Tensor(M - 0.6)).data, OF_OURS[name](M - 0.6), rtol=1e-12)
    numpy.testing.assert_allclose(f(M - 0.6), OF_OURS[name](M - 0.6), rtol=1e-12)
    check_gradients(f, M - 0.6)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "softplus", "log_sigmoid", "softmax"])
@pytest.mark.parametrize(
    "x", [[2, 0], (2.0, 0.5), numpy.array([2, 0]), numpy.array([2, 0], "u1"), numpy.array([True, False])]
)
def test_names_that_numpy_lacks_take_integers_masks_and_lists_as_floats(name, x):
    f, expected = getattr(anp, name), OF_OURS[name](numpy.asarray(x, float))
    found = [f(x)] if isinstance(x, (list, tuple)) else [f(x), jit(f, backend="python")(x)]
    for out in found:
        assert out.dtype == float
        numpy.testing.assert_allclose(out, expected, rtol=1e-12)


def test_every_recorded_name_is_tested():
    assert set(RECORDED) - CALLS.keys() - OF_OURS.keys() - ROWS.keys() == {
        "affine",
        "concat",
        "permute_dims",
        "segment_sum",
    }
    assert set(anp.linalg.__all__) - LINALG.keys() == {"matrix_rank"}
    numpy.testing.assert_array_equal(anp.affine(Tensor(M), N, 1.0).data, M @ N + 1)


def test_the_package_is_numpy_where_it_is_not_ours():
    assert {"relu", "exp", "fft"} <= {*dir(anp)}
    code = """
import autograd.numpy.linalg, numpy, sys
from autograd import *
assert numpy.__name__ == "numpy" and autograd.numpy.random is numpy.random
assert autograd.numpy.linalg.__name__ == "autograd.numpy.linalg"
assert autograd.numpy.linalg.det(Tensor([[2.0]])).data == 2
assert not [name for name in sys.modules if name.startswith("autograd.numpy.") and "_core" in name]
for name in ("__path__x", "__nothing__"):
    for module in (autograd.numpy, autograd.numpy.linalg):
        assert not hasattr(module, name)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_results(name):
    args = {
        "searchsorted": (numpy.sort(V), 0.5),
        "empty_like": (M,),
        "argpartition": (V, 2),
        "digitize": (V, numpy.sort(V)),
        "histogramdd": (M,),
        "histogram": (V, 3),
        "histogram2d": (V, W, 3),
        "diag_indices_from": (S[0],),
    }.get(name)
    binary = (
        name.endswith(("equal", "equiv", "close", "memory"))
        or name in "greater less logical_and logical_or logical_xor result_type isin".split()
    )
    args = args or ((M, M) if binary else (M,))
    if name.startswith("bitwise_") or name in ("invert", "left_shift", "right_shift"):
        assert getattr(anp, name)(*[numpy.arange(3)] * (1 if name in ("invert", "bitwise_not") else 2)).dtype == int
        return
    ours = getattr(anp, name)(Tensor(args[0]), *args[1:])
    assert not isinstance(ours, Tensor)
    if name != "empty_like" and name != "may_share_memory":
        for x, theirs in zip(flatten(ours), flatten(getattr(numpy, name)(*args)), strict=True):
            numpy.testing.assert_array_equal(x, theirs)


def test_numpys_own_functions_and_operators_record():
    t, x = Tensor(V), Value(2.0)
    for out in (
        numpy.exp(t),
        numpy.sum(t),
        numpy.float64(2) * t,
        W * t,
        W - t,
        numpy.multiply(W, t),
        numpy.linalg.norm(t),
        W @ t,
        numpy.concatenate([V, t]),
        numpy.where(V > 0.5, t, W),
        numpy.einsum("i,i", t, V),
        anp.sum(t),
        M @ t,
        2**t,
        V**t,
    ):
        assert isinstance(out, Tensor) and out.operation is not None
    for out in (numpy.float64(2) * x, numpy.exp(x), numpy.float32(2) / x, anp.sin(x), numpy.maximum(1.0, x)):
        assert isinstance(out, Value) and out.operation is not None
    assert (numpy.float64(1) < t).tolist() == [False] * 4 and numpy.argmax(t) == V.argmax()


@pytest.mark.parametrize(
    "f, message",
    [
        (lambda t: numpy.fft.fft(t), r"numpy\.fft\.fft is not differentiated"),
        (lambda t: numpy.unique(t), r"numpy\.unique"),
        (lambda t: anp.unique(t), r"numpy\.unique"),
        (lambda t: numpy.subtract.reduce(t), r"numpy\.subtract\.reduce"),
        (lambda t: anp.add.at(numpy.ones(4), [0], t[:1]), r"numpy\.add\.at"),
        (lambda t: anp.multiply(t, 2, where=V > 0), r"numpy\.multiply with where"),
        (lambda t: anp.sum(t, out=numpy.ones(())), "sum: a result .* leave out="),
        (lambda t: numpy.add.reduce(t, out=numpy.ones(())), r"add\.reduce: a result .* leave out="),
        (lambda t: anp.histogram(V, weights=t), "histogram: its weights"),
        (lambda t: anp.sum(t, 0, None, None, False, 0.0, True, 1), "sum takes 7 arguments by place, not 8"),
        (lambda t: anp.bincount(t), "Cannot cast"),
        (lambda t: anp.quantile(V, t), "does not turn into an array"),
        (lambda t: anp.fmod(t), r"fmod\(x, y\) was given 1 arg"),
        (lambda t: numpy.multiply(t, 2, where=V > 0), r"numpy\.multiply with where"),
        (lambda t: numpy.array([t[0]]), "does not turn into an array"),
        (lambda t: numpy.ones(4).__iadd__(t), r"a = a \+ t instead of a \+= t"),
        (lambda t: numpy.exp(t, out=numpy.ones(4)), "add|exp: a result"),
        (lambda t: numpy.linalg.eig(anp.outer(t, t)), r"numpy\.linalg\.eig"),
        (lambda t: anp.linalg.qr(anp.outer(t, t), "raw"), "'raw' is not differentiated"),
        (lambda t: numpy.place(t, V > 0.5, 0.0), r"numpy\.place"),
        (lambda t: numpy.copyto(t, V), r"numpy\.copyto"),
        (lambda t: numpy.trim_zeros(t), r"numpy\.trim_zeros"),
        (lambda t: anp.linalg.matrix_power(anp.outer(t, t), 0.5), "exponent is an integer, not 0.5"),
        (lambda t: numpy.frexp(t), r"numpy\.frexp"),
        (lambda t: numpy.take(V, t), "Cannot cast|into an array"),
        (lambda t: anp.pad(t, 1, "mean"), "'mean' is not differentiated"),
        (lambda t: numpy.random.default_rng(0).normal(t), "into an array"),
    ],
)
def test_what_is_not_differentiated_raises_by_name(f, message):
    with pytest.raises(TypeError, match=message):
        f(Tensor(V))


@pytest.mark.parametrize(
    "spec, shapes, message",
    [
        ("ij,jk", [(2, 3), (4, 5)], r"einsum: .* \(2,3\)->.*\(4,5\)->"),
        ("ij", [(2,)], "einsum: .* too many subscripts for operand 0"),
        ("ij->k", [(2, 3)], "output subscript 'k' which never appeared"),
        ("i,i", [(2,)], "more operands|fewer operands"),
        ("ij->ii", [(2, 3)], "output subscript 'i' multiple times"),
    ],
)
def test_einsum_names_what_does_not_fit(spec, shapes, message):
    with pytest.raises(ValueError, match=message):
        anp.einsum(spec, *(Tensor(numpy.ones(shape)) for shape in shapes))


def test_linalg_names_what_does_not_fit():
    with pytest.raises(ValueError, match=r"inv: of square matrices .* not of shape \(3, 4\)"):
        anp.linalg.inv(Tensor(M))
    with pytest.raises(numpy.linalg.LinAlgError, match="Singular"):
        anp.linalg.inv(Tensor(numpy.ones((2, 2))))
    with pytest.raises(ValueError, match="tensordot: .* differ in length"):
        anp.tensordot(Tensor(M), M, ((1,), (0,)))
    with pytest.raises(ValueError, match="take: these arguments do not fit: KeyError: 'far'"):
        anp.take(Tensor(M), [0], mode="far")


@pytest.mark.parametrize(
    "singular", [numpy.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]), numpy.zeros((3, 3))]
)
def test_the_determinant_of_a_singular_matrix_has_its_gradient(singular):
    def minor(i, j):
        (a, b), (c, d) = numpy.delete(numpy.delete(singular, i, 0), j, 1)
        return (-1) ** (i + j) * (a * d - b * c)

    expected = [[minor(i, j) for j in range(3)] for i in range(3)]
    numpy.testing.assert_allclose(grad(anp.linalg.det)(singular), expected, atol=1e-13)


@pytest.mark.parametrize("start", [True, numpy.array([True, False]), 1, numpy.array([1, 2])])
def test_a_line_is_of_numpys_dtype(start):
    stop = numpy.float32(2.0)
    expected = numpy.linspace(start, stop, 3)
    for found in (anp.linspace(start, Tensor(stop), 3).data, jit(lambda x: anp.linspace(start, x, 3))(stop)):
        numpy.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
