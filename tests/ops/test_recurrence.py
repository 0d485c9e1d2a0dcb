"""Linear recurrences: both ways of computing them, their transposes and derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.core.errors import NonlinearError
from xform.ops.recurrence import FEW_LANES, recur, recurrence, shift
from xform.ops.structure import reduce_sum, slice_

rng = np.random.default_rng(5)


def by_hand(a, c):
    b = np.array(c)
    for k in range(1, len(c)):
        b[k] = a[k] * b[k - 1] + c[k]
    return b


@pytest.mark.parametrize("lanes", [1, FEW_LANES, FEW_LANES + 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128, np.longdouble])
def test_values_in_few_and_in_many_lanes(lanes, dtype):
    a, c = rng.normal(size=(2, 7, lanes)).astype(dtype)
    b = recurrence(a, c, axis=0, transposed=False)
    assert b.dtype == dtype
    assert_allclose(b, by_hand(a, c), rtol=1e-5)
    assert_allclose(recur(a, c, 0, reverse=True), by_hand(a[::-1], c[::-1])[::-1], rtol=1e-5)


@pytest.mark.parametrize("transposed", [False, True])
def test_solves_the_bidiagonal_system(transposed):
    a, c = rng.normal(size=(2, 6))
    matrix = np.eye(6) - np.diag(a[1:], -1)
    expected = np.linalg.solve(matrix.T if transposed else matrix, c)
    assert_allclose(recurrence(a, c, axis=0, transposed=transposed), expected)


@pytest.mark.parametrize("transposed", [False, True])
def test_first_coefficient_plays_no_part(transposed):
    a = np.array([np.nan, 2.0, 3.0])
    assert np.isfinite(recurrence(a, np.ones(3), axis=0, transposed=transposed)).all()


def test_an_overflowing_product_of_coefficients_does_not_touch_a_zero():
    a = np.array([1.0, 1e200, 1e200, 1e200])
    assert_array_equal(recurrence(a, np.array([0.0, 0.0, 0.0, 1.0]), axis=0, transposed=False), [0, 0, 0, 1])


def test_second_derivatives():
    a, c, w = rng.normal(size=(3, 4))

    def f(ac):
        a, c = (slice_(ac, index=(k, (0, 4, 1))) for k in (0, 1))
        b = recurrence(a, c, axis=0, transposed=False)
        return reduce_sum(w * b * b, axes=(0,))

    ac = np.stack([a, c])
    step = 1e-6
    for i in np.ndindex(2, 4):
        e = np.zeros((2, 4))
        e[i] = step
        expected = (xform.grad(f)(ac + e) - xform.grad(f)(ac - e)) / (2 * step)
        assert_allclose(xform.hessian(f)(ac)[i], expected, rtol=1e-6, atol=1e-6)


def test_batches_of_one_operand_only():
    a, c = rng.normal(size=(3, 4)), rng.normal(size=4)

    def f(a, c):
        return recurrence(a, c, axis=0, transposed=True)

    assert_allclose(xform.vmap(f, (0, None))(a, c), [f(row, c) for row in a])
    assert_allclose(xform.vmap(f, (None, 0))(c, a), [f(c, row) for row in a])


def test_shift():
    x = np.arange(6.0).reshape(2, 3)
    assert_array_equal(shift(x, 1, fill=7), [[7, 0, 1], [7, 3, 4]])
    assert_array_equal(shift(x, 0, back=True), [[3, 4, 5], [0, 0, 0]])
    assert shift(np.zeros((2, 0)), 1).shape == (2, 0)


def test_errors():
    with pytest.raises(TypeError, match="one shape and dtype"):
        recurrence.abstract(xform.Aval((3,), float), xform.Aval((4,), float), axis=0, transposed=False)
    with pytest.raises(NonlinearError, match="not in its coefficients"):
        xform.linear_transpose(lambda a: recurrence(a, np.ones(3), axis=0, transposed=False), np.ones(3))(np.ones(3))
