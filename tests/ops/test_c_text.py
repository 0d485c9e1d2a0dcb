"""C texts of elementwise primitives, compiled and compared with their NumPy rules on nasty numbers.

All texts are compiled as one file, with a loop over arrays for each combination of a primitive and dtypes.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import xform.ops.arithmetic as a
import xform.ops.transcendental as t
from tests.messages import says
from xform.compile.c.text.helpers import HELPERS, LIBM, c_literal, helper_source
from xform.core.aval import Aval
from xform.core.primitive import Primitive
from xform.ops.c_text import c_type, cast, integer_of, number_of
from xform.ops.complex import conjugate
from xform.ops.elementwise import Elementwise
from xform.ops.select import select
from xform.ops.structure import convert

COMPILER = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
#: those that optimise as compiled programs are; nan, infinities, zeros and wrapping are NumPy's
FLAGS = ["-O1", "-march=native", "-std=gnu11", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-fwrapv"]


def is_elementwise(prim):
    """Is it a row of a table in the room ops?"""
    modules = [m for name, m in sys.modules.items() if name.startswith("xform.ops.")]
    return isinstance(prim, Elementwise) and any(prim is x for m in modules for x in vars(m).values())


HEADERS = "#include <stdint.h>\n#include <math.h>\n#include <complex.h>\n#undef I\n"

#: those of the room ops, of which each has a text; most functions of SciPy have none
ROWS = sorted((p for p in Primitive.registry.values() if is_elementwise(p)), key=lambda p: p.name)
ALL = [*ROWS, select, conjugate]

DTYPES = [np.dtype(c) for c in ("f8", "f4", "c16", "c8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")]
MIXED = [("i8", "u8"), ("u8", "i8"), ("f4", "i4"), ("f8", "i8"), ("f8", "i4"), ("f4", "f8"), ("u1", "i4"), ("?", "f8"),
         ("c8", "f8"), ("i4", "c16"), ("?", "i2"), ("f4", "?")]  # fmt: skip

#: results that may differ in the last digits: functions of libm, and sums of products that a processor may fuse
ROUNDED = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logistic", "logaddexp", "logaddexp2", "cbrt", "sin",
    "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    "deg2rad", "rad2deg", "pow", "hypot", "normal_cdf", "normal_mills", "normal_quantile",
}  # fmt: skip
FUSED = {"mul", "div", "square", "reciprocal", "sign", "abs", "sqrt", "mul_zero", "mul_zeros"}


def nasty(dtype):
    """Extremes, both zeros, halves, nan and infinities of a dtype."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        numbers = [
            0,
            1,
            2,
            3,
            5,
            7,
            8,
            12,
            31,
            33,
            64,
            100,
            info.max,
            info.max - 1,
            info.max // 2,
            info.min,
            info.min + 1,
        ]
        return np.array([*numbers, *((-1, -2, -3, -7, -64, -100) if info.min else ())], dtype)
    if dtype.kind == "f":
        info = np.finfo(dtype)
        numbers = [
            0.0,
            0.25,
            0.5,
            1.0,
            1.5,
            2.0,
            2.5,
            3.0,
            7.3,
            10.0,
            88.0,
            700.0,
            1e-9,
            info.max,
            info.tiny,
            np.inf,
            0.7,
        ]
        numbers += [info.smallest_subnormal, 1 - info.epsneg, 1 + info.eps, 1e15, 123.456]
        return np.array([*numbers, *(-x for x in numbers), np.nan], dtype)
    parts = np.array([0.0, -0.0, 1.0, -1.5, 0.25, 3.0, 100.0, -7.3, np.inf, -np.inf, np.nan])
    return np.array([complex(x, y) for x in parts for y in parts], dtype)


def operands(dtypes):
    """All combinations of nasty numbers."""
    values = [nasty(d)[: 41 if len(dtypes) > 2 else None] for d in dtypes]
    if len(dtypes) > 2:
        values = [v[:: max(1, len(v) // 12)] for v in values]
    return [np.ascontiguousarray(m).ravel() for m in np.meshgrid(*values, indexing="ij")]


def arity(prim):
    return len(prim.partials) if isinstance(prim, Elementwise) else 3 if prim is select else 1


def signatures(prim):
    """Combinations of dtypes."""
    n = arity(prim)
    if prim is select:
        return [(c, d, d) for c, d in itertools.product(DTYPES[::3], DTYPES)] + [
            (DTYPES[-1], *map(np.dtype, p)) for p in MIXED
        ]
    same = [(d,) * n for d in DTYPES]
    return same + [tuple(map(np.dtype, pair)) for pair in MIXED] if n == 2 else same


def result_dtype(prim, dtypes):
    """The dtype of the result, None where NumPy has no such operation."""
    try:
        with np.errstate(all="ignore"):
            return prim.abstract(*(Aval((1,), d) for d in dtypes))[0].dtype
    except (TypeError, ValueError, np.exceptions.ComplexWarning):
        return None


def function(name, text, dtypes, out):
    """A loop over arrays."""
    params = "".join(f", const {c_type(d)} *restrict p{k}" for k, d in enumerate(dtypes))
    loads = " ".join(f"{c_type(d)} x{k} = p{k}[i];" for k, d in enumerate(dtypes))
    return (
        f"void {name}(long n{params}, {c_type(out)} *restrict out)"
        f" {{ for (long i = 0; i < n; i++) {{ {loads} out[i] = {text}; }} }}\n"
    )


class Library:
    """The compiled file."""

    def __init__(self, source, path):
        self.path = str(path / "texts.so")
        program = HEADERS + helper_source(source) + source
        command = [COMPILER, *FLAGS, "-Wall", "-Werror", "-Wno-unused-variable", "-x", "c", "-", "-o", self.path, "-lm"]
        done = subprocess.run(command, input=program, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr[:4000]
        self.dll = ctypes.CDLL(self.path)

    def run(self, name, arrays, out):
        y = np.empty(arrays[0].size, out)
        pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*arrays, y)]
        self.dll[name](ctypes.c_long(y.size), *pointers)
        return y


def cases():
    found = {}
    for prim in ALL:
        for dtypes in signatures(prim):
            out = result_dtype(prim, dtypes)
            text = None if out is None else prim.c_text([f"x{k}" for k in range(len(dtypes))], dtypes, out)
            if text is not None:
                found[prim.name, dtypes] = f"text_{len(found)}", text, out
    return found


CASES = cases()
#: products that stand for powers with an exponent in the program text
EXPONENTS = [(2, "f8"), (3, "f8"), (4, "f4"), (-1, "f8"), (0.5, "f8"), (1, "f4"), (0.0, "f8"), (-2, "f8"), (2.5, "f8"),
             (2, "i8"), (5, "i8"), (0, "i4"), (3, "i1"), (9, "u2"), (2, "c16"), (-1, "c16"), (7, "c16")]  # fmt: skip
CASTS = [(old, new) for old in DTYPES for new in DTYPES if not (old.kind in "fc" and new.kind in "iu")]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C compiler was found, and C texts are compared with NumPy by compiling them")
    parts = [function(name, text, dtypes, out) for (_, dtypes), (name, text, out) in CASES.items()]
    for k, (b, dtype) in enumerate(EXPONENTS):
        d = np.dtype(dtype)
        parts.append(function(f"power_{k}", a.power.c_text(["x0", c_literal(b, d)], [d, d], d), [d], d))
    for k, (old, new) in enumerate(CASTS):
        parts.append(function(f"cast_{k}", convert.c_text(["x0"], [old], new), [old], new))
    return Library("".join(parts), tmp_path_factory.mktemp("c"))


def ulps(x, y):
    """How many floating-point numbers lie between the two; nan and nan are equal, +0 and -0 are not."""
    kind = np.dtype(f"i{x.dtype.itemsize}")
    m, n = (np.where(np.isnan(v), np.nan, v).astype(v.dtype).view(kind).astype(object) for v in (x, y))
    least = 2 ** (8 * kind.itemsize - 1)
    m, n = (np.array([-(v + least) - 1 if v < 0 else v for v in w], object) for w in (m, n))
    return np.abs(m - n)


def assert_same(got, want, most, complex_error=0.0, note=""):
    assert got.dtype == want.dtype
    if want.dtype.kind == "c":
        if not complex_error:
            for part in ("real", "imag"):
                assert_same(getattr(got, part).copy(), getattr(want, part).copy(), most, note=note)
            return
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), note)
        finite = np.isfinite(want)
        np.testing.assert_array_equal(np.isfinite(got), finite, note)
        scale = np.abs(want[finite])
        bad = np.abs(got[finite] - want[finite]) > complex_error * np.finfo(want.dtype).eps * scale
        assert not bad.any(), (note, got[finite][bad], want[finite][bad])
    elif want.dtype.kind == "f":
        error = ulps(got, want)
        worst = int(np.argmax(error))
        assert error[worst] <= most, (note, worst, got[worst], want[worst], error[worst])
    else:
        np.testing.assert_array_equal(got, want, note)


@pytest.mark.parametrize("prim", ALL, ids=lambda p: p.name)
def test_c_text_computes_what_numpy_computes(library, prim):
    compiled = [(dtypes, case) for (name, dtypes), case in CASES.items() if name == prim.name]
    assert compiled, "no C text for any dtype"
    for dtypes, (name, text, out) in compiled:
        arrays = operands(dtypes)
        with np.errstate(all="ignore"):
            want = np.asarray(prim.numpy(*arrays)[0])
        got = library.run(name, arrays, out)
        loose = 8.0 if out.kind == "c" and prim.name in ROUNDED | FUSED else 0.0
        most = 4 if prim.name in ROUNDED or (prim.name == "abs" and dtypes[0].kind == "c") else 0
        assert_same(got, want, most, loose, f"{prim.name} {dtypes}: {text}")


def test_every_elementwise_primitive_has_a_c_text():
    assert not [p.name for p in ROWS if p.c is None]


def is_half(dtypes, out):
    """Does NumPy compute in half precision, as functions of libm do for the smallest integers?"""
    return out == np.float16 or any(np.exp(np.ones(1, d)).dtype == np.float16 for d in dtypes)


def test_only_what_c_cannot_compute_has_no_text():
    """Half precision, and integer powers, whose exponents NumPy refuses where they are negative."""
    bits = {"clz", "mulhi"}  # of integers
    missing = set()
    for prim, dtypes in ((p, d) for p in ALL for d in signatures(p)):
        out = result_dtype(prim, dtypes)
        integers = out is not None and all(d.kind in "iu" for d in (*dtypes, out))
        if out is not None and not is_half(dtypes, out) and (integers or prim.name not in bits):
            missing |= {(prim.name, out.kind)} if (prim.name, dtypes) not in CASES else set()
    assert missing == {("pow", "i")}


@pytest.mark.parametrize("k", range(len(EXPONENTS)))
def test_powers_with_exponents_in_the_program_text(library, k):
    b, dtype = EXPONENTS[k]
    x = nasty(np.dtype(dtype))
    with np.errstate(all="ignore"):
        want = a.power.numpy(x, b)[0]
    got = library.run(f"power_{k}", [x], x.dtype)
    assert_same(got, want, 4, 8.0 if x.dtype.kind == "c" else 0.0, f"x ** {b}")


def test_casts_are_those_of_astype(library):
    for k, (old, new) in enumerate(CASTS):
        x = nasty(old)
        with np.errstate(all="ignore"):
            want = convert.numpy(x, dtype=new)[0]
        assert_same(library.run(f"cast_{k}", [x], new), want, 0, note=f"{old} to {new}")


F8, F4, I8, U1 = map(np.dtype, ("f8", "f4", "i8", "u1"))


def test_texts():
    assert a.add.c_text(["x", "y"], [F8, F8], F8) == "x + y"
    assert a.add.c_text(["x", "2.0f"], [F8, F4], F8) == "x + ((double)2.0f)"
    assert a.mul.c_text(["x[i]", "0.1"], [F4, float], F4) == "(x[i]) * ((float)0.1)"
    assert a.add.c_text(["x", "y"], [U1, U1], U1) == "((uint8_t)(x + y))"
    assert t.sin.c_text(["x"], [F4], F4) == "sinf(x)"
    assert t.arcsin.c_text(["z"], [np.dtype("c16")], np.dtype("c16")) == "__builtin_casin(z)"
    assert a.power.c_text(["x", "2.0"], [F8, F8], F8) == "x * x"
    assert a.power.c_text(["x", "y"], [F8, F8], F8) == "pow(x, y)"
    assert select.c_text(["c", "x", "y"], [F8, F8, F4], F8) == "((c != 0) ? x : ((double)y))"
    assert a.neg.c_text(["(-1.0)"], [F8], F8) == "-(-1.0)"
    assert cast("z", np.dtype("c16"), np.dtype("f4")) == "((float)__real__ z)"


def test_what_has_no_text():
    half, long = np.dtype("f2"), np.dtype(np.longdouble)
    assert a.add.c_text(["x", "y"], [half, half], half) is None
    assert t.exp.c_text(["x"], [np.dtype("i1")], half) is None
    assert a.add.c_text(["x", "y"], [F8, long], long) is None
    assert a.add.c_text(["x", "y"], [np.dtype(">f8"), F8], F8) is None
    assert a.sub.c_text(["x", "y"], [np.dtype(bool)] * 2, np.dtype(bool)) is None
    assert a.power.c_text(["x", "y"], [I8, I8], I8) is None
    assert a.power.c_text(["x", "(-1LL)"], [I8, I8], I8) is None


def test_a_python_number_that_the_dtype_does_not_have_has_no_text():
    less = Primitive.registry["lt"]
    assert less.c_text(["x", "200"], [U1, int], np.dtype(bool)) == "x < ((uint8_t)200)"
    assert less.c_text(["x", "300"], [U1, int], np.dtype(bool)) is None
    assert less.c_text(["x", "(-1)"], [U1, int], np.dtype(bool)) is None


def test_numbers_of_literals():
    for value, dtype in [(0, I8), (-3, I8), (2**40, I8), (200, U1), (7, np.dtype("u8")), (5.0, F8), (-2.0, F4)]:
        assert integer_of(c_literal(value, dtype)) == value
        assert number_of(c_literal(value, dtype)) == value
    assert integer_of(c_literal(2**63 - 1, I8)) == 2**63 - 1
    assert number_of(c_literal(-1, np.dtype("c8"))) == -1
    assert number_of(c_literal(1 + 1j, np.dtype("c8"))) is None
    for value in (0.5, -1e300, 1e-9):
        assert number_of(c_literal(value, F8)) == value
    assert integer_of("x3") is number_of("x3") is integer_of("0.5") is None
    assert number_of("__builtin_inf()") is None


def test_literals_are_exact(tmp_path):
    """Each as the one entry of a function's result, read back bit by bit."""
    if COMPILER is None:
        pytest.skip("no C compiler was found, and C literals are tested by compiling them")
    values = [(x, d) for d in DTYPES for x in nasty(d)]
    values += [(x, F8) for x in np.random.default_rng(0).standard_normal(50) * 10.0 ** np.arange(-300, 300, 12)]
    values += [(-np.nan, F8), (np.copysign(np.nan, -1), F4), (complex(-0.0, np.nan), np.dtype("c8"))]
    source = "".join(f"void v{k}({c_type(d)} *y) {{ *y = {c_literal(x, d)}; }}\n" for k, (x, d) in enumerate(values))
    library = Library(source, tmp_path)
    for k, (x, d) in enumerate(values):
        y = np.empty(1, d)
        library.dll[f"v{k}"](ctypes.c_void_p(y.ctypes.data))
        want = np.array([x], d)
        assert y.view("u1").tolist() == want.view("u1").tolist(), (x, d, c_literal(x, d))


def test_numbers_that_have_no_literal():
    with says(OverflowError, "300 is not a number of uint8", "0 to 255"):
        c_literal(300, U1)
    with says(OverflowError, "-1", "uint64"):
        c_literal(-1, np.dtype("u8"))
    with says(TypeError, "2.5", "int64", "truncate", "convert it first"):
        c_literal(2.5, I8)
    with says(TypeError, "1j", "float64", "truncate"):
        c_literal(1j, F8)
    with says(TypeError, "float16", "compute this in NumPy"):
        c_literal(1.0, np.dtype("f2"))


def test_helpers_come_once_and_behind_what_they_need():
    source = helper_source("y = xf_lcm_i8(a, b) + xf_gcd_i8(a, b); z = xf_logistic_c64(w); u = xf_unknown(v);")
    names = [line.split("(")[0].split()[-1] for line in source.splitlines() if line.startswith("static")]
    assert sorted(names) == sorted(set(names))
    assert set(names) == {"xf_euclid", "xf_size_i8", "xf_lcm_i8", "xf_gcd_i8", "xf_logistic_c64", "xf_div_c64"}
    assert names.index("xf_euclid") < names.index("xf_gcd_i8")
    assert names.index("xf_div_c64") < names.index("xf_logistic_c64")
    assert helper_source("y = a + b;") == ""


def test_every_helper_is_named_by_a_text_or_a_helper():
    texts = " ".join([text for _, text, _ in CASES.values()] + [text.split("{", 1)[1] for text in HELPERS.values()])
    unused = {name for name in HELPERS if f"{name}(" not in texts}
    assert {name.rsplit("_", 1)[0] for name in unused} <= {"xf_pow"}  # of signed integers: with literal exponents


def test_functions_of_libm_are_listed():
    names = {row.c if isinstance(row.c, str) else row.c.get("f", "") for row in ROWS}
    assert {name for name in names if name.isidentifier()} <= LIBM.keys()


def test_logistic_of_unsigned_integers_does_not_wrap_around():
    np.testing.assert_array_equal(t.logistic(np.array([0, 100], "u4")), [0.5, 1.0])
    assert t.logistic(np.array([-(2**31)], "i4")) == 0.0
