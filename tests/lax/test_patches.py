"""Windows of convolutions as features, and convolutions with a kernel for each place, against convolutions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(2)

#: the shape of lhs in its layout, the window's, strides, padding, dilations of lhs and rhs, and the layout
CASES = [
    ((2, 3, 9), (3,), (2,), "SAME", None, None, None),
    ((2, 3, 9), (3,), (2,), [(1, -2)], (2,), (2,), None),
    ((1, 2, 2), (4,), (1,), "VALID", None, None, None),
    ((2, 2, 0), (2,), (1,), [(2, 1)], None, None, None),
    ((2, 3), (), (), [], None, None, None),
    ((2, 6, 5, 3), (2, 3), (1, 2), "valid", None, (2, 1), ("NHWC", "HWIO", "NHWC")),
    ((2, 6, 5, 3), (2, 3), (1, 2), "SAME_LOWER", None, None, ("NHWC", "WHIO", "CWNH")),
    ((2, 4, 3, 2), (2, 3), (1, 2), [(-1, 2), (0, 3)], (2, 3), (2, 1), ("NHWC", "WHIO", "CWNH")),
]


def cases(test):
    return pytest.mark.parametrize("shape, window, strides, padding, ld, rd, layout", CASES)(test)


def numbers_of(shape, layout):
    return lax.conv_dimension_numbers(shape, (1,) * len(shape), layout)


def in_layout(x, spec):
    """An array of the default layout, laid out as the spec says."""
    return np.transpose(x, np.argsort(spec)) if x.ndim else x


@cases
def test_a_product_with_the_patches_is_the_convolution(shape, window, strides, padding, ld, rd, layout):
    numbers, x = numbers_of(shape, layout), rng.normal(size=shape)
    channels = shape[numbers.lhs_spec[1]]
    w = rng.normal(size=(4, channels, *window))
    patches = lax.conv_general_dilated_patches(x, window, strides, padding, ld, rd, layout)
    wanted = lax.conv_general_dilated(x, in_layout(w, numbers.rhs_spec), strides, padding, ld, rd, layout)
    got = np.einsum("nc...,oc->no...", np.transpose(patches, numbers.out_spec), w.reshape(4, -1))
    assert_allclose(got, np.transpose(wanted, numbers.out_spec), atol=1e-12)


@cases
def test_patches_in_every_transformation(shape, window, strides, padding, ld, rd, layout):
    x = rng.normal(size=shape)

    def f(x):
        return lax.conv_general_dilated_patches(x, window, strides, padding, ld, rd, layout)

    check_grads(f, (x,), order=1)
    assert_array_equal(xform.make_jaxpr(f)(x)(x)[0], f(x))
    xs = rng.normal(size=(3, *shape))
    assert_array_equal(xform.vmap(f)(xs), np.stack([f(x) for x in xs]))


def local_by_loops(patches, w, numbers):
    """The definition, in the default layout, where patches and kernels stand at the same places."""
    patches, w = np.transpose(patches, numbers.out_spec), np.transpose(w, numbers.rhs_spec)
    out = np.zeros((len(patches), len(w), *patches.shape[2:]))
    for t in np.ndindex(*patches.shape[2:]):
        at = (slice(None), slice(None), *t)
        out[at] = patches[at] @ w[at].T
    return in_layout(out, numbers.out_spec)


@cases
def test_local_convolution(shape, window, strides, padding, ld, rd, layout):
    numbers, x = numbers_of(shape, layout), rng.normal(size=shape)
    patches = lax.conv_general_dilated_patches(x, window, strides, padding, ld, rd, layout)
    _, features, *space = np.transpose(patches, numbers.out_spec).shape
    w = in_layout(rng.normal(size=(4, features, *space)), numbers.rhs_spec)

    def f(x, w):
        return lax.conv_general_dilated_local(x, w, strides, padding, window, ld, rd, layout)

    assert_allclose(f(x, w), local_by_loops(patches, w, numbers), atol=1e-12)
    check_grads(f, (x, w), order=1)
    assert_allclose(xform.make_jaxpr(f)(x, w)(x, w)[0], f(x, w), atol=1e-12)
    ws = np.stack([w, 2 * w])
    assert_allclose(xform.vmap(f, (None, 0))(x, ws), np.stack([f(x, w) for w in ws]), atol=1e-12)


def test_equal_kernels_at_all_places_make_a_convolution():
    x, w = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 2, 3))
    wanted = lax.conv(x, w, (1, 1), "SAME")
    everywhere = np.broadcast_to(w.reshape(4, 18, 1, 1), (4, 18, 6, 5))
    assert_allclose(lax.conv_general_dilated_local(x, everywhere, (1, 1), "SAME", (2, 3)), wanted, atol=1e-12)


def test_patches_are_exact():
    x = np.array([[[np.inf, np.nan, -0.0, 2.0]]])
    out = lax.conv_general_dilated_patches(x, (2,), (1,), [(1, 0)])
    assert_array_equal(out, [[[0.0, np.inf, np.nan, -0.0], [np.inf, np.nan, -0.0, 2.0]]])
    assert np.signbit(out[0, 0, 3])
    for dtype in (bool, np.int8, np.complex64):
        assert lax.conv_general_dilated_patches(x[..., 2:].astype(dtype), (2,), (1,), "SAME").dtype == dtype
    wide = lax.conv_general_dilated_patches(x.astype(np.float32), (2,), (1,), "SAME", preferred_element_type=float)
    assert wide.dtype == np.float64


def test_bad_input():
    x = np.ones((1, 2, 6))
    with says(ValueError, "(1, 2, 6)", "equally many axes"):
        lax.conv_general_dilated_patches(x, (2, 2), (1,), "SAME")
    with says(ValueError, "filter_shape", "at least 1"):
        lax.conv_general_dilated_patches(x, (0,), (1,), "SAME")
    with says(TypeError, "filter_shape", "integers"):
        lax.conv_general_dilated_patches(x, (1.5,), (1,), "SAME")
    with says(ValueError, "window_strides", "1 spatial axes"):
        lax.conv_general_dilated_patches(x, (2,), (1, 1), "SAME")
    with says(ValueError, "padding='FULL'", "'SAME'"):
        lax.conv_general_dilated_patches(x, (2,), (1,), "full")
    with says(ValueError, "conv_general_dilated_local", "(3, 5, 5)", "wanted (out, 4, 5)"):
        lax.conv_general_dilated_local(x, np.ones((3, 5, 5)), (1,), "VALID", (2,))
    with says(ValueError, "conv_general_dilated_local", "(3, 4, 6)", "wanted (out, 4, 5)"):
        lax.conv_general_dilated_local(x, np.ones((3, 4, 6)), (1,), "VALID", (2,))
