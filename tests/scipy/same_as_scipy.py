"""Does a function of xform.scipy do on tracers what SciPy's does on arrays, and are its derivatives right?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from tests.numeric import assert_close, eps_of
from xform import tree
from xform.testing import check_grads

rng = np.random.default_rng(11)


def normal(*shape: int, dtype: Any = float) -> np.ndarray:
    x = rng.normal(size=shape)
    x = x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x
    return np.asarray(x, dtype)


def regular(n: int, dtype: Any = float, *lead: int) -> np.ndarray:
    """Matrices near 3 I."""
    return np.asarray(normal(*lead, n, n, dtype=dtype) / n + 3 * np.eye(n), dtype)


def positive(n: int, dtype: Any = float) -> np.ndarray:
    """A Hermitian positive definite matrix."""
    a = regular(n, dtype)
    return a @ a.conj().T / 3


def close(actual: Any, wanted: Any, tolerance: float = 1e-11) -> None:
    """Equal trees of arrays of equal dtypes."""
    assert tree.structure(actual) == tree.structure(wanted)
    for a, w in zip(tree.leaves(actual), tree.leaves(wanted), strict=True):
        assert np.asarray(a).dtype == np.asarray(w).dtype
        assert_close(a, w, max(tolerance, 64 * eps_of(w)))


def check(
    f: Callable[..., Any], wanted: Callable[..., Any], *args: Any, order: int = 2, tolerance: float = 1e-11
) -> None:
    """f is SciPy's function under linearize, vmap and jit, and has derivatives of the order."""
    value = wanted(*args)
    close(xform.linearize(f, *args)[0], value, tolerance)
    close(xform.jit(f)(*args), value, tolerance)
    rows = xform.vmap(f)(*(np.stack([x, x]) for x in args))
    close(tree.map(lambda y: y[1], rows), value, tolerance)
    if order:
        check_grads(f, args, order=order)
