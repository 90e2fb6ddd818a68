"""Calls of NumPy's functions that move, join and multiply arrays, and of numpy.linalg, for test_numpy.py.

Each is a function of (np, arrays...) and the arrays.
"""

import numpy

RNG = numpy.random.default_rng(1)
V, W, U = RNG.uniform(0.3, 0.9, 4), RNG.uniform(1.1, 1.9, 4), RNG.uniform(0.3, 0.9, 3)
M, N = RNG.uniform(0.3, 0.9, (3, 4)), RNG.uniform(1.1, 1.9, (4, 2))
A, B = RNG.uniform(0.3, 0.9, (2, 3, 4)), RNG.uniform(0.3, 0.9, (2, 4, 3))
S = RNG.uniform(-1, 1, (2, 3, 3)) + 3 * numpy.eye(3)
ROOT = RNG.uniform(-1, 1, (2, 3, 3))
UNEVEN = numpy.array([0.0, 0.3, 1.0, 1.2])
ONE, TWO = numpy.array(1.3), numpy.array(2.9)


def linalg(name, *arrays, **options):
    return (lambda np, *x: getattr(np.linalg, name)(*x, **options), *arrays)


def plain(name, *arrays, **options):
    return (lambda np, *x: getattr(np, name)(*x, **options), *arrays)


RECENT = numpy.lib.NumpyVersion(numpy.__version__) >= "2.1.0"  # knows clip(x, min=), reshape(x, shape=)
CALLS = {
    "reshape": [
        (lambda np, x: np.reshape(x, (2, -1), "F"), M),
        *[plain("reshape", A, shape=(3, 8), order="F", copy=True)] * RECENT,
    ],
    "ravel": [plain("ravel", A, order="F"), plain("ravel", A, order="K")],
    "transpose": [(lambda np, x: np.permute_dims(x, (1, 0, 2)), A)],
    "rollaxis": [(lambda np, x: np.rollaxis(x, 2), A), (lambda np, x: np.rollaxis(x, 0, 2), A)],
    "matrix_transpose": [plain("matrix_transpose", A)],
    "array": [(lambda np, x: np.array([x, x * 2], ndmin=4), M), (lambda np, x: np.array(x, float, copy=False), M)],
    "asarray": [(lambda np, x: np.asarray([x[0], 1.0, x[2]]), V), (lambda np, x: np.asarray(x), M)],
    "asanyarray": [(lambda np, x: np.asanyarray(x, dtype=float), M)],
    "ascontiguousarray": [(lambda np, x: np.ascontiguousarray(x.T), M)],
    "asfortranarray": [(lambda np, x: np.asfortranarray(x, float), M)],
    "astype": [(lambda np, x: np.astype(x, float, copy=False), M)],
    "copy": [plain("copy", M)],
    "full": [
        (lambda np, x: np.full((2, 4), x), V),
        (lambda np, x: np.full(3, x[0]), V),
        (lambda np, x: np.full((2,), x[0], dtype=float), V),
    ],
    "concatenate": [
        (lambda np, x, y: np.concatenate([x, y], dtype="f8", casting="safe"), V, W),
        (lambda np, x, y: np.concat([x, y], axis=-1), M, M),
    ],
    "stack": [(lambda np, x, y: np.stack([x, y], 1, dtype="f8"), V, W)],
    "vstack": [(lambda np, x, y: np.vstack([x, y], dtype="f8"), V, M)],
    "dstack": [(lambda np, x, y: np.dstack([x, y]), V, W), (lambda np, x: np.dstack([x, x * x]), M)],
    "unstack": [(lambda np, x: np.unstack(x), M), (lambda np, x: np.unstack(x, axis=-1), A)],
    "hsplit": [(lambda np, x: np.hsplit(x, 2), M), (lambda np, x: np.hsplit(x, [1]), V)],
    "vsplit": [(lambda np, x: np.vsplit(x, [1, 2]), M)],
    "dsplit": [(lambda np, x: np.dsplit(x, 2), A)],
    "block": [(lambda np, x, y: np.block([[x, y], [y, 1.0, 2.0, 3.0, 4.0]]), V, W), (lambda np, x: np.block(x), V)],
    "append": [
        (lambda np, x, y: np.append(x, y), M, V),
        (lambda np, x: np.append(x, [[1.0], [2.0], [3.0]], axis=1), M),
        (lambda np, x: np.append([0.0, 1.0], values=x), V),
    ],
    "insert": [
        (lambda np, x, y: np.insert(x, 1, y, axis=0), M, V),
        (lambda np, x: np.insert(x, [0, 3], [x[1], 7.0]), V),
        (lambda np, x: np.insert(x, slice(0, 2), 5.0, 1), M),
    ],
    "meshgrid": [
        (lambda np, x, y: np.meshgrid(x, y), V, U),
        (lambda np, x, y: np.meshgrid(x, 2 * x, y, indexing="ij", sparse=True), V, U),
    ],
    "broadcast_arrays": [(lambda np, x, y: np.broadcast_arrays(x, y), V, M)],
    "choose": [
        (lambda np, x, y: np.choose([0, 1, 1, 0], [x, y]), V, W),
        (lambda np, x, y: np.choose([[4], [1]], [x, y], mode="wrap"), V, W),
    ],
    "compress": [(lambda np, x: np.compress([True, False, True], x, axis=0), M)],
    "extract": [(lambda np, x: np.extract(M > 0.5, x), M)],
    "select": [
        (lambda np, x, y: np.select([V > 0.5, V > 0.4], [x, x * y], y), V, W),
        (lambda np, x: np.select([M > 0.5], [x]), M),
    ],
    "diagflat": [(lambda np, x: np.diagflat(x, 1), M[:2, :2])],
    "resize": [(lambda np, x: np.resize(x, (3, 5)), M), (lambda np, x: np.resize(x, 3), M)],
    "trace": [(lambda np, x: np.trace(x, dtype=float), M)],
    "roll": [(lambda np, x: np.roll(x, (1, 2), (0, 1)), M)],
    "einsum": [
        (lambda np, x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), M, N),
        (lambda np, x, y: np.einsum(x, [3, 30], y, [30, 2]), M, N),
        (lambda np, x, y: np.einsum(x, [..., 0, 1], y, [1, 2], [..., 0, 2], optimize=True), A, N),
        (lambda np, x, y: np.einsum("ij,jk,kl->il", x, y, y.T, optimize="optimal"), M, N),
    ],
    "kron": [plain("kron", M, N), plain("kron", V, N), plain("kron", N, V), plain("kron", A, M)],
    "cross": [
        plain("cross", U, M.T),
        plain("cross", A, A[:, :, :1] + 1, axis=1),
        (lambda np, x, y: np.cross(x, y, 0, -1, 0), M, M.T[:, [1, 0, 2]]),
    ],
    "correlate": [
        (lambda np, x, y, mode=mode: np.correlate(x, y, mode), *pair)
        for mode in ("full", "same", "valid")
        for pair in ((V, W[:3]), (W[:2], V), (W[:3], V), (V, W))
    ],
    "vecdot": [plain("vecdot", A, M), plain("vecdot", A, A, axis=0)],
    "matvec": [plain("matvec", A, V), plain("matvec", M, A[:, :1])],
    "vecmat": [plain("vecmat", U, A), plain("vecmat", A[:, :1, :3], M)],
    "linspace": [
        plain("linspace", ONE, TWO, num=5),
        plain("linspace", V, TWO, num=3, endpoint=False, axis=-1),
        (lambda np, x, y: np.linspace(x, y, 4, retstep=True), V, W),
        (lambda np, x: np.linspace(0, x, 1), V),
        (lambda np, x: np.linspace(x, 1.0, 0), V),
    ],
    "logspace": [plain("logspace", ONE, TWO, num=4), plain("logspace", V, W, num=3, base=2.0, axis=1)],
    "geomspace": [
        plain("geomspace", ONE, TWO, num=4),
        plain("geomspace", -V, -W, num=3, axis=1),
        plain("geomspace", V, W, num=3, endpoint=False),
    ],
    "vander": [plain("vander", V), plain("vander", V, N=2, increasing=True)],
    "polyval": [plain("polyval", U, M), (lambda np, p: np.polyval(p, [1.0, 2.0]), U)],
    "interp": [
        plain("interp", RNG.uniform(-0.2, 1.4, (3, 2)), UNEVEN, V),
        plain("interp", RNG.uniform(-0.2, 1.4, 5), UNEVEN, V, left=-1.0, right=3.0),
        (lambda np, x, y: np.interp(x, [3.0, 1.0, 2.0], y, period=2.5), RNG.uniform(-9, 9, 6), U),
        (lambda np, x, y: np.interp(x, [3.0, 1.0, 2.0], y, period=-2.5), numpy.array([-8.7, 0.2, 4.0]), U),
        (lambda np, y: np.interp([0.0, 0.3, 1.2, 1.1], UNEVEN, y), V),
        (lambda np, x, y: np.interp(x, [1.0], y), M, U[:1]),
    ],
    "trapezoid": [
        plain("trapezoid", M, dx=0.5),
        plain("trapezoid", M, UNEVEN),
        plain("trapezoid", A, A.cumsum(0), axis=0),
    ],
    "gradient": [
        plain("gradient", V),
        plain("gradient", A[..., :4].repeat(2, 0), edge_order=2),
        (lambda np, x: np.gradient(x, 0.5, axis=1), M),
        (lambda np, x, h: np.gradient(x, 2.0, h, edge_order=2), M, UNEVEN),
        (lambda np, x, h: np.gradient(x, h, axis=-1), M, UNEVEN),
        (lambda np, x: np.gradient(x, 2.0, 3.0, axis=(2, 0)), A),
        plain("gradient", M.astype("f4")),
    ],
    "convolve": [(lambda np, x, y: np.convolve(x, y), W[:2], V)],
    "sliding_window_view": [
        (lambda np, x: np.lib.stride_tricks.sliding_window_view(x, 3), V),
        (lambda np, x: np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(0, -1)), A),
    ],
    "c_": [(lambda np, x, y: np.c_[x, y, 1:5], V, W)],
    "r_": [(lambda np, x, y: np.r_[x, 0.0, y[::-1], -1:1:3j], V, W), (lambda np, x: np.r_["0,2", x, [0, 1, 2, 3]], V)],
}
NORMS = [linalg("norm", A, ord=o, axis=(0, 2)) for o in ("fro", "nuc", 2, -2, 1, -1, numpy.inf, -numpy.inf)] + [
    linalg("norm", A, ord="nuc", axis=(-1, 0), keepdims=True),
    linalg("norm", M, ord=2),
    linalg("norm", V, ord=0),
    linalg("norm", A, ord=3, axis=1, keepdims=True),
    linalg("norm", A),
    linalg("norm", A, keepdims=True),
]
LINALG = {
    "eigh": [linalg("eigh", ROOT), (lambda np, x: np.square(np.linalg.eigh(x, "U")[1]), ROOT[0])],
    "eigvalsh": [linalg("eigvalsh", ROOT), linalg("eigvalsh", ROOT, UPLO="U")],
    "svd": [linalg("svd", S), *(linalg("svd", x, full_matrices=False) for x in (A, B, M[:, :1]))],
    "svdvals": [linalg("svdvals", A), linalg("svd", B, compute_uv=False)],
    "qr": [
        *(linalg("qr", x, mode=mode) for x in (A, S[0]) for mode in ("reduced", "complete", "r")),
        *(linalg("qr", B, mode=mode) for mode in ("reduced", "r")),
        (lambda np, x: np.linalg.qr(x, "complete")[1], B),
    ],
    "pinv": [linalg("pinv", A), linalg("pinv", B), linalg("pinv", S, rtol=1e-9)],
    "lstsq": [
        (lambda np, a, b: [np.linalg.lstsq(a, b, 1e-9)[i] for i in (0, 1, 3)], B[0], RNG.uniform(size=(4, 2))),
        (lambda np, a, b: np.linalg.lstsq(a, b)[0], M, U),
    ],
    "matrix_power": [
        (lambda np, a, n=n: np.linalg.matrix_power(a, n), S) for n in (0, 1, 2, 3, 6, -1, -3, numpy.int64(2))
    ],
    "multi_dot": [
        (lambda np, *x: np.linalg.multi_dot(x), M, N, N.T, V),
        (lambda np, *x: np.linalg.multi_dot(x), U, M, V),
    ],
    "norm": NORMS,
    "vector_norm": [
        linalg("vector_norm", A),
        linalg("vector_norm", A, axis=(0, 2), keepdims=True, ord=3),
        linalg("vector_norm", A, axis=1, ord=numpy.inf),
    ],
    "matrix_norm": [linalg("matrix_norm", A), linalg("matrix_norm", A, ord="nuc", keepdims=True)],
    "cond": [linalg("cond", A), linalg("cond", S, p=-2), linalg("cond", S, p=1), linalg("cond", S[0], p="nuc")],
    "tensorsolve": [
        linalg("tensorsolve", RNG.uniform(size=(2, 3, 3, 2)) + numpy.eye(6).reshape(2, 3, 3, 2), M[:2, :3]),
        linalg("tensorsolve", RNG.uniform(size=(2, 2, 2, 2)), RNG.uniform(size=(2, 2)), axes=(1, 3)),
    ],
    "tensorinv": [linalg("tensorinv", RNG.uniform(size=(2, 3, 6))), linalg("tensorinv", S[0], ind=1)],
    "cholesky": [(lambda np, a: np.linalg.cholesky(a @ a.swapaxes(-1, -2), upper=True), S)],
    "diagonal": [linalg("diagonal", A, offset=1)],
    "trace": [linalg("trace", A, offset=-1)],
    "cross": [linalg("cross", M, M[::-1], axis=0)],
    "matmul": [linalg("matmul", A, B)],
    "matrix_transpose": [linalg("matrix_transpose", A)],
    "outer": [linalg("outer", V, U)],
    "tensordot": [linalg("tensordot", A, B, axes=([1, 2], [2, 1]))],
    "vecdot": [linalg("vecdot", A, A, axis=1)],
}
