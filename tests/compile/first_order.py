"""Random first-order programs as jaxprs, written eqn by eqn, and the comparison of programs bit by bit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core.aval import Aval, aval_of
from xform.core.jaxpr import Atom, Eqn, Jaxpr, Literal, Var, evaluate
from xform.core.primitive import Primitive
from xform.ops.arithmetic import absolute, add, div, maximum, mul, neg, power, square, sub
from xform.ops.contraction.contract import contract
from xform.ops.identity import name, stop_gradient
from xform.ops.indexing.dynamic import dynamic_slice
from xform.ops.indexing.index import gather
from xform.ops.logic import eq, logical_not, lt, ne
from xform.ops.reduce import reduce_max
from xform.ops.select import select
from xform.ops.stack import stack
from xform.ops.structure import broadcast, concatenate, convert, pad, reduce_sum, reshape, slice_, transpose

#: numbers at which identities of the reals fail
NASTY = np.array([0.0, -0.0, 1.0, -1.0, 2.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e308, -1e308, 0.1, 1.5])

LITERALS = [0, 1, -1, 2, 0.0, -0.0, 1.0, -1.0, 0.5, 4.0, 0.3, np.inf, np.nan, np.float64(-0.0), np.float64(1.0)]


def nasty(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(shape) < 0.5, rng.normal(size=shape), rng.choice(NASTY, shape))


class Builder:
    """A program that is written by naming primitives."""

    def __init__(self) -> None:
        self.inputs: list[Var] = []
        self.consts: list[tuple[Var, Any]] = []
        self.eqns: list[Eqn] = []

    def input(self, aval: Any) -> Var:
        self.inputs.append(Var(aval))
        return self.inputs[-1]

    def const(self, value: np.ndarray) -> Var:
        self.consts.append((Var(aval_of(value)), value))
        return self.consts[-1][0]

    def __call__(self, prim: Primitive, *inputs: Any, **params: Any) -> Any:
        atoms = [a if isinstance(a, Var | Literal) else Literal(a) for a in inputs]
        outputs = [Var(a) for a in prim.abstract(*(a.aval for a in atoms), **params)]
        self.eqns.append(Eqn(prim, atoms, params, outputs))
        return outputs[0] if len(outputs) == 1 else outputs

    def program(self, *outputs: Atom) -> Jaxpr:
        return Jaxpr(self.inputs, self.consts, self.eqns, outputs)


class RandomProgram(Builder):
    """Values of shapes (), (3,), (2, 3), (1, 3), ... made of each other by whatever has rules among the passes."""

    def __init__(self, seed: int, length: int) -> None:
        super().__init__()
        self.random, self.rng = random.Random(seed), np.random.default_rng(seed)
        self.floats: list[Any] = [self.input(aval(s)) for s in [(), (3,), (2, 3), (1, 3), (2, 1)]]
        self.floats += [self.const(np.ones((1, 3))), self.const(nasty((2, 3), self.rng)), self.const(np.full(3, -1.0))]
        self.truths: list[Any] = []
        for _ in range(length):
            self.step()

    def step(self) -> None:
        step = self.random.choice([
            self.binary, self.binary, self.binary, self.binary, self.unary, self.unary, self.compare, self.choose,
            self.move, self.move, self.move, self.join, self.product, self.reduce,
        ])  # fmt: skip
        step()

    def any(self) -> Any:
        return self.random.choice(self.floats[-12:] if self.random.random() < 0.7 else self.floats)

    def binary(self) -> None:
        a, b = self.any(), self.random.choice([self.any(), self.any(), self.random.choice(LITERALS)])
        if self.random.random() < 0.3:
            a, b = b, a
        if not isinstance(a, Var):
            a = Literal(a)
        prim = self.random.choice([add, sub, mul, div, maximum])
        self.keep(prim, a, b)

    def unary(self) -> None:
        a = self.any()
        self.random.choice([
            lambda: self.keep(neg, a), lambda: self.keep(absolute, a), lambda: self.keep(square, a),
            lambda: self.keep(power, a, self.random.choice([1, 2, -1, 0.5, 3])) if a.aval.shape else None,
            lambda: self.keep(stop_gradient, a), lambda: self.keep(name, a, name="n"),
            lambda: self.keep(convert, a, dtype=np.dtype(np.float64)),
            lambda: self.keep(convert, self(convert, a, dtype=np.dtype(complex)), dtype=np.dtype(np.float64)),
        ])()  # fmt: skip

    def compare(self) -> None:
        a, b = self.any(), self.any()
        if fits(a, b):
            c = self(self.random.choice([lt, eq, ne]), a, b)
            self.truths += [c, self(logical_not, c)]

    def choose(self) -> None:
        c = self.random.choice([*self.truths[-5:], Literal(np.bool_(True)), Literal(np.bool_(False))])
        a, b = self.any(), self.random.choice([self.any(), Literal(0.0)])
        if fits(c, a) and fits(a, b) and fits(c, b):
            self.keep(select, c, a, b)

    def move(self) -> None:
        a = self.any()
        shape = a.aval.shape
        moves = [lambda: self.keep(broadcast, a, shape=(2, *shape), axes=(0,)),
                 lambda: self.keep(reshape, a, shape=(1, *shape)), lambda: self.keep(reshape, a, shape=(*shape, 1)),
                 lambda: self.keep(reshape, a, shape=tuple(n for n in shape if n != 1)),
                 lambda: self.keep(transpose, a, permutation=tuple(reversed(range(len(shape)))))]  # fmt: skip
        if shape:
            n = shape[0]
            k, rest = self.random.randrange(n), [(0, m, 1) for m in shape[1:]]
            i = np.arange(n)[:: self.random.choice([1, -1])].copy()
            moves += [
                lambda: self.keep(slice_, a, index=(k, *rest)),
                lambda: self.keep(slice_, a, index=((n - 1, n, -1), *rest)),
                lambda: self.keep(slice_, a, index=((k, n - k, 1), *rest)),
                lambda: self.keep(pad, a, shape=(n + 1, *shape[1:]), index=((1, n, 1), *rest)),
                lambda: self.keep(gather, a, self.const(i), axes=(0,), at=0),
                lambda: self.keep(gather, a, Literal(k), axes=(0,), at=0),
                lambda: self.keep(dynamic_slice, a, Literal(k), *[Literal(0) for _ in rest], sizes=shape),
            ]
        self.random.choice(moves)()

    def join(self) -> None:
        a = self.any()
        others = [b for b in self.floats if b.aval.shape == a.aval.shape]
        b = self.random.choice(others)
        shape = a.aval.shape
        y = self(stack, a, b, axis=len(shape))
        self.floats += [y, self(slice_, y, index=(*((0, n, 1) for n in shape), 1))]
        if shape:
            n = shape[0]
            y = self(concatenate, a, b, axis=0)
            self.floats += [y, self(slice_, y, index=((n, n, 1), *((0, m, 1) for m in shape[1:])))]

    def product(self) -> None:
        x, y = [v for v in self.floats if v.aval.shape == (3,)], [v for v in self.floats if v.aval.shape == (2, 3)]
        a, b = self.random.choice(x), self.random.choice(y)
        turned = self(transpose, b, permutation=(1, 0))
        repeated = self(broadcast, a, shape=(2, 3), axes=(0,))
        self.floats.append(self.random.choice([
            lambda: self(contract, a, b, spec=("b", "ab", "ab")),
            lambda: self(contract, turned, b, spec=("ba", "ab", "ab")),
            lambda: self(contract, repeated, b, spec=("ab", "ab", "ab")),
            lambda: self(transpose, self(contract, a, b, spec=("b", "ab", "ab")), permutation=(1, 0)),
            lambda: self(contract, self.floats[0], b, spec=("", "ab", "ab")),
        ])())  # fmt: skip

    def reduce(self) -> None:
        a = self.any()
        if a.aval.ndim:
            self.keep(self.random.choice([reduce_sum, reduce_max]), a, axes=(self.random.randrange(a.aval.ndim),))

    def keep(self, prim: Primitive, *inputs: Any, **params: Any) -> None:
        if all(fits(a, b) for a in inputs for b in inputs if isinstance(a, Var) and isinstance(b, Var)) or params:
            y = self(prim, *inputs, **params)
            if y.aval.size <= 64 and y.aval.ndim <= 4 and y.aval.dtype == np.float64:
                self.floats.append(y)

    def jaxpr(self) -> Jaxpr:
        return self.program(*self.random.sample(self.floats, 4), *self.truths[-2:])

    def arguments(self) -> list[Any]:
        return [nasty(v.aval.shape, self.rng)[()] for v in self.inputs]


def aval(shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
    return Aval(shape, dtype)


def fits(a: Any, b: Any) -> bool:
    """Do the shapes broadcast?"""
    s, t = (x.aval.shape if isinstance(x, Var | Literal) else () for x in (a, b))
    return all(m == n or 1 in (m, n) for m, n in zip(s[::-1], t[::-1], strict=False))


def bits(y: Any) -> tuple[Any, ...]:
    """Equal for arrays of one dtype and shape, the entries of which have the same bits or are nan."""
    y = np.asarray(y)
    if y.dtype.kind == "c":
        return ("complex", bits(y.real), bits(y.imag))
    known = np.where(y != y, np.zeros((), y.dtype), y)
    return y.dtype, y.shape, known.tobytes(), (y != y).tobytes()


def assert_same(program: Jaxpr, other: Jaxpr, args: Sequence[Any]) -> None:
    with np.errstate(all="ignore"):
        expected, found = evaluate(program, *args), evaluate(other, *args)
    for k, (x, y) in enumerate(zip(expected, found, strict=True)):
        assert bits(x) == bits(y), f"output {k}: {x} became {y}\n{program}\n{other}"
