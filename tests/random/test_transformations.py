"""Samplers under vmap, jit, make_jaxpr and scan: a batch of keys is, bit for bit, a loop over the keys."""

import numpy as np
import pytest

import xform
import xform.random as random
from tests.random.samplers import CONTINUOUS, DISCRETE, draw, title
from xform.ops.random.random_bits import random_bits

KEYS = random.split(random.key(31), 5)

#: samplers with other signatures
OTHERS = {
    "normal": lambda key: random.normal(key, (3,), complex),
    "bits": lambda key: random.bits(key, (7,), np.uint16),
    "gumbel": lambda key: random.gumbel(key, (4,), mode="high"),
    "uniform": lambda key: random.uniform(key, (4,), np.float32, -1.0, 2.0),
    "randint": lambda key: random.randint(key, (9,), -5, 1000),
    "rademacher": lambda key: random.rademacher(key, (9,)),
    "double_sided_maxwell": lambda key: random.double_sided_maxwell(key, 0.5, 2.0, (3,)),
    "dirichlet": lambda key: random.dirichlet(key, np.array([0.3, 1.0, 2.0]), (2,)),
    "multinomial": lambda key: random.multinomial(key, 40, np.array([0.2, 0.5, 0.3]), shape=(3,)),
    "multivariate_normal": lambda key: random.multivariate_normal(key, np.zeros(2), np.diag([1.0, 4.0]), (3,)),
    "orthogonal": lambda key: random.orthogonal(key, 3),
    "ball": lambda key: random.ball(key, 2, 2.0, (3,)),
    "categorical": lambda key: random.categorical(key, np.log([0.2, 0.5, 0.3]), shape=(9,)),
    "categorical, distinct": lambda key: random.categorical(key, np.zeros(5), shape=(3,), replace=False),
    "choice": lambda key: random.choice(key, 10, (6,)),
    "choice of an array": lambda key: random.choice(key, np.arange(10.0), (6,), p=np.arange(10.0) / 45),
    "choice, distinct": lambda key: random.choice(key, np.arange(8.0), (6,), replace=False),
    "permutation": lambda key: random.permutation(key, np.arange(6.0)),
    "permutation, independent": lambda key: random.permutation(
        key, np.ones((3, 1)) * np.arange(4), 1, independent=True
    ),
}

ALL = {
    **{title(case): (lambda key, case=case: draw(case[0], key, case[1], (3, 2))) for case in CONTINUOUS + DISCRETE},
    **OTHERS,
}

every = pytest.mark.parametrize("name", ALL)


@every
def test_a_batch_of_keys_is_a_loop(name):
    f = ALL[name]
    batch = xform.vmap(f)(KEYS)
    for row, key in zip(batch, KEYS, strict=True):
        np.testing.assert_array_equal(row, f(key))
        assert row.dtype == f(key).dtype


@every
def test_a_program_gives_the_same(name):
    """Staged, and run operation by operation: bit for bit; compiled: to the last places of libm."""
    f, key = ALL[name], KEYS[2]
    jaxpr = xform.make_jaxpr(f)(key)
    np.testing.assert_array_equal(jaxpr(key)[0], f(key))
    compiled = xform.jit(f, backend="numpy")(key)
    np.testing.assert_allclose(compiled, f(key), rtol=1e-5 if compiled.dtype == np.float32 else 1e-12, atol=1e-300)


COMPILED = ["normal()", "uniform", "bits", "gamma(7.5,)", "wald(0.5,)", "poisson(12.0,)", "randint", "categorical"]

in_c = pytest.mark.skipif("c" not in xform.backends(), reason="there is no C compiler")


@in_c
@pytest.mark.parametrize("name", [*COMPILED, "permutation"])
def test_compiled_as_c(name):
    f = ALL[name]
    np.testing.assert_allclose(xform.jit(f, backend="c")(KEYS[0]), f(KEYS[0]), rtol=1e-12)


@in_c
def test_streams_compiled_as_c():
    """Bit for bit: of one key and of many, in words and in parts of them, from any counter on."""
    last, keys = 2**64 - 1, random.split(random.key(1), 70)
    counters = np.array([[last, last, 5, 0], [last] * 4, [1, 2, 3, 4]], np.uint64)
    programs = [
        (lambda key: random.bits(key, (3, 5), np.uint16), keys[0]),
        (lambda key: random.split(key, 70), keys[0]),
        (xform.vmap(lambda key: random.bits(key, (7,), np.uint8)), keys),
        (xform.vmap(random.split), keys),
        (xform.vmap(lambda i: random.fold_in(keys[0], i)), np.arange(-3, 70)),
        (lambda k: random_bits(k, counters, shape=(13,), dtype=np.dtype(np.uint64)), keys[:3]),
    ]
    for f, argument in programs:
        np.testing.assert_array_equal(xform.jit(f, backend="c")(argument), f(argument))


@pytest.mark.parametrize(
    "name, values", [("gamma", [0.5, 3.0]), ("poisson", [0.5, 40.0]), ("t", [2.0, 9.0]), ("wald", [0.5, 3.0])]
)
def test_a_batch_of_parameters_is_a_loop(name, values):
    """One key with many parameters, and a key for each."""
    f, values = getattr(random, name), np.array(values)
    shared = xform.vmap(lambda v: f(KEYS[0], v, (4,)))(values)
    np.testing.assert_array_equal(shared, [f(KEYS[0], v, (4,)) for v in values])
    each = xform.vmap(lambda k, v: f(k, v, (4,)))(KEYS[:2], values)
    np.testing.assert_array_equal(each, [f(k, v, (4,)) for k, v in zip(KEYS[:2], values, strict=True)])


def test_many_keys():
    keys = random.split(random.key(0), 1000)
    x = xform.vmap(lambda key: random.gamma(key, 0.4))(keys)
    assert (x == [random.gamma(key, 0.4) for key in keys]).all()


def test_entries_do_not_depend_on_the_others():
    """What is proposed again for one entry leaves the other ones as they are."""
    key, a = random.key(3), np.linspace(0.5, 4.0, 40)
    x = random.gamma(key, a)
    changed = random.gamma(key, np.where(np.arange(40) % 2, a, 1.7))
    assert (x[1::2] == changed[1::2]).all()


def test_no_derivative_of_integers():
    grad = xform.grad(lambda lam: xform.numpy.sum(random.poisson(random.key(0), lam, (5,)) * lam))
    assert grad(3.0) == random.poisson(random.key(0), 3.0, (5,)).sum()


def test_derivatives_of_loops_with_keys():
    """A random walk: reverse mode through the scan, its checkpointed form and the compiled one is that of the sum."""

    def walk(scale, checkpoint=None):
        def step(carry, _):
            key, x = carry
            key, part = random.split(key)
            return (key, x + scale * random.normal(part) + random.gamma(part, scale)), None

        return xform.lax.scan(step, (random.key(3), 0.0), None, 12, checkpoint=checkpoint)[0][1]

    def unrolled(scale):
        key, x = random.key(3), 0.0
        for _ in range(12):
            key, part = random.split(key)
            x = x + scale * random.normal(part) + random.gamma(part, scale)
        return x

    wanted = xform.grad(unrolled)(1.5)
    assert xform.grad(walk)(1.5) == pytest.approx(wanted, rel=1e-13)
    assert xform.grad(lambda s: walk(s, 3))(1.5) == pytest.approx(wanted, rel=1e-13)
    assert xform.jit(xform.grad(walk))(1.5) == pytest.approx(wanted, rel=1e-12)
    assert xform.jit(xform.grad(xform.grad(walk)))(1.5) == pytest.approx(
        xform.grad(xform.grad(unrolled))(1.5), rel=1e-11
    )
    rows = xform.vmap(xform.grad(walk))(np.array([0.5, 1.5]))
    np.testing.assert_allclose(rows, [xform.grad(unrolled)(0.5), wanted], rtol=1e-13)


def test_loops_that_stop_at_random():
    """The first exit of a walk: each lane of a batch has a number of steps of its own."""

    def steps(key):
        def go_on(state):
            return abs(state[1]) < 2.0

        def step(state):
            key, part = random.split(state[0])
            return key, state[1] + random.normal(part), state[2] + 1

        return xform.lax.while_loop(go_on, step, (key, 0.0, 0))[2]

    wanted = [steps(key) for key in KEYS]
    assert len(set(wanted)) > 1
    assert xform.vmap(steps)(KEYS).tolist() == wanted
    assert [xform.jit(steps)(key) for key in KEYS] == wanted
    assert xform.jit(xform.vmap(steps))(KEYS).tolist() == wanted
