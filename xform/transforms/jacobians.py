"""Jacobians and Hessians: a basis pushed forward or pulled back, all of its vectors at once.

A function is linearised once; then forward mode needs a tangent per input entry and reverse mode a cotangent per output
entry, so `jacobian` takes whichever is fewer. `chunk_size` bounds how many are under way at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.trace import context, using
from xform.core.tracebacks import public, standing_for
from xform.ops.structure import concatenate, reshape
from xform.transforms.derivatives import Argnums, Options, Point, grad
from xform.transforms.flat import own
from xform.transforms.jvp import jvp
from xform.transforms.tape import forward
from xform.transforms.vjp import pull
from xform.transforms.vmap import BatchTrace, BatchTracer, leave, move_axis


@public
def jacfwd(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that evaluates the Jacobian of `f` column by column, in forward mode.

    For every array y of the result and x of the argument, the Jacobian has an array dy/dx of shape y.shape + x.shape,
    in a tree like the result of trees like the argument. At most `chunk_size` columns are computed at a time.

    >>> import numpy as np
    >>> jacfwd(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return jacobian_function("jacfwd", f, "forward", Options(argnums, has_aux, holomorphic, False), chunk_size)


@public
def jacrev(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that evaluates the Jacobian of `f` row by row, in reverse mode; see `jacfwd` for its form.

    >>> import numpy as np
    >>> jacrev(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return jacobian_function("jacrev", f, "reverse", Options(argnums, has_aux, holomorphic, allow_int), chunk_size)


@public
def jacobian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that evaluates the Jacobian of `f` in the mode that needs fewer passes; see `jacfwd` for its form.

    Forward mode makes one pass per input entry, reverse mode one per output entry.

    >>> import numpy as np
    >>> jacobian(lambda x: np.sum(x * x, keepdims=True))(np.array([1.0, 2.0]))
    array([[2., 4.]])
    """
    return jacobian_function("jacobian", f, "cheaper", Options(argnums, has_aux, holomorphic, False), chunk_size)


@public
def hessian(
    f: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that evaluates the Hessian of `f`, the Jacobian (forward) of its Jacobian (reverse).

    For a scalar function of an array x it has shape x.shape + x.shape; for trees it is a tree of trees.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] * x[1] ** 2)(np.array([3.0, 5.0]))
    array([[ 0., 10.],
           [10.,  6.]])
    """
    return jacfwd(jacrev(f, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic, chunk_size)


@public
def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of the Hessian of the scalar function `f` at `primals` with `tangents`, without forming the Hessian.

    Forward over reverse: d/dt grad f(x + t v) at t = 0, at a small multiple of the cost of `f`. The result is a tree
    like the argument, or a tuple of them if there are several.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x ** 3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        given = f"{type(primals).__name__} and {type(tangents).__name__}"
        raise TypeError(
            f"hvp of {describe(f)}: primals and tangents must be tuples, one entry per argument; given {given}"
        )
    argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), tuple(primals), tuple(tangents))[1]


def jacobian_function(
    name: str, f: Callable[..., Any], mode: str, options: Options, chunk_size: int | None
) -> Callable[..., Any]:
    origin = f"{name} of {describe(f)}"
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ValueError(f"{origin}: chunk_size must be a positive integer or None, not {chunk_size!r}")

    @standing_for(f)
    def jacobian_at(*args: Any, **kwargs: Any) -> Any:
        point = Point(origin, f, options, args, kwargs)
        direct = direction(origin, mode, options, point)
        blocks = direct(point, chunk_size)
        out = point.run.unflatten([point.tree_of(own(row)) for row in blocks])
        return (out, point.run.aux) if options.has_aux else out

    return jacobian_at


def direction(origin: str, mode: str, options: Options, point: Point) -> Callable[..., list[list[Any]]]:
    """By columns or by rows: complex arguments have a derivative d/da - i d/db by rows, complex results by columns."""
    columns, rows = (sum(aval_of(x).size for x in xs) for xs in (point.leaves, point.ys))
    complex_in, complex_out = (any(x.dtype.kind == "c" for x in xs) for xs in (point.leaves, point.ys))
    if mode == "cheaper":
        prefers_columns = columns <= rows if options.holomorphic or complex_in == complex_out else complex_out
        mode = "forward" if prefers_columns else "reverse"
    if mode == "forward" and complex_in and not options.holomorphic:
        raise TypeError(
            f"{origin}: forward mode wants real arguments, or holomorphic=True if the function is holomorphic; given "
            f"was {next(aval_of(x) for x in point.leaves if x.dtype.kind == 'c')}. For real results there is jacrev"
        )
    if mode == "reverse" or options.holomorphic:
        for y in point.ys:
            options.check_output(origin, y)
    return columns_of if mode == "forward" else rows_of


def columns_of(point: Point, chunk_size: int | None) -> list[list[Any]]:
    """dy/dx for each y (outer) and x (inner), by pushing a basis of the inputs forward."""
    xs, ys = [aval_of(x) for x in point.leaves], [aval_of(y) for y in point.ys]

    def push(*x_dots: Any) -> list[Any]:
        env = list(x_dots)
        forward(point.tape, env)
        return [None if i is None else env[i] for i in point.ids]

    pushed = on_basis(push, xs, ys, chunk_size)
    return [
        [move_basis_last(block, y, x) for block, x in zip(split(stack, xs), xs, strict=True)]
        for stack, y in zip(pushed, ys, strict=True)
    ]


def rows_of(point: Point, chunk_size: int | None) -> list[list[Any]]:
    """dy/dx for each y (outer) and x (inner), by pulling a basis of the outputs back."""
    xs, ys = [aval_of(x).tangent() for x in point.leaves], [aval_of(y) for y in point.ys]

    def pull_back(*y_bars: Any) -> list[Any]:
        found = dict(zip(point.active, pull(point.tape, point.ids, y_bars, len(point.active)), strict=True))
        return [found.get(k) for k in range(len(xs))]

    pulled = [split(stack, ys) for stack in on_basis(pull_back, ys, xs, chunk_size)]
    return [[reshape(pulled[j][i], shape=(*y.shape, *x.shape)) for j, x in enumerate(xs)] for i, y in enumerate(ys)]


def on_basis(f: Callable[..., list[Any]], avals: list[Aval], outs: list[Aval], chunk_size: int | None) -> list[Any]:
    """A linear function of arrays `avals` on the standard basis of their joint space, results stacked along axis 0."""
    size = sum(a.size for a in avals)
    step = size if chunk_size is None else chunk_size
    chunks = [mapped(f, basis(avals, lo, min(lo + step, size)), outs) for lo in range(0, size, step or 1)]
    if not chunks:
        return [np.zeros((0, *a.shape), a.dtype) for a in outs]
    return [c[0] if len(c) == 1 else concatenate(*c, axis=0) for c in zip(*chunks, strict=True)]


def mapped(f: Callable[..., list[Any]], vectors: list[np.ndarray], outs: list[Aval]) -> list[Any]:
    """f applied to all vectors at once: vmap without its border; a result of None is zero."""
    count = len(vectors[0])
    trace = BatchTrace(context.trace, "jacobian", count)
    with using(watched(trace)):
        ys = f(*(BatchTracer(trace, v) for v in vectors))
    return [
        np.zeros((count, *a.shape), a.dtype) if y is None else leave(trace, y, 0, "jacobian")
        for y, a in zip(ys, outs, strict=True)
    ]


def basis(avals: Sequence[Aval], low: int, high: int) -> list[np.ndarray]:
    """Vectors `low` to `high` of the standard basis, cut into arrays of the given avals."""
    vectors, start = [], 0
    for a in avals:
        columns = np.arange(start, start + a.size)
        e = (np.arange(low, high)[:, None] == columns).astype(a.dtype)
        vectors.append(e.reshape(high - low, *a.shape))
        start += a.size
    return vectors


def split(stack: Any, avals: Sequence[Aval]) -> list[Any]:
    """The parts of axis 0 that belong to each array."""
    if len(avals) == 1:
        return [stack]
    edges = [0, *itertools.accumulate(a.size for a in avals)]
    return [stack[lo:hi] for lo, hi in itertools.pairwise(edges)]


def move_basis_last(block: Any, y: Aval, x: Aval) -> Any:
    """From (x.size, *y.shape) to (*y.shape, *x.shape)."""
    return reshape(move_axis(block, 0, -1), shape=(*y.shape, *x.shape))
