"""The compiler, its cache on disk, and what is put in front of a program."""

import ctypes
import logging
import multiprocessing
import os
import shlex
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.messages import says
from xform.compile.c.machine import cache, toolchain
from xform.compile.c.machine.toolchain import CompilationError, compile_source, compiler
from xform.compile.c.text.prelude import COMPLEX_FUNCTIONS, DECLARATIONS, prelude
from xform.compile.executable import Unsupported

try:
    compiler()
    MISSING = None
except Unsupported as error:
    MISSING = str(error)
needs_compiler = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

ANSWER = "int answer(void) { return %d; }\n#pragma GCC visibility push(default)\nint ask(void) { return answer(); }\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XFORM_CACHE_DIR", str(tmp_path))
    return tmp_path / "c"


@pytest.fixture
def silent_root():
    """Some refusals are not refused to root."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")


def answer(path):
    return ctypes.CDLL(str(path)).ask()


# --- the compiler ---


@needs_compiler
def test_a_program_is_compiled_once(folder):
    path = compile_source(ANSWER % 41)
    assert answer(path) == 41
    changed = path.stat().st_mtime_ns
    assert compile_source(ANSWER % 41) == path
    assert path.stat().st_mtime_ns == changed
    assert answer(compile_source(ANSWER % 42)) == 42
    assert compile_source(ANSWER % 41, level="-O1") != path


@needs_compiler
def test_openmp(folder):
    source = """#pragma GCC visibility push(default)
    int ask(void) { int sum = 0; _Pragma("omp parallel for reduction(+: sum)") for (int i = 0; i < 100; i++) sum += i;
    return sum; }"""
    assert answer(compile_source(source, openmp=True)) == 4950
    assert (compile_source(source, openmp=True) != compile_source(source)) == toolchain.has_openmp(compiler())


@needs_compiler
def test_without_a_library_for_threads_there_is_one_thread(folder, monkeypatch):
    cc = compiler()._replace(version="another")  # of which it is not known yet
    monkeypatch.setattr(toolchain, "compiler", lambda: cc)
    monkeypatch.setattr(toolchain, "_failure", lambda cc, openmp: "no -lgomp")
    assert not toolchain.has_openmp(cc)
    assert compile_source(ANSWER % 5, openmp=True) == compile_source(ANSWER % 5)


@needs_compiler
def test_refused_programs_say_what_the_compiler_said(folder):
    with says(CompilationError, "failed with status", "a program of 2 lines", "error", "undeclared_name"):
        compile_source("int f(void) {\n return undeclared_name; }\n")
    assert issubclass(CompilationError, Unsupported)
    assert not [p for p in folder.iterdir() if p.name.startswith(".new")]  # nothing half made is left


@pytest.mark.parametrize("text", ["no-such-compiler", "/nowhere/gcc -O1"])
def test_a_compiler_that_was_asked_for_and_is_not_there(folder, monkeypatch, text):
    monkeypatch.setenv("XFORM_CC", text)
    with says(Unsupported, "XFORM_CC", text, "unset"):
        compiler()


def test_no_compiler_at_all(folder, monkeypatch, tmp_path):
    monkeypatch.delenv("XFORM_CC", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with says(Unsupported, "no C compiler", "cc, gcc and clang", "XFORM_CC"):
        compiler()


def test_a_compiler_that_does_not_work(folder, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'no licence' >&2\nexit 3\n")
    broken.chmod(0o700)
    monkeypatch.setenv("XFORM_CC", str(broken))
    with says(Unsupported, "does not work", "status 3", "no licence"):
        compiler()


@needs_compiler
def test_flags_that_a_compiler_refuses_are_dropped(folder, monkeypatch, tmp_path):
    picky = tmp_path / "picky"
    real = shlex.join(compiler().command)
    picky.write_text(f'#!/bin/sh\ncase "$*" in *-march=native*|*-lmvec*) exit 1;; esac\nexec {real} "$@"\n')
    picky.chmod(0o700)
    monkeypatch.setenv("XFORM_CC", str(picky))
    monkeypatch.setattr(toolchain, "vector_functions", lambda family: ["exp"])
    cc = compiler()
    assert "-march=native" not in cc.flags
    assert not cc.vector_functions
    assert answer(compile_source(ANSWER % 43)) == 43


@needs_compiler
def test_what_a_compiler_can_do_is_kept_on_disk(folder, monkeypatch):
    first = compiler.__globals__["_compiler"].__wrapped__(None, None, os.environ["PATH"])

    def fails(command):
        raise AssertionError("tried again")

    monkeypatch.setattr(toolchain, "_tried", fails)
    assert compiler.__globals__["_compiler"].__wrapped__(None, None, os.environ["PATH"]) == first
    for note in folder.glob("*.txt"):
        note.write_text("{broken")
    with pytest.raises(AssertionError, match="tried again"):
        compiler.__globals__["_compiler"].__wrapped__(None, None, os.environ["PATH"])


def test_never_flags_that_change_values():
    cc = toolchain.Compiler(("cc",), "", "gcc", (), frozenset({"sin"}))
    given = toolchain.flags(cc) + toolchain.flags(cc._replace(family="clang"), openmp=True)
    assert not {"-ffast-math", "-Ofast", "-ffinite-math-only", "-funsafe-math-optimizations"} & set(given)
    assert "-fno-builtin-sin" in given  # else gcc merges it with a cosine, and loops are not vectorised
    assert "-fveclib=libmvec" in given


# --- the cache ---


def write(text):
    return lambda path: path.write_text(text)


def test_the_folder_is_private(folder):
    path = cache.library("k", write("x"))
    assert path == folder / "k.so"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cache.library("k", write("y")).read_text() == "x"


@pytest.mark.parametrize("name, expected", [("XDG_CACHE_HOME", "xform/c"), ("HOME", ".cache/xform/c")])
def test_the_folder_of_the_user(monkeypatch, tmp_path, name, expected):
    monkeypatch.delenv("XFORM_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(name, str(tmp_path))
    assert cache.folder() == tmp_path / expected


def test_a_folder_in_which_others_may_write_is_not_used(folder, caplog):
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    (folder / "k.so").write_text("planted")
    with caplog.at_level(logging.WARNING, "xform"):
        path = cache.library("k", write("mine"))
        cache.library("other", write("mine"))
    assert path.read_text() == "mine"
    assert path.parent != folder
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(caplog.records) == 1
    assert "others may write" in caplog.text
    assert "XFORM_CACHE_DIR" in caplog.text


def test_a_link_to_a_folder_is_not_used(folder, caplog, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "real")
    assert cache.library("k", write("mine")).parent not in (folder, tmp_path / "real")


def test_a_folder_of_someone_else_is_not_used(folder, monkeypatch, caplog):
    folder.mkdir(mode=0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert cache.folder() != folder
    assert "its owner is" in caplog.text


def test_a_folder_that_cannot_be_made(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XFORM_CACHE_DIR", str(tmp_path / "file"))
    assert cache.library("k", write("x")).read_text() == "x"
    assert "cannot be made" in caplog.text


def test_a_folder_that_cannot_be_written_to(folder, silent_root, caplog):
    folder.mkdir(mode=0o500)
    assert cache.library("k", write("x")).read_text() == "x"
    assert "cannot be written to" in caplog.text


def test_a_folder_that_vanishes_is_made_again(folder):
    cache.library("k", write("x")).unlink()
    folder.rmdir()
    assert cache.library("k", write("y")).read_text() == "y"


def test_temporary_folders_go_with_the_process(tmp_path):
    (tmp_path / "file").write_text("")
    code = "from xform.compile.c.machine import cache; print(cache.folder())"
    environment = {**os.environ, "XFORM_CACHE_DIR": str(tmp_path / "file")}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip()
    assert not os.path.exists(said.stdout.strip())


def test_nothing_is_left_of_a_file_that_could_not_be_written(folder):
    def fails(path):
        path.write_text("half")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        cache.library("k", fails)
    assert not list(folder.iterdir())


def test_an_empty_file_is_written_again(folder):
    cache.folder()
    (folder / "k.so").write_text("")
    assert cache.library("k", write("x")).read_text() == "x"


def test_the_folder_is_bounded_and_the_oldest_use_goes_first(folder, monkeypatch):
    monkeypatch.setenv("XFORM_CACHE_SIZE", "1000")
    now = time.time()
    for k in range(9):
        path = cache.library(f"k{k}", write("x" * 100))
        os.utime(path, (now - 1000 + k, now - 1000 + k))
    assert cache._found("k0")  # used: no longer the oldest
    cache.library("new", write("x" * 200))
    left = {path.stem for path in folder.iterdir()}
    assert {"k0", "new"} <= left
    assert "k1" not in left
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 1000


def test_what_was_used_just_now_stays(folder, monkeypatch):
    monkeypatch.setenv("XFORM_CACHE_SIZE", "0")
    first = cache.library("a", write("x"))
    second = cache.library("b", write("x"))
    assert first.exists()
    assert second.exists()


def test_a_size_that_is_no_number(folder, monkeypatch):
    monkeypatch.setenv("XFORM_CACHE_SIZE", "512 MB")
    with says(ValueError, "XFORM_CACHE_SIZE", "512 MB", "number of bytes"):
        cache.library("a", write("x"))


def test_clear(folder):
    cache.library("a", write("x"))
    cache.clear()
    assert not list(folder.iterdir())
    assert cache.library("a", write("y")).read_text() == "y"


def test_digests_know_where_texts_end():
    assert cache.digest("ab", "c") != cache.digest("a", "bc")
    assert cache.digest("ab") == cache.digest("ab")


def _compile_many(first):
    return [answer(compile_source(ANSWER % k)) for k in range(first, first + 4)]


@needs_compiler
def test_processes_share_a_folder(folder):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_compile_many, [0, 0, 2]) == [[0, 1, 2, 3], [0, 1, 2, 3], [2, 3, 4, 5]]
    assert len(list(folder.glob("*.so"))) == 6
    assert not list(folder.glob(".new*"))


# --- the prelude ---


@needs_compiler
def test_the_prelude_declares_what_is_named_and_nothing_else():
    text = prelude("double f(double x) { return tanh(x) + xf_floor_divide_f64(x, 2.0); }", compiler())
    assert "double tanh(double)" in text
    assert "xf_floor_divide_f64(double" in text
    assert "erf" not in text
    assert "xf_remainder_f64" not in text
    assert "#include" not in text


@needs_compiler
def test_declarations_are_those_of_the_library(folder):
    """The compiler compares them with the header."""
    text = prelude(" ".join(DECLARATIONS), compiler())
    names = "\n".join(f"void *const p_{name} = (void *){name};" for name in DECLARATIONS)
    source = "#define _GNU_SOURCE\n#include <math.h>\n#include <complex.h>\n#undef I\n#include <stdlib.h>\n"
    library = ctypes.CDLL(str(compile_source(source + "#undef NULL\n" + text + names)))
    assert library
    assert {name.split()[0] for name in COMPLEX_FUNCTIONS["z"].split()} <= DECLARATIONS.keys()


@needs_compiler
def test_loops_over_vector_functions_agree_with_numpy(folder):
    """Also sine and cosine of the same argument, which gcc would merge."""
    cc = compiler()
    if not cc.vector_functions:
        pytest.skip("the C library has no functions for vectors")
    body = """
    #pragma GCC visibility push(default)
    void many(const double *restrict x, double *restrict y, double *restrict z, long n) {
        for (long i = 0; i < n; i++) { y[i] = sin(x[i]) * exp(-x[i]); z[i] = cos(x[i]); } }
    void few(const float *restrict x, float *restrict y, float *restrict z, long n) {
        for (long i = 0; i < n; i++) { y[i] = sinf(x[i]) * expf(-x[i]); z[i] = cosf(x[i]); } }"""
    path = compile_source(prelude(body, cc) + body)
    library = ctypes.CDLL(str(path))
    for name, dtype, tolerance in (("many", np.float64, 1e-15), ("few", np.float32, 1e-6)):
        x = np.linspace(-3, 3, 1003).astype(dtype)
        y, z = np.empty_like(x), np.empty_like(x)
        getattr(library, name)(*(ctypes.c_void_p(a.ctypes.data) for a in (x, y, z)), ctypes.c_long(x.size))
        np.testing.assert_allclose(y, np.sin(x) * np.exp(-x), rtol=8 * tolerance, atol=tolerance)
        np.testing.assert_allclose(z, np.cos(x), rtol=8 * tolerance, atol=tolerance)
    data = path.read_bytes()
    if cc.family == "gcc":
        assert b"v_sin" in data  # the versions for vectors are called
        assert b"v_cosf" in data


@needs_compiler
def test_small_programs_compile_fast(folder):
    """Some 35 ms on an idle machine; the bound is for a busy one."""
    lines = "".join(f"  o[{k}] = exp(a[{k}]) * {k}.5 + a[{k + 1}];\n" for k in range(100))
    names = "const double *a = in[0]; double *o = out[0];"
    source = f"int xform_program(void **in, void **out) {{ {names}\n{lines} return 0; }}"
    took = []
    for k in range(3):
        text = prelude(source, compiler()) + source + f"/* {k} */"
        start = time.perf_counter()
        compile_source(text)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.5
