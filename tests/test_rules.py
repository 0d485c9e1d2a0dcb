"""The laws of the rules, checked for every primitive at every sample.

    abstract   the avals of what numpy returns           jvp        central differences; complex step where analytic
    transpose  <z_bar, J x_dot> = <J^T z_bar, x_dot>     batch      a Python loop and a stack
    jet        nested jvp                                sparsity   covers the nonzeros of the dense Jacobian

A primitive without a sample, or without a rule, fails as well.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import xform
from tests.numeric import assert_close, assert_same, directional, eps_of, largest, pairing, random_like, wide
from tests.samples import SAMPLES
from tests.samples.base import Sample
from xform.core.aval import Aval, aval_of, float0, is_inexact
from xform.core.check import check
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear as Hole
from xform.core.primitive import Primitive, is_zero
from xform.core.stage import stage
from xform.ops.collective import Collective
from xform.ops.elementwise import Elementwise
from xform.ops.family import Linear, Multilinear
from xform.ops.structure import convert
from xform.transforms.vmap import Axis

#: primitives whose nested jvp grows so fast that their Taylor series are checked to order 3 only
COSTLY = {"cofactor", "fractional_matrix_power", "funm", "logm"}
RULES = ("abstract", "numpy", "jvp", "transpose", "batch", "jet", "sparsity")

VARYING = [s for s in SAMPLES if s.active]
SMOOTH = [s for s in VARYING if s.smooth]


def at(samples: list[Sample]) -> Any:
    return pytest.mark.parametrize("s", samples, ids=str)


@pytest.fixture(autouse=True)
def quiet_at_singularities(request):
    """At a pole or a kink NumPy warns as well; at a smooth point no rule may."""
    s = request.node.callspec.params.get("s") if hasattr(request.node, "callspec") else None
    with np.errstate(all="warn" if s is None or s.smooth else "ignore", under="ignore"):
        yield


def tolerance(s: Sample, factor: float) -> float:
    """`factor` times the coarsest precision involved."""
    return factor * eps_of(*(s.args[k] for k in s.arrays), *s.outs)


def directions(s: Sample) -> list[Any]:
    rng = s.rng
    return [random_like(x, rng) for x in s.values]


def dense(tangents: list[Any]) -> list[Any]:
    return [np.zeros(t.aval.shape, t.aval.dtype) if is_zero(t) else t for t in tangents]


# --- the rule table ---


def test_no_primitive_without_samples():
    """Collective primitives have a meaning inside `vmap` only: tests/ops/test_collective.py."""
    wanted = {name for name, prim in Primitive.registry.items() if not isinstance(prim, Collective)}
    assert sorted(wanted - {s.prim.name for s in SAMPLES}) == [], "write a line in tests/samples"


def test_no_holes_in_the_rule_table():
    holes = [
        f"{prim.name}: {rule}"
        for prim in Primitive.registry.values()
        for rule in RULES
        if (rule != "transpose" or isinstance(prim, Elementwise | Linear | Multilinear))
        and getattr(type(prim), rule) is getattr(Primitive, rule)
    ]
    assert holes == [], "neither the class nor its family has these rules"


# --- abstract and numpy ---


@at(SAMPLES)
def test_abstract_is_the_avals_of_numpy(s):
    assert s.prim.abstract(*map(aval_of, s.args), **s.params) == s.out_avals
    assert not s.arrays or all(isinstance(y, np.ndarray | np.generic) for y in s.outs)


@at(SAMPLES)
def test_arguments_are_left_alone(s):
    before = [np.copy(x) for x in s.args]
    s.prim.bind(*s.args, **s.params)
    for x, copy in zip(s.args, before, strict=True):
        np.testing.assert_array_equal(x, copy)


@at(SAMPLES)
def test_staged(s):
    """The jaxpr of the primitive is well formed, evaluates to the same values, and prints."""
    arrays = [s.args[k] for k in s.arrays]
    jaxpr = stage(s.function(s.arrays), list(map(aval_of, arrays)))
    check(jaxpr)
    assert str(jaxpr).startswith("{ lambda ")
    assert not arrays or f" {s.prim.name}" in str(jaxpr)
    for y, wanted in zip(jaxpr(*arrays), s.outs, strict=True):
        assert_same(y, wanted, 0.0)


# --- forward mode ---


@at(VARYING)
def test_tangents_have_the_avals_of_results(s):
    outs, dots = s.push(dict(zip(s.active, directions(s), strict=True)))
    for y, y_dot, wanted in zip(outs, dots, s.outs, strict=True):
        assert aval_of(y_dot.aval if is_zero(y_dot) else y_dot) == aval_of(y).tangent()
        assert_same(y, wanted, tolerance(s, 4))


@at(SAMPLES)
def test_symbolic_zeros_stay_zero(s):
    for y_dot, y in zip(dense(s.push({})[1]), s.outs, strict=True):
        assert aval_of(y_dot) == aval_of(y).tangent()
        assert y_dot.dtype == float0 or not np.any(y_dot)


@at(SMOOTH)
def test_jvp_against_central_differences(s):
    vs = directions(s)
    dots = dense(s.push(dict(zip(s.active, vs, strict=True)))[1])
    for dot, wanted in zip(dots, directional(s.function(), s.values, vs), strict=True):
        if dot.dtype != float0:
            assert_close(dot, wanted, max(1e-9, tolerance(s, 256)))


@at([s for s in VARYING if len(s.active) > 1])
def test_jvp_is_the_sum_over_arguments(s):
    vs = dict(zip(s.active, directions(s), strict=True))
    parts = [dense(s.push({k: v})[1]) for k, v in vs.items()]
    for whole, first, *rest in zip(dense(s.push(vs)[1]), *parts, strict=True):
        if whole.dtype != float0:
            assert_close(whole, sum(rest, first), tolerance(s, 64))


def is_analytic(s: Sample) -> bool:
    """Real, and the NumPy function is defined and complex differentiable near the arguments."""
    if any(is_complex(x) for x in (*s.args, *s.outs)):
        return False
    try:
        with np.errstate(all="ignore"):
            along = directional(s.function(), s.values, [1j * v for v in directions(s)])
            real = directional(s.function(), s.values, directions(s))
    except (TypeError, ValueError, np.linalg.LinAlgError):
        return False
    return all(np.allclose(a, 1j * b, rtol=1e-6, atol=1e-6) for a, b in zip(along, real, strict=True))


def is_complex(x: Any) -> bool:
    return np.asarray(x).dtype.kind == "c"


# A factorisation mixes real and imaginary parts, so that round-off of the one swamps the other: not for those.
@at([s for s in SMOOTH if isinstance(s.prim, Elementwise | Linear | Multilinear) and is_analytic(s)])
def test_jvp_against_a_complex_step(s):
    """f'(x) v = Im f(x + i h v) / h, without cancellation, so that h can be tiny."""
    h, vs = 1e-20, directions(s)
    outs = s.function()(*(wide(x) + 1j * h * wide(v) for x, v in zip(s.values, vs, strict=True)))
    for y_dot, y in zip(dense(s.push(dict(zip(s.active, vs, strict=True)))[1]), outs, strict=True):
        if is_complex(y):
            assert_close(y_dot, np.imag(y) / h, tolerance(s, 64))


@at(VARYING)
def test_linearize_is_jvp(s):
    vs = directions(s)
    outs, f_jvp = xform.linearize(s.function(), *s.values)
    wanted, dots = xform.jvp(s.function(), s.values, tuple(vs))
    for y, t, y_wanted, t_wanted in zip(outs, f_jvp(*vs), wanted, dots, strict=True):
        assert_same(y, y_wanted, tolerance(s, 4))
        assert_same(t, t_wanted, tolerance(s, 64))


# --- reverse mode ---


@at(VARYING)
def test_reverse_is_the_adjoint_of_forward(s):
    """<z_bar, J x_dot> = <J^T z_bar, x_dot>, for all arguments together and for each alone."""
    rng = s.rng
    for positions in [s.active, *([k] for k in s.active if len(s.active) > 1)]:
        f, xs = s.function(positions), [s.args[k] for k in positions]
        vs = [random_like(x, rng) for x in xs]
        ys, y_dots = xform.jvp(f, tuple(xs), tuple(vs))
        bars = tuple(random_like(y, rng) for y in ys)
        x_bars = xform.vjp(f, *xs)[1](bars)
        assert [aval_of(b) for b in x_bars] == [aval_of(x) for x in xs]
        if s.smooth:
            scale = largest(*x_bars, *bars, *y_dots) ** 2
            assert_close(pairing(x_bars, vs), pairing(bars, y_dots), tolerance(s, 64) * scale)


def linear_groups(s: Sample) -> list[list[int]]:
    """Sets of arguments in which the primitive is linear, by its family."""
    if isinstance(s.prim, Linear) and all(is_inexact(a.dtype) for a in s.out_avals):
        jointly = [k for k in s.active if s.prim.is_linear_in(k)]
        return [jointly, *([k] for k in jointly if len(jointly) > 1)] if jointly else []
    if isinstance(s.prim, Multilinear):
        return [[k] for k in s.prim.linear_in if k in s.active]
    return []


def others(s: Sample, unknown: list[int]) -> list[Any]:
    """The arguments, with zeros for those that are added to the `unknown` ones."""
    added = [isinstance(s.prim, Linear) and s.prim.is_linear_in(k) and k not in unknown for k in range(len(s.args))]
    zeros = [np.zeros_like(x) if k in s.arrays else type(x)(0) for k, x in enumerate(s.args)]
    return [z if zero else x for x, z, zero in zip(s.args, zeros, added, strict=True)]


@at([s for s in SAMPLES if linear_groups(s)])
def test_transpose_is_the_adjoint(s):
    """The transpose rule itself, exact in shape and dtype; and `accumulate`, which adds the same in place."""
    rng = s.rng
    for unknown in linear_groups(s):
        args = others(s, unknown)
        xs = [random_like(args[k], rng) for k in unknown]
        outs = Sample(s.prim, tuple(args), s.params).function(unknown)(*xs)
        bars = [random_like(y, rng) for y in outs]
        holes = [Hole(aval_of(x)) if k in unknown else x for k, x in enumerate(args)]
        pulled = s.prim.transpose(list(bars), *holes, **s.params)
        assert [x is None for x in pulled] == [k not in unknown for k in range(len(args))]
        x_bars = dense([pulled[k] for k in unknown])
        assert [aval_of(b) for b in x_bars] == [aval_of(args[k]) for k in unknown]
        assert_close(pairing(x_bars, xs), pairing(bars, outs), tolerance(s, 256))
        if s.prim.accumulate is not None and unknown == [0]:
            buffer = np.array(xs[0])
            s.prim.accumulate(buffer, bars[0], *holes, **s.params)
            assert_close(buffer, xs[0] + x_bars[0], tolerance(s, 64))


@at([s for s in SMOOTH if isinstance(s.prim, Elementwise)])
def test_an_elementwise_function_is_transposed_only_if_it_is_linear(s):
    for k in s.active:
        f, x = s.function([k]), s.args[k]
        try:
            transposed = xform.linear_transpose(f, x)
        except NonlinearError:
            continue
        a, b = (np.asarray(random_like(x, s.rng) + shift, x.dtype) for shift in (-0.5, 1.0))
        (fab,), (fa,), (fb,) = f(a + b), f(a), f(b)
        assert_close(fab, fa + fb, tolerance(s, 64))
        bar = random_like(fa, s.rng)
        (x_bar,) = transposed((bar,))
        assert aval_of(x_bar) == aval_of(x)
        assert_close(pairing([x_bar], [a]), pairing([bar], [fa]), tolerance(s, 256))
        pulled = s.prim.transpose([bar], *(Hole(aval_of(y)) if j == k else y for j, y in enumerate(s.args)))
        assert [j for j, y in enumerate(pulled) if y is not None] == [k]
        assert_same(pulled[k], x_bar, 0.0)


@at(SMOOTH)
def test_second_derivatives(s):
    """The derivative of x -> J(x)^T w: forward and reverse over reverse, against central differences."""
    rng = s.rng
    weights = [wide(random_like(y, rng)) for y in s.outs]

    def pulled(*xs: Any) -> Any:
        ys, pullback = xform.vjp(s.function(), *xs)
        bars = (w if w.dtype == float0 else np.asarray(w, y.dtype)[()] for w, y in zip(weights, ys, strict=True))
        return pullback(tuple(bars))

    vs, us = (tuple(random_like(x, rng) for x in s.values) for _ in range(2))
    forward = xform.jvp(pulled, s.values, vs)[1]
    reverse = xform.vjp(pulled, *s.values)[1](us)
    assert [aval_of(t) for t in (*forward, *reverse)] == [aval_of(x) for x in s.values] * 2
    for actual, wanted in zip(forward, directional(pulled, s.values, vs), strict=True):
        assert_close(actual, wanted, max(1e-8, tolerance(s, 256)))
    scale = largest(*forward, *us, *reverse) ** 2
    assert_close(pairing(reverse, vs), pairing(us, forward), tolerance(s, 256) * scale)


# --- batches ---


def variants(x: Any, size: int) -> np.ndarray:
    """A batch of arguments like `x`: scaled, or for integers and booleans with their entries moved around."""
    if x.dtype.kind in "fc":
        rows = [np.asarray(x * (1 - 0.1 * k), x.dtype) for k in range(size)]
    elif x.ndim == 0:
        rows = [np.asarray(max(int(x) - k, min(int(x), 0)), x.dtype) for k in range(size)]
    else:
        rows = [np.roll(x, k) for k in range(size)]
    return np.stack(rows) if rows else np.zeros((0, *x.shape), x.dtype)


def check_batch(s: Sample, batched: list[bool], size: int) -> None:
    args = [variants(x, size) if b else x for x, b in zip(s.args, batched, strict=True)]
    examples = [[x[i] if b else x for x, b in zip(args, batched, strict=True)] for i in range(size)]
    rows = [s.prim.bind(*example, **s.params) for example in examples]
    wanted = [np.stack(ys) for ys in zip(*rows, strict=True)] or [np.zeros((0, *a.shape), a.dtype) for a in s.out_avals]
    axis: Any = Axis(size, None) if s.prim.has_programs else size
    for y, y_wanted in zip(s.prim.batch(axis, args, batched, **s.params), wanted, strict=True):
        assert_same(y, y_wanted, tolerance(s, 256))


@at(SAMPLES)
def test_batch_is_a_loop_and_a_stack(s):
    """For every choice of batched operands; and for batches of none and of one."""
    with np.errstate(all="ignore"):
        for batched in itertools.product(*((False, True) if k in s.arrays else (False,) for k in range(len(s.args)))):
            if any(batched):
                check_batch(s, list(batched), 3)
        for size in (0, 1):
            check_batch(s, [k in s.arrays for k in range(len(s.args))], size)


# --- Taylor series ---


def nested(f: Any, order: int) -> Any:
    """t -> [f, f', ..., f^(order)] at t, by jvp of jvp of ..."""
    if order == 0:
        return lambda t: [f(t)]
    inner = nested(f, order - 1)

    def all_orders(t: Any) -> list[Any]:
        lower, rates = xform.jvp(inner, (t,), (1.0,))
        return [*lower, rates[-1]]

    return all_orders


def polynomial(coefficients: list[Any], t: Any) -> Any:
    """c[0] + c[1] t + ... in the dtype of c[0]."""
    y = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        y = c + t * y
    return y if y.dtype == coefficients[0].dtype else convert(y, dtype=coefficients[0].dtype)


def check_jet(s: Sample, positions: list[int], order: int, tol: float) -> None:
    rng, f = s.rng, s.function(positions)
    curves = [
        [s.args[k], *(np.asarray(0.3 * random_like(s.args[k], rng), s.args[k].dtype)[()] for _ in range(order))]
        for k in positions
    ]
    series = [[np.asarray(math.factorial(k) * c, c.dtype)[()] for k, c in enumerate(row)][1:] for row in curves]
    ys, terms = xform.jet(f, tuple(s.args[k] for k in positions), tuple(series))
    wanted = nested(lambda t: f(*(polynomial(row, t) for row in curves)), order)(0.0)
    for j, y in enumerate(ys):
        assert_same(y, wanted[0][j], tol)
        for term, derivative in zip(terms[j], wanted[1:], strict=True):
            assert aval_of(term) == aval_of(y).tangent()
            if is_inexact(y.dtype):
                assert_close(term, derivative[j], tol)


def is_double(s: Sample) -> bool:
    return all(x.dtype in (np.float64, np.complex128) for x in s.values)


@at(SMOOTH)
def test_jet_against_nested_jvp(s):
    order = 2 if not is_double(s) else 3 if s.prim.name in COSTLY else 5
    check_jet(s, s.active, order, tolerance(s, 10.0**order))


@at([s for s in SMOOTH if len(s.active) > 1])
def test_jet_in_each_argument_alone(s):
    for k in s.active:
        order = 3 if is_double(s) else 1
        check_jet(s, [k], order, tolerance(s, 10.0 ** (order + 1)))


# --- sparsity ---


@at(VARYING)
def test_sparsity_covers_the_jacobian(s):
    patterns = xform.sparsity_pattern(s.function(), *s.values)
    for j, (k, x) in enumerate(zip(s.active, s.values, strict=True)):
        for position, unit in itertools.product(np.ndindex(x.shape), (1, 1j) if is_complex(x) else (1,)):
            e = np.zeros_like(x)
            e[position] = unit
            for i, (y, y_dot) in enumerate(zip(s.outs, dense(s.push({k: e[()]})[1]), strict=True)):
                pattern = patterns[i] if len(s.active) == 1 else patterns[i][j]
                assert pattern.shape == (*np.shape(y), *x.shape)
                if y_dot.dtype != float0:
                    assert pattern[(..., *position)][(y_dot != 0) & ~np.isnan(y_dot)].all()


# --- single precision ---


def narrow(x: Any) -> Any:
    """A double as a single."""
    singles = {np.dtype(np.float64): np.float32, np.dtype(np.complex128): np.complex64}
    return x.astype(singles.get(x.dtype, x.dtype)) if isinstance(x, np.ndarray | np.generic) else x


@at([s for s in SMOOTH if is_double(s) and not s.prim.has_programs])  # programs are of one precision
def test_singles_stay_singles(s):
    """In single precision abstract, tangents and cotangents have the dtypes of NumPy's result and the operands."""
    single = Sample(s.prim, tuple(map(narrow, s.args)), s.params, s.smooth)
    test_abstract_is_the_avals_of_numpy(single)
    test_tangents_have_the_avals_of_results(single)
    test_linearize_is_jvp(single)
    test_reverse_is_the_adjoint_of_forward(single)
    integral = any(s.args[k].dtype.kind in "iu" for k in s.arrays)
    if not integral and "dtype" not in s.params:
        assert single.out_avals == [Aval(y.shape, narrow(y).dtype) for y in s.outs]
