"""The checks of `xform.testing`: right rules pass, wrong ones fail with a message that says where and by how much."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_allclose

import xform
from xform import extend
from xform.testing import check_grads, check_jvp, check_vjp, check_vmap


def rejects(call, *parts):
    """The message of the AssertionError that `call` raises, which must contain all `parts`."""
    with pytest.raises(AssertionError) as raised:
        call()
    message = str(raised.value)
    for part in parts:
        assert re.search(part, message), f"no {part!r} in:\n{message}"
    return message


@pytest.fixture
def primitives() -> Iterator[None]:
    """Primitives made in a test are forgotten after it."""
    before = dict(extend.Primitive.registry)
    yield
    extend.Primitive.registry.clear()
    extend.Primitive.registry.update(before)


class Double(extend.Linear):
    """x -> 2x, with a transpose and a batch rule that can be wrong."""

    def __init__(self, name, transposed=2.0, batched=2.0):
        super().__init__(name)
        self.transposed, self.batched = transposed, batched

    def abstract(self, x):
        return [x]

    def numpy(self, x):
        return [2.0 * x]

    def transpose(self, cotangents, x):
        return [self.transposed * cotangents[0]]

    def batch(self, size, args, batched):
        return [self.batched * args[0]]


# ---- right rules pass ----


def tree_program(p, n, z):
    """Trees, float32, complex numbers, integers in and out, large entries."""
    return {"a": p["w"] * np.sin(p["b"]) * n, "n": n + 1, "c": [np.exp(z) * p["b"], np.conj(z) * z, np.abs(z)]}


TREE_ARGS = ({"w": np.array([1.0, 2e3, 3.0]), "b": np.float32(0.5)}, np.array([1, 2, 3]), 1 + 2j)


@pytest.mark.parametrize(
    "f, args",
    [
        (lambda x: np.tanh(x) * x, (0.3,)),
        (lambda x, y: x * np.sin(y) / (1 + x * x), (2.0, np.array([0.5, -1.0]))),
        (lambda x: np.sum(np.exp(x[::2] * x[1::2])), (np.array([0.1, 0.2, 0.3, 0.4]),)),
        (lambda x: x**3, (np.float32([0.5, 2.0]),)),
        (lambda z: np.exp(z) / z, (np.array([1 + 2j, -0.5j]),)),
        (lambda z: ((z + np.conj(z)) * np.abs(z), np.conj(z) ** 2), (3 - 4j,)),
        (lambda x: (), (1.0,)),
        (lambda x: x * x, (np.zeros((0, 2)),)),
        (lambda x: 1.0, (1.0,)),
        (lambda n: n * n, (np.array([2, 3]),)),
        (lambda: 3.0, ()),
        (tree_program, TREE_ARGS),
    ],
)
def test_right_derivatives_pass(f, args):
    check_grads(f, args, order=3)


@pytest.mark.parametrize("modes", ["fwd", "rev", ("fwd",), ["rev", "fwd"]])
def test_modes(modes):
    check_grads(lambda x: np.log(x) * x, (0.7,), 2, modes)


def test_half_precision():
    check_grads(lambda x: np.sin(x) * x, (np.float16([0.3, -1.0]),), 1)


def test_constants_near_machine_precision_pass():
    """sin^2 + cos^2 has a derivative of the size of eps, of which the two modes agree in no digit."""
    check_grads(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, (np.linspace(0, 3, 7),), 2)


def test_large_values_with_small_derivatives_pass():
    """Central differences of a value of 1e8 are right to three digits; the allowance knows it."""
    check_grads(lambda x: 1e8 + np.sin(x), (0.3,), 1)


def test_control_flow_and_recursion():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    check_grads(lambda x: power(x, 5) if x > 0 else -x, (1.3,), 3)


def test_check_jvp_and_check_vjp_of_xform():
    check_jvp(tree_program, lambda args, tangents: xform.jvp(tree_program, args, tangents), TREE_ARGS)
    check_vjp(tree_program, lambda *args: xform.vjp(tree_program, *args), TREE_ARGS)


def test_args_may_be_a_list():
    check_grads(lambda x, y: x * y, [2.0, 3.0], 2)


def test_the_same_directions_in_every_run():
    calls = []
    for _ in range(2):
        check_jvp(lambda x: x, lambda x, v: calls.append(v[0]) or (x[0], v[0]), (np.arange(3.0),))
    assert_allclose(calls[0], calls[1], rtol=0)


# ---- wrong rules do not ----


def test_a_wrong_jvp():
    message = rejects(
        lambda: check_jvp(np.sin, lambda x, v: (np.sin(*x), -np.cos(*x) * v[0]), (np.arange(3.0),)),
        r"check_jvp of `sin`: the derivative of the result in the direction of x is wrong in entry \[\d\]",
        r"they differ by \d\.\d+, allowed is \d\.\d+e-0\d",
    )
    by_jvp, by_differences = (float(line.split()[-1]) for line in message.splitlines()[1:3])
    assert_allclose(by_jvp, -by_differences, rtol=1e-6)


def test_a_wrong_vjp():
    message = rejects(
        lambda: check_vjp(np.sin, lambda x: (np.sin(x), lambda bar: (2 * np.cos(x) * bar,)), (np.arange(3.0),)),
        r"check_vjp of `sin`: the derivative in the direction of x, <y_bar, f'\(x\) v>, is wrong",
        r"by vjp .*\n.*by central differences",
    )
    by_vjp, by_differences = (float(line.split()[-1]) for line in message.splitlines()[1:3])
    assert_allclose(by_vjp, 2 * by_differences, rtol=1e-6)


def test_the_wrong_argument_is_named():
    def f(p, y):
        return p["a"] * y[0] + 1e6 * p["b"] * y[1]

    def f_jvp(args, tangents):
        (p, y), (p_dot, y_dot) = args, tangents
        wrong = 1.001 * p_dot["a"] * y[0]  # a millionth of the whole
        return f(p, y), wrong + p["a"] * y_dot[0] + 1e6 * (p_dot["b"] * y[1] + p["b"] * y_dot[1])

    rejects(lambda: check_jvp(f, f_jvp, ({"a": 2.0, "b": 3.0}, (1.0, 5.0))), r"in the direction of p\['a'\] is wrong\n")

    def f_vjp(p, y):
        def pullback(bar):
            return {"a": y[0] * bar, "b": 1e6 * y[1] * bar}, (p["a"] * bar, 1e6 * p["b"] * bar * 1.00001)

        return f(p, y), pullback

    rejects(lambda: check_vjp(f, f_vjp, ({"a": 2.0, "b": 3.0}, (1.0, 5.0))), r"in the direction of y\[1\]")


def test_the_wrong_result_is_named():
    rejects(
        lambda: check_jvp(
            lambda x: {"good": x * x, "bad": [x, x**3]},
            lambda x, v: (
                {"good": x[0] * x[0], "bad": [x[0], x[0] ** 3]},
                {"good": 2 * x[0] * v[0], "bad": [v[0]] * 2},
            ),
            (2.0,),
        ),
        r"the derivative of the result\['bad'\]\[1\] in the direction of x",
    )


def test_a_rule_that_is_not_linear_in_the_tangents():
    """The product rule with x_dot y_dot added is right in each argument alone."""
    rejects(
        lambda: check_jvp(
            lambda x, y: x * y, lambda x, v: (x[0] * x[1], x[0] * v[1] + x[1] * v[0] + v[0] * v[1]), (2.0, 3.0)
        ),
        "in the direction of all arguments",
    )


def test_a_wrong_value():
    rejects(
        lambda: check_jvp(np.sin, lambda x, v: (np.cos(*x), np.cos(*x) * v[0]), (1.0,)),
        r"the value of the result is wrong\n  by jvp +0.540\d+\n  by the function +0.841\d+",
    )
    rejects(lambda: check_vjp(np.sin, lambda x: (1.0, lambda bar: (np.cos(x) * bar,)), (0.5,)), "value of the result")


def test_a_derivative_of_nan():
    rejects(lambda: check_jvp(np.sin, lambda x, v: (np.sin(*x), v[0] * np.nan), (1.0,)), "by jvp +nan", "differ by nan")


@pytest.mark.parametrize(
    "f_vjp, message",
    [
        (lambda x: (x * 1, lambda bar: bar), r"the cotangent of the arguments by vjp has the structure .*wanted"),
        (lambda x: (x * 1, lambda bar: (bar[:1],)), r"by vjp is f64\[1\] at \[0\]; wanted f64\[2\]"),
        (lambda x: (x * 1, lambda bar: (bar.astype("f4"),)), r"by vjp is f32\[2\] at \[0\]; wanted f64\[2\]"),
        (lambda x: ((x, x), lambda bar: (bar,)), r"the value by vjp has the structure"),
    ],
)
def test_wrong_structures_shapes_and_dtypes(f_vjp, message):
    rejects(lambda: check_vjp(lambda x: x * 1, f_vjp, (np.ones(2),)), message)


def test_tangents_of_integers_are_float0():
    rejects(
        lambda: check_jvp(lambda x, n: x * n, lambda x, v: (x[0] * x[1], v[0]), (np.ones(2), np.array([1, 2]))),
        "the derivative of the result in the direction of x",
    )
    rejects(
        lambda: check_vjp(lambda x, n: x * n, lambda x, n: (x * n, lambda bar: (bar * n, bar)), (1.5, 2)),
        r"by vjp is f64\[\] at \[1\]; wanted float0\[\]",
    )


def test_err_msg_comes_first():
    message = rejects(lambda: check_jvp(np.sin, lambda x, v: (np.sin(*x), v[0]), (1.0,), err_msg="for omega = 3"))
    assert message.startswith("for omega = 3: check_jvp of `sin`: ")


def test_a_function_that_is_not_finite_near_the_point():
    def f_jvp(x, v):
        return np.inf, np.nan

    with np.errstate(divide="ignore", invalid="ignore"):
        rejects(
            lambda: check_jvp(lambda x: 1 / np.floor(np.abs(x)), f_jvp, (np.float64(0.1),)),
            "the difference quotient of the result in the direction of x is not finite; wanted a point",
        )


def test_tolerances_are_the_callers():
    def f_jvp(x, v):
        return x[0] ** 2, 2.002 * x[0] * v[0]

    rejects(lambda: check_jvp(lambda x: x**2, f_jvp, (3.0,)))
    rejects(lambda: check_jvp(lambda x: x**2, f_jvp, (3.0,), rtol=1e-4))
    check_jvp(lambda x: x**2, f_jvp, (3.0,), rtol=2e-3)
    check_jvp(lambda x: x**2, f_jvp, (3.0,), atol=0.1)


def test_step_is_the_callers():
    """(x + h)^3 - (x - h)^3 = (3 x^2 + h^2) 2h."""

    def f_jvp(x, v):
        return x[0] ** 3, 3 * x[0] ** 2 * v[0]

    rejects(lambda: check_jvp(lambda x: x**3, f_jvp, (0.5,), eps=0.1))
    check_jvp(lambda x: x**3, f_jvp, (0.5,), eps=0.1, atol=0.1)


@pytest.mark.usefixtures("primitives")
def test_wrong_primitives_are_found_by_check_grads():
    sine, cosine = ((lambda x, f=f: f(x)) for f in (np.sin, np.cos))  # not NumPy's, which are taken
    wrong = extend.Elementwise("wrong_sin", sine, [lambda y, x: np.sin(x)])
    rejects(
        lambda: check_grads(lambda x: wrong(x) * x, (np.array([0.3, 2.0]),), 2),
        r"check_grads of `.*`(?s:.)*, order 1, forward mode: the derivative of the result in the direction of x",
    )
    rejects(lambda: check_grads(wrong, (0.3,), 2, modes="rev"), "order 1, reverse mode")
    wrong_cos = extend.Elementwise("wrong_cos", cosine, [lambda y, x: np.sin(x)])
    second = extend.Elementwise("sin_of_wrong_cos", sine, [lambda y, x: wrong_cos(x)])
    check_grads(lambda x: second(x) * x, (0.3,), 1)
    rejects(lambda: check_grads(lambda x: second(x) * x, (0.3,), 2), "order 2, forward over forward mode", "of x is")
    rejects(lambda: check_grads(lambda x: second(x) * x, (0.3,), 3, "rev"), "order 2, reverse over reverse mode")


def test_a_primitive_does_not_take_over_a_ufunc():
    with pytest.raises(ValueError, match="ufunc sin is differentiated by the primitive 'sin' already"):
        extend.Elementwise("wrong_sin", np.sin, [lambda y, x: np.sin(x)])
    assert "wrong_sin" not in extend.Primitive.registry
    assert_allclose(xform.grad(np.sin)(0.3), np.cos(0.3))


@pytest.mark.usefixtures("primitives")
def test_a_wrong_transpose_is_found_in_reverse_mode():
    check_grads(Double("double"), (np.ones(3),), 2)
    wrong = Double("wrong_double", transposed=3.0)
    check_grads(wrong, (np.ones(3),), 3, modes=("fwd",))
    rejects(lambda: check_grads(lambda x: wrong(np.sin(x)), (np.ones(3),), 1), "order 1, reverse mode", "of x,")


@pytest.mark.usefixtures("primitives")
def test_the_modes_are_compared_to_machine_precision():
    """A transpose that is wrong in the eighth digit passes finite differences and not the comparison of the modes."""
    wrong = Double("slightly_wrong_double", transposed=2.0 + 1e-8)
    check_grads(wrong, (np.ones(3),), 1, modes="rev")
    rejects(
        lambda: check_grads(wrong, (np.ones(3),), 1),
        r"order 1, reverse against forward mode: the derivative in the direction of argument 0, <y_bar, ",
        r"by vjp .*\n  by jvp ",
    )
    check_grads(wrong, (np.ones(3),), 1, rtol=1e-6)  # the caller's tolerance holds for it too


def test_a_kink_is_found():
    """A step across the kink of |x|."""
    check_grads(np.abs, (np.array([0.5, -1e-3]),), 1)
    rejects(lambda: check_grads(np.abs, (np.array([0.5, 1e-7]),), 1), r"wrong in entry \[1\]")


# ---- batching ----


def test_check_vmap():
    x, y = np.arange(12.0).reshape(3, 4), np.arange(20.0).reshape(4, 5)
    check_vmap(lambda x: np.sin(x) * x[0], (x,))
    check_vmap(lambda x, y: np.sum(x) * y, (x, y), in_axes=(1, 0), out_axes=1)
    check_vmap(lambda x, y: np.sum(x) * y, [x, y], in_axes=[1, None], out_axes=-1)
    check_vmap(lambda p, n: {"s": p["a"] * n, "n": n}, ({"a": x, "b": 2.0}, np.arange(4)), ({"a": 1, "b": None}, 0))
    check_vmap(lambda x: (x * 2, 3.0), (x,), out_axes=(0, None))
    check_vmap(lambda x: x > 3, (x,))
    check_vmap(xform.grad(lambda x: np.sum(np.sin(x) * x)), (x,))
    with np.errstate(invalid="ignore"):
        check_vmap(np.sqrt, (np.array([-1.0, 2.0]),))  # nan equals nan


@pytest.mark.usefixtures("primitives")
def test_a_wrong_batch_rule():
    wrong = Double("wrongly_batched", batched=2.5)
    rejects(
        lambda: check_vmap(lambda x: {"y": (x, wrong(x))}, (np.array([[1.0, 4.0], [0.0, 2.0]]),)),
        r"check_vmap of `.*: the result\['y'\]\[1\] is wrong in entry \[0, 1\]",
        r"by vmap +10.0\n  by a loop +8.0\n  they differ by 2, allowed is 3\.\d+e-10",
    )


@pytest.mark.usefixtures("primitives")
def test_a_batch_rule_with_a_wrong_dtype_or_shape():
    wrong = Double("batched_in_single_precision", batched=np.float64(2.0))
    wrong.batch = lambda size, args, batched: [(2 * args[0]).astype(np.float32)]
    rejects(lambda: check_vmap(wrong, (np.ones(3),)), r"the result by vmap is f32\[3\]; wanted f64\[3\]")


# ---- refusals ----


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: check_grads(np.sin, 1.0, 1), TypeError, r"args must be a tuple .* not float; write \(x,\)"),
        (lambda: check_vmap(np.sin, np.ones(2)), TypeError, "args must be a tuple"),
        (lambda: check_grads(np.sin, (1.0,), 0), ValueError, "order must be a positive integer, not 0"),
        (lambda: check_grads(np.sin, (1.0,), 1.5), ValueError, "order must be a positive integer, not 1.5"),
        (lambda: check_grads(np.sin, (1.0,), 1, modes=("forward",)), ValueError, r"some of \('fwd', 'rev'\), not"),
        (lambda: check_grads(np.sin, (1.0,), 1, modes=()), ValueError, r"some of \('fwd', 'rev'\), not \(\)"),
        (lambda: check_grads(np.sin, (1.0,), 1, eps=-1.0), ValueError, "step must be a positive number"),
        (lambda: check_grads(lambda s: s, ("a",), 1), TypeError, "for s, str 'a' was given; wanted an array"),
        (lambda: check_vmap(np.sin, (np.ones((0, 2)),)), ValueError, "size 0, so there is nothing to compare"),
        (lambda: check_vmap(lambda x, y: x, (np.ones(2), np.ones(3))), ValueError, "disagree(?s:.)*x: 2(?s:.)*y: 3"),
    ],
)
def test_unsuitable_parameters(call, error, message):
    with pytest.raises(error, match=message):
        call()
