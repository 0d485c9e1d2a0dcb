"""NumPy's functions that write into an argument: refused with tracers, for the derivative would silently be lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError, TracerAssignmentError
from xform.core.trace import Tracer
from xform.numpy.dispatch import IMPLEMENTATIONS, location

#: what writes, and what to write instead
REMEDIES: dict[Any, str] = {
    np.copyto: "a = xform.numpy.where(where, x, a) instead of numpy.copyto(a, x, where=where), and "
    "xform.numpy.full_like(a, x) instead of numpy.full_like(a, x)",
    np.put: "a = xform.numpy.at(a)[numpy.unravel_index(i, a.shape)].set(x) instead of numpy.put(a, i, x)",
    np.place: "a = xform.numpy.where(mask, x, a) instead of numpy.place(a, mask, x)",
    np.putmask: "a = xform.numpy.where(mask, x, a) instead of numpy.putmask(a, mask, x)",
    np.fill_diagonal: "a = xform.numpy.at(a)[numpy.diag_indices_from(a)].set(x) instead of numpy.fill_diagonal(a, x)",
    np.put_along_axis: "a = xform.numpy.at(a)[index].set(x) instead of numpy.put_along_axis(a, indices, x, axis)",
}

#: what leaves the program for a file
WRITERS = (np.save, np.savez, np.savez_compressed, np.savetxt)


def refusal(name: str, remedy: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], Tracer):
            raise TracerAssignmentError(
                f"numpy.{name}: a traced array of {args[0].aval} in {args[0]._trace.origin} cannot be written "
                f"into{location()}. Write {remedy}"
            )
        raise ConcretizationError(
            f"numpy.{name} was to write a traced value into a plain ndarray{location()}, which would lose its "
            f"derivative. Write {remedy}"
        )

    return refuse


def refuse_file(*args: Any, **kwargs: Any) -> Any:
    raise ConcretizationError(
        f"a traced value was to be written to a file{location()}. Return it from the transformed function, as extra "
        "output with has_aux=True, and save it outside"
    )


IMPLEMENTATIONS.update({f: refusal(f.__name__, remedy) for f, remedy in REMEDIES.items()})
IMPLEMENTATIONS.update(dict.fromkeys(WRITERS, refuse_file))
