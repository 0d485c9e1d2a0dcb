"""Finite differences: orders of convergence, the round-off wall, trees, complex numbers, and agreement with xform."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform import finite_differences as fd

SCHEMES = ("forward", "backward", "central")
ORDER = {"forward": 1, "backward": 1, "central": 2}


def f(x):
    return np.exp(x) * np.sin(3 * x)


def f_prime(x):
    return np.exp(x) * (np.sin(3 * x) + 3 * np.cos(3 * x))


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    g[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


def rosenbrock_hessian(x):
    n = len(x)
    H = np.zeros((n, n), x.dtype)
    i = np.arange(n - 1)
    H[i, i] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    H[i + 1, i + 1] += 200
    H[i, i + 1] = H[i + 1, i] = -400 * x[:-1]
    return H


# ---- errors and steps ----


@pytest.mark.parametrize("scheme", SCHEMES)
def test_error_is_of_the_order_of_the_scheme(scheme):
    steps = np.array([1e-2, 1e-3])
    errors = [abs(fd.gradient(f, 0.7, scheme, h) - f_prime(0.7)) for h in steps]
    slope = np.log(errors[0] / errors[1]) / np.log(steps[0] / steps[1])
    assert abs(slope - ORDER[scheme]) < 0.02


def test_leading_error_terms():
    """h f''/2 one-sided, h^2 f'''/6 central."""
    h, second, third = 1e-3, xform.grad(xform.grad(f)), xform.grad(xform.grad(xform.grad(f)))
    x, exact = 0.7, f_prime(0.7)
    assert_allclose(fd.gradient(f, x, "forward", h) - exact, h * second(x) / 2, rtol=1e-2)
    assert_allclose(fd.gradient(f, x, "backward", h) - exact, -h * second(x) / 2, rtol=1e-2)
    assert_allclose(fd.gradient(f, x, "central", h) - exact, h**2 * third(x) / 6, rtol=1e-2)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_round_off_wall(scheme):
    """Below the best step the error grows as eps |f| / h; at the best step it is eps^(p/(p + 1))."""
    points = np.linspace(0.3, 0.9, 50)

    def error(h):
        return np.mean([abs(fd.gradient(f, x, scheme, h) - f_prime(x)) for x in points])

    best, eps = fd.best_step(scheme=scheme), np.finfo(float).eps
    assert error(best) < 30 * eps ** (ORDER[scheme] / (ORDER[scheme] + 1))
    assert error(best * 1e3) > 30 * error(best)
    small = best * 10.0 ** np.array([-3, -5])
    errors = [error(h) for h in small]
    assert errors[0] > 30 * error(best)
    assert 30 < errors[1] / errors[0] < 300  # as 1/h: a hundred times
    assert abs(xform.grad(f)(0.7) - f_prime(0.7)) < 1e-15 * abs(f_prime(0.7)) + 1e-15


def test_best_steps():
    eps = np.finfo(np.float64).eps
    assert fd.best_step() == fd.best_step(np.complex128) == eps ** (1 / 3)
    assert fd.best_step(scheme="forward") == fd.best_step(scheme="backward") == eps ** (1 / 2)
    assert fd.best_step(scheme="central", order=2) == eps ** (1 / 4)
    assert fd.best_step(np.float32) == float(np.finfo(np.float32).eps) ** (1 / 3)


def steps_taken(scheme, x, step=None):
    """The steps in the first entry of x at which a gradient evaluates."""
    seen = []

    def observe(z):
        seen.append(z.ravel()[0])
        return z.sum()

    fd.gradient(observe, x, scheme, step)
    return sorted({float(z - x[0]) for z in seen if z != x[0]})


@pytest.mark.parametrize("x0", [0.0, 1e-9, -0.5, 30.0, -4e7])
def test_step_is_relative_for_large_entries_and_absolute_for_small_ones(x0):
    h = fd.best_step() * max(1, abs(x0))
    assert_allclose(steps_taken("central", np.array([x0, 5.0])), [-h, h], rtol=1e-4)
    h = fd.best_step(scheme="forward") * max(1, abs(x0))
    assert_allclose(steps_taken("forward", np.array([x0])), [h], rtol=1e-4)
    assert_allclose(steps_taken("backward", np.array([x0])), [-h], rtol=1e-4)
    assert_allclose(steps_taken("central", np.array([x0]), step=0.25), [-0.25, 0.25])


def test_division_is_by_the_step_taken_after_rounding():
    """1e8 + 3e-8 rounds to 1e8 + 2.98e-8: dividing by 3e-8 would be wrong by half a percent."""
    for scheme in SCHEMES:
        assert fd.gradient(lambda x: 2 * x, 1e8, scheme, 3e-8) == 2


def test_step_depends_on_the_coarsest_dtype():
    x = np.float32(0.7)
    assert abs(fd.gradient(f, x) - f_prime(0.7)) < 2e-3
    assert fd.gradient(f, x).dtype == np.float32
    # Single precision inside a program of double precision numbers.
    assert abs(fd.gradient(lambda x: f(x.astype(np.float32)), 0.7) - f_prime(0.7)) < 2e-3


# ---- gradients, Jacobians, products, Hessians ----


@pytest.mark.parametrize("scheme, tolerance", [("forward", 1e-4), ("backward", 1e-4), ("central", 1e-7)])
def test_derivatives_of_rosenbrock(scheme, tolerance):
    x, v = np.array([0.5, -1.0, 2.0, 0.1]), np.array([1.0, 0.0, -2.0, 0.5])
    g, H = rosenbrock_gradient(x), rosenbrock_hessian(x)
    assert_allclose(fd.gradient(rosenbrock, x, scheme), g, rtol=tolerance, atol=tolerance)
    assert_allclose(fd.directional(rosenbrock, x, v, scheme), g @ v, rtol=tolerance)
    assert_allclose(fd.jacobian(rosenbrock_gradient, x, scheme), H, rtol=tolerance, atol=tolerance * 1e3)
    assert_allclose(fd.hvp(rosenbrock_gradient, x, v, scheme), H @ v, rtol=tolerance, atol=tolerance * 1e3)
    assert_allclose(
        fd.hessian(rosenbrock, x, scheme, grad=rosenbrock_gradient), H, rtol=tolerance, atol=tolerance * 1e3
    )
    assert_allclose(fd.hessian(rosenbrock, x, scheme), H, rtol=1e-2, atol=1e-2 if scheme == "central" else 0.5)


def test_agrees_with_xform():
    x, v = np.array([0.5, -1.0, 2.0, 0.1]), np.array([1.0, 0.0, -2.0, 0.5])
    assert_allclose(fd.gradient(rosenbrock, x), xform.grad(rosenbrock)(x), rtol=1e-7)
    assert_allclose(fd.hvp(xform.grad(rosenbrock), x, v), xform.hvp(rosenbrock, (x,), (v,)), rtol=1e-7)
    exact = xform.hessian(rosenbrock)(x)
    assert_allclose(fd.hessian(rosenbrock, x, grad=xform.grad(rosenbrock)), exact, rtol=1e-7, atol=1e-5)


def test_jacobian_by_columns():
    A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    J = fd.jacobian(lambda x: A @ np.sin(x), np.array([0.1, 0.2, 0.3]))
    assert_allclose(J, A * np.cos([0.1, 0.2, 0.3]), rtol=1e-9)
    calls = []
    fd.jacobian(lambda x: calls.append(1) or A @ x, np.zeros(3), "forward")
    assert len(calls) == 4  # the point, and a step per column


def test_hessian_is_symmetric():
    """(H + H^T)/2, also for a gradient that is wrong on one side."""
    x = np.array([0.5, -1.0, 2.0])
    for scheme in SCHEMES:
        H = fd.hessian(rosenbrock, x, scheme)
        assert_array_equal(H, H.T)
    skew = np.array([[0.0, 1.0], [-1.0, 0.0]])
    H = fd.hessian(lambda x: x @ x, np.ones(2), grad=lambda x: 2 * x + skew @ x)
    assert_allclose(H, 2 * np.eye(2), atol=1e-9)


def test_trees():
    def model(p):
        return {"y": np.sum(p["W"] * p["b"], axis=1), "s": (p["b"][0] * p["c"],)}

    p = {"W": np.arange(6.0).reshape(2, 3), "b": np.array([1.0, -1.0, 2.0]), "c": 3.0}
    numeric, exact = fd.jacobian(model, p), xform.jacobian(model)(p)
    assert xform.tree.structure(numeric) == xform.tree.structure(exact)
    for a, b in zip(xform.tree.leaves(numeric), xform.tree.leaves(exact), strict=True):
        assert np.shape(a) == np.shape(b)
        assert_allclose(a, b, atol=1e-8)
    v = xform.tree.map(np.ones_like, p)
    moved = fd.directional(model, p, v)
    assert_allclose(moved["y"], p["W"].sum(1) + p["b"].sum(), rtol=1e-8)
    assert_allclose(moved["s"][0], p["c"] + p["b"][0], rtol=1e-8)


def test_hessian_of_a_tree_is_a_tree_of_trees():
    def g(p):
        return np.sum(p["x"] ** 2 * p["y"]) + p["y"] ** 3

    p = {"x": np.array([1.0, 2.0]), "y": 3.0}
    for grad in (None, xform.grad(g)):
        H = fd.hessian(g, p, grad=grad)
        assert_allclose(H["x"]["x"], 6 * np.eye(2), atol=1e-5)
        assert_allclose(H["x"]["y"], [2, 4], atol=1e-5)
        assert_allclose(H["y"]["x"], [2, 4], atol=1e-5)
        assert_allclose(H["y"]["y"], 18, rtol=1e-6)


def test_mixed_precision_in_a_tree():
    x = (np.float32(2.0), np.array([1.0, 3.0]))
    g = fd.gradient(lambda x: x[0] * np.sum(x[1] ** 2), x)
    assert [a.dtype for a in g] == [np.float32, np.float64]
    assert_allclose(g[0], 10, rtol=1e-4)
    assert_allclose(g[1], [4, 12], rtol=1e-8)


def test_integers_stay_where_they_are():
    n = np.array([2, 3])
    v = fd.directional(lambda p: p[0] ** p[1], (2.0, n), (1.0, np.zeros(2, xform.float0)))
    assert_allclose(v, [4, 12], rtol=1e-8)
    assert fd.directional(lambda x: (x, n), 2.0, 1.0)[1].dtype == xform.float0


def test_empty_arrays():
    assert fd.gradient(np.sum, np.zeros(0)).shape == (0,)
    assert fd.jacobian(lambda x: x * x, np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert fd.jacobian(lambda x: np.zeros((0, 3)), np.zeros(2)).shape == (0, 3, 2)


def test_direction_zero():
    assert fd.directional(np.sin, np.ones(2), np.zeros(2)).tolist() == [0, 0]


def test_direction_is_scaled_entry_by_entry():
    """A long vector does not step further than a short one, nor a large entry's scale out of a small entry's domain."""
    for scale in (1e-12, 1.0, 1e12):
        assert_allclose(fd.directional(np.log, 0.5, scale), 2 * scale, rtol=1e-8)
    assert_allclose(fd.directional(np.log, np.array([1e12, 0.5]), np.array([1e12, 1.0])), [1, 2], rtol=1e-8)


def test_a_function_that_writes_into_its_argument():
    def g(x):
        x *= x
        return x[0] + 3 * x[1]

    x = np.array([1.0, 2.0])
    for scheme in SCHEMES:
        assert_allclose(fd.gradient(g, x, scheme), [2, 12], rtol=1e-7)
    assert x.tolist() == [1, 2]


# ---- complex numbers ----


def test_gradient_of_a_real_function_of_complex_numbers():
    """df/da - i df/db: of |z|^2 at 3 + 4i it is 6 - 8i, twice the conjugate."""
    z = np.array([3 + 4j, -1 + 0.5j])
    assert_allclose(fd.gradient(lambda z: np.sum(np.abs(z) ** 2), z), 2 * z.conj(), rtol=1e-8)
    assert_allclose(fd.jacobian(lambda z: np.abs(z) ** 2, z), np.diag(2 * z.conj()), rtol=1e-8)
    assert_allclose(xform.jacobian(lambda z: np.abs(z) ** 2)(z), np.diag(2 * z.conj()), rtol=1e-14)


def test_holomorphic():
    z = np.array([3 + 4j, -1 + 0.5j])
    assert_allclose(fd.gradient(lambda z: np.sum(z**3), z, holomorphic=True), 3 * z**2, rtol=1e-8)
    assert_allclose(fd.jacobian(np.exp, z, holomorphic=True), np.diag(np.exp(z)), rtol=1e-8)
    assert_allclose(fd.hessian(lambda z: z**3, 1 + 1j, holomorphic=True), 6 + 6j, rtol=1e-6)


def test_complex_results_of_real_arguments():
    x = np.array([1.0, 2.0])
    assert_allclose(fd.jacobian(lambda x: np.exp(1j * x), x), np.diag(1j * np.exp(1j * x)), rtol=1e-8)
    assert_allclose(xform.jacobian(lambda x: np.exp(1j * x))(x), np.diag(1j * np.exp(1j * x)), rtol=1e-14)


def test_direction_in_the_complex_plane():
    assert_allclose(fd.directional(np.conj, 1 + 2j, 3 - 1j), 3 + 1j, rtol=1e-9)
    assert_allclose(xform.jvp(np.conj, (1 + 2j,), (3 - 1j,))[1], 3 + 1j, rtol=1e-14)


@pytest.mark.parametrize(
    "f, exact",
    [
        (lambda x: 1j * x, 1j),
        (lambda x: 1j + x, 1),
        (lambda x: 1j - x, -1),
        (lambda x: 1j / x, -0.25j),
        (lambda x: 1j**x, -0.5j * np.pi),
        (lambda x: np.multiply(1j, x), 1j),
    ],
)
def test_python_complex_numbers_on_the_left(f, exact):
    assert_allclose(fd.directional(f, 2.0, 1.0), exact, atol=1e-9)
    assert_allclose(xform.jvp(f, (2.0,), (1.0,))[1], exact, rtol=1e-15, atol=1e-15)
    assert_allclose(xform.vjp(f, 2.0)[1](1.0 + 0j)[0], exact.real, atol=1e-15)
    assert xform.jvp(f, (np.float32(2),), (np.float32(1),))[1].dtype == np.complex64


@pytest.mark.parametrize("derivative", [xform.jacobian, lambda f: lambda z: fd.jacobian(f, z)])
def test_complex_functions_of_complex_numbers_have_no_jacobian_unless_holomorphic(derivative):
    with pytest.raises(TypeError, match="holomorphic"):
        derivative(np.conj)(np.array([1 + 1j]))


@pytest.mark.parametrize("of", [np.conj, np.abs])
def test_jacfwd_wants_real_arguments_or_holomorphic(of):
    with pytest.raises(TypeError, match=r"real arguments, or holomorphic=True .* given was c128\[\]"):
        xform.jacfwd(of)(1 + 1j)


def test_complex_step_is_exact():
    x = np.linspace(0.1, 2, 9)
    assert_allclose(fd.complex_step(f, x), np.diag(f_prime(x)), rtol=1e-14, atol=1e-300)
    assert_allclose(fd.complex_step(rosenbrock, x), rosenbrock_gradient(x), rtol=1e-13)
    assert_allclose(fd.complex_step(f, np.float32(0.7)), f_prime(0.7), rtol=1e-6)
    assert fd.complex_step(f, np.float32(0.7)).dtype == np.float32
    assert_allclose(fd.complex_step(f, 0.7, step=1e-100), f_prime(0.7), rtol=1e-15)
    tree = fd.complex_step(lambda p: {"y": p["a"] * p["b"]}, {"a": 2.0, "b": 3.0})
    assert tree == {"y": {"a": 3.0, "b": 2.0}}


# ---- refusals ----


@pytest.mark.parametrize("scheme", ["centre", "", None])
def test_unknown_scheme(scheme):
    for call in (
        lambda: fd.gradient(np.sin, 1.0, scheme),
        lambda: fd.directional(np.sin, 1.0, 1.0, scheme),
        lambda: fd.best_step(scheme=scheme),
    ):
        with pytest.raises(ValueError, match="schemes forward, backward, central, not"):
            call()


@pytest.mark.parametrize("step", [0, -1e-3, np.nan, np.inf, np.ones(2)])
def test_unusable_step(step):
    for call in (
        lambda: fd.gradient(np.sin, 1.0, step=step),
        lambda: fd.directional(np.sin, 1.0, 1.0, step=step),
        lambda: fd.complex_step(np.sin, 1.0, step=step),
    ):
        with pytest.raises(ValueError, match="step must be a positive number or None"):
            call()


def test_step_that_rounding_swallows():
    with pytest.raises(ValueError, match=r"the step 1e-20 vanishes against 1\.0, entry 1 of x\['a'\]"):
        fd.gradient(lambda x: np.sum(x["a"]), {"a": np.array([0.0, 1.0])}, step=1e-20)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fd.gradient(lambda x: x * x, np.ones(2)), r"must return a single number, not \[f64\[2\]\]; sum it"),
        (lambda: fd.gradient(lambda x: (x, x), 1.0), r"must return a single number, not \[f64\[\], f64\[\]\]"),
        (lambda: fd.gradient(lambda x: x * x, 2), r"x is i64\[\]; derivatives want real or complex numbers"),
        (lambda: fd.gradient(lambda x: 1j * x, 2.0), "the result is complex"),
        (lambda: fd.gradient(int, 2.0), r"the result is i64\[\]"),
        (lambda: fd.jacobian(lambda x: "one", 2.0), "str 'one' was given; wanted an array or a number"),
        (lambda: fd.jacobian(lambda x: x["a"], {"a": "one"}), r"for x\['a'\], str 'one' was given"),
        (lambda: fd.jacobian(lambda x: [x] * (1 + (x > 2)), 2.0), "wanted results of one structure"),
        (lambda: fd.directional(np.sin, np.ones(2), np.ones(3)), r"tangent of x does not match: f64\[3\] was given"),
        (lambda: fd.directional(np.sum, [1.0], (1.0,)), "the direction must have the structure of the point"),
        (lambda: fd.hessian(lambda z: np.abs(z) ** 2, 1j), "wanted real numbers, or holomorphic=True"),
        (lambda: fd.hessian(np.sum, np.ones(2), grad=np.sum), r"grad returned shapes \[\(\)\]; wanted .* \[\(2,\)\]"),
        (lambda: fd.complex_step(np.abs, 1.0), r"a result is f64\[\] although the argument is complex"),
        (lambda: fd.complex_step(np.sin, 1j), "wanted real numbers|the result is complex"),
    ],
)
def test_unsuitable_functions_and_arguments(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_of_a_traced_value_the_derivative_would_be_lost():
    with pytest.raises(xform.ConcretizationError):
        xform.grad(lambda x: fd.gradient(np.sin, x))(1.0)


def test_is_not_imported_with_the_package():
    import subprocess
    import sys

    code = "import sys, xform; assert not {'xform.testing', 'xform.finite_differences'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_flatten_util():
    from xform.flatten_util import ravel_pytree

    flat, unravel = ravel_pytree({"a": np.ones((2, 2)), "b": 3.0})
    assert flat.tolist() == [1, 1, 1, 1, 3]
    assert_array_equal(unravel(flat)["a"], np.ones((2, 2)))
