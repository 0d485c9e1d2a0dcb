"""jacfwd, jacrev, jacobian, hessian and hvp: values in every mode, trees, chunks, complex arguments."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform import float0

X, A = np.array([1.0, 2.0, 3.0]), np.arange(12.0).reshape(4, 3) / 10
MODES = [xform.jacfwd, xform.jacrev, xform.jacobian]
every_mode = pytest.mark.parametrize("jac", MODES)


def tall(x):
    return np.sin(A @ x)


def wide(x):
    return np.stack([np.sum(x**2), np.prod(x)])


@every_mode
@pytest.mark.parametrize("chunk_size", [None, 1, 2, 3, 100])
def test_values(jac, chunk_size):
    assert_allclose(jac(tall, chunk_size=chunk_size)(X), np.cos(A @ X)[:, None] * A, rtol=1e-14)
    assert_allclose(jac(wide, chunk_size=chunk_size)(X), [2 * X, [6.0, 3.0, 2.0]], rtol=1e-14)


@every_mode
def test_shapes(jac):
    J = jac(lambda x: np.stack([x, x**2], axis=-1))(A)
    assert J.shape == (4, 3, 2, 4, 3)
    identity = np.eye(12).reshape(4, 3, 4, 3)
    assert_array_equal(J[:, :, 0], identity)
    assert_array_equal(J[:, :, 1], 2 * A * identity)
    assert jac(np.sin)(0.0).shape == ()
    assert jac(np.sum)(X).shape == (3,)
    assert jac(lambda x: x * X)(2.0).shape == (3,)
    assert jac(lambda x: x[:0])(X).shape == (0, 3)
    assert jac(lambda x: np.sum(x) * X)(np.zeros((0, 2))).shape == (3, 0, 2)


@every_mode
def test_trees(jac):
    def f(t, y):
        return {"s": t["a"] * y, "n": (np.sum(t["b"]), None)}

    J = jac(f, argnums=(0, 1))({"a": X, "b": A}, 2.0)
    (dt, dy) = J["s"]
    assert_array_equal(dt["a"], 2 * np.eye(3))
    assert_array_equal(dt["b"], np.zeros((3, 4, 3)))
    assert_array_equal(dy, X)
    (dt, dy), nothing = J["n"]
    assert nothing is None
    assert_array_equal(dt["a"], np.zeros(3))
    assert_array_equal(dt["b"], np.ones((4, 3)))
    assert dy == 0.0


@every_mode
def test_argnums_kwargs_and_aux(jac):
    def f(x, y, *, power):
        return x * y**power, {"aux": y}

    J, aux = jac(f, argnums=-1, has_aux=True)(X, 2.0, power=3)
    assert_allclose(J, 12.0 * X)
    assert aux == {"aux": 2.0}


@every_mode
def test_mixed_precision(jac):
    J = jac(lambda x, y: x * y, argnums=(0, 1))(X.astype(np.float32), X)
    # dy/dx has the dtype of the tangents of y in forward mode, of the cotangents of x in reverse mode, as in JAX
    assert [j.dtype for j in J][1] == np.float64
    assert_allclose(J[0], np.diag(X), rtol=1e-7)
    assert_allclose(J[1], np.diag(X), rtol=1e-7)


def test_jacrev_allows_integers_if_told():
    J = xform.jacrev(lambda x, n: x * n, argnums=(0, 1), allow_int=True)(X, np.array([1, 2, 3]))
    assert_array_equal(J[0], np.diag([1.0, 2.0, 3.0]))
    assert (J[1].dtype, J[1].shape) == (float0, (3, 3))


@pytest.mark.parametrize(
    "f, cheaper, dearer",
    [
        (lambda x: np.tile(np.sin(x), 5), "f64[3,15]", "f64[15,15]"),  # 3 columns rather than 15 rows
        (lambda x: np.sum(np.sin(x), keepdims=True), "f64[1,3]", "f64[3,3]"),  # 1 row rather than 3 columns
    ],
)
def test_jacobian_takes_the_cheaper_mode(f, cheaper, dearer):
    program = str(xform.make_jaxpr(xform.jacobian(f))(X))
    assert cheaper in program
    assert dearer not in program


def test_jacobians_of_jacobians():
    wanted = np.zeros((3, 3, 3))
    wanted[np.arange(3), np.arange(3), np.arange(3)] = 6 * X
    for outer in MODES:
        for inner in MODES:
            assert_allclose(outer(inner(lambda x: x**3))(X), wanted, rtol=1e-14)


def test_jacobians_inside_other_transformations():
    def f(x):
        return np.sin(A @ x)

    rows = np.stack([X, 2 * X])
    assert_allclose(xform.vmap(xform.jacrev(f))(rows), np.stack([xform.jacrev(f)(r) for r in rows]), rtol=1e-14)
    assert_allclose(xform.vmap(xform.jacfwd(f, chunk_size=2))(rows)[1], xform.jacfwd(f)(rows[1]), rtol=1e-14)
    g = xform.grad(lambda x: np.sum(xform.jacfwd(f)(x) ** 2))(X)
    h = xform.jacrev(lambda x: np.sum(xform.jacrev(f)(x) ** 2))(X)
    assert_allclose(g, h, rtol=1e-13)
    assert_allclose(xform.make_jaxpr(xform.jacobian(f))(X)(X)[0], xform.jacobian(f)(X), rtol=1e-14)


# --- second derivatives ---


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def rosenbrock_hessian(x):
    diagonal = np.append(1200 * x[:-1] ** 2 - 400 * x[1:] + 2, 0.0) + np.append(0.0, np.full(len(x) - 1, 200.0))
    return np.diag(diagonal) - np.diag(400 * x[:-1], 1) - np.diag(400 * x[:-1], -1)


@pytest.mark.parametrize("chunk_size", [None, 1, 2])
def test_hessian(chunk_size):
    assert_allclose(xform.hessian(rosenbrock, chunk_size=chunk_size)(X), rosenbrock_hessian(X), rtol=1e-13)


def test_hessian_of_trees():
    H = xform.hessian(lambda t: t["a"] ** 2 * np.sum(t["b"]))({"a": 3.0, "b": X})
    assert H["a"]["a"] == 12.0
    assert_array_equal(H["a"]["b"], np.full(3, 6.0))
    assert_array_equal(H["b"]["a"], np.full(3, 6.0))
    assert_array_equal(H["b"]["b"], np.zeros((3, 3)))
    H = xform.hessian(lambda a, b: a * a * np.sum(b), argnums=(0, 1))(3.0, X)
    assert_array_equal(H[0][1], np.full(3, 6.0))


def test_hessian_with_aux():
    H, aux = xform.hessian(lambda x: (rosenbrock(x), {"sum": np.sum(x)}), has_aux=True)(X)
    assert_allclose(H, rosenbrock_hessian(X), rtol=1e-13)
    assert aux == {"sum": 6.0}


def test_hvp():
    v = np.array([0.5, -1.0, 2.0])
    assert_allclose(xform.hvp(rosenbrock, (X,), (v,)), rosenbrock_hessian(X) @ v, rtol=1e-13)
    first, second = xform.hvp(lambda a, b: a * a * np.sum(b), (3.0, X), (1.0, v))
    assert first == 2 * 6.0 + 6.0 * 1.5
    assert_array_equal(second, np.full(3, 6.0))
    tree = xform.hvp(lambda t: np.sum(t["x"] ** 3), ({"x": X},), ({"x": v},))
    assert_allclose(tree["x"], 6 * X * v)


# --- complex numbers, JAX's conventions ---


Z = np.array([1.0 + 2.0j, -0.5 + 0.3j])


@every_mode
def test_holomorphic(jac):
    J = jac(lambda z: z * z * z[::-1], holomorphic=True)(Z)
    assert_allclose(J, np.diag(2 * Z * Z[::-1]) + np.fliplr(np.diag(Z * Z)), rtol=1e-14)


def test_real_to_complex_by_columns():
    J = xform.jacfwd(lambda x: np.exp(1j * x))(X)
    assert_allclose(J, np.diag(1j * np.exp(1j * X)), rtol=1e-14)
    assert_allclose(xform.jacobian(lambda x: np.exp(1j * x))(X), J)


def test_complex_to_real_by_rows():
    """dy/da - i dy/db for z = a + i b."""
    J = xform.jacrev(lambda z: np.real(z * np.conj(z)))(Z)
    assert_allclose(J, np.diag(2 * np.conj(Z)), rtol=1e-14)
    assert_allclose(xform.jacobian(lambda z: np.real(z * np.conj(z)))(Z), J)


def test_hessian_of_a_holomorphic_function():
    H = xform.hessian(lambda z: np.sum(z**3), holomorphic=True)(Z)
    assert_allclose(H, np.diag(6 * Z), rtol=1e-14)
