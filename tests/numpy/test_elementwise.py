"""Functions of single entries that are not ufuncs, choices between them, and what shape and dtype tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature

V = np.array([0.3, -1.2, 2.5])
Z = np.array([0.3 + 1j, -1.2 - 0.5j, 2.5j])

NAMES = (
    "real imag angle real_if_close isreal iscomplex isposinf isneginf isclose allclose array_equal array_equiv round "
    "around fix nan_to_num sinc select piecewise interp shape ndim size iscomplexobj isrealobj array_repr array_str"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures_are_numpys(name):
    check_signature(getattr(xnp, name), getattr(np, name))


@given(arrays())
def test_parts_and_predicates(a):
    for f in (np.real, np.imag, np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj, np.shape, np.ndim, np.size):
        check_agrees(f, a)
    for f in (np.isposinf, np.isneginf, np.fix):
        check_agrees(f, a)


@given(a=arrays(special=False), deg=st.booleans())
def test_angle(a, deg):
    check_agrees(lambda a: np.angle(a, deg), a)


@given(a=arrays(), decimals=st.integers(-2, 3))
def test_round(a, decimals):
    if a.dtype == bool and decimals:
        return  # NumPy makes floats of them and cannot cast them back
    check_agrees(lambda a: np.round(a, decimals), a)
    check_agrees(lambda a: a.round(decimals), a)
    check_agrees(np.around, a)


@pytest.mark.parametrize("decimals", [1.5, "a"])
def test_decimals_are_integers(decimals):
    check_agrees(lambda a: np.round(a, decimals), V)


limits = st.sampled_from([None, 0, 0.5, -1.0, np.float32(0.5), [0.0, 1.0, 0.5], np.nan])


@given(a=arrays(["f8", "f4", "i8", "i1"], st.sampled_from([(3,), (2, 3), ()])), low=limits, high=limits)
def test_clip(a, low, high):
    check_agrees(lambda a: np.clip(a, low, high), a)
    check_agrees(lambda a: np.clip(a, a_min=low, a_max=high), a)
    check_agrees(lambda a: a.clip(low, high), a)
    check_agrees(lambda a: a.clip(low), a)
    check_agrees(lambda a: a.clip(max=high), a)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "f4"},
        {"dtype": "i4", "casting": "unsafe"},
        {"casting": "same_kind", "order": "C", "subok": False, "where": True},
        {"loop": 1},
    ],
)
def test_options_of_clip(options):
    check_agrees(lambda a: np.clip(a, 0, 1, **options), V)


def test_clip_to_integers_is_refused():
    with pytest.raises(TypeError, match="Cannot cast ufunc 'clip' input 0 from float64 to int32"):
        xform.linearize(lambda a: np.clip(a, 0, 1, dtype="i4"), V)
    where = xform.jit(lambda a: np.clip(a, 0, 1, where=[True, False, True][: a.size]))(np.array([0.5, 0.5, 3.0]))
    assert where.tolist() == [0.5, 0, 1]


def test_limits_of_clip_have_derivatives():
    check_derivatives(np.clip, V, np.array(-0.7), np.array(1.3))
    check_agrees(lambda low: V.clip(low, 5), np.array(0.5))  # a method of a plain array
    check_agrees(np.clip, V)
    check_agrees(lambda a: np.clip(a, 0), V)
    check_agrees(lambda a: np.clip(a, 0, 1, min=0), V)
    check_agrees(lambda a: np.clip(a, max=1), V)
    check_agrees(lambda a: np.clip(a, 0, 1, dtype="f4"), V.astype("f4"))


@given(
    a=arrays(["f8", "f4", "c16", "i8"]),
    nan=st.sampled_from([0.0, 7.0]),
    posinf=st.sampled_from([None, 9.0]),
    neginf=st.sampled_from([None, -9.0]),
)
def test_nan_to_num(a, nan, posinf, neginf):
    check_agrees(lambda a: np.nan_to_num(a, nan=nan, posinf=posinf, neginf=neginf), a)


def test_nan_to_num_of_complex_numbers():
    z = np.array([complex(np.nan, 1), complex(1, np.inf), complex(-np.inf, np.nan), 1 + 2j])
    check_agrees(np.nan_to_num, z)
    assert xform.grad(lambda x: np.nan_to_num(x).sum())(np.array([np.nan, 2.0, np.inf])).tolist() == [0, 1, 0]


@given(arrays(["f8", "f4", "c16", "i8"]))
def test_sinc(a):
    with np.errstate(all="ignore"):
        check_agrees(np.sinc, a, doors=("linearize", "vmap") if np.isfinite(a).all() else ("vmap",), ulps=64)


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.0795, 0.0796, 0.3, -2.2])
def test_derivatives_of_sinc_around_zero(x):
    """d/dx (sin(pi x) / (pi x)) has the Taylor series sum (-1)^k pi^2k x^2k / (2k+1)!, wherever it is taken from."""
    f = np.sinc
    for order in range(1, 5):
        f = xform.grad(f)
        k = np.arange(40)
        powers = 2 * k - order
        factors = np.array([np.prod(np.arange(2 * m - order + 1, 2 * m + 1.0)) if 2 * m >= order else 0.0 for m in k])
        coefficients = (-1.0) ** k * np.pi ** (2 * k) / np.cumprod(np.concatenate([[1.0], np.arange(2, 80.0)]))[2 * k]
        wanted = np.sum(coefficients * factors * np.where(powers >= 0, np.power(x, np.maximum(powers, 0)), 0))
        np.testing.assert_allclose(f(x), wanted, rtol=1e-9, atol=1e-9)


@given(a=arrays(["f8", "f4", "i8"], (3,)), b=arrays(["f8", "i8", "c16"], (3,)), equal_nan=st.booleans())
def test_comparisons(a, b, equal_nan):
    for x, y in ((a, b), (a, a), (a, a + np.float32(1e-7)), (a, b[:2]), (a, b[0])):
        check_agrees(lambda x, y: np.isclose(x, y, equal_nan=equal_nan), x, y)
        check_agrees(lambda x, y: np.allclose(x, y, rtol=0.1, equal_nan=equal_nan), x, y, doors=("linearize",))
        check_agrees(lambda x, y: np.array_equal(x, y, equal_nan), x, y, doors=("linearize",))
        check_agrees(np.array_equiv, x, y, doors=("linearize",))


def test_comparisons_decide_where_values_are_known():
    def f(x):
        assert np.allclose(x, V)
        assert type(np.array_equal(x, V)) is bool
        return x.sum()

    xform.grad(f)(V)
    assert xform.vmap(lambda x: np.allclose(x, V))(np.stack([V, V + 1])).tolist() == [True, False]
    assert str(xform.eval_shape(np.array_equal, V, V)) == "bool[]"


def test_real_if_close():
    check_agrees(np.real_if_close, Z, doors=("linearize",))
    check_agrees(np.real_if_close, V + 1e-15j, doors=("linearize",))
    check_agrees(np.real_if_close, V, doors=("linearize",))
    with pytest.raises(xform.ConcretizationError, match=r"real_if_close needs the value.*xform\.numpy\.real"):
        xform.vmap(np.real_if_close)(Z)


# --- choices ---


@given(
    c=arrays(["bool", "i8", "f8"], st.sampled_from([(3,), (2, 1), ()])),
    a=arrays(["f8", "f4", "i8", "c16"], st.sampled_from([(3,), ()])),
    b=arrays(["f8", "f4"], st.sampled_from([(2, 3), (3,)])),
)
def test_where(c, a, b):
    check_agrees(np.where, c, a, b)
    check_agrees(lambda c, a: np.where(c, a, 0), c, a)
    check_agrees(lambda c, a: np.where(c, a, 0.5), c, a)
    check_agrees(lambda c, a: np.where(c, [1, 2, 3], a), c, a)


def test_where_of_a_condition_alone():
    check_agrees(lambda a: np.where(a > 0), V, doors=("linearize",))
    check_agrees(np.where, np.array([[0.0, 2], [3, 0]]), doors=("linearize",))
    with pytest.raises(ValueError, match="either both or neither"):
        xform.grad(lambda x: np.where(x > 0, x).sum())(V)
    with pytest.raises(xform.ConcretizationError, match="only known by shape and dtype"):
        xform.vmap(lambda a: np.where(a > 0)[0])(np.stack([V, V]))


def test_where_takes_traced_lists_and_conditions():
    check_agrees(lambda a: np.where(a > 0, a, -a), V)
    assert xform.grad(lambda x: xnp.where([True, False], [x, 1.0], [2.0, x]).sum())(1.5) == 2


@given(
    a=arrays(["f8", "f4", "i8"], (3,)),
    default=st.sampled_from([0, 1.5, np.array([1.0, 2, 3]), np.zeros((2, 3), np.float32), 1j]),
)
def test_select(a, default):
    check_agrees(lambda a: np.select([a > 1, a < -1], [a, 2 * a], default), a)
    check_agrees(lambda a: np.select([a > 1, [True, False, True]], [1, 2.5], default), a)


def test_select_refuses():
    check_agrees(lambda a: np.select([], []), V)
    for conditions in ([], [V > 0, V < 0], [V]):
        check_agrees(lambda a, c=conditions: np.select(c, [a]), V)


@given(a=arrays(["f8", "f4", "i8"], st.sampled_from([(3,), (2, 2), (0,), ()]), special=False))
def test_piecewise(a):
    check_agrees(lambda a: np.piecewise(a, [a < 0, a >= 0], [lambda x: -x, lambda x: x * x]), a)
    check_agrees(lambda a: np.piecewise(a, [a < 0], [-1, 1]), a)
    check_agrees(lambda a: np.piecewise(a, [a < 0, a > 1], [1, 2, lambda x, k, m=0: x + k + m], 3, m=4), a)
    check_agrees(lambda a: np.piecewise(a, a < 0, [-1.5, lambda x: x]), a)
    check_agrees(lambda a: np.piecewise(a, [a < 0, a > 0], [1]), a)


points = st.sampled_from([([0.0, 1.0, 3.0], [1.0, -1.0, 2.0]), ([1.0], [5.0]), ([0.0, 2.0], [1j, 2.0])])


@given(
    x=arrays(["f8", "f4", "i8"], st.sampled_from([(5,), (2, 3), ()])),
    points=points,
    left=st.sampled_from([None, -7.0]),
    right=st.sampled_from([None, 9.0]),
)
def test_interp(x, points, left, right):
    xp, fp = map(np.array, points)
    check_agrees(lambda x, fp: np.interp(x, xp, fp, left, right), x, fp)
    check_agrees(lambda x: np.interp(x, xp, fp, left, right), x)


def test_interp_refuses():
    for xp, fp in (([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[2.0]])):
        check_agrees(lambda x, xp=xp, fp=fp: np.interp(x, xp, fp), V)
    check_agrees(lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0], period=0), V)
    check_agrees(lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]), Z)


def test_interp_with_a_period():
    xp, fp = np.array([190.0, -190, 350, -350]), np.array([5.0, 10, 3, 4])
    check_agrees(lambda x, xp, fp: np.interp(x, xp, fp, period=360), np.array([-180.0, -170, -10, 0, 365]), xp, fp)


CHOICES = {
    "where": lambda x: np.where(x > 0, np.sin(x), x**2),
    "select": lambda x: np.select([x > 1, x > 0], [x**3, np.exp(x)], -x),
    "piecewise": lambda x: np.piecewise(x, [x > 1, x > 0], [np.sin, np.square, lambda x: x**3]),
    "interp": lambda x: np.interp(x**2, [0.0, 1.0, 3.0], x**3),
    "interp in xp": lambda x: np.interp(0.7, x - 1.5, x**3) ** 2,
    "interp periodic": lambda x: np.interp(x, [0.1, 1.0, 1.8], np.cos(x), period=2.0),
    "sinc": np.sinc,
    "clip": lambda x: np.clip(x, -0.5, 3.0) ** 2,
    "nan_to_num": np.nan_to_num,
}


@pytest.mark.parametrize("name", CHOICES)
def test_derivatives(name):
    check_derivatives(CHOICES[name], np.array([0.3, 1.2, 2.5]))


COMPLEX = {
    "real": lambda z: np.real(z * z),
    "imag": lambda z: np.imag(z * z),
    "angle": np.angle,
    "degrees": lambda z: np.angle(z, deg=True),
    "sinc": np.sinc,
    "nan_to_num": lambda z: np.nan_to_num(z * z),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_at_complex_numbers(name):
    check_derivatives(COMPLEX[name], Z)


def test_the_angle_of_real_numbers_does_not_move():
    x = np.array([0.0, -0.0, 2.5, -1.5])
    value, tangent = xform.jvp(np.angle, (x,), (np.ones(4),))
    np.testing.assert_array_equal(value, [0, np.pi, 0, np.pi])
    np.testing.assert_array_equal(tangent, np.zeros(4))
    np.testing.assert_array_equal(xform.grad(lambda x: np.angle(x).sum())(x), np.zeros(4))
    assert np.isnan(xform.grad(np.angle)(0j))


# --- what shape and dtype tell ---


@pytest.mark.parametrize("transform", [xform.grad, xform.vmap, xform.make_jaxpr], ids=lambda t: t.__name__)
def test_dtypes_of_traced_values(transform):
    def f(x):
        assert np.result_type(x, np.float32, 1j) == np.complex128
        assert np.result_type(x, 1) == x.dtype
        assert np.can_cast(x, np.complex64, "same_kind")
        assert not np.can_cast(x, int)
        assert np.common_type(x, np.ones(2, np.float32)) is np.float64
        assert np.min_scalar_type(x) == np.float64
        assert np.size(x, 0) == 3
        assert not np.shares_memory(x, V)
        assert not np.may_share_memory(V, x)
        return x.sum()

    transform(f)(V if transform is not xform.vmap else np.stack([V, V]))


def test_known_values_are_shown():
    def f(x):
        assert np.array2string(x, precision=2) == np.array2string(V, precision=2)
        assert np.array_repr(x) == repr(V)
        assert np.array_str(x, precision=1) == np.array_str(V, precision=1)
        return x.sum()

    xform.grad(f)(V)
    assert xform.vmap(lambda x: len(np.array2string(x)) + len(np.array_repr(x)) + x.sum())(np.stack([V, V])).shape == (
        2,
    )


@pytest.mark.parametrize("number", [1j, 2.0, 3, True])
def test_where_with_python_numbers_keeps_the_precision(number):
    """They are weak, as in NumPy."""
    x = np.array([0.5, 1.5], np.float32)
    f = lambda x: np.where(x > 1, x, number)  # noqa: E731
    for g in (lambda x: xform.jvp(f, (x,), (x,))[0], xform.jit(f), lambda x: xform.vmap(f)(x[None])[0]):
        assert g(x).dtype == f(x).dtype
        assert (g(x) == f(x)).all()
