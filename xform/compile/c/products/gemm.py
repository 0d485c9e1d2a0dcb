"""The text of a product of two matrices whose sizes and strides are known, c = a b.

The result is made in tiles of some rows by some vectors of columns, which stay in registers while the inner index
p runs:

    tile[i][j] += a[i, p] * (vector j of row p of b)

A tile is a function of its own, which all products of a program with tiles of that size call: the strides are its
arguments, because to know them makes it no faster, and a compiler takes long over such a function. What is left over at
the right is done by a vector that begins further left: its columns are computed twice, alike. The rows of b must lie
along memory, else a panel of them, as wide as a tile, is copied in that order; the strides of a are free.
Multiplications and additions are fused, as in BLAS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from xform.compile.c.machine.vectors import Vectors

#: inner indices of a tile that are done at once: so a panel of b stays in the caches, and is small enough for the stack
DEPTH = 256

#: rows of b that lie so many bytes apart are copied to panels too, if at least `REUSED` tiles read each of them
FAR, REUSED = 2048, 8

#: rows of a tile at most
MOST_ROWS = 16

#: by which part of its cost a tiling may be slower if it has one entry less in its text
LENGTH = 2e-3

Strides = tuple[int, int]


class Product(NamedTuple):
    """c = a b, of m x k and k x n entries of a C type, each with the strides of its rows and columns, in entries."""

    kind: str
    m: int
    n: int
    k: int
    a: Strides
    b: Strides
    c: Strides

    def transposed(self) -> Product:
        """c' = b' a'."""
        a, b, c = ((columns, rows) for rows, columns in (self.a, self.b, self.c))
        return Product(self.kind, self.n, self.m, self.k, b, a, c)

    @property
    def name(self) -> str:
        numbers = (self.m, self.n, self.k, *self.a, *self.b, *self.c)
        return f"xf_product_{self.kind}_" + "_".join(str(x).replace("-", "m") for x in numbers)


class Run(NamedTuple):
    """Pieces of one size that follow one another."""

    start: int
    size: int
    count: int

    @property
    def stop(self) -> int:
        return self.start + self.size * self.count


class Tiling(NamedTuple):
    """How c is cut up: lanes of a vector, runs of rows, and runs of vectors of columns."""

    lanes: int
    rows: list[Run]
    columns: list[Run]


def pieces(n: int, most: int) -> list[Run]:
    """n in as few pieces as can be, of at most two sizes that differ by one, the larger ones last."""
    count = -(-n // most)
    size, larger = divmod(n, count)
    runs = [Run(0, size, count - larger)]
    return [*runs, Run(runs[0].stop, size + 1, larger)] if larger else runs


def tiling(p: Product, vectors: Vectors) -> Tiling:
    """The one of the least cost; of about the same cost the one of the shortest text.

    Columns that are made twice must not be summed twice where the tile starts with what is in memory: they must lie in
    one panel, so the last one has two vectors at least.
    """
    lanes = min(vectors.lanes(p.kind), 1 << (p.n.bit_length() - 1))
    count = -(-p.n // lanes)
    overlaps = p.k > DEPTH and p.n % lanes != 0
    found = []
    for width in range(min(1 + overlaps, count), min(4, count) + 1):
        most = min((vectors.count - 1 - width) // width, MOST_ROWS)
        even = next(rows for rows in range(most, 0, -1) if p.m % rows == 0)
        found += [Tiling(lanes, pieces(p.m, rows), pieces(count, width)) for rows in (most, even)]
    return min(
        found, key=lambda t: cost(t, p.k) * (1 + LENGTH * sum(r.size * c.size for r in t.rows for c in t.columns))
    )


def cost(t: Tiling, k: int) -> float:
    """About the cycles that it takes: two multiplications or loads at a time, each result waited for 4 cycles."""
    total = 0.0
    for rows in t.rows:
        for columns in t.columns:
            entries = rows.size * columns.size
            step = max(entries / 2, (rows.size + columns.size) / 2, 4)
            total += rows.count * columns.count * (k * step + entries + 12)
    return total


def sources(p: Product, vectors: Vectors) -> list[str]:
    """Functions, the last one of the places of a, b and c, where the columns of c lie side by side."""
    t = tiling(p, vectors)
    operands = f"const {p.kind} *a, const {p.kind} *b, {p.kind} *c"
    tiles = [tile_source(p, t, rows.size, columns.size) for rows in t.rows for columns in t.columns]
    packing = [pack_source(p, t)] if is_packed(p, t) else []
    return [FUSION, *tiles, *packing, "\n".join(block(f"static void {p.name}({operands})", depths(p, t)))]


def function(name: str, operands: str, body: list[str]) -> str:
    return "\n".join(block(f"static XF_FUSED void {name}({operands})", ["XF_FUSE", *body]))


def vector_types(kind: str, lanes: int) -> list[str]:
    """A vector, and one anywhere in memory."""
    size = f"vector_size({lanes} * sizeof({kind}))"
    return [
        f"typedef {kind} vec __attribute__(({size}));",
        f"typedef {kind} mem __attribute__(({size}, aligned(sizeof({kind})), may_alias));",
    ]


#: how a compiler is told to fuse multiplications and additions in a function, and how it names a shuffle
FUSION = """
#ifdef __clang__
#define XF_FUSED __attribute__((noinline))
#define XF_FUSE _Pragma("clang fp contract(fast)")
#else
#define XF_FUSED __attribute__((noinline, optimize("O2", "no-tree-vectorize", "fp-contract=fast")))
#define XF_FUSE
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define XF_SHUFFLE(type, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define XF_SHUFFLE(type, x, y, ...) __builtin_shuffle(x, y, (type){__VA_ARGS__})
#endif
"""


def block(head: str, lines: list[str]) -> list[str]:
    return [f"{head} {{", *(f"  {line}" for line in lines), "}"]


def depths(p: Product, t: Tiling) -> list[str]:
    """The loop over the inner index, `DEPTH` at a time."""
    if p.k <= DEPTH:
        return panels(p, t, p.k)
    count = -(-p.k // DEPTH)
    size = -(-p.k // count)
    head = [
        f"const long depth = {p.k} - q < {size} ? {p.k} - q : {size};",
        f"const {p.kind} *const a0 = a + q * {p.a[1]}L, *const b0 = b + q * {p.b[0]}L;",
    ]
    inner = block("", [f"const {p.kind} *const a = a0, *const b = b0;", *panels(p, t, size, "depth")])
    return block(f"for (long q = 0; q < {p.k}; q += {size})", [*head, *inner])


def is_packed(p: Product, t: Tiling) -> bool:
    """Are the rows of b copied to panels?"""
    size = 8 if p.kind == "double" else 4
    tiles = sum(run.count for run in t.rows)
    return (p.b[1] != 1 and p.n > 1) or (p.b[0] * size >= FAR and tiles >= REUSED)


def panels(p: Product, t: Tiling, size: int, depth: str = "") -> list[str]:
    """The loops over panels of columns, and over tiles of rows in each of them."""
    packed, depth = is_packed(p, t), depth or str(size)
    most = max(run.size for run in t.columns) * t.lanes
    lines = [f"{p.kind} panel[{size * most}] __attribute__((aligned(64)));"] if packed else []
    for start, width, count, last in panel_runs(p, t):
        inner = pack(p, t, width, last, depth) if packed else []
        for rows in t.rows:
            head = f"for (long i = {rows.start}; i < {rows.stop}; i += {rows.size})"
            inner.append(f"{head} {tile(p, t, rows.size, width, last, packed, depth)}")
        step = width * t.lanes
        lines += block(f"for (long j = {start}; j < {start + step * count}; j += {step})", inner)
    return lines


def panel_runs(p: Product, t: Tiling) -> Iterator[tuple[int, int, int, int]]:
    """First column, vectors of a panel, number of panels, and where in them the last vector begins."""
    whole = p.n % t.lanes == 0
    for k, run in enumerate(t.columns):
        start, at_end = run.start * t.lanes, (run.size - 1) * t.lanes
        final = k == len(t.columns) - 1 and not whole
        if run.count > final:
            yield start, run.size, run.count - final, at_end
        if final:
            start += (run.count - 1) * run.size * t.lanes
            yield start, run.size, 1, p.n - t.lanes - start


def places(width: int, lanes: int, last: int) -> list[int]:
    """Where the vectors of a panel begin."""
    return [*(v * lanes for v in range(width - 1)), last]


def tile(p: Product, t: Tiling, rows: int, width: int, last: int, packed: bool, depth: str) -> str:
    """The call that makes one tile."""
    b = f"panel, {width * t.lanes}, {(width - 1) * t.lanes}" if packed else f"b + j, {p.b[0]}, {last}"
    a, c = f"a + i * {p.a[0]}L, {p.a[0]}, {p.a[1]}", f"c + i * {p.c[0]}L + j, {p.c[0]}, {last}"
    return f"{tile_name(p, t, rows, width)}({depth}, {a}, {b}, {c}, {'q != 0' if p.k > DEPTH else 0});"


def tile_name(p: Product, t: Tiling, rows: int, width: int) -> str:
    return f"xf_tile_{p.kind}_{t.lanes}_{rows}_{width}"


def tile_source(p: Product, t: Tiling, rows: int, width: int) -> str:
    """A function: the sums of a tile, added to what is in memory, or put there.

    `b_last` and `c_last` are where the last vector begins.
    """
    names = [[f"s{i}_{v}" for v in range(width)] for i in range(rows)]
    body = [
        *vector_types(p.kind, t.lanes),
        *(f"vec {', '.join(f'{name} = {{0}}' for name in row)};" for row in names),
        *block("if (add)", list(transfers(names, t.lanes, load=True))),
        *inner_loop(p, t, names),
        *transfers(names, t.lanes, load=False),
    ]
    operands = [
        f"long depth, const {p.kind} *a, long a_rows, long a_columns, const {p.kind} *b, long b_rows, long b_last",
        f"{p.kind} *c, long c_rows, long c_last, int add",
    ]
    return function(tile_name(p, t, rows, width), ", ".join(operands), body)


def vector_places(width: int, lanes: int, last: str) -> list[str]:
    """Where the vectors of a row begin."""
    return [*(str(v * lanes) for v in range(width - 1)), last]


def transfers(names: list[list[str]], lanes: int, load: bool) -> Iterator[str]:
    """All sums of a tile are read before any is written."""
    for i, row in enumerate(names):
        for place, name in zip(vector_places(len(row), lanes, "c_last"), row, strict=True):
            memory = f"*(mem *)(c + {i} * c_rows + {place})"
            yield f"{name} = {memory};" if load else f"{memory} = {name};"


def inner_loop(p: Product, t: Tiling, names: list[list[str]]) -> list[str]:
    at = vector_places(len(names[0]), t.lanes, "b_last")
    vectors = ", ".join(f"b{v} = *(const mem *)(y + {place})" for v, place in enumerate(at))
    lines = [f"const {p.kind} *const y = b + p * b_rows, *const x = a + p * a_columns;", f"const vec {vectors};"]
    for i, row in enumerate(names):
        lines.append(f"const {p.kind} x{i} = x[{i} * a_rows];")
        lines.append(" ".join(f"{name} += x{i} * b{v};" for v, name in enumerate(row)))
    return block("for (long p = 0; p < depth; p++)", lines)


# --- panels ---


def pack(p: Product, t: Tiling, width: int, last: int, depth: str) -> list[str]:
    """The columns j... of b, row by row."""
    step, name, (rows, columns) = width * t.lanes, pack_name(p, t), p.b
    return [
        f"{name}(panel + {v * t.lanes}, {step}, b + (j + {place}) * {columns}L, {rows}, {columns}, {depth});"
        for v, place in enumerate(places(width, t.lanes, last))
    ]


def pack_name(p: Product, t: Tiling) -> str:
    return f"xf_pack_{p.kind}_{t.lanes}"


def pack_source(p: Product, t: Tiling) -> str:
    """A function: to[q, l] = from[q, l] for l < lanes, from rows or columns that lie along memory, or from neither."""
    kind, n = p.kind, t.lanes
    body = [
        *vector_types(kind, n),
        "long q = 0;",
        *block("if (cols == 1)", ["for (; q < depth; q++) *(mem *)(to + q * step) = *(const mem *)(from + q * rows);"]),
        *block("else if (rows == 1)", block(f"for (; q + {n} <= depth; q += {n})", transposition(kind, n))),
        "for (; q < depth; q++)",
        f"  for (long l = 0; l < {n}; l++) to[q * step + l] = from[q * rows + l * cols];",
    ]
    operands = f"{kind} *to, long step, const {kind} *from, long rows, long cols, long depth"
    return function(pack_name(p, t), operands, body)


def transposition(kind: str, n: int) -> list[str]:
    """n columns of n entries: for s = 1, 2, 4, ... the s x s blocks off the diagonals of 2s x 2s ones change places."""
    names = [f"x{k}" for k in range(n)]
    index = "long" if kind == "double" else "int"
    lines = [f"typedef {index} order __attribute__((vector_size({n} * sizeof({index}))));"]
    lines += [f"vec {x} = *(const mem *)(from + q + {k} * cols);" for k, x in enumerate(names)]
    s = 1
    while s < n:
        low = ", ".join(str(k if not k & s else k - s + n) for k in range(n))
        high = ", ".join(str(k + s if not k & s else k + n) for k in range(n))
        for x, y in ((names[k], names[k + s]) for k in range(n) if not k & s):
            lines.append(f"vec z{x} = XF_SHUFFLE(order, {x}, {y}, {low}), z{y} = XF_SHUFFLE(order, {x}, {y}, {high});")
        names = [f"z{x}" for x in names]
        s *= 2
    return lines + [f"*(mem *)(to + (q + {k}) * step) = {x};" for k, x in enumerate(names)]
