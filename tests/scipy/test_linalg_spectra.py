"""Eigenvalue problems, Schur forms and pseudoinverses: values of SciPy's, derivatives, errors.

Signs and phases of vectors may jump from one matrix to the next, so what is differentiated is free of them.
"""

import numpy as np
import pytest
import scipy.linalg as sl
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from tests.scipy.same_as_scipy import check, close, normal, positive
from xform import tree
from xform.core.primitive import Linear
from xform.scipy import linalg
from xform.scipy.linalg.schur_form import triangular_turn
from xform.testing import check_grads

both = pytest.mark.parametrize("dtype", [float, complex])


def hermitian(x):
    return (x + x.conj().T) / 2


def separated(dtype=float):
    """A matrix with eigenvalues near 1, 2 and 4."""
    return np.diag([1.0, 2.0, 4.0]) + 0.1 * normal(3, 3, dtype=dtype)


def squares(x):
    return tree.map(lambda y: np.abs(y) ** 2, x)


# --- Hermitian ---


@both
@pytest.mark.parametrize("lower", [False, True])
def test_eigh_has_the_vectors_of_scipy(lower, dtype):
    a = separated(dtype)
    close(xform.linearize(lambda a: linalg.eigh(a, lower=lower), a)[0], sl.eigh(a, lower=lower))
    check(
        lambda a: squares(linalg.eigh(hermitian(a), lower=lower)),
        lambda a: squares(sl.eigh(hermitian(a), lower=lower)),
        a,
    )


@both
@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("lower", [False, True])
def test_generalized_eigh(kind, lower, dtype):
    def solve(module):
        return lambda a, b: squares(module.eigh(hermitian(a), hermitian(b), type=kind, lower=lower))

    check(solve(linalg), solve(sl), separated(dtype), positive(3, dtype))


def test_subsets_of_eigenvalues():
    a = hermitian(separated())
    for options in ({"subset_by_index": (1, 2)}, {"subset_by_value": (1.5, 10.0)}, {"subset_by_value": (7.0, 8.0)}):
        w, v = xform.linearize(lambda a, o=options: linalg.eigh(a, **o), a)[0]
        wanted_w, wanted_v = sl.eigh(a, **options)
        assert_allclose(w, wanted_w)
        assert_allclose(np.abs(v), np.abs(wanted_v), atol=1e-12)
    check(lambda a: linalg.eigvalsh(hermitian(a)), lambda a: sl.eigvalsh(hermitian(a)), a)
    with says(ValueError, "2 to 3"):
        xform.linearize(lambda a: linalg.eigh(a, subset_by_index=(2, 3)), a)
    with says(ValueError, "type 4", "B A v = w v"):
        xform.linearize(lambda a: linalg.eigh(a, a, type=4), a)
    with says(LinAlgError, "positive"):
        xform.linearize(lambda a: linalg.eigh(a, -a), a)
    with says(xform.ConcretizationError, "interval"):
        xform.jit(lambda a: linalg.eigh(a, subset_by_value=(0, 1)))(a)


def test_a_trace_of_a_function_at_a_degenerate_spectrum():
    """d tr(B^-1 A) = tr(B^-1 dA), also where all eigenvalues are equal."""
    b = positive(3)
    gradient = xform.grad(lambda a: linalg.eigvalsh(a, b).sum())(b)
    assert_allclose(gradient, np.linalg.inv(b), rtol=1e-10)


def test_tridiagonal_and_banded_eigenvalues():
    d, e, ab = normal(4), normal(3), normal(3, 5)
    check(linalg.eigvalsh_tridiagonal, sl.eigvalsh_tridiagonal, d, e)
    check(lambda d, e: squares(linalg.eigh_tridiagonal(d, e)), lambda d, e: squares(sl.eigh_tridiagonal(d, e)), d, e)
    for lower in (False, True):
        check(lambda a, lo=lower: linalg.eigvals_banded(a, lo), lambda a, lo=lower: sl.eigvals_banded(a, lo), ab)
    for select, chosen in (("i", (1, 2)), ("v", (-0.5, 3.0))):
        w, v = xform.linearize(
            lambda d, s=select, c=chosen: linalg.eigh_tridiagonal(d, e, select=s, select_range=c), d
        )[0]
        wanted = sl.eigh_tridiagonal(d, e, select=select, select_range=chosen)
        assert_allclose(w, wanted[0])
        assert_allclose(np.abs(v), np.abs(wanted[1]), atol=1e-12)
    with says(ValueError, "select 'x'"):
        xform.linearize(lambda d: linalg.eigh_tridiagonal(d, e, select="x"), d)
    with says(ValueError, "(n - 1,)"):
        xform.linearize(lambda d: linalg.eigh_tridiagonal(d, d), d)


# --- general ---

OUTPUTS = [{}, {"left": True}, {"left": True, "right": False}, {"right": False}]


@both
@pytest.mark.parametrize("options", OUTPUTS)
def test_eig(options, dtype):
    a = separated(dtype) @ np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    close(xform.linearize(lambda a: linalg.eig(a, **options), a)[0], sl.eig(a, **options))
    check_grads(lambda a: squares(linalg.eig(a, **options)), (a,), order=2)


@both
@pytest.mark.parametrize("options", OUTPUTS)
def test_generalized_eig(options, dtype):
    """SciPy normalizes all left vectors only if it is asked for right ones as well."""
    a, b = separated(dtype), np.eye(3) + normal(3, 3, dtype=dtype) / 6
    value = xform.linearize(lambda a, b: linalg.eig(a, b, **options), a, b)[0]
    wanted = sl.eig(a, b, **{**options, "right": True}) if options else sl.eig(a, b)
    wanted = wanted if options.get("right", True) else wanted[:2] if options.get("left") else wanted[0]
    close(value, wanted)
    both_sides = {"left": True} if options.get("left") else options
    check_grads(lambda a, b: squares(linalg.eig(a, b, **both_sides)), (a, b), order=2 if not options else 1)


def test_left_and_right_vectors_are_biorthogonal_with_their_derivatives():
    a, b, v = separated(), np.eye(3) + normal(3, 3) / 6, normal(3, 3)

    def products(a, b):
        _, left, right = linalg.eig(a, b, left=True)
        p = left.conj().T @ b @ right
        return p - np.diag(np.ones(3)) * p

    values, tangents = xform.jvp(products, (a, b), (v, v.T))
    assert_allclose(values, np.zeros((3, 3)), atol=1e-13)
    assert_allclose(tangents, np.zeros((3, 3)), atol=1e-12)


def test_real_vectors_of_real_eigenvalues():
    a = separated()
    for f in (linalg.eig, lambda a: linalg.eig(a, np.eye(3), left=True)):
        assert [y.dtype.kind for y in xform.linearize(f, a)[0][1:]] == ["f"] * (len(f(a)) - 1)
        assert {y.dtype.kind for y in xform.jit(f)(a)} == {"c"}
    assert_allclose(xform.jit(linalg.eigvals)(a), sl.eigvals(a))


def test_errors_of_eig():
    jordan, a = np.eye(3) + np.eye(3, k=1), separated()
    with says(LinAlgError, "defective"):
        xform.grad(lambda a: linalg.eig(a, np.eye(3), right=False).real.sum())(jordan)
    with says(ValueError, "homogeneous"):
        xform.linearize(lambda a: linalg.eig(a, homogeneous_eigvals=True), a)
    with says(ValueError, "same shape"):
        xform.linearize(lambda a: linalg.eig(a, np.eye(2)), a)


# --- Schur ---


def test_the_schur_form_of_a_matrix_of_real_eigenvalues():
    check(linalg.schur, sl.schur, separated())
    check(lambda a: linalg.schur(a, sort="iuc"), lambda a: sl.schur(a, sort="iuc"), separated() - 3 * np.eye(3))


@both
def test_the_complex_schur_form(dtype):
    def parts(module):
        def f(a):
            t, z = module.schur(a, output="complex")
            return np.abs(t) ** 2, np.abs(z) ** 2, z @ t @ z.conj().T

        return f

    check(parts(linalg), parts(sl), normal(4, 4, dtype=dtype))


def test_a_schur_form_stays_one():
    """T + T_dot is triangular, Z + Z_dot unitary and Z T Z^H the matrix, to first order; to second order as well."""
    a, v = normal(4, 4), normal(4, 4)

    def law(a):
        t, z = linalg.schur(a, output="complex")
        return z @ t @ z.conj().T - a, z.conj().T @ z

    for f in (law, lambda a: xform.jvp(law, (a,), (v,))[1]):
        for dot in xform.jvp(f, (a,), (v,))[1]:
            assert_allclose(dot, np.zeros((4, 4)), atol=1e-9)
    t_dot = xform.jvp(lambda a: linalg.schur(a, output="complex")[0], (a,), (v,))[1]
    assert_array_equal(np.tril(t_dot, -1), 0)


def test_a_real_schur_form_with_blocks_and_equal_eigenvalues():
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert_allclose(xform.linearize(lambda a: linalg.schur(a.conj())[0], np.diag([1.0, 2.0]))[0], np.diag([1.0, 2.0]))
    with says(LinAlgError, "output='complex'"):
        xform.grad(lambda a: linalg.schur(a)[0].sum())(rotation)
    with says(LinAlgError, "equal"):
        xform.grad(lambda a: linalg.schur(a)[0].sum())(np.eye(2))
    with says(ValueError, "'up'", "'complex'"):
        xform.linearize(lambda a: linalg.schur(a, output="up"), rotation)
    with says(xform.NonlinearError, "second argument"):
        triangular_turn.transpose([rotation], Linear(xform.Aval((2, 2), np.dtype(float))), rotation, transposed=False)


def test_the_complex_form_of_a_real_one():
    turning = np.kron(np.eye(2), [[0.0, 3.0], [-3.0, 0.0]])  # two pairs of complex eigenvalues
    t, z = sl.schur(np.diag([1.0, 1.0, 5.0, 5.0]) + turning + 0.1 * normal(4, 4))
    close(xform.linearize(linalg.rsf2csf, t, z)[0], sl.rsf2csf(t, z))

    def parts(a):
        t_, z_ = linalg.rsf2csf(np.where(t == 0, 0, a), z)
        return np.abs(t_) ** 2, z_ @ t_ @ z_.conj().T

    assert np.tril(t, -1).any()
    check_grads(parts, (t,), order=1)


@both
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_hessenberg_form(n, dtype):
    check(
        lambda a: linalg.hessenberg(a, calc_q=True),
        lambda a: sl.hessenberg(a, calc_q=True),
        normal(n, n, dtype=dtype),
        order=2 if n == 3 else 1,
    )
    check(linalg.hessenberg, sl.hessenberg, normal(n, n, dtype=dtype), order=0)


# --- singular values, pseudoinverses, least squares ---


@both
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_pseudoinverses_and_singular_values(shape, dtype):
    a = normal(*shape, dtype=dtype)
    check(linalg.svdvals, sl.svdvals, a, order=1)
    close(tuple(xform.linearize(linalg.svd, a)[0]), sl.svd(a))
    a += 3 * np.eye(*shape)
    check(linalg.pinv, sl.pinv, a, order=2)
    for options in ({"atol": 0.01, "rtol": 0.3}, {"atol": 2.5}):
        close(
            xform.vmap(lambda a, o=options: linalg.pinv(a, **o, return_rank=True))(a[None])[0][0],
            sl.pinv(a, **options, return_rank=True)[0],
        )
    h = hermitian(a @ a.conj().T)
    for lower in (False, True):
        check(lambda h, lo=lower: linalg.pinvh(h, lower=lo), lambda h, lo=lower: sl.pinvh(h, lower=lo), h, order=0)


def test_a_pseudoinverse_of_low_rank():
    a = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])
    inverse, rank = xform.linearize(lambda a: linalg.pinv(a, return_rank=True), a)[0]
    assert_allclose(inverse, sl.pinv(a))
    assert rank == 1
    x, x_dot = xform.jvp(linalg.pinv, (a,), (2 * a,))
    assert_allclose(x_dot, -2 * x)
    for f in (linalg.pinv, linalg.pinvh, lambda a, rtol: linalg.lstsq(a, np.ones(3), cond=rtol)[0]):
        check_grads(lambda a, f=f: f(a + a.T, rtol=0.5), (np.diag([3.0, 1.0, 1.2]),), order=2)
    with says(ValueError, "atol -1"):
        xform.linearize(lambda a: linalg.pinv(a, atol=-1), a)


@both
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("columns", [(), (2,)])
def test_lstsq(shape, columns, dtype):
    a, b = normal(*shape, dtype=dtype), normal(shape[0], *columns, dtype=dtype)
    value, wanted = xform.linearize(linalg.lstsq, a, b)[0], sl.lstsq(a, b)
    for y, w in zip(value, wanted, strict=True):
        assert np.shape(y) == np.shape(w)
        assert_allclose(y, w, atol=1e-12)
    check_grads(linalg.lstsq, (a, b), order=1)


def test_options_of_lstsq():
    a = normal(3, 2)
    assert xform.linearize(lambda a: linalg.lstsq(a, np.ones(3), lapack_driver="gelsy")[:3], a)[0][0].shape == (2,)
    with says(ValueError, "'qr'", "'gelsd'"):
        xform.linearize(lambda a: linalg.lstsq(a, np.ones(3), lapack_driver="qr"), a)
    with says(ValueError, "(3, 2)", "(2,)"):
        xform.linearize(lambda a: linalg.lstsq(a, np.ones(2)), a)
