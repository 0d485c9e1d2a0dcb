"""A program as one C function: the text, the library made of it, and the door to it."""

from __future__ import annotations

import re

from xform.compile.c import loops
from xform.compile.c.emit import Emitter
from xform.compile.c.library import load
from xform.compile.c.memory import MEMORY, ROUTINES
from xform.compile.c.prelude import prelude
from xform.compile.c.toolchain import compile_source, compiler
from xform.compile.c.values import Offset, Value, View, c_strides
from xform.compile.executable import Executable
from xform.core.aval import Aval
from xform.core.jaxpr import Jaxpr


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
    emit = Writer()
    text = function(emit, jaxpr)
    source = prelude(text, compiler()) + text
    level = "-O3" if emit.bodies[0].steps <= LONG else "-O1"
    library = compile_source(source, openmp=emit.threads, level=level)
    program = load(library, jaxpr.in_avals, jaxpr.out_avals, emit.given, emit.callbacks)
    return Executable(jaxpr, "c", source, program.run, program.entry)


def function(emit: Writer, jaxpr: Jaxpr) -> str:
    """The text of the function, and of what stands in front of it."""
    args = [given(emit, "x", k, a) for k, a in enumerate(jaxpr.in_avals)]
    outs = [given(emit, "r", k, a) for k, a in enumerate(jaxpr.out_avals)]
    values = loops.run_program(emit, jaxpr, args, outs)
    for out, value in zip(outs, values, strict=True):
        emit.copy(out, value)
    body = "\n  ".join(emit.bodies[0].lines)
    text = FUNCTION.replace("ARENA", str(emit.arena.size)).replace("BODY", body)
    routines = [ROUTINES[name] for name in sorted(set(re.findall(r"\bxf_\w+", text)) & ROUTINES.keys())]
    return "\n".join([MEMORY, *routines, *emit.constants, text])


def given(emit: Emitter, letter: str, k: int, aval: Aval) -> View:
    """An argument, or a result, whose memory is given to the function."""
    kind, source = (f"const {emit.ctype(aval.dtype)}", "in") if letter == "x" else (emit.ctype(aval.dtype), "out")
    emit.line(f"{kind} *const {letter}{k} = {source}[{k}];")
    return View(f"{letter}{k}", Offset(), aval.shape, c_strides(aval.shape), aval.dtype)


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
