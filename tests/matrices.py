"""Random matrices of given properties, and derivatives of functions of them to any order."""

import numpy as np

import xform
from tests.numeric import assert_close, directional, pairing, random_like
from xform.ops.linear_algebra.matrix import diagonal
from xform.ops.linear_algebra.spectral import eigh
from xform.ops.structure import reduce_sum

rng = np.random.default_rng(5)


def normal(*shape, dtype=float):
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x


def hermitian(x):
    return (x + np.conjugate(np.swapaxes(x, -1, -2))) / 2


def with_values(values, dtype=float):
    """A Hermitian matrix with given eigenvalues."""
    q, _ = np.linalg.qr(normal(len(values), len(values), dtype=dtype))
    return hermitian((q * values) @ q.conj().T)


def rectangular(m, n, values, dtype=float):
    """A matrix with given singular values."""
    u, _, vh = np.linalg.svd(normal(m, n, dtype=dtype), full_matrices=False)
    return (u * values) @ vh


def trace(x):
    return reduce_sum(diagonal(x), axes=(len(x.shape) - 2,))


def eigvecs(a):
    return eigh.bind(a, lower=True)


def along(f, *vs):
    """The derivative of f in the directions vs, as a function of the point."""
    return lambda *xs: xform.jvp(f, xs, vs)[1]


def check(f, *xs, herm=False, order=3, tolerance=1e-8):
    """jvp of jvp of ... against differences of the order below, and at each order vjp against jvp."""
    for k in range(order):
        vs = [hermitian(random_like(x, rng)) if herm else random_like(x, rng) for x in xs]
        ys, y_dots = xform.jvp(f, xs, tuple(vs))
        for y_dot, wanted in zip(y_dots, directional(f, xs, vs), strict=True):
            assert_close(y_dot, wanted, tolerance * 10**k)
        bars = [random_like(y, rng) for y in ys]
        x_bars = xform.vjp(f, *xs)[1](type(ys)(bars))
        assert_close(pairing(x_bars, vs), pairing(bars, y_dots), 1e-10 * 10**k)
        f = along(f, *vs)
