"""What is written into the result of a function changes its arguments if NumPy's result is a view, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.numpy.surface.checks import reference_call, traced_call
from tests.numpy.surface.table import SAMPLES
from xform import tree
from xform.core.trace import Tracer

#: what is written: a value that no sample has
MARK = 77.0

READ_ONLY = "read-only"
#: what is known to be zero is a new array, and may be written into
DIFFERENT = ("imag(f8[3])",)


def written(f: Any, operands: Any) -> list[list[Any]]:
    """For each array among the results: the operands after its last entry was written, or why it was not."""
    found = []
    for k in range(len(arrays(f(*operands())))):
        xs = operands()
        y = arrays(f(*xs))[k]
        try:
            y[(-1,) * y.ndim] = MARK
        except (ValueError, DeprecationWarning):  # the latter where entries of a view are one and the same
            found.append([READ_ONLY])
        else:
            found.append([values(x) for x in (*xs, y)])
    return found


def arrays(out: Any) -> list[Any]:
    return [y for y in tree.leaves(out) if isinstance(y, np.ndarray | Tracer) and y.ndim and y.size and is_number(y)]


def is_number(y: Any) -> bool:
    return y.dtype.kind in "fc"


def values(x: Any) -> Any:
    return np.asarray(x.concrete() if isinstance(x, Tracer) else x).tolist()


def traced(f: Any, operands: Any) -> Any:
    """The same inside a transformation."""
    found: list[Any] = []

    def inside(seed: Any) -> Any:
        def copies() -> list[Any]:
            return [xnp.array(seed * 0 + x) if x.dtype.kind in "fc" else x.copy() for x in operands]

        found.append(written(f, copies))
        return seed

    xform.jvp(inside, (1.0,), (1.0,))
    return found[0]


CASES = [
    pytest.param(name, sample, id=f"{name}{sample}")
    for name, samples in SAMPLES.items()
    for sample in samples
    if any(x.dtype.kind in "fc" for x in sample.operands) and f"{name}{sample}" not in DIFFERENT
]


@pytest.mark.parametrize("name, sample", CASES)
def test_views_are_those_of_numpy(name, sample):
    with np.errstate(all="ignore"):
        wanted = written(reference_call(name, sample), lambda: [x.copy() for x in sample.operands])
        assert_equal(traced(traced_call(name, sample), sample.operands), wanted)


def assert_equal(found: Any, wanted: Any) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if READ_ONLY in (a[0], b[0]):
            assert a == b
        else:
            for x, y in zip(a[:-1], b[:-1], strict=True):
                np.testing.assert_array_equal(np.array(x) == MARK, np.array(y) == MARK)
