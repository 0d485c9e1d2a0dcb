"""The C compiler: which one there is, what it can do, and how it is told to make a shared library.

A program is given to the compiler by its standard input and includes no header, so that a small one takes some 30 ms.
What a compiler can do on this machine is found once, by trying, and kept on disk beside the libraries.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from xform.compile.c.machine import cache
from xform.compile.executable import Unsupported

#: IEEE arithmetic as NumPy's: only errno and traps, which nobody reads, are given up. Integers wrap. A product is
#: rounded before it is added: as one operation a*b - a*b need not be 0, its root may be nan, inf - inf is not nan.
BASE_FLAGS = (
    "-std=gnu11", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
    "-fwrapv", "-fopenmp-simd", "-fno-asynchronous-unwind-tables", "-fno-stack-protector", "-w", "-pipe",
)  # fmt: skip

#: for a CPU that calculates with 512 bits as fast as with fewer, which compilers do not assume
WIDE = ("-mprefer-vector-width=512",)

#: functions of which the C library may have versions for vectors, by their number of arguments
VECTOR_FUNCTIONS = {
    1: (
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp2", "exp10",
        "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh",
    ),
    2: ("atan2", "hypot", "pow"),
}  # fmt: skip

_TRIAL = "int xform_trial(int n) { double a[8]; for (int i = 0; i < 8; i++) a[i] = i * n; return (int)a[n & 7]; }\n"


class CompilationError(Unsupported):
    """The compiler refused a program, or could not be run; the message has what it said."""


class Compiler(NamedTuple):
    """A compiler that works here."""

    command: tuple[str, ...]
    version: str  # the first line of what it says of itself
    family: str  # "gcc" or "clang"
    flags: tuple[str, ...]  # those for this CPU, as far as it takes them
    vector_functions: frozenset[str]  # names of libm's functions that it may call for vectors


def compiler() -> Compiler:
    """The compiler of XFORM_CC, else of CC, else cc, gcc or clang; Unsupported, with the reason, if there is none."""
    found = _compiler(os.environ.get("XFORM_CC"), os.environ.get("CC"), os.environ.get("PATH"))
    if isinstance(found, str):
        raise Unsupported(found)
    return found


def compile_source(source: str, *, openmp: bool = False, level: str = "-O3") -> Path:
    """The shared library of a program, from the cache if it was compiled before.

    `openmp` asks for threads: where the compiler has no library for them, `omp parallel` does nothing, and `_OPENMP` is
    not defined.

    Raises:
        Unsupported: there is no compiler.
        CompilationError: the compiler refuses the program.
    """
    cc = compiler()
    openmp = openmp and has_openmp(cc)
    arguments = (*flags(cc, openmp, level), *libraries(cc, openmp))
    key = cache.digest(source, *cc.command, cc.version, *arguments, cpu(), platform.platform())
    return cache.library(key, lambda path: _run(cc.command, arguments, source, path))


@lru_cache(maxsize=16)
def has_openmp(cc: Compiler) -> bool:
    """Can programs be linked with the compiler's library for threads?"""
    key = cache.digest("openmp", *cc.command, cc.version, *cc.flags, platform.platform())
    known = cache.note(key)
    if known not in ("yes", "no"):
        known = "no" if _failure(cc, openmp=True) else "yes"
        cache.write_note(key, known)
    return known == "yes"


def flags(cc: Compiler, openmp: bool = False, level: str = "-O3") -> tuple[str, ...]:
    """How a program is compiled."""
    return (level, *BASE_FLAGS, *cc.flags, *(("-fopenmp",) if openmp else ()), *_vector_flags(cc))


def libraries(cc: Compiler, openmp: bool = False) -> tuple[str, ...]:
    """What a program is linked with: what Python has loaded already (the C library, NumPy) is found when it is loaded.

    Leaving out the C library and its start-up files saves a third of the time of a small program.
    """
    if sys.platform == "darwin":
        return ("-bundle", "-undefined", "dynamic_lookup", *(("-lomp",) if openmp else ()))
    runtime = ("-lgcc",) if cc.family == "gcc" else ()
    threads = () if not openmp else ("-lgomp",) if cc.family == "gcc" else ("-lomp",)
    vectors = ("-lmvec",) if cc.vector_functions else ()
    return ("-shared", "-nostdlib", "-Wl,--build-id=none", *threads, *vectors, "-lm", *runtime)


def _vector_flags(cc: Compiler) -> tuple[str, ...]:
    """clang knows the vector library by name; to gcc the prelude declares each function.

    gcc makes one call of a sine and a cosine, which there is not for vectors; so it must not know what they are.
    """
    if not cc.vector_functions:
        return ()
    if cc.family == "clang":
        return ("-fveclib=libmvec",)
    return tuple(f"-fno-builtin-{name}{s}" for name in ("sin", "cos") for s in ("", "f"))


def _run(command: Sequence[str], arguments: Sequence[str], source: str, path: Path) -> None:
    """Compile a program into a file."""
    sources, linked = _split(arguments)
    full = [*command, *sources, "-x", "c", "-", "-o", str(path), *linked]
    try:
        done = subprocess.run(full, input=source.encode(), capture_output=True, check=False, close_fds=False)
    except OSError as error:
        raise CompilationError(f"the C compiler {shlex.join(command)} could not be started: {error}") from error
    if done.returncode:
        said, lines = done.stderr.decode(errors="replace").strip(), len(source.splitlines())
        raise CompilationError(
            f"{shlex.join(command)} failed with status {done.returncode} on a program of {lines} lines; "
            f"it said:\n{said[:4000] or '(nothing)'}"
        )


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags, and libraries, which a linker wants after what needs them."""
    return [a for a in arguments if not a.startswith("-l")], [a for a in arguments if a.startswith("-l")]


# --- what there is ---


@lru_cache(maxsize=16)
def _compiler(xform_cc: str | None, cc: str | None, path: str | None) -> Compiler | str:
    """The compiler, or why there is none."""
    if os.name != "posix":
        return f"compiling C is for POSIX systems; this is {sys.platform}"
    command = _command(xform_cc, cc, path)
    if isinstance(command, str):
        return command
    found = _remembered(command, path)
    if "error" in found:
        return str(found["error"])
    functions = frozenset(found["vector_functions"])
    return Compiler(tuple(command), found["version"], found["family"], tuple(found["flags"]), functions)


def _command(xform_cc: str | None, cc: str | None, path: str | None) -> list[str] | str:
    """The command line of the compiler: the first that is found."""
    for name, value in (("XFORM_CC", xform_cc), ("CC", cc)):
        if not value:
            continue
        words = shlex.split(value)
        where = shutil.which(words[0], path=path) if words else None
        if where:
            return [where, *words[1:]]
        if name == "XFORM_CC":
            return f"XFORM_CC is {value!r}, and there is no such command; set it to a C compiler, or unset it"
    for name in ("cc", "gcc", "clang"):
        where = shutil.which(name, path=path)
        if where:
            return [where]
    return "no C compiler was found: cc, gcc and clang are not on PATH; install one, or set XFORM_CC"


def _remembered(command: Sequence[str], path: str | None) -> dict:
    """What is known of a compiler: from disk if it was tried before and is the same file, else tried now."""
    real = os.path.realpath(command[0])
    try:
        stat = os.stat(real)
    except OSError as error:
        return {"error": f"the C compiler {command[0]} cannot be read: {error}"}
    file = (real, str(stat.st_size), str(stat.st_mtime_ns))
    key = cache.digest("compiler", *command, *file, path or "", cpu(), platform.platform())
    text = cache.note(key)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or set(found) != {*Compiler._fields}:
        found = _tried(command)
        if "error" not in found:  # which may be repaired without a change of the compiler's file
            cache.write_note(key, json.dumps(found))
    return found


def _tried(command: Sequence[str]) -> dict:
    """Run the compiler: its version, and which of the optional flags it takes."""
    try:
        said = subprocess.run([*command, "--version"], capture_output=True, check=False, close_fds=False)
    except OSError as error:
        return {"error": f"the C compiler {shlex.join(command)} could not be started: {error}"}
    text = said.stdout.decode(errors="replace")
    family = "clang" if "clang" in text.lower() else "gcc"
    cc = _able(Compiler(tuple(command), (text.splitlines() or [""])[0], family, (), frozenset()))
    if isinstance(cc, str):
        return {"error": cc}
    return {**cc._asdict(), "vector_functions": sorted(cc.vector_functions)}


def _able(plain: Compiler) -> Compiler | str:
    """The compiler with all that it takes here; or what is wrong if it compiles nothing at all."""
    functions = frozenset(vector_functions(plain.family))
    usual = plain._replace(flags=("-march=native", *WIDE[: wide_vectors()]), vector_functions=functions)
    if _works(usual):
        return usual
    wrong = _failure(plain)
    if wrong:
        return f"the C compiler {shlex.join(plain.command)} does not work: {wrong}"
    kept = plain
    for more in (("-march=native",), ("-mcpu=native",), WIDE[: wide_vectors()]):
        if more == ("-mcpu=native",) and kept.flags:
            continue
        trial = kept._replace(flags=(*kept.flags, *more))
        kept = trial if _works(trial) else kept
    trial = kept._replace(vector_functions=functions)  # there may be the library, but nothing to link with
    return trial if _works(trial) else kept


def _works(cc: Compiler) -> bool:
    return not _failure(cc)


def _failure(cc: Compiler, openmp: bool = False) -> str:
    """What a compiler says against a trivial program with its flags; nothing if it takes it."""
    path = cache.scratch()
    try:
        _run(cc.command, (*flags(cc, openmp), *libraries(cc, openmp)), _TRIAL, path)
        return ""
    except CompilationError as error:
        return str(error)
    finally:
        path.unlink(missing_ok=True)


def vector_functions(family: str) -> list[str]:
    """Functions of libm that the C library here has for vectors, in both precisions: glibc's libmvec.

    A name is _ZGV, the letter of the instruction set, N for no mask, the number of lanes, a v for each argument.
    """
    sets = {"x86_64": ("bN2", "bN4"), "aarch64": ("nN2", "nN4")}.get(platform.machine())
    if not sys.platform.startswith("linux") or sets is None or (family == "clang" and sets[0] != "bN2"):
        return []
    import ctypes

    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return []
    double, single = sets
    return [
        name
        for count, names in VECTOR_FUNCTIONS.items()
        for name in names
        if hasattr(library, f"_ZGV{double}{'v' * count}_{name}")
        and hasattr(library, f"_ZGV{single}{'v' * count}_{name}f")
    ]


# --- the machine ---


@lru_cache(maxsize=1)
def cpu() -> str:
    """The CPU's name and what it can do, on which code made for it depends."""
    return f"{platform.machine()} {hashlib.sha256(_cpu_text().encode()).hexdigest()[:16]}"


def wide_vectors() -> bool:
    """Does the CPU calculate with 512 bits without slowing its clock? Those do that have the second set of bytes."""
    return "avx512_vbmi2" in _cpu_text()


@lru_cache(maxsize=1)
def _cpu_text() -> str:
    """The lines on model and abilities of the first CPU."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = file.read(8192).split("\n\n")[0].splitlines()
        wanted = ("vendor_id", "model", "cpu family", "stepping", "flags", "Features", "CPU ")
        return "\n".join(line for line in lines if line.startswith(wanted))
    except OSError:
        return platform.processor() or platform.machine()
