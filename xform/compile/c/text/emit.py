"""The emitter: lines of C, names, and memory; how scalars and views are read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from xform.compile.c.text.arena import Arena
from xform.compile.c.text.helpers import c_literal
from xform.compile.c.text.values import (
    C_TYPES,
    Buffer,
    Held,
    Offset,
    Scalars,
    Size,
    Value,
    View,
    as_entries,
    buffers,
    c_strides,
)
from xform.compile.executable import Unsupported
from xform.core.jaxpr import Eqn

#: arrays of so many entries at most are kept in registers: in the body of a loop over a batch, and elsewhere
MOST_IN_BATCH, MOST = 64, 8

#: operations from which on a loop is shared by threads: half a millisecond, where to wake them costs some 10 us
WORK_FOR_THREADS = 1 << 21

#: constants of so many entries at most are written into the program
MOST_WRITTEN = 256


#: sin(x) and cos(x) are one call where steps are taken one by one; of that there is no version for vectors
_CIRCULAR = re.compile(r"\b(?=(?:sin|cos)f?\()")


class Body:
    """What is known of a loop's body when it has been written: may its steps be taken several at a time?"""

    __slots__ = ("checks", "dependent", "lines", "serial", "steps")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.serial = False  # steps depend on one another, or contain what is no straight line
        self.dependent = False  # they depend on one another, share memory, or may fail: not for several threads
        self.steps = 0  # operations in it
        self.checks: dict[str, str] | None = None  # error -> flag of what is checked when the loop is done


class Emitter:
    """Writes one function."""

    def __init__(self) -> None:
        self.bodies = [Body()]
        self.count = 0
        self.arena = Arena()
        self.memo: list[dict[Any, Any]] = [{}]  # operations on scalars that were done in the scopes around
        self.nonnegative: set[str] = set()  # names whose value is not -0.0
        self.constants: list[str] = []  # definitions in front of the function
        self.given: list[np.ndarray] = []  # constants that the program is handed
        self.callbacks: list[Callable[..., Any]] = []
        self.most = MOST
        self.stacks = 0  # arrays that grow
        self.threads = False  # does a loop ask for several?
        self.helpers: set[str] = set()

    # --- text ---

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def line(self, text: str) -> None:
        self.bodies[-1].lines.append(text)

    def serialize(self) -> None:
        """The steps of the loop that is being written must be taken one by one."""
        self.bodies[-1].serial = self.bodies[-1].dependent = True

    def takes_several(self) -> bool:
        """Is a loop being written whose steps may be taken several at a time?"""
        return self.bodies[-1].checks is not None and not self.bodies[-1].serial

    def check(self, failed: str, error: str) -> None:
        """An error where `failed` is true: at once, or behind a loop whose steps may be taken several at a time."""
        body = self.bodies[-1]
        if body.checks is None or body.serial:
            self.line(f"if (__builtin_expect({failed}, 0)) {{ {error}; goto fail; }}")
            self.serialize()
            return
        flag = body.checks.get(error) or self.name("e")
        body.checks[error] = flag
        self.line(f"{flag} |= {failed};")

    @contextmanager
    def scope(self) -> Iterator[Body]:
        """Lines that are collected, whose names are not seen outside."""
        body = Body()
        self.bodies.append(body)
        self.memo.append({})
        try:
            yield body
        finally:
            self.bodies.pop()
            self.memo.pop()

    def put(self, head: str, body: Body) -> None:
        """A block of lines under a head."""
        self.line(f"{head} {{")
        self.bodies[-1].lines += [f"  {text}" for text in body.lines]
        self.line("}")
        self.bodies[-1].serial = True  # the loop around it: a block is no straight line
        self.bodies[-1].dependent |= body.dependent
        self.bodies[-1].steps += body.steps

    def let(self, dtype: np.dtype, expression: str) -> str:
        """A new constant of the program."""
        name = self.name("t")
        self.line(f"const {self.register(dtype)} {name} = {_CIRCULAR.sub('__builtin_', expression)};")
        self.bodies[-1].steps += 1
        return name

    def variable(self, dtype: np.dtype, expression: str) -> str:
        name = self.name("v")
        self.line(f"{self.register(dtype)} {name} = {expression};")
        return name

    def register(self, dtype: np.dtype) -> str:
        """The type of a variable: truth as such, of which compilers make masks of vectors, not bytes."""
        return "_Bool" if dtype.kind == "b" else self.ctype(dtype)

    def ctype(self, dtype: np.dtype) -> str:
        try:
            return C_TYPES[dtype.name]
        except KeyError:
            raise Unsupported(f"arrays of dtype {dtype} are not compiled to C") from None

    def text(self, entry: Any, dtype: np.dtype) -> str:
        """An entry of scalars as C, a number in the given dtype."""
        return entry if type(entry) is str else c_literal(entry, dtype)

    # --- memory ---

    def buffer(self, shape: Sequence[int], dtype: np.dtype) -> View:
        """Memory of the arena, which threads would share."""
        self.bodies[-1].dependent = True
        place, size = self.arena.take(math.prod(shape) * dtype.itemsize)
        name = self.name("b")
        self.line(f"{self.ctype(dtype)} *{name} = ({self.ctype(dtype)} *)(arena + {place});")
        return View(name, Offset(), shape, c_strides(shape), dtype, Buffer(name, place, size))

    def local(self, shape: Sequence[int], dtype: np.dtype) -> View:
        """A small array of the current scope."""
        name = self.name("a")
        self.line(f"{self.ctype(dtype)} {name}[{max(math.prod(shape), 1)}];")
        return View(name, Offset(), shape, c_strides(shape), dtype)

    def keep(self, value: Held) -> None:
        """One more variable of the program has this value."""
        for buffer in buffers(value):
            buffer.readers += 1

    def hand_over(self, value: Any) -> Any:
        """One variable less has this value, which the next one is about to have."""
        for buffer in buffers(value):
            buffer.readers -= 1
        return value

    def drop(self, value: Held) -> None:
        """One variable less has this value."""
        for buffer in dict.fromkeys(buffers(self.hand_over(value))):
            if not buffer.readers:
                for each in filter(None, (buffer, buffer.twin)):
                    self.arena.give_back(each.place, each.bytes)

    def drop_all(self, values: Sequence[Value]) -> None:
        for value in values:
            self.drop(value)

    def constant(self, x: Any) -> Value:
        """A constant array: numbers if it is small, else written into the program or handed to it."""
        x = np.asarray(x)
        if not x.dtype.itemsize:
            return View("arena", Offset(), x.shape, c_strides(x.shape), x.dtype)
        if x.size <= MOST_IN_BATCH and x.size <= max(self.most, 1):
            entries = np.empty(x.shape, object)
            for k in np.ndindex(x.shape):
                entries[k] = x[k]
            return Scalars(entries, x.dtype)
        return self.constant_view(x)

    def constant_view(self, x: np.ndarray) -> View:
        """In memory. What is written is not `const`: gcc 12 with AVX-512 copies some arrays that it knows wrongly."""
        name, kind = self.name("k"), self.ctype(x.dtype)
        if x.size <= MOST_WRITTEN:
            entries = ", ".join(c_literal(e, x.dtype) for e in x.ravel())
            self.constants.append(f"{kind} {name}[{max(x.size, 1)}] = {{{entries or 0}}};")
        else:
            self.constants.append(f"#define {name} ((const {kind} *)xform_consts[{len(self.given)}])")
            self.given.append(np.ascontiguousarray(x))
        bounds = (int(x.min()), int(x.max())) if x.size and x.dtype.kind in "iu" else None
        return View(name, Offset(), x.shape, c_strides(x.shape), x.dtype, None, bounds)

    # --- reading and writing ---

    def scalars(self, value: Value) -> Scalars:
        """The value in registers."""
        if isinstance(value, Scalars):
            return value
        entries = np.empty(value.shape, object)
        for k in np.ndindex(*value.shape):
            entries[k] = self.let(value.dtype, value.entry(k))
        return Scalars(entries, value.dtype)

    def view(self, value: Value) -> View:
        """The value in memory."""
        if isinstance(value, View):
            return value
        if all(type(e) is not str for e in value.entries.flat):
            x = np.array([*value.entries.flat], value.dtype).reshape(value.shape)
            return self.constant_view(x)
        view = self.local(value.shape, value.dtype)
        self.store(view, value)
        return view

    def contiguous(self, value: Value) -> View:
        """The value in memory, in C order without gaps."""
        view = self.view(value)
        if view.contiguous:
            return view
        out = self.buffer(view.shape, view.dtype)
        self.copy(out, view)
        return out

    def store(self, view: View, value: Scalars) -> None:
        for k in np.ndindex(*value.shape):
            self.line(f"{view.entry(k)} = {self.text(value.entries[k], value.dtype)};")

    def copy(self, view: View, value: Value) -> None:
        """Write a value into memory; nothing if it is there already, or has no bytes (a tangent of an integer)."""
        if not view.dtype.itemsize:
            return None
        if isinstance(value, Scalars):
            return self.store(view, value)
        if same(view, value):
            return None
        if view.contiguous and value.contiguous and view.shape:
            count = " * ".join(map(str, view.shape))
            a, b = (f"&{v.entry((0,) * len(v.shape))}" for v in (view, value))
            self.line(f"memmove({a}, {b}, sizeof(*{view.pointer}) * {count});")
            self.serialize()
            return None
        return self.copy_rows(view, value)

    def copy_rows(self, view: View, value: View) -> None:
        if not view.shape:
            self.line(f"{view.entry()} = {value.entry()};")
            return
        with self.loop(view.shape[0]) as i:
            self.copy(view.index(0, i), value.index(0, i))

    def fill(self, view: View, number: Any) -> None:
        literal = c_literal(number, view.dtype)
        if len(view.shape) == 0:
            self.line(f"{view.entry()} = {literal};")
            return
        if view.contiguous and len(view.shape) > 1:
            view = view.like((math.prod(view.shape),), (1,))
        with self.loop(view.shape[0]) as i:
            self.fill(view.index(0, i), number)

    # --- what has no text of its own ---

    def callback(self, eqn: Eqn, args: Sequence[Value]) -> list[Value]:
        """Call the NumPy rule of an operation from inside the program."""
        prim, params = eqn.prim, eqn.params
        ins = [self.contiguous(x) for x in args]
        outs = [self.buffer(v.aval.shape, v.aval.dtype) for v in eqn.outputs]
        names = [self.described(views) for views in (ins, outs)]
        operands = f"{len(ins)}, {names[0]}, {len(outs)}, {names[1]}"
        self.line(f"if (xform_callback({len(self.callbacks)}, {operands})) goto fail;")
        self.callbacks.append(lambda *arrays: prim.numpy(*arrays, **params))
        self.serialize()
        return list(outs)

    def described(self, views: Sequence[View]) -> str:
        """An array of the shapes, dtypes and places of arrays."""
        if not views:
            return "0"
        rows = []
        for v in views:
            shape = f"(long[]){{{', '.join(map(str, v.shape)) or 0}}}"
            rows.append(f"{{(void *)&{v.entry((0,) * len(v.shape))}, {v.dtype.num}, {len(v.shape)}, {shape}}}")
        return f"(struct xform_array[]){{{', '.join(rows)}}}"

    # --- loops ---

    @contextmanager
    def loop(self, size: Size, clauses: Callable[[], str] | None = None, start: str = "0") -> Iterator[str]:
        """for (i = start; i < size; i++), several steps at a time if the body allows it."""
        i = self.name("i")
        with self.scope() as body:
            body.checks = {}
            yield i
        rest = " ".join([clauses() if clauses else "", *(f"reduction(|:{e})" for e in body.checks.values())])
        for flag in body.checks.values():
            self.line(f"int {flag} = 0;")
        simd = not body.serial
        if simd:
            body.lines = [text.replace("__builtin_sin", "sin").replace("__builtin_cos", "cos") for text in body.lines]
        pragma = " ".join([*(["parallel for"] if self.for_threads(size, body) else []), *(["simd"] if simd else [])])
        if pragma:
            condition = " if(parallel:xf_threads())" if "parallel" in pragma else ""
            self.line(f"#pragma omp {pragma}{condition} {rest}".rstrip())
        self.put(f"for (long {i} = {start}; {i} < {size}; {i}++)", body)
        for error, flag in body.checks.items():
            self.check(flag, error)

    def for_threads(self, size: Size, body: Body) -> bool:
        """Is it a loop of the outermost level, with work for several threads?"""
        wanted = len(self.bodies) == 1 and isinstance(size, int) and size * body.steps >= WORK_FOR_THREADS
        if not wanted or body.dependent:
            return False
        self.threads = True
        return True


def same(a: View, b: View) -> bool:
    return a.pointer == b.pointer and a.offset == b.offset and a.strides == b.strides


def scalar(entry: Any, dtype: np.dtype) -> Scalars:
    return Scalars(as_entries(entry), dtype)
