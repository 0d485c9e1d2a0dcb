"""Samples of sums, extremes, moments and everything else that runs along axes."""

import numpy as np

from tests.numpy.surface.base import MASK, NANS, POSITIVE_M, ZM, B, K, M, N, S, T, V, W, Z, call, eager, named, with_nan

OPTIONS = [call(M), call(M, axis=0), call(T, axis=(0, -1)), call(M, axis=1, keepdims=True), call(V)]
QUANTILES = [
    call(M, 0.3), call(M, np.array([0.2, 0.7]), axis=1), call(T, 0.4, axis=(0, 2), keepdims=True),
    call(V, np.array(0.37)), call(M, 0.3, axis=1, method="nearest"), call(V, 0.6, method="hazen"),
    call(V, 0.6, method="midpoint"),
    call(V, 0.45, method="weibull"), call(V, 0.45, method="lower"),
]  # fmt: skip

SAMPLES = named(
    {
        "sum prod": [
            *OPTIONS, call(ZM, axis=0), call(M, where=MASK), call(M, axis=1, initial=2.5, where=MASK),
            call(M, dtype="f4"), call(N), call(M.astype("f4"), axis=0, dtype="f8"),
        ],
        "max min amax amin": [*OPTIONS, call(M, axis=0, initial=0.5), call(M, initial=-9.0, axis=1, where=MASK)],
        "ptp": OPTIONS,
        "mean": [*OPTIONS, call(ZM, axis=0), call(M, axis=1, where=MASK), call(M, dtype="f4"), call(N)],
        "var std": [
            *OPTIONS, call(ZM, axis=0), call(M, axis=1, where=MASK), call(M, ddof=1), call(M, axis=0, correction=1),
            call(M, axis=1, mean=np.array([[0.5], [0.9]])), call(M, dtype="f4"),
        ],
        "any all": [*OPTIONS, call(M, where=MASK), call(B)],
        "count_nonzero": [call(M), call(M, axis=0), call(T, axis=(0, 2), keepdims=True)],
        "argmax argmin": [call(M), call(M, axis=0), call(M, axis=1, keepdims=True)],
        "nanargmax nanargmin": [call(M), call(NANS), call(NANS, axis=1), call(NANS, axis=1, keepdims=True)],
        "nansum nanprod nanmax nanmin nanmean nanvar nanstd": [
            *OPTIONS, with_nan(axis=1), with_nan(), with_nan(axis=0, keepdims=True),
        ],
        "nanmedian": [*OPTIONS, with_nan(axis=1), with_nan()],
        "nancumsum nancumprod": [call(M), with_nan(axis=1), with_nan(), call(V, dtype="c16")],
        "cumsum cumprod": [call(M), call(M, axis=0), call(T, axis=-1), call(Z), call(V, dtype="f4"), call(N)],
        "cumulative_sum cumulative_prod": [
            call(V), call(M, axis=0), call(M, axis=1, include_initial=True), call(V, dtype="f4"),
        ],
        "median": [*OPTIONS, call(S)],
        "quantile": [call(M, 0.4, axis=1, method="inverted_cdf", weights=np.abs(V)), *QUANTILES],
        "nanquantile": [call(M, 0.4, axis=1, method="inverted_cdf", weights=POSITIVE_M), with_nan(q=0.3), *QUANTILES],

        "percentile nanpercentile": [
            call(M, 30), call(M, np.array([20.0, 70.0]), axis=1), call(T, 40.0, axis=(0, 2), keepdims=True),
            call(M, 30.0, axis=1, method="higher"), call(V, np.array(37.0), method="median_unbiased"),
        ],
        "average": [
            *[call(M), call(M, axis=0), call(T, axis=(0, 2), keepdims=True)], call(M, weights=POSITIVE_M),
            call(M, axis=1, weights=np.abs(W)), call(M, axis=1, weights=np.abs(W), returned=True), call(ZM, axis=1),
        ],
        "cov": [
            call(M), call(S, rowvar=False), call(V, W), call(ZM), call(S, bias=True), call(S, ddof=0),
            call(S, fweights=[1, 2, 3]), call(S, aweights=np.abs(W)), call(M, dtype="f4"),
        ],
        "corrcoef": [call(S), call(V, W), call(S, rowvar=False), call(np.conj(ZM).T)],
        "diff": [
            call(V), call(M, axis=0), call(S, 2), call(M, prepend=W[:2, None], append=1.0), call(Z), call(B),
            call(M, 0),
        ],
        "ediff1d": [call(V), call(M, 1.0, np.array([2.0, 0.5]))],
        "trapezoid": [
            call(V), call(M, dx=0.5), call(M, np.array([0.1, 0.4, 1.5])), call(T, axis=0), call(M, M**2, axis=1),
            call(Z),
        ],
        "histogram": [
            call(V, [-2.0, 0.0, 3.0]), call(V, 3, weights=W), call(V, 3, density=True), call(V, 4, (-2.0, 3.0)),
            call(M, np.array([-2.0, 0.0, 3.0]), weights=POSITIVE_M, density=True),
        ],
        "histogram_bin_edges": [
            call(V), call(V, 3), eager(call(V, "sqrt")), call(V, 4, (-2.0, 3.0)), eager(call(M, "fd")),
        ],
        "histogram2d": [call(V, W, 3), call(V, W, [2, 3], weights=W), call(V, W, 2, density=True)],
        "histogramdd": [call(S, 2), call(S, [2, 1, 3], weights=W), call([V, W], 2)],
        "bincount": [call(K, W), call(N), call(K, W, 7)],
        "digitize": [call(V, [-1.0, 0.0, 1.0]), call(M, np.array([-1.0, 0.0, 1.0]), right=True)],
        "searchsorted": [call([-1.0, 0.0, 1.0], V), call(np.array([-1.0, 0.0, 1.0]), M, side="right")],
    }
)  # fmt: skip
