"""packbits and unpackbits on traced integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import xform
import xform.numpy as xnp
from tests.messages import says
from tests.numpy.agreement import arrays, check_agrees

orders = st.sampled_from(["big", "little", "native"])
axes = st.one_of(st.none(), st.integers(-3, 2))


@given(
    x=arrays(("bool", "int64", "uint8", "float64"), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=10)),
    axis=axes,
    order=orders,
)
def test_packbits(x, axis, order):
    check_agrees(lambda x: np.packbits(x, axis, order), x, doors=("vmap",))


@given(
    x=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)),
    axis=axes,
    count=st.one_of(st.none(), st.integers(-30, 30)),
    order=orders,
)
def test_unpackbits(x, axis, count, order):
    check_agrees(lambda x: np.unpackbits(x, axis, count, order), x, doors=("vmap",))


def test_unpacked_is_packed_again():
    x = np.arange(12, dtype=np.uint8).reshape(2, 6)
    np.testing.assert_array_equal(xform.jit(lambda x: xnp.packbits(xnp.unpackbits(x, axis=1), axis=1))(x), x)
    assert xform.vmap(lambda x: xnp.unpackbits(x, count=2))(x[:, :0]).tolist() == [[0, 0], [0, 0]]


def test_of_eager_tracers():
    assert xform.linearize(lambda x: x * xnp.packbits(x > 1)[0], np.array([2.0, 0.5, 3.0]))[0].tolist() == [
        320,
        80,
        480,
    ]


@pytest.mark.parametrize("f", [np.packbits, np.unpackbits])
def test_messages(f):
    with says(TypeError, "Expected an input array", "float64 was given"):
        xform.linearize(f, np.ones(3))
    with says(ValueError, "'little' or 'big'", "'up'"):
        xform.vmap(lambda x: f(x, bitorder="up"))(np.ones((2, 3), np.uint8))
