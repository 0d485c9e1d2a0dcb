"""jit against JAX's and against hand-written NumPy: speed of calls and programs, time to compile, memory.

pip install -e '.[bench]'
python tests/benchmarks/jit.py              some minutes on one core; --quick is shorter, --only NAME,NAME runs these
                                            tables: overhead, micro, programs, gradbench, first, compile, linear,
                                            memory, numpy; without JAX the tables have our times only; --threads N
                                            allows more than one

A ratio is ours to the other's, of the medians of runs in turns in one process, with the target behind it.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gradbench_programs import random_cases
from jit_programs import COMPILED, MICRO, PROGRAMS, WITH_NUMPY, Program, mlp_by_hand, network, waves_by_hand
from jit_programs import grad as grad_of
from jit_programs import mlp as loss_of_mlp
from measuring import Package, geometric_mean, package, packages, pin, row

import xform

# ---- what a call costs ----


def overheads(tool: Package) -> dict[str, Callable[[], Any]]:
    """Calls of jitted functions that do next to nothing."""
    jit = tool.xf.jit
    x, call = np.linspace(0.5, 2.0, 10), tool.call
    power = functools.partial(jit, static_argnums=1)(lambda x, n: x * n)
    named = functools.partial(jit, static_argnames="n")(lambda x, n: x * n)
    several = jit(lambda a, b, c, d: a + b + c + d)
    tree = {"w": x, "layers": [(x, x), (x, x)]}
    plain, scaled = jit(lambda x: x * 2.0), jit(lambda x, a: x * a)
    given = tool.given(x)
    return {
        "one array": call(plain, (x,)),
        "four arrays": call(several, (x, x, x, x)),
        "two results": call(jit(lambda x: (x * 2.0, x + 1.0)), (x,)),
        "a dictionary as the result": call(jit(lambda x: {"a": x * 2.0, "b": x + 1.0}), (x,)),
        "a keyword": call(jit(lambda x, y: x * y), (x,), y=x),
        "a dictionary": call(jit(lambda d: d["a"] * d["b"]), ({"a": x, "b": x},)),
        "a tree of five arrays": call(jit(lambda t: t["w"] + t["layers"][1][0]), (tree,)),
        "a static argument": lambda: power(given, 3),
        "a static keyword": lambda: named(given, n=3),
        "a Python number": lambda: scaled(given, 2.0),
        "under jit(grad)": call(jit(tool.xf.grad(lambda x: x @ x)), (x,)),
    }


def overhead(seconds: float) -> None:
    print("call of a jitted function of arrays of 10   (target of the first at most 0.5, stretch under 1.5 us)")
    tools = packages()
    calls = {tool.name: overheads(tool) for tool in tools}
    for title in calls["xform"]:
        target = {"JAX": "at most 0.5"} if title == "one array" else {}
        row(f"  {title}", {tool.name: calls[tool.name][title] for tool in tools}, seconds, target)


# ---- what programs cost ----


def jitted(program: Program) -> dict[str, Callable[[], Any]]:
    """The call of a program, by package."""
    return {t.name: t.call(t.xf.jit(program.make(t.xf, t.np)), program.args) for t in packages()}


def micro(seconds: float) -> None:
    print("small programs, jitted")
    for title, program in MICRO.items():
        calls, targets = jitted(program), {"JAX": program.target}
        if title.startswith("sum"):
            calls["NumPy"] = lambda args=program.args: waves_by_hand(*args)
        if title.startswith("MLP"):
            calls["NumPy"] = lambda args=program.args: mlp_by_hand(*args)
            targets["NumPy"] = "at most 0.75"
        row(f"  {title}", calls, seconds, targets)


def programs(seconds: float) -> None:
    print("programs, jitted: derivatives")
    ratios = [row(f"  {title}", jitted(program), seconds, {}) for title, program in PROGRAMS.items()]
    found = [r["JAX"] for r in ratios if "JAX" in r]
    if found:
        print(f"  geometric mean {geometric_mean(found):.3f} (at most 0.6), largest {max(found):.3f} (at most 1.1)")


#: what the derivatives of a group are to take at most, in the geometric mean, as a part of JAX's time
GROUPS = {"small": 0.5, "vectorised": 0.7, "loops": 0.9, "nested": 0.4}


def gradbench(seconds: float) -> None:
    print("the evals of GradBench, jitted (hello: not)")
    found: dict[str, list[float]] = {}
    for title, case in random_cases().items():
        for name, make in case.functions.items():
            calls = {}
            for tool in packages()[: 1 if name in case.beyond else None]:
                f = make(tool.xf, tool.np)
                calls[tool.name] = tool.call(f if title == "hello" else tool.xf.jit(f), case.args)
            ratios = row(f"  {title}, {name}", calls, seconds / 4, {})
            if "JAX" in ratios and name not in ("primal", "square"):
                found.setdefault(case.group, []).append(ratios["JAX"])
    for group, rs in found.items():
        target = f"at most {GROUPS[group]}"
        print(f"  derivatives, {group}: geometric mean {geometric_mean(rs):.3f} ({target}), largest {max(rs):.3f}")


def with_numpy(seconds: float) -> None:
    print("the NumPy backend: against the function as it is, and JAX's without jit")
    against: dict[str, list[float]] = {}
    for title, program in WITH_NUMPY.items():
        tools = packages()
        calls = {"numpy": tools[0].call(xform.jit(program.make(xform, np), backend="numpy"), program.args)}
        calls |= {f"{t.name}, no jit": t.call(program.make(t.xf, t.np), program.args) for t in tools}
        for name, r in row(f"  {title}", calls, seconds, {}).items():
            against.setdefault(name, []).append(r)
    for name, target in {"xform, no jit": "at most 0.7, none above 1", "JAX, no jit": "at most 0.05"}.items():
        if name in against:
            rs = against[name]
            print(f"  geometric mean against {name}: {geometric_mean(rs):.3f}, largest {max(rs):.3f} ({target})")


# ---- in processes of their own: first calls, memory ----


@functools.cache
def bytecode() -> str:
    """A folder for compiled modules, as an installed package has them, for as long as this process lives."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return folder.name


def child(*what: Any, cache: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", json.dumps(what)]
    environment = {
        **os.environ,
        "XFORM_CACHE_DIR": cache,
        "PYTHONPYCACHEPREFIX": bytecode(),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def first_call(name: str, title: str) -> dict[str, float]:
    """Seconds of the first jitted call in a process, of something trivial, and then of a program."""
    tool, program = package(name), COMPILED[title] if title in COMPILED else eval_of(title)
    assert tool.xf.lax  # a room that is imported when it is first looked into
    trivial = tool.call(tool.xf.jit(lambda x: x + 1.0), (np.ones(3),))
    call = tool.call(tool.xf.jit(program.make(tool.xf, tool.np)), program.args)
    times = []
    for first in (trivial, call):
        gc.collect()
        start = time.perf_counter()
        first()
        times.append(time.perf_counter() - start)
    return {"start": times[0], "program": times[1]}


def eval_of(title: str) -> Program:
    """A function of an eval of GradBench, by the names of both."""
    name, function = title.rsplit(", ", 1)
    case = random_cases()[name]
    return Program(case.functions[function], case.args)


def first_calls(repeats: int) -> None:
    print("first calls of the evals of GradBench (trace, compile, run), ms; medians")
    found = []
    for title, case in random_cases().items():
        for function in [] if title == "hello" else case.functions:
            names = [t.name for t in packages()[: 1 if function in case.beyond else None]]
            times: dict[str, list[float]] = {name: [] for name in names}
            for _ in range(repeats):
                for name in names:
                    with tempfile.TemporaryDirectory() as folder:
                        measured = child("first_call", name, f"{title}, {function}", cache=folder)
                    times[name].append(measured["program"] * 1e3)
            ms = {name: statistics.median(ts) for name, ts in times.items()}
            line = f"  {f'{title}, {function}':34s}" + "".join(f"{name} {t:8.1f} ms  " for name, t in ms.items())
            if "JAX" in ms:
                found.append(ms["xform"] / ms["JAX"])
                line += f"/JAX {found[-1]:.3f}"
            print(line, flush=True)
    if found:
        print(f"  geometric mean {geometric_mean(found):.3f}, largest {max(found):.3f} (each at most 0.5)")


def compile_times(repeats: int) -> None:
    print("first call in a process (trace, compile, run), ms; medians; the first jitted call of all stands apart")
    names = [t.name for t in packages()]
    started: dict[str, list[float]] = {}
    for title in COMPILED:
        found: dict[str, list[float]] = {}
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                for way in ("cold", "cached", *(n for n in names if n != "xform")):
                    times = child("first_call", "JAX" if way == "JAX" else "xform", title, cache=folder)
                    found.setdefault(way, []).append(times["program"] * 1e3)
                    started.setdefault(way, []).append(times["start"] * 1e3)
        ms = {way: statistics.median(ts) for way, ts in found.items()}
        line = f"  {title:26s}" + "".join(f"{way} {t:8.1f} ms  " for way, t in ms.items())
        if "JAX" in ms:
            line += f"cold/JAX {ms['cold'] / ms['JAX']:.3f} (at most 1)  "
            line += f"cached/JAX {ms['cached'] / ms['JAX']:.3f} (at most 0.2)"
        print(line, flush=True)
    print(
        "  the trivial call before it   "
        + "  ".join(f"{way} {statistics.median(ts):.1f} ms" for way, ts in started.items())
    )


def status(name: str) -> int:
    """A line of what Linux knows of this process, in KiB."""
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0])


def peak(name: str) -> dict[str, float]:
    """MiB at the peak of the first call of a compiled gradient, beyond those in use when it had been compiled."""
    tool = package(name)
    args = tool.given(DEEP)
    call = tool.call(tool.xf.jit(grad_of(loss_of_mlp)(tool.xf, tool.np)).lower(*args).compile(), args)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that from now on
    before = status("VmRSS")
    call()
    return {"peak": (status("VmHWM") - before) / 1024}


DEEP = network([64] + [128] * 50 + [10], 512)


def memory(repeats: int) -> None:
    print("peak memory of the first call of a compiled gradient of an MLP, 51 layers, batch 512, MiB")
    with tempfile.TemporaryDirectory() as folder:
        found = {
            t.name: statistics.median(child("peak", t.name, cache=folder)["peak"] for _ in range(repeats))
            for t in packages()
        }
    line = "".join(f"  {name} {m:8.1f}" for name, m in found.items())
    print(line + (f"  /JAX {found['xform'] / found['JAX']:.3f} (at most 1)" if "JAX" in found else ""))


# ---- how compile time grows ----


def chain(np: Any, length: int) -> Callable[..., Any]:
    def f(x):
        for _ in range(length // 4):
            x = np.sin(x)
            x = x * 1.1
            x = x + 0.1
            x = np.cos(x)
        return x

    return f


def growing(np: Any, length: int) -> Callable[..., Any]:
    """Each value from the last one and one further back: what keeps many values alive."""

    def f(x):
        values = [x, x * 0.5]
        for k in range(length // 2):
            values.append(values[-1] * 0.9 + values[k // 2])
        return values[-1]

    return f


GROWING = {"a chain": chain, "a net": growing}


def linear(quick: bool, repeats: int) -> None:
    print("scalar programs of n equations, us per equation   (before the compiler at most 100, the same for all n)")
    for title in GROWING:
        for n in (1000, 4000) if quick else (1000, 4000, 20_000):
            with tempfile.TemporaryDirectory() as folder:
                runs = [child("grown", title, n, cache=f"{folder}/{k}") for k in range(repeats)]
            each = {name: statistics.median(run[name] for run in runs) / n * 1e6 for name in runs[0]}
            parts = "  ".join(f"{name} {t:6.1f}" for name, t in each.items())
            before = sum(t for name, t in each.items() if name != "compiler")
            print(f"  {title}, n = {n:6d}  {parts}  before the compiler {before:6.1f}", flush=True)


def grown(title: str, n: int) -> dict[str, float]:
    """Seconds of each step of compiling such a program, when another one has been compiled."""
    steps_of(GROWING[title](np, 100))
    gc.collect()
    return steps_of(GROWING[title](np, n))


def steps_of(f: Callable[..., Any]) -> dict[str, float]:
    """Seconds of each step of compiling a function of a number."""
    from xform.compile.c.backend import Writer, function
    from xform.compile.pipeline import build_c, optimised

    times = [time.perf_counter()]
    jaxpr = xform.make_jaxpr(f)(0.5)
    times.append(time.perf_counter())
    best = optimised(jaxpr)
    times.append(time.perf_counter())
    function(Writer(), best)
    times.append(time.perf_counter())
    build_c(best, ())
    times.append(time.perf_counter())
    tracing, passes, emission, building = np.diff(times)
    return {"tracing": tracing, "passes": passes, "emission": emission, "compiler": building - emission}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter measurements")
    parser.add_argument("--only", help="tables, with commas between them")
    parser.add_argument("--threads", type=int, default=1, help="for all, on as many cores")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, *arguments = json.loads(options.measure)
        print(json.dumps({"first_call": first_call, "peak": peak, "grown": grown}[name](*arguments)))
        return
    pin(options.threads)
    seconds, repeats = (0.3, 1) if options.quick else (2.0, 5)
    tables: dict[str, Callable[[], None]] = {
        "overhead": lambda: overhead(seconds / 2),
        "micro": lambda: micro(seconds),
        "programs": lambda: programs(seconds),
        "gradbench": lambda: gradbench(seconds),
        "first": lambda: first_calls(min(repeats, 3)),
        "compile": lambda: compile_times(repeats),
        "linear": lambda: linear(options.quick, min(repeats, 3)),
        "memory": lambda: memory(repeats),
        "numpy": lambda: with_numpy(seconds),
    }
    wanted = options.only.split(",") if options.only else list(tables)
    if unknown := sorted(set(wanted) - set(tables)):
        parser.error(f"--only: there is no table {unknown[0]!r}; there are {', '.join(tables)}")
    for name in wanted:
        tables[name]()


if __name__ == "__main__":
    main()
