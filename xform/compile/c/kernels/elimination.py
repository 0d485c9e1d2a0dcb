"""Gauss's and Cholesky's eliminations of small matrices in registers: straight-line code without a branch.

Rows change places by choices (c ? a : b), and whether a pivot was zero is remembered instead of acted upon. So a batch
of equations is a loop whose steps are taken several at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.compile.c.text import scalars
from xform.compile.c.text.emit import Emitter
from xform.core.primitive import Primitive
from xform.ops.c_text import real_dtype

_TRUTH = np.dtype(bool)

#: a matrix as a list of rows of names and numbers
Rows = list[list[Any]]


class Numbers:
    """Arithmetic of names and numbers of one dtype."""

    def __init__(self, emit: Emitter, dtype: np.dtype) -> None:
        self.emit, self.dtype, self.real = emit, dtype, real_dtype(dtype)
        self.zero, self.one = dtype.type(0), dtype.type(1)

    def text(self, x: Any) -> str:
        return self.emit.text(x, self.dtype)

    def do(self, name: str, *operands: Any) -> Any:
        """An elementwise operation of the registry whose result has the same dtype."""
        prim = Primitive.registry[name]
        return scalars.apply(self.emit, prim, list(operands), [self.dtype] * len(operands), self.dtype)

    def minus_products(self, x: Any, pairs: Sequence[tuple[Any, Any]]) -> Any:
        """x - a b - c d - ..., in this order."""
        for a, b in pairs:
            x = self.do("sub", x, self.do("mul", a, b))
        return x

    def product(self, items: Sequence[Any]) -> Any:
        total = items[0]
        for x in items[1:]:
            total = self.do("mul", total, x)
        return total

    def conjugate(self, x: Any) -> Any:
        return self.emit.let(self.dtype, f"~{self.text(x)}") if self.dtype.kind == "c" else x

    def size(self, x: Any) -> str:
        """What pivots are compared by: |x|, of complex numbers |Re x| + |Im x|."""
        f = "__builtin_fabsf" if self.real == np.float32 else "__builtin_fabs"
        if self.dtype.kind == "c":
            return self.emit.let(self.real, f"{f}(__real__ {self.text(x)}) + {f}(__imag__ {self.text(x)})")
        return self.emit.let(self.real, f"{f}({self.text(x)})")

    def choose(self, condition: str, a: Any, b: Any) -> Any:
        return b if a is b else self.emit.let(self.dtype, f"{condition} ? {self.text(a)} : {self.text(b)}")

    def truth(self, expression: str) -> str:
        return self.emit.let(_TRUTH, expression)

    def is_zero(self, x: Any) -> str:
        return self.truth(f"{self.text(x)} == 0")

    def any(self, conditions: Sequence[str]) -> str:
        return conditions[0] if len(conditions) == 1 else self.truth(" | ".join(conditions))


class Elimination:
    """P A = L U by partial pivoting, of the first of equal pivots as LAPACK does it, the same done to B: L^-1 P B.

    `upper` is U, `right` is L^-1 P B, `swaps` the names of truth values, whether each step has exchanged two rows.
    """

    def __init__(self, numbers: Numbers, a: Rows, b: Rows) -> None:
        self.numbers, self.order = numbers, len(a)
        self.upper, self.right = [list(row) for row in a], [list(row) for row in b]
        self.swaps: list[str] = []
        for k in range(self.order):
            self.pivot(k)
            self.eliminate(k)

    def pivot(self, k: int) -> None:
        numbers = self.numbers
        best, larger = numbers.size(self.upper[k][k]), []
        for i in range(k + 1, self.order):
            size = numbers.size(self.upper[i][k])
            larger.append(numbers.truth(f"{size} > {best}"))
            best = numbers.emit.let(numbers.real, f"{larger[-1]} ? {size} : {best}")
        if larger:
            self.swaps.append(numbers.any(larger))
            self.exchange(k, larger)

    def exchange(self, k: int, larger: list[str]) -> None:
        """Row k with the last of the rows below it that is larger than all before."""
        numbers, chosen, later = self.numbers, [], ""
        for c in reversed(larger):
            chosen.append(numbers.truth(f"{c} & !({later})") if later else c)
            later = f"{later} | {c}" if later else c
        for rows, first in ((self.upper, k), (self.right, 0)):
            for j in range(first, len(rows[k])):
                old = new = rows[k][j]
                for i, (c, last) in enumerate(zip(larger, reversed(chosen), strict=True), k + 1):
                    new = numbers.choose(c, rows[i][j], new)
                    rows[i][j] = numbers.choose(last, old, rows[i][j])
                rows[k][j] = new

    def eliminate(self, k: int) -> None:
        numbers, top = self.numbers, self.upper[k]
        for i in range(k + 1, self.order):
            row = self.upper[i]
            factor = numbers.do("div", row[k], top[k])
            for j in range(k + 1, self.order):
                row[j] = numbers.minus_products(row[j], [(factor, top[j])])
            for j, y in enumerate(self.right[k]):
                self.right[i][j] = numbers.minus_products(self.right[i][j], [(factor, y)])

    @property
    def pivots(self) -> list[Any]:
        return [self.upper[k][k] for k in range(self.order)]

    def is_singular(self) -> str:
        return self.numbers.any([self.numbers.is_zero(u) for u in self.pivots])

    def odd(self) -> str | None:
        """The name of whether rows were exchanged an odd number of times; None if there was nothing to exchange."""
        return self.numbers.truth(" ^ ".join(self.swaps)) if self.swaps else None

    def solution(self) -> Rows:
        return back_substitution(self.numbers, self.upper, self.right)


def back_substitution(numbers: Numbers, upper: Rows, right: Rows, unit_diagonal: bool = False) -> Rows:
    """X with U X = B, from the last row on: x_i = (b_i - sum_{j > i} u_ij x_j) / u_ii."""
    x: Rows = [[] for _ in upper]
    for i in reversed(range(len(upper))):
        for column, b in enumerate(right[i]):
            known = [(upper[i][j], x[j][column]) for j in reversed(range(i + 1, len(upper)))]
            rest = numbers.minus_products(b, known)
            x[i].append(rest if unit_diagonal else numbers.do("div", rest, upper[i][i]))
    return x


def cholesky_factor(numbers: Numbers, a: Rows) -> tuple[Rows, str]:
    """L with A = L L^H, from the lower triangle of A, and the name of whether A is not positive definite."""
    emit, dtype, n = numbers.emit, numbers.dtype, len(a)
    factor: Rows = [[numbers.zero] * n for _ in range(n)]
    bad = []
    for j in range(n):
        row = factor[j][:j]
        square = numbers.minus_products(a[j][j], [(x, numbers.conjugate(x)) for x in row])
        real = "__real__ " if dtype.kind == "c" else ""
        square = emit.let(numbers.real, f"{real}{numbers.text(square)}")
        bad.append(numbers.truth(f"{square} <= 0"))
        root = f"__builtin_sqrt{'f' if numbers.real == np.float32 else ''}({square})"
        factor[j][j] = emit.let(dtype, root)
        for i in range(j + 1, n):
            rest = numbers.minus_products(
                a[i][j], [(x, numbers.conjugate(y)) for x, y in zip(factor[i][:j], row, strict=True)]
            )
            factor[i][j] = numbers.do("div", rest, factor[j][j])
    return factor, numbers.any(bad)
