"""Sums of products of two arrays against np.einsum, for every spec and layout, and the errors of what does not fit."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.core.aval import Aval, aval_of
from xform.core.errors import NonlinearError
from xform.core.primitive import Linear
from xform.ops.contraction.contract import contract
from xform.ops.contraction.contract_kernels import kernels
from xform.ops.contraction.labels import LABELS, fresh_label, groups
from xform.ops.structure import reduce_sum

SIZE = {"a": 2, "b": 3, "c": 4, "d": 1}


def specs(labels):
    """All specs in which each of the labels plays a part, with the axes of each array in every order."""
    for parts in itertools.product([(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)], repeat=len(labels)):
        arrays = [[k for k, part in zip(labels, parts, strict=True) if part[n]] for n in range(3)]
        yield from itertools.product(*(map("".join, itertools.permutations(axes)) for axes in arrays))


def operands(spec, seed=0, dtypes=(float, float)):
    rng = np.random.default_rng(seed)
    return [
        rng.integers(-3, 4, [SIZE[k] for k in labels]).astype(dtype)
        for labels, dtype in zip(spec, dtypes, strict=False)
    ]


def wanted(spec, x, y):
    return np.einsum(f"{spec[0]},{spec[1]}->{spec[2]}", x, y)


@pytest.mark.parametrize("labels", ["", "a", "ab", "abc"])
def test_every_spec(labels):
    for spec in specs(labels):
        x, y = operands(spec)
        assert_array_equal(contract(x, y, spec=spec), wanted(spec, x, y), err_msg=str(spec))


def test_specs_of_four_labels():
    for spec in list(specs("abcd"))[::301]:
        x, y = operands(spec)
        assert_array_equal(contract(x, y, spec=spec), wanted(spec, x, y), err_msg=str(spec))


@pytest.mark.parametrize("dtypes", [(np.float32, float), (complex, complex), (int, np.float32), (np.int8, np.int8)])
def test_dtypes_promote_as_in_numpy(dtypes):
    for spec in list(specs("abc"))[::17]:
        x, y = operands(spec, dtypes=dtypes)
        z = contract(x, y, spec=spec)
        assert z.dtype == np.result_type(x, y)
        assert_array_equal(z, wanted(spec, x, y), err_msg=str(spec))


def test_booleans_are_or_of_and():
    for spec in list(specs("ab")):
        x, y = operands(spec, dtypes=(bool, bool))
        z = contract(x, y, spec=spec)
        assert z.dtype == bool
        assert_array_equal(z, wanted(spec, x, y), err_msg=str(spec))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: a[::-1], lambda a: np.repeat(a, 2, -1)[..., ::2]])
def test_operands_in_any_memory_layout(layout):
    for spec in list(specs("abc"))[::7]:
        x, y = operands(spec)
        if x.ndim and y.ndim:
            x, y = layout(x), layout(y)
            assert_array_equal(contract(x, y, spec=spec), wanted(spec, x, y), err_msg=str(spec))


@pytest.mark.parametrize("empty", "abc")
def test_zero_sizes(empty, monkeypatch):
    monkeypatch.setitem(SIZE, empty, 0)
    for spec in list(specs("abc"))[::5]:
        x, y = operands(spec)
        assert_array_equal(contract(x, y, spec=spec), wanted(spec, x, y), err_msg=str(spec))


class Witness(np.ndarray):
    """An operand that notes which arrays reach BLAS."""

    seen: list[np.ndarray]

    def dot(self, other):
        self.seen.extend(map(np.asarray, (self, other)))
        return np.asarray(self).dot(np.asarray(other))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = list(map(np.asarray, inputs))
        self.seen.extend(plain)
        return getattr(ufunc, method)(*plain, **kwargs)


@pytest.mark.parametrize(
    "spec, shapes",
    [
        (("ik", "kj", "ij"), ((2, 3), (3, 4))),
        (("ki", "kj", "ij"), ((3, 2), (3, 4))),
        (("ik", "jk", "ij"), ((2, 3), (4, 3))),
        (("bik", "kj", "bij"), ((5, 2, 3), (3, 4))),
        (("bik", "bij", "kj"), ((5, 2, 3), (5, 2, 4))),
        (("bqhd", "bkhd", "bhqk"), ((2, 3, 4, 5), (2, 6, 4, 5))),
        (("ik", "bkj", "bij"), ((2, 3), (5, 3, 4))),
    ],
)
def test_the_usual_products_copy_no_operand(spec, shapes):
    x, y = (np.ones(shape) for shape in shapes)
    Witness.seen = []
    kernels[spec](x.view(Witness), y.view(Witness))
    assert len(Witness.seen) == 2
    assert all(np.shares_memory(a, x) or np.shares_memory(a, y) for a in Witness.seen)


def test_cotangents_have_the_dtype_of_their_operand():
    x, y = np.ones((2, 3), np.float32), np.ones((3, 2))
    z, pullback = xform.vjp(lambda x, y: contract(x, y, spec=("ik", "kj", "ij")), x, y)
    x_bar, y_bar = pullback(np.ones((2, 2)))
    assert (z.dtype, x_bar.dtype, y_bar.dtype) == (np.float64, np.float32, np.float64)
    _, z_dot = xform.jvp(lambda x: contract(x, y, spec=("ik", "kj", "ij")), (x,), (x,))
    assert z_dot.dtype == np.float64


def test_the_cotangent_of_a_real_factor_is_real():
    x, y = np.array([1.0, 2.0]), np.array([3 + 1j, 4 - 2j])
    _, pullback = xform.vjp(lambda x: contract(x, y, spec=("k", "k", "")), x)
    (x_bar,) = pullback(np.complex128(1j))
    assert x_bar.dtype == np.float64
    assert_array_equal(x_bar, (1j * y).real)


def test_second_derivative_of_a_quadratic_form():
    a, x = np.random.default_rng(1).normal(size=(3, 3)), np.arange(3.0)

    def f(x):
        return contract(contract(x, a, spec=("i", "ij", "j")), x, spec=("j", "j", ""))

    assert_allclose(xform.grad(f)(x), (a + a.T) @ x)
    assert_allclose(xform.hessian(f)(x), a + a.T)


@pytest.mark.parametrize("in_axes", [(0, None), (None, 0), (0, 0)])
def test_batched(in_axes):
    x, y = np.random.default_rng(2).normal(size=(2, 3, 3, 3))
    z = xform.vmap(lambda x, y: contract(x, y, spec=("ik", "kj", "ij")), in_axes)(
        *(a if axis == 0 else a[0] for a, axis in zip((x, y), in_axes, strict=True))
    )
    loop = [(x[k if in_axes[0] == 0 else 0]) @ (y[k if in_axes[1] == 0 else 0]) for k in range(3)]
    assert_allclose(z, np.stack(loop))


def test_many_labels():
    """More axes than there are letters."""
    shape = (1,) * 60
    x = np.ones(shape)
    spec = (LABELS[:60], LABELS[2:62], LABELS[:2] + LABELS[60:62])
    assert contract(x, x, spec=spec).shape == (1, 1, 1, 1)
    assert fresh_label(LABELS[:100], "b") == LABELS[100]


def test_groups_of_labels():
    assert groups(("bik", "kjb", "ijb")) == ("b", "k", "i", "j")


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    "shapes, spec, message",
    [
        (
            ((3, 4), (5, 6)),
            ("ij", "jk", "ik"),
            r"'j' has size 4 in the first operand, of shape \(3, 4\), and size 5 in",
        ),
        (((3, 4), (4, 3)), ("ij", "ij", ""), "'i' has size 3 .* transpose or reshape"),
        (((1,), (3,)), ("i", "i", "i"), "'i' has size 1"),
        (((2, 1, 3), (2, 2, 3)), ("abk", "abk", "ab"), "'b' has size 1"),
        (((2, 1), (3, 1)), ("b", "bj", "bj"), "has 2|shape \\(2, 1\\)"),
        (((2, 6), (3, 2, 4)), ("ikl", "klj", "ij"), "2 axes, but its labels 'ikl' name 3"),
        (((2, 3, 4), (4, 3, 2)), ("ikl", "klj", "ij"), "'k' has size 3"),
        (((3,), (3, 2)), ("ij", "jk", "ik"), r"first operand has shape \(3,\), of 1 axes"),
        (((3, 4), (4, 2, 2)), ("ij", "jk", "ik"), r"second operand has shape \(4, 2, 2\)"),
        (((3,), (3,)), ("i", "i", "j"), "label 'j' must stand once in at least two"),
        (((3,), (3,)), ("i", "j", "i"), "label 'j' must stand once in at least two"),
        (((3, 3), (3,)), ("ii", "i", "i"), "label 'i' must stand once"),
    ],
)
def test_what_does_not_fit_says_so(shapes, spec, message, traced):
    rule, make = (contract.abstract, lambda s: Aval(s, np.float64)) if traced else (contract, np.ones)
    operands = map(make, shapes)
    with pytest.raises(ValueError, match=message):
        rule(*operands, spec=spec)


def test_a_product_of_two_unknowns_has_no_transpose():
    unknown = Linear(Aval((3,), np.float64))
    with pytest.raises(NonlinearError, match=r"of two unknowns is bilinear.*vjp"):
        contract.transpose([np.float64(1.0)], unknown, unknown, spec=("k", "k", ""))
    with pytest.raises(NonlinearError, match="'contract' is not linear"):
        xform.linear_transpose(lambda x: contract(x, x, spec=("k", "k", "")), np.ones(3))


def test_abstract_agrees_with_numpy():
    for spec in list(specs("abc"))[::11]:
        x, y = operands(spec, dtypes=(np.float32, np.int64))
        assert contract.abstract(aval_of(x), aval_of(y), spec=spec) == [aval_of(contract(x, y, spec=spec))]


def test_gradient_through_every_kernel():
    """<z_bar, J x_dot> = <J^T z_bar, x_dot>, where transposing turns one kernel into another."""
    for spec in list(specs("abc"))[::41]:
        x, y = operands(spec, 1)
        weights = np.random.default_rng(3).normal(size=[SIZE[k] for k in spec[2]])
        gradient = xform.grad(weighted_sum)(x, y, weights, spec=spec)
        assert_allclose(gradient, wanted((spec[2], spec[1], spec[0]), weights, y), err_msg=str(spec))


def weighted_sum(x, y, weights, spec):
    return reduce_sum(contract(x, y, spec=spec) * weights, axes=tuple(range(weights.ndim)))
