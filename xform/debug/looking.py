"""Functions that look at values on their way through a program; the format string of `print` is checked when staged."""

from __future__ import annotations

import builtins
import functools
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from xform.control.callbacks.callback import debug_callback
from xform.control.callbacks.host import is_number
from xform.core import tree
from xform.core.aval import aval_of
from xform.core.tracebacks import public
from xform.transforms.arguments import as_array


@public
def callback(callback: Callable[..., Any], *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Call `callback(*args, **kwargs)` with values in place of tracers, whenever the program runs.

    The arrays among the arguments, trees of any values, arrive as NumPy arrays and scalars, copies that the function
    may keep; its result is ignored. Under differentiation they are the primal values, and the call happens once,
    forward. Under vmap the function is called for each example in turn, unless none of its arguments is batched; then
    once. Calls are always in the order of the program; `ordered` is there for programs written for other systems.

    Raises TypeError if `callback` is not callable. An error inside it passes through, with a note where it was called.

    >>> from xform import grad
    >>> seen = []
    >>> def f(x):
    ...     y = x * x
    ...     callback(seen.append, y)
    ...     return y * x
    >>> grad(f)(3.0), seen
    (np.float64(27.0), [np.float64(9.0)])
    """
    debug_callback("debug.callback", callback, args, kwargs, ordered)


@public
def print(fmt: str, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Print `fmt.format(*args, **kwargs)` with values in place of tracers, whenever the program runs.

    Whether the format string takes these arguments, their shapes and dtypes, is checked at the call. Otherwise as
    `callback`.

    Raises ValueError, at the call, for a place without an argument, an argument without a place (an f-string has none),
    or a format specification that does not suit its argument; TypeError if `fmt` is not a string.

    >>> import numpy as np
    >>> from xform import vmap
    >>> def f(x):
    ...     print("x = {x:.1f}, y = {}", np.exp(x), x=x)
    ...     return x
    >>> vmap(f)(np.array([0.0, 1.0]))
    x = 0.0, y = 1.0
    x = 1.0, y = 2.718281828459045
    array([0., 1.])
    """
    if not isinstance(fmt, str):
        raise TypeError(f"debug.print: {type(fmt).__name__} {fmt!r:.60} was given; wanted a format string first")
    check_format(fmt, args, kwargs)
    name = f"print({fmt if len(fmt) <= 40 else fmt[:37] + '...'!r})"
    debug_callback("debug.print", functools.partial(write, fmt), args, kwargs, ordered, name)


def write(fmt: str, /, *args: Any, **kwargs: Any) -> None:
    builtins.print(fmt.format(*args, **kwargs))


def check_format(fmt: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise ValueError unless the format string takes these arguments, and all of them."""
    shown_args, shown_kwargs = tree.map(stand_in, (args, kwargs))
    try:
        FormatChecker().vformat(fmt, shown_args, shown_kwargs)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"debug.print: {fmt!r:.200} does not take these arguments: {error}") from None


def stand_in(x: Any) -> Any:
    """A zero of the shape and dtype of a value, which may be known by these only; anything else is itself."""
    if not is_number(x):
        return x
    aval = aval_of(as_array(x))
    return np.broadcast_to(np.zeros((), aval.dtype), aval.shape)[()]


class FormatChecker(string.Formatter):
    """Finds out whether a format string suits the arguments, without making text of them."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(key, int) and key >= len(args):
            raise ValueError(
                f"it has a place for positional argument {key}, but there are {len(args)}; pass what belongs there"
            )
        if isinstance(key, str) and key not in kwargs:
            raise ValueError(f"it has a place for {key!r}, but no such keyword argument was given; pass {key}=...")
        return super().get_value(key, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec and isinstance(value, np.ndarray):
            raise ValueError(
                f"the specification {format_spec!r} is for single numbers, but an array of shape {value.shape} was "
                "given; leave it out, and print under numpy.printoptions"
            )
        return format(value, format_spec) if format_spec else ""

    def check_unused_args(self, used_args: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        unused = [str(k) for k in range(len(args)) if k not in used_args] + [k for k in kwargs if k not in used_args]
        if unused:
            raise ValueError(
                f"it has no place for {', '.join(unused)}; add a place {{}}, and pass a plain string with places, not "
                'an f-string, whose values are put in too early: debug.print("x = {}", x)'
            )
