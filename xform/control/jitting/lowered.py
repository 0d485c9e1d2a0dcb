"""The steps of compiling a function, one by one: lowered to a program, and compiled."""

from __future__ import annotations

from typing import Any

from xform.control.jitting.arguments import Call, Signature
from xform.control.jitting.cache import Entry
from xform.control.jitting.cost import MemoryAnalysis, cost_of, memory_of
from xform.control.jitting.primitive import executable, jit_p
from xform.control.parts import result_avals
from xform.core import tree
from xform.core.jaxpr import Jaxpr
from xform.core.tracebacks import public
from xform.transforms.arguments import as_array


class Lowered:
    """The program of a function for arguments of one kind, not compiled yet."""

    __slots__ = ("_call", "_entry", "_free", "_name", "_signature", "backend")

    def __init__(
        self, signature: Signature, name: str, backend: str, call: Call, entry: Entry, free: list[Any]
    ) -> None:
        self._signature, self._name, self.backend = signature, name, backend
        self._call, self._entry, self._free = call, entry, free

    @property
    def jaxpr(self) -> Jaxpr:
        """The program, before the passes."""
        return self._entry.program

    @property
    def out_info(self) -> Any:
        """Shapes and dtypes of the result, in its structure."""
        return self._entry.packed(result_avals(self.jaxpr))

    def as_text(self) -> str:
        """The program as text."""
        return self.jaxpr.pretty()

    @public
    def compile(self) -> Compiled:
        """Compile it. Raises NotImplementedError if the backend was named and cannot."""
        return Compiled(self)

    def cost_analysis(self) -> dict[str, float]:
        """See `Compiled.cost_analysis`; here of the program before the passes."""
        return named_cost(self.jaxpr)

    def __repr__(self) -> str:
        return f"Lowered({self._signature.origin})"


class Compiled:
    """A compiled function, for arguments of one kind; called without the static ones."""

    __slots__ = ("_executable", "_lowered")

    def __init__(self, lowered: Lowered) -> None:
        self._lowered = lowered
        self._executable = executable(lowered.jaxpr, lowered.backend, ())

    @property
    def backend(self) -> str:
        """The backend that compiled it, "c" or "numpy"."""
        return self._executable.backend

    @property
    def out_info(self) -> Any:
        """Shapes and dtypes of the result, in its structure."""
        return self._lowered.out_info

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        lowered = self._lowered
        signature, wanted, entry = lowered._signature, lowered._call, lowered._entry
        call = signature.arrays(args, kwargs, wanted.static)
        if call.in_tree != wanted.in_tree:
            raise TypeError(
                f"{signature.origin} was compiled for arguments of the structure {wanted.in_tree}; given was "
                f"{call.in_tree} (static arguments are left out of the call)"
            )
        names = signature.leaf_names(tree.unflatten(call.in_tree, call.leaves), call.static)
        for name, aval, given in zip(names, wanted.avals, call.avals, strict=True):
            if aval != given:
                raise TypeError(f"{signature.origin} was compiled for {name} of {aval}; {given} was given")
        operands = [*lowered._free, *map(as_array, call.leaves)]
        params = {"program": entry.program, "name": lowered._name, "backend": lowered.backend, "donated": ()}
        return entry.packed(jit_p.bind(*operands, **params))

    def as_text(self) -> str:
        """The program after the passes, as text."""
        return self._executable.jaxpr.pretty()

    def source(self) -> str:
        """The source that was compiled: C or Python."""
        return self._executable.source

    def cost_analysis(self) -> dict[str, float]:
        """Numbers of operations: "flops", "transcendentals", and "bytes accessed" if nothing were fused.

        They are counted from the equations; a `while` loop, whose number of steps is not known, counts as one step.
        """
        return named_cost(self._executable.jaxpr)

    def memory_analysis(self) -> MemoryAnalysis:
        """Bytes of arguments, results, temporaries (what is alive at most, if nothing is fused) and constants."""
        return memory_of(self._executable.jaxpr)

    def __repr__(self) -> str:
        return f"Compiled({self._lowered._signature.origin}, backend={self.backend!r})"


def named_cost(jaxpr: Jaxpr) -> dict[str, float]:
    cost = cost_of(jaxpr)
    return {"flops": cost.flops, "transcendentals": cost.transcendentals, "bytes accessed": cost.bytes}
