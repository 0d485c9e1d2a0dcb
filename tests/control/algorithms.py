"""Algorithms that decide by their data how long to go on, as loops of the library, each beside its twin in Python.

Every one is also nested in a `vmap`, in a branch, in a scan, and in another while loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.control.programs import rows, twin
from xform import vmap
from xform.lax import cond, scan, while_loop

POINT = np.array([0.7, 1.9])


def newton(a):
    """The root of y^3 + y = 1 + a^2."""
    b = 1.0 + a * a

    def step(y):
        return y - (y * y * y + y - b) / (3.0 * y * y + 1.0)

    return while_loop(lambda y: abs(y * y * y + y - b) > 1e-9, step, b)


def newton_in_python(a):
    b = 1.0 + a * a
    y = b
    while abs(y * y * y + y - b) > 1e-9:
        y = y - (y * y * y + y - b) / (3.0 * y * y + 1.0)
    return y


def bisection(a):
    """The root of y + sin y = a between a - 1 and a + 1, to which a last step of Newton's method gives a derivative."""

    def halved(c):
        low, high = c
        middle = (low + high) * 0.5
        return cond(middle + np.sin(middle) > a, lambda: (low, middle), lambda: (middle, high))

    low, high = while_loop(lambda c: c[1] - c[0] > 0.05, halved, (a - 1.0, a + 1.5))
    middle = (low + high) * 0.5
    return middle - (middle + np.sin(middle) - a) / (1.0 + np.cos(middle)), high


def bisection_in_python(a):
    low, high = a - 1.0, a + 1.5
    while high - low > 0.05:
        middle = (low + high) * 0.5
        low, high = (low, middle) if middle + np.sin(middle) > a else (middle, high)
    middle = (low + high) * 0.5
    return middle - (middle + np.sin(middle) - a) / (1.0 + np.cos(middle)), high


def euclid(a):
    """Euclid's algorithm: integers decide, and floats are carried along, m u = gcd u_0 + ..."""
    first = cond(a > 1.0, lambda: 48, lambda: 30)

    def step(c):
        m, n, u, v = c
        return n, m % n, v, u - (m // n) * v * a

    m, _, u, v = while_loop(lambda c: c[1] != 0, step, (first, 18, a, np.sin(a)))
    return m, u * v


def euclid_in_python(a):
    m, n, u, v = np.int64(48 if a > 1.0 else 30), 18, a, np.sin(a)
    while n != 0:
        m, n, u, v = n, m % n, v, u - (m // n) * v * a
    return np.int64(m), u * v


def slope(t, y):
    return -2.0 * y + np.cos(3.0 * t)


def stages(t, y, h):
    """A step of Heun's method, and the difference to that of Euler's."""
    k = slope(t, y)
    k2 = slope(t + h, y + h * k)
    return y + 0.5 * h * (k + k2), 0.5 * h * (k2 - k)


def ode(y0):
    """y' = -2 y + cos 3t up to t = 1, where a step is repeated with a smaller one if the error is too large."""

    def step(c):
        t, y, h, rejected = c
        h = np.minimum(h, 1.0 - t)
        after, error = stages(t, y, h)
        size = abs(error)
        accepted = lambda: (t + h, after, h * np.minimum(2.0, 0.5 * np.sqrt(0.1 / size)), rejected)  # noqa: E731
        return cond(size < 0.1, accepted, lambda: (t, y, h * 0.4, rejected + 1))

    _, y, h, rejected = while_loop(lambda c: c[0] < 1.0 - 1e-9, step, (0.0 * y0, y0, 0.6 + 0.0 * y0, 0))
    return y, h, rejected


def ode_in_python(y0):
    t, y, h, rejected = 0.0 * y0, y0, 0.6 + 0.0 * y0, np.int64(0)
    while t < 1.0 - 1e-9:
        h = np.minimum(h, 1.0 - t)
        after, error = stages(t, y, h)
        if abs(error) < 0.1:
            t, y, h = t + h, after, h * np.minimum(2.0, 0.5 * np.sqrt(0.1 / abs(error)))
        else:
            h, rejected = h * 0.4, rejected + 1
    return y, h, rejected


ALGORITHMS = {newton: newton_in_python, bisection: bisection_in_python, euclid: euclid_in_python, ode: ode_in_python}


def floats(out: Any) -> Any:
    """The first result that is a number of a problem, not one of integers."""
    outs = out if isinstance(out, tuple) else (out,)
    return next(y for y in outs if y.dtype.kind == "f")


def nested(algorithm: Callable[..., Any], python: Callable[..., Any]) -> None:
    """In a vmap, in a branch, in a scan, and in a while loop."""

    def under_vmap(x):
        return vmap(algorithm)(x)

    def under_cond(x):
        return cond(x[1] > 1.0, lambda t: floats(algorithm(t[0])), lambda t: floats(algorithm(t[1])) * t[0], x * x)

    def under_scan(x):
        return scan(lambda c, t: (floats(algorithm(t + 0.1 * np.sin(c))), c), x[0], x)

    def under_while(x):
        step = lambda c: (floats(algorithm(c[0])) * 0.2 + x[1] * 0.3, c[1] + 1)  # noqa: E731
        return while_loop(lambda c: c[1] < 2, step, (x[0], 0))

    def columns(x):
        outs = [python(x[0]), python(x[1])]
        return tuple(rows(list(c)) for c in zip(*outs, strict=True)) if isinstance(outs[0], tuple) else rows(outs)

    def branch(x):
        t = x * x
        return floats(python(t[0])) if x[1] > 1.0 else floats(python(t[1])) * t[0]

    def python_scan(x):
        c, cs = x[0], []
        for t in (x[0], x[1]):
            cs.append(c)
            c = floats(python(t + 0.1 * np.sin(c)))
        return c, rows(cs)

    def python_while(x):
        c = x[0]
        for _ in range(2):
            c = floats(python(c)) * 0.2 + x[1] * 0.3
        return c, np.int64(2)

    nests = {under_vmap: columns, under_cond: branch, under_scan: python_scan, under_while: python_while}
    for program, wanted in nests.items():
        program.__name__ = f"{algorithm.__name__}_{program.__name__}"
        twin(program, POINT)(wanted)


for algorithm, python in ALGORITHMS.items():
    twin(algorithm, POINT[0])(python)
    nested(algorithm, python)
