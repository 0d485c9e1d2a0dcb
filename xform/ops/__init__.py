"""The words: every first-order primitive, with all its rules."""

from xform.ops import (
    arithmetic,
    bits,
    collective,
    complex,
    cumulative,
    identity,
    logic,
    operators,
    recurrence,
    reduce,
    select,
    sorting,
    stack,
    structure,
    transcendental,
)
from xform.ops.contraction import contract
from xform.ops.convolution import convolve
from xform.ops.indexing import dynamic, index, scatter
from xform.ops.linear_algebra import determinant, factor, matrix, solve, spectral

__all__ = [
    "arithmetic", "bits", "collective", "complex", "contract", "convolve", "cumulative", "determinant", "dynamic",
    "factor", "identity", "index", "logic", "matrix", "operators", "recurrence", "reduce", "scatter", "select",
    "solve", "sorting", "spectral", "stack", "structure", "transcendental",
]
