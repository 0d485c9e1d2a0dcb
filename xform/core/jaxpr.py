"""The IR: a jaxpr is a closed, typed program in single-assignment form.

    jaxpr = inputs, consts, eqns, outputs
    eqn   = outputs, primitive, params, inputs

An input of an eqn is a `Var` or a `Literal`; a const is a variable with its value, which may be an array or a tracer of
an enclosing transformation (that is how a closure is represented).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.primitive import Primitive
from xform.core.trace import EVAL, context


class Var:
    """A variable; its identity is its name until it is printed."""

    __slots__ = ("aval",)

    def __init__(self, aval: Aval) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var({self.aval})"


class Literal:
    """A scalar written into the program; a Python scalar stays weakly typed."""

    __slots__ = ("aval", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.aval = aval_of(value)

    def __repr__(self) -> str:
        return f"{self.value}"


Atom = Var | Literal


class Eqn:
    """outputs = primitive[params] inputs."""

    __slots__ = ("effect", "inputs", "outputs", "params", "prim", "source")

    def __init__(
        self,
        prim: Primitive,
        inputs: Sequence[Atom],
        params: dict[str, Any],
        outputs: Sequence[Var],
        source: tuple[str, int, str] | None = None,
    ) -> None:
        self.prim, self.inputs, self.params, self.outputs, self.source = prim, inputs, params, outputs, source
        self.effect = has_effect(prim, params)  # now: inner programs know theirs already, however deep they are nested

    def jaxprs(self) -> Iterator[Jaxpr]:
        """The programs among the parameters."""
        return programs_in(self.params)


class Jaxpr:
    """A program. Printing it shows it in JAX's notation, calling it evaluates it under the current trace."""

    __slots__ = ("_effect", "_last_use", "consts", "derived", "eqns", "inputs", "outputs")

    def __init__(
        self, inputs: Sequence[Var], consts: Sequence[tuple[Var, Any]], eqns: list[Eqn], outputs: Sequence[Atom]
    ) -> None:
        self.inputs, self.consts, self.eqns, self.outputs = list(inputs), list(consts), eqns, list(outputs)
        self._last_use: list[list[Var]] | None = None
        self._effect: bool | None = None
        #: programs made of this one by transformations, each made once
        self.derived: dict[Any, Any] = {}

    @property
    def in_avals(self) -> list[Aval]:
        return [v.aval for v in self.inputs]

    @property
    def out_avals(self) -> list[Aval]:
        return [v.aval for v in self.outputs]

    @property
    def effect(self) -> bool:
        if self._effect is None:
            self._effect = any(e.effect for e in self.eqns)
        return self._effect

    def __call__(self, *args: Any) -> list[Any]:
        return evaluate(self, *self.fitted(args))

    def fitted(self, args: Sequence[Any]) -> list[Any]:
        """Arguments with the avals of the inputs; Python numbers take on the dtype."""
        if len(args) != len(self.inputs):
            raise TypeError(f"the jaxpr takes {len(self.inputs)} arguments, {len(args)} were given")
        fitted = []
        for k, (v, x) in enumerate(zip(self.inputs, args, strict=True)):
            given = aval_of(x)
            if given.weak and v.aval.shape == () and np.can_cast(given.dtype, v.aval.dtype, "same_kind"):
                fitted.append(v.aval.dtype.type(x))
                continue
            if given != v.aval:
                raise TypeError(
                    f"argument {k} of the jaxpr is {v.aval}, {given} was given; stage the function anew for it"
                )
            fitted.append(x)
        return fitted

    def __str__(self) -> str:
        return self.pretty()

    __repr__ = __str__

    def pretty(self, source: bool = False) -> str:
        """The program as text; with `source=True` each eqn names the line it came from."""
        from xform.core.show import pretty

        return pretty(self, source=source)

    def last_use(self) -> list[list[Var]]:
        """For each eqn the variables that nobody reads after it."""
        if self._last_use is None:
            alive: set[Var] = {v for v in self.outputs if isinstance(v, Var)}
            dying = []
            for eqn in reversed(self.eqns):
                seen = {v for v in (*eqn.inputs, *eqn.outputs) if isinstance(v, Var)} - alive
                alive |= seen
                dying.append(list(seen))
            self._last_use = dying[::-1]
        return self._last_use


def programs_in(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """The programs among the parameters of an operation."""
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, Jaxpr):
                yield item


def has_effect(prim: Primitive, params: dict[str, Any]) -> bool:
    """Has it, or a program among its parameters, an effect, so that it must run if nobody reads its outputs?"""
    return prim.effect or any(j.effect for j in programs_in(params))


def evaluate(jaxpr: Jaxpr, *args: Any) -> list[Any]:
    """Run a jaxpr on values, each intermediate released after its last use."""
    if len(args) != len(jaxpr.inputs):
        raise TypeError(f"the jaxpr takes {len(jaxpr.inputs)} arguments, {len(args)} were given")
    return run(jaxpr, list(args))


def run(jaxpr: Jaxpr, values: list[Any]) -> list[Any]:
    """Run a jaxpr on values, of which the list is emptied: an array that nobody else holds may be overwritten."""
    env: dict[Var, Any] = dict(zip(jaxpr.inputs, values, strict=True))
    values.clear()
    env.update(jaxpr.consts)
    for eqn, dying in zip(jaxpr.eqns, jaxpr.last_use(), strict=True):
        if eqn.prim.update is not None and eqn.inputs[0] in dying and context.trace is EVAL:
            env[eqn.outputs[0]] = updated(env, eqn)
        else:
            env.update(zip(eqn.outputs, eqn.prim.bind(*read(env, eqn.inputs), **eqn.params), strict=True))
        for v in dying:
            env.pop(v, None)
    return read(env, jaxpr.outputs)


def updated(env: dict[Var, Any], eqn: Eqn) -> Any:
    """The result of an update, made in place if this is the only reference to the array, which is not read again.

    A view holds a reference to the array whose memory it shares, so it counts as well.
    """
    rest = read(env, eqn.inputs[1:])
    x = env.pop(eqn.inputs[0])  # type: ignore[arg-type]
    if type(x) is np.ndarray and x.base is None and x.flags.writeable and sys.getrefcount(x) <= 2:
        eqn.prim.update(x, *rest, **eqn.params)
        return x
    return eqn.prim.bind(x, *rest, **eqn.params)[0]


def read(env: dict[Var, Any], atoms: Iterable[Atom]) -> list[Any]:
    """The values of variables and literals."""
    return [a.value if type(a) is Literal else env[a] for a in atoms]  # type: ignore[index]


def copied(eqns: Iterable[Eqn], atoms: dict[Any, Atom]) -> list[Eqn]:
    """Eqns of a program that become part of another one: `atoms` stand for its variables, the outputs become new ones.

    `atoms` learns these, so a program may be copied more than once.
    """
    copies = []
    for e in eqns:
        inputs: list[Any] = [atoms.get(a, a) for a in e.inputs]
        outputs = [Var(v.aval) for v in e.outputs]
        atoms.update(zip(e.outputs, outputs, strict=True))
        copies.append(Eqn(e.prim, inputs, e.params, outputs, e.source))
    return copies


def eliminate_dead_code(jaxpr: Jaxpr, used: Sequence[bool] | None = None) -> Jaxpr:
    """Without the eqns and consts on which neither an output (among the `used` ones) nor an effect depends."""
    outputs = [v for i, v in enumerate(jaxpr.outputs) if used is None or used[i]]
    live = {v for v in outputs if isinstance(v, Var)}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if eqn.effect or not live.isdisjoint(eqn.outputs):
            less = eqn.prim.pruned(eqn, [v in live for v in eqn.outputs])
            kept.append(less)
            live.update(v for v in less.inputs if isinstance(v, Var))
    consts = [(v, value) for v, value in jaxpr.consts if v in live]
    return Jaxpr(jaxpr.inputs, consts, kept[::-1], outputs)
