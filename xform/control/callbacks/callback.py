"""Calls of Python functions from programs: pure ones, ones with an effect, and ones that only look on.

    pure_callback    y = f(x), may be dropped or repeated
    io_callback      y = f(x), runs whenever the program runs, in the order of the program
    debug_callback   f(x) for its effect, transparent to every transformation: it sees the primal values

Under vmap a callback becomes one operation with `lanes`, which calls the function for each example in turn: a pair
(size, batched) per mapped axis, outermost first, where batched says which operands have that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from xform.control.callbacks.host import HostFunction, declared, host_function, is_number
from xform.core import tree
from xform.core.aval import Aval, aval_of, shape_of
from xform.core.errors import MissingRuleError
from xform.core.primitive import Primitive, Zero, is_zero
from xform.core.tracebacks import public
from xform.ops.family import dense_patterns
from xform.ops.structure import batch_operand, reshape

Lanes = tuple[tuple[int, tuple[bool, ...]], ...]


SEQUENTIAL = ("sequential", "sequential_unrolled")


VMAP_METHODS = (*SEQUENTIAL, "expand_dims", "broadcast_all", "legacy_vectorized")


class Callback(Primitive):
    """A call of the host function `callback`, whose results have the avals `result_avals`, for each of the lanes."""

    def abstract(
        self, *avals: Aval, callback: HostFunction, result_avals: Sequence[Aval] = (), lanes: Lanes = (), **how: Any
    ) -> list[Aval]:
        return [a.with_shape((*sizes(lanes), *a.shape)) for a in result_avals]

    def numpy(
        self, *arrays: Any, callback: HostFunction, result_avals: Sequence[Aval] = (), lanes: Lanes = (), **how: Any
    ) -> list[Any]:
        if not lanes:
            return callback(arrays, result_avals)
        outs = [np.empty((*sizes(lanes), *a.shape), a.dtype) for a in result_avals]
        for index, operands in examples(arrays, lanes):
            for out, y in zip(outs, callback(operands, result_avals, index), strict=True):
                out[index] = y
        return outs

    def batch(self, size: int, args: Any, batched: Any, *, lanes: Lanes = (), **params: Any) -> list[Any]:
        """One lane more, outermost: the same order as that of nested Python loops."""
        return self.bind(*args, lanes=((size, tuple(batched)), *lanes), **params)


class OpaqueCallback(Callback):
    """A callback with results, of whose derivatives nothing is known."""

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        if not all(map(is_zero, tangents)):
            raise self.underivable(params["callback"])
        outs = self.bind(*primals, **params)
        return outs, [Zero.like(y) for y in outs]

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        if not all(s.is_constant for s in series):
            raise self.underivable(params["callback"])
        return apply.constant(self, series, params)

    def transpose(self, cotangents: Any, *args: Any, **params: Any) -> list[Any]:
        raise self.underivable(params["callback"])

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return dense_patterns(patterns, self.abstract(*map(aval_of, avals), **params))

    def underivable(self, callback: HostFunction) -> MissingRuleError:
        return MissingRuleError(
            f"{callback.origin} cannot be differentiated, for it may compute anything; give its derivative with "
            "custom_jvp or custom_vjp around the call, or apply lax.stop_gradient to its arguments"
        )


class PureCallback(OpaqueCallback):
    """y = f(x) without side effects; the parameter `vmap_method` says how f takes batches."""

    def batch(
        self,
        size: int,
        args: Any,
        batched: Any,
        *,
        callback: HostFunction,
        result_avals: Sequence[Aval],
        vmap_method: str | None,
        lanes: Lanes = (),
    ) -> list[Any]:
        params: dict[str, Any] = {"callback": callback, "vmap_method": vmap_method}
        if vmap_method is None:
            raise MissingRuleError(
                f"{callback.origin} met vmap, but vmap_method is None; choose one of {VMAP_METHODS}: 'sequential' "
                "calls it once per example, 'expand_dims' and 'broadcast_all' once with a batch axis in front"
            )
        if vmap_method in SEQUENTIAL:
            return super().batch(size, args, batched, lanes=lanes, result_avals=result_avals, **params)
        if vmap_method == "expand_dims":
            args = [x if b else reshape(x, shape=(1, *shape_of(x))) for x, b in zip(args, batched, strict=True)]
        elif vmap_method == "broadcast_all":
            args = [batch_operand(size, x, b) for x, b in zip(args, batched, strict=True)]
        return self.bind(*args, result_avals=tuple(a.with_shape((size, *a.shape)) for a in result_avals), **params)


class IOCallback(OpaqueCallback):
    """y = f(x) with side effects; with the parameter `ordered` their order is not for a vmap to choose."""

    effect = True

    def batch(self, size: int, args: Any, batched: Any, **params: Any) -> list[Any]:
        if params["ordered"]:
            raise ValueError(
                f"{params['callback'].origin} met vmap, but ordered is True, and the examples of a batch have no "
                "order; pass ordered=False to call it once per example"
            )
        return super().batch(size, args, batched, **params)


class DebugCallback(Callback):
    """f(x) for its side effect alone, without results; it does not take part in derivatives."""

    effect = True

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        return self.bind(*primals, **params), []

    def transpose(self, cotangents: Any, *args: Any, **params: Any) -> list[Any]:
        return [None] * len(args)

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        return apply.constant(self, series, params)

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        return []


pure_call = PureCallback("pure_callback")


io_call = IOCallback("io_callback")


debug_call = DebugCallback("debug_callback")


def sizes(lanes: Lanes) -> tuple[int, ...]:
    return tuple(size for size, _ in lanes)


def examples(arrays: Sequence[Any], lanes: Lanes) -> Iterator[tuple[tuple[int, ...], list[Any]]]:
    """The operands of each example, and its index along the lanes."""
    for index in np.ndindex(*sizes(lanes)):
        yield (
            index,
            [
                x[tuple(i for i, (_, batched) in zip(index, lanes, strict=True) if batched[k])]
                for k, x in enumerate(arrays)
            ],
        )


@public
def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Python function without side effects: `callback(*args, **kwargs)`, also from a program.

    Arguments and results are trees of arrays. `result_shape_dtypes` declares the result, a tree of what has a shape and
    a dtype: `ShapeDtypeStruct`, avals, arrays. The function gets NumPy arrays and scalars, copies that are its own, at
    the time at which the program runs, if its result is wanted; it may also be called more than once.

    Under vmap, `vmap_method` is "sequential" (one call per example; "sequential_unrolled" means the same here),
    "expand_dims" (one call; every argument has a batch axis in front, of size 1 for those not batched),
    "broadcast_all" (the same, those not batched being repeated), or "legacy_vectorized" (one call, those not batched
    as they are); the results must then have the batch axis in front.

    Raises TypeError if the result is not as declared, or an argument is no array; MissingRuleError if it is
    differentiated in an inexact argument (give a rule, with custom_jvp or custom_vjp), or batched without a
    `vmap_method`. An error inside the function passes through, with a note where it was called.

    >>> import numpy as np
    >>> from xform import ShapeDtypeStruct, vmap
    >>> def count(x):
    ...     return np.unique(x).size
    >>> f = lambda x: pure_callback(count, ShapeDtypeStruct((), int), x, vmap_method="sequential")
    >>> vmap(f)(np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]))
    array([2, 1])
    """
    if vmap_method is not None and vmap_method not in VMAP_METHODS:
        raise ValueError(f"pure_callback: vmap_method is {vmap_method!r}; wanted None or one of {VMAP_METHODS}")
    result_avals, out_tree = declared("pure_callback", result_shape_dtypes)
    host, operands = host_function("pure_callback", callback, args, kwargs, out_tree)
    outs = pure_call.bind(*operands, callback=host, result_avals=result_avals, vmap_method=vmap_method)
    return tree.unflatten(out_tree, outs)


@public
def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function that has side effects: `callback(*args, **kwargs)`, each time that a program runs.

    As `pure_callback`, but never dropped and never repeated, and in the order of the program. Under vmap the function
    is called once per example, in their order; with `ordered=True` that is refused. Declare
    `result_shape_dtypes=None` for a function that returns nothing.

    Raises what `pure_callback` raises, and ValueError for `ordered=True` under vmap.

    >>> from xform import ShapeDtypeStruct, make_jaxpr
    >>> numbers = iter(range(100))
    >>> f = lambda x: x + io_callback(lambda: next(numbers), ShapeDtypeStruct((), int))
    >>> jaxpr = make_jaxpr(f)(1.0)
    >>> jaxpr(10.0), jaxpr(10.0)
    ([np.float64(10.0)], [np.float64(11.0)])
    """
    result_avals, out_tree = declared("io_callback", result_shape_dtypes)
    host, operands = host_function("io_callback", callback, args, kwargs, out_tree)
    outs = io_call.bind(*operands, callback=host, result_avals=result_avals, ordered=bool(ordered))
    return tree.unflatten(out_tree, outs)


def debug_callback(
    kind: str,
    callback: Callable[..., Any],
    args: Any,
    kwargs: Any,
    ordered: bool,
    name: str | None = None,
    is_operand: Callable[[Any], bool] = is_number,
) -> None:
    """Call a function that only looks on; leaves of its arguments that are no operands are passed as they are."""
    host, operands = host_function(kind, callback, args, kwargs, None, name, is_operand)
    debug_call.bind(*operands, callback=host, ordered=bool(ordered))
