"""The streams themselves: Philox as it is defined, golden words, and that no two uses of a key meet."""

import itertools
import threading

import numpy as np
import pytest
import scipy.stats as st

import xform
import xform.random as random
from tests.messages import says
from xform.ops.random import philox
from xform.ops.random.random_bits import start

LAST = 2**64 - 1


def block(counter, key):
    """Philox 4x64-10 of the paper, on Python's integers."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (b >> 64) ^ c1 ^ k0, b & LAST, (a >> 64) ^ c3 ^ k1, a & LAST
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & LAST, (k1 + 0xBB67AE8584CAA73B) & LAST
    return [c0, c1, c2, c3]


def stream(key, purpose, count):
    key = [int(k) for k in key]
    blocks = (block((k, 0, 0, purpose), key) for k in itertools.count())
    return list(itertools.islice(itertools.chain.from_iterable(blocks), count))


def test_known_answers():
    """Vectors of the authors' implementation (Random123, kat_vectors)."""
    assert block((0, 0, 0, 0), (0, 0)) == [
        0x16554D9ECA36314C,
        0xDB20FE9D672D0FDC,
        0xD7E772CEE186176B,
        0x7E68B68AEC7BA23B,
    ]
    ones = np.full((1, 4), LAST, np.uint64)
    assert philox.words(ones[:, :2], ones, 4)[0].tolist() == block([LAST] * 4, [LAST] * 2)


def test_golden_words():
    """Digit for digit: a change of the streams is a change for everyone who has noted a seed."""
    key = random.key(2024)
    assert random.bits(key, (3,)).tolist() == GOLDEN["bits"]
    assert random.split(key).ravel().tolist() == GOLDEN["split"]
    assert random.fold_in(key, 5).tolist() == GOLDEN["fold_in"]
    assert random.randint(key, (8,), 0, 100).tolist() == GOLDEN["randint"]
    assert random.permutation(key, 8).tolist() == GOLDEN["permutation"]
    assert random.poisson(key, 20.0, (6,)).tolist() == GOLDEN["poisson"]
    assert [x.hex() for x in random.uniform(key, (3,))] == GOLDEN["uniform"]
    np.testing.assert_allclose(random.normal(key, (3,)), GOLDEN["normal"], rtol=1e-15)
    np.testing.assert_allclose(random.gamma(key, np.array([0.5, 3.0])), GOLDEN["gamma"], rtol=1e-14)


GOLDEN = {
    "bits": [14423518057318687227, 15785082701524207917, 17362524089808876015],
    "split": [8393388558137729477, 9692054706162214670, 8557621344344222067, 7538679012459630567],
    "fold_in": [11160827104222474603, 15170492863514150692],
    "randint": [78, 85, 94, 88, 75, 65, 83, 82],
    "permutation": [5, 4, 0, 7, 6, 1, 3, 2],
    "poisson": [20, 23, 22, 25, 17, 23],
    "uniform": ["0x1.9055428213d34p-1", "0x1.b61fc22b0d071p-1", "0x1.e1e827569270ep-1"],
    "normal": [0.778627730929368, 1.0612464734585447, 1.5651345403732768],
    "gamma": [1.3699225935860024, 3.6000108572706178],
}


def test_streams_are_those_that_are_documented():
    key = random.split(random.key(99))[1]
    assert random.bits(key, (2, 5)).ravel().tolist() == stream(key, 0, 10)
    assert random.split(key, (3, 2)).ravel().tolist() == stream(key, 1, 12)
    assert random.fold_in(key, 17).tolist() == block((17, 0, 0, 2), [int(k) for k in key])[:2]
    assert random.fold_in(key, -1).tolist() == block((LAST, 0, 0, 2), [int(k) for k in key])[:2]
    assert random.key(-3).tolist() == [2**64 - 3, 0]


@pytest.mark.parametrize("dtype", [np.uint32, np.uint16, np.uint8])
def test_narrow_bits_are_the_parts_of_words(dtype):
    key, parts = random.key(4), 8 // np.dtype(dtype).itemsize
    words = random.bits(key, (3,))
    wanted = [int(w) >> (64 // parts * k) & (2 ** (64 // parts) - 1) for w in words for k in range(parts)]
    assert random.bits(key, (3 * parts,), dtype).tolist() == wanted
    assert random.bits(key, (3 * parts - 1,), dtype).tolist() == wanted[:-1]


def test_arrays_over_streams_and_loops_over_streams_are_equal():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, LAST, (300, 2), np.uint64, endpoint=True)
    counters = rng.integers(0, LAST, (300, 4), np.uint64, endpoint=True)
    counters[:60, 0], counters[:40, 1], counters[:20], counters[60] = LAST - 1, LAST, LAST, 0
    together = philox.words(keys, counters, 13)
    alone = np.concatenate([philox.words(keys[k : k + 1], counters[k : k + 1], 13) for k in range(300)])
    assert (together == alone).all()
    assert (philox.words(keys, counters, 0).shape) == (300, 0)


def test_more_keys_begin_with_fewer():
    key = random.key(0)
    assert (random.split(key, 10)[:3] == random.split(key, 3)).all()
    assert random.split(key, 0).shape == (0, 2)
    assert (random.bits(key, (100,))[:7] == random.bits(key, (7,))).all()


def test_uses_of_a_key_do_not_meet():
    key = random.key(1)
    words = [random.bits(key, (400,)), random.split(key, 200).ravel()]
    words += [random.fold_in(key, k) for k in range(200)]
    words += [philox.words(key[None], start(purpose)[None], 400)[0] for purpose in (3, 4, 5)]
    flat = np.concatenate(words)
    assert len(set(flat.tolist())) == len(flat)


def test_streams_of_different_keys_are_independent():
    keys = [*random.split(random.key(0), 6), *(random.fold_in(random.key(0), k) for k in range(6))]
    keys += [random.key(seed) for seed in range(6)]
    x = np.stack([random.normal(k, (4000,)) for k in keys])
    correlations = np.corrcoef(x)[np.triu_indices(len(keys), 1)]
    assert np.abs(correlations).max() < 4.5 / 4000**0.5
    assert st.kstest(correlations * 4000**0.5, st.norm().cdf).pvalue > 1e-3


def test_neighbours_in_a_stream_are_independent():
    x = random.normal(random.key(3), (20000,))
    for lag in (1, 2, 3, 4, 8):
        assert abs(np.mean(x[lag:] * x[:-lag])) < 4 / 20000**0.5


def test_keys_under_transformations():
    key = random.key(7)
    assert (xform.vmap(random.key)(np.arange(3)) == [random.key(s) for s in range(3)]).all()
    folded = xform.vmap(random.fold_in, (None, 0))(key, np.arange(300))
    assert (folded == [random.fold_in(key, k) for k in range(300)]).all()
    keys = xform.vmap(random.split)(folded)
    assert (keys == [random.split(k) for k in folded]).all()
    nested = xform.vmap(xform.vmap(lambda k: random.bits(k, (3,))))(keys)
    assert (nested == [[random.bits(k, (3,)) for k in row] for row in keys]).all()
    compiled = xform.jit(lambda key, i: random.fold_in(random.split(key)[0], i))
    assert (compiled(key, 5) == random.fold_in(random.split(key)[0], 5)).all()
    assert "random_bits" in str(xform.make_jaxpr(random.split)(key))


def test_a_key_is_the_carry_of_a_scan():
    def step(key, _):
        key, part = random.split(key)
        return key, random.uniform(part)

    last, xs = xform.lax.scan(step, random.key(3), None, 20)
    key, wanted = random.key(3), []
    for _ in range(20):
        key, x = step(key, None)
        wanted.append(x)
    assert (last == key).all()
    assert (xs == wanted).all()
    assert (xform.jit(lambda key: xform.lax.scan(step, key, None, 20)[1])(random.key(3)) == wanted).all()


def test_keys_are_leaves_of_trees():
    tree = {"key": random.key(0), "x": 1.0}
    assert [leaf.shape if hasattr(leaf, "shape") else () for leaf in xform.tree.leaves(tree)] == [(2,), ()]


def test_threads_do_not_disturb_each_other():
    wanted, found = random.bits(random.key(5), (1000,)), []

    def work():
        found.extend((random.bits(random.key(5), (1000,)) == wanted).all() for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(found)


def test_the_state_of_numpy_is_left_alone():
    np.random.seed(0)  # noqa: NPY002  (the legacy state is what is tested)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    random.normal(random.key(0), (10,))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_key_data():
    keys = random.split(random.key(0), 3)
    assert random.key_data(keys) is keys
    assert random.wrap_key_data(keys) is keys
    assert random.clone(keys[0]).tolist() == keys[0].tolist()
    assert random.key_impl(keys) == "philox4x64"
    assert random.key_dtype() == np.uint64
    assert random.PRNGKey(5).tolist() == random.key(5, impl="philox4x64").tolist() == [5, 0]


def test_errors_of_keys():
    key = random.key(0)
    with says(TypeError, "key", "seed of dtype float64", "integer"):
        random.key(1.5)
    with says(TypeError, "seed", "bool"):
        random.key(True)
    with says(ValueError, "shape (3,)", "vmap"):
        random.key(np.arange(3))
    with says(OverflowError, "64 bits"):
        random.key(2**64)
    with says(ValueError, "impl='threefry2x32'", "philox4x64"):
        random.key(0, impl="threefry2x32")
    with says(TypeError, "normal", "int64", "random.key(seed)"):
        random.normal(5)
    with says(TypeError, "uniform", "uint32"):
        random.uniform(np.zeros(2, np.uint32))
    with says(ValueError, "gamma", "(4, 2)", "vmap"):
        random.gamma(random.split(key, 4), 1.0)
    with says(ValueError, "split", "(3,)"):
        random.split(np.zeros(3, np.uint64))
    with says(TypeError, "fold_in", "data of dtype float64"):
        random.fold_in(key, 0.5)
    with says(TypeError, "split", "integers that are known"):
        random.split(key, 2.5)
    with says(ValueError, "split", "(-1,)"):
        random.split(key, -1)
    with says(TypeError, "bits", "int64", "uint64"):
        random.bits(key, (), np.int64)
    with says(TypeError, "wrap_key_data", "uint64"):
        random.wrap_key_data(np.zeros(2))
    with says(ValueError, "key_data", "(3,)"):
        random.key_data(np.zeros(3, np.uint64))
