"""The parts of the room that are loaded when they are first used, so that they cost nothing until then.

They have two doors: an attribute of `xform.numpy` that is asked for, and a function of NumPy called on a tracer.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: the modules, by their name in `xform.numpy`
MODULES = {"emath": "xform.numpy.emath", "fft": "xform.numpy.fft", "linalg": "xform.numpy.linalg"}

#: the public names in each of the other modules
PUBLIC = {
    "applying": "apply_along_axis apply_over_axes",
    "bessel": "i0 kaiser",
    "concatenators": "c_ r_",
    "convolutions": "convolve correlate",
    "differences": "diff ediff1d trapezoid",
    "fitting": "polyfit",
    "histograms": "bincount histogram histogram2d histogram_bin_edges histogramdd",
    "nans": "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar",
    "packing": "packbits unpackbits",
    "padding": "pad",
    "polynomials": "poly polyadd polyder polydiv polyint polymul polysub polyval roots vander",
    "quantiles": "median nanmedian nanpercentile nanquantile percentile quantile",
    "requirements": "asarray_chkfinite isfortran require",
    "sets": (
        "intersect1d isin setdiff1d setxor1d union1d unique unique_all unique_counts unique_inverse unique_values"
    ),
    "signals": "trim_zeros unwrap",
    "slopes": "gradient",
    "vectorizing": "vectorize",
    "writing": "copyto fill_diagonal place put put_along_axis putmask",
}

#: the modules by these names
NAMES = {name: f"xform.numpy.{module}" for module, names in PUBLIC.items() for name in names.split()}

#: the modules by the NumPy module whose functions they implement
COUNTERPARTS = {
    "numpy.fft": "xform.numpy.fft",
    "numpy.lib.scimath": "xform.numpy.emath",
    "numpy.linalg": "xform.numpy.linalg",
}


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
