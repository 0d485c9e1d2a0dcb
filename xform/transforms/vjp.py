"""Reverse mode: linearize, then transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of, is_inexact
from xform.core.checking import watched
from xform.core.errors import NonlinearError, describe
from xform.core.primitive import Linear, Primitive, is_zero
from xform.core.stage import strong
from xform.core.trace import context, underlying, using
from xform.core.tracebacks import guarded, public
from xform.ops.elementwise import nonzero
from xform.ops.family import Multilinear
from xform.transforms.arguments import check_array, check_cotangents, flatten_checked, leaf_names
from xform.transforms.flat import Flat, cotangent_of, own
from xform.transforms.linearize import linearize_flat
from xform.transforms.tape import LinearEqn, Tape, TapeTracer, backward, reached_by_unknowns, zero_of


@public
def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Evaluate `f(*primals)` and return with it the pullback, which maps a cotangent y_bar to y_bar^T f'(x).

    The pullback takes a tree like the result of `f` and returns a tuple of trees like the arguments. Returns
    `(out, pullback)`, and with `has_aux` `(out, pullback, aux)`.

    >>> import numpy as np
    >>> y, pullback = vjp(lambda x, y: x * np.sin(y), 2.0, 0.0)
    >>> pullback(1.0)
    (np.float64(0.0), np.float64(2.0))
    """
    origin = f"vjp of {describe(f)}"
    xs, structure = flatten_checked(origin, primals, lambda: leaf_names(f, primals))
    run = Flat(f, structure, has_aux)
    active = [k for k, x in enumerate(xs) if is_inexact(x.dtype)]
    run.fix(xs, active)
    ys, ids, tape = linearize_flat(run, [xs[k] for k in active], origin, lasting=True)
    in_avals, out_avals = [aval_of(x) for x in xs], [aval_of(y) for y in ys]
    out = run.unflatten(ys)

    @guarded
    def pullback(cotangent: Any) -> Any:
        bars = check_cotangents(origin, run.out_tree, out_avals, cotangent)
        pulled = pull(tape, ids, bars, len(active))
        found = dict(zip(active, pulled, strict=True))
        return tree.unflatten(structure, own([cotangent_of(found.get(k), a) for k, a in enumerate(in_avals)], bars))

    return (out, pullback, run.aux) if has_aux else (out, pullback)


@public
def linear_transpose(f: Callable[..., Any], *primals: Any) -> Callable[[Any], Any]:
    """The transpose of a function that is linear in all its arguments: y_bar -> f^T y_bar.

    Of the arguments only shapes and dtypes matter (avals will do). The transposed function takes a cotangent, a tree
    like the result of `f`, and returns a tuple of trees like the arguments.

    Raises NonlinearError if `f` is not linear.

    >>> linear_transpose(lambda x: 3.0 * x, 0.0)(2.0)
    (np.float64(6.0),)
    """
    origin = f"linear_transpose of {describe(f)}"
    leaves, structure = tree.flatten(primals)
    for k, x in enumerate(leaves):
        check_array(origin, lambda k=k: leaf_names(f, primals)[k], x)
        if not is_inexact(aval_of(x).dtype):
            raise TypeError(f"{origin}: {leaf_names(f, primals)[k]} is {aval_of(x)}; wanted real or complex numbers")
    avals = [strong(aval_of(x)) for x in leaves]
    tape = Tape(context.trace, origin)
    run = Flat(f, structure, False)
    try:
        with using(watched(tape)):
            outs = run(*(TapeTracer(tape, tape.new_variable(), a) for a in avals))
    except NonlinearError as error:
        raise NonlinearError(f"{origin}: {error}") from None
    for y in outs:
        if not (type(y) is TapeTracer and y._trace is tape) and nonzero(y):
            raise NonlinearError(
                f"{origin}: a result does not depend on the arguments and is not zero, so f is not linear"
            )
    check_linear(origin, tape)
    ids = [y.id if type(y) is TapeTracer and y._trace is tape else None for y in outs]
    out_avals = [aval_of(y) for y in outs]

    @guarded
    def transposed(cotangent: Any) -> Any:
        bars = check_cotangents(origin, run.out_tree, out_avals, cotangent)
        pulled = pull(tape, ids, bars, len(avals))
        return tree.unflatten(structure, own([cotangent_of(x, a) for x, a in zip(pulled, avals, strict=True)], bars))

    return transposed


def check_linear(origin: str, tape: Tape) -> None:
    """Every operation has a transpose, is a product of one unknown at most, and maps zeros to zeros.

    An operation that joins a constant to the unknowns does not; others say themselves what they are not linear in.
    """
    for entry in tape.entries:
        if type(entry) is not LinearEqn or not entry.outs:  # without results: an observer
            continue
        unknown = [type(a) is Linear for a in entry.args]
        product = isinstance(entry.prim, Multilinear) and sum(unknown) > 1
        if product or type(entry.prim).transpose is Primitive.transpose:
            raise NonlinearError(
                f"{origin}: '{entry.prim.name}' is not linear in what it is applied to; "
                "differentiate other functions than linear ones with vjp"
            )
        if not all(unknown):
            entry.prim.transpose([np.zeros(o.shape, o.dtype) for o in entry.outs], *entry.args, **entry.params)
            outs = entry.prim.bind(*map(zero_of, entry.args), **entry.params)
            for y, reached in zip(outs, reached_by_unknowns(entry), strict=True):
                value = underlying(y)
                if reached and value is not None and np.any(value[np.isfinite(value)]):
                    raise NonlinearError(
                        f"{origin}: '{entry.prim.name}' of an unknown and a constant is affine, not linear; "
                        "wanted a constant of zeros"
                    )


def pull(tape: Tape, ids: Sequence[int | None], bars: Sequence[Any], count: int, consume: bool = False) -> list[Any]:
    """The cotangents of the first `count` tape variables, from those of the variables `ids`; None is zero."""
    env: list[Any] = [None] * tape.size
    for i, bar in zip(ids, bars, strict=True):
        if i is not None and not is_zero(bar):
            env[i] = bar if env[i] is None else env[i] + bar
    backward(tape, env, consume)
    return env[:count]
