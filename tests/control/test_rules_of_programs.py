"""The laws of tests/test_rules.py for operations that contain programs, when these stay whole.

There `bind` runs them as Python's own control flow, which the transformations see through. Here the rules of the
operations are used, each against the dense truth; and what no sample can say of loops: transposes of linear ones with a
counter in the carry, lanes that take different numbers of steps, what is recorded of each step.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import xform
from tests import test_rules as laws
from tests.messages import says
from tests.numeric import assert_close, pairing, random_like
from tests.samples import control
from tests.samples.base import Sample
from tests.samples.control import near, normal, program
from xform.control.branches.cond import cond_p
from xform.control.loops.scan import scan_p
from xform.control.loops.while_loop import while_p
from xform.control.loops.while_parameters import Loop
from xform.control.programs import structured
from xform.core.aval import aval_of
from xform.core.check import check
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Zero, is_zero
from xform.core.stage import stage
from xform.transforms.vmap import Axis

SAMPLES = control.SAMPLES
VARYING = [s for s in SAMPLES if s.active]


def short(s: Sample) -> str:
    return f"{s.prim.name}{next(k for k, x in enumerate(SAMPLES) if x is s)}"


LAWS = [
    (laws.test_abstract_is_the_avals_of_numpy, SAMPLES),
    (laws.test_arguments_are_left_alone, SAMPLES),
    (laws.test_staged, SAMPLES),
    (laws.test_tangents_have_the_avals_of_results, VARYING),
    (laws.test_symbolic_zeros_stay_zero, SAMPLES),
    (laws.test_jvp_against_central_differences, VARYING),
    (laws.test_jvp_is_the_sum_over_arguments, [s for s in VARYING if len(s.active) > 1]),
    (laws.test_linearize_is_jvp, VARYING),
    (laws.test_reverse_is_the_adjoint_of_forward, VARYING),
    (laws.test_second_derivatives, VARYING),
    (laws.test_batch_is_a_loop_and_a_stack, SAMPLES),
    (laws.test_jet_against_nested_jvp, VARYING),
    (laws.test_jet_in_each_argument_alone, [s for s in VARYING if len(s.active) > 1]),
    (laws.test_sparsity_covers_the_jacobian, VARYING),
]
CASES = [(law, s) for law, samples in LAWS for s in samples]


@pytest.mark.parametrize("law, s", CASES, ids=lambda v: short(v) if isinstance(v, Sample) else v.__name__[5:])
def test_law(law, s):
    with structured(), np.errstate(all="raise", under="ignore"):
        law(s)


# --- transposes ---


def adjoint(prim: Any, args: list[Any], unknown: list[int], params: dict[str, Any], given: Any = None) -> None:
    """<y_bar, A x> = <A^T y_bar, x> for the rule itself, run as it is, and in a program."""
    rng = np.random.default_rng(0)
    ys = prim.bind(*args, **params)
    bars = [random_like(y, rng) if y.dtype.kind == "f" else Zero.like(y) for y in ys]
    bars = [b if given is None or k in given else Zero.like(y) for k, (b, y) in enumerate(zip(bars, ys, strict=True))]
    shown = [(b, y) for b, y in zip(bars, ys, strict=True) if not is_zero(b)]

    def transposed(known: list[Any], shown: list[Any]) -> list[Any]:
        rest, moving = iter(shown), iter(known)
        holes = [Linear(aval_of(x)) if k in unknown else next(moving) for k, x in enumerate(args)]
        pulled = prim.transpose([b if is_zero(b) else next(rest) for b in bars], *holes, **params)
        assert [k for k, x in enumerate(pulled) if x is not None] == unknown
        return [pulled[k] for k in unknown]

    known = [x for k, x in enumerate(args) if k not in unknown]
    values = [b for b, _ in shown]
    xs = [args[k] for k in unknown]
    avals = list(map(aval_of, [*known, *values]))
    staged = stage(lambda *vs: transposed(list(vs[: len(known)]), list(vs[len(known) :])), avals)
    check(staged)
    for pulled in (transposed(known, values), staged(*known, *values)):
        assert [aval_of(x) for x in pulled] == [aval_of(x) for x in xs]
        assert_close(pairing(pulled, xs), pairing(values, [y for _, y in shown]), 1e-13)


def recurrence(w, u, k, h, t, x):
    """Linear in u, h and x; the counter k is not linear, nor are w and t."""
    after = w[k % 2] * h + u * t + x
    return [k + 1, after, after * t, h]


@pytest.mark.parametrize("given", [None, (1,), (2,), (3,)], ids=["all", "carry", "first_y", "second_y"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize("counted", [False, True])
def test_transpose_of_a_linear_scan(counted, steps, reverse, given):
    """With a counter in the carry, of whose values before each step the transpose makes use."""
    examples = [normal(2), normal(2), np.int64(0), normal(2), normal(), normal(2)]
    body = program(recurrence, *examples)
    args = [*examples[:4], normal(steps), normal(steps, 2)]
    params = {"body": body, "consts": 2, "carry": 2, "reverse": reverse}
    if counted:
        adjoint(scan_p, [np.intp(steps), *args], [2, 4, 6], {**params, "length": None}, given)
    else:
        adjoint(scan_p, args, [1, 3, 5], {**params, "length": steps}, given)


def test_transpose_in_some_operands():
    """An unknown operand makes the carry unknown, whose initial value, if known, is zero and gets no cotangent."""
    args = [normal(2), normal(2), np.int64(0), np.zeros(2)]
    body = program(lambda w, u, k, h: [k + 1, w[k % 2] * h + u * k], *args)
    params = {"body": body, "consts": 2, "carry": 2, "length": 3, "reverse": False}
    adjoint(scan_p, args, [1], params)
    adjoint(scan_p, args, [1, 3], params)
    holes = [Linear(aval_of(x)) if k == 3 else x for k, x in enumerate(args)]
    with says(NonlinearError, "affine, not linear"):
        scan_p.transpose([Zero.like(args[2]), normal(2)], *holes, **params)


def linear_loop(record: bool = False) -> tuple[list[Any], dict[str, Any]]:
    """h = w[k % 2] h + u k for k = 0 ... n - 1."""
    args = [np.int64(5), normal(2), normal(2), np.int64(0), normal(2)]
    cond = program(lambda n, k, h: [k < n], args[0], *args[3:])
    body = program(lambda w, u, k, h: [k + 1, w[k % 2] * h + u * k, *([h * w] if record else [])], *args[1:])
    return args, Loop(cond, body, 1, 2, record)._asdict()


@pytest.mark.parametrize("record", [False, True])
def test_transpose_of_a_linear_while_loop(record):
    """Its steps are counted without what is linear."""
    args, params = linear_loop(record)
    if record:
        out = while_p.bind(*args, **params)
        assert [np.shape(y) for y in out] == [(), (2,), (), (5, 2)]
        assert out[2] == 5
    adjoint(while_p, args, [2, 4], params)


def test_a_condition_on_what_is_linear():
    cond, body = program(lambda h: [h < 1.0], 0.0), program(lambda h: [h * 2.0], 0.0)
    params = Loop(cond, body, 0, 0, record=False)._asdict()
    with says(NonlinearError, "condition of a while loop", "to be linear"):
        while_p.transpose([1.0], Linear(aval_of(np.float64(0.0))), **params)


def test_linear_transpose_of_loops():
    matrix = normal(3, 3)

    def f(x):
        h, ys = xform.lax.scan(lambda h, t: (matrix @ h * t, h[0] * t), x, np.array([0.5, -2.0]))
        return h, ys, xform.lax.fori_loop(0, 2, lambda i, v: v + x * i, x)

    x, bars = normal(3), (normal(3), normal(2), normal(3))
    wanted = xform.vjp(f, x)[1](bars)[0]
    assert_close(xform.linear_transpose(f, x)(bars)[0], wanted, 1e-14)
    assert_close(xform.make_jaxpr(xform.linear_transpose(f, x))(bars)(*bars)[0], wanted, 1e-14)


# --- lanes that take different numbers of steps ---


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batched", list(itertools.product([False, True], repeat=3)), ids=str)
def test_lanes_of_different_length(batched, reverse):
    """In excess steps the carry stays, and nothing is divided by the zeros that a lane would meet there."""
    counts, c, h, xs = np.array([3, 0, 2]), near(3), near(3, 2), near(3, 4, 2)
    xs[1, :], xs[2, 2:] = 0.0, 0.0
    args = [v if b else v[0] for v, b in zip((c, h, xs), batched, strict=True)]
    body = program(lambda c, h, x: [np.sin(h) * c + 1.0 / (x + 0.1), h * c], c[0], h[0], xs[0, 0])
    params = {"body": body, "consts": 1, "carry": 1, "length": None, "reverse": reverse}
    with np.errstate(all="raise"):
        final, ys = scan_p.batch(Axis(3, None), [counts, *args], [True, *batched], **params)
    for k, n in enumerate(counts):
        example = [v[k] if b else v for v, b in zip(args, batched, strict=True)]
        wanted, rows = scan_p.bind(n, *example[:2], example[2][:n], **params)
        assert_close(final[k], wanted, 1e-15)
        assert_close(ys[k, :n], rows, 1e-15)


@pytest.mark.parametrize("whole", [False, True])
def test_lanes_record_their_own_steps(whole):
    """A while loop that records: counts lane by lane, and the outputs of the steps that a lane has taken."""
    cond = program(lambda v: [v < 4.0], 0.0)
    body = program(lambda v: [v * 2.0, v + 0.5], 0.0)
    params = Loop(cond, body, 0, 0, record=True)._asdict()
    starts = np.array([0.5, 9.0, 3.0])
    run = lambda v: tuple(while_p.bind(v, **params))  # noqa: E731
    if whole:
        with structured():
            finals, counts, trails = xform.vmap(run)(starts)
    else:
        finals, counts, trails = xform.vmap(run)(starts)
    np.testing.assert_array_equal(finals, [4.0, 9.0, 6.0])
    np.testing.assert_array_equal(counts, [3, 0, 1])
    np.testing.assert_array_equal(trails[0], [1.0, 1.5, 2.5])
    assert trails[2, 0] == 3.5


# --- sparsity ---


def pattern(f: Any, x: Any) -> Any:
    """Of the program of `f`, by the rules of the operations in it."""
    staged = xform.make_jaxpr(f)(x)
    with structured():
        return xform.sparsity_pattern(staged, x)


def test_patterns_of_loops_are_as_sparse_as_their_steps():
    x = normal(4)
    last, rows = pattern(lambda x: xform.lax.scan(lambda c, _: (np.sin(c) * c, c), x, length=3), x)
    np.testing.assert_array_equal(last, np.eye(4, dtype=bool))
    np.testing.assert_array_equal(rows, np.tile(np.eye(4, dtype=bool), (3, 1, 1)))


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_what_a_carry_depends_on_grows_from_step_to_step(steps):
    """The neighbour on the left, and the neighbour of the neighbour."""
    shift = lambda c, _: (np.concatenate([c[:1], c[1:] + c[:-1]]), None)  # noqa: E731
    (got,) = pattern(lambda x: xform.lax.scan(shift, x, length=steps)[0], normal(4))
    wanted = np.tril(np.ones((4, 4), bool)) & ~np.tril(np.ones((4, 4), bool), -steps - 1)
    np.testing.assert_array_equal(got, wanted)


def test_a_while_loop_may_take_any_number_of_steps():
    shift = lambda c: (np.concatenate([c[0][:1], c[0][1:] + c[0][:-1]]), c[1] + 1)  # noqa: E731
    (got,) = pattern(lambda x: xform.lax.while_loop(lambda c: c[1] < 1, shift, (x, 0))[0], normal(4))
    np.testing.assert_array_equal(got, np.tril(np.ones((4, 4), bool)))


@pytest.mark.parametrize("index", [0, 1])
def test_of_branches_the_one_that_is_taken_counts_if_it_is_known(index):
    branches = tuple(program(f, normal(3)) for f in (lambda x: [x], lambda x: [x[::-1]]))
    each = [np.eye(3, dtype=bool), np.eye(3, dtype=bool)[::-1]]
    take = lambda k, x: cond_p.bind(k, x, branches=branches)[0]  # noqa: E731
    np.testing.assert_array_equal(xform.sparsity_pattern(lambda x: take(np.intp(index), x), normal(3)), each[index])
    (either,) = cond_p.sparsity([None, each[0]], [aval_of(np.intp(0)), aval_of(normal(3))], branches=branches)
    np.testing.assert_array_equal(either, each[0] | each[1])
