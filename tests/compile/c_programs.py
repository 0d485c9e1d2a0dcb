"""Small programs in which arrays of all sizes are moved, joined, multiplied, read and written at indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.numpy.entries import at

_rng = np.random.default_rng(5)


def normal(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape)


A, B, ROWS, V, LONG = normal(4, 5), normal(5, 3), normal(40, 3), normal(5), normal(700)
TENSOR, BIG = normal(3, 4, 5), normal(30, 40)
PLACES = np.array([2, 0, 2, 1])
TABLE = normal(20, 20)  # too large to be written into the text

PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    # reductions
    "means": (lambda x: (np.mean(x), np.mean(x, axis=0), np.var(x, axis=1)), (A,)),
    "sums of rows": (lambda x: np.sum(np.exp(x) * x, axis=1), (ROWS,)),
    "sums of columns": (lambda x: np.sum(np.exp(x) * x, axis=0), (ROWS,)),
    "long sum": (lambda x: np.sum(x * x) + np.sum(np.sin(x)), (LONG,)),
    "sum of middle axis": (lambda x: np.sum(x * x, axis=1), (TENSOR,)),
    "log-sum-exp": (lambda x: np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x), (LONG,)),
    "log-sum-exp of rows": (
        lambda x: np.log(np.sum(np.exp(x - np.max(x, axis=1, keepdims=True)), axis=1)), (ROWS,),
    ),
    "extremes": (lambda x: np.max(x * x, axis=0) - np.min(x, axis=1)[:3], (ROWS,)),
    "products": (lambda x: np.prod(x, axis=0) + np.prod(x[:2]), (A,)),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True), (BIG,)),
    "norms": (lambda x: x / np.sqrt(np.sum(x * x, axis=1))[:, None], (ROWS,)),
    "sum of a reduction": (lambda x: np.sum(x * np.sum(x * x)), (LONG,)),
    "cumulative": (lambda x: np.cumsum(x, axis=1) * np.cumsum(x[::-1], axis=0), (A,)),
    "cumulative products": (lambda x: np.cumprod(x, axis=0), (ROWS[:9],)),
    # contractions
    "matrix times matrix": (lambda x, y: x @ y, (A, B)),
    "matrix times vector": (lambda x, y: np.tanh(x @ y), (A, V)),
    "vector times matrix": (lambda x, y: y @ x.T, (A, V)),
    "large matrices": (lambda x: x @ x.T + (x.T @ x)[:30, :30], (BIG,)),
    "outer": (lambda x, y: np.outer(x, y) * x[:, None], (V, LONG[:9])),
    "einsum": (lambda x, y: np.einsum("ijk,kl->lij", x, y), (TENSOR, B)),
    "einsum of all": (lambda x, y: np.einsum("ijk,jk->i", x, y), (TENSOR, A)),
    "stack of matrices": (lambda x: x @ np.transpose(x, (0, 2, 1)), (TENSOR,)),
    "quadratic forms": (lambda x: np.einsum("ij,jk,ik->i", x, np.eye(3) + 0.5, x), (ROWS,)),
    "trace": (lambda x: np.einsum("ii", x @ x.T), (A,)),
    "distances": (lambda x: np.sum((x[:, None, :] - x[None, :, :]) ** 2, axis=2), (ROWS,)),
    "network": (lambda x, w: np.sum(np.tanh(np.tanh(x @ w) @ w.T)), (BIG, normal(40, 30))),
    # reads and writes
    "rows at indices": (lambda x: x[PLACES] * x[PLACES[::-1]], (A,)),
    "columns at indices": (lambda x: x[:, PLACES] * 2.0, (A,)),
    "entries at indices": (lambda x: x[PLACES, PLACES], (A,)),
    "large gather": (lambda x: np.sum(x[np.arange(300) * 7 % 40] ** 2, axis=1), (ROWS,)),
    "entries added": (lambda x, y: at(x)[PLACES].add(y[:4]), (V, LONG[:9])),
    "entries set": (lambda x, y: at(x)[PLACES].set(y[:4]) * x, (V, LONG[:9])),
    "entries multiplied": (lambda x: at(x)[PLACES].multiply(2.0), (A,)),
    "rows set": (lambda x: at(x)[3:7].set(x[:4] * 2.0) + at(x)[0].set(0.0), (ROWS,)),
    "histogram": (at(np.zeros(5))[np.arange(700) % 5].add, (LONG,)),
    "diagonal": (lambda x: np.diag(x) + np.diagonal(np.outer(x, x)), (V,)),
    # moves
    "pads": (lambda x: np.pad(x, ((1, 2), (0, 1))) * 3.0, (A,)),
    "joins": (lambda x, y: np.concatenate([x, x * y[0], x[::-1]], axis=0)[1:-1], (A, V)),
    "stacks": (lambda x: np.stack([x, np.sin(x), x[::-1]], axis=1), (LONG,)),
    "transposes": (lambda x: np.transpose(x, (2, 0, 1)), (TENSOR,)),
    "transposes and reshapes": (lambda x: np.reshape(np.transpose(x, (1, 2, 0)), (-1, 6)) * 2.0, (TENSOR,)),
    "strides": (lambda x: (x[::2, ::-1], x[::-3, 1::2] * 2.0), (A,)),
    "rolls": (lambda x: np.roll(x, 2) - np.roll(x, -1) * x, (LONG,)),
    "differences": (lambda x: np.diff(x) ** 2, (LONG,)),
    "laplacian": (
        lambda x: x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4.0 * x[1:-1, 1:-1], (BIG,),
    ),
    "stretched axes": (lambda x, y: x[:, :1] * y + x[:1, :5] * x[1, 1:2], (A, normal(1, 5))),
    "sizes of one": (lambda x: np.sum(x * np.ones((1, 5)), axis=0, keepdims=True) + x[:1], (A,)),
    "repeats": (lambda x: np.repeat(x, 3) * np.tile(x, 3), (V,)),
    "sorted": (lambda x: np.sort(x, axis=0)[::-1], (ROWS,)),
    # odd programs
    "nothing": (lambda x: (), (V,)),
    "unused inputs": (lambda x, y: x * 2.0, (V, BIG)),
    "inputs as outputs": (lambda x, y: (y, x, y), (V, BIG)),
    "one output twice": (lambda x: (lambda y: (y, y, y * 2.0, y))(np.sin(x)), (LONG,)),
    "numbers as outputs": (lambda x: (1.0, np.float32(2.0), np.zeros(3), np.ones((20, 20)), x), (V,)),
    "constants as outputs": (lambda x: (TABLE, TABLE.T, TABLE[3], x), (V,)),
    "large constants": (lambda x: np.sum(TABLE[:, :5] * x, axis=1) + TABLE[:, 0] * x[0], (V,)),
    "transposed outputs": (lambda x: (x.T, np.sin(x).T, x[::-1].T), (BIG,)),
    "views as outputs": (lambda x: (lambda y: (y[2:9], y[::-1], np.reshape(y, (7, 100))))(np.cos(x)), (LONG,)),
    "zero-size arrays": (
        lambda x: (np.sum(x, axis=0), np.sum(x), x * 2.0, np.concatenate([x, np.ones((2, 3))]), np.ones(3) @ x.T),
        (np.zeros((0, 3)),),
    ),
    "scalars": (lambda x, y: (x * y, np.sin(x) + y, np.stack([x, y])), (np.float64(0.3), np.float64(-1.2))),
    "single precision": (lambda x: np.sum(np.exp(x) * np.float32(0.5), axis=0), (ROWS.astype(np.float32),)),
    "mixed precision": (lambda x, y: x * y + np.sum(x), (ROWS.astype(np.float32), ROWS)),
    "complex numbers": (lambda x: np.sum(np.exp(1j * x) * x, axis=0), (ROWS,)),
    "complex matrices": (lambda x: (x + 1j) @ (x - 2j).T, (A,)),
    "choices": (lambda x: np.where(x > 0.0, np.sqrt(np.abs(x)), x * x), (BIG,)),
    "integers": (lambda x: x * np.arange(3) + np.argmax(x, axis=0) + np.sum(x > 0.0), (ROWS,)),
    "truth": (lambda x: np.where(np.any(x > 1.0, axis=1) & ~np.all(x > -1.0, axis=1), x[:, 0], 0.5), (ROWS,)),
    "polynomial": (lambda x: ((x * 2.0 + 1.0) * x - 3.0) * x**3 + (1.0 + x * x) ** -0.5, (LONG,)),
    "linear solve": (lambda x: np.linalg.solve(x @ x.T + 4.0 * np.eye(4), x[:, 0]), (A,)),
    "determinant": (lambda x: np.linalg.det(x @ x.T), (A,)),
    "one of many": (lambda *xs: sum(x * (k + 1.0) for k, x in enumerate(xs)), tuple(normal(3) for _ in range(70))),
}  # fmt: skip
