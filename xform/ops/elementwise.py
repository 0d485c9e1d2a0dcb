"""The elementwise family: y[i] = f(a[i], b[i], ...), with NumPy's broadcasting and promotion.

A member is a row of a table: its name, the function that computes it, and its partial derivatives, each a function of
the result and the arguments, written in plain NumPy, which works on arrays and tracers alike. Everything else follows.
The one place that fits a tangent to the result's shape and dtype, and a cotangent to an operand's, is here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xform.core.aval import Aval, shape_of
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear, Primitive, Zero, is_zero
from xform.core.trace import Tracer, underlying
from xform.ops.c_text import OperandType, fill, loop_of, template_of
from xform.ops.family import Opaque, union_pattern
from xform.ops.structure import broadcast_to, convert, reshape, sum_to

Partial = Callable[..., Any] | complex | None

#: elementwise primitives by the NumPy ufunc that they differentiate
BY_UFUNC: dict[np.ufunc, Primitive] = {}


class Elementwise(Opaque):
    """A function of numbers applied to arrays, entry by entry.

    `partials` has an entry per argument: a function `(y, *args) -> dy/darg`, a number if the derivative is constant, or
    None if it is zero or does not exist (comparisons, rounding, integer arguments). `singular` says that a partial can
    be inf or nan; a zero tangent or cotangent times such a partial is zero. NumPy's floating-point warnings are
    silenced while a singular partial is computed, unless the function itself `warns` where its partial does. A
    `piecewise` function is not linear, though its partials may be constants. A ufunc has one primitive; ValueError if
    `function` is one that has it already. `c` is its C text (see `xform.ops.c_text`), which computes in the dtypes that
    the `loops` of a ufunc have, by default of its own one, else in the common dtype of the operands.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        partials: Sequence[Partial],
        *,
        ufunc: np.ufunc | None = None,
        singular: bool = False,
        warns: bool = False,
        piecewise: bool = False,
        c: str | Mapping[str, str] | None = None,
        loops: np.ufunc | None = None,
    ) -> None:
        ufunc = function if isinstance(function, np.ufunc) else ufunc
        if ufunc in BY_UFUNC and not BY_UFUNC[ufunc].replaceable():
            raise ValueError(
                f"the ufunc {ufunc.__name__} is differentiated by the primitive '{BY_UFUNC[ufunc]}' already; "
                "for another primitive of the same values pass a function that calls it"
            )
        super().__init__(name)
        self.function, self.partials = function, tuple(partials)
        self.singular, self.warns, self.piecewise = singular, warns, piecewise
        self.c, self.loops = c, loops or ufunc
        #: are the partials that are not integers functions whose value needs no guard?
        self.regular = not singular and type(self).partial is Elementwise.partial
        self.regular = self.regular and all(d is None or type(d) is int or callable(d) for d in self.partials)
        self._dtypes: dict[tuple[Any, ...], np.dtype] = {}
        if ufunc is not None:
            BY_UFUNC[ufunc] = self

    def abstract(self, *avals: Aval) -> list[Aval]:
        dtype = self.dtype_of(avals)  # first, as NumPy complains of dtypes before it looks at shapes
        return [Aval(broadcast_shapes(self.name, avals), dtype)]

    def dtype_of(self, avals: Sequence[Aval]) -> np.dtype:
        """The result's dtype, found once per combination by applying the function to the number one."""
        key = tuple(a.weak or a.dtype for a in avals)
        if key not in self._dtypes:
            ones = [a.weak(1) if a.weak else np.ones((), a.dtype) for a in avals]
            with np.errstate(all="ignore"):
                self._dtypes[key] = np.asarray(self.function(*ones)).dtype
        return self._dtypes[key]

    def numpy(self, *arrays: Any) -> list[Any]:
        try:
            return [self.function(*arrays)]
        except ValueError:
            broadcast_shapes(self.name, arrays)  # says more than NumPy's error
            raise

    def c_text(self, operands: Sequence[str], dtypes: Sequence[OperandType], out: np.dtype) -> str | None:
        """The C expression of the result's entry, of dtype `out`, from names or literals of operands of given dtypes.

        The dtype of a Python number is its type. None where there is no such text, as for half precision.
        """
        loop = loop_of(self.loops, tuple(dtypes))
        template = None if loop is None else template_of(self.c, loop)
        return None if loop is None or template is None else fill(template, operands, dtypes, loop, out)

    def partial(self, k: int, y: Any, args: Sequence[Any]) -> Any:
        """The derivative in the k-th argument, to be multiplied by a tangent or cotangent from the right."""
        d = self.partials[k]
        if not callable(d):
            return d
        if not self.singular:
            return d(y, *args)
        if self.warns:
            p = d(y, *args)
        else:
            with np.errstate(all="ignore"):
                p = d(y, *args)
        return p if is_finite(p) else Guarded(p)

    def jvp(self, primals: Any, tangents: Any) -> tuple[list[Any], list[Any]]:
        y, y_dot = self(*primals), None
        for k, x_dot in enumerate(tangents):
            if self.partials[k] is not None and not is_zero(x_dot):
                term = times(x_dot, self.partial(k, y, primals))
                y_dot = term if y_dot is None else y_dot + term
        return [y], [Zero.like(y) if y_dot is None else fit_tangent(y_dot, y)]

    def transpose(self, cotangents: list[Any], *args: Any) -> list[Any]:
        """The partials of a linear function do not depend on the arguments in which it is linear."""
        known = self.known(args)
        return [
            fit_cotangent(times(cotangents[0], self.linear_partial(k, known)), a.aval) if type(a) is Linear else None
            for k, a in enumerate(args)
        ]

    def known(self, args: Sequence[Any]) -> list[Any]:
        """The arguments, with an `Unknown` for each one that is to be transposed."""
        linear = all(isinstance(d, int | float | complex) for d in self.partials)
        if linear and any(nonzero(a) for a in args if type(a) is not Linear):
            raise NonlinearError(f"'{self.name}' of an unknown and a constant is affine, not linear; drop the constant")
        return [Unknown(self, a.aval) if type(a) is Linear else a for a in args]

    def linear_partial(self, k: int, args: Sequence[Any]) -> Any:
        """The partial in an unknown argument, which must not depend on any unknown one."""
        p = None if self.partials[k] is None or self.piecewise else self.partial(k, Unknown(self, None), args)
        if p is None or isinstance(p, Unknown):
            raise Unknown(self, None).error()
        return p

    def batch(self, size: int, args: Any, batched: Any) -> list[Any]:
        return [self(*align_batched(args, batched))]

    def sparsity(self, patterns: Any, avals: Any) -> list[Any]:
        live = [p for p, d in zip(patterns, self.partials, strict=True) if d is not None]
        return union_pattern(live, broadcast_shapes(self.name, avals))


def times(tangent: Any, partial: Any) -> Any:
    """tangent * partial, without work for a partial of one."""
    return tangent if type(partial) is int and partial == 1 else tangent * partial


def fit_tangent(y_dot: Any, y: Any) -> Any:
    """A tangent in the shape and dtype of the value `y` (of a complex one the real part where y is real)."""
    if y_dot.shape != y.shape:
        y_dot = broadcast_to(y_dot, y.shape)
    return y_dot if y_dot.dtype is y.dtype or y_dot.dtype == y.dtype else convert(y_dot, dtype=y.dtype)


def fit_cotangent(x_bar: Any, aval: Any) -> Any:
    """A cotangent summed and cast back to an operand's shape and dtype: the transpose of `fit_tangent`."""
    if x_bar.shape != aval.shape:
        x_bar = sum_to(x_bar, aval.shape)
    return x_bar if x_bar.dtype == aval.dtype else convert(x_bar, dtype=aval.dtype)


def broadcast_shapes(name: str, avals: Sequence[Any]) -> tuple[int, ...]:
    """The common shape of the operands."""
    shapes = [shape_of(a) for a in avals]
    if all(s == shapes[0] for s in shapes):
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        given = " and ".join(map(str, shapes))
        raise ValueError(
            f"{name}: operands could not be broadcast together with shapes {given}: aligned at the right, "
            "two sizes must be equal or one of them 1; reshape an operand or index it with None"
        ) from None


def align_batched(args: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """Batched operands of lower rank get axes of size one behind the batch axis, as NumPy's broadcasting needs them."""
    ranks = [len(shape_of(x)) - b for x, b in zip(args, batched, strict=True)]
    return [
        reshape(x, shape=(x.shape[0], *(1,) * (max(ranks) - r), *x.shape[1:])) if b and r < max(ranks) else x
        for x, b, r in zip(args, batched, ranks, strict=True)
    ]


def is_finite(p: Any) -> bool:
    """Are all entries known to be finite? One pass without a temporary: a sum of squares is finite only if they are."""
    p = underlying(p)
    if p is None:
        return False
    if isinstance(p, float):  # np.float64 as well
        return math.isfinite(p)
    p = np.asarray(p)
    if p.dtype.kind == "f" and p.dtype.itemsize in (4, 8) and math.isfinite(np.vdot(p, p)):
        return True
    return bool(np.isfinite(p).all())


def nonzero(x: Any) -> bool:
    value = underlying(x)
    return value is None or bool(np.any(value))


def has_no_zero(x: Any) -> bool:
    """Is it a plain array without zeros? (The cotangent of a traced one may have zeros where it has none.)"""
    return not isinstance(x, Tracer) and bool(np.all(x))


class Guarded:
    """A partial derivative that may be inf or nan, as a right factor: zero times it is zero."""

    __slots__ = ("value",)
    __array_ufunc__ = None  # so that array * Guarded comes to __rmul__

    def __init__(self, value: Any) -> None:
        self.value = value

    def __rmul__(self, tangent: Any) -> Any:
        return tangent * self.value if has_no_zero(tangent) else mul_zero(tangent, self.value)


class GuardedTangent(Guarded):
    """The other factor of such a product: where it is zero, or the tangent is, so is the product."""

    __slots__ = ()

    def __rmul__(self, tangent: Any) -> Any:
        return mul_zeros(tangent, self.value)


class MulZero(Elementwise):
    """a * p with 0 * p = 0, also for an infinite or undefined p: linear in a, and in p."""

    guards: ClassVar[tuple[type[Guarded], type[Guarded]]] = (Guarded, GuardedTangent)

    def partial(self, k: int, y: Any, args: Sequence[Any]) -> Any:
        other = args[1 - k]
        return other if isinstance(other, Unknown) else self.guards[k](other)


class MulZeros(MulZero):
    """a * b with 0 * b = a * 0 = 0, also for an infinite or undefined other factor."""

    guards = (GuardedTangent, GuardedTangent)


def multiply_zero(a: Any, p: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(a, 0), np.zeros((), np.result_type(a, p)), np.multiply(a, p))[()]


def multiply_zeros(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        zero = np.logical_or(np.equal(a, 0), np.equal(b, 0))
        return np.where(zero, np.zeros((), np.result_type(a, b)), np.multiply(a, b))[()]


mul_zero = MulZero("mul_zero", multiply_zero, [lambda y, a, p: p, lambda y, a, p: a],
                   c={"c": "xf_mul_zero_{t}({}, {})", "b": "{} & {}", "": "({0} == 0 ? 0 : {0} * {1})"})
mul_zeros = MulZeros("mul_zeros", multiply_zeros, [lambda y, a, b: b, lambda y, a, b: a],
                     c={"c": "xf_mul_zeros_{t}({}, {})", "b": "{} & {}",
                        "": "(({0} == 0) | ({1} == 0) ? 0 : {0} * {1})"})


class Unknown:
    """Stands for a linear argument while a transpose rule asks for a partial derivative that must not depend on it.

    Only its shape and dtype are known.
    """

    __slots__ = ("aval", "prim")

    def __init__(self, prim: Elementwise, aval: Any) -> None:
        self.prim, self.aval = prim, aval

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype:
        return self.aval.dtype

    def error(self, *_: Any, **__: Any) -> Any:
        raise NonlinearError(
            f"'{self.prim.name}' is not linear in an argument that is to be transposed; "
            "linear_transpose wants a linear function (differentiate other functions with vjp)"
        )

    __array_ufunc__ = __array_function__ = error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = error
    __pow__ = __rpow__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = error  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

