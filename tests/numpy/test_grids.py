"""Index grids and mended signals: NumPy's results on tracers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import check_agrees, check_derivatives, check_signature

NAMES = "diag_indices_from tril_indices_from triu_indices_from ix_ unravel_index ravel_multi_index trim_zeros unwrap"
N = np.array([[0, 5, 2], [3, 3, 1]])


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures_are_numpys(name):
    if name in ("unravel_index", "ravel_multi_index", "trim_zeros"):
        pytest.importorskip("numpy", minversion="2.4", reason="older NumPy does not tell these signatures")
    check_signature(getattr(xnp, name), getattr(np, name))


@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (3,), (2, 2, 2)])
def test_indices_of_shapes(shape):
    x = np.ones(shape)
    check_agrees(np.diag_indices_from, x)
    check_agrees(lambda x: np.tril_indices_from(x, 1), x)
    check_agrees(lambda x: np.triu_indices_from(x, -1), x)
    if shape == (3, 3):
        y = xform.grad(lambda x: (x[np.triu_indices_from(x)] ** 2).sum())(x)
        np.testing.assert_array_equal(y, 2 * np.triu(x))


def test_ix():
    check_agrees(np.ix_, np.array([0, 2]), np.array([1]), doors=("vmap",))
    check_agrees(lambda i: np.ix_(i, [True, False, True], []), np.array([0, 2]), doors=("vmap",))
    check_agrees(np.ix_, N, doors=("vmap",))
    check_agrees(lambda x: np.ix_(x > 0, [0]), np.array([1.0, -1, 2]), doors=("linearize",))
    with pytest.raises(xform.ConcretizationError, match=r"ix_ needs the value.*xform\.numpy\.where"):
        xform.vmap(lambda x: np.ix_(x > 0))(np.ones((2, 3)))


@given(order=st.sampled_from("CF"), shape=st.sampled_from([(2, 3), (6,), (1, 3, 2), [3, 2]]))
def test_positions(order, shape):
    check_agrees(lambda i: np.unravel_index(i, shape, order), N, doors=("vmap",))
    for mode in ("clip", "wrap"):
        check_agrees(
            lambda i, m=mode: np.ravel_multi_index((i, i - 1, 1)[: len(shape)], shape, m, order), N, doors=("vmap",)
        )


def test_positions_out_of_range():
    with pytest.raises(xform.ConcretizationError, match=r"ravel_multi_index needs the value.*mode='clip'"):
        xform.vmap(lambda i: np.ravel_multi_index((i,), (9,)))(N)
    check_agrees(lambda i: np.ravel_multi_index((i, i), (9,), "clip"), N, doors=("vmap",))
    check_agrees(lambda i: np.ravel_multi_index((i,), (9,), "no"), N, doors=("vmap",))
    check_agrees(lambda i: np.ravel_multi_index((i,), (9, 9), ("wrap", "clip")), N, doors=("vmap",))
    check_agrees(lambda i: np.unravel_index(i, (9,), "K"), N, doors=("vmap",))
    with pytest.raises(TypeError, match="only int indices permitted"):
        xform.vmap(lambda i: np.unravel_index(i, (9,)))(N * 1.0)


@pytest.mark.parametrize("trim", ["fb", "f", "b", "BF", "x", ""])
def test_trim_zeros(trim):
    for x in ([0.0, 0, 1, 2, 0, 3, 0], [0.0, 0], [1.0], []):
        check_agrees(lambda x: np.trim_zeros(x, trim), np.array(x), doors=("linearize",))
    if np.lib.NumpyVersion(np.__version__) >= "2.2.0":
        m = np.pad(np.eye(2), ((1, 0), (2, 1)))
        check_agrees(lambda x: np.trim_zeros(x, trim), m, doors=("linearize",))
        check_agrees(lambda x: np.trim_zeros(x, trim, axis=-1), m, doors=("linearize",))
    with (
        pytest.raises(xform.ConcretizationError, match=r"trim_zeros needs the value.*x\[start:stop\]")
        if trim
        in (
            "fb",
            "f",
        )
        else pytest.raises((xform.ConcretizationError, ValueError))
    ):
        xform.vmap(lambda x: np.trim_zeros(x, trim))(np.ones((2, 3)))


@pytest.mark.parametrize("discont", [None, 0.5, 4.0])
@pytest.mark.parametrize("period", [2 * np.pi, 2.0, 1])
def test_unwrap(discont, period):
    rng = np.random.default_rng(0)
    x = rng.uniform(-10, 10, (3, 6))
    check_agrees(lambda x: np.unwrap(x, discont, period=period), x, ulps=256)
    check_agrees(lambda x: np.unwrap(x, discont, axis=0, period=period), x.astype(np.float32), ulps=256)
    check_derivatives(lambda x: np.unwrap(x, discont, period=period) ** 2, x, tolerance=1e-5)


def test_unwrap_of_integers_and_halves():
    check_agrees(lambda x: np.unwrap(x, period=4), np.array([0, 1, 3, 5, 1, -2, 0]))
    check_agrees(lambda x: np.unwrap(x, period=5), np.array([0, 1, 3, 5, 1, -2, 0]))
    check_agrees(lambda x: np.unwrap(x, period=4.0), np.array([0.0, 2, 4, 2, 0, 6, 0, -6]))
    check_agrees(np.unwrap, np.array([1.0]))
