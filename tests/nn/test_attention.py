"""Attention against its formula, written with loops; masks, groups of heads, lengths, windows, errors."""

import itertools

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.messages import says
from xform import nn
from xform.testing import check_grads

rng = np.random.default_rng(1)
B, T, S, N, K, H = 2, 4, 5, 4, 2, 3
Q, KEYS, V = rng.normal(size=(B, T, N, H)), rng.normal(size=(B, S, K, H)), rng.normal(size=(B, S, K, H))
BIAS, MASK = rng.normal(size=(1, N, T, S)), rng.random((B, 1, T, S)) < 0.7
MASK[..., 0] = True


def reference(q, k, v, bias=None, seen=None, scale=None):
    """out[b, t, n] = sum over s of softmax_s(scale q[b, t, n] k[b, s, g] + bias) v[b, s, g], g the group of n."""
    out = np.zeros(q.shape)
    for b, t, n in itertools.product(range(B), range(T), range(N)):
        g = n // (N // K)
        logits = (scale or H**-0.5) * k[b, :, g] @ q[b, t, n]
        if bias is not None:
            logits = logits + np.broadcast_to(bias, (B, N, T, S))[b, n, t]
        if seen is not None:
            logits = np.where(np.broadcast_to(seen, (B, N, T, S))[b, n, t], logits, -np.inf)
        weights = np.exp(logits - logits.max())
        out[b, t, n] = (weights / weights.sum()) @ v[b, :, g]
    return out


DISTANCE = np.arange(T)[:, None] - np.arange(S)
LENGTHS = np.array([3, 5])

CASES = {
    "plain": ({}, {}),
    "scale": ({"scale": 0.3}, {"scale": 0.3}),
    "bias": ({"bias": BIAS}, {"bias": BIAS}),
    "bias of three axes": ({"bias": BIAS[0]}, {"bias": BIAS}),
    "mask": ({"mask": MASK}, {"seen": MASK}),
    "causal": ({"is_causal": True}, {"seen": DISTANCE >= 0}),
    "window": ({"local_window_size": 1}, {"seen": abs(DISTANCE) <= 1}),
    "unequal window": ({"local_window_size": (2, 0)}, {"seen": (DISTANCE <= 2) & (DISTANCE >= 0)}),
    "lengths": (
        {"key_value_seq_lengths": LENGTHS},
        {"seen": (np.arange(S) < LENGTHS[:, None])[:, None, None, :]},
    ),
    "all": (
        {"bias": BIAS, "mask": MASK, "is_causal": True},
        {"bias": BIAS, "seen": MASK & (DISTANCE >= 0)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    options, wanted = CASES[name]
    found = nn.dot_product_attention(Q, KEYS, V, **options)
    np.testing.assert_allclose(found, reference(Q, KEYS, V, **wanted), rtol=1e-12, atol=1e-14)
    compiled = xform.jit(lambda q, k, v: nn.dot_product_attention(q, k, v, **options))(Q, KEYS, V)
    np.testing.assert_allclose(compiled, found, rtol=1e-12, atol=1e-14)


def test_derivatives():
    for options in ({}, {"is_causal": True, "bias": BIAS}):
        check_grads(
            lambda q, k, v, o=options: nn.dot_product_attention(q, k, v, **o), (Q[:1], KEYS[:1], V[:1]), order=1
        )
    check_grads(
        lambda q, k, v: nn.dot_product_attention(q, k, v, is_causal=True),
        (Q[:1, :2, :2, :2], KEYS[:1, :2, :1, :2], V[:1, :2, :1, :2]),
        order=2,
    )


def test_without_a_batch():
    found = nn.dot_product_attention(Q[0], KEYS[0], V[0])
    np.testing.assert_allclose(found, nn.dot_product_attention(Q, KEYS, V)[0], rtol=1e-13)
    batch = xform.vmap(nn.dot_product_attention)(Q, KEYS, V)
    np.testing.assert_allclose(batch, nn.dot_product_attention(Q, KEYS, V), rtol=1e-13)


def test_queries_beyond_their_length_are_zero():
    out = nn.dot_product_attention(Q, KEYS, V, query_seq_lengths=np.array([2, 4]))
    assert (out[0, 2:] == 0).all()
    np.testing.assert_allclose(out[0, :2], nn.dot_product_attention(Q, KEYS, V)[0, :2], rtol=1e-13)


def test_queries_that_see_nothing():
    out = nn.dot_product_attention(Q, KEYS, V, mask=np.zeros((1, 1, T, S), bool))
    np.testing.assert_allclose(out[:, :, 0], np.broadcast_to(V.mean(axis=1)[:, None, 0], (B, T, H)), rtol=1e-13)
    grad = xform.grad(lambda q: xnp.sum(nn.dot_product_attention(q, KEYS, V, mask=np.zeros((1, 1, T, S), bool))))(Q)
    assert (grad == 0).all()


def test_residual():
    out, residual = nn.dot_product_attention(Q, KEYS, V, return_residual=True)
    np.testing.assert_allclose(out, nn.dot_product_attention(Q, KEYS, V), rtol=1e-13)
    logits = np.einsum("btnh,bsnh->btns", Q, np.repeat(KEYS, 2, axis=2)) * H**-0.5
    np.testing.assert_allclose(residual, np.log(np.exp(logits).sum(axis=-1)), rtol=1e-12)


def test_single_precision():
    q, k, v = (x.astype(np.float32) for x in (Q, KEYS, V))
    assert nn.dot_product_attention(q, k, v, bias=BIAS.astype(np.float32), is_causal=True).dtype == np.float32


def test_errors():
    with says(ValueError, "query, key and value", "(2, 5, 2, 3)", "multiple of the groups"):
        nn.dot_product_attention(Q[:, :, :3], KEYS, V)
    with says(ValueError, "(2, 5, 2, 2)"):
        nn.dot_product_attention(Q, KEYS, V[..., :2])
    with says(ValueError, "query of shape (3,)", "three or four axes"):
        nn.dot_product_attention(np.ones(3), KEYS, V)
    with says(ValueError, "bias of shape (3, 7)", "(2, 4, 4, 5)"):
        nn.dot_product_attention(Q, KEYS, V, bias=np.ones((3, 7)))
    with says(TypeError, "mask of dtype float64", "booleans", "bias="):
        nn.dot_product_attention(Q, KEYS, V, mask=np.ones((T, S)))
    with says(ValueError, "key_value_seq_lengths", "(3,)", "(2,)"):
        nn.dot_product_attention(Q, KEYS, V, key_value_seq_lengths=np.ones(3, int))
    with says(ValueError, "implementation='cudnn'"):
        nn.dot_product_attention(Q, KEYS, V, implementation="cudnn")
