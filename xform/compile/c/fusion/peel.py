"""The inverse of batching: an operation on arrays as a loop over an axis of the same operation on their slices.

    for i < size:  out[i] = prim(slices of the operands; params)           or          out = combine(out, prim(...))

For each primitive it is said along which axis its operands are to be sliced so that slices of the result come out along
its first axis, or that the result is a sum (a product, an extreme, ...) over the slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from xform.compile.c.kernels import sizes
from xform.compile.c.text.scalars import REDUCTIONS, has_text
from xform.core.aval import Aval
from xform.core.jaxpr import Eqn, Var
from xform.core.primitive import Primitive
from xform.ops.contraction.labels import Spec
from xform.ops.elementwise import Elementwise
from xform.ops.indexing.positions import block_shape


class Peel(NamedTuple):
    """How an operation is a loop. `prim` is None where the slice of the operand is the result."""

    size: int
    axes: tuple[int | None, ...]  # where each operand is sliced, None: it is the same in all steps
    prim: Primitive | None
    params: dict[str, Any]
    combine: str | None = None
    flat: bool = False  # a step is an entry, along all axes

    def is_sliced(self, k: int, aval: Aval) -> bool:
        """Does the k-th operand have a slice for each step? (One of size 1 is stretched.)"""
        axis = self.axes[k]
        return axis is not None and (self.flat or aval.shape[axis] == self.size)


Rule = Callable[..., Peel | None]
Place = tuple[int, int]  # where an operation is done: its level, and the length of the loop or 0


def is_aligned(peel: Peel, k: int, v: Var) -> bool:
    """Is the slice of this operand that a step reads the one which the same step of the loop makes?"""
    return peel.axes[k] == 0 and peel.is_sliced(k, v.aval)


def peel(eqn: Eqn) -> Peel | None:
    """How to loop over the first axis of the result, or over an axis that is summed away; None if that is not known."""
    ins, outs = [a.aval for a in eqn.inputs], [v.aval for v in eqn.outputs]
    if len(outs) != 1 or None in outs[0].shape or any(None in a.shape for a in ins):
        return None
    prim = eqn.prim
    if isinstance(prim, Elementwise) or prim.name == "select":
        return pointwise(eqn, ins, outs[0])
    rule = reduction if prim.name in REDUCTIONS else RULES.get(prim.name)
    return None if rule is None else rule(eqn, ins, outs[0], **eqn.params)


def pointwise(eqn: Eqn, ins: list[Aval], out: Aval, **_: Any) -> Peel | None:
    if not out.shape or not has_text(eqn.prim, [a.weak or a.dtype for a in ins], out.dtype):
        return None
    return Peel(out.shape[0], tuple(0 if a.ndim == out.ndim else None for a in ins), eqn.prim, eqn.params)


def convert(eqn: Eqn, ins: list[Aval], out: Aval, **params: Any) -> Peel | None:
    return Peel(out.shape[0], (0,), eqn.prim, params) if out.shape else None


def broadcast(eqn: Eqn, ins: list[Aval], out: Aval, *, shape: Any, axes: Any) -> Peel | None:
    rest = tuple(k - 1 for k in axes if k)
    prim = eqn.prim if rest else None
    params = {"shape": shape[1:], "axes": rest}
    return Peel(shape[0], (None if 0 in axes else 0,), prim, params if rest else {}) if shape else None


def reduction(eqn: Eqn, ins: list[Aval], out: Aval, *, axes: Any) -> Peel | None:
    (x,) = ins
    if x.ndim == 0 or not axes or (x.dtype.kind == "c" and eqn.prim.name in ("reduce_max", "reduce_min")):
        return None
    if 0 not in axes:
        return Peel(x.shape[0], (0,), eqn.prim, {"axes": tuple(k - 1 for k in axes)})
    rest = tuple(k - 1 for k in axes if k)
    return Peel(x.shape[0], (0,), eqn.prim if rest else None, {"axes": rest} if rest else {}, eqn.prim.name)


def reshape(eqn: Eqn, ins: list[Aval], out: Aval, *, shape: Any) -> Peel | None:
    (x,) = ins
    if not x.shape or not shape or x.shape[0] != shape[0]:
        return None
    return Peel(shape[0], (0,), eqn.prim if x.shape != shape else None, {"shape": shape[1:]})


def transpose(eqn: Eqn, ins: list[Aval], out: Aval, *, permutation: Any) -> Peel | None:
    if not permutation:
        return None
    p, *rest = permutation
    return Peel(out.shape[0], (p,), eqn.prim, {"permutation": tuple(k - (k > p) for k in rest)})


def region(eqn: Eqn, ins: list[Aval], out: Aval, *, index: Any, **params: Any) -> Peel | None:
    """slice, pad, update_slice: whole along the first axis."""
    size = (ins[0] if eqn.prim.name == "slice" else out).shape[:1]
    if not size or index[0] != (0, size[0], 1):
        return None
    if "shape" in params:
        params["shape"] = params["shape"][1:]
    return Peel(size[0], (0,) * len(ins), eqn.prim, {"index": index[1:], **params})


def joining(eqn: Eqn, ins: list[Aval], out: Aval, *, axis: int) -> Peel | None:
    return Peel(out.shape[0], (0,) * len(ins), eqn.prim, {"axis": axis - 1}) if axis else None


def gather(eqn: Eqn, ins: list[Aval], out: Aval, *, axes: Any, at: int) -> Peel | None:
    indices = ins[1:]
    if at:
        if 0 in axes:
            return None
        params = {"axes": tuple(a - 1 for a in axes), "at": at - 1}
        return Peel(out.shape[0], (0, *(None for _ in indices)), eqn.prim, params)
    rank = len(block_shape(indices))
    if not rank:
        return None
    return Peel(out.shape[0], (None, *along(indices, rank)), eqn.prim, {"axes": axes, "at": 0})


def along(indices: list[Aval], rank: int) -> list[int | None]:
    return [0 if i.ndim == rank else None for i in indices]


def scatter_sum(eqn: Eqn, ins: list[Aval], out: Aval, *, shape: Any, axes: Any, at: int) -> Peel | None:
    y, *indices = ins
    if at:
        if 0 in axes:
            return None
        params = {"shape": shape[1:], "axes": tuple(a - 1 for a in axes), "at": at - 1}
        return Peel(shape[0], (0, *(None for _ in indices)), eqn.prim, params)
    rank = len(block_shape(indices))
    if not rank or not y.shape:
        return None
    return Peel(y.shape[0], (0, *along(indices, rank)), None, {"axes": axes, "at": 0}, "scatter_add")


def scatter(eqn: Eqn, ins: list[Aval], out: Aval, *, axes: Any, at: int) -> Peel | None:
    if not at or 0 in axes:
        return None
    params = {"axes": tuple(a - 1 for a in axes), "at": at - 1}
    return Peel(out.shape[0], (0, 0, *(None for _ in ins[2:])), eqn.prim, params)


def contract(eqn: Eqn, ins: list[Aval], out: Aval, *, spec: Spec) -> Peel | None:
    """Over the first label of the result, or over one that is summed, if that runs along memory."""
    i, j, o = spec
    summed = [k for k in dict.fromkeys(i + j) if k not in o]
    label = o[0] if o else next(iter(summed), None)
    if label is None:
        return None
    if summed and o and strided(label, summed[0], i, j):
        label = summed[0]
    size = dict(zip(i + j, ins[0].shape + ins[1].shape, strict=True))[label]
    axes = tuple(labels.index(label) if label in labels else None for labels in (i, j))
    spec = (i.replace(label, ""), j.replace(label, ""), o.replace(label, ""))
    product = all(labels in ("", spec[2]) for labels in spec[:2])  # nothing is summed, nor laid across
    prim = Primitive.registry["mul"] if product else eqn.prim
    return Peel(size, axes, prim, {} if product else {"spec": spec}, None if label in o else "contract")


def strided(label: str, summed: str, i: str, j: str) -> bool:
    """In an operand that has both labels, does the summed one come first? Then its rows are summed."""
    both = [labels for labels in (i, j) if label in labels and summed in labels]
    return bool(both) and all(labels.index(summed) < labels.index(label) for labels in both)


def along_axis(eqn: Eqn, ins: list[Aval], out: Aval, *, axis: int, **params: Any) -> Peel | None:
    """Cumulative sums, sorting, argmax: in each slice, along an axis that is not the first."""
    return Peel(ins[0].shape[0], (0,) * len(ins), eqn.prim, {"axis": axis - 1, **params}) if axis > 0 else None


def stack_of_matrices(eqn: Eqn, ins: list[Aval], out: Aval, **params: Any) -> Peel | None:
    """Linear algebra, of small matrices; of large ones NumPy is called for the stack as a whole."""
    if sizes.is_single(eqn) or not sizes.are_small_matrices(eqn):
        return None
    return Peel(*sizes.stack_axes(ins), eqn.prim, params)


def sorting(eqn: Eqn, ins: list[Aval], out: Aval, *, axis: int, **params: Any) -> Peel | None:
    """Rows that are sorted by the program; NumPy is called for all of the others at once."""
    return None if sizes.is_sorted_by_numpy(eqn) else along_axis(eqn, ins, out, axis=axis, **params)


def searches(eqn: Eqn, ins: list[Aval], out: Aval, **params: Any) -> Peel | None:
    return Peel(out.shape[0], (0 if ins[0].ndim > 1 else None, 0), eqn.prim, params) if out.shape else None


def same_size(eqn: Eqn, ins: list[Aval], out: Aval, **params: Any) -> Peel | None:
    """Bits that are read in another dtype, entry by entry."""
    return convert(eqn, ins, out, **params) if ins[0].dtype.itemsize == out.dtype.itemsize else None


def convolution(eqn: Eqn, ins: list[Aval], out: Aval, *, spec: Spec, windows: Any) -> Peel | None:
    """Over the first label of the result; what NumPy computes as products of matrices stays whole."""
    i, j, o = spec
    if not o or not sizes.is_small_window(eqn):
        return None
    label = o[0]
    axes = tuple(labels.index(label) if label in labels else None for labels in (i, j))
    rest = tuple(labels.replace(label, "") for labels in spec)
    return Peel(out.shape[0], axes, eqn.prim, {"spec": rest, "windows": windows})


RULES: dict[str, Rule] = {
    **dict.fromkeys(sizes.LINALG, stack_of_matrices),
    "convert": convert, "conj": convert, "broadcast": broadcast, "reshape": reshape, "transpose": transpose,
    "slice": region, "pad": region, "update_slice": region, "concatenate": joining, "stack": joining,
    "gather": gather, "scatter_sum": scatter_sum, "scatter": scatter, "scatter_add": scatter, "scatter_mul": scatter,
    "scatter_min": scatter, "scatter_max": scatter, "contract": contract, "cumsum": along_axis, "cumprod": along_axis,
    "argmax": along_axis, "argmin": along_axis, "sort": sorting, "argsort": sorting, "cummax": along_axis,
    "cummin": along_axis, "searchsorted": searches, "cumlogsumexp": along_axis, "linear_recurrence": along_axis,
    "reduce_precision": convert, "bitcast_convert_type": same_size, "convolve": convolution,
}  # fmt: skip
