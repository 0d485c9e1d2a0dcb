"""Debugging aids: where the first nan or inf arises, who keeps a traced value, what a traceback shows."""

from __future__ import annotations

from contextlib import AbstractContextManager

from xform.core.checking import check_everywhere, checking, current_checks
from xform.core.tracebacks import filter_everywhere, full_tracebacks, settings

__all__ = ["checking_leaks", "config", "debug_infs", "debug_nans", "full_tracebacks"]


def debug_nans(enabled: bool = True) -> AbstractContextManager[None]:
    """Within it, in this thread, the first nan that arises in a traced computation raises NonFiniteError.

    A nan arises in an operation if its result holds one and no operand does. That goes for values, tangents, Taylor
    coefficients and the lanes of a batch, when the function is run and when its derivative is swept forward or
    backward; the error (a FloatingPointError) names the primitive, the line on which the function applies it, and the
    operands. Programs that were staged earlier are examined equation by equation.

    What NumPy does with arrays that are not traced is not examined; `numpy.errstate(invalid="raise")` is for these. So
    nothing is reported outside of transformations, nor what a primitive's own rule makes and masks again.
    `xform.config.debug_nans = True` and the environment variable `XFORM_DEBUG_NANS=1` switch it on everywhere.

    >>> import numpy as np
    >>> import xform
    >>> with xform.debug_nans(), np.errstate(invalid="ignore"):
    ...     xform.grad(lambda x: np.log(x - 3.0))(1.0)
    Traceback (most recent call last):
        ...
    xform.core.errors.NonFiniteError: nan arose in 'log' at ... in the result
      operand 0: f64[] = -2.
      result: f64[] = nan
    """
    return checking(nans=enabled)


def debug_infs(enabled: bool = True) -> AbstractContextManager[None]:
    """Within it, in this thread, the first inf that arises in a traced computation raises NonFiniteError.

    As `debug_nans`; switched on everywhere by `xform.config.debug_infs = True` or `XFORM_DEBUG_INFS=1`.

    >>> import numpy as np
    >>> import xform
    >>> with xform.debug_infs():
    ...     xform.grad(np.sqrt)(0.0)
    Traceback (most recent call last):
        ...
    xform.core.errors.NonFiniteError: inf arose in the backward sweep of grad of `sqrt`, in the derivative of 'sqrt' ...
    """
    return checking(infs=enabled)


def checking_leaks(enabled: bool = True) -> AbstractContextManager[None]:
    """Within it, in this thread, a transformation raises LeakedTracerError if one of its traced values outlives it.

    The error says what made the value, where, and who holds it. What a transformation returns may hold its tape (the
    pullback of `vjp` does), never its traced values. The garbage collector is asked after every call of a transformed
    function, which takes milliseconds. A call that raises is not examined. `xform.config.checking_leaks = True` and
    the environment variable `XFORM_CHECK_LEAKS=1` switch it on everywhere.

    >>> import xform
    >>> kept = []
    >>> with xform.checking_leaks():
    ...     xform.grad(lambda x: kept.append(x) or x * x)(3.0)
    Traceback (most recent call last):
        ...
    xform.core.errors.LeakedTracerError: a traced value of f64[], one of its arguments, outlives grad of `<lambda>` ...
    """
    return checking(leaks=enabled)


class Config:
    """The switches of xform, for the whole process: `xform.config.debug_nans = True`.

    The checks hold in the thread that switches them and in those that start later. They are switched outside of
    transformations (RuntimeError otherwise).

    >>> import xform
    >>> xform.config
    Config(debug_nans=False, debug_infs=False, checking_leaks=False, traceback_filtering=True)
    """

    __slots__ = ()

    @property
    def debug_nans(self) -> bool:
        """Is the first nan that arises an error? See `xform.debug_nans`."""
        return current_checks().nans

    @debug_nans.setter
    def debug_nans(self, enabled: bool) -> None:
        check_everywhere(nans=bool(enabled))

    @property
    def debug_infs(self) -> bool:
        """Is the first inf that arises an error? See `xform.debug_infs`."""
        return current_checks().infs

    @debug_infs.setter
    def debug_infs(self, enabled: bool) -> None:
        check_everywhere(infs=bool(enabled))

    @property
    def checking_leaks(self) -> bool:
        """Is a traced value that outlives its transformation an error? See `xform.checking_leaks`."""
        return current_checks().leaks

    @checking_leaks.setter
    def checking_leaks(self, enabled: bool) -> None:
        check_everywhere(leaks=bool(enabled))

    @property
    def traceback_filtering(self) -> bool:
        """Are xform's own frames hidden from tracebacks? See `xform.full_tracebacks`."""
        return settings.filtering

    @traceback_filtering.setter
    def traceback_filtering(self, enabled: bool) -> None:
        filter_everywhere(enabled)

    def __repr__(self) -> str:
        names = ("debug_nans", "debug_infs", "checking_leaks", "traceback_filtering")
        return f"Config({', '.join(f'{name}={getattr(self, name)}' for name in names)})"


config = Config()
