"""Products of vectors, matrices and arrays: as NumPy's on arrays, and differentiable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from tests.numpy.agreement import arrays, check_agrees, check_derivatives, check_signature, linearized, outcome
from xform.core.errors import XformError

BINARY = [np.dot, np.inner, np.outer, np.matmul, np.kron, np.vdot, np.vecdot, np.matvec, np.vecmat]
ALL = [*BINARY, np.tensordot, np.einsum, np.einsum_path, np.cross, np.diagonal, np.trace]
NAMES = {"ids": lambda f: f.__name__}
rng = np.random.default_rng(3)


@pytest.mark.parametrize("f", ALL, **NAMES)
def test_signatures_are_numpys(f):
    check_signature(getattr(xnp, f.__name__), f)


#: shapes that fit some of the products, so that errors are met as well
SHAPES = [
    ((), ()), ((3,), ()), ((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)),
    ((2, 3), (2, 3)), ((2, 3), (4,)), ((4, 2, 3), (3, 2)), ((4, 2, 3), (4, 3, 2)), ((4, 1, 2, 3), (5, 3, 2)),
    ((2, 3), (4, 3, 2)), ((4, 2, 3), (5, 3, 2)), ((0,), (0,)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((3,), (4, 3, 2)),
    ((4, 2, 3), (3,)),
]  # fmt: skip


@pytest.mark.parametrize("s, t", SHAPES, ids=str)
@pytest.mark.parametrize("f", BINARY, **NAMES)
def test_products_of_two(f, s, t):
    for u, v in (
        ("f8", "f8"),
        ("f4", "f4"),
        ("f4", "f8"),
        ("c16", "f8"),
        ("i8", "f4"),
        ("i4", "i8"),
        ("c8", "c8"),
        ("?", "?"),
    ):
        x, y = (np.asarray(rng.normal(size=r) * 4).astype(d) for r, d in ((s, u), (t, v)))
        if u[0] == "c":
            x = x * (1 + 2j)
        check_agrees(f, x.astype(u), y)
        check_agrees(lambda x, y=y: f(x, y), x.astype(u))
        check_agrees(lambda y, x=x: f(x, y), y)


@pytest.mark.parametrize("f", [np.dot, np.inner, np.outer, np.kron, np.matmul, np.vdot], **NAMES)
def test_sequences_and_python_numbers_for_one_operand(f):
    check_agrees(lambda x: f(x, [1.0, 2.0, 3.0]), np.arange(3.0))
    check_agrees(lambda x: f([[1, 2, 3]], x), np.arange(3.0))
    if f is not np.matmul:
        check_agrees(lambda x: f(2, x), np.float32(3))


@pytest.mark.parametrize("s, t", [(s, t) for s, t in SHAPES if 0 not in s + t], ids=str)
@pytest.mark.parametrize("f", BINARY, **NAMES)
def test_derivatives(f, s, t):
    x, y = rng.normal(size=s), rng.normal(size=t)
    try:
        f(x, y)
    except ValueError:
        with pytest.raises(ValueError, match=r"shapes? .* do(es)? not|wanted|must"):
            linearized(f, x, y)
        return
    check_derivatives(lambda x, y: f(np.sin(x), y), x, y)


@pytest.mark.parametrize("f", BINARY, **NAMES)
def test_derivatives_of_complex_products(f):
    x, y = rng.normal(size=(2, 3, 3)) + 1j * rng.normal(size=(2, 3, 3))
    if f in (np.matvec, np.vecdot):
        y = y[0]
    if f is np.vecmat:
        x = x[0]
    check_derivatives(f, x, y, order=1)
    check_derivatives(lambda x: f(x, y), x, order=1)


AXES = [0, 1, 2, ([0], [1]), ([1, 0], [0, 1]), (0, 1), (-1, 0), ([], []), ([0, 0], [0, 1]), ([5], [0]), ([0], [0, 1])]


@pytest.mark.parametrize("axes", AXES, ids=str)
def test_tensordot(axes):
    for s, t in (((3, 4), (4, 3)), ((3, 3), (3, 3)), ((2, 3, 4), (3, 4, 2)), ((0, 3), (3, 0))):
        x, y = rng.normal(size=s), rng.normal(size=t)
        check_agrees(lambda x, y: np.tensordot(x, y, axes=axes), x, y)
    try:
        np.tensordot(np.ones((3, 3)), np.ones((3, 3)), axes=axes)
    except (ValueError, IndexError):
        return
    check_derivatives(lambda x, y: np.tensordot(x, y * y, axes=axes), rng.normal(size=(3, 3)), rng.normal(size=(3, 3)))


@pytest.mark.parametrize("axes, error", [(3, IndexError), (-1, ValueError)])
def test_tensordot_of_more_axes_than_there_are(axes, error):
    with pytest.raises(error, match="at most as many as both have"):
        xform.linearize(lambda x: np.tensordot(x, x, axes=axes), np.ones((3, 3)))


SUMS = [
    "ij,jk->ik",
    "ij,jk",
    "ij,jk,kl->il",
    "ii->i",
    "ii",
    "ij->ji",
    "ij->",
    "...ij,...jk->...ik",
    "ij,ij->i",
    "i,j",
    "ij,kj->",
    "ij,j,i->",
]


@pytest.mark.parametrize("subscripts", SUMS)
def test_einsum(subscripts):
    terms = subscripts.split("->")[0].split(",")
    xs = [rng.normal(size=(3,) * len(term.replace("...", ""))) for term in terms]
    for optimize in (False, True, "optimal"):
        check_agrees(lambda *xs, o=optimize: np.einsum(subscripts, *xs, optimize=o), *xs, ulps=64)
    if subscripts not in ("ii->i", "ij->ji"):  # where NumPy returns a view, and forgets about the dtype
        check_agrees(lambda *xs: np.einsum(subscripts, *xs, dtype=complex), *xs, ulps=64)
    check_derivatives(lambda *xs: np.einsum(subscripts, *map(np.sin, xs)), *xs)


def test_einsum_with_lists_of_labels():
    x, y = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    check_agrees(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), x, y)
    check_agrees(lambda x, y: np.einsum(x, [0, 1], y, [1, 2]), x, y)
    check_agrees(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], dtype=np.complex128), x, y)
    check_agrees(lambda x: np.einsum(x, [..., 0], [..., 0]), x)


@pytest.mark.parametrize("subscripts", ["ij,jk->iz", "ij,jk,kl", "i,jk", "ij,jk->ii", "ij->k?", "ij,j!"])
def test_einsum_of_wrong_subscripts(subscripts):
    check_agrees(lambda x, y: np.einsum(subscripts, x, y), np.ones((2, 3)), np.ones((3, 4)))


def test_einsum_refuses_what_it_does_not_know():
    for call in (lambda x: xnp.einsum("i->i", x, out=np.zeros(3)), lambda x: xnp.einsum("i->i", x, colour=1)):
        with pytest.raises(TypeError):
            xform.linearize(call, np.ones(3))


def test_the_path_of_einsum_depends_on_shapes_only():
    xs = np.ones((2, 3)), np.ones((3, 40)), np.ones((40, 2))
    wanted = np.einsum_path("ij,jk,kl", *xs)
    seen = []
    xform.linearize(lambda *xs: seen.append(np.einsum_path("ij,jk,kl", *xs)) or xs[0], *xs)
    xform.make_jaxpr(lambda *xs: seen.append(xnp.einsum_path("ij,jk,kl", *xs)) or xs[0])(*xs)
    assert seen == [wanted, wanted]


CROSS = [
    ((3,), (3,), {}), ((4, 3), (3,), {}), ((4, 3), (5, 1, 3), {}), ((3, 4), (3, 4), {"axis": 0}), ((4,), (3,), {}),
    ((3, 4), (4, 3), {"axisa": 0, "axisc": 0}), ((3, 2, 4), (4, 3), {"axisa": 0, "axisb": 1, "axisc": 0}),
    ((), (3,), {}), ((3,), (3,), {"axis": 1}), ((1,), (3,), {}), ((0, 3), (3,), {}),
    ((3, 5), (5, 3), {"axisa": 0, "axisc": 3}),
]  # fmt: skip


@pytest.mark.parametrize("s, t, options", CROSS, ids=str)
def test_cross(s, t, options):
    x, y = rng.normal(size=s), rng.normal(size=t)
    check_agrees(lambda x, y: np.cross(x, y, **options), x, y)
    check_agrees(lambda x, y: np.cross(x, y, **options), (x * 4).astype(int), y.astype("f4"))
    try:
        np.cross(x, y, **options)
    except ValueError:
        return
    check_derivatives(lambda x, y: np.cross(np.sin(x), y, **options), x, y)


@pytest.mark.parametrize("m, n", [(2, 2), (2, 3), (3, 2)])
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")
def test_cross_of_vectors_of_two_components(m, n):
    x, y = rng.normal(size=(4, m)), rng.normal(size=(4, n))
    check_agrees(np.cross, x, y)
    if outcome(np.cross, x, y)[1] is None:  # NumPy 2.5 refuses them
        check_derivatives(np.cross, x, y)


offsets, pairs = (
    st.integers(-4, 4),
    st.sampled_from([(0, 1), (1, 0), (0, 2), (2, 1), (-1, -2), (0, 0), (0, 3), (1, -5)]),
)


@given(f=st.sampled_from([np.diagonal, np.trace]), x=arrays(special=False), k=offsets, axes=pairs)
def test_diagonals(f, x, k, axes):
    check_agrees(lambda x: f(x, k, *axes), x)


@pytest.mark.parametrize("k", [0, 1, -2])
def test_derivatives_of_diagonals(k):
    x = rng.normal(size=(3, 4, 2))
    check_derivatives(lambda x: np.diagonal(x * x, k, 1, 0), x)
    check_derivatives(lambda x: np.trace(x * x, k, 0, 2), x)


def test_dtype_of_a_trace():
    check_agrees(lambda x: np.trace(x, dtype="f4"), np.eye(3))
    check_agrees(np.trace, np.eye(3, dtype=np.int8))


MOVED = [
    (np.matmul, (2, 3), (3, 4), {"axes": [(0, 1), (0, 1), (1, 0)]}),
    (np.matmul, (3, 5, 2), (5, 3, 4), {"axes": [(2, 0), (1, 2), (0, 1)]}),
    (np.matmul, (2, 3), (3,), {"axes": [(0, 1), (0,), (0,)]}),
    (np.matmul, (2, 3), (3, 4), {"dtype": "f4"}),
    (np.matmul, (2, 3), (3, 4), {"axes": [(0, 1), (0,), (1, 0)]}),
    (np.matmul, (2, 3), (3, 4), {"axes": [(0, 1), (0, 1)]}),
    (np.matmul, (2, 3), (3, 4), {"axes": ((0, 1), (0, 1), (0, 1))}),
    (np.matmul, (2, 3), (3, 4), {"axis": 0}),
    (np.matmul, (2, 3), (3, 4), {"axes": [(0, 5), (0, 1), (0, 1)]}),
    (np.vecdot, (3, 2), (3, 2), {"axis": 0}),
    (np.vecdot, (3, 2), (3, 2), {"axis": 0, "keepdims": True}),
    (np.vecdot, (3, 2), (3, 2), {"keepdims": True}),
    (np.vecdot, (3, 2), (2, 3), {"axes": [0, 1, ()]}),
    (np.vecdot, (3, 2), (2, 3), {"axes": [0, 1]}),
    (np.vecdot, (3, 2), (3, 2), {"axis": 2}),
    (np.matvec, (2, 3), (2,), {"axes": [(1, 0), 0, 0]}),
    (np.vecmat, (2,), (3, 2), {"axes": [0, (1, 0), 0]}),
]


@pytest.mark.parametrize("f, s, t, options", MOVED, ids=lambda x: getattr(x, "__name__", str(x)))
def test_axes_of_generalised_ufuncs(f, s, t, options):
    check_agrees(lambda x, y: f(x, y, **options), rng.normal(size=s).astype("f4"), rng.normal(size=t).astype("f4"))


def test_operators_and_plain_arrays_on_either_side():
    a, x = rng.normal(size=(3, 3)), rng.normal(size=3)
    check_derivatives(lambda a, x: x @ (a @ x), a, x)
    check_agrees(lambda x: a @ x, x)
    check_agrees(lambda a: x @ a, a)
    check_agrees(lambda x: a.tolist() @ x, x)


def test_messages_say_what_was_given_and_wanted():
    for f in (np.dot, np.matmul, np.vecdot, np.inner):
        with pytest.raises(ValueError, match=r"\(2,3\) and \(2,3\) do not contract|must equal|shapes") as caught:
            xform.linearize(lambda x, f=f: f(x, np.ones((2, 4))), np.ones((2, 3)))
        assert not isinstance(caught.value, XformError)
