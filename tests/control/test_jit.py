"""What jit means: when a function is traced, what it is given and gives back, how it may be called."""

from __future__ import annotations

import functools
import gc
import inspect
import pickle
import threading
import weakref

import numpy as np
import pytest

import xform
from tests.messages import says
from tests.numeric import assert_same
from xform import lax
from xform.compile import pipeline
from xform.compile.executable import Unsupported

BACKENDS = ["numpy", "auto"]


class Counted:
    """A function that counts how often it is run."""

    def __init__(self, f):
        self.f, self.runs = f, 0
        self.__name__, self.__wrapped__ = "counted", f

    def __call__(self, *args, **kwargs):
        self.runs += 1
        return self.f(*args, **kwargs)


def energy(x):
    return np.sum(np.tanh(x) ** 2)


def module_level(x):
    return x + 1.0


X = np.linspace(-1.0, 1.0, 5)


@pytest.fixture(params=BACKENDS)
def jit(request):
    return functools.partial(xform.jit, backend=request.param)


class TestCache:
    def test_a_function_is_run_once_for_each_kind_of_arguments(self, jit):
        f = Counted(lambda x: x * 2.0)
        g = jit(f)
        for x, runs in [(X, 1), (X + 1, 1), (X[:3], 2), (X.astype(np.float32), 3), (X, 3), (X[:3] * 2, 3), (3.0, 4)]:
            assert_same(g(x), x * 2.0, 0)
            assert f.runs == runs

    def test_structures_are_told_apart(self, jit):
        f = Counted(lambda t: t[0] + t[1])
        g = jit(f)
        assert g((1.0, 2.0)) == g([1.0, 2.0]) == 3.0
        assert f.runs == 2
        assert g((5.0, 2.0)) == 7.0
        assert f.runs == 2

    def test_positional_and_named_arguments(self, jit):
        f = Counted(lambda x, y=2.0, *, z=10.0: x * y + z)
        g = jit(f)
        assert (g(X) == X * 2.0 + 10.0).all()
        assert (g(X, y=3.0) == X * 3.0 + 10.0).all()
        assert (g(y=4.0, x=X) == X * 4.0 + 10.0).all()
        assert (g(x=X, y=5.0) == X * 5.0 + 10.0).all()
        assert (g(X, 3.0, z=X) == X * 3.0 + X).all()
        assert f.runs == 4

    def test_a_function_jitted_twice_shares_its_programs(self, jit):
        f = Counted(lambda x: x * 2.0)
        jit(f)(X)
        jit(f)(X)
        assert f.runs == 1

    def test_clearing(self, jit):
        f = Counted(lambda x: x * 2.0)
        g = jit(f)
        g(X), g(X)
        g.clear_cache()
        g(X), g(X)
        assert f.runs == 2
        xform.clear_caches()
        g(X)
        assert f.runs == 3

    def test_programs_go_with_the_function(self):
        f = Counted(lambda x: x * 2.0)
        g = xform.jit(f)
        g(X)
        here = weakref.ref(f)
        del f, g
        gc.collect()
        assert here() is None

    def test_strides_and_byte_orders_do_not_count(self, jit):
        f = Counted(energy)
        g = jit(f)
        wanted = g(X)
        assert_same(g(np.repeat(X, 2)[::2]), wanted, 1e-15)
        assert_same(g(X.astype(">f8")), wanted, 1e-15)
        assert_same(g(X[::-1]), wanted, 1e-15)
        assert f.runs == 1

    def test_an_error_is_not_kept(self, jit):
        ready = []

        def f(x):
            if not ready:
                raise RuntimeError("not yet")
            return x * 2.0

        g = jit(f)
        with pytest.raises(RuntimeError, match="not yet"):
            g(1.0)
        ready.append(1)
        assert g(1.0) == 2.0

    def test_recursion(self, jit):
        @functools.partial(jit, static_argnums=1)
        def power(x, n):
            return x * power(x, n - 1) if n else 1.0

        assert (power(X, 5) == X * (X * (X * (X * X)))).all()
        assert_same(xform.grad(power)(2.0, 5), 80.0, 1e-14)

    def test_threads(self, jit):
        f, results = jit(lambda x: np.sin(x) + x.size), []
        threads = [threading.Thread(target=lambda n=n: results.append((n, f(np.ones(n % 3 + 1))))) for n in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(results) == 12
        for n, y in results:
            assert_same(y, np.sin(np.ones(n % 3 + 1)) + n % 3 + 1, 1e-15)


class TestStatic:
    @pytest.mark.parametrize(
        "options", [{"static_argnums": 1}, {"static_argnames": "n"}, {"static_argnums": -1}], ids=str
    )
    def test_by_position_and_by_name(self, jit, options):
        f = Counted(lambda x, n: x**n if n > 1 else x)
        f.__signature__ = inspect.signature(f.f)
        g = jit(f, **options)
        for n, runs in [(2, 1), (3, 2), (2, 2), (1, 3)]:
            assert (g(X, n) == X**n).all()
            assert f.runs == runs
        assert (g(X, n=2) == X**2).all()

    def test_a_default_is_static_as_well(self, jit):
        f = jit(lambda x, n=3: x[:n], static_argnames="n")
        assert f(X).shape == (3,)
        assert f(X, 2).shape == f(X, n=2).shape == (2,)

    def test_told_apart_by_type_value_and_sign(self, jit):
        f = jit(lambda x, s: x * 0 + np.copysign(1.0, s) if isinstance(s, float) else x * 0 + 7, static_argnums=1)
        assert [f(1.0, s) for s in (0.0, -0.0, 0, 1.0, True)] == [1.0, -1.0, 7.0, 1.0, 7.0]

    def test_functions_and_strings(self, jit):
        f = jit(lambda g, x, mode: g(x) if mode == "apply" else x, static_argnums=(0, 2))
        assert_same(f(np.sin, X, "apply"), np.sin(X), 1e-15)
        assert (f(np.sin, X, "leave") == X).all()

    def test_methods(self, jit):
        class Model:
            def __init__(self, w):
                self.w = w

            @functools.partial(jit, static_argnums=0)
            def __call__(self, x):
                return self.w * x

        m = Model(3.0)
        assert (m(X) == 3.0 * X).all()
        assert (Model(4.0)(X) == 4.0 * X).all()
        assert (xform.vmap(xform.grad(m))(X) == 3.0).all()
        assert jit(m.__call__)(2.0) == 6.0

    def test_gradient_with_a_static_argument(self, jit):
        f = jit(lambda x, n: np.sum(x**n), static_argnums=1)
        assert_same(xform.grad(f)(X, 3), 3 * X**2, 1e-15)


class TestWeakNumbers:
    """A Python number does not promote arrays."""

    SINGLE = np.arange(3, dtype=np.float32)
    SMALL = np.arange(3, dtype=np.uint8)

    @pytest.mark.parametrize(
        "f",
        [
            lambda a, s: a * s,
            lambda a, s: a * (2 * s + 1) - s / 3,
            lambda a, s: np.where(a > s, a, s),
            lambda a, s: np.maximum(a, -s) ** s,
            lambda a, s: a == s * 0.1,
            lambda a, s: a[:1] + s * s,
            lambda a, s: np.stack([a * s, a]),
            lambda a, s: (s, a + s),
        ],
    )
    @pytest.mark.parametrize(
        "a", [SINGLE, SMALL, SINGLE.astype(np.complex64), SINGLE.astype(float)], ids=lambda a: a.dtype
    )
    @pytest.mark.filterwarnings("ignore:invalid value encountered")
    @pytest.mark.parametrize("s", [0.1, 3, 1j, np.float64(0.3), np.float32(0.3)], ids=repr)
    def test_dtypes_and_values_are_those_of_numpy(self, f, a, s):
        try:
            wanted = f(a, s)
        except (TypeError, OverflowError):  # an order of complex numbers, a number out of bounds
            f, wanted = np.add, np.add(a, s)
        found = xform.jit(f, backend="numpy")(a, s)
        for y, z in zip(xform.tree.leaves(found), xform.tree.leaves(wanted), strict=True):
            assert y.dtype == np.asarray(z).dtype
            assert_same(y, np.asarray(z)[()], 3e-7 if y.dtype.itemsize <= 8 and y.dtype.char in "fF" else 1e-15)

    def test_a_number_and_an_array_of_no_axes_are_told_apart(self, jit):
        f = jit(lambda a, s: a * s)
        for _ in range(2):
            assert f(self.SINGLE, 2.0).dtype == np.float32
            assert f(self.SINGLE, np.float64(2.0)).dtype == np.float64
            assert f(self.SINGLE, np.array(2.0)).dtype == np.float64

    def test_under_a_derivative(self, jit):
        f = jit(lambda a, s: np.sum(a * s))
        assert xform.grad(f)(self.SINGLE, 2.0).dtype == np.float32
        assert xform.grad(f, argnums=1)(self.SINGLE, 2.0) == 3.0

    def test_division_by_zero_is_that_of_numpy(self, jit):
        with np.errstate(divide="ignore"):
            assert jit(lambda x: 1.0 / x)(0.0) == np.inf

    def test_results(self, jit):
        y, n, flag = jit(lambda x: (x, 3, True))(2.0)
        assert [type(v) for v in (y, n, flag)] == [np.float64, np.int64, np.bool]


class TestResults:
    def test_containers(self, jit):
        f = jit(lambda x: {"b": (x, [x * 2]), "a": None})
        assert str(f(1.0)) == "{'a': None, 'b': (np.float64(1.0), [np.float64(2.0)])}"
        assert jit(lambda x: None)(1.0) is None
        assert jit(lambda x: ())(1.0) == ()
        assert jit(lambda: 2.0)() == 2.0
        assert jit(lambda x: [x, x])(1.0) == [1.0, 1.0]
        assert jit(lambda x: (x,))(1.0) == (1.0,)

    def test_results_may_be_written_into(self, jit):
        constant = np.ones(3)
        f = jit(lambda x: (x, x, constant, np.broadcast_to(x[:1], (2, 3)), x.reshape(3, 1)))
        for _ in range(3):
            x = np.arange(3.0)
            outs = f(x)
            for y in outs:
                y[...] += 100.0
            assert (x == np.arange(3.0)).all()
            assert [float(y.ravel()[0]) for y in outs] == [100.0, 100.0, 101.0, 100.0, 100.0]

    def test_a_constant_is_that_of_the_time_of_tracing(self, jit):
        constant = np.ones(3)
        f = jit(lambda x: x + constant)
        assert (f(X[:3]) == X[:3] + 1).all()
        constant[:] = 5.0
        assert (f(X[:3]) == X[:3] + 1).all()

    def test_zero_sizes(self, jit):
        f = jit(lambda x, y: (np.exp(x), np.sum(x) + y))
        empty, y = f(np.ones((0, 3)), 2.0)
        assert empty.shape == (0, 3)
        assert y == 2.0
        assert xform.grad(lambda x: f(x, 2.0)[1])(np.ones(0)).shape == (0,)

    def test_nan_inf_and_signs_of_zero(self, jit):
        x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, 5e-324])
        f = lambda x: (x * x, -x, 1.0 / x, x - x, np.maximum(x, 0.0), np.sqrt(np.abs(x)), x + 0.0, np.sign(x))  # noqa: E731
        with np.errstate(all="ignore"):
            for a, b in zip(jit(f)(x), f(x), strict=True):
                np.testing.assert_array_equal(a, b)
                np.testing.assert_array_equal(np.signbit(a)[~np.isnan(b)], np.signbit(b)[~np.isnan(b)])

    def test_errors_of_the_program_are_raised(self, jit):
        f = jit(lambda x, i: x[i])
        assert f(X, 2) == X[2]
        with pytest.raises(IndexError):
            f(X, 7)
        g = jit(np.linalg.cholesky)
        with pytest.raises(np.linalg.LinAlgError):
            g(-np.eye(2))


class TestManners:
    def test_it_looks_like_the_function(self):
        @xform.jit
        def f(x, *, scale=2.0):
            """Doc."""
            return x * scale

        assert (f.__name__, f.__doc__, f.__module__) == ("f", "Doc.", __name__)
        assert str(inspect.signature(f)) == "(x, *, scale=2.0)"
        assert f.__wrapped__(3.0) == 6.0
        assert inspect.isfunction(f)

    def test_pickling_is_by_name(self):
        assert pickle.loads(pickle.dumps(pickled)) is pickled

    def test_of_partials_and_callables(self, jit):
        assert jit(functools.partial(lambda a, x: a * x, 3.0))(2.0) == 6.0
        assert jit(np.negative)(2.0) == -2.0
        assert jit(jit(energy))(X) == jit(energy)(X)

    def test_as_a_decorator_with_options(self):
        @xform.jit(static_argnames=("n",))
        def f(x, n):
            return x[:n]

        assert f(X, 2).shape == (2,)

    def test_disable_jit(self, jit):
        seen = []
        f = jit(lambda x: (seen.append(type(x)), x if x > 0 else -x)[1])
        with xform.disable_jit():
            assert f(-2.0) == 2.0
            with xform.disable_jit(False), pytest.raises(xform.ConcretizationError):
                f(-2.0)
        assert seen[0] is float
        with pytest.raises(xform.ConcretizationError):
            f(-2.0)

    def test_donation_gives_the_right_numbers(self, jit):
        f = jit(lambda x, y: (x * 2.0 + y, np.sum(x)), donate_argnums=0)
        for x in (X.copy(), X[::2].copy()[:2], np.broadcast_to(1.0, 3)):
            wanted, total = x * 2.0 + 1.0, np.sum(x)
            y, s = f(x, 1.0)
            assert_same(y, wanted, 1e-15)
            assert_same(s, total, 1e-15)
        x = X.copy()
        assert_same(f(x, x)[0], X * 3.0, 1e-15)  # given twice: not overwritten
        assert (x == X).all()

    def test_backends(self):
        found = xform.backends()
        assert found["numpy"] == "available"
        assert set(found) == {"c", "numpy"}
        assert all(isinstance(reason, str) and reason for reason in found.values())

    def test_effects_happen_at_every_call_in_order(self, jit):
        seen = []

        def f(x):
            lax_out = xform.io_callback(lambda v: (seen.append(float(v)), v)[1], x, x)
            xform.io_callback(lambda v: (seen.append(-float(v)), v)[1], x, x)
            return lax_out

        g = jit(f)
        assert [g(k) for k in (1.0, 2.0)] == [1.0, 2.0]
        assert seen == [1.0, -1.0, 2.0, -2.0]

    def test_debug_nans_looks_inside(self, jit):
        f = jit(lambda x: np.sum(np.log(x - 3.0)))
        with (
            np.errstate(all="ignore"),
            xform.debug_nans(),
            pytest.raises(xform.NonFiniteError, match=r"'log' at .*test_jit"),
        ):
            xform.grad(f)(1.0)

    def test_no_traced_value_is_kept(self, jit):
        f = jit(lambda x: np.sin(x) * 2.0)
        with xform.checking_leaks():
            f(2.0)
            xform.grad(f)(2.0)
            xform.grad(lambda x: jit(lambda y: y * x)(2.0))(3.0)


pickled = xform.jit(module_level)
pickled.__qualname__ = pickled.__name__ = "pickled"


class TestLowered:
    def test_texts(self):
        lowered = xform.jit(lambda x: np.sum(np.sin(x) * 0 + 2.0 * x)).lower(X)
        assert "sin" in lowered.as_text()
        assert lowered.out_info == xform.Aval((), float)
        compiled = lowered.compile()
        assert "lambda" in compiled.as_text()
        assert isinstance(compiled.source(), str)
        assert_same(compiled(X), np.sum(2.0 * X), 1e-15)

    def test_avals_will_do(self):
        f = xform.jit(lambda p, x: p["w"] @ x)
        p = {"w": xform.ShapeDtypeStruct((2, 5), np.float64)}
        compiled = f.lower(p, xform.ShapeDtypeStruct((5,), np.float64)).compile()
        assert_same(compiled({"w": np.ones((2, 5))}, X), np.ones((2, 5)) @ X, 1e-15)
        assert f.eval_shape(p, X) == xform.Aval((2,), float)

    def test_static_arguments_are_left_out_of_the_call(self):
        compiled = xform.jit(lambda x, n: x[:n], static_argnums=1).lower(X, 2).compile()
        assert (compiled(X) == X[:2]).all()

    def test_a_compiled_function_can_be_transformed(self):
        compiled = xform.jit(energy).lower(X).compile()
        assert_same(xform.grad(compiled)(X), xform.grad(energy)(X), 1e-15)

    def test_costs(self):
        n = 10
        f = xform.jit(lambda A, x: np.sum(np.exp(A @ x)), backend="numpy")
        compiled = f.lower(np.ones((n, n)), np.ones(n)).compile()
        cost = compiled.cost_analysis()
        assert cost["flops"] == 2 * n * n + n
        assert cost["transcendentals"] == n
        assert cost["bytes accessed"] >= 8 * (n * n + 2 * n)
        memory = compiled.memory_analysis()
        assert memory.argument_size_in_bytes == 8 * (n * n + n)
        assert memory.output_size_in_bytes == 8
        assert 8 * n <= memory.temp_size_in_bytes <= 16 * n
        assert memory.constant_size_in_bytes == 0

    def test_the_cost_of_a_loop_is_that_of_its_steps(self):
        def f(x):
            return lax.scan(lambda c, _: (np.sin(c) * x, None), x, None, length=50)[0]

        assert xform.jit(f, backend="numpy").lower(X).compile().cost_analysis()["transcendentals"] == 250


class TestExplanations:
    def lines(self, capsys, f, *calls):
        with xform.explain_cache_misses():
            for args, kwargs in calls:
                f(*args, **kwargs)
        return capsys.readouterr().out

    def test_shapes_dtypes_and_python_numbers(self, capsys):
        f = xform.jit(lambda x, p: x * p["s"])
        out = self.lines(capsys, f, ((X, {"s": 2.0}), {}), ((X[:2], {"s": 2.0}), {}), ((X[:2], {"s": X[:2]}), {}))
        assert "no program of it is kept" in out
        assert "x: f64[2] was given, the nearest call had f64[5]" in out
        assert "p['s']: f64[2] was given, the nearest call had a Python float" in out
        assert "for the call at test_jit.py:" in out
        assert "in lines" in out

    def test_structures_and_static_arguments(self, capsys):
        f = xform.jit(lambda x, mode="a": x[0], static_argnames="mode")
        out = self.lines(capsys, f, (((1.0,),), {}), (([1.0],), {}), (((1.0,),), {"mode": "b"}))
        assert "the structure ([*],) was given, the nearest call had ((*,),)" in out
        assert "static mode: 'b' was given, the nearest call had nothing" in out

    def test_nothing_is_said_of_a_hit(self, capsys):
        f = xform.jit(lambda x: x * 2.0)
        f(X)
        assert self.lines(capsys, f, ((X,), {}), ((X + 1.0,), {})) == ""


class TestChoiceOfBackend:
    @pytest.fixture
    def without_c(self, monkeypatch):
        def refuse(jaxpr, donated):
            raise Unsupported("there is no compiler here")

        monkeypatch.setattr(pipeline, "build_c", refuse)
        monkeypatch.setattr(pipeline, "_told", set())

    def test_numpy_is_used_where_c_cannot_be_and_the_reason_is_logged_once(self, without_c, caplog):
        with caplog.at_level("INFO", "xform"):
            for factor in (2.0, 3.0):
                f = xform.jit(lambda x, factor=factor: x * factor)
                assert f.lower(X).compile().backend == "numpy"
                assert (f(X) == X * factor).all()
        assert [r.getMessage() for r in caplog.records] == [
            "jit uses the NumPy backend: there is no compiler here",
        ]

    def test_c_was_asked_for(self, without_c):
        with says(NotImplementedError, "there is no compiler here", "backend='auto'"):
            xform.jit(lambda x: x * 2.0, backend="c")(X)

    def test_results_of_unknown_length_are_left_to_numpy(self):
        def f(x):
            return lax.while_loop(lambda c: c < 50.0, lambda c: c * c + 1.0, x)

        y, pullback = xform.vjp(xform.jit(f), 1.5)
        assert_same(y, f(1.5), 1e-14)
        assert_same(pullback(1.0)[0], xform.grad(f)(1.5), 1e-13)
