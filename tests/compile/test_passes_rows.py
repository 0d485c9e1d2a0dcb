"""Each identity on its own: that it applies, that it changes no bit of any result; and those that must not apply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compile.first_order import NASTY, Builder, assert_same, aval, nasty
from xform.compile.passes import optimise
from xform.core.check import check
from xform.core.jaxpr import Jaxpr, Literal
from xform.ops import structure as st
from xform.ops.arithmetic import absolute, add, div, maximum, minimum, mul, neg, power, reciprocal, square, sub
from xform.ops.contraction.contract import contract
from xform.ops.identity import name, optimization_barrier, stop_gradient
from xform.ops.indexing.dynamic import dynamic_pad, dynamic_slice
from xform.ops.indexing.index import gather
from xform.ops.logic import bitwise_and, bitwise_or, eq, ge, invert, logical_not, lt, ne
from xform.ops.reduce import reduce_max, reduce_prod
from xform.ops.select import select
from xform.ops.stack import stack
from xform.ops.transcendental import exp, log, sin

F, F4, C, N, U, B = np.float64, np.float32, np.complex128, np.int64, np.uint8, np.bool_


def arguments(program: Jaxpr) -> list[Any]:
    rng = np.random.default_rng(0)
    args = []
    for v in program.inputs:
        kind, shape = v.aval.dtype.kind, v.aval.shape
        if kind == "c":
            x = np.empty(shape, v.aval.dtype)
            x.real, x.imag = nasty(shape, rng), nasty(shape, rng)
        elif kind == "f":
            with np.errstate(all="ignore"):
                x = nasty(shape, rng).astype(v.aval.dtype)
        else:
            x = rng.integers(0, 2 if kind == "b" else 100, shape).astype(v.aval.dtype)
        args.append(x[()])
    return args


def optimised(program: Jaxpr) -> Jaxpr:
    found = optimise(program)
    check(found)
    assert_same(program, found, arguments(program))
    return found


def pairs(b: Builder, dtype: Any) -> tuple[Any, Any]:
    """Two arrays in which every pair of nasty numbers meets."""
    n = len(NASTY)
    return b.input(aval((4 * n, n), dtype)), b.input(aval((4 * n, n), dtype))


#: name -> program of x and y, the dtypes of these, the primitives that are left
APPLIED: dict[str, tuple[Any, list[Any], list[str]]] = {
    "x * 1": (lambda b, x, y: b(mul, x, 1), [F, F4, N, U], []),
    "1 * x": (lambda b, x, y: b(mul, 1, x), [F, F4, N, U], []),
    "x * ones": (lambda b, x, y: b(mul, x, b.const(np.ones(len(NASTY)))), [F], []),
    "x * -1": (lambda b, x, y: b(mul, x, -1), [F, F4, N], ["neg"]),
    "-x * -y": (lambda b, x, y: b(mul, b(neg, x), b(neg, y)), [F, F4], ["mul"]),
    "-x / -y": (lambda b, x, y: b(div, b(neg, x), b(neg, y)), [F, F4], ["div"]),
    "-x * 3": (lambda b, x, y: b(mul, b(neg, x), 3), [F, F4], ["mul"]),
    "3 / -x": (lambda b, x, y: b(div, 3.0, b(neg, x)), [F, F4], ["div"]),
    "x / 1": (lambda b, x, y: b(div, x, 1), [F, F4], []),
    "x / 4": (lambda b, x, y: b(div, x, 4), [F, F4], ["mul"]),
    "x / -0.25": (lambda b, x, y: b(div, x, -0.25), [F, F4], ["mul"]),
    "x - 0": (lambda b, x, y: b(sub, x, 0), [F, F4, N, U], []),
    "x - 0.0": (lambda b, x, y: b(sub, x, 0.0), [F, F4], []),
    "x + -0.0": (lambda b, x, y: b(add, x, -0.0), [F, F4], []),
    "0 + n": (lambda b, x, y: b(add, 0, x), [N, U], []),
    "x + -y": (lambda b, x, y: b(add, x, b(neg, y)), [F, F4, C], ["sub"]),
    "-x + y": (lambda b, x, y: b(add, b(neg, x), y), [F, F4, C], ["sub"]),
    "x - -y": (lambda b, x, y: b(sub, x, b(neg, y)), [F, F4, C], ["add"]),
    "x + -x y": (lambda b, x, y: b(add, x, b(mul, b(neg, x), y)), [F, F4], ["mul", "sub"]),
    "x - y -x": (lambda b, x, y: b(sub, x, b(mul, y, b(neg, x))), [F, F4], ["mul", "add"]),
    "1 + sum -x": (lambda b, x, y: b(add, 1.0, b(st.reduce_sum, b(neg, x), axes=(1,))), [F, F4], ["reduce_sum", "sub"]),
    "--x": (lambda b, x, y: b(neg, b(neg, x)), [F, F4, C, N], []),
    "x ** 1": (lambda b, x, y: b(power, x, 1), [F, F4, N, U], []),
    "x ** 2": (lambda b, x, y: b(power, x, 2), [F, F4, N, U], ["mul"]),
    "x ** -1": (lambda b, x, y: b(power, x, -1), [F, F4], ["div"]),
    "x ** 0.5": (lambda b, x, y: b(power, x, 0.5), [F, F4], ["sqrt"]),
    "square and power": (lambda b, x, y: b(sub, b(square, x), b(power, x, 2.0)), [F, F4], ["mul", "sub"]),
    "max(x, x)": (lambda b, x, y: b(maximum, x, x), [F, F4, N], []),
    "min(x, x)": (lambda b, x, y: b(minimum, x, x), [F, N], []),
    "c & c": (lambda b, x, y: b(bitwise_and, x, x), [B, N], []),
    "c | c": (lambda b, x, y: b(bitwise_or, x, x), [B, N], []),
    "~~c": (lambda b, x, y: b(invert, b(invert, x)), [B, N, U], []),
    "not not c": (lambda b, x, y: b(logical_not, b(logical_not, x)), [B], []),
    "not x == y": (lambda b, x, y: b(logical_not, b(eq, x, y)), [F, F4, C, N], ["ne"]),
    "not x != y": (lambda b, x, y: b(logical_not, b(ne, x, y)), [F, F4, C, N], ["eq"]),
    "where true": (lambda b, x, y: b(select, Literal(B(True)), x, y), [F, C, N], []),
    "where false": (lambda b, x, y: b(select, Literal(B(False)), x, y), [F, C, N], []),
    "where x else x": (lambda b, x, y: b(select, b(lt, x, y), x, x), [F, N], []),
    "where not": (lambda b, x, y: b(select, b(logical_not, b(lt, x, y)), x, y), [F], ["lt", "select"]),
    "where in where": (
        lambda b, x, y: b(select, c := b(lt, x, y), b(select, c, x, 1.0), b(select, c, 2.0, y)), [F], ["lt", "select"],
    ),
    "convert to itself": (lambda b, x, y: b(st.convert, x, dtype=x.aval.dtype), [F, F4, C, N, B], []),
    "convert there and back": (
        lambda b, x, y: b(st.convert, b(st.convert, x, dtype=np.dtype(C)), dtype=x.aval.dtype), [F, F4], [],
    ),
    "convert by way of": (
        lambda b, x, y: b(st.convert, b(st.convert, x, dtype=np.dtype(N)), dtype=np.dtype(F)), [U, B], ["convert"],
    ),
    "stop_gradient": (lambda b, x, y: b(add, b(stop_gradient, x), y), [F, N], ["add"]),
    "name": (lambda b, x, y: b(add, b(name, x, name="x"), y), [F], ["add"]),
    "the same twice": (lambda b, x, y: b(sub, b(mul, x, y), b(mul, x, y)), [F, F4, C, N], ["mul", "sub"]),
    "transpose twice": (
        lambda b, x, y: b(st.transpose, b(st.transpose, x, permutation=(1, 0)), permutation=(1, 0)), [F], [],
    ),
    "elementwise in another shape": (
        lambda b, x, y: b(st.reshape, b(sin, b(st.reshape, x, shape=(1, *x.aval.shape))), shape=x.aval.shape), [F],
        ["sin"],
    ),
    "product by labels": (lambda b, x, y: b(contract, x, y, spec=("ab", "ab", "ab")), [F, F4, C, N], ["mul"]),
    "repeated factor": (
        lambda b, x, y: b(mul, b(st.broadcast, b(st.slice_, x, index=(0, (0, len(NASTY), 1))), shape=x.aval.shape,
                                 axes=(0,)), y), [F, N], ["slice", "mul"],
    ),
    "constant in another shape": (lambda b, x, y: b(mul, b.const(np.full(x.aval.shape, -0.5)), x), [F], ["mul"]),
    "fold": (lambda b, x, y: b(mul, x, b(exp, b(sub, 1.0, 1))), [F], []),
}  # fmt: skip


@pytest.mark.parametrize("text, dtype", [(k, d) for k, (_, dtypes, _) in APPLIED.items() for d in dtypes])
def test_an_identity_applies_and_changes_no_bit(text, dtype):
    write, _, left = APPLIED[text]
    b = Builder()
    x, y = pairs(b, dtype)
    found = optimised(b.program(write(b, x, y)))
    assert [e.prim.name for e in found.eqns] == left


#: what looks like an identity and is none
REFUSED = {
    "x + 0.0": lambda b, x, y: b(add, x, 0.0),
    "x - -0.0": lambda b, x, y: b(sub, x, -0.0),
    "0 * x": lambda b, x, y: b(mul, 0, x),
    "x - x": lambda b, x, y: b(sub, x, x),
    "x / x": lambda b, x, y: b(div, x, x),
    "x / 3": lambda b, x, y: b(div, x, 3),
    "not x < y": lambda b, x, y: b(logical_not, b(lt, x, y)),
    "-(x - y)": lambda b, x, y: b(neg, b(sub, x, y)),
    "0 + sum -x": lambda b, x, y: b(add, 0.0, b(st.reduce_sum, b(neg, x), axes=(1,))),
    "integers on the way": lambda b, x, y: b(st.convert, b(st.convert, x, dtype=np.dtype(F4)), dtype=np.dtype(F)),
    "x * 1.0 promotes": lambda b, x, y: b(mul, b(lt, x, y), 1.0),
    "barrier": lambda b, x, y: b(optimization_barrier, x, y)[0],
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_identity_is_left_alone(text):
    b = Builder()
    x, y = pairs(b, F)
    program = b.program(REFUSED[text](b, x, y))
    with np.errstate(all="ignore"):
        found = optimised(program)
    assert [e.prim for e in found.eqns] == [e.prim for e in program.eqns]


@pytest.mark.parametrize("text", ["x * 1", "x / 1", "x * -1", "x + -0.0"])
def test_complex_numbers_are_left_alone_where_an_infinite_part_would_become_nan(text):
    b = Builder()
    x, y = pairs(b, C)
    with np.errstate(all="ignore"):
        assert len(optimised(b.program(APPLIED[text][0](b, x, y))).eqns) == 1


def test_scalars_of_another_dtype_promote_as_before():
    for value in (2.0, F(2.0), F4(2.0), 2, N(2)):
        b = Builder()
        x = b.input(aval((3,), F4))
        one = b(stop_gradient, value)
        optimised(b.program(b(mul, x, one), b(mul, x, 1.0), b(mul, x, F(1.0))))


def test_zeros_of_different_sign_are_not_the_same_literal():
    b = Builder()
    x = b.input(aval((2,)))
    found = optimised(b.program(b(div, x, 0.0), b(div, x, -0.0), b(mul, x, 3), b(mul, x, 3.0), b(mul, x, F(3.0))))
    assert len(found.eqns) == 5


def test_barriers_keep_apart_what_is_computed_before_and_behind_them():
    b = Builder()
    x = b.input(aval((2,)))
    y, z = b(optimization_barrier, x, x)[0], b(optimization_barrier, x, x)[0]
    found = optimised(b.program(b(sin, x), b(sin, y), b(sin, z)))
    assert [e.prim.name for e in found.eqns].count("sin") == 3


def test_what_raises_is_left_to_the_run():
    b = Builder()
    x = b.input(aval((2,)))
    program = b.program(b(gather, b.const(np.ones(3)), 7, axes=(0,), at=0), x)
    found = optimise(program)
    assert len(found.eqns) == 1
    with pytest.raises(IndexError, match="7"):
        found(np.zeros(2))


def test_large_constants_are_not_computed():
    b = Builder()
    x = b.input(aval(()))
    large = b(st.broadcast, 1.5, shape=(5000,), axes=(0,))
    found = optimised(b.program(b(exp, large), b(mul, x, b(log, 2.0))))
    assert [e.prim.name for e in found.eqns] == ["broadcast", "exp", "mul"]


SLICES: dict[str, tuple[Any, list[str]]] = {
    "of a slice": (
        lambda b, x: b(st.slice_, b(st.slice_, x, index=((3, 4, -1), (0, 3, 1))), index=(1, (0, 2, 2))), ["slice"],
    ),
    "of the whole": (lambda b, x: b(st.slice_, x, index=((0, 4, 1), (0, 3, 1))), []),
    "of a pad": (
        lambda b, x: b(st.slice_, b(st.pad, x, shape=(6, 3), index=((1, 4, 1), (0, 3, 1))),
                       index=((1, 4, 1), (0, 3, 1))), [],
    ),
    "of a concatenation": (
        lambda b, x: b(st.slice_, b(st.concatenate, b(sin, x), x, axis=0), index=((4, 2, 2), 1)), ["slice"],
    ),
    "of a stack": (lambda b, x: b(st.slice_, b(stack, b(sin, x), x, axis=2), index=((0, 4, 1), (0, 3, 1), 1)), []),
    "of a broadcast": (
        lambda b, x: b(st.slice_, b(st.broadcast, x, shape=(4, 2, 3), axes=(1,)), index=(1, (0, 2, 1), (0, 3, 1))),
        ["slice", "broadcast"],
    ),
    "by a gather": (lambda b, x: b(gather, x, b.const(np.array([3, 1, -5 + 4])), axes=(0,), at=0), ["gather"]),
    "by a gather in steps": (lambda b, x: b(gather, x, b.const(np.array([-1, 2, 1])), axes=(0,), at=0), ["slice"]),
    "by a number": (lambda b, x: b(gather, x, -1, axes=(1,), at=0), ["slice"]),
    "by known starts": (lambda b, x: b(dynamic_slice, x, 9, 1, sizes=(2, 2)), ["slice"]),
    "into known starts": (lambda b, x: b(dynamic_pad, x, 9, 1, shape=(6, 6)), ["pad"]),
    "broadcast twice": (
        lambda b, x: b(st.broadcast, b(st.broadcast, x, shape=(2, 4, 3), axes=(0,)), shape=(2, 5, 4, 3), axes=(1,)),
        ["broadcast"],
    ),
    "reshape twice": (lambda b, x: b(st.reshape, b(st.reshape, x, shape=(2, 6)), shape=(12,)), ["reshape"]),
    "sum of one": (
        lambda b, x: b(st.reduce_sum, b(st.reshape, x, shape=(4, 1, 3)), axes=(1,)), [],
    ),
    "maximum of one": (lambda b, x: b(reduce_max, b(st.reshape, x, shape=(4, 1, 3)), axes=(1,)), []),
    "product of one": (lambda b, x: b(reduce_prod, b(st.reshape, x, shape=(4, 1, 3)), axes=(1,)), []),
    "transpose of a product": (
        lambda b, x: b(st.transpose, b(contract, x, x, spec=("ab", "cb", "ac")), permutation=(1, 0)), ["contract"],
    ),
    "product of a transpose": (
        lambda b, x: b(contract, b(st.transpose, x, permutation=(1, 0)), x, spec=("ba", "ac", "bc")), ["contract"],
    ),
    "joined alone": (lambda b, x: b(st.concatenate, x, axis=0), []),
}  # fmt: skip


@pytest.mark.parametrize("text", SLICES)
def test_entries_are_moved_once(text):
    write, left = SLICES[text]
    b = Builder()
    found = optimised(b.program(write(b, b.input(aval((4, 3))))))
    assert [e.prim.name for e in found.eqns] == left
    with np.errstate(all="ignore"):
        values = np.arange(12.0).reshape(4, 3)
        assert np.array_equal(found(values)[0], b.program(write(b, b.inputs[0]))(values)[0])


def test_a_result_that_is_read_otherwise_too_is_not_computed_twice():
    b = Builder()
    x = b.input(aval((4, 3)))
    y = b(contract, x, x, spec=("ab", "cb", "ac"))
    found = optimised(b.program(y, b(st.transpose, y, permutation=(1, 0))))
    assert [e.prim.name for e in found.eqns] == ["contract", "transpose"]


def test_comparisons_are_not_turned_round():
    b = Builder()
    x, y = pairs(b, F)
    found = optimised(b.program(b(logical_not, b(lt, x, y)), b(ge, x, y), b(absolute, b(reciprocal, x))))
    assert [e.prim.name for e in found.eqns] == ["lt", "logical_not", "ge", "reciprocal", "abs"]
