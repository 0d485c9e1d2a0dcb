"""Samples of what makes arrays, and of what tells something about them."""

import numpy as np

from tests.numpy.surface.base import SCALAR, K, M, N, V, W, Z, call, eager, named, using

CREATION = {
    "array asarray asanyarray": [
        call([SCALAR, 1.0, SCALAR]), call(V), call([V, W]), call([[SCALAR, 1j]]), call(V, "f4"),
    ],
    "ascontiguousarray asfortranarray": [call(M), call(SCALAR), call(V, dtype="c16")],
    "asarray_chkfinite": [eager(call(M)), eager(call([SCALAR, 2.0])), call(N)],
    "copy": [call(M), call(Z, order="F")],
    "astype": [call(V, np.float32), call(V, complex), call(N, np.float64)],
    "require": [call(M), call(V, "f4")],
    "full": [call((2, 3), SCALAR), call((2, 3), V), call(3, SCALAR, "f4"), call(2, 1.5)],
    "full_like": [call(M, SCALAR), call(M, V), call(M, 1.5, shape=(2, 2)), call(N, 2.5, dtype="f8")],
    "ones_like zeros_like": [call(M), call(Z), call(V, dtype="f4"), call(M, shape=(2,)), call(N)],
    "empty_like": [using(lambda np, x: np.empty_like(x).shape, M)],
    "linspace": [
        call(SCALAR, 2.0, 5), call(V, W, 4), call(V, 3.0, 4, endpoint=False, retstep=True), call(V, W, 3, axis=-1),
    ],
    "logspace": [call(SCALAR, 2.0, 4), call(V, W, 3, base=2.0), call(SCALAR, 1.0, 3, base=np.array(3.5))],
    "geomspace": [
        call(SCALAR, 2.0, 4), call(K + 0.5, N + 0.5, 3), call(SCALAR, 5.0, 4, endpoint=False), call(-V, -3 * V),
    ],
    "arange": [call(SCALAR, 3.0), call(0.0, 2.0, SCALAR), call(5), call(2, 8, 3)],
    "tri": [call(3), call(2, 4, 1)],
    "ones zeros": [call(3), call((2, 3), "f4")],
    "empty": [using(lambda np: np.empty((2, 3)).shape)],
    "eye": [call(3), call(2, 4, 1), call(3, dtype="i4")],
    "identity": [call(3)],
    "indices": [call((2, 3)), call((2, 3), sparse=True)],
    "mgrid": [using(lambda np: np.mgrid[0:3, 1:2:4j])],
    "ogrid": [using(lambda np: np.ogrid[0:3, 1:2:4j])],
    "s_ index_exp": [using(lambda np, x: x[np.s_[..., 1]], M), using(lambda np, x: x[np.index_exp[1:, ::2]], M)],
    "bartlett blackman hamming hanning": [call(5), call(1)],
    "kaiser": [call(5, np.array(2.0)), call(4, np.array(8.6)), call(1, np.array(3.0)), call(3, 1.5)],
    "diag_indices": [call(3), call(2, 3)],
    "tril_indices triu_indices": [call(3), call(3, 1, 4)],
    "mask_indices": [using(lambda np: np.mask_indices(3, np.triu))],
    "ndindex": [using(lambda np: list(np.ndindex(2, 2)))],
    "ndenumerate": [using(lambda np: list(np.ndenumerate(M.tolist())))],
    "nditer": [using(lambda np: [float(x) for x in np.nditer(M)])],
    "broadcast": [using(lambda np: np.broadcast(M, V).shape)],
    "fromfunction": [
        using(lambda np, x: np.fromfunction(lambda i, j: i + j * x, (2, 3)), SCALAR), call(np.add, (2, 2)),
    ],
    "fromiter": [using(lambda np: np.fromiter(iter([1.5, 2.5]), float))],
    "frombuffer": [using(lambda np: np.frombuffer(b"\x01\x02", np.uint8))],
    "fromstring": [call("1.5 2.5", sep=" ")],
    "from_dlpack": [using(lambda np: np.from_dlpack(V))],
    "frompyfunc": [using(lambda np: np.frompyfunc(lambda a: a + 1, 1, 1)(2))],
    "packbits": [call(np.array([1, 0, 1, 1])), call(np.array([[1, 0], [0, 1]]), axis=1, bitorder="little")],
    "unpackbits": [call(np.array([5, 2], np.uint8)), call(np.array([[5], [2]], np.uint8), axis=1, count=3)],
}  # fmt: skip


def quietly(np, x):
    with np.errstate(all="ignore"):
        return x / np.sum(x)


INSPECTION = {
    "shape ndim": [call(M), call(SCALAR)],
    "size": [call(M), call(M, 1)],
    "result_type": [call(V, np.float32, 1j), call(V.astype("f4"), 1.5)],
    "can_cast": [call("f4", "f8"), call("f8", "i4", "same_kind")],
    "common_type": [call(V, V.astype("f4")), call(Z)],
    "min_scalar_type": [call(V), call(N)],
    "promote_types": [call("f4", "i8")],
    "isdtype": [call(np.dtype("f4"), "real floating")],
    "issubdtype": [call(np.float32, np.inexact)],
    "broadcast_shapes": [call((2, 1), (3,))],
    "may_share_memory shares_memory": [call(V, W)],
    "isfortran": [call(M)],
    "array2string array_repr array_str": [call(V), call(M, precision=2)],
    "typename": [call("d")],
    "mintypecode": [call("df")],
    "geterr": [using(lambda np: sorted(np.geterr()))],
    "seterr": [using(lambda np: np.seterr(**np.geterr()) == np.geterr())],
    "errstate": [using(quietly, V)],
    "get_printoptions": [using(lambda np: np.get_printoptions()["precision"])],
    "set_printoptions": [using(lambda np: np.set_printoptions())],
    "printoptions": [using(lambda np: type(np.printoptions(precision=2)).__name__)],
    "format_float_positional format_float_scientific": [call(1.25), call(0.001, precision=1, unique=False)],
    "base_repr": [call(5, 3)],
    "binary_repr": [call(5)],
}

SAMPLES = named({**CREATION, **INSPECTION})
