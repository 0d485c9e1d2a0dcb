"""Comparing numbers and structures, with messages that name what differs, where and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xform.core import tree
from xform.core.aval import Aval, aval_of, is_inexact
from xform.transforms.arguments import as_array


class Tolerance:
    """What the caller allows, atol + rtol |wanted|, or the default for the dtypes at hand."""

    __slots__ = ("atol", "rtol")

    def __init__(self, atol: float | None, rtol: float | None) -> None:
        self.atol, self.rtol = atol, rtol

    def of_quotient(self, wanted: np.ndarray, xs: Sequence[np.ndarray]) -> np.ndarray:
        """For a difference quotient: by default eps^(2/5), above the error eps^(2/3) |f'''| of the best one."""
        return self.around(wanted, coarsest_eps(wanted, *xs) ** (2 / 5))

    def of_rounding(self, wanted: np.ndarray) -> np.ndarray:
        """For the same sums in another order: by default eps^(2/3), and nothing for integers."""
        return self.around(wanted, coarsest_eps(wanted) ** (2 / 3))

    def around(self, wanted: np.ndarray, default: float) -> np.ndarray:
        atol = default if self.atol is None else self.atol
        rtol = default if self.rtol is None else self.rtol
        return np.asarray(atol + rtol * np.abs(wanted) if is_inexact(wanted.dtype) else np.zeros(wanted.shape))

    def at_least(self, relative: float) -> float:
        """A relative tolerance that is not stricter than what the caller allows."""
        return max(relative, self.atol or 0.0, self.rtol or 0.0)


def coarsest_eps(*arrays: np.ndarray) -> float:
    """The machine precision of the coarsest inexact dtype."""
    return max((float(np.finfo(a.dtype).eps) for a in arrays if is_inexact(a.dtype)), default=0.0)


def compare(what: str, found: np.ndarray, by: str, wanted: np.ndarray, against: str, allowed: Any) -> None:
    """Raise AssertionError with the worst entry unless |found - wanted| <= allowed, where nan equals nan."""
    if not is_inexact(wanted.dtype) and wanted.dtype.kind not in "iub":
        return  # float0: there are no numbers
    with np.errstate(all="ignore"):
        if wanted.dtype.kind == "b":
            found, wanted = found.astype(int), wanted.astype(int)
        same = (found == wanted) | ((found != found) & (wanted != wanted))
        excess = np.where(same, -np.inf, np.abs(found - wanted) - allowed)
    excess = np.where(np.isnan(excess), np.inf, excess)
    if not (excess > 0).any():
        return
    worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
    entry = f" in entry [{', '.join(map(str, worst))}]" if worst else ""
    width = max(len(by), len(against))
    raise AssertionError(
        f"{what} is wrong{entry}\n"
        f"  {by:{width}}  {found[worst]!s}\n"
        f"  {against:{width}}  {wanted[worst]!s}\n"
        f"  they differ by {abs(found[worst] - wanted[worst]):.3g}, "
        f"allowed is {np.broadcast_to(allowed, excess.shape)[worst]:.3g}"
    )


def matching(origin: str, by: str, what: str, given: Any, structure: Any, avals: Sequence[Aval]) -> list[np.ndarray]:
    """The leaves of a tree as arrays; AssertionError unless it has a given structure, shapes and dtypes."""
    pairs, found = tree.flatten_with_path(given)
    if found != structure:
        raise AssertionError(f"{origin}: {what} by {by} has the structure {found}; wanted {structure}")
    for (path, leaf), aval in zip(pairs, avals, strict=True):
        if aval_of(leaf) != aval:
            place = f" at {tree.keystr(path)}" if path else ""
            raise AssertionError(f"{origin}: {what} by {by} is {aval_of(leaf)}{place}; wanted {aval}")
    return [np.asarray(as_array(leaf)) for _, leaf in pairs]


def result_names(out: Any) -> list[str]:
    """How messages call each leaf of a result."""
    return [f"the result{tree.keystr(path)}" for path, _ in tree.leaves_with_path(out)]


def as_arguments(origin: str, args: Any) -> tuple[Any, ...]:
    if not isinstance(args, tuple | list):
        raise TypeError(
            f"{origin}: args must be a tuple of the positional arguments, not {type(args).__name__}; write (x,)"
        )
    return tuple(args)
