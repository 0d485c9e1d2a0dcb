"""Newton's method in a trust region, the Newton equation solved by conjugate gradients on Hessian-vector products.

The Hessian is never formed. `linearize(grad(f), x)` evaluates the gradient at x once and returns with it the linear map
v -> H(x) v, which conjugate gradients then call as often as they like; each call costs about one more gradient.
Steihaug, The conjugate gradient method and trust regions in large scale optimization, SIAM J. Numer. Anal. 20 (1983).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from xform import grad, hvp, linearize

Vector = np.ndarray
Objective = Callable[[Vector], float]


@dataclass(frozen=True)
class Result:
    """Where the method stopped, and what it cost."""

    x: Vector
    value: float
    gradient_norm: float
    steps: int
    products: int


def to_boundary(s: Vector, d: Vector, radius: float) -> Vector:
    """The point s + tau d, tau >= 0, on the sphere |s + tau d| = radius: the positive root of a quadratic in tau."""
    a, b, c = d @ d, s @ d, s @ s - radius**2
    return s + (-b + np.sqrt(b * b - a * c)) / a * d


def steihaug(
    gradient: Vector, hessian_times: Callable[[Vector], Vector], radius: float, tolerance: float
) -> tuple[Vector, int]:
    """Minimise g's + s'Hs/2 over |s| <= radius by conjugate gradients; returns s and the number of products with H.

    Stops at the boundary when a step leaves the region or meets a direction of negative curvature, d'Hd <= 0.
    """
    s, r = np.zeros_like(gradient), gradient
    d = -r
    for count in range(1, 10 * len(gradient) + 1):
        Hd = hessian_times(d)
        curvature = d @ Hd
        if curvature <= 0:
            return to_boundary(s, d, radius), count
        alpha = (r @ r) / curvature
        if np.linalg.norm(s + alpha * d) >= radius:
            return to_boundary(s, d, radius), count
        s = s + alpha * d
        new = r + alpha * Hd
        if np.linalg.norm(new) <= tolerance:
            return s, count
        d, r = -new + (new @ new) / (r @ r) * d, new
    return s, count


def minimize(f: Objective, x: Vector, *, gtol: float = 1e-10, max_steps: int = 1000, radius: float = 1.0) -> Result:
    """Trust-region Newton-CG from `x` until |grad f| <= gtol; raises RuntimeError if that takes over `max_steps`."""
    value, products = f(x), 0
    for step in range(max_steps):
        gradient, hessian_times = linearize(grad(f), x)
        norm = np.linalg.norm(gradient)
        if norm <= gtol:
            return Result(x, float(value), float(norm), step, products)
        s, count = steihaug(gradient, hessian_times, radius, min(0.5, np.sqrt(norm)) * norm)
        products += count
        predicted = -(gradient @ s + s @ hessian_times(s) / 2)
        trial = f(x + s)
        # Near the minimum both decreases drown in rounding, eps |f|; adding it to both lets the last Newton steps pass.
        noise = 10 * np.finfo(float).eps * max(1.0, abs(value))
        ratio = (value - trial + noise) / (predicted + noise)
        if ratio < 0.25:
            radius = np.linalg.norm(s) / 4
        elif ratio > 0.75 and np.linalg.norm(s) > 0.99 * radius:
            radius = 2 * radius
        if ratio > 0.1:
            x, value = x + s, trial
    raise RuntimeError(
        f"no minimum within {max_steps} steps: the gradient's norm is still {norm:.1e}, wanted {gtol:.1e}"
    )


def rosenbrock(x: Vector) -> float:
    """sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, least at x = (1, ..., 1) where it is 0."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def logistic_regression(features: Vector, signs: Vector, strength: float) -> Objective:
    """w, b -> mean log(1 + exp(-y (x.w + b))) + strength |w|^2 / 2 for classes y = +-1; b stands last in the vector."""

    def f(parameters: Vector) -> float:
        w, b = parameters[:-1], parameters[-1]
        margins = signs * (features @ w + b)
        return np.mean(np.logaddexp(0, -margins)) + strength / 2 * np.sum(w**2)

    return f


def report(name: str, result: Result) -> None:
    """One line on a run."""
    print(
        f"{name}: f = {result.value:.3e}, |grad f| = {result.gradient_norm:.1e} after {result.steps} Newton steps "
        f"and {result.products} Hessian-vector products"
    )


def main() -> None:
    n = 100
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=n), rng.normal(size=n)
    _, hessian_times = linearize(grad(rosenbrock), x)
    np.testing.assert_allclose(hvp(rosenbrock, (x,), (v,)), hessian_times(v), rtol=1e-12)

    found = minimize(rosenbrock, np.zeros(n))
    report(f"Rosenbrock in {n} dimensions", found)

    pixels, classes = load_breast_cancer(return_X_y=True)
    features = (pixels - pixels.mean(axis=0)) / pixels.std(axis=0)
    strength = 0.01
    fit = minimize(logistic_regression(features, 2.0 * classes - 1, strength), np.zeros(features.shape[1] + 1))
    report(f"logistic regression, {features.shape[0]} cases and {features.shape[1]} features", fit)
    reference = LogisticRegression(C=1 / (strength * len(features)), tol=1e-10, max_iter=10_000).fit(features, classes)
    agreement = np.max(np.abs(fit.x - [*reference.coef_[0], *reference.intercept_]))
    accuracy = np.mean((features @ fit.x[:-1] + fit.x[-1] > 0) == classes)
    print(f"  classifies {accuracy:.1%} rightly; largest distance from scikit-learn's coefficients {agreement:.1e}")

    assert np.max(np.abs(found.x - 1)) < 1e-8
    assert fit.gradient_norm < 1e-10
    assert agreement < 1e-5


if __name__ == "__main__":
    main()
