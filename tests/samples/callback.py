"""Samples of the callbacks: those with results have no derivatives, so their arguments are integers."""

from typing import Any

import numpy as np

from tests.samples.base import integers, normal, sample
from xform.control.callbacks.callback import debug_call, io_call, pure_call
from xform.control.callbacks.host import declared, host_function


def batched_add(n: Any, k: Any) -> Any:
    """n + k and their product, each along the last axis of n, for any number of axes in front."""
    return n + k[..., None], (n * k[..., None]).sum(axis=-1)


def add(n: Any, k: Any) -> Any:
    return n + k, (n * k).sum()


def called(prim: Any, function: Any, *args: Any, **how: Any) -> Any:
    avals, out_tree = declared(prim.name, function(*args))
    host, operands = host_function(prim.name, function, args, {}, out_tree)
    return sample(prim, *operands, callback=host, result_avals=avals, **how)


def looked_at(*args: Any) -> Any:
    host, operands = host_function("debug.callback", lambda *xs: None, args, {})
    return sample(debug_call, *operands, callback=host, ordered=False)


POINT = integers(0, 9, 3), integers(1, 5)

SAMPLES = [
    *(called(pure_call, add, *POINT, vmap_method=method) for method in ("sequential", "sequential_unrolled")),
    *(called(pure_call, batched_add, *POINT, vmap_method=method) for method in ("expand_dims", "broadcast_all")),
    called(pure_call, lambda n: n * 2, integers(0, 9, 2, 2), vmap_method="legacy_vectorized"),
    called(pure_call, lambda n: n * 2.5, integers(0, 9, 0), vmap_method="sequential"),
    called(io_call, add, *POINT, ordered=False),
    called(io_call, lambda n: {"half": n / 2}, integers(0, 9, 2, 2), ordered=False),
    looked_at(normal(3), np.float64(2.0)),
    looked_at(normal(0), normal(2, dtype=np.float32), integers(0, 9, 2)),
    looked_at(normal(2, dtype=np.complex128), normal()),
]
