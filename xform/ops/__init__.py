"""The words: every first-order primitive, with all its rules."""

from xform.ops import (
    arithmetic,
    bits,
    collective,
    complex,
    contract,
    convolve,
    cumulative,
    determinant,
    dynamic,
    factor,
    identity,
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
    "arithmetic", "bits", "collective", "complex", "contract", "convolve", "cumulative", "determinant", "dynamic",
    "factor", "identity", "index", "logic", "matrix", "operators", "recurrence", "reduce", "scatter", "select",
    "solve", "sorting", "spectral", "stack", "structure", "transcendental",
]
