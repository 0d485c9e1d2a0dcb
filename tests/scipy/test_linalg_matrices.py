"""Matrices made of vectors, the names and signatures of SciPy, and plain arrays."""

import inspect

import numpy as np
import pytest
import scipy.linalg as sl
from numpy.testing import assert_array_equal

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, normal
from xform.scipy import linalg

MATRICES = [
    ("toeplitz", (3,)),
    ("toeplitz", (3,), (2,)),
    ("hankel", (3,)),
    ("hankel", (2,), (4,)),
    ("circulant", (4,)),
    ("leslie", (3,), (2,)),
    ("companion", (2,)),
    ("companion", (4,)),
    ("fiedler_companion", (2,)),
    ("fiedler_companion", (5,)),
    ("fiedler_companion", (6,)),
    ("block_diag", (2, 3), (1, 1), (2,)),
    ("block_diag", (2, 0), (1, 1)),
    ("khatri_rao", (3, 2), (4, 2)),
]


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("name, shapes", [(name, shapes) for name, *shapes in MATRICES])
def test_matrices_of_vectors(name, shapes, dtype):
    real = name == "fiedler_companion"  # SciPy's drops imaginary parts
    args = [normal(*s, dtype=float if real else dtype) for s in shapes]
    args[0][:1] += 4  # the leading coefficient of a companion matrix divides the others
    check(getattr(linalg, name), getattr(sl, name), *args, order=1)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_matrices(mode):
    check(lambda a: linalg.convolution_matrix(a, 4, mode), lambda a: sl.convolution_matrix(a, 4, mode), normal(3))


def test_other_matrices():
    check(lambda s: linalg.diagsvd(s, 4, 2), lambda s: sl.diagsvd(s, 4, 2), normal(2))
    check(linalg.fiedler, sl.fiedler, normal(4))
    check(linalg.kron, np.kron, normal(2, 3), normal(2, 2))


def test_integers_stay_integers():
    c = np.array([[1, 2, 3], [4, 5, 6]])
    assert_array_equal(xform.vmap(linalg.toeplitz)(c), np.stack([sl.toeplitz(x) for x in c]), strict=True)
    assert_array_equal(xform.vmap(linalg.circulant)(c), np.stack([sl.circulant(x) for x in c]), strict=True)


def test_errors_of_matrices():
    with says(ValueError, "first coefficient is zero"):
        xform.linearize(linalg.companion, np.array([0.0, 1.0]))
    with says(ValueError, "at least two"):
        xform.linearize(linalg.companion, np.array([1.0]))
    with says(ValueError, "(2, 3)", "(2, 2)"):
        xform.linearize(lambda a: linalg.khatri_rao(a, np.ones((2, 2))), np.ones((2, 3)))
    with says(ValueError, "length"):
        xform.linearize(lambda s: linalg.leslie(np.ones(3), s), np.ones(3))


def test_questions_about_values():
    a = np.tri(3)
    assert xform.linearize(lambda a: a * linalg.bandwidth(a)[0], a)[0][0, 0] == 2
    assert xform.linearize(lambda a: a if linalg.issymmetric(a) else 2 * a, a)[0][0, 0] == 2
    assert not linalg.ishermitian(a)
    with says(xform.ConcretizationError, "bandwidth"):
        xform.jit(linalg.bandwidth)(a)


PUBLIC = sorted(n for n in linalg.__all__ if callable(getattr(linalg, n)) and not inspect.isclass(getattr(linalg, n)))


@pytest.mark.parametrize(
    "name", [n for n in PUBLIC if hasattr(sl, n) and n not in ("bandwidth", "issymmetric", "ishermitian")]
)
def test_signatures_are_scipys(name):
    """Names and kinds of parameters, of which an older or newer SciPy may have fewer."""
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (linalg, sl))
    assert [(p, q.kind) for p, q in ours.items() if p in theirs] == [(p, q.kind) for p, q in theirs.items()]


def test_plain_arrays_are_scipys():
    a = normal(3, 3)
    assert_array_equal(linalg.expm(a), sl.expm(a), strict=True)
    assert_array_equal(linalg.cho_factor(a @ a.T)[0], sl.cho_factor(a @ a.T)[0], strict=True)
    with pytest.raises(ValueError, match="infs or NaNs"):
        linalg.solve(a * np.nan, a)


def test_scipys_own_functions_take_no_tracers():
    with says(xform.ConcretizationError):
        xform.grad(lambda a: sl.expm(a).sum())(np.eye(2))
