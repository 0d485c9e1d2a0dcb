"""Every ufunc of NumPy on tracers: values, options, methods, in-place forms, and those made of others."""

import functools
import math
import operator
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives

V = np.array([0.3, -1.2, 2.5])
W = np.array([1.7, 0.4, -0.6])
M = np.array([[0.3, 1.2, 2.5], [0.7, 0.2, 1.9]])
N = np.array([6, 4, 9])

UFUNCS = sorted({f for name in np.__all__ if isinstance(f := getattr(np, name), np.ufunc)}, key=lambda f: f.__name__)
GENERALISED = [f for f in UFUNCS if f.signature]
TIMES = [np.isnat]  # of dates only


@pytest.mark.parametrize("f", UFUNCS, ids=lambda f: f.__name__)
def test_every_ufunc_is_numpys_own(f):
    names = [name for name in np.__all__ if getattr(np, name) is f]
    if f not in [*GENERALISED, *TIMES]:
        assert all(getattr(xnp, name) is f for name in names)


def operands(f):
    """Arguments of each kind that the ufunc takes."""
    for values in (
        [V, W],
        [np.float32([0.3, 0.4]), np.float32([0.7, 0.2])],
        [N, N - 3],
        [V + 1j, W],
        [V > 0, W > 0],
        [V, N],
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                f(*values[: f.nin])
            except TypeError:
                continue
        yield values[: f.nin]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("f", [f for f in UFUNCS if f not in [*GENERALISED, *TIMES]], ids=lambda f: f.__name__)
def test_every_ufunc_agrees(f):
    kinds = list(operands(f))
    assert kinds
    for args in kinds:
        check_agrees(f, *args)
        check_agrees(lambda *xs, args=args: f(*args[:-1], *xs), args[-1])
        check_agrees(lambda x, args=args: f(x, *args[1:]), args[0])


@pytest.mark.parametrize("f", [np.modf, np.divmod, np.frexp], ids=lambda f: f.__name__)
@pytest.mark.parametrize("special", [0.0, -0.0, 2.0, -2.0, 0.5, np.inf, -np.inf, np.nan, 5e-324, 1e308, -7.3])
def test_two_results(f, special):
    rest = () if f.nin == 1 else (2.0,)
    for dtype in ("f8", "f4"):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x = np.array(special).astype(dtype)
            wanted = f(x, *rest)
            for actual in (xform.linearize(lambda x: f(x, *rest), x)[0], xform.vmap(lambda x: f(x, *rest))(x[None])):
                for a, w in zip(actual, wanted, strict=True):
                    np.testing.assert_array_equal(np.ravel(a)[0], w)
                    assert np.signbit(np.ravel(a)[0]) == np.signbit(w)
                    assert a.dtype == w.dtype


def test_derivatives_of_composites():
    x = np.array([1.3, -2.6, 0.7])
    check_derivatives(lambda x, y: np.divmod(x, y)[1] ** 2, x, W)
    check_derivatives(lambda x: np.modf(x)[0] ** 2, x)
    check_derivatives(lambda x: np.frexp(x)[0] ** 2, x)
    check_derivatives(np.float_power, np.abs(x), W)
    check_derivatives(lambda x: np.degrees(x) + np.radians(x) ** 2, x)
    assert xform.grad(lambda x: np.modf(x)[0])(-2.0) == 1.0
    assert xform.grad(lambda x: divmod(x, 3.0)[1])(7.0) == 1.0
    assert xform.grad(lambda x: divmod(7.0, x)[1])(3.0) == -2.0
    assert xform.grad(lambda x: divmod(N, x)[1].sum())(4.0) == -4.0


def test_sign_of_complex_numbers_has_a_derivative():
    z = np.array([3 + 4j, -1 + 0.5j, 2j])
    check_derivatives(np.sign, z)
    check_derivatives(lambda z: np.abs(z) ** 3, z)
    assert xform.jvp(np.sign, (0j,), (1 + 0j,)) == (0, 0)


# --- operands ---


@pytest.mark.parametrize("other", ["a", None, {}, object()], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("transform", [xform.grad, xform.make_jaxpr], ids=lambda t: t.__name__)
def test_other_operands_are_refused_as_numpy_does(other, transform):
    for f in (
        lambda x: x + other,
        lambda x: other * x,
        lambda x: np.add(x, other),
        lambda x: np.power(other, x),
        lambda x: x @ other,
        lambda x: np.matmul(x, other),
        lambda x: divmod(x, other),
        lambda x: np.divmod(x, other),
        lambda x: x < other,
    ):
        with pytest.raises(TypeError):
            transform(lambda x, f=f: np.sum(f(x)))(V)


def test_equality_with_other_things():
    def f(x):
        assert (x == "a") is False
        assert (x != None) is True  # noqa: E711  # the operator is what is tested
        return x.sum()

    xform.grad(f)(V)


def test_other_classes_may_take_over():
    class Unit:
        def __radd__(self, other):
            return "unit"

        def __array_ufunc__(self, *args, **kwargs):
            return "unit"

    def f(x):
        assert x + Unit() == "unit"
        assert np.add(x, Unit()) == "unit"
        return x.sum()

    xform.grad(f)(V)


def test_an_unknown_ufunc_is_refused():
    with pytest.raises(TypeError, match=r"the ufunc isnat has no derivative rule.*test_ufuncs\.py.*xform\.extend"):
        xform.grad(lambda x: np.isnat(x).sum())(V)


# --- options ---


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i8", "bool"])
@pytest.mark.parametrize("casting", ["same_kind", "unsafe", "no", "safe"])
@pytest.mark.filterwarnings("ignore:Casting complex")
def test_dtypes_of_loops(dtype, casting):
    for x, y in ((V, W), (V.astype("f4"), W), (N, N)):
        check_agrees(lambda x, y: np.add(x, y, dtype=dtype, casting=casting), x, y)
        check_agrees(lambda x: np.multiply(x, 2, dtype=dtype, casting=casting), x)
        check_agrees(lambda x: np.sin(x, dtype=dtype, casting=casting), x)


def test_signatures_of_loops():
    check_agrees(lambda x: np.add(x, 1, signature="ff->f"), V.astype("f4"))
    check_agrees(lambda x: np.add(x, 1, signature="ff->f"), V)
    check_agrees(lambda x: np.add(x, 1, sig=("d", "d", "d")), V.astype("f4"))
    check_agrees(lambda x: np.add(x, 1, order="F", subok=False), M)
    check_agrees(lambda x: np.modf(x, dtype="f8"), V.astype("f4"))
    check_derivatives(lambda x: np.multiply(x, x, dtype=complex), V, order=1)


MASK = np.array([True, False, True])


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
def test_where_chooses_entries():
    for transform in (lambda f: xform.linearize(f, V)[0], lambda f: xform.vmap(f)(V[None])[0]):
        y = transform(lambda x: np.log(x, where=x > 0))
        np.testing.assert_array_equal(y, [np.log(0.3), 0, np.log(2.5)])
        y = transform(lambda x: np.modf(x, where=MASK)[1])
        np.testing.assert_array_equal(y, [0, 0, 2])
    gradient = xform.grad(lambda x: np.sqrt(x, where=x > 0).sum())(V)
    np.testing.assert_allclose(gradient, [0.5 / np.sqrt(0.3), 0, 0.5 / np.sqrt(2.5)])


# --- results written elsewhere ---


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>"])
def test_augmented_assignment_rebinds(op):
    scope = {"np": np}
    exec(f"def f(x, a):\n    a = np.array(a)\n    a {op}= x\n    return a", scope)
    x, a = (N, N + 1) if op in ("&", "|", "^", "<<", ">>", "//", "%") else (V, W + 2.0)
    if op == "@":
        x, a = np.eye(3), np.ones((2, 3))
    for traced in (
        xform.linearize(lambda x: scope["f"](x, a), np.asarray(x, float))[0] if x.dtype == float else None,
        xform.vmap(lambda x: scope["f"](x, a))(x[None])[0],
    ):
        if traced is not None:
            np.testing.assert_allclose(traced, scope["f"](x, a))
            assert traced.dtype == scope["f"](x, a).dtype


def test_augmented_assignment_keeps_shape_and_dtype():
    def f(x):
        a = np.zeros(3, np.float32)
        a += x
        assert a.dtype == np.float32
        a -= np.ones(3)  # a tracer by now
        return a.sum()

    np.testing.assert_array_equal(xform.grad(f)(V), [1, 1, 1])

    def wider(x):
        a = np.zeros(1)
        a += x
        return a.sum()

    with pytest.raises(ValueError, match=r"shape \(3,\) cannot take the place of an array of shape \(1,\).*a = a \+ x"):
        xform.grad(wider)(V)

    def whole(x):
        a = np.zeros(3, int)
        a += x
        return a.sum()

    with pytest.raises(TypeError, match=r"dtype float64 cannot take the place of an array of dtype int64.*a = a \+ x"):
        xform.grad(whole)(V)


def test_augmented_assignment_in_a_loop():
    def f(x):
        total = np.zeros(3)
        for k in range(4):
            total += x**k
        return total.sum()

    check_derivatives(f, V)
    assert xform.vmap(f)(M).shape == (2,)


TRANSFORMS = {
    "grad": lambda f: xform.grad(f)(V),
    "jvp": lambda f: xform.jvp(f, (V,), (V,)),
    "vmap": lambda f: xform.vmap(f)(M),
    "make_jaxpr": lambda f: xform.make_jaxpr(f)(V),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_other_outputs_are_refused(transform):
    a = np.zeros(3)
    for f in (
        lambda x: np.add(x, 1, out=a),
        lambda x: np.add(x, 1, a),
        lambda x: np.add(a, x, out=a),
        lambda x: np.add(a, x, out=(a,)),
        lambda x: np.add(a, x, a, where=MASK),
        lambda x: np.divmod(x, 2, out=(a, None))[1],
        lambda x: np.add.reduce(x, out=np.zeros(())),
        lambda x: np.add.accumulate(x, out=a),
        lambda x: operator.iadd(a, x),
    ):
        with pytest.raises(
            xform.ConcretizationError, match=r"traced result into a plain array \(out=\).*returned value"
        ):
            transform(lambda x, f=f: np.sum(f(x)))
    assert not a.any()


def test_augmented_assignment_to_a_part_of_an_array():
    """It would have to write into the whole."""

    def rows(x):
        a = np.zeros((2, 3))
        for k in range(2):
            row = a[k]
            row += x
        return np.sum(a)

    def entries(x):
        a = np.zeros((2, 3))
        a[0] += x
        return np.sum(a)

    for f in (rows, entries):
        with pytest.raises(xform.ConcretizationError, match=r"view a of another.*xform\.numpy\.at\(b\)\[i\]\.add\(x\)"):
            xform.grad(f)(V)

    def alone(x):
        a = np.arange(6.0).reshape(2, 3)  # a view as well, of what nobody else can read
        a += x
        return np.sum(a)

    np.testing.assert_array_equal(xform.grad(alone)(V), [2, 2, 2])


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_at_is_refused_on_plain_arrays(transform):
    a = np.zeros(3)
    with pytest.raises(xform.ConcretizationError, match=r"add\.at was to write.*xform\.numpy\.zeros"):
        transform(lambda x: np.add.at(a, [0, 1, 1], x))
    assert not a.any()


# --- methods ---

REAL_FOLDS = [
    np.add,
    np.multiply,
    np.maximum,
    np.minimum,
    np.subtract,
    np.divide,
    np.logaddexp,
    np.logaddexp2,
    np.hypot,
    np.fmax,
    np.fmin,
    np.copysign,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.fmod,
    np.less,
]
axes = st.sampled_from([0, 1, -1, None, (0, 1), (), 2])


@given(
    f=st.sampled_from(REAL_FOLDS),
    shape=st.sampled_from([(3,), (2, 3), (5, 4), (1, 2), (0, 2), (2, 0)]),
    axis=axes,
    keepdims=st.booleans(),
)
def test_reduce(f, shape, axis, keepdims):
    x = 0.5 + np.linspace(0, 1, math.prod(shape)).reshape(shape)
    with np.errstate(all="ignore"):
        check_agrees(lambda x: f.reduce(x, axis=axis, keepdims=keepdims), x, ulps=64)


@given(
    f=st.sampled_from([np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.gcd, np.lcm, np.add, np.left_shift]), axis=axes
)
def test_reduce_integers(f, axis):
    check_agrees(lambda x: f.reduce(x, axis=axis), np.array([[12, 18, 6], [4, 10, 8]]), doors=("vmap",))


@given(
    f=st.sampled_from([np.add, np.multiply, np.maximum, np.logaddexp, np.hypot, np.logical_or, np.subtract]),
    initial=st.sampled_from([np._NoValue, 2.5, None]),
    where=st.sampled_from([True, MASK, [[True], [False]], np.zeros(3, bool)]),
    dtype=st.sampled_from([None, "f4"]),
)
def test_reduce_options(f, initial, where, dtype):
    if f is np.logical_or and (initial is not np._NoValue or dtype):
        return
    options = {"where": where, **({} if initial is np._NoValue else {"initial": initial})}
    check_agrees(lambda x: f.reduce(x, dtype=dtype, **options), M, ulps=64)


@pytest.mark.parametrize("f", [np.sin, np.divmod], ids=lambda f: f.__name__)
def test_only_operations_are_folded(f):
    check_agrees(f.reduce, V)
    check_agrees(f.accumulate, V)


@given(
    f=st.sampled_from([f for f in REAL_FOLDS if f is not np.less]),
    shape=st.sampled_from([(3,), (2, 3), (0, 2), (2, 0)]),
    axis=st.sampled_from([0, 1, -1]),
)
def test_accumulate(f, shape, axis):
    x = 0.5 + np.linspace(0, 1, math.prod(shape)).reshape(shape)
    with np.errstate(all="ignore"):
        check_agrees(lambda x: f.accumulate(x, axis), x, ulps=64)


@given(
    f=st.sampled_from([np.add, np.multiply, np.maximum, np.subtract, np.logaddexp]),
    indices=st.sampled_from([[0, 2], [0, 2, 1], [1], [], [0, 0, 3], [2, 2], [5], [-1], [[0]]]),
    axis=st.sampled_from([0, 1, -1]),
)
def test_reduceat(f, indices, axis):
    x = 0.5 + np.linspace(0, 1, 16).reshape(4, 4)
    if np.ndim(indices) == 1:
        check_agrees(lambda x: f.reduceat(x, indices, axis), x, ulps=64)


@pytest.mark.parametrize(
    "f", [np.add, np.multiply, np.subtract, np.arctan2, np.less, np.divmod], ids=lambda f: f.__name__
)
def test_outer(f):
    check_agrees(f.outer, V, W)
    check_agrees(f.outer, M, np.array(2.0))
    check_agrees(lambda x: f.outer(x, [1, 2]), M)
    check_agrees(lambda x: f.outer([1, 2], x), V)


def test_powers_are_folded_from_the_left():
    """As by Python; NumPy 2.4's vectorised loops (power, arctan2) leave out numbers along a contiguous axis."""
    y = xform.linearize(lambda x: np.power.reduce(x, axis=1), M)[0]
    np.testing.assert_allclose(y, (M[:, 0] ** M[:, 1]) ** M[:, 2])
    y = xform.linearize(lambda x: np.arctan2.reduce(x, axis=1), M)[0]
    np.testing.assert_allclose(y, np.arctan2(np.arctan2(M[:, 0], M[:, 1]), M[:, 2]))


METHODS = {
    "reduce": lambda x: np.logaddexp.reduce(x, axis=1),
    "reduce left": lambda x: np.divide.reduce(x, axis=1),
    "reduce masked": lambda x: np.hypot.reduce(x, axis=1, where=MASK, initial=0.5),
    "sum": lambda x: np.add.reduce(x) ** 2,
    "prod": lambda x: np.multiply.reduce(x, axis=1),
    "accumulate": lambda x: np.multiply.accumulate(x, axis=1),
    "accumulate left": lambda x: np.divide.accumulate(x, axis=1),
    "logcumsumexp": lambda x: np.logaddexp.accumulate(x, axis=1),
    "maxima": lambda x: np.maximum.accumulate(x, axis=1) ** 2,
    "reduceat": lambda x: np.multiply.reduceat(x, [0, 2, 1], axis=1),
    "outer": lambda x: np.multiply.outer(x, np.sin(x)),
}


@pytest.mark.parametrize("name", METHODS)
def test_derivatives_of_methods(name):
    check_derivatives(METHODS[name], M)


def test_a_fold_in_halves_is_short():
    """log2(n) operations, not n."""
    jaxpr = xform.make_jaxpr(np.logaddexp.reduce)(np.ones(1000))
    assert str(jaxpr).count("logaddexp") == 10


def test_generalised_ufuncs():
    check_agrees(np.matmul, M, V)
    check_agrees(lambda x: np.matmul(M, x, axes=[(0, 1), (0,), (0,)]), V)
    check_agrees(lambda x: np.vecdot(x, M), V)
    if hasattr(np, "matvec"):
        check_agrees(np.matvec, M, V)
        check_agrees(np.vecmat, np.array([1.0, 2.0]), M)


def test_python_folds():
    assert xform.grad(lambda x: functools.reduce(operator.add, x))(V).tolist() == [1, 1, 1]
    assert xform.grad(sum)(V).tolist() == [1, 1, 1]
    assert xform.grad(lambda x: math.prod(x[1:]))(V).tolist() == [0, 2.5, -1.2]
    assert xform.grad(lambda x: max(x) - min(x))(V).tolist() == [0, -1, 1]


@given(arrays(["f8"], (3,), special=False))
def test_nested_tracers(x):
    """A ufunc with tracers of two transformations belongs to the inner one."""
    y = xform.grad(lambda x: xform.grad(lambda y: np.sum(np.add(np.multiply(x, y), y**2)))(V).sum())(x)
    np.testing.assert_array_equal(y, np.ones(3))
