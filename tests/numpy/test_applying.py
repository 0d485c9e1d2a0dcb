"""Functions applied along axes and to windows."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import xform
import xform.numpy as xnp
from tests.numpy.agreement import check_agrees, check_derivatives, check_signature

X = np.arange(24.0).reshape(2, 3, 4) / 7


@pytest.mark.parametrize("name", ["apply_along_axis", "apply_over_axes"])
def test_signatures_are_numpys(name):
    check_signature(getattr(xnp, name), getattr(np, name))


@pytest.mark.parametrize("axis", [0, 1, -1, 3])
def test_apply_along_axis(axis):
    check_agrees(lambda x: np.apply_along_axis(np.sum, axis, x), X)
    check_agrees(lambda x: np.apply_along_axis(lambda v: v[::-1] * 2, axis, x), X)
    check_agrees(lambda x: np.apply_along_axis(lambda v, k, m=0: np.stack([v + k, v * m]), axis, x, 1, m=2), X)
    check_agrees(lambda x: np.apply_along_axis(np.sum, axis, x), np.zeros((0, 2, 3)))


def test_apply_over_axes():
    for axes in ((0, 2), 1, [-1], (5,)):
        check_agrees(lambda x, axes=axes: np.apply_over_axes(np.sum, x, axes), X)
    check_agrees(lambda x: np.apply_over_axes(np.cumsum, x, (0, 2)), X)
    check_agrees(lambda x: np.apply_over_axes(lambda x, k: x.sum(), x, (0,)), X)


@pytest.mark.parametrize(
    "window, axis", [(2, 0), ((2, 2), (0, 1)), ((1, 2, 3), None), (5, 2), (2, None), ((2, 2), (2, 2))]
)
def test_windows(window, axis):
    check_agrees(lambda x: sliding_window_view(x, window, axis), X)
    check_agrees(lambda x: sliding_window_view(x, -1, 0), X)


def test_derivatives():
    check_derivatives(lambda x: np.apply_along_axis(np.prod, 1, x), X)
    check_derivatives(lambda x: np.apply_over_axes(np.prod, x, (0, 1)), X)
    check_derivatives(lambda x: np.prod(sliding_window_view(x, (2, 2), (1, 2)), axis=(-1, -2)), X)
    assert xform.grad(lambda x: sliding_window_view(x, 3).sum())(np.ones(5)).tolist() == [1, 2, 3, 2, 1]
