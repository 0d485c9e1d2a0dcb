"""Python functions that a program calls: outside all transformations, on plain arrays of their own.

A host function has leaves for arguments and leaves for results. Its arrays are copies, so that it may write into what
it is given, keep it, or later overwrite what it returned, without changing a number of the program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of
from xform.core.errors import LeakedTracerError, describe, user_frame
from xform.core.trace import Trace, Tracer, context, using
from xform.transforms.arguments import as_array
from xform.transforms.vmap import all_leaf_names

#: what may be an operand of a callback, if its dtype is numeric
NUMBERS = (Tracer, np.ndarray, np.generic, bool, int, float, complex)


class HostFunction:
    """A function with the structure of its arguments and results, and the line of the user's program that called it.

    Leaves of the arguments that are not operands of the program (strings, ...) are `fixed`, by their positions. Without
    a structure of the results, `out_tree`, results are ignored.
    """

    __slots__ = ("fixed", "function", "in_tree", "kind", "name", "out_tree", "site", "subject")

    def __init__(
        self,
        kind: str,
        function: Callable[..., Any],
        name: str,
        subject: str,
        in_tree: Any,
        fixed: dict[int, Any],
        out_tree: Any,
    ) -> None:
        self.kind, self.function, self.name, self.subject = kind, function, name, subject
        self.in_tree, self.fixed, self.out_tree = in_tree, fixed, out_tree
        self.site = user_frame()

    @property
    def __name__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """How messages call it: what was called where."""
        where = f" at {self.site[0]}:{self.site[1]} in {self.site[2]}" if self.site else ""
        return f"{self.kind} of {self.subject}{where}"

    def __call__(self, operands: Sequence[Any], wanted: Sequence[Aval], lane: tuple[int, ...] = ()) -> list[Any]:
        """The leaves of the result, which must have the avals `wanted`; `lane` is the example of a batch, for notes."""
        try:
            with using(ground()):
                args, kwargs = tree.unflatten(self.in_tree, self.leaves(operands))
                result = self.function(*args, **kwargs)
        except Exception as error:
            error.add_note(f"Raised inside {self.origin}{f', for example {list(lane)} of vmap' if lane else ''}.")
            if isinstance(error, LeakedTracerError):
                error.add_note("A callback sees plain arrays only; pass it the traced values as arguments.")
            raise
        return self.checked(result, wanted)

    def leaves(self, operands: Sequence[Any]) -> list[Any]:
        """Copies of the operands, with the fixed leaves in their places."""
        rest = iter(operands)
        count = len(operands) + len(self.fixed)
        return [self.fixed[k] if k in self.fixed else plain(next(rest)) for k in range(count)]

    def checked(self, result: Any, wanted: Sequence[Aval]) -> list[Any]:
        """The leaves of a result that is as declared."""
        if self.out_tree is None or (result is None and not wanted):
            return []
        leaves, found = tree.flatten(result)
        if found != self.out_tree:
            raise TypeError(
                f"{self.origin} returned the tree {found}, but result_shape_dtypes declares {self.out_tree}; return "
                "what is declared, or declare what is returned"
            )
        return [self.fitted(result, k, y, aval) for k, (y, aval) in enumerate(zip(leaves, wanted, strict=True))]

    def fitted(self, result: Any, k: int, y: Any, wanted: Aval) -> Any:
        """A copy of the k-th leaf of the result, of the aval `wanted`; a Python number takes on the dtype."""
        given, remedy = described(y), "return that (numpy.asarray, astype, reshape), or declare what is returned"
        if isinstance(given, Aval):
            if given.weak and wanted.shape == () and np.can_cast(given.dtype, wanted.dtype, "same_kind"):
                return wanted.dtype.type(y)
            if given == wanted:
                return plain(y)
        elif isinstance(y, Tracer):
            remedy = "a callback sees plain arrays only; pass it the traced values as arguments"
        path = tree.keystr(tree.leaves_with_path(result)[k][0])
        raise TypeError(
            f"{self.origin} returned {given}{f' at {path}' if path else ''}, but result_shape_dtypes declares "
            f"{wanted}; {remedy}"
        )


def host_function(
    kind: str,
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    out_tree: Any = None,
    name: str | None = None,
    is_operand: Callable[[Any], bool] | None = None,
) -> tuple[HostFunction, list[Any]]:
    """The function with the structure of its arguments, and its operands; without `is_operand` every leaf must be one.

    Raises TypeError if `function` is not callable, or a leaf is not an array or a number.
    """
    if not callable(function):
        raise TypeError(f"{kind}: {type(function).__name__} {function!r:.60} was given; wanted a function to call")
    inner = underlying_function(function)
    subject = describe(inner) if name is None else f"`{name}`"
    leaves, in_tree = tree.flatten((args, kwargs))
    fixed = {} if is_operand is None else {k: x for k, x in enumerate(leaves) if not is_operand(x)}
    operands = []
    for k, x in enumerate(leaves):
        if k not in fixed:
            if not is_number(x):
                raise TypeError(
                    f"{kind} of {subject}: for {all_leaf_names(function, args, kwargs)[k]}, {type(x).__name__} "
                    f"{x!r:.60} was given; wanted an array or a number. Bind other values with functools.partial"
                )
            operands.append(scalar(as_array(x)))
    shown = name or getattr(inner, "__name__", type(inner).__name__)
    return HostFunction(kind, function, shown, subject, in_tree, fixed, out_tree), operands


def ground() -> Trace:
    """The trace below all transformations."""
    trace = context.trace
    while not trace.is_ground:
        trace = trace.parent
    return trace


def is_number(x: Any) -> bool:
    """Is it a traced value, a numeric array or a number?"""
    if not isinstance(x, NUMBERS):
        return False
    try:
        aval_of(as_array(x) if type(x) is int else x)  # an int may be too large for any dtype
    except TypeError:
        return False
    return True


def declared(kind: str, result_shape_dtypes: Any) -> tuple[tuple[Aval, ...], Any]:
    """The avals of the leaves of a declaration, and its structure; TypeError for what has no shape and dtype."""
    pairs, out_tree = tree.flatten_with_path(result_shape_dtypes)
    avals = []
    for path, x in pairs:
        try:
            aval = Aval(tuple(map(int, x.shape)), x.dtype)
        except (AttributeError, TypeError, ValueError):
            aval = None
        if aval is None or aval.dtype.kind not in "fciub" or any(n < 0 for n in aval.shape):
            where = f" at {tree.keystr(path)}" if path else ""
            raise TypeError(
                f"{kind}: {type(x).__name__} {x!r:.60} was given in result_shape_dtypes{where}; wanted something with "
                "a shape and a numeric dtype, such as ShapeDtypeStruct((3,), float) or an array"
            )
        avals.append(aval)
    return tuple(avals), out_tree


def underlying_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of which this one is a partial application."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def described(y: Any) -> Any:
    """The aval of a leaf of a result, or in words what it is instead."""
    if isinstance(y, Tracer):
        return f"a traced value of {y.aval}"
    try:
        aval = aval_of(y)
    except TypeError:
        return f"{type(y).__name__} {y!r:.60}"
    return Aval(aval.shape, aval.dtype.newbyteorder("="), aval.weak)


def plain(x: Any) -> Any:
    """A copy of an array in the machine's byte order; a scalar for one without axes."""
    return scalar(np.array(as_array(x))) if isinstance(x, np.ndarray) else x


def scalar(x: Any) -> Any:
    """NumPy's scalar for an array without axes; all else as it is."""
    return x[()] if isinstance(x, np.ndarray) and not x.ndim else x
