"""Composable function transformations for NumPy programs."""

from xform import debug as debug
from xform import numpy as numpy
from xform import tree as tree
from xform import tree_util as tree_util
from xform.control.callback import io_callback, pure_callback
from xform.core.aval import Aval, ShapeDtypeStruct, float0
from xform.core.errors import (
    ConcretizationError,
    LeakedTracerError,
    MissingRuleError,
    NonFiniteError,
    NonlinearError,
    TracerAssignmentError,
    XformError,
)
from xform.core.jaxpr import Jaxpr
from xform.core.stage import eval_shape, make_jaxpr
from xform.debugging import checking_leaks, config, debug_infs, debug_nans, full_tracebacks
from xform.transforms.derivatives import grad, value_and_grad
from xform.transforms.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from xform.transforms.jet import jet
from xform.transforms.jvp import jvp
from xform.transforms.linearize import linearize
from xform.transforms.sparsity import sparsity_pattern
from xform.transforms.vjp import linear_transpose, vjp
from xform.transforms.vmap import vmap

__all__ = [
    "Aval",
    "ConcretizationError",
    "Jaxpr",
    "LeakedTracerError",
    "MissingRuleError",
    "NonFiniteError",
    "NonlinearError",
    "ShapeDtypeStruct",
    "TracerAssignmentError",
    "XformError",
    "checking_leaks",
    "config",
    "debug",
    "debug_infs",
    "debug_nans",
    "eval_shape",
    "float0",
    "full_tracebacks",
    "grad",
    "hessian",
    "hvp",
    "io_callback",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jvp",
    "linear_transpose",
    "linearize",
    "make_jaxpr",
    "numpy",
    "pure_callback",
    "sparsity_pattern",
    "tree",
    "tree_util",
    "value_and_grad",
    "vjp",
    "vmap",
]
