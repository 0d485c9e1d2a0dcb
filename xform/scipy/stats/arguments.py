"""The arguments of a distribution's methods: shape parameters by position or name, then loc and scale.

A method given plain arrays is SciPy's. On traced values it is a rule, to which they come in double precision, as to
SciPy's. Parameters that no distribution has make every value nan.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import scipy.stats

from xform.core.aval import shape_of
from xform.core.trace import underlying
from xform.numpy.dispatch import as_dtype, asarray, has_tracer
from xform.ops.select import select

__all__ = ["Family", "chosen", "method"]

#: a function of the shape parameters
OfShapes = Callable[..., Any]


def positive(*shapes: Any) -> Any:
    """The condition that most parameters obey."""
    valid: Any = True
    for s in shapes:
        valid = np.logical_and(valid, s > 0)
    return valid


class Family:
    """A family of distributions with SciPy's name and the names of its shape parameters, `valid` where they are."""

    #: what follows the shape parameters, with its default
    location: ClassVar[dict[str, float]]
    #: the names of the methods
    methods: ClassVar[tuple[str, ...]]

    def __init__(self, name: str, shapes: str, valid: OfShapes) -> None:
        self.name, self.shapes, self.valid = name, tuple(shapes.split()), valid
        self.__doc__ = f"scipy.stats.{name}: its methods are differentiable in all arguments, {', '.join(self.names)}."

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.shapes, *self.location)

    def __repr__(self) -> str:
        return f"xform.scipy.stats.{self.name}"

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """The distribution of the family with these parameters, whose methods take the argument only.

        >>> from xform.scipy.stats import norm
        >>> float(norm(1.0, scale=2.0).cdf(1.0))
        0.5
        """
        self.bind("__call__", args, kwds)
        return Frozen(self, args, kwds)

    def bind(self, method: str, args: Sequence[Any], kwds: dict[str, Any]) -> list[Any]:
        """The parameters in their order; TypeError if one is missing, unknown, given twice or complex."""
        title = f"{self.name}.{method}"
        if len(args) > len(self.names):
            raise TypeError(f"{title}: {len(args)} parameters were given, wanted {', '.join(self.names)}")
        given = dict(zip(self.names, args, strict=False))
        for name, value in kwds.items():
            if name not in self.names or name in given:
                problem = "given twice" if name in given else "unknown"
                raise TypeError(f"{title}: the parameter '{name}' is {problem}; wanted {', '.join(self.names)}")
            given[name] = value
        missing = [name for name in self.shapes if name not in given]
        if missing:
            raise TypeError(f"{title}() missing {len(missing)} required argument(s): {', '.join(missing)}")
        return [double(title, (self.location | given)[name]) for name in self.names]


class Frozen:
    """A family with its parameters: `norm(loc, scale).pdf(x)` is `norm.pdf(x, loc, scale)`."""

    def __init__(self, family: Family, args: Sequence[Any], kwds: dict[str, Any]) -> None:
        self.family, self.args, self.kwds = family, args, kwds

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name not in self.family.methods:
            raise AttributeError(f"{self.family} has no method '{name}'; it has {', '.join(self.family.methods)}")
        of_family = getattr(self.family, name)
        return lambda x: of_family(x, *self.args, **self.kwds)


def double(title: str, x: Any) -> Any:
    x = asarray(x)
    if x.dtype.kind == "c":
        raise TypeError(f"{title}: a complex argument was given; distributions are of real numbers")
    return as_dtype(x, np.float64)


def method(rule: Callable[..., Any]) -> Any:
    """Decorator: SciPy's method of the same name, and on traced values `rule(self, x, shapes, *location)`."""
    name = rule.__name__

    @functools.wraps(rule)
    def either(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
        if not has_tracer((x, *args), kwds):
            return getattr(getattr(scipy.stats, self.name), name)(x, *args, **kwds)
        values = self.bind(name, args, kwds)
        count = len(self.shapes)
        with np.errstate(all="ignore"):
            return rule(self, double(f"{self.name}.{name}", x), values[:count], *values[count:])

    return either


def chosen(condition: Any, value: Any, otherwise: Callable[[], Any]) -> Any:
    """The value where the condition holds; itself, if that is known to be everywhere."""
    known = underlying(condition)
    everywhere = known is not None and bool(np.all(known))
    if everywhere and np.broadcast_shapes(shape_of(condition), shape_of(value)) == shape_of(value):
        return value
    return select(condition, value, otherwise())
