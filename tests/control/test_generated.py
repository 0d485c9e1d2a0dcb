"""Random programs with control flow under transformations, against the same text read as Python's own control flow."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.control.generated import KINDS, LAX, PLAIN, Writer, compiled, flat
from xform import checkpoint, grad, jacfwd, jacrev, jet, jvp, make_jaxpr, sparsity_pattern, tree, vjp, vmap
from xform.control.programs import structured
from xform.core.check import check

Function = Callable[..., Any]

X, K = np.array([0.37, -0.61, 0.83, 0.29]), np.int64(2)
XS = np.stack([X, [-0.3, 0.5, -0.9, 0.7], [0.9, 0.2, 0.4, -0.8]])
KS = np.array([2, 0, 5])
DOTS = np.random.default_rng(0).normal(size=(3, 4))
BAR = np.random.default_rng(1).normal(size=6)


def staged(f: Function) -> Function:
    """Write the function down, then run the program."""

    def g(*args: Any) -> Any:
        jaxpr, shape = make_jaxpr(f, return_shape=True)(*args)
        check(jaxpr)
        return tree.unflatten(tree.structure(shape), jaxpr(*tree.leaves(args)))

    return g


def whole(f: Function) -> Function:
    """A transformation sees the loops and branches as wholes, though it has numbers."""
    jaxpr = make_jaxpr(f)(X, K)

    def g(*args: Any) -> Any:
        with structured():
            return jaxpr(*args)[0]

    return g


def loop(f: Function, axes: tuple[int | None, ...] = (0, 0)) -> Function:
    """What `vmap` means."""

    def g(*args: Any) -> Any:
        outs = [f(*(a if axis is None else a[k] for a, axis in zip(args, axes, strict=True))) for k in range(len(KS))]
        return tree.map(lambda *ys: np.stack(ys), *outs)

    return g


def by_nesting(f: Function) -> Any:
    """Taylor mode by `jvp` of `jvp` along a curve."""

    def along(t: Any) -> Any:
        return f(X + DOTS[0] * t + DOTS[1] * t**2 / 2 + DOTS[2] * t**3 / 6, K)

    terms = [along]
    for _ in range(3):
        terms.append(lambda t, g=terms[-1]: jvp(g, (t,), (1.0,))[1])
    return terms[0](0.0), [g(0.0) for g in terms[1:]]


def jet_of(f: Function) -> Function:
    return lambda x, k: jet(lambda x: f(x, k), (x,), (tuple(DOTS),))


def vjp_of(f: Function) -> Function:
    return lambda x, k: vjp(lambda x: f(x, k), x)[1](BAR)


def jvp_of(f: Function) -> Function:
    return lambda x, k: jvp(lambda x: f(x, k), (x,), (DOTS[0],))


def grad_of_batch(f: Function, batch: Function) -> Function:
    return grad(lambda xs, ks: np.sum(BAR * batch(f)(xs, ks)))


def nested_batch(f: Function, batch: Function) -> Any:
    return batch(batch(f, (None, 0)), (0, None))(XS, KS)


#: name -> on the program, and on its reading as Python's control flow
WORDS: dict[str, tuple[Function, Function]] = {}


def word(name: str, actual: Function, wanted: Function | None = None) -> None:
    WORDS[name] = actual, wanted or actual


word("value", lambda f: f(X, K))
word("staged", lambda f: staged(f)(X, K), lambda f: f(X, K))
word("jvp", lambda f: jvp_of(f)(X, K))
word("staged jvp", lambda f: staged(jvp_of(f))(X, K), lambda f: jvp_of(f)(X, K))
word("vjp", lambda f: vjp_of(f)(X, K))
word("staged vjp", lambda f: staged(vjp_of(f))(X, K), lambda f: vjp_of(f)(X, K))
word("jacrev", lambda f: jacrev(f)(X, K), lambda f: jacfwd(f)(X, K))
word("jacrev of wholes", lambda f: jacrev(whole(f))(X, K), lambda f: jacfwd(f)(X, K))
word("staged jacfwd", lambda f: staged(jacfwd(f))(X, K), lambda f: jacfwd(f)(X, K))
word("jacfwd of jacrev", lambda f: jacfwd(jacrev(f))(X, K), lambda f: jacfwd(jacfwd(f))(X, K))
word("staged jacfwd of jacrev", lambda f: staged(jacfwd(jacrev(f)))(X, K), lambda f: jacfwd(jacfwd(f))(X, K))
word("staged jacrev of jacrev", lambda f: staged(jacrev(jacrev(f)))(X, K), lambda f: jacfwd(jacfwd(f))(X, K))
word("staged jacrev of jacfwd", lambda f: staged(jacrev(jacfwd(f)))(X, K), lambda f: jacfwd(jacfwd(f))(X, K))
word("jacrev of jacrev of wholes", lambda f: jacrev(jacrev(whole(f)))(X, K), lambda f: jacfwd(jacfwd(f))(X, K))
word("jet", lambda f: jet_of(f)(X, K), by_nesting)
word("staged jet", lambda f: staged(jet_of(f))(X, K), by_nesting)
word("vmap", lambda f: vmap(f)(XS, KS), lambda f: loop(f)(XS, KS))
word("staged vmap", lambda f: staged(vmap(f))(XS, KS), lambda f: loop(f)(XS, KS))
word("vmap of wholes", lambda f: vmap(whole(f))(XS, KS), lambda f: loop(f)(XS, KS))
word("vmap in x", lambda f: vmap(f, (0, None))(XS, K), lambda f: loop(f, (0, None))(XS, K))
word("staged vmap in x", lambda f: staged(vmap(f, (0, None)))(XS, K), lambda f: loop(f, (0, None))(XS, K))
word("vmap in k", lambda f: vmap(f, (None, 0))(X, KS), lambda f: loop(f, (None, 0))(X, KS))
word("staged vmap in k", lambda f: staged(vmap(f, (None, 0)))(X, KS), lambda f: loop(f, (None, 0))(X, KS))
word("vmap of vmap", lambda f: nested_batch(f, vmap), lambda f: nested_batch(f, loop))
word("staged vmap of vmap", lambda f: staged(lambda: nested_batch(f, vmap))(), lambda f: nested_batch(f, loop))
word("vmap of jacrev", lambda f: vmap(jacrev(f))(XS, KS), lambda f: loop(jacfwd(f))(XS, KS))
word("staged vmap of jacrev", lambda f: staged(vmap(jacrev(f)))(XS, KS), lambda f: loop(jacfwd(f))(XS, KS))
word("grad of vmap", lambda f: grad_of_batch(f, vmap)(XS, KS), lambda f: grad_of_batch(f, loop)(XS, KS))
word("staged grad of vmap", lambda f: staged(grad_of_batch(f, vmap))(XS, KS), lambda f: grad_of_batch(f, loop)(XS, KS))
word("jacrev of checkpoint", lambda f: jacrev(checkpoint(f))(X, K), lambda f: jacfwd(f)(X, K))
word(
    "staged jacfwd of jacrev of checkpoint",
    lambda f: staged(jacfwd(jacrev(checkpoint(f))))(X, K),
    lambda f: jacfwd(jacfwd(f))(X, K),
)


def assert_same(actual: Any, wanted: Any) -> None:
    """The same structure, shapes, dtypes and numbers."""
    assert tree.structure(actual) == tree.structure(wanted)
    for x, y in zip(tree.leaves(actual), tree.leaves(wanted), strict=True):
        assert np.shape(x) == np.shape(y)
        assert np.asarray(x).dtype == np.asarray(y).dtype
        scale = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9 * scale)


def assert_covers(f: Function) -> None:
    """The pattern of a program, seen in each way, contains the entries of its Jacobian."""
    nonzero = jacfwd(f)(X, K) != 0.0
    for g in (f, lambda x, k: make_jaxpr(f)(X, K)(x, k)[0], whole(f)):
        assert not np.any(nonzero & ~sparsity_pattern(lambda x, g=g: g(x, K), X))


def compare(seed: int, depth: int, size: int, words: int) -> None:
    """Some words on a program; nowhere does an operation on numbers go wrong that the program does not ask for."""
    program = compiled(Writer(seed, depth, size).text)
    f, python = (flat(program, lax) for lax in (LAX, PLAIN))
    with np.errstate(all="raise"):
        assert_same(program(np, LAX, X, K), program(np, PLAIN, X, K))
        for name in random.Random(seed).sample(sorted(WORDS), words):
            actual, wanted = WORDS[name]
            assert_same(actual(f), wanted(python))
        assert_covers(f)


@pytest.mark.parametrize("seed", range(60))
def test_words(seed):
    compare(seed, depth=2 + seed % 2, size=3, words=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_all_words(seed):
    compare(seed, depth=2 + seed % 3, size=3 + seed % 2, words=len(WORDS))


def test_the_sample_holds_all_operations():
    text = "\n".join(Writer(seed, 2 + seed % 2, 3).text for seed in range(60))
    for kind in KINDS:
        assert f"lax.{kind}(" in text or f"@lax.{kind}\n" in text or f"= lax.{kind}" in text, kind


def test_a_seed_gives_one_program():
    assert Writer(7).text == Writer(7).text != Writer(8).text
