"""The C of programs, compiled with checks of memory, undefined behaviour and data races, and run on its own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.compile.c_agreement import close, coarsest
from tests.compile.c_generated import Arrays
from tests.compile.c_loops import NEED_LARGE
from tests.compile.c_loops import PROGRAMS as LOOPS
from tests.compile.c_programs import PROGRAMS
from tests.compile.test_c_backend import pulled
from tests.compile.test_c_backend_control import POINTS, gradient
from xform import make_jaxpr
from xform.compile.c.backend import Writer, function
from xform.compile.c.machine.toolchain import compiler
from xform.compile.c.text import emit as emitter
from xform.compile.c.text.prelude import prelude
from xform.core.jaxpr import Jaxpr, evaluate

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="sanitizers of Linux")]

#: reads the arguments and the constants from stdin, writes the results to stdout; each array is a block of its own
MAIN = """
extern size_t fread(void *, size_t, size_t, void *), fwrite(const void *, size_t, size_t, void *);
extern void *stdin, *stdout;
static int never(void) { return 0; }
static int failed(int kind, const char *format, ...) { return -1; }
static const struct xform_runtime runtime = {never, failed, 0};
static const size_t sizes[] = {SIZES 0};
int main(void)
{
  void *blocks[sizeof sizes / sizeof *sizes];
  for (int k = 0; k < GIVEN + RESULTS; k++) {
    blocks[k] = malloc(sizes[k]);
    if (k < GIVEN && fread(blocks[k], 1, sizes[k], stdin) != sizes[k]) return 3;
  }
  xform_bind(&runtime, blocks + ARGUMENTS, 0);
  for (int again = 0; again < 2; again++)
    if (xform_program(blocks, blocks + GIVEN)) return 4;
  for (int k = GIVEN; k < GIVEN + RESULTS; k++) fwrite(blocks[k], 1, sizes[k], stdout);
  for (int k = 0; k < GIVEN + RESULTS; k++) free(blocks[k]);
  return 0;
}
"""
COMMON = ("-std=gnu11", "-O1", "-g", "-w", "-ffp-contract=off", "-fwrapv", "-fno-sanitize-recover=all")
MEMORY = (*COMMON, "-fopenmp-simd", "-fsanitize=address,undefined")
THREADS = (*COMMON, "-fopenmp", "-fsanitize=thread", "-pthread")

#: what gcc calls for a parallel loop, with threads whose beginning and end the sanitizer sees, unlike those of libgomp
TEAM = """
#include <pthread.h>
struct member { void (*work)(void *); void *data; int number, count; };
static __thread struct member self = {0, 0, 0, 1};
static void *run(void *member) { self = *(struct member *)member; self.work(self.data); return 0; }
void GOMP_parallel(void (*work)(void *), void *data, unsigned count, unsigned flags)
{
  struct member members[4];
  pthread_t threads[4];
  if (count == 1) { work(data); return; }
  for (int k = 0; k < 4; k++) members[k] = (struct member){work, data, k, 4};
  for (int k = 0; k < 4; k++) pthread_create(threads + k, 0, run, members + k);
  for (int k = 0; k < 4; k++) pthread_join(threads[k], 0);
}
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
void GOMP_atomic_start(void) { pthread_mutex_lock(&mutex); }
void GOMP_atomic_end(void) { pthread_mutex_unlock(&mutex); }
int omp_get_num_threads(void) { return self.count; }
int omp_get_thread_num(void) { return self.number; }
"""


def checked(jaxpr: Jaxpr, args: Any, folder: Any, flags: tuple[str, ...] = MEMORY) -> str:
    """The program's text. The sanitizers find nothing, and the results are right."""
    emit = Writer()
    text = function(emit, jaxpr)
    if emit.callbacks:
        pytest.skip("calls Python")
    given = [np.ascontiguousarray(x, a.dtype) for x, a in zip(args, jaxpr.in_avals, strict=True)] + emit.given
    sizes = "".join(f"{x.nbytes}, " for x in given) + "".join(f"{a.size * a.dtype.itemsize}, " for a in jaxpr.out_avals)
    main = MAIN
    for word, value in {
        "SIZES": sizes, "GIVEN": len(given), "RESULTS": len(jaxpr.outputs), "ARGUMENTS": len(args),
    }.items():  # fmt: skip
        main = main.replace(word, str(value))
    cc, program = compiler(), folder / "program"
    libraries = ["-lm", *(["-lmvec"] if cc.vector_functions else [])]
    command = [*cc.command, *flags, "-x", "c", "-", "-o", str(program), *libraries]
    source = (TEAM if flags is THREADS else "") + prelude(text, cc) + text + main
    made = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    assert made.returncode == 0, (shlex.join(command), made.stderr.decode())
    done = subprocess.run([program], input=b"".join(x.tobytes() for x in given), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[:3000]
    place = 0
    with np.errstate(all="ignore"):
        wanted = evaluate(jaxpr, *args)
    for a, z in zip(jaxpr.out_avals, wanted, strict=True):
        y = np.frombuffer(done.stdout, a.dtype, a.size, place).reshape(a.shape)[()]
        place += y.nbytes
        close(y, z, 256, scale=1.0, eps=coarsest(jaxpr))
    return text


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("nothing", "inputs as outputs")])
def test_programs(name, tmp_path):
    f, xs = PROGRAMS[name]
    checked(make_jaxpr(lambda *xs: (f(*xs), pulled(f)(*xs)))(*xs), xs, tmp_path)


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_loops(f, tmp_path):
    for name, x in POINTS.items():
        if not (name == "small" and f in NEED_LARGE):
            checked(make_jaxpr(lambda x: (f(x), gradient(f)(x)))(x), [x], tmp_path)


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_generated(seed, tmp_path):
    program = Arrays(seed, 25)
    xs = program.arguments()
    checked(make_jaxpr(lambda *xs: (program(*xs), gradient(program)(*xs)))(*xs), xs, tmp_path)


# --- data races ---


@pytest.fixture
def many_threads(monkeypatch):
    """Every loop that may be shared among threads is."""
    if compiler().family != "gcc":
        pytest.skip("the loops of another compiler call other functions")
    monkeypatch.setattr(emitter, "WORK_FOR_THREADS", 1)


def test_races_are_found(many_threads, tmp_path):
    """The check itself: a sum of all threads in one place."""
    source = "int main(void) { int n = 0;\n#pragma omp parallel for\nfor (int i = 0; i < 99; i++) n += i;\nreturn 0; }"
    command = [*compiler().command, *THREADS, "-x", "c", "-", "-o", str(tmp_path / "race")]
    subprocess.run(command, input=(TEAM + source).encode(), check=True)
    done = subprocess.run([tmp_path / "race"], capture_output=True, check=False)
    assert b"data race" in done.stderr


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in ("nothing", "inputs as outputs")])
def test_threads_in_programs(name, many_threads, tmp_path):
    f, xs = PROGRAMS[name]
    checked(make_jaxpr(lambda *xs: (f(*xs), pulled(f)(*xs)))(*xs), xs, tmp_path, THREADS)


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_threads_in_loops(f, many_threads, tmp_path):
    checked(make_jaxpr(lambda x: (f(x), gradient(f)(x)))(POINTS["large"]), [POINTS["large"]], tmp_path, THREADS)


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_threads_in_generated(seed, many_threads, tmp_path):
    program = Arrays(seed, 25)
    xs = program.arguments()
    jaxpr = make_jaxpr(lambda *xs: (program(*xs), gradient(program)(*xs)))(*xs)
    assert "omp parallel" in checked(jaxpr, xs, tmp_path, THREADS)
