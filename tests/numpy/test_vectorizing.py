"""numpy.vectorize for traced values: NumPy's results, dtypes and errors, under vmap and by a loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_derivatives, check_same, linearized, mapped, outcome, staged
from xform.testing import check_grads

rng = np.random.default_rng(11)
M, V = rng.normal(size=(2, 3)), rng.normal(size=3)


def check(call, *args, doors=(linearized, mapped, staged), ulps=64):
    """call(vectorize, *args) of ours, with traced arguments, against NumPy's."""
    wanted, error, _ = outcome(call, np.vectorize, *args)
    for door in doors:
        found, found_error, _ = outcome(door, lambda *xs: call(xnp.vectorize, *xs), *args)
        if error is not None or found_error is not None:
            assert issubclass(found_error or type(None), error or ()), (found_error, error)
        else:
            check_same(found, wanted, ulps)


def kinked(a, b=2.0):
    return a * b if a > b else a + b


@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    dtypes=st.tuples(*[st.sampled_from(["float64", "float32", "complex128"])] * 2),
    otypes=st.sampled_from([None, "D", [complex]]),
)
def test_functions_of_numbers(shapes, dtypes, otypes):
    x, y = (np.asarray(rng.normal(size=s), t) for s, t in zip(shapes.input_shapes, dtypes, strict=True))
    rounding = 2**36 if "float32" in dtypes else 64  # NumPy hands over entries of single precision as double ones
    check(lambda vectorize, x, y: vectorize(lambda a, b: a * b + np.sin(a), otypes=otypes)(x, y), x, y, ulps=rounding)


@given(x=arrays(("float64", "float32", "int64"), special=False))
def test_functions_with_branches(x):
    check(lambda vectorize, x: vectorize(kinked)(x, 1.0), x, doors=(linearized,))
    check(lambda vectorize, x: vectorize(lambda a: (a, 0) if a > 0 else (0, a), otypes="dd")(x), x, doors=(linearized,))


def test_the_first_result_says_the_dtype():
    """As in NumPy, which cuts off what the others have more."""
    for x in (np.array([-1.0, 2.5]), np.array([2.5, -1.0])):
        check(lambda vectorize, x: vectorize(lambda a: max(a, 0))(x), x, doors=(linearized,))


@given(
    lead=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    m=st.integers(1, 3),
    n=st.integers(1, 3),
    k=st.integers(1, 3),
)
def test_signatures(lead, m, n, k):
    a, b = (rng.normal(size=(*s, *core)) for s, core in zip(lead.input_shapes, ((m, n), (k,)), strict=True))
    check(lambda vectorize, a, b: vectorize(np.matmul, signature="(m,n),(n)->(m)")(a, b), a, b)
    check(lambda vectorize, a: vectorize(lambda x: (x.sum(), x.T), signature="(m, n) -> (), (n,m)")(a), a)
    check(lambda vectorize, b: vectorize(lambda x: np.concatenate([x, x]), signature="(n)->(k)")(b), b)
    check(lambda vectorize, b: vectorize(lambda x: np.stack([x, x]), otypes="f", signature="(n)->(k,n)")(b), b)


def test_excluded_arguments_and_keywords():
    def power_sum(p, x, scale=1.0):
        return sum(c * x**k for k, c in enumerate(p)) * scale

    check(lambda vectorize, x: vectorize(power_sum, excluded=[0])([1.0, 2.0, 3.0], x), M)
    check(lambda vectorize, x: vectorize(power_sum, excluded={"p"})(p=[1.0, 2.0], x=x, scale=x), M)
    check(lambda vectorize, x: vectorize(power_sum, excluded={"p", 2})(x=x, p=[3.0]), M)
    check_grads(xnp.vectorize(power_sum, excluded={0}), (V, M), order=2)


def test_as_a_decorator():
    @xnp.vectorize
    def plain(x):
        """Twice."""
        return 2 * x

    @xnp.vectorize(otypes=[np.float32], doc="Thrice.")
    def thrice(x):
        return 3 * x

    assert (plain.__name__, plain.__doc__, thrice.__doc__) == ("plain", "Twice.", "Thrice.")
    assert xform.linearize(thrice, V)[0].dtype == np.float32
    np.testing.assert_array_equal(xform.jit(plain)(M), 2 * M)
    assert isinstance(plain, np.vectorize)


@pytest.mark.parametrize(
    "call",
    [
        lambda vectorize, x: vectorize(kinked)(x[:0]),
        lambda vectorize, x: vectorize(np.sin, otypes="f")(x[:0]),
        lambda vectorize, x: vectorize(np.dot, signature="(n),(n)->()")(x[:0], x),
        lambda vectorize, x: vectorize(np.dot, signature="(n),(n)->()")(x, x[:, :2]),
        lambda vectorize, x: vectorize(np.dot, signature="(n),(n)->()")(x),
        lambda vectorize, x: vectorize(np.sum, signature="(m,n,k)->()")(x),
        lambda vectorize, x: vectorize(np.cumsum, otypes="d", signature="(n)->(k)")(x[:0]),
        lambda vectorize, x: vectorize(np.cumsum, otypes="d", signature="(n)->(n)")(x[:0]),
        lambda vectorize, x: vectorize(lambda x: (x, x), signature="(n)->(n)")(x),
        lambda vectorize, x: vectorize(kinked)(x, x[:, :2]),
        lambda vectorize, x: vectorize(np.sin, signature="n->n")(x),
        lambda vectorize, x: vectorize(np.sin, otypes="?!")(x),
        lambda vectorize, x: vectorize(lambda: 3.0)() + x,
        lambda vectorize, x: vectorize(lambda a, b: a)(x, 1.0),
    ],
)
def test_errors_and_empty_operands(call):
    check(call, M)


def test_messages():
    with says(ValueError, "returned an array of shape (2,)", "give a signature"):
        xform.linearize(xnp.vectorize(lambda x: np.stack([x, x])), M)
    with says(ValueError, "expected 2, got 1"):
        xform.linearize(xnp.vectorize(np.sin, otypes="dd"), M)
    with says(xform.ConcretizationError, "math module", "numpy.sin(x)"):
        xform.linearize(xnp.vectorize(math.sin), M)
    with says(xform.ConcretizationError, "a condition", "cond"):
        xform.jit(xnp.vectorize(kinked))(M)
    with says(xform.ConcretizationError, "plain ndarray", "xform.numpy.r_, c_ and vectorize"):
        xform.linearize(np.vectorize(kinked), M)


def test_the_function_may_close_over_traced_values():
    def f(w, x):
        return xnp.vectorize(lambda a: w * a if a > 0 else a)(x)

    np.testing.assert_array_equal(xform.grad(lambda w: f(w, V).sum())(2.0), V[V > 0].sum())
    check_derivatives(lambda w: f(w, M), np.float64(1.5))


def test_derivatives():
    check_grads(xnp.vectorize(kinked), (M, V), order=2)
    check_grads(xnp.vectorize(np.outer, signature="(m),(n)->(m,n)"), (M, V), order=2)
    values = xnp.vectorize(lambda n, x: x**n, otypes=[float])(np.array([1, 2, 3]), V)
    np.testing.assert_allclose(xform.linearize(lambda x: xnp.vectorize(lambda n, x: x**n)([1, 2, 3], x), V)[0], values)


def test_without_values_it_is_one_call():
    calls = []

    def counted(x):
        calls.append(x)
        return x * x

    xform.linearize(xnp.vectorize(counted), np.ones(1000))
    assert len(calls) == 1
    assert "mul" in str(xform.make_jaxpr(xnp.vectorize(counted))(np.ones(1000)))


def test_frompyfunc():
    """NumPy gives objects, ours numbers."""

    def f(x, y):
        return xnp.frompyfunc(kinked, 2, 1)(x, y).astype(float)

    np.testing.assert_array_equal(xform.linearize(f, M, V)[0], f(M, V))
    check_grads(f, (M, V), order=2)
    both = np.frompyfunc(lambda a: (a * a, -a), 1, 2)
    check_derivatives(lambda x: np.stack([y.astype(float) for y in both(x)]), V)
    np.testing.assert_array_equal(xform.vmap(both)(M)[0], M * M)
    with says(TypeError, "unhashable"):
        xform.linearize(np.frompyfunc(hash, 1, 1), V)
