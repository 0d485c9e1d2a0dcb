"""Variances, weighted averages, covariances: as NumPy's on arrays, and differentiable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, axes, check_agrees, check_derivatives, check_signature, valid_axes

MOMENTS = [np.var, np.std]
ALL = [*MOMENTS, np.average, np.cov, np.corrcoef]
NAMES = {"ids": lambda f: f.__name__}
rng = np.random.default_rng(4)
COMPLEX = rng.normal(size=(3, 5)) + 1j * rng.normal(size=(3, 5))


@pytest.mark.parametrize("f", ALL, **NAMES)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


@given(
    f=st.sampled_from(MOMENTS),
    a=arrays(special=False),
    axis=axes,
    keepdims=st.booleans(),
    ddof=st.sampled_from([0, 1, 2, 1.5, -1]),
)
def test_moments(f, a, axis, keepdims, ddof):
    check_agrees(lambda a: f(a, axis=axis, keepdims=keepdims, ddof=ddof), a)


masks = st.sampled_from([True, False, [[True], [False]], [True, False, True], np.ones((2, 3), bool)])


@given(
    f=st.sampled_from(MOMENTS),
    a=arrays(shapes=(2, 3), special=False),
    axis=valid_axes,
    where=masks,
    keepdims=st.booleans(),
)
def test_moments_with_masks(f, a, axis, where, keepdims):
    check_agrees(lambda a: f(a, axis=axis, where=where, keepdims=keepdims), a)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint8", "bool", "complex64"])
@pytest.mark.parametrize("f", MOMENTS, **NAMES)
def test_moments_of_every_dtype(f, dtype):
    x = np.array([[1, 0, 3], [2, 1, 1]], dtype)
    check_agrees(f, x)
    check_agrees(lambda a: f(a, axis=1, where=[True, False, True]), x)
    for wanted in ("f4", "f8", "c16"):
        if np.dtype(dtype).kind != "c" or wanted[0] == "c":
            check_agrees(lambda a, w=wanted: f(a, axis=0, dtype=w), x)


@pytest.mark.parametrize("f", MOMENTS, **NAMES)
def test_options_of_moments(f):
    x = rng.normal(size=(2, 3))
    check_agrees(lambda x: f(x, correction=1), x)
    check_agrees(lambda x: f(x, ddof=1, correction=1), x)
    check_agrees(lambda x: f(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), x)
    check_agrees(lambda x: f(x, axis=1, mean=np.mean(x, axis=1, keepdims=True), where=[True, False, True]), x)
    with pytest.raises(TypeError, match="out="):
        xform.linearize(lambda x: f(x, out=np.zeros(())), x)


def test_many_half_precision_numbers():
    check_agrees(np.var, rng.normal(size=100_000).astype(np.float16), doors=["linearize"])


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), ()])
@pytest.mark.parametrize("f", MOMENTS, **NAMES)
def test_derivatives_of_moments(f, axis):
    x, mask = rng.normal(size=(3, 4)), ~np.eye(3, 4, dtype=bool)
    if axis != ():
        check_derivatives(lambda x: f(np.sin(x), axis=axis, ddof=1), x)
        check_derivatives(lambda x: f(x, axis=axis, keepdims=True) * x, x)
        check_derivatives(lambda x: f(x, axis=axis, where=mask), x)
    check_derivatives(lambda x, m: f(x, axis=axis, mean=m), x, np.array([[0.3]]))


def test_derivatives_of_complex_moments():
    for f in MOMENTS:
        check_derivatives(lambda z, f=f: f(z * z, axis=1), COMPLEX, order=1)


def test_a_standard_deviation_of_equal_entries_has_derivative_zero():
    x = np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]])
    gradient = xform.grad(lambda x: np.sum(np.std(x, axis=1)))(x)
    np.testing.assert_array_equal(gradient[0], 0)
    check_derivatives(np.std, x[1])
    constant = np.ones(3)
    assert xform.jvp(np.std, (constant,), (np.array([1.0, 2.0, 5.0]),))[1] == 0
    np.testing.assert_array_equal(xform.hessian(np.std)(constant), np.zeros((3, 3)))
    np.testing.assert_array_equal(xform.vmap(xform.grad(np.std))(x), [np.zeros(3), xform.grad(np.std)(x[1])])


WEIGHTS = [
    ((3,), None, (3,)), ((2, 3), None, (2, 3)), ((2, 3), 1, (3,)), ((2, 3), -1, (3,)), ((2, 3), 0, (2,)),
    ((2, 3), 0, (2, 3)), ((2, 3, 4), (0, 1), (2, 3)), ((2, 3, 4), (1, 0), (3, 2)), ((2, 3, 4), (2, 0), (4, 2)),
    ((2, 3), None, (3,)), ((2, 3), 1, (2,)), ((2, 3), 2, (3,)), ((2, 3), (1, 1), (3, 3)),
]  # fmt: skip


@pytest.mark.parametrize("shape, axis, weights", WEIGHTS, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_weighted_averages(shape, axis, weights, keepdims):
    x, w = rng.normal(size=shape), rng.uniform(0.5, 2, size=weights)

    def f(x, w):
        return np.average(x, axis, w, keepdims=keepdims)

    check_agrees(f, x, w)
    check_agrees(lambda x: f(x, w), x.astype("f4"))
    check_agrees(lambda w: f((x * 4).astype(int), w), w.astype("f4"))
    check_agrees(lambda x, w: np.average(x, axis, w, returned=True, keepdims=keepdims), x, w)
    try:
        f(x, w)
    except (ValueError, TypeError):
        return
    check_derivatives(lambda x, w: f(np.sin(x), w * w), x, w)


def test_averages_without_weights():
    for axis in (None, 0, (0, 1), 3):
        check_agrees(lambda x, axis=axis: np.average(x, axis), COMPLEX)
        check_agrees(lambda x, axis=axis: np.average(x, axis, returned=True), np.eye(3))
    check_agrees(np.average, np.arange(3))


def test_weights_that_sum_to_zero():
    check_agrees(lambda x: np.average(x, weights=[1, -1, 0]), np.ones(3), doors=["linearize"])
    check_agrees(lambda x, w: np.average(x, 1, w), np.ones((2, 3)), np.zeros((2, 3)), doors=["linearize"])


COUNTS, OBSERVED = [1, 2, 0, 1, 3], [1, 0.5, 2, 1, 3]
COVARIANCES = [
    {}, {"rowvar": False}, {"bias": True}, {"ddof": 0}, {"ddof": 2}, {"fweights": COUNTS}, {"aweights": OBSERVED},
    {"fweights": COUNTS, "aweights": OBSERVED}, {"aweights": OBSERVED, "ddof": 0},
]  # fmt: skip
UNUSUAL = [
    {"dtype": "f4"}, {"dtype": "c8"}, {"ddof": 5}, {"ddof": 1.5}, {"aweights": [1, 0.5]}, {"fweights": [[1]]},
    {"fweights": [1.5, 1, 1, 1, 1]}, {"aweights": [-1, 1, 1, 1, 1]}, {"fweights": [-1, 1, 1, 1, 1]},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("options", [*COVARIANCES, *UNUSUAL], ids=str)
def test_covariances(options):
    x = rng.normal(size=(3, 5))
    for a in (x, x[0], (x * 4).astype(int), x.astype("f4"), COMPLEX):
        if options.get("dtype") == "f4" and a.dtype.kind == "c":
            continue  # NumPy warns of the lost imaginary part
        check_agrees(lambda a: np.cov(a, **options), a)
    check_agrees(lambda x, y: np.cov(x, y, **options), x, x[0])
    check_agrees(lambda x, y: np.cov(x, y, **options), x[0], x)


def test_covariances_of_odd_shapes():
    for shape in ((), (1,), (0,), (0, 5), (3, 1), (2, 3, 4), (1, 4)):
        check_agrees(np.cov, np.ones(shape))
    check_agrees(np.cov, np.ones((2, 3)), np.ones((2, 4)))
    check_agrees(np.cov, np.ones((2, 3)), np.ones((2, 3, 1)))


@pytest.mark.parametrize("options", COVARIANCES, ids=str)
def test_derivatives_of_covariances(options):
    x = rng.normal(size=(3, 5))
    if not options.get("rowvar", True):
        x = x.T
    check_derivatives(lambda x: np.cov(np.sin(x), **options), x)


def test_derivatives_of_a_covariance_with_further_variables_and_traced_weights():
    x, y, w = rng.normal(size=(2, 5)), rng.normal(size=5), rng.uniform(0.5, 2, size=5)
    check_derivatives(lambda x, y, w: np.cov(x, y, aweights=w), x, y, w)
    check_derivatives(np.cov, COMPLEX, order=1)


def test_correlations():
    x = rng.normal(size=(3, 5))
    check_agrees(np.corrcoef, x)
    check_agrees(np.corrcoef, x[0])
    check_agrees(np.corrcoef, COMPLEX)
    check_agrees(np.corrcoef, x, x[0])
    check_agrees(lambda x: np.corrcoef(x, rowvar=False), x)
    check_agrees(lambda x: np.corrcoef(x, dtype="f4"), x)
    check_derivatives(lambda x: np.corrcoef(np.sin(x)), x)
    check_derivatives(lambda x, y: np.corrcoef(x, y)[0, 1], x[0], x[1])
    check_derivatives(np.corrcoef, COMPLEX, order=1)
