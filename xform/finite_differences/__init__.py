"""Finite differences: derivatives from values alone, to check others by, or to make do with where there is no program.

    forward    (f(x + h) - f(x)) / h          error h f''/2, rounding 2 eps |f| / h
    backward   (f(x) - f(x - h)) / h          the same
    central    (f(x + h) - f(x - h)) / 2h     error h^2 f'''/6, rounding eps |f| / h

The two errors balance at the best step, h ~ eps^(1/2) one-sided and eps^(1/3) central, where they are of the size
eps^(1/2) and eps^(2/3); with a smaller step the result is worse. The step is relative for large entries and absolute
for small ones, h max(1, |x_i|), and what is divided by is the step that was taken after rounding. Dennis and Schnabel,
Numerical Methods for Unconstrained Optimization and Nonlinear Equations (1983), section 5.4; Nocedal and Wright,
Numerical Optimization (2nd ed. 2006), section 8.1. `complex_step` has no such wall, but wants an analytic program:
Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
"""

from xform.finite_differences.derivatives import complex_step, directional, gradient, hessian, hvp, jacobian
from xform.finite_differences.quotients import best_step

__all__ = ["best_step", "complex_step", "directional", "gradient", "hessian", "hvp", "jacobian"]
