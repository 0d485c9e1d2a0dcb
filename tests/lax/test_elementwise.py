"""The elementwise operators of `xform.lax`: values, dtypes, derivatives, maps, programs, bad input."""

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_same
from xform import lax
from xform.testing import check_grads, check_vmap

rng = np.random.default_rng(0)
X, Y = rng.uniform(0.1, 0.9, (2, 3)), rng.uniform(1.1, 1.9, 3)
M, N = np.array([-7, 7, 5, -1]), np.array([2, -2, 3, 4])
nan, inf = np.nan, np.inf

#: operator, what NumPy calls it, operands at which it is smooth
SMOOTH = [
    (lax.abs, np.absolute, X),
    (lax.acos, np.arccos, X),
    (lax.acosh, np.arccosh, Y),
    (lax.add, np.add, X, Y),
    (lax.asin, np.arcsin, X),
    (lax.asinh, np.arcsinh, X),
    (lax.atan, np.arctan, X),
    (lax.atan2, np.arctan2, X, Y),
    (lax.atanh, np.arctanh, X),
    (lax.cbrt, np.cbrt, X),
    (lax.clamp, lambda a, x, b: np.clip(x, a, b), 0.3, X, 0.6),
    (lax.clamp, lambda a, x, b: np.clip(x, a, b), X, Y, X + 0.7),
    (lax.complex, lambda x, y: x + 1j * y, X, Y),
    (lax.conj, lambda x: np.conj(x + 0j), X),
    (lax.conj, np.conj, X + 1j * Y),
    (lax.cos, np.cos, X),
    (lax.cosh, np.cosh, X),
    (lax.div, np.true_divide, X, Y),
    (lax.exp, np.exp, X),
    (lax.exp2, np.exp2, X),
    (lax.expm1, np.expm1, X),
    (lax.imag, np.imag, X + 1j * Y),
    (lambda x: lax.integer_pow(x, 3), lambda x: x**3, X),
    (lambda x: lax.integer_pow(x, -2), lambda x: x**-2, X),
    (lambda x: lax.integer_pow(x, 0), np.ones_like, X),
    (lax.log, np.log, X),
    (lax.log1p, np.log1p, X),
    (lax.logistic, lambda x: 1 / (1 + np.exp(-x)), X),
    (lax.max, np.maximum, X, Y - 0.7),
    (lax.min, np.minimum, X, Y - 0.7),
    (lax.mul, np.multiply, X, Y),
    (lax.neg, np.negative, X),
    (lax.pow, np.power, X, Y),
    (lax.real, np.real, X + 1j * Y),
    (lax.reciprocal, np.reciprocal, X),
    (lax.rem, np.fmod, Y, X),
    (lax.rsqrt, lambda x: 1 / np.sqrt(x), X),
    (lax.select, np.where, X > 0.5, X, Y),
    (lambda *cases: lax.select_n(M[:3] % 3, *cases), lambda *cases: np.choose(M[:3] % 3, cases), X, Y, X[0]),
    (lax.sin, np.sin, X),
    (lax.sinh, np.sinh, X),
    (lax.sqrt, np.sqrt, X),
    (lax.square, np.square, X),
    (lax.sub, np.subtract, X, Y),
    (lax.tan, np.tan, X),
    (lax.tanh, np.tanh, X),
]
#: operators whose results are constant almost everywhere, or not of numbers with derivatives
STEPS = [
    (lax.bitwise_and, np.bitwise_and, M, N),
    (lax.bitwise_not, np.invert, M),
    (lax.bitwise_not, np.logical_not, M > 0),
    (lax.bitwise_or, np.bitwise_or, M, N),
    (lax.bitwise_xor, np.bitwise_xor, M, N),
    (lax.ceil, np.ceil, 3 * X),
    (lax.clamp, lambda a, x, b: np.clip(x, a, b), -1, M, 6),
    (lax.div, lambda x, y: np.trunc(x / y).astype(int), M, N),
    (lax.eq, np.equal, M, N - 2),
    (lax.floor, np.floor, 3 * X),
    (lax.ge, np.greater_equal, M, N),
    (lax.gt, np.greater, M, N),
    (lax.is_finite, np.isfinite, np.array([1.0, inf, -inf, nan])),
    (lax.le, np.less_equal, M, N),
    (lax.lt, np.less, M, N),
    (lax.ne, np.not_equal, M, N - 2),
    (lax.nextafter, np.nextafter, X, Y),
    (lax.pow, np.power, M, np.abs(N)),
    (lax.rem, np.fmod, M, N),
    (lax.round, np.rint, 3 * X),
    (lax.round, np.array, M),
    (lax.shift_left, np.left_shift, M, np.abs(N)),
    (lax.sign, np.sign, X - 0.5),
    (lax.square, np.square, M),
]
TABLE = SMOOTH + STEPS


def single(x):
    """In single precision."""
    return x.astype({"f": np.float32, "c": np.complex64, "i": np.int32}.get(x.dtype.kind, x.dtype), copy=False)


def each(table):
    return pytest.mark.parametrize("row", table, ids=lambda row: getattr(row[0], "__name__", ""))


@each(TABLE)
@pytest.mark.parametrize("narrow", [False, True], ids=["double", "single"])
def test_values_and_dtypes_are_numpys(row, narrow):
    f, theirs, *args = row
    args = [single(a) if narrow and isinstance(a, np.ndarray) else a for a in args]
    wanted = theirs(*args)
    if narrow and f in (lax.div, lax.complex, lax.conj):
        wanted = single(wanted)
    assert_same(f(*args), wanted, 4e-6 if narrow else 1e-14)


@each(TABLE)
def test_a_program_gives_the_same(row):
    f, _, *args = row
    jaxpr = xform.make_jaxpr(f)(*args)
    assert_same(jaxpr(*args)[0], f(*args), 0.0)


@each(TABLE)
def test_of_nothing_and_of_numbers(row):
    f, _, *args = row
    args = [a if isinstance(a, float | int) else a[(0,) * a.ndim] for a in args]
    if f.__name__ != "<lambda>":
        empty = f(*(np.zeros(0, np.asarray(a).dtype) for a in args))
        assert empty.shape == (0,)
        assert np.asarray(f(*args)).dtype == empty.dtype
        assert isinstance(f(*args), np.generic | float | int)


@each(SMOOTH)
def test_derivatives(row):
    f, _, *args = row
    moving = [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind in "fc"]

    def of_moving(*xs):
        values = list(args)
        for k, x in zip(moving, xs, strict=True):
            values[k] = x
        return f(*values)

    check_grads(of_moving, [args[k] for k in moving], order=2)


@each(STEPS)
def test_steps_have_derivative_zero(row):
    f, _, *args = row
    if np.asarray(args[0]).dtype.kind == "f" and f is not lax.nextafter:
        y, y_dot = xform.jvp(f, tuple(args), tuple(np.ones_like(a) for a in args))
        assert y_dot.dtype == xform.float0 or not y_dot.any()
        if y.dtype.kind == "f":
            assert not xform.grad(lambda *xs: f(*xs).sum())(*args).any()


@each(TABLE)
def test_map_over_a_batch(row):
    f, _, *args = row
    full = [np.broadcast_to(a, np.broadcast_shapes(*map(np.shape, args))) for a in args]
    if f.__name__ != "<lambda>":
        check_vmap(f, full)
        check_vmap(f, [full[0][0], *full[1:]], in_axes=(None, *(0 for _ in full[1:]))) if len(full) > 1 else None


# --- what is not NumPy's ---


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
def test_integer_division_truncates_and_rem_has_the_sign_of_the_dividend(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.min, info.max, 7, info.min + 1, 0], dtype)[:, None]
    y = np.array([1, 2, 3, info.max, *([-2, -3] if info.min else [5])], dtype)
    exact = [[(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1) for b in y.tolist()] for a in x[:, 0].tolist()]
    assert_same(lax.div(x, y), np.array(exact, dtype), 0.0)
    assert_same(lax.div(x, y) * y + lax.rem(x, y), np.broadcast_to(x, lax.rem(x, y).shape), 0.0)
    assert np.all((lax.rem(x, y) == 0) | ((lax.rem(x, y) < 0) == (x < 0)))


def test_division_promotes_and_by_zero_does_what_numpy_does():
    assert lax.div(7, 2) == 3
    assert lax.div(7, 2).dtype == np.int64
    assert lax.div(7, 2.0) == 3.5
    assert lax.div(True, True).dtype == np.float64
    with np.errstate(all="ignore"):
        assert lax.div(np.array([7]), 0) == 0
        assert np.isinf(lax.div(7.0, 0))
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        lax.div(7.0, np.zeros(()))


def test_rounding():
    x = np.array([0.49999999999999994, 0.5, 1.5, 2.5, -0.5, -2.5, -0.3, 1e300, inf, nan])
    away = [0.0, 1.0, 2.0, 3.0, -1.0, -3.0, -0.0, 1e300, inf, nan]
    even = [0.0, 0.0, 2.0, 2.0, -0.0, -2.0, -0.0, 1e300, inf, nan]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(lax.round(x), away)
        np.testing.assert_array_equal(lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN), even)
    assert lax.round(np.float32(2.5), rounding_method=0) == np.float32(3)
    with says(ValueError, "round", "7", "AWAY_FROM_ZERO"):
        lax.round(x, 7)


def test_clamp_at_and_beyond_its_limits():
    """Values as minimum(maximum(x, low), high), derivatives in x as JAX has them: none on a limit."""
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, nan])
    np.testing.assert_array_equal(lax.clamp(0.0, x, 1.0), [0.0, 0.0, 0.5, 1.0, 1.0, nan])
    np.testing.assert_array_equal(xform.grad(lambda x: lax.clamp(0.0, x, 1.0)[:5].sum())(x[:]), [0, 0, 1, 0, 0, 0])
    assert lax.clamp(3, 1, 2) == 2
    assert xform.grad(lax.clamp, (0, 1, 2))(3.0, 1.0, 2.0) == (0.0, 0.0, 1.0)
    assert xform.grad(lax.clamp, (0, 1, 2))(1.0, 0.0, 2.0) == (1.0, 0.0, 0.0)
    assert lax.clamp(np.float32(0), np.ones(2, np.float32), 0.5).dtype == np.float32


def test_select_n():
    which = np.array([-1, 0, 1, 2, 5])
    np.testing.assert_array_equal(lax.select_n(which, 10.0, 20.0, 30.0), [10.0, 10.0, 20.0, 30.0, 30.0])
    assert lax.select_n(True, 1.0, 2.0) == 2.0
    assert lax.select_n(False, 1.0) == 1.0
    assert lax.select_n(np.zeros(3, int), 1.0).shape == (3,)
    assert lax.select_n(1, np.ones(2, np.float32), 2.0, 3.0).dtype == np.float32
    np.testing.assert_array_equal(lax.select_n(np.array([[True], [False]]), M, N), [N, M])
    with np.errstate(all="ignore"):
        x = np.array([-1.0, 4.0])
        gradient = xform.grad(lambda x: lax.select_n(x > 0, 0.0, lax.log(x)).sum())(x)
    np.testing.assert_array_equal(gradient, [0.0, 0.25])


def test_select_n_of_many_cases_is_not_deep():
    def chosen(which, x):
        return lax.select_n(which, *(k * x for k in range(1500)))

    gradients = xform.vmap(xform.grad(chosen, 1), in_axes=(0, None))(np.array([3, 1400]), 1.0)
    np.testing.assert_array_equal(gradients, [3.0, 1400.0])


def test_complex_parts_keep_infinities_apart():
    z = lax.complex(np.array([0.0, inf]), np.array([inf, nan]))
    np.testing.assert_array_equal(z.real, [0.0, inf])
    np.testing.assert_array_equal(z.imag, [inf, nan])
    assert lax.complex(np.float32(1), np.float32(2)).dtype == np.complex64
    assert lax.complex(1, 2) == 1 + 2j
    gradient = xform.grad(lambda x, y: lax.real(lax.complex(x, y) * (3 + 4j)), (0, 1))  # of 3 x - 4 y
    assert gradient(1.0, 1.0) == (3.0, -4.0)


def test_imaginary_part_of_a_sum_is_transposed_only_without_constants():
    (y_bar,) = xform.linear_transpose(lambda y: lax.complex(0.0, y), 1.0)(2 + 3j)
    assert y_bar == -3.0
    with pytest.raises(xform.NonlinearError, match="affine"):
        xform.linear_transpose(lambda y: lax.complex(1.0, y), 1.0)


def test_reciprocal_powers_and_logistic_of_integers_are_real():
    np.testing.assert_array_equal(lax.reciprocal(np.array([2, -4])), [0.5, -0.25])
    assert lax.reciprocal(np.float32(2)).dtype == np.float32
    np.testing.assert_allclose(lax.rsqrt(np.array([4, 16])), [0.5, 0.25])
    np.testing.assert_allclose(lax.logistic([0, -800, 800]), [0.5, 0.0, 1.0])
    assert lax.integer_pow(np.float32(3), 2).dtype == np.float32
    assert lax.integer_pow(2, np.int64(5)) == 32


def test_singular_derivatives_of_what_is_not_chosen_do_not_count():
    def f(x):
        return lax.select(x > 0, lax.sqrt(x) + lax.rsqrt(x) + lax.log(x), 0.0).sum()

    with np.errstate(all="ignore"):
        gradient = xform.grad(f)(np.array([0.0, 1.0]))
        tangent = xform.jvp(f, (np.array([0.0, 1.0]),), (np.ones(2),))[1]
    np.testing.assert_array_equal(gradient, [0.0, 1.0])
    assert tangent == 1.0


# --- bits ---

INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


def extremes(dtype):
    info = np.iinfo(dtype)
    return np.array([info.min, info.min + 1, 0, 1, 2, 5, info.max // 3, info.max - 1, info.max], dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_bits_are_counted_in_twos_complement(dtype):
    x, width = extremes(dtype), np.iinfo(dtype).bits
    words = [format(int(a) % 2**width, f"0{width}b") for a in x]
    assert_same(lax.clz(x), np.array([width - len(w.lstrip("0")) for w in words], dtype), 0.0)
    assert_same(lax.population_count(x), np.array([w.count("1") for w in words], dtype), 0.0)
    check_vmap(lax.clz, [x])
    check_vmap(lax.population_count, [x])
    for f in (lax.clz, lax.population_count):
        assert_same(xform.make_jaxpr(f)(x)(x)[0], f(x), 0.0)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_to_the_right(dtype):
    x, width = extremes(dtype)[:, None], np.iinfo(dtype).bits
    y = np.array([0, 1, width - 1, width, width + 3], dtype)
    words = [int(a) % 2**width for a in x[:, 0]]
    logical = [[w >> int(s) for s in y] for w in words]
    signed = [[((w - 2**width if w >> (width - 1) else w) >> int(s)) % 2**width for s in y] for w in words]
    unsigned = np.dtype(dtype).str.replace("i", "u")
    assert_same(lax.shift_right_logical(x, y).view(unsigned), np.array(logical, unsigned), 0.0)
    assert_same(lax.shift_right_arithmetic(x, y).view(unsigned), np.array(signed, unsigned), 0.0)
    check_vmap(lax.shift_right_logical, [x[:5, 0], y])
    check_vmap(lax.shift_right_arithmetic, [x[:5, 0], y])


def test_shifts_promote():
    assert lax.shift_right_logical(np.int8(-1), 4) == 15
    assert lax.shift_right_logical(-1, 63) == 1
    assert lax.shift_right_arithmetic(np.array([-8]), -1) == -1
    assert lax.shift_left(1, 70) == 0


@pytest.mark.parametrize("dtype", INTEGERS)
def test_mulhi(dtype):
    x, width = extremes(dtype), np.iinfo(dtype).bits
    exact = [[(int(a) * int(b)) >> width for b in x] for a in x]
    assert_same(lax.mulhi(x[:, None], x), np.array(exact, dtype), 0.0)
    check_vmap(lax.mulhi, [x, x[::-1]])


def test_mulhi_of_random_numbers():
    x, y = rng.integers(-(2**63), 2**63, (2, 200))
    assert lax.mulhi(x, y).tolist() == [(a * b) >> 64 for a, b in zip(x.tolist(), y.tolist(), strict=True)]


@pytest.mark.parametrize(
    "x, dtype",
    [
        (X, np.int64),
        (X, np.float32),
        (X.astype(np.float32), np.uint8),
        (X.astype(np.float32).reshape(3, 2), np.float64),
        (np.arange(8, dtype=np.uint8), np.int64),
        (np.float64(1.5), np.uint16),
        (np.zeros((0, 3)), np.int32),
        (X.T, np.int64),
        (X.T, np.float32),
    ],
)
def test_bitcast(x, dtype):
    y = lax.bitcast_convert_type(x, dtype)
    assert y.dtype == dtype
    assert y.tobytes() == x.tobytes()
    back = lax.bitcast_convert_type(y, x.dtype)
    assert_same(back, x, 0.0)
    assert_same(xform.make_jaxpr(lambda x: lax.bitcast_convert_type(x, dtype))(x)(x)[0], y, 0.0)
    batch = np.stack([x, x])
    assert_same(xform.vmap(lambda x: lax.bitcast_convert_type(x, dtype))(batch), np.stack([y, y]), 0.0)


def test_no_derivative_passes_through_bits_but_that_of_the_identity():
    def swapped(x):
        return lax.bitcast_convert_type(lax.bitcast_convert_type(x, np.int64), np.float64)

    assert xform.value_and_grad(swapped)(1.5) == (1.5, 0.0)
    assert xform.jvp(swapped, (1.5,), (1.0,)) == (1.5, 0.0)
    assert xform.grad(lambda x: lax.bitcast_convert_type(x, float) ** 2)(1.5) == 3.0


def test_reduce_precision_to_formats_that_numpy_has():
    x = np.concatenate([rng.normal(size=200) * 10.0 ** rng.integers(-12, 12, 200), [inf, -inf, nan, 0.0, -0.0]])
    with np.errstate(over="ignore"):
        half, single = x.astype(np.float16), x.astype(np.float32)
    y = lax.reduce_precision(x, exponent_bits=5, mantissa_bits=10)
    tiny = np.abs(y) < np.finfo(np.float16).smallest_normal  # IEEE's format goes on with subnormal numbers there
    np.testing.assert_array_equal(y[~tiny], half[~tiny])
    assert not y[tiny].any()
    np.testing.assert_array_equal(lax.reduce_precision(x, 8, 23), single)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(x))
    np.testing.assert_array_equal(lax.reduce_precision(x, 11, 52), x)
    assert lax.reduce_precision(np.float32(1 / 3), 8, 7) == np.float32(0.333984375)


def test_reduce_precision_of_extremes():
    x = np.array([1.75e308, 5e-324, 7e-324 * 2, 2.5, 3.5])
    assert lax.reduce_precision(x[0], 11, 0) == inf
    assert lax.reduce_precision(x[1], 11, 40) == 0.0  # below half of the quantum 2^(-1022 - 40)
    np.testing.assert_array_equal(lax.reduce_precision(x[3:], 11, 1), [2.0, 4.0])  # ties to even
    assert xform.grad(lambda x: lax.reduce_precision(x, 8, 7) ** 2)(1 / 3) == 2 * 0.333984375
    check_vmap(lambda x: lax.reduce_precision(x, 5, 3), [X])


# --- dtypes and arrays of one value ---


def test_convert_element_type():
    assert_same(lax.convert_element_type(np.array([1.7, -1.7]), int), np.array([1, -1]), 0.0)
    assert_same(lax.convert_element_type(3, np.float32), np.float32(3), 0.0)
    assert lax.convert_element_type(X, float) is X
    with pytest.warns(np.exceptions.ComplexWarning):
        assert lax.convert_element_type(1 + 2j, float) == 1.0
    gradient = xform.grad(lambda x: lax.convert_element_type(x, np.float32).sum())(X)
    assert_same(gradient, np.ones_like(X), 0.0)
    check_vmap(lambda x: lax.convert_element_type(x, np.float32), [X])


def test_full():
    assert_same(lax.full((2,), 1), np.ones(2, int), 0.0)
    assert_same(lax.full(3, 2.5, np.float32), np.full(3, 2.5, np.float32), 0.0)
    assert_same(lax.full_like(X, 3), np.full((2, 3), 3.0), 0.0)
    assert_same(lax.full_like(xform.Aval((2,), np.float32), 3), np.full(2, 3, np.float32), 0.0)
    assert_same(lax.full_like(X, True, bool, (2,)), np.ones(2, bool), 0.0)
    assert_same(lax.zeros_like_array(M), np.zeros(4, int), 0.0)
    assert xform.grad(lambda x: lax.full((2, 3), x).sum())(1.0) == 6.0
    assert xform.grad(lambda x: lax.full_like(x, x[0]).sum())(np.ones(4)).tolist() == [4.0, 0.0, 0.0, 0.0]
    assert_same(xform.make_jaxpr(lambda x: lax.full((2,), x))(1.0)(3.0)[0], np.full(2, 3.0), 0.0)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.complex128])
def test_iota(dtype):
    assert_same(lax.iota(dtype, 4), np.arange(4).astype(dtype), 0.0)
    assert_same(lax.broadcasted_iota(dtype, (2, 3), 0), np.array([[0] * 3, [1] * 3], dtype), 0.0)
    assert_same(lax.broadcasted_iota(dtype, (2, 3), 1), np.array([[0, 1, 2]] * 2, dtype), 0.0)
    assert lax.broadcasted_iota(dtype, (0, 3), 1).shape == (0, 3)
    lax.iota(dtype, 3)[0] = 1  # the caller's own


# --- bad input ---


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.integer_pow(X, 0.5), TypeError, ["integer_pow", "0.5", "pow"]),
        (lambda: lax.integer_pow(M, -1), ValueError, ["negative integer powers"]),
        (lambda: lax.select(M, X, Y), TypeError, ["select", "int64", "booleans", "pred != 0"]),
        (lambda: lax.select(X > 0, X, np.ones(2)), ValueError, ["(2, 3)", "(2,)"]),
        (lambda: lax.select_n(True), ValueError, ["select_n", "no cases"]),
        (lambda: lax.select_n(True, 1, 2, 3), TypeError, ["select_n", "bool", "3 cases", "integers"]),
        (lambda: lax.select_n(1.0, 1, 2), TypeError, ["select_n", "float64"]),
        (lambda: lax.complex(1j, 2.0), TypeError, ["complex", "complex128", "real"]),
        (lambda: lax.add(X, np.ones(2)), ValueError, ["(2,3)", "(2,)"]),
        (lambda: lax.clz(1.0), TypeError, ["clz", "float64", "integers"]),
        (lambda: lax.population_count(True), TypeError, ["population_count", "bool", "integers"]),
        (lambda: lax.mulhi(1.0, 2), TypeError, ["mulhi", "float64"]),
        (lambda: lax.shift_left(1.0, 2), TypeError, ["shift_left", "float64"]),
        (lambda: lax.shift_right_logical(True, True), TypeError, ["shift_right_logical", "bool"]),
        (lambda: lax.shift_right_arithmetic(1, 2.0), TypeError, ["shift_right_arithmetic", "float64"]),
        (lambda: lax.bitcast_convert_type(True, int), TypeError, ["bool", "int64", "convert_element_type"]),
        (lambda: lax.bitcast_convert_type(1.0, complex), TypeError, ["float64", "complex128"]),
        (lambda: lax.bitcast_convert_type(1.0, None), TypeError, ["bitcast_convert_type", "None"]),
        (lambda: lax.bitcast_convert_type(np.ones(3, np.int32), int), ValueError, ["2 numbers of int32", "(3,)"]),
        (lambda: lax.reduce_precision(1, 5, 10), TypeError, ["reduce_precision", "int64"]),
        (lambda: lax.reduce_precision(1.0, 0, 10), ValueError, ["exponent_bits=0", "at least 1"]),
        (lambda: lax.reduce_precision(1.0, 5, -1), ValueError, ["mantissa_bits=-1"]),
        (lambda: lax.convert_element_type(1.0, None), TypeError, ["convert_element_type", "None"]),
        (lambda: lax.convert_element_type(1.0, "U3"), TypeError, ["convert_element_type", "U3"]),
        (lambda: lax.full((2,), np.ones(2)), TypeError, ["full", "(2,)", "broadcast_in_dim"]),
        (lambda: lax.full((2,), [1.0]), TypeError, ["full", "(1,)"]),
        (lambda: lax.full((-2,), 1.0), ValueError, ["full", "(-2,)", "not negative"]),
        (lambda: lax.full("ab", 1.0), TypeError, ["full", "shape", "'ab'", "integers"]),
        (lambda: lax.iota(bool, 3), TypeError, ["iota", "bool", "count"]),
        (lambda: lax.iota(int, -1), ValueError, ["iota", "(-1,)"]),
        (lambda: lax.iota(int, 2.5), TypeError, ["iota", "2.5", "integers"]),
        (lambda: lax.broadcasted_iota(int, (2,), 1), np.exceptions.AxisError, ["iota", "1", "from -1 to 0"]),
    ],
)
def test_bad_input(call, error, words):
    with says(error, *words):
        call()
