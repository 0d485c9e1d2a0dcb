"""The doors to functions with rules of the user's own, named after the rule that comes first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from xform.control.custom.call import has_numbers
from xform.control.custom.closure import converted
from xform.control.custom.function import CustomFunction
from xform.control.custom.signatures import title_of
from xform.core import tree

__all__ = ["custom_gradient", "custom_jvp", "custom_vjp", "custom_vmap"]


def custom_jvp(
    fun: Callable[..., Any] | None = None,
    nondiff_argnums: int | Sequence[int] = (),
    nondiff_argnames: str | Sequence[str] = (),
) -> Any:
    """A function with a forward-mode rule of its own, which `f.defjvp` or `f.defjvps` gives it.

        y_dot = rule(x, x_dot) instead of f'(x) x_dot

    Reverse mode follows by transposing the rule, which must be linear in x_dot. The arguments at `nondiff_argnums` or
    of the names `nondiff_argnames` may be anything (functions, strings) but traced values. More rules may be given
    (`defvjp`, `def_vmap`, `defjet`). Without `fun` it is a decorator with these options.

    The function and its rules may close over arrays, and over values of an enclosing `vmap`, but not over values with
    respect to which one differentiates: LeakedTracerError.

    >>> import numpy as np, xform
    >>> @xform.custom_jvp
    ... def root(x):
    ...     return np.sqrt(x)
    >>> @root.defjvp
    ... def root_jvp(primals, tangents):
    ...     y = root(*primals)
    ...     return y, np.minimum(0.5 / y, 100.0) * tangents[0]
    >>> with np.errstate(divide="ignore"):
    ...     xform.grad(root)(0.0), xform.grad(root)(4.0)
    (np.float64(100.0), np.float64(0.25))
    """
    if fun is None:
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames)
    return CustomFunction(fun, nondiff_argnums, nondiff_argnames)


def custom_vjp(
    fun: Callable[..., Any] | None = None,
    nondiff_argnums: int | Sequence[int] = (),
    nondiff_argnames: str | Sequence[str] = (),
) -> Any:
    """A function with a reverse-mode rule of its own, which `f.defvjp(fwd, bwd)` gives it.

        y, residuals = fwd(x)        x_bar = bwd(residuals, y_bar) instead of y_bar^T f'(x)

    Forward mode follows by transposing `bwd`, or by differentiating `fun` if that is not linear. Otherwise as
    `custom_jvp`.

    >>> import numpy as np, xform
    >>> @xform.custom_vjp
    ... def step(x):
    ...     return np.sign(x)
    >>> step.defvjp(lambda x: (step(x), x), lambda x, g: (g * (np.abs(x) < 1.0),))
    >>> xform.grad(lambda x: np.sum(step(x)))(np.array([0.5, 3.0]))
    array([1., 0.])
    """
    if fun is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames)
    return CustomFunction(fun, nondiff_argnums, nondiff_argnames)


def custom_vmap(fun: Callable[..., Any]) -> CustomFunction:
    """A function with a batch rule of its own, which `f.def_vmap` gives it; otherwise as `custom_jvp`.

    >>> import numpy as np, xform
    >>> @xform.custom_vmap
    ... def total(x):
    ...     return np.sum(x)
    >>> @total.def_vmap
    ... def totals(axis_size, in_batched, x):
    ...     return np.ones(axis_size) * 7.0, True
    >>> print(total(np.ones(3)), xform.vmap(total)(np.ones((2, 3))))
    3.0 [7. 7.]
    """
    return CustomFunction(fun)


def custom_gradient(fun: Callable[..., Any]) -> CustomFunction:
    """A function with a reverse-mode rule of its own, where `fun` returns both: `fun(*x) -> (y, pullback)`.

    `pullback(y_bar)` is a tuple with a cotangent for each argument, or the cotangent itself if there is one argument;
    it may use whatever `fun` has computed. The function so made returns y.

    Raises TypeError if `fun` does not return a pair of a value and a function.

    >>> import numpy as np, xform
    >>> @xform.custom_gradient
    ... def square(x):
    ...     return x * x, lambda g: g * 100.0
    >>> square(3.0), xform.grad(square)(3.0)
    (9.0, np.float64(100.0))
    """
    name = title_of(fun)

    @functools.wraps(fun)
    def value(*args: Any, **kwargs: Any) -> Any:
        return parts(name, fun(*args, **kwargs))[0]

    def fwd(*args: Any) -> tuple[Any, Any]:
        out, pullback = parts(name, fun(*args))
        if all(map(has_numbers, tree.leaves((args, out)))):
            return out, (pullback, [])
        return out, converted(pullback, out)  # what it closes over becomes visible to the program being written

    def bwd(residuals: Any, y_bar: Any) -> tuple[Any, ...]:
        pullback, values = residuals
        x_bar = pullback(y_bar, *values)
        return x_bar if isinstance(x_bar, tuple) else (x_bar,)

    custom = CustomFunction(value)
    custom.defvjp(fwd, bwd)
    return custom


def parts(name: str, pair: Any) -> tuple[Any, Any]:
    """What a function with its own gradient returns: a value and a function."""
    if not isinstance(pair, tuple | list) or len(pair) != 2 or not callable(pair[1]):
        raise TypeError(
            f"custom_gradient: {name} returned a {type(pair).__name__}; wanted a pair (value, function from the "
            "cotangent of the value to those of the arguments)"
        )
    return pair[0], pair[1]
