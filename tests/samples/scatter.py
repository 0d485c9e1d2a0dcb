"""Samples of the primitives in `ops/scatter.py`."""

import numpy as np

from tests.samples.base import integers, normal, rng, sample
from xform.ops.indexing.scatter import scatter, scatter_add, scatter_max, scatter_min, scatter_mul, update_slice

three, repeated = np.int64(3), np.array([0, 4, 4, -1])
first, last = integers(-4, 4, 3), integers(-5, 5, 2, 3)


def distinct(*shape, offset=0.0):
    """Numbers far from each other, so that no small step makes another one the extremum."""
    return rng.permutation(
        np.arange(offset - np.prod(shape) // 2, offset + np.prod(shape) - np.prod(shape) // 2)
    ).reshape(shape)


SAMPLES = [
    sample(update_slice, normal(5), np.float64(1.5), index=(3,)),
    sample(update_slice, normal(5, dtype=np.float32), normal(2, dtype=np.float32), index=((4, 2, -2),)),
    sample(update_slice, normal(4, 3, dtype=np.complex128), normal(2, dtype=np.complex128), index=((1, 2, 1), 0)),
    sample(update_slice, normal(0, 3), normal(0, 3), index=((0, 0, 1), (0, 3, 1))),
    sample(update_slice, np.float64(2.0), np.float64(1.5), index=()),
    *(
        s
        for prim in (scatter, scatter_add, scatter_mul)
        for s in (
            sample(prim, normal(5), np.float64(1.5), three, axes=(0,), at=0),
            sample(prim, normal(5, dtype=np.float32), normal(4, dtype=np.float32), repeated, axes=(0,), at=0),
            sample(prim, normal(4, 3, 5), normal(3, 2, 3), first, last, axes=(0, 2), at=1),
            sample(prim, normal(4, 5), normal(3), first, three, axes=(0, 1), at=0),
            sample(prim, normal(4, 3), normal(0, 3), np.zeros((0,), int), axes=(0,), at=0),
            sample(prim, normal(0, 3), normal(0, 2, 3), np.zeros((0, 2), int), axes=(0,), at=0),
        )
    ),
    *(
        sample(
            prim, normal(4, 3, dtype=complex), normal(4, 2, 2, dtype=complex), integers(-3, 3, 2, 2), axes=(1,), at=1
        )
        for prim in (scatter, scatter_add, scatter_mul)
    ),
    # zeros among the factors of one entry
    sample(scatter_mul, normal(3), np.array([0.0, 2.0, 0.0, 0.0, 3.0]), np.array([0, 0, 1, 1, 1]), axes=(0,), at=0),
    *(
        s
        for prim in (scatter_min, scatter_max)
        for s in (
            sample(prim, distinct(5), np.float64(0.5), three, axes=(0,), at=0),
            sample(prim, distinct(5), distinct(4, offset=0.5), repeated, axes=(0,), at=0),
            sample(prim, distinct(4, 3, 5), distinct(3, 2, 3, offset=0.5), first, last, axes=(0, 2), at=1),
            sample(prim, normal(4, 3), normal(0, 3), np.zeros((0,), int), axes=(0,), at=0),
        )
    ),
    sample(
        scatter_min, normal(5, dtype=np.float32), normal(4, dtype=np.float32), repeated, axes=(0,), at=0, smooth=False
    ),
    # ties, within the values and with the operand
    sample(scatter_max, np.zeros(3), np.array([0.0, 2.0, 2.0]), np.array([0, 1, 1]), axes=(0,), at=0, smooth=False),
    sample(scatter_min, np.ones((2, 2)), np.zeros((3, 2)), np.array([0, 0, 1]), axes=(0,), at=0, smooth=False),
]
