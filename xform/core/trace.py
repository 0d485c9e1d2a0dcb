"""Traces interpret primitives; tracers are the values that they hand out.

Context decides, data carries: each thread has one current trace, and each trace knows its parent, the trace that was
current when its transformation began. A primitive applied to no tracer of the current trace is none of its business
and goes to the parent, down to `EVAL`, which calls NumPy. A tracer of another trace is a constant: nothing more is
needed to keep the perturbations of nested derivatives apart.
"""

from __future__ import annotations

import threading
from sys import getrefcount
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.errors import ConcretizationError, LeakedTracerError, user_frame

if TYPE_CHECKING:
    from xform.core.primitive import Primitive

NO_PARAMS: dict[str, Any] = {}


def references(held: list[Any]) -> int:
    """How often the only entry of a list is referenced, seen from a function that has taken it out."""
    x = held.pop()
    return getrefcount(x)


#: references to a value that nobody holds but a variable, as getrefcount counts them
SOLE = references([object()])


class Trace:
    """An interpreter of primitives, on top of its parent."""

    __slots__ = ("__weakref__", "origin", "parent")
    #: Are its values plain arrays, those of NumPy?
    is_ground: ClassVar[bool] = False

    def __init__(self, parent: Trace | None, origin: str = "") -> None:
        self.parent: Any = parent
        self.origin = origin  # e.g. "grad of `loss` (train.py:12)", for messages

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        """Apply `prim`; the values returned are tracers of this trace, or constants to it."""
        raise NotImplementedError

    def constant(self, value: Any, recipe: Any = None) -> Any:
        """A new array of that value, such that traced values can be written into it: a tracer of this trace.

        Where nothing is traced, it is the value itself. A value of an enclosing trace does not depend on what is
        transformed here. A program that is being written may compute it by the `recipe`: a primitive, its arguments
        and parameters.
        """
        return alias(value) if isinstance(value, Tracer) and value._trace is self else self.lifted(value, recipe)

    def lifted(self, value: Any, recipe: Any) -> Any:
        return value

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        """Apply `prim`, a change to some entries of the array in the list `held`; in place if nobody else holds it.

        The array is taken out of the list, for whoever has it there still holds it, and put back if an error is raised.
        """
        return self.process(prim, (held[0], *operands), params)[0]

    def note(self, application: Any) -> None:
        """While checks are on: what was recorded since the last note came from this application by the user."""

    def hint(self, x: Any) -> str:
        """What more to say to a user who wanted the value of a tracer of this trace, which has none."""
        return ""


class EvalTrace(Trace):
    """The ground: evaluate with NumPy."""

    __slots__ = ()
    is_ground = True

    def process(self, prim: Primitive, args: Any, params: dict[str, Any]) -> list[Any]:
        for x in args:
            if isinstance(x, Tracer):
                raise leaked(x, prim)
        return prim.numpy(*args, **params)

    def update(self, prim: Primitive, held: list[Any], operands: Any, params: dict[str, Any]) -> Any:
        x = held[0]
        if type(x) is not np.ndarray or not x.flags.c_contiguous or any(isinstance(v, Tracer) for v in operands):
            return self.process(prim, (x, *operands), params)[0]
        held.clear()
        try:
            if getrefcount(x) > SOLE or x.base is not None or not x.flags.writeable:
                x = x.copy()
            prim.update(x, *operands, **params)
        except BaseException:
            held.append(x)
            raise
        return x


EVAL = EvalTrace(None)


class Context(threading.local):
    """Per thread: the current trace."""

    trace: Trace = EVAL


context = Context()


class using:
    """`with using(trace):` makes it the current one."""

    __slots__ = ("previous", "trace")

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __enter__(self) -> Trace:
        self.previous = context.trace
        context.trace = self.trace
        return self.trace

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        context.trace = self.previous
        cause = error.__cause__ if isinstance(error, ValueError) else None
        if isinstance(cause, ConcretizationError) and "setting an array element" in str(error):
            # our refusal says what to do, NumPy's wording of it does not
            raise cause.with_traceback(traceback) from None


class Tracer:
    """Base of the values that stand for arrays inside a transformation.

    The operators, methods and NumPy protocols are added where the operations are known (`ops.operators`, `numpy`).
    """

    __slots__ = ("__weakref__", "_memory", "_trace")
    __hash__ = None  # type: ignore[assignment]  # as ndarray: == is elementwise
    #: np.float64(2) * tracer is ours to compute.
    __array_priority__: ClassVar[float] = 1e6
    #: Is it a value of the parent trace, which does not depend on what is transformed?
    is_constant: ClassVar[bool] = False

    _trace: Trace  # not `trace`, which is a method of arrays
    _memory: Any  # of an array that is written into, or that views are made of: who shares its entries

    @property
    def aval(self) -> Aval:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> np.dtype:
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.aval.size

    def concrete(self) -> Any:
        """The plain array that this tracer carries under all its transformations, or None if it has none (staged)."""
        return None

    def underlying(self) -> Any:
        """All the numbers that this tracer carries, a batch axis included, or None if it has none (staged)."""
        return self.concrete()

    def carried(self) -> list[tuple[str, Any]]:
        """What it carries, each with the name of the part; "" is that of the value itself."""
        return []

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object: this traced value has shape ()")
        return self.shape[0]

    def __repr__(self) -> str:
        value = self.concrete()
        shown = "" if value is None else f" with value {np.array2string(np.asarray(value), threshold=20)}"
        return f"Traced<{self.aval}>{shown} ({self._trace.origin or type(self._trace).__name__})"


class PrimalTracer(Tracer):
    """A tracer that stands for a value of the parent trace, its primal, and carries something beside it."""

    __slots__ = ("primal",)

    primal: Any

    @property
    def aval(self) -> Aval:
        return aval_of(self.primal)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.primal.shape

    @property
    def dtype(self) -> np.dtype:
        return self.primal.dtype

    def concrete(self) -> Any:
        return concrete(self.primal)

    def underlying(self) -> Any:
        return underlying(self.primal)

    def carried(self) -> list[tuple[str, Any]]:
        return [("", self.primal)]


_STATE: dict[type, tuple[str, ...]] = {}


def state(kind: type) -> tuple[str, ...]:
    """The attributes that make up the value of a tracer."""
    if kind not in _STATE:
        slots = (s for k in kind.__mro__ for s in k.__dict__.get("__slots__", ()))
        _STATE[kind] = tuple(s for s in slots if s not in ("__weakref__", "_memory"))
    return _STATE[kind]


def alias(x: Any) -> Any:
    """A tracer of the same value, which does not change when `x` is written into; anything else is itself."""
    if not isinstance(x, Tracer):
        return x
    new = object.__new__(type(x))
    for name in state(type(x)):
        setattr(new, name, getattr(x, name))
    return new


def assume(x: Tracer, value: Tracer) -> None:
    """Let `x` stand for the value of another tracer of its trace from now on."""
    if type(x) is not type(value):
        x.__class__ = type(value)
    for name in state(type(value)):
        setattr(x, name, getattr(value, name))


def emptied(x: Tracer) -> Tracer:
    """The value of `x`, which does not hold it any longer."""
    value = alias(x)
    for name in state(type(x)):
        if name != "_trace":
            setattr(x, name, None)
    return value


class taken:
    """`with taken(held, "primal") as [primal]:` a list that holds what the tracer in the list `held` carries.

    If nobody else holds the tracer it does not carry it any longer, unless an error is raised.
    """

    __slots__ = ("held", "names", "parts", "x")

    def __init__(self, held: list[Any], *names: str) -> None:
        x = held.pop()
        alone = getrefcount(x) == SOLE
        self.held, self.names, self.x = held, names, x
        self.parts = [[getattr(x, name)] for name in names]
        if alone:
            for name in names:
                setattr(x, name, None)

    def __enter__(self) -> list[list[Any]]:
        return self.parts

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None:
            for name, part in zip(self.names, self.parts, strict=True):
                if part and getattr(self.x, name) is None:
                    setattr(self.x, name, part[0])
            self.held.append(self.x)


def is_constant(x: Any) -> bool:
    """Is `x` independent of all that is transformed, so that its value may be handed out?"""
    while isinstance(x, Tracer):
        if not x.is_constant:
            return False
        x = next(value for part, value in x.carried() if not part)
    return True


def concrete(x: Any) -> Any:
    """`x` itself, or the plain array under a tracer; None where there is none."""
    return x.concrete() if isinstance(x, Tracer) else x


def underlying(x: Any) -> Any:
    """`x` itself, or all the numbers under a tracer, a batch axis included; None where there are none."""
    return x.underlying() if isinstance(x, Tracer) else x


def concrete_or_raise(x: Any, what: str, remedy: str) -> Any:
    """The plain array under `x`, or an error that says who wanted it and what to write instead."""
    value = concrete(x)
    if value is None:
        frame = user_frame()
        where = f" at {frame[0]}:{frame[1]} in {frame[2]}" if frame else ""
        raise ConcretizationError(
            f"{what} needs the value of {x.aval}, but it is only known by shape and dtype inside {x._trace.origin}"
            f"{where}. {remedy}{hint(x)}"
        )
    return value


def hint(x: Any) -> str:
    """What a trace whose tracer is found under `x` has to say about it."""
    while isinstance(x, Tracer):
        if text := x._trace.hint(x):
            return f". {text}"
        x = next((value for part, value in x.carried() if not part), None)
    return ""


def check_live(x: Tracer) -> None:
    """Raise LeakedTracerError unless `x` belongs to the current trace or one that encloses it."""
    trace = context.trace
    while trace is not x._trace:
        if trace is None:
            raise leaked(x)
        trace = trace.parent


def leaked(x: Tracer, prim: Primitive | None = None) -> LeakedTracerError:
    """The error for a tracer met outside its transformation."""
    user = f"the operation '{prim.name}'" if prim is not None else "this use"
    return LeakedTracerError(
        f"{user} met a traced value of {x.aval} that belongs to {x._trace.origin or 'a transformation'}, which has "
        "ended or runs in another thread. Return the value from the transformed function instead of keeping it in a "
        "global, an attribute or a list; if it is extra output, use has_aux=True."
    )
