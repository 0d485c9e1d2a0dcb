"""Triangular and orthogonal factors, bases and angles: values of SciPy's, derivatives, errors."""

import numpy as np
import pytest
import scipy.linalg as sl
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, normal, regular
from xform.scipy import linalg
from xform.testing import check_grads

both = pytest.mark.parametrize("dtype", [float, complex])
SHAPES = [(3, 3), (4, 2), (2, 4)]


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_lu(shape, dtype):
    a = normal(*shape, dtype=dtype)
    check(linalg.lu_factor, sl.lu_factor, a)
    for options in ({}, {"permute_l": True}, {"p_indices": True}):
        check(lambda a, o=options: linalg.lu(a, **o), lambda a, o=options: sl.lu(a, **o), a, order=1 if options else 2)


@both
@pytest.mark.parametrize("trans", [0, 1, 2])
def test_lu_solve(trans, dtype):
    def solve(module):
        return lambda a, b: module.lu_solve(module.lu_factor(a), b, trans)

    a = normal(4, 4, dtype=dtype) + 4 * np.eye(4)[[2, 3, 1, 0]]
    check(solve(linalg), solve(sl), a, normal(4, dtype=dtype))
    check(solve(linalg), solve(sl), a, normal(4, 2, dtype=dtype), order=0)


def test_lu_of_a_stack_and_of_nothing():
    a = normal(3, 2, 4, 4)
    p, left, right = xform.linearize(linalg.lu, a)[0]
    assert_allclose(p @ left @ right, a)
    assert [y.shape for y in xform.linearize(linalg.lu, np.zeros((0, 2)))[0]] == [(0, 0), (0, 0), (0, 2)]


def test_a_singular_matrix_has_factors_without_derivative():
    a = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])
    assert_allclose(xform.vmap(lambda a: linalg.lu(a, permute_l=True)[0] @ linalg.lu(a)[2])(a[None])[0], a)
    with says(LinAlgError, "diagonal without zeros"):
        xform.grad(lambda a: linalg.lu(a)[2].sum())(a)
    with says(ValueError, "trans 5", "A^H"):
        xform.linearize(lambda a: linalg.lu_solve(linalg.lu_factor(a), np.ones(3), 5), regular(3))
    with says(ValueError, "(2,)", "do not fit"):
        xform.linearize(lambda a: linalg.lu_solve(linalg.lu_factor(a), np.ones(2)), regular(3))


@both
@pytest.mark.parametrize("pivoting", [False, True])
@pytest.mark.parametrize("shape, mode", [(s, m) for s in SHAPES for m in ("full", "r", "economic")])
def test_qr(shape, mode, pivoting, dtype):
    """Of a tall matrix the columns that complete Q are not unique, and have no derivative of finite differences."""
    order = 0 if shape == (4, 2) and mode == "full" else 1
    check(
        lambda a: linalg.qr(a, mode=mode, pivoting=pivoting),
        lambda a: sl.qr(a, mode=mode, pivoting=pivoting),
        normal(*shape, dtype=dtype),
        order=order,
    )


@both
@pytest.mark.parametrize("shape, mode", [(s, m) for s in SHAPES for m in ("full", "r", "economic")])
def test_rq(shape, mode, dtype):
    a = normal(*shape, dtype=dtype)
    if shape == (2, 4) and mode == "full":
        r, q = xform.linearize(linalg.rq, a)[0]
        assert_allclose(r @ q, a)
        assert_allclose(q @ q.conj().T, np.eye(4), atol=1e-14)
        return
    check(lambda a: linalg.rq(a, mode=mode), lambda a: sl.rq(a, mode=mode), a, order=1)


@both
@pytest.mark.parametrize("mode, c_shape", [("right", (3,)), ("right", (2, 3)), ("left", (2,)), ("left", (2, 2))])
def test_qr_multiply(mode, c_shape, dtype):
    for options in ({"pivoting": True}, {"conjugate": True}):
        check(
            lambda a, c, o=options: linalg.qr_multiply(a, c, mode, **o),
            lambda a, c, o=options: sl.qr_multiply(a, c, mode, **o),
            normal(3, 2, dtype=dtype),
            normal(*c_shape, dtype=dtype),
            order=1,
        )


def test_errors_of_orthogonal_factors():
    a = regular(3)
    with says(ValueError, "'raw'", "'economic'"):
        xform.linearize(lambda a: linalg.qr(a, mode="raw"), a)
    with says(ValueError, "'raw'", "'economic'"):
        xform.linearize(lambda a: linalg.rq(a, mode="raw"), a)
    with says(ValueError, "'up'", "'left'"):
        xform.linearize(lambda a: linalg.qr_multiply(a, a, "up"), a)


# --- bases ---


def projector(basis):
    return basis @ basis.conj().T


@both
def test_projectors_on_range_and_null_space(dtype):
    """They are functions of the matrix, whatever the basis: the null space of A^H complements the range of A."""
    a = normal(4, 2, dtype=dtype)
    p, q = (lambda a: projector(linalg.orth(a))), (lambda a: projector(linalg.null_space(a.conj().T)))
    check_grads(p, (a,), order=2)
    v = normal(4, 2, dtype=dtype)
    (p_value, p_dot), (q_value, q_dot) = (xform.jvp(f, (a,), (v,)) for f in (p, q))
    assert_allclose(p_value + q_value, np.eye(4), atol=1e-13)
    assert_allclose(p_dot + q_dot, np.zeros((4, 4)), atol=1e-12)


def test_bases_of_a_matrix_of_low_rank():
    a = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0, 0.0])
    assert xform.linearize(linalg.orth, a)[0].shape == (3, 1)
    assert xform.linearize(linalg.null_space, a)[0].shape == (4, 3)
    assert xform.linearize(lambda a: linalg.orth(a, rcond=1e-20), a)[0].shape == sl.orth(a, rcond=1e-20).shape
    assert xform.linearize(linalg.null_space, regular(3))[0].shape == (3, 0)
    with says(xform.ConcretizationError, "rank", "null_space"):
        xform.jit(linalg.null_space)(a)
    with says(ValueError, "stack"):
        xform.linearize(linalg.orth, normal(2, 3, 3))


@both
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_angles_between_subspaces(columns, dtype):
    a, b = normal(5, 2, dtype=dtype), normal(5, columns, dtype=dtype)
    assert_allclose(xform.linearize(linalg.subspace_angles, a, b)[0], sl.subspace_angles(a, b), atol=1e-14)
    check_grads(linalg.subspace_angles, (a, b), order=2)


def test_small_and_zero_angles():
    """The angle between e_1 and (cos t, sin t) is t, for tiny t as well; at t = 0 the derivative is taken as zero."""
    e = np.array([[1.0], [0.0]])

    def angle(t):
        return linalg.subspace_angles(e, xform.numpy.stack([np.cos(t), np.sin(t)])[:, None])[0]

    for t in (1e-9, 1e-3, 0.7, 1.5):
        assert_allclose(xform.value_and_grad(angle)(t), (t, 1.0), rtol=1e-6)
    assert_array_equal(xform.value_and_grad(angle)(0.0), (0.0, 0.0))
    with says(ValueError, "as many rows"):
        xform.linearize(lambda a: linalg.subspace_angles(a, np.ones((3, 1))), e)
