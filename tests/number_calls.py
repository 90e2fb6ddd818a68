"""Calls of NumPy's functions of numbers, along axes and of statistics, for test_numpy.py.

Each is a function of (np, arrays...) and the arrays.
"""

import numpy

RNG = numpy.random.default_rng(2)
V, W = RNG.uniform(0.3, 0.9, 4), RNG.uniform(1.1, 1.9, 4)
M, N = RNG.uniform(0.3, 0.9, (3, 4)), RNG.uniform(1.1, 1.9, (4, 2))
A = RNG.uniform(0.3, 0.9, (2, 3, 4))
METHODS = """
linear lower higher midpoint nearest inverted_cdf averaged_inverted_cdf closest_observation interpolated_inverted_cdf
hazen weibull median_unbiased normal_unbiased""".split()


def plain(name, *arrays, **options):
    return (lambda np, *x: getattr(np, name)(*x, **options), *arrays)


CALLS = {
    **{
        name: [plain(name, M)]
        for name in """
        around deg2rad radians rad2deg degrees trunc fix fabs positive conjugate conj real real_if_close amax amin modf
        nan_to_num ptp acos asin asinh atan atanh nansum nanprod nanmean nanvar nanstd nanmax nanmin nancumsum
        nancumprod""".split()
    },
    **{
        name: [plain(name, M, W)]
        for name in """
        mod remainder fmod floor_divide divmod copysign fmax fmin heaviside logaddexp2 float_power atan2 pow
        true_divide""".split()
    },
    "acosh": [plain("acosh", W)],
    "ldexp": [(lambda np, x: np.ldexp(x, [3, -2, 0, 1]), M)],
    "piecewise": [
        (lambda np, x: np.piecewise(x, [x < 0.5, x > 0.7], [np.sin, lambda x: x * x, 3.0]), M),
        (lambda np, x: np.piecewise(x, V > 0.5, [lambda x, k: k * x, lambda x, k: k], 2.0), V),
    ],
    "diff": [
        plain("diff", M, n=1, axis=0, prepend=1.5, append=M[:2]),
        (lambda np, x, y: np.diff(x, n=2, prepend=y), M, N[:3]),
    ],
    "ediff1d": [plain("ediff1d", M), (lambda np, x, y: np.ediff1d(x, y, [1.0, 2.0]), M, W)],
    "unwrap": [
        plain("unwrap", M),
        (lambda np, x: np.unwrap(9 * x, axis=0), A),
        (lambda np, x: np.unwrap(2 * numpy.arange(4) + x, 0.1, period=4), V),
    ],
    "partition": [(lambda np, x: np.partition(x, 2), M), (lambda np, x: np.partition(x, [1, 5], None), M)],
    "cumulative_sum": [plain("cumulative_sum", M, axis=1, include_initial=True)],
    "cumulative_prod": [plain("cumulative_prod", M, axis=-2), plain("cumulative_prod", V)],
    "average": [
        plain("average", M),
        (lambda np, x, w: np.average(x, weights=w), M, M + 1),
        (lambda np, x, w: np.average(x, 1, w, keepdims=True), M, W),
        (lambda np, x, w: np.average(x, (2, 0), w, returned=True), A, M[:2].T),
    ],
    "median": [plain("median", M), plain("median", A, axis=(0, 1))],
    "nanmedian": [plain("nanmedian", M), plain("nanmedian", A, axis=-1, keepdims=True)],
    "quantile": [plain("quantile", M, q=[0.1, 0.35, 0.9], axis=1, method=method) for method in METHODS]
    + [plain("quantile", A, q=[[0.0, 1.0], [0.5, 0.2]], axis=(0, -1), keepdims=True)],
    "percentile": [plain("percentile", M, q=30), plain("percentile", M, q=[30.0, 100.0], axis=0)],
    "nanquantile": [plain("nanquantile", A, q=[0.3, 0.8], axis=(0, 2))],
    "nanpercentile": [plain("nanpercentile", A, q=40.0, axis=1, method="hazen")],
    "cov": [
        plain("cov", M),
        (lambda np, x, y: np.cov(x, y), V, W),
        plain("cov", M, rowvar=False, bias=True),
        plain("cov", M, ddof=0, fweights=[1, 2, 0, 3]),
        plain("cov", M, aweights=V),
        plain("cov", V, fweights=[1, 2, 0, 3], aweights=V),
    ],
    "corrcoef": [plain("corrcoef", M), (lambda np, x, y: np.corrcoef(x, y), V, W)],
    "bincount": [(lambda np, x: np.bincount([1, 4, 1, 0], weights=x, minlength=7), V)],
}
