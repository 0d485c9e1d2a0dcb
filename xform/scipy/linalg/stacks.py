"""SciPy's functions of one matrix, applied to each of a stack; and the arguments that they take.

SciPy's functions check that numbers are finite (`check_finite`) and may overwrite their arguments; with traced ones
nothing is overwritten, and numbers are not looked at. So those options are taken and have no effect.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.ops.linear_algebra.matrix import Stacked, as_column
from xform.ops.structure import broadcast_to, reshape

#: imaginary parts up to so many units of rounding are taken for rounding errors, as in SciPy
ROUNDING = {"f": 1e3, "d": 1e6}


class Looped(Stacked):
    """A function of matrices of which SciPy knows how to do one; a member writes `one`."""

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        """The values for single matrices, none of them empty."""
        raise NotImplementedError

    def numpy(self, *arrays: Any, **params: Any) -> list[Any]:
        outs = self.abstract(*map(aval_of, arrays), **params)
        results = [np.zeros(out.shape, out.dtype) for out in outs]
        if not any(y.size for y in results):
            return results
        for place in np.ndindex(arrays[0].shape[:-2]):
            for y, value in zip(results, self.one(*(x[place] for x in arrays), **params), strict=True):
                y[place] = narrowed(self.name, value, y.dtype)
        return results


def narrowed(name: str, value: Any, dtype: np.dtype) -> Any:
    """A result in the dtype that was announced, which a complex one of real arguments may not have."""
    if np.iscomplexobj(value) and dtype.kind != "c":
        rounding = ROUNDING[dtype.char] * np.finfo(dtype).eps * np.max(np.abs(value), initial=0)
        if (np.abs(np.imag(value)) > rounding).any():
            raise ValueError(
                f"{name}: the result for this real matrix is complex, but that of a traced real matrix is taken to be "
                "real; pass a complex matrix, A.astype(complex)"
            )
        value = np.real(value)
    return value


def common_lead(name: str, *operands: Aval) -> tuple[int, ...]:
    """The leading axes that all operands of a primitive have."""
    leads = {x.shape[:-2] for x in operands}
    if len(leads) > 1:
        raise ValueError(f"{name}: operands {', '.join(map(str, operands))} were given; wanted the same leading axes")
    return leads.pop()


def aligned(*matrices: Any) -> list[Any]:
    """Stacks whose leading axes broadcast, with the same leading axes."""
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in matrices))
    return [broadcast_to(x, (*lead, *x.shape[-2:])) for x in matrices]


def columns_of(b: Any) -> Any:
    """A right-hand side as a matrix: a vector is one column."""
    return as_column(b) if len(b.shape) == 1 else b


def like_right_side(x: Any, b: Any) -> Any:
    """The solution for `columns_of(b)` in the form of b."""
    return reshape(x, shape=x.shape[:-1]) if len(b.shape) == 1 else x
