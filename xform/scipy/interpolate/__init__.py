"""Interpolation with `scipy.interpolate`'s names: differentiable in the query points, the values and the grid."""

from xform.scipy.interpolate.barycentric import BarycentricInterpolator, barycentric_interpolate
from xform.scipy.interpolate.bsplines import BSpline
from xform.scipy.interpolate.cubic_spline import CubicSpline
from xform.scipy.interpolate.grids import RegularGridInterpolator, interpn
from xform.scipy.interpolate.hermite import (
    Akima1DInterpolator,
    CubicHermiteSpline,
    PchipInterpolator,
    pchip_interpolate,
)
from xform.scipy.interpolate.interpolating import make_interp_spline
from xform.scipy.interpolate.one_dimensional import interp1d
from xform.scipy.interpolate.piecewise import PPoly

__all__ = [
    "Akima1DInterpolator",
    "BSpline",
    "BarycentricInterpolator",
    "CubicHermiteSpline",
    "CubicSpline",
    "PPoly",
    "PchipInterpolator",
    "RegularGridInterpolator",
    "barycentric_interpolate",
    "interp1d",
    "interpn",
    "make_interp_spline",
    "pchip_interpolate",
]
