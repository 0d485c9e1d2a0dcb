"""Linear algebra of matrices of middling size: elimination by loops in C, of one matrix of a stack after another.

They are too large for registers, and so small that calling NumPy takes longer than what it does. Larger ones are left
to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from xform.compile.c.kernels.lanes import define, over_entries
from xform.compile.c.kernels.linalg import failure
from xform.compile.c.text.emit import Emitter
from xform.compile.c.text.helpers import c_literal, instance
from xform.compile.c.text.values import View
from xform.compile.c.text.views import reversed_along
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn
from xform.ops.c_text import cast, key_of, short_name

Rule = Callable[[Emitter, Eqn, Sequence[View], Sequence[View]], None]


def own(emit: Emitter, x: View, dtype: np.dtype) -> View:
    """A copy that may be written, in C order, in the dtype of the result."""
    out = emit.local(x.shape, dtype)
    over_entries(emit, [out, x], lambda y, a: emit.line(f"{y} = {cast(f'({a})', x.dtype, dtype)};"))
    return out


def routine(emit: Emitter, name: str, dtype: np.dtype) -> str:
    """The name of a C function, which is defined in front of the program."""
    size = "__builtin_fabs$s(x)"
    if dtype.kind == "c":
        size = size.replace("x", "__real__ (x)") + " + " + size.replace("x", "__imag__ (x)")
    conj, real = ("~", "__real__ ") if dtype.kind == "c" else ("", "")
    text = ROUTINES[name].replace("SIZE(x)", size).replace("CONJ", conj).replace("REAL", real)
    define(emit, instance(text, key_of(dtype)))
    return f"xf_{name}_{short_name(dtype)}"


def check(emit: Emitter, failed: str, name: str, a: View) -> None:
    emit.serialize()
    emit.check(failed, failure(name, Aval(a.shape, a.dtype)))


def eliminated(emit: Emitter, a: View, b: View | None, dtype: np.dtype) -> tuple[View, str]:
    """U in the place of A, L^-1 P B in that of B, and the name of: rows changed places oddly often + 2 if singular."""
    upper = own(emit, a, dtype)
    state = emit.name("v")
    right = f"{b.pointer}, {a.shape[0]}, {b.shape[1]}" if b is not None else f"{upper.pointer}, {a.shape[0]}, 0"
    emit.line(f"const int {state} = {routine(emit, 'eliminate', dtype)}({upper.pointer}, {right});")
    return upper, state


def substitute(emit: Emitter, upper: View, b: View, unit: bool = False) -> None:
    n, m = b.shape
    emit.line(f"{routine(emit, 'substitute', b.dtype)}({upper.pointer}, {b.pointer}, {n}, {m}, {int(unit)});")


# --- rules, for single matrices ---


def solve(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    (a, b), (out,) = args, outs
    right = own(emit, b, out.dtype)
    upper, state = eliminated(emit, a, right, out.dtype)
    check(emit, f"{state} & 2", "solve", a)
    substitute(emit, upper, right)
    emit.copy(out, right)


def triangular_solve(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    """A lower triangle is an upper one from the other end."""
    (a, b), (out,), unit = args, outs, eqn.params["unit_diagonal"]
    if eqn.params["lower"]:
        a, b, out = reversed_along(reversed_along(a, 0), 1), reversed_along(b, 0), reversed_along(out, 0)
    upper, right = own(emit, a, out.dtype), own(emit, b, out.dtype)
    if not unit:
        failed = emit.variable(np.dtype(np.int32), "0")
        with emit.loop(a.shape[0]) as k:
            emit.line(f"{failed} |= {upper.index(0, k).index(0, k).entry()} == 0;")
            emit.serialize()
        check(emit, failed, "triangular_solve", a)
    substitute(emit, upper, right, unit)
    emit.copy(out, right)


def inverse(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    (a,), (out,) = args, outs
    right, n = emit.local(a.shape, out.dtype), a.shape[0]
    emit.fill(right, 0)
    emit.line(f"for (long k = 0; k < {n}; k++) {right.pointer}[k * {n + 1}] = 1;")
    upper, state = eliminated(emit, a, right, out.dtype)
    if eqn.params["strict"]:
        check(emit, f"{state} & 2", "inv", a)
    substitute(emit, upper, right)
    if not eqn.params["strict"]:
        nan = c_literal(np.nan, out.dtype)
        emit.line(f"for (long k = 0; {state} & 2 && k < {n * n}; k++) {right.pointer}[k] = {nan};")
    emit.copy(out, right)


def determinant(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    (a,), (out,) = args, outs
    upper, state = eliminated(emit, a, None, out.dtype)
    emit.line(f"{out.entry()} = {routine(emit, 'product', out.dtype)}({upper.pointer}, {a.shape[0]}, {state});")


def sign_and_log(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    (a,), (sign, log) = args, outs
    upper, state = eliminated(emit, a, None, sign.dtype)
    name = routine(emit, "signs" if sign.dtype.kind == "f" else "phases", sign.dtype)
    emit.line(f"{name}({upper.pointer}, {a.shape[0]}, {state}, &{sign.entry()}, &{log.entry()});")


def cholesky(emit: Emitter, eqn: Eqn, args: Sequence[View], outs: Sequence[View]) -> None:
    (a,), (out,) = args, outs
    factor = own(emit, a, out.dtype)
    failed = emit.name("v")
    emit.line(f"const int {failed} = {routine(emit, 'cholesky', out.dtype)}({factor.pointer}, {a.shape[0]});")
    check(emit, failed, "cholesky", a)
    emit.copy(out, factor)


RULES: dict[str, Rule] = {
    "solve": solve, "triangular_solve": triangular_solve, "inv": inverse, "det": determinant, "slogdet": sign_and_log,
    "cholesky": cholesky,
}  # fmt: skip

# --- in C, on rows that lie one after the other ---

ELIMINATE = """
static int xf_eliminate_$t($T *a, $T *b, long n, long m)
{
  #define SIZE_OF(x) (SIZE(x))
  int odd = 0, singular = 0;
  for (long k = 0; k < n; k++) {
    long p = k;
    for (long i = k + 1; i < n; i++) p = SIZE_OF(a[i * n + k]) > SIZE_OF(a[p * n + k]) ? i : p;
    if (p != k) {
      odd ^= 1;
      for (long j = k; j < n; j++) { const $T x = a[k * n + j]; a[k * n + j] = a[p * n + j]; a[p * n + j] = x; }
      for (long j = 0; j < m; j++) { const $T x = b[k * m + j]; b[k * m + j] = b[p * m + j]; b[p * m + j] = x; }
    }
    const $T pivot = a[k * n + k];
    singular |= pivot == 0;
    for (long i = k + 1; i < n; i++) {
      const $T factor = a[i * n + k] / pivot;
      $T *restrict row = a + i * n, *restrict right = b + i * m;
      for (long j = k + 1; j < n; j++) row[j] -= factor * a[k * n + j];
      for (long j = 0; j < m; j++) right[j] -= factor * b[k * m + j];
    }
  }
  return odd | singular << 1;
  #undef SIZE_OF
}
"""

SUBSTITUTE = """
static void xf_substitute_$t(const $T *u, $T *b, long n, long m, int unit)
{
  for (long i = n - 1; i >= 0; i--) {
    $T *restrict row = b + i * m;
    for (long j = n - 1; j > i; j--)
      for (long k = 0; k < m; k++) row[k] -= u[i * n + j] * b[j * m + k];
    for (long k = 0; !unit && k < m; k++) row[k] /= u[i * n + i];
  }
}
"""

PRODUCT = """
static $T xf_product_$t(const $T *u, long n, int state)
{
  $T x = u[0];
  for (long k = 1; k < n; k++) x *= u[k * n + k];
  return state & 2 ? 0 : state & 1 ? -x : x;
}
"""

SIGNS = """
static void xf_signs_$t(const $T *u, long n, int state, $T *sign, $T *log_size)
{
  int odd = state & 1;
  $T total = 0;
  for (long k = 0; k < n; k++) {
    odd ^= u[k * n + k] < 0;
    total += log$s(__builtin_fabs$s(u[k * n + k]));
  }
  *sign = state & 2 ? 0 : odd ? -1 : 1;
  *log_size = state & 2 ? -__builtin_inf$s() : total;
}
"""

PHASES = """
static void xf_phases_$t(const $T *u, long n, int state, $T *sign, $R *log_size)
{
  $T phase = state & 1 ? -1 : 1;
  $R total = 0;
  for (long k = 0; k < n; k++) {
    const $R size = __builtin_cabs$s(u[k * n + k]);
    phase *= u[k * n + k] / size;
    total += log$s(size);
  }
  *sign = state & 2 ? 0 : phase;
  *log_size = state & 2 ? -__builtin_inf$s() : total;
}
"""

# by rows of L^H, which are subtracted from the rows below as vectors
CHOLESKY = """
static int xf_cholesky_$t($T *a, long n)
{
  int failed = 0;
  for (long i = 0; i < n; i++)
    for (long j = i + 1; j < n; j++) a[i * n + j] = CONJ a[j * n + i];
  for (long k = 0; k < n; k++) {
    const $R square = REAL a[k * n + k], root = __builtin_sqrt$s(square);
    failed |= square <= 0;
    a[k * n + k] = root;
    for (long j = k + 1; j < n; j++) a[k * n + j] /= root;
    for (long i = k + 1; i < n; i++) {
      const $T factor = CONJ a[k * n + i];
      $T *restrict row = a + i * n;
      for (long j = i; j < n; j++) row[j] -= factor * a[k * n + j];
    }
  }
  for (long i = 0; i < n; i++)
    for (long j = i + 1; j < n; j++) {
      a[j * n + i] = CONJ a[i * n + j];
      a[i * n + j] = 0;
    }
  return failed;
}
"""

ROUTINES = {
    "eliminate": ELIMINATE, "substitute": SUBSTITUTE, "product": PRODUCT, "signs": SIGNS, "phases": PHASES,
    "cholesky": CHOLESKY,
}  # fmt: skip
