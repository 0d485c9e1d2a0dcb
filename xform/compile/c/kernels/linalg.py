"""Linear algebra of small matrices in registers: equations, inverses, determinants and Cholesky's factors.

Errors are NumPy's: of a singular matrix the program fails as soon as the loop over a batch is done, if there is one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.compile.c.kernels.elimination import Elimination, Numbers, Rows, back_substitution, cholesky_factor
from xform.compile.c.text import scalars
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.values import Scalars
from xform.core.aval import Aval
from xform.core.primitive import Primitive

Rule = Callable[..., list[Scalars]]


# --- matrices in and out ---


def rows_of(emit: Emitter, x: Scalars, dtype: np.dtype) -> Rows:
    return [list(row) for row in scalars.convert(emit, x, dtype).entries]


def matrix(rows: Rows, dtype: np.dtype) -> Scalars:
    entries = np.empty((len(rows), len(rows[0]) if rows else 0), object)
    for i, j in np.ndindex(entries.shape):
        entries[i, j] = rows[i][j]
    return Scalars(entries, dtype)


def number(x: Any, dtype: np.dtype) -> Scalars:
    entries = np.empty((), object)
    entries[()] = x
    return Scalars(entries, dtype)


#: what is wrong with a matrix, and what to do about it
MESSAGES = {
    "solve": "Singular matrix. A unique solution wants a regular matrix; use lstsq or pinv",
    "triangular_solve": "Singular matrix. Wanted a diagonal without zeros; use lstsq",
    "inv": "Singular matrix. Only a regular matrix has an inverse; use pinv",
    "cholesky": "Matrix is not positive definite. Wanted positive eigenvalues; add a multiple of the identity, or use "
    "eigh",
}


def failure(name: str, a: Aval) -> str:
    """The C call that raises LinAlgError."""
    return f'xform_error(XFORM_LINALG_ERROR, "%s", "{name} of {a}: {MESSAGES[name]}")'


def check(emit: Emitter, failed: str, name: str, a: Scalars) -> None:
    emit.check(failed, failure(name, Aval(a.shape, a.dtype)))


# --- rules ---


def solve(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    dtype = outs[0].dtype
    done = Elimination(Numbers(emit, dtype), *(rows_of(emit, x, dtype) for x in args))
    check(emit, done.is_singular(), "solve", args[0])
    return [matrix(done.solution(), dtype)]


def triangular_solve(
    emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]
) -> list[Scalars]:
    """A lower triangle is an upper one from the other end."""
    dtype, unit = outs[0].dtype, params["unit_diagonal"]
    numbers = Numbers(emit, dtype)
    a, b = (rows_of(emit, x, dtype) for x in args)
    if params["lower"]:
        a, b = [row[::-1] for row in a[::-1]], b[::-1]
    if not unit:
        singular = numbers.any([numbers.is_zero(a[k][k]) for k in range(len(a))])
        check(emit, singular, "triangular_solve", args[0])
    x = back_substitution(numbers, a, b, unit)
    return [matrix(x[::-1] if params["lower"] else x, dtype)]


def inverse(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    dtype = outs[0].dtype
    numbers = Numbers(emit, dtype)
    n = outs[0].shape[-1]
    identity = [[numbers.one if i == j else numbers.zero for j in range(n)] for i in range(n)]
    done = Elimination(numbers, rows_of(emit, args[0], dtype), identity)
    singular, x = done.is_singular(), done.solution()
    if params["strict"]:
        check(emit, singular, "inv", args[0])
    else:
        x = [[numbers.choose(singular, dtype.type(np.nan), e) for e in row] for row in x]
    return [matrix(x, dtype)]


def determinant(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    """The product of the pivots."""
    dtype = outs[0].dtype
    numbers = Numbers(emit, dtype)
    done = Elimination(numbers, rows_of(emit, args[0], dtype), [[] for _ in range(args[0].shape[0])])
    product, odd = numbers.product(done.pivots), done.odd()
    if odd is not None:
        product = numbers.choose(odd, numbers.do("neg", product), product)
    return [number(numbers.choose(done.is_singular(), numbers.zero, product), dtype)]


def sign_and_log(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    """The phases of the pivots multiplied, and the logarithms of their absolute values added."""
    dtype, real = (o.dtype for o in outs)
    numbers, reals = Numbers(emit, dtype), Numbers(emit, real)
    done = Elimination(numbers, rows_of(emit, args[0], dtype), [[] for _ in range(args[0].shape[0])])
    singular, odd = done.is_singular(), done.odd()
    size = Primitive.registry["abs"]
    sizes = [scalars.apply(emit, size, [u], [dtype], real) for u in done.pivots]
    logs = [reals.do("log", s) for s in sizes]
    total = logs[0]
    for x in logs[1:]:
        total = reals.do("add", total, x)
    if dtype.kind == "c":
        pairs = zip(done.pivots, sizes, strict=True)
        sign = numbers.product([emit.let(dtype, f"{numbers.text(u)} / {s}") for u, s in pairs])
        sign = sign if odd is None else numbers.choose(odd, numbers.do("neg", sign), sign)
    else:
        turns = [numbers.truth(f"{numbers.text(u)} < 0") for u in done.pivots] + ([odd] if odd else [])
        sign = numbers.choose(numbers.truth(" ^ ".join(turns)), dtype.type(-1), numbers.one)
    sign = numbers.choose(singular, numbers.zero, sign)
    return [number(sign, dtype), number(reals.choose(singular, real.type(-np.inf), total), real)]


def cholesky(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    dtype = outs[0].dtype
    factor, bad = cholesky_factor(Numbers(emit, dtype), rows_of(emit, args[0], dtype))
    check(emit, bad, "cholesky", args[0])
    return [matrix(factor, dtype)]


def cofactor(emit: Emitter, args: Sequence[Scalars], outs: Sequence[Aval], params: dict[str, Any]) -> list[Scalars]:
    """D^k C(A)[B_1, ..., B_k], C_ij = (-1)^(i + j) times the minor of A without row i and column j.

    A minor is linear in each of its rows, so its k-th derivative is the sum, over the ways to give each direction a row
    of its own, of the minors with the rows of the directions in place of those of A.
    """
    dtype = outs[0].dtype
    numbers, n = Numbers(emit, dtype), outs[0].shape[-1]
    a, *directions = (rows_of(emit, x, dtype) for x in args)
    out: Rows = [[numbers.zero] * n for _ in range(n)]
    for i, j in itertools.product(range(n), repeat=2):
        kept = [r for r in range(n) if r != i]
        terms = []
        for places in itertools.permutations(kept, len(directions)):
            source = {**dict.fromkeys(kept, a), **dict(zip(places, directions, strict=True))}
            terms.append(minor(numbers, [[x for c, x in enumerate(source[r][r]) if c != j] for r in kept]))
        if terms:
            total = terms[0]
            for t in terms[1:]:
                total = numbers.do("add", total, t)
            out[i][j] = numbers.do("neg", total) if (i + j) % 2 else total
    return [matrix(out, dtype)]


def minor(numbers: Numbers, rows: Rows) -> Any:
    """The determinant of at most 3 rows, expanded along the first one."""
    if not rows:
        return numbers.one
    if len(rows) == 1:
        return rows[0][0]
    terms = [
        numbers.do("mul", x, minor(numbers, [[*row[:j], *row[j + 1 :]] for row in rows[1:]]))
        for j, x in enumerate(rows[0])
    ]
    total = terms[0]
    for j, t in enumerate(terms[1:], 1):
        total = numbers.do("sub" if j % 2 else "add", total, t)
    return total


#: what is written out, by primitive
RULES: dict[str, Rule] = {
    "solve": solve, "triangular_solve": triangular_solve, "inv": inverse, "det": determinant, "slogdet": sign_and_log,
    "cholesky": cholesky, "cofactor": cofactor,
}  # fmt: skip
