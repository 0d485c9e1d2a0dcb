"""The text of products of a matrix and a vector, y = a x, where rows or columns of a lie along memory.

Each entry of a is used once, so what counts is that it is read in order, by several streams at a time:

    dots        y[i] = sum over p of a[i, p] x[p]             eight rows together, that is eight sums at a time
    combined    y = sum over p of x[p] * (column p of a)      eight columns together: y is read and written once
"""

from __future__ import annotations

#: how a compiler is told to fuse multiplications and additions, and to make code for vectors of plain loops
LOOPS = """
#ifdef __clang__
#define XF_FUSED_LOOPS __attribute__((noinline))
#define XF_FUSE_LOOPS _Pragma("clang fp contract(fast)")
#else
#define XF_FUSED_LOOPS __attribute__((noinline, optimize("O3", "fp-contract=fast")))
#define XF_FUSE_LOOPS
#endif
"""

#: streams that are read at a time
TOGETHER = 8


def dots(kind: str) -> list[str]:
    """Functions, the last of which is xf_dots: rows of a, `far` entries apart, lie along memory, and so does x."""
    sums = ", ".join(f"s{r}" for r in range(TOGETHER))
    adds = " ".join(f"s{r} += a[{r} * far + p] * x[p];" for r in range(TOGETHER))
    puts = " ".join(f"y[i + {r}] = s{r};" for r in range(TOGETHER))
    text = f"""
static XF_FUSED_LOOPS void xf_dots_{kind}(long m, long n, const {kind} *a, long far, const {kind} *x, {kind} *y)
{{
  XF_FUSE_LOOPS
  long i = 0;
  for (; i + {TOGETHER} <= m; i += {TOGETHER}, a += {TOGETHER} * far) {{
    {kind} {", ".join(f"s{r} = 0" for r in range(TOGETHER))};
    #pragma omp simd reduction(+:{sums})
    for (long p = 0; p < n; p++) {{ {adds} }}
    {puts}
  }}
  for (; i < m; i++, a += far) {{
    {kind} s = 0;
    #pragma omp simd reduction(+:s)
    for (long p = 0; p < n; p++) s += a[p] * x[p];
    y[i] = s;
  }}
}}
"""
    return [LOOPS, text]


def combined(kind: str) -> list[str]:
    """Functions, the last of which is xf_combined: columns of a, `far` entries apart, lie along memory."""
    terms = " + ".join(f"x{r} * a[{r} * far + i]" for r in range(TOGETHER))
    text = f"""
static XF_FUSED_LOOPS void xf_combined_{kind}(long m, long n, const {kind} *restrict a, long far, const {kind} *x,
                                              long step, {kind} *restrict y)
{{
  XF_FUSE_LOOPS
  long p = 0;
  for (long i = 0; i < m; i++) y[i] = 0;
  for (; p + {TOGETHER} <= n; p += {TOGETHER}, a += {TOGETHER} * far) {{
    const {kind} {", ".join(f"x{r} = x[(p + {r}) * step]" for r in range(TOGETHER))};
    #pragma omp simd
    for (long i = 0; i < m; i++) y[i] = y[i] + {terms};
  }}
  for (; p < n; p++, a += far) {{
    const {kind} x0 = x[p * step];
    #pragma omp simd
    for (long i = 0; i < m; i++) y[i] += x0 * a[i];
  }}
}}
"""
    return [LOOPS, text]
