"""The samples of all primitives, a module per file of `xform/ops`."""

from __future__ import annotations

import importlib
import pkgutil

from tests.samples.base import Sample

SAMPLES: list[Sample] = [
    s
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base")
    for s in importlib.import_module(f"{__name__}.{module}").SAMPLES
]
