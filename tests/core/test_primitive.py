"""The registry of primitives, and what a missing rule says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import xform
from xform.core.primitive import Primitive
from xform.extend import Elementwise

TWICE = """
import numpy as np, xform
from xform.extend import Elementwise
for slope in (1.0, 2.0):
    p = Elementwise("line", lambda a, s=slope: s * a, [lambda y, a, s=slope: s])
assert xform.grad(p)(3.0) == 2.0
try:
    Elementwise("sin", lambda a: a, [1])
except ValueError as error:
    print(error)
"""


def test_a_cell_of_a_notebook_may_be_run_again_but_names_of_the_library_are_taken():
    out = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "a primitive named 'sin' exists already; choose another name"


def test_names_and_ufuncs_are_taken():
    with pytest.raises(ValueError, match="a primitive named 'sin' exists already"):
        Primitive("sin")
    with pytest.raises(ValueError, match="the ufunc sin is differentiated by the primitive 'sin' already"):
        Elementwise("another_sin", np.sin, [1])
    assert "another_sin" not in Primitive.registry


class Bare(Primitive):
    def numpy(self, x):
        return [x * 2]


@pytest.fixture
def bare():
    yield Bare("bare")
    del Primitive.registry["bare"]


def test_a_missing_rule_is_named(bare):
    assert bare(3.0) == 6.0
    for transform, rule, consequence in [
        (xform.grad(bare), "jvp", "differentiated"),
        (xform.make_jaxpr(bare), "abstract", "staged"),
        (xform.vmap(bare.__call__), "batch", "batched"),
    ]:
        with pytest.raises(xform.MissingRuleError, match=f"'bare' has no {rule} rule.*{consequence}.*class Bare"):
            transform(np.ones(2) if rule == "batch" else 1.0)
