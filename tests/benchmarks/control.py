"""Control flow: the cost of loops and their derivatives in time and memory.

python tests/benchmarks/control.py          a few minutes; --full takes checkpointed loops to 10 000 steps, --quick is
                                            shorter; --only NAME runs one table: overhead, reads, memory or depth
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform import lax

rng = np.random.default_rng(0)


def interleaved(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Times of each call, taken in turns so that a drift of the machine hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(repeats + 1):
        for name, call in calls.items():
            gc.collect()
            start = time.perf_counter()
            call()
            if k:
                times[name].append(time.perf_counter() - start)
    return times


# ---- (a) what a loop of lax costs beyond Python's own ----


def body(c: Any, x: Any) -> Any:
    return np.sin(c) * 0.5 + x


def python_loop(w: Any, xs: Any) -> Any:
    c = w
    for i in range(len(xs)):
        c = body(c, xs[i])
    return c


def loops(n: int) -> dict[str, Callable[[Any, Any], Any]]:
    def going(state: Any) -> Any:
        return state[0] < n

    def by_while(w: Any, xs: Any) -> Any:
        return lax.while_loop(going, lambda s: (s[0] + 1, body(s[1], xs[s[0]])), (0, w))[1]

    return {
        "Python": python_loop,
        "scan": lambda w, xs: lax.scan(lambda c, x: (body(c, x), None), w, xs)[0],
        "fori_loop": lambda w, xs: lax.fori_loop(0, n, lambda i, c: body(c, xs[i]), w),
        "while_loop": lambda w, xs: lax.while_loop(
            lambda s: s[0] < n, lambda s: (s[0] + 1, body(s[1], xs[s[0]])), (0, w)
        )[1],
    }


def overhead(quick: bool) -> None:
    n = 1000 if quick else 10_000
    xs, repeats = rng.normal(size=n), 3 if quick else 15
    print(f"eager loops of a body of 3 operations, {n} steps: us a step, and the ratio to Python's loop")
    for title, transform in {
        "value": lambda f: lambda: f(0.5, xs),
        "value and grad in the carry": lambda f: lambda: xform.value_and_grad(f)(0.5, xs),
        "value and grad in xs": lambda f: lambda: xform.value_and_grad(f, argnums=1)(0.5, xs),
        "value and tangent": lambda f: lambda: xform.jvp(f, (0.5, xs), (1.0, xs)),
    }.items():
        calls = {name: transform(f) for name, f in loops(n).items()}
        times = interleaved(calls, repeats)
        parts = []
        for name, ts in times.items():
            ratio = statistics.median(a / b for a, b in zip(ts, times["Python"], strict=True))
            parts.append(f"{name} {statistics.median(ts) / n * 1e6:6.2f} ({ratio:4.2f})")
        print(f"  {title:28s}" + "   ".join(parts))
    print("  target for value and grad: scan at most 1.3")


# ---- (b) reading x[i] in a loop ----


def reads(quick: bool) -> None:
    print("grad of a scan that reads x[i] of a closed-over x, us a read (constant if the cost is linear)")

    def f(x: Any) -> Any:
        return lax.scan(lambda c, i: (c + x[i] * x[i], None), 0.0, np.arange(len(x)))[0]

    for n in (500, 2000) if quick else (1000, 4000, 16_000):
        x = rng.normal(size=n)
        start = time.perf_counter()
        program = xform.make_jaxpr(xform.grad(f))(x)
        written = time.perf_counter() - start
        calls = {"eagerly": lambda x=x: xform.grad(f)(x), "as a program": lambda x=x, p=program: p(x)}
        times = {name: statistics.median(ts) for name, ts in interleaved(calls, 3).items()}
        assert np.allclose(program(x)[0], 2 * x)
        shown = "   ".join(f"{name} {t / n * 1e6:6.2f}" for name, t in times.items())
        print(f"  n = {n:6d}   {shown}   (written down in {written * 1e3:5.1f} ms)")


# ---- (c) memory and time of checkpointed loops ----

STATE = 2**17  # numbers: 1 MB


def kernel(x: Any) -> Any:
    return np.sin(x) * 0.999 + 0.001


def workload(kind: str, n: int, setting: Any) -> Callable[[], Any]:
    """value_and_grad of n steps on a state of 1 MB."""
    if kind == "scan":

        def f(x: Any) -> Any:
            return np.sum(lax.scan(lambda c, _: (kernel(c), None), x, None, length=n, checkpoint=setting)[0])
    else:

        def f(x: Any) -> Any:
            end = lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, kernel(s[1])), (0, x), checkpoint=setting)
            return np.sum(end[1])

    return lambda: xform.value_and_grad(f)(np.linspace(0.1, 1.0, STATE))


def measure(kind: str, n: int, setting: Any) -> None:
    """In a process of its own: time, and the peak of resident memory above what was there before."""
    run = workload(kind, n, setting)
    workload(kind, 3, setting)()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    value, _ = run()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"seconds": seconds, "megabytes": peak / 1024, "value": float(value)}))


def measured(kind: str, n: int, setting: Any) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", json.dumps([kind, n, setting])]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def settings(kind: str, n: int) -> dict[str, Any]:
    if kind == "scan":
        cube = max(2, round(n ** (1 / 3)))
        return {"sqrt(n) segments": True, "n^(1/3), nested": [cube, cube]}
    return {"2 sqrt(n) states": 2 * math.isqrt(n), "2 log2(n) states": 2 * round(math.log2(n))}


def memory(quick: bool, full: bool) -> None:
    sizes = (100,) if quick else (100, 1000, 10_000) if full else (100, 300, 1000)
    print("value and grad of loops over a state of 1 MB: peak memory in MB, time a step, ratio to the loop unchecked")
    for kind in ("scan", "while"):
        base: float | None = None
        for n in sizes:
            rows = {"all kept": None} if n <= 1000 else {}
            for name, setting in (rows | settings(kind, n)).items():
                found = measured(kind, n, setting)
                each = found["seconds"] / n * 1e3
                base = each if setting is None else base
                ratio = f"{each / base:5.2f}" if base else "    -"
                print(f"  {kind:6s}n = {n:6d}  {name:18s}{found['megabytes']:9.1f} MB  {each:7.3f} ms a step  {ratio}")
    print(
        "  target: memory like sqrt(n) or log(n); time at most 2.2 with sqrt(n). Ratios beyond 1000 steps are to 1000"
    )


# ---- (d) depth ----


def nest(depth: int) -> Callable[[Any], Any]:
    """Loops and branches in one another, each with work of its own."""
    if depth == 0:
        return lambda x: np.sin(x) * x
    return layer(depth, nest(depth - 1))


def layer(depth: int, inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if depth % 3 == 1:
        return lambda x: lax.scan(lambda c, _: (inner(c) * 0.5, None), x, None, length=2)[0]
    if depth % 3 == 2:
        return lambda x: lax.cond(x > 0.1, inner, lambda x: 0.5 * x, x)
    return lambda x: lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, inner(s[1]) * 0.9), (0, x))[1]


def depth(quick: bool) -> None:
    print("nests of scan, cond and while: ms to write down f, grad of f, grad of grad of f; eqns of the second, in all")
    for d in range(1, 4 if quick else 7):
        f = nest(d)
        shown = []
        for g in (f, xform.grad(f), xform.grad(xform.grad(f))):
            times = []
            for _ in range(3):
                start = time.perf_counter()
                program = xform.make_jaxpr(g)(0.5)
                times.append(time.perf_counter() - start)
            shown.append((min(times) * 1e3, size(program)))
        print(f"  depth {d}: " + "  ".join(f"{t:9.1f} ms" for t, _ in shown) + f"  {shown[1][1]:6d} eqns")


def size(program: xform.Jaxpr) -> int:
    """The number of eqns, those of programs inside included."""
    count, todo = 0, [program]
    while todo:
        jaxpr = todo.pop()
        count += len(jaxpr.eqns)
        for eqn in jaxpr.eqns:
            for value in eqn.params.values():
                todo += [p for p in (value if isinstance(value, tuple) else (value,)) if isinstance(p, xform.Jaxpr)]
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    parser.add_argument("--full", action="store_true", help="10 000 steps of 1 MB, checkpointed")
    parser.add_argument("--only", choices=["overhead", "reads", "memory", "depth"], help="one table")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        kind, n, setting = json.loads(options.measure)
        measure(kind, n, setting)
        return
    tables: dict[str, Callable[[], None]] = {
        "overhead": lambda: overhead(options.quick),
        "reads": lambda: reads(options.quick),
        "memory": lambda: memory(options.quick, options.full),
        "depth": lambda: depth(options.quick),
    }
    for name, table in tables.items():
        if options.only in (None, name):
            table()


if __name__ == "__main__":
    main()
