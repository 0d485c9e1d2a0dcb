"""Arrays that share their entries, as NumPy's views do: a write into one of them is seen in all others.

A traced array has no memory, so NumPy itself is asked what is a view, and of which entries. Every array has a shadow,
an array of the same shape and of nothing in particular; the shadow of y = f(x) is f of the shadow of x. If both lie in
the same memory, y is a view of x, and the strides of its shadow tell which entries of x are its own.

Who shares entries knows it: a view holds the array of which it is one, the root, and how it came about; the root has
weak references to its views. So views cost little where nothing is written. A write goes to the root, and views that
are still in use are then made anew (see `assignment`).
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.trace import NO_PARAMS, Tracer, alias
from xform.numpy.dispatch import IMPLEMENTATIONS, fresh

#: an array forgets about views that are gone when it has so many
CROWD = 32


class Root:
    """What is shared of an array that is no view itself: its views, and its shadow once it is needed."""

    __slots__ = ("limit", "shadow", "views")

    def __init__(self) -> None:
        self.views: list[weakref.ref[Tracer]] = []
        self.limit = CROWD
        self.shadow: np.ndarray | None = None

    def add(self, view: Tracer) -> None:
        self.views.append(weakref.ref(view))
        if len(self.views) > self.limit:
            self.views = [r for r in self.views if r() is not None]
            self.limit = max(CROWD, 2 * len(self.views))


class View:
    """How what may be a view came about: theirs(*args) by NumPy, ours(*args) on tracers, of several results the k-th.

    Whether it is one, and of which root, is only found out when something is written (`settle`).
    """

    __slots__ = ("args", "k", "kwargs", "ours", "parent", "root", "settled", "shadow", "theirs")

    def __init__(
        self, parent: Tracer, theirs: Any, ours: Any, args: tuple[Any, ...], kwargs: dict[str, Any], k: int | None
    ) -> None:
        self.parent, self.theirs, self.ours, self.args, self.kwargs, self.k = parent, theirs, ours, args, kwargs, k
        self.root, self.shadow, self.settled = root_of(parent), None, False

    def made(self, function: Callable[..., Any], of: Callable[[Any], Any]) -> Any:
        """The function applied to what `of` makes of the traced arguments."""
        out = function(
            *(of(x) if isinstance(x, Tracer) else x for x in self.args),
            **{name: of(x) if isinstance(x, Tracer) else x for name, x in self.kwargs.items()},
        )
        return out if self.k is None else out[self.k]


def memory_of(x: Any) -> Any:
    """The Root or View of an array, None if it shares nothing."""
    return getattr(x, "_memory", None)


def is_number(x: Tracer) -> bool:
    """Is it a number, like NumPy's scalars, and not an array without axes?"""
    return not x.shape and not hasattr(x, "_memory")


def root_of(x: Tracer) -> Tracer:
    memory = memory_of(x)
    return memory.root if type(memory) is View else x


def linked(
    y: Any, x: Tracer, theirs: Any, ours: Any, args: tuple[Any, ...], kwargs: Any = NO_PARAMS, k: int | None = None
) -> Any:
    """`y`, a result of a function that makes views, as a view of `x`."""
    if y is x or not isinstance(y, Tracer) or memory_of(y) is not None or y._trace is not x._trace or is_number(x):
        return y
    y._memory = view = View(x, theirs, ours, args, kwargs, k)
    root = view.root
    if memory_of(root) is None:
        root._memory = Root()
    root._memory.add(y)
    return y


def viewing(theirs: Any, ours: Callable[..., Any], each: bool = False) -> Callable[..., Any]:
    """Our implementation of a NumPy function that makes views of an argument; with `each`, the k-th of the k-th one."""

    @functools.wraps(ours)
    def function(*args: Any, **kwargs: Any) -> Any:
        out = ours(*args, **kwargs)
        x = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tracer)), None)
        if x is None:
            return out
        if type(out) not in (list, tuple):
            return linked(out, x, theirs, ours, args, kwargs)
        for k, y in enumerate(out):
            of = args[k] if each else x
            if isinstance(of, Tracer):
                linked(y, of, theirs, ours, args, kwargs, k)
        return out

    return function


def shadow_of(x: Tracer) -> np.ndarray:
    """The array whose place in memory is that of `x`; it is never read."""
    lineage = [x]  # of views of views there may be many
    while type(memory := memory_of(lineage[-1])) is View and memory.shadow is None:
        lineage.append(memory.parent)
    for z in reversed(lineage):
        memory = memory_of(z)
        if memory is None:
            z._memory = memory = Root()
        if memory.shadow is not None:
            continue
        if type(memory) is View:
            memory.shadow = memory.made(memory.theirs, shadow_of)
        else:
            memory.shadow = np.empty(z.shape, np.complex64 if z.dtype.kind == "c" else np.int8)
    return memory_of(x).shadow


def settle(x: Tracer) -> None:
    """Find out whether `x`, and what it was made of, are views, and of which root: NumPy copies where it must."""
    lineage = [x]
    while type(memory := memory_of(lineage[-1])) is View and not memory.settled:
        lineage.append(memory.parent)
    shadow_of(x)
    for z in reversed(lineage):
        memory = memory_of(z)
        if type(memory) is not View or memory.settled:
            continue
        memory.settled, old = True, memory.root
        memory.root = root_of(memory.parent)
        if not np.may_share_memory(memory.shadow, shadow_of(memory.root)):
            z._memory = Root()
            z._memory.shadow = memory.shadow
        elif memory.root is not old:
            memory.root._memory.add(z)


def live_views(root: Tracer) -> list[Tracer]:
    """The views of an array that are in use, each after that of which it was made."""
    memory = memory_of(root)
    if type(memory) is not Root or not memory.views:
        return []
    views = [z for r in memory.views if (z := r()) is not None]
    for z in views:
        settle(z)
    views = [z for z in views if type(memory_of(z)) is View and memory_of(z).root is root]
    memory.views = [weakref.ref(z) for z in views]
    return views


def remade(x: Tracer) -> Any:
    """The value of a view, from the present value of what it is a view of."""
    return memory_of(x).made(memory_of(x).ours, lambda a: a)


def flat(x: Tracer) -> Any:
    """All entries as a vector, which is read-only where it is not one in memory."""
    y = IMPLEMENTATIONS[np.ravel](x)
    if type(memory_of(x)) is View and not shadow_of(x).flags.c_contiguous:
        y = alias(y)
        y._memory = Root()
        y._memory.shadow = np.broadcast_to(np.int8(0), y.shape)
    return y


def laid_out(x: Any, order: str | None) -> Any:
    """`x`, or a copy where NumPy's array lies in another order in memory than is wanted."""
    if not isinstance(x, Tracer) or len(x.shape) < 2 or order not in ("C", "F"):
        return x
    flags = shadow_of(x).flags
    return x if (flags.c_contiguous if order == "C" else flags.f_contiguous) else fresh(x)


def einsum(ours: Callable[..., Any]) -> Callable[..., Any]:
    """Of a single operand, it may be a view; products are none."""
    single = viewing(np.einsum, ours)

    @functools.wraps(ours)
    def function(*args: Any, **kwargs: Any) -> Any:
        operands = len(args) - 1 if isinstance(args[0], str) else len(args) // 2
        return (single if operands == 1 else ours)(*args, **kwargs)

    return function


#: functions whose results are views of their first argument, if NumPy's are
VIEWING: tuple[Any, ...] = (
    *(np.reshape, np.ravel, np.squeeze, np.expand_dims, np.transpose, np.matrix_transpose, np.linalg.matrix_transpose),
    *(np.swapaxes, np.moveaxis, np.rollaxis, np.flip, np.fliplr, np.flipud, np.rot90, np.broadcast_to, np.diagonal),
    *(np.linalg.diagonal, np.diag, np.real, np.imag, np.split, np.array_split, np.hsplit, np.vsplit),
    *(np.dsplit, np.unstack),
)
#: functions whose k-th result is a view of their k-th argument, if NumPy's is
VIEWING_EACH: tuple[Any, ...] = (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.broadcast_arrays, np.ix_, np.meshgrid)


def install() -> None:
    """Let the functions that make views say so."""
    for functions, each in ((VIEWING, False), (VIEWING_EACH, True)):
        for f in functions:
            if f in IMPLEMENTATIONS:
                IMPLEMENTATIONS[f] = viewing(f, IMPLEMENTATIONS[f], each)
    IMPLEMENTATIONS[np.einsum] = einsum(IMPLEMENTATIONS[np.einsum])
