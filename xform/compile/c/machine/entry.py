"""The door between Python and compiled programs: what both sides declare, and the library that all programs share.

A program is `int xform_program(void **in, void **out)`. It knows neither CPython nor NumPy: arguments are checked and
results made by the runtime (`runtime.c`), which is compiled once and told of each program by a table, so that a program
takes no longer to compile for it. What a program needs of Python it calls through a table as well (`ENTRY_SOURCE`).

The runtime reads objects of CPython and NumPy by their layout in memory. `layout_differs` compares that with the
interpreter before anything is compiled: in a debug or a free-threaded build the C backend is not available.
"""

from __future__ import annotations

import ctypes
import sysconfig
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core._multiarray_umath import _ARRAY_API  # type: ignore[import-not-found]

from xform.compile.c.machine.toolchain import compile_source
from xform.compile.executable import Unsupported
from xform.core.aval import Aval

#: What is put in front of a program. A result whose first axis has a size that only the program knows is handed over as
#: a `struct xform_stack` with memory from malloc, which then belongs to NumPy; such arguments come as one as well.
#: Constants, callbacks and errors are for the thread that was called only, not for helper threads.
ENTRY_SOURCE = """\
struct xform_array { void *data; int type_num, nd; const long *shape; };
struct xform_stack { void *data; long length; };
struct xform_runtime {
  int (*interrupted)(void);
  int (*error)(int, const char *, ...);
  int (*callback)(void *, long, long, const struct xform_array *, long, const struct xform_array *);
};
enum { XFORM_INDEX_ERROR = 1, XFORM_MEMORY_ERROR, XFORM_VALUE_ERROR, XFORM_LINALG_ERROR, XFORM_ZERO_DIVISION_ERROR,
       XFORM_OVERFLOW_ERROR, XFORM_FLOATING_POINT_ERROR, XFORM_RUNTIME_ERROR };
static const struct xform_runtime *xform_rt;
static void *const *xform_consts;
static void *xform_context;
#define XFORM_EXPORT __attribute__((visibility("default")))
XFORM_EXPORT void xform_bind(const struct xform_runtime *rt, void *const *consts, void *context)
{ xform_rt = rt; xform_consts = consts; xform_context = context; }
#define xform_interrupted() xform_rt->interrupted()
#define xform_error(...) xform_rt->error(__VA_ARGS__)
#define xform_callback(...) xform_rt->callback(xform_context, __VA_ARGS__)
XFORM_EXPORT int xform_program(void **in, void **out);
"""

_WEAK = {None: 0, bool: 1, int: 2, float: 3, complex: 4}
#: C types of the same size that NumPy tells apart: long and long long
_TWINS = {7: 9, 9: 7, 8: 10, 10: 8}


class AvalTable(ctypes.Structure):
    """struct aval of runtime.c."""

    _fields_ = (
        ("descr", ctypes.py_object),
        ("scalar", ctypes.py_object),
        ("shape", ctypes.c_void_p),
        ("bytes", ctypes.c_long),
        ("nd", ctypes.c_int),
        ("type_num", ctypes.c_int),
        ("twin", ctypes.c_int),
        ("weak", ctypes.c_int),
    )


class ProgramTable(ctypes.Structure):
    """struct program of runtime.c."""

    _fields_ = (
        ("run", ctypes.c_void_p),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("n_in", ctypes.c_long),
        ("n_out", ctypes.c_long),
        ("callbacks", ctypes.py_object),
    )


class _NumpyTable(ctypes.Structure):
    """struct numpy of runtime.c."""

    _fields_ = (
        ("ndarray", ctypes.py_object),
        ("new_array", ctypes.c_void_p),
        ("scalar", ctypes.c_void_p),
        ("set_base", ctypes.c_void_p),
        ("descr", ctypes.c_void_p),
        ("linalg_error", ctypes.py_object),
    )


#: places of PyArray_NewFromDescr, _Scalar, _SetBaseObject and _DescrFromType in NumPy's table of functions
_NUMPY_FUNCTIONS = (94, 60, 282, 45)


def aval_table(avals: Sequence[Aval]) -> tuple[Any, list[Any]]:
    """The avals as the runtime reads them, and what must live as long as that."""
    table, kept = (AvalTable * max(len(avals), 1))(), []
    for row, aval in zip(table, avals, strict=False):
        shape = (ctypes.c_long * max(len(aval.shape), 1))(*(-1 if n is None else n for n in aval.shape))
        dtype = aval.dtype
        if not dtype.isnative:
            raise Unsupported(f"arrays of dtype {dtype} are in the byte order of another machine")
        kept.append((shape, dtype))
        row.descr, row.scalar = dtype, aval.weak or dtype.type
        row.shape, row.bytes = ctypes.addressof(shape), dtype.itemsize
        row.nd, row.type_num, row.twin = len(aval.shape), dtype.num, _TWINS.get(dtype.num, dtype.num)
        row.weak = _WEAK[aval.weak]
    return table, kept


@lru_cache(maxsize=1)
def runtime() -> Any:
    """The library that all programs share; Unsupported, with the reason, if there cannot be one."""
    reason = layout_differs()
    if reason:
        raise Unsupported(reason)
    source = Path(__file__).with_name("runtime.c").read_text()
    path = compile_source(source, level="-O2")
    library = ctypes.PyDLL(str(path))
    table = _numpy_table()
    library.xform_give(ctypes.byref(table))
    library.xform_entry.restype = ctypes.py_object
    library.xform_entry.argtypes = (ctypes.c_void_p, ctypes.py_object)
    return library


def _numpy_table() -> _NumpyTable:
    """What the runtime calls of NumPy. The types live as long as NumPy does."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    api = ctypes.cast(pointer(_ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    return _NumpyTable(np.ndarray, *(api[k] for k in _NUMPY_FUNCTIONS), np.linalg.LinAlgError)


@lru_cache(maxsize=1)
def layout_differs() -> str | None:
    """Why the runtime could not read this interpreter's objects; None if it can."""
    if sysconfig.get_config_var("Py_GIL_DISABLED") or object.__basicsize__ != 16:
        return "objects of this build of Python (free-threaded, or for debugging) are not as the runtime reads them"
    if ctypes.sizeof(ctypes.c_long) != 8 or ctypes.sizeof(ctypes.c_void_p) != 8:
        return "programs are compiled for machines with 64-bit addresses and integers"
    if not (_ndarray_agrees() and _scalar_agrees()):
        return f"NumPy {np.__version__} has other arrays in memory than the runtime reads"
    return None


def _ndarray_agrees() -> bool:
    """Are the fields of an array and of a dtype where the runtime looks for them?"""
    a = np.zeros((3, 5), np.float32)[1:]
    word, address = ctypes.c_long.from_address, id(a)
    small = ctypes.c_int.from_address
    shape, strides = word(address + 32).value, word(address + 40).value
    flags = small(address + 64).value
    return (
        word(address + 16).value == a.ctypes.data
        and small(address + 24).value == 2
        and [word(shape + 8 * k).value for k in range(2)] == [2, 5]
        and [word(strides + 8 * k).value for k in range(2)] == [20, 4]
        and word(address + 48).value == id(a.base)
        and word(address + 56).value == id(a.dtype)
        and flags & 0x501 == 0x501
        and ctypes.string_at(id(a.dtype) + 24, 3) == b"ff="
        and small(id(a.dtype) + 28).value == a.dtype.num
    )


def _scalar_agrees() -> bool:
    """Is the value of a scalar right behind its head?"""
    values = [np.float64(1.5), np.float32(2.5), np.int8(-3), np.int64(7), np.bool_(True), np.complex128(1 + 2j)]
    return all(ctypes.string_at(id(x) + 16, x.dtype.itemsize) == x.tobytes() for x in values)
