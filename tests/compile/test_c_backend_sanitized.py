"""The C of programs, compiled with checks of memory and of undefined behaviour, and run as programs of their own."""

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
from xform.compile.c.prelude import prelude
from xform.compile.c.toolchain import compiler
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
FLAGS = (
    "-std=gnu11", "-O1", "-g", "-w", "-ffp-contract=off", "-fwrapv", "-fopenmp-simd", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)  # fmt: skip


def checked(jaxpr: Jaxpr, args: Any, folder: Any) -> None:
    """Nothing is read or written outside of an array, nor is anything undefined; the results are right."""
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
    command = [*cc.command, *FLAGS, "-x", "c", "-", "-o", str(program), *libraries]
    made = subprocess.run(command, input=(prelude(text, cc) + text + main).encode(), capture_output=True, check=False)
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
