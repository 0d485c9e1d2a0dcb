"""Does a program compiled to C give what its evaluation gives?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import xform
from xform.compile.c.backend import build
from xform.core.jaxpr import Jaxpr, evaluate

Case = tuple[Jaxpr, Sequence[Any]]


def close(y: Any, wanted: Any, ulps: float = 32, name: str = "", scale: float = 0.0, eps: float = 0.0) -> None:
    """The same kind of value, shape and dtype; numbers up to a few roundings of what is largest, or of `scale`.

    nan, inf and the sign of zeros are at the same places.
    """
    is_array = np.ndim(wanted) > 0 or np.result_type(wanted) == xform.float0
    assert isinstance(y, np.ndarray if is_array else np.generic), (name, type(y))
    y, wanted = np.asarray(y), np.asarray(wanted)
    assert (y.shape, y.dtype) == (wanted.shape, wanted.dtype), (name, y.shape, y.dtype, wanted.shape, wanted.dtype)
    if y.dtype.kind not in "fc":
        np.testing.assert_array_equal(y, wanted, err_msg=name)
        return
    tolerance = ulps * max(eps, float(np.finfo(y.dtype).eps))
    size = float(np.max(np.abs(wanted[np.isfinite(wanted)]), initial=scale))
    if y.dtype.kind == "c":
        close_numbers(y.real, wanted.real, tolerance, size, name)
        close_numbers(y.imag, wanted.imag, tolerance, size, name)
    else:
        close_numbers(y, wanted, tolerance, size, name)


def close_numbers(y: np.ndarray, wanted: np.ndarray, tolerance: float, size: float, name: str) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, wanted, rtol=tolerance, atol=min(tolerance * size, 1e300), err_msg=name)
    zero = (wanted == 0) & (y == 0)
    np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(wanted[zero]), err_msg=f"signs of zeros of {name}")


def coarsest(jaxpr: Jaxpr) -> float:
    """The rounding error of the least precise numbers in a program."""
    dtypes = [v.aval.dtype for e in jaxpr.eqns for v in (*e.inputs, *e.outputs)]
    return max((float(np.finfo(d).eps) for d in dtypes if d.kind in "fc"), default=0.0)


def agrees(jaxpr: Jaxpr, *args: Any, ulps: float = 32, names: Sequence[str] | None = None, scale: float = 0.0) -> str:
    """The compiled program gives what the evaluation gives, twice, and leaves its arguments alone; its text.

    `scale` is the size of intermediate values, the roundings of which show in smaller results.
    """
    built = build(jaxpr)
    assert built.backend == "c"
    before = [np.array(x) for x in args]
    with np.errstate(all="ignore"):
        wanted = evaluate(jaxpr, *map(native, args))
    eps = coarsest(jaxpr) if scale else 0.0
    for _ in range(2):
        outs = built(*args)
        assert len(outs) == len(wanted)
        for k, (y, z) in enumerate(zip(outs, wanted, strict=True)):
            close(y, z, ulps, names[k] if names else f"output {k}", scale, eps)
    for x, copy in zip(args, before, strict=True):
        np.testing.assert_array_equal(x, copy)
    return built.source


def native(x: Any) -> Any:
    """In the machine's byte order, as all results of compiled programs are."""
    return x.astype(x.dtype.newbyteorder("="), copy=False) if isinstance(x, np.ndarray) else x


def fails_alike(jaxpr: Jaxpr, *args: Any) -> Exception:
    """The compiled program raises what the evaluation raises; the exception of the former."""
    with np.errstate(all="ignore"):
        expected = raised(lambda: evaluate(jaxpr, *args))
    built = build(jaxpr)
    for _ in range(2):
        found = raised(lambda: built(*args))
    assert type(found) is type(expected), (found, expected)
    return found


def raised(f: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception, match=r"\S") as found:
        f()
    return found.value


def joined(cases: Sequence[Case]) -> Case:
    """Independent programs as one: they are compiled, and scheduled, together."""
    inputs = [v for jaxpr, _ in cases for v in jaxpr.inputs]
    consts = [c for jaxpr, _ in cases for c in jaxpr.consts]
    eqns = [e for jaxpr, _ in cases for e in jaxpr.eqns]
    outputs = [v for jaxpr, _ in cases for v in jaxpr.outputs]
    return Jaxpr(inputs, consts, eqns, outputs), [x for _, args in cases for x in args]


def agree_together(cases: Sequence[Case], names: Sequence[str], ulps: float = 32) -> str:
    """The programs agree when they are one; each output is named after its program."""
    program, args = joined(cases)
    named = [name for (jaxpr, _), name in zip(cases, names, strict=True) for _ in jaxpr.outputs]
    return agrees(program, *args, ulps=ulps, names=named)
