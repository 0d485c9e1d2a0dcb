"""Plain NumPy expressions, as users write them, over the whole namespace: what must be differentiable as it stands.

v, w are vectors of five numbers, p positive ones, A and B matrices (3, 4), S and R square ones, T has shape (2, 3, 4),
c is a number, z a complex vector, i and k are plain integers, m is a mask. The gradient is taken in every variable
that an expression mentions.
"""

from __future__ import annotations

import math

import numpy as np

rng = np.random.default_rng(11)
VARIABLES = {
    "v": rng.normal(size=5),
    "w": rng.normal(size=5),
    "p": rng.uniform(0.5, 2, size=5),
    "A": rng.normal(size=(3, 4)),
    "B": rng.normal(size=(3, 4)),
    "S": rng.normal(size=(3, 3)) + 3 * np.eye(3),
    "R": rng.normal(size=(3, 3)) + 2 * np.eye(3),
    "T": rng.normal(size=(2, 3, 4)),
    "c": np.float64(0.7),
    "z": rng.normal(size=4) + 1j * rng.normal(size=4),
}
CONSTANTS = {
    "i": np.array([2, 0, 3, 3]),
    "k": 2,
    "m": np.array([True, False, True, True, False]),
    "np": np,
    "math": math,
}

OPERATORS = """
    v + w
    v - w
    v * w
    v / w
    v // w * v
    v % p
    v ** 2
    v ** 3
    p ** v
    p ** 0.5
    2.0 ** v
    p ** -1
    -v
    +v
    abs(v)
    A @ B.T
    S @ R
    A.T @ S
    S @ A
    v @ w
    S @ S[0]
    np.eye(3) @ S
    1.0 - v
    1.0 / p
    3 * v + 2
    divmod(v, p)[1]
    v + [1.0, 2.0, 3.0, 4.0, 5.0]
    v[:, None] * w
    A + A[0]
    A * A[:, :1]
    v * (v > 0)
    (v > 0) * v ** 2
    sum(v)
    max(v) * min(v)
    sum(row @ row for row in A)
    [a * b for a, b in zip(v, w)][2]
    c * v
    v * c ** 2
    float(3) * v
    v ** v.size
    pow(v, 2)
    (v * v).sum() / len(v)
    v * 1j * 1j
    z * z
    z / (z + 3)
    z ** 2
    z ** 0.5
    abs(z)
"""

UFUNCS = """
    np.sin(v)
    np.cos(v)
    np.tan(v)
    np.arcsin(v / 4)
    np.arccos(v / 4)
    np.arctan(v)
    np.arctan2(v, w)
    np.sinh(v)
    np.cosh(v)
    np.tanh(v)
    np.arcsinh(v)
    np.arccosh(1 + p)
    np.arctanh(v / 4)
    np.exp(v)
    np.exp2(v)
    np.expm1(v)
    np.log(p)
    np.log2(p)
    np.log10(p)
    np.log1p(p)
    np.sqrt(p)
    np.cbrt(v)
    np.square(v)
    np.reciprocal(p)
    np.absolute(v)
    np.fabs(v)
    np.sign(v) * v
    np.hypot(v, w)
    np.logaddexp(v, w)
    np.logaddexp2(v, w)
    np.maximum(v, w)
    np.minimum(v, w)
    np.fmax(v, 0)
    np.fmin(v, w)
    np.power(p, v)
    np.float_power(p, v)
    np.mod(v, p)
    np.fmod(v, p)
    np.remainder(v, p)
    np.floor_divide(v, p) + v
    np.divmod(v, p)[1]
    np.modf(v)[0]
    np.frexp(v)[0]
    np.ldexp(v, 3)
    np.copysign(v, w)
    np.deg2rad(v)
    np.rad2deg(v)
    np.degrees(v)
    np.radians(v)
    np.floor(v) + v ** 2
    np.ceil(v) * v
    np.trunc(v) + v
    np.rint(v) * v
    np.heaviside(v, 0.5) * v
    np.add(v, w)
    np.subtract(v, w)
    np.multiply(v, w)
    np.divide(v, w)
    np.true_divide(v, w)
    np.negative(v)
    np.positive(v)
    np.conjugate(z)
    np.exp(z)
    np.log(z)
    np.sqrt(z)
    np.tanh(z)
    np.sin(z) * np.cos(z)
    np.abs(z) ** 2
    np.angle(z)
    np.real(z) * np.imag(z)
    np.add(v, w, dtype=complex)
    np.multiply(v, w, casting="unsafe")
    np.sin(A, dtype=np.float64)
    np.add.reduce(A)
    np.add.reduce(A, axis=1, keepdims=True)
    np.multiply.reduce(A, axis=0)
    np.maximum.reduce(A, axis=1)
    np.logaddexp.reduce(v)
    np.add.accumulate(v)
    np.multiply.accumulate(A, axis=1)
    np.minimum.accumulate(v)
    np.subtract.outer(v, w)
    np.multiply.outer(v, A)
    np.add.reduceat(v, [0, 2, 3])
"""

REDUCTIONS = """
    np.sum(v)
    np.sum(A, axis=0)
    np.sum(T, axis=(0, 2))
    np.sum(A, axis=1, keepdims=True)
    np.sum(v, where=m)
    np.sum(v, initial=2.0)
    np.sum(A, axis=-1, dtype=float)
    np.prod(v)
    np.prod(A, axis=1)
    np.mean(A)
    np.mean(T, axis=(0, 1))
    np.mean(v, where=m)
    np.var(A)
    np.var(A, axis=0, ddof=1)
    np.std(A, axis=1)
    np.std(v, ddof=1, keepdims=True)
    np.average(A, axis=0, weights=[1.0, 2.0, 3.0])
    np.average(v, weights=p)
    np.max(A)
    np.max(A, axis=0)
    np.min(T, axis=(0, 2))
    np.amax(v, initial=0.1)
    np.amin(A, axis=1, keepdims=True)
    np.ptp(v)
    np.ptp(A, axis=1)
    np.median(v)
    np.median(A, axis=1)
    np.quantile(v, 0.3)
    np.quantile(A, [0.2, 0.7], axis=1)
    np.percentile(A, 40, axis=0)
    np.percentile(v, 100 * c)
    np.cumsum(v)
    np.cumsum(A, axis=1)
    np.cumprod(v)
    np.cumulative_sum(v, include_initial=True)
    np.diff(v)
    np.diff(A, n=2, axis=1)
    np.ediff1d(v)
    np.gradient(v)
    np.gradient(A, axis=0)
    np.trapezoid(v, dx=0.1)
    np.trapezoid(A, np.sort(v[:4]))
    np.cov(A)
    np.corrcoef(A)
    np.nansum(np.where(m, v, np.nan))
    np.nanmean(np.where(m, v, np.nan))
    np.nanmax(A, axis=1)
    np.nanstd(np.where(m, v, np.nan))
    np.nanmedian(A, axis=0)
    np.nancumsum(v)
    np.nanpercentile(v, 30)
    np.linalg.norm(np.nan_to_num(v))
    np.histogram(v, bins=[-3, 0, 3], weights=w)[0]
    np.bincount([0, 1, 1, 2, 0], weights=v)
    np.interp(c, [0.0, 0.5, 1.0], v[:3])
    np.interp(p, np.arange(4.0), A[0])
    np.unwrap(6 * v)
    np.count_nonzero(v) * v
    np.argmax(v) * v
    np.any(v > 0) * v
    np.all(A > 0, axis=0) * A
    np.clip(v, -0.5, 0.5)
    np.clip(v, w - 1, w + 1)
    np.sum(A, axis=0, where=A > 0)
    np.max(A, axis=1, where=A < 1, initial=-2)
    np.mean(A, axis=1, keepdims=True) - A
    np.average(T, axis=(0, 1))
    np.std(T, axis=(1, 2))
    np.var(v, correction=1)
    np.prod(T, axis=(0, 2), keepdims=True)
    np.quantile(v, 0.4, method="lower")
    np.quantile(v, 0.4, method="inverted_cdf", weights=p)
    np.cov(v, w)
    np.gradient(v, 0.5)
    np.gradient(A)[1]
    np.gradient(v, np.cumsum(p))
    np.nanvar(np.where(m, v, np.nan), ddof=1)
    np.nanprod(A, axis=0)
    np.nanmin(A)
    np.nanquantile(np.where(m, v, np.nan), 0.4)
    np.nancumprod(v)
    np.histogram2d(v, w, bins=2, weights=p)[0]
    np.histogram(v, bins=3, density=True, weights=p)[0]
    np.trapezoid(v, np.cumsum(p))
    np.diff(v, prepend=c, append=[1.0])
    np.cumulative_prod(A, axis=1)
    np.interp(p, np.cumsum(p), v, period=6.0)
    np.array_equal(v, w) + v
    np.apply_along_axis(np.sum, 0, A ** 2)
    np.apply_over_axes(np.sum, T ** 2, [0, 2])
"""

SHAPES = """
    np.reshape(A, (4, 3)) * A.T
    A.reshape(2, 6)
    A.reshape(-1)
    A.reshape(12, order="F")
    np.ravel(A)
    A.ravel("F")
    A.flatten()
    np.transpose(T, (2, 0, 1))
    T.transpose(1, 0, 2)
    A.T ** 2
    T.mT
    np.swapaxes(T, 0, 2)
    np.moveaxis(T, 0, -1)
    np.rollaxis(T, 2)
    np.expand_dims(v, 1) * w
    v[None].squeeze(0)
    np.squeeze(v[:, None, None])
    np.atleast_2d(v)
    np.atleast_3d(A)
    np.broadcast_to(v, (3, 5)) * np.arange(15).reshape(3, 5)
    np.broadcast_arrays(v, v[:, None])[0]
    np.concatenate([v, w])
    np.concatenate([A, B], axis=1)
    np.concatenate([A, S], axis=-1)
    np.stack([v, w])
    np.stack([A, B], axis=-1)
    np.hstack([v, w])
    np.vstack([v, w])
    np.dstack([A, B])
    np.column_stack([v, w])
    np.block([[S, R], [R, S]])
    np.append(v, w)
    np.append(A, B, axis=0)
    np.insert(v, 2, c)
    np.insert(v, [1, 3], w[:2])
    np.delete(v, 2)
    np.delete(A, [0, 2], axis=1)
    np.split(v, [2, 3])[1]
    np.array_split(v, 2)[0]
    np.hsplit(A, 2)[1]
    np.vsplit(A, 3)[0]
    np.unstack(A)[1]
    np.tile(v, 3)
    np.tile(A, (2, 2))
    np.repeat(v, 2)
    np.repeat(A, [1, 0, 2], axis=0)
    np.roll(v, 2)
    np.roll(A, (1, -1), axis=(0, 1))
    np.flip(v)
    np.flip(A, axis=1)
    np.fliplr(A)
    np.flipud(A)
    np.rot90(A)
    np.pad(v, 2)
    np.pad(A, ((1, 0), (0, 2)), mode="edge")
    np.pad(v, 2, mode="reflect")
    np.pad(v, 1, constant_values=3.0)
    np.pad(v, 2, mode="linear_ramp")
    np.resize(v, (2, 4))
    np.diag(v)
    np.diag(S)
    np.diagflat(v[:2], 1)
    np.diagonal(S, 1)
    np.trace(S)
    S.trace() * v
    np.tril(S)
    np.triu(S, 1)
    np.meshgrid(v, w)[1]
    np.copy(v)
    v.copy() * w
    np.astype(v, complex)
    v.astype(float)
    np.ones_like(v) * v
    np.zeros_like(A) + A
    np.full_like(v, 2.0) * v
    np.full_like(v, c)
    np.linspace(c, 2.0, 4)
    np.linspace(v, w, 3)
    np.geomspace(p, 2 * p + 1, 3)
    np.logspace(c, 1.0, 3)
    np.nan_to_num(v)
    np.real_if_close(v)
    np.sinc(v)
    np.i0(v)
    np.emath.sqrt(p)
    np.emath.log(p)
    np.vander(v, 3)
    np.fft.fft(v)
    np.fft.rfft(v)
    np.fft.irfft(z)
    np.abs(np.fft.fft2(A)) ** 2
    np.fft.fftshift(v)
    np.fft.ifft(z, 6)
    np.fft.hfft(z)
    np.fft.ihfft(v)
    np.fft.rfftn(T, axes=(0, 2)).real
    np.fft.irfft2(A + 1j * B)
    np.fft.fft(v, norm="ortho") * np.fft.fftfreq(5)
    np.permute_dims(T, (1, 0, 2))
    np.matrix_transpose(T)
    np.dsplit(T, 2)[1]
    np.concat([v, w])
    np.squeeze(T[:1], axis=0)
    np.astype(z, complex) ** 2
"""

INDEXING = """
    v[0]
    v[-1] * v[2]
    v[1:4]
    v[::-1]
    v[::2] * 2
    A[1]
    A[1, 2]
    A[:, 1]
    A[..., 0]
    A[None, :, None]
    A[1:, ::-2]
    T[0, 1:, ::2]
    T[..., 1]
    v[i]
    v[[0, 2, 2]]
    A[[0, 1], [2, 3]]
    A[np.ix_([0, 2], [1, 3])]
    A[:, i]
    T[[1, 0], :, [2, 3]]
    v[m]
    v[v > 0]
    A[A > 0]
    A[np.array([True, False, True])]
    A[m[:3], 1]
    v[np.argsort(v)]
    A[np.arange(3), np.argmax(A, axis=1)]
    v[k]
    v[np.newaxis, :]
    np.take(v, i)
    np.take(A, [0, 2], axis=1)
    v.take([0, 4])
    np.take_along_axis(A, np.argsort(A, axis=1), axis=1)
    np.compress(m, v)
    np.extract(m, v)
    np.choose([0, 1, 0, 1, 1], [v, w])
    np.where(m, v, w)
    np.where(v > 0, v ** 2, np.exp(v))
    np.where(v > 0, np.sqrt(np.abs(v)), 0)
    np.select([v > 1, v > 0], [v, v ** 2], 1.0)
    np.piecewise(v, [v < 0, v >= 0], [lambda x: -x, lambda x: x ** 2])
    np.nonzero(v)[0].size * v
    np.sort(v)
    np.sort(A, axis=0)
    np.partition(v, 2)
    np.sort_complex(z)
    np.unique(v)
    np.union1d(v, w)
    np.setdiff1d(v, [0.0])
    np.trim_zeros(np.concatenate([[0.0], v]))
    np.searchsorted([-1.0, 0.0, 1.0], v) * v
    np.isclose(v, w) + v
    np.digitize(v, [0.0]) * v
    np.argpartition(v, 2)[0] * v
    np.lexsort((v, w)) * v
    list(v)[1]
    [*v, c][5]
    v.flat[3]
    np.triu(S)[np.triu_indices(3)]
    S[np.diag_indices(3)]
    S[np.tril_indices_from(S, -1)]
    np.diff(v[np.argsort(v)]) ** 2
"""

PRODUCTS = """
    np.dot(v, w)
    np.dot(S, S[0])
    np.dot(A.T, S)
    v.dot(w)
    S.dot(R)
    np.vdot(v, w)
    np.vdot(z, z)
    np.inner(A, B)
    np.outer(v, w)
    np.matmul(S, A)
    np.matvec(S, S[0])
    np.vecdot(A, B)
    np.tensordot(A, B, axes=([0, 1], [0, 1]))
    np.tensordot(T, A, 2)
    np.einsum("ij,ij->i", A, B)
    np.einsum("ij,jk,kl->il", S, R, S)
    np.einsum("ii", S)
    np.einsum("i,j", v, w)
    np.einsum("...ij,jk->...ik", T, A.T)
    np.kron(S, R)
    np.cross(S[0], R[0])
    np.cross(S, R)
    np.convolve(v, w)
    np.convolve(v, w, "same")
    np.correlate(v, w[:3], "valid")
    np.polyval(v, c)
    np.polyadd(v, w)
    np.polymul(v, w)
    np.polyder(v)
    np.polyint(v)
    np.polyfit(np.arange(5.0), v, 2)
    np.linalg.solve(S, A)
    np.linalg.solve(S, S[0])
    np.linalg.inv(S)
    np.linalg.det(S)
    np.linalg.slogdet(S)[1]
    np.linalg.norm(v)
    np.linalg.norm(A)
    np.linalg.norm(A, axis=1)
    np.linalg.norm(v, 1)
    np.linalg.norm(v, np.inf)
    np.linalg.norm(A, "nuc")
    np.linalg.norm(A, 2)
    np.linalg.cholesky(S @ S.T)
    np.linalg.eigh(S + S.T)[0]
    np.linalg.eigh(S + S.T).eigenvectors ** 2
    np.linalg.eigvalsh(S + S.T)
    np.linalg.eigvals(S + 5 * R).real.sum()
    np.linalg.svd(A, compute_uv=False)
    np.linalg.svd(A, full_matrices=False)[2] ** 2
    np.linalg.svdvals(A)
    np.linalg.qr(S)[1]
    np.linalg.qr(A.T).Q
    np.linalg.pinv(A)
    np.linalg.lstsq(A.T, A[0], rcond=None)[0]
    np.linalg.matrix_power(S, 3)
    np.linalg.multi_dot([A.T, S, R])
    np.linalg.cond(S)
    np.linalg.vector_norm(v, ord=3)
    np.linalg.matrix_norm(T)
    np.linalg.tensorinv(S, ind=1)
    np.linalg.trace(T[:, :, :3])
    np.linalg.cross(S, R)
"""

METHODS = """
    v.sum()
    A.sum(axis=1)
    A.mean(0)
    A.var(axis=1)
    v.std()
    v.prod()
    v.max()
    A.min(axis=0)
    v.cumsum()
    v.cumprod()
    A.diagonal()
    v.clip(-1, 1)
    v.round(1) + v
    v.conj() * v
    z.real
    z.imag ** 2
    z.conj() * z
    v.repeat(2)
    A.swapaxes(0, 1)
    A.squeeze()
    v.argmax() * v
    v.astype(complex).real
    v.reshape(5, 1) @ w.reshape(1, 5)
    v.shape[0] * v
    A.ndim * A
    v.size * v
    v.compress(m)
    np.poly1d(v)(0.5)
    np.lib.stride_tricks.sliding_window_view(v, 3)
    A.all(axis=0) * A
    A.any() * A
    A.argsort(axis=1)[:, 0] * v[:3]
    A.argmin(axis=0) * A
    A.argpartition(1, axis=1)[:, 0] * v[:3]
    v.nbytes * v
    A.dot(B.T)
    A.nonzero()[0].size * A
    T.mean(axis=(0, 2), keepdims=True) * T
    A.std(axis=0, ddof=1)
    A.sum(where=A > 0)
    A.max(axis=1, keepdims=True) - A
    A.itemsize * A
    A.ravel().reshape(A.shape) ** 2
    A.take(i, axis=1)
    v.__add__(w)
    v.__rsub__(1.0)
    v.__matmul__(w)
    v.__len__() * v
    S.trace(offset=1)
    T.transpose(2, 0, 1)
    T.sum(axis=-1).T
    z.astype(complex).conjugate()
    z.T @ z
    v.real * 2
    (v + 0j).imag + v
"""

WRITES = """
    (y := v.copy(), y.sort())[0]
    (y := v.copy(), y.fill(c))[0]
    (y := v * 1, y.__setitem__(slice(1, 3), w[:2]))[0]
    (y := v.copy(), y[1:3].__imul__(w[:2]))[0]
    (y := np.zeros_like(v), y.__setitem__(2, c))[0]
    (y := np.zeros_like(v), y.__setitem__(m, w[m] ** 2))[0]
    (y := A.copy(), y.__setitem__((0, slice(None)), A[1] * A[2]))[0]
    (y := A.copy(), y.T.__setitem__(1, S[0]))[0]
    (y := v.copy(), np.add.at(y, [0, 0, 2], w[:3]))[0]
    (y := v.copy(), np.multiply(y, w, out=y))[0]
    (y := v.copy(), np.copyto(y, w, where=m))[0]
    (y := v.copy(), np.put(y, [0, 2], w[:2]))[0]
    (y := S.copy(), np.fill_diagonal(y, c))[0]
    (y := v.copy(), y.partition(2))[0][2]
"""

GROUPS = {
    "operators": OPERATORS,
    "ufuncs": UFUNCS,
    "reductions": REDUCTIONS,
    "shapes": SHAPES,
    "indexing": INDEXING,
    "products": PRODUCTS,
    "methods": METHODS,
    "writes": WRITES,
}

ARRAYS = "xform.numpy.array, asarray or stack"
PLAIN = "was to become a plain ndarray"

#: what NumPy leaves no door for, with words of the message that says so: it makes its own array of the argument at once
REFUSED = {
    "np.array(v)": ARRAYS,
    "np.asarray(v)": ARRAYS,
    "np.asarray([v, w])": ARRAYS,
    "np.array([v[0], v[1] ** 2, 1.0])": ARRAYS,
    "np.array([[c, 0.0], [0.0, c ** 2]])": ARRAYS,
    "np.full(3, c)": "xform.numpy.full to fill one",
    "np.arange(c, 4.0)": PLAIN,
    "np.r_[v, w]": PLAIN,
    "np.c_[v, w]": PLAIN,
    "np.vectorize(lambda a: a ** 2)(v)": PLAIN,
    "np.polynomial.polynomial.polyval(0.5, v)": PLAIN,
    "np.polynomial.Polynomial(v)(0.3)": PLAIN,
    "np.ma.masked_array(v, m)": PLAIN,
    "A.view() * 2": "Write x.astype(dtype) to convert",
    "math.sin(c)": "numpy.sin(x) for math.sin(x)",
    "float(c) * v": "Leave out float()",
}

EXPRESSIONS = [line.strip() for text in GROUPS.values() for line in text.strip().splitlines()]
