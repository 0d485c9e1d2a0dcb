"""BLAS by function pointer: the products of matrices of the library that NumPy has loaded, or of the one SciPy brings.

NumPy's is found in a tenth of a millisecond, since it is in memory; importing SciPy's takes some 200 ms, so it is asked
only if NumPy's cannot be found (where it is linked into NumPy, or there is none). A program is handed an array of
addresses, so its text, by which it is kept on disk, says only which of the two interfaces they have:

    cblas      gemm(102 | 101: order, 111 | 112: transposed, ..., m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
    fortran    gemm("N" | "T", ..., &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc), c' = b' a' by columns

Sizes are passed as 64-bit integers, also to a library of 32-bit ones: those are passed in registers of 64 bits of which
it reads the lower halves, or lie in memory where it reads the lower halves, on a little-endian machine.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np

#: routines in the order of their addresses, by dtype
LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}

#: names of a routine in the libraries with which NumPy is linked: OpenBLAS, the same, Apple's, MKL and others
NAMES = (
    "scipy_cblas_{}64_", "scipy_cblas_{}", "cblas_{}64_", "cblas_{}$NEWLAPACK$ILP64", "cblas_{}$NEWLAPACK", "cblas_{}",
)  # fmt: skip

#: names of the function that tells how many threads OpenBLAS uses
THREADS = ("scipy_openblas_get_num_threads64_", "scipy_openblas_get_num_threads", "openblas_get_num_threads")

#: names by which SciPy gives the routines
_SCIPY = "scipy.linalg.cython_blas"


class Blas(NamedTuple):
    """Where the products of matrices are."""

    interface: str  # "cblas" or "fortran"
    addresses: np.ndarray  # in the order of `LETTERS`
    threads: int  # that it uses, as far as it tells; else 2: several


@lru_cache(maxsize=1)
def blas() -> Blas | None:
    """The one to use, None if there is none; then products are made by the programs alone."""
    if sys.byteorder != "little" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return of_numpy() or of_scipy()


def of_numpy() -> Blas | None:
    """What NumPy's own module is linked with: a name is looked for in it and in the libraries that it has loaded."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
        library = ctypes.CDLL(module.__file__)
    except (ImportError, OSError):
        return None
    for name in NAMES:
        found = [_address(library, name.format(f"{letter}gemm")) for letter in LETTERS.values()]
        if all(found):
            return Blas("cblas", np.array(found, np.uintp), _threads(library))
    return None


def of_scipy() -> Blas | None:
    """The functions that SciPy has for Cython, in capsules whose names are their types."""
    try:
        capsules = importlib.import_module(_SCIPY).__pyx_capi__
        found = [_pointer(capsules[f"{letter}gemm"]) for letter in LETTERS.values()]
    except (ImportError, AttributeError, KeyError, ValueError):
        return None
    return Blas("fortran", np.array(found, np.uintp), 2)


def _address(library: ctypes.CDLL, name: str) -> int | None:
    try:
        return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    except AttributeError:
        return None


def _threads(library: ctypes.CDLL) -> int:
    for name in THREADS:
        if _address(library, name):
            return int(getattr(library, name)())
    return 2


def _pointer(capsule: object) -> int:
    name, get = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, name(capsule))


def source(interface: str, dtype: str) -> str:
    """A function of matrices whose columns, or whose rows if they are transposed, lie side by side."""
    letter, kind = LETTERS[dtype], {"s": "float", "d": "double"}.get(LETTERS[dtype])
    return (CBLAS if interface == "cblas" else FORTRAN).format(
        name=routine(dtype), index=list(LETTERS.values()).index(letter), T=kind or "const void *",
        number="alpha[0]" if kind else "alpha", zero="alpha[2]" if kind else "alpha + 2",
        R=kind or {"c": "float", "z": "double"}[letter],
    )  # fmt: skip


def routine(dtype: str) -> str:
    return f"xf_blas_{LETTERS[dtype]}gemm"


_HEAD = """
static void {name}(void *const *routines, long ta, long tb, long m, long n, long k, const void *a, long lda,
                   const void *b, long ldb, void *c, long ldc)
{{
  static const {R} alpha[4] = {{1}};
"""

CBLAS = (
    _HEAD
    + """
  typedef void product(int, int, int, long, long, long, {T}, const void *, long, const void *, long, {T}, void *, long);
  ((product *)routines[{index}])(101, 111 + ta, 111 + tb, m, n, k, {number}, a, lda, b, ldb, {zero}, c, ldc);
}}
"""
)

FORTRAN = (
    _HEAD
    + """
  typedef void product(const char *, const char *, const long *, const long *, const long *, const {R} *, const void *,
                       const long *, const void *, const long *, const {R} *, void *, const long *);
  const char *const tx = tb ? "T" : "N", *const ty = ta ? "T" : "N";
  ((product *)routines[{index}])(tx, ty, &n, &m, &k, alpha, b, &ldb, a, &lda, alpha + 2, c, &ldc);
}}
"""
)
