"""Functions with derivatives, batches and Taylor series of the user's own.

One class carries the rules, and one function may have several at once. Each transformation takes the rule that says
most about what it wants, or else derives what it needs:

    forward mode      the jvp rule, else the transpose of the backward rule, else the function itself
    reverse mode      the forward and backward rule, else the jvp rule, else the function itself
    vmap              the batch rule, else the function; its other rules are batched with it
    Taylor series     the Taylor rule, else from the rule of forward mode, else the function itself
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from xform.control.custom.call import custom_call
from xform.control.custom.captures import remembering
from xform.control.custom.rules import UserRules
from xform.control.custom.signatures import (
    check_signature,
    fixed_count,
    nondiff_positions,
    positional_names,
    signature_of,
    title_of,
)
from xform.core import tree
from xform.core.errors import LeakedTracerError, MissingRuleError
from xform.core.primitive import is_zero
from xform.core.trace import Tracer, check_live, context
from xform.transforms.flat import materialize

_serials = itertools.count()


class CustomFunction:
    """A function and the rules that the user gives for it; made by `custom_jvp`, `custom_vjp` and `custom_vmap`."""

    fun: Callable[..., Any]

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: int | Sequence[int] = (),
        nondiff_argnames: str | Sequence[str] = (),
        signature: inspect.Signature | None = None,
    ) -> None:
        self.name = title_of(fun)
        self.fun, self.serial = fun, next(_serials)
        #: a function that only takes plain arrays, and is not to be staged
        self.opaque = False
        #: what is known of the sparsity of its Jacobian
        self.pattern: Any = None
        #: the positions of the arguments in which it is known to be linear, jointly
        self.linear_in: tuple[int, ...] = ()
        self.jvp_rule: Any = None
        self.fwd_rule: Any = None
        self.bwd_rule: Any = None
        self.vmap_rule: Any = None
        self.jet_rule: Any = None
        self.jvp_zeros = self.vjp_zeros = False
        #: what messages call each rule
        self.who: dict[str, str] = {}
        self.signature = signature or signature_of(fun)
        #: its positional arguments, and their number if it is fixed
        self.names, self.count = positional_names(self.signature), fixed_count(self.signature)
        self.nondiff = nondiff_positions(self.name, self.signature, nondiff_argnums, nondiff_argnames)
        functools.update_wrapper(self, fun, updated=())

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"<{self.name} with {', '.join(self.rule_names()) or 'no'} rules>"

    # --- rules ---

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Give the rule of forward mode, `jvp(primals, tangents) -> (f(x), f'(x) x_dot)`; returns `jvp`.

        `primals` and `tangents` are tuples of the arguments and of their tangents, zeros for those that do not vary,
        float0 for integers; arguments at `nondiff_argnums` come before them, one by one. The tangent returned has the
        structure, shapes and dtypes of the value (None stands for zero), and must be linear in `tangents`, by which
        reverse mode follows. With `symbolic_zeros` tangents that vanish are `xform.extend.Zero`.

        Raises TypeError if the rule does not take these arguments; when it is used, if what it returns does not fit.

        >>> import numpy as np, xform
        >>> @xform.custom_jvp
        ... def log1pexp(x):
        ...     return np.log(1.0 + np.exp(x))
        >>> @log1pexp.defjvp
        ... def log1pexp_jvp(primals, tangents):
        ...     (x,), (t,) = primals, tangents
        ...     return log1pexp(x), t * (1.0 - 1.0 / (1.0 + np.exp(x)))
        >>> with np.errstate(over="ignore"):
        ...     xform.grad(log1pexp)(1000.0)
        np.float64(1.0)
        """
        extra = [f"the argument {k}" for k in self.nondiff]
        check_signature("jvp rule", jvp, self.name, [*extra, "primals", "tangents"])
        self.jvp_rule, self.jvp_zeros = jvp, symbolic_zeros
        self.who["jvp"] = f"{title_of(jvp)}, the jvp rule of {self.name},"
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Give the rule of forward mode by one function per argument, `jvp_k(x_dot_k, y, *x) -> df/dx_k x_dot_k`.

        The tangent of the result is their sum; None says that the function does not vary with that argument.

        Raises TypeError if there is not one for each argument, or if there are `nondiff_argnums`.

        >>> import numpy as np, xform
        >>> f = xform.custom_jvp(lambda x, y: np.sin(x) * y)
        >>> f.defjvps(lambda t, z, x, y: np.cos(x) * y * t, lambda t, z, x, y: np.sin(x) * t)
        >>> print(xform.grad(f, argnums=(0, 1))(0.0, 3.0))
        (np.float64(3.0), np.float64(0.0))
        """
        if self.nondiff:
            raise TypeError(f"defjvps of {self.name}: a function with nondiff_argnums needs one rule; use defjvp")
        wanted = self.count
        if wanted is not None and len(jvps) != wanted:
            raise TypeError(
                f"defjvps of {self.name}: {len(jvps)} rules were given; wanted {wanted}, one for each argument "
                f"({', '.join(self.names)}), None where nothing varies"
            )
        for k, rule in enumerate(jvps):
            if rule is not None:
                check_signature(f"rule {k} of defjvps", rule, self.name, ["tangent", "result", *self.names])

        def jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
            if len(jvps) != len(primals):
                raise TypeError(
                    f"defjvps of {self.name}: {len(jvps)} rules were given, but it was called with {len(primals)} "
                    "arguments; wanted one for each"
                )
            out = self(*primals)
            terms = [
                rule(filled(t), out, *primals)
                for rule, t in zip(jvps, tangents, strict=True)
                if rule is not None and not all(map(is_zero, tree.leaves(t)))
            ]
            return out, functools.reduce(added, terms) if terms else None

        self.jvp_rule, self.jvp_zeros = jvp, True
        self.who["jvp"] = f"the sum of the defjvps rules of {self.name}"

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any], symbolic_zeros: bool = False) -> None:
        """Give the rules of reverse mode, `fwd(*x) -> (f(x), residuals)` and `bwd(residuals, y_bar) -> x_bar`.

        `residuals` is any tree. `y_bar` has the structure of the result, and `x_bar` is a tuple with a cotangent for
        each argument, of its structure, shapes and dtypes; None stands for zero, as it must for integers if float0
        zeros are not wanted. Arguments at `nondiff_argnums` are in their places in `fwd` and before the others in
        `bwd`, which returns nothing for them. With `symbolic_zeros` the leaves that `fwd` gets have a `value` and
        a flag `perturbed`, and cotangents that vanish are `xform.extend.Zero`.

        Forward mode transposes `bwd` where there is no jvp rule; if `bwd` is not linear in `y_bar` (it clips it, say),
        forward mode differentiates the function itself.

        Raises TypeError if a rule does not take these arguments; when it is used, if what it returns does not fit.

        >>> import numpy as np, xform
        >>> @xform.custom_vjp
        ... def identity(x):
        ...     return x
        >>> identity.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1.0, 1.0),))
        >>> xform.grad(lambda x: identity(x) ** 2)(5.0)
        np.float64(1.0)
        """
        if self.count is not None:
            check_signature("forward rule", fwd, self.name, self.names)
        else:
            title_of(fwd)
        extra = [f"the argument {k}" for k in self.nondiff]
        check_signature("backward rule", bwd, self.name, [*extra, "residuals", "cotangent"])
        self.fwd_rule, self.bwd_rule, self.vjp_zeros = fwd, bwd, symbolic_zeros
        self.who["forward"] = f"{title_of(fwd)}, the forward rule of {self.name},"
        self.who["backward"] = f"{title_of(bwd)}, the backward rule of {self.name},"

    def def_vmap(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule of vmap, `rule(axis_size, in_batched, *args) -> (out, out_batched)`; returns `rule`.

        `in_batched` has a tree of booleans for each argument, saying which arrays have the batch along axis 0;
        `out_batched`, a boolean or a tree of them, says it of the results.

        Raises TypeError if the rule does not take these arguments; when it is used, if what it returns does not fit.

        >>> import numpy as np, xform
        >>> @xform.custom_vmap
        ... def solve(a, b):
        ...     return np.linalg.solve(a, b)
        >>> @solve.def_vmap
        ... def one_factorisation_for_all(axis_size, in_batched, a, b):
        ...     assert in_batched == (False, True)
        ...     return np.linalg.solve(a, b.T).T, True
        >>> xform.vmap(solve, in_axes=(None, 0))(2.0 * np.eye(2), np.ones((3, 2))).shape
        (3, 2)
        """
        if self.count is not None:
            check_signature("batch rule", rule, self.name, ["axis_size", "in_batched", *self.names])
        else:
            title_of(rule)
        self.vmap_rule = rule
        self.who["batch"] = f"{title_of(rule)}, the batch rule of {self.name},"
        return rule

    def defjet(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule of Taylor mode, `rule(primals, series) -> (out, out_series)`; returns `rule`.

        As for `xform.jet`: `series[k]` is the list of the derivatives of argument k, d^j x_k / dt^j for j = 1 to the
        order, and `out_series` has such a list in the place of each array of the result (None stands for zero).
        Arguments at `nondiff_argnums` come before these.

        Raises TypeError if the rule does not take these arguments; when it is used, if what it returns does not fit.

        >>> import numpy as np, xform
        >>> double = xform.custom_jvp(lambda x: 2.0 * x)
        >>> @double.defjet
        ... def double_jet(primals, series):
        ...     return 2.0 * primals[0], [2.0 * t for t in series[0]]
        >>> print(xform.jet(double, (1.0,), ((1.0, 0.5),)))
        (np.float64(2.0), [np.float64(2.0), np.float64(1.0)])
        """
        extra = [f"the argument {k}" for k in self.nondiff]
        check_signature("Taylor rule", rule, self.name, [*extra, "primals", "series"])
        self.jet_rule = rule
        self.who["Taylor"] = f"{title_of(rule)}, the Taylor rule of {self.name},"
        return rule

    def functions(self) -> list[Any]:
        """The function and its rules."""
        rules = (self.jvp_rule, self.fwd_rule, self.bwd_rule, self.vmap_rule, self.jet_rule)
        return [self.fun, *(r for r in rules if r is not None)]

    def rule_names(self) -> list[str]:
        rules = {"jvp": self.jvp_rule, "vjp": self.bwd_rule, "vmap": self.vmap_rule, "jet": self.jet_rule}
        return [name for name, rule in rules.items() if rule is not None]

    def parameter(self, k: int) -> str:
        """What messages call the argument at a position."""
        return self.names[k] if k < len(self.names) else f"argument {k}"

    # --- the call ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.jvp_rule is None and self.bwd_rule is None and self.vmap_rule is None and self.jet_rule is None:
            raise MissingRuleError(
                f"{self.name} has no rule yet; give it one with defjvp, defvjp, def_vmap or defjet before it is called"
            )
        if context.trace.is_ground:
            return self.fun(*args, **kwargs)
        with remembering():
            return self.traced(args, kwargs)

    def traced(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call as an operation."""
        static, dynamic = self.divided(self.positional(args, kwargs))
        rules = UserRules(self, static, dynamic)
        leaves = rules.enter(dynamic)
        free = rules.captures()
        for name, x in free:
            check_capture(self.name, name, x)
        names = tuple(name for name, _ in free)
        outs = custom_call.bind(*(x for _, x in free), *leaves, program=rules, rules=rules, captured=names)
        return tree.unflatten(rules.out_tree, outs)

    def positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments by position, defaults filled in."""
        if self.signature is None:
            if kwargs:
                raise TypeError(f"{self.name}: pass arguments by position, its signature being unknown")
            return args
        if not kwargs and len(args) == self.count:
            return args
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        bound.apply_defaults()
        if bound.kwargs:
            names = ", ".join(bound.kwargs)
            raise TypeError(
                f"{self.name} takes {names} by keyword only; a function with rules takes all its arguments by position"
            )
        return bound.args

    def static_positions(self, count: int) -> list[int]:
        """The positions of the non-differentiable arguments, in the order in which rules take them."""
        for k in self.nondiff:
            if not -count <= k < count:
                raise ValueError(
                    f"{self.name}: nondiff_argnums has {k}, but the function was called with {count} arguments"
                )
        return [k % count for k in self.nondiff]

    def divided(self, args: tuple[Any, ...]) -> tuple[dict[int, Any], list[Any]]:
        """The non-differentiable arguments by position, and the others."""
        if not self.nondiff:
            return {}, list(args)
        static = {k: args[k] for k in self.static_positions(len(args))}
        for k, value in static.items():
            if any(isinstance(x, Tracer) for x in tree.leaves(value)):
                raise TypeError(
                    f"{self.name}: the argument {self.parameter(k)} is traced, but it is one of "
                    "nondiff_argnums, which are for functions, strings and the like; make it an ordinary argument, and "
                    "let its tangents be ignored, or its cotangent be None"
                )
        return static, [x for k, x in enumerate(args) if k not in static]


def check_capture(owner: str, name: str, x: Tracer) -> None:
    """A traced value that is closed over must not have outlived its transformation."""
    try:
        check_live(x)
    except LeakedTracerError as error:
        raise LeakedTracerError(f"{owner} or one of its rules closes over `{name}`: {error}") from None


def filled(tangent: Any) -> Any:
    """A tangent with zeros for symbolic zeros."""
    return tree.map(lambda t: materialize(t, t.aval) if is_zero(t) else t, tangent)


def added(a: Any, b: Any) -> Any:
    """The sum of two trees of tangents."""
    return tree.map(lambda x, y: x + y, a, b)
