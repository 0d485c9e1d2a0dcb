"""SciPy's functions, differentiable: SciPy computes the values, the rules are here.

The modules have the names of SciPy's, and are loaded when they are first used: `special`, `linalg`, `stats`, ...
A SciPy ufunc called on traced values, as in `scipy.special.erf(x)`, finds its rules by itself.
"""

from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec
from pkgutil import iter_modules as _iter_modules
from typing import Any as _Any

if _find_spec("scipy") is None:
    raise ImportError(
        "xform.scipy needs SciPy, which is not installed; install it with pip install 'xform[scipy]', "
        "or pip install scipy",
        name="scipy",
    )


def __getattr__(name: str) -> _Any:
    """A module of this package, loaded when it is first used."""
    if name not in __dir__():
        raise AttributeError(f"module 'xform.scipy' has no attribute '{name}'; it has {', '.join(__dir__())}")
    return _import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted(m.name for m in _iter_modules(__path__) if m.ispkg)
