"""Programs compiled to C give what their evaluation gives: every primitive, small and large, and compositions."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest

import xform
from tests.compile.c_agreement import Case, agree_together, agrees
from tests.compile.c_programs import PROGRAMS
from tests.samples import SAMPLES
from tests.samples.base import Sample
from xform import grad, jacfwd, jacrev, jvp, make_jaxpr, vjp, vmap
from xform.compile.c.text.helpers import C_TYPES
from xform.compile.passes import optimise
from xform.core.aval import aval_of
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var
from xform.core.stage import stage
from xform.ops.elementwise import Elementwise
from xform.scipy.special.table import ScipyFunction

#: samples that are compiled as one program
AT_ONCE = 24


def chunks(samples: list[Any]) -> list[Any]:
    """Parameters of a test: samples of one primitive, some at a time."""
    found = []
    for name, group in groupby(samples, key=lambda s: s.prim.name):
        members = list(group)
        found += [pytest.param(members[k : k + AT_ONCE], id=f"{name}{k}") for k in range(0, len(members), AT_ONCE)]
    return found


def staged(s: Sample) -> Case:
    arrays = [s.args[k] for k in s.arrays]
    return stage(s.function(s.arrays), list(map(aval_of, arrays))), arrays


def has_c_types(s: Sample) -> bool:
    """Half precision, for one, has no type in C."""
    return all(aval_of(s.args[k]).dtype.name in C_TYPES for k in s.arrays)


def is_called_back(s: Sample) -> bool:
    """Is it one of the many functions of SciPy that a program calls, all in the same way?"""
    return isinstance(s.prim, ScipyFunction) and s.prim.c is None and s.prim.name != "jv"


WRITTEN = [s for s in SAMPLES if has_c_types(s) and not is_called_back(s)]


@pytest.mark.parametrize("samples", chunks(WRITTEN))
def test_samples(samples):
    agree_together(list(map(staged, samples)), list(map(str, samples)), ulps=8)


# --- the same operations entry by entry on larger arrays ---

#: shapes of the operands, in turn: registers, loops, batches of small arrays, and what broadcasts
SHAPES = [
    [(300,)], [(7, 40)], [(200, 3)], [(3, 4, 50)], [(7, 40), (40,)], [(200, 1), (200, 3)], [(4, 50), (3, 1, 50)],
    [(), (300,)], [(1, 9), (9, 1)], [(3,), (3, 3)], [(2, 0, 3)], [(1, 1, 17), ()], [(16, 1, 2), (1, 5, 1)], [(13,)],
]  # fmt: skip

ENTRYWISE = [s for s in WRITTEN if isinstance(s.prim, Elementwise) and all(np.size(x) for x in s.args)]


def resized(s: Sample, turn: int) -> Case:
    """The operation of a sample on arrays of other shapes, of the numbers of the sample."""
    shapes = SHAPES[turn % len(SHAPES)]
    args = list(s.args)
    for k in s.arrays:
        args[k] = np.resize(np.ravel(s.args[k]), shapes[k % len(shapes)])[()]
    inputs = [Var(aval_of(args[k])) for k in s.arrays]
    variables = iter(inputs)
    atoms = [next(variables) if k in s.arrays else Literal(x) for k, x in enumerate(args)]
    outputs = [Var(a) for a in s.prim.abstract(*(a.aval for a in atoms), **s.params)]
    return Jaxpr(inputs, [], [Eqn(s.prim, atoms, s.params, outputs)], outputs), [args[k] for k in s.arrays]


@pytest.mark.parametrize("samples", chunks(ENTRYWISE))
def test_entrywise_on_larger_arrays(samples):
    turns = [zlib.crc32(str(s).encode()) for s in samples]
    cases = [resized(s, turn) for s, turn in zip(samples, turns, strict=True)]
    agree_together(cases, [f"{s} on {SHAPES[t % len(SHAPES)]}" for s, t in zip(samples, turns, strict=True)], ulps=8)


# --- what is made of programs ---


def size(tree: Any) -> Any:
    """A real number that depends on all inexact leaves."""
    leaves = [y for y in xform.tree.leaves(tree) if np.result_type(y).kind in "fc"]
    return sum((np.sum(np.real(y * y)) for y in leaves), 0.0)


def pulled(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(*xs: Any) -> Any:
        ys, back = vjp(f, *xs)
        return back(xform.tree.map(lambda y: y if y.dtype.kind in "fc" else np.zeros(y.shape, xform.float0), ys))

    return g


def gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    return grad(lambda *xs: size(f(*xs)))


def batched(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: vmap(f)(*(np.stack([x, x * 0.5, x + 0.1]) for x in xs))


def leading(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function of the first few entries of its first argument."""

    def g(*xs: Any) -> Any:
        flat = np.reshape(xs[0], (-1,))
        few = min(flat.size, 4)
        return lambda v: f(np.reshape(np.concatenate([v, flat[few:]]), xs[0].shape), *xs[1:]), flat[:few]

    return g


WORDS: dict[str, Callable[..., Any]] = {
    "value": lambda f: f,
    "jvp": lambda f: lambda *xs: jvp(f, xs, tuple(np.ones_like(x) for x in xs)),
    "vjp": pulled,
    "grad of grad": lambda f: gradient(gradient(f)),
    "vmap": batched,
    "vmap of vmap": lambda f: batched(batched(f)),
    "vmap of grad": lambda f: batched(gradient(f)),
    "jacfwd": lambda f: lambda *xs: (lambda g, v: jacfwd(lambda v: real_leaves(g(v)))(v))(*leading(f)(*xs)),
    "jacrev": lambda f: lambda *xs: (lambda g, v: jacrev(lambda v: real_leaves(g(v))[:1])(v))(*leading(f)(*xs)),
}


def real_leaves(tree: Any) -> list[Any]:
    return [np.real(y) for y in xform.tree.leaves(tree) if np.result_type(y).kind in "fc"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_compositions(name, word):
    f, xs = PROGRAMS[name]
    jaxpr = make_jaxpr(WORDS[word](f))(*xs)
    if word in ("value", "vjp"):
        agrees(jaxpr, *xs, scale=1.0)
    agrees(optimise(jaxpr), *xs, scale=1.0)


@pytest.mark.parametrize("shape", [(6,), (27,), (9, 3), (300,)])
def test_a_number_beside_unsigned_integers(shape):
    """It takes their dtype, so that the operation has a C text."""
    x = np.arange(np.prod(shape), dtype=np.uint64).reshape(shape) << np.uint64(54)
    np.testing.assert_array_equal(xform.jit(lambda x: np.right_shift(x, 12), backend="c")(x), x >> np.uint64(12))
