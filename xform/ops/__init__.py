"""The words: every first-order primitive, with all its rules."""

from xform.ops import (
    arithmetic,
    collective,
    complex,
    contract,
    convolve,
    cumulative,
    determinant,
    dynamic,
    factor,
    index,
    logic,
    matrix,
    operators,
    recurrence,
    reduce,
    scatter,
    select,
    solve,
    sorting,
    spectral,
    stack,
    structure,
    transcendental,
)

__all__ = [
    "arithmetic", "collective", "complex", "contract", "convolve", "cumulative", "determinant", "dynamic", "factor",
    "index", "logic", "matrix", "operators", "recurrence", "reduce", "scatter", "select", "solve", "sorting",
    "spectral", "stack", "structure", "transcendental",
]
