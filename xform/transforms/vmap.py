"""Vectorising maps: write the function for one example, run it on a batch.

A batched value carries its batch along axis 0; each primitive's batch rule says what it does to all examples at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, shape_of
from xform.core.checking import watched
from xform.core.errors import describe
from xform.core.jaxpr import programs_in
from xform.core.primitive import Primitive
from xform.core.trace import Trace, Tracer, concrete, context, taken, underlying, using
from xform.core.tracebacks import public, standing_for
from xform.ops.collective import Collective
from xform.ops.structure import batch_operand, transpose
from xform.transforms.arguments import all_leaf_names, as_array, check_array
from xform.transforms.flat import own


class Axis(NamedTuple):
    """What a batch rule is told that has to batch programs: the number of examples, and the name of their axis."""

    size: int
    name: Hashable | None


class BatchTracer(Tracer):
    """One example's view of a batch; `value` has the batch along axis 0."""

    __slots__ = ("value",)

    def __init__(self, trace: BatchTrace, value: Any) -> None:
        self._trace = trace
        self.value = value

    @property
    def aval(self) -> Aval:
        aval = aval_of(self.value)
        return Aval(aval.shape[1:], aval.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape[1:]

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    def underlying(self) -> Any:
        return underlying(self.value)

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.value)]


class BatchConstant(BatchTracer):
    """A value that is the same in all examples, without a batch axis."""

    __slots__ = ()
    is_constant = True

    @property
    def aval(self) -> Aval:
        return aval_of(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def concrete(self) -> Any:
        return concrete(self.value)


class BatchTrace(Trace):
    """Applies each primitive's batch rule, in the parent."""

    __slots__ = ("axis_name", "size")

    def __init__(self, parent: Trace, origin: str, size: int, axis_name: Hashable | None = None) -> None:
        super().__init__(parent, origin)
        self.size = size
        self.axis_name = axis_name

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        batched = [type(x) is BatchTracer and x._trace is self for x in args]
        if self.axis_name is not None and isinstance(prim, Collective) and params["axis_name"] == self.axis_name:
            return [self.collect(prim, args[0], params)]
        if any(type(x) is BatchConstant for x in args):
            args, constant = [self.split(x)[0] if type(x) is BatchConstant else x for x in args], True
        else:
            constant = False
        if not any(batched) and not (self.axis_name is not None and communicates(params, self.axis_name)):
            return self.of_constants(prim, args, params) if constant else self.parent.process(prim, args, params)
        values = [x.value if b else x for x, b in zip(args, batched, strict=True)]
        outer, context.trace = context.trace, self.parent
        try:
            size = Axis(self.size, self.axis_name) if prim.has_programs else self.size
            outs = prim.batch(size, values, batched, **params)
        except (ValueError, IndexError):
            prim.abstract(*map(example, values, batched), **params)  # the same error in the shapes of one example
            raise
        finally:
            context.trace = outer
        return [BatchTracer(self, y) for y in outs]

    def of_constants(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        with using(self.parent):
            return [BatchConstant(self, y) for y in prim.bind(*args, **params)]

    def lifted(self, value: Any, recipe: Any) -> BatchConstant:
        return BatchConstant(self, self.parent.constant(value, recipe))

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        """A change in all examples at once, by a change to the batch if the primitive knows which."""
        x = held[0]
        if prim.batched_update is None or type(x) is not BatchTracer or x._trace is not self:
            return self.process(prim, (x, *operands), params)[0]
        split = [self.split(v) for v in operands]
        del x
        with taken(held, "value") as (value,), using(self.parent):
            moved, params = prim.batched_update(self.size, value[0], *zip(*split, strict=True), **params)
            return BatchTracer(self, self.parent.update(prim, value, moved, params))

    def collect(self, prim: Collective, x: Any, params: dict[str, Any]) -> Any:
        """A communication along the axis of this trace."""
        with using(self.parent):
            out, varies = prim.collect(self.size, *self.split(x), **params)
        return BatchTracer(self, out) if varies else out

    def split(self, x: Any) -> tuple[Any, bool]:
        """The value under a tracer of this trace, and whether it is batched."""
        mine = isinstance(x, BatchTracer) and x._trace is self
        return (x.value, not x.is_constant) if mine else (x, False)


def communicates(params: dict[str, Any], axis_name: Hashable) -> bool:
    """Does a program among the parameters communicate along the named axis?"""
    return any(
        (isinstance(eqn.prim, Collective) and eqn.params["axis_name"] == axis_name)
        or communicates(eqn.params, axis_name)
        for jaxpr in programs_in(params)
        for eqn in jaxpr.eqns
    )


def example(x: Any, batched: bool) -> Aval:
    """The aval of one example of an operand."""
    aval = aval_of(x)
    return Aval(aval.shape[1:], aval.dtype) if batched else aval


@public
def vmap(
    f: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Hashable | None = None,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `f` over an axis of its arguments, without a loop.

    `in_axes` is an integer, None (not mapped), or a tree of them that is a prefix of the tuple of positional arguments;
    keyword arguments are mapped over axis 0. `out_axes` is the same for the results. `axis_size` gives the size where
    no argument is mapped, and `axis_name` names the axis for collective operations (`lax.psum`, ...).

    Raises ValueError if the mapped sizes disagree, an axis is out of range, or a tree does not fit.

    >>> import numpy as np
    >>> vmap(lambda x, y: x @ y, in_axes=(0, None))(np.eye(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    origin = f"vmap of {describe(f)}"
    if axis_size is not None and (not isinstance(axis_size, int | np.integer) or axis_size < 0):
        raise ValueError(f"{origin}: axis_size must be a number of examples, not {axis_size!r}")
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)

    @standing_for(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, treedef = tree.flatten((args, kwargs))
        axes = argument_axes(origin, in_axes, args, kwargs)
        for k, x in enumerate(leaves):
            check_array(origin, lambda k=k: all_leaf_names(f, args, kwargs)[k], x)
        size = mapped_size(origin, f, args, kwargs, leaves, axes, axis_size)
        trace = BatchTrace(context.trace, origin, size, axis_name)
        inputs = [
            x if axis is None else BatchTracer(trace, move_axis(x, axis, 0))
            for x, axis in zip(leaves, axes, strict=True)
        ]
        with using(watched(trace)):
            positional, keywords = tree.unflatten(treedef, inputs)
            outs, out_tree = tree.flatten(f(*positional, **keywords))
        destinations = output_axes(origin, out_axes, tree.unflatten(out_tree, outs))
        return tree.unflatten(
            out_tree, [leave(trace, y, axis, origin) for y, axis in zip(outs, destinations, strict=True)]
        )

    return mapped


def named_axis(axis_name: Hashable) -> BatchTrace:
    """The trace of the enclosing `vmap` whose axis has that name."""
    trace, names = context.trace, []
    while trace is not None:
        if isinstance(trace, BatchTrace) and trace.axis_name is not None:
            if trace.axis_name == axis_name:
                return trace
            names.append(trace.axis_name)
        trace = trace.parent
    raise NameError(
        f"the axis name {axis_name!r} is unbound; wanted one of an enclosing vmap, which has {names or 'none'}"
    )


def leave(trace: BatchTrace, y: Any, axis: int | None, origin: str) -> Any:
    """A result as seen from outside: its batch axis where the caller wants it."""
    value, batched = trace.split(y)
    if not batched:
        check_array(origin, lambda: "a result", value)
        value = as_array(value)
    if axis is None:
        if batched:
            raise ValueError(f"{origin}: out_axes is None for a result that depends on the mapped axis; give its axis")
        return value
    if not batched:
        (value,) = own([batch_operand(trace.size, value, False)])
    rank = len(value.shape)
    if not -rank <= axis < rank:
        raise ValueError(f"{origin}: out_axes is {axis}, but the batched result has rank {rank}")
    return move_axis(value, 0, axis)


def move_axis(x: Any, source: int, destination: int) -> Any:
    """np.moveaxis for one axis, on values of any trace."""
    rank = len(shape_of(x))
    source, destination = source % rank, destination % rank
    if source == destination:
        return x
    order = [k for k in range(rank) if k != source]
    order.insert(destination, source)
    return transpose(x, permutation=tuple(order))


def argument_axes(origin: str, in_axes: Any, args: Any, kwargs: Any) -> list[int | None]:
    """An axis or None for each leaf of the arguments."""
    check_axes(origin, "in_axes", in_axes)
    return axis_of_each(origin, in_axes, "in_axes", args, "the tuple of arguments") + [0] * len(tree.leaves(kwargs))


def output_axes(origin: str, out_axes: Any, out: Any) -> list[int | None]:
    check_axes(origin, "out_axes", out_axes)
    return axis_of_each(origin, out_axes, "out_axes", out, "the result")


def axis_of_each(origin: str, axes: Any, name: str, value: Any, full_name: str) -> list[int | None]:
    """The axis for each leaf of `value`, of whose structure `axes` is a prefix."""
    try:
        return tree.broadcast_prefix(axes, value, is_leaf=lambda x: x is None, name=name, full_name=full_name)
    except ValueError as error:
        raise ValueError(f"{origin}: {error}") from None


def check_axes(origin: str, what: str, axes: Any) -> None:
    for axis in tree.leaves(axes):
        if not isinstance(axis, int | np.integer) or isinstance(axis, bool):
            raise TypeError(f"{origin}: {what} must hold integers or None, not {axis!r}")


def mapped_size(
    origin: str,
    f: Callable[..., Any],
    args: Any,
    kwargs: Any,
    leaves: Sequence[Any],
    axes: Sequence[int | None],
    axis_size: int | None,
) -> int:
    """The common size of the mapped axes."""
    sizes: list[tuple[int, int]] = []  # (leaf, size)
    for k, (x, axis) in enumerate(zip(leaves, axes, strict=True)):
        if axis is not None:
            shape = shape_of(x)
            if not -len(shape) <= axis < len(shape):
                name = all_leaf_names(f, args, kwargs)[k]
                raise ValueError(
                    f"{origin}: in_axes wants axis {axis} of argument {name}, whose shape {shape} has rank {len(shape)}"
                )
            sizes.append((k, shape[axis]))
    found = {size for _, size in sizes} | ({axis_size} if axis_size is not None else set())
    if not found:
        raise ValueError(f"{origin}: no argument is mapped (in_axes is None throughout); map one or give axis_size")
    if len(found) > 1:
        names = all_leaf_names(f, args, kwargs)
        listing = [f"  {names[k]}: {size}" for k, size in sizes]
        listing += [] if axis_size is None else [f"  axis_size: {axis_size}"]
        raise ValueError(
            f"{origin}: the sizes of the mapped axes disagree; wanted one size, given\n" + "\n".join(listing)
        )
    return found.pop()
