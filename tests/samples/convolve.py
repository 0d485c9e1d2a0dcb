"""Convolutions: each sign, stride and dilation, groups, several spatial axes, all ways of computing them."""

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.ops.convolution.convolve import convolve
from xform.ops.convolution.convolve_kernels import Window

f32, c64, c128 = np.float32, np.complex64, np.complex128
PLAIN, FEATURES, GROUPS, BATCH_GROUPS = ("", "", ""), ("nc", "oc", "no"), ("ngc", "goc", "ngo"), ("gnc", "goc", "ngo")

SAMPLES = [
    sample(convolve, normal(4), normal(3), spec=PLAIN, windows=(Window(1, 1, 1, 0, 6),)),
    sample(convolve, normal(5), normal(2), spec=PLAIN, windows=(Window(1, -1, 1, 0, 4),)),
    sample(convolve, normal(5), normal(2), spec=PLAIN, windows=(Window(1, -1, 2, -1, 3),)),
    sample(convolve, normal(3), normal(2), spec=PLAIN, windows=(Window(2, -1, 1, -1, 6),)),
    sample(convolve, normal(5), normal(2), spec=PLAIN, windows=(Window(1, -2, 1, 1, 2),)),
    sample(convolve, normal(4), normal(3), spec=PLAIN, windows=(Window(2, -3, 2, -2, 4),)),
    sample(convolve, normal(4), normal(3), spec=PLAIN, windows=(Window(-1, 2, 1, -3, 5),)),
    sample(convolve, normal(), normal(), spec=PLAIN, windows=()),
    sample(convolve, normal(2, 3), normal(4, 3), spec=FEATURES, windows=()),
    sample(convolve, normal(2, 3, 5), normal(2, 3, 3), spec=FEATURES, windows=(Window(1, -1, 1, 0, 3),)),
    sample(convolve, normal(2, 1, 5), normal(2, 1, 3), spec=FEATURES, windows=(Window(1, -1, 2, -1, 3),)),
    sample(convolve, normal(2, 3, 4), normal(2, 3, 1), spec=FEATURES, windows=(Window(1, -1, 1, 0, 4),)),
    sample(convolve, normal(1, 2, 3), normal(2, 2, 2), spec=FEATURES, windows=(Window(2, -1, 1, -1, 6),)),
    sample(
        convolve,
        normal(1, 2, 4, 3),
        normal(2, 2, 2, 2),
        spec=FEATURES,
        windows=(Window(1, -1, 2, -1, 3), Window(1, -2, 1, -1, 3)),
    ),
    sample(convolve, normal(2, 2, 1, 4), normal(2, 2, 1, 2), spec=GROUPS, windows=(Window(1, -1, 1, 0, 3),)),
    sample(convolve, normal(2, 1, 2, 4), normal(2, 2, 2, 2), spec=BATCH_GROUPS, windows=(Window(1, -1, 1, 0, 3),)),
    sample(
        convolve,
        normal(3, 2, 2),
        normal(2, 1, 2),
        spec=PLAIN,
        windows=(Window(1, 1, 1, 0, 4), Window(1, 1, 1, 0, 2), Window(1, 1, 1, 0, 3)),
    ),
    sample(convolve, normal(0), normal(2), spec=PLAIN, windows=(Window(1, 1, 1, 0, 1),)),
    sample(convolve, normal(3), normal(2), spec=PLAIN, windows=(Window(1, -1, 1, 0, 0),)),
    sample(convolve, normal(0, 2, 3), normal(2, 2, 2), spec=FEATURES, windows=(Window(1, -1, 1, 0, 2),)),
    sample(convolve, normal(2, 0, 3), normal(2, 0, 2), spec=FEATURES, windows=(Window(1, -1, 1, 0, 2),)),
    sample(convolve, normal(4, dtype=f32), normal(2, dtype=f32), spec=PLAIN, windows=(Window(1, 1, 1, 0, 5),)),
    sample(convolve, normal(1, 2, 4, dtype=f32), normal(2, 2, 2), spec=FEATURES, windows=(Window(1, -1, 1, 0, 3),)),
    sample(convolve, normal(3), normal(2, dtype=f32), spec=PLAIN, windows=(Window(2, -1, 1, 0, 4),)),
    sample(convolve, normal(4, dtype=c128), normal(2, dtype=c128), spec=PLAIN, windows=(Window(1, 1, 1, 0, 5),)),
    sample(
        convolve,
        normal(1, 2, 4, dtype=c64),
        normal(2, 2, 2, dtype=f32),
        spec=FEATURES,
        windows=(Window(1, -1, 1, 0, 3),),
    ),
    sample(convolve, integers(-3, 3, 4), normal(2), spec=PLAIN, windows=(Window(1, 1, 1, 0, 5),)),
    sample(convolve, integers(-3, 3, 4), integers(-3, 3, 2), spec=PLAIN, windows=(Window(1, -1, 2, 0, 2),)),
    sample(
        convolve, np.array([True, False, True]), np.array([True, True]), spec=PLAIN, windows=(Window(1, 1, 1, 0, 4),)
    ),
]
