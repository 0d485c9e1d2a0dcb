"""Composable function transformations for NumPy programs."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from xform import debug as debug
from xform import numpy as numpy
from xform import tree as tree
from xform import tree_util as tree_util
from xform.control.callbacks.callback import io_callback, pure_callback
from xform.control.checkpointing import policies as checkpoint_policies
from xform.control.checkpointing.checkpoint import checkpoint
from xform.control.checkpointing.policies import checkpoint_name
from xform.control.custom.closure import closure_convert
from xform.control.custom.doors import custom_gradient, custom_jvp, custom_vjp, custom_vmap
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

if _TYPE_CHECKING:
    from xform import lax as lax

remat = checkpoint

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
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "closure_convert",
    "config",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "custom_vmap",
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
    "remat",
    "sparsity_pattern",
    "tree",
    "tree_util",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> _Any:
    """A room that is loaded when it is first used."""
    if name == "lax":
        return _import_module(f"xform.{name}")
    raise AttributeError(f"module 'xform' has no attribute '{name}'")
