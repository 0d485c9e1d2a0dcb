"""How large an operation may be that is written out in registers, and when it is better left to NumPy as a whole."""

from __future__ import annotations

import math

from xform.core.aval import Aval
from xform.core.jaxpr import Eqn

#: multiplications up to which linear algebra is written out
MOST_WORK = 700

#: the order up to which a matrix that is alone is written out
TINY = 4

#: the order of matrices, and the number of columns beside them, from which on NumPy is called
LARGE, MANY_COLUMNS = 48, 128

#: the order up to which the cofactors of a matrix are written out, and how many terms they may have
COFACTORS, MOST_TERMS = 4, 64

#: entries of a row up to which it is sorted in registers, and searched there
NETWORK, CHAIN = 16, 64

#: entries of a row from which on NumPy, whose sorts of numbers are made for vector units, is faster
SORTED = {"sort": 64, "argsort": 128}

#: so many of the largest entries at most are kept in order while a row is read
MOST_KEPT = 64

#: entries of the window of a convolution that are written out, and sizes of what is summed beside them, at most
MOST_IN_WINDOW, MOST_SUMMED = 64, 256

#: what is known of matrices
LINALG = ("solve", "triangular_solve", "inv", "det", "slogdet", "cholesky", "cofactor")

#: what sorts rows
ROWS = ("sort", "argsort", "top_k")


def are_small_matrices(eqn: Eqn) -> bool:
    """Are its matrices, one of each operand, small enough to be written out?"""
    n = eqn.inputs[0].aval.shape[-1]
    if not n or any(a.aval.size == 0 for a in eqn.inputs):
        return False
    if eqn.prim.name == "cofactor":
        return len(eqn.inputs) <= n <= COFACTORS and n * n * len(eqn.inputs) ** 2 <= MOST_TERMS
    columns = eqn.inputs[1].aval.shape[-1] if len(eqn.inputs) > 1 else n if eqn.prim.name == "inv" else 0
    return n * n * (n + columns) <= MOST_WORK


def are_middling_matrices(eqn: Eqn) -> bool:
    """Is a call of NumPy more work than what it does?"""
    columns = eqn.inputs[-1].aval.shape[-1]
    sizes = [n for a in eqn.inputs for n in a.aval.shape]
    return (
        0 < eqn.inputs[0].aval.shape[-1] <= LARGE
        and columns <= MANY_COLUMNS
        and all(sizes)
        and eqn.prim.name != "cofactor"
    )


def is_small_window(eqn: Eqn) -> bool:
    """Is a convolution a few products for each entry? Others are products of large matrices."""
    i, j, o = eqn.params["spec"]
    x, y = (a.aval for a in eqn.inputs)
    plain = len(set(i)) == len(i) and len(set(j)) == len(j)
    spatial = (x.shape[len(i) :], y.shape[len(j) :], eqn.outputs[0].aval.shape[len(o) :])
    return plain and min(map(math.prod, spatial)) <= MOST_IN_WINDOW and summed_size(eqn) <= MOST_SUMMED


def summed_size(eqn: Eqn) -> int:
    i, j, o = eqn.params["spec"]
    x, y = (a.aval for a in eqn.inputs)
    sizes = dict(zip(i + j, x.shape[: len(i)] + y.shape[: len(j)], strict=True))
    return math.prod(n for label, n in sizes.items() if label not in o)


def is_single(eqn: Eqn) -> bool:
    """Is it of single matrices, and not of stacks of them?"""
    return all(a.aval.ndim == 2 for a in eqn.inputs)


def is_tiny(eqn: Eqn) -> bool:
    return eqn.prim.name == "cofactor" or eqn.inputs[0].aval.shape[-1] <= TINY


def stack_axes(ins: list[Aval]) -> tuple[int, tuple[int | None, ...]]:
    """The size of the first axis of the stacks, and which operands have it."""
    rank = max(a.ndim for a in ins)
    return max(a.shape[0] for a in ins if a.ndim == rank), tuple(0 if a.ndim == rank else None for a in ins)


def is_sorted_by_numpy(eqn: Eqn) -> bool:
    """Are the rows so long that NumPy is better, or may it only be NumPy's, which orders equal entries as it likes?"""
    name, n = eqn.prim.name, eqn.inputs[0].aval.shape[eqn.params["axis"]]
    if name == "top_k":
        return eqn.params["k"] > MOST_KEPT
    return n > SORTED[name] or eqn.params.get("stable") is False


def is_short(eqn: Eqn, most: int) -> bool:
    """Can rows be searched, or sorted, in registers?"""
    x = eqn.inputs[0].aval
    longest = NETWORK if eqn.prim.name in ROWS else CHAIN
    return None not in x.shape and 0 < x.size <= most and x.shape[eqn.params["axis"]] <= longest
