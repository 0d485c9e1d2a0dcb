"""The parts of the room that are loaded when they are first used, so that they cost nothing until then.

They have two doors: an attribute of `xform.numpy` that is asked for, and a function of NumPy called on a tracer.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: the modules, by their name in `xform.numpy`
MODULES = {"emath": "xform.numpy.emath", "fft": "xform.numpy.fft"}

#: the modules by the public names in them
NAMES = {
    **dict.fromkeys(
        ["poly", "polyadd", "polyder", "polydiv", "polyint", "polymul", "polysub", "polyval", "roots", "vander"],
        "xform.numpy.polynomials",
    ),
    **dict.fromkeys(
        ["copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"],
        "xform.numpy.writing",
    ),
    **dict.fromkeys(["asarray_chkfinite", "isfortran", "require"], "xform.numpy.requirements"),
    **dict.fromkeys(["c_", "r_"], "xform.numpy.concatenators"),
    **dict.fromkeys(["packbits", "unpackbits"], "xform.numpy.packing"),
    **dict.fromkeys(["i0", "kaiser"], "xform.numpy.bessel"),
    "polyfit": "xform.numpy.fitting",
    "vectorize": "xform.numpy.vectorizing",
}

#: the modules by the NumPy module whose functions they implement
COUNTERPARTS = {"numpy.fft": "xform.numpy.fft", "numpy.lib.scimath": "xform.numpy.emath"}


def attribute(name: str) -> Any:
    """What is `xform.numpy.<name>`; AttributeError if there is no such thing."""
    if name in MODULES:
        return import_module(MODULES[name])
    if name in NAMES:
        return getattr(import_module(NAMES[name]), name)
    raise AttributeError(f"module 'xform.numpy' has no attribute '{name}'")


def load_counterpart(function: Any) -> bool:
    """Load what implements a function of NumPy, if that is a part loaded later; is it?"""
    home = COUNTERPARTS.get(function.__module__)
    if home is None and function.__module__ == "numpy":
        home = NAMES.get(function.__name__)
    if home is not None:
        import_module(home)
    return home is not None
