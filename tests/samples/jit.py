"""Samples of xform/control/jitting: compiled programs."""

import numpy as np

from tests.samples.base import Sample, normal, sample, within
from tests.samples.control import BRANCHES, program
from xform.control.jitting.primitive import jit_p

near = within(0.4, 0.9)


def compiled(f, *operands) -> Sample:
    return sample(jit_p, *operands, program=program(f, *operands), name="f", backend="numpy", donated=())


SAMPLES = [
    *(compiled(f, near(2), near(2)) for f in BRANCHES),
    compiled(lambda w, x: [np.tanh(w @ x), np.sum(x * x)], near(2, 2), near(2)),
    compiled(lambda x, n: [x * n, n + 1], near(), np.int64(3)),
    compiled(lambda z: [z * z, np.abs(z)], normal(2, dtype=np.complex128)),
    compiled(lambda x: [np.exp(x), np.ones(2)], near(0)),
    compiled(lambda x: [x * np.float32(0.5)], near(3, dtype=np.float32)),
]
