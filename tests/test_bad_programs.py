"""Bad programs: shapes and indices that do not fit, tracers where they do not belong, rules that are missing."""

import re

import numpy as np
import pytest

import xform
from tests.messages import says
from xform.core.primitive import Primitive

X = np.array([1.0, 2.0, 3.0])


def loss(w, x):
    return np.sum(w * x)


# --- shapes and indices: the same errors under every transformation ---


def by_vmap(f):
    return lambda x: xform.vmap(f)(np.stack([x, x]))


EVERYWHERE = pytest.mark.parametrize(
    "run",
    [
        lambda f: xform.grad(lambda x: np.sum(f(x))),
        lambda f: lambda x: xform.jvp(f, (x,), (x,)),
        lambda f: lambda x: xform.jet(f, (x,), ((x,),)),
        by_vmap,
        xform.make_jaxpr,
        lambda f: xform.make_jaxpr(xform.grad(lambda x: np.sum(f(x)))),
        lambda f: lambda x: xform.sparsity_pattern(f, x),
    ],
    ids=["grad", "jvp", "jet", "vmap", "make_jaxpr", "make_jaxpr of grad", "sparsity_pattern"],
)


@EVERYWHERE
@pytest.mark.parametrize(
    "f, words",
    [
        (lambda x: x * np.ones(2), ["mul", "could not be broadcast", "(3,)", "(2,)", "reshape"]),
        (lambda x: np.maximum(x, np.ones((2, 2))), ["max", "could not be broadcast", "(3,)", "(2, 2)", "reshape"]),
        (lambda x: np.where(x > 0, x, np.ones(2)), ["could not be broadcast", "(3,)", "(2,)"]),
        (lambda x: np.ones((2, 2)) @ x, ["do not contract", "(2,2)", "(3,)", "transpose or reshape"]),
        (lambda x: np.tensordot(x, np.ones((2, 2)), 1), ["do not contract", "(3,)", "(2,2)"]),
        (lambda x: np.einsum("ij,j->i", np.ones((2, 2)), x), ["label 'j'", "size 2", "size 3"]),
        (lambda x: np.concatenate([x, np.ones((2, 2))]), ["concatenat|dimensions"]),
        (lambda x: x.reshape(2, 2), ["reshape", "size 3", "(2, 2)"]),
        (lambda x: np.sum(x, axis=1), ["axis 1 is out of bounds"]),
    ],
    ids=["mul", "maximum", "where", "matmul", "tensordot", "einsum", "concatenate", "reshape", "axis"],
)
def test_shapes_that_do_not_fit(run, f, words):
    pattern = "(?s)" + "".join(f"(?=.*({w if '|' in w else re.escape(w)}))" for w in words)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=pattern):
        run(f)(X)


@EVERYWHERE
@pytest.mark.parametrize(
    "f, words",
    [
        (lambda x: x[3], ["index 3 is out of bounds", "axis 0", "size 3"]),
        (lambda x: x[-4], ["index -4 is out of bounds", "axis 0", "size 3"]),
        (lambda x: x[np.array([0, 5])], ["index 5 is out of bounds", "axis 0", "size 3", ".get(mode="]),
        (lambda x: x.at[np.array([-7])].add(1.0), ["index -7 is out of bounds", "axis 0", "size 3"]),
        (lambda x: x[0, 0], ["too many indices", "1-dimensional"]),
        (lambda x: x["a"], ["integers, slices", "str 'a'"]),
        (lambda x: x[1.0], ["integers, slices", "float 1.0"]),
        (lambda x: x[np.array([True, False])], ["boolean index", "3", "2"]),
    ],
    ids=["3", "-4", "array", "at", "two", "string", "float", "mask"],
)
def test_indices_out_of_range(run, f, words):
    with says(IndexError, *words):
        run(f)(X)


# --- tracers where they do not belong ---

KEPT = []


def keeps(x):
    KEPT.append(x)
    return np.sum(x * x)


@pytest.mark.parametrize(
    "run, name",
    [
        (xform.grad(keeps), "grad"),
        (xform.value_and_grad(keeps), "value_and_grad"),
        (lambda x: xform.jvp(keeps, (x,), (x,)), "jvp"),
        (lambda x: xform.vjp(keeps, x), "vjp"),
        (lambda x: xform.linearize(keeps, x), "linearize"),
        (lambda x: xform.jet(keeps, (x,), ((x,),)), "jet"),
        (lambda x: xform.vmap(keeps)(np.stack([x, x])), "vmap"),
        (xform.make_jaxpr(keeps), "make_jaxpr"),
        (xform.jacfwd(keeps), "jacfwd"),
        (lambda x: xform.sparsity_pattern(keeps, x), "sparsity_pattern"),
    ],
)
def test_a_tracer_used_after_its_transformation_has_ended(run, name):
    KEPT.clear()
    run(X)
    words = [f"{name} of `keeps` (test_bad_programs.py:", "has ended", "Return the value", "has_aux=True"]
    uses = {
        "the operation 'mul'": lambda: KEPT[0] * 2.0,
        "the operation 'sin'": lambda: np.sin(KEPT[0]),
        "the operation 'add'": lambda: xform.grad(lambda y: np.sum(y + KEPT[0]))(X),
        "the operation 'reduce_sum'": lambda: xform.grad(np.sum)(KEPT[0]),
        "this use": lambda: xform.jvp(lambda y: KEPT[0], (1.0,), (1.0,)),
    }
    for operation, use in uses.items():
        with says(xform.LeakedTracerError, operation, *words):
            use()
    assert "Traced<f64[3]>" in repr(KEPT[0])


@pytest.mark.parametrize("bad", ["abc", b"abc", object(), np.array(["a"]), np.array([1.0, None], object), {1, 2}])
def test_arguments_that_are_not_numbers(bad):
    given = f"dtype {bad.dtype}" if isinstance(bad, np.ndarray) else type(bad).__name__
    for transformed in (
        xform.grad(loss),
        xform.jacfwd(loss),
        lambda w, x: xform.vjp(loss, w, x),
        lambda w, x: xform.jvp(loss, (w, x), (x, x)),
        lambda w, x: xform.linearize(loss, w, x),
        lambda w, x: xform.jet(loss, (w, x), ((x,), (x,))),
        xform.vmap(loss),
        lambda w, x: xform.linear_transpose(loss, w, x),
        lambda w, x: xform.sparsity_pattern(loss, w, x),
    ):
        with says(TypeError, "`loss`", "for w", given, "wanted"):
            transformed(bad, X)
    with says(TypeError, "make_jaxpr of `loss`", "[0][0]", given, "wanted"):
        xform.make_jaxpr(loss)(bad, X)


def test_a_string_inside_a_tree_is_found():
    with says(TypeError, "for params[1]['activation']", "str 'relu'", "Close over", "argnums"):
        xform.grad(lambda params: params[0])([1.0, {"activation": "relu"}])


def test_none_as_the_argument():
    with says(TypeError, "for w, None was given", "wanted an array"):
        xform.grad(loss)(None, X)
    with says(TypeError, "NoneType"):
        xform.grad(lambda x: x + None)(1.0)


def test_results_that_are_not_numbers():
    for run in (xform.grad, xform.make_jaxpr, xform.vmap, lambda f: lambda x: xform.vjp(f, x)):
        with says(TypeError, "result", "str 'abc' was given", "wanted an array or a number"):
            run(lambda x: "abc")(X)


def test_assignment_into_an_array_from_outside():
    def writes_outside(x):
        y = np.zeros_like(x)

        def inner(t):
            y[0] = t
            return t

        return xform.grad(inner)(x[0]) + np.sum(y)

    for run in (xform.grad, lambda f: lambda x: xform.jvp(f, (x,), (x,)), xform.make_jaxpr):
        with says(
            xform.TracerAssignmentError, "belongs to", "inside grad of", "inner", "f64[3]", "xform.numpy.copy(x)"
        ):
            run(writes_outside)(X)


@pytest.mark.parametrize(
    "use, words",
    [
        (lambda x: x if x > 0 else -x, ["a condition", "bool[]", "where"]),
        (int, ["int()", "f64[]"]),
        (lambda x: x and 1.0, ["a condition", "logical_and"]),
    ],
)
def test_values_that_are_not_known(use, words):
    for name, run in (("make_jaxpr", xform.make_jaxpr), ("vmap", lambda f: lambda x: xform.vmap(f)(np.ones(2) * x))):
        with says(xform.ConcretizationError, "needs the value", f"{name} of", "test_bad_programs.py", *words):
            run(use)(1.0)


# --- primitives and linear functions ---


class Bare(Primitive):
    """A primitive without any rule but its value."""

    def abstract(self, x):
        return [x]

    def numpy(self, x):
        return [x]


@pytest.fixture
def bare():
    yield Bare("bare")
    del Primitive.registry["bare"]


def test_a_primitive_without_a_rule(bare):
    uses = {
        "jvp": lambda: xform.grad(bare)(1.0),
        "batch": lambda: xform.vmap(bare)(X),
        "jet": lambda: xform.jet(bare, (1.0,), ((1.0,),)),
        "sparsity": lambda: xform.sparsity_pattern(bare, X),
    }
    for rule, use in uses.items():
        with says(xform.MissingRuleError, "'bare'", f"no {rule} rule", f"define the method `{rule}`", "class Bare"):
            use()
    with says(xform.NonlinearError, "linear_transpose of", "'bare' is not linear"):
        xform.linear_transpose(bare, X)


def test_a_primitive_of_the_same_name(bare):
    with says(ValueError, "'bare' exists already", "another name"):
        Bare("bare")


@pytest.mark.parametrize(
    "f, words",
    [
        (np.sin, ["'sin' is not linear", "differentiate other functions with vjp"]),
        (lambda x: x * x, ["'mul' is not linear"]),
        (lambda x: x @ x, ["'contract' is not linear"]),
        (lambda x: x + 1.0, ["'add' of an unknown and a constant is affine", "drop the constant"]),
        (lambda x: np.concatenate([x, X]), ["'concatenate' of an unknown and a constant is affine"]),
        (lambda x: X, ["does not depend on the arguments", "not linear"]),
    ],
)
def test_linear_transpose_of_a_function_that_is_not_linear(f, words):
    with says(xform.NonlinearError, "linear_transpose of", *words):
        xform.linear_transpose(f, X)


def test_linear_transpose_of_integers():
    with says(TypeError, "linear_transpose of `loss`", "w is i64[3]", "real or complex"):
        xform.linear_transpose(loss, np.arange(3), X)
