"""Difference quotients, their steps, and the matrices that they are the columns of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import float0, is_inexact
from xform.finite_differences.values import Values

#: scheme -> (multiples of the step at which it evaluates, power p of its error h^p)
SCHEMES = {"forward": ((1, 0), 1), "backward": ((0, -1), 1), "central": ((1, -1), 2)}

#: derivatives of all results in entry i of leaf k, called as column(k, i)
Column = Callable[[int, int], list[np.ndarray]]


def best_step(dtype: Any = np.float64, scheme: str = "central", order: int = 1) -> float:
    """The step eps^(1/(p + order)) at which the error h^p of a scheme is as large as the rounding error eps / h^order.

    It is for numbers of size one, in precision `dtype`; p is 1 for one-sided differences and 2 for central ones, and
    `order` is that of the derivative. Raises ValueError for an unknown scheme.

    >>> print(f"{best_step():.4g} {best_step(np.float32, 'forward'):.4g}")
    6.055e-06 0.0003453
    """
    if scheme not in SCHEMES:
        raise ValueError(f"finite differences know the schemes {', '.join(SCHEMES)}, not {scheme!r}")
    return float(np.finfo(dtype).eps) ** (1 / (SCHEMES[scheme][1] + order))


def check_step(origin: str, step: float | None) -> None:
    if step is not None and not (np.ndim(step) == 0 and np.isfinite(step) and step > 0):
        raise ValueError(f"{origin}: step must be a positive number or None (the best one), not {step!r}")


def base_step(values: Values, moved: Sequence[np.ndarray], scheme: str, step: float | None, order: int) -> float:
    """The best step for numbers of size one, by the coarsest dtype of what is moved and looked at."""
    check_step(values.origin, step)
    sizes = [best_step(a.dtype, scheme, order) for a in (*moved, *values.ys) if is_inexact(a.dtype)]
    return max(sizes, default=best_step(np.float64, scheme, order))


def differences(values: Values, scheme: str, step: float | None, holomorphic: bool, order: int = 1) -> Column:
    """The columns as difference quotients: d/da of a real entry a, d/da - i d/db of a complex one a + ib."""
    bases = [base_step(values, [x], scheme, step, order) for x in values.xs]

    def column(k: int, i: int) -> list[np.ndarray]:
        x = values.xs[k].flat[i]
        h = bases[k] * max(1.0, float(abs(x))) if step is None else float(step)
        d_real = quotient(values, scheme, k, i, h, 1)
        if holomorphic or x.dtype.kind != "c":
            return d_real
        d_imag = quotient(values, scheme, k, i, h, 1j)
        return [a - 1j * b for a, b in zip(d_real, d_imag, strict=True)]

    return column


def quotient(values: Values, scheme: str, k: int, i: int, h: float, unit: complex) -> list[np.ndarray]:
    """The difference quotient in the real (unit 1) or imaginary part (1j) of entry i of leaf k."""
    entries, results = [], []
    for multiple in SCHEMES[scheme][0]:
        x = values.xs[k].copy()
        if multiple:
            x.flat[i] += x.dtype.type(multiple * h * unit)
        entries.append(x.flat[i])
        results.append(values([*values.xs[:k], x, *values.xs[k + 1 :]]) if multiple else values.ys)
    step_taken = entries[0] - entries[1]
    width = step_taken.real if unit == 1 else step_taken.imag
    if not width:
        raise ValueError(
            f"{values.origin}: the step {h:.3g} vanishes against {values.xs[k].flat[i]}, entry {i} of "
            f"{values.names()[k]}; wanted a larger one (None chooses the best)"
        )
    return [slope(hi, lo, width) for hi, lo in zip(*results, strict=True)]


def along(
    values: Values, directions: Sequence[Any], scheme: str, step: float | None
) -> tuple[list[np.ndarray], list[float]]:
    """The difference quotients of all results in a direction (None: zero), and bounds of their rounding errors."""
    pairs = [(x, v) for x, v in zip(values.xs, directions, strict=True) if v is not None and v.any()]
    h = base_step(values, [x for x, _ in pairs], scheme, step, 1)
    # No entry is moved further than the step that is best for it alone.
    h *= float(min([np.min(np.maximum(1.0, np.abs(x))[v != 0] / np.abs(v[v != 0])) for x, v in pairs], default=1.0))
    h = h if step is None else float(step)
    multiples = SCHEMES[scheme][0]
    hi, lo = (values(shifted(values.xs, directions, m * h)) if m else values.ys for m in multiples)
    width = (multiples[0] - multiples[1]) * h
    noise = [rounding(values, a, b) / width for a, b in zip(hi, lo, strict=True)]
    return [slope(a, b, width) for a, b in zip(hi, lo, strict=True)], noise


def shifted(xs: Sequence[np.ndarray], directions: Sequence[Any], h: float) -> list[np.ndarray]:
    return [x if v is None else np.asarray(x + h * v, x.dtype) for x, v in zip(xs, directions, strict=True)]


def slope(hi: np.ndarray, lo: np.ndarray, width: Any) -> np.ndarray:
    """(hi - lo) / width; of an integer result, float0."""
    if not is_inexact(hi.dtype):
        return np.zeros(hi.shape, float0)
    return np.asarray((hi - lo) / np.real(hi).dtype.type(width))


def rounding(values: Values, hi: np.ndarray, lo: np.ndarray) -> float:
    """How wrong hi - lo is when both are right to a few units in the last place of the largest entry."""
    if not (is_inexact(hi.dtype) and hi.size):
        return 0.0
    eps = max(float(np.finfo(a.dtype).eps) for a in (*values.xs, hi) if is_inexact(a.dtype))
    return 4 * eps * float(max(np.abs(hi).max(), np.abs(lo).max()))


def blocks(values: Values, column: Column) -> list[list[np.ndarray]]:
    """dy/dx of shape y.shape + x.shape for each result y (outer) and leaf x (inner), from its columns."""
    rows: list[list[np.ndarray]] = [[] for _ in values.ys]
    for k, x in enumerate(values.xs):
        columns = [column(k, i) for i in range(x.size)]
        for j, y in enumerate(values.ys):
            block = np.stack([c[j] for c in columns], axis=-1) if columns else np.zeros((*y.shape, 0), y.dtype)
            rows[j].append(block.reshape((*y.shape, *x.shape)))
    return rows


def symmetrized(rows: Sequence[Sequence[np.ndarray]], xs: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """(H + H^T)/2 for a matrix in blocks H_ij of shape x_i.shape + x_j.shape."""

    def flipped(i: int, j: int) -> np.ndarray:
        return rows[j][i].reshape(xs[j].size, xs[i].size).T.reshape((*xs[i].shape, *xs[j].shape))

    return [[(block + flipped(i, j)) / 2 for j, block in enumerate(row)] for i, row in enumerate(rows)]
