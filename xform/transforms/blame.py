"""The two readings of a tape while nan or inf are looked for: entry by entry, naming the operation it came from.

A derivative is multiplied out long after, and far from, the line that it belongs to. While checks are on a tape knows
of each entry the application by the user that it came from (`Tape.note`), so the first entry whose step makes a nan out
of numbers that are none can name it. Operations whose operands held a nan are not blamed for their derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from xform.core.checking import Application, CheckedTrace, rules_at_work
from xform.core.errors import NonFiniteError
from xform.core.nonfinite import Carried, kinds_in, list_values, numbers
from xform.core.primitive import Linear
from xform.core.trace import context


class Watch:
    """Which kinds of bad numbers each variable of a tape holds, while the tape is read in one direction."""

    __slots__ = ("direction", "kinds", "tape", "trace", "values")

    def __init__(self, tape: Any, values: list[Any], direction: str) -> None:
        self.tape, self.values, self.direction = tape, values, direction
        self.trace: CheckedTrace = context.trace  # type: ignore[assignment]
        self.kinds: dict[int, set[str]] = {}
        for i, x in enumerate(values):
            self.look(i, x)

    def look(self, i: int, x: Any) -> set[str]:
        """What has come into variable `i` since it was last looked at."""
        kinds = set() if x is None else kinds_in((value for _, value in numbers(x)), self.trace.checks)
        new = kinds - self.kinds.get(i, set())
        if kinds:
            self.kinds[i] = kinds
        return new

    def step(self, k: int, entry: Any, before: Sequence[int], after: Sequence[int], act: Callable[[], None]) -> None:
        """Read the k-th entry, by `act`, from the variables `before` to those `after`, and look at what it did."""
        given = [self.values[i] for i in before]
        known = {kind for i, x in zip(before, given, strict=True) if x is not None for kind in self.look_again(i, x)}
        act()
        application = self.tape.applications[k] if k < len(self.tape.applications) else None
        if application is not None:
            known |= application.kinds
            self.trace.attribute(application)
        for i in after:
            for kind in sorted(self.look(i, self.values[i]) - known):
                raise self.error(kind, entry, application, given, self.values[i])

    def look_again(self, i: int, x: Any) -> set[str]:
        self.look(i, x)
        return self.kinds.get(i, set())

    def error(
        self, kind: str, entry: Any, application: Application | None, given: Sequence[Any], made: Any
    ) -> NonFiniteError:
        name = "cotangent" if self.direction == "backward" else "tangent"
        what = str(application) if application else name_of(entry)
        unknown = "" if application else ", recorded before the checks were switched on"
        inside = f" of {self.tape.origin}" if self.tape.origin else ""
        sides = ("of the result", "of an operand")
        source, target = sides if self.direction == "backward" else sides[::-1]
        return NonFiniteError(
            f"{kind} arose in the {self.direction} sweep{inside}, in the derivative of {what}{unknown}",
            (application.lines() if application else [])
            + list_values(f"{name} {source}", [Carried(x) for x in given if x is not None], numbered=False)
            + list_values(f"{name} {target}", [Carried(made)], kind, numbered=False),
        )


def name_of(entry: Any) -> str:
    return "an elementwise operation" if type(entry) is tuple else f"'{entry.prim.name}'"


def sides(entry: Any) -> tuple[list[int], list[int]]:
    """The variables that an entry reads and those that it defines."""
    if type(entry) is tuple:
        return [i for i, _, _ in entry[1]], [entry[0]]
    return unique(a.id for a in entry.args if type(a) is Linear), [o.id for o in entry.outs]


def unique(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ids))


def checked_sweep(tape: Any, stack: list[Any], bars: list[Any], add: Any, sweep: Callable[..., None]) -> None:
    """`sweep(stack, bars, add)`, one entry at a time."""
    watch = Watch(tape, bars, "backward")
    with rules_at_work():
        while stack:
            entry = stack.pop()
            ins, outs = sides(entry)
            for i in outs:
                if i in add.reads:
                    add.complete(i)
            if type(entry) is not tuple and entry.prim.accumulate is not None and add.in_place:
                ins = []  # a read adds what it is given into the buffer, which may be much larger than it
            watch.step(len(stack), entry, outs, ins, lambda entry=entry: sweep([entry], bars, add))


def checked_push(tape: Any, env: list[Any], push: Callable[..., None]) -> None:
    """`push(tape.entries, env)`, one entry at a time."""
    watch = Watch(tape, env, "forward")
    with rules_at_work():
        for k, entry in enumerate(tape.entries):
            ins, outs = sides(entry)
            watch.step(k, entry, ins, outs, lambda entry=entry: push([entry], env))
