"""Checks of derivatives and batching for tests: against finite differences, against one another, against a loop.

    forward mode   f'(x) v              = (f(x + h v) - f(x - h v)) / 2h
    reverse mode   <f'(x)^T y_bar, v>   = <y_bar, (f(x + h v) - f(x - h v)) / 2h>
    both           <f'(x)^T y_bar, v>   = <y_bar, f'(x) v>                           to machine precision
    vmap           vmap(f)(xs)          = stack([f(x) for x in xs])

A failed check raises AssertionError with the order, the mode, the argument and both numbers.
"""

from xform.testing.batching import check_vmap
from xform.testing.grads import check_grads, check_jvp, check_vjp

__all__ = ["check_grads", "check_jvp", "check_vjp", "check_vmap"]
