"""Samples of products, convolutions, polynomials, linear algebra and Fourier transforms."""

import numpy as np

from tests.numpy.surface.base import (
    POSITIVE_M,
    SCALAR,
    ZM,
    ZS,
    K,
    M,
    N,
    S,
    T,
    V,
    W,
    Z,
    call,
    eager,
    named,
    through,
    using,
)

STACK = np.stack([S, S.T + np.eye(3)])
TALL, WIDE = M.T, M
EVEN = np.array([0.3, -1.2, 2.6, 0.7])

PRODUCTS = {
    "dot": [call(V, W), call(M, S), call(M, V), call(SCALAR, M), call(M, T), call(Z, V)],
    "vdot": [call(V, W), call(M, POSITIVE_M), call(Z, V)],
    "inner": [call(V, W), call(M, S), call(Z, V), call(SCALAR, V)],
    "outer": [call(V, W), call(M, V), call(Z, V)],
    "matmul": [call(M, S), call(V, S), call(T.transpose(0, 2, 1), STACK), call(M, V), call(ZM, S), call(N, K)],
    "matvec": [call(M, V), call(STACK, M)],
    "vecmat": [call(V, S), call(M, STACK), call(Z, S)],
    "vecdot": [call(V, W), call(M, W), call(Z, V), call(M, POSITIVE_M, axis=0)],
    "tensordot": [call(M, S, 1), call(T, M, axes=([0, 1], [0, 1])), call(V, W, 0), call(ZM, M, ([0, 1], [0, 1]))],
    "einsum": [
        call("ij,jk->ik", M, S), call("ii->i", S), call("ij,kj,j", M, S, V), call("...ij->...ji", T),
        call("ijk,ij->k", T, M), call(M, [0, 1], V, [1], [0]), call("i,i", Z, V), call("ij,jk,k->i", M, S, V,
                                                                                     optimize=True),
    ],
    "einsum_path": [call("ij,jk,kl->il", M, S, S)],
    "kron": [call(V, W), call(M, S), call(V, M)],
    "cross": [call(V, W), call(M, V), call(M, POSITIVE_M, axis=1), call(S, V, axisa=0, axisc=0)],
    "convolve correlate": [call(V, W), call(EVEN, V, "same"), call(EVEN, V, mode="valid"), call(Z, V)],
}  # fmt: skip

POLYNOMIALS = {
    "poly": [call(V), call(S), call(Z)],
    "polyadd polysub polymul": [call(V, W), call(EVEN, V), call(V, Z)],
    "polyder": [call(EVEN), call(EVEN, 2)],
    "polyint": [call(EVEN), call(EVEN, 2, [1.0, 2.0])],
    "polydiv": [call(EVEN, W), call(V, W)],
    "polyval": [call(V, W), call(EVEN, M), call(V, Z)],
    "polyfit": [
        call(EVEN, EVEN**3, 2), call(EVEN, np.cos(EVEN), 1, w=np.abs(EVEN)), call(EVEN, np.sin(EVEN), 1, full=True),
        call(np.arange(6.0), np.sin(np.arange(6.0)), 2, cov=True), call(EVEN, np.stack([EVEN, EVEN**2], 1), 1),
    ],
    "roots": [eager(call(EVEN)), eager(call(np.array([1.0, -6.0, 11.0, -6.0]))), eager(call(Z))],
    "vander": [call(V), call(V, 4, increasing=True), call(Z, 2)],
}  # fmt: skip


def projector(np, a):
    """V V^T of the eigenvectors with the two smallest eigenvalues: what does not depend on their signs."""
    vectors = np.linalg.eigh(symmetric(np, a)).eigenvectors[..., :2]
    return vectors @ np.conj(np.swapaxes(vectors, -1, -2))


def eigen_function(np, a):
    """exp(A), as complex numbers: whether NumPy's eigenvalues are real is known only with the entries."""
    values, vectors = np.linalg.eig(a)
    return (vectors * np.exp(values)) @ np.linalg.inv(vectors) + 0j


def symmetric(np, a):
    return a + np.conj(np.swapaxes(a, -1, -2))


LINALG = {
    "cholesky": [
        through(lambda f, a: f(a @ a.T), S), through(lambda f, a: f(a @ np.swapaxes(a, -1, -2)), STACK),
        through(lambda f, a: f(a @ np.conj(a.T)), ZS), through(lambda f, a: f(a @ a.T, upper=True), S),
    ],
    "det": [call(S), call(STACK), call(ZS), call(np.ones((3, 3)))],
    "slogdet": [call(S), call(STACK), call(ZS)],
    "inv": [call(S), call(STACK), call(ZS)],
    "pinv": [call(S), call(TALL), call(WIDE), call(ZM), through(lambda f, a: f(symmetric(np, a), hermitian=True), S)],
    "solve": [call(S, V), call(STACK, S), call(ZS, V), call(S, M.T)],
    "lstsq": [
        using(lambda np, a, b: np.linalg.lstsq(a, b)[0], TALL, V),
        using(lambda np, a, b: np.linalg.lstsq(a, b)[1], TALL, S),
        using(lambda np, a, b: np.linalg.lstsq(a, b, rcond=None)[0], WIDE, V[:2]), call(TALL, V),
    ],
    "eig": [using(eigen_function, S), using(lambda np, a: np.abs(np.linalg.eig(a)[1]), S), using(eigen_function, ZS)],
    "eigvals": [call(ZS), *[through(lambda f, a: f(a) + 0j, a) for a in (S, STACK)]],
    "eigh": [
        using(projector, S), through(lambda f, a: f(a @ a.T)[1] ** 2, S), using(projector, STACK), using(projector, ZS),
        through(lambda f, a: np.abs(f(symmetric(np, a), "U")[1]), ZS), through(lambda f, a: f(a @ a.T)[0], S),
    ],
    "eigvalsh": [through(lambda f, a: f(symmetric(np, a)), a) for a in (S, STACK, ZS)]
    + [through(lambda f, a: f(symmetric(np, a), "U"), S)],
    "svd": [
        call(M, compute_uv=False), using(lambda np, a: np.linalg.svd(a, full_matrices=False)[0] ** 2, M),
        using(lambda np, a: np.abs(np.linalg.svd(a)[2]), S), call(STACK, full_matrices=False),
        through(lambda f, a: f(symmetric(np, a), hermitian=True)[1], S),
    ],
    "svdvals": [call(M), call(STACK), call(ZS)],
    "qr": [call(S), call(TALL), call(TALL, "r"), call(STACK), call(ZS), call(WIDE), call(TALL, mode="complete")],
    "norm": [
        call(V), call(M), call(M, axis=1), call(V, 3), call(V, np.inf), call(M, 1), call(M, 2), call(M, "nuc"),
        call(M, "fro"), call(T, axis=(0, 2)), call(Z), call(M, -1, axis=0, keepdims=True), call(V, 0), call(M, -2),
    ],
    "vector_norm": [call(V), call(M, axis=1), call(M, ord=3), call(Z), call(T, axis=(0, 2), keepdims=True)],
    "matrix_norm": [call(M), call(T), call(M, ord="nuc"), call(M, ord=2), call(T, keepdims=True, ord=1)],
    "cond": [call(S), call(S, "fro"), call(S, 1), call(S, -2), call(STACK, 2)],
    "matrix_rank": [call(S), call(np.ones((3, 3))), call(STACK)],
    "matrix_power": [call(S, 3), call(S, -2), call(STACK, 0), call(ZS, 5)],
    "multi_dot": [call([M, S, V]), call([S, S, TALL]), call([V, S, W])],
    "tensorsolve": [call(T.reshape(2, 3, 4)[..., :3].reshape(6, 3)[:3] + 2 * np.eye(3), V),
                    call((np.eye(6) + 0.1 * np.sin(np.arange(36.0)).reshape(6, 6)).reshape(2, 3, 6), M)],
    "tensorinv": [call((np.eye(6) + 0.1 * np.sin(np.arange(36.0)).reshape(6, 6)).reshape(2, 3, 6), ind=2),
                  call(S, ind=1)],
    "cross": [call(V, W), call(M, POSITIVE_M)],
    "diagonal": [call(S), call(T, offset=1)],
    "trace": [call(S), call(T, offset=1)],
    "matrix_transpose": [call(M), call(T)],
    "matmul": [call(M, S)],
    "outer": [call(V, W), call(Z, V)],
    "tensordot": [call(M, S, axes=1)],
    "vecdot": [call(V, W), call(Z, V), call(M, W, axis=-1)],
}  # fmt: skip

GRID = T[0]  # (3, 4)
FFT = {
    "fft ifft": [call(V), call(Z), call(EVEN, 3), call(GRID, 6, 0), call(V, norm="ortho"), call(V.astype("f4"))],
    "rfft ihfft": [call(V), call(EVEN), call(GRID, 5, 0), call(EVEN, norm="forward")],
    "irfft hfft": [call(Z), call(Z, 5), call(ZM, 4, 0), call(Z, norm="ortho"), call(V)],
    "fft2 ifft2": [call(M), call(ZM), call(T, axes=(0, 2)), call(M, (3, 2))],
    "fftn ifftn": [call(T), call(ZM, norm="ortho"), call(T, (2, 2), axes=(1, 2))],
    "rfft2": [call(M), call(GRID, norm="ortho"), call(T, (2, 5), (0, 1))],
    "irfft2": [call(ZM), call(ZM, (2, 3)), call(ZM, axes=(1, 0))],
    "rfftn": [call(T), call(GRID, (2, 5), axes=(0, 1))],
    "irfftn": [call(ZM), call(ZM, (2, 3), axes=(0, 1))],
    "fftshift ifftshift": [call(EVEN), call(T, (0, 2)), call(Z)],
    "fftfreq rfftfreq": [call(5), call(6, 0.5)],
}

SAMPLES = {
    **named(PRODUCTS),
    **named(POLYNOMIALS),
    **{f"linalg.{name}": samples for name, samples in named(LINALG).items()},
    **{f"fft.{name}": samples for name, samples in named(FFT).items()},
}
