"""Programs compiled to C give what their evaluation gives: every primitive, small and large, and what is made of them."""

from __future__ import annotations

import zlib
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from tests.compile.c_agreement import Case, agree_together
from tests.samples import SAMPLES
from tests.samples.base import Sample
from xform.core.aval import aval_of
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var
from xform.core.stage import stage
from xform.ops.elementwise import Elementwise

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


@pytest.mark.parametrize("samples", chunks(SAMPLES))
def test_samples(samples):
    agree_together(list(map(staged, samples)), list(map(str, samples)), ulps=8)


# --- the same operations entry by entry on larger arrays ---

#: shapes of the operands, in turn: registers, loops, batches of small arrays, and what broadcasts
SHAPES = [
    [(300,)], [(7, 40)], [(200, 3)], [(3, 4, 50)], [(7, 40), (40,)], [(200, 1), (200, 3)], [(4, 50), (3, 1, 50)],
    [(), (300,)], [(1, 9), (9, 1)], [(3,), (3, 3)], [(2, 0, 3)], [(1, 1, 17), ()], [(16, 1, 2), (1, 5, 1)], [(13,)],
]  # fmt: skip

ENTRYWISE = [s for s in SAMPLES if isinstance(s.prim, Elementwise) and all(np.size(x) for x in s.args)]


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
