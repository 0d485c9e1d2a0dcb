"""What is put in front of a program: types, declarations, and the helper functions that it calls.

No header is included: <math.h> alone takes a quarter of the time in which a small program is compiled. A function of
libm is declared if the program names it. Where the C library has a version of it for vectors the declaration says so,
and loops that call it take several steps at a time; sine and cosine are then no built-in functions, since gcc would
merge the two of one argument into a call for which there is no such version (`__builtin_sin` is still merged: the
better choice in code that is not vectorised).
"""

from __future__ import annotations

import re

from xform.compile.c.machine.entry import ENTRY_SOURCE
from xform.compile.c.machine.toolchain import Compiler
from xform.compile.c.text.helpers import helper_source

_BASE = """\
typedef __INT8_TYPE__ int8_t; typedef __INT16_TYPE__ int16_t; typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t; typedef __UINT8_TYPE__ uint8_t; typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t; typedef __UINT64_TYPE__ uint64_t; typedef __SIZE_TYPE__ size_t;
typedef __INTPTR_TYPE__ intptr_t; typedef __UINTPTR_TYPE__ uintptr_t;
#define NULL ((void *)0)
extern void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t), *aligned_alloc(size_t, size_t);
extern void free(void *), *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t);
extern void *memset(void *, int, size_t);
extern int memcmp(const void *, const void *, size_t);
"""

#: functions of libm of real numbers, by their arguments: d of the type itself, i int, and pointers to these
REAL_FUNCTIONS = {
    "d": (
        "acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2 exp10 expm1 fabs floor j0 j1 lgamma log "
        "log10 log1p log2 logb nearbyint rint round sin sinh sqrt tan tanh tgamma trunc y0 y1"
    ),
    "dd": "atan2 copysign fdim fmax fmin fmod hypot nextafter pow remainder",
    "ddd": "fma",
    "di": "ldexp scalbn",
    "dI": "frexp",
    "dD": "modf",
}

#: functions of complex numbers: with complex and with real values
COMPLEX_FUNCTIONS = {
    "z": "cacos cacosh casin casinh catan catanh ccos ccosh cexp clog conj cproj csin csinh csqrt ctan ctanh",
    "zz": "cpow",
    "r": "cabs carg cimag creal",
}

_WORD = re.compile(r"\b[a-z]\w*")


def prelude(program: str, compiler: Compiler) -> str:
    """The C text in front of a program: declarations, the entry's side of it, and what it calls."""
    helpers = helper_source(program)
    named = set(_WORD.findall(program)) | set(_WORD.findall(helpers))
    return _BASE + ENTRY_SOURCE + declarations(named, compiler) + helpers


def declarations(named: set[str], compiler: Compiler) -> str:
    """Declarations of the functions of libm among some names, for double and float."""
    lines = [DECLARATIONS[name] for name in sorted(named & DECLARATIONS.keys())]
    simd = compiler.vector_functions if compiler.family == "gcc" else frozenset()
    vector = [name for name in sorted(named) if name in simd or (name.endswith("f") and name[:-1] in simd)]
    return "".join(f"extern {line};\n" for line in lines) + "".join(map(_for_vectors, vector))


def _for_vectors(name: str) -> str:
    """There is a version for vectors, without a mask; it has no effect but its value, so calls may be moved."""
    return f'extern __typeof__({name}) {name} __attribute__((simd("notinbranch"), const));\n'


def _declared() -> dict[str, str]:
    """Name -> declaration of every function."""
    found = {}
    for real, suffix in (("double", ""), ("float", "f")):
        kinds = {"d": real, "i": "int", "I": "int *", "D": f"{real} *", "z": f"{real} _Complex"}
        for arguments, names in REAL_FUNCTIONS.items():
            types = ", ".join(kinds[k] for k in arguments)
            found |= {f"{name}{suffix}": f"{real} {name}{suffix}({types})" for name in names.split()}
        for arguments, names in COMPLEX_FUNCTIONS.items():
            types = ", ".join(kinds["z"] for _ in arguments)
            value = real if arguments == "r" else kinds["z"]
            found |= {f"{name}{suffix}": f"{value} {name}{suffix}({types})" for name in names.split()}
    return found


DECLARATIONS = _declared()
