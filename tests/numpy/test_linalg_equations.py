"""Pseudoinverses, least squares, tensor equations, rank and condition: as NumPy's, with derivatives at every rank."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.linalg import LinAlgError
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from tests.numpy.agreement import check_agrees, check_derivatives
from xform.testing import check_grads

rng = np.random.default_rng(3)
square, stacked = rng.normal(size=(3, 3)) + 2 * np.eye(3), rng.normal(size=(2, 3, 3))
complex_square = square + 1j * rng.normal(size=(3, 3))
tall, wide = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
left, right = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))  # left @ right has rank 2
integer = np.array([[2, 1, 0], [1, 3, 1], [0, 1, 4]])
MATRICES = [
    *(square, stacked, complex_square, square.astype(np.float32), integer, tall, wide, tall.astype(np.complex64)),
    *(left @ right, np.zeros((3, 2)), np.ones((2, 2)), square @ square.T, np.ones(3), np.float64(2)),
    *(np.zeros((0, 0)), np.zeros((0, 3)), np.zeros((2, 3, 0))),
]
two = np.array([0.1, 0.5])
FUNCTIONS = {
    "pinv": np.linalg.pinv,
    "pinv, rcond": lambda x: np.linalg.pinv(x, 0.3),
    "pinv, rtol": lambda x: np.linalg.pinv(x, rtol=None),
    "pinv, one a matrix": lambda x: np.linalg.pinv(x, rtol=two),
    "pinv, both": lambda x: np.linalg.pinv(x, 0.3, rtol=0.3),
    "pinv, hermitian": lambda x: np.linalg.pinv(x, hermitian=True),
    "rank": np.linalg.matrix_rank,
    "rank, tol": lambda x: np.linalg.matrix_rank(x, 0.5),
    "rank, tols": lambda x: np.linalg.matrix_rank(x, two),
    "rank, rtol": lambda x: np.linalg.matrix_rank(x, rtol=two),
    "rank, both": lambda x: np.linalg.matrix_rank(x, 0.5, rtol=0.3),
    "rank, hermitian": lambda x: np.linalg.matrix_rank(x, hermitian=True),
    "tensorinv": np.linalg.tensorinv,
    "tensorinv, 1": lambda x: np.linalg.tensorinv(x, 1),
    "tensorinv, 0": lambda x: np.linalg.tensorinv(x, 0),
    **{
        f"cond, {p}": functools.partial(np.linalg.cond, p=p)
        for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc", 3, "x")
    },
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_matrix(name):
    for x in map(np.asarray, MATRICES):
        if name.startswith("tensorinv") and x.ndim == 0:
            continue  # NumPy raises a TypeError that speaks of reshape
        doors = ["linearize"] if x.dtype.kind in "fc" else []
        check_agrees(FUNCTIONS[name], x, doors=[*doors, "vmap"], ulps=1024)


RIGHT_SIDES = [
    *(rng.normal(size=s) for s in [(3,), (3, 2), (4,), (4, 2), (2, 1), (3, 0), (0, 2), (0,), (2, 3, 1)]),
    np.float64(1.0),
    rng.normal(size=3) + 1j,
    rng.normal(size=(4, 1)).astype(np.float32),
]


@pytest.mark.parametrize("k", range(len(MATRICES)))
def test_lstsq(k):
    for b in RIGHT_SIDES:
        if np.asarray(MATRICES[k]).dtype.kind in "fc":
            f = lambda a, b: tuple(np.linalg.lstsq(a, b))  # noqa: E731
            check_agrees(f, MATRICES[k], b, doors=["linearize"], ulps=4096)


@pytest.mark.parametrize("rcond", [None, -1, 0, 1e-3, 0.4, 1.0, 2.0])
def test_lstsq_by_rcond_has_the_derivative_of_the_rank_it_finds(rcond):
    a = np.diag([1.0, 0.3, 1e-5]) + 0.0
    a = np.concatenate([a, np.zeros((1, 3))])
    b = np.array([1.0, 2.0, 3.0, 4.0])
    x, _, rank, _ = np.linalg.lstsq(a, b, rcond)
    assert_allclose(xform.jacobian(lambda b: np.linalg.lstsq(a, b, rcond)[0])(b) @ b, x)
    assert xform.jvp(lambda a: np.linalg.lstsq(a, b, rcond)[2], (a,), (a,))[0] == rank


def test_lstsq_where_values_are_not_known():
    """There are residuals for each column of b; by vmap over b, A is decomposed once."""
    a, bs = tall, rng.normal(size=(5, 4))
    x, residuals, rank, s = xform.vmap(lambda b: np.linalg.lstsq(a, b))(bs)
    wanted = np.linalg.lstsq(a, bs.T)
    assert_allclose(x, wanted[0].T)
    assert_allclose(residuals[:, 0], wanted[1])
    assert_array_equal(rank, [2] * 5)
    assert_allclose(s, np.stack([wanted[3]] * 5))
    stacked = rng.normal(size=(3, 4, 2))
    xs = xform.vmap(lambda a, b: np.linalg.lstsq(a, b)[0], in_axes=(0, None))(stacked, bs[0])
    assert_allclose(xs, [np.linalg.lstsq(a, bs[0])[0] for a in stacked])
    ones = np.ones((3, 2))
    assert xform.jit(np.linalg.lstsq)(ones, np.arange(3.0))[1].shape == (1,)
    assert_allclose(xform.jit(np.linalg.lstsq)(ones, np.arange(3.0))[1], [2.0])


@pytest.mark.parametrize("a", [tall, wide, square, tall + 1j * wide.T, stacked], ids=lambda a: str(a.shape))
def test_derivatives_of_pinv(a):
    check_grads(np.linalg.pinv, (a,), order=2)


@pytest.mark.parametrize("a", [tall, wide, square, tall + 1j * wide.T], ids=lambda a: str(a.shape))
def test_derivatives_of_lstsq(a):
    def f(a, b):
        x, residuals, _, s = np.linalg.lstsq(a, b)
        return x, residuals, s

    check_grads(f, (a, rng.normal(size=(a.shape[0], 2))), order=2)


@pytest.mark.parametrize("dtype", [float, complex])
def test_derivatives_at_constant_rank_below_the_full_one(dtype):
    u, v = left.astype(dtype), right.astype(dtype)
    b = rng.normal(size=4)
    check_grads(lambda u, v: np.linalg.pinv(u @ v), (u, v), order=2)
    check_grads(lambda u, v, b: np.linalg.lstsq(u @ v, b)[0], (u, v, b), order=2)
    check_grads(lambda u: np.linalg.pinv(u @ np.conj(u.T), rtol=1e-10, hermitian=True), (u,), order=2)
    assert_array_equal(xform.jacobian(np.linalg.pinv)(np.zeros((2, 3))), np.zeros((3, 2, 2, 3)))


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (2, 4)])
@pytest.mark.parametrize("dtype", [float, complex])
def test_derivatives_where_large_singular_values_are_cut_off(shape, dtype):
    """The smallest one counts as zero, however large it is."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=shape).astype(dtype), rng.normal(size=(shape[0], 2))
    if dtype is complex:
        a = a + 1j * rng.normal(size=shape)
    s = np.linalg.svd(a, compute_uv=False)
    fraction = float(s[-1] + s[-2]) / (2 * s[0])
    check_grads(lambda a: np.linalg.pinv(a, rtol=fraction), (a,), order=2)
    check_grads(xform.jit(lambda a: np.linalg.pinv(a, rtol=fraction)), (a,), order=1)
    check_grads(lambda a, b: np.linalg.lstsq(a, b, rcond=fraction)[0], (a, b), order=2)
    check_grads(lambda a: np.linalg.lstsq(a, b, rcond=fraction)[3], (a,), order=1)
    square = np.diag([3.0, 3.0, -1.0, 0.2])
    check_grads(lambda a: np.linalg.pinv(a + a.T, rtol=0.1, hermitian=True), (square,), order=1)


def test_pinv_of_hermitian_matrices_reads_the_lower_triangle():
    a = complex_square @ complex_square.conj().T
    below = np.tril(a)
    value, dot = xform.jvp(lambda a: np.linalg.pinv(a, hermitian=True), (below,), (a,))
    assert_allclose(value, np.linalg.pinv(a, hermitian=True))
    assert_allclose(dot, -np.linalg.inv(a))
    gradient = xform.grad(lambda a: np.sum(np.linalg.pinv(a, hermitian=True)))(square @ square.T)
    assert_allclose(gradient, gradient.T)


def test_tensor_equations():
    a, b = rng.normal(size=(6, 4, 2, 3, 4)), rng.normal(size=(6, 4))
    c = rng.normal(size=(2, 3, 6))
    for axes in (None, (0,), (2,), (0, 2)):
        f = functools.partial(np.linalg.tensorsolve, axes=axes)
        check_agrees(f, a, b, ulps=4096)
        check_agrees(f, c, rng.normal(size=(2, 3)), ulps=4096)
    check_agrees(np.linalg.tensorinv, c, ulps=1024)
    check_grads(np.linalg.tensorsolve, (c, rng.normal(size=(2, 3))), order=2)
    check_grads(np.linalg.tensorinv, (c,), order=2)
    check_derivatives(lambda c: np.linalg.tensorsolve(c.transpose(2, 0, 1), np.ones((2, 3)), axes=(0,)), c)


@pytest.mark.parametrize("p", [None, -2, 1, -1, np.inf, "fro", "nuc"])
def test_derivatives_of_cond(p):
    a = np.array([[4.0, 1.0, 0.5], [0.25, 3.0, -1.5], [-0.75, 1.25, 1.0]])
    check_grads(lambda a: np.linalg.cond(a, p), (a,), order=2)
    check_grads(lambda a: np.linalg.cond(a + 1j * a.T, p), (a,), order=1)


def test_cond_of_rectangular_and_singular_matrices():
    check_grads(np.linalg.cond, (tall,), order=2)
    for p in (None, 1):
        f = lambda a, p=p: np.linalg.cond(a, p)  # noqa: E731
        stack = np.stack([np.eye(2), np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), np.nan)])[:, None]
        for a in stack[: 4 if p == 1 else 3]:  # of nan there are no singular values
            assert_array_equal(xform.jit(f)(a), f(a))
            assert_array_equal(xform.jvp(f, (a,), (a,))[0], f(a))


def test_rank_has_no_derivative_and_is_a_plain_number():
    def f(a):
        assert not isinstance(np.linalg.matrix_rank(a), xform.core.trace.Tracer)
        return a.sum() * np.linalg.matrix_rank(a)

    assert_array_equal(xform.grad(f)(np.ones((2, 2))), np.ones((2, 2)))
    assert xform.grad(lambda v: v.sum() * np.linalg.matrix_rank(v))(np.ones(3)).sum() == 3
    assert_array_equal(xform.jit(np.linalg.matrix_rank)(np.zeros(3)), 0)
    assert_array_equal(xform.vmap(np.linalg.matrix_rank)(np.array([[0.0, 0], [0, 2]])), [0, 1])


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.pinv,
        lambda a: np.linalg.lstsq(a[:, :2], a[:, 2])[0],
        lambda a: np.linalg.lstsq(a[:, :2], a[:, 2])[3],
        lambda a: np.linalg.tensorinv(a, 1),
        np.linalg.cond,
        lambda a: np.linalg.cond(a, 1),
    ],
)
def test_jit_jet_and_vmap_agree_with_eager(f):
    g = xform.grad(lambda a: np.sum(np.sin(f(a))))
    assert_allclose(xform.jit(f)(square), f(square))
    assert_allclose(xform.jit(g)(square), g(square))
    assert_allclose(
        xform.jit(xform.hessian(lambda a: np.sum(f(a))))(square), xform.hessian(lambda a: np.sum(f(a)))(square)
    )
    assert_allclose(xform.vmap(g)(stacked), [g(a) for a in stacked], rtol=1e-9)
    v, zero = rng.normal(size=(3, 3)), np.zeros((3, 3))
    _, (first, second) = xform.jet(f, (square,), ((v, zero),))
    along = lambda a: xform.jvp(f, (a,), (v,))[1]  # noqa: E731
    assert_allclose(first, along(square), atol=1e-10)
    assert_allclose(second, xform.jvp(along, (square,), (v,))[1], atol=1e-9)


matrices = st.sampled_from([float, np.float32, complex]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=3),
        elements=st.integers(-3, 3).map(float),
        fill=st.nothing(),
    )
)


@given(matrices, st.sampled_from(["pinv", "pinv, rtol", "rank", "tensorinv, 1", "cond, None", "cond, 1", "cond, fro"]))
def test_agreement_on_random_matrices_of_small_integers(x, name):
    """Many of them are singular; the fraction 1e-15 of pinv is less than rounding, so only large gaps are compared."""
    if name == "pinv" and x.size:
        s = np.linalg.svd(x.astype(complex), compute_uv=False)
        if ((s > 0) & (s < 1e-3)).any():
            return
    check_agrees(FUNCTIONS[name], x, ulps=4096)


def test_messages():
    with says(LinAlgError, "Incompatible dimensions", "[4,2]", "[3,1]"):
        xform.grad(lambda a: np.linalg.lstsq(a, np.ones(3))[0].sum())(tall)
    with says(LinAlgError, "two-dimensional", "vmap"):
        xform.grad(lambda a: np.linalg.lstsq(a, np.ones(3))[0].sum())(stacked)
    with says(LinAlgError, "tensorsolve", "(4, 2)", "prod"):
        xform.grad(lambda a: np.linalg.tensorsolve(a, np.ones(4)).sum())(tall)
    with says(ValueError, "ind", "0", "positive"):
        xform.grad(lambda a: np.linalg.tensorinv(a, 0).sum())(square)
    with says(LinAlgError, "finite"):
        xform.grad(lambda a: np.linalg.pinv(a).sum())(np.full((2, 2), np.nan))
