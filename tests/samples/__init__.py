"""The samples of all primitives, a module per file of `xform/ops`."""

from __future__ import annotations

import importlib
import pkgutil

from tests.samples import base
from tests.samples.base import Sample


def load(module: str) -> list[Sample]:
    """The samples of a module, whose numbers do not depend on the other modules."""
    base.seed(module)
    return importlib.import_module(f"{__name__}.{module}").SAMPLES


SAMPLES: list[Sample] = [
    s for module in sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base") for s in load(module)
]
