"""Plain arrays overwritten inside a differentiated function: the right derivative or an error, never a wrong number."""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xform import ConcretizationError, grad, jvp, make_jaxpr, vjp, vmap


def reuses_a_buffer(x):
    buffer, total = np.zeros(3), 0.0
    for k in range(3):
        buffer[:] = k
        total = total + np.sum(np.sin(x * buffer))
    return total


def gradient_of_reuses_a_buffer(x):
    return sum(k * np.cos(k * x) for k in range(3))


def test_small_buffer():
    x = np.array([0.3, 0.5, 0.7])
    assert_allclose(grad(reuses_a_buffer)(x), gradient_of_reuses_a_buffer(x), rtol=1e-14)


def test_staged_program_keeps_what_it_captured():
    x = np.array([0.3, 0.5, 0.7])
    assert_allclose(make_jaxpr(reuses_a_buffer)(x)(x)[0], reuses_a_buffer(x), rtol=1e-14)


def test_large_buffer_is_protected_while_the_function_runs():
    buffer = np.ones(1000)

    def f(x):
        y = x * buffer
        buffer[:] = 2.0
        return np.sum(y * buffer)

    with pytest.raises(ValueError, match="read-only") as caught:
        grad(f)(np.ones(1000))
    assert any("a.copy()" in note for note in caught.value.__notes__)
    buffer[0] = 5.0  # and writable again afterwards
    y, _ = vjp(lambda x: x * buffer, np.ones(1000))
    buffer[0] = 6.0
    assert y[0] == 5.0


def test_a_read_only_array_stays_so():
    constant = np.ones(1000)
    constant.flags.writeable = False
    grad(lambda x: np.sum(x * constant))(np.ones(1000))
    assert not constant.flags.writeable


def test_a_pullback_keeps_one_copy_of_an_array_however_often_it_is_used():
    A = np.eye(40) * 1.01

    def f(x):
        for _ in range(50):
            x = A @ x
        return x

    _, pullback = vjp(f, np.ones(40))
    A[:] = 0.0
    assert_allclose(pullback(np.ones(40))[0], np.full(40, 1.01**50), rtol=1e-12)

    tracemalloc.start()
    vjp(f, np.ones(40))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * A.nbytes


@pytest.mark.parametrize(
    "run",
    [
        lambda f: grad(f)(1.0),
        lambda f: jvp(f, (1.0,), (1.0,)),
        lambda f: make_jaxpr(f)(1.0),
        lambda f: vmap(f)(np.ones(2)),
        lambda f: grad(grad(f))(1.0),
    ],
    ids=["grad", "jvp", "make_jaxpr", "vmap", "grad of grad"],
)
def test_a_traced_value_is_not_written_into_a_plain_array(run):
    def f(x):
        plain = np.zeros(3)
        plain[0] = x
        return plain[0]

    with pytest.raises(ConcretizationError, match=r"in f\).*write into, a\[i\] = x, with xform.numpy.zeros"):
        run(f)


def test_the_users_own_errors_are_left_alone():
    def f(x):
        try:
            float(x)
        except ConcretizationError as error:
            raise ValueError("mine") from error

    with pytest.raises(ValueError, match="mine"):
        grad(f)(1.0)


# --- views, nesting and threads: afterwards every array is as it was ---


def test_an_array_and_views_of_it():
    big = np.ones(2000)
    view = big[:1000]
    deeper = view[::-1]

    def views_first(x):
        return np.sum(x * view) + np.sum(big * x[0]) + np.sum(x * deeper)

    def owner_first(x):
        return np.sum(big * x[0]) + np.sum(x * deeper) + np.sum(x * view)

    for f in (views_first, owner_first):
        assert_allclose(grad(f)(np.ones(1000))[:2], [2002.0, 2.0])
        assert big.flags.writeable
        assert view.flags.writeable
        assert deeper.flags.writeable


def test_a_view_used_inside_while_its_owner_is_used_outside():
    big = np.ones(2000)
    view = big[:1000]

    def f(x):
        y = np.sum(big * x[0])
        inner = grad(lambda z: np.sum(z * view * x))(x)
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 2.0
        return y + np.sum(inner)

    assert_allclose(grad(f)(np.ones(1000))[:2], [2001.0, 1.0])
    view[0] = big[1] = 3.0
    assert big[0] == 3.0


def test_arrays_shared_between_threads():
    big = np.ones(2000)
    views = [big[k : k + 1000] for k in range(4)]
    barrier = threading.Barrier(4)

    def work(k):
        barrier.wait()
        for _ in range(50):
            g = grad(lambda x: np.sum(x * views[k]) + np.sum(big * x[0]))(np.ones(1000))
            assert g[1] == 1.0

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert all(v.flags.writeable for v in (big, *views))


def test_after_an_error_arrays_are_as_they_were():
    big = np.ones(2000)

    def f(x):
        y = x * big[:1000]
        raise RuntimeError(str(y.shape))

    with pytest.raises(RuntimeError):
        grad(f)(np.ones(1000))
    big[0] = 2.0
    assert big[0] == 2.0
