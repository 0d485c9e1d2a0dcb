"""The C backend on random programs with control flow, under transformations."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.compile.c_agreement import agrees
from tests.compile.c_generated import Arrays
from tests.compile.first_order import RandomProgram
from tests.compile.test_c_backend_control import WORDS as ARRAY_TRANSFORMS
from tests.compile.test_c_backend_control import both_agree
from tests.compile.words import WORDS
from tests.control.generated import LAX, Writer, compiled
from xform import make_jaxpr
from xform.compile.passes import optimise


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
