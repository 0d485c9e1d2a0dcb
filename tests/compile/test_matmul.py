"""Products of matrices in C: all sizes and strides, by functions of the program and by BLAS, against NumPy."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests.compile.c_agreement import agrees
from xform.compile.c.backend import build
from xform.compile.c.machine import vectors
from xform.compile.c.machine.vectors import Vectors
from xform.compile.c.products import blas, gemm, matmul

RNG = np.random.default_rng(0)
TRANSPOSED = list(itertools.product((False, True), repeat=2))


def matrix(m, n, transposed=False, dtype: type = np.float64):
    x = RNG.normal(size=(n, m) if transposed else (m, n))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.normal(size=x.shape)
    return x.astype(dtype)


def product(ta, tb):
    """a b, of which one or both are given transposed."""
    return lambda a, b: (a.T if ta else a) @ (b.T if tb else b)


def check(f, *args, ulps=64):
    return agrees(xform.make_jaxpr(f)(*args), *args, ulps=ulps)


@pytest.fixture(params=["cblas", "fortran", "none"])
def library(request, monkeypatch):
    """BLAS from the smallest products on, by one of its interfaces; or none."""
    if request.param == "fortran":
        pytest.importorskip("scipy")
    found = {"cblas": blas.of_numpy, "fortran": blas.of_scipy, "none": lambda: None}[request.param]()
    if found is None and request.param != "none":
        pytest.skip("NumPy's BLAS is not known by name here")
    monkeypatch.setattr(blas, "blas", lambda: found)
    for name in ("ONE_THREAD", "THREADS", "COMPLEX"):
        monkeypatch.setattr(matmul, name, 8)
    return request.param


# --- sizes and strides ---

SIZES = [
    (8, 8, 8), (10, 10, 10), (20, 20, 20), (7, 37, 11), (64, 64, 64), (2, 64, 5), (64, 2, 5), (64, 3, 5), (5, 3, 64),
    (33, 17, 2), (9, 100, 3), (13, 24, 600), (11, 25, 1030), (130, 70, 20),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: "x".join(map(str, s)))
def test_functions_of_the_program(size, dtype):
    m, n, k = size
    args = []
    for ta, tb in TRANSPOSED:
        args += [matrix(m, k, ta, dtype), matrix(k, n, tb, dtype)]

    def all_of_them(*xs):
        outs = [product(ta, tb)(*xs[2 * i : 2 * i + 2]) for i, (ta, tb) in enumerate(TRANSPOSED)]
        return [*outs, *(y.T + 1 for y in outs)]

    source = check(all_of_them, *args, ulps=256)
    assert source.count("static void xf_product_") == 4


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
def test_libraries(library, dtype):
    for (m, n, k), (ta, tb) in itertools.product([(9, 14, 11), (2, 3, 90)], TRANSPOSED):
        source = check(product(ta, tb), matrix(m, k, ta, dtype), matrix(k, n, tb, dtype))
        assert (f"{blas.routine(np.dtype(dtype).name)}(" in source) == (library != "none")


def test_strides(library):
    a, b = matrix(40, 50), matrix(50, 60)
    check(lambda a, b: a[::2, ::-3] @ b[2:36:2, ::4], a, b)
    check(lambda a, b: (a[:, :17].T @ b[3:43, 1:20]).T + 1, a, b)
    check(lambda a, b: a[::-1, :20] @ b[:40:2].T[:20, ::-1], a, matrix(50, 60))
    check(lambda v, b: xnp.broadcast_to(v, (12, 50)) @ b, matrix(1, 50)[0], b)
    check(lambda a, v: a @ xnp.broadcast_to(v[:, None], (50, 9)), a, matrix(1, 50)[0])


def test_results_in_place_of_part_of_an_array(library):
    a, b = matrix(12, 15), matrix(15, 18)
    check(lambda a, b: xnp.concatenate([a @ b, 2 * (a @ b)], axis=1), a, b)
    check(lambda a, b: xnp.stack([a @ b, (b.T @ a.T).T], axis=2), a, b)


def test_stacks(library):
    check(lambda a, b: a @ b, RNG.normal(size=(5, 20, 10)), RNG.normal(size=(5, 10, 12)))
    check(lambda a, b: a @ b, RNG.normal(size=(2, 3, 9, 8)), RNG.normal(size=(3, 8, 9)))
    check(lambda a, b: a @ b, RNG.normal(size=(5, 20, 10)), RNG.normal(size=(10, 12)))
    check(lambda a, b: xnp.einsum("bij,kjb->ikb", a, b), RNG.normal(size=(4, 9, 10)), RNG.normal(size=(11, 10, 4)))
    check(lambda a, b: xnp.einsum("ijk,klj->il", a, b), RNG.normal(size=(9, 4, 5)), RNG.normal(size=(5, 8, 4)))
    check(
        lambda a, b: xnp.einsum("iajb,bkal->jlki", a, b), RNG.normal(size=(3, 4, 5, 6)), RNG.normal(size=(6, 7, 4, 2))
    )


def test_in_loops_and_gradients(library):
    def loss(w, x):
        h = x
        for _ in range(2):
            h = xnp.tanh(h @ w)
        return xnp.sum(xform.lax.scan(lambda c, _: (c @ w, None), h, None, length=3)[0])

    check(xform.grad(loss, argnums=(0, 1)), 0.1 * matrix(16, 16), matrix(30, 16), ulps=512)


def test_empty_and_thin(library):
    sizes = itertools.product((0, 1, 3, 40), repeat=3)
    operands = [x for m, n, k in sizes for x in (matrix(m, k), matrix(k, n))]
    check(lambda *xs: [a @ b for a, b in zip(xs[::2], xs[1::2], strict=True)], *operands)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint32, np.bool_])
def test_other_dtypes_are_loops(dtype):
    a, b = (RNG.integers(0, 100, size=s).astype(dtype) for s in ((11, 12), (12, 13)))
    assert "xf_product" not in check(lambda a, b: a @ b, a, b)


def test_mixed_dtypes():
    check(lambda a, b: a @ b, matrix(11, 12, dtype=np.float32), matrix(12, 13))
    check(lambda a, b: a @ b, RNG.integers(0, 9, size=(11, 12)), matrix(12, 13))


# --- matrices and vectors ---


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_matrices_and_vectors(dtype):
    a, v, w = matrix(141, 203, dtype=dtype), matrix(1, 203, dtype=dtype)[0], matrix(1, 141, dtype=dtype)[0]

    def products(a, v, w):
        yield a @ v
        yield a.T @ w
        yield w @ a
        yield v[::-1] @ a.T
        yield a[::-1] @ v
        yield a[:, ::-1] @ v
        yield xnp.stack([w, a @ v, 2 * w], axis=1)
        yield v[None] @ a.T
        yield a @ v[:, None]

    source = check(lambda *args: list(products(*args)), a, v, w, ulps=256)
    assert source.count(" xf_dots_") + source.count(" xf_combined_") == 2 + 9  # definitions and calls


def test_parts_of_matrices_and_vectors():
    a, v, w = matrix(300, 320), matrix(1, 320)[0], matrix(1, 900)[0]
    source = check(lambda a, v, w: (a[::2, ::2] @ v[::2], a[:150].T @ w[::6], w[:900:3] @ a), a, v, w, ulps=256)
    assert source.count(" xf_dots_") + source.count(" xf_combined_") == 2 + 3


def test_matrices_and_vectors_with_nan():
    a, v = matrix(130, 140), matrix(1, 140)[0]
    a[3, 4], a[129, 0], a[8, 139] = np.nan, np.inf, -np.inf
    check(lambda a, v: (a @ v, a.T @ v[:130]), a, v, ulps=256)


# --- special values ---


def test_nan_and_inf_stay_in_their_rows_and_columns(library):
    a, b = matrix(12, 20), matrix(20, 18)
    a[3, 4], a[5, 6], b[7, 8], b[0, 17] = np.nan, np.inf, -np.inf, np.nan
    run = build(xform.make_jaxpr(lambda a, b: a @ b)(a, b))
    run(np.full((12, 20), np.nan), b)  # fills the memory that is used next with nan
    y = run(a, b)[0]
    with np.errstate(invalid="ignore"):
        wanted = a @ b
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted))
    np.testing.assert_array_equal(np.isposinf(y), np.isposinf(wanted))
    np.testing.assert_array_equal(np.isneginf(y), np.isneginf(wanted))
    assert not np.isnan(y[0, :8]).any()


def test_products_are_not_sums_with_what_was_in_memory(library):
    a, b = matrix(12, 14), matrix(14, 16)
    run = build(xform.make_jaxpr(lambda a, b: xnp.sin(a @ b) + xnp.sum(a @ b))(a, b))
    first = run(np.full_like(a, np.nan), b)[0]
    assert np.isnan(first).all()
    np.testing.assert_allclose(run(a, b)[0], np.sin(a @ b) + np.sum(a @ b), rtol=1e-12, atol=1e-13)


# --- which way ---


@pytest.mark.parametrize("threads, m, used", [(2, 256, True), (1, 256, False), (1, 512, True), (2, 64, False)])
def test_when_blas_is_used(monkeypatch, threads, m, used):
    monkeypatch.setattr(blas, "blas", lambda: blas.Blas("cblas", np.zeros(4, np.uintp), threads))
    assert matmul.pays(m**3, "float64") == used


def test_the_text_of_a_program_has_no_addresses(library):
    source = check(lambda a, b: a @ b, matrix(9, 10), matrix(10, 11))
    found = blas.blas()
    assert found is None or not any(str(x) in source for x in found.addresses)


def test_large_products():
    check(lambda a, b: a @ b, matrix(300, 280), matrix(280, 290), ulps=512)


def test_rows_that_are_far_apart_are_copied(monkeypatch):
    monkeypatch.setattr(blas, "blas", lambda: None)
    monkeypatch.setattr(matmul, "THREADS", 8)
    source = check(lambda a, b: a @ b, matrix(150, 300), matrix(300, 261), ulps=256)
    assert "xf_pack_double_" in source


def test_scipy_is_not_imported_for_it():
    code = """
import sys, numpy as np, xform
from xform.compile.c.products import blas
from xform.compile.c.backend import build
found = blas.of_numpy()
a = np.ones((300, 300))
y = build(xform.make_jaxpr(lambda a: a @ a)(a))(a)[0]
assert (y == 300).all()
assert found is None or "scipy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- tiles ---


@pytest.mark.parametrize("bits, count", [(512, 32), (256, 16), (128, 16), (128, 32)])
@pytest.mark.parametrize("size", [(1, 2, 3), (20, 20, 20), (500, 10, 10), (13, 25, 1030), (3, 1000, 20), (64, 64, 64)])
def test_tiles_cover_the_result(size, bits, count):
    m, n, k = size
    p = gemm.Product("double", m, n, k, (k, 1), (n, 1), (n, 1))
    t = gemm.tiling(p, Vectors(bits, count))
    rows = [i for run in t.rows for i in range(run.start, run.stop)]
    assert rows == list(range(m))
    columns = []
    for start, width, panels, last in gemm.panel_runs(p, t):
        for j in range(panels):
            at = [start + j * width * t.lanes + place for place in gemm.places(width, t.lanes, last)]
            columns += [c + lane for c in at for lane in range(t.lanes)]
            assert max(r.size for r in t.rows) * width + width + 1 <= count
    assert set(columns) == set(range(n))
    if k > gemm.DEPTH:  # the sums of a column that is made in two panels would be added twice
        first = {c for s, w, p_, _ in list(gemm.panel_runs(p, t))[:-1] for c in range(s, s + w * t.lanes * p_)}
        s, w, _, last = list(gemm.panel_runs(p, t))[-1]
        assert first.isdisjoint(c + lane + s for c in gemm.places(w, t.lanes, last) for lane in range(t.lanes))


@pytest.mark.parametrize("bits, count", [(512, 32), (256, 16), (128, 16), (128, 32)])
def test_narrower_and_wider_vectors(monkeypatch, bits, count):
    monkeypatch.setattr(matmul, "vectors", lambda: Vectors(bits, count))
    for ta, tb in TRANSPOSED:
        check(product(ta, tb), matrix(19, 21, ta), matrix(21, 23, tb))


def test_a_compiler_that_does_not_tell(monkeypatch):
    assert vectors.vectors() in [*vectors.BY_MACRO.values(), vectors.PLAIN]
    plain = vectors.compiler()._replace(command=("false",))
    assert vectors._first_macro(plain) == ""
