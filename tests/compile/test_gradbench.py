"""The evals of GradBench, on small inputs: compiled as evaluated, derivatives against differences and closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import xform
from tests.benchmarks.gradbench_programs import random_cases
from tests.numeric import assert_close
from xform import tree
from xform.testing import check_grads

CASES = random_cases(large=False)
#: the saddle takes thousands of steps, and its value is known
FUNCTIONS = [(title, name) for title, case in CASES.items() for name in case.functions if title != "saddle"]


def function(title, name):
    return CASES[title].functions[name](xform, np), CASES[title].args


@pytest.mark.parametrize("title, name", FUNCTIONS)
def test_compiled_as_evaluated(title, name):
    f, args = function(title, name)
    pairs = zip(tree.leaves(xform.jit(f)(*args)), tree.leaves(f(*args)), strict=True)
    for y, z in pairs:
        assert_close(y, z, 1e-10)


@pytest.mark.parametrize("title", [title for title, case in CASES.items() if "primal" in case.functions])
def test_derivatives(title):
    f, args = function(title, "primal")
    inexact = [k for k, x in enumerate(args) if all(np.asarray(y).dtype.kind == "f" for y in tree.leaves(x))]

    def of_numbers(*xs):
        given = list(args)
        for k, x in zip(inexact, xs, strict=True):
            given[k] = x
        return f(*given)

    check_grads(of_numbers, [args[k] for k in inexact], order=1)


def test_the_sparse_jacobian_of_bundle_adjustment():
    f, args = function("ba n=2", "primal")
    rows, columns, values = function("ba n=2", "jacobian")[0](*args)
    cameras, points, weights = args[:3]
    dense = np.zeros((len(rows) - 1, cameras.size + points.size + weights.size))
    for i, (start, end) in enumerate(pairwise(rows)):
        dense[i, columns[start:end]] = values[start:end]

    def errors(cameras, points, weights):
        return np.concatenate([np.ravel(e) for e in f(cameras, points, weights, *args[3:])])

    blocks = xform.jacfwd(errors, argnums=(0, 1, 2))(cameras, points, weights)
    assert_close(dense, np.concatenate([b.reshape(len(dense), -1) for b in blocks], axis=1), 1e-12)


@pytest.mark.parametrize("modes", ["ff", "fr", "rf", "rr"])
def test_the_saddle_is_at_zero(modes):
    f, (start,) = function("saddle", modes)
    assert_close(xform.jit(f)(start), np.zeros(4), 1e-4)
