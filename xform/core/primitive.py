"""The primitive: one class, its rules are its methods.

Arrays are positional, parameters are keywords, outputs are always a list, and the batch axis is always in front.

    abstract(*avals, **params)                    -> [aval]
    numpy(*arrays, **params)                      -> [array]
    jvp(primals, tangents, **params)              -> outs, out_tangents          a tangent may be a Zero
    linearize(primals, tangents, **params)        -> the same; only for operations that contain programs
    transpose(cotangents, *args, **params)        -> [cotangent or None]         unknown args are Linear(aval)
    batch(size, args, batched, **params)          -> outs
    jet(series, apply, **params)                  -> [series]
    sparsity(patterns, avals, **params)           -> [pattern]
    lower(emit, *args, **params)                  -> [value]

A rule that is not written is derived (by the family, or here) or missing, and then its use says so.
"""

from __future__ import annotations

from typing import Any, ClassVar

from xform.core.aval import Aval, aval_of
from xform.core.errors import in_main, missing_rule
from xform.core.trace import Tracer, context


class Zero:
    """The symbolic zero: a tangent, cotangent or Taylor coefficient that need not be computed."""

    __slots__ = ("aval",)

    def __init__(self, aval: Aval) -> None:
        self.aval = aval

    @classmethod
    def like(cls, x: Any) -> Zero:
        """The zero tangent of the value `x`."""
        return cls(aval_of(x).tangent())

    def __repr__(self) -> str:
        return f"Zero({self.aval})"


class Linear:
    """Stands, in a transpose rule, for an argument whose value is unknown and whose cotangent is wanted."""

    __slots__ = ("aval", "id")

    def __init__(self, aval: Aval, id: int = -1) -> None:
        self.aval = aval
        self.id = id  # the tape variable it stands for

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self) -> Any:
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return len(self.aval.shape)

    def __repr__(self) -> str:
        return f"Linear({self.aval})"


class Primitive:
    """A first-order operation on arrays with the rules by which every transformation knows it."""

    #: every primitive by name, for the machine-checked rule table
    registry: ClassVar[dict[str, Primitive]] = {}
    #: evaluated for its effect: survives dead-code elimination
    effect: bool = False
    #: its transpose rule takes symbolic zeros among the cotangents of several outputs
    takes_zeros: ClassVar[bool] = False
    #: its programs may communicate along the axis of a vmap: its batch rule is given an `Axis` for the size
    has_programs: ClassVar[bool] = False
    #: its programs are run as they are: once it is compiled, nobody differentiates them any more
    programs_are_final: ClassVar[bool] = True

    #: update(buffer, *operands, **params): optionally, of a change to entries of the first operand, the same in place
    update: ClassVar[Any] = None
    #: is what it changes replaced, or added to?
    overwrites: ClassVar[bool] = True
    #: values_cotangent(bar, *operands, **params): of a linear change, the cotangent of its values, the second operand
    values_cotangent: ClassVar[Any] = None
    #: batched_update(size, x, operands, batched, **params): of a change, operands and params that do it to a batch x
    batched_update: ClassVar[Any] = None
    #: accumulate(buffer, cotangent, *args, **params): optionally, the transpose added in place into the one accumulator
    accumulate: ClassVar[Any] = None
    #: add_to(total, cotangent, *args, **params): optionally, the total plus the transpose, as an update of few entries
    add_to: ClassVar[Any] = None
    #: reached(mask, **params): optionally, which of several outputs depend on the operands in the mask; else all do
    reached: ClassVar[Any] = None
    #: positions(*args, **params): optionally, of a read of its first operand, the entries that it reads, in C order
    positions: ClassVar[Any] = None

    name: str

    def __init__(self, name: str) -> None:
        if name in Primitive.registry and not Primitive.registry[name].replaceable():
            raise ValueError(f"a primitive named '{name}' exists already; choose another name")
        self.name, self.in_main = name, in_main()
        Primitive.registry[name] = self

    def replaceable(self) -> bool:
        """May another of its name take its place? A notebook cell may be run again."""
        return self.in_main and in_main()

    def bind(self, *args: Any, **params: Any) -> list[Any]:
        """Apply under the current trace."""
        return context.trace.process(self, args, params)

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply a primitive of one output."""
        return context.trace.process(self, args, params)[0]

    def __repr__(self) -> str:
        return self.name

    def abstract(self, *avals: Aval, **params: Any) -> list[Aval]:
        raise missing_rule(self, "abstract")

    def numpy(self, *arrays: Any, **params: Any) -> list[Any]:
        raise missing_rule(self, "numpy")

    def jvp(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        raise missing_rule(self, "jvp")

    def linearize(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        return self.jvp(primals, tangents, **params)

    def transpose(self, cotangents: list[Any], *args: Any, **params: Any) -> list[Any]:
        raise missing_rule(self, "transpose")

    def batch(self, size: Any, args: Any, batched: Any, **params: Any) -> list[Any]:
        raise missing_rule(self, "batch")

    def jet(self, series: Any, apply: Any, **params: Any) -> list[Any]:
        raise missing_rule(self, "jet")

    def sparsity(self, patterns: Any, avals: Any, **params: Any) -> list[Any]:
        raise missing_rule(self, "sparsity")

    def pruned(self, eqn: Any, live: list[bool]) -> Any:
        """The eqn without what only those outputs need that nobody reads, if the primitive knows how to do less."""
        return eqn

    def inlined(self, eqn: Any) -> Any:
        """A program with the operands and results of the eqn that may stand in its place, if there is a better one."""
        return None

    def lower(self, emit: Any, *args: Any, **params: Any) -> list[Any]:
        """By default a compiled program calls back into the NumPy rule."""
        return emit.callback(self, args, params)


def is_zero(x: Any) -> bool:
    return type(x) is Zero


def is_traced(*values: Any) -> bool:
    return any(isinstance(x, Tracer) for x in values)
