"""numpy.linalg on random stacks of matrices: values, dtypes, errors and results' shapes are NumPy's."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.numpy.agreement import check_agrees


def arrays(dtypes=(np.float64, np.float32, np.complex128), **shape):
    """Stacks of matrices of small integers, of which many are singular, some empty, some no matrices."""
    shapes = hnp.array_shapes(**{"min_dims": 1, "max_dims": 4, "min_side": 0, "max_side": 3, **shape})
    numbers = st.integers(-3, 3).map(float)
    return st.sampled_from(dtypes).flatmap(lambda dtype: hnp.arrays(dtype, shapes, elements=numbers, fill=st.nothing()))


def cropped(x):
    """The leading square block of each matrix, but now and then as it is."""
    n = min(x.shape[-2:]) if x.ndim > 1 else 1
    return x if n == 1 else x[..., :n, :n]


def square_arrays():
    return arrays().map(cropped)


def definite(x):
    """Of a stack of matrices the stack of A A^H + I."""
    return x if x.ndim < 2 else x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(x.shape[-2], dtype=x.dtype)


def call(name, *args, **kwargs):
    """numpy.linalg's function of its first argument, with its results as a tuple."""

    def f(*xs):
        y = getattr(np.linalg, name)(*xs, *args, **kwargs)
        return tuple(y) if isinstance(y, tuple) else y

    return f


@pytest.mark.parametrize("name", ["inv", "det", "slogdet"])
@given(square_arrays())
def test_inverses_and_determinants(name, x):
    for a in (shifted(x), x):
        if is_regular(a):
            check_agrees(call(name), a, ulps=2048)


@given(square_arrays(), st.sampled_from([np.s_[...], np.s_[..., :1], np.s_[..., :0], np.s_[..., 0, :]]))
def test_solve(x, part):
    for a in (shifted(x), x):
        if is_regular(a) and ((a.ndim > 1 and a.shape[-2]) or part != np.s_[..., 0, :]):
            check_agrees(np.linalg.solve, a, a[part] if a.ndim > 1 else a, ulps=2048)


def shifted(x):
    """Matrices less often singular."""
    return x + np.asarray(10 * np.eye(*x.shape[-2:]), x.dtype) if x.ndim > 1 else x


def is_regular(a):
    """Or no matrix to invert; of those singular up to rounding, quotients by rounding errors would be compared."""
    if a.ndim < 2 or a.shape[-2] != a.shape[-1] or not a.size:
        return True
    return (np.linalg.cond(a.astype(complex)) < 1e3).all()


@pytest.mark.parametrize("upper", [False, True])
@given(arrays())
def test_cholesky(upper, x):
    check_agrees(call("cholesky", upper=upper), definite(x), ulps=512)


@pytest.mark.parametrize("side", ["L", "U"])
@given(arrays())
def test_eigenvalues_of_hermitian_matrices(side, x):
    check_agrees(call("eigh", side), definite(x), ulps=512)
    check_agrees(call("eigvalsh", side), definite(x), ulps=512)


@pytest.mark.parametrize("mode", ["reduced", "complete", "r", "raw"])
@given(arrays())
def test_qr(mode, x):
    """Under differentiation the first columns must be independent."""
    full = np.abs(x) if x.ndim < 2 else x + np.asarray(10 * np.eye(*x.shape[-2:]) + 1, x.dtype)
    check_agrees(call("qr", mode), full, ulps=512)
    check_agrees(call("qr", mode), x, doors=["vmap"], ulps=512)


@pytest.mark.parametrize("options", [{}, {"full_matrices": False}, {"compute_uv": False}])
@given(arrays())
def test_svd(options, x):
    check_agrees(call("svd", **options), x, ulps=512)


@given(arrays(min_dims=2), st.sampled_from([None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf, 0, 3]))
def test_matrix_norms(x, ord):
    check_agrees(lambda x: np.linalg.norm(x, ord, axis=(-2, -1)), x, doors=["vmap"], ulps=512)
    if x.size:  # there NumPy warns at empty ones
        check_agrees(functools.partial(np.linalg.matrix_norm, ord=ord), x, ulps=512)


@given(arrays(), st.sampled_from([0, 1, 2, 3, -1, 0.5, np.inf, -np.inf]), st.booleans())
def test_vector_norms(x, ord, keepdims):
    f = functools.partial(np.linalg.vector_norm, ord=ord, axis=-1, keepdims=keepdims)
    check_agrees(f, x, doors=["vmap"], ulps=512)


@given(square_arrays(), st.integers(0, 4))
def test_powers(x, n):
    check_agrees(lambda x: np.linalg.matrix_power(x, n), x, ulps=512)
