"""An implicit function against a reference that is differentiated step by step, under words of transformations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform import grad, hessian, jacfwd, jacrev, jet, jvp, linearize, make_jaxpr, vjp, vmap

Function = Callable[..., Any]


class Point:
    """Arguments (a, b) of a function with scalar values, directions, and a batch of three arguments."""

    def __init__(self, a: Any, b: Any, batch: tuple[Any, Any], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.args = a, b
        self.batch = batch
        self.dots = [tuple(rng.normal(size=np.shape(x)) for x in self.args) for _ in range(3)]

    def jvp_of_grad(self, f: Function) -> Any:
        return jvp(grad(f, (0, 1)), self.args, self.dots[0])

    def grad_of_jvp(self, f: Function) -> Any:
        return grad(lambda *args: jvp(f, args, self.dots[0])[1], (0, 1))(*self.args)

    def grad_of_grad(self, f: Function) -> Any:
        return grad(lambda *args: (grad(f)(*args) ** 2).sum(), (0, 1))(*self.args)

    def grad_of_vmap(self, f: Function) -> Any:
        return grad(lambda a, b: (vmap(f)(a, b) ** 2).sum(), (0, 1))(*self.batch)

    def grad_of_staged(self, f: Function) -> Any:
        jaxpr = make_jaxpr(f)(*self.args)
        return grad(lambda *args: jaxpr(*args)[0], (0, 1))(*self.args)

    def vmap_of_staged(self, f: Function) -> Any:
        jaxpr = make_jaxpr(f)(*self.args)
        return vmap(lambda *args: jaxpr(*args)[0])(*self.batch)

    def jet(self, f: Function) -> Any:
        return jet(f, self.args, tuple(zip(*self.dots, strict=True)))

    def staged(self, f: Function) -> Any:
        return make_jaxpr(f)(*self.args)(*self.args)

    def staged_vmap_of_grad(self, f: Function) -> Any:
        return make_jaxpr(vmap(grad(f, (0, 1))))(*self.batch)(*self.batch)


WORDS: dict[str, Callable[[Point, Function], Any]] = {
    "value": lambda p, f: f(*p.args),
    "jvp": lambda p, f: jvp(f, p.args, p.dots[0]),
    "grad": lambda p, f: grad(f, (0, 1))(*p.args),
    "vjp": lambda p, f: vjp(f, *p.args)[1](2.0),
    "linearize": lambda p, f: linearize(f, *p.args)[1](*p.dots[0]),
    "hessian in a": lambda p, f: hessian(f, 0)(*p.args),
    "hessian in b": lambda p, f: hessian(f, 1)(*p.args),
    "mixed": lambda p, f: jacfwd(jacrev(f, 0), 1)(*p.args),
    "jacrev of jacrev": lambda p, f: jacrev(jacrev(f, 1), 0)(*p.args),
    "jvp of grad": Point.jvp_of_grad,
    "grad of jvp": Point.grad_of_jvp,
    "grad of grad": Point.grad_of_grad,
    "jet": Point.jet,
    "vmap in a": lambda p, f: vmap(f, (0, None))(p.batch[0], p.args[1]),
    "vmap in b": lambda p, f: vmap(f, (None, 0))(p.args[0], p.batch[1]),
    "vmap of grad": lambda p, f: vmap(grad(f, (0, 1)))(*p.batch),
    "grad of vmap": Point.grad_of_vmap,
    "vmap of vmap": lambda p, f: vmap(vmap(f, (None, 0)), (0, None))(*p.batch),
    "staged": Point.staged,
    "staged grad": lambda p, f: Point.staged(p, grad(f, (0, 1))),
    "grad of staged": Point.grad_of_staged,
    "vmap of staged": Point.vmap_of_staged,
    "staged vmap of grad": Point.staged_vmap_of_grad,
}


def assert_agree(actual: Any, wanted: Any, tolerance: float) -> None:
    """The leaves of two results, whatever the structure."""
    for x, y in zip(xform.tree.leaves(actual), xform.tree.leaves(wanted), strict=True):
        scale = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * scale)
