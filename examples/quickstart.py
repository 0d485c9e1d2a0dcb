"""Train a small neural network on handwritten digits, with gradients taken of plain NumPy code.

The data are scikit-learn's bundled digits: 1797 pictures of 8 x 8 pixels. The network and its loss know NumPy only;
`grad`, `hvp` and `make_jaxpr` are applied to them from outside. Everything is float64.
"""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xform import grad, hvp, make_jaxpr

try:
    from matplotlib.figure import Figure
    from sklearn.datasets import load_digits
except ImportError as error:
    raise SystemExit(f"the quickstart needs {error.name}; install it with: pip install -e '.[examples]'") from error

Params = list[tuple[np.ndarray, np.ndarray]]


def predict(params: Params, inputs: np.ndarray) -> np.ndarray:
    """The network of the lectures: affine maps with tanh in between; returns the last affine map's outputs."""
    for W, b in params:
        outputs = inputs @ W + b
        inputs = np.tanh(outputs)
    return outputs


def loss(params: Params, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Mean cross entropy -sum_k t_k log softmax(z)_k of one-hot `targets`; log softmax(z) = z - log sum_k e^{z_k}."""
    z = predict(params, inputs)
    z = z - np.max(z, axis=1, keepdims=True)  # leaves log softmax as it is and keeps exp from overflowing
    log_softmax = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(np.sum(targets * log_softmax, axis=1))


def accuracy(params: Params, inputs: np.ndarray, targets: np.ndarray) -> float:
    """The part of `inputs` whose most likely class is the right one."""
    return float(np.mean(np.argmax(predict(params, inputs), axis=1) == np.argmax(targets, axis=1)))


def init_params(sizes: list[int], rng: np.random.Generator) -> Params:
    """Weights of variance 1/n so that the activations keep theirs, and zero biases."""
    return [(rng.normal(size=(m, n)) / np.sqrt(m), np.zeros(n)) for m, n in itertools.pairwise(sizes)]


def load_data(rng: np.random.Generator) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Training and test data: pixels in [0, 1] and one-hot classes."""
    pixels, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(pixels))
    pixels, targets = pixels[order] / 16, np.eye(10)[labels[order]]
    return (pixels[:1347], targets[:1347]), (pixels[1347:], targets[1347:])


def progress(steps: int) -> Iterator[int]:
    """Count to `steps` before the reader's eyes: a bar where tqdm is installed, else a line every tenth of the way."""
    try:
        from tqdm import tqdm
    except ImportError:
        for step in range(steps):
            yield step
            if (step + 1) % max(1, steps // 10) == 0 or step + 1 == steps:
                print(f"step {step + 1} of {steps}", flush=True)
    else:
        yield from tqdm(range(steps), desc="training", unit="step")


def train(
    params: Params,
    data: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    steps: int,
    rng: np.random.Generator,
) -> tuple[Params, list[tuple[int, float, float]]]:
    """Gradient descent with momentum on batches of 128; returns the parameters and the history of both losses."""
    inputs, targets = data
    gradient_of_loss = grad(loss)
    velocity = [(np.zeros_like(W), np.zeros_like(b)) for W, b in params]
    history = [(0, float(loss(params, *data)), float(loss(params, *test)))]
    for step in progress(steps):
        rate = 0.1 * (1 - step / steps)
        batch = rng.choice(len(inputs), 128, replace=False)
        gradient = gradient_of_loss(params, inputs[batch], targets[batch])
        velocity = [(0.9 * u + dW, 0.9 * v + db) for (u, v), (dW, db) in zip(velocity, gradient, strict=True)]
        params = [(W - rate * u, b - rate * v) for (W, b), (u, v) in zip(params, velocity, strict=True)]
        if (step + 1) % max(1, steps // 50) == 0 or step + 1 == steps:
            history.append((step + 1, float(loss(params, *data)), float(loss(params, *test))))
    return params, history


def draw(history: list[tuple[int, float, float]], output: Path) -> None:
    """Save a picture of the training and the test loss over the steps."""
    steps, train_loss, test_loss = zip(*history, strict=True)
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    train_place, test_place = ("top", "bottom") if train_loss[-1] < test_loss[-1] else ("bottom", "top")
    curves = ((train_loss, "train", "#1f5fa8", train_place), (test_loss, "test", "#c2571a", test_place))
    for values, name, color, place in curves:
        axes.semilogy(steps, values, color=color, linewidth=2)
        label, end = f"{name} {values[-1]:.3f}", (steps[-1], values[-1])
        axes.annotate(label, end, (6, 0), textcoords="offset points", color=color, va=place)
    axes.set(xlabel="gradient step", ylabel="mean cross entropy", xlim=(0, steps[-1]))
    axes.set_title("Handwritten digits, an MLP trained with xform", loc="left")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(output, dpi=150)


def inner(a: Params, b: Params) -> float:
    """The scalar product of two lists of layers."""
    return float(sum(np.vdot(x, y) for left, right in zip(a, b, strict=True) for x, y in zip(left, right, strict=True)))


def shifted(params: Params, size: float, direction: Params) -> Params:
    """`params + size * direction`, layer by layer."""
    return [(W + size * dW, b + size * db) for (W, b), (dW, db) in zip(params, direction, strict=True)]


def show_gradient(params: Params, gradient: Params) -> None:
    """Print the size of the gradient in every layer."""
    print("gradient of the loss at the start, layer by layer:")
    for index, ((W, b), (dW, db)) in enumerate(zip(params, gradient, strict=True), start=1):
        by_weights, by_biases = np.linalg.norm(dW), np.linalg.norm(db)
        print(f"  layer {index}: |dL/dW{W.shape}| = {by_weights:.6f}, |dL/db{b.shape}| = {by_biases:.6f}")


def show_hessian_vector_product(params: Params, gradient: Params, data: tuple[np.ndarray, np.ndarray]) -> None:
    """Print H v along the unit gradient v, and how far (grad L(p + h v) - grad L(p - h v)) / 2h is from it."""
    norm, h = np.sqrt(inner(gradient, gradient)), 1e-5
    direction = [(dW / norm, db / norm) for dW, db in gradient]
    product = hvp(lambda point: loss(point, *data), (params,), (direction,))
    above, below = (grad(loss)(shifted(params, step, direction), *data) for step in (h, -h))
    error = shifted(product, -1 / (2 * h), shifted(above, -1.0, below))
    relative = np.sqrt(inner(error, error) / inner(product, product))
    print("Hessian-vector product along the unit gradient v:")
    print(f"  v'Hv = {inner(direction, product):.6f}; |Hv - central difference| / |Hv| = {relative:.1e}")
    assert relative < 1e-6


def show_jaxpr() -> None:
    """Print the program that the loss of a tiny network stands for."""
    tiny = init_params([2, 3, 2], np.random.default_rng(0))
    print("the loss of a 2-3-2 network on one picture, as a jaxpr:")
    print(make_jaxpr(loss)(tiny, np.ones((1, 2)), np.eye(2)[:1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000, help="gradient steps (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("quickstart.png"), help="the picture (default: %(default)s)"
    )
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"--steps must be at least 1, not {options.steps}")
    if not options.output.absolute().parent.is_dir():
        parser.error(f"--output {options.output}: there is no directory {options.output.absolute().parent}")

    rng = np.random.default_rng(0)
    data, test = load_data(rng)
    params = init_params([64, 128, 128, 10], rng)
    gradient = grad(loss)(params, *data)
    show_gradient(params, gradient)
    show_hessian_vector_product(params, gradient, data)
    show_jaxpr()

    params, history = train(params, data, test, options.steps, rng)
    draw(history, options.output)
    _, train_loss, test_loss = history[-1]
    reached = accuracy(params, *test)
    print(f"loss: {train_loss:.4f} on the training data, {test_loss:.4f} on the test data")
    print(f"test accuracy: {reached:.4f}")
    print(f"picture of the loss: {options.output}")
    assert reached >= 0.95, f"test accuracy {reached:.4f} is below 0.95 after {options.steps} steps"


if __name__ == "__main__":
    main()
