"""numpy.emath on tracers: real or complex as the values say."""

import numpy as np
import pytest
from hypothesis import given

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

UNARY = ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh")
X = np.array([0.3, 0.8, 2.5])


def test_the_room_is_numpys():
    assert sorted(xnp.emath.__all__) == sorted(n for n in dir(np.emath) if not n.startswith("_"))
    for name in xnp.emath.__all__:
        check_signature(getattr(xnp.emath, name), getattr(np.emath, name))


@pytest.mark.parametrize("name", UNARY)
@given(x=arrays(("float64", "float32", "float16", "complex128", "complex64", "int64")))
def test_of_one_argument(name, x):
    check_agrees(getattr(np.emath, name), x, doors=("linearize",))
    if x.dtype.kind == "c":
        check_agrees(getattr(np.emath, name), x, doors=("vmap",))


@given(x=arrays(("float64", "float32", "complex128", "int64"), shapes=(2, 3)), y=arrays(shapes=(3,)))
def test_of_two_arguments(x, y):
    check_agrees(np.emath.logn, x, y, doors=("linearize",))
    check_agrees(np.emath.power, x, y, doors=("linearize",))


@pytest.mark.parametrize("name", UNARY)
def test_derivatives(name):
    f = getattr(np.emath, name)
    for x in (X / 3, X, -X, X + 1j):
        check_derivatives(lambda x: f(x) * np.exp(1j * x), x, tolerance=1e-5)


def test_derivatives_of_two_arguments():
    check_derivatives(np.emath.logn, X + 1, -X, tolerance=1e-5)
    check_derivatives(np.emath.power, -X, X, tolerance=1e-5)
    check_derivatives(lambda x: np.emath.power(x, -2), X)


@pytest.mark.parametrize("transform", [xform.vmap, xform.jit])
def test_values_must_be_known(transform):
    with says(xform.ConcretizationError, "numpy.emath.sqrt", "numpy.emath.sqrt(x + 0j)"):
        transform(np.emath.sqrt)(X)
    np.testing.assert_allclose(transform(lambda x: np.emath.sqrt(x + 0j))(X), np.sqrt(X))
