"""Why some names have no derivative or no vmap; that each reason holds is checked as well."""

from __future__ import annotations

#: the results are integers or truth values
INTEGERS = "integers or truth values"
#: the result tells about shape and dtype, or is text or a setting, whatever the entries are
NO_ENTRIES = "depends on no entries"
#: the result is text, which shows what is known
TEXT = "text"
#: there is no operand that could be traced
NO_OPERAND = "takes no array to be traced"
#: a dtype, a constant, an exception
CONSTANT = "constant"
#: the shape of the result depends on the entries, which vmap and staging do not know
NEEDS_VALUES = "shape depends on entries"

NO_DERIVATIVE = {
    INTEGERS: """
        equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not
        bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_not invert bitwise_left_shift bitwise_right_shift
        left_shift right_shift gcd lcm bitwise_count isfinite isnan isinf signbit isneginf isposinf isreal iscomplex
        isclose allclose array_equal array_equiv any all count_nonzero argmax argmin nanargmax nanargmin digitize
        searchsorted nonzero flatnonzero argwhere argsort argpartition lexsort isin ravel_multi_index unravel_index
        packbits unpackbits linalg.matrix_rank
    """,
    NO_ENTRIES: """
        shape ndim size result_type can_cast common_type min_scalar_type promote_types isdtype issubdtype
        broadcast_shapes may_share_memory shares_memory isfortran typename
        mintypecode geterr seterr get_printoptions set_printoptions printoptions base_repr binary_repr isrealobj
        format_float_positional format_float_scientific iscomplexobj isscalar iterable einsum_path
        diag_indices_from tril_indices_from triu_indices_from empty_like
    """,
    TEXT: "array2string array_repr array_str",
    NO_OPERAND: """
        tri ones zeros empty eye identity indices mgrid ogrid bartlett blackman hamming hanning diag_indices
        tril_indices triu_indices mask_indices ndindex ndenumerate nditer broadcast fromiter frombuffer fromstring
        from_dlpack frompyfunc fft.fftfreq fft.rfftfreq fromfile fromregex genfromtxt load loadtxt save savetxt savez
        savez_compressed nested_iters
    """,
}

NO_VMAP = {
    NEEDS_VALUES: """
        nonzero flatnonzero argwhere unique unique_values unique_counts unique_inverse unique_all union1d intersect1d
        setdiff1d setxor1d trim_zeros bincount arange roots
    """,
}

#: names whose own door in NumPy does not take traced values; ours does
OUR_DOOR = {
    "array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite", "full", "arange",
    "at", "vectorize", "r_", "c_", "fromfunction", "require", "isfortran", "kaiser",
}  # fmt: skip

#: names with a form that NumPy has not got, a copy instead of a change in place; it is compared with itself
OUR_FORM = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}


#: what NumPy's main namespace has besides, and xform.numpy not
ABSENT = {
    "dates and times": """
        busday_count busday_offset busdaycalendar datetime64 datetime_as_string datetime_data is_busday isnat
        timedelta64
    """,
    "text, bytes and records": "bytes_ str_ strings char rec recarray record void",
    "subclasses of ndarray": "asmatrix bmat matrix memmap ma",
    "precisions that are not on every machine": "complex256 float128 complex192 float96",
    "iterators over memory": "flatiter",
    "settings of NumPy and facts about it": """
        __array_namespace_info__ __version__ get_include getbufsize setbufsize geterrcall seterrcall info sctypeDict
        show_config show_runtime test
    """,
    "modules": "core ctypeslib dtypes exceptions f2py lib polynomial random testing typing",
    "an old name": "row_stack",
}


def by_name(table: dict[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in table.items() for name in names.split()}
