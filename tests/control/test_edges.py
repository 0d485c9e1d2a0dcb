"""Loops and branches at their edges: no steps, no entries, no examples, nan, errors, threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from tests.messages import says
from xform import grad, hessian, jacfwd, jacrev, jvp, lax, make_jaxpr, tree, vmap
from xform.control.programs import mode, structured
from xform.core.check import check
from xform.core.trace import EVAL, context

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def every_warning_is_an_error():
    with np.errstate(all="raise"):
        yield


def eager(f: Function) -> Function:
    return f


def staged(f: Function) -> Function:
    def g(*args: Any) -> Any:
        jaxpr, shape = make_jaxpr(f, return_shape=True)(*args)
        check(jaxpr)
        return tree.unflatten(tree.structure(shape), jaxpr(*tree.leaves(args)))

    return g


ways = pytest.mark.parametrize("way", [eager, staged])


# --- nothing to do ---


@ways
@pytest.mark.parametrize("checkpoint", [None, 2])
def test_no_steps(way, checkpoint):
    def f(x):
        return lax.while_loop(lambda c: c < 0, lambda c: np.log(-c) * c, x, checkpoint=checkpoint)

    xs = np.array([1.0, 2.0])
    assert_allclose(way(grad(f))(2.0), 1.0)
    assert_allclose(way(hessian(f))(2.0), 0.0)
    assert_allclose(way(grad(grad(f)))(2.0), 0.0)
    assert_allclose(way(vmap(f))(xs), xs)
    assert_allclose(way(vmap(grad(f)))(xs), np.ones(2))


@ways
def test_rows_without_entries(way):
    def f(xs):
        return lax.scan(lambda c, x: (c + np.sum(x), x * 2.0), 0.0, xs)

    xs = np.zeros((3, 0))
    total, ys = way(f)(xs)
    assert total == 0.0
    assert ys.shape == (3, 0)
    assert way(grad(lambda xs: f(xs)[0]))(xs).shape == (3, 0)
    assert way(vmap(f))(np.zeros((2, 3, 0)))[1].shape == (2, 3, 0)
    assert way(jacrev(lambda xs: f(xs)[1]))(xs).shape == (3, 0, 3, 0)


def scanned(z: Any) -> Any:
    return lax.scan(lambda c, x: (c * x, np.sum(c)), z, np.ones(3))[0]


def looped(z: Any) -> Any:
    return lax.while_loop(lambda c: c[1] < 3, lambda c: (c[0] * 2.0, c[1] + 1), (z, 0))[0]


@ways
@pytest.mark.parametrize("f", [scanned, looped])
def test_a_carry_without_entries(way, f):
    z = np.zeros(0)
    assert way(f)(z).shape == (0,)
    assert way(jacrev(f))(z).shape == (0, 0)
    assert way(jacfwd(f))(z).shape == (0, 0)
    assert way(vmap(f))(np.zeros((4, 0))).shape == (4, 0)


def growing(x: Any) -> Any:
    return lax.while_loop(lambda c: c < 3.0, lambda c: c * 2.0 + 1.0, x)


def growing_with_snapshots(x: Any) -> Any:
    return lax.while_loop(lambda c: c < 3.0, lambda c: c * 2.0 + 1.0, x, checkpoint=2)


def branching(x: Any) -> Any:
    return lax.cond(x > 0.0, np.sin, np.cos, x)


@ways
@pytest.mark.parametrize("f", [growing, growing_with_snapshots, branching])
def test_no_examples(way, f):
    none = np.zeros(0)
    for g in (f, grad(f), lambda x: jvp(f, (x,), (1.0,))[1], grad(grad(f))):
        assert way(vmap(g))(none).shape == (0,)
    assert way(grad(lambda x: np.sum(vmap(f)(x))))(none).shape == (0,)
    for shape in ((0, 3), (3, 0), (0, 0)):
        assert way(vmap(vmap(f)))(np.zeros(shape)).shape == shape


@ways
@pytest.mark.parametrize(
    "f",
    [
        lambda x, k: lax.switch(k, [np.sin, np.cos], x),
        lambda x, k: lax.fori_loop(0, k, lambda i, c: c * x, x),
        lambda x, k: lax.fori_loop(0, k, lambda i, c: c * x, x, checkpoint=1),
    ],
)
def test_no_examples_of_two_arguments(way, f):
    none, nobody = np.zeros(0), np.zeros(0, int)
    for g in (f, grad(f), grad(grad(f))):
        assert way(vmap(g))(none, nobody).shape == (0,)
        assert way(vmap(g, (None, 0)))(1.0, nobody).shape == (0,)
        assert way(vmap(g, (0, None)))(none, 1).shape == (0,)


# --- batches ---


@ways
@pytest.mark.parametrize("place, name", [(0, "a"), (1, "n"), (2, "x")])
def test_one_argument_of_a_loop_differs_from_example_to_example(way, place, name):
    def f(a: Any, n: Any, x: Any) -> Any:
        return lax.fori_loop(0, n, lambda i, c: np.sin(c * a) + i, x)

    batch = {"a": np.array([0.1, 0.2, 0.3]), "n": np.array([0, 3, 1]), "x": np.array([0.5, -0.2, 0.9])}[name]
    args: list[Any] = [0.3, 4, 0.2]
    axes = tuple(0 if k == place else None for k in range(3))
    for g in (f, grad(f, 0), grad(f, 2), grad(grad(f, 2), 0)):
        wanted = [g(*args[:place], x, *args[place + 1 :]) for x in batch]
        assert_allclose(way(vmap(g, axes))(*args[:place], batch, *args[place + 1 :]), np.stack(wanted))


@ways
@pytest.mark.parametrize(
    "f",
    [
        lambda a, x: lax.while_loop(lambda c: c < a, lambda c: c * 1.5 + 0.1, x),
        lambda a, x: lax.cond(x < a, lambda x: np.sqrt(a - x), lambda x: np.log(1.0 + x - a), x),
    ],
)
def test_conditions_that_differ_in_two_batches(way, f):
    """In the outer one, the inner one, or both."""
    a, x = np.array([1.0, 3.0, 7.0]), np.array([0.5, 4.0])
    for g in (f, grad(f, 1), grad(grad(f, 1), 0)):
        wanted = np.array([[g(s, t) for t in x] for s in a])
        assert_allclose(way(vmap(vmap(g, (None, 0)), (0, None)))(a, x), wanted)
        assert_allclose(way(vmap(vmap(g, (0, None)), (None, 0)))(a, x), wanted.T)
        assert_allclose(way(vmap(vmap(g), (0, None)))(np.stack([a, a], axis=1), x), wanted)
        assert_allclose(way(vmap(vmap(g)))(np.stack([a, a], axis=1), np.stack([x, x, x])), wanted)


@ways
def test_derivatives_on_the_boundary_are_those_of_the_branch_that_runs(way):
    def f(x):
        return lax.cond(x > 0.0, lambda x: x**3, lambda x: x * x, x)

    assert way(grad(f))(0.0) == 0.0
    assert way(grad(grad(f)))(0.0) == 2.0
    assert way(grad(grad(grad(f))))(0.0) == 0.0
    assert_allclose(way(vmap(grad(grad(f))))(np.array([0.0, 1.0, -1.0])), np.array([2.0, 6.0, 2.0]))


@ways
def test_a_nan_in_the_carry_ends_the_loop_of_its_example_only(way):
    def f(x):
        return lax.while_loop(lambda c: c[0] < 10.0, lambda c: (c[0] * 2.0 + 1.0, c[1] + 1), (x, 0))

    xs = np.array([np.nan, 1.0, 20.0])
    values, steps = way(vmap(f))(xs)
    assert_allclose(values, np.array([np.nan, 15.0, 20.0]))
    assert steps.tolist() == [0, 3, 0]
    assert_allclose(way(vmap(grad(lambda x: f(x)[0])))(xs), np.array([1.0, 8.0, 1.0]))


# --- errors ---


@ways
def test_an_error_in_one_example(way):
    """It is raised if the example takes the step, and not if it has stopped before."""

    def f(a, n):
        return lax.fori_loop(0, n, lambda i, b: np.linalg.inv(b), a)

    matrices = np.stack([np.eye(2), np.ones((2, 2))])
    assert_allclose(way(vmap(f))(matrices, np.array([2, 0])), matrices)
    with says(np.linalg.LinAlgError, "ingular"):
        way(vmap(f))(matrices, np.array([2, 1]))


@ways
def test_an_index_out_of_range_in_one_example(way):
    table = np.arange(3.0)

    def read(k):
        return xform.numpy.at(table)[k].get()

    def f(k):
        return lax.cond(k < 3, read, lambda k: -1.0, k)

    assert_allclose(way(vmap(f))(np.array([1, 7, 2])), np.array([1.0, -1.0, 2.0]))
    with says(IndexError, "7"):
        way(vmap(read))(np.array([1, 7, 2]))


@pytest.mark.parametrize("transform", [grad, jacfwd, make_jaxpr, vmap])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_an_interrupted_loop_leaves_nothing_behind(transform, error):
    def body(c: Any) -> Any:
        raise error

    limit = sys.getrecursionlimit()
    with pytest.raises(error):
        transform(lambda x: lax.while_loop(lambda c: c < 3.0, body, x))(np.ones(2) if transform is vmap else 1.0)
    assert context.trace is EVAL
    assert not mode.structured
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "loop",
    [
        lambda numbers: lax.scan(lambda c, x: (c, x), 0.0, numbers),
        lambda numbers: lax.map(lambda x: x, numbers),
        lambda numbers: lax.scan(lambda c, x: (c, x), numbers, np.ones(3)),
        lambda numbers: lax.while_loop(lambda c: False, lambda c: c, numbers),
        lambda numbers: lax.fori_loop(0, 2, lambda i, c: c, numbers),
    ],
)
def test_a_generator_is_no_array(loop):
    with says(TypeError, "generator", "wanted an array"):
        loop(k for k in range(3))


def test_threads():
    """Loops are differentiated at once, also the same program."""

    def f(x):
        return lax.while_loop(lambda c: c[1] < 100, lambda c: (np.sin(c[0]) * 1.1, c[1] + 1), (x, 0))[0]

    program, limit, found = make_jaxpr(f)(1.0), sys.getrecursionlimit(), {}

    def work(k: int) -> None:
        def of_program(x: Any) -> Any:
            with structured():
                return program(x)[0]

        found[k] = [g(0.1 * k) for g in (grad(f), staged(grad(f)), grad(of_program), vmap_of_one(grad(f)))]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 7)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(1, 7):
        assert_allclose(np.array(found[k]), np.full(4, grad(f)(0.1 * k)))
    assert sys.getrecursionlimit() == limit


def vmap_of_one(f: Function) -> Function:
    return lambda x: vmap(f)(np.array([x]))[0]


# --- patterns ---


def test_the_pattern_of_a_loop_in_a_loop_that_is_differentiated():
    """What the inner loop keeps has an unknown number of rows."""

    def f(x: Any) -> Any:
        def inner(a):
            return lax.while_loop(lambda c: c[1] < 3, lambda c: (np.tanh(c[0]) * x[1], c[1] + 1), (a, 0))[0]

        return np.stack([grad(inner)(x[0]), x[2]])

    jaxpr, x = make_jaxpr(f)(np.array([0.3, 0.5, 0.7])), np.array([0.3, 0.5, 0.7])

    def whole(x: Any) -> Any:
        with structured():
            return jaxpr(x)[0]

    assert xform.sparsity_pattern(whole, x).tolist() == [[True, True, False], [False, False, True]]


# --- functions with rules ---


@pytest.mark.parametrize("kind", [xform.custom_jvp, xform.custom_vjp])
def test_a_branch_calls_a_function_with_rules_that_closes_over_a_value(kind):
    """In a batch the branch runs on its own examples, of which there are fewer: the function must see those."""

    def scaled(x: Any) -> Function:
        f = kind(lambda a: a * x)
        if kind is xform.custom_jvp:
            f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * x))
        else:
            f.defvjp(lambda a: (a * x, None), lambda _, bar: (bar * x,))
        return f

    def f(x: Any) -> Any:
        return lax.cond(x > 0.0, lambda: scaled(x)(x) + grad(scaled(x))(1.0), lambda: 0.0)

    xs = np.array([1.0, -2.0, 3.0])
    for way in (eager, staged):
        assert_allclose(way(vmap(f))(xs), [2.0, 0.0, 12.0])
        assert_allclose(way(vmap(vmap(f)))(xs[None]), [[2.0, 0.0, 12.0]])
