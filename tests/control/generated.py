"""Random programs with control flow, as source text, and their reading as Python's own loops and branches.

A program is a function `program(np, lax, x, k)` of a vector x of four floats and an integer k, that is well typed by
construction: each name has a type, and each statement makes new names from those in scope. Values stay of moderate
size, since what goes around a loop is squashed. The same text is run with the operations of `xform.lax` and, as `lax`,
with those of `Plain`, whose loops and branches are Python's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

import xform
from xform.ops.stack import stack

#: float, vector of three floats, integer, truth value, complex number
TYPES = "fvibc"

#: type -> ways to make a value of it; a letter of a type in braces stands for any value of that type
EXPRESSIONS = {
    "f": [
        "np.sin({f})", "{f} * {f}", "{f} - 0.5 * {f}", "np.tanh({f} + {f})", "np.sum({v}) * 0.3",
        "lax.read({v}, {i} % 3)",
        "lax.dynamic_index_in_dim({v}, {i} % 3, keepdims=False)", "np.real({c})", "np.imag({c} * {c})",
        "np.where({b}, {f}, {f})", "{i} * 0.1", "lax.stop_gradient({f}) * {f}", "np.sqrt(1.5 + np.sin({f}))", "{v}[1]",
        "np.max({v})", "np.float64(0.7)", "np.dot({v}, {v}) * 0.2", "lax.associative_scan(np.multiply, {v})[-1]",
        "lax.read(TABLE, {i} % 5) * {f}", "np.abs({f})", "{f} / (1.5 + np.cos({f}))",
    ],
    "v": [
        "{v} * {f}", "np.cos({v})", "{v} + 0.3 * {v}", "MATRIX @ {v}", "np.stack([{f}, {f}, {f}])", "{v}[::-1]",
        "lax.dynamic_update_index_in_dim({v}, {f}, {i} % 3, 0)", "np.where({b}, {v}, {v})", "np.cumsum({v}) * 0.4",
        "lax.dynamic_update_slice({v}, {v}[:2] * {f}, ({i} % 2,))", "lax.associative_scan(np.add, {v}) * 0.4",
        "np.array([0.3, -0.8, 0.5])", "{v}[np.array([2, 0, 0])]", "lax.write({v}, {i} % 3, {f})",
        "lax.add_at({v}, {i} % 3, {f})", "np.sort({v})", "np.where({v} > {f}, {v}, 0.1)",
        "lax.dynamic_slice(np.concatenate([{v}, {v}]), ({i} % 4,), (3,))",
    ],
    "i": ["({i} + 1) % 7", "np.where({b}, {i}, {i})", "{i} * 2 % 5", "np.int64(2)", "np.argmax({v})", "{i} + {i}"],
    "b": ["{f} > 0.1", "{i} % 3 > 1", "~{b}", "{b} & {b}", "np.sum({v}) < {f}", "np.any({v} > 0.6)", "np.bool_(True)"],
    "c": ["{c} * {c} * 0.4", "np.exp(1j * {f})", "lax.complex({f}, {f})", "{c}.conj()", "{c} * {f}", "{c} - 1j * {c}"],
}  # fmt: skip

#: what keeps a value from growing
SQUASHED = {"f": "np.tanh({})", "v": "np.sin({})", "i": "{} % 6", "b": "{}", "c": "0.6 * {} / (1.0 + np.abs({}))"}

#: numbers without a dtype of their own, for initial carries
NUMBERS = {"f": "0.5", "i": "1"}

PRELUDE = """\
TABLE = np.array([0.3, -0.7, 0.9, 0.2, -0.4])
MATRIX = np.array([[0.5, -0.2, 0.1], [0.3, 0.4, -0.6], [-0.1, 0.2, 0.7]])
f0, v0, i0 = x[0], x[1:], k
b0, c0 = f0 > 0.2, lax.complex(f0, v0[2])
"""

RULES = """\
@lax.custom_jvp
def {0}(a, n, w):
    return np.sin(a) * w + n

@{0}.defjvp
def _(primals, tangents):
    (a, n, w), (da, _, dw) = primals, tangents
    return {0}(a, n, w), 2.0 * np.cos(a) * w * da + np.sin(a) * dw

"""

REVERSE_RULES = """\
@lax.custom_vjp
def {0}(a, n, w):
    return np.sin(a) * w + n

{0}.defvjp(
    lambda a, n, w: ({0}(a, n, w), (a, w)),
    lambda s, y: (2.0 * np.cos(s[0]) * np.sum(s[1] * y), None, y * np.sin(s[0])),
)
"""

Names = dict[str, list[str]]


class Writer:
    """Writes a program, statement by statement.

    `depth` bounds the nesting, `size` the statements of a block. `kinds` are the operations to choose from.
    """

    def __init__(self, seed: int, depth: int = 3, size: int = 4, kinds: Sequence[str] | None = None) -> None:
        self.random = random.Random(seed)
        self.size, self.count, self.lines = size, 0, []
        self.kinds = list(kinds or KINDS)
        self.indent = 0
        self.write("def program(np, lax, x, k):")
        with_names: Names = {t: [f"{t}0"] for t in TYPES}
        self.indent = 1
        for line in PRELUDE.splitlines():
            self.write(line)
        self.block(with_names, depth)
        totals = [" + ".join(with_names[t]) for t in "fvci"]
        self.write(f"return {', '.join(totals)}, {' ^ '.join(with_names['b'])}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def write(self, line: str) -> None:
        self.lines.append("    " * self.indent + line if line else "")

    def new(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def name(self, names: Names, kind: str) -> str:
        """A value in scope; a late one more often."""
        known = names[kind]
        return self.random.choice(known[-2:] if self.random.random() < 0.7 else known)

    def expression(self, names: Names, kind: str) -> str:
        text = self.random.choice(EXPRESSIONS[kind])
        for t in TYPES:
            while f"{{{t}}}" in text:
                text = text.replace(f"{{{t}}}", self.name(names, t), 1)
        return text

    def types(self, least: int, most: int) -> str:
        weights = [4, 3, 2, 1, 1]
        return "".join(self.random.choices(TYPES, weights, k=self.random.randint(least, most)))

    def block(self, names: Names, depth: int) -> None:
        """Some statements, of which at least one is an operation with programs if that is allowed."""
        steps = self.random.randint(1, self.size)
        special = self.random.randrange(steps)
        for k in range(steps):
            if depth > 0 and (k == special or self.random.random() < 0.2):
                getattr(self, self.random.choice(self.kinds))(names, depth - 1)
            else:
                self.assign(names, self.random.choice("ffvvibc"))

    def assign(self, names: Names, kind: str) -> None:
        target = self.new(kind)
        self.write(f"{target} = {SQUASHED[kind].replace('{}', f'({self.expression(names, kind)})')}")
        names[kind].append(target)

    def results(self, names: Names, kinds: str, value: str, rest: str = "{}") -> None:
        """Names for the values of a tuple, which come into scope; `rest` are other targets around it."""
        targets = [self.new(t) for t in kinds]
        self.write(f"{rest.replace('{}', tuple_of(targets))} = {value}")
        for target, t in zip(targets, kinds, strict=True):
            names[t].append(target)

    def function(self, names: Names, kinds: str, returned: str, depth: int, squashed: bool = False) -> str:
        """A function of arguments of these types that returns a tuple of values, each maybe just an argument."""
        f, arguments = self.new("g"), [self.new(t) for t in kinds]
        self.write(f"def {f}({', '.join(arguments)}):")
        self.indent += 1
        inner = {
            t: [*known, *(a for a, s in zip(arguments, kinds, strict=True) if s == t)] for t, known in names.items()
        }
        self.block(inner, depth)
        values = [self.name(inner, t) if self.random.random() < 0.7 else self.expression(inner, t) for t in returned]
        if squashed:
            values = [SQUASHED[t].replace("{}", y) for t, y in zip(returned, values, strict=True)]
        self.write(f"return {tuple_of(values)}")
        self.indent -= 1
        return f

    def carry(self, names: Names) -> tuple[str, list[str]]:
        kinds = self.types(1, 4)
        init = [NUMBERS[t] if t in NUMBERS and self.random.random() < 0.15 else self.name(names, t) for t in kinds]
        return kinds, init

    # --- branches ---

    def cond(self, names: Names, depth: int) -> None:
        self.branches(names, depth, "cond", 2, self.name(names, "b"))

    def switch(self, names: Names, depth: int) -> None:
        self.branches(names, depth, "switch", self.random.randint(1, 3), f"{self.name(names, 'i')} - 1")

    def branches(self, names: Names, depth: int, op: str, count: int, chosen_by: str) -> None:
        kinds, returned = self.types(0, 3), self.types(1, 3)
        operands = [self.name(names, t) for t in kinds]
        functions = [self.function(names, kinds, returned, depth if k == 0 else depth - 1) for k in range(count)]
        chosen = ", ".join(functions) if op == "cond" else f"[{', '.join(functions)}]"
        self.results(names, returned, f"lax.{op}({', '.join([chosen_by, chosen, *operands])})")

    # --- loops ---

    def checkpointed(self, *choices: str) -> str:
        return f", checkpoint={self.random.choice(choices)}" if self.random.random() < 0.3 else ""

    def scan(self, names: Names, depth: int) -> None:
        kinds, init = self.carry(names)
        length = self.random.choice([0, 1, 2, 3, 3])
        rows = self.random.choices("fvi", k=self.random.choice([0, 1, 1, 2]))
        sources = {"f": f"{self.name(names, 'v')}[:{length}]", "i": f"np.arange({length})"}
        sources["v"] = f"np.stack([{', '.join(self.name(names, 'v') for _ in range(3))}])[:{length}]"
        stacked = self.types(0, 2)
        f = self.function(names, kinds + "".join(rows), kinds + stacked, depth, squashed=True)
        step, n, m = self.new("step"), len(kinds), len(rows)
        self.write(f"def {step}(c, row):")
        self.write(f"    out = {f}(*c{', *row' if m else ''})")
        self.write(f"    return out[:{n}], out[{n}:]{'' if stacked else ' or None'}")
        xs = f"({', '.join(sources[t] for t in rows)},)" if m else f"None, length={length}"
        reverse = self.random.choice(["", ", reverse=True"])
        ys = [self.new("ys") for _ in stacked]
        more = self.checkpointed("True", "2", "(2, 1)")
        call = f"lax.scan({step}, {tuple_of(init)}, {xs}{reverse}{more})"
        self.results(names, kinds, call, f"{{}}, {tuple_of(ys) if ys else '_'}")
        for y, t in zip(ys, stacked, strict=True):
            self.collapse(names, y, t, length)

    def collapse(self, names: Names, y: str, kind: str, length: int) -> None:
        """A stack of values as one of the types."""
        target = self.new("v" if kind == "f" and length == 3 else kind)
        total = f"np.{'any' if kind == 'b' else 'sum'}({y}, axis=0)"
        self.write(f"{target} = {y if target[0] == 'v' and kind == 'f' else SQUASHED[kind].replace('{}', total)}")
        names[target[0]].append(target)

    def map(self, names: Names, depth: int) -> None:
        kind, returned = self.random.choice("fi"), self.random.choice("fffvc")
        length = self.random.choice([0, 2, 3, 3])
        xs = f"{self.name(names, 'v')}[:{length}]" if kind == "f" else f"np.arange({length})"
        f, y = self.function(names, kind, returned, depth), self.new("ys")
        size = self.random.choice(["", ", batch_size=2"])
        self.write(f"({y},) = lax.map({f}, {xs}{size})")
        self.collapse(names, y, returned, length)

    def vmap(self, names: Names, depth: int) -> None:
        kind, returned = self.types(0, 1), self.random.choice("fffvc")
        f, y = self.function(names, "f" + kind, returned, depth), self.new("ys")
        operands = [self.name(names, t) for t in "v" + kind]
        self.write(f"({y},) = lax.vmap({f}, (0{', None' * len(kind)}))({', '.join(operands)})".replace("(0)", "0"))
        self.collapse(names, y, returned, 3)

    def while_loop(self, names: Names, depth: int) -> None:
        kinds, init = self.carry(names)
        f = self.function(names, "i" + kinds, kinds, depth, squashed=True)
        counter, arguments = self.new("i"), [self.new(t) for t in kinds]
        inner = {
            t: [*known, *(a for a, s in zip(arguments, kinds, strict=True) if s == t)] for t, known in names.items()
        }
        bound = self.random.choice(["3", f"({self.name(names, 'i')} % 4)", f"({self.name(names, 'i')} % 4)"])
        test = self.random.choice(
            [f" & ({self.expression(inner, 'b')})", "", f" & ({self.expression(inner, 'f')} < 0.6)"]
        )
        going = self.new("going")
        self.write(f"def {going}(c):")
        self.write(f"    {counter}, {tuple_of(arguments)} = c")
        self.write(f"    return ({counter} < {bound}){test}")
        body = f"lambda c: (c[0] + 1, {f}(c[0], *c[1]))"
        call = f"lax.while_loop({going}, {body}, (0, {tuple_of(init)}){self.checkpointed('1', '2', '9')})"
        self.results(names, kinds, call, "_, {}")

    def fori_loop(self, names: Names, depth: int) -> None:
        kinds, init = self.carry(names)
        f = self.function(names, "i" + kinds, kinds, depth, squashed=True)
        lower = self.random.choice(["0", "0", "-1", self.name(names, "i") + " % 3"])
        upper = self.random.choice(["2", "3", "0", self.name(names, "i") + " % 4"])
        more = self.checkpointed("1", "2", "9")
        self.results(names, kinds, f"lax.fori_loop({lower}, {upper}, lambda i, c: {f}(i, *c), {tuple_of(init)}{more})")

    # --- functions with rules ---

    def checkpoint(self, names: Names, depth: int) -> None:
        kinds, returned = self.types(0, 3), self.types(1, 3)
        f = self.function(names, kinds, returned, depth)
        self.results(names, returned, f"lax.checkpoint({f})({', '.join(self.name(names, t) for t in kinds)})")

    def custom_jvp(self, names: Names, depth: int) -> None:
        self.with_rules(names, RULES)

    def custom_vjp(self, names: Names, depth: int) -> None:
        self.with_rules(names, REVERSE_RULES)

    def with_rules(self, names: Names, text: str) -> None:
        f, y = self.new("rule"), self.new("v")
        for line in text.format(f).splitlines():
            self.write(line)
        self.write(f"{y} = {f}({', '.join(self.name(names, t) for t in 'fiv')})")
        names["v"].append(y)

    # --- derivatives inside ---

    def grad(self, names: Names, depth: int) -> None:
        f, y = self.function(names, "f", "f", depth), self.new("f")
        self.write(f"{y} = np.tanh(lax.grad(lambda a: {f}(a)[0])({self.name(names, 'f')}))")
        names["f"].append(y)

    def jvp(self, names: Names, depth: int) -> None:
        f, y = self.function(names, "v", "v", depth), self.new("v")
        v, dot = self.name(names, "v"), self.name(names, "v")
        self.write(f"{y} = np.sin(lax.jvp({f}, ({v},), ({dot},))[1][0])")
        names["v"].append(y)


#: the operations, by the names of their methods
KINDS = (
    "cond", "switch", "scan", "map", "vmap", "while_loop", "fori_loop", "checkpoint", "custom_jvp", "custom_vjp",
    "grad", "jvp",
)  # fmt: skip


def tuple_of(values: Sequence[str]) -> str:
    return f"({', '.join(values)},)" if len(values) == 1 else f"({', '.join(values)})"


# --- Python's own control flow ---


def cond(pred: Any, true_fun: Any, false_fun: Any, *operands: Any) -> Any:
    return true_fun(*operands) if pred else false_fun(*operands)


def switch(index: Any, branches: Any, *operands: Any) -> Any:
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(cond_fun: Any, body_fun: Any, init: Any, **_: Any) -> Any:
    value = arrays(init)
    while cond_fun(value):
        value = body_fun(value)
    return value


def fori_loop(lower: Any, upper: Any, body_fun: Any, init: Any, **_: Any) -> Any:
    value = arrays(init)
    for i in range(int(lower), int(upper)):
        value = body_fun(np.int64(i), value)
    return value


def scan(f: Any, init: Any, xs: Any = None, length: int = 0, reverse: bool = False, **_: Any) -> Any:
    carry, columns = arrays(init), xform.tree.leaves(xs)
    steps = len(columns[0]) if columns else length
    history = []
    for k in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(carry, xform.tree.map(lambda x, k=k: x[k], xs))
        history.append(y)
    if not steps:  # what would have been stacked: of a step that nobody asked for
        y = f(carry, xform.tree.map(lambda x: np.zeros(x.shape[1:], x.dtype)[()], xs))[1]
        return carry, xform.tree.map(lambda y: np.zeros((0, *y.shape), y.dtype), y)
    return carry, rows(history[::-1] if reverse else history)


def arrays(init: Any) -> Any:
    return xform.tree.map(lambda x: x if hasattr(x, "dtype") else np.asarray(x)[()], init)


def rows(values: list[Any]) -> Any:
    """Trees of values as a tree of arrays."""
    return xform.tree.map(lambda *ys: stack(*ys, axis=0), *values)


def one_by_one(f: Any, in_axes: Any = 0) -> Any:
    def g(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
        size = next(len(x) for x, a in zip(args, axes, strict=True) if a is not None)
        return rows([f(*(x if a is None else x[k] for x, a in zip(args, axes, strict=True))) for k in range(size)])

    return g


OTHERS = {
    name: getattr(xform.lax, name)
    for name in (
        "dynamic_index_in_dim", "dynamic_update_index_in_dim", "dynamic_update_slice", "dynamic_slice",
        "associative_scan", "stop_gradient", "complex",
    )
} | {name: getattr(xform, name) for name in ("custom_jvp", "custom_vjp", "grad", "jvp")}  # fmt: skip

OTHERS["read"] = lambda a, i: xform.numpy.at(a)[i].get()
OTHERS["write"] = lambda a, i, x: xform.numpy.at(a)[i].set(x)
OTHERS["add_at"] = lambda a, i, x: xform.numpy.at(a)[i].add(x)

#: the operations, and the same as Python's loops and branches
LAX = SimpleNamespace(
    **OTHERS, cond=xform.lax.cond, switch=xform.lax.switch, scan=xform.lax.scan, map=xform.lax.map,
    while_loop=xform.lax.while_loop, fori_loop=xform.lax.fori_loop, checkpoint=xform.checkpoint, vmap=xform.vmap,
)  # fmt: skip
PLAIN = SimpleNamespace(
    **OTHERS, cond=cond, switch=switch, scan=scan, while_loop=while_loop, fori_loop=fori_loop,
    map=lambda f, xs, **_: scan(lambda c, x: (c, f(x)), (), xs)[1], checkpoint=lambda f: f, vmap=one_by_one,
)  # fmt: skip


def compiled(text: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "<generated>", "exec"), names)
    return names["program"]


def flat(program: Callable[..., Any], lax: Any) -> Callable[..., Any]:
    """The program as a function of (x, k) whose result is one vector of floats."""

    def f(x: Any, k: Any) -> Any:
        a, v, c, _, _ = program(np, lax, x, k)
        return np.concatenate([np.stack([a, np.real(c), np.imag(c)]), v])

    return f
