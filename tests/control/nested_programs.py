"""More programs beside their twins: checkpointed functions, nests, carries of complex and of single numbers."""

from __future__ import annotations

import numpy as np

from tests.control.programs import TIMES, W, rows, twin
from xform import checkpoint, checkpoint_name, checkpoint_policies, vmap
from xform.lax import cond, fori_loop, scan, while_loop

# --- checkpointed functions ---


def layer(x, y):
    h = checkpoint_name(np.tanh(W @ y), "h")
    return checkpoint_name(np.sin(h) * x[0] + y, "out")


def layers(x):
    return layer(x, layer(x, x) * 2.0)


def with_policy(name, policy):
    def layers(x):
        f = checkpoint(lambda y: layer(x, y), policy=policy)
        return f(f(x) * 2.0)

    layers.__name__ = f"layers_{name}"
    twin(layers)(lambda x: layer(x, layer(x, x) * 2.0))


POLICIES = {
    "nothing": None,
    "everything": checkpoint_policies.everything_saveable,
    "dots": checkpoint_policies.dots_saveable,
    "plain_dots": checkpoint_policies.dots_with_no_batch_dims_saveable,
    "names": checkpoint_policies.save_only_these_names("h"),
    "any_but": checkpoint_policies.save_any_names_but_these("h"),
    "except": checkpoint_policies.save_anything_except_these_names("out"),
    "both": checkpoint_policies.save_from_both_policies(
        checkpoint_policies.dots_saveable, checkpoint_policies.save_only_these_names("out")
    ),
}

for name, policy in POLICIES.items():
    with_policy(name, policy)


def checkpoints_inside(x):
    """A checkpoint in a checkpoint, with loops and branches inside."""

    @checkpoint
    def inner(v, k):
        return scan(lambda c, t: (cond(c > 0.0, np.sin, lambda c: c * t, c) + t, c), v, x * k, checkpoint=True)

    outer = checkpoint(lambda t: inner(t[0], 1)[0] + inner(t[1], 2)[1])
    return outer(x)


@twin(checkpoints_inside)
def _(x):
    def inner(c, k):
        cs = []
        for t in (x[0] * k, x[1] * k):
            cs.append(c)
            c = (np.sin(c) if c > 0.0 else c * t) + t
        return c, rows(cs)

    return inner(x[0], 1)[0] + inner(x[1], 2)[1]


# --- nests ---


def ladder(x):
    """A scan in a branch in a while loop in a scan."""

    def step(v, t):
        def body(c):
            inner = lambda v: scan(lambda u, s: (u * 0.7 + s * x[0], None), v, TIMES[:2])[0]  # noqa: E731
            return cond(c[0] > 0.5, inner, lambda v: v + 0.3 * t, c[0]), c[1] - 1

        v, _ = while_loop(lambda c: c[1] > 0, body, (v, 3))
        return v, v * t

    return scan(step, x[1], TIMES)


@twin(ladder)
def _(x):
    v, ys = x[1], []
    for t in TIMES:
        for _ in range(3):
            if v > 0.5:
                for s in TIMES[:2]:
                    v = v * 0.7 + s * x[0]
            else:
                v = v + 0.3 * t
        ys.append(v * t)
    return v, rows(ys)


def lanes_in_loops(x):
    """Each example of a vmap takes its own number of steps, inside a loop."""

    def body(_, v):
        growing = lambda a: while_loop(lambda a: a * a < 1.0, lambda a: a * 1.7 + 0.1 * x[0], a)  # noqa: E731
        return vmap(growing)(v) * 0.3

    return fori_loop(0, 2, body, x)


@twin(lanes_in_loops)
def _(x):
    def growing(a):
        while a * a < 1.0:
            a = a * 1.7 + 0.1 * x[0]
        return a

    v = x
    for _ in range(2):
        v = rows([growing(v[0]), growing(v[1])]) * 0.3
    return v


# --- carries of other dtypes ---


def rotations(z):
    step = lambda c: (c[0] * np.exp(1j * c[1]) * z[0], c[1] + 0.5)  # noqa: E731
    w, angle = while_loop(lambda c: c[1] < 1.2, step, (z, 0.0))
    return w, scan(lambda c, t: (c * t + 1j, c), z[0], z)[1] * angle


@twin(rotations, np.array([0.6 + 0.8j, -0.3 + 0.4j]))
def _(z):
    w, angle = z, 0.0
    while angle < 1.2:
        w, angle = w * np.exp(1j * angle) * z[0], angle + 0.5
    return w, rows([z[0], z[0] * z[0] + 1j]) * angle


def singles(xs):
    """A float32 carry with a double beside it."""
    step = lambda c, t: ((np.sin(c[0]) * t, c[1] + c[0]), c[0] * c[1])  # noqa: E731
    return scan(step, (xs["single"][0], xs["double"]), xs["single"])


@twin(singles, {"single": np.array([0.5, -0.25], np.float32), "double": np.float64(0.7)})
def _(xs):
    a, b, ys = xs["single"][0], xs["double"], []
    for t in (xs["single"][0], xs["single"][1]):
        ys.append(a * b)
        a, b = np.sin(a) * t, b + a
    return (a, b), rows(ys)
