"""Nested operations: what a transformation of them costs is linear in the depth, and no depth exceeds the stack."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

import xform
from tests.control.test_staged_structure import everywhere
from tests.numeric import assert_close
from xform import grad, lax, make_jaxpr, vmap
from xform.core.check import check

Function = Callable[[Any], Any]


def in_scan(f: Function) -> Function:
    return lambda x: lax.scan(lambda c, _: (f(c), None), x, length=1)[0]


def in_cond(f: Function) -> Function:
    return lambda x: lax.cond(x > -5.0, f, lambda x: x, x)


def in_while(f: Function) -> Function:
    return lambda x: lax.while_loop(lambda c: c[1] < 1, lambda c: (f(c[0]), c[1] + 1), (x, 0))[0]


def in_checkpoint(f: Function) -> Function:
    def layer(x):  # a frame of the user's
        return xform.checkpoint(f)(x)

    return layer


def in_fori(f: Function) -> Function:
    return lambda x: lax.fori_loop(0, 1, lambda _, c: f(c), x)


LAYERS = {"scan": in_scan, "cond": in_cond, "while": in_while, "checkpoint": in_checkpoint, "fori": in_fori}


def nest(layers: list[str], body: Function) -> Function:
    """The first layer is the outermost."""
    for layer in reversed(layers):
        body = LAYERS[layer](body)
    return body


TRANSFORMS: dict[str, Callable[[Function], Function]] = {
    "value": lambda f: f,
    "grad": grad,
    "jvp": lambda f: lambda x: xform.jvp(f, (x,), (1.0,))[1],
    "hvp": lambda f: lambda x: xform.jvp(grad(f), (x,), (1.0,))[1],
    "jet": lambda f: lambda x: xform.jet(f, (x,), ((1.0, 0.0),))[1][1],
    "vmap": lambda f: lambda x: vmap(f)(x * np.array([1.0, 0.5])),
    "vmap_grad": lambda f: lambda x: vmap(grad(f))(x * np.array([1.0, 0.5])),
}


# --- a mixture, six deep ---

MIXTURE = ["scan", "cond", "while", "scan", "checkpoint", "while", "cond", "fori"]


def measured(transform: str, layers: list[str]) -> tuple[int, int]:
    """How often the innermost body is called, and how many eqns there are."""
    calls = 0

    def body(x):
        nonlocal calls
        calls += 1
        return np.sin(x) * x

    jaxpr = make_jaxpr(TRANSFORMS[transform](nest(layers, body)))(0.7)
    check(jaxpr)
    return calls, sum(1 for _ in everywhere(jaxpr))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_programs_grow_linearly(transform):
    """Each layer adds as many eqns as the one before it, and the body is written down a fixed number of times."""
    sizes = {}
    for n in (2, 4, 6, 8, 16):
        calls, sizes[n] = measured(transform, (MIXTURE * 2)[:n])
        assert calls <= 1 + n
    assert sizes[16] < 3.0 * sizes[8]
    assert sizes[8] < 6.0 * sizes[4]


@pytest.mark.parametrize("transform", ["value", "grad", "jvp", "jet", "vmap"])
def test_values_of_the_mixture(transform):
    f = lambda x: np.sin(x) * x  # noqa: E731
    g = TRANSFORMS[transform](nest(MIXTURE, f))
    wanted = TRANSFORMS[transform](f)(0.7)
    assert_close(g(0.7), wanted, 1e-13)
    assert_close(make_jaxpr(g)(0.7)(0.7)[0], wanted, 1e-13)


# --- three hundred deep ---


def deep_body(x):
    return x * 1.0001 + 0.0001


def of_depth(transform: str, layer: str, n: int) -> Function:
    return TRANSFORMS[transform](nest([layer] * n, deep_body))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("transform", ["value", "grad", "jvp", "vmap"])
def test_three_hundred_layers(transform, layer):
    """Eagerly, and as a program that is written down, checked and evaluated."""
    g = of_depth(transform, layer, 300)
    wanted = TRANSFORMS[transform](deep_body)(0.5)
    assert_close(g(0.5), wanted, 1e-12)
    if (transform, layer) != ("grad", "while"):  # see test_the_cost_of_nested_while_loops
        check(jaxpr := make_jaxpr(g)(0.5))
        assert_close(jaxpr(0.5)[0], wanted, 1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_three_hundred_layers_are_printed(layer):
    text = str(make_jaxpr(of_depth("value", layer, 300))(0.5))
    assert text.count("{ lambda") >= 300
    assert text.count("{ lambda") == text.count("in (")


def seconds(run: Callable[[], Any]) -> float:
    start = process_time()  # others may be at work on this machine
    run()
    return process_time() - start


def growth(transform: str, layer: str, low: int, high: int) -> float:
    """The time to write down, check and evaluate `high` layers, in terms of that for `low` ones."""

    def run(n: int) -> None:
        check(jaxpr := make_jaxpr(of_depth(transform, layer, n))(0.5))
        jaxpr(0.5)

    run(low)
    small, large = (min(seconds(lambda n=n: run(n)) for _ in range(2)) for n in (low, high))
    return large / (small + 0.02)


#: the gradients of nested branches and while loops are longer programs, see the tests below
LINEAR = [(t, k) for t in ("value", "grad", "jvp", "vmap") for k in LAYERS if t != "grad" or k not in ("cond", "while")]


@pytest.mark.parametrize("transform, layer", LINEAR)
def test_time_is_linear_in_the_depth(transform, layer):
    assert growth(transform, layer, 75, 300) < 7.0


def test_the_cost_of_nested_branches():
    """What a branch keeps goes through each of the branches around it: n (n + 1) / 2 operands for n layers."""
    counts = [sum(len(e.outputs) for e in everywhere(make_jaxpr(of_depth("grad", "cond", n))(0.5))) for n in (20, 40)]
    assert counts[1] < 4.1 * counts[0]
    assert growth("grad", "cond", 40, 80) < 6.0


def test_the_cost_of_nested_while_loops():
    """A loop in a loop keeps nothing of its steps and is run again in the backward sweep: n times in n layers."""
    counts = [sum(1 for _ in everywhere(make_jaxpr(of_depth("grad", "while", n))(0.5))) for n in (10, 20)]
    assert counts[1] < 4.1 * counts[0]
    assert growth("grad", "while", 20, 40) < 6.0


@pytest.mark.parametrize("layer", LAYERS)
def test_a_runaway_recursion_is_an_error(layer):
    """And no crash of the interpreter: in another process, lest it is one."""
    program = f"""
import numpy as np, xform
from tests.control.test_depth import LAYERS
def endless(x):
    return LAYERS[{layer!r}](endless)(x * 1.5)
vmapped = xform.vmap(endless)
for f in (endless, xform.grad(endless), lambda x: vmapped(np.ones(2)), xform.make_jaxpr(endless)):
    try:
        f(1.0)
    except RecursionError:
        print("caught")
"""
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=root, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["caught"] * 4
