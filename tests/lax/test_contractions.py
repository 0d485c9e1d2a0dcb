"""dot, dot_general and batch_matmul against einsum, in every transformation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(0)

# dimension numbers, the shapes of the operands, and the same in einsum's words
CASES = [
    ((((2,), (1,)), ((0,), (2,))), (5, 2, 3), (4, 3, 5), "bik,jkb->bij"),
    ((((1, 0), (0, 1)), ((), ())), (2, 3, 4), (3, 2), "lki,kl->i"),
    ((((), ()), ((), ())), (2,), (3,), "i,j->ij"),
    ((((), ()), ((1, 0), (0, 1))), (2, 3), (3, 2), "ab,ba->ba"),
    ((((3,), (0,)), ((0, 2), (2, 1))), (2, 3, 4, 5), (5, 4, 2, 6), "aibk,kbaj->abij"),
    ((((-1,), (-2,)), ((0,), (0,))), (2, 3, 4), (2, 4, 5), "bik,bkj->bij"),
    ((((0,), (0,)), ((1,), (1,))), (0, 3), (0, 3), "kb,kb->b"),
    ((((), ()), ((), ())), (), (2, 3), ",ij->ij"),
]


def cases(test):
    return pytest.mark.parametrize("numbers, s, t, einsum", CASES)(test)


@cases
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
def test_dot_general_is_einsum(numbers, s, t, einsum, dtype):
    x, y = (rng.integers(-9, 9, shape).astype(dtype) for shape in (s, t))
    z = lax.dot_general(x, y, numbers)
    assert z.dtype == dtype
    assert_allclose(z, np.einsum(einsum, x, y))
    assert_allclose(lax.dot(x, y, dimension_numbers=numbers), z)


@cases
def test_dot_general_in_every_transformation(numbers, s, t, einsum):
    x, y = rng.normal(size=s), rng.normal(size=t)

    def f(x, y):
        return lax.dot_general(x, y, numbers)

    check_grads(f, (x, y), order=2)
    assert_allclose(xform.make_jaxpr(f)(x, y)(x, y)[0], f(x, y))
    xs = rng.normal(size=(3, *s))
    assert_allclose(xform.vmap(f, (0, None))(xs, y), np.stack([f(x, y) for x in xs]))


def test_dot_of_vectors_and_matrices():
    u, v, a, b = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    for x, y in ((u, v), (a, u), (u, b), (a, b)):
        assert_allclose(lax.dot(x, y), np.dot(x, y))
    assert_allclose(lax.dot([1.0, 2.0], [3.0, 4.0]), 11)


def test_batch_matmul_is_matmul():
    x, y = rng.normal(size=(5, 2, 3, 4)), rng.normal(size=(5, 2, 4, 1))
    assert_allclose(lax.batch_matmul(x, y, lax.Precision.HIGHEST), x @ y)
    check_grads(lax.batch_matmul, (x, y), order=1)


def test_dtypes_promote():
    assert lax.dot(np.ones(2, np.float32), np.ones(2)).dtype == np.float64
    assert lax.dot(np.ones(2, np.int8), np.ones(2, np.float32)).dtype == np.float32


def test_the_preferred_type_is_that_of_the_sum_as_well():
    x = np.full((2, 5), 100, np.int8)
    assert lax.dot(x, x.T).dtype == np.int8
    z = lax.dot(x, x.T, preferred_element_type=np.int32)
    assert z.dtype == np.int32
    assert_array_equal(z, np.full((2, 2), 50_000))
    narrow = lax.dot_general(np.ones((2, 3)), np.ones(3), (((1,), (0,)), ((), ())), None, np.float32)
    assert narrow.dtype == np.float32
    assert lax.dot(np.ones(2), np.ones(2), preferred_element_type=complex).dtype == np.complex128


def test_bad_input():
    a, b = np.ones((2, 3)), np.ones((3, 4))
    with says(ValueError, "dot", "(2, 3, 4)", "(4, 2)", "dimension_numbers", "numpy.matmul"):
        lax.dot(np.ones((2, 3, 4)), np.ones((4, 2)))
    with says(ValueError, "axis 1 of lhs", "(2, 3)", "size 3", "axis 1 of rhs", "size 4", "transpose"):
        lax.dot_general(a, b, (((1,), (1,)), ((), ())))
    with says(ValueError, "dot_general", "dimension_numbers", "wanted", "summed axes"):
        lax.dot_general(a, b, ((1,), (0,)))
    with says(ValueError, "2 summed axes (0, 1) of lhs", "1 summed axes (0,) of rhs"):
        lax.dot_general(a, b, (((0, 1), (0,)), ((), ())))
    with says(ValueError, "axes of rhs", "2 dimensions"):
        lax.dot_general(a, b, (((1,), (2,)), ((), ())))
    with says(ValueError, "axes of lhs", "twice"):
        lax.dot_general(a, b, (((1,), (0,)), ((1,), (1,))))
    with says(ValueError, "batch_matmul", "(2, 3)", "(1, 3, 4)", "equally many axes"):
        lax.batch_matmul(a, b[None])
    with says(TypeError, "imaginary part", "float64"):
        lax.dot(a * 1j, b, preferred_element_type=float)
    with says(TypeError, "dot", "dtype object", "numbers"):
        lax.dot(a, object())
