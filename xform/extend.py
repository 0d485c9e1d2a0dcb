"""The second door: what one needs to add primitives, transformations and trace-like tools to xform.

primitive                       of a function of plain arrays (SciPy, C, ...) one that can be transformed
Primitive                       the base class: one class, its rules are its methods
Elementwise, Linear, ...        families that derive nearly all rules
Trace, Tracer, context, using   the parts of a transformation
stage, evaluate, check          programs as data
implements                      what a NumPy function does on traced arrays
"""

from xform.control.custom.rules import CustomVJPPrimal
from xform.control.custom.wrap import primitive
from xform.core.aval import Aval, aval_of, float0
from xform.core.check import check
from xform.core.jaxpr import Eqn, Jaxpr, Literal, Var, eliminate_dead_code, evaluate
from xform.core.primitive import Linear as Unknown
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.series import Series, cauchy, termwise
from xform.core.stage import stage
from xform.core.trace import EVAL, Trace, Tracer, concrete, context, using
from xform.numpy.dispatch import implements
from xform.ops.elementwise import Elementwise
from xform.ops.family import Linear, Multilinear, Opaque

__all__ = [
    "EVAL",
    "Aval",
    "CustomVJPPrimal",
    "Elementwise",
    "Eqn",
    "Jaxpr",
    "Linear",
    "Literal",
    "Multilinear",
    "Opaque",
    "Primitive",
    "Series",
    "Trace",
    "Tracer",
    "Unknown",
    "Var",
    "Zero",
    "aval_of",
    "cauchy",
    "check",
    "concrete",
    "context",
    "eliminate_dead_code",
    "evaluate",
    "float0",
    "implements",
    "is_zero",
    "primitive",
    "stage",
    "termwise",
    "using",
]
