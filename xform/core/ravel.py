"""A tree of arrays as one vector, and back: how optimisers and linear solvers like to see parameters.

Both directions use only NumPy functions that tracers take part in, so they can be differentiated and batched.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from xform.core.tree import TreeDef, flatten_with_path, unflatten
from xform.core.tree_kinds import KeyPath, keystr

_NUMERIC = "biufc"


def ravel_pytree(pytree: Any) -> tuple[Any, Unravel]:
    """All leaves of a tree in one vector, `flat`, and the function `unravel` for which `unravel(flat)` is the tree.

    `flat` has shape (n,), where n counts the elements of all leaves, and the dtype to which NumPy promotes the
    leaves' dtypes; it is float64 if there are none. Python numbers come back as arrays of shape (). Raises TypeError,
    naming the path, for a leaf that is not a number or an array of numbers.

    >>> flat, unravel = ravel_pytree({"W": np.ones((2, 2)), "b": np.zeros(2)})
    >>> flat
    array([1., 1., 1., 1., 0., 0.])
    >>> unravel(2 * flat)["W"]
    array([[2., 2.], [2., 2.]])
    """
    pairs, treedef = flatten_with_path(pytree)
    if not pairs:
        return np.zeros(0), Unravel(treedef, (), (), np.dtype(np.float64))
    pieces = [_vector(path, leaf) for path, leaf in pairs]
    flat = np.concatenate(pieces)
    shapes = tuple(tuple(leaf.shape) if hasattr(leaf, "shape") else np.shape(leaf) for _, leaf in pairs)
    return flat, Unravel(treedef, shapes, tuple(piece.dtype for piece in pieces), flat.dtype)


def _vector(path: KeyPath, leaf: Any) -> Any:
    vector = np.ravel(leaf)
    if vector.dtype.kind not in _NUMERIC:
        raise TypeError(
            f"ravel_pytree wants leaves that are numbers or arrays of numbers, but the leaf at "
            f"{keystr(path) or 'the root'} is a {type(leaf).__qualname__} of dtype {vector.dtype}; "
            f"make it static or take it out of the tree."
        )
    return vector


@dataclasses.dataclass(frozen=True, slots=True)
class Unravel:
    """The inverse of `ravel_pytree`: a function of a vector, comparable and hashable by what it does."""

    treedef: TreeDef
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype[Any], ...]
    dtype: np.dtype[Any]

    def __call__(self, flat: Any) -> Any:
        """The tree whose leaves lie one after the other in `flat`, a vector of the size that was raveled.

        Leaves of one dtype take over that of `flat`, so a vector of tangents may have its own. Leaves of several dtypes
        are cast back to them, from a vector of the promoted dtype and no other. A leaf that needs no cast is a view of
        `flat`, as slices are in NumPy. Raises ValueError for a wrong shape and TypeError for a wrong dtype.
        """
        v = flat if hasattr(flat, "dtype") else np.asarray(flat)
        sizes = [int(np.prod(shape, dtype=np.int64)) for shape in self.shapes]
        if tuple(v.shape) != (sum(sizes),):
            raise ValueError(
                f"unravel wants a vector of shape ({sum(sizes)},), as ravel_pytree gave it, got shape {tuple(v.shape)}."
            )
        mixed = any(dtype != self.dtype for dtype in self.dtypes)
        if mixed and v.dtype != self.dtype:
            raise TypeError(
                f"unravel casts back to leaves of several dtypes, {', '.join(sorted({str(d) for d in self.dtypes}))}, "
                f"from a vector of dtype {self.dtype}, got dtype {v.dtype}; cast it with .astype first."
            )
        leaves, stop = [], 0
        for size, shape, dtype in zip(sizes, self.shapes, self.dtypes, strict=True):
            start, stop = stop, stop + size
            leaf = np.reshape(v[start:stop], shape)
            leaves.append(leaf.astype(dtype) if mixed and dtype != self.dtype else leaf)
        return unflatten(self.treedef, leaves)
