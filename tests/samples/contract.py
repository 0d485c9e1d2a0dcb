"""Sums of products of two arrays: every part that a label can play, and the layouts that have kernels of their own."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.contraction.contract import contract

f32, c64, c128 = np.float32, np.complex64, np.complex128

SAMPLES = [
    sample(contract, normal(), normal(), spec=("", "", "")),
    sample(contract, normal(), normal(2, 3), spec=("", "ij", "ji")),
    sample(contract, normal(3), normal(3), spec=("k", "k", "")),
    sample(contract, normal(3), normal(3), spec=("i", "i", "i")),
    sample(contract, normal(2), normal(3), spec=("i", "j", "ij")),
    sample(contract, normal(2), normal(3), spec=("i", "j", "ji")),
    sample(contract, normal(2, 3), normal(3), spec=("ik", "k", "i")),
    sample(contract, normal(3), normal(2, 3), spec=("k", "jk", "j")),
    sample(contract, normal(2, 3), normal(3, 4), spec=("ik", "kj", "ij")),
    sample(contract, normal(3, 2), normal(3, 4), spec=("ki", "kj", "ij")),
    sample(contract, normal(2, 3), normal(4, 3), spec=("ik", "jk", "ji")),
    sample(contract, normal(2, 3), normal(3, 2), spec=("ik", "ki", "")),
    sample(contract, normal(2, 3), normal(2, 3), spec=("bk", "bk", "b")),
    sample(contract, normal(2, 3), normal(2), spec=("bi", "b", "ib")),
    sample(contract, normal(2, 2, 3), normal(2, 3, 2), spec=("bik", "bkj", "bij")),
    sample(contract, normal(3, 2, 2), normal(2, 3, 2), spec=("kib", "bkj", "jbi")),
    sample(contract, normal(2, 3), normal(2, 3, 2), spec=("ik", "bkj", "bij")),
    sample(contract, normal(2, 2, 3), normal(3, 2), spec=("bik", "kj", "bij")),
    sample(contract, normal(2, 3, 2), normal(3, 2, 2), spec=("ikl", "klj", "ij")),
    sample(contract, normal(2, 3, 2), normal(2, 3, 2), spec=("aib", "cid", "acbd")),
    sample(contract, normal(0), normal(0), spec=("k", "k", "")),
    sample(contract, normal(2, 0), normal(0, 3), spec=("ik", "kj", "ij")),
    sample(contract, normal(0, 2), normal(2, 3), spec=("ik", "kj", "ij")),
    sample(contract, normal(2, 0, 3), normal(2, 3, 2), spec=("bik", "bkj", "bij")),
    sample(contract, normal(2, 3, dtype=f32), normal(3, 2, dtype=f32), spec=("ik", "kj", "ij")),
    sample(contract, normal(2, 3, dtype=f32), normal(3, 2), spec=("ik", "kj", "ij")),
    sample(contract, normal(2, 3), normal(3, dtype=f32), spec=("ik", "k", "i")),
    sample(contract, normal(2, dtype=f32), normal(2, 2, dtype=f32), spec=("i", "ij", "ij")),
    sample(contract, normal(2, 3, dtype=c128), normal(3, 2, dtype=c128), spec=("ik", "kj", "ij")),
    sample(contract, normal(2, 3, dtype=c128), normal(2, 3, dtype=c128), spec=("bk", "bk", "b")),
    sample(contract, normal(2, 3, dtype=c64), normal(3, 2, dtype=f32), spec=("ik", "kj", "ij")),
    sample(contract, normal(2, 3), normal(3, dtype=c128), spec=("ik", "k", "i")),
    sample(contract, integers(-3, 3, 2, 3), normal(3, 2), spec=("ik", "kj", "ij")),
    sample(contract, integers(-3, 3, 2, 3).astype(np.int32), normal(3, dtype=f32), spec=("ik", "k", "i")),
    sample(contract, integers(-3, 3, 2, 3), integers(-3, 3, 3, 2), spec=("ik", "kj", "ij")),
    sample(contract, np.array([[True, False], [True, True]]), np.array([False, True]), spec=("ik", "k", "i")),
]
