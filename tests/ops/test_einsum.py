"""matmul, dot, inner, outer, tensordot, vecdot and einsum against NumPy; contraction orders; messages."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import xform
from xform.ops.contraction import einsum as ours
from xform.ops.contraction.contraction_order import (
    OPTIMAL_UP_TO,
    Network,
    contraction_order,
    difference,
    greedy_order,
    optimal_order,
    ratio,
)
from xform.ops.contraction.einsum import einsum, matmul, tensordot, vdot, vecdot
from xform.ops.structure import reduce_sum

derandomized = settings(derandomize=True, deadline=None, max_examples=150)


def integers(shape, seed=0, dtype=float):
    x = np.random.default_rng(seed).integers(-3, 4, shape)
    return (x + 1j * np.roll(x, 1)).astype(dtype) if np.dtype(dtype).kind == "c" else x.astype(dtype)


# --- einsum ---


@st.composite
def subscripts_and_operands(draw):
    """Terms with repeated labels, ellipses and axes of size one that broadcast, with or without an output."""
    size = {k: draw(st.integers(0, 3)) for k in "abcdE"}
    dots = [draw(st.integers(1, 3)) for _ in range(2)]
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 4))):
        labels = draw(st.lists(st.sampled_from("abcd"), max_size=4))
        shape = [1 if labels.count(k) == 1 and draw(st.integers(0, 5)) == 0 else size[k] for k in labels]
        if draw(st.booleans()):
            at, rank = draw(st.integers(0, len(labels))), draw(st.integers(0, 2))
            labels.insert(at, "...")
            shape[at:at] = [1 if draw(st.integers(0, 3)) == 0 else n for n in dots[2 - rank :]]
        terms.append("".join(labels))
        shapes.append(shape)
    text = ",".join(terms)
    if draw(st.booleans()):
        used = sorted(set(text) & set("abcd"))
        output = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
        at = draw(st.integers(0, len(output)))
        text += "->" + "".join([*output[:at], *(["..."] if "..." in text else []), *output[at:]])
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int32, np.complex128]))
    return text, [integers(shape, k, dtype) for k, shape in enumerate(shapes)]


@derandomized
@given(subscripts_and_operands())
def test_einsum_is_numpys(case):
    text, operands = case
    wanted = np.einsum(text, *operands)
    result = einsum(text, *operands)
    assert np.shape(result) == np.shape(wanted)
    assert result.dtype == wanted.dtype
    assert_array_equal(result, wanted)


@derandomized
@given(subscripts_and_operands())
def test_gradient_of_einsum_is_an_einsum(case):
    """The sum of products is linear in its last operand x: <z_bar, f(x)> = <grad, x>."""
    text, operands = case
    assume(operands[-1].dtype.kind == "f")
    z, pullback = xform.vjp(lambda x: einsum(text, *operands[:-1], x), operands[-1])
    bar = integers(np.shape(z), 9, z.dtype)
    (gradient,) = pullback(bar)
    assert gradient.shape == operands[-1].shape
    assert np.vdot(bar, z) == np.vdot(gradient, operands[-1])


@pytest.mark.parametrize(
    "call",
    [
        lambda e, a, b: e(a, [0, 1], b, [1, 2], [0, 2]),
        lambda e, a, b: e(a, [0, 1], b, [1, 2]),
        lambda e, a, b: e(a, [2, 0], b, [0, 1]),
        lambda e, a, b: e(a, [0, ...], b, [..., 1], [..., 0, 1]),
        lambda e, a, b: e(a, [..., 0], [0, ...]),
        lambda e, a, b: e(a, (np.int64(30), 4), b, (4, 5)),
        lambda e, a, b: e(" i j , j k -> k i ", a, b),
        lambda e, a, b: e("zB,BA", a, b),
        lambda e, a, b: e(",ij,", 2.0, a, 3),
        lambda e, a, b: e("i,i", [1, 2], (3, 4)),
        lambda e, a, b: e([1, 2], [0], [3, 4], [0]),
        lambda e, a, b: e("", 3.0),
        lambda e, a, b: e("ij->ij", a),
    ],
)
def test_einsum_takes_all_forms(call):
    a, b = integers((2, 3)), integers((3, 4))
    wanted = call(np.einsum, a, b)
    assert_array_equal(call(einsum, a, b), wanted)
    assert np.shape(call(einsum, a, b)) == np.shape(wanted)


def test_einsum_adds_in_the_common_dtype():
    counts = np.array([2_000_000_000, 2_000_000_000], np.int32)
    assert einsum("i,j->j", counts, np.ones(1, np.float32)) == [4e9]
    assert einsum("i->", np.array([100, 100], np.int8)) == np.int8(-56)


def test_einsum_on_traced_operands():
    rng = np.random.default_rng(0)
    x, a = rng.normal(size=4), rng.normal(size=(4, 4))
    assert_allclose(xform.grad(lambda x: einsum("i,ij,j", x, a, x))(x), (a + a.T) @ x)
    assert_allclose(xform.grad(lambda a: einsum("ii", a))(a), np.eye(4))
    assert_allclose(xform.hessian(lambda x: einsum("i,i,i->", x, x, x))(x), np.diag(6 * x))
    batch = xform.vmap(lambda x: einsum("i,ij,j", x, a, x))(a)
    assert_allclose(batch, np.einsum("bi,ij,bj->b", a, a, a))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("ij,jk", np.ones((2, 2))), r"einsum 'ij,jk': the number of terms is 2, that of operands 1"),
        (("ij", np.ones((2, 2, 2))), r"operand 0 has 3 axes, but its term has 2 labels; .* write '...'"),
        (("ijk...", np.ones((2, 2))), r"operand 0 has 2 axes, but its term names 3"),
        (("ij->ijk", np.ones((2, 2))), r"output has the label 'k', which no operand has"),
        (("ij->ii", np.ones((2, 2))), r"output has the label 'i' twice"),
        (("i1", np.ones((2, 2))), r"'1' in the term 'i1' is not a label"),
        (("i.j", np.ones((2, 2))), r"'.' in the term 'i.j' is not a label"),
        (("...i...", np.ones((2, 2))), r"'.' in the term '...i...' is not a label"),
        (("i->j->", np.ones(2)), r"in the term 'j->' is not a label"),
        (("é", np.ones(2)), r"'é' in the term 'é' is not a label"),
        (("...i->i", np.ones((2, 3))), r"'...' stands for 1 axis, which the output must have too"),
        (("ii", np.ones((1, 3))), r"the label 'i' stands for axes of sizes 3 and 1 in operand 0, of shape \(1, 3\)"),
        (
            ("ij,jk->ik", np.ones((2, 2)), np.ones((3, 4))),
            r"the label 'j' has size 2 in operand 0, of shape \(2, 2\), and size 3 in operand 1, of shape \(3, 4\)",
        ),
        (("...i,...", np.ones((2, 3)), np.ones(4)), r"the label '...' has size 2 in operand 0"),
        (("ij",), r"einsum 'ij': no operands were given"),
        ((np.ones(2), [0, -1]), r"\[0, -1\] was given as a list of labels; wanted non-negative integers"),
        ((np.ones(2), [..., 0, ...]), r"at most once, Ellipsis"),
        ((np.ones((2, 3)), [0, 1], [0, 2]), r"labels \(0, 1\), \(0, 2\): the output has the label 2"),
        ((np.ones((2, 3)),), r"wanted a string of subscripts and operands"),
        ((np.ones((2, 3)), np.ones(3)), r"wanted a string of subscripts and operands"),
    ],
)
def test_einsum_says_what_it_does_not_understand(arguments, message):
    with pytest.raises(ValueError, match=message):
        einsum(*arguments)


def test_labels_must_be_integers():
    with pytest.raises(TypeError, match=r"\[0, 'a'\] was given as a list of labels; wanted non-negative integers"):
        einsum(np.ones((2, 3)), [0, "a"])


# --- contraction orders ---


def cost(inputs, output, sizes, order):
    """Multiplications of an order, and a check that it contracts every array once."""
    arrays, total = dict(enumerate(inputs)), 0
    for step, (a, b) in enumerate(order):
        both = arrays.pop(a) | arrays.pop(b)
        total += int(np.prod([n for k, n in enumerate(sizes) if both >> k & 1], dtype=object))
        needed = output
        for labels in arrays.values():
            needed |= labels
        arrays[len(inputs) + step] = both & needed
    assert len(arrays) == 1
    return total


def all_orders(n):
    """Every sequence of contractions of n arrays."""

    def extend(live, following):
        if len(live) == 1:
            yield []
        for a, b in itertools.combinations(sorted(live), 2):
            for rest in extend(live - {a, b} | {following}, following + 1):
                yield [(a, b), *rest]

    return extend(set(range(n)), n)


@st.composite
def networks(draw, arrays):
    labels = draw(st.integers(1, 7))
    sizes = [draw(st.integers(1, 9)) for _ in range(labels)]
    inputs = [draw(st.integers(0, 2**labels - 1)) for _ in range(arrays)]
    output = draw(st.integers(0, 2**labels - 1))
    held = [sum(mask >> k & 1 for mask in inputs) for k in range(labels)]
    wanted = sum(1 << k for k in range(labels) if held[k] > 1 or (held[k] == 1 and output >> k & 1))
    return [mask & wanted for mask in inputs], output & wanted, sizes


@settings(derandomized, max_examples=40)
@given(networks(4))
def test_few_operands_are_joined_in_the_best_order(network):
    best = min(cost(*network, order) for order in all_orders(4))
    assert cost(*network, contraction_order(*network)) == best


def test_the_optimum_of_a_matrix_chain():
    """The example of Cormen, Leiserson, Rivest and Stein, section 15.2: 15125 multiplications."""
    sizes = [30, 35, 15, 5, 10, 20, 25]
    inputs = [0b11 << k for k in range(6)]
    assert cost(inputs, 0b1000001, sizes, contraction_order(inputs, 0b1000001, sizes)) == 15125


@settings(derandomized, max_examples=40)
@given(networks(OPTIMAL_UP_TO + 2))
def test_many_operands_are_joined_better_than_from_left_to_right(network):
    n = len(network[0])
    left_to_right = [(0, 1), *((k, n + k - 2) for k in range(2, n))]
    assert cost(*network, contraction_order(*network)) <= cost(*network, left_to_right)


def test_greedy_orders_are_near_the_optimum():
    """Geometric mean, over random networks, of the cost of the greedy order in units of the optimal one."""
    rng = np.random.default_rng(5)
    logs = []
    for _ in range(40):
        inputs, sizes = [0] * 7, [int(n) for n in rng.integers(2, 30, 9)]
        for label in range(9):
            for k in rng.choice(7, 2, replace=False):
                inputs[k] |= 1 << label
        network = Network(inputs, 0b11, sizes)
        greedy = min(greedy_order(network, score)[0] for score in (difference, ratio))
        logs.append(np.log(greedy / cost(inputs, 0b11, sizes, optimal_order(network))))
    assert min(logs) >= 0
    assert np.exp(np.mean(logs)) < 1.3


def test_a_long_chain_is_joined_in_good_order():
    """1000 alternating 2 x 50 and 50 x 2 matrices: never make a 50 x 50 one."""
    n = 1000
    sizes = [2 if k % 2 == 0 else 50 for k in range(n + 1)]
    inputs = [0b11 << k for k in range(n)]
    output = 1 | 1 << n
    assert cost(inputs, output, sizes, contraction_order(inputs, output, sizes)) <= n / 2 * 200 + n / 2 * 8


def test_einsum_of_many_operands():
    rng = np.random.default_rng(4)
    matrices = [rng.normal(size=(3, 3)) for _ in range(100)]
    interleaved = [part for k, m in enumerate(matrices) for part in (m, [k, k + 1])]
    assert_allclose(einsum(*interleaved, [0, 100]), np.linalg.multi_dot(matrices))
    vectors = [rng.normal(size=2) for _ in range(12)]
    assert_allclose(einsum("a,b,c,d,e,f,g,h,i,j,k,l->", *vectors), np.prod([v.sum() for v in vectors]))
    assert_allclose(einsum(",".join("a" * 40) + "->a", *vectors[:1] * 40), vectors[0] ** 40)


def test_a_plan_makes_no_large_intermediate():
    x, a = np.ones(200), np.ones((200, 200))
    text = str(xform.make_jaxpr(lambda x: einsum("i,ij,jk,kl,l", x, a, a, a, x))(x))
    assert "200,200] = contract" not in text


# --- products of two ---

SHAPES = [
    (3,),
    (1,),
    (2, 3),
    (3, 2),
    (1, 3),
    (3, 1),
    (4, 2, 3),
    (4, 3, 2),
    (1, 3, 3),
    (5, 1, 3, 3),
    (4, 3, 3),
    (0, 3),
    (3, 0),
]


@pytest.mark.parametrize("name", ["matmul", "dot", "inner", "vecdot", "outer", "vdot", "matvec", "vecmat"])
@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.complex64])
def test_products_are_numpys_or_raise_as_it_does(name, dtype):
    numpys = getattr(np, name, None)
    if numpys is None:  # NumPy before 2.2
        numpys = {
            "matvec": lambda a, x: (a @ x[..., None])[..., 0],
            "vecmat": lambda x, a: (x.conj()[..., None, :] @ a)[..., 0, :],
        }[name]
    for s, t in itertools.product([(), *SHAPES], repeat=2):
        a, b = integers(s, 1, dtype), integers(t, 2, dtype)
        try:
            wanted = numpys(a, b)
        except ValueError:
            with pytest.raises(ValueError, match=f"{name}: shapes"):
                getattr(ours, name)(a, b)
        else:
            result = getattr(ours, name)(a, b)
            assert_array_equal(result, wanted, err_msg=f"{s} {t}")
            assert (np.shape(result), result.dtype) == (np.shape(wanted), np.asarray(wanted).dtype)


@pytest.mark.parametrize("axis", [0, 1, -2])
def test_vecdot_along_an_axis(axis):
    a, b = integers((2, 3, 4), 1, complex), integers((1, 3, 4) if axis == 1 else (2, 3, 4), 2, complex)
    assert_array_equal(vecdot(a, b, axis=axis), np.vecdot(a, b, axis=axis))


@pytest.mark.parametrize(
    "s, t, axes",
    [
        ((2, 3), (3, 4), 1),
        ((2, 3), (2, 3), ((0, 1), (0, 1))),
        ((2, 3), (3, 2), ((0, 1), (1, 0))),
        ((2, 3, 4), (4, 3, 5), ([1, 2], [1, 0])),
        ((2, 3, 4), (4, 3, 5), ([-2, -1], [1, -3])),
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (4,), 0),
        ((2, 3), (5, 3), (1, 1)),
        ((), (2,), 0),
    ],
)
def test_tensordot(s, t, axes):
    a, b = integers(s, 1), integers(t, 2)
    assert_array_equal(tensordot(a, b, axes), np.tensordot(a, b, axes))


@pytest.mark.parametrize(
    "axes, message",
    [
        (2, r"tensordot: shapes \(2,3\) and \(3,4\) do not contract over axes \(0, 1\) and \(0, 1\), of sizes"),
        (3, r"tensordot: axes=3 of operands of 2 and 2 axes"),
        (((0, 0), (0, 1)), "repeated axis"),
        (((0, 5), (0, 1)), "axis 5 is out of bounds"),
        (((0, 1), (0,)), "wanted equally many axes"),
    ],
)
def test_tensordot_says_what_is_wrong(axes, message):
    with pytest.raises((ValueError, IndexError), match=message):
        tensordot(np.ones((2, 3)), np.ones((3, 4)), axes)


@pytest.mark.parametrize(
    "s, t, message",
    [
        (
            (3, 4),
            (5, 6),
            r"\(3,4\) and \(5,6\) do not contract: the last axis of the first \(4\) must equal the second-to-last of",
        ),
        (
            (3, 4),
            (3,),
            r"shapes \(3,4\) and \(3,\) do not contract: the last axis of the first \(4\) must equal the last",
        ),
        ((), (3,), r"shapes \(\) and \(3,\) were given; wanted at least 1 and 1 axes: multiply by a scalar with \*"),
        ((2, 3, 3), (4, 3, 3), r"do not broadcast: their leading axes \(2,\) and \(4,\), aligned at the right"),
    ],
)
def test_matmul_says_what_is_wrong(s, t, message):
    with pytest.raises(ValueError, match=message):
        matmul(np.ones(s), np.ones(t))


def test_vdot_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"vdot: shapes \(6,\) and \(4,\) do not contract"):
        vdot(np.ones((2, 3)), np.ones((2, 2)))


@pytest.mark.parametrize(
    "s, t", [((2, 3), (3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((1, 2, 3), (4, 3, 2)), ((4, 1, 2, 3), (5, 3, 1))]
)
def test_gradients_of_broadcasting_matmul(s, t):
    a, b = integers(s, 1), integers(t, 2)
    bar = integers(np.shape(a @ b), 3)

    def f(a, b):
        return reduce_sum(matmul(a, b) * bar, axes=tuple(range(bar.ndim)))

    a_bar, b_bar = xform.grad(f, (0, 1))(a, b)
    assert (a_bar.shape, b_bar.shape) == (s, t)
    assert np.vdot(a_bar, a) == np.vdot(b_bar, b) == np.vdot(bar, a @ b)


def test_matmul_of_two_matrices_is_one_contraction():
    jaxpr = xform.make_jaxpr(matmul)(np.ones((2, 3)), np.ones((3, 4)))
    assert [eqn.prim.name for eqn in jaxpr.eqns] == ["contract"]
