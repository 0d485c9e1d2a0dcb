"""Joined, shifted and padded arrays in C: read where their pieces lie, and right at every seam."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.compile.pipeline import c_missing

pytestmark = pytest.mark.skipif(c_missing() is not None, reason=str(c_missing()))

rng = np.random.default_rng(4)


def wave(u):
    for _ in range(3):
        u = u + 0.1 * (np.concatenate([u[1:], u[:1]]) - 2 * u + np.concatenate([u[-1:], u[:-1]]))
    return u


def diffusion(u):
    p = xnp.pad(u, [(1, 1)] + [(0, 0)] * (u.ndim - 1))
    return u + 0.1 * (p[2:] + p[:-2] - 2 * u)


def differences(u):
    return np.diff(u, axis=0) ** 2


def repeated(u):
    return np.concatenate([u, 2 * u, u[:5]]) + 1


def rolled(u):
    return np.roll(u, 3, axis=0) * np.roll(u, -2, axis=0)


def partly_whole(u):
    v = np.concatenate([u, 2 * u, u[::-1]])[1:-1]
    return v[2:6] * v[3:7] + np.sort(v[:4], axis=0)


def summed(u):
    return np.sum(np.sin(np.concatenate([u[:2], u[::-1]])))


PROGRAMS = [wave, diffusion, differences, repeated, rolled, partly_whole, summed]


@pytest.mark.parametrize("shape", [(9,), (20,), (1000,), (30, 40), (100, 3), (9, 4)], ids=str)
@pytest.mark.parametrize("f", PROGRAMS)
def test_values_and_gradients(f, shape):
    u = rng.normal(size=shape)
    for g in (f, xform.grad(lambda u: np.sum(np.sin(f(u)))), lambda u: xform.vmap(f)(np.stack([u, 2 * u]))):
        np.testing.assert_allclose(xform.jit(g, backend="c")(u), g(u), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("f", [wave, diffusion, repeated])
def test_nothing_is_copied(f):
    source = xform.jit(f, backend="c").source(rng.normal(size=1000))
    assert "memmove(" not in source.partition("int xform_program(void **in, void **out)\n{")[2]


def test_a_joined_array_that_is_also_a_result_is_put_together():
    def f(u):
        v = np.concatenate([u[5:], u[:5]])
        return v, v * u

    u = rng.normal(size=50)
    for actual, wanted in zip(xform.jit(f, backend="c")(u), f(u), strict=True):
        np.testing.assert_array_equal(actual, wanted)


def test_shifts_of_what_a_loop_carries():
    def f(u):
        def step(u, _):
            return np.concatenate([u[1:], u[:1]]) + 0.5 * u, u[0]

        return xform.lax.scan(step, u, None, length=7)

    u = rng.normal(size=40)
    for actual, wanted in zip(xform.jit(f, backend="c")(u), f(u), strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-13)
