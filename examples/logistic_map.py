"""The logistic map l_1 = x, l_{t+1} = 4 l_t (1 - l_t): exact derivatives of a loop, without expression swell.

Differentiating the formula of l_t by the product rule, as a computer algebra system does before it simplifies, more
than doubles it with every step. The derivative's jaxpr names what the formula repeats: every step of the loop adds the
same few equations.
"""

import numpy as np

from xform import grad, make_jaxpr

Expression = str | float | tuple  # "x", a number, or (operator, left, right)


def logistic(x: float, t: int) -> float:
    """l_t of x, as a loop."""
    for _ in range(t - 1):
        x = 4 * x * (1 - x)
    return x


def logistic_recursive(x: float, t: int) -> float:
    """l_t of x, as a recursion; automatic differentiation follows whichever way the program takes."""
    if t == 1:
        return x
    previous = logistic_recursive(x, t - 1)
    return 4 * previous * (1 - previous)


def d_l3(x: float) -> float:
    """The derivative of l_3 = 16 x (1 - x) (1 - 2x)^2, expanded."""
    return 16 * (1 - 10 * x + 24 * x**2 - 16 * x**3)


def l4(x: float) -> float:
    """l_4 = 64 x (1 - x) (1 - 2x)^2 (1 - 8x + 8x^2)^2."""
    return 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2


def d_l4(x: float) -> float:
    """The derivative of l_4 by the product rule: one term for each of its four factors."""
    p, q = 1 - 2 * x, 1 - 8 * x + 8 * x**2
    return (
        64 * (1 - x) * p**2 * q**2
        - 64 * x * p**2 * q**2
        + 64 * x * (1 - x) * 2 * p * (-2) * q**2
        + 64 * x * (1 - x) * p**2 * 2 * q * (16 * x - 8)
    )


def symbolic(t: int) -> tuple[Expression, Expression]:
    """The formula of l_t and its derivative by the product rule, unsimplified."""
    value: Expression = "x"
    derivative: Expression = 1.0
    for _ in range(t - 1):
        # d(4 l (1 - l)) = 4 dl (1 - l) + 4 l (-dl)
        rest = ("-", 1.0, value)
        first = ("*", ("*", 4.0, derivative), rest)
        second = ("*", ("*", 4.0, value), ("-", 0.0, derivative))
        value, derivative = ("*", ("*", 4.0, value), rest), ("+", first, second)
    return value, derivative


def operations(expression: Expression) -> int:
    """How many operators the formula has when written out in full."""
    if not isinstance(expression, tuple):
        return 0
    _, left, right = expression
    return 1 + operations(left) + operations(right)


def main() -> None:
    points = np.linspace(0.02, 0.98, 49)
    for x in points:
        np.testing.assert_allclose(logistic(x, 4), l4(x), rtol=1e-12, atol=1e-12)
        for t, exact in ((3, d_l3), (4, d_l4)):
            for program in (logistic, logistic_recursive):
                np.testing.assert_allclose(grad(program)(x, t), exact(x), rtol=1e-12, atol=1e-12)
    print(f"l_4, dl_3/dx and dl_4/dx agree with their closed forms at {len(points)} points, e.g. at x = 0.2:")
    for t in range(1, 5):
        print(f"  l_{t} = {logistic(0.2, t):.12f}   dl_{t}/dx = {grad(logistic)(0.2, t):+.12f}")

    print("\n  t   operators in the symbolic derivative   equations in the jaxpr of the derivative")
    steps = [1, 2, 3, 4, 6, 8, 10, 12]
    symbols = [operations(symbolic(t)[1]) for t in steps]
    equations = [len(make_jaxpr(grad(lambda x, t=t: logistic(x, t)))(0.2).eqns) for t in steps]
    for row in zip(steps, symbols, equations, strict=True):
        print("{:3d}{:39d}{:43d}".format(*row))

    per_step = [
        (b - a) / (u - t) for t, u, a, b in zip(steps[1:], steps[2:], equations[1:], equations[2:], strict=False)
    ]
    assert len(set(per_step)) == 1, f"each step should add the same number of equations, not {per_step}"
    assert symbols[-1] > 100 * equations[-1]


if __name__ == "__main__":
    main()
