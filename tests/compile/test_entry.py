"""The door between Python and compiled programs: what it takes, what it returns, and that nothing is lost."""

import ctypes
import gc
import os
import signal
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from tests.messages import says
from xform.compile.c.machine import entry as entry_module
from xform.compile.c.machine.library import Program, load
from xform.compile.c.machine.toolchain import compile_source, compiler
from xform.compile.c.text.prelude import prelude
from xform.compile.executable import Unsupported
from xform.core.aval import Aval, float0

try:
    entry_module.runtime()
except Unsupported as error:
    pytest.skip(str(error), allow_module_level=True)

SIGNATURE = "int xform_program(void **in, void **out)\n"


def program(body, inputs, outputs, consts=(), callbacks=(), front=""):
    """The program with a body in C."""
    text = f"{front}\n{SIGNATURE}{{ {body} return 0; }}\n"
    return load(compile_source(prelude(text, compiler()) + text), inputs, outputs, consts, callbacks)


def f64(*shape):
    return Aval(shape, np.float64)


def twice(*shape):
    """The program 2x."""
    n = int(np.prod(shape))
    return program(
        f"const double *x = in[0]; double *y = out[0]; for (long i = 0; i < {n}; i++) y[i] = 2 * x[i];",
        [f64(*shape)],
        [f64(*shape)],
    )


def copier(aval, out=None):
    """The program that returns its scalar argument."""
    return program(f"memcpy(out[0], in[0], {aval.dtype.itemsize});", [aval], [out or Aval((), aval.dtype)])


# --- what fits ---


def test_arrays():
    x = np.arange(6.0).reshape(2, 3)
    (y,) = twice(2, 3).entry((x,))
    assert type(y) is np.ndarray
    assert y.dtype == np.float64
    assert y.flags.carray  # in C order, aligned, writeable
    assert y.flags.owndata
    np.testing.assert_array_equal(y, 2 * x)


def test_results_are_new_each_time():
    p, x = twice(3), np.ones(3)
    (a,), (b,) = p.entry((x,)), p.entry((x,))
    assert not np.shares_memory(a, b)
    assert not np.shares_memory(a, x)


def test_empty_arrays_and_axes_of_size_one():
    p = twice(0, 3)
    assert p.entry((np.zeros((0, 3)),))[0].shape == (0, 3)
    assert p.entry((np.zeros((0, 3), order="F"),))[0].shape == (0, 3)
    p = twice(1, 3)
    x = np.zeros((2, 3))[::2]
    np.lib.stride_tricks.as_strided(x, (1, 3), (-800, 8))[:] = [1, 2, 3]
    odd = np.lib.stride_tricks.as_strided(x, (1, 3), (-800, 8))  # the stride of an axis of size 1 does not matter
    np.testing.assert_array_equal(p.entry((odd,))[0], [[2, 4, 6]])


def test_read_only_arrays_are_read():
    x = np.ones(3)
    x.flags.writeable = False
    np.testing.assert_array_equal(twice(3).entry((x,))[0], [2, 2, 2])


def misaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:]
    y = raw.view(x.dtype).reshape(x.shape)
    y[...] = x
    assert not y.flags.aligned
    return y


X = np.arange(6.0).reshape(2, 3)
#: arrays that `run` makes fit, and `entry` does not take
OTHERS = {
    "transposed": np.ascontiguousarray(X.T).T,
    "strided": np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "broadcast": np.broadcast_to(X[:1], (2, 3)),
    "swapped": X.astype(X.dtype.newbyteorder("S")),
    "misaligned": misaligned(X),
    "a subclass": X.view(np.recarray),
}


@pytest.mark.parametrize("x", OTHERS.values(), ids=OTHERS.keys())
def test_other_arrays_are_copied_by_run(x):
    p = twice(2, 3)
    assert p.entry((x,)) is NotImplemented
    (y,) = p.run(x)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, 2 * np.asarray(x))


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(6),
        np.zeros((3, 2)),
        np.zeros((2, 3, 1)),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), int),
        1.0,
        None,
    ],
)
def test_what_does_not_fit(x):
    p = twice(2, 3)
    assert p.entry((x,)) is NotImplemented
    with says(TypeError, "argument 0", "f64[2,3]"):
        p.run(x)


def test_a_wrong_number_of_arguments():
    p = twice(2)
    assert p.entry(()) is NotImplemented
    assert p.entry((np.zeros(2), np.zeros(2))) is NotImplemented
    with says(TypeError, "2 arguments", "wanted 1"):
        p.run(np.zeros(2), np.zeros(2))
    with pytest.raises(SystemError):
        p.entry([np.zeros(2)])


def test_integers_of_the_same_size():
    p = copier(Aval((), np.int64))
    assert p.entry((np.full((), 3, np.longlong),)) == (3,)
    q = program("memcpy(out[0], in[0], 16);", [Aval((2,), np.uint64)], [Aval((2,), np.uint64)])
    np.testing.assert_array_equal(q.entry((np.array([1, 2], np.ulonglong),))[0], [1, 2])
    assert q.entry((np.array([1, 2], np.longlong),)) is NotImplemented


DTYPES = ["?", "b", "h", "i", "q", "B", "H", "I", "Q", "e", "f", "d", "g", "F", "D", "G"]


@pytest.mark.parametrize("code", DTYPES)
def test_scalars_of_numpy(code):
    dtype = np.dtype(code)
    x = dtype.type(True) if code == "?" else dtype.type(3)
    p = copier(Aval((), dtype))
    for given in (x, np.array(x), np.full(3, x)[1:2].reshape(())):
        (y,) = p.entry((given,))
        assert type(y) is type(x)
        assert y == x
    assert p.run(np.array(x).astype(dtype.newbyteorder("S"))) == [x]


@pytest.mark.parametrize("x", [True, False, 7, -(2**63), 2**63 - 1, 1.5, float("inf"), 1 - 2j])
def test_scalars_of_python(x):
    aval = Aval((), type(x), type(x))
    p = copier(aval, Aval((), aval.dtype))
    (y,) = p.entry((x,))
    assert type(y) is aval.dtype.type
    assert y == x
    assert p.run(np.asarray(x)) == [x]  # an array of the same number is as good
    assert p.entry((np.asarray(x),)) is NotImplemented  # but another type, which promotes


def test_the_types_of_scalars_are_told_apart():
    weak, strong = copier(Aval((), float, float), f64()), copier(f64())
    assert weak.entry((np.float64(1),)) is NotImplemented
    assert weak.entry((1,)) is NotImplemented
    assert strong.entry((1.0,)) is NotImplemented
    assert strong.entry((np.float32(1),)) is NotImplemented
    assert copier(Aval((), int, int), Aval((), int)).entry((True,)) is NotImplemented
    with says(TypeError, "argument 0", "f64[]"):
        strong.run(np.float32(1))


def test_integers_that_are_too_large():
    p = copier(Aval((), int, int), Aval((), int))
    assert p.entry((2**63,)) is NotImplemented
    with pytest.raises(TypeError):
        p.run(2**63)


def test_what_has_no_numbers():
    """Cotangents of integers."""
    p = program("", [Aval((3,), float0), Aval((), float0)], [Aval((3,), float0), Aval((), float0)])
    a, b = p.run(np.zeros(3, float0), np.zeros((), float0))
    assert a.dtype == b.dtype == float0
    assert (a.shape, b.shape) == ((3,), ())


def test_many_arguments_and_results():
    n = 500
    body = f"for (long k = 0; k < {n}; k++) *(double *)out[k] = 2 * *(const double *)in[k];"
    p = program(body, [f64()] * n, [f64()] * n)
    args = tuple(map(np.float64, range(n)))
    assert p.entry(args) == tuple(2 * x for x in args)
    assert p.entry(args[1:]) is NotImplemented


def test_nothing_in_and_nothing_out():
    assert program("", [], []).entry(()) == ()


def test_byte_orders_of_other_machines_are_not_compiled():
    with says(Unsupported, "byte order"):
        load(compile_source(prelude("", compiler()) + SIGNATURE + "{ return 0; }"), [Aval((), ">f8")], [])


# --- arrays of a length that only the program knows ---

COUNT = """const struct xform_stack *x = in[0]; struct xform_stack *y = out[0]; const double *a = x->data;
    double *b = malloc(16 * (x->length + 1)); y->data = b; y->length = 0;
    for (long i = 0; i < x->length; i++) if (a[2*i] > 0) {
        b[2*y->length] = a[2*i]; b[2*y->length + 1] = a[2*i+1]; y->length++; }"""


def positive():
    """The program that keeps the rows that start with a positive number."""
    return program(COUNT, [Aval((None, 2), float)], [Aval((None, 2), float)])


@pytest.mark.parametrize("n", [0, 1, 7])
def test_unknown_lengths(n):
    x = np.linspace(-1, 1, 2 * n).reshape(n, 2)
    (y,) = positive().entry((x,))
    np.testing.assert_array_equal(y, x[x[:, 0] > 0])
    assert y.flags.carray
    (z,) = positive().run(x[::-1])
    np.testing.assert_array_equal(z, x[::-1][x[::-1, 0] > 0])
    assert positive().entry((np.zeros((3, 3)),)) is NotImplemented


# --- failure ---

FAILS = "double *y = out[0]; y[0] = 1; if (*(double *)in[0] > 0) return xform_error({}, {});"


@pytest.mark.parametrize(
    "kind, error",
    [
        ("XFORM_INDEX_ERROR", IndexError),
        ("XFORM_MEMORY_ERROR", MemoryError),
        ("XFORM_VALUE_ERROR", ValueError),
        ("XFORM_LINALG_ERROR", np.linalg.LinAlgError),
        ("XFORM_ZERO_DIVISION_ERROR", ZeroDivisionError),
        ("XFORM_OVERFLOW_ERROR", OverflowError),
        ("XFORM_FLOATING_POINT_ERROR", FloatingPointError),
        ("XFORM_RUNTIME_ERROR", RuntimeError),
    ],
)
def test_errors(kind, error):
    p = program(FAILS.format(kind, '"index %ld is out of bounds for axis %d", 7L, 2'), [f64()], [f64(3)])
    with pytest.raises(error, match=r"^index 7 is out of bounds for axis 2$"):
        p.entry((np.float64(1),))
    assert p.entry((np.float64(-1),))[0][0] == 1


def test_a_failure_without_a_reason():
    with pytest.raises(SystemError, match="status 5 and no reason"):
        program("return 5;", [], [f64(3)]).entry(())


def test_allocation_failure():
    with pytest.raises(MemoryError):
        program("", [], [f64(2**58)]).entry(())


def test_products_are_rounded_before_they_are_added_to():
    """a*b - c*d as one operation would be 2e-18, and -inf, where NumPy has 0 and nan."""
    body = "const double *x = in[0]; *(double *)out[0] = x[0] * x[1] - x[2] * x[3];"
    p = program(body, [f64(4)], [f64()])
    assert p.entry((np.array([0.1, 0.3, 0.3, 0.1]),)) == (0,)
    assert np.isnan(p.entry((np.full(4, 1e200),))[0])


# --- constants and callbacks ---


def test_constants():
    body = "const double *c = xform_consts[1]; *(double *)out[0] = c[0] + ((const int *)xform_consts[0])[2];"

    def adding(i, x):
        return program(body, [], [f64()], [np.arange(5, dtype=np.int32)[::-1] + i, np.array([x, 0.0])])

    first, second = adding(0, 0.25), adding(10, 0.5)  # the same text, hence the same file
    assert first.entry(()) == (2.25,)
    assert second.entry(()) == (12.5,)
    assert first.entry(()) == (2.25,)
    del first
    third = adding(20, 0.75)  # in the place of the first
    assert (second.entry(()), third.entry(())) == ((12.5,), (22.75,))


CALL = """double x[2] = {*(const double *)in[0], 3}, *y = out[0]; static const long two[] = {2}, three[] = {3, 2};
    const struct xform_array a[] = {{x, 12, 1, two}, {x, 12, 0, 0}}, b[] = {{y, 12, 2, three}};
    if (xform_callback(1, 2, a, 1, b)) return -1;"""


def calling(f):
    return program(CALL, [f64()], [f64(3, 2)], callbacks=[lambda: 1 / 0, f])


def test_callbacks():
    seen = []

    def f(x, s):
        seen.extend([x, s])
        return [np.outer(np.arange(3), x) + s]

    p = calling(f)
    np.testing.assert_array_equal(p.entry((np.float64(2),))[0], np.outer(np.arange(3), [2, 3]) + 2)
    p.entry((np.float64(5),))
    assert type(seen[1]) is np.float64
    np.testing.assert_array_equal(seen[0], [2, 3])  # a copy, which may be kept


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.arange(6.0).reshape(3, 2).astype(">f8"),
        [[1.0, 2.0]] * 3,
    ],
)
def test_results_of_callbacks_are_made_to_fit(value):
    np.testing.assert_array_equal(calling(lambda x, s: (value,)).entry((np.float64(2),))[0], np.asarray(value))


@pytest.mark.parametrize("value", [np.zeros((2, 3)), np.zeros((3, 2), np.float32), np.zeros(6), 1.0])
def test_results_of_callbacks_that_do_not_fit(value):
    with says(TypeError, "result 0 of callback 1", "shape and dtype"):
        calling(lambda x, s: [value]).entry((np.float64(2),))


def test_callbacks_with_another_number_of_results():
    with says(TypeError, "callback 1 gave 2 results", "compiled for 1"):
        calling(lambda x, s: [x, x]).entry((np.float64(2),))


def test_errors_pass_through_callbacks():
    class MyError(Exception):
        pass

    def f(x, s):
        raise MyError("mine")

    with pytest.raises(MyError, match=r"^mine$"):
        calling(f).entry((np.float64(2),))


def test_programs_may_be_entered_again_from_a_callback():
    deep = []

    def f(x, s):
        deep.append(s)
        return [np.zeros((3, 2)) if s == 0 else p.entry((s - 1,))[0] + s]

    p = calling(f)
    np.testing.assert_array_equal(p.entry((np.float64(4),))[0], np.full((3, 2), 10.0))
    assert deep == [4, 3, 2, 1, 0]


# --- nothing is lost ---


def blocks(f, n=2000):
    """By how many blocks of memory and references to None the process has grown over n calls."""
    f()
    gc.collect()
    before, none = sys.getallocatedblocks(), sys.getrefcount(None)
    for _ in range(n):
        f()
    gc.collect()
    return abs(sys.getallocatedblocks() - before) + abs(sys.getrefcount(None) - none)


def fails(p, *args):
    def call():
        with pytest.raises(IndexError):
            p.entry(args)

    return call


def test_nothing_leaks():
    x = np.ones(3)
    scalar = program("*(double *)out[0] = *(double *)in[0];", [f64()], [f64()])
    failing = program(FAILS.format("XFORM_INDEX_ERROR", '"no"'), [f64()], [f64(3), f64(), Aval((None,), float)])
    result = np.ones((3, 2))  # (numpy.zeros itself forgets a reference to its dtype, in 2.4)
    callback = calling(lambda x, s: [result])
    stacks, rows, big = positive(), np.ones((5, 2)), np.float64(1)
    n, p = 100_000, twice(3)
    counted = [x, x.dtype, np.float64, NotImplemented, p.entry]
    gc.collect()  # what other tests have left refers to dtypes as well
    references = [sys.getrefcount(c) for c in counted]
    assert blocks(lambda: p.entry((x,)), n) < 50
    assert blocks(lambda: p.entry((1,)), n) < 50  # NotImplemented
    assert blocks(lambda: scalar.entry((big,)), n) < 50
    assert blocks(lambda: stacks.entry((rows,)), n) < 50
    assert blocks(fails(failing, big)) < 200
    assert blocks(lambda: callback.entry((big,))) < 50
    assert all(abs(sys.getrefcount(c) - r) < 50 for c, r in zip(counted, references, strict=True))


def test_memory_of_results_is_given_back():
    """Also of those that the program has allocated, and of calls that fail."""
    import resource

    n = 2**17
    stack = f"struct xform_stack *y = out[0]; y->length = {n}; y->data = calloc({n}, 8); memset(y->data, 1, 8 * {n});"
    good = program(stack, [], [Aval((None,), float)])
    bad = program(stack + 'return xform_error(XFORM_INDEX_ERROR, "no");', [], [Aval((None,), float), f64(n)])
    for _ in range(20):
        good.entry(())
        fails(bad)()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):  # 300 MB if it leaked
        good.entry(())
        fails(bad)()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_program_keeps_its_constants_and_gives_them_back():
    class Array(np.ndarray):
        pass

    c = np.arange(3.0).view(Array)
    p = program("*(double *)out[0] = ((double *)xform_consts[0])[2];", [], [f64()], [c])
    entry = p.entry
    gone, c[2] = weakref.ref(c), 7
    del c, p
    gc.collect()
    assert entry(()) == (7,)
    del entry
    gc.collect()
    assert gone() is None


def test_a_program_that_its_callback_refers_to_is_collected():
    class Model:
        def __init__(self):
            self.program = calling(self.step)

        def step(self, x, s):
            return [np.full((3, 2), s)]

    model = Model()
    assert model.program.entry((np.float64(4),))[0][2, 1] == 4
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


# --- long runs ---

LONG = "for (long k = 0;; k++) if (k % 100000 == 0 && xform_interrupted()) return -1;"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_long_programs_are_interrupted():
    p = program(LONG, [], [f64(3)])
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        start = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            p.entry(())
        assert time.perf_counter() - start < 5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_other_threads_run_meanwhile():
    done = np.zeros(())
    ticks = []

    def other():
        while len(ticks) < 5:
            ticks.append(time.perf_counter())
            time.sleep(0.001)
        done[...] = 1

    p = program(
        "const volatile double *x = xform_consts[0]; while (!*x) if (xform_interrupted()) return -1;", [], [], [done]
    )
    thread = threading.Thread(target=other)
    thread.start()
    p.entry(())
    thread.join()
    assert len(ticks) == 5


# --- the interpreter ---


def test_a_build_with_other_objects_is_refused(monkeypatch):
    differs, opened = entry_module.layout_differs.__wrapped__, entry_module.runtime.__wrapped__
    assert differs() is None
    monkeypatch.setattr(entry_module, "_ndarray_agrees", lambda: False)
    assert "NumPy" in differs()
    monkeypatch.setattr(entry_module.sysconfig, "get_config_var", lambda name: 1)
    assert "free-threaded" in differs()
    monkeypatch.setattr(entry_module, "layout_differs", differs)
    with says(Unsupported, "free-threaded"):
        opened()


def test_folders_whose_files_may_not_be_executed(monkeypatch):
    text = SIGNATURE + "{ *(double *)out[0] = 4.5; return 0; }"
    path = compile_source(prelude(text, compiler()) + text)
    plain = ctypes.PyDLL

    def refusing(name):
        if os.path.dirname(name) == str(path.parent):
            raise OSError("failed to map segment from shared object")
        return plain(name)

    monkeypatch.setattr(ctypes, "PyDLL", refusing)
    assert load(path, [], [f64()]).run() == [4.5]


def test_calls_are_fast():
    """Some 110 ns for a vector of ten, of which half is the new array; the bound is for a busy machine."""
    p, x = twice(10), np.ones(10)
    entry, best = p.entry, float("inf")
    assert isinstance(p, Program)
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(1000):
            entry((x,))
        best = min(best, (time.perf_counter() - start) / 1000)
    assert best < 2e-6
