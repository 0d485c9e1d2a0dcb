"""Transformations run in several threads at once: same results, nothing seen of each other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import xform
from xform.core.trace import EVAL, context

X = np.linspace(0.1, 1.0, 4)


def f(x, k):
    y = x
    for _ in range(5):
        y = np.sin(y * k) + x / (1.0 + y * y)
    return np.sum(y)


JOBS = {
    "grad": lambda k: xform.grad(f)(X, k),
    "grad of grad": lambda k: xform.grad(lambda x: np.sum(xform.grad(f)(x, k) ** 2))(X),
    "jvp": lambda k: xform.jvp(lambda x: f(x, k), (X,), (X,))[1],
    "hessian": lambda k: xform.hessian(f)(X, k),
    "vmap of grad": lambda k: xform.vmap(xform.grad(f), in_axes=(0, None))(np.outer(X, X), k),
    "jet": lambda k: np.stack(xform.jet(lambda x: f(x, k), (X,), ((X, X, X),))[1]),
    "staged": lambda k: xform.make_jaxpr(xform.grad(f))(X, k)(X, k)[0],
    "pattern": lambda k: xform.sparsity_pattern(lambda x: x[1:] * x[:-1] * k, X),
}


def test_many_at_once():
    """Each job in each thread, started together, repeated: equal to the last bit to what it gives alone."""
    ks = [1.0 + 0.1 * k for k in range(4)]
    wanted = {(name, k): job(k) for name, job in JOBS.items() for k in ks}
    barrier = threading.Barrier(len(ks))

    def work(k):
        barrier.wait()
        for _ in range(5):
            for name, job in JOBS.items():
                np.testing.assert_array_equal(job(k), wanted[name, k])
        return context.trace is EVAL

    with ThreadPoolExecutor(len(ks)) as pool:
        assert all(pool.map(work, ks))


def test_a_thread_started_inside_a_transformation_is_outside_of_it():
    found = []

    def inner():
        found.append(xform.grad(lambda y: y**3)(2.0))
        found.append(context.trace is EVAL)

    def outer(x):
        thread = threading.Thread(target=inner)
        thread.start()
        thread.join()
        return x * x

    assert xform.grad(outer)(3.0) == 6.0
    assert found == [12.0, True]


def test_tracers_do_not_pass_between_threads():
    errors = []

    def use(x):
        try:
            x * 2.0
        except xform.LeakedTracerError as error:
            errors.append(str(error))

    def outer(x):
        thread = threading.Thread(target=use, args=(x,))
        thread.start()
        thread.join()
        return x * x

    assert xform.grad(outer)(3.0) == 6.0
    assert len(errors) == 1
    assert "another thread" in errors[0]


def test_a_pullback_may_be_called_in_another_thread():
    _, pullback = xform.vjp(lambda x: f(x, 1.0), X)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(pullback, [1.0, 2.0])
    np.testing.assert_array_equal(2 * first[0], second[0])


@pytest.mark.parametrize("transform", [xform.grad, xform.jacfwd, xform.make_jaxpr])
def test_one_transformed_function_in_many_threads(transform):
    transformed = transform(lambda x: np.sum(np.sin(x) * x))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(transformed, [X * k for k in range(1, 9)]))
    for k, result in enumerate(results, 1):
        assert str(result) == str(transformed(X * k))
