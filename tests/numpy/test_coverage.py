"""Every public name of xform.numpy and its rooms: values, derivatives of two orders in both modes, and vmap."""

import numpy as np
import pytest

import xform.numpy as xnp
from tests.numpy.surface.checks import by_jit, check_compiled_gradient, check_value, in_numpy
from tests.numpy.surface.reasons import ABSENT, OUR_DOOR, by_name
from tests.numpy.surface.table import REASONS, SAMPLES, UNMAPPED, is_constant, names, row

NAMES = names()
CALLABLE = [name for name in NAMES if not is_constant(name)]


@pytest.mark.parametrize("name", CALLABLE)
def test_row(name):
    assert name in SAMPLES, f"write sample calls of {name} in tests/numpy/surface"
    assert row(name).calls > 0


def test_constants_are_numpys():
    rows = [row(name) for name in NAMES if is_constant(name)]
    assert {"float64", "pi", "newaxis"} <= {r.name for r in rows}


def test_tables_name_what_there_is():
    """No samples and no reasons for names that do not exist, so that a misspelt one is seen."""
    unknown = {*SAMPLES, *REASONS, *UNMAPPED, *OUR_DOOR} - {*NAMES}
    assert sorted(name for name in unknown if not in_numpy(name)) == []


def test_nothing_else_is_missing():
    """Every name of NumPy is here, or there is a reason why it is not."""
    assert sorted({*np.__all__} - {*xnp.__all__} - {*by_name(ABSENT)}) == []
    assert sorted({*np.linalg.__all__} - {*xnp.linalg.__all__}) == []
    assert sorted({*np.fft.__all__} - {*xnp.fft.__all__}) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CALLABLE if name not in UNMAPPED])
def test_values_of_compiled_c(name):
    for sample in SAMPLES[name]:
        if not sample.eager and REASONS.get(name) not in ("depends on no entries", "text"):
            check_value(name, sample, {"C": lambda f, xs: by_jit(f, xs, "c")})


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CALLABLE if name not in UNMAPPED and name not in REASONS])
def test_gradients_by_compiled_c(name):
    for sample in SAMPLES[name]:
        if not sample.eager and any(x.dtype.kind in "fc" for x in sample.operands):
            check_compiled_gradient(name, sample, "c")
