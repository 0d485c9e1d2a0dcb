"""What the C backend writes out itself gives what the NumPy rules give: over shapes, dtypes, ties and nan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.c_agreement import agree_together, agrees, fails_alike
from xform import grad, lax, make_jaxpr, vmap
from xform.compile.c.backend import build
from xform.compile.passes import optimise
from xform.core.aval import aval_of
from xform.core.jaxpr import Eqn, Jaxpr, Var
from xform.core.primitive import Primitive
from xform.ops.convolution.convolve_kernels import Window

RNG = np.random.default_rng(3)


def normal(*shape: int, dtype: str = "f8") -> np.ndarray:
    x = RNG.normal(size=shape)
    return (x + 1j * RNG.normal(size=shape) if dtype[0] == "c" else x).astype(dtype)


def program(name: str, *args: Any, **params: Any) -> Jaxpr:
    prim = Primitive.registry[name]
    inputs = [Var(aval_of(x)) for x in args]
    outputs = [Var(a) for a in prim.abstract(*(v.aval for v in inputs), **params)]
    return Jaxpr(inputs, [], [Eqn(prim, inputs, params, outputs)], outputs)


Operation = tuple[str, tuple[Any, ...], dict[str, Any]]


def op(name: str, *args: Any, **params: Any) -> Operation:
    return name, args, params


def lowered(operations: Sequence[Operation], ulps: float = 4) -> None:
    """The operations, compiled together, agree without a call of NumPy (but for arrays without entries)."""
    cases = [(program(name, *args, **params), args) for name, args, params in operations]
    names = [f"{name}({', '.join(str(aval_of(x)) for x in args)}) {params}" for name, args, params in operations]
    empty = sum(any(x.size == 0 for x in args) for _, args, _ in operations)
    assert calls(agree_together(cases, names, ulps)) <= empty


def calls(source: str) -> int:
    return source.replace("xform_callback(...)", "").count("xform_callback(")


def calls_nothing(source: str) -> None:
    assert calls(source) == 0


# --- linear algebra ---

STACKS = [(), (1,), (40,), (2, 3), (3, 0)]


def matrices(*shape: int, dtype: str = "f8") -> np.ndarray:
    """Regular ones, whose pivots are not on the diagonal."""
    return normal(*shape, dtype=dtype) + 3 * np.roll(np.eye(shape[-1]), 1, axis=0).astype(dtype)


def equations(n: int, dtype: str, lead: tuple[int, ...]) -> list[Operation]:
    a, b = matrices(*lead, n, n, dtype=dtype), normal(*lead, n, 2, dtype=dtype)
    t = a + 3 * np.eye(n, dtype=dtype)
    return [
        op("solve", a, b),
        op("triangular_solve", t, b, lower=n % 2 == 0, unit_diagonal=n > 2),
        op("triangular_solve", t, b, lower=n % 2 == 1, unit_diagonal=False),
    ]


def functions(n: int, dtype: str, lead: tuple[int, ...]) -> list[Operation]:
    a = matrices(*lead, n, n, dtype=dtype)
    positive = a @ np.conj(np.swapaxes(a, -1, -2)) + np.eye(n, dtype=dtype)
    return [
        op("inv", a, strict=True), op("inv", a, strict=False), op("det", a), op("slogdet", a), op("cholesky", positive),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "n, dtype", [(1, "f8"), (2, "c16"), (2, "f4"), (3, "f8"), (3, "c8"), (6, "f8"), (12, "c16"), (31, "f8")]
)
@pytest.mark.parametrize("family", [equations, functions])
def test_matrices(family, n, dtype):
    stacks = STACKS if n < 3 else STACKS[:3:2]
    lowered([x for lead in stacks for x in family(n, dtype, lead)], ulps=500)


def test_cofactors():
    found = [op("cofactor", matrices(2, 1, 2, 2), normal(3, 2, 2))]
    for n in (1, 2, 3, 4):
        for lead in ((), (7,)):
            found.append(op("cofactor", matrices(*lead, n, n)))
            if n in (2, 3):
                found.append(op("cofactor", matrices(*lead, n, n), normal(*lead, n, n)))
    lowered(found[1:], ulps=500)
    (name, args, _) = found[0]
    agrees(program(name, *args), *args, ulps=500)


def test_mixed_dtypes():
    wide = op("solve", matrices(4, 3, 3, dtype="f4"), normal(4, 3, 1))
    lowered([wide, op("solve", matrices(3, 3), normal(3, 1, dtype="c8"))], ulps=500)


def test_pivots():
    """Every order of the rows, and pivots of equal size."""
    a = np.stack([np.diag([1.0, 2.0, 3.0])[list(p)] for p in np.ndindex(3, 3, 3) if len(set(p)) == 3])
    for x in (a, np.sign(a) + 0.0):
        lowered([op("det", x), op("slogdet", -x), op("solve", x, normal(6, 3, 2)), op("inv", -x, strict=True)])


def singular(*shape: int) -> np.ndarray:
    a = normal(*shape)
    a[..., 1, :] = 2 * a[..., 0, :]
    a[..., 1:, 0] = a[..., :1, 0] = 0
    return a


def test_singular_matrices_have_no_inverse():
    a = np.stack([np.eye(3), singular(3, 3), matrices(3, 3)])
    middling = np.stack([np.eye(12), singular(12, 12), matrices(12, 12)])
    for x in (a, a[1], middling, middling[1]):
        for name, operands, params in (
            ("solve", (x, x), {}),
            ("inv", (x,), {"strict": True}),
            ("triangular_solve", (x, x), {"lower": True, "unit_diagonal": False}),
            ("cholesky", (-x @ np.swapaxes(x, -1, -2),), {}),
        ):
            error = fails_alike(program(name, *operands, **params), *operands)
            assert isinstance(error, np.linalg.LinAlgError)
            assert f"{name} of f64[{x.shape[-1]},{x.shape[-1]}]: " in str(error)


def test_singular_matrices_that_are_no_error():
    a = np.stack([np.eye(3), singular(3, 3), np.zeros((3, 3)), np.full((3, 3), np.nan)])
    b = np.stack([np.eye(12), singular(12, 12), np.zeros((12, 12)), np.full((12, 12), np.nan)])
    for x in (a, b):
        z = x.astype(complex)[:3]
        lowered([op("inv", x, strict=False), op("det", x), op("slogdet", x[:3]), op("slogdet", z), op("det", z)])
    lowered([op("slogdet", a)])


def test_an_error_in_a_batch_leaves_the_program_usable():
    jaxpr = make_jaxpr(vmap(np.linalg.solve))(*(args := (matrices(9, 3, 3), normal(9, 3))))
    built = build(optimise(jaxpr))
    good = built(*args)[0]
    bad = args[0].copy()
    bad[4] = 0
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        built(bad, args[1])
    np.testing.assert_array_equal(built(*args)[0], good)


def test_derivatives_of_batches_are_single_loops():
    a, b = matrices(200, 3, 3), normal(200, 3)

    def loss(a, b):
        return np.sum(vmap(np.linalg.solve)(a, b) ** 2) + np.sum(np.linalg.det(a))

    source = agrees(optimise(make_jaxpr(grad(loss, (0, 1)))(a, b)), a, b, ulps=5000)
    calls_nothing(source)
    assert source.count("#pragma omp simd") <= 2


def test_equations_inside_of_loops():
    a, b = matrices(20, 2, 2), normal(2)

    def f(a, b):
        return lax.scan(lambda x, m: (np.tanh(np.linalg.solve(m, x)), np.linalg.slogdet(m)), b, a)

    calls_nothing(agrees(optimise(make_jaxpr(f)(a, b)), a, b, ulps=5000, scale=1.0))
    lanes = np.stack([b, b + 1, b - 1])
    batched = vmap(f, in_axes=(None, 0))
    calls_nothing(agrees(optimise(make_jaxpr(batched)(a, lanes)), a, lanes, ulps=5000, scale=1.0))
    bad = a.copy()
    bad[7] = 0
    fails_alike(optimise(make_jaxpr(f)(a, b)), bad, b)


def test_an_error_comes_at_its_step():
    """What happens before it has happened, and nothing after it; a branch that is not taken has none."""
    a = matrices(6, 2, 2)
    a[3] = 0
    for g in (np.linalg.inv, lambda m: np.linalg.solve(np.kron(m, np.eye(9)), np.ones(18))):
        seen: list[int] = []

        def step(k, m, g=g, seen=seen):
            xform.debug.callback(lambda k: seen.append(int(k)), k)
            return k + 1, np.sum(g(m))

        jaxpr = optimise(make_jaxpr(lambda a, step=step: lax.scan(step, 0, a))(a))
        fails_alike(jaxpr, a)
        assert seen == 3 * [0, 1, 2, 3]  # evaluated once, and run twice

        def guarded(m, g=g):
            return lax.cond(np.sum(np.abs(m)) > 0, lambda m: np.sum(g(m)), lambda m: 0.0, m)

        agrees(optimise(make_jaxpr(lambda a, f=guarded: lax.map(f, a))(a)), a, ulps=5000, scale=1.0)


# --- orders ---

#: shapes, and the axes along which they are ordered: rows for registers, for loops in C, and lanes across memory
ROWS = [((1,), 0), ((11, 3), 0), ((40, 5), 1), ((3, 60), 1), ((60, 4), 0), ((2, 33, 3), 1), ((64,), 0)]
LONG = (300,), 0
DTYPES = ["f8", "f4", "i8", "u1", "i2", "?", "c16"]


def with_ties(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Few different values, nan and infinities among them; no -0.0, since which zero comes first is not defined."""
    values = np.array([3, 1, 2, 0, 5, 7, 1])
    if dtype[0] in "fc":
        values = np.array([3.5, np.nan, -np.inf, 0.0, 3.5, np.inf, -2.0, 1.0])
    if dtype[0] == "c":
        values = np.concatenate([values, values[::-1] + 1j, complex(0, np.nan) + values[:3], [1 - 2j, -2 + 1j]])
    return RNG.choice(values, shape).astype(dtype)


def distinct(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return RNG.permutation(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["argmax", "argmin", "sort", "argsort", "top_k"])
def test_orders(name, dtype):
    found = []
    for shape, axis in ROWS + [LONG] * (name in ("argmax", "argmin", "top_k")):
        n = shape[axis]
        more = {"top_k": [{"k": k} for k in sorted({0, min(n, 5)})], "argsort": [{"stable": True}]}
        for params in more.get(name, [{}]):
            found += [op(name, make(shape, dtype), axis=axis, **params) for make in (with_ties, distinct)]
    lowered(found)


@pytest.mark.parametrize("dtype", ["f8", "c8"])
def test_extremes_of_nan_come_first(dtype):
    x = np.array([[1.0, np.nan, 3.0, np.nan], [np.nan, 2, 3, 4], [5, 5, 5, 5], [-np.inf, -np.inf, 2, np.nan]], dtype)
    long = np.repeat(x, 30, axis=1)
    lowered([op(name, y, axis=a) for name in ("argmax", "argmin") for y in (x, long) for a in (0, 1)])


@pytest.mark.parametrize("side", ["left", "right"])
def test_searches(side):
    found = []
    for n in (1, 2, 7, 64, 100):
        table = np.sort(RNG.choice(np.arange(n) * 0.5, n))
        keys = np.concatenate([table, table + 0.1, [-np.inf, np.inf, np.nan, -1.0]])
        found += [op("searchsorted", table, keys, side=side), op("searchsorted", table, keys[0], side=side)]
        found += [op("searchsorted", table.astype("f4"), keys.reshape(2, -1), side=side)]
        found += [op("searchsorted", np.sort(np.append(table, [np.nan, np.inf])), keys, side=side)]
        found += [op("searchsorted", np.stack([table, table * 2]), np.stack([keys, keys]), side=side)]
    found += [
        op("searchsorted", np.arange(9), np.array([3, -1, 20]), side=side),
        op("searchsorted", np.zeros(0), keys, side=side),
    ]
    found += [op("searchsorted", np.arange(9, dtype="u8"), np.array([3, -1, 20]), side=side)]
    found += [op("searchsorted", np.sort_complex(with_ties((20,), "c16")), with_ties((20,), "c16"), side=side)]
    lowered(found)


def test_orders_of_transposed_and_batched_arrays():
    x = RNG.permutation(3 * 20 * 7).reshape(3, 20, 7) * 1.0

    def f(x):
        values, places = lax.top_k(x, 2)
        return np.sort(x, axis=0), np.argmax(x, axis=0), values, places, np.searchsorted(np.sort(x[:, 0]), x[:, 1])

    for g in (lambda x: f(x[0].T), vmap(f), lambda x: vmap(f)(np.transpose(x, (2, 1, 0))), vmap(vmap(np.sort))):
        calls_nothing(agrees(optimise(make_jaxpr(g)(x)), x))


def test_orders_inside_of_loops():
    x = normal(30, 6)

    def f(x):
        def step(best, row):
            k = np.argmax(row)
            return np.maximum(best, np.sort(row)), (k, row[k], np.argsort(row, stable=True))

        return lax.scan(step, x[0], x)

    calls_nothing(agrees(optimise(make_jaxpr(f)(x)), x))
    calls_nothing(agrees(optimise(make_jaxpr(vmap(f))(x[None] * np.ones((4, 1, 1)))), x[None] * np.ones((4, 1, 1))))


def test_long_rows_are_sorted_by_numpy_all_at_once():
    x = normal(4, 2000)
    for f in (lambda x: np.sort(x, axis=1), lambda x: np.argsort(x, axis=1)):
        assert calls(agrees(make_jaxpr(f)(x), x)) == 1


# --- recurrences, convolutions, bits ---

ALONG = [((1,), 0), ((9,), 0), ((5, 3), 0), ((3, 50), 1), ((2, 6, 4), 1), ((40, 40), 0), ((0, 3), 0), ((3, 0), 0)]


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
def test_recurrences(dtype):
    found = []
    for shape, axis in ALONG:
        a, c = normal(*shape, dtype=dtype), normal(*shape, dtype=dtype)
        found += [op("linear_recurrence", a, c, axis=axis, transposed=t) for t in (False, True)]
        if dtype[0] == "f":
            found += [op("cumlogsumexp", a * 9, axis=axis, reverse=r) for r in (False, True)]
            found += [op(name, a, axis=axis, reverse=r) for name in ("cummax", "cummin") for r in (False, True)]
    lowered(found, ulps=64)


def test_recurrences_of_numbers_that_are_not_finite():
    x = np.array([-np.inf, -np.inf, 1.0, 800.0, np.inf, -np.inf, 2.0, np.nan, 1.0])
    lowered([op("cumlogsumexp", x[:n], axis=0, reverse=r) for n in (2, 4, 6, 9) for r in (False, True)])
    lowered([op("linear_recurrence", x, x[::-1], axis=0, transposed=t) for t in (False, True)])


def test_recurrences_in_batches_and_loops():
    a, c = normal(20, 6), normal(20, 6)

    def f(a, c):
        y = np.cumprod(a)
        return grad(lambda c: np.sum(np.cumprod(c) * y + np.maximum.accumulate(c)))(c)

    calls_nothing(agrees(optimise(make_jaxpr(vmap(f))(a, c)), a, c, scale=1.0))
    calls_nothing(agrees(optimise(make_jaxpr(lambda a, c: lax.map(lambda r: f(*r), (a, c)))(a, c)), a, c, scale=1.0))


def test_convolutions():
    line = [Window(1, 1, 1, 0, 11), Window(1, -1, 1, 0, 6), Window(1, -1, 2, -1, 4), Window(2, 1, 1, 1, 12)]
    line += [Window(2, -3, 3, -2, 5), Window(-1, 1, 1, -5, 7), Window(3, 2, -2, 1, 6), Window(1, 1, 1, 40, 3)]
    x, y = normal(8), normal(4)
    found = [op("convolve", x, y, spec=("", "", ""), windows=(w,)) for w in line]
    found += [op("convolve", y, x, spec=("", "", ""), windows=(w.exchanged(),)) for w in line]
    image, kernel = normal(2, 3, 9, 7), normal(4, 3, 3, 2)
    for spec in (("nc", "oc", "no"), ("nc", "oc", "on"), ("nc", "cn", "nc")):
        k = kernel if spec[1] == "oc" else normal(3, 2, 3, 2)
        found.append(op("convolve", image, k, spec=spec, windows=(Window(1, -1, 2, -1, 5), Window(1, -2, 1, -1, 6))))
    found.append(op("convolve", normal(2, 3), normal(4, 3), spec=("nc", "oc", "no"), windows=()))
    found.append(op("convolve", x.astype("c8"), y, spec=("", "", ""), windows=(line[0],)))
    found.append(op("convolve", np.arange(8), np.arange(3), spec=("", "", ""), windows=(line[0],)))
    found.append(op("convolve", normal(0), y, spec=("", "", ""), windows=(line[0],)))
    lowered(found, ulps=64)


def test_windows_without_nan_do_not_spread_it():
    x = np.array([1.0, np.nan, 2.0, 3.0, np.inf, 1.0, 0.0, 2.0])
    lowered([op("convolve", x, np.ones(3), spec=("", "", ""), windows=(Window(1, 1, 1, 0, 10),))])


def test_derivatives_of_convolutions():
    x, k = normal(200), normal(5)

    def f(x, k):
        return np.sum(np.convolve(x, k, "same") ** 2)

    calls_nothing(agrees(optimise(make_jaxpr(grad(f, (0, 1)))(x, k)), x, k, ulps=200))
    rows = normal(3, 50)
    calls_nothing(agrees(optimise(make_jaxpr(vmap(grad(f), in_axes=(0, None)))(rows, k)), rows, k, ulps=200))


def test_bits():
    numbers = np.array(
        [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 5e-324, 1e300, -3.25e-310, 65504.0, 65520.0, 1e-5, 6e-8]
    )
    many = np.resize(numbers, (20, 5))
    with np.errstate(over="ignore"):
        single, several = numbers.astype("f4"), many.T.astype("f4")
    found = []
    for x in (numbers, many, single, several, numbers[2], np.zeros((0, 2))):
        found += [
            op("reduce_precision", x, exponent_bits=e, mantissa_bits=m) for e, m in ((5, 10), (8, 7), (11, 52), (4, 3))
        ]
        same = np.dtype(f"i{x.dtype.itemsize}")
        found += [op("bitcast_convert_type", x, dtype=d) for d in (same, np.dtype("u1"), np.dtype("u2"))]
        back = x.view(same)
        found += [op("bitcast_convert_type", back, dtype=x.dtype)]
    found += [op("bitcast_convert_type", normal(30, 2).astype("f4"), dtype=np.dtype("f8"))]
    lowered(found)


def test_convergence():
    message = "the error {error} is larger than {bound}"
    x, small = normal(30), np.abs(normal(30)) * 1e-3
    bound = np.ones(30)
    jaxpr = program("converged", x, small, bound, message=message)
    agrees(jaxpr, x, small, bound)
    agrees(program("converged", x, small[0], bound[0], message=message), x, small[0], bound[0])
    for wrong in (2.0, np.inf, np.nan):
        error = small.copy()
        error[7] = wrong
        found = fails_alike(jaxpr, x, error, bound)
        assert str(found) == message.format(error=np.float64(wrong), bound=np.float64(1.0))
    fails_alike(jaxpr, x, small * np.inf, bound * np.inf)


# --- reductions ---


@pytest.mark.parametrize("dtype", ["f8", "c16", "c8", "?", "i4"])
def test_reductions(dtype):
    logical, numeric = ("reduce_and", "reduce_or", "reduce_xor"), ("reduce_sum", "reduce_max", "reduce_min")
    found = []
    for shape in ((40, 5), (2, 3, 30)):
        x = with_ties(shape, dtype) if dtype[0] != "c" else normal(*shape, dtype=dtype)
        for axes in ((), (0,), (1,), tuple(range(len(shape)))):
            found += [op(name, x, axes=axes) for name in (numeric if dtype != "?" else numeric[1:])]
            found += [op(name, x, axes=axes) for name in logical]
    lowered(found, ulps=64)


def test_extremes_of_complex_numbers_with_nan():
    x = with_ties((30, 6), "c16")
    lowered([op(name, x, axes=a) for name in ("reduce_max", "reduce_min") for a in ((0,), (1,), (0, 1))])


def test_powers_of_two():
    x = normal(300)
    calls_nothing(agrees(optimise(make_jaxpr(lambda x: np.ldexp(x, 3) + np.ldexp(x, np.arange(300)))(x)), x))
