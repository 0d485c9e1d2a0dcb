"""Programs in the spirit of JAX's documentation of control flow: what is valid there is valid here, with its values.

Each program takes the package, `xform` as it might be `jax`, and nothing of it but names that both have. Its value is
asserted eagerly, where loops are Python's, and as a program that is written down first and run afterwards.
"""

from __future__ import annotations

import dataclasses
import math
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import xform
from xform.core.check import check as check_jaxpr

PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], Any]] = {}


def program(*args: Any, gives: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorated function, called with the package and these arguments, has this value."""

    def add(f: Callable[..., Any]) -> Callable[..., Any]:
        assert f.__name__ not in PROGRAMS
        PROGRAMS[f.__name__] = f, args, gives
        return f

    return add


def agree(given: Any, wanted: Any) -> None:
    given, wanted = xform.tree.leaves(given), xform.tree.leaves(wanted)
    for a, b in zip(given, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype.kind == np.asarray(b).dtype.kind


# --- cond ---


@program(3.0, gives=9.0)
def cond_of_a_comparison(api, x):
    return api.lax.cond(x > 0, lambda x: x * x, lambda x: -x, x)


@program(-3.0, gives=3.0)
def cond_the_other_way(api, x):
    return api.lax.cond(x > 0, lambda x: x * x, lambda x: -x, x)


@program(2.0, gives=5.0)
def cond_of_functions_without_operands(api, x):
    return api.lax.cond(True, lambda: x + 3.0, lambda: x - 3.0)


@program(2.0, gives=6.0)
def cond_with_operand_by_keyword(api, x):
    return api.lax.cond(x < 3, lambda x: 3 * x, lambda x: x, operand=x)


@program(2.0, gives=2.0)
def cond_with_operand_none(api, x):
    return api.lax.cond(x > 3, lambda _: 3 * x, lambda _: x, operand=None)


@program(np.array([1.0, 2.0]), gives=(np.array([2.0, 4.0]), 3.0))
def cond_of_several_operands(api, x):
    return api.lax.cond(api.numpy.all(x > 0), lambda a, b: (a + b, a.sum()), lambda a, b: (a - b, b.sum()), x, x)


@program(1.5, gives={"sin": math.sin(1.5), "none": None, "pair": (1.5, [2.0])})
def cond_of_trees(api, x):
    def yes(x):
        return {"sin": api.numpy.sin(x), "none": None, "pair": (x, [2.0])}

    def no(x):
        return {"sin": api.numpy.cos(x), "none": None, "pair": (-x, [3.0])}

    return api.lax.cond(x > 1, yes, no, x)


@program(np.array([0, 1, 2, 3]), gives=True)
def cond_that_returns_a_boolean(api, x):
    return api.lax.cond(x.sum() == 6, lambda: x[0] == 0, lambda: x[1] == 0)


@program(4, gives=1)
def cond_of_a_number_as_predicate(api, n):
    return api.lax.cond(n, lambda: 1, lambda: 0)


@program(np.array([True, False]), gives=(1.0, 2.0))
def cond_of_an_entry_of_a_boolean_array(api, flags):
    return api.lax.cond(flags[0], lambda: 1.0, lambda: 2.0), api.lax.cond(flags[1], lambda: 1.0, lambda: 2.0)


@program(np.float64(2.0), gives=(4.0, 2.0))
def cond_in_cond(api, x):
    def inner(x):
        return api.lax.cond(x > 1, lambda x: (x * x, x), lambda x: (x, x), x)

    return api.lax.cond(x > 0, inner, lambda x: (-x, x), x)


@program(np.array([-1.0, 2.0]), gives=np.array([-1.0, 4.0]))
def vmap_of_cond(api, x):
    return api.vmap(lambda x: api.lax.cond(x > 0, lambda x: 2 * x, lambda x: x, x))(x)


@program(2.0, gives=(4.0, 12.0))
def derivatives_of_cond(api, x):
    def f(x):
        return api.lax.cond(x > 0, lambda x: x**3, lambda x: -x, x)

    return api.grad(f)(x) / 3.0, api.grad(api.grad(f))(x)


# --- switch ---


@program(3.0, gives=9.0)
def cond_of_an_operand_for_each_branch(api, x):
    return api.lax.cond(x > 0, x, lambda x: x * x, 1.0, lambda y: -y)


@program(2, gives=math.exp(0.5))
def switch_of_three(api, k):
    return api.lax.switch(k, [api.numpy.sin, api.numpy.cos, api.numpy.exp], 0.5)


@program(7, gives=(3, 1))
def switch_clamps(api, k):
    branches = [lambda: 1, lambda: 2, lambda: 3]
    return api.lax.switch(k, branches), api.lax.switch(-k, branches)


@program(3, gives=4.0)
def switch_of_one_branch(api, k):
    return api.lax.switch(k, [lambda x, y: x + y], 1.0, 3.0)


@program(1, gives=-2.0)
def switch_with_operand_by_keyword(api, k):
    return api.lax.switch(k, (lambda x: x, lambda x: -x), operand=2.0)


@program(np.uint8(1), gives=20)
def switch_of_a_small_index(api, k):
    return api.lax.switch(k, (lambda: 10, lambda: 20))


@program(np.arange(4), gives=np.array([1.0, 2.0, 4.0, 4.0]))
def vmap_of_switch(api, ks):
    branches = [lambda x: x, lambda x: 2 * x, lambda x: x * 4]
    return api.vmap(lambda k: api.lax.switch(k, branches, 1.0))(ks)


# --- while_loop ---


@program(10, gives=1024)
def while_that_counts(api, n):
    return api.lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 2), (0, 1))[1]


@program((1071, 462), gives=21)
def euclid(api, pair):
    return api.lax.while_loop(lambda c: c[1] != 0, lambda c: (c[1], c[0] % c[1]), pair)[0]


@program(27, gives=111)
def collatz(api, n):
    def step(c):
        n, count = c
        return api.numpy.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

    return api.lax.while_loop(lambda c: c[0] > 1, step, (n, 0))[1]


@program(5.0, gives=5.0)
def while_that_never_runs(api, x):
    return api.lax.while_loop(lambda x: x < 0, lambda x: x + 1, x)


@program((), gives=())
def while_of_nothing(api, nothing):
    return api.lax.while_loop(lambda c: False, lambda c: c, nothing)


@program(2.0, gives=(math.sqrt(2.0), None, {"steps": 5}))
def while_with_none_and_a_dict(api, a):
    def step(c):
        x, nothing, counts = c
        return 0.5 * (x + a / x), nothing, {"steps": counts["steps"] + 1}

    return api.lax.while_loop(lambda c: abs(c[0] ** 2 - a) > 1e-12, step, (1.0, None, {"steps": 0}))


@program(1.0, gives=0.7390851332151607)
def fixed_point_of_cosine(api, x):
    start = (api.numpy.asarray(x), api.numpy.asarray(0.0))

    def far(c):
        return api.numpy.abs(c[0] - c[1]) > 1e-14

    return api.lax.while_loop(far, lambda c: (api.numpy.cos(c[0]), c[0]), start)[0]


@program(np.array([1, 5, 3]), gives=np.array([2, 32, 8]))
def vmap_of_while(api, ns):
    def power(n):
        return api.lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 2), (0, 1))[1]

    return api.vmap(power)(ns)


@program(3.0, gives=(24.0, 8.0))
def jvp_of_while(api, x):
    def f(x):
        return api.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, x))[1]

    return api.jvp(f, (x,), (1.0,))


@program(np.arange(6.0).reshape(2, 3), gives=15.0)
def while_in_while(api, A):
    A = api.numpy.asarray(A)

    def row(c):
        i, total = c
        inner = api.lax.while_loop(lambda d: d[0] < 3, lambda d: (d[0] + 1, d[1] + A[i, d[0]]), (0, total))
        return i + 1, inner[1]

    return api.lax.while_loop(lambda c: c[0] < 2, row, (0, 0.0))[1]


# --- fori_loop ---


@program(5, gives=120)
def factorial(api, n):
    return api.lax.fori_loop(1, n + 1, lambda i, p: p * i, 1)


@program(np.arange(5.0), gives=10.0)
def fori_over_an_array(api, x):
    x = api.numpy.asarray(x)
    return api.lax.fori_loop(0, x.shape[0], lambda i, total: total + x[i], 0.0)


@program(np.zeros(4), gives=np.array([0.0, 1.0, 4.0, 9.0]))
def fori_that_writes(api, x):
    x = api.numpy.asarray(x)
    return api.lax.fori_loop(0, 4, lambda i, x: api.numpy.where(api.numpy.arange(4) == i, i * i, x), x)


@program(3, gives=7.0)
def fori_backwards_is_empty(api, n):
    return api.lax.fori_loop(n, 1, lambda i, x: x + 1, 7.0)


@program(2.0, gives=(32.0, 80.0))
def fori_unrolled_and_its_derivative(api, x):
    def f(x):
        return api.lax.fori_loop(0, 5, lambda i, y: y * x, 1.0, unroll=True)

    return f(x), api.grad(f)(x)


@program(-2, gives=-5.0)
def fori_from_a_negative(api, n):
    return api.lax.fori_loop(n, 3, lambda i, total: total - i, -5.0)


@program(6, gives=(13, 21))
def fibonacci(api, n):
    return api.lax.fori_loop(0, n, lambda _, pair: (pair[1], pair[0] + pair[1]), (1, 1))


@program(np.int32(4), gives=np.int32(6))
def fori_between_small_integers(api, n):
    return api.lax.fori_loop(np.int32(0), n, lambda i, total: total + i, np.int32(0))


@program(np.int32(4), gives=np.int32(6))
def fori_from_a_number_to_a_small_integer(api, n):
    return api.lax.fori_loop(0, n, lambda i, total: total + i.astype(np.int32), np.int32(0))


# --- scan ---


@program(np.array([1.0, 2.0, 3.0]), gives=(6.0, np.array([1.0, 3.0, 6.0])))
def running_sum(api, xs):
    return api.lax.scan(lambda c, x: (c + x, c + x), 0.0, xs)


@program(np.array([1.0, 2.0, 3.0]), gives=(6.0, np.array([6.0, 5.0, 3.0])))
def running_sum_reversed(api, xs):
    return api.lax.scan(lambda c, x: (c + x, c + x), 0.0, xs, reverse=True)


@program(np.array([1, 2, 3]), gives=(6.5, None))
def scan_of_a_weak_carry_that_becomes_a_float(api, xs):
    return api.lax.scan(lambda c, x: (c + x * 1.0, None), 0.5, xs)


@program(np.array([1, 2, 3]), gives=6)
def scan_of_a_weak_integer_carry(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0, xs)[0]


@program(np.array([1.0 + 1j, 2.0]), gives=3.0 + 1j)
def scan_of_a_weak_carry_that_becomes_complex(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0.0, xs)[0]


@program(np.array([1.5, 2.5]), gives=4.0)
def scan_of_a_zero_that_becomes_a_float(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0, xs)[0]


@program(np.ones(3, np.float32), gives=3.0)
def scan_of_a_zero_in_float32(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0.0, xs)[0]


@program({"a": np.array([1.0, 2.0]), "b": (np.ones((2, 3)), None)}, gives=(9.0, np.array([4.0, 5.0])))
def scan_over_a_dict(api, xs):
    def step(c, x):
        y = x["a"] + api.numpy.sum(x["b"][0])
        return c + y, y

    return api.lax.scan(step, 0.0, xs)


@program(0.25, gives=(0.75, (None, np.array([0.25, 0.75]))))
def scan_without_xs(api, x):
    return api.lax.scan(lambda c, _: (4 * c * (1 - c), (None, c)), x, length=2)


@program(np.arange(3.0), gives=3.0)
def scan_with_length_and_xs(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0.0, xs, length=3)[0]


@program(np.arange(3.0), gives=(None, np.array([0.0, 1.0, 4.0])))
def scan_of_carry_none(api, xs):
    return api.lax.scan(lambda c, x: (None, x * x), None, xs)


@program(np.arange(3.0), gives=((), np.array([0.0, 1.0, 4.0])))
def scan_of_carry_empty(api, xs):
    return api.lax.scan(lambda c, x: ((), x * x), (), xs)


@program(np.zeros((0, 2)), gives=(1.0, np.zeros((0, 2))))
def scan_of_no_steps(api, xs):
    return api.lax.scan(lambda c, x: (c, 2 * x), 1.0, xs)


@program(np.arange(4.0), gives=6.0)
def scan_unrolled_by_two(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0.0, xs, unroll=2)[0]


@program(np.arange(4.0), gives=6.0)
def scan_unrolled_entirely(api, xs):
    return api.lax.scan(lambda c, x: (c + x, None), 0.0, xs, unroll=True)[0]


@program(np.arange(4.0), gives=np.array([0.0, 2.0, 4.0, 6.0]))
def scan_with_split_transpose(api, xs):
    def f(xs):
        return api.lax.scan(lambda c, x: (c + x * x, None), 0.0, xs, _split_transpose=True)[0]

    return api.grad(f)(xs)


@program(np.arange(3.0), gives=(3.0, [np.arange(3.0), np.array([True, False, False])]))
def scan_that_returns_a_list_and_booleans(api, xs):
    return api.lax.scan(lambda c, x: [c + x, [x, x == 0]], 0.0, xs)


State = namedtuple("State", ["position", "velocity"])


@program(State(0.0, 1.0), gives=(State(0.75, 0.25), np.array([0.5, 0.75])))
def scan_of_a_named_tuple(api, state):
    def step(s, _):
        after = State(s.position + 0.5 * s.velocity, 0.5 * s.velocity)
        return after, after.position

    return api.lax.scan(step, state, length=2)


@dataclasses.dataclass
class Particle:
    x: Any
    v: Any


xform.tree_util.register_dataclass(Particle, data_fields=["x", "v"], meta_fields=[])


@program(1.0, gives=(3.0, 1.0))
def fori_of_a_dataclass(api, v):
    end = api.lax.fori_loop(0, 3, lambda _, p: Particle(p.x + p.v, p.v), Particle(0.0, v))
    return end.x, end.v


@program(np.array([[1.0, 2.0], [3.0, 4.0]]), gives=(np.array([1.0, 3.0]), 10.0))
def scan_in_scan(api, A):
    def outer(c, row):
        inner, _ = api.lax.scan(lambda c, x: (c + x, None), c, row)
        return inner, row[0]

    total, firsts = api.lax.scan(outer, 0.0, A)
    return firsts, total


@program(np.arange(1.0, 4.0), gives=np.array([6.0, 3.0, 2.0]))
def gradient_of_a_product_by_scan(api, xs):
    return api.grad(lambda xs: api.lax.scan(lambda c, x: (c * x, None), 1.0, xs)[0])(xs)


@program(np.arange(6.0).reshape(3, 2), gives=np.array([1.0, 5.0, 9.0]))
def vmap_of_scan(api, A):
    return api.vmap(lambda row: api.lax.scan(lambda c, x: (c + x, None), 0.0, row)[0])(A)


@program(np.array([0.1, 0.2, 0.3]), gives=np.array([0.2, 0.4, 0.6]))
def scan_of_a_bound_method_and_partial(api, xs):
    return api.lax.scan(partial(lambda scale, c, x: (c, scale * x), 2.0), 0.0, xs)[1]


@program((np.eye(2), np.ones(2)), gives=np.array([8.0, 8.0]))
def recurrent_network_without_activation(api, params):
    W, h = params
    return api.lax.scan(lambda h, _: (2 * (W @ h), None), h, None, length=3)[0]


# --- map ---


@program(np.array([1.0, 4.0, 9.0]), gives=np.array([1.0, 2.0, 3.0]))
def map_of_sqrt(api, xs):
    return api.lax.map(api.numpy.sqrt, xs)


@program((np.arange(3.0), np.ones((3, 2))), gives={"s": np.array([2.0, 3.0, 4.0]), "n": None})
def map_of_trees(api, xs):
    return api.lax.map(lambda x: {"s": x[0] + x[1].sum(), "n": None}, xs)


@program(np.arange(5.0), gives=np.arange(5.0) ** 2)
def map_in_batches(api, xs):
    return api.lax.map(lambda x: x * x, xs, batch_size=2)


@program(np.arange(2.0), gives=np.arange(2.0) ** 2)
def map_in_a_batch_that_is_too_large(api, xs):
    return api.lax.map(lambda x: x * x, xs, batch_size=7)


# --- checkpoint, associative_scan, select ---


@program(2.0, gives=math.cos(math.sin(2.0)) * math.cos(2.0))
def checkpoint_of_a_composition(api, x):
    g = api.checkpoint(lambda x: api.numpy.sin(api.numpy.sin(x)))
    return api.grad(g)(x)


@program(2.0, gives=12.0)
def checkpoint_as_a_decorator_with_options(api, x):
    @partial(api.checkpoint, policy=api.checkpoint_policies.dots_saveable, prevent_cse=False)
    def cube(x):
        return x * x * x

    return api.grad(cube)(x)


@program(np.arange(3.0), gives=np.array([0.0, 2.0, 4.0]))
def map_of_a_gradient(api, xs):
    return api.lax.map(api.grad(lambda x: x * x), xs)


@program(np.array([2.0, 3.0]), gives=np.array([[4.0, 8.0], [9.0, 27.0]]))
def map_that_returns_arrays(api, xs):
    return api.lax.map(lambda x: api.numpy.stack([x * x, x**3]), xs)


@program(2.0, gives=np.array([[2.0, 4.0, 8.0], [3.0, 9.0, 27.0]]))
def scan_under_vmap_with_its_length(api, x):
    def powers(x):
        return api.lax.scan(lambda c, _: (c * x, c * x), 1.0, None, length=3)[1]

    return api.vmap(powers)(api.numpy.stack([x, x + 1.0]))


@program(4.0, gives=(2.0, 0.25))
def newton_differentiated_forward(api, a):
    def root(a):
        return api.lax.while_loop(lambda x: api.numpy.abs(x * x - a) > 1e-12, lambda x: 0.5 * (x + a / x), a)

    return api.jvp(root, (a,), (1.0,))


@program(np.array([3.0, 1.0, 2.0]), gives=np.array([1.0, 2.0, 3.0]))
def bubble_sort(api, x):
    places, n = np.arange(3), 3

    def swap(i, x):
        low, high = api.numpy.minimum(x[i], x[i + 1]), api.numpy.maximum(x[i], x[i + 1])
        return api.numpy.where(places == i, low, api.numpy.where(places == i + 1, high, x))

    return api.lax.fori_loop(0, n, lambda _, x: api.lax.fori_loop(0, n - 1, swap, x), api.numpy.asarray(x))


@program(3.0, gives=6.0)
def checkpoint_with_a_static_argument(api, x):
    f = api.checkpoint(lambda x, n: x**n if n > 1 else x, static_argnums=(1,))
    return api.grad(f)(x, 2)


@program(np.arange(3.0), gives=np.array([0.0, 2.0, 4.0]))
def checkpoint_in_scan(api, xs):
    step = api.remat(lambda c, x: (c + x * x, None))
    return api.grad(lambda xs: api.lax.scan(step, 0.0, xs)[0])(xs)


@program(np.arange(5.0), gives=np.array([0.0, 1.0, 3.0, 6.0, 10.0]))
def associative_scan_of_add(api, xs):
    return api.lax.associative_scan(api.numpy.add, xs)


@program(np.array([-1.0, 2.0]), gives=np.array([0.0, 2.0]))
def select_of_arrays(api, x):
    return api.lax.select(x > 0, x, api.numpy.zeros(2))


# --- every one of them, eagerly and written down ---


@pytest.mark.parametrize("name", PROGRAMS)
def test_eagerly(name: str) -> None:
    f, args, gives = PROGRAMS[name]
    agree(f(xform, *args), gives)


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_a_program(name: str) -> None:
    f, args, gives = PROGRAMS[name]
    jaxpr, shape = xform.make_jaxpr(lambda *args: f(xform, *args), return_shape=True)(*args)
    outs = jaxpr(*xform.tree.leaves(args))
    check_jaxpr(jaxpr)
    agree(xform.tree.unflatten(xform.tree.structure(shape), outs), gives)
