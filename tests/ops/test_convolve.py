"""Convolutions against the defining sum, SciPy and NumPy; all ways of computing them; transposes; messages."""

import itertools

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.core.aval import Aval, aval_of
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear
from xform.ops.convolution import convolve_kernels
from xform.ops.convolution.convolutions import conv_general_dilated, convolve_vectors, correlate_vectors
from xform.ops.convolution.convolve import convolve
from xform.ops.convolution.convolve_kernels import Window, gather, gather_dilated, gather_second, is_unit, scatter
from xform.ops.structure import reduce_sum

derandomized = settings(derandomize=True, deadline=None, max_examples=200)
SPECS = [
    ("", "", ""),
    ("nc", "oc", "no"),
    ("ngc", "goc", "ngo"),
    ("nc", "no", "oc"),
    ("nc", "oc", "on"),
    ("nc", "nc", ""),
]


def integers(*shape, seed=0):
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(float)


def defining_sum(x, y, spec, windows):
    """out[t] += x[u] y[k] for all u, k and the t, if there is one, with a u + b k = c t + p."""
    i, j, o = spec
    size = dict(zip(i + j, x.shape[: len(i)] + y.shape[: len(j)], strict=True))
    out = np.zeros([size[label] for label in o] + [w.size for w in windows])
    for u in np.ndindex(x.shape[len(i) :]):
        for k in np.ndindex(y.shape[len(j) :]):
            t = [divmod(w.x * m + w.y * n - w.offset, w.out) for w, m, n in zip(windows, u, k, strict=True)]
            if all(rest == 0 and 0 <= q < w.size for (q, rest), w in zip(t, windows, strict=True)):
                out[(..., *(q for q, _ in t))] += np.einsum(f"{i},{j}->{o}", x[(..., *u)], y[(..., *k)])
    return out


@st.composite
def convolutions(draw):
    """Any signs, strides, dilations and offsets, also such that windows lie outside."""
    spec, rank = draw(st.sampled_from(SPECS)), draw(st.integers(1, 2))
    size = {label: draw(st.integers(1, 3)) for label in "ncog"}
    coefficient = st.sampled_from([-3, -2, -1, 1, 1, 2])
    windows = tuple(
        Window(
            draw(coefficient), draw(coefficient), draw(coefficient), draw(st.integers(-6, 6)), draw(st.integers(0, 6))
        )
        for _ in range(rank)
    )
    x = integers(*(size[label] for label in spec[0]), *(draw(st.integers(0, 6)) for _ in windows), seed=1)
    y = integers(*(size[label] for label in spec[1]), *(draw(st.integers(0, 4)) for _ in windows), seed=2)
    return x, y, spec, windows


@derandomized
@given(convolutions())
def test_the_defining_sum(case):
    x, y, spec, windows = case
    wanted = defining_sum(*case)
    assert_array_equal(convolve(x, y, spec=spec, windows=windows), wanted)
    assert convolve.abstract(aval_of(x), aval_of(y), spec=spec, windows=windows) == [aval_of(wanted)]


@pytest.mark.parametrize("block", [1 << 20, 4])
def test_all_ways_agree(block, monkeypatch):
    monkeypatch.setattr(convolve_kernels, "BLOCK", block)

    @settings(derandomized, max_examples=100)
    @given(convolutions())
    def check(case):
        wanted = defining_sum(*case)
        windows = case[3]
        if case[0].size and case[1].size and wanted.size:
            ways = [gather_dilated]
            ways += [gather] * is_unit(w.x for w in windows)
            ways += [gather_second] * is_unit(w.y for w in windows)
            ways += [scatter] * is_unit(w.out for w in windows)
            for way in ways:
                assert_array_equal(way(*case, wanted.shape), wanted, err_msg=way.__name__)

    check()


@derandomized
@given(convolutions())
def test_transposes_are_convolutions(case):
    """<z_bar, x * y> = <x_bar, x> = <y_bar, y>, exactly, in integers."""
    x, y, spec, windows = case
    z, pullback = xform.vjp(lambda x, y: convolve(x, y, spec=spec, windows=windows), x, y)
    bar = integers(*z.shape, seed=3)
    x_bar, y_bar = pullback(bar)
    assert (x_bar.shape, y_bar.shape) == (x.shape, y.shape)
    assert np.vdot(bar, z) == np.vdot(x_bar, x) == np.vdot(y_bar, y)


@pytest.mark.parametrize("in_axes", [(0, None), (None, 0), (0, 0)])
def test_batched(in_axes):
    x, y = integers(3, 2, 2, 5), integers(3, 2, 2, 3, seed=1)

    def f(x, y):
        return conv_general_dilated(x, y, (2,), "SAME")

    args = [a if axis == 0 else a[0] for a, axis in zip((x, y), in_axes, strict=True)]
    loop = [f(x[k if in_axes[0] == 0 else 0], y[k if in_axes[1] == 0 else 0]) for k in range(3)]
    assert_array_equal(xform.vmap(f, in_axes)(*args), np.stack(loop))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_scipys_correlate(rank, mode):
    x, w = integers(*(6, 5, 4)[:rank]), integers(*(3,) * rank, seed=1)
    padding = [{"full": (2, 2), "same": (1, 1), "valid": (0, 0)}[mode]] * rank
    z = conv_general_dilated(x[None, None], w[None, None], (1,) * rank, padding)
    assert_allclose(z[0, 0], scipy.signal.correlate(x, w, mode, method="direct"))


def slow_conv(x, w, strides, padding, lhs_dilation, rhs_dilation):
    """Dilate by zeros, pad, then one scalar product per window."""
    rank = x.ndim - 2

    def dilate(a, steps):
        out = np.zeros((*a.shape[:2], *((n - 1) * step + 1 for n, step in zip(a.shape[2:], steps, strict=True))))
        out[(..., *(slice(None, None, step) for step in steps))] = a
        return out

    x, w = dilate(x, lhs_dilation), dilate(w, rhs_dilation)
    x = np.pad(x, [(0, 0), (0, 0), *padding])
    views = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=tuple(range(2, 2 + rank)))
    views = views[(..., *(slice(None, None, s) for s in strides), *(slice(None),) * rank)]
    return np.einsum(views, [0, 1, *range(3, 3 + 2 * rank)], w, [2, 1, *range(3 + rank, 3 + 2 * rank)])


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
@pytest.mark.parametrize("padding", [[(0, 0), (0, 0)], [(2, 1), (0, 3)]])
@pytest.mark.parametrize("lhs_dilation", [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("rhs_dilation", [(1, 1), (1, 2)])
def test_strides_padding_and_dilations(strides, padding, lhs_dilation, rhs_dilation):
    x, w = integers(2, 3, 6, 7), integers(4, 3, 3, 2, seed=1)
    z = conv_general_dilated(x, w, strides, padding, lhs_dilation, rhs_dilation)
    assert_array_equal(z, slow_conv(x, w, strides, padding, lhs_dilation, rhs_dilation))


def test_negative_padding_crops():
    x, w = integers(1, 2, 7), integers(3, 2, 2, seed=1)
    cropped = conv_general_dilated(x, w, (1,), [(-2, -1)])
    assert_array_equal(cropped, conv_general_dilated(x[..., 2:-1], w, (1,), [(0, 0)]))
    assert conv_general_dilated(x, w, (1,), [(-3, -3)]).shape == (1, 3, 0)


@pytest.mark.parametrize("size, window, stride", list(itertools.product([4, 5], [1, 2, 3], [1, 2, 3])))
def test_same_padding(size, window, stride):
    x, w = integers(1, 1, size), integers(1, 1, window, seed=1)
    total = max(0, (-(-size // stride) - 1) * stride + window - size)
    for padding, before in (("SAME", total // 2), ("SAME_LOWER", total - total // 2)):
        z = conv_general_dilated(x, w, (stride,), padding)
        assert z.shape == (1, 1, -(-size // stride))
        assert_array_equal(z, conv_general_dilated(x, w, (stride,), [(before, total - before)]))


def test_feature_groups_are_convolutions_side_by_side():
    x, w = integers(2, 6, 5), integers(4, 3, 3, seed=1)
    z = conv_general_dilated(x, w, (1,), "VALID", feature_group_count=2)
    parts = [conv_general_dilated(x[:, 3 * g :][:, :3], w[2 * g :][:2], (1,), "VALID") for g in range(2)]
    assert_array_equal(z, np.concatenate(parts, axis=1))


def test_depthwise():
    x, w = integers(2, 3, 5, 5), integers(3, 1, 3, 3, seed=1)
    z = conv_general_dilated(x, w, (1, 1), "VALID", feature_group_count=3)
    for n, c in np.ndindex(2, 3):
        assert_allclose(z[n, c], scipy.signal.correlate(x[n, c], w[c, 0], "valid", method="direct"))


def test_batch_groups_are_convolutions_side_by_side():
    x, w = integers(4, 3, 5), integers(6, 3, 3, seed=1)
    z = conv_general_dilated(x, w, (1,), "VALID", batch_group_count=2)
    parts = [conv_general_dilated(x[2 * g :][:2], w[3 * g :][:3], (1,), "VALID") for g in range(2)]
    assert_array_equal(z, np.concatenate(parts, axis=1))


def test_without_spatial_axes_it_is_a_matrix_product():
    x, w = integers(2, 3), integers(4, 3, seed=1)
    assert_array_equal(conv_general_dilated(x, w, (), "VALID"), x @ w.T)


def test_gradients_of_a_strided_convolution():
    x, w = np.random.default_rng(0).normal(size=(2, 3, 7, 6)), np.random.default_rng(1).normal(size=(4, 3, 3, 3))

    def loss(x, w):
        z = conv_general_dilated(x, w, (2, 2), "SAME")
        return reduce_sum(z * z, axes=(0, 1, 2, 3))

    x_bar, w_bar = xform.grad(loss, (0, 1))(x, w)
    assert_allclose(np.vdot(x_bar, x), 2 * loss(x, w))  # Euler: homogeneous of degree 2
    assert_allclose(np.vdot(w_bar, w), 2 * loss(x, w))
    step, x_dot = 1e-6, np.random.default_rng(2).normal(size=x.shape)
    slope = (loss(x + step * x_dot, w) - loss(x - step * x_dot, w)) / (2 * step)
    assert_allclose(np.vdot(x_bar, x_dot), slope, rtol=1e-7)


def test_cotangents_have_the_dtype_of_their_operand():
    x, w = np.ones((1, 1, 4), np.float32), np.ones((1, 1, 2))
    z, pullback = xform.vjp(lambda x, w: conv_general_dilated(x, w, (1,), "VALID"), x, w)
    x_bar, w_bar = pullback(np.ones_like(z))
    assert (z.dtype, x_bar.dtype, w_bar.dtype) == (np.float64, np.float32, np.float64)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("dtype", [float, complex, int, np.float32, bool])
def test_vectors_as_in_numpy(mode, dtype):
    for m, n in itertools.product(range(1, 7), repeat=2):
        a, v = (np.random.default_rng(k).integers(-3, 4, size) for k, size in enumerate((m, n)))
        a, v = ((x + 1j * x[::-1]).astype(dtype) if dtype is complex else x.astype(dtype) for x in (a, v))
        for ours, numpys in ((convolve_vectors, np.convolve), (correlate_vectors, np.correlate)):
            z, wanted = ours(a, v, mode), numpys(a, v, mode)
            assert (z.dtype, z.shape) == (wanted.dtype, wanted.shape)
            assert_array_equal(z, wanted, err_msg=f"{m} {n}")


def test_gradient_of_numpys_convolve():
    a, v, bar = integers(6), integers(3, seed=1), integers(8, seed=2)
    gradient = xform.grad(lambda v: reduce_sum(convolve_vectors(a, v) * bar, axes=(0,)))(v)
    assert_array_equal(gradient, np.correlate(bar, a, "valid"))


def test_arguments_are_left_alone_and_views_taken():
    x = integers(2, 3, 8, 8)
    x.flags.writeable = False
    w = integers(4, 3, 3, 3, seed=1)
    strided = conv_general_dilated(x[:, :, ::2, ::-1], w, (1, 1), "VALID")
    assert_array_equal(strided, conv_general_dilated(x[:, :, ::2, ::-1].copy(), w, (1, 1), "VALID"))
    assert conv_general_dilated(x, w, (1, 1), "VALID").flags.writeable


@pytest.mark.parametrize(
    "s, t, kwargs, message",
    [
        ((2, 3, 5), (4, 2, 3), {}, r"axis 1 of the first, its 3 features, must equal axis 1 of the second which is 2"),
        ((2, 3, 5), (4, 3), {}, r"wanted \(N, C, \*space\) and \(O, C, \*window\) with equally many axes"),
        ((3,), (3,), {}, r"wanted \(N, C, \*space\)"),
        ((2, 4, 5), (4, 3, 3), {"feature_group_count": 2}, r"times feature_group_count=2, which is 6"),
        (
            (2, 4, 5),
            (3, 2, 3),
            {"feature_group_count": 2},
            r"output features .* of size 3, must be divisible by feature_",
        ),
        (
            (3, 4, 5),
            (4, 4, 3),
            {"batch_group_count": 2},
            r"batch .* of size 3, must be divisible by batch_group_count=2",
        ),
        (
            (4, 4, 5),
            (3, 4, 3),
            {"batch_group_count": 2},
            r"output features .* of size 3, must be divisible by batch_group",
        ),
        ((4, 4, 5), (4, 2, 3), {"batch_group_count": 2, "feature_group_count": 2}, r"at most one of them above 1"),
        ((4, 4, 5), (4, 4, 3), {"feature_group_count": 0}, r"wanted positive counts"),
        ((2, 3, 5), (4, 3, 3), {"window_strides": (1, 1)}, r"window_strides=\(1, 1\) was given for 1 spatial axes"),
        ((2, 3, 5), (4, 3, 3), {"window_strides": (0,)}, r"wanted a positive integer for each"),
        ((2, 3, 5), (4, 3, 3), {"rhs_dilation": (0,)}, r"rhs_dilation=\(0,\)"),
        ((2, 3, 5), (4, 3, 3), {"padding": "FULL"}, r"padding='FULL' was given; wanted 'SAME', 'SAME_LOWER', 'VALID'"),
        ((2, 3, 5), (4, 3, 3), {"padding": [(1, 1), (1, 1)]}, r"was given for 1 spatial axes; wanted a pair"),
        ((2, 3, 5), (4, 3, 3), {"padding": "SAME", "lhs_dilation": (2,)}, r"'SAME' has no meaning for a dilated lhs"),
    ],
)
def test_what_does_not_fit_says_so(s, t, kwargs, message):
    kwargs = {"window_strides": (1,), "padding": "VALID", **kwargs}
    with pytest.raises(ValueError, match=message):
        conv_general_dilated(np.ones(s), np.ones(t), **kwargs)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    "shapes, spec, windows, message",
    [
        (
            ((3,), (2, 2)),
            ("", "", ""),
            (Window(1, 1, 1, 0, 4),),
            r"second operand has shape \(2, 2\); wanted 0 axes for",
        ),
        (
            ((2, 3, 4), (4, 2, 2)),
            ("nc", "oc", "no"),
            (Window(1, 1, 1, 0, 4),),
            r"convolve nc,oc->no: label 'c' has size 3",
        ),
        (((3,), (2,)), ("", "", ""), (Window(1, 0, 1, 0, 4),), r"y=0.* wanted coefficients that are not 0"),
        (((3,), (2,)), ("", "", ""), (Window(1, 1, 1, 0, -1),), r"size=-1"),
    ],
)
def test_the_primitive_checks_its_operands(shapes, spec, windows, message, traced):
    rule, make = (convolve.abstract, lambda s: Aval(s, np.float64)) if traced else (convolve, np.ones)
    operands = list(map(make, shapes))
    with pytest.raises(ValueError, match=message):
        rule(*operands, spec=spec, windows=windows)


@pytest.mark.parametrize("call", [convolve_vectors, correlate_vectors])
def test_vectors_that_are_none(call):
    with pytest.raises(ValueError, match="wanted two vectors that are not empty"):
        call(np.ones(0), np.ones(2))
    with pytest.raises(ValueError, match="wanted two vectors"):
        call(np.ones((2, 2)), np.ones(2))
    with pytest.raises(ValueError, match="mode='fill' was given; wanted 'full', 'same' or 'valid'"):
        call(np.ones(2), np.ones(2), "fill")


def test_a_convolution_of_two_unknowns_has_no_transpose():
    unknown, windows = Linear(Aval((3,), np.float64)), (Window(1, 1, 1, 0, 5),)
    with pytest.raises(NonlinearError, match=r"'convolve' \(a convolution\) of two unknowns is bilinear"):
        convolve.transpose([np.ones(5)], unknown, unknown, spec=("", "", ""), windows=windows)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(3, 3), (4, 2), (2, 5), (6, 1)], ids=str)
def test_nan_and_infinity_reach_only_the_sums_that_they_are_in(sizes, mode):
    """0 times nan is nan: the zeros around a vector are no terms."""
    rng = np.random.default_rng(3)
    for value in (np.nan, np.inf):
        for place in range(sum(sizes)):
            a, v = rng.normal(size=sizes[0]), rng.normal(size=sizes[1])
            (a if place < sizes[0] else v)[place - sizes[0] if place >= sizes[0] else place] = value
            np.testing.assert_allclose(convolve_vectors(a, v, mode), np.convolve(a, v, mode))
            np.testing.assert_allclose(correlate_vectors(a, v, mode), np.correlate(a, v, mode))
            y_bar = rng.normal(size=len(np.convolve(a, v, mode)))
            _, pullback = xform.vjp(lambda a, v: np.convolve(a, v, mode), a, v)
            rows = [np.convolve(e, v, mode) for e in np.eye(sizes[0])]
            if place < sizes[0]:  # the gradient in a is linear in v, which is finite
                np.testing.assert_allclose(pullback(y_bar)[0], np.array(rows) @ y_bar)
