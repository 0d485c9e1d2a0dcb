"""The NumPy backend on random programs with control flow, under transformations."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compile.test_numpy_backend import agrees
from tests.compile.words import WORDS
from tests.control.generated import LAX, Writer, compiled
from xform import make_jaxpr


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", range(25))
def test_generated(seed, word):
    program = compiled(Writer(seed, 2 + seed % 2, 3).text)
    transform, args = WORDS[word]
    agrees(make_jaxpr(transform(lambda x, k: program(np, LAX, x, k)))(*args), *args)
