"""Traces interpret primitives; tracers are the values that they hand out.

Context decides, data carries: each thread has one current trace, and each trace knows its parent, the trace that was
current when its transformation began. A primitive applied to no tracer of the current trace is none of its business
and goes to the parent, down to `EVAL`, which calls NumPy. A tracer of another trace is a constant: nothing more is
needed to keep the perturbations of nested derivatives apart.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.errors import ConcretizationError, LeakedTracerError, user_frame

if TYPE_CHECKING:
    from xform.core.primitive import Primitive

NO_PARAMS: dict[str, Any] = {}


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

    __slots__ = ("__weakref__", "_trace")
    __hash__ = None  # type: ignore[assignment]  # as ndarray: == is elementwise
    #: np.float64(2) * tracer is ours to compute.
    __array_priority__: ClassVar[float] = 1e6

    _trace: Trace  # not `trace`, which is a method of arrays

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
