"""The adjoint of an adaptive ODE solver: reverse mode through a while loop of unknown length, in bounded memory.

An integrator that chooses its own step sizes is a while loop. The gradient of the end state runs backwards through the
steps that were taken; with `checkpoint=` only a few states are kept, and the others are computed again from them. The
gradient is compared with finite differences of the solver, and with the sensitivity equation
    S' = (df/dy) S + df/dp,
which is another differential equation, solved along with the first one, whose Jacobians come from `jacfwd`.
"""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from xform import jacfwd, lax, value_and_grad

Field = Callable[[Any], Any]  # y' as a function of y

# Bogacki and Shampine's pair of orders 3 and 2: y' at these places, the step of order 3, the error of order 2.
A2, A3 = 1 / 2, 3 / 4
B = np.array([2 / 9, 1 / 3, 4 / 9, 0.0])
E = np.array([-5 / 72, 1 / 12, 1 / 9, -1 / 8])


def step(f: Field, y: Any, h: Any) -> tuple[Any, Any]:
    """One step of size h: the new state and an estimate of its error."""
    k1 = f(y)
    k2 = f(y + h * A2 * k1)
    k3 = f(y + h * A3 * k2)
    k4 = f(y + h * (B[0] * k1 + B[1] * k2 + B[2] * k3))
    return y + h * (B[0] * k1 + B[1] * k2 + B[2] * k3), h * (E[0] * k1 + E[1] * k2 + E[2] * k3 + E[3] * k4)


def integrate(f: Field, y0: Any, end: float, tolerance: float = 1e-6, checkpoint: int | None = None) -> tuple[Any, Any]:
    """y(end) of y' = f(y), y(0) = y0, and the number of steps tried."""

    def going(state):
        return state["t"] < end

    def advance(state):
        h = np.minimum(state["h"], end - state["t"])
        y, error = step(f, state["y"], h)
        size = np.sqrt(np.mean((error / (tolerance * (1 + np.abs(y)))) ** 2))
        accepted = size <= 1
        return {
            "t": np.where(accepted, state["t"] + h, state["t"]),
            "h": h * np.clip(0.9 * (size + 1e-12) ** (-1 / 3), 0.2, 5.0),
            "y": np.where(accepted, y, state["y"]),
            "steps": state["steps"] + 1,
        }

    start = {"t": 0.0, "h": 1e-3, "y": y0, "steps": 0}
    last = lax.while_loop(going, advance, start, checkpoint=checkpoint)
    return last["y"], last["steps"]


def van_der_pol(y: Any, mu: Any) -> np.ndarray:
    """x'' = mu (1 - x^2) x' - x: slow where |x| > 1, fast where it is smaller."""
    return np.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])


def end_state(y0: Any, mu: Any, checkpoint: int | None = None) -> tuple[Any, Any]:
    """y(6) from y0, and the number of steps."""
    return integrate(lambda y: van_der_pol(y, mu), y0, end=6.0, checkpoint=checkpoint)


def sensitivity(y0: np.ndarray, mu: float) -> np.ndarray:
    """d y(end) / d (y0, mu), by integrating S' = (df/dy) S + df/dp along with y."""

    def f(z):
        y, S = z[:2], z[2:].reshape(2, 3)
        J, J_mu = jacfwd(van_der_pol, argnums=(0, 1))(y, mu)
        return np.concatenate([van_der_pol(y, mu), (J @ S + np.stack([0 * J_mu, 0 * J_mu, J_mu], axis=1)).ravel()])

    z0 = np.concatenate([y0, np.eye(2, 3).ravel()])
    return integrate(f, z0, end=6.0)[0][2:].reshape(2, 3)


def peak(call: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a call, and the memory it allocates at its peak, in kB."""
    tracemalloc.start()
    result = call()
    size = tracemalloc.get_traced_memory()[1] / 1e3
    tracemalloc.stop()
    return result, size


def main() -> None:
    y0, mu = np.array([2.0, 0.0]), 1.5

    def position(checkpoint=None):
        return value_and_grad(lambda y0, mu: end_state(y0, mu, checkpoint)[0][0], argnums=(0, 1))(y0, mu)

    y, steps = end_state(y0, mu)
    print(f"van der Pol's oscillator with mu = {mu}: y(6) = {y.round(6)} after {steps} steps")

    (_, (g_y0, g_mu)), kept = peak(position)
    gradient = np.append(g_y0, g_mu)
    print(f"gradient of the position, all steps kept:       {gradient.round(6)}, {kept:6.0f} kB")
    sizes = {}
    for states in (64, 8):
        (_, (g_y0, g_mu)), sizes[states] = peak(lambda states=states: position(states))
        print(f"gradient of the position, {states:2d} states kept:       {gradient.round(6)}, {sizes[states]:6.0f} kB")
        np.testing.assert_allclose(np.append(g_y0, g_mu), gradient, rtol=1e-10)
    assert sizes[8] < kept / 4

    exact = sensitivity(y0, mu)[0]
    print(f"gradient by the sensitivity equation:           {exact.round(6)}")
    np.testing.assert_allclose(gradient, exact, rtol=1e-4)

    def differences(k, h=1e-4):
        low, high = (end_state(y0 + s * h * np.eye(3)[k, :2], mu + s * h * (k == 2))[0][0] for s in (-1, 1))
        return (high - low) / (2 * h)

    approximate = np.array([differences(k) for k in range(3)])
    print(f"gradient by differences of two solutions each:  {approximate.round(6)}")
    np.testing.assert_allclose(gradient, approximate, rtol=1e-4)


if __name__ == "__main__":
    main()
