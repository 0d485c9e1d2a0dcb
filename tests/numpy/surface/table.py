"""The table of the surface: for every public name what holds, or the reason why it does not.

    name    value    jvp    vjp    second order    vmap    without derivative because

A row is made by checking it: `row(name)` raises if something does not hold. `xform.numpy` itself says which names there
are, so that a new one without samples is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

import xform.numpy as xnp
from tests.numpy.surface import creating, elementwise, files, products, reducing, shaping
from tests.numpy.surface.base import Sample
from tests.numpy.surface.checks import (
    EAGER,
    UNKNOWN,
    check_batch,
    check_derivatives,
    check_unchanged,
    check_value,
    reference_call,
    refuses,
)
from tests.numpy.surface.reasons import (
    CONSTANT,
    INTEGERS,
    NEEDS_VALUES,
    NO_DERIVATIVE,
    NO_ENTRIES,
    NO_OPERAND,
    NO_VMAP,
    TEXT,
    by_name,
)
from xform import tree

ROOMS = ("linalg", "fft", "emath")
SAMPLES: dict[str, list[Sample]] = {}
for room in (elementwise, reducing, shaping, products, creating, files):
    SAMPLES.update(room.SAMPLES)

#: names that NumPy has given up, with what they stood for
GIVEN_UP = {"ComplexWarning": np.exceptions.ComplexWarning, "complex_": np.complex128, "float_": np.float64}

REASONS, UNMAPPED = by_name(NO_DERIVATIVE), by_name(NO_VMAP)


@dataclass(frozen=True)
class Row:
    """What was checked: the number of calls whose values agree, and whether there are derivatives and vmap."""

    name: str
    calls: int
    derivatives: bool
    vmap: bool
    reason: str

    def cells(self) -> tuple[str, ...]:
        tick = {True: "yes", False: ""}
        return (
            self.name,
            str(self.calls or ""),
            *[tick[self.derivatives]] * 3,
            tick[self.vmap],
            self.reason,
        )


def names() -> list[str]:
    """The public names of xform.numpy and of its rooms."""
    found = [name for name in xnp.__all__ if name not in ROOMS]
    for room in ROOMS:
        if hasattr(xnp, room):
            found += [f"{room}.{name}" for name in getattr(xnp, room).__all__]
    return found


def is_constant(name: str) -> bool:
    """A number, a dtype, a class or a module: nothing to be called with arrays."""
    value = attrgetter(name)(xnp)
    return name not in SAMPLES and (not callable(value) or isinstance(value, type))


def row(name: str, order: int = 2) -> Row:
    """Check a name, and say what holds. Raises AssertionError or the error of the call."""
    if is_constant(name):
        assert attrgetter(name)(xnp) is (GIVEN_UP[name] if name in GIVEN_UP else attrgetter(name)(np))
        return Row(name, 0, False, False, CONSTANT)
    samples = SAMPLES[name]
    reason = REASONS.get(name, "")
    for sample in samples:
        check_values(name, sample, reason)
    mapped = [s for s in samples if s.operands and not s.eager] if may_map(name, reason) else []
    for sample in mapped:
        check_batch(name, sample)
    if reason:
        check_reason(name, samples, reason)
    else:
        check_all_derivatives(name, samples, order)
    return Row(name, len(samples), not reason, bool(mapped), " ".join(filter(None, [reason, unmapped(name)])))


def unmapped(name: str) -> str:
    return f"({UNMAPPED[name]})" if name in UNMAPPED else ""


def may_map(name: str, reason: str) -> bool:
    return name not in UNMAPPED and reason not in (NO_ENTRIES, NO_OPERAND, TEXT)


def check_values(name: str, sample: Sample, reason: str) -> None:
    eager = sample.eager or name in UNMAPPED
    doors = EAGER if eager or reason == TEXT else EAGER | UNKNOWN
    (check_unchanged if reason in (NO_ENTRIES, TEXT) else check_value)(name, sample, doors)
    if eager and sample.operands:
        refuses(name, sample)


def check_all_derivatives(name: str, samples: Iterable[Sample], order: int) -> None:
    active = [s for s in samples if any(is_inexact(x) for x in s.operands)]
    assert active, f"{name} has no sample with numbers in which it could be differentiated"
    for sample in active:
        check_derivatives(name, sample, order)


def check_reason(name: str, samples: Iterable[Sample], reason: str) -> None:
    """A reason for having no derivative must be true."""
    for sample in samples:
        f, xs = reference_call(name, sample), sample.operands
        if reason == INTEGERS:
            assert not any(is_inexact(y) for y in tree.leaves(f(*xs)))
        elif reason == NO_OPERAND:
            assert not any(is_inexact(x) for x in xs)
        elif reason == NO_ENTRIES:
            moved = [1.1 * x if is_inexact(x) else x for x in xs]
            moved = [a.astype(x.dtype) for a, x in zip(moved, xs, strict=True)]
            assert str(f(*moved)) == str(f(*xs))
        else:
            assert reason == TEXT
            assert isinstance(f(*xs), str)


def is_inexact(x: Any) -> bool:
    return np.asarray(x).dtype.kind in "fc"


HEADER = ("name", "calls", "jvp", "vjp", "order 2", "vmap", "no derivative / no vmap because")


def markdown(rows: Iterable[Row]) -> str:
    """The table as text for a notebook."""
    lines = [HEADER, ("---",) * len(HEADER), *(r.cells() for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Names by what holds for them."""
    groups: dict[str, list[str]] = {}
    for r in rows:
        what = r.reason if r.reason and not r.derivatives else "derivatives of both orders in both modes"
        if r.derivatives:
            what += ", vmap" if r.vmap else f", no vmap: {NEEDS_VALUES}" if r.name in UNMAPPED else ""
        groups.setdefault(what, []).append(r.name)
    return groups
