"""Samples of the primitives in `ops/reduce.py`."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.reduce import (
    argmax,
    argmin,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_xor,
)

SAMPLES = [
    line
    for prim in (reduce_max, reduce_min, reduce_prod)
    for line in [
        sample(prim, normal(), axes=()),
        sample(prim, normal(4), axes=(0,)),
        sample(prim, normal(2, 3, 2), axes=(1,)),
        sample(prim, normal(2, 3, 2), axes=(0, 2)),
        sample(prim, normal(2, 3), axes=(0, 1)),
        sample(prim, normal(2, 3), axes=()),
        sample(prim, normal(0, 3), axes=(1,)),
        sample(prim, normal(3, dtype=np.float32), axes=(0,)),
        sample(prim, integers(-3, 3, 2, 3), axes=(1,)),
    ]
] + [
    sample(reduce_max, np.array([1.0, 2.0, 2.0]), axes=(0,), smooth=False),
    sample(reduce_min, np.array([[1.0, 1.0], [1.0, 2.0]]), axes=(0, 1), smooth=False),
    sample(reduce_prod, normal(2, 3, dtype=complex), axes=(1,)),
    sample(reduce_prod, np.array([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0]]), axes=(1,)),
    sample(reduce_prod, np.array([[2.0, 0.0, 3.0], [4.0, 5.0, 7.0]]), axes=(0, 1)),
    sample(reduce_prod, normal(0, 2), axes=(0,)),
    sample(reduce_prod, normal(0, 2), axes=(0, 1)),
]
SAMPLES += [
    line
    for prim in (reduce_and, reduce_or, reduce_xor)
    for line in [
        sample(prim, np.array([[True, False], [True, True]]), axes=(1,)),
        sample(prim, integers(0, 2, 2, 3), axes=(0, 1)),
        sample(prim, np.array([0.0, 1.5, np.nan]), axes=(0,), smooth=False),
        sample(prim, np.zeros((0, 2), bool), axes=(0,)),
        sample(prim, np.True_, axes=()),
    ]
]
SAMPLES += [
    line
    for prim in (argmax, argmin)
    for line in [
        sample(prim, normal(4), axis=0),
        sample(prim, normal(2, 3, dtype=np.float32), axis=1),
        sample(prim, integers(0, 3, 3, 2), axis=0),
        sample(prim, normal(0, 2), axis=1),
        sample(prim, np.array([True, False, True]), axis=0),
    ]
]
