"""Calls drawn at random for products, polynomials, linear algebra, Fourier transforms and creation."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.numpy.agreement import arrays
from tests.numpy.surface.base import call, named, through
from tests.numpy.surface.drawn import (
    ELEMENTWISE,
    FLOATS,
    NUMBERS,
    REDUCTIONS,
    SHAPES,
    SHAPING,
    calls,
    choice,
    flags,
    lists,
    matrices,
    one_of_shapes,
    scalars,
    some,
    vectors,
    with_options,
)

PRODUCT_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((2, 3), (2, 3)), ((), (3,)), ((2, 2, 3), (3, 4)), ((0,), (0,)),
        ((2,), (3,)),
    ((2, 3, 3), (2, 3, 3)), ((2, 0), (0, 3)), ((3,), (3, 2)), ((), ()),
]  # fmt: skip
product = one_of_shapes(PRODUCT_SHAPES).map(lambda xy: call(*xy))

PRODUCTS = {
    "dot vdot inner outer matmul matvec vecmat vecdot kron cross": product,
    "tensordot": st.builds(lambda xy, n: call(*xy, n), one_of_shapes(PRODUCT_SHAPES), choice([0, 1, 2, ([0], [0]),
        ([-1], [0])])),
    "einsum": st.builds(lambda s, xy: call(s, *xy), choice(["ij,jk", "i,i", "ij,ij->i", "...i,...i", "ii,i",
        "ij,jk->q"]),
                        one_of_shapes(PRODUCT_SHAPES)),
    "einsum_path": one_of_shapes([((2, 3), (3, 2)), ((3, 3), (3, 1))]).map(lambda xy: call("ij,jk", *xy)),
    "convolve correlate": st.builds(call, vectors, vectors, choice(["full", "same", "valid", "x"])),
}  # fmt: skip

#: coefficients whose first one is not zero
leading = arrays(("f8", "f4", "c16", "i8"), choice([(1,), (3,), (4,)]), special=False).map(
    lambda p: np.concatenate([np.ones(1, p.dtype), p])
)
POLYNOMIALS = {
    "poly": calls(arrays(("f8", "c16", "i8"), choice([(3,), (2, 2), (0,), (2, 3)]), special=False)),
    "polyadd polysub": st.builds(call, vectors, vectors),
    "polymul": st.builds(call, leading, leading),
    "polyder": calls(vectors, choice([0, 1, 2, -1])),
    "polyint": calls(vectors, choice([0, 1, 2, -1])),
    "polydiv": st.builds(call, leading, leading),
    "polyval": st.builds(call, vectors, some),
    "polyfit": st.builds(lambda y, n: call(np.array([0.0, 1, 2, 4]), y, n), arrays(("f8", "f4", "i8"), choice([(4,),
        (4, 2), (3,)]), special=False),
                         choice([0, 1, 2, -1])),
    "roots": calls(leading.map(lambda p: np.concatenate([p, p[:1]]))),  # zeros at the end decide on dtypes
    "vander": with_options(vectors, choice([None, 0, 2, 5]), increasing=flags),
}  # fmt: skip

INEXACT = ("f8", "f4", "c16")
SQUARE = choice([(2, 2), (3, 3), (2, 3, 3), (0, 0), (1, 1), (2, 0, 0)])
MATRICES = choice([(2, 3), (3, 2), (2, 2), (2, 3, 2), (1, 3)])


def distinct(shape_of_matrices: st.SearchStrategy) -> st.SearchStrategy:
    """Matrices with a dominant diagonal of distinct entries: far from singular and from equal eigenvalues."""
    return st.builds(dominant, arrays((*INEXACT, "i8"), shape_of_matrices, special=False))


def dominant(a: np.ndarray) -> np.ndarray:
    m, n = a.shape[-2:]
    return (a + 20 * np.eye(m, n, dtype=a.dtype) * np.arange(1, n + 1)).astype(a.dtype)


def hermitian(a: np.ndarray) -> np.ndarray:
    return a + np.conj(np.swapaxes(a, -1, -2))


bad = choice([np.ones((2, 3)), np.ones(3), np.zeros((2, 2)), np.ones(())])
square = st.one_of(distinct(SQUARE), distinct(SQUARE), bad)
symmetric = st.one_of(distinct(SQUARE).map(hermitian), bad)
rectangular = st.one_of(distinct(MATRICES), choice([np.ones(3), np.ones(())]))
ORDERS = choice([None, 1, 2, -1, np.inf, -np.inf, 0, 3, "fro", "nuc", "x"])

LINALG = {
    "cholesky": with_options(symmetric, upper=flags),
    "det slogdet inv": calls(square),
    "pinv": calls(rectangular),
    "solve": st.builds(call, square, choice([np.ones(3), np.ones((3, 2)), np.ones(2), np.ones((2, 2, 1)), np.ones((0,
        2))])),
    "lstsq": st.builds(call, distinct(choice([(2, 2), (3, 2), (2, 3)])), choice([np.ones(2), np.ones((3, 2)),
        np.ones(3)])),
    "eig": st.builds(lambda a: through(lambda f, a: f(a)[0] + 0j, a), square),
    "eigvals": st.builds(lambda a: through(lambda f, a: f(a) + 0j, a), square),
    "eigh eigvalsh": calls(symmetric, choice(["L", "U", "x"])),
    "svd": with_options(rectangular, full_matrices=flags, compute_uv=flags),
    "svdvals": calls(rectangular),
    "qr": calls(rectangular, choice(["reduced", "complete", "r", "x"])),
    "norm": with_options(arrays(INEXACT, SHAPES, special=False), ord=ORDERS, axis=choice([None, 0, -1, (0, 1), 5]),
        keepdims=flags),
    "vector_norm": with_options(arrays(INEXACT, SHAPES, special=False), ord=choice([2, 1, 3, np.inf, 0]),
        axis=choice([None, 0, (0, 1)]),
                                keepdims=flags),
    "matrix_norm": with_options(arrays(INEXACT, SHAPES, special=False), ord=choice(["fro", "nuc", 1, 2, -2, np.inf]),
        keepdims=flags),
    "cond": calls(square, choice([None, 1, 2, -2, "fro", np.inf])),
    "matrix_rank": calls(rectangular),
    "matrix_power": calls(square, choice([0, 1, 3, -1])),
    "multi_dot": calls(one_of_shapes([((2, 3), (3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (2, 3))])),
    "tensorsolve": st.builds(lambda a: call(a, np.ones(3)), distinct(choice([(3, 3), (2, 2)]))),
    "tensorinv": calls(distinct(choice([(3, 3), (2, 3)])), ind=choice([1, 0])),
    "cross": one_of_shapes([((3,), (3,)), ((2, 3), (3,)), ((2,), (3,))]).map(lambda xy: call(*xy)),
    "diagonal trace": with_options(some, offset=st.integers(-2, 2)),
    "matrix_transpose": calls(some),
    "matmul outer": product,
    "tensordot": st.builds(lambda xy, n: call(*xy, axes=n), one_of_shapes(PRODUCT_SHAPES), choice([0, 1, 2])),
    "vecdot": product,
}  # fmt: skip

entries = arrays(NUMBERS, choice([(2, 3), (3, 2), (2, 3, 2), (3,)]), special=False)  # NumPy pads nothing with garbage
NORMS = choice([None, "ortho", "forward", "backward", "x"])
AXES = choice([None, (0,), (0, 1), (-1, 0), (0, 0), (3,)])
FFT = {
    "fft ifft rfft irfft hfft ihfft": with_options(some, n=choice([None, 2, 5, 0]), axis=choice([-1, 0, 1, 3]),
        norm=NORMS),
    "fft2 ifft2 rfft2 irfft2": with_options(entries, s=choice([(2, 3), (4, 2), (2,)]), axes=choice([(0, 1), (-1, 0), (0,
        5)]), norm=NORMS),
    "fftn ifftn rfftn irfftn": with_options(some, axes=AXES, norm=NORMS),
    "fftshift ifftshift": with_options(st.one_of(vectors, matrices), axes=choice([None, 0, (0, 1), 3])),
    "fftfreq rfftfreq": calls(choice([1, 4, 5, 0, 2.5]), choice([1.0, 0.5])),
}  # fmt: skip

inexact = arrays(FLOATS, SHAPES, special=False)
DTYPES = choice(["f4", "f8", "c16", None])
ends = st.one_of(scalars, arrays(FLOATS, choice([(), (2,), (2, 1)]), special=False))
ranges = {"num": choice([0, 1, 4, -1]), "endpoint": flags}
CREATION = {
    "array asarray asanyarray": with_options(st.one_of(some, lists, choice([[1, [2.0]], 2, [[1], [2]]])), dtype=DTYPES),
    "ascontiguousarray asfortranarray": calls(some),
    "asarray_chkfinite": calls(arrays()),
    "copy": calls(arrays(), choice(["K", "C", "F"])),
    "astype": calls(arrays(("f8", "i8", "bool")), choice([np.float32, np.float64, np.complex128])),
    "require": calls(some, choice([None, "f8"])),
    "full": calls(choice([3, (2, 3), (), (2, 0), -1]), some, DTYPES),
    "full_like": calls(inexact, inexact, DTYPES),
    "ones_like zeros_like": with_options(some, dtype=DTYPES, shape=choice([3, (2, 2), ()])),
    "empty_like": st.builds(lambda x: through(lambda f, x: np.shape(f(x)), x), some),
    "linspace": with_options(ends, ends, **ranges, dtype=choice([None, "f4"]), axis=choice([0, -1, 1])),
    "logspace": with_options(ends, ends, **ranges, base=choice([10.0, 2.0])),
    "geomspace": with_options(ends, ends, **ranges),
    "arange": calls(choice([0, 1.5, -2]), choice([3, 4.5]), choice([1, 0.5, 0])),
    "tri eye": calls(st.integers(-1, 3), choice([None, 2]), st.integers(-2, 2)),
    "ones zeros": calls(choice([3, (2, 0), -1, 1.5]), DTYPES),
    "empty": st.builds(lambda n: through(lambda f: np.shape(f(n))), choice([3, (2, 0), -1])),
    "identity": calls(choice([0, 2, -1, 1.5])),
    "indices": with_options(choice([(2, 3), (0,), ()]), sparse=flags),
    "mgrid ogrid": st.builds(lambda n: through(lambda f: f[0:n, 1:2:4j]), st.integers(0, 3)),
    "s_ index_exp": st.builds(lambda x: through(lambda f, x: x[f[..., :1]], x), some),
    "bartlett blackman hamming hanning": calls(choice([0, 1, 5, -2, 2.5])),
    "kaiser": calls(choice([0, 1, 5]), choice([0.0, 8.6])),
    "diag_indices": calls(st.integers(0, 3), choice([1, 2, 0])),
    "tril_indices triu_indices": calls(st.integers(0, 3), st.integers(-2, 2), choice([None, 2])),
    "mask_indices": calls(st.integers(0, 3), choice([np.triu, np.tril])),
    "ndindex": st.builds(lambda n: through(lambda f: list(f(2, n))), st.integers(0, 3)),
    "broadcast_shapes": calls(choice([(2, 1), (3,), ()]), choice([(3,), (1, 4), 2])),
    "fromfunction": calls(choice([np.add, np.subtract]), choice([(2, 3), (0, 1), (2,)])),
}  # fmt: skip

INSPECTION = {
    "shape ndim size": calls(some),
    "result_type": st.builds(call, some, choice([np.float32, 1.5, 1j, "i2"])),
    "can_cast": calls(choice(["f4", "f8", "i8"]), choice(["f8", "i4", "c16"]), choice(["safe", "same_kind", "x"])),
    "common_type": st.builds(call, some, some),
    "min_scalar_type": calls(arrays(NUMBERS, choice([(3,), (0,)]))),
    "promote_types": calls(choice(["f4", "i8", "S1"]), choice(["f8", "u1"])),
    "isdtype": calls(choice([np.dtype("f4"), np.dtype("i8")]), choice(["real floating", "numeric", "x"])),
    "issubdtype": calls(choice([np.float32, np.int8]), choice([np.inexact, np.integer])),
    "may_share_memory shares_memory": st.builds(call, some, some),
    "isfortran": calls(matrices),
    "array2string array_repr array_str": calls(some),
}  # fmt: skip

whole_or_real = arrays(("f8", "f4", "c16", "i8"))
EMATH = {
    "sqrt log log2 log10 arccos arcsin arctanh": calls(whole_or_real),
    "power logn": calls(whole_or_real, choice([2, 2.5, 0.5])),
}

CALLS = {
    **{f"emath.{name}": drawn for name, drawn in named(EMATH).items()},
    **named(ELEMENTWISE),
    **named(REDUCTIONS),
    **named(SHAPING),
    **named(PRODUCTS),
    **named(POLYNOMIALS),
    **{f"linalg.{name}": drawn for name, drawn in named(LINALG).items()},
    **{f"fft.{name}": drawn for name, drawn in named(FFT).items()},
    **named(CREATION),
    **named(INSPECTION),
}
