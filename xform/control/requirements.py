"""What loops and branches require of what they are given, and what they say where it is something else."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, not_an_array
from xform.core.errors import describe
from xform.core.trace import Tracer, concrete
from xform.core.tree_path import difference
from xform.transforms.arguments import as_array

NUMBERS = (float, int, complex)


def function(operation: str, name: str, f: Any) -> str:
    """The name of a function and where it is defined; TypeError if it is none."""
    if not callable(f):
        raise TypeError(f"{operation}: {name} is {shown(f)}; wanted a function")
    return describe(f)


def shown(x: Any) -> str:
    """A value as messages show it: an array by its type."""
    if isinstance(x, Tracer | np.ndarray | np.generic):
        return f"an array {aval_of(x)}" if isinstance(x, Tracer) or x.dtype.kind in "fciub" else f"an array {x.dtype}"
    if isinstance(x, tuple | list):
        return f"a {type(x).__name__} of length {len(x)}"
    return "None" if x is None else f"{type(x).__name__} {x!r:.60}"


def number(origin: str, name: Callable[[], str], x: Any) -> None:
    """TypeError, with the name of the value, unless it is a number, a numeric array or a tracer."""
    if isinstance(x, Tracer) or type(x) in NUMBERS:
        return
    try:
        aval_of(x)
    except TypeError:
        what = not_an_array(x).split("; ")[1] if isinstance(x, np.ndarray) else "wanted an array or a number"
        raise TypeError(f"{origin}: {name()} is {shown(x)}; {what}") from None


def at(value: Any, k: int) -> str:
    """` at ['w']` for leaf k of a tree, nothing for a tree that is a leaf."""
    path = tree.keystr(tree.leaves_with_path(value)[k][0])
    return f" at `{path}`" if path else ""


def unlike(wanted: Any, given: Any, having: str, getting: str) -> str:
    """Where the structures of two trees part, and the structures."""
    a, b = tree.structure(wanted), tree.structure(given)
    where, there, here = difference(a.nodes, wanted, b.nodes, given)
    return f"at {where} {having} {there} and {getting} {here}\n  {having} {a}\n  {getting} {b}"


def integer(origin: str, name: str, x: Any, remedy: str) -> int:
    """A whole number that is known when the program is written."""
    number(origin, lambda: name, x)
    aval = aval_of(x)
    if aval.shape or aval.dtype.kind not in "iub":
        raise TypeError(f"{origin}: {name} must be an integer, but it is {shown(x)}")
    known = concrete(x)
    if known is None:
        raise TypeError(f"{origin}: {name} must be known where the program is written, but it is traced; {remedy}")
    return operator.index(as_array(known).item())


# --- loops ---


def predicate(origin: str, pred: Any) -> Any:
    """What the condition of a while loop returned."""
    number(origin, lambda: "the result of the condition", pred)
    aval = aval_of(pred)
    if aval.shape or aval.dtype != bool:
        raise TypeError(
            f"{origin}: the condition must return a boolean scalar, but it returned {aval}; "
            "compare it with something, and reduce it with any() or all()"
        )
    return as_array(pred)


def common_length(origin: str, xs: Any, rows: Sequence[Any], length: Any = None) -> int:
    """The number of steps of a loop over the first axes of arrays."""
    sizes = []
    for k, x in enumerate(rows):
        name = f"xs{tree.keystr(tree.leaves_with_path(xs)[k][0])}"
        number(origin, lambda name=name: name, x)
        if not aval_of(x).shape:
            raise ValueError(f"{origin}: {name} is a scalar; wanted an array to loop over the first axis of")
        sizes.append((name, aval_of(x).shape[0]))
    if length is not None:
        remedy = "while_loop and fori_loop take as many steps as a traced value says"
        sizes.append(("length", integer(origin, "length", length, remedy)))
    if not sizes:
        what = "; give length, the number of steps" if origin.startswith("scan") else " to loop over"
        raise ValueError(f"{origin}: xs has no arrays{what}")
    if len({size for _, size in sizes}) > 1:
        listing = "\n".join(f"  {name}: {size}" for name, size in sizes)
        raise ValueError(f"{origin}: the lengths of the first axes disagree; wanted one length, given\n{listing}")
    if sizes[0][1] < 0:
        raise ValueError(f"{origin}: length is {length}; wanted a number of steps, at least 0")
    return sizes[0][1]


def check_unroll(origin: str, unroll: Any) -> None:
    if not isinstance(unroll, bool | int | np.integer) or unroll < 0:
        raise ValueError(f"{origin}: unroll is {unroll!r}; wanted True, False or a number of steps, at least 0")


def slots(origin: str, checkpoint: Any) -> int | None:
    """The number of states that a while loop keeps."""
    if checkpoint is None:
        return None
    if isinstance(checkpoint, bool) or not isinstance(checkpoint, int | np.integer) or checkpoint < 1:
        raise ValueError(f"{origin}: checkpoint is {checkpoint!r}; wanted the number of states to keep, at least 1")
    return int(checkpoint)


def segments(origin: str, checkpoint: Any, steps: int) -> tuple[int, ...]:
    """In how many segments a scan takes its steps, the steps of a segment, ...; () without checkpoints."""
    if checkpoint is None or checkpoint is False:
        return ()
    if checkpoint is True:
        return (max(1, round(math.sqrt(steps))),)
    counts = tuple(checkpoint) if isinstance(checkpoint, tuple | list) else (checkpoint,)
    if not counts or not all(isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1 for k in counts):
        raise ValueError(
            f"{origin}: checkpoint is {checkpoint!r}; wanted a number of segments, at least 1, a tuple of such "
            "numbers, or True"
        )
    return counts


def counter(origin: str, lower: Any, upper: Any) -> np.dtype:
    """The dtype of the counter of a loop between two bounds: theirs, where they are arrays, or else int64."""
    avals = []
    for name, bound in (("lower", lower), ("upper", upper)):
        number(origin, lambda name=name: name, bound)
        aval = aval_of(bound)
        if aval.shape or aval.dtype.kind not in "iu":
            raise TypeError(f"{origin}: {name} must be an integer scalar, but it is {shown(bound)}")
        avals.append(aval)
    strong = [a.dtype for a in avals if not a.weak]
    dtype = np.result_type(*strong) if strong else np.dtype(np.int64)
    if dtype.kind not in "iu" or not all(fits(b, dtype) for b in (lower, upper)):
        return np.dtype(np.int64)
    return dtype


def fits(bound: Any, dtype: np.dtype) -> bool:
    return not isinstance(bound, int) or np.iinfo(dtype).min <= bound <= np.iinfo(dtype).max


# --- branches ---


def scalar_index(origin: str, index: Any) -> None:
    number(origin, lambda: "the index", index)
    aval = aval_of(index)
    if aval.shape or aval.dtype.kind not in "iu":
        remedy = "; for a condition, use cond" if aval.dtype == bool else ""
        raise TypeError(f"{origin}: the index must be an integer scalar, but it is {shown(index)}{remedy}")


def scalar_predicate(origin: str, pred: Any) -> Aval:
    number(origin, lambda: "the predicate", pred)
    aval = aval_of(pred)
    if aval.shape:
        raise TypeError(
            f"{origin}: the predicate must be a scalar, but it is {aval}; reduce it with any() or all(), "
            "or choose entry by entry with numpy.where"
        )
    return aval
