"""Bad arguments: the type of each error and what its message says was given, was wanted, and is to be done."""

import numpy as np
import pytest

import xform
from tests.messages import says

X = np.array([1.0, 2.0, 3.0])


def loss(w, x):
    return np.sum(w * x)


# --- grad: results and arguments ---


@pytest.mark.parametrize(
    "f, words",
    [
        (lambda x: x * x, ["must return a scalar", "f64[3]", "sum it", "jacobian"]),
        (lambda x: np.sum(x, keepdims=True), ["must return a scalar", "f64[1]"]),
        (lambda x: (np.sum(x), x), ["must return a single number", "(*, *)", "has_aux=True", "jacobian"]),
        (lambda x: None, ["must return a single number", "None"]),
    ],
)
@pytest.mark.parametrize("transform", [xform.grad, xform.value_and_grad])
def test_the_result_of_grad_is_not_a_scalar(transform, f, words):
    with says(TypeError, transform.__name__, "test_bad_input.py", *words):
        transform(f)(X)


@pytest.mark.parametrize(
    "f, words",
    [
        (np.argmax, ["i64[]", "no derivatives", "has_aux=True"]),
        (lambda x: x[0] > 0, ["bool[]", "no derivatives", "real number"]),
        (lambda x: np.sum(np.exp(1j * x)), ["complex", "c128[]", "real part", "holomorphic=True"]),
    ],
)
def test_the_result_of_grad_has_no_gradient(f, words):
    with says(TypeError, *words):
        xform.grad(f)(X)


@pytest.mark.parametrize("transform", [xform.grad, xform.jacfwd, xform.jacrev, xform.jacobian, xform.hessian])
def test_integer_arguments(transform):
    with says(TypeError, "`loss`", "w is i64[]", "Pass a float", "argnums", "allow_int=True"):
        transform(loss)(3, X)
    with says(TypeError, "w['layer'][1] is i64[2]"):
        transform(lambda w: np.sum(w["layer"][0]))({"layer": [X, np.arange(2)]})
    with says(TypeError, "x is bool[]"):
        transform(loss, argnums=1)(X, True)


@pytest.mark.parametrize(
    "argnums, error, words",
    [
        (2, ValueError, ["argnums is 2", "2 positional arguments"]),
        (-3, ValueError, ["argnums is -3", "2 positional arguments"]),
        ((0, 2), ValueError, ["argnums is (0, 2)"]),
        ((0, -2), ValueError, ["(0, -2)", "twice"]),
        (1.0, TypeError, ["integer or a tuple of integers", "1.0"]),
        ("w", TypeError, ["integer or a tuple of integers", "'w'"]),
        (None, TypeError, ["integer or a tuple of integers", "None"]),
        (True, TypeError, ["integer or a tuple of integers", "True"]),
    ],
)
@pytest.mark.parametrize("transform", [xform.grad, xform.value_and_grad, xform.jacfwd, xform.jacrev, xform.hessian])
def test_argnums(transform, argnums, error, words):
    with says(error, "`loss`", *words):
        transform(loss, argnums)(X, X)


def test_arguments_to_differentiate_go_by_position():
    with says(ValueError, "0 positional arguments", "by position"):
        xform.grad(loss)(w=X, x=X)


# --- complex numbers ---


def test_holomorphic():
    with says(TypeError, "holomorphic=True wants complex arguments", "x is f64[]"):
        xform.grad(lambda x: x * x, holomorphic=True)(1.0)
    with says(TypeError, "holomorphic=True wants a complex result", "f64[]"):
        xform.grad(np.abs, holomorphic=True)(1j)
    with says(TypeError, "forward mode wants real arguments", "c128[3]", "holomorphic=True", "jacrev"):
        xform.jacfwd(lambda z: z * np.conj(z))(1j * X)
    with says(TypeError, "the result is complex", "c128[3]", "holomorphic=True"):
        xform.jacrev(lambda x: x * 1j)(X)


# --- tangents and cotangents ---


@pytest.mark.parametrize(
    "tangents, words",
    [
        ((X, X[:2]), ["the tangent of x", "f64[2] was given", "wanted f64[3]"]),
        ((X.astype(np.float32), X), ["the tangent of w", "f32[3] was given", "wanted f64[3]"]),
        ((X, np.arange(3)), ["the tangent of x", "i64[3] was given", "wanted f64[3]"]),
        ((X, 1j * X), ["the tangent of x", "c128[3] was given", "wanted f64[3]"]),
        ((X, 1.0), ["the tangent of x", "f64[] was given", "wanted f64[3]"]),
        ((X, "v"), ["the tangent of x", "str 'v' was given"]),
        ((X,), ["structure of primals", "(*, *)", "given was", "(*,)"]),
        ((X, [X]), ["structure of primals", "(*, *)", "given was", "(*, [*])"]),
        ((X, None), ["structure of primals", "given was", "(*, None)"]),
    ],
)
def test_tangents_that_do_not_match(tangents, words):
    with says(TypeError, "jvp of `loss`", *words):
        xform.jvp(loss, (X, X), tangents)
    with says(TypeError, "linearize of `loss`", *words):
        xform.linearize(loss, X, X)[1](*tangents)


def test_tangents_name_the_path():
    with says(TypeError, "the tangent of t['a'][0]", "f64[2]", "f64[3]"):
        xform.jvp(lambda t: t["a"][0], ({"a": [X]},), ({"a": [X[:2]]},))


def test_tangents_of_integers():
    with says(TypeError, "the tangent of x", "f64[3] was given", "wanted float0[3]", "i64[3]"):
        xform.jvp(loss, (X, np.arange(3)), (X, X))


def test_primals_and_tangents_are_tuples():
    with says(TypeError, "must be tuples", "ndarray and ndarray"):
        xform.jvp(np.sin, X, X)
    with says(TypeError, "hvp", "must be tuples", "ndarray and ndarray"):
        xform.hvp(np.sum, X, X)


@pytest.mark.parametrize(
    "cotangent, words",
    [
        ({"u": X, "v": [X[:2]]}, ["at ['v'][0]", "f64[2] was given", "wanted f64[3]"]),
        ({"u": X.astype(np.float32), "v": [X]}, ["at ['u']", "f32[3] was given", "wanted f64[3]"]),
        ({"u": X, "v": [1j * X]}, ["at ['v'][0]", "c128[3] was given"]),
        ({"u": X, "v": ["w"]}, ["at ['v'][0]", "str 'w' was given"]),
        ({"u": X, "v": X}, ["structure of the result", "{'u': *, 'v': [*]}", "given was", "{'u': *, 'v': *}"]),
        (X, ["structure of the result", "given was the structure PyTreeDef(*)"]),
    ],
)
def test_cotangents_that_do_not_match(cotangent, words):
    with says(TypeError, "vjp", "cotangent", *words):
        xform.vjp(lambda x: {"u": x, "v": [x * 2]}, X)[1](cotangent)
    with says(TypeError, "linear_transpose", "cotangent", *words):
        xform.linear_transpose(lambda x: {"u": x, "v": [x * 2]}, X)(cotangent)


def test_cotangents_of_integers():
    with says(TypeError, "f64[] was given", "wanted float0[]", "i64[]"):
        xform.vjp(np.argmax, X)[1](1.0)


@pytest.mark.parametrize(
    "primals, series, error, words",
    [
        ((1.0,), (), TypeError, ["1 primals and 0 series"]),
        ((1.0, 1.0), ((1.0,), (1.0, 2.0)), ValueError, ["one length", "[1, 2]"]),
        ((X, X), ((X,), (X[:2],)), TypeError, ["the tangent of", "f64[2] was given", "wanted f64[3]"]),
        ((X, "a"), ((X,), (X,)), TypeError, ["str 'a' was given"]),
    ],
)
def test_series_that_do_not_match(primals, series, error, words):
    with says(error, "jet of", *words):
        xform.jet(loss, primals, series)


def test_auxiliary_output_is_the_second_of_a_pair():
    for transformed in (
        xform.grad(loss, has_aux=True),
        xform.value_and_grad(loss, has_aux=True),
        lambda w, x: xform.vjp(loss, w, x, has_aux=True),
        lambda w, x: xform.jvp(loss, (w, x), (w, x), has_aux=True),
    ):
        with says(TypeError, "has_aux=True", "`loss`", "a pair (result, aux)"):
            transformed(X, X)


# --- vmap ---


def test_sizes_that_disagree_are_named():
    with says(ValueError, "vmap of", "sizes of the mapped axes disagree", "\n  x: 3\n  y['k'][0]: 2"):
        xform.vmap(lambda x, y: x)(X, {"k": [X[:2]]})
    with says(ValueError, "\n  x: 3\n  scale: 2"):
        xform.vmap(lambda x, *, scale: x)(X, scale=X[:2])
    with says(ValueError, "\n  x: 3\n  axis_size: 4"):
        xform.vmap(lambda x: x, axis_size=4)(X)


@pytest.mark.parametrize(
    "in_axes, error, words",
    [
        (None, ValueError, ["no argument is mapped", "axis_size"]),
        ((0,), ValueError, ["in_axes is not a prefix", "the tuple of arguments", "length 1", "length 2"]),
        ((0, {"a": 0}), ValueError, ["in_axes is not a prefix", "at [1]", "a dict with keys ['a']", "ndarray"]),
        (1, ValueError, ["in_axes wants axis 1 of argument w", "(3,)", "rank 1"]),
        ((0, -2), ValueError, ["in_axes wants axis -2 of argument x", "(3,)", "rank 1"]),
        (1.0, TypeError, ["in_axes must hold integers or None", "1.0"]),
        ((0, "1"), TypeError, ["in_axes must hold integers or None", "'1'"]),
        ((0, True), TypeError, ["in_axes must hold integers or None", "True"]),
    ],
)
def test_in_axes(in_axes, error, words):
    with says(error, "vmap of `loss`", *words):
        xform.vmap(loss, in_axes=in_axes)(X, X)


def test_in_axes_of_a_scalar():
    with says(ValueError, "axis 0 of argument x", "()", "rank 0"):
        xform.vmap(loss)(X, 1.0)


@pytest.mark.parametrize(
    "out_axes, error, words",
    [
        (1, ValueError, ["out_axes is 1", "rank 1"]),
        (None, ValueError, ["out_axes is None", "depends on the mapped axis"]),
        ((0, 0, 0), ValueError, ["out_axes is not a prefix of the result", "length 3", "length 2"]),
        ("0", TypeError, ["out_axes must hold integers or None", "'0'"]),
    ],
)
def test_out_axes(out_axes, error, words):
    with says(error, "vmap of", *words):
        xform.vmap(lambda x: (x, x), out_axes=out_axes)(X)


# --- what is not a function, or not for this program ---


@pytest.mark.parametrize(
    "transform",
    [
        xform.grad,
        xform.value_and_grad,
        xform.jacfwd,
        xform.jacrev,
        xform.jacobian,
        xform.hessian,
        xform.vmap,
        xform.make_jaxpr,
    ],
)
def test_what_is_not_a_function(transform):
    with says(TypeError, "float 3.0 was given", "wanted a function"):
        transform(3.0)


def test_a_jaxpr_called_with_something_else():
    jaxpr = xform.make_jaxpr(loss)(X, 2.0)
    with says(TypeError, "takes 2 arguments", "1 were given"):
        jaxpr(X)
    with says(TypeError, "argument 0", "f64[3]", "f64[2] was given"):
        jaxpr(X[:2], 2.0)
    with says(TypeError, "argument 1", "f64[]", "c128[] was given"):
        jaxpr(X, 2j)


def test_static_argnums_out_of_range():
    with says(ValueError, "static_argnums has 3", "1 positional"):
        xform.make_jaxpr(np.sin, static_argnums=3)(X)


@pytest.mark.parametrize("chunk_size", [0, -1, 1.5, "2"])
def test_chunk_size(chunk_size):
    for jacobian in (xform.jacfwd, xform.jacrev, xform.jacobian, xform.hessian):
        with says(ValueError, "chunk_size must be a positive integer", repr(chunk_size)):
            jacobian(np.sin, chunk_size=chunk_size)


def test_axis_size():
    for axis_size in (-1, 2.5, "3"):
        with says(ValueError, "axis_size must be a number of examples", repr(axis_size)):
            xform.vmap(lambda: 1.0, axis_size=axis_size)


def test_subclasses_of_ndarray_that_mean_something_else():
    for x, words in (
        (np.ma.array(X, mask=[0, 1, 0]), ["a MaskedArray was given", "plain array", "filled"]),
        (X[None].view(np.matrix), ["a matrix was given", "plain array", "numpy.asarray"]),
    ):
        for transformed in (xform.grad(loss), xform.vmap(loss), lambda w, x: xform.jvp(loss, (w, x), (w, x))):
            with says(TypeError, "for w", *words):
                transformed(x, X)


def test_subclasses_and_byte_orders_that_mean_the_same_are_taken():
    class Named(np.ndarray):
        pass

    for x in (X.view(Named), X.astype(">f8")):
        for g in (xform.grad(np.sum)(x), xform.vjp(lambda x: x * 2.0, X)[1](x)[0], xform.jvp(np.sin, (X,), (x,))[1]):
            assert type(g) is np.ndarray
            assert g.dtype.isnative
