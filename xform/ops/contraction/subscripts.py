"""The notation of einsum: "ij,jk->ik" or the interleaved form, read into a list of labels per operand.

A label is a number: the code point of a letter, or the integer of the interleaved form. The axes that an ellipsis
stands for are labelled by negative numbers, the last one being -1, so that ellipses of different lengths align as
broadcasting wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import index
from types import EllipsisType
from typing import Any, NamedTuple

Label = int | EllipsisType


class Subscripts(NamedTuple):
    """The labels of each operand and of the result, and the text of the whole for messages."""

    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    text: str


def split_operands(subscripts: Any, operands: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The subscripts, as a string or as lists of labels, and the operands, of any of the forms that einsum takes."""
    if isinstance(subscripts, str):
        if not operands:
            raise ValueError(f"einsum '{subscripts}': no operands were given; wanted one for each term between commas")
        return subscripts, list(operands)
    given = [subscripts, *operands]
    if len(given) < 2 or any(not isinstance(part, list | tuple) for part in given[1::2]):
        raise ValueError(
            "einsum: wanted a string of subscripts and operands, as in einsum('ij,jk->ik', a, b), or each operand "
            "followed by the list of its labels, as in einsum(a, [0, 1], b, [1, 2], [0, 2])"
        )
    lists = [*given[1::2], *(given[-1:] if len(given) % 2 else [])]
    return tuple(map(as_labels, lists)), given[: 2 * (len(given) // 2) : 2]


def as_labels(part: Sequence[Any]) -> tuple[Label, ...]:
    """A list of labels, which are integers or Ellipsis."""
    wanted = "wanted non-negative integers and, at most once, Ellipsis"
    try:
        labels = tuple(label if label is ... else index(label) for label in part)
    except TypeError:
        raise TypeError(f"einsum: {part} was given as a list of labels; {wanted}") from None
    if labels.count(...) > 1 or any(label is not ... and label < 0 for label in labels):
        raise ValueError(f"einsum: {part} was given as a list of labels; {wanted}")
    return labels


@lru_cache(maxsize=4096)
def parse(subscripts: str | tuple[tuple[Label, ...], ...], ranks: tuple[int, ...]) -> Subscripts:
    """Labels of the operands, whose ranks are given, and of the result; ValueError for what cannot be meant."""
    terms, output, text = read_string(subscripts) if isinstance(subscripts, str) else read_lists(subscripts, len(ranks))
    if len(terms) != len(ranks):
        raise ValueError(
            f"{text}: the number of terms is {len(terms)}, that of operands {len(ranks)}; "
            "give one term, between commas, to each operand"
        )
    inputs = tuple(expand(term, rank, k, text) for k, (term, rank) in enumerate(zip(terms, ranks, strict=True)))
    dots = -min([0, *(label for labels in inputs for label in labels)])  # the axes of the longest ellipsis
    return Subscripts(inputs, result_labels(inputs, output, dots, text), text)


def read_string(text: str) -> tuple[list[tuple[Label, ...]], tuple[Label, ...] | None, str]:
    """The terms and, if there is an arrow, the output of a string of subscripts."""
    left, arrow, right = text.replace(" ", "").partition("->")
    shown = f"einsum '{text}'"
    terms = [read_term(term, shown) for term in left.split(",")]
    return terms, read_term(right, shown) if arrow else None, shown


def read_term(term: str, shown: str) -> tuple[Label, ...]:
    """The labels of one term."""
    before, dots, after = term.partition("...")
    for symbol in before + after:
        if not (symbol.isascii() and symbol.isalpha()):
            raise ValueError(
                f"{shown}: '{symbol}' in the term '{term}' is not a label; labels are single letters a-z and "
                "A-Z, '...' stands, once in a term, for any number of axes, ',' separates terms and '->' the output"
            )
    return (*map(ord, before), *([...] if dots else []), *map(ord, after))


def read_lists(
    lists: tuple[tuple[Label, ...], ...], operands: int
) -> tuple[list[tuple[Label, ...]], tuple[Label, ...] | None, str]:
    """The same from the interleaved form, whose labels are integers and Ellipsis."""
    shown = "einsum of labels " + ", ".join(map(str, lists)).replace("Ellipsis", "...")
    return list(lists[:operands]), lists[operands] if len(lists) > operands else None, shown


def expand(term: tuple[Label, ...], rank: int, position: int, text: str) -> tuple[int, ...]:
    """The labels of an operand of this rank: its ellipsis stands for the axes that are not named."""
    dots = rank - len(term) + 1
    if ... not in term:
        if len(term) != rank:
            raise ValueError(
                f"{text}: operand {position} has {axes(rank)}, but its term has {len(term)} labels; "
                "give one label to each axis, or write '...' for the others"
            )
        return tuple(label for label in term if label is not ...)
    if dots < 0:
        raise ValueError(
            f"{text}: operand {position} has {axes(rank)}, but its term names {len(term) - 1}; "
            "give one label to each axis"
        )
    return fill(term, dots)


def fill(term: tuple[Label, ...], dots: int) -> tuple[int, ...]:
    """The term with -dots, ..., -1 in place of the ellipsis."""
    at = term.index(...)
    return tuple(label for label in (*term[:at], *range(-dots, 0), *term[at + 1 :]) if label is not ...)


def result_labels(
    inputs: tuple[tuple[int, ...], ...], output: tuple[Label, ...] | None, dots: int, text: str
) -> tuple[int, ...]:
    """The labels of the result; without an arrow, first the ellipsis and then what stands once, in order."""
    if output is None:
        flat = [label for labels in inputs for label in labels if label >= 0]
        return (*range(-dots, 0), *sorted(label for label in flat if flat.count(label) == 1))
    if ... in output:
        output = fill(output, dots)
    elif dots:
        raise ValueError(f"{text}: '...' stands for {axes(dots)}, which the output must have too; write it there")
    labels = tuple(label for label in output if label is not ...)
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(
                f"{text}: the output has the label {show(label, text)} twice; name each of its axes once"
            )
        if all(label not in term for term in inputs):
            raise ValueError(
                f"{text}: the output has the label {show(label, text)}, which no operand has; "
                "take it out, or broadcast the result to a new axis afterwards"
            )
    return labels


def show(label: int, text: str) -> str:
    """A label of the subscripts `text` as the user wrote it."""
    if label < 0:
        return "'...'"
    return f"'{chr(label)}'" if "'" in text else str(label)


def axes(n: int) -> str:
    return "1 axis" if n == 1 else f"{n} axes"
