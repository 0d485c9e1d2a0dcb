"""A sum of products of any number of arrays, as a straight-line program of primitives.

Each operand first loses what concerns it alone: repeated labels (a diagonal), axes of size one that broadcast against
a longer one, labels that no one else has (a sum). Then `contract` joins two arrays at a time, in a good order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from xform.ops.contraction.contract import contract
from xform.ops.contraction.contraction_order import contraction_order
from xform.ops.contraction.labels import LABELS
from xform.ops.contraction.subscripts import Subscripts, show
from xform.ops.linear_algebra.matrix import diagonal
from xform.ops.structure import reduce_sum, reshape, transpose, without

Labels = tuple[int, ...]
Shape = tuple[int, ...]
Step = tuple[Callable[..., Any], tuple[int, ...], dict[str, Any]]


def run(program: Sequence[Step], operands: Sequence[Any]) -> Any:
    """Evaluate a program: each step's result is one more value, and a value is used once."""
    values = list(operands)
    for function, where, params in program:
        args = [values[k] for k in where]
        for k in where:
            values[k] = None
        values.append(function(*args, **params))
    return values[-1]


def plan(subscripts: Subscripts, shapes: Sequence[Shape]) -> list[Step]:
    """The program for operands of these shapes; ValueError if their sizes disagree."""
    planner = Planner(subscripts, shapes)
    planner.join(planner.prepare())
    return planner.steps


def label_sizes(subscripts: Subscripts, shapes: Sequence[Shape]) -> dict[int, int]:
    """The size of each label: the one that is not 1, if there is one."""
    size: dict[int, int] = {}
    origin: dict[int, int] = {}
    for k, (labels, shape) in enumerate(zip(subscripts.inputs, shapes, strict=True)):
        own = dict(zip(labels, shape, strict=True))
        for label, n in zip(labels, shape, strict=True):
            if own[label] != n:
                raise disagreement(subscripts, label, (k, own[label], shape), (k, n, shape))
            if size.get(label, 1) == 1:
                size[label], origin[label] = n, k
            elif n not in (1, size[label]):
                there = origin[label]
                raise disagreement(subscripts, label, (there, size[label], shapes[there]), (k, n, shape))
    return size


def disagreement(subscripts: Subscripts, label: int, *where: tuple[int, int, Shape]) -> ValueError:
    """The error for a label of two sizes, given twice the operand's number, the size there and the operand's shape."""
    (k, m, s), (other, n, t) = where
    sizes = f"has size {m} in operand {k}, of shape {s}, and size {n} in operand {other}, of shape {t}"
    if k == other:
        sizes = f"stands for axes of sizes {m} and {n} in operand {k}, of shape {s}"
    return ValueError(
        f"{subscripts.text}: the label {show(label, subscripts.text)} {sizes}; "
        "its axes must have one size, or 1 in an operand that is to be broadcast: transpose or reshape an operand"
    )


class Planner:
    """The program so far, and the labels of each value that it has computed."""

    def __init__(self, subscripts: Subscripts, shapes: Sequence[Shape]) -> None:
        self.size = label_sizes(subscripts, shapes)
        self.output = subscripts.output
        self.shapes = shapes
        self.labels: list[Labels] = list(subscripts.inputs)
        self.steps: list[Step] = []

    def emit(self, function: Callable[..., Any], where: tuple[int, ...], labels: Labels, **params: Any) -> int:
        """One more step and the number of the value that it makes."""
        self.steps.append((function, where, params))
        self.labels.append(labels)
        return len(self.labels) - 1

    def prepare(self) -> list[int]:
        """Diagonals, broadcasting and sums that concern one operand; the values to be joined."""
        own = [dict(zip(labels, shape, strict=True)) for labels, shape in zip(self.labels, self.shapes, strict=True)]
        values = [self.squeeze(self.diagonals(k), size) for k, size in enumerate(own)]
        holders = Counter(label for k in values for label in self.labels[k])
        return [self.sum_lone(k, holders) for k in values]

    def diagonals(self, k: int) -> int:
        """Take diagonals until the value has each label once; the label of a diagonal goes last."""
        while repeated := [label for label in self.labels[k] if self.labels[k].count(label) > 1]:
            old, label = self.labels[k], repeated[0]
            p = old.index(label)
            q = old.index(label, p + 1)
            others = [axis for axis in range(len(old)) if axis not in (p, q)]
            k = self.turn(k, (*others, p, q))
            k = self.emit(diagonal, (k,), (*(old[axis] for axis in others), label))
        return k

    def turn(self, k: int, permutation: tuple[int, ...]) -> int:
        """The value with its axes permuted."""
        if permutation == tuple(range(len(permutation))):
            return k
        return self.emit(transpose, (k,), tuple(self.labels[k][p] for p in permutation), permutation=permutation)

    def squeeze(self, k: int, own: dict[int, int]) -> int:
        """Drop axes of size one that stand for a longer label: in a product they broadcast by not being there."""
        labels = tuple(label for label in self.labels[k] if own[label] == self.size[label])
        if labels == self.labels[k]:
            return k
        return self.emit(reshape, (k,), labels, shape=tuple(own[label] for label in labels))

    def sum_lone(self, k: int, holders: Counter[int]) -> int:
        """Sum over the axes that neither another operand nor the result has."""
        old = self.labels[k]
        axes = tuple(a for a, label in enumerate(old) if holders[label] == 1 and label not in self.output)
        return self.emit(reduce_sum, (k,), without(old, axes), axes=axes) if axes else k

    def join(self, values: Sequence[int]) -> None:
        """Contract the values to one, with the axes of the result."""
        bit = {label: 1 << n for n, label in enumerate(self.size)}
        masks = [sum(bit[label] for label in self.labels[k]) for k in values]
        order = contraction_order(masks, sum(bit[label] for label in self.output), list(self.size.values()))
        holders = Counter(label for k in values for label in self.labels[k])
        numbered = list(values)
        for a, b in order:
            last = len(numbered) == 2 * len(values) - 2
            numbered.append(self.contract(numbered[a], numbered[b], holders, last))
        self.turn(numbered[-1], tuple(self.labels[numbered[-1]].index(label) for label in self.output))

    def contract(self, a: int, b: int, holders: Counter[int], last: bool) -> int:
        """Contract two values; `holders` counts, for each label, the values that still have it."""
        i, j = self.labels[a], self.labels[b]
        holders.subtract([*i, *j])
        kept = [label for label in dict.fromkeys(i + j) if holders[label] or label in self.output]
        kept.sort(key=lambda label: (label not in i or label not in j))  # batch labels first: a stack of matrices
        o = self.output if last else tuple(kept)
        holders.update(o)
        letter = dict(zip(dict.fromkeys(i + j), LABELS, strict=False))
        spec = tuple("".join(letter[label] for label in labels) for labels in (i, j, o))
        return self.emit(contract, (a, b), o, spec=spec)
