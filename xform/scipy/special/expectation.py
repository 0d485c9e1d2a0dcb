"""Derivatives of incomplete integrals in a parameter, as expectations.

The normalised weight of P = int_0^x f_a(t) dt / int_0^inf f_a(t) dt is e^L, so that

    d^n P / da^n = int_0^x B_n e^L dt,        B_n = e^{-L} d^n/da^n e^L,

where B_n is a polynomial in the derivatives of L (Faa di Bruno). It is P times the mean of B_n over the interval, a
quotient of two sums over the same nodes: the error of their weights cancels, and P is as accurate as SciPy has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

#: nodes s = exp(u - e^{-u}) on (0, inf), and weights: a double exponential rule for integrands that decay like e^{-s}
#: or faster (Takahasi and Mori 1974, Double exponential formulas for numerical integration)
_STEP = 1 / 20
_GRID = np.arange(-3.7, 4.7, _STEP)
NODES = np.exp(_GRID - np.exp(-_GRID))
WEIGHTS = _STEP * NODES * (1 + np.exp(-_GRID))
#: entries for which nodes are in memory at a time
BLOCK = 2048


def exponential_derivatives(i: int, j: int, log: Callable[[int, int], Any]) -> dict[tuple[int, int], Any]:
    """e^{-L} d^{p+q}/da^p db^q e^L for all p <= i, q <= j, from log(p, q), the derivatives of L, by Leibniz' rule:

    B_{p+1,q} = sum_{k,l} C(p,k) C(q,l) L_{k+1,l} B_{p-k,q-l}
    """
    b: dict[tuple[int, int], Any] = {(0, 0): 1.0}
    first = {(k, 0): log(k, 0) for k in range(1, i + 1)} | {
        (k, m): log(k, m) for k in range(i + 1) for m in range(1, j + 1)
    }
    for q in range(1, j + 1):
        b[0, q] = sum(math.comb(q - 1, m) * first[0, m + 1] * b[0, q - 1 - m] for m in range(q))
    for p in range(1, i + 1):
        for q in range(j + 1):
            b[p, q] = sum(
                math.comb(p - 1, k) * math.comb(q, m) * first[k + 1, m] * b[p - 1 - k, q - m]
                for k in range(p)
                for m in range(q + 1)
            )
    return b


def mean(values: Any, decay: np.ndarray) -> np.ndarray:
    """The mean of values at the nodes, in the last axis, with the weights e^{-decay}."""
    weights = WEIGHTS * np.exp(-decay)
    return (weights * values).sum(-1) / weights.sum(-1)


def in_blocks(rule: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """rule(*arrays) of flat arrays, some thousand entries at a time, for each of them has an axis of nodes."""
    parts = [rule(*(x[k : k + BLOCK] for x in arrays)) for k in range(0, max(len(arrays[0]), 1), BLOCK)]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]
