"""Complex numbers: parts, conjugate and assembly. Transposes are plain, not adjoint, as is JAX's convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval
from xform.ops.c_text import OperandType, fill
from xform.ops.elementwise import BY_UFUNC, Elementwise
from xform.ops.family import Linear

# y_dot = Re(partial * x_dot) for a real result of a complex argument, so these two are rows as well
real = Elementwise("real", lambda a: np.real(a)[()], [1], c={"c": "__real__ {}", "": "{}"})
imag = Elementwise("imag", lambda a: np.imag(a)[()], [lambda y, a: -1j if a.dtype.kind == "c" else 0],
                   c={"c": "__imag__ {}", "": "0"})


def assembled(a: Any, b: Any) -> Any:
    """a + i b, entry by entry: no sum, for 0 + i inf is not nan + i inf."""
    z = np.empty(np.broadcast(a, b).shape, np.result_type(np.result_type(a, b), np.complex64))
    z.real, z.imag = a, b
    return z[()]


assemble = Elementwise("complex", assembled, [1, 1j], c=dict.fromkeys("fiub", "__builtin_complex(({R}){}, ({R}){})"))


class Conjugate(Linear):
    """conj: linear over the reals only, and its own transpose."""

    def abstract(self, x: Aval) -> list[Aval]:
        return [x.with_dtype(np.int8 if x.dtype.kind == "b" else x.dtype)]

    def numpy(self, x: Any) -> list[Any]:
        return [np.conjugate(x)]

    def c_text(self, operands: Sequence[str], dtypes: Sequence[OperandType], out: np.dtype) -> str | None:
        return fill("__builtin_conj{s}({})" if out.kind == "c" else "{}", operands, dtypes, (out,), out)

    def transpose(self, cotangents: Any, x: Any) -> list[Any]:
        return [self(cotangents[0])]

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return self.bind(*args)


conjugate = Conjugate("conj")
BY_UFUNC[np.conjugate] = conjugate
