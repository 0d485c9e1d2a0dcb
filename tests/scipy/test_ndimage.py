"""Interpolation at points of images, and linear filters: SciPy's values when traced, derivatives, SciPy's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.ndimage as reference

import xform
from tests.messages import says
from xform.scipy import ndimage
from xform.testing import check_grads


def normal(size: Any) -> np.ndarray:
    """Random numbers, the same ones for every test."""
    return np.random.default_rng(0).normal(size=size)


IMAGE = normal((5, 7))
MODES = ["constant", "grid-constant", "nearest", "mirror", "reflect", "grid-mirror", "wrap", "grid-wrap"]
#: far away, inside, halfway between entries, and at the ends
COORDINATES = np.concatenate(
    [
        np.random.default_rng(1).uniform(-14.0, 20.0, size=(2, 60)),
        np.random.default_rng(1).uniform(0.0, 4.0, size=(2, 20)),
        np.random.default_rng(1).integers(-30, 30, size=(2, 40)) / 2,
        [[0.0, 4.0, 4.0, -0.5, 4.5, 5.0, -1.0, np.nan], [0.0, 6.0, 0.0, -0.5, 6.5, 7.0, -1.0, 0.0]],
    ],
    axis=1,
)


def traced(f: Callable[..., Any], *args: Any) -> Any:
    """f(*args), computed on traced values."""
    return xform.jvp(f, args, tuple(np.zeros(np.shape(x)) for x in args))[0]


def close(actual: Any, wanted: Any) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", MODES)
def test_values_at_coordinates_are_scipys(mode: str, order: int):
    points = COORDINATES[:, :-1]  # SciPy gives for nan the value of some entry
    wanted = reference.map_coordinates(IMAGE, points, order=order, mode=mode, cval=0.7)
    close(traced(lambda a, c: ndimage.map_coordinates(a, c, None, order, mode, 0.7), IMAGE, points), wanted)
    assert np.isnan(traced(lambda c: ndimage.map_coordinates(IMAGE, c, None, order, mode), COORDINATES)[-1])


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
def test_values_at_coordinates_are_differentiable(mode: str, order: int):
    points = np.array([[1.3, 3.8, 4.3, -0.7, -9.1], [0.2, 5.7, 2.4, 8.6, 3.3]])

    def at(image: Any, points: Any, cval: Any) -> Any:
        return ndimage.map_coordinates(image, points, None, order, mode, cval)

    check_grads(at, (IMAGE, points, 0.3), order=2 if mode in ("nearest", "grid-wrap") and order else 1)


def test_shapes_and_dtypes_of_values_at_coordinates():
    points = np.random.default_rng(1).uniform(0.0, 4.0, size=(2, 3, 1))
    for dtype in (np.float32, np.float64, np.complex128, np.int32):
        image = (10 * IMAGE).astype(dtype)
        wanted = reference.map_coordinates(image, points, order=1)
        ours = traced(lambda c, a=image: ndimage.map_coordinates(a, c, order=1), points)
        assert (ours.shape, ours.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)
    line, ends = normal(1), np.array([[-1.0, 0.0, 0.4]])
    for mode in MODES:
        wanted = reference.map_coordinates(line, ends, order=1, mode=mode)
        close(traced(lambda c, m=mode: ndimage.map_coordinates(line, c, order=1, mode=m), ends), wanted)
    volume = normal((3, 4, 5))
    points = np.random.default_rng(1).uniform(-1.0, 5.0, size=(3, 20))
    wanted = reference.map_coordinates(volume, points, np.float32, order=3, mode="reflect")
    ours = traced(lambda c: ndimage.map_coordinates(volume, c, np.float32, 3, "reflect"), points)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, wanted, rtol=1e-6, atol=1e-6)


def test_transformations_compose():
    points = np.array([[1.3, 3.8], [0.2, 5.7]])

    def total(image: Any) -> Any:
        return (ndimage.map_coordinates(image, points, order=3) ** 2).sum()

    images = normal((3, 5, 7))
    close(xform.vmap(xform.grad(total))(images), np.stack([xform.grad(total)(image) for image in images]))
    close(xform.jit(xform.grad(total))(IMAGE), xform.grad(total)(IMAGE))
    smooth = xform.jit(lambda x, s: ndimage.gaussian_filter(x, s, radius=3))
    close(smooth(IMAGE, 0.8), reference.gaussian_filter(IMAGE, 0.8, radius=3))


@pytest.mark.parametrize("mode", ["mirror", "reflect", "grid-wrap", "nearest"])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
def test_spline_filters_are_scipys(order: int, mode: str):
    for axis in (0, -1):
        wanted = reference.spline_filter1d(IMAGE, order, axis, mode=mode)
        close(traced(lambda a, axis=axis: ndimage.spline_filter1d(a, order, axis, mode=mode), IMAGE), wanted)
    if order > 1:
        wanted = reference.spline_filter(IMAGE, order, np.float32, mode)
        ours = traced(lambda a: ndimage.spline_filter(a, order, np.float32, mode), IMAGE)
        np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("mode", MODES)
def test_filters_along_an_axis_are_scipys(mode: str, size: int):
    weights = normal(size)
    for origin in range(-(size // 2), (size - 1) // 2 + 1):
        for axis in (0, 1):
            options = (axis, None, mode, 0.5, origin)
            wanted = reference.correlate1d(IMAGE, weights, *options)
            close(traced(lambda a, w, o=options: ndimage.correlate1d(a, w, *o), IMAGE, weights), wanted)
    wanted = reference.convolve1d(IMAGE, weights, 0, None, mode, 0.5)
    close(traced(lambda a, w: ndimage.convolve1d(a, w, 0, None, mode, 0.5), IMAGE, weights), wanted)
    wanted = reference.uniform_filter1d(IMAGE, size, 0, None, mode, 0.5)
    close(traced(lambda a: ndimage.uniform_filter1d(a, size, 0, None, mode, 0.5), IMAGE), wanted)


@pytest.mark.parametrize("name", ["correlate", "convolve"])
@pytest.mark.parametrize("shape", [(3, 2), (2, 4), (1, 1), (3, 3)])
def test_filters_along_several_axes_are_scipys(name: str, shape: tuple[int, int]):
    weights = normal(shape)
    ours, theirs = getattr(ndimage, name), getattr(reference, name)
    for mode in ("constant", "reflect", "wrap"):
        close(
            traced(lambda a, w, m=mode: ours(a, w, None, m, 0.5), IMAGE, weights),
            theirs(IMAGE, weights, None, mode, 0.5),
        )
    volume = normal((3, 5, 6))
    close(traced(lambda a: ours(a, weights, axes=(0, 2)), volume), theirs(volume, weights, axes=(0, 2)))
    check_grads(ours, (IMAGE[:3, :4], weights), order=1)


@pytest.mark.parametrize(
    "name, args, options",
    [
        ("gaussian_filter", (1.3,), {}),
        ("gaussian_filter", ((0.7, 1.1), (1, 2)), {"mode": ("nearest", "wrap")}),
        ("gaussian_filter", ((0.0, 1.1), 3), {"truncate": 3.0}),
        ("gaussian_filter", (1.1,), {"radius": 2, "axes": (1,)}),
        ("gaussian_filter1d", (0.9, 0, 4), {"mode": "mirror"}),
        ("uniform_filter", ((2, 5),), {}),
        ("uniform_filter", (3,), {"axes": 0}),
        ("sobel", (), {}),
        ("prewitt", (0,), {"mode": ["constant", "nearest"], "cval": 2.0}),
        ("laplace", (), {"mode": "constant"}),
        ("laplace", (), {"axes": (1,)}),
        ("gaussian_laplace", (0.8,), {}),
        ("gaussian_laplace", ((0.8, 0.5),), {"truncate": 2.0}),
        ("gaussian_gradient_magnitude", (0.8,), {"mode": "wrap"}),
    ],
)
def test_smoothing_and_differences_are_scipys(name: str, args: tuple[Any, ...], options: dict[str, Any]):
    ours, theirs = getattr(ndimage, name), getattr(reference, name)
    np.testing.assert_array_equal(ours(IMAGE, *args, **options), theirs(IMAGE, *args, **options))
    close(traced(lambda a: ours(a, *args, **options), IMAGE), theirs(IMAGE, *args, **options))
    check_grads(lambda a: ours(a, *args, **options), (IMAGE,), order=1)


def test_smoothing_is_differentiable_in_its_width():
    check_grads(lambda s: ndimage.gaussian_filter(IMAGE, s), (0.9,), order=2)
    check_grads(lambda s, t: ndimage.gaussian_filter(IMAGE, (s, t), 1, radius=3), (0.9, 1.2), order=1)


def test_filters_keep_single_precision():
    image = IMAGE.astype(np.float32)
    value, gradient = xform.value_and_grad(lambda a: ndimage.gaussian_filter(a, 0.7).sum())(image)
    assert value.dtype == gradient.dtype == np.float32


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda a: ndimage.map_coordinates(a, np.zeros((3, 4))), RuntimeError, "wanted (2, ...)"),
        (lambda a: ndimage.map_coordinates(a, np.zeros(2)), RuntimeError, "rank must be > 0"),
        (lambda a: ndimage.map_coordinates(a, np.zeros((2, 1)), order=6), RuntimeError, "wanted 0 to 5"),
        (lambda a: ndimage.map_coordinates(a, np.zeros((2, 1)), mode="edge"), RuntimeError, "'edge' is not supported"),
        (lambda a: ndimage.map_coordinates(a, np.zeros((2, 1), complex)), TypeError, "complex coordinates"),
        (lambda a: ndimage.spline_filter(a, 1), RuntimeError, "wanted 2 to 5"),
        (lambda a: ndimage.correlate1d(a, []), RuntimeError, "no filter weights"),
        (lambda a: ndimage.correlate1d(a, [1.0, 2.0], origin=1), ValueError, "Invalid origin 1"),
        (lambda a: ndimage.correlate(a, [1.0]), RuntimeError, "wanted one for each"),
        (lambda a: ndimage.correlate(a, [[1.0]], mode=["wrap"]), RuntimeError, "sequence argument"),
        (lambda a: ndimage.correlate(a, [[1.0, 2.0]], mode="edge"), RuntimeError, "'edge' is not supported"),
        (lambda a: ndimage.uniform_filter(a, 0), RuntimeError, "incorrect filter size"),
        (lambda a: ndimage.gaussian_filter(a, 1.0, radius=1.5), ValueError, "Radius"),
        (lambda a: ndimage.gaussian_filter(a, 1.0, order=-1), ValueError, "non-negative"),
    ],
)
def test_errors(call: Callable[[Any], Any], error: type[Exception], words: str):
    with says(error, words):
        traced(call, IMAGE)


def test_a_width_that_is_not_known_wants_a_radius():
    with says(xform.ConcretizationError, "radius"):
        xform.jit(lambda s: ndimage.gaussian_filter1d(IMAGE, s))(1.0)
