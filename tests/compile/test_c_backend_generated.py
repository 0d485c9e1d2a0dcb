"""The C backend on random programs with control flow, under transformations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compile.test_c_backend_control import both_agree
from tests.control.generated import LAX, Writer, compiled
from xform import grad, jacfwd, jvp, tree, vmap

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
