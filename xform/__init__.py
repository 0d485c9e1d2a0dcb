"""Composable function transformations for NumPy programs."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from xform import numpy as numpy
from xform import tree as tree
from xform import tree_util as tree_util
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
from xform.ops.providers import PROVIDERS as _PROVIDERS
from xform.transforms.derivatives import grad, value_and_grad
from xform.transforms.jacobians import hessian, hvp, jacfwd, jacobian, jacrev
from xform.transforms.jet import jet
from xform.transforms.jvp import jvp
from xform.transforms.linearize import linearize
from xform.transforms.sparsity import sparsity_pattern
from xform.transforms.vjp import linear_transpose, vjp
from xform.transforms.vmap import vmap

if _TYPE_CHECKING:
    from xform import debug as debug
    from xform import finite_differences as finite_differences
    from xform import flatten_util as flatten_util
    from xform import lax as lax
    from xform import linear_solvers as linear_solvers
    from xform import nn as nn
    from xform import random as random
    from xform import scipy as scipy
    from xform import testing as testing
    from xform.compile.pipeline import backends
    from xform.control.callbacks.callback import io_callback, pure_callback
    from xform.control.checkpointing import policies as checkpoint_policies
    from xform.control.checkpointing.checkpoint import checkpoint, remat
    from xform.control.checkpointing.policies import checkpoint_name
    from xform.control.custom.closure import closure_convert
    from xform.control.custom.doors import custom_gradient, custom_jvp, custom_vjp, custom_vmap
    from xform.control.jitting.cache import clear_caches
    from xform.control.jitting.jit import disable_jit, jit
    from xform.control.jitting.misses import explain_cache_misses

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
    "backends",
    "checking_leaks",
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "clear_caches",
    "closure_convert",
    "config",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "custom_vmap",
    "debug",
    "debug_infs",
    "debug_nans",
    "disable_jit",
    "eval_shape",
    "explain_cache_misses",
    "finite_differences",
    "flatten_util",
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
    "jit",
    "jvp",
    "lax",
    "linear_solvers",
    "linear_transpose",
    "linearize",
    "make_jaxpr",
    "nn",
    "numpy",
    "pure_callback",
    "random",
    "remat",
    "sparsity_pattern",
    "testing",
    "tree",
    "tree_util",
    "value_and_grad",
    "vjp",
    "vmap",
]


# Where the names are that are loaded when they are first used (the same as type checkers see above).
_LATER = {
    "backends": "xform.compile.pipeline",
    "checkpoint": "xform.control.checkpointing.checkpoint",
    "checkpoint_name": "xform.control.checkpointing.policies",
    "checkpoint_policies": "xform.control.checkpointing.policies",
    "clear_caches": "xform.control.jitting.cache",
    "closure_convert": "xform.control.custom.closure",
    "custom_gradient": "xform.control.custom.doors",
    "custom_jvp": "xform.control.custom.doors",
    "custom_vjp": "xform.control.custom.doors",
    "custom_vmap": "xform.control.custom.doors",
    "debug": "xform.debug",
    "disable_jit": "xform.control.jitting.jit",
    "explain_cache_misses": "xform.control.jitting.misses",
    "finite_differences": "xform.finite_differences",
    "flatten_util": "xform.flatten_util",
    "io_callback": "xform.control.callbacks.callback",
    "jit": "xform.control.jitting.jit",
    "lax": "xform.lax",
    "linear_solvers": "xform.linear_solvers",
    "nn": "xform.nn",
    "pure_callback": "xform.control.callbacks.callback",
    "random": "xform.random",
    "remat": "xform.control.checkpointing.checkpoint",
    "scipy": "xform.scipy",
    "testing": "xform.testing",
}
# Where the rules of the ufuncs of other packages are, loaded when such a ufunc first meets a traced value.
_PROVIDERS["scipy.special"] = "xform.scipy.special"


def __getattr__(name: str) -> _Any:
    """A name whose module is loaded when it is first used: the name in there, or the module itself."""
    if name not in _LATER:
        raise AttributeError(f"module 'xform' has no attribute '{name}'")
    module = _import_module(_LATER[name])
    value = globals()[name] = getattr(module, name, module)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
