"""Branches on trees: `cond` and `switch`, with the signatures they have in `jax.lax`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control import requirements
from xform.control.branches.cond import as_index, cond_p
from xform.control.programs import close
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.depth import deep
from xform.core.jaxpr import Jaxpr, Var
from xform.core.stage import WholeTrace, is_staging
from xform.core.trace import Tracer, concrete
from xform.core.tracebacks import public
from xform.transforms.arguments import as_array
from xform.transforms.flat import Flat

_NOTHING: Any = object()


@public
def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any, operand: Any = _NOTHING
) -> Any:
    """`true_fun(*operands)` if `pred`, else `false_fun(*operands)`: only one of the two is evaluated.

    `pred` is a scalar; a number means true unless it is zero. The operands are trees of arrays, and both functions must
    return trees of the same structure, shapes and dtypes (which is checked where both are written down, in a program,
    and under `vmap`). Under `vmap` with a `pred` that differs from example to example each function sees only those
    examples that are its own.

    Raises TypeError if `pred` is no scalar or the branches disagree.

    >>> import numpy as np, xform
    >>> f = lambda x: cond(x > 0, np.sqrt, lambda x: 0.0 * x, x)
    >>> xform.vmap(xform.grad(f))(np.array([4.0, -1.0]))
    array([0.25, 0.  ])
    """
    if not callable(true_fun) and len(operands) == 2 and callable(operands[1]):
        return of_own_operands(pred, true_fun, false_fun, *operands)
    names = [requirements.function("cond", k, f) for k, f in (("true_fun", true_fun), ("false_fun", false_fun))]
    origin = f"cond of {' and '.join(names)}"
    if operand is not _NOTHING:
        operands = sole(origin, operands, operand)
    if requirements.scalar_predicate(origin, pred).dtype != bool:
        pred = pred != 0
    known = concrete(pred)
    index = int(bool(known)) if known is not None else as_index(pred)
    return choose(origin, index, ("false_fun", "true_fun"), (false_fun, true_fun), operands)


@public
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = _NOTHING) -> Any:
    """`branches[index](*operands)`, with the index clamped to those there are.

    `index` is an integer scalar; else it is as with `cond`. Raises TypeError if it is none or the branches disagree.

    >>> import numpy as np
    >>> [float(switch(k, [np.sin, np.cos, np.exp], 0.0)) for k in range(4)]
    [0.0, 1.0, 1.0, 1.0]
    """
    if not isinstance(branches, Sequence) or isinstance(branches, str) or not branches:
        given = "an empty sequence" if isinstance(branches, Sequence) else requirements.shown(branches)
        raise ValueError(f"switch: for the branches, {given} was given; wanted a list of at least one function")
    named = [requirements.function("switch", f"branches[{k}]", f) for k, f in enumerate(branches)]
    origin = f"switch of {', '.join(named)}"
    if operand is not _NOTHING:
        operands = sole(origin, operands, operand)
    requirements.scalar_index(origin, index)
    known = concrete(index)
    index = index if known is None else min(max(operator.index(known), 0), len(branches) - 1)
    return choose(origin, index, [f"branches[{k}]" for k in range(len(branches))], branches, operands)


def sole(origin: str, operands: tuple[Any, ...], operand: Any) -> tuple[Any]:
    """The one operand, given by name."""
    if operands:
        raise TypeError(f"{origin}: operands were given both by position and as operand=; give them by position")
    return (operand,)


def of_own_operands(pred: Any, x: Any, true_fun: Any, y: Any, false_fun: Any) -> Any:
    """JAX's older form, `cond(pred, true_operand, true_fun, false_operand, false_fun)`."""
    requirements.function("cond", "true_fun", true_fun)
    return cond(
        pred,
        functools.wraps(true_fun)(lambda x, y: true_fun(x)),
        functools.wraps(false_fun)(lambda x, y: false_fun(y)),
        x,
        y,
    )


def choose(
    origin: str, index: Any, names: Sequence[str], branches: Sequence[Callable[..., Any]], operands: tuple[Any, ...]
) -> Any:
    """Call the branch if the index is known and no program is being written, else write all branches down."""
    if not isinstance(index, Tracer) and not is_staging():
        with deep():
            return branches[index](*operands)
    leaves, in_tree = tree.flatten(operands)
    for k, x in enumerate(leaves):
        requirements.number(origin, lambda k=k: f"operand{tree.keystr(tree.leaves_with_path(operands)[k][0])}", x)
    leaves = [as_array(x) for x in leaves]
    flats = [Flat(f, in_tree, False) for f in branches]
    programs = [close(f, list(map(aval_of, leaves)), origin, WholeTrace) for f in flats]
    for name, f, (program, _) in zip(names, flats, programs, strict=True):
        check_alike(origin, names[0], flats[0], programs[0][0], name, f, program)
    free, jaxprs = shared(programs)
    index = index if isinstance(index, Tracer) else np.intp(index)
    return flats[0].unflatten(cond_p.bind(index, *free, *leaves, branches=jaxprs))


def check_alike(
    origin: str, first_name: str, first: Flat, first_program: Jaxpr, name: str, other: Flat, program: Jaxpr
) -> None:
    """TypeError unless two branches return trees of the same type."""
    if first.out_tree != other.out_tree:
        one, two = (f.unflatten(list(range(f.out_tree.num_leaves))) for f in (first, other))
        raise TypeError(
            f"{origin}: the branches must return trees of one structure, but "
            f"{requirements.unlike(one, two, f'{first_name} returned', name)}"
        )
    paths = tree.leaves_with_path(first.unflatten(list(range(len(program.outputs)))))
    for (path, _), a, b in zip(paths, first_program.out_avals, program.out_avals, strict=True):
        if a != b:
            where = f" at `{tree.keystr(path)}`" if path else ""
            raise TypeError(
                f"{origin}: the branches must return equal shapes and dtypes, but{where} {first_name} returned {a}, "
                f"and {name} {b}; broadcast or convert one of them (numpy.broadcast_to, astype)"
            )


def shared(programs: Sequence[tuple[Jaxpr, list[Any]]]) -> tuple[list[Any], tuple[Jaxpr, ...]]:
    """All traced values that any of the programs closes over, and the programs as programs of all of them."""
    free: list[Any] = []
    for _, values in programs:
        free += [x for x in values if not any(x is y for y in free)]
    jaxprs = []
    for program, values in programs:
        own = {id(x): v for x, v in zip(values, program.inputs, strict=False)}
        leading = [own.get(id(x)) or Var(aval_of(x)) for x in free]
        jaxprs.append(Jaxpr([*leading, *program.inputs[len(values) :]], program.consts, program.eqns, program.outputs))
    return free, tuple(jaxprs)
