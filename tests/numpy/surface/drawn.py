"""Calls drawn at random for every function: shapes, dtypes, axes and options, good ones and bad ones.

    "sum": calls(arrays(), axis=axes, keepdims=st.booleans())

What NumPy does with the call, be it a value or an error, is what xform has to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.numpy.agreement import arrays, axes
from tests.numpy.surface.base import call, through, using

Calls = st.SearchStrategy[Any]

choice = st.sampled_from
flags = st.booleans()
axis = choice([None, 0, 1, -1, 2, -3])
FLOATS = ("float64", "float32", "complex128")
NUMBERS = (*FLOATS, "int64", "bool")
WHOLE = ("int64", "int8", "uint8", "bool")
SHAPES = choice([(), (3,), (2, 3), (0,), (1, 3), (2, 0), (2, 3, 2)])
some = arrays(NUMBERS, SHAPES, special=False)
vectors = arrays(NUMBERS, choice([(3,), (4,), (1,), (0,)]), special=False)
matrices = arrays(NUMBERS, choice([(2, 3), (3, 3), (1, 2), (0, 3), (2, 2)]), special=False)
scalars = choice([0, 1, 2.5, -1.5, True, 1j, np.float32(0.5)])
counts = st.integers(-1, 4)
MASKS = choice([True, False, [True, False, True], [[True], [False]]])


def calls(*args: Any, **kwargs: Any) -> Calls:
    """f(*args, **kwargs) with arguments drawn; what is no strategy is given as it is."""
    as_strategy = [x if isinstance(x, st.SearchStrategy) else st.just(x) for x in (*args, *kwargs.values())]
    given = as_strategy[: len(args)]
    return st.builds(call, *given, **dict(zip(kwargs, as_strategy[len(args) :], strict=True)))


def optional(**options: Calls) -> Calls:
    """Any of the options."""
    return st.fixed_dictionaries({}, optional=options)


def with_options(*args: Any, **options: Calls) -> Calls:
    """f(*args, **some of the options)."""
    return st.tuples(st.tuples(*args), optional(**options)).map(lambda drawn: call(*drawn[0], **drawn[1]))


def shaped(*shapes: tuple[int, ...], dtypes: Any = NUMBERS, special: bool = False) -> st.SearchStrategy[Any]:
    """One array for each shape."""
    return st.tuples(*(arrays(dtypes, shape, special) for shape in shapes))


def one_of_shapes(pairs: Any, dtypes: Any = NUMBERS, special: bool = False) -> st.SearchStrategy[Any]:
    return choice(pairs).flatmap(lambda shapes: shaped(*shapes, dtypes=dtypes, special=special))


BROADCAST = [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((0,), (1,)), ((2,), (3,)), ((3,), (3,))]
pairs = one_of_shapes(BROADCAST, special=True)
with_number = st.tuples(some, scalars)
operands = st.one_of(pairs, with_number, with_number.map(lambda xy: xy[::-1]))
binary = operands.map(lambda xy: call(*xy))
same = one_of_shapes([((3,), (3,)), ((2, 3), (2, 3)), ((2,), (3,)), ((0,), (0,)), ((), ()), ((2, 3), (3,))])

ELEMENTWISE = {
    "sin cos tan arctan atan sinh cosh tanh arcsinh asinh exp exp2 expm1 square arcsin asin arccos acos arctanh atanh "
    "arccosh acosh log log2 log10 log1p sqrt reciprocal negative positive abs absolute fabs cbrt deg2rad radians "
    "rad2deg degrees sign conj conjugate floor ceil trunc rint spacing modf frexp logical_not bitwise_invert "
    "bitwise_not invert bitwise_count isfinite isnan isinf signbit isneginf isposinf isreal iscomplex real imag angle "
    "sinc fix nan_to_num real_if_close i0": calls(arrays()),
    "isrealobj iscomplexobj isscalar iterable": calls(some),
    "add subtract multiply divide true_divide power pow float_power arctan2 atan2 hypot logaddexp logaddexp2 maximum "
    "minimum fmax fmin mod remainder fmod floor_divide divmod copysign heaviside nextafter ldexp equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor": binary,
    "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm":
        st.one_of(one_of_shapes(BROADCAST, WHOLE).map(lambda xy: call(*xy)), binary),
    "isclose": st.builds(lambda xy, nan: call(*xy, equal_nan=nan), operands, flags),
    "allclose array_equal": st.builds(lambda xy, nan: call(*xy, equal_nan=nan), same, flags),
    "array_equiv": binary,
    "clip": with_options(some, choice([None, 0, -0.5]), choice([None, 1, np.array([0.5, 1, 2])])),
    "round around": with_options(arrays(special=False), decimals=st.integers(-1, 2)),
    "where": st.builds(lambda m, xy: call(m, *xy), arrays(["bool", "int64"], choice([(3,), (), (2, 3)])), operands),
    "select": st.builds(
        lambda xy, m, default: call([m, [True, False, True]], [*xy], default),
        shaped((3,), (3,)), choice([[True, True, False], [[True], [False]]]), scalars,
    ),
    "piecewise": st.builds(
        lambda x, value: through(lambda f, x: f(x, [np.less(x, 0), np.greater(x, 1)], [np.negative, value]), x),
        arrays(["f8", "f4", "i8"], SHAPES, special=False), choice([1, -2.5, np.square]),
    ),
    "interp": st.builds(
        lambda x, y, left, period: call(x, [0.0, 1.0, 2.5], y, left=left, period=period),
        arrays(["f8", "f4", "i8"], SHAPES), shaped((3,), dtypes=FLOATS).map(lambda y: y[0]), choice([None, -7.0]),
        choice([None, 3.0, 0]),
    ),
    "unwrap": with_options(arrays(["f8", "f4", "i8"], SHAPES, special=False), axis=choice([0, -1, 1]),
                           period=choice([1.0, 2])),
    "gradient": with_options(arrays(("f8", "f4", "c16", "i8"), SHAPES, special=False), axis=choice([None, 0, -1, (0,
        1)]),
                             edge_order=choice([1, 2, 3])),
}  # fmt: skip

REDUCTIONS = {
    "sum prod": with_options(some, axis=axes, keepdims=flags, dtype=choice(["f8", "c16", None]), initial=choice([0,
        2.5])),
    "max min amax amin": with_options(some, axis=axes, keepdims=flags, initial=choice([0, 2])),
    "ptp": with_options(some, axis=axes, keepdims=flags),
    "mean": with_options(some, axis=axes, keepdims=flags, dtype=choice(["f8", "c16", None])),
    "var std": with_options(some, axis=axes, keepdims=flags, ddof=choice([0, 1, 2.5])),
    "any all": with_options(arrays(), axis=axes, keepdims=flags),
    "count_nonzero": with_options(arrays(), axis=axes, keepdims=flags),
    "argmax argmin": with_options(arrays(), axis=axis, keepdims=flags),
    "nanargmax nanargmin": with_options(arrays(("f8", "f4", "i8")), axis=axis, keepdims=flags),
    "nansum nanprod nanmax nanmin nanmean nanvar nanstd": with_options(
        arrays(("f8", "f4", "c16", "i8")), axis=axes, keepdims=flags
    ),
    # of an empty array along no axis NumPy's median raises
    "nanmedian median": with_options(arrays(("f8", "f4", "i8")), axis=choice([None, 0, -2, 3, (0, 1), (0, 0)]),
        keepdims=flags),
    "nancumsum nancumprod cumsum cumprod": with_options(some, axis=axis, dtype=choice(["f8", "c16"])),
    "cumulative_sum cumulative_prod": with_options(some, axis=axis, include_initial=flags),
    "quantile nanquantile": with_options(
        st.one_of(arrays(("f8", "i8"), SHAPES), arrays(("f4",), SHAPES, special=False)), choice([0.3, 0, 1.0, 1.5,
            np.array([0.2, 0.7]), np.float32(0.4)]), axis=axis, keepdims=flags,
        method=choice(["linear", "nearest", "weibull", "lower", "inverted_cdf", "median_unbiased"]),
    ),
    "percentile nanpercentile": with_options(
        st.one_of(arrays(("f8", "i8"), SHAPES), arrays(("f4",), SHAPES, special=False)), choice([30, 0, 100.0, -1.5,
            np.array([20.0, 70.0])]), axis=axis,
        keepdims=flags, method=choice(["linear", "higher", "midpoint", "hazen", "interpolated_inverted_cdf"]),
    ),
    "average": st.builds(
        lambda xs, axis, keepdims, returned: call(xs[0], axis, xs[1], returned, keepdims=keepdims),
        one_of_shapes([((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (3,)), ((2, 3), (2,))], ("f8", "f4", "c16",
            "i8")).filter(
            lambda xs: abs(np.sum(xs[1])) > 0.5 and np.all(np.abs(np.sum(xs[1], axis=0)) > 0.2)
            and np.all(np.abs(np.sum(xs[1], axis=-1)) > 0.2)),
        choice([None, 0, 1]), flags, flags,
    ),
    "cov": with_options(arrays(("f8", "f4", "c16", "i8"), choice([(3,), (2, 3), (1, 4)]), special=False), rowvar=flags,
                        bias=flags, ddof=choice([None, 0, 1])),
    "corrcoef": with_options(
        arrays(("f8", "f4"), choice([(2, 4), (3, 5)]), special=False).filter(lambda x: np.all(np.ptp(x, axis=1) > 0.1))
    ),
    "diff": with_options(some, st.integers(-1, 2), axis=choice([-1, 0, 1]), prepend=choice([0, 2.5])),
    "ediff1d": with_options(arrays(("f8", "c16", "i8"), SHAPES, special=False), choice([None, 0, [1, 2]])),
    "trapezoid": with_options(some, dx=choice([0.5, 2]), axis=choice([-1, 0, 1])),
    "histogram": with_options(arrays(("f8", "f4", "i8"), SHAPES, special=False), bins=choice([1, 3, [0.0, 1, 2], [1,
        0]]),
                              density=flags, range=choice([None, (-1, 2), (2, -1)])),
    "histogram_bin_edges": with_options(arrays(("f8", "f4", "i8"), SHAPES, special=False),
                                        choice([1, 3, 0, [0.0, 1, 2]]), range=choice([None, (-1, 2)])),
    "histogram2d": with_options(*[arrays(("f8", "i8"), choice([(3,), (4,)]), special=False)] * 2, bins=choice([2, [1,
        3]]),
                                density=flags),
    "histogramdd": with_options(arrays(("f8", "i8"), choice([(4, 2), (3, 3)]), special=False), bins=choice([2, 1, 0]),
                                density=flags),
    "bincount": with_options(arrays(("int64", "uint8", "f8"), choice([(3,), (0,), (2, 2)]), special=False),
                             minlength=choice([0, 5, -1])),
    "digitize": with_options(arrays(("f8", "f4", "i8"), SHAPES), choice([[-1.0, 0.5, 1.0], [2, 1], [1, 3, 2], []]),
                             right=flags),
    "searchsorted": with_options(arrays(("f8", "i8"), choice([(3,), (0,)]), special=False).map(np.sort),
                                 arrays(("f8", "f4", "i8"), SHAPES), side=choice(["left", "right", "middle"])),
}  # fmt: skip

permutations = choice([None, (0, 1), (1, 0), (2, 0, 1), (0, 0), (0,), ()])
lists = one_of_shapes(
    [((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (1, 3)), ((), ()), ((3,), (2,)), ((2, 3), (2, 1)), ((0,), (3,))]
)

SHAPING = {
    "reshape": with_options(some, choice([(6,), -1, (3, 2), (2, -1), (0,), (), (4,)]), order=choice(["C", "F", "A",
        "X"])),
    "ravel": with_options(arrays(), order=choice(["C", "F", "K", "A"])),
    "resize": calls(some, choice([3, (2, 4), (0,), (), (-1,)])),
    "transpose permute_dims": with_options(some, permutations),
    "matrix_transpose": calls(some),
    "swapaxes": calls(some, st.integers(-3, 3), st.integers(-3, 3)),
    "moveaxis": calls(some, choice([0, -1, (0, 1), 3]), choice([1, 0, (1, 0), (0, 0)])),
    "rollaxis": calls(some, st.integers(-3, 3), st.integers(-1, 4)),
    "expand_dims": calls(some, choice([0, -1, (0, 1), (0, 0), 5])),
    "squeeze": calls(arrays(NUMBERS, choice([(), (1, 2), (1, 3, 1), (0, 1)]), special=False), choice([None, 0, -1, (0,
        2), 5])),
    "atleast_1d atleast_2d atleast_3d": calls(some),
    "broadcast_to": calls(some, choice([(3,), (2, 3), (4, 2, 3), 3, (), (0,)])),
    "broadcast_arrays": operands.map(lambda xy: call(*xy)),
    "flip": calls(some, choice([None, 0, 1, -1, (0, 1), (0, 0)])),
    "fliplr flipud": calls(some),
    "rot90": calls(some, st.integers(-2, 5), choice([(0, 1), (1, 0), (0, 0), (1, 2)])),
    "roll": calls(some, choice([0, 1, -4, (1, 2)]), choice([None, 0, (0, 1), 3])),
    "tile": calls(some, choice([0, 2, (2, 1), (1, 1, 2)])),
    "repeat": calls(some, choice([0, 2, [2, 0, 1], -1, [1, 2]]), choice([None, 0, -1, 4])),
    "pad": calls(some, choice([1, (1, 2), 0, ((1, 0), (0, 2)), -1]), choice(["constant", "edge", "wrap", "mean",
        "maximum",
                                                                             "linear_ramp", "reflect", "symmetric"])),
    "concatenate concat": with_options(lists, axis=choice([0, 1, -1, None, 2])),
    "stack": with_options(lists, axis=choice([0, 1, -1, 3])),
    "hstack vstack dstack column_stack": calls(lists),
    "block": st.builds(lambda xy, nest: call([[*xy], [*xy]] if nest else [*xy]), lists, flags),
    "append": st.builds(lambda xy, axis: call(*xy, axis=axis), lists, axis),
    "insert": calls(some, choice([0, 1, -1, [0, 2], 7]), choice([5.0, [1, 2, 3], 2]), choice([None, 0, 1, 3])),
    "delete": calls(some, choice([0, -1, [0, 1], slice(0, 2), 7, [True, False, True]]), choice([None, 0, 1, 3])),
    "split array_split": calls(some, choice([1, 2, 3, [1], [0, 2], 0]), choice([0, 1, -1, 3])),
    "hsplit vsplit dsplit": calls(some, choice([1, 2, [1], 0])),
    "unstack": with_options(some, axis=choice([0, -1, 1])),
    "diag diagflat": calls(some, st.integers(-2, 3)),
    "tril triu": calls(st.one_of(vectors, matrices), st.integers(-2, 3)),  # of a number NumPy raises errors by chance
    "diagonal": calls(some, st.integers(-2, 2), choice([0, 1]), choice([1, 2, 0])),
    "trace": calls(some, st.integers(-2, 2)),
    "fill_diagonal": calls(matrices, choice([0, 2.5, [1, 2, 3]]), inplace=False),
    "meshgrid": st.builds(lambda x, y, i, s: call(x, y, indexing=i, sparse=s), vectors, vectors, choice(["xy", "ij",
        "no"]), flags),
    "take": calls(some, choice([0, -1, [0, 2], [[1, 0], [0, 0]], 7, []]), choice([None, 0, 1, 4]),
                  mode=choice(["raise", "wrap", "clip"])),
    "take_along_axis": calls(matrices, arrays(("int64",), choice([(2, 1), (1, 2), (3, 3), (2,)]),
        special=False).map(lambda i: i % 2),
                             choice([0, 1, -1, 2])),
    "choose": st.builds(lambda xy, i, m: call(i, [*xy], mode=m), pairs, choice([[0, 1, 0], 1, [0, 2, -1], [[0], [1]]]),
                        choice(["raise", "wrap", "clip"])),
    "compress": calls(choice([[True, False, True], [True], [], [True] * 7]), some, choice([None, 0, 1])),
    "extract": calls(choice([[True, False, True], [True], [[True], [False]], [0, 1, 2]]), some),
    "nonzero flatnonzero argwhere": calls(arrays()),
    "sort argsort": with_options(arrays(), axis=axis, stable=choice([None, True])),
    "sort_complex": calls(arrays(special=False)),
    "partition": calls(arrays(("f8", "f4", "i8"), SHAPES, special=False), choice([0, 1, -1, 5]), axis),
    "argpartition": calls(arrays(("i8",), choice([(1,), (2, 1), (0,)])), choice([0, 1]), axis),
    "lexsort": calls(same, choice([-1, 0, 1])),
    "trim_zeros": calls(vectors, choice(["fb", "f", "b", "x"])),
    "unique": with_options(arrays(), axis=axis, return_index=flags, return_inverse=flags, return_counts=flags),
    "unique_values": st.builds(lambda x: through(lambda f, x: np.sort(f(x)), x), arrays()),  # in no order
    "unique_counts": calls(arrays()),
    "unique_inverse unique_all": calls(arrays(special=False)),  # several nan are different, in no order
    "union1d intersect1d setdiff1d setxor1d": st.builds(call, some, some),
    "isin": st.builds(lambda x, y, i: call(x, y, invert=i), some, vectors, flags),
    "apply_along_axis": calls(choice([np.sum, np.sort, np.cumsum]), choice([0, 1, -1, 4]), some),
    "apply_over_axes": calls(choice([np.sum, np.max]), some, choice([0, [0, 1], -1, 4])),
    "at": st.builds(lambda x, v: through(lambda f, x: f(x)[..., 0].set(v), x), some, choice([0, 2])),
    "ix_": calls(choice([[0, 1], [True, False], [[0]], 1]), choice([[0, 1], [], [1.5]])),
    "vectorize": st.builds(lambda x, y: using(lambda np, x, y: np.vectorize(lambda a, b: a * b)(x, y), x, y), some,
        vectors),
    "r_": vectors.flatmap(lambda x: st.just(using(lambda np, x: np.r_[x, x, 1], x))),
    "c_": vectors.flatmap(lambda x: st.just(using(lambda np, x: np.c_[x, x], x))),
    "diag_indices_from tril_indices_from triu_indices_from": calls(some),
    "ravel_multi_index": calls(choice([([0, 1], [2, 0]), ([5], [0]), ([1],), ([-1], [0])]), choice([(2, 3), (2,), (1,
        9)]),
                               mode=choice(["raise", "wrap", "clip", "x"])),
    "unravel_index": calls(arrays(("int64", "uint8", "f8"), SHAPES, special=False), choice([(2, 3), (7,), (40, 2)])),
}  # fmt: skip
