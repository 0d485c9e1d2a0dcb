"""The C backend on random programs with control flow, under transformations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.compile.c_agreement import agrees
from tests.compile.c_generated import Arrays
from tests.compile.first_order import RandomProgram
from tests.compile.test_c_backend_control import WORDS as ARRAY_TRANSFORMS
from tests.compile.test_c_backend_control import both_agree
from tests.control.generated import LAX, Writer, compiled
from xform import grad, jacfwd, jvp, make_jaxpr, tree, vmap
from xform.compile.passes import optimise

X, K = np.array([0.37, -0.61, 0.83, 0.29]), np.int64(2)
XS = np.stack([X, [-0.3, 0.5, -0.9, 0.7], [0.9, 0.2, 0.4, -0.8]])
KS = np.array([2, 0, 5])


def size(f: Any) -> Any:
    def total(x: Any, k: Any) -> Any:
        leaves = [y for y in tree.leaves(f(x, k)) if y.dtype.kind in "fc"]
        return sum((np.sum(np.real(y * y)) for y in leaves), 0.0)

    return total


WORDS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "value": (lambda f: f, (X, K)),
    "grad": (lambda f: grad(size(f)), (X, K)),
    "jvp": (lambda f: lambda x, k: jvp(lambda x: f(x, k), (x,), (np.cos(X),)), (X, K)),
    "vmap": (vmap, (XS, KS)),
    "vmap of grad": (lambda f: vmap(grad(size(f))), (XS, KS)),
    "jacfwd of grad": (lambda f: jacfwd(grad(size(f))), (X, K)),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", range(25))
def test_generated(seed, word):
    program = compiled(Writer(seed, 2 + seed % 2, 3).text)
    transform, args = WORDS[word]
    both_agree(transform(lambda x, k: program(np, LAX, x, k)), *args)


#: what is not too costly to be done with all of them, and with a few
ARRAY_WORDS = {"value": 24, "jvp": 6, "grad": 10, "vmap": 6}


@pytest.mark.parametrize("seed, word", [(seed, word) for word, n in ARRAY_WORDS.items() for seed in range(n)])
def test_generated_on_arrays(seed, word):
    program = Arrays(seed, 25)
    xs = program.arguments()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing
        jaxpr = make_jaxpr(ARRAY_TRANSFORMS[word](program))(*xs)
    agrees(jaxpr, *xs, scale=1.0, ulps=256)
    agrees(optimise(jaxpr), *xs, scale=1.0, ulps=256)


@pytest.mark.parametrize("seed", range(20))
def test_generated_first_order_programs(seed):
    program = RandomProgram(seed, 40)
    jaxpr, args = program.jaxpr(), program.arguments()
    agrees(jaxpr, *args, scale=1.0)
    agrees(optimise(jaxpr), *args, scale=1.0)
