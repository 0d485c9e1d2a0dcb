"""xform.numpy.f is numpy.f on drawn calls: values, dtypes, warnings and the types of errors, for every function."""

import os
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import xform.numpy as xnp
from tests.numpy.agreement import outcome
from tests.numpy.surface.base import Sample
from tests.numpy.surface.checks import EAGER, UNKNOWN, check_same, inside, reference_call, traced_call
from tests.numpy.surface.drawn_products import CALLS
from tests.numpy.surface.reasons import NO_ENTRIES, TEXT
from tests.numpy.surface.table import REASONS, SAMPLES, UNMAPPED, is_constant, names
from xform import tree
from xform.core.errors import ConcretizationError
from xform.testing import check_grads

#: a setting or an object that no array enters: tests/numpy/test_coverage.py calls them
NOT_DRAWN = {
    "errstate", "geterr", "seterr", "get_printoptions", "set_printoptions", "printoptions", "typename", "mintypecode",
    "base_repr", "binary_repr", "format_float_positional", "format_float_scientific", "ndenumerate", "nditer",
    "nested_iters", "broadcast", "fromiter", "frombuffer", "fromstring", "fromfile", "fromregex", "genfromtxt", "load",
    "loadtxt", "save", "savetxt", "savez", "savez_compressed", "from_dlpack", "frompyfunc", "copyto", "put", "place",
    "putmask", "put_along_axis", "fill_diagonal", "packbits", "unpackbits",
}  # fmt: skip
#: zeros and imaginary parts are cut off where values are known
STRIPPED = {"polydiv", "poly"}
#: entries that are out of range or all nan are errors where they are known
UNCHECKED = {"unravel_index", "geomspace", "nanargmax", "nanargmin"}
NAMES = [name for name in names() if not is_constant(name)]
#: examples of the slow test, of each function
LENGTH = int(os.environ.get("SURFACE_EXAMPLES", "300"))
DRAWN = [name for name in NAMES if name in CALLS]


def check_agrees(name: str, sample: Sample, doors: dict) -> None:
    """What NumPy does, ours does, and NumPy's function on traced operands behind each door."""
    wanted = outcome(reference_call(name, sample), *sample.operands)
    compare(name, sample, "xform.numpy", outcome(sample.bound(xnp, name), *sample.operands), wanted)
    if not sample.operands:
        return
    f, looked_at = traced_call(name, sample), REASONS.get(name) in (NO_ENTRIES, TEXT)
    for door, enter in doors.items():
        if door == "linearize" and not any(x.dtype.kind in "fc" for x in sample.operands):
            continue

        def entered(*xs, enter=enter):
            return inside(lambda g: enter(g, xs), f) if looked_at else enter(f, xs)

        compare(name, sample, door, outcome(entered, *sample.operands), wanted)


def compare(name, sample, door, found, wanted) -> None:
    what = f"{name}{sample} by {door}: "
    value, error, warned = found
    numpys, numpys_error, numpys_warned = wanted
    if door not in EAGER and error is not None and issubclass(error, ConcretizationError):
        return  # needs values: which calls do is the subject of test_coverage.py
    if numpys_error is not None:
        if door not in EAGER and name in UNCHECKED:
            return
        numpys_error = public(numpys_error)
        assert error is not None, f"{what}{value!r}, NumPy raises {numpys_error}"
        assert issubclass(error, numpys_error), f"{what}{error}, NumPy raises {numpys_error}"
        return
    assert error is None, f"{what}{error}, NumPy gives {numpys!r}"
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_same(value, numpys)
    except AssertionError as difference:
        difference.add_note(what)
        raise
    if door in EAGER and all(np.isfinite(x).all() and x.size for x in sample.operands):
        assert warned == numpys_warned, f"{what}warned {warned}, NumPy {numpys_warned}"


def public(error: type[Exception]) -> type[Exception]:
    """The first class that can be imported: NumPy's own errors of ufuncs and of memory are private."""
    return next(c for c in error.__mro__ if not c.__module__.startswith("numpy._"))


def doors_of(name: str) -> dict:
    eager = name in UNMAPPED or name in STRIPPED or REASONS.get(name) == TEXT
    return EAGER if eager else {**EAGER, "vmap": UNKNOWN["vmap"], "stage": UNKNOWN["stage"]}


def drawing(examples: int):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", DRAWN)
@drawing(5)
@given(data=st.data())
def test_as_numpy_does(name, data):
    check_agrees(name, data.draw(CALLS[name]), doors_of(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
@drawing(LENGTH)
@given(data=st.data())
def test_as_numpy_does_at_length(name, data):
    check_agrees(name, data.draw(CALLS[name]), doors_of(name))


#: of symmetric matrices only, or up to phases and places that NumPy chooses
CHOSEN = {"linalg.cholesky", "linalg.eigh", "linalg.eigvalsh", "linalg.svd", "union1d", "setxor1d"}
#: functions of positive numbers, and of numbers in (-1, 1)
POSITIVE = {"arccosh", "acosh", "log", "log2", "log10", "log1p", "sqrt", "power", "pow", "float_power", "geomspace"}
UNIT = {"arcsin", "asin", "arccos", "acos", "arctanh", "atanh"}


def generic(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers of the same shape, in double precision, away from kinks and ties; matrices stay far from singular."""
    if x.dtype.kind not in "fc":
        return x
    v = rng.normal(size=x.shape)
    v = np.abs(v) + 1.1 if name in POSITIVE else np.tanh(v) if name in UNIT else v
    v = v + 0.5j * rng.normal(size=x.shape) if x.dtype.kind == "c" else v
    return np.asarray(x + 0.3 * v if name.startswith("linalg.") else v)


def is_double(y) -> bool:
    dtype = np.asarray(y).dtype
    return dtype.kind not in "fc" or (dtype in (np.float64, np.complex128) and bool(np.isfinite(y).all()))


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in DRAWN if n not in REASONS and n not in CHOSEN])
@pytest.mark.filterwarnings("ignore")
def test_second_derivatives_of_drawn_calls(name):
    """All combinations of the modes against central differences, each kind of call once."""
    checked = set()

    @drawing(25)
    @seed(1)
    @given(sample=CALLS[name])
    def check(sample):
        key = repr(sample)
        rng = np.random.default_rng(zlib.crc32(key.encode()))
        xs = tuple(generic(name, x, rng) for x in sample.operands)
        y, error, _ = outcome(reference_call(name, sample), *xs)
        numbers = [x for x in xs if x.dtype.kind in "fc" and x.size]
        if key not in checked and numbers and error is None and all(map(is_double, tree.leaves(y))):
            checked.add(key)
            with np.errstate(all="ignore"):
                check_grads(traced_call(name, sample), xs, order=2, atol=1e-5, rtol=1e-5)

    check()


def test_every_function_is_drawn():
    missing = [name for name in NAMES if name not in CALLS and name not in NOT_DRAWN]
    assert missing == [], "write a strategy in tests/numpy/surface/drawn.py"
    assert sorted(set(CALLS) - set(SAMPLES)) == []
