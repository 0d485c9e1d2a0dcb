"""Samples of xform/control: calls of functions with rules of their own, and the linear map of a backward rule."""

import numpy as np

import xform
from tests.samples.base import normal, sample
from xform.control.custom.call import custom_call
from xform.control.custom.rules import Residuals, UserRules
from xform.control.custom.tangent_map import tangent_map
from xform.core import tree
from xform.core.aval import aval_of


def by_jvp():
    f = xform.custom_jvp(lambda x, y: np.sin(x) * y)
    f.defjvp(lambda p, t: (f(*p), np.cos(p[0]) * p[1] * t[0] + np.sin(p[0]) * t[1]))
    return f


def by_vjp():
    f = xform.custom_vjp(lambda x, y: np.sin(x) * y)
    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda r, g: (np.cos(r[0]) * r[1] * g, np.sin(r[0]) * g))
    return f


def by_batch():
    f = xform.custom_vmap(lambda x, y: np.sin(x) * y)
    f.def_vmap(lambda size, batched, x, y: (np.sin(x) * y, any(batched)))
    return f


def call(f, *args):
    rules = UserRules(f, {}, args)
    rules.enter(args)
    return sample(custom_call, *args, program=rules, rules=rules, captured=())


def pushforward(*args):
    """Of sin(x) y, at x and y."""
    rules = UserRules(by_vjp(), {}, args[:2])
    rules.enter(args[:2])
    rules.out_tree = tree.structure(0.0)
    residuals = Residuals(tree.structure((0.0, 0.0)), ())
    params = {"rules": rules, "structure": residuals, "moving": (0, 1), "out_avals": (aval_of(args[0]),)}
    return sample(tangent_map, *args, **params)


POINTS = [(), (2, 3), (0,)]

SAMPLES = [
    *(call(make(), normal(*s), normal(*s)) for make in (by_jvp, by_vjp, by_batch) for s in POINTS),
    call(by_jvp(), normal(2, dtype=np.float32), normal(2, dtype=np.float32)),
    call(by_vjp(), normal(2, dtype=np.complex128), normal(2, dtype=np.complex128)),
    *(pushforward(normal(*s), normal(*s), normal(*s), normal(*s)) for s in POINTS),
]
