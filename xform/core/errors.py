"""The errors that xform raises itself: what was given, what was wanted, what to do.

Each also is the built-in error that NumPy or Python would raise for a mistake of that kind, so that `except TypeError`
keeps working in programs which know nothing of xform.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

#: file, line and function of a place in the user's code
Source = tuple[str, int, str]


class XformError(Exception):
    """Base class of the errors below."""


class LeakedTracerError(XformError, RuntimeError):
    """A traced value was used after its transformation had ended, or in another thread."""


class ConcretizationError(XformError, TypeError):
    """A traced value was asked for something that it cannot give without losing its derivative or its generality."""


class MissingRuleError(XformError, NotImplementedError):
    """A primitive lacks the rule that a transformation needs."""


class NonlinearError(XformError, ValueError):
    """A function that must be linear in its inputs is not."""


class TracerAssignmentError(XformError, TypeError):
    """A traced value was assigned into."""


class NonFiniteError(XformError, FloatingPointError):
    """A nan or an inf arose while `debug_nans` or `debug_infs` was on."""

    def __init__(self, what: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([what, *details]))


def missing_rule(primitive: Any, rule: str) -> MissingRuleError:
    """The one place that words the absence of a rule."""
    kind = type(primitive).__name__
    return MissingRuleError(
        f"primitive '{primitive.name}' has no {rule} rule, so it cannot be "
        f"{_CONSEQUENCE.get(rule, 'transformed')}; define the method `{rule}` in its class {kind}."
    )


_CONSEQUENCE = {
    "abstract": "staged (make_jaxpr, eval_shape)",
    "numpy": "evaluated",
    "jvp": "differentiated",
    "transpose": "transposed (is it linear in that argument?)",
    "batch": "batched (vmap)",
    "jet": "expanded in a Taylor series",
    "sparsity": "analysed for sparsity",
}


def user_frame() -> Source | None:
    """File, line and function of the innermost frame outside xform, i.e. of the user's code."""
    frame = sys._getframe(1)
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return None
    file, name = frame.f_code.co_filename, frame.f_code.co_name
    return ("notebook cell" if "ipykernel_" in file else file), frame.f_lineno, name


def in_main() -> bool:
    """Is the user's code a script, a notebook or a session, where a definition may be repeated?"""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "__main__"


def short_name(filename: str) -> str:
    """A source file as messages call it; a cell of a notebook has a made-up file name."""
    return "notebook cell" if "ipykernel_" in filename else os.path.basename(filename)


def is_library(filename: str) -> bool:
    """Is it a source file of xform, or of NumPy, through which many operations come?"""
    return filename.startswith(PACKAGE) or _is_numpy(filename)


def _is_numpy(filename: str) -> bool:
    return "/numpy/" in filename and "site-packages" in filename


def describe(f: Callable[..., Any]) -> str:
    """A function's name and where it is defined, for messages; TypeError if it is no function."""
    if not callable(f):
        raise TypeError(f"{type(f).__name__} {f!r:.60} was given; wanted a function to transform")
    name = getattr(f, "__qualname__", None) or getattr(f, "__name__", None) or repr(f)
    while hasattr(f, "__wrapped__"):  # the user's function, not our wrapper
        f = f.__wrapped__  # type: ignore[attr-defined]
    code = getattr(f, "__code__", None)
    return f"`{name}` ({short_name(code.co_filename)}:{code.co_firstlineno})" if code else f"`{name}`"
