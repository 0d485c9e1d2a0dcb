"""Matrix-free solution of A x = b on trees, by the method of conjugate gradients, GMRES or BiCGSTAB.

The iterations see vectors; here a tree becomes one, A a function of vectors, and the whole a `custom_linear_solve`, so
that the iteration is not differentiated: derivatives are solutions of further systems with A, or A^T, found likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xform.control.implicit.bicgstab import stabilised_biconjugate_gradients
from xform.control.implicit.conjugate_gradients import conjugate_gradients
from xform.control.implicit.gmres import restarted_gmres
from xform.control.implicit.linear_solve import custom_linear_solve
from xform.control.implicit.vectors import Limits, Map, norm
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.errors import ConcretizationError, MissingRuleError, NonlinearError
from xform.core.ravel import ravel_pytree
from xform.core.tracebacks import public
from xform.ops.contraction.einsum import matmul
from xform.ops.linear_algebra.matrix import inexact, swap_last
from xform.ops.structure import convert
from xform.transforms.arguments import as_array, check_array
from xform.transforms.vjp import linear_transpose


class Options(NamedTuple):
    """What the solvers have in common."""

    x0: Any
    tol: float
    atol: float
    maxiter: int | None
    M: Any


@public
def cg(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-5, atol: float = 0.0, maxiter: int | None = None, M: Any = None
) -> tuple[Any, Any]:
    """The solution of A x = b by conjugate gradients, for Hermitian positive definite A; returns (x, info).

    It stops when |b - A x| <= max(tol |b|, atol), or after `maxiter` steps (10 times the number of unknowns if None).
    `info` is 0 if it has converged, and otherwise the number of steps. `A` is a square matrix, or a function that maps
    trees like `b` to such trees; `x0` (zeros if None) is where the iteration starts, and `M`, a matrix or a function
    that comes near A^-1, Hermitian positive definite as well, a preconditioner. Derivatives of any order in b, and in
    what A depends on, are solutions of further systems, to the same tolerance. `x0` and `M` have none.

    Raises TypeError or ValueError if A, b, x0 and M do not fit.

    Hestenes and Stiefel 1952; Saad, Iterative Methods for Sparse Linear Systems (2003), algorithms 6.18 and 9.1.

    >>> import numpy as np
    >>> A, b = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    >>> x, info = cg(A, b, tol=1e-12)
    >>> print(x.round(4), info)
    [0.0909 0.6364] 0
    """
    options = Options(x0, tol, atol, maxiter, M)
    return krylov("cg", A, b, options, conjugate_gradients, lambda n: 10 * n, hermitian=True)


@public
def bicgstab(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-5, atol: float = 0.0, maxiter: int | None = None, M: Any = None
) -> tuple[Any, Any]:
    """The solution of A x = b by the stabilised method of biconjugate gradients, for general A; returns (x, info).

    Arguments, stopping rule and derivatives are those of `cg`. `info` is also negative where the recurrence breaks down
    for a vanishing product, -10 (rho) or -11 (omega), as in SciPy; GMRES does not break down.

    Van der Vorst 1992; Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 7.7.

    >>> import numpy as np
    >>> A, b = np.array([[4.0, 1.0], [-1.0, 3.0]]), np.array([1.0, 2.0])
    >>> x, info = bicgstab(A, b, tol=1e-12)
    >>> print(x.round(4), info)
    [0.0769 0.6923] 0
    """
    options = Options(x0, tol, atol, maxiter, M)
    return krylov("bicgstab", A, b, options, stabilised_biconjugate_gradients, lambda n: 10 * n)


@public
def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: float = 1e-5,
    atol: float = 0.0,
    restart: int = 20,
    maxiter: int | None = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, Any]:
    """The solution of A x = b by the generalised method of minimal residuals, for general A; returns (x, info).

    Each cycle minimises |b - A x| over a Krylov space of at most `restart` dimensions, whose basis it keeps; `maxiter`
    counts cycles, and so does `info`. Other arguments, the stopping rule and derivatives are those of `cg`; M
    preconditions from the right, so that the residual is that of the system given. Of JAX's two values for
    `solve_method`, "batched" and "incremental", which are two ways of computing the same, both do what the second does.

    Saad and Schultz 1986; Saad, Iterative Methods for Sparse Linear Systems (2003), algorithms 6.11 and 9.5.

    >>> import numpy as np
    >>> x, info = gmres(lambda x: {"u": 2 * x["u"] - x["v"], "v": x["v"]}, {"u": np.ones(2), "v": 3.0})
    >>> print(x["u"].round(4), x["v"].round(4), info)
    [2. 2.] 3.0 0
    """
    if isinstance(restart, bool) or not isinstance(restart, int | np.integer) or restart < 1:
        raise ValueError(f"gmres: restart is {restart!r}; wanted the number, at least 1, of steps in a cycle")
    if solve_method not in ("batched", "incremental"):
        raise ValueError(f"gmres: solve_method is {solve_method!r}; wanted 'batched' or 'incremental'")
    options = Options(x0, tol, atol, maxiter, M)
    return krylov("gmres", A, b, options, restarted_gmres(int(restart)), lambda n: 10 * n)


def krylov(
    name: str,
    A: Any,
    b: Any,
    options: Options,
    iteration: Callable[..., Any],
    default_maxiter: Callable[[int], int],
    hermitian: bool = False,
) -> tuple[Any, Any]:
    """A x = b by an iteration on vectors (apply, precondition, right, start, limits) -> x, info."""
    check_limits(name, options)
    b = right_hand_side(name, b, A)
    matvec, M = operator(name, "A", A, b), options.M
    precondition = None if M is None else operator(name, "M", M, b)
    start = None if options.x0 is None else initial(name, options.x0, b)
    size = sum(aval_of(x).size for x in tree.leaves(b))
    maxiter = default_maxiter(size) if options.maxiter is None else int(options.maxiter)

    def solve(apply: Map, right: Any, start: Any = start, precondition: Any = precondition) -> tuple[Any, Any]:
        vector, unravel = ravel_pytree(right)
        bound = np.maximum(options.tol * norm(vector), options.atol)
        x, info = iteration(
            on_vectors(apply, unravel),
            (lambda v: v) if precondition is None else on_vectors(precondition, unravel),
            vector,
            None if start is None else ravel_pytree(start)[0],
            Limits(bound, maxiter),
        )
        return unravel(x), info

    def transpose_solve(apply: Map, right: Any) -> Any:
        return solve(apply, right, None, precondition and transposed_map(M, precondition, b))[0]

    real = all(aval_of(x).dtype.kind == "f" for x in tree.leaves(b))
    return custom_linear_solve(matvec, b, solve, transpose_solve, symmetric=hermitian and real, has_aux=True)


def on_vectors(f: Map, unravel: Callable[[Any], Any]) -> Map:
    return lambda v: ravel_pytree(f(unravel(v)))[0]


def check_limits(name: str, options: Options) -> None:
    for what in ("tol", "atol"):
        value = getattr(options, what)
        check_array(name, lambda what=what: what, value)
        if aval_of(value).shape or aval_of(value).dtype.kind == "c":
            raise TypeError(f"{name}: {what} is {aval_of(value)}; wanted a real number")
    k = options.maxiter
    if k is not None and (isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 0):
        raise ValueError(f"{name}: maxiter is {k!r}; wanted a number of steps, or None")


def right_hand_side(name: str, b: Any, A: Any) -> Any:
    """The tree `b` with leaves of the precision that products with A have, all of them real or all of them complex."""
    leaves, structure = tree.flatten(b)
    if not leaves:
        raise ValueError(f"{name}: b has no leaves; wanted a tree of at least one array")
    for k, x in enumerate(leaves):
        check_array(name, lambda k=k: "b" + tree.keystr(tree.leaves_with_path(b)[k][0]), x)
        (leaves[k],) = inexact(as_array(x))
    if not callable(A):
        check_array(name, lambda: "A", A)
        leaves = [as_dtype(x, np.result_type(x.dtype, aval_of(A).dtype)) for x in leaves]
    if len({x.dtype.kind for x in leaves}) > 1:
        given = ", ".join(str(x.dtype) for x in leaves)
        raise TypeError(f"{name}: b has real and complex leaves ({given}); make all of them complex")
    return tree.unflatten(structure, leaves)


def as_dtype(x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else convert(x, dtype=dtype)


def operator(name: str, what: str, A: Any, b: Any) -> Map:
    """A matrix, or a function, as a function."""
    if callable(A):
        return A
    check_array(name, lambda: what, A)
    leaves, right = tree.leaves(b), aval_of(A)
    shape = aval_of(b).shape if tree.structure(b) == tree.structure(0) else None
    if shape is None or len(shape) != 1 or right.shape != 2 * shape:
        given = aval_of(b) if shape is not None else f"a tree of {len(leaves)} leaves"
        raise ValueError(
            f"{name}: {what} is {right} and b is {given}; wanted a matrix of shape (n, n) and a vector of shape (n,), "
            f"or a function for {what}"
        )
    return lambda x: matmul(A, x)


def initial(name: str, x0: Any, b: Any) -> Any:
    """The tree `x0` with the structure, shapes and dtypes of `b`."""
    leaves, structure = tree.flatten(x0)
    wanted, b_structure = tree.flatten(b)
    if structure != b_structure:
        raise TypeError(f"{name}: x0 has the structure {structure}; wanted that of b, {b_structure}")
    for k, (given, y) in enumerate(zip(leaves, wanted, strict=True)):
        check_array(name, lambda: "x0", given)
        x = as_array(given)
        if x.shape != y.shape or not np.can_cast(x.dtype, y.dtype, "same_kind"):
            raise TypeError(f"{name}: x0 has a leaf {aval_of(x)} where b has {aval_of(y)}; wanted the same")
        leaves[k] = as_dtype(x, y.dtype)
    return tree.unflatten(structure, leaves)


def transposed_map(M: Any, apply: Map, b: Any) -> Map | None:
    """The preconditioner of the transposed system, M^T: without it, where M is Python that cannot be transposed."""
    if not callable(M):
        return lambda x: matmul(swap_last(M), x)
    try:
        back = linear_transpose(apply, tree.map(aval_of, b))
    except (ConcretizationError, NonlinearError, MissingRuleError):  # a function of numbers
        return None
    return lambda x: back(x)[0]
