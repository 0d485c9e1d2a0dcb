"""Convolutions in any layout against loops, and their transposes against the derivative of the forward convolution."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from tests.messages import says
from xform import lax
from xform.testing import check_grads

rng = np.random.default_rng(1)


def by_loops(x, w, strides, pads, ld, rd, fg=1, bg=1):
    """The definition, in the default layout."""
    space = [(n - 1) * a + 1 for n, a in zip(x.shape[2:], ld, strict=True)]
    spread = np.zeros((*x.shape[:2], *space), x.dtype)
    spread[(..., *(slice(None, None, a) for a in ld))] = x
    padded = np.pad(spread, [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in pads)])
    padded = padded[
        (..., *(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pads, padded.shape[2:], strict=True)))
    ]
    reach = [(n - 1) * d + 1 for n, d in zip(w.shape[2:], rd, strict=True)]
    sizes = [max(0, (n - m) // s + 1) for n, m, s in zip(padded.shape[2:], reach, strides, strict=True)]
    count, features = x.shape[0] // bg, w.shape[0]
    out = np.zeros((count, features, *sizes), np.result_type(x, w))
    for o, t in itertools.product(range(features), itertools.product(*map(range, sizes))):
        g = o // (features // (fg * bg))
        c0, n0 = (g * w.shape[1], 0) if fg > 1 else (0, g * count if bg > 1 else 0)
        window = padded[
            (
                slice(n0, n0 + count),
                slice(c0, c0 + w.shape[1]),
                *(slice(k * s, k * s + m, d) for k, s, m, d in zip(t, strides, reach, rd, strict=True)),
            )
        ]
        out[(slice(None), o, *t)] = (window * w[o]).reshape(count, -1).sum(axis=1)
    return out


@pytest.mark.parametrize(
    "shape, kernel, strides, pads, ld, rd, fg, bg",
    [
        ((2, 3), (4, 3), (), [], (), (), 1, 1),
        ((2, 3, 9), (4, 3, 3), (2,), [(1, 2)], (1,), (2,), 1, 1),
        ((1, 2, 5, 6), (3, 2, 2, 3), (1, 2), [(0, 1), (2, -1)], (2, 1), (1, 2), 1, 1),
        ((2, 4, 5, 4), (6, 2, 2, 2), (1, 1), [(0, 0), (1, 1)], (1, 1), (1, 1), 2, 1),
        ((4, 3, 5), (6, 3, 2), (2,), [(-1, 1)], (1,), (1,), 1, 2),
        ((1, 1, 3, 4, 3), (2, 1, 2, 2, 2), (1, 2, 1), [(0, 0), (1, 0), (0, 1)], (1, 1, 2), (1, 1, 1), 1, 1),
    ],
)
def test_conv_general_dilated(shape, kernel, strides, pads, ld, rd, fg, bg):
    x, w = rng.normal(size=shape), rng.normal(size=kernel)
    wanted = by_loops(x, w, strides, pads, ld, rd, fg, bg)

    def f(x, w):
        return lax.conv_general_dilated(x, w, strides, pads, ld, rd, None, fg, bg)

    assert_allclose(f(x, w), wanted, atol=1e-12)
    check_grads(f, (x, w), order=1)
    assert_allclose(xform.make_jaxpr(f)(x, w)(x, w)[0], wanted, atol=1e-12)
    xs = rng.normal(size=(3, *shape))
    assert_allclose(xform.vmap(f, (0, None))(xs, w), np.stack([f(x, w) for x in xs]), atol=1e-12)


@pytest.mark.parametrize(
    "layout", [("NHWC", "HWIO", "NHWC"), ("CWHN", "OHWI", "WNCH"), ("NCHW", "WHIO", "NHWC"), ("HNWC", "IHOW", "CNWH")]
)
def test_layouts(layout):
    x, w = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 2, 3))
    strides, dilation, pads = {"H": 2, "W": 1}, {"H": 1, "W": 2}, {"H": (1, 0), "W": (2, 3)}
    wanted = by_loops(x, w, (2, 1), [(1, 0), (2, 3)], (1, 1), (1, 2))
    lhs, rhs = (
        np.transpose(a, [default.index(k) for k in text])
        for a, default, text in zip((x, w), ("NCHW", "OIHW"), layout, strict=False)
    )
    space = [k for k in layout[1] if k in "HW"]  # the order of the kernel's axes is that of all lists
    out = lax.conv_general_dilated(
        lhs,
        rhs,
        [strides[k] for k in space],
        [pads[k] for k in space],
        None,
        [dilation[k] for k in space],
        layout,
    )
    assert_allclose(out, np.transpose(wanted, ["NCHW".index(k) for k in layout[2]]), atol=1e-12)
    numbers = lax.conv_dimension_numbers(lhs.shape, rhs.shape, layout)
    again = lax.conv_general_dilated(
        lhs, rhs, [strides[k] for k in space], [pads[k] for k in space], None, [dilation[k] for k in space], numbers
    )
    assert_allclose(again, out)


@pytest.mark.parametrize("padding", ["SAME", "SAME_LOWER", "VALID", "same"])
def test_named_paddings(padding):
    x, w = rng.normal(size=(1, 2, 7, 8)), rng.normal(size=(3, 2, 4, 3))
    pads = lax.padtype_to_pads((7, 8), (4, 3), (2, 3), padding)
    out = lax.conv(x, w, (2, 3), padding)
    assert_allclose(out, by_loops(x, w, (2, 3), pads, (1, 1), (1, 1)), atol=1e-12)
    if padding != "VALID":
        assert out.shape[2:] == (4, 3)


def test_conv_with_general_padding():
    x, w = rng.normal(size=(1, 2, 7)), rng.normal(size=(3, 2, 3))
    out = lax.conv_with_general_padding(x, w, (2,), [(1, 0)], (2,), (3,))
    assert_allclose(out, by_loops(x, w, (2,), [(1, 0)], (2,), (3,)), atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID", [(1, 0), (0, 2)]])
@pytest.mark.parametrize("strides, dilation", [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((2, 1), (1, 2))])
def test_conv_transpose_is_the_transpose_of_a_convolution(padding, strides, dilation):
    layout = ("NHWC", "HWIO", "NHWC")
    w = rng.normal(size=(3, 2, 2, 4))  # of the forward convolution: from 2 features to 4
    y = rng.normal(size=(1, 3, 4, 4))
    out = lax.conv_transpose(y, w, strides, padding, dilation, transpose_kernel=True, use_consistent_padding=True)

    def forward(x):
        return lax.conv_general_dilated(x, w, strides, padding, None, dilation, layout)

    assert forward(out).shape == y.shape
    (wanted,) = xform.vjp(forward, np.zeros(out.shape))[1](y)
    assert_allclose(out, wanted, atol=1e-12)


def test_conv_transpose_pads_the_dilated_operand_by_default():
    x, w = rng.normal(size=(2, 5, 3)), rng.normal(size=(4, 3, 2))
    out = lax.conv_transpose(x, w, (2,), [(1, 2)])
    wanted = lax.conv_general_dilated(x, w, (1,), [(1, 2)], (2,), None, ("NHC", "HIO", "NHC"))
    assert_allclose(out, wanted)
    assert lax.conv_transpose(x, w, (3,), "SAME").shape == (2, 15, 2)
    check_grads(lambda x, w: lax.conv_transpose(x, w, (3,), "SAME"), (x, w), order=1)


def test_dtypes():
    x, w = np.full((1, 1, 5), 100, np.int8), np.full((1, 1, 3), 100, np.int8)
    assert lax.conv(x, w, (1,), "VALID").dtype == np.int8
    wide = lax.conv(x, w, (1,), "VALID", preferred_element_type=np.int32)
    assert wide.dtype == np.int32
    assert (wide == 30_000).all()
    assert lax.conv(np.ones((1, 1, 5), np.float32), np.ones((1, 1, 3)), (1,), "SAME").dtype == np.float64


def test_bad_input():
    x, w = np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 16))
    for layout in (
        ("NHWC", "HWIO"),
        ("NHWC", "HWIO", "NHDC"),
        ("NHHC", "HWIO", "NHWC"),
        ("NHW", "HWIO", "NHWC"),
        "NHWC",
    ):
        with says(ValueError, "dimension_numbers", "4 axes", "three strings", "('NHWC', 'HWIO', 'NHWC')"):
            lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=layout)
    with says(ValueError, "dimension_numbers", "three strings"):
        lax.conv_dimension_numbers(x.shape, w.shape, lax.ConvDimensionNumbers((0, 1, 2, 2), (0, 1, 2, 3), (0, 1, 2, 3)))
    with says(ValueError, "(1, 8, 8, 3)", "(3, 3)", "equally many axes"):
        lax.conv_general_dilated(x, np.ones((3, 3)), (1, 1), "SAME")
    with says(ValueError, "features", "do not fit"):
        lax.conv(x, w, (1, 1), "SAME")
    with says(ValueError, "padding='full'", "'SAME'"):
        lax.padtype_to_pads((3,), (2,), (1,), "full")
    with says(ValueError, "padding='SAME_LOWER'", "conv_transpose"):
        lax.conv_transpose(x, w, (1, 1), "SAME_LOWER")
    with says(ValueError, "window_strides", "2 axes"):
        lax.padtype_to_pads((3, 3), (2, 2), (1,), "SAME")
    with says(ValueError, "conv_transpose", "strides", "at least 1"):
        lax.conv_transpose(x, w, (0, 1), "SAME")
