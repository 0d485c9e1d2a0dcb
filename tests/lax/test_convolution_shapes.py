"""The shapes that are predicted are those of the convolutions' results."""

import numpy as np
import pytest

from tests.messages import says
from xform import lax

LAYOUT = ("NHWC", "WHIO", "CWNH")
PADDINGS = ["SAME", "VALID", "same", [(1, 2), (3, 0)], [(-1, 0), (0, -1)]]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (4, 1)])
def test_shapes_are_those_of_the_results(padding, strides):
    x, w = np.ones((2, 7, 6, 3)), np.ones((2, 3, 3, 5))
    out = lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=LAYOUT)
    assert lax.conv_general_shape_tuple(x.shape, w.shape, strides, padding, LAYOUT) == out.shape
    numbers = lax.conv_dimension_numbers(x.shape, w.shape, LAYOUT)
    assert lax.conv_general_shape_tuple(x.shape, w.shape, strides, padding, numbers) == out.shape
    turned = lax.conv_transpose(x, w, strides, padding, dimension_numbers=LAYOUT)
    assert lax.conv_transpose_shape_tuple(x.shape, w.shape, strides, padding, LAYOUT) == turned.shape


@pytest.mark.parametrize("padding", [*PADDINGS, "SAME_LOWER"])
@pytest.mark.parametrize("groups", [1, 2])
def test_shape_in_the_default_layout(padding, groups):
    x, w = np.ones((4, 3, 7, 6)), np.ones((6, 3, 2, 3))
    out = lax.conv_general_dilated(x, w, (2, 1), padding, batch_group_count=groups)
    assert lax.conv_shape_tuple(x.shape, w.shape, (2, 1), padding, groups) == out.shape
    assert lax.conv_general_shape_tuple((4, 3, 0), (6, 3, 2), (1,), "VALID", None) == (4, 6, 0)


def test_permutations():
    assert lax.conv_general_permutations(LAYOUT) == ((0, 3, 2, 1), (3, 2, 0, 1), (2, 0, 1, 3))
    assert lax.conv_general_permutations(["NC", "OI", "CN"]) == ((0, 1), (0, 1), (1, 0))


def test_bad_input():
    for layout in (None, "NHWC", ("NHWC", "HWIO"), (1, 2, 3), ("NHWC", "HWIO", "NHDC"), ("NHW", "HWIO", "NHWC")):
        with says(ValueError, "dimension_numbers", "three strings"):
            lax.conv_general_permutations(layout)
    with says(ValueError, "conv_shape_tuple", "batch_group_count=2", "batch of 3", "divisor"):
        lax.conv_shape_tuple((3, 2, 5), (2, 2, 2), (1,), "VALID", 2)
    with says(ValueError, "batch_group_count=0"):
        lax.conv_shape_tuple((3, 2, 5), (2, 2, 2), (1,), "VALID", 0)
    with says(ValueError, "(3, 2, 5)", "(2, 2)", "equally many axes"):
        lax.conv_shape_tuple((3, 2, 5), (2, 2), (1,), "VALID")
    with says(ValueError, "conv_shape_tuple", "lhs_shape", "not negative"):
        lax.conv_shape_tuple((3, 2, -5), (2, 2, 2), (1,), "VALID")
    with says(TypeError, "conv_general_shape_tuple", "rhs_shape", "integers"):
        lax.conv_general_shape_tuple((3, 2, 5), (2, 2, 2.5), (1,), "VALID", None)
    with says(ValueError, "padding", "1 spatial axes"):
        lax.conv_shape_tuple((3, 2, 5), (2, 2, 2), (1,), [(1, 1), (2, 2)])
    with says(ValueError, "conv_transpose_shape_tuple", "window_strides", "at least 1"):
        lax.conv_transpose_shape_tuple((3, 2, 5), (2, 2, 2), (0,), "VALID", None)
    with says(ValueError, "padding='SAME_LOWER'", "'VALID'"):
        lax.conv_transpose_shape_tuple((3, 2, 5), (2, 2, 2), (1,), "SAME_LOWER", None)
