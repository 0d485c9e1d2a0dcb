"""NumPy's functions that write to a file: refused with tracers, for the derivative would silently be lost."""

from __future__ import annotations

from typing import Any

import numpy as np

from xform.core.errors import ConcretizationError
from xform.numpy.dispatch import IMPLEMENTATIONS, location

#: what leaves the program for a file
WRITERS = (np.save, np.savez, np.savez_compressed, np.savetxt)


def refuse_file(*args: Any, **kwargs: Any) -> Any:
    raise ConcretizationError(
        f"a traced value was to be written to a file{location()}. Return it from the transformed function, as extra "
        "output with has_aux=True, and save it outside"
    )


IMPLEMENTATIONS.update(dict.fromkeys(WRITERS, refuse_file))
