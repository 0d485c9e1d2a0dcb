"""Eager derivatives against HIPS autograd (and un-jitted JAX): ratios of medians of interleaved runs.

pip install -e '.[bench]'
python tests/benchmarks/eager.py            about a minute; --jax adds JAX's un-jitted times, --quick is shorter
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import xform

rng = np.random.default_rng(0)


# ---- the programs, written once for any module with NumPy's names ----


def tanh(np: Any) -> Callable[..., Any]:
    def f(x):
        y = np.exp(-2.0 * x)
        return (1.0 - y) / (1.0 + y)

    return f


def logistic_map(np: Any) -> Callable[..., Any]:
    def f(x):
        for _ in range(50):
            x = 3.7 * x * (1.0 - x)
        return x

    return f


def rosenbrock(np: Any) -> Callable[..., Any]:
    return lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def elementwise(np: Any) -> Callable[..., Any]:
    return lambda x: np.sum(np.tanh(x) * np.exp(-x) + np.sin(x))


def mlp(np: Any) -> Callable[..., Any]:
    def predict(params, inputs):
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs

    def loss(params, inputs, targets):
        return np.mean((predict(params, inputs) - targets) ** 2)

    return loss


def network(sizes: list[int], batch: int) -> tuple[Any, ...]:
    params = [(rng.normal(size=(m, n)) / np.sqrt(m), rng.normal(size=n)) for m, n in itertools.pairwise(sizes)]
    return params, rng.normal(size=(batch, sizes[0])), rng.normal(size=(batch, sizes[-1]))


def chain(np: Any, length: int = 1000) -> Callable[..., Any]:
    def f(x):
        for _ in range(length // 4):
            x = np.sin(x)
            x = x * 1.1
            x = x + 0.1
            x = np.cos(x)
        return x

    return f


ROWS: list[tuple[str, Callable[..., Any], tuple[Any, ...], int]] = [
    ("tanh of the lectures", tanh, (1.0,), 1),
    ("logistic map, 50 steps", logistic_map, (0.3,), 1),
    ("Rosenbrock, 10", rosenbrock, (rng.normal(size=10),), 1),
    ("sum tanh*exp+sin, 1000", elementwise, (rng.normal(size=1000),), 1),
    ("MLP 8-16-16-2, batch 8", mlp, network([8, 16, 16, 2], 8), 1),
    ("MLP 64-128-128-10, batch 128", mlp, network([64, 128, 128, 10], 128), 1),
    ("grad of grad of tanh", tanh, (1.0,), 2),
]


# ---- measuring ----


def interleaved(calls: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Median time of each call, measured in turns so that a drift of the machine hits all of them."""
    batch = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        once = time.perf_counter() - start
        batch[name] = max(1, int(0.002 / once))
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(batch[name]):
                call()
            times[name].append((time.perf_counter() - start) / batch[name])
    return {name: statistics.median(ts) for name, ts in times.items()}


def peers(with_jax: bool) -> dict[str, tuple[Any, Callable[..., Any]]]:
    """Name to NumPy module and gradient function."""
    import autograd
    import autograd.numpy

    found: dict[str, Any] = {"xform": (np, xform.grad), "autograd": (autograd.numpy, autograd.grad)}
    if with_jax:
        import jax

        jax.config.update("jax_enable_x64", True)
        found["jax"] = (jax.numpy, jax.grad)
    return found


def gradients(seconds: float, with_jax: bool) -> None:
    tools = peers(with_jax)
    print(f"{'gradient, eager':32s}" + "".join(f"{name:>14s}" for name in tools) + "   xform/autograd")
    ratios = []
    for title, program, args, order in ROWS:
        calls = {}
        for name, (module, grad) in tools.items():
            f = program(module)
            for _ in range(order):
                f = grad(f)
            calls[name] = lambda f=f, args=args: f(*args)
        check_agreement(calls["xform"](), calls["autograd"]())
        times = interleaved(calls, seconds)
        ratios.append(times["xform"] / times["autograd"])
        print(f"{title:32s}" + "".join(f"{times[n] * 1e6:11.1f} us" for n in tools) + f"{ratios[-1]:12.3f}")
    print(
        f"geometric mean of xform/autograd: {math.exp(statistics.fmean(map(math.log, ratios))):.3f}   "
        "(target 0.5, stretch 0.33; no row above 0.9)"
    )


def check_agreement(ours: Any, theirs: Any) -> None:
    ours, theirs = xform.tree.leaves(ours), xform.tree.leaves(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def pushforward(seconds: float) -> None:
    import autograd.numpy as anp
    from autograd import make_jvp

    x, v = rng.normal(size=10), rng.normal(size=10)
    ours, theirs = chain(np), make_jvp(chain(anp))
    times = interleaved({"xform": lambda: xform.jvp(ours, (x,), (v,)), "autograd": lambda: theirs(x)(v)}, seconds)
    a, b = (times[name] / 1000 * 1e6 for name in ("xform", "autograd"))
    print(
        f"jvp per op, chain of 1000 ops on 10-vectors: xform {a:.2f} us, autograd {b:.2f} us, "
        f"ratio {a / b:.3f}   (target 0.5)"
    )


def indexed_reads() -> None:
    print("grad of a loop reading x[0] ... x[n-1]:")
    f = xform.grad(lambda x: sum(x[i] * x[i] for i in range(x.shape[0])))
    for n in (1000, 10_000, 100_000):
        x = rng.normal(size=n)
        seconds, peak = timed(lambda x=x: f(x))
        print(f"  n = {n:7d}: {seconds / n * 1e6:6.2f} us and {peak / n:6.0f} bytes per read")


def long_chain(length: int = 100_000) -> None:
    f = chain(np, length)
    print(f"chain of {length} ops:")
    for name, run in {
        "grad": lambda: xform.grad(f)(0.5),
        "jvp": lambda: xform.jvp(f, (0.5,), (1.0,)),
        "make_jaxpr": lambda: xform.make_jaxpr(f)(0.5),
        "make_jaxpr and print": lambda: str(xform.make_jaxpr(f)(0.5)),
    }.items():
        start = time.perf_counter()
        run()
        print(f"  {name:22s} {time.perf_counter() - start:6.2f} s")


def timed(call: Callable[[], Any], repeats: int = 3) -> tuple[float, int]:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), peak_memory(call)


def peak_memory(call: Callable[[], Any]) -> int:
    """Bytes allocated at the peak of a call, Python objects and arrays."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def memory() -> None:
    import autograd
    import autograd.numpy as anp

    args = network([64] + [128] * 50 + [10], 512)
    ours = peak_memory(lambda: xform.grad(mlp(np))(*args))
    theirs = peak_memory(lambda: autograd.grad(mlp(anp))(*args))
    print(
        f"peak memory of grad, MLP of 51 layers, batch 512: xform {ours / 2**20:.1f} MiB, "
        f"autograd {theirs / 2**20:.1f} MiB, ratio {ours / theirs:.3f}   (target 1)"
    )


def import_time(repeats: int = 15) -> None:
    program = "import time, numpy; t = time.perf_counter(); import xform; print(time.perf_counter() - t)"
    runs = [float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(repeats)]
    print(f"import xform beyond NumPy: median {statistics.median(runs) * 1e3:.1f} ms   (target 50)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter measurements")
    parser.add_argument("--jax", action="store_true", help="time JAX without jit as well")
    options = parser.parse_args()
    seconds = 0.5 if options.quick else 3.0
    gradients(seconds, options.jax)
    pushforward(seconds)
    indexed_reads()
    long_chain()
    memory()
    import_time()


if __name__ == "__main__":
    main()
