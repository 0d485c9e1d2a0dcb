"""Convolution and pooling of channel-last arrays, against loops over the windows."""

import itertools

import numpy as np
import pytest

import xform
from tests.messages import says
from xform import nn
from xform.testing import check_grads

rng = np.random.default_rng(2)


def windows(x, size, strides):
    """Index of the result, window of x: over the axes between the first and the last one."""
    counts = [(n - m) // s + 1 for n, m, s in zip(x.shape[1:-1], size, strides, strict=True)]
    for place in itertools.product(*map(range, counts)):
        starts = [p * s for p, s in zip(place, strides, strict=True)]
        yield place, x[(slice(None), *(slice(a, a + m) for a, m in zip(starts, size, strict=True)))]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv(rank):
    space, window, strides = (7, 6, 5)[:rank], (3, 2, 2)[:rank], (2, 1, 2)[:rank]
    x, kernel, bias = rng.normal(size=(2, *space, 3)), rng.normal(size=(*window, 3, 4)), rng.normal(size=4)
    found = nn.conv(x, kernel, strides, "VALID", bias=bias)
    for place, part in windows(x, window, strides):
        wanted = np.tensordot(part, kernel, rank + 1) + bias
        np.testing.assert_allclose(found[(slice(None), *place)], wanted, rtol=1e-12, atol=1e-13)
    assert nn.conv(x, kernel).shape == (2, *space, 4)


def test_conv_with_groups_dilations_and_padding():
    x, kernel = rng.normal(size=(1, 6, 6, 4)), rng.normal(size=(2, 2, 2, 4))
    y = nn.conv(x, kernel, padding=[(1, 0), (0, 1)], feature_group_count=2, kernel_dilation=(1, 2))
    halves = [
        nn.conv(np.pad(x, [(0, 0), (1, 0), (0, 1), (0, 0)])[..., k : k + 2], kernel[..., k : k + 2], 1, "VALID",
                kernel_dilation=(1, 2))
        for k in (0, 2)
    ]  # fmt: skip
    np.testing.assert_allclose(y, np.concatenate(halves, axis=-1), rtol=1e-12)
    assert nn.conv(x, kernel[:, :, :1], 1, "VALID", input_dilation=2, feature_group_count=4).shape == (1, 10, 10, 4)


def test_derivatives_of_conv():
    x, kernel, bias = rng.normal(size=(1, 4, 3, 2)), rng.normal(size=(2, 2, 2, 2)), rng.normal(size=2)
    check_grads(lambda x, k, b: nn.conv(x, k, (2, 1), bias=b), (x, kernel, bias), order=2)


POOLS = {"max_pool": np.max, "min_pool": np.min, "avg_pool": np.mean}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("window, strides", [((2, 2), 2), ((3, 2), (1, 2)), ((2, 3), None)])
def test_pools(name, window, strides):
    x, f = rng.normal(size=(2, 7, 6, 3)), getattr(nn, name)
    found = f(x, window, strides)
    steps = (1, 1) if strides is None else (strides,) * 2 if isinstance(strides, int) else strides
    for place, part in windows(x, window, steps):
        np.testing.assert_allclose(found[(slice(None), *place)], POOLS[name](part, axis=(1, 2)), rtol=1e-13)
    np.testing.assert_allclose(xform.jit(lambda x: f(x, window, strides))(x), found, rtol=1e-13)
    np.testing.assert_allclose(f(x[0], window, strides), found[0], rtol=1e-15)
    np.testing.assert_allclose(f(x[None], window, strides), found[None], rtol=1e-15)
    check_grads(lambda x: f(x, window, strides), (x[:1, :4, :4, :2],), order=2)


def test_padding():
    x = rng.normal(size=(1, 5, 1))
    assert nn.max_pool(x, (2,), 2, "SAME").shape == (1, 3, 1)
    assert nn.max_pool(x, (2,), 2, "SAME")[0, -1, 0] == x[0, -1, 0]
    assert nn.avg_pool(x, (2,), 2, "SAME")[0, -1, 0] == pytest.approx(x[0, -1, 0] / 2)
    assert nn.avg_pool(x, (2,), 2, "SAME", count_include_pad=False)[0, -1, 0] == pytest.approx(x[0, -1, 0])
    np.testing.assert_allclose(nn.min_pool(x, (2,), padding=[(1, 0)])[0, :1], x[0, :1])


def test_dtypes():
    x = np.arange(8).reshape(1, 8, 1)
    assert nn.max_pool(x, (2,), 2).dtype == np.int64
    assert nn.max_pool(-x, (2,), 2).ravel().tolist() == [0, -2, -4, -6]
    assert nn.min_pool(x, (2,), 2).ravel().tolist() == [0, 2, 4, 6]
    assert nn.avg_pool(x, (2,), 2).ravel().tolist() == [0.5, 2.5, 4.5, 6.5]
    assert nn.avg_pool(x.astype(np.float32), (2,), 2).dtype == np.float32
    assert nn.conv(np.ones((1, 4, 1), np.float32), np.ones((2, 1, 1), np.float32)).dtype == np.float32


def test_errors():
    x = np.ones((1, 4, 4, 2))
    with says(ValueError, "nn.conv", "(2, 2, 2)", "channels"):
        nn.conv(x, np.ones((2, 2, 2)))
    with says(ValueError, "nn.conv", "strides=(1, 2, 3)", "2 positive"):
        nn.conv(x, np.ones((2, 2, 2, 1)), (1, 2, 3))
    with says(TypeError, "nn.conv", "strides=1.5"):
        nn.conv(x, np.ones((2, 2, 2, 1)), 1.5)
    with says(ValueError, "nn.max_pool", "(1, 4, 4, 2)"):
        nn.max_pool(x, (2, 2, 2, 2))
    with says(ValueError, "nn.max_pool", "padding", "2 pairs"):
        nn.max_pool(x, (2, 2), padding=[(0, 1)])
    with says(ValueError, "nn.avg_pool", "window_shape=(0, 2)"):
        nn.avg_pool(x, (0, 2))
    with says(TypeError, "complex128", "real"):
        nn.max_pool(x * 1j, (2, 2))
