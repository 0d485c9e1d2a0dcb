"""Numbers for tests: tolerances by dtype, random directions, finite differences of fourth order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import aval_of, float0

EPS = {np.dtype(t): float(np.finfo(t).eps) for t in (np.float16, np.float32, np.float64, np.complex64, np.complex128)}


def eps_of(*values: Any) -> float:
    """The coarsest precision among the inexact values."""
    return max((EPS.get(np.asarray(x).dtype, 0.0) for x in values), default=0.0) or EPS[np.dtype(float)]


def assert_close(actual: Any, wanted: Any, tolerance: float) -> None:
    """Equal shapes, and entries that differ by at most `tolerance` times the largest finite entry (or one)."""
    actual, wanted = np.asarray(actual), np.asarray(wanted)
    assert actual.shape == wanted.shape
    if actual.dtype.kind not in "fc" or wanted.dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, wanted)
        return
    finite = np.abs(wanted[np.isfinite(wanted)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance * scale)


def assert_same(actual: Any, wanted: Any, tolerance: float) -> None:
    """`assert_close`, and the same dtype."""
    assert aval_of(actual) == aval_of(wanted)
    assert_close(actual, wanted, tolerance)


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """A random direction: a tangent or cotangent of the value `x`, float0 for integers."""
    shape, dtype = np.shape(x), np.asarray(x).dtype
    if dtype.kind not in "fc":
        return np.zeros(shape, float0)
    v = rng.normal(size=shape)
    if dtype.kind == "c":
        v = v + 1j * rng.normal(size=shape)
    return np.asarray(v, dtype)[()]


def wide(x: Any) -> Any:
    """`x` in double precision."""
    dtype = np.asarray(x).dtype
    if isinstance(x, np.ndarray | np.generic) and dtype.kind in "fc":
        return x.astype(np.complex128 if dtype.kind == "c" else np.float64)
    return x


def directional(f: Callable[..., Sequence[Any]], xs: Sequence[Any], vs: Sequence[Any]) -> list[Any]:
    """d/dt f(x + t v) at 0 for each result of `f`: central differences, extrapolated to an error of O(h^4)."""
    xs, vs = [wide(x) for x in xs], [wide(v) for v in vs]
    h = 0.5 * eps_of(*f(*xs)) ** 0.2

    def central(step: float) -> list[Any]:
        above = f(*(x + step * v for x, v in zip(xs, vs, strict=True)))
        below = f(*(x - step * v for x, v in zip(xs, vs, strict=True)))
        return [
            np.subtract(a, b, dtype=np.result_type(a, b, float)) / (2 * step) for a, b in zip(above, below, strict=True)
        ]

    return [(4 * fine - coarse) / 3 for fine, coarse in zip(central(h / 2), central(h), strict=True)]


def difference(a: Any, b: Any) -> Any:
    return np.subtract(a, b, dtype=np.result_type(a, b, float))


def largest(*values: Any) -> float:
    """The absolute value of the largest entry, at least one."""
    return max([1.0, *(float(np.abs(x).max(initial=0.0)) for x in values if np.asarray(x).dtype != float0)])


def pairing(cotangents: Sequence[Any], tangents: Sequence[Any]) -> float:
    """<z_bar, z_dot>: for complex numbers the real part of the sum of products, without conjugation."""
    return sum(
        float(np.sum(np.asarray(a) * np.asarray(b)).real)
        for a, b in zip(cotangents, tangents, strict=True)
        if np.asarray(b).dtype != float0
    )
