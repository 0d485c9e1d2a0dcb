"""`check_grads` and its parts: derivatives of any order, in all combinations of the modes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core.errors import describe
from xform.testing.compare import Tolerance, as_arguments
from xform.testing.probe import Probe
from xform.transforms.arguments import leaf_names
from xform.transforms.jvp import jvp
from xform.transforms.vjp import vjp

MODES = {"fwd": "forward", "rev": "reverse"}


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of `f(*args)` up to `order`, in all combinations of the modes, against finite differences.

    The second order is checked as the first order of the functions (x, v) -> f'(x) v and (x, y_bar) -> f'(x)^T y_bar,
    and so on. With both modes the two are also compared with each other, which is far more precise. `f` takes and
    returns trees of arrays; integers among them are constants, with tangents of dtype float0.

    Allowed is a difference of atol + rtol |wanted|, and the rounding error of the quotient; by default both are
    eps^(2/5) for the dtypes at hand (5e-7 in float64, 2e-3 in float32). `eps` is the step of the differences, by
    default the best one.

    Raises AssertionError that names the order, the mode, the argument and both numbers; TypeError and ValueError for
    unsuitable parameters.

    >>> check_grads(lambda x, y: x * np.sin(y), (2.0, 0.5), order=3)
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    if not modes or not set(modes) <= set(MODES):
        raise ValueError(f"check_grads: modes must be some of {tuple(MODES)}, not {modes}")
    if not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(f"check_grads: order must be a positive integer, not {order!r}")
    args, tolerance = as_arguments("check_grads", args), Tolerance(atol, rtol)
    stages = [Stage(f, args, leaf_names(f, args), ())]
    for level in range(1, order + 1):
        for stage in stages:
            stage.check(f"check_grads of {describe(f)}", modes, tolerance, eps)
        if level < order:
            stages = [stage.differentiated(mode) for stage in stages for mode in modes]


def check_jvp(
    f: Callable[..., Any],
    f_jvp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check `f_jvp(args, tangents) -> (out, out_tangents)` against finite differences of `f(*args)`.

    The parameters are those of `check_grads`; `err_msg` is put in front of the message. Raises AssertionError.

    >>> check_jvp(np.sin, lambda x, v: (np.sin(*x), np.cos(*x) * v[0]), (1.0,))
    """
    probe_of("check_jvp", f, args, Tolerance(atol, rtol), eps, err_msg).check_forward(f_jvp)


def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check `f_vjp(*args) -> (out, pullback)` against finite differences of `f(*args)`.

    The parameters are those of `check_grads`; `err_msg` is put in front of the message. Raises AssertionError.

    >>> check_vjp(np.sin, lambda x: (np.sin(x), lambda y_bar: (np.cos(x) * y_bar,)), (1.0,))
    """
    probe_of("check_vjp", f, args, Tolerance(atol, rtol), eps, err_msg).check_reverse(f_vjp)


def probe_of(
    check: str, f: Callable[..., Any], args: Any, tolerance: Tolerance, eps: float | None, err_msg: str
) -> Probe:
    args = as_arguments(check, args)
    origin = f"{check} of {describe(f)}"
    return Probe(f"{err_msg}: {origin}" if err_msg else origin, f, args, leaf_names(f, args), tolerance, eps)


class Stage:
    """A derivative function of some order: `history` has the modes that led to it, the first one first."""

    __slots__ = ("args", "f", "history", "names")

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], names: list[str], history: tuple[str, ...]
    ) -> None:
        self.f, self.args, self.names, self.history = f, args, names, history

    def probe(self, origin: str, how: str, tolerance: Tolerance, eps: float | None) -> Probe:
        modes = " over ".join([how, *[MODES[m] for m in reversed(self.history)]])
        origin = f"{origin}, order {len(self.history) + 1}, {modes} mode"
        return Probe(origin, self.f, self.args, self.names, tolerance, eps)

    def check(self, origin: str, modes: Sequence[str], tolerance: Tolerance, eps: float | None) -> None:
        """Each mode against finite differences, and one against the other."""
        f_jvp, f_vjp = functools.partial(jvp, self.f), functools.partial(vjp, self.f)
        if "fwd" in modes:
            self.probe(origin, "forward", tolerance, eps).check_forward(f_jvp)
        if "rev" in modes:
            self.probe(origin, "reverse", tolerance, eps).check_reverse(f_vjp)
        if "fwd" in modes and "rev" in modes:
            self.probe(origin, "reverse against forward", tolerance, eps).check_transposed(f_jvp, f_vjp)

    def differentiated(self, mode: str) -> Stage:
        """The derivative as a function of the point and of a tangent or cotangent."""
        f, probe = self.f, self.probe("", mode, Tolerance(None, None), None)

        def pushforward(xs: Any, x_dots: Any) -> Any:
            return jvp(f, xs, x_dots)[1]

        def pullback(xs: Any, y_bars: Any) -> Any:
            return vjp(f, *xs)[1](y_bars)

        history = (*self.history, mode)
        if mode == "fwd":
            x_dots = probe.argument_trees(probe.tangents(probe.active))
            names = [*self.names, *[f"the tangent of {name}" for name in self.names]]
            return Stage(pushforward, (self.args, x_dots), names, history)
        y_bars = probe.values.result_tree(probe.cotangents())
        names = [*self.names, *[f"the cotangent of {name}" for name in probe.result_names()]]
        return Stage(pullback, (self.args, y_bars), names, history)
