"""A deep equilibrium model: a network of infinite depth, trained at the memory cost of one layer.

The features z of the inputs x are not the output of so many layers but their limit, z = tanh(z W + x U + b).
`fixed_point` finds it, with whatever iteration, and differentiates the equation instead of the iteration. So the
gradient is exact, and costs one linear system however long the search was; differentiating the steps one by one keeps
every one of them. Bai, Kolter and Koltun, Deep Equilibrium Models, NeurIPS (2019).
"""

from time import perf_counter

import numpy as np

from xform import value_and_grad
from xform.lax import fixed_point

Parameters = dict[str, np.ndarray]


def recurrent_weights(V: np.ndarray) -> np.ndarray:
    """A matrix of norm below one, whatever V is: tanh being 1-Lipschitz, the layer is a contraction."""
    return 0.95 * V / np.sqrt(1 + np.sum(V**2))


def layer(z: np.ndarray, p: Parameters, x: np.ndarray) -> np.ndarray:
    """One layer, for all inputs at once."""
    return np.tanh(z @ recurrent_weights(p["V"]) + x @ p["U"] + p["b"])


def equilibrium(p: Parameters, x: np.ndarray) -> np.ndarray:
    """The features to which infinitely many layers lead."""
    return fixed_point(layer, np.zeros((len(x), len(p["b"]))), p, x)


def unrolled(p: Parameters, x: np.ndarray, depth: int = 300) -> np.ndarray:
    """The features after many layers."""
    z = np.zeros((len(x), len(p["b"])))
    for _ in range(depth):
        z = layer(z, p, x)
    return z


def spirals(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved spirals with a little noise, and the class, +-1, of each point."""
    t, y = rng.uniform(0.3, 1, size=n), np.where(np.arange(n) % 2, 1.0, -1.0)
    angle = 2 * np.pi * t + np.pi * (y > 0)
    return 2 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.03 * rng.normal(size=(n, 2)), y


def initial(width: int, rng: np.random.Generator) -> Parameters:
    """Random weights."""
    return {
        "V": rng.normal(size=(width, width)) / np.sqrt(width),
        "U": 1.5 * rng.normal(size=(2, width)),
        "b": 0.5 * rng.normal(size=width),
        "w": rng.normal(size=width) / np.sqrt(width),
    }


def loss(p: Parameters, x: np.ndarray, y: np.ndarray, features=equilibrium) -> float:
    """The mean of log(1 + exp(-y w.z)), with a penalty on the weights."""
    return np.mean(np.logaddexp(0, -y * (features(p, x) @ p["w"]))) + 1e-4 * np.sum(p["w"] ** 2)


def train(p: Parameters, x: np.ndarray, y: np.ndarray, steps: int, rate: float = 0.1) -> Parameters:
    """Adam (Kingma and Ba 2015) on all points."""
    mean, square = ({name: np.zeros_like(v) for name, v in p.items()} for _ in range(2))
    for k in range(1, steps + 1):
        value, gradient = value_and_grad(loss)(p, x, y)
        if k % 25 == 1:
            print(f"step {k}: loss {value:.4f}")
        for name, g in gradient.items():
            mean[name] = 0.9 * mean[name] + 0.1 * g
            square[name] = 0.99 * square[name] + 0.01 * g**2
            step = mean[name] / (1 - 0.9**k) / (np.sqrt(square[name] / (1 - 0.99**k)) + 1e-8)
            p = {**p, name: p[name] - rate * step}
    return p


def main() -> None:
    rng = np.random.default_rng(0)
    x, y = spirals(200, rng)
    p = initial(12, rng)

    gradients = []
    for name, features in (("through the equilibrium", equilibrium), ("through 300 layers", unrolled)):
        start = perf_counter()
        gradients.append(value_and_grad(loss)(p, x, y, features)[1])
        print(f"gradient {name}: {1e3 * (perf_counter() - start):.0f} ms")
    distance = max(np.max(np.abs(gradients[0][name] - gradients[1][name])) for name in p)
    print(f"largest difference between the two gradients: {distance:.1e}")

    trained = train(p, x, y, steps=100)
    new_x, new_y = spirals(400, rng)
    accuracy = np.mean((equilibrium(trained, new_x) @ trained["w"] > 0) == (new_y > 0))
    print(f"classifies {accuracy:.1%} of new points rightly")

    assert distance < 1e-9
    assert accuracy > 0.95


if __name__ == "__main__":
    main()
