"""The memory that compiled programs take: places are used again once nobody reads what was there."""

from __future__ import annotations

import re

import numpy as np
import pytest

from xform import grad, jit
from xform.compile.pipeline import c_missing

pytestmark = pytest.mark.skipif(c_missing() is not None, reason="no C compiler")


def arena(f, *args):
    """Bytes of the program's own memory."""
    source = jit(f, backend="c").source(*args)
    return max(map(int, re.findall(r"xf_begin\(call, (\d+)\)", source)))


@pytest.mark.parametrize("layers", [2, 6, 20])
def test_a_chain_of_products_and_loops_takes_two_or_three_places(layers):
    def f(x, w, b):
        for _ in range(layers):
            x = np.tanh(x @ w + b)
        return x

    x, w, b = np.ones((200, 100)), np.ones((100, 100)), np.ones(100)
    assert arena(f, x, w, b) <= 3 * x.nbytes


@pytest.mark.parametrize("layers", [6, 20])
def test_a_gradient_keeps_one_array_of_each_layer(layers):
    def loss(w, b, x):
        for _ in range(layers):
            x = np.tanh(x @ w + b)
        return np.sum(x**2)

    x, w, b = np.ones((200, 100)), np.ones((100, 100)), np.ones(100)
    assert arena(grad(loss, argnums=(0, 1)), w, b, x) <= (layers + 3) * x.nbytes + 4 * w.nbytes
