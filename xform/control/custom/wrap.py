"""`primitive`: of a function that only takes plain arrays (SciPy's, C, Fortran) one that can be transformed.

What a transformation needs and the function cannot give, the user does: shapes for programs, a derivative in one of
four forms. A derivative, a batch or a Taylor rule makes a function with rules of its own of the primitive.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xform.control.custom.function import CustomFunction
from xform.control.custom.signatures import check_signature, fixed_count, signature_of, title_of
from xform.control.custom.wrapped import Wrapped, WrappedLinear
from xform.core.aval import aval_of
from xform.core.primitive import Primitive
from xform.ops.elementwise import Elementwise, broadcast_shapes

_serials = itertools.count()

BATCHES = ("loop", "broadcast")

#: options that say the same in different words, or take each other's place
CONTRADICTIONS = [
    ("partials", ("jvp", "vjp", "linear", "transpose", "shape", "batch", "jet", "sparsity")),
    ("transpose", ("jvp", "vjp")),
]


def primitive(
    f: Callable[..., Any],
    *,
    shape: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    partials: Sequence[Any] | None = None,
    linear: bool | int | Sequence[int] = False,
    transpose: Callable[..., Any] | None = None,
    batch: str | Callable[..., Any] = "loop",
    jet: Callable[..., Any] | None = None,
    sparsity: Callable[..., Any] | str | None = None,
    name: str | None = None,
) -> Callable[..., Any]:
    """Make of a function of plain arrays one that can be transformed, by the rules that you have.

    `f` takes arrays and returns an array or a tuple of arrays; it is only ever called with plain ones. What is not
    given is derived, or asked for by name when it is needed. All rules but `shape` and `sparsity` are functions of
    values that may be traced, so they are written with NumPy's functions, the result of `primitive`, and the like.

        shape       (*avals) -> aval                       of the result; wanted in programs only
        partials    [(y, *x) -> dy/dx_k, number or None]   of an f applied entry by entry: no more is needed
        jvp         (y, x, x_dot) -> y_dot                 x and x_dot are tuples with an entry per argument
        vjp         (y, x, y_bar) -> (x_bar, ...)          None for zero; forward mode transposes it
        linear      True, or positions of arguments        f is linear in these jointly: its own derivative;
                                                           with vjp=, which then also transposes it, a hint
        transpose   (y_bar, *other arguments) -> x_bar     of a linear f; a tuple if linear in several arguments
        batch       "loop"                                 vmap calls f for each example in turn
                    "broadcast"                            f takes all its arguments with more axes in front
                    (size, batched, *x) -> (y, batched)    as `custom_vmap`
        jet         (primals, series) -> (y, series)       as `defjet`; else it follows from the derivative
        sparsity    (*avals) -> (pattern, ...)             per argument booleans of shape y.shape + x_k.shape
                    "elementwise"                          entries of y depend on those at their places

    Raises TypeError or ValueError for options that contradict each other; MissingRuleError, when it is met, for a
    transformation for which a rule is missing; TypeError for a rule whose result does not fit.

    A function of SciPy, with its vjp:

    >>> import numpy as np, scipy.linalg, xform
    >>> from xform.extend import primitive
    >>> def solve_vjp(y, x, y_bar):
    ...     b_bar = solve_spd(x[0], y_bar)
    ...     return -np.outer(b_bar, y), b_bar
    >>> solve_spd = primitive(lambda a, b: scipy.linalg.solve(a, b, assume_a="pos"), vjp=solve_vjp)
    >>> A, b = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([3.0, 0.0])
    >>> xform.grad(lambda b: np.sum(solve_spd(A, b) ** 2))(b).round(4)
    array([ 3.3333, -2.6667])

    A function of C, applied entry by entry, with its partial derivative:

    >>> import ctypes, ctypes.util
    >>> erf_c = ctypes.CDLL(ctypes.util.find_library("m")).erf
    >>> erf_c.restype, erf_c.argtypes = ctypes.c_double, [ctypes.c_double]
    >>> erf = primitive(
    ...     np.vectorize(erf_c, otypes=[float]), name="erf",
    ...     partials=[lambda y, x: 2.0 / np.sqrt(np.pi) * np.exp(-x * x)],
    ... )
    >>> xform.vmap(xform.grad(erf))(np.array([0.0, 1.0])).round(4)
    array([1.1284, 0.4151])
    """
    title, label = title_of(f), name or getattr(f, "__name__", type(f).__name__)
    options = {"jvp": jvp, "vjp": vjp, "transpose": transpose, "jet": jet, "shape": shape, "partials": partials}
    given = {option: value for option, value in options.items() if value is not None}
    given |= {"linear": linear} if linear is not False else {}
    given |= {"sparsity": sparsity} if sparsity is not None else {}
    check_options(title, given | ({"batch": batch} if batch != "loop" else {}))
    if partials is not None:
        return elementwise(f, title, label, partials)
    linear_in = linear_positions(f, title, linear, transpose)
    base = wrapped(f, title, label, shape, linear_in, transpose, batch if isinstance(batch, str) else "loop")
    base.pattern = sparsity
    if jvp is None and vjp is None and jet is None and not callable(batch):
        return base
    custom = rules_of(base, f, title, jvp, vjp)
    custom.pattern, custom.linear_in = sparsity, linear_in or ()
    if jet is not None:
        custom.defjet(jet)
    if callable(batch):
        custom.def_vmap(batch)
    return custom


def check_options(title: str, given: dict[str, Any]) -> None:
    """What is wrong with the options by themselves."""
    for option, others in CONTRADICTIONS:
        clash = [o for o in others if o in given]
        if option in given and clash:
            raise TypeError(
                f"primitive of {title}: {option}= and {', '.join(f'{o}=' for o in clash)} were given; "
                f"{option}= already determines what the other would say, so give one of them"
            )
    for option in ("shape", "jvp", "vjp", "transpose", "jet"):
        if option in given and not callable(given[option]):
            raise TypeError(f"primitive of {title}: {option}= must be a function, not {given[option]!r:.40}")
    for option, words in (("batch", BATCHES), ("sparsity", ("elementwise",))):
        value = given.get(option)
        if value is not None and not callable(value) and value not in words:
            raise ValueError(
                f"primitive of {title}: {option}= must be a function or {' or '.join(map(repr, words))}, not {value!r}"
            )


def linear_positions(f: Any, title: str, linear: Any, transpose: Any) -> tuple[int, ...] | None:
    """The arguments in which the function is linear; None if it is in none."""
    count = fixed_count(positional(f))
    if linear is True or (linear is False and transpose is not None):
        if count is None:
            raise TypeError(f"primitive of {title}: its signature does not tell its arguments; give linear=(0, ...)")
        return tuple(range(count))
    if linear is False:
        return None
    positions = (linear,) if isinstance(linear, int) else tuple(linear)
    for k in positions:
        if not isinstance(k, int) or isinstance(k, bool) or k < 0 or (count is not None and k >= count):
            raise ValueError(f"primitive of {title}: linear= names the argument {k!r}, which it has not got")
    return positions


def wrapped(f: Any, title: str, label: str, shape: Any, linear_in: Any, transpose: Any, way: str) -> Wrapped:
    """The function as a primitive."""
    if linear_in is None:
        return Wrapped(f, label, shape, way)
    base = WrappedLinear(f, label, shape, way)
    base.linear_in, base.transposed = linear_in, transpose
    return base


def rules_of(base: Wrapped, f: Any, title: str, jvp: Any, vjp: Any) -> CustomFunction:
    """The primitive as a function with the given derivative."""

    def call(*args: Any) -> Any:
        return base(*args)

    call.__name__, call.__qualname__ = base.name, base.name
    custom = CustomFunction(call, signature=positional(f))
    custom.opaque, custom.name = True, title
    if jvp is not None:
        check_signature("jvp rule", jvp, title, ["y", "x", "x_dot"])

        def push(primals: Any, tangents: Any) -> Any:
            y = custom(*primals)
            return y, jvp(y, primals, tangents)

        custom.defjvp(push)
    if vjp is not None:
        check_signature("vjp rule", vjp, title, ["y", "x", "y_bar"])

        def forward(*primals: Any) -> Any:
            y = custom(*primals)
            return y, (y, primals)

        custom.defvjp(forward, lambda residuals, y_bar: vjp(*residuals, y_bar))
    for kind, rule, given in (("jvp", custom.jvp_rule, jvp), ("backward", custom.bwd_rule, vjp)):
        if given is not None:  # messages name the user's function
            custom.who[kind] = f"{title_of(given)}, the {kind} rule of {title},"
            functools.update_wrapper(rule, given)
    return custom


def positional(f: Callable[..., Any]) -> Any:
    """The signature with those parameters only that have no default: what is called by position."""
    signature = signature_of(f)
    if signature is None:
        return None
    kept = [p for p in signature.parameters.values() if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
    return signature.replace(parameters=[p for p in kept if p.kind is not p.VAR_KEYWORD])


def elementwise(f: Callable[..., Any], title: str, label: str, partials: Sequence[Any]) -> Elementwise:
    """A function applied entry by entry."""
    count = fixed_count(positional(f))
    if not isinstance(partials, tuple | list):
        raise TypeError(f"primitive of {title}: partials= must be a list with an entry for each argument")
    if count is not None and count != len(partials):
        raise TypeError(
            f"primitive of {title}: {len(partials)} partials were given; wanted {count}, one for each argument, None "
            "where there is no derivative"
        )
    names = [f"x{k + 1}" for k in range(len(partials))]
    for k, d in enumerate(partials):
        if callable(d):
            check_signature(f"partial derivative {k}", d, title, ["y", *names])
        elif not (d is None or isinstance(d, int | float | complex)):
            raise TypeError(f"primitive of {title}: partial {k} must be a function, a number or None, not {d!r:.40}")

    def function(*arrays: Any) -> Any:
        if len(arrays) != len(partials):
            raise TypeError(f"{title} takes {len(partials)} arguments, one for each partial; {len(arrays)} were given")
        y = np.asarray(f(*arrays))[()]
        shape = broadcast_shapes(label, [aval_of(x) for x in arrays])
        if y.shape != shape:
            raise TypeError(
                f"{title} has partials, so it is applied entry by entry, but for arguments of shapes "
                f"{[np.shape(x) for x in arrays]} it returned {aval_of(y)}; give jvp= or vjp= instead of partials="
            )
        return y

    key = f"{label} (wrapped, {next(_serials)})"
    prim = Elementwise(key, function, partials, singular=True)
    del Primitive.registry[key]  # the table is that of the library's own
    prim.name = label
    return prim
