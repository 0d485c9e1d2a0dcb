"""Every test draws the same numbers, whichever tests run before it."""

import zlib

import numpy as np
import pytest

from tests.scipy import same_as_scipy


@pytest.fixture(autouse=True)
def _numbers_of_the_test(request):
    start = np.random.default_rng(zlib.crc32(request.node.name.encode()))
    same_as_scipy.rng.bit_generator.state = start.bit_generator.state
