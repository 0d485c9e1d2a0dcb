"""Recursive filters: b[0] x[n] + b[1] x[n-1] + .. = a[0] y[n] + a[1] y[n-1] + ..

In terms of convolutions a * y = b * x + z, where the initial state z of the delays is added to the first terms. The
part of a is a triangular Toeplitz system M(a) y = v: linear in a, transposed by reversing time, and solved in O(n p).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from xform.core.aval import Aval
from xform.core.trace import concrete
from xform.numpy.dispatch import ArrayLike, asarray, implements
from xform.numpy.padding import pad
from xform.numpy.shaping import moveaxis
from xform.ops.convolution.convolve import convolve as convolution
from xform.ops.convolution.convolve_kernels import Window
from xform.ops.linear_algebra.matrix import as_row, inexact, require_matrices
from xform.ops.linear_algebra.solve import LinearSolve
from xform.ops.linear_algebra.solve import solve as general_solve
from xform.ops.structure import broadcast_to, concatenate, reshape, slice_
from xform.scipy.linalg.special_matrices import companion
from xform.scipy.linalg.stacks import Looped
from xform.scipy.signal.signals import EXTENSIONS, resized, terms


class AllPole(LinearSolve, Looped):
    """y with a * y = v (as far as v goes), for a (..., 1, p) and columns v (..., n, k)."""

    def abstract(self, a: Aval, b: Aval, **params: Any) -> list[Aval]:
        require_matrices(self.name, a, b)
        if a.shape[:-2] != b.shape[:-2] or a.shape[-2] != 1 or not a.shape[-1]:
            raise ValueError(f"{self.name}: a {a} and v {b} do not fit; wanted shapes (..., 1, p) and (..., n, k)")
        return [Aval(b.shape, np.result_type(a.dtype, b.dtype))]

    def one(self, *matrices: Any, **params: Any) -> list[Any]:
        (a,), v = matrices
        return [scipy.signal.lfilter(np.ones(1, a.dtype), a, v, axis=0)]

    def product(self, a: Any, x: Any, **params: Any) -> Any:
        """The first terms of the convolution with each column."""
        *lead, n, k = x.shape
        labels = "abcdefghijklmnopqrstuvwxyz"[: len(lead)]
        coefficients = reshape(a, shape=(*a.shape[:-2], a.shape[-1]))
        spec = (labels, labels + "z", labels + "z")
        rows = moveaxis(x, -1, -2)
        if not n or not k:
            return np.zeros(x.shape, np.result_type(a.dtype, x.dtype))
        return moveaxis(convolution(coefficients, rows, spec=spec, windows=(Window(1, 1, 1, 0, n),)), -1, -2)

    def transposed(self, a: Any, b: Any, **params: Any) -> Any:
        return reversed_time(self(a, reversed_time(b)))


all_pole = AllPole("all_pole_filter")


def reversed_time(v: Any) -> Any:
    """The rows in reverse order."""
    *lead, n, k = v.shape
    return slice_(v, index=(*((0, size, 1) for size in lead), (max(n - 1, 0), n, -1), (0, k, 1)))


def coefficients(name: str, c: ArrayLike, letter: str) -> Any:
    x = asarray(c)
    x = x if x.shape else reshape(x, shape=(1,))
    if len(x.shape) != 1 or not x.shape[0]:
        raise ValueError(f"{name}: parameter {letter} is not a non-empty 1d array, given shape {x.shape}")
    return x


def normalized(b: Any, a: Any) -> tuple[Any, Any]:
    """b / a[0] and a / a[0]."""
    leading = slice_(a, index=((0, 1, 1),))
    value = concrete(leading)
    if value is not None and value[0] == 0:
        raise ValueError("lfilter: a[0] is zero; wanted a filter whose leading coefficient a[0] is not zero")
    return b / leading, a / leading


def filtered(b: Any, a: Any, x: Any, zi: Any) -> tuple[Any, Any]:
    """The output and the final state along the last axis, for coefficients with a[0] = 1 and the initial state."""
    n, order = x.shape[-1], max(b.shape[0], a.shape[0]) - 1
    v = terms(b, x, 0, n)
    v = v if zi is None else v + resized(zi, 0, n)
    y = v
    if a.shape[0] > 1:
        columns = moveaxis(reshape(v, shape=(math.prod(v.shape[:-1]), n)), -1, -2)
        y = reshape(moveaxis(all_pole(as_row(a), columns), -1, -2), shape=v.shape)
    if zi is None:
        return y, None
    return y, terms(b, x, n, order) - terms(a, y, n, order) + resized(zi, n, order)


@implements(scipy.signal.lfilter)
def lfilter(b: ArrayLike, a: ArrayLike, x: ArrayLike, axis: int = -1, zi: ArrayLike | None = None) -> Any:
    """The filter a[0] y[n] = sum_k b[k] x[n - k] - sum_{k > 0} a[k] y[n - k] along an axis of x.

    With the state zi of the max(len(a), len(b)) - 1 delays, along `axis` as well, the result is (y, zf) with the final
    state. It is differentiable in b, a, x and zi. Raises ValueError if b or a is not a vector, a[0] is zero, or zi does
    not fit.

    >>> import numpy as np, xform
    >>> x = np.array([1.0, 0.0, 0.0])
    >>> lfilter([1.0], [1.0, -0.5], x)
    array([1.  , 0.5 , 0.25])
    >>> xform.grad(lambda a: lfilter(np.ones(1), a, x)[2])(np.array([1.0, -0.5]))
    array([-0.75, -1.  ])
    """
    numerator, denominator = coefficients("lfilter", b, "b"), coefficients("lfilter", a, "a")
    signal = asarray(x)
    if not signal.shape:
        raise ValueError("lfilter: x must be at least 1-D; wanted a signal")
    axis = normalize_axis_index(axis, len(signal.shape))
    operands = (numerator, denominator, signal) if zi is None else (numerator, denominator, signal, asarray(zi))
    numerator, denominator, signal, *state = inexact(*operands)
    signal = moveaxis(signal, axis, -1)
    order = max(numerator.shape[0], denominator.shape[0]) - 1
    initial = fitted_state(moveaxis(state[0], axis, -1), (*signal.shape[:-1], order)) if state else None
    y, final = filtered(*normalized(numerator, denominator), signal, initial)
    y = moveaxis(y, -1, axis)
    return y if zi is None else (y, moveaxis(final, -1, axis))


def fitted_state(zi: Any, shape: tuple[int, ...]) -> Any:
    """A state in the shape wanted, of which axes of size one broadcast."""
    if len(zi.shape) != len(shape) or any(m not in (n, 1) for m, n in zip(zi.shape, shape, strict=True)):
        raise ValueError(f"lfilter: unexpected shape for parameter zi: expected {shape}, found {zi.shape} (axis last)")
    return broadcast_to(zi, shape)


@implements(scipy.signal.lfilter_zi)
def lfilter_zi(b: ArrayLike, a: ArrayLike) -> Any:
    """The state of `lfilter` at which the step response is steady from the start: z = A z + B, A the companion matrix.

    Raises ValueError if b or a is not a vector or a[0] is zero, LinAlgError if the filter has a pole at one.

    >>> import numpy as np
    >>> lfilter_zi([1.0], [1.0, -0.5])
    array([1.])
    """
    numerator, denominator = inexact(coefficients("lfilter_zi", b, "b"), coefficients("lfilter_zi", a, "a"))
    numerator, denominator = normalized(numerator, denominator)
    order = max(numerator.shape[0], denominator.shape[0]) - 1
    if not order:
        return np.zeros(0, numerator.dtype)
    numerator, denominator = resized(numerator, 0, order + 1), resized(denominator, 0, order + 1)
    first = slice_(numerator, index=((0, 1, 1),))
    b_rest, a_rest = (slice_(c, index=((1, order, 1),)) for c in (numerator, denominator))
    system = np.eye(order, dtype=numerator.dtype) - moveaxis(companion(denominator), 0, 1)
    right = b_rest - a_rest * first
    return reshape(general_solve(system, reshape(right, shape=(order, 1))), shape=(order,))


@implements(scipy.signal.filtfilt)
def filtfilt(
    b: ArrayLike,
    a: ArrayLike,
    x: ArrayLike,
    axis: int = -1,
    padtype: str | None = "odd",
    padlen: int | None = None,
    method: str = "pad",
    irlen: int | None = None,
) -> Any:
    """The filter applied forward and backward in time, so that no phase is shifted.

    The signal is extended by `padlen` entries (3 max(len(a), len(b)) if None) at both ends, as `padtype` says: "odd",
    "even", "constant" or None. Raises ValueError for other types, a signal that is not longer than `padlen`, and for
    the method "gust", which is not for traced arrays.

    >>> import numpy as np
    >>> filtfilt([0.5, 0.5], [1.0], np.arange(8.0)).round(12)
    array([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    if method != "pad":
        raise ValueError(f"filtfilt: method {method!r} of traced arrays; wanted 'pad'")
    numerator, denominator = coefficients("filtfilt", b, "b"), coefficients("filtfilt", a, "a")
    zi = lfilter_zi(numerator, denominator)
    taps = 3 * max(numerator.shape[0], denominator.shape[0])

    def forward(y: Any, start: Any) -> Any:
        return lfilter(numerator, denominator, y, zi=start * zi)[0]

    return both_ways("filtfilt", forward, x, axis, padtype, taps if padlen is None else padlen)


def both_ways(name: str, forward: Any, x: ArrayLike, axis: int, padtype: str | None, count: int) -> Any:
    """A filter (of a signal along the last axis, and its first entry) forward and backward on the extended signal."""
    if padtype not in ("odd", "even", "constant", None):
        raise ValueError(f"{name}: unknown value {padtype!r} for padtype; wanted 'odd', 'even', 'constant' or None")
    signal = moveaxis(asarray(x), axis, -1)
    n, edge = signal.shape[-1], 0 if padtype is None else count
    if n <= edge:
        raise ValueError(f"{name}: the length of the input vector x must be greater than padlen, which is {edge}")
    if padtype is not None and edge:
        widths = [(0, 0)] * (len(signal.shape) - 1) + [(edge, edge)]
        signal = pad(signal, widths, **EXTENSIONS[padtype])
    y = forward(signal, signal[..., :1])[..., ::-1]
    y = forward(y, y[..., :1])[..., ::-1]
    return moveaxis(y[..., edge : edge + n], -1, axis)


def sections_of(name: str, sos: ArrayLike) -> Any:
    """Second-order sections, (sections, 6) with sos[:, 3] = 1."""
    sections = asarray(sos)
    if len(sections.shape) != 2 or sections.shape[1] != 6 or not sections.shape[0]:
        raise ValueError(f"{name}: sos array must be shape (n_sections, 6), given {sections.shape}")
    value = concrete(sections)
    if value is not None and not (value[:, 3] == 1).all():
        raise ValueError(f"{name}: sos[:, 3] should be all ones; divide each section by its a[0]")
    return sections


@implements(scipy.signal.sosfilt)
def sosfilt(sos: ArrayLike, x: ArrayLike, axis: int = -1, zi: ArrayLike | None = None) -> Any:
    """The filters of the sections sos (sections, 6), rows b0, b1, b2, 1, a1, a2, one after another along an axis of x.

    With the states zi (sections, .., 2, ..), 2 along `axis`, the result is (y, zf). Raises ValueError where sos or zi
    does not fit.

    >>> import numpy as np
    >>> sosfilt(np.array([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]]), np.array([1.0, 0.0, 0.0]))
    array([1.  , 0.5 , 0.25])
    """
    sections, y = sections_of("sosfilt", sos), asarray(x)
    states = None if zi is None else asarray(zi)
    wanted = [2 if k == axis % len(y.shape) else n for k, n in enumerate(y.shape)]
    if states is not None and states.shape != (sections.shape[0], *wanted):
        raise ValueError(f"sosfilt: invalid zi shape {states.shape}; wanted {(sections.shape[0], *wanted)}")
    finals = []
    for k in range(sections.shape[0]):
        state = np.zeros(wanted, y.dtype if y.dtype.kind in "fc" else float) if states is None else states[k]
        y, final = lfilter(sections[k, :3], sections[k, 3:], y, axis, state)
        finals.append(reshape(final, shape=(1, *final.shape)))
    if zi is None:
        return y
    return y, finals[0] if len(finals) == 1 else concatenate(*finals, axis=0)


@implements(scipy.signal.sosfilt_zi)
def sosfilt_zi(sos: ArrayLike) -> Any:
    """The states of `sosfilt` for the step response to start in its steady state, (sections, 2).

    >>> import numpy as np
    >>> sosfilt_zi(np.array([[1.0, 0.0, 0.0, 1.0, -0.5, 0.0]]))
    array([[1., 0.]])
    """
    (sections,) = inexact(sections_of("sosfilt_zi", sos))
    states, gain = [], np.ones((), sections.dtype)
    for k in range(sections.shape[0]):
        b, a = sections[k, :3], sections[k, 3:]
        states.append(as_row(gain * lfilter_zi(b, a)))
        gain = gain * (b[0] + b[1] + b[2]) / (a[0] + a[1] + a[2])
    return states[0] if len(states) == 1 else concatenate(*states, axis=0)


@implements(scipy.signal.sosfiltfilt)
def sosfiltfilt(
    sos: ArrayLike, x: ArrayLike, axis: int = -1, padtype: str | None = "odd", padlen: int | None = None
) -> Any:
    """`sosfilt` applied forward and backward; the options are those of `filtfilt`, with SciPy's default for `padlen`.

    >>> import numpy as np
    >>> sosfiltfilt(np.array([[0.5, 0.5, 0.0, 1.0, 0.0, 0.0]]), np.arange(8.0)).round(12)
    array([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    sections, states = sections_of("sosfiltfilt", sos), sosfilt_zi(sos)
    if padlen is None:
        value = concrete(sections)
        if value is None:
            raise ValueError(
                "sosfiltfilt: the default of padlen counts zeros in sos, whose values are not known; pass it"
            )
        taps = 2 * len(value) + 1
        padlen = 3 * (taps - min(int((value[:, 2] == 0).sum()), int((value[:, 5] == 0).sum())))

    def forward(y: Any, start: Any) -> Any:
        shape = (states.shape[0], *(1,) * (len(y.shape) - 1), 2)
        wanted = (states.shape[0], *y.shape[:-1], 2)
        return sosfilt(sections, y, zi=broadcast_to(reshape(states, shape=shape) * start, wanted))[0]

    return both_ways("sosfiltfilt", forward, x, axis, padtype, padlen)


@implements(scipy.signal.upfirdn)
def upfirdn(
    h: ArrayLike, x: ArrayLike, up: int = 1, down: int = 1, axis: int = -1, mode: str = "constant", cval: float = 0
) -> Any:
    """Of x with up - 1 zeros between neighbours, convolved with h, every `down`-th entry.

    That is out[t] = sum of x[u] h[k] over up u + k = down t. Raises ValueError for `up` or `down` below one, and for
    boundary modes other than "constant" with zero, which are not for traced arrays.

    >>> import numpy as np
    >>> upfirdn([1.0, 1.0], [1.0, 2.0], up=2)
    array([1., 1., 2., 2.])
    """
    if mode not in ("constant", None) or cval:
        raise ValueError(f"upfirdn: mode {mode!r} with cval {cval} of traced arrays; wanted 'constant' with 0")
    if up < 1 or down < 1:
        raise ValueError(f"upfirdn: both up and down must be >= 1, given {up} and {down}")
    taps, signal = inexact(coefficients("upfirdn", h, "h"), asarray(x))
    signal = moveaxis(signal, axis, -1)
    lead, n = signal.shape[:-1], signal.shape[-1]
    size = -(-((n - 1) * up + taps.shape[0]) // down)
    rows = reshape(signal, shape=(math.prod(lead), n))
    y = convolution(rows, taps, spec=("z", "", "z"), windows=(Window(up, 1, down, 0, size),))
    return moveaxis(reshape(y, shape=(*lead, size)), -1, axis)
