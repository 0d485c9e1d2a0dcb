"""Functions of neural networks: activations, normalisation, attention, convolution, pooling and initial weights.

Thin compositions with the names they have in `jax.nn`; `xform.nn.initializers` has the initial weights. All work on
plain arrays and under every transformation.
"""

from xform.nn import initializers as initializers
from xform.nn.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    identity,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh,
)
from xform.nn.attention import dot_product_attention
from xform.nn.classes import one_hot
from xform.nn.layers import avg_pool, conv, max_pool, min_pool
from xform.nn.sums import log1mexp, log_softmax, logmeanexp, logsumexp, softmax, standardize

__all__ = [
    "avg_pool",
    "celu",
    "conv",
    "dot_product_attention",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "initializers",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "max_pool",
    "min_pool",
    "mish",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "standardize",
    "swish",
    "tanh",
]
