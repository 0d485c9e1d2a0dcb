"""Arrays that share their entries, as NumPy's views do: a write into one of them is seen in all others.

A traced array has no memory, so NumPy itself is asked what is a view, and of which entries. Every array has a shadow,
an array of the same shape and of nothing in particular; the shadow of y = f(x) is f of the shadow of x. If both lie in
the same memory, y is a view of x, and the strides of its shadow tell which entries of x are its own.

An array that is no view counts as one in C order: NumPy has others, such as the sine of a transposed array, and copies
where such a one is reshaped.

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

from xform.core.trace import Tracer

#: an array forgets about views that are gone when it has so many
CROWD = 32


class Root:
    """What is shared of an array that is no view itself: its views, and its shadow once it is needed."""

    __slots__ = ("limit", "shadow", "views")

    def __init__(self) -> None:
        self.views: list[weakref.ref[Tracer]] = []
        self.limit = CROWD
        self.shadow: np.ndarray | None = None

    def forget(self) -> None:
        """Drop the views that are gone."""
        self.views = [r for r in self.views if r() is not None]
        self.limit = max(CROWD, 2 * len(self.views))


class View:
    """What may be a view: how it came about, and of which root it would be one.

    Whether it is one, and of that root, is only found out when something is written (`settle`).
    """

    __slots__ = ("parent", "recipe", "root", "settled", "shadow")

    def __init__(self, parent: Tracer, root: Tracer, recipe: Any) -> None:
        self.parent, self.root, self.recipe = parent, root, recipe
        self.shadow: Any = None
        self.settled = False

    def remade(self) -> Any:
        """What it would be now."""
        raise NotImplementedError

    def cast(self) -> Any:
        """Its shadow, from those of the arrays of which it was made."""
        raise NotImplementedError


class Part(View):
    """An array by a basic index, the recipe."""

    __slots__ = ()

    def remade(self) -> Any:
        return self.parent[self.recipe]  # type: ignore[index]

    def cast(self) -> Any:
        return shadow_of(self.parent)[self.recipe]


class Result(View):
    """A result of a function; the recipe is NumPy's function, ours, args, kwargs, and which one of several it is."""

    __slots__ = ()

    def remade(self) -> Any:
        _, ours, args, kwargs, k = self.recipe
        out = ours(*args, **kwargs)
        return out if k is None else out[k]

    def cast(self) -> Any:
        theirs, _, args, kwargs, k = self.recipe
        out = theirs(*map(shadow_or_value, args), **{name: shadow_or_value(x) for name, x in kwargs.items()})
        return out if k is None else out[k]


def memory_of(x: Any) -> Any:
    """The Root or View of an array, None if it shares nothing."""
    memory = getattr(x, "_memory", None)
    if type(memory) is tuple:
        kind, *made = memory
        memory = x._memory = kind(*made)
    return memory


def is_number(x: Tracer) -> bool:
    """Is it a number, like NumPy's scalars, and not an array without axes?"""
    return not x.shape and not hasattr(x, "_memory")


def root_of(x: Tracer) -> Tracer:
    memory = memory_of(x)
    return memory.root if isinstance(memory, View) else x


def linked(y: Any, x: Tracer, kind: type[View], recipe: Any) -> Any:
    """`y`, the result of a function that makes views, as a view of `x`.

    Programs make many views and write into few: the View is made when somebody asks for it (`memory_of`).
    """
    if type(y) is not type(x) or y is x or y._trace is not x._trace:
        return y
    memory, root = getattr(x, "_memory", None), x
    if type(memory) is not Root:
        if memory is None:
            if not x.shape and is_number(x):
                return y
            x._memory = memory = Root()
        else:
            root = memory[2] if type(memory) is tuple else memory.root
            memory = root._memory
    y._memory = kind, x, root, recipe
    memory.views.append(weakref.ref(y))
    if len(memory.views) > memory.limit:
        memory.forget()
    return y


def viewing(theirs: Any, ours: Callable[..., Any], each: bool = False) -> Callable[..., Any]:
    """Our implementation of a NumPy function that makes views of an argument; with `each`, the k-th of the k-th one."""

    @functools.wraps(ours)
    def function(*args: Any, **kwargs: Any) -> Any:
        out = ours(*args, **kwargs)
        if args and isinstance(args[0], Tracer):
            x = args[0]
        elif (x := next((x for x in (*args, *kwargs.values()) if isinstance(x, Tracer)), None)) is None:
            return out
        if type(out) not in (list, tuple):
            return out if hasattr(out, "_memory") else linked(out, x, Result, (theirs, ours, args, kwargs, None))
        for k, y in enumerate(out):
            of = args[k] if each else x
            if isinstance(of, Tracer) and not hasattr(y, "_memory"):
                linked(y, of, Result, (theirs, ours, args, kwargs, k))
        return out

    return function


def shadow_of(x: Tracer) -> np.ndarray:
    """The array whose place in memory is that of `x`; it is never read."""
    lineage = [x]  # of views of views there may be many
    while isinstance(memory := memory_of(lineage[-1]), View) and memory.shadow is None:
        lineage.append(memory.parent)
    for z in reversed(lineage):
        memory = memory_of(z)
        if memory is None:
            z._memory = memory = Root()
        if memory.shadow is not None:
            continue
        if isinstance(memory, View):
            memory.shadow = memory.cast()
        else:
            memory.shadow = np.empty(z.shape, np.complex64 if z.dtype.kind == "c" else np.int8)
    return memory_of(x).shadow


def settle(x: Tracer) -> None:
    """Find out whether `x`, and what it was made of, are views, and of which root: NumPy copies where it must."""
    lineage = [x]
    while isinstance(memory := memory_of(lineage[-1]), View) and not memory.settled:
        lineage.append(memory.parent)
    shadow_of(x)
    for z in reversed(lineage):
        memory = memory_of(z)
        if not isinstance(memory, View) or memory.settled:
            continue
        memory.settled, old = True, memory.root
        memory.root = root_of(memory.parent)
        if not np.may_share_memory(memory.shadow, shadow_of(memory.root)):
            z._memory = Root()
            z._memory.shadow = memory.shadow
        elif memory.root is not old:
            memory.root._memory.views.append(weakref.ref(z))


def live_views(root: Tracer) -> list[Tracer]:
    """The views of an array that are in use, each after that of which it was made."""
    memory = memory_of(root)
    if type(memory) is not Root or not memory.views:
        return []
    views = [z for r in memory.views if (z := r()) is not None]
    for z in views:
        settle(z)
    views = [z for z in views if isinstance(memory_of(z), View) and memory_of(z).root is root]
    memory.views = [weakref.ref(z) for z in views]
    return views


def remade(x: Tracer) -> Any:
    """The value of a view, from the present value of what it is a view of."""
    return memory_of(x).remade()


def shadow_or_value(x: Any) -> Any:
    return shadow_of(x) if isinstance(x, Tracer) else x


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


def viewed(theirs: Any, ours: Callable[..., Any]) -> Callable[..., Any]:
    """Our implementation of a NumPy function, which says so if its results may be views."""
    if theirs is np.einsum:
        return einsum(ours)
    each = theirs in VIEWING_EACH
    return viewing(theirs, ours, each) if each or theirs in VIEWING else ours
