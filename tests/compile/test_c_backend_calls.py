"""Calls of programs compiled to C: arguments as they lie, errors, callbacks, memory, and what is not compiled."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.c_agreement import agrees, fails_alike, raised
from xform import grad, make_jaxpr, pure_callback, vmap
from xform.compile.c.backend import build
from xform.compile.executable import Unsupported
from xform.core.jaxpr import evaluate
from xform.lax import fori_loop, scan
from xform.numpy.entries import at

X = np.random.default_rng(4).normal(size=(6, 50))


def unaligned(x: np.ndarray) -> np.ndarray:
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:]
    y = memory.view(x.dtype).reshape(x.shape)
    y[...] = x
    assert not y.flags.aligned
    return y


def read_only(x: np.ndarray) -> np.ndarray:
    y = x.copy()
    y.flags.writeable = False
    return y


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Fortran order": np.asfortranarray,
    "every other entry": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "read only": read_only,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": unaligned,
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arguments_as_they_lie(layout, dtype):
    x = (X * 10).astype(dtype)
    y = LAYOUTS[layout](x)
    jaxpr = make_jaxpr(lambda a, b: (a * b[0] + a, np.sum(b, axis=1), a[:2]))(x, x)
    agrees(jaxpr, y, x)
    agrees(jaxpr, y, y)


def test_arrays_without_axes_and_numbers_for_numbers():
    jaxpr = make_jaxpr(lambda a, b: (a * b, a + 1))(np.float64(0.5), np.float32(2.0))
    program, wanted = build(jaxpr), evaluate(jaxpr, np.float64(0.5), np.float32(2.0))
    for a in (np.float64(0.5), np.array(0.5), np.array(0.5).astype(">f8"), np.array([0.5])[::1].reshape(())):
        for b in (np.float32(2.0), np.array(2.0, np.float32)):
            assert program(a, b) == wanted


def test_results_are_arrays_of_their_own():
    jaxpr = make_jaxpr(lambda x: (x, x, x[2:], np.sin(x), np.ones(300), np.transpose(x)))(X)
    program = build(jaxpr)
    first, second = program(X), program(X)
    arrays = [*first, *second, X]
    for k, a in enumerate(arrays):
        for b in arrays[k + 1 :]:
            assert not np.shares_memory(a, b)
    for a in first:
        assert a.flags.carray
        a[...] = 7.0
    np.testing.assert_array_equal(program(X)[4], np.ones(300))


# --- errors ---


def mentions(error: Exception, *words: str) -> None:
    assert all(word in str(error) for word in words), error


def read(x: Any, k: Any) -> Any:
    return at(x)[k].get()


ERRORS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "an entry": (read, (X[0], np.int64(50))),
    "a negative one": (read, (X[0], np.int64(-51))),
    "rows": (read, (X, np.array([0, 5, 6]))),
    "many entries": (read, (X[0], np.arange(300))),
    "in a loop": (lambda x, n: fori_loop(0, n, lambda i, c: c + read(x, i), 0.0), (X[0], np.int64(60))),
    "in a scan": (lambda x, k: scan(lambda c, i: (c + read(x, i), c), x[0], k), (X, np.array([1, 2, 7]))),
    "a write": (lambda x, k: at(x)[k].set(0.0), (X[0], np.int64(99))),
    "many writes": (lambda x, k: at(x)[k].add(1.0), (X, np.array([1, 2, 3, -7]))),
    "a gradient": (grad(lambda x, k: np.sum(read(x, k) ** 2)), (X, np.array([1, 6]))),
    "a batch": (vmap(read), (X, np.array([1, 2, 3, 4, 5, 50]))),
}


@pytest.mark.parametrize("name", ERRORS)
def test_indices_out_of_range(name):
    f, args = ERRORS[name]
    error = fails_alike(make_jaxpr(f)(*args), *args)
    assert isinstance(error, IndexError)
    mentions(error, "out of bounds", "size")


def test_a_program_works_again_after_an_error():
    jaxpr = make_jaxpr(read)(X, np.int64(0))
    program = build(jaxpr)
    for _ in range(3):
        assert isinstance(raised(lambda: program(X, np.int64(6))), IndexError)
        np.testing.assert_array_equal(program(X, np.int64(-1))[0], X[-1])


def test_linear_algebra_in_loops_and_its_errors():
    def solves(a, b):
        return scan(lambda c, t: (np.linalg.solve(a, c) * t, np.linalg.det(a) * c), b, np.arange(1.0, 4.0))

    a, b = X[:, :6], X[:, 7]
    jaxpr = make_jaxpr(solves)(a, b)
    agrees(jaxpr, a, b, ulps=2000)
    assert isinstance(fails_alike(jaxpr, np.zeros((6, 6)), b), np.linalg.LinAlgError)
    factor = make_jaxpr(lambda a: fori_loop(0, 2, lambda i, c: np.linalg.cholesky(c @ c.T), a))(a)
    agrees(factor, a, ulps=2000)
    assert isinstance(fails_alike(make_jaxpr(np.linalg.cholesky)(a), -np.eye(6)), np.linalg.LinAlgError)


class Refused(Exception):
    pass


def refuse_large(x: Any) -> Any:
    if np.sum(x) > 1000.0:
        raise Refused("too large")
    return np.asarray(x * 2.0)


def called(x: Any) -> Any:
    return pure_callback(refuse_large, xform.ShapeDtypeStruct(x.shape, x.dtype), x)


def test_callbacks_in_loops_and_their_exceptions():
    jaxpr = make_jaxpr(lambda x: fori_loop(0, 3, lambda i, c: called(c) + x, x))(X)
    agrees(jaxpr, X)
    error = fails_alike(jaxpr, X + 1.0)
    assert isinstance(error, Refused)
    mentions(error, "too large")
    in_while = make_jaxpr(lambda x: xform.lax.while_loop(lambda c: np.sum(c) < 1e4, called, x))(np.ones(3))
    assert isinstance(fails_alike(in_while, np.ones(3)), Refused)


def test_a_callback_may_call_the_same_program():
    """The arena is in use: the inner call takes memory of its own."""
    inner: list[Any] = []

    def again(x: Any) -> Any:
        return inner[0](x - 1.0)[0] if x[0] > 0.0 else x

    def f(x: Any) -> Any:
        y = np.cumsum(np.sin(x))
        z = pure_callback(again, xform.ShapeDtypeStruct(x.shape, x.dtype), x)
        return y + z * 2.0

    inner.append(build(make_jaxpr(f)(np.zeros(50))))

    def by_hand(x: np.ndarray) -> np.ndarray:
        return np.cumsum(np.sin(x)) + 2.0 * (by_hand(x - 1.0) if x[0] > 0.0 else x)

    x = np.linspace(2.5, 3.5, 50)
    np.testing.assert_allclose(inner[0](x)[0], by_hand(x), rtol=1e-12)


# --- memory ---


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of the process is not known")
def test_memory_does_not_grow():
    """10 000 calls: with results, with stacks of unknown length, failing inside loops, failing in a callback."""

    def f(x, n):
        c, ys = scan(lambda c, t: (np.sin(c) + t, c), x[0], x)
        z = xform.lax.while_loop(
            lambda c: c[1] < n, lambda c: (np.tanh(c[0]) + read(x, c[1])[:3], c[1] + 1), (c[:3], 0)
        )
        return np.sum(ys), z[0], called(x)

    g = grad(lambda x, n: np.sum(fori_loop(0, n, lambda i, c: np.sin(c) * read(x, i), x[0])))
    args = X, np.int64(4)
    programs = [build(make_jaxpr(h)(*args)) for h in (f, g)]

    def calls(count: int) -> None:
        for k in range(count):
            for program in programs:
                program(*args)
                raised(lambda p=program: p(X, np.int64(7)))
            if k % 10 == 0:
                raised(lambda: programs[0](X + 1000.0, np.int64(4)))

    calls(300)
    before = resident()
    calls(2500)
    assert resident() - before < 3e6


# --- what is not compiled ---


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "clongdouble"])
def test_other_dtypes_are_not_supported(dtype):
    if np.dtype(dtype) in (np.dtype(np.float64), np.dtype(np.complex128)):
        pytest.skip("long double is double here")
    x = X.astype(dtype)
    programs = [
        make_jaxpr(lambda x: x * 2)(x),
        make_jaxpr(lambda x: x)(x),
        make_jaxpr(lambda x: np.sum(x.astype(dtype) * x.astype(dtype)).real.astype(float))(X),
        make_jaxpr(lambda y: np.sum(y * x).real.astype(float))(X),
        make_jaxpr(lambda y: y[0, 0].astype(dtype).real.astype(float))(X),
    ]
    for program in programs:
        error = raised(lambda p=program: build(p))
        assert isinstance(error, Unsupported)
        mentions(error, "dtype", "not compiled to C")
