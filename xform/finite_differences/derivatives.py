"""Gradients, Jacobians, Hessians and their products with vectors, from values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import aval_of
from xform.core.errors import describe
from xform.finite_differences.quotients import along, blocks, check_step, differences, symmetrized
from xform.finite_differences.values import Values

Function = Callable[[Any], Any]


def gradient(f: Function, x: Any, scheme: str = "central", step: float | None = None, holomorphic: bool = False) -> Any:
    """The gradient of a scalar function at `x`, a tree of arrays, entry by entry; the result is a tree like `x`.

    For n entries it takes n + 1 evaluations, 2 n + 1 if central. `step` is the step for every entry; without it each
    has its own, `best_step` times max(1, |x_i|). Complex entries follow `xform.grad`: df/da - i df/db at a + ib, and
    with `holomorphic` the complex derivative.

    Raises TypeError where `xform.grad` does, and ValueError for an unknown scheme, and for a step that is not positive
    or that rounding swallows.

    >>> gradient(lambda x: np.sum(x ** 3), np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    """
    values = Values(f"the finite-difference gradient of {describe(f)}", f, (x,))
    values.check_scalar(holomorphic)
    (row,) = blocks(values, differences(values, scheme, step, holomorphic))
    return values.argument_tree([g.astype(x.dtype) for g, x in zip(row, values.xs, strict=True)])


def jacobian(f: Function, x: Any, scheme: str = "central", step: float | None = None, holomorphic: bool = False) -> Any:
    """The Jacobian of a function at `x`, column by column.

    For every array y of the result and x of the argument there is an array dy/dx of shape y.shape + x.shape, in a tree
    like the result of trees like the argument, as `xform.jacobian` has it. The parameters are those of `gradient`.

    >>> jacobian(lambda x: np.array([x[0] * x[1], np.sin(x[0])]), np.array([0.0, 2.0])).round(6)
    array([[2., 0.],
           [1., 0.]])
    """
    values = Values(f"the finite-difference jacobian of {describe(f)}", f, (x,))
    values.check_numbers(holomorphic)
    return values.jacobian_tree(blocks(values, differences(values, scheme, step, holomorphic)))


def directional(f: Function, x: Any, v: Any, scheme: str = "central", step: float | None = None) -> Any:
    """The derivative f'(x) v in the direction `v`, a tree like `x`, from two evaluations; a tree like the result.

    `step` is the multiple of v that is added to x; without it, the largest one that moves no entry further than its own
    best step. Integer entries have tangents of dtype float0 and stay where they are. Raises TypeError if v does not
    match x.

    >>> directional(lambda x: np.sin(x[0]) * x[1], np.array([0.0, 2.0]), np.array([3.0, 1.0])).round(6)
    np.float64(6.0)
    """
    values = Values(f"the finite-difference derivative of {describe(f)}", f, (x,))
    return values.result_tree(along(values, values.tangents((v,)), scheme, step)[0])


def hvp(grad: Function, x: Any, v: Any, scheme: str = "central", step: float | None = None) -> Any:
    """The product of a Hessian with `v` from two gradients, (g(x + h v) - g(x - h v)) / 2h; a tree like `x`.

    `grad` is the gradient as a function; the other parameters are those of `directional`.

    >>> hvp(lambda x: 3 * x ** 2, np.array([1.0, 2.0]), np.array([1.0, 0.0])).round(6)
    array([6., 0.])
    """
    return directional(grad, x, v, scheme, step)


def hessian(
    f: Function,
    x: Any,
    scheme: str = "central",
    step: float | None = None,
    holomorphic: bool = False,
    grad: Function | None = None,
) -> Any:
    """The Hessian of a scalar function at `x`, made symmetric: (H + H^T)/2.

    Given the gradient as a function `grad`, H is its Jacobian, column by column. Else H is made of second differences,
    whose rounding error eps / h^2 asks for the larger step eps^(1/(p + 2)). The other parameters are those of
    `gradient`. The result is a tree like `x` of trees like `x`, as `xform.hessian` has it.

    >>> hessian(lambda x: x[0] * x[1] ** 2, np.array([3.0, 5.0])).round(4)
    array([[ 0., 10.],
           [10.,  6.]])
    """
    origin = f"the finite-difference hessian of {describe(f)}"
    values = Values(origin, f, (x,))
    values.check_scalar(holomorphic)
    if not holomorphic:
        values.check_real(", or holomorphic=True for a holomorphic function")

    def first_differences(z: Any) -> Any:
        inner = Values(origin, f, (z,))
        (row,) = blocks(inner, differences(inner, scheme, step, holomorphic, order=2))
        return inner.argument_tree(row)

    slopes = Values(origin, first_differences if grad is None else grad, (x,))
    shapes, wanted = [y.shape for y in slopes.ys], [x.shape for x in values.xs]
    if shapes != wanted:
        raise TypeError(f"{slopes.origin}: grad returned shapes {shapes}; wanted those of the argument, {wanted}")
    rows = blocks(slopes, differences(slopes, scheme, step, holomorphic, order=2 if grad is None else 1))
    return tree.unflatten(values.in_tree, [values.argument_tree(row) for row in symmetrized(rows, values.xs)])[0]


def complex_step(f: Function, x: Any, step: float | None = None) -> Any:
    """The Jacobian of a real analytic function from one evaluation per entry beside the real axis: Im f(x + ih e_i)/h.

    Nothing is subtracted, so h can be so small (eps^2 max(1, |x_i|)) that the error h^2 f'''/6 vanishes, and the result
    is exact to machine precision. It has the form of `jacobian`.

    Raises TypeError if `x` is not real, or if a result is real although the argument is complex: then the function has
    thrown the derivative away, or does not depend on `x`.

    >>> print(f"{complex_step(lambda x: np.exp(x) / x, 2.0):.14f} {np.exp(2.0) / 4:.14f}")
    1.84726402473266 1.84726402473266
    """
    values = Values(f"complex_step of {describe(f)}", f, (x,))
    values.check_numbers(False)
    values.check_real(", to be moved off the real axis")
    check_step(values.origin, step)

    def column(k: int, i: int) -> list[np.ndarray]:
        x = values.xs[k]
        h = float(np.finfo(x.dtype).eps) ** 2 * max(1.0, abs(float(x.flat[i]))) if step is None else step
        z = x.astype(np.result_type(x.dtype, np.complex64))
        z.flat[i] += 1j * h
        ys = values([*values.xs[:k], z, *values.xs[k + 1 :]])
        for y in ys:
            if y.dtype.kind != "c":
                raise TypeError(
                    f"{values.origin}: a result is {aval_of(y)} although the argument is complex; wanted an analytic "
                    "program (no abs, real, conj) whose results all depend on the argument"
                )
        return [np.asarray(np.imag(y) / np.imag(y).dtype.type(h)) for y in ys]

    return values.jacobian_tree(blocks(values, column))
