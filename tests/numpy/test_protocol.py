"""How NumPy and Python find tracers: what works on their values, and what would lose a derivative and is refused."""

import copy
import inspect
import math
import pickle

import numpy as np
import pytest
from numpy.testing import overrides

import xform
import xform.numpy as xnp
from tests.numpy.agreement import check_agrees
from xform.core.trace import Tracer
from xform.numpy import later
from xform.numpy.dispatch import IMPLEMENTATIONS
from xform.numpy.mutation import WRITERS as WRITERS_IN_PLACE

V = np.array([0.3, -1.2, 2.5])
M = np.stack([V, V + 1])


def program(f):
    """A function of a vector that hands `f` the vector and one of its entries, and has a result in any case."""

    def run(x):
        f(x, x[0])
        return x[0] * 2

    return run


TRANSFORMS = {
    "grad": lambda f: xform.grad(program(f))(V),
    "jvp": lambda f: xform.jvp(program(f), (V,), (V,)),
    "vmap": lambda f: xform.vmap(program(f))(M),
    "make_jaxpr": lambda f: xform.make_jaxpr(program(f))(V),
    "vmap of grad": lambda f: xform.vmap(xform.grad(program(f)))(M),
}
EAGER = {name: TRANSFORMS[name] for name in ("grad", "jvp")}
BLIND = {name: TRANSFORMS[name] for name in ("vmap", "make_jaxpr", "vmap of grad")}

in_every_transform = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
where_values_are_known = pytest.mark.parametrize("transform", EAGER.values(), ids=EAGER)
where_they_are_not = pytest.mark.parametrize("transform", BLIND.values(), ids=BLIND)


def refused(transform, f):
    """The error with which `f` is refused. Where NumPy words an error of its own, ours is its cause."""
    with pytest.raises((xform.XformError, ValueError)) as caught:
        transform(f)
    error = caught.value
    return error if isinstance(error, xform.XformError) else error.__cause__


# --- what would silently lose a derivative ---

NUMBERS = {
    "float": lambda x, t: float(t),
    "math.sin": lambda x, t: math.sin(t),
    "math.hypot": lambda x, t: math.hypot(t, 1.0),
    "math.fsum": lambda x, t: math.fsum(x),
    "math.isclose": lambda x, t: math.isclose(t, 0.3),
    "percent": lambda x, t: "%f" % t,  # noqa: UP031  # the operator is what is tested
}


@in_every_transform
@pytest.mark.parametrize("f", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_refused(transform, f):
    error = refused(transform, f)
    assert isinstance(error, xform.ConcretizationError)
    assert isinstance(error, TypeError)
    for part in (
        "f64[] in ",
        "program",
        "test_protocol.py:",
        "Leave out float()",
        "write numpy.sin(x) for math.sin(x)",
    ):
        assert part in str(error)


@in_every_transform
def test_complex_numbers_are_refused(transform):
    error = refused(transform, lambda x, t: complex(t))
    assert isinstance(error, xform.ConcretizationError)
    assert "Leave out complex(), or write x.astype(complex)" in str(error)


ARRAYS = {
    "asarray": lambda x, t: np.asarray(x),
    "asarray to a dtype": lambda x, t: np.asarray(x, np.float32),
    "array": lambda x, t: np.array(x),
    "array of a list": lambda x, t: np.array([t, t]),
    "array of a mixed list": lambda x, t: np.array([1.0, t]),
    "array of objects": lambda x, t: np.array([t], dtype=object),
    "ascontiguousarray": lambda x, t: np.ascontiguousarray(x),
    "full": lambda x, t: np.full(3, t),
    "arange": lambda x, t: np.arange(t),
    "scalar type": lambda x, t: np.float64(t),
    "method of an array": lambda x, t: np.ones(3).dot(x),
    "vectorize": lambda x, t: np.vectorize(lambda v: v)(x),
    "ndenumerate": lambda x, t: list(np.ndenumerate(x)),
    "broadcast": lambda x, t: np.broadcast(x, x),
    "masked array": lambda x, t: np.ma.array(x),
}


@in_every_transform
@pytest.mark.parametrize("f", ARRAYS.values(), ids=ARRAYS)
def test_conversions_to_plain_arrays_are_refused(transform, f):
    error = refused(transform, f)
    assert isinstance(error, xform.ConcretizationError)
    for part in ("in ", "program", "test_protocol.py:", "would lose its derivative", "xform.numpy.array", "numpy.full"):
        assert part in str(error)


def assign(index, target=None):
    def run(x, t):
        a = np.zeros(3) if target is None else np.zeros(3, target)
        a[index] = x if isinstance(index, slice) or index is Ellipsis else t

    return run


def add_to_entry(x, t):
    a = np.zeros(3)
    a[0] += t


def mask(x, t):
    a = np.zeros(3)
    a[a == 0] = x


ASSIGNMENTS = {
    "an entry": assign(0),
    "an entry in single precision": assign(0, np.float32),
    "an entry in half precision": assign(0, np.float16),
    "an entry of extended precision": assign(0, np.longdouble),
    "an entry of a complex array": assign(0, complex),
    "a slice": assign(slice(None)),
    "everything": assign(...),
    "a list of entries": assign([0]),
    "by a mask": mask,
    "added to an entry": add_to_entry,
    "fill": lambda x, t: np.zeros(3).fill(t),
    "fill_diagonal": lambda x, t: np.fill_diagonal(np.zeros((3, 3)), x),
    "flat": lambda x, t: np.zeros(3).flat.__setitem__(slice(None), x),
}


@in_every_transform
@pytest.mark.parametrize("f", ASSIGNMENTS.values(), ids=ASSIGNMENTS)
def test_assignments_into_plain_arrays_are_refused(transform, f):
    error = refused(transform, f)
    assert isinstance(error, xform.ConcretizationError)
    for part in ("test_protocol.py:", "would lose its derivative", "xform.numpy.zeros"):
        assert part in str(error)


@in_every_transform
def test_an_entry_of_flat_is_not_written(transform):
    """Here NumPy drops our words, but not the error."""
    with pytest.raises((ValueError, TypeError)):
        transform(lambda x, t: np.zeros(3).flat.__setitem__(0, t))


WRITERS = {
    "copyto": lambda x, t: np.copyto(np.zeros(3), x),
    "full with a dtype": lambda x, t: np.full(3, t, float),
    "full_like": lambda x, t: np.full_like(V, t),
    "put": lambda x, t: np.put(np.zeros(3), [0], t),
    "place": lambda x, t: np.place(np.zeros(3), V > 0, x),
    "putmask": lambda x, t: np.putmask(np.zeros(3), V > 0, x),
    "put_along_axis": lambda x, t: np.put_along_axis(np.zeros(3), np.array([0]), t, 0),
}


@in_every_transform
@pytest.mark.parametrize("f", WRITERS.values(), ids=WRITERS)
def test_functions_that_write_into_plain_arrays_are_refused(transform, f):
    error = refused(transform, f)
    assert isinstance(error, xform.ConcretizationError)
    for part in ("test_protocol.py:", "would lose its derivative", "xform.numpy.zeros, full, array or copy"):
        assert part in str(error)


@in_every_transform
def test_files_are_refused(transform, tmp_path):
    for f in (np.save, np.savez, np.savetxt, np.savez_compressed):
        error = refused(transform, lambda x, t, f=f: f(tmp_path / "x", x))
        assert isinstance(error, xform.ConcretizationError)
        assert "has_aux=True" in str(error)


def test_the_remedies_work():
    a = np.zeros(3)
    for f in (
        lambda x: xnp.at(a)[1].set(x[0]),
        lambda x: xnp.at(a)[np.unravel_index([0, 2], a.shape)].set(x[:2]),
        lambda x: xnp.where(V > 0, x, a),
        lambda x: xnp.full_like(a, x),
        lambda x: xnp.full(3, x[0]),
        xnp.at(np.zeros((3, 3)))[np.diag_indices(3)].set,
        lambda x: xnp.stack([x[0], x[1]]),
        lambda x: xnp.array([x[0], 1.0]),
        lambda x: x.astype(complex).real,
    ):
        assert np.any(xform.grad(lambda x, f=f: f(x).sum())(V))


# --- what works on known values ---


@where_values_are_known
def test_python_decides_on_known_values(transform):
    def f(x, t):
        assert t > 0
        assert 1 if t < 0.5 else 0
        assert (t < 0) or (t < 1)
        assert int(x[2]) == 2
        assert round(x[2]) == 2
        assert math.floor(x[1]) == -2
        assert math.ceil(x[1]) == -1
        assert math.trunc(x[1]) == -1
        assert round(x[2], 1) == 2.5
        assert list(range(int(x[2]))) == [0, 1]
        assert x[x > 0].shape == (2,)
        assert [1, 2, 3][np.argmax(x)] == 3
        assert np.nonzero(x > 0)[0].tolist() == [0, 2]
        assert V[(x < 0)].tolist() == [-1.2]
        assert bool(x[:1])
        assert -1.2 in x
        assert 7.0 not in x
        assert [float(V[2]), *sorted(x)] == [2.5, -1.2, 0.3, 2.5]

    transform(f)


def test_control_flow_and_recursion_have_derivatives():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    def collatz(x):
        while x > 1:
            x = x / 2 if int(x) % 2 == 0 else 3 * x + 1
        return x

    def root(a):
        x = a
        while abs(x * x - a) > 1e-12:
            x = (x + a / x) / 2
        return x

    assert xform.grad(power)(3.0, 4) == 108
    assert xform.grad(collatz)(6.0) == 3.0**2 / 2.0**6
    np.testing.assert_allclose(xform.grad(root)(2.0), 0.5 / math.sqrt(2), rtol=1e-6)
    assert xform.grad(lambda x: x[x > 0].sum())(V).tolist() == [1, 0, 1]


@where_values_are_known
def test_a_number_that_is_no_integer_is_no_index(transform):
    with pytest.raises(
        TypeError, match=r"only integers can be used as an index, not a traced value of f64\[\]; use int"
    ):
        transform(lambda x, t: [1, 2][t])
    with pytest.raises(TypeError, match="only integers"):
        transform(lambda x, t: range(t))


@where_values_are_known
def test_several_entries_have_no_truth(transform):
    with pytest.raises(ValueError, match="truth value of an array with more than one element is ambiguous"):
        transform(lambda x, t: bool(x))


BRANCHES = {
    "bool": (
        lambda x, t: bool(t),
        "a condition (if, while, and, or, not, assert)",
        "xform.numpy.where(condition, a, b)",
    ),
    "and": (lambda x, t: t > 0 and t, "a condition", "logical_and"),
    "if": (lambda x, t: 1 if t > 0 else 2, "a condition", "instead of an if statement"),
    "int": (lambda x, t: int(t), "int()", "Leave out int(), or make the value an argument that is not traced"),
    "round": (lambda x, t: round(t), "round()", "Leave out round()"),
    "floor": (lambda x, t: math.floor(t), "math.floor()", "Leave out math.floor()"),
    "index": (lambda x, t: [1, 2][np.argmax(x)], "an index, a range or a repetition count", "a[i]"),
    "in": (lambda x, t: 0.3 in x, "a condition", "xform.numpy.where"),
    "mask": (lambda x, t: x[x > 0], "a boolean mask as an index", "where(mask, a, b)"),
    "max": (lambda x, t: max(x), "a condition", "xform.numpy.where"),
}


@where_they_are_not
@pytest.mark.parametrize("f, what, remedy", BRANCHES.values(), ids=BRANCHES)
def test_unknown_values_decide_nothing(transform, f, what, remedy):
    error = refused(transform, f)
    assert isinstance(error, xform.ConcretizationError)
    for part in (what, "needs the value of", "only known by shape and dtype", "program", "test_protocol.py:", remedy):
        assert part in str(error)


@where_they_are_not
def test_nonzero_needs_values(transform):
    assert "nonzero" in str(refused(transform, lambda x, t: np.nonzero(x)))


def test_integers_have_values_and_no_derivative():
    """Under jvp and grad they are plain; under vmap they have no single value."""
    assert xform.jvp(lambda n: np.asarray(n) * 2.0, (3,), (np.zeros((), xform.float0),))[0] == 6
    with pytest.raises(xform.ConcretizationError):
        xform.vmap(lambda n: np.asarray(n) * 2.0)(np.arange(3))
    with pytest.raises(xform.ConcretizationError):
        xform.vmap(float)(np.arange(3))


# --- copies, texts ---


@in_every_transform
def test_copies_and_texts(transform):
    def f(x, t):
        for y in (copy.copy(x), copy.deepcopy([x])[0]):
            y[0] = 7.0
            assert repr(y) != repr(x) or x.concrete() is None
        assert str(x).startswith("Traced<f64[3]>")
        assert f"{x}" == str(x) == repr(x)
        assert len(f"{t:8.3f}") >= 8
        assert not isinstance(t, float)
        with pytest.raises(TypeError, match="unhashable"):
            hash(x)

    transform(f)


def test_numbers_are_formatted():
    shown = []
    xform.grad(lambda x: shown.append(f"{x:.3f} {x * 2:8.1e}") or x)(math.pi)
    assert shown == ["3.142  6.3e+00"]


def test_pickling_keeps_no_tracers():
    with pytest.raises(xform.ConcretizationError, match=r"pickled.*has_aux=True"):
        xform.grad(lambda x: pickle.dumps(x) and x)(1.0)


# --- functions ---


def test_an_unknown_function_is_refused():
    with pytest.raises(
        TypeError, match=r"numpy\.busday_count has no derivative rule.*test_protocol\.py:\d+.*xform\.extend"
    ):
        xform.grad(lambda x: np.busday_count(x, x))(1.0)


def test_other_classes_may_take_over_functions():
    class Wrapper:
        def __array_function__(self, function, types, args, kwargs):
            return function.__name__

    def f(x):
        assert np.busday_count(x, Wrapper()) == "busday_count"
        return x

    xform.grad(f)(1.0)


def test_the_facade_lists_its_names():
    assert len(set(xnp.__all__)) == len(xnp.__all__)
    assert not [name for name in xnp.__all__ if not hasattr(xnp, name)]
    shown = {name for name in vars(xnp) if not name.startswith("_")}
    modules = {name for name in shown if type(getattr(xnp, name)) is type(np)}
    assert shown - modules <= set(xnp.__all__)


def test_the_facade_agrees_with_numpy_on_plain_arrays():
    for name in set(xnp.__all__) & set(np.__all__):
        ours, theirs = getattr(xnp, name), getattr(np, name)
        if not callable(theirs) and not isinstance(theirs, type(np)) and name not in later.NAMES:
            assert ours is theirs
    assert xnp.sum([1, 2]) == 3
    assert type(xnp.array([1.0])) is np.ndarray
    assert xnp.concatenate([[1], [2]]).tolist() == [1, 2]


def test_ours_and_numpys_doors_are_one():
    check_agrees(lambda x: xnp.sum(x) + np.sum(x), V)
    for f, ours in IMPLEMENTATIONS.items():
        named = getattr(xnp, f.__name__, None)
        if not isinstance(f, np.ufunc) and named is not None and f.__module__ == "numpy":
            assert inspect.unwrap(named) is inspect.unwrap(ours) or named is f or f in WRITERS_IN_PLACE, f.__name__


# --- what there is ---

#: functions of NumPy that dispatch, but do not take traced arrays; by the reason why
WITHOUT = {
    "dates, texts and files have no derivative": """busday_count busday_offset is_busday datetime_as_string
        frombuffer fromfile fromstring fromiter genfromtxt loadtxt fromfunction""",
    "they make arrays without traced arguments (dispatch is by like=)": """zeros ones empty eye identity tri full arange
        array asarray asanyarray ascontiguousarray asfortranarray require""",
}


def dispatching():
    """NumPy's public functions that call `__array_function__`."""
    names = {name for name in np.__all__ if callable(getattr(np, name))} | {"sliding_window_view"}
    found = overrides.get_overridable_numpy_array_functions()
    return {f.__name__ for f in found if f.__module__ in ("numpy", "numpy.lib.stride_tricks") and f.__name__ in names}


def test_every_function_is_implemented_or_there_is_a_reason():
    implemented = {f.__name__ for f in IMPLEMENTATIONS} | set(later.NAMES)
    without = {name for names in WITHOUT.values() for name in names.split()}
    assert sorted(dispatching() - implemented - without) == []
    creation = set(next(names for reason, names in WITHOUT.items() if "like=" in reason).split())
    assert sorted(without & implemented - creation) == []  # what has come is taken off the list
    assert sorted(without - dispatching()) == []


def test_every_implementation_takes_numpys_place():
    assert all(callable(f) for f in IMPLEMENTATIONS)
    assert not any(f in IMPLEMENTATIONS for f in (np.zeros, np.ones, np.empty))
    assert isinstance(Tracer.__array_priority__, float)
