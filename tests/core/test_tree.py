"""Pytrees: what is a container, the round trip, structures, maps, prefixes, depth."""

import dataclasses
import pickle
from collections import OrderedDict, defaultdict, namedtuple
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xform import tree_util
from xform.core import tree, tree_kinds
from xform.tree import static
from xform.tree_util import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    Partial,
    SequenceKey,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)

DEEP = 10_000

fixed = settings(derandomize=True, max_examples=60, deadline=None)


class Point(NamedTuple):
    x: object
    y: object


@register_dataclass
@dataclasses.dataclass
class Layer:
    W: object
    b: object
    name: str = static(default="dense")


@register_pytree_node_class
@dataclasses.dataclass
class Box:
    content: object
    label: str

    def tree_flatten(self):
        return iter([self.content]), self.label

    @classmethod
    def tree_unflatten(cls, label, children):
        return cls(*children, label)


@register_static
@dataclasses.dataclass(frozen=True)
class Mode:
    name: str


def containers(children):
    keys = st.text("abcd", max_size=2)
    dicts = st.dictionaries(keys, children, max_size=3)
    return st.one_of(
        st.lists(children, max_size=3),
        st.lists(children, max_size=3).map(tuple),
        dicts,
        dicts.map(OrderedDict),
        dicts.map(lambda d: defaultdict(list, d)),
        st.builds(Point, children, children),
        st.builds(Layer, children, children, st.sampled_from(["dense", "sparse"])),
        st.builds(Box, children, keys),
    )


leaf_values = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=2), st.booleans())
trees = st.recursive(st.one_of(leaf_values, st.none(), st.builds(Mode, st.text("ab", max_size=1))), containers)


def nest(make, depth=DEEP, leaf=1.0):
    """`leaf` inside `depth` containers."""
    x = leaf
    for _ in range(depth):
        x = make(x)
    return x


# ---- the round trip ----


@fixed
@given(trees)
def test_unflatten_inverts_flatten(x):
    leaves, treedef = tree.flatten(x)
    again = tree.unflatten(treedef, leaves)
    assert again == x
    assert type(again) is type(x)
    assert tree.structure(again) == treedef
    assert hash(tree.structure(again)) == hash(treedef)
    assert len(leaves) == treedef.num_leaves == treedef.nodes.count(None)


@fixed
@given(trees)
def test_map_of_the_identity_is_the_identity(x):
    assert tree.map(lambda leaf: leaf, x) == x
    assert tree.map(lambda first, second: second, x, x) == x
    assert tree.map_with_path(lambda path, leaf: leaf, x) == x


@fixed
@given(trees)
def test_paths_lead_to_their_leaves(x):
    pairs, treedef = tree.flatten_with_path(x)
    assert treedef == tree.structure(x)
    assert [leaf for _, leaf in pairs] == tree.leaves(x)
    assert len({path for path, _ in pairs}) == len(pairs)
    for path, leaf in pairs:
        assert follow(x, path) is leaf


def follow(x, path):
    for key in path:
        match key:
            case DictKey(k) | SequenceKey(k):
                x = x[k]
            case GetAttrKey(name):
                x = getattr(x, name)
            case FlattenedIndexKey(i):
                x = tree_util.flatten_one_level(x)[0][i]
    return x


@fixed
@given(trees)
def test_a_structure_is_made_of_its_childrens(x):
    treedef = tree.structure(x)
    children = treedef.children()
    assert sum(child.num_nodes for child in children) + 1 == treedef.num_nodes
    if treedef.node_data() is not None:
        subtrees, data = tree_util.flatten_one_level(x)
        assert treedef.node_data() == (type(x), data)
        assert children == [tree.structure(subtree) for subtree in subtrees]
    assert pickle.loads(pickle.dumps(treedef)) == treedef
    assert repr(treedef).count("*") == treedef.num_leaves


@fixed
@given(trees, trees)
def test_structures_are_equal_exactly_if_they_print_the_same(x, y):
    a, b = tree.structure(x), tree.structure(y)
    assert (a == b) == (repr(a) == repr(b))


@fixed
@given(trees, trees)
def test_composition(x, y):
    outer, inner = tree.structure(x), tree.structure(y)
    assert outer.compose(inner) == tree.structure(tree.map(lambda _: y, x))
    assert tree.treedef_tuple([outer, inner]) == tree.structure((x, y))


@fixed
@given(trees, trees)
def test_every_structure_is_a_prefix_of_what_is_composed_with_it(x, y):
    full = tree.map(lambda _: y, x)
    assert tree.structure(x).flatten_up_to(full) == [y] * tree.structure(x).num_leaves
    size = tree.structure(y).num_leaves
    assert tree.broadcast_prefix(x, full) == [leaf for leaf in tree.leaves(x) for _ in range(size)]
    assert tree.structure(tree.broadcast(x, full)) == tree.structure(full)


@fixed
@given(st.integers(1, 4), trees.filter(tree.leaves))
def test_transposing_twice_is_the_identity(n, inner):
    nested = [tree.map(lambda leaf, i=i: f"{i} {leaf}", inner) for i in range(n)]
    outer_treedef, inner_treedef = tree.structure([0] * n), tree.structure(inner)
    transposed = tree.transpose(outer_treedef, inner_treedef, nested)
    assert tree.structure(transposed) == inner_treedef.compose(outer_treedef)
    assert tree.transpose(inner_treedef, outer_treedef, transposed) == nested
    assert tree.transpose(outer_treedef, None, nested) == transposed


# ---- what is a container, and what is a leaf ----


@pytest.mark.parametrize(
    "x", [1, 2.0, 1j, True, "text", b"bytes", np.arange(3), np.float32(1), {1, 2}, range(3), object(), print, int]
)
def test_leaves(x):
    leaves, treedef = tree.flatten(x)
    assert len(leaves) == 1
    assert leaves[0] is x
    assert tree_util.treedef_is_leaf(treedef)
    assert not tree_util.is_tree_node(type(x))


def test_subclasses_of_containers_are_leaves_unless_registered():
    class MyList(list):
        pass

    class MyDict(dict):
        pass

    xs = [MyList([1]), MyDict(a=1)]
    assert tree.leaves(xs) == xs


def test_a_namedtuple_and_a_class_derived_from_one_are_containers():
    class Derived(namedtuple("Base", "a b")):
        __slots__ = ()

        def __new__(cls, both):
            return super().__new__(cls, both, both)

    again = tree.map(lambda x: x + 1, Derived(1))
    assert type(again) is Derived
    assert again == (2, 2)


def test_the_results_of_numpys_linalg_are_containers():
    eig = np.linalg.eigh(np.eye(2))
    assert [tree.keystr(path) for path, _ in tree.leaves_with_path(eig)] == [".eigenvalues", ".eigenvectors"]


def test_none_is_a_container_without_leaves():
    assert tree.leaves([None, 1, None]) == [1]
    assert tree.leaves([None, 1], is_leaf=lambda x: x is None) == [None, 1]
    assert tree.map(lambda x: x, {"a": None}) == {"a": None}


def test_the_order_of_dicts():
    assert tree.leaves({"b": 1, "a": 2}) == [2, 1]
    assert tree.structure({"b": 1, "a": 2}) == tree.structure({"a": 1, "b": 2})
    assert tree.leaves(defaultdict(int, b=1, a=2)) == [2, 1]
    assert tree.leaves(OrderedDict(b=1, a=2)) == [1, 2]
    assert tree.structure(OrderedDict(b=1, a=2)) != tree.structure(OrderedDict(a=1, b=2))


def test_keys_of_several_types_are_grouped_by_type():
    x, y = {"b": 1, 2: 2, "a": 3, 1: 4}, {1: 4, "a": 3, 2: 2, "b": 1}
    assert tree.leaves(x) == tree.leaves(y) == [4, 2, 3, 1]
    assert tree.structure(x) == tree.structure(y)
    assert tree.map(lambda leaf: leaf, x) == x


def test_keys_that_cannot_be_sorted_are_an_error():
    with pytest.raises(ValueError, match=r"keys of a dict .* cannot be sorted.*OrderedDict"):
        tree.flatten({1j: 1, 2j: 2})
    assert tree.leaves(OrderedDict([(2j, 1), (1j, 2)])) == [1, 2]


def test_defaultdicts_keep_their_factory():
    again = tree.map(lambda x: x + 1, defaultdict(list, a=1))
    assert again["a"] == 2
    assert again["new"] == []


def test_is_leaf():
    x = [(1, 2), {"a": (3, 4)}]
    leaves, treedef = tree.flatten(x, is_leaf=lambda y: isinstance(y, tuple))
    assert leaves == [(1, 2), (3, 4)]
    assert treedef == tree.structure([0, {"a": 0}])
    assert tree.flatten(x, is_leaf=lambda y: True) == ([x], tree.structure(0))
    assert tree.map(sum, x, is_leaf=lambda y: isinstance(y, tuple)) == [3, {"a": 7}]


def test_is_leaf_may_ask_for_the_path():
    x = {"a": [1, 2], "b": [3, 4]}
    pairs = tree.leaves_with_path(x, is_leaf=lambda path, _: path == (DictKey("a"),), is_leaf_takes_path=True)
    assert [leaf for _, leaf in pairs] == [[1, 2], 3, 4]
    doubled = tree.map_with_path(
        lambda path, y: y * 2, x, is_leaf=lambda path, _: len(path) == 1, is_leaf_takes_path=True
    )
    assert doubled == {"a": [1, 2, 1, 2], "b": [3, 4, 3, 4]}


def test_the_cache_of_types_is_bounded(monkeypatch):
    monkeypatch.setattr(type(tree_kinds.KINDS), "CAPACITY", 40)
    made = [namedtuple(f"Made{i}", "a b") for i in range(100)]
    structures = [tree.structure(cls([1, 2], 3)) for cls in made]
    for cls, treedef in zip(made, structures, strict=True):
        assert tree.structure(cls([0, 0], 0)) == treedef
        assert tree.unflatten(treedef, [1, 2, 3]) == cls([1, 2], 3)
    assert len(tree_kinds.KINDS) <= 40
    assert tree.leaves([Point(1, 2), Layer(3, 4)]) == [1, 2, 3, 4]


# ---- structures ----


@pytest.mark.parametrize(
    "x, text",
    [
        (1.0, "*"),
        (None, "None"),
        ((), "()"),
        ([], "[]"),
        ({}, "{}"),
        ((1,), "(*,)"),
        ({"a": 1, "b": (2, 3)}, "{'a': *, 'b': (*, *)}"),
        ([None, {1: [()]}], "[None, {1: [()]}]"),
        (Point(1, [2]), "CustomNode(namedtuple[Point], [*, [*]])"),
        (OrderedDict(b=1, a=2), "CustomNode(OrderedDict[('b', 'a')], [*, *])"),
        (defaultdict(int, a=1), "CustomNode(defaultdict[(<class 'int'>, ('a',))], [*])"),
        (Layer(1, 2), "CustomNode(Layer[('dense',)], [*, *])"),
        (Box(1, "label"), "CustomNode(Box[label], [*])"),
    ],
)
def test_printing(x, text):
    assert str(tree.structure(x)) == f"PyTreeDef({text})"


def test_structures_as_keys_of_a_dict():
    cache = {tree.structure({"a": 1, "b": (2, 3)}): "found"}
    assert cache[tree.structure({"b": (0, 0), "a": 0})] == "found"
    assert tree.structure([1, 2]) not in cache
    assert tree.structure([1]) != [1]


def test_counts_and_node_data():
    treedef = tree.structure({"a": [1, 2], "b": None})
    assert (treedef.num_leaves, treedef.num_nodes) == (2, 5)
    assert treedef.node_data() == (dict, ("a", "b"))
    assert tree.structure(1).node_data() is None
    assert tree.structure(None).node_data() == (type(None), None)
    assert tree.structure(1).children() == []
    assert tree_util.treedef_children(treedef) == [tree.structure([1, 2]), tree.structure(None)]


def test_unflatten_wants_the_right_number_of_leaves():
    treedef = tree.structure({"a": 1, "b": 2})
    assert treedef.unflatten(iter([1, 2])) == {"a": 1, "b": 2}
    for leaves in [[1], [1, 2, 3]]:
        with pytest.raises(ValueError, match=rf"has 2 leaves, but {len(leaves)} were given"):
            treedef.unflatten(leaves)
    with pytest.raises(TypeError, match="wants a structure first"):
        tree.unflatten([1, 2], treedef)


def test_unflatten_does_not_hand_out_the_list_it_was_given():
    leaves = [1, 2]
    again = tree.unflatten(tree.structure([0, 0]), leaves)
    again.append(3)
    assert leaves == [1, 2]


class Forgotten:
    pass


def test_a_pickled_structure_wants_its_classes_registered():
    pickled = pickle.dumps(tree.TreeDef(((Forgotten, None, 0),), 0))
    with pytest.raises(TypeError, match=r"Forgotten, which is not registered as a pytree node in this process"):
        pickle.loads(pickled)


def test_metadata_that_cannot_be_hashed_or_compared_is_named():
    x, y = Box(1, ["a", "list"]), Box(1, np.zeros(2))
    with pytest.raises(TypeError, match="metadata of Box cannot be hashed"):
        hash(tree.structure([x]))
    assert tree.structure(x) == tree.structure(Box(2, ["a", "list"]))
    assert tree.structure(y) == tree.structure(y)
    with pytest.raises(TypeError, match="metadata of Box cannot be compared"):
        assert tree.structure(y) == tree.structure(Box(1, np.zeros(2)))


# ---- key paths ----


def test_keystr():
    x = {"a": [1, Point(2, OrderedDict(z=3))], "b": (Box(4, ""),)}
    paths = [path for path, _ in tree.leaves_with_path(x)]
    assert [tree.keystr(path) for path in paths] == [
        "['a'][0]",
        "['a'][1].x",
        "['a'][1].y['z']",
        "['b'][0][<flat index 0>]",
    ]
    assert [tree.keystr(path, simple=True, separator="/") for path in paths] == ["a/0", "a/1/x", "a/1/y/z", "b/0/0"]
    assert tree.keystr(()) == ""
    assert tree.keystr(("own key", 3)) == "own key3"


def test_keys_are_values():
    assert len({DictKey("a"), DictKey("a"), GetAttrKey("a"), SequenceKey(0), FlattenedIndexKey(0)}) == 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        DictKey("a").key = "b"


# ---- maps and folds ----


def test_a_map_may_take_whole_subtrees_of_later_trees():
    assert tree.map(lambda x, y: (x, y), {"a": 1}, {"a": [2, 3]}) == {"a": (1, [2, 3])}


@pytest.mark.parametrize(
    "first, second, message",
    [
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, r"at \['a'\] there is a list of length 2 in .* but a list of length 3"),
        ({"a": [1, 2]}, {"b": [1, 2]}, r"at the root there is a dict with keys \['a'\] in .* keys \['b'\]"),
        ([0, {"a": [1]}], [0, {"a": (1,)}], r"at \[1\]\['a'\] there is a list .* but a tuple of length 1"),
        ([[1]], [1.0], r"at \[0\] there is a list of length 1 in .* but a leaf of type float"),
        ([None], [1.0], r"there is None in .* but a leaf of type float.*is_leaf=lambda x: x is None"),
        (Point(1, (2,)), Point(1, 2), r"at \.y there is a tuple"),
        (Point(1, 2), (1, 2), r"a [\w.]*Point of length 2 in .* but a tuple of length 2"),
        (Layer(1, 2, "a"), Layer(1, 2, "b"), r"Layer with metadata \('a',\) .*Layer with metadata \('b',\)"),
        (defaultdict(list, a=1), defaultdict(int, a=1), "default factories differ"),
        (OrderedDict(a=1), {"a": 1}, r"an OrderedDict with keys \['a'\] in .* but a dict"),
    ],
)
def test_trees_of_different_structures_are_named_with_the_path(first, second, message):
    with pytest.raises(ValueError, match=message) as caught:
        tree.map(lambda *xs: xs, first, first, second)
    assert "tree 1 of the map is not a prefix of tree 3" in str(caught.value)
    assert str(tree.structure(first)) in str(caught.value)
    assert str(tree.structure(second)) in str(caught.value)


def test_a_class_defined_twice_is_recognised():
    first, second = (namedtuple("Again", "a") for _ in range(2))
    with pytest.raises(ValueError, match="two classes of the same name"):
        tree.map(max, first(1), second(2))


def test_all_and_reduce():
    assert tree.all({"a": 1, "b": [True]})
    assert not tree.all({"a": 1, "b": [0]})
    assert tree.all(None)
    assert tree.reduce(lambda x, y: f"({x}{y})", ["a", ("b", "c")]) == "((ab)c)"
    assert tree.reduce(lambda x, y: x + y, [1, 2], 10) == 13
    assert tree.reduce(lambda x, y: x + y, [], None) is None
    with pytest.raises(TypeError, match="needs an initializer"):
        tree.reduce(max, [None])


@pytest.mark.parametrize(
    "leaves, expected", [("a", "a"), ("ab", "(ab)"), ("abc", "((ab)c)"), ("abcdef", "(((ab)(cd))(ef))")]
)
def test_reduce_associative_is_balanced(leaves, expected):
    assert tree.reduce_associative(lambda x, y: f"({x}{y})", list(leaves)) == expected


def test_reduce_associative_without_leaves():
    assert tree.reduce_associative(max, [], identity=0) == 0
    with pytest.raises(TypeError, match="needs an identity"):
        tree.reduce_associative(max, [])


def test_all_leaves_and_one_level():
    assert tree_util.all_leaves([1, "a"])
    assert not tree_util.all_leaves([1, ()])
    assert tree_util.all_leaves([1, ()], is_leaf=lambda x: x == ())
    with pytest.raises(ValueError, match="a float is a leaf"):
        tree_util.flatten_one_level(1.0)


# ---- prefixes ----


def test_broadcast_prefix_where_none_is_a_leaf():
    def none(x):
        return x is None

    full = ({"a": 1, "b": (2, None)}, 3)
    assert tree.broadcast_prefix(None, full, is_leaf=none) == [None, None, None]
    assert tree.broadcast_prefix((0, None), full, is_leaf=none) == [0, 0, None]
    assert tree.broadcast_prefix(({"a": None, "b": 1}, 0), full, is_leaf=none) == [None, 1, 0]
    assert len(tree.broadcast_prefix(0, full)) == len(tree.leaves(full))


def test_a_wrong_prefix_is_named_as_the_caller_says_with_the_path():
    with pytest.raises(
        ValueError, match=r"vmap in_axes is not a prefix of the arguments: at \[1\]\['w'\] there is"
    ) as e:
        tree.broadcast_prefix(
            (0, {"w": [0, 0]}), (1.0, {"w": (2.0, 3.0)}), name="vmap in_axes", full_name="the arguments"
        )
    assert "a list of length 2 in vmap in_axes but a tuple of length 2 in the arguments" in str(e.value)
    assert "vmap in_axes: PyTreeDef((*, {'w': [*, *]}))" in str(e.value)
    assert "the arguments: PyTreeDef((*, {'w': (*, *)}))" in str(e.value)


def test_transpose_errors():
    pair, triple = tree.structure([0, 0]), tree.structure((0, 0, 0))
    with pytest.raises(ValueError, match=r"at \[1\] there is a tuple of length 3 in .* but a tuple of length 2"):
        tree.transpose(pair, triple, [(1, 2, 3), (4, 5)])
    with pytest.raises(ValueError, match=r"wants a tree of structure .*\(\*, \*, \*\)\]\), got"):
        tree.transpose(pair, triple, [(1, 2, 3), (4, 5, [6])])
    with pytest.raises(ValueError, match="cannot infer inner_treedef"):
        tree.transpose(tree.structure([]), None, [])
    assert tree.transpose(tree.structure([]), pair, []) == [[], []]


# ---- registration ----


def test_a_class_with_keys():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    def with_keys(x):
        return [("first", x.a), ("second", x.b)], None

    register_pytree_with_keys(Pair, with_keys, lambda _, children: Pair(*children))
    assert tree.leaves_with_path(Pair(1, 2)) == [(("first",), 1), (("second",), 2)]
    assert tree.map(lambda x: x + 1, Pair(1, 2)).b == 3


def test_a_class_with_methods_and_keys():
    @register_pytree_with_keys_class
    class Pair:
        def __init__(self, *items):
            self.items = items

        def tree_flatten_with_keys(self):
            return ((GetAttrKey(name), x) for name, x in zip("ab", self.items, strict=True)), None

        @classmethod
        def tree_unflatten(cls, _, children):
            assert type(children) is tuple
            return cls(*children)

    assert [tree.keystr(path) for path, _ in tree.leaves_with_path([Pair(1, 2)])] == ["[0].a", "[0].b"]
    assert tree.map(lambda x: x + 1, Pair(1, 2)).items == (2, 3)


def test_keys_must_be_as_many_as_children():
    class Odd:
        pass

    register_pytree_node(Odd, lambda x: ((1, 2), None), lambda _, children: Odd(), lambda x: ([("k", 1)], None))
    with pytest.raises(ValueError, match="flattens to 2 children, but with keys to 1"):
        tree.leaves_with_path(Odd())


@pytest.mark.parametrize(
    "result, message",
    [
        ([1, 2], r"must return a pair \(children, metadata\)"),
        ((1, None), "must return an iterable of children first, got 1"),
    ],
)
def test_flatten_functions_are_checked(result, message):
    class Bad:
        pass

    register_pytree_node(Bad, lambda x: result, lambda _, children: Bad())
    with pytest.raises(TypeError, match=f"flatten function of .*Bad {message}"):
        tree.flatten([Bad()])


def test_registration_errors():
    with pytest.raises(ValueError, match=r"builtins\.list is registered as a pytree node already"):
        register_pytree_node(list, lambda x: (x, None), lambda _, children: list(children))
    with pytest.raises(ValueError, match="Box is registered"):
        register_static(Box)
    with pytest.raises(TypeError, match="must be a class"):
        register_static(Box(1, ""))
    with pytest.raises(TypeError, match="wants two functions, got str and NoneType"):
        register_pytree_node(object, "flatten", None)


def test_registration_overrides_what_was_seen_as_a_leaf_or_namedtuple():
    class Late:
        pass

    Seen = namedtuple("Seen", "a b")
    assert len(tree.leaves([Late(), Seen(1, 2)])) == 3
    register_pytree_node(Late, lambda x: ((), None), lambda _, children: Late())
    register_pytree_node(Seen, lambda x: (x[:1], x[1]), lambda b, children: Seen(*children, b))
    assert tree.leaves([Late(), Seen(1, 2)]) == [1]


def test_static_values_are_structure():
    assert tree.leaves([Mode("a"), 1]) == [1]
    assert tree.structure(Mode("a")) == tree.structure(Mode("a"))
    assert tree.structure(Mode("a")) != tree.structure(Mode("b"))
    assert tree.map(lambda x: x, {"mode": Mode("a")}) == {"mode": Mode("a")}


def test_dataclasses():
    x = Layer(1.0, {"b": 2.0}, "name")
    assert [tree.keystr(path) for path, _ in tree.leaves_with_path(x)] == [".W", ".b['b']"]
    assert tree.map(lambda y: y * 2, x) == Layer(2.0, {"b": 4.0}, "name")
    assert tree.structure(x) != tree.structure(Layer(1.0, {"b": 2.0}, "other"))


def test_dataclass_fields_by_name():
    @partial(register_dataclass, data_fields=["x"], meta_fields=["n"], drop_fields=["cache"])
    @dataclasses.dataclass(frozen=True)
    class A:
        n: int
        x: float
        cache: int = 0
        size: int = dataclasses.field(init=False, default=7)

    assert tree.map(lambda x: -x, A(3, 1.0, 99)) == A(3, -1.0, 0)

    @partial(register_dataclass, meta_fields=["n"])
    @dataclasses.dataclass
    class B:
        n: int
        x: float

    @partial(register_dataclass, data_fields=["x"])
    @dataclasses.dataclass
    class C:
        n: int
        x: float

    assert tree.leaves([B(1, 2.0), C(1, 3.0)]) == [2.0, 3.0]


@pytest.mark.parametrize(
    "lists", [{"data_fields": ["a"], "meta_fields": []}, {"data_fields": ["a", "b"], "meta_fields": ["b"]},
              {"meta_fields": ["c"]}, {"data_fields": ["a", "b", "c"], "meta_fields": []}]
)  # fmt: skip
def test_dataclass_fields_must_be_complete(lists):
    @dataclasses.dataclass
    class A:
        a: int
        b: int

    with pytest.raises(ValueError, match=r"must name every __init__ field of .*A once: \['a', 'b'\]"):
        register_dataclass(A, **lists)


def test_a_class_that_is_no_dataclass_needs_both_lists():
    class A:
        def __init__(self, a, n):
            self.a, self.n = a, n

    with pytest.raises(TypeError, match="is not a dataclass"):
        register_dataclass(A, data_fields=["a"])
    register_dataclass(A, ["a"], ["n"])
    assert tree.leaves(A(1, 2)) == [1]


# ---- partial applications ----


def test_partial_binds_leaves():
    p = Partial(pow, 2, mod=5)
    assert p(3) == 3
    assert tree.leaves(p) == [2, 5]
    assert [tree.keystr(path) for path, _ in tree.leaves_with_path(p)] == [".args[0]", ".keywords['mod']"]
    assert tree.map(lambda x: x + 1, p)(2) == 3  # 3 ** 2 % 6
    assert str(tree.structure(p)) == "PyTreeDef(CustomNode(Partial[<built-in function pow>], [(*,), {'mod': *}]))"
    assert tree.structure(p) == tree.structure(Partial(pow, 7, mod=8))


def test_partial_of_partial():
    merged = Partial(Partial(divmod, 17), 5)
    assert tree.leaves(merged) == [17, 5]
    assert merged() == (3, 2)

    inner = partial(divmod, 17)
    hidden = Partial(inner, 5)
    assert tree.leaves(hidden) == [5]
    again = tree.map(lambda x: x + 1, hidden)
    assert again() == (2, 5)
    assert tree.structure(again) == tree.structure(hidden)
    assert tree.structure(hidden) != tree.structure(Partial(partial(divmod, 17), 5))


# ---- depth ----

DEEP_CONTAINERS = {
    "list": lambda x: [x],
    "tuple": lambda x: (x, 2.0),
    "dict": lambda x: {"a": x},
    "OrderedDict": lambda x: OrderedDict(a=x),
    "namedtuple": lambda x: Point(x, None),
    "dataclass": lambda x: Layer(1.0, x),
    "methods": lambda x: Box(x, ""),
    "partial": lambda x: Partial(max, x),
}


@pytest.mark.parametrize("make", DEEP_CONTAINERS.values(), ids=DEEP_CONTAINERS)
def test_deep_containers(make):
    x, y = nest(make), nest(make)
    leaves, treedef = tree.flatten(x)
    again = tree.unflatten(treedef, leaves)
    assert tree.leaves(again) == leaves
    equal = tree.structure(y) == treedef  # computed outside of assert, which would print the trees if it failed
    assert equal
    assert hash(tree.structure(y)) == hash(treedef)
    assert tree.leaves(tree.map(lambda a, b: a + b, x, y)) == [2 * leaf for leaf in leaves]
    assert repr(treedef).count("*") == treedef.num_leaves
    assert tree.broadcast_prefix(0, x) == [0] * treedef.num_leaves
    assert treedef.children()[0].num_nodes < treedef.num_nodes


def test_deep_paths_and_deep_mismatches():
    x = nest(lambda x: [x])
    ((path, leaf),) = tree.leaves_with_path(x)
    assert len(path) == DEEP
    assert leaf == 1.0
    with pytest.raises(ValueError, match=r"there is a list of length 1 .* but a tuple of length 0") as caught:
        tree.map(lambda a, b: a, nest(lambda x: [x], leaf=[1.0]), nest(lambda x: [x], leaf=()))
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("size", [0, 300])
def test_a_container_that_contains_itself_is_an_error(size):
    x = {"a": [0.0] * size, "b": [1.0]}
    x["b"].append({"back": x})
    with pytest.raises(ValueError, match=r"the dict at \['b'\]\[1\]\['back'\] of the tree contains itself"):
        tree.flatten(x)
    with pytest.raises(ValueError, match="contains itself"):
        tree.leaves_with_path(x)
    assert len(tree.leaves(x, is_leaf=lambda y: isinstance(y, dict) and "back" in y)) == size + 2


def test_a_container_met_twice_is_not_one_that_contains_itself():
    shared = [1.0]
    x = nest(lambda x: [shared, x, shared], depth=300)
    assert len(tree.leaves(x)) == len(tree.leaves_with_path(x)) == 601
