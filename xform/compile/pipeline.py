"""From a program to an executable: the passes, and then a backend.

backend "c"        one C function for the whole program, compiled by the C compiler that is found
backend "numpy"    straight-line NumPy source
backend "auto"     C where there is a compiler and it can say the whole program, else NumPy
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from xform.compile.executable import Executable, Unsupported
from xform.core.jaxpr import Jaxpr

logger = logging.getLogger("xform")

BACKENDS = ("auto", "c", "numpy")
AVAILABLE = "available"

#: the reasons for not compiling to C that have been logged
_told: set[str] = set()


def compile_program(jaxpr: Jaxpr, backend: str = "auto", donated: Sequence[bool] = ()) -> Executable:
    """The executable of a program, of whose inputs those `donated` may be overwritten.

    Raises NotImplementedError if the backend was named and cannot compile the program.
    """
    best = optimised(jaxpr)
    if backend != "numpy":
        try:
            return build_c(best, tuple(donated))
        except Unsupported as error:
            if backend == "c":
                raise NotImplementedError(
                    f"the C backend cannot compile this program: {error}; use backend='auto' or backend='numpy'"
                ) from None
            tell(str(error))
    return build_numpy(best)


def optimised(jaxpr: Jaxpr) -> Jaxpr:
    """The program after the passes."""
    from xform.compile.passes import optimise

    return optimise(jaxpr)


def build_numpy(jaxpr: Jaxpr) -> Executable:
    from xform.compile.source import build

    return build(jaxpr)


def build_c(jaxpr: Jaxpr, donated: tuple[bool, ...]) -> Executable:
    from xform.compile.c.backend import build

    if any(None in a.shape for a in [*jaxpr.in_avals, *jaxpr.out_avals]):  # what a while loop records of its steps
        raise Unsupported("it takes or returns arrays of unknown length")
    return build(jaxpr, donated)


def c_missing() -> str | None:
    """Why there is no C backend on this machine; None if there is one."""
    from xform.compile.c.machine.entry import runtime

    try:
        runtime()
    except Unsupported as error:
        return str(error)
    return None


def tell(reason: str) -> None:
    """Say, once for each reason, why a program is not compiled to C; aloud if no program ever is."""
    if reason not in _told:
        _told.add(reason)
        level = logging.INFO if c_missing() is None else logging.WARNING
        logger.log(level, "jit uses the NumPy backend: %s", reason)


def backends() -> dict[str, str]:
    """The backends of `jit`, and of each that it is available, or why it is not.

    >>> backends()["numpy"]
    'available'
    """
    reason = c_missing()
    return {"c": AVAILABLE if reason is None else reason, "numpy": AVAILABLE}
