"""jit: a function that is compiled, once for each kind of arguments."""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xform.compile.pipeline import BACKENDS
from xform.control.jitting.arguments import Call, Signature
from xform.control.jitting.cache import SINGLE, TUPLE, Cache, Entry, cache_of, short_key
from xform.control.jitting.lowered import Lowered
from xform.control.jitting.misses import explain, explaining
from xform.control.jitting.primitive import jit_p
from xform.control.jitting.tracing import all_among, surroundings, traced
from xform.core.errors import describe
from xform.core.jaxpr import evaluate
from xform.core.stage import is_staging
from xform.core.trace import EVAL, context
from xform.core.tracebacks import guarded, hide_frames, public, settings
from xform.transforms.arguments import as_array


class Mode(threading.local):
    """Per thread: do jitted functions run as they were written?"""

    disabled = False


mode = Mode()
#: an entry for each `disable_jit` at work in any thread, so that calls need not ask for their thread's mode
_disabling: list[Mode] = []


@public
def jit(
    f: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    backend: str = "auto",
    inline: bool = False,
) -> Any:
    """`f`, traced and compiled when it is first called with arguments of a kind, and from then on run as a whole.

    A kind is the structure of the arguments, the shape and dtype of each array in it, and the values of the static
    arguments, those at the positions `static_argnums` or named `static_argnames`, which must be hashable. Python
    numbers stay weak: they do not promote arrays. Inside, arrays are known by shape and dtype only, so Python's `if`
    and `while` cannot depend on their values (`xform.lax.cond`, `numpy.where` and `xform.lax.while_loop` can); side
    effects happen when the function is traced; arrays that it closes over are constants of the program.

    Arguments at `donate_argnums` may be overwritten: do not use them afterwards. A result that is such an array with
    other entries written into it, `x.at[i].set(v)`, is that array itself, and takes the time of the write. (NumPy has
    no way to invalidate an array. The NumPy backend ignores donation, and so does everything if an array does not own
    its memory, is read-only, or is given twice.)

    `backend` is "c", "numpy", or "auto" for C where it can be had: see `xform.backends`. With `inline=True` it leaves
    no trace of its own in a program that is being written.

    A jitted function can be transformed as any other, and its derivatives are compiled as well. It has the methods
    `lower(*args)`, `source(*args)`, `eval_shape(*args)` and `clear_cache()`.

    Raises TypeError for an argument or a result that is no array, for a static argument that is not hashable, and
    ValueError for positions and names that the function does not have, or an unknown backend.

    >>> import numpy as np, xform
    >>> @xform.jit
    ... def f(x):
    ...     return np.sum(np.tanh(x) ** 2)
    >>> f(np.array([0.0, 1.0])).round(4), xform.grad(f)(np.array([0.0, 1.0])).round(4)
    (np.float64(0.58), array([0.    , 0.6397]))
    """
    if backend not in BACKENDS:
        raise ValueError(f"jit: backend is {backend!r}; wanted one of {', '.join(map(repr, BACKENDS))}")
    if f is None:
        return functools.partial(
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            donate_argnums=donate_argnums,
            backend=backend,
            inline=inline,
        )
    origin = f"jit of {describe(f)}"
    signature = Signature(f, origin, static_argnums, static_argnames, donate_argnums)
    return jitted_function(Jitted(signature, backend, inline))


class Jitted:
    """A function, the options with which it is jitted, and its programs."""

    __slots__ = ("backend", "cache", "inline", "name", "signature")

    def __init__(self, signature: Signature, backend: str, inline: bool) -> None:
        self.signature, self.backend, self.inline = signature, backend, inline
        self.name = getattr(signature.f, "__name__", type(signature.f).__name__)
        static = frozenset(signature.positions), frozenset(signature.names)
        self.cache: Cache = cache_of(signature.f, (*static, frozenset(signature.donated), backend))

    def entry(self, call: Call, args: tuple[Any, ...]) -> tuple[Entry, list[Any]]:
        """The program for a call, and the traced values that it closes over."""
        around, closed_over = surroundings(self.signature.f)
        key = call.key, around
        found = self.cache.entries.get(key)
        if found is not None:
            return found, found.free
        if explaining.on:
            explain(self.signature, self.cache, call, around)
        result = traced(self.signature, call)
        found = Entry(result, self.signature.donated_leaves(call, args))
        if all_among(result.free, closed_over):
            self.cache.store(key, found, closed_over)
        return found, result.free

    def call(self, *args: Any, **kwargs: Any) -> Any:
        if mode.disabled:
            return self.signature.f(*args, **kwargs)
        call = self.signature.divide(args, kwargs)
        if context.trace is EVAL and (known := self.cache.known.get(call.key)) is not None:
            return known[1].packed(known[0](*call.leaves))
        entry, free = self.entry(call, args)
        operands = [*free, *map(as_array, call.leaves)]
        if self.inline and is_staging():
            return entry.packed(evaluate(entry.program, *operands))
        donated = entry.donated if context.trace is EVAL and may_overwrite(operands, entry.donated) else ()
        outs = jit_p.bind(*operands, program=entry.program, name=self.name, backend=self.backend, donated=donated)
        if context.trace is EVAL and not entry.donated:
            self.cache.shorten(entry, call, self.backend)
            flat = len(args) == len(call.leaves) and all(map(operator.is_, args, call.leaves))
            if flat and not (kwargs or call.static):
                self.cache.open(entry, args, self.backend)
            else:
                self.cache.take(entry, call, self.backend)
        return entry.packed(outs)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        call = self.signature.divide(args, kwargs)
        entry, free = self.entry(call, args)
        return Lowered(self.signature, self.name, self.backend, call, entry, free)

    def source(self, *args: Any, **kwargs: Any) -> str:
        return self.lower(*args, **kwargs).compile().source()

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        return self.lower(*args, **kwargs).out_info


def jitted_function(jitted: Jitted) -> Callable[..., Any]:
    """The function that users call: plain arrays go straight to an executable that takes them."""
    doors, runs, takes, call = jitted.cache.doors, jitted.cache.runs, jitted.cache.takes, guarded(jitted.call)

    @functools.wraps(jitted.signature.f)
    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            if context.trace is EVAL and not _disabling:
                if not kwargs:
                    for door, way, entry in doors:
                        outs = door(args)
                        if outs is not NotImplemented:
                            return outs[0] if way == SINGLE else outs if way == TUPLE else entry.packed(outs)
                    if runs and (found := runs.get(short_key(args))) is not None:
                        run, way, entry = found
                        outs = run(*args)
                        return outs[0] if way == SINGLE else entry.packed(outs)
                for take, door, entry in takes:
                    if (leaves := take(args, kwargs)) is not None and (outs := door(leaves)) is not NotImplemented:
                        return entry.packed(outs)
            return call(*args, **kwargs)
        except Exception as error:
            if settings.filtering:
                hide_frames(error)
            raise

    function.lower = guarded(jitted.lower)  # type: ignore[attr-defined]
    function.source = guarded(jitted.source)  # type: ignore[attr-defined]
    function.eval_shape = guarded(jitted.eval_shape)  # type: ignore[attr-defined]
    function.clear_cache = jitted.cache.clear  # type: ignore[attr-defined]
    return function


def may_overwrite(operands: Sequence[Any], donated: Sequence[bool]) -> bool:
    """Are the donated operands writable arrays that own their memory, each given once?"""
    given = [x for x, d in zip(operands, donated, strict=False) if d]
    own = all(type(x) is np.ndarray and x.base is None and x.flags.writeable for x in given)
    return (
        bool(given) and own and all(sum(y is x or getattr(y, "base", None) is x for y in operands) == 1 for x in given)
    )


@contextmanager
def disable_jit(disable: bool = True) -> Iterator[None]:
    """Within it, in this thread, jitted functions run as they were written: to look at values, to debug.

    >>> import xform
    >>> f = xform.jit(lambda x: x if x > 0 else -x)
    >>> with xform.disable_jit():
    ...     f(-2.0)
    2.0
    """
    before, mode.disabled = mode.disabled, disable
    _disabling.append(mode)
    try:
        yield
    finally:
        mode.disabled = before
        _disabling.pop()
