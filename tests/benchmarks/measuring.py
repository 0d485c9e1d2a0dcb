"""Measuring two packages side by side: interleaved runs on the same cores, ratios, agreement of values."""

from __future__ import annotations

import gc
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import xform

#: seconds for which a fast call is repeated before it is the next one's turn
ROUND = 0.002


def pin(threads: int) -> None:
    """Start this program again on so many cores, with so many threads for everyone: libraries look when they load."""
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" if threads == 1 else ""
    wanted = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads), "XLA_FLAGS": flags}
    if all(os.environ.get(name) == value for name, value in wanted.items()):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


class Package(NamedTuple):
    """A package with the names of JAX, and how a call of it is prepared and waited for."""

    name: str
    xf: Any
    np: Any

    def given(self, args: Any) -> Any:
        """The arguments as arrays of the package."""
        return args if self.xf is xform else self.xf.tree.map(self.np.asarray, args)

    def call(self, f: Callable[..., Any], args: Sequence[Any], **kwargs: Any) -> Callable[[], Any]:
        """The call of `f`, complete when it returns: a program is done with all results when it is with one."""
        given, named = self.given(args), self.given(kwargs)
        if self.xf is xform:
            return lambda: f(*given, **named)

        def waited() -> Any:
            y = result = f(*given, **named)
            while isinstance(y, tuple | list | dict):
                y = next(iter(y.values())) if isinstance(y, dict) else y[0]
            y.block_until_ready()
            return result

        return waited


def package(name: str) -> Package:
    """xform, or JAX in double precision."""
    if name == "xform":
        return Package(name, xform, np)
    import jax

    jax.config.update("jax_enable_x64", True)
    return Package(name, jax, jax.numpy)


def packages() -> list[Package]:
    """xform, and JAX if it is installed."""
    return [package("xform"), *([package("JAX")] if find_spec("jax") else [])]


def interleaved(calls: dict[str, Callable[[], Any]], seconds: float, least: int = 5) -> dict[str, list[float]]:
    """Times of each call, at least so many, taken in turns so that a drift of the machine hits all of them."""
    batch = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        batch[name] = max(1, int(ROUND / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < least:
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(batch[name]):
                call()
            times[name].append((time.perf_counter() - start) / batch[name])
    return times


def ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """The median of the ratios of neighbouring runs."""
    return statistics.median(a / b for a, b in zip(times[name], times[base], strict=True))


def geometric_mean(xs: Iterable[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, xs)))


def error(ours: Any, theirs: Any) -> float:
    """The largest difference between two results, relative to the largest entry of the array it is in."""
    pairs = zip(xform.tree.leaves(ours), (np.asarray(b) for b in xform.tree.leaves(theirs)), strict=True)
    return max(float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300)) for a, b in pairs)


def shown(seconds: float) -> str:
    """A time in microseconds, or in milliseconds from ten of these on."""
    return f"{seconds * 1e6:10.2f} us" if seconds < 0.01 else f"{seconds * 1e3:10.2f} ms"


def row(title: str, calls: dict[str, Callable[[], Any]], seconds: float, targets: dict[str, str]) -> dict[str, float]:
    """Measure calls, of which the first is ours, and print times, our ratios to the others, targets and the error."""
    names = list(calls)
    first, *others = [call() for call in calls.values()]
    times = interleaved(calls, seconds)
    ratios = {name: ratio(times, names[0], name) for name in names[1:]}
    parts = [f"{title:34s}", *(f"{name} {shown(statistics.median(times[name]))}" for name in names)]
    for name, found in ratios.items():
        parts.append(f"/{name} {found:6.3f}" + (f" ({targets[name]})" if name in targets else ""))
    if others:
        parts.append(f"error {max(error(first, y) for y in others):.0e}")
    print("  ".join(parts), flush=True)
    return ratios
