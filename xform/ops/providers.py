"""Ufuncs of other packages: where their primitives are declared.

A package's ufunc that meets a tracer names no module, but the module that has it is loaded by then. The module that
declares primitives for it is known here by name only, and loaded when needed: importing xform costs nothing of it.
"""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np

#: the module that declares the primitives, by the module whose ufuncs they differentiate
PROVIDERS: dict[str, str] = {}


def provide(ufunc: np.ufunc) -> bool:
    """Load the module that declares the ufunc's primitives, if one is known: is it worth looking for them again?"""
    for theirs, ours in PROVIDERS.items():
        if getattr(sys.modules.get(theirs), ufunc.__name__, None) is ufunc:
            import_module(ours)
            return True
    return False
