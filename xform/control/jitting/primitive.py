"""The operation `jit`: a program that is run by its executable.

    jit(*operands; program, name, backend, donated)       outs = program(*operands)

Its rules are those of every call, so what a transformation makes of it is a jitted program again. On known values it is
not run as Python's own control flow: it is compiled, once for each program, and run as a whole. Reverse mode compiles
two programs, the one that also puts out the residuals, and the transpose of the linear one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xform.compile.executable import Executable
from xform.compile.pipeline import compile_program
from xform.control.call import Call
from xform.control.expansion import are_active
from xform.control.masks import Mask, chosen
from xform.control.parts import with_outputs
from xform.control.programs import derived
from xform.control.transformed import linearize_program
from xform.core.checking import CheckedTrace
from xform.core.jaxpr import Eqn, Jaxpr, Var, evaluate
from xform.core.primitive import Zero
from xform.core.trace import EVAL, context
from xform.ops.elementwise import Elementwise
from xform.transforms.arguments import as_array
from xform.transforms.flat import own


class Jit(Call):
    """A compiled program."""

    def can_run(self, args: Sequence[Any], params: dict[str, Any]) -> bool:
        """It is not run as Python would run it."""
        return False

    def bind(self, *args: Any, **params: Any) -> list[Any]:
        if context.trace is EVAL:
            return EVAL.process(self, args, params)
        return super().bind(*args, **params)

    def apply(self, derived: Jaxpr, operands: Sequence[Any], **params: Any) -> list[Any]:
        """Of a derived program nothing is donated: its other operands may share memory with these."""
        return self.bind(*operands, **{**params, "program": derived, "donated": ()})

    def numpy(
        self, *operands: Any, program: Jaxpr, name: str, backend: str, donated: tuple[bool, ...] = ()
    ) -> list[Any]:
        if is_examined():  # so that the operation inside can be named
            return [as_array(y) for y in evaluate(program, *operands)]
        return runner(program, backend, donated)(*operands)

    def linearize(self, primals: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
        """Residuals that are operands are not put out once more."""
        active = are_active(tangents)
        parts = linearize_program(params["program"], active)
        count = len(parts.varying)
        forward, places = without_operands(parts.forward, count)
        outs = self.apply(forward, primals, **params)
        ys, rest = outs[:count], iter(outs[count:])
        residuals = [next(rest) if k is None else primals[k] for k in places]
        y_dots = iter(self.apply(parts.linear, [*residuals, *chosen(tangents, active)], **params))
        return ys, [next(y_dots) if v else Zero.like(y) for y, v in zip(ys, parts.varying, strict=True)]

    def pruned(self, eqn: Eqn, live: list[bool]) -> Eqn:
        """Only what leads to the results that are read, from the operands that it needs."""
        program, needed = part(eqn.params["program"], tuple(live))
        if program is eqn.params["program"]:
            return eqn
        donated = eqn.params["donated"] and tuple(chosen(eqn.params["donated"], needed))
        params = {**eqn.params, "program": program, "donated": donated}
        return Eqn(self, chosen(eqn.inputs, needed), params, chosen(eqn.outputs, live), eqn.source)


jit_p = Jit("jit")


def is_examined() -> bool:
    """Are nans and infs looked for in what happens here?"""
    trace = context.trace
    while trace is not None:
        if type(trace) is CheckedTrace and (trace.checks.nans or trace.checks.infs):
            return True
        trace = trace.parent
    return False


@derived
def part(program: Jaxpr, live: Mask) -> tuple[Jaxpr, Mask]:
    """The program of the outputs that are read, and which of its inputs it needs; itself if it needs all for all."""
    less = with_outputs(program, chosen(program.outputs, live))
    used = {a for e in less.eqns for a in e.inputs} | set(less.outputs)
    needed = tuple(v in used for v in program.inputs)
    if all(live) and all(needed) and len(less.eqns) == len(program.eqns):
        return program, needed
    return Jaxpr(chosen(less.inputs, needed), less.consts, less.eqns, less.outputs), needed


@derived
def without_operands(forward: Jaxpr, count: int) -> tuple[Jaxpr, tuple[int | None, ...]]:
    """The program without those residuals that are inputs; for each residual the number of the input, or None."""
    number = {v: k for k, v in enumerate(forward.inputs)}
    residuals = forward.outputs[count:]
    places = tuple(number.get(r) if isinstance(r, Var) else None for r in residuals)
    rest = [r for r, k in zip(residuals, places, strict=True) if k is None]
    return Jaxpr(forward.inputs, forward.consts, forward.eqns, [*forward.outputs[:count], *rest]), places


@derived
def executable(program: Jaxpr, backend: str, donated: tuple[bool, ...]) -> Executable:
    """The compiled program."""
    return compile_program(program, backend, donated)


@derived
def runner(program: Jaxpr, backend: str, donated: tuple[bool, ...]) -> Callable[..., list[Any]]:
    """The function of operands that returns arrays which the caller may keep, and write into."""
    compiled = executable(program, backend, donated)
    if compiled.backend != "numpy" or makes_all(compiled.jaxpr):
        return compiled.run
    run, captured = compiled.run, [x for _, x in compiled.jaxpr.consts]

    def owned(*operands: Any) -> list[Any]:
        return own([as_array(y) for y in run(*operands)], [*operands, *captured])

    return owned


#: operations that make new arrays, or scalars, beside the elementwise ones; and those of these that make views
_MAKERS = frozenset({"contract", "reduce_sum", "reduce_max", "reduce_min", "concatenate", "stack", "select"})
_VIEWS = frozenset({"real", "imag", "stop_gradient"})


def makes_all(jaxpr: Jaxpr) -> bool:
    """Is each result a new array, in one place only, so that the caller may have it as it is?"""
    made = {
        v
        for e in jaxpr.eqns
        if e.prim.name in _MAKERS or (isinstance(e.prim, Elementwise) and e.prim.name not in _VIEWS)
        for v in e.outputs
    }
    return made.issuperset(jaxpr.outputs) and len(set(jaxpr.outputs)) == len(jaxpr.outputs)
