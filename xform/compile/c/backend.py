"""A program as one C function: the text, the library made of it, and the door to it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from xform.compile.c import loops
from xform.compile.c.kernels.arrays import WRITERS
from xform.compile.c.machine.library import load
from xform.compile.c.machine.toolchain import compile_source, compiler
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.memory import MEMORY, ROUTINES
from xform.compile.c.text.prelude import prelude
from xform.compile.c.text.values import Buffer, Offset, Value, View, c_strides
from xform.compile.executable import Executable
from xform.core.aval import Aval
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Var


class Writer(Emitter):
    """An emitter with what operations that contain programs ask for in their `lower` rules."""

    scan = loops.scan
    while_loop = loops.while_loop
    cond = loops.cond

    def program(self, program: Jaxpr, args: list[Value]) -> list[Value]:
        """The results of a program on values."""
        values = loops.run_program(self, program, args, [None] * len(program.outputs))
        return [self.hand_over(x) for x in values]


#: operations in the text from which on the compiler is asked for less, so that its time stays linear
LONG = 3000


def build(jaxpr: Jaxpr, donated: tuple[bool, ...] = ()) -> Executable:
    """Compile a program; Unsupported if it has what is not compiled to C, or there is no compiler."""
    emit, rewritten = Writer(), rewrites(jaxpr, donated)
    text = function(emit, jaxpr, rewritten)
    source = prelude(text, compiler()) + text
    level = "-O3" if emit.bodies[0].steps <= LONG else "-O1"
    library = compile_source(source, openmp=emit.threads, level=level)
    program = load(library, jaxpr.in_avals, jaxpr.out_avals, emit.given, emit.callbacks)
    if not rewritten:
        return Executable(jaxpr, "c", source, program.run, program.entry)

    def run(*arrays: Any) -> list[Any]:
        operands = list(arrays)
        for j in rewritten.values():
            operands[j] = np.require(arrays[j], requirements=["C", "A", "W"])
        outs = program.run(*operands)
        for k, j in rewritten.items():
            outs[k] = operands[j]
        return outs

    return Executable(jaxpr, "c", source, run)


def rewrites(jaxpr: Jaxpr, donated: tuple[bool, ...]) -> dict[int, int]:
    """The results that are donated arguments with other entries written into them: its number by that of the result.

    Such a result takes the place of the argument, in which the writes happen if nothing else reads it afterwards.
    """
    made = {v: e for e in jaxpr.eqns for v in e.outputs}
    number = {v: j for j, (v, d) in enumerate(zip(jaxpr.inputs, donated, strict=False)) if d}
    found: dict[int, int] = {}
    for k, y in enumerate(jaxpr.outputs):
        origin = written_into(y, made)
        if origin in number and origin not in jaxpr.outputs and number[origin] not in found.values():
            found[k] = number[origin]
    return found


def written_into(y: Atom, made: dict[Var, Eqn]) -> Any:
    """The array into which the writes that lead to `y` are done."""
    while type(y) is Var and (eqn := made.get(y)) is not None:
        if eqn.prim.name not in WRITERS:
            return None
        y = eqn.inputs[0]
    return y


def function(emit: Writer, jaxpr: Jaxpr, rewritten: dict[int, int] | None = None) -> str:
    """The text of the function, and of what stands in front of it."""
    rewritten = rewritten or {}
    args = [
        own(emit, k, a) if k in rewritten.values() else given(emit, "x", k, a) for k, a in enumerate(jaxpr.in_avals)
    ]
    targets = [None if k in rewritten else given(emit, "r", k, a) for k, a in enumerate(jaxpr.out_avals)]
    values = loops.run_program(emit, jaxpr, args, targets, list(rewritten.values()))
    for target, value in zip(targets, values, strict=True):
        if target is not None:
            emit.copy(target, value)
    for k, j in rewritten.items():  # now that nothing reads the argument any more
        emit.copy(args[j], values[k])
    body = "\n  ".join(emit.bodies[0].lines)
    text = FUNCTION.replace("ARENA", str(emit.arena.size)).replace("BODY", body)
    routines = [ROUTINES[name] for name in sorted(set(re.findall(r"\bxf_\w+", text)) & ROUTINES.keys())]
    return "\n".join([MEMORY, *routines, *emit.constants, text])


def given(emit: Emitter, letter: str, k: int, aval: Aval) -> View:
    """An argument, or a result, whose memory is given to the function."""
    kind, source = (f"const {emit.ctype(aval.dtype)}", "in") if letter == "x" else (emit.ctype(aval.dtype), "out")
    emit.line(f"{kind} *const {letter}{k} = {source}[{k}];")
    return View(f"{letter}{k}", Offset(), aval.shape, c_strides(aval.shape), aval.dtype)


def own(emit: Emitter, k: int, aval: Aval) -> View:
    """An argument that may be overwritten when nothing reads it any more."""
    name = f"x{k}"
    emit.line(f"{emit.ctype(aval.dtype)} *const {name} = in[{k}];")
    view = View(name, Offset(), aval.shape, c_strides(aval.shape), aval.dtype, Buffer(name, 0, 0))
    emit.keep(view)
    return view


FUNCTION = """
int xform_program(void **in, void **out)
{
  struct xf_call space, *call = &space;
  if (xf_begin(call, ARENA)) return -1;
  char *const arena = call->arena;
  BODY
  xf_end(call);
  return 0;
fail: __attribute__((unused));
  xf_end(call);
  return -1;
}
"""
