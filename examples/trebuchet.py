"""The trebuchet: learn to throw by differentiating a simulation, gradients through solver, loop and network.

A network sees the wind and the target and sets the release angle and the counterweight. A differential equation swings
the arm (a scan over its angle), another carries the stone through wind and drag until it lands (a while loop, in which
each throw of a batch stops on its own). Nobody tells the network what good settings are: the derivative of the miss in
its weights says how to change them.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from xform import lax, value_and_grad, vmap

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise SystemExit(f"the trebuchet needs {error.name}; install it with: pip install -e '.[examples]'") from error

Params = list[tuple[np.ndarray, np.ndarray]]

GRAVITY = 9.81
SHORT, LONG, PIVOT = 1.5, 6.0, 5.0  # the arms and the height of the pivot, in m
STONE = 10.0  # kg
START = -np.pi / 4  # the angle of the long arm above the horizontal, in the beginning
DRAG = 0.004  # of the stone in the air, per m
SWING_STEPS, TIME_STEP = 8, 0.25


def midpoint(f: Callable[[Any, Any], Any], y: Any, t: Any, h: Any) -> Any:
    """A step of the midpoint rule for y' = f(t, y)."""
    return y + h * f(t + h / 2, y + h / 2 * f(t, y))


def swing(angle: Any, weight: Any, friction: float = 40.0) -> Any:
    """The squared angular velocity u of the arm when it has turned from START to `angle`.

    Torque over inertia accelerates it: du/dtheta = 2 ((M a - m b) g cos theta - c u) / (M a^2 + m b^2).
    """
    inertia = weight * SHORT**2 + STONE * LONG**2

    def acceleration(theta, u):
        return 2 * ((weight * SHORT - STONE * LONG) * GRAVITY * np.cos(theta) - friction * u) / inertia

    h = (angle - START) / SWING_STEPS

    def step(u, k):
        return midpoint(acceleration, u, START + k * h, h), None

    return lax.scan(step, 0.0 * weight, np.arange(SWING_STEPS))[0]


def release(angle: Any, weight: Any) -> np.ndarray:
    """Position and velocity (x, y, x', y') of the stone when it leaves the arm."""
    speed = LONG * np.sqrt(swing(angle, weight))
    sin, cos = np.sin(angle), np.cos(angle)
    return np.stack([-LONG * cos, PIVOT + LONG * sin, speed * sin, speed * cos])


def in_the_air(wind: Any) -> Callable[[Any, Any], np.ndarray]:
    """The stone's equation of motion, with quadratic drag against the moving air."""

    def f(t, state):
        relative = np.stack([state[2] - wind, state[3]])
        pull = -DRAG * np.sqrt(np.sum(relative**2)) * relative
        return np.concatenate([state[2:], np.stack([pull[0], pull[1] - GRAVITY])])

    return f


def distance(wind: Any, angle: Any, weight: Any) -> Any:
    """Where the stone lands: fly until it is below the ground, and go back along the last step to where it met it."""
    f = in_the_air(wind)
    first = release(angle, weight)

    def advance(states):
        return states[1], midpoint(f, states[1], 0.0, TIME_STEP)

    before, after = lax.while_loop(lambda states: states[1][1] > 0, advance, (first, first))
    part = before[1] / (before[1] - after[1])
    return before[0] + part * (after[0] - before[0])


def settings(params: Params, wind: Any, target: Any) -> tuple[Any, Any]:
    """The network: (wind, target) to a release angle between 15 and 85 degrees and a weight of 100 to 3000 kg."""
    x = np.stack([wind / 8, (target - 40) / 20])
    for W, b in params[:-1]:
        x = np.tanh(x @ W + b)
    W, b = params[-1]
    angle, weight = 1 / (1 + np.exp(-(x @ W + b)))
    return np.radians(15 + 70 * angle), 100 + 2900 * weight


def miss(params: Params, wind: Any, target: Any) -> Any:
    """How far from the target the stone lands, in m."""
    return distance(wind, *settings(params, wind, target)) - target


def loss(params: Params, winds: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The mean square of the misses, in tens of metres."""
    return np.mean((vmap(miss, in_axes=(None, 0, 0))(params, winds, targets) / 10) ** 2)


def situations(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Winds up to 8 m/s either way, targets from 20 to 60 m."""
    return rng.uniform(-8, 8, count), rng.uniform(20, 60, count)


def train(params: Params, rng: np.random.Generator, steps: int = 300, rate: float = 0.03) -> tuple[Params, list[float]]:
    """Adam; returns the parameters and the history of the loss."""
    gradient_of_loss = value_and_grad(loss)
    weights = [x for layer in params for x in layer]
    mean, square, history = [0 * x for x in weights], [0 * x for x in weights], []
    for k in range(1, steps + 1):
        value, gradient = gradient_of_loss(params, *situations(rng, 48))
        history.append(float(value))
        for i, g in enumerate(g for layer in gradient for g in layer):
            mean[i], square[i] = 0.9 * mean[i] + 0.1 * g, 0.99 * square[i] + 0.01 * g**2
            size = rate * min(1, 2 * (1 - k / steps)) / (np.sqrt(square[i] / (1 - 0.99**k)) + 1e-8)
            weights[i] = weights[i] - size * mean[i] / (1 - 0.9**k)
        params = list(zip(weights[::2], weights[1::2], strict=True))
    return params, history


def path(wind: Any, angle: Any, weight: Any) -> np.ndarray:
    """The stone's way to the ground, for the picture."""
    f, points = in_the_air(wind), [release(angle, weight)]
    while points[-1][1] > 0:
        points.append(midpoint(f, points[-1], 0.0, TIME_STEP / 10))
    return np.array(points).T


def draw(params: Params, history: list[float], output: Path) -> None:
    """Save a picture of some throws, and of the loss."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1])
    for target, color in ((25.0, "#2a7f4f"), (40.0, "#1f5fa8"), (55.0, "#c2571a")):
        for wind, style in ((-6.0, ":"), (0.0, "-"), (6.0, "--")):
            x, y = path(wind, *settings(params, np.float64(wind), np.float64(target)))[:2]
            name = f"wind {wind:+.0f} m/s" if target == 40 else None
            left.plot(x, y, style, color=color, linewidth=1.5, label=name)
        left.plot(target, 0, "x", color=color, markersize=10, markeredgewidth=2, clip_on=False)
    left.set(xlabel="distance in m", ylabel="height in m", ylim=(0, None))
    left.set_title("Throws of the trained network at three targets", loc="left")
    left.legend(frameon=False)
    right.semilogy(10 * np.sqrt(history), color="#1f5fa8", linewidth=1.5)
    right.set(xlabel="gradient step", ylabel="root mean square miss in m")
    right.set_title("Training", loc="left")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(output, dpi=150)


def main() -> None:
    # without friction energy is conserved: u = 2 (M a - m b) g (sin theta - sin START) / I
    exact = (
        2 * (500 * SHORT - STONE * LONG) * GRAVITY * (np.sin(1.0) - np.sin(START)) / (500 * SHORT**2 + STONE * LONG**2)
    )
    np.testing.assert_allclose(swing(1.0, 500.0, friction=0.0), exact, rtol=1e-2)

    slope = value_and_grad(distance, argnums=(0, 1, 2))(2.0, 0.8, 500.0)[1]
    h = 1e-6
    for k, name in enumerate(("m per m/s of wind", "m per radian of the release angle", "m per kg of counterweight")):
        low, high = (distance(*(np.array([2.0, 0.8, 500.0]) + s * h * np.eye(3)[k])) for s in (-1, 1))
        print(f"the distance changes by {slope[k]:8.4f} {name} (differences: {(high - low) / (2 * h):8.4f})")
        np.testing.assert_allclose(slope[k], (high - low) / (2 * h), rtol=1e-5)

    rng = np.random.default_rng(0)
    sizes = [2, 16, 2]
    params = [(rng.normal(size=(m, n)) / np.sqrt(m), np.zeros(n)) for m, n in itertools.pairwise(sizes)]
    winds, targets = situations(np.random.default_rng(1), 200)
    untrained = np.abs(vmap(miss, in_axes=(None, 0, 0))(params, winds, targets))
    params, history = train(params, rng)
    trained = np.abs(vmap(miss, in_axes=(None, 0, 0))(params, winds, targets))
    print(f"mean miss at 200 new targets: {untrained.mean():.2f} m before training, {trained.mean():.2f} m after it")
    output = Path("trebuchet.png")
    draw(params, history, output)
    print(f"picture: {output.resolve()}")
    assert trained.mean() < 1.0 < untrained.mean() / 5


if __name__ == "__main__":
    main()
