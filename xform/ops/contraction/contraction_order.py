"""In which order to contract a network of arrays, two at a time, so that it costs the fewest multiplications.

A label set is a bit mask over the labels. Contracting arrays with labels a and b costs the product of the sizes of all
labels of a | b, and leaves those that the result or another array still needs. Up to `OPTIMAL_UP_TO` arrays the order
is optimal, found by dynamic programming over subsets of the arrays; beyond that the better of two greedy orders.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from itertools import count, islice

#: 3^n / 2 splits are looked at: 3281 for eight arrays, some milliseconds.
OPTIMAL_UP_TO = 8
#: Greedy orders look for at most so many partners of an array per label, which bounds the work for a label of them all.
PARTNERS = 16

Order = list[tuple[int, int]]


class Network:
    """The label sets of the arrays and of the result, and the sizes of the labels."""

    def __init__(self, inputs: Sequence[int], output: int, sizes: Sequence[int]) -> None:
        self.inputs, self.output, self.sizes = list(inputs), output, sizes
        self._volume: dict[int, int] = {}

    def volume(self, labels: int) -> int:
        """The product of the sizes of a set of labels."""
        if labels not in self._volume:
            self._volume[labels], rest = 1, labels
            while rest:
                low = rest & -rest
                self._volume[labels] *= self.sizes[low.bit_length() - 1]
                rest ^= low
        return self._volume[labels]


def contraction_order(inputs: Sequence[int], output: int, sizes: Sequence[int]) -> Order:
    """Pairs of arrays to contract; the k-th result is numbered len(inputs) + k.

    `sizes[n]` belongs to the label of bit n. What one array alone has and the result does not want is summed before.
    """
    network = Network(inputs, output, sizes)
    if len(inputs) <= 2:
        return [(0, 1)] if len(inputs) == 2 else []
    if len(inputs) <= OPTIMAL_UP_TO:
        return optimal_order(network)
    return min((greedy_order(network, score) for score in (difference, ratio)), key=lambda found: found[0])[1]


def optimal_order(network: Network) -> Order:
    """Best cost of each subset S of the arrays: the least over its splits A | B of cost A + cost B + volume(a | b)."""
    n = len(network.inputs)
    labels = subset_labels(network)
    best: list[tuple[int, int]] = [(0, 0)] * (1 << n)  # cost, and the labels held in memory on the way
    split = [0] * (1 << n)
    for subset in range(1, 1 << n):
        low = subset & -subset
        part = (subset - 1) & subset
        found: tuple[int, int] | None = None
        while part:
            if part & low:
                other = subset ^ part
                flops = best[part][0] + best[other][0] + network.volume(labels[part] | labels[other])
                cost = flops, best[part][1] + best[other][1] + network.volume(labels[subset])
                if found is None or cost < found:
                    found, split[subset] = cost, part
            part = (part - 1) & subset
        best[subset] = found or (0, 0)
    return as_order(split, n)


def subset_labels(network: Network) -> list[int]:
    """For each subset of the arrays, the labels of its product that the result or another array needs."""
    n = len(network.inputs)
    union = [0] * (1 << n)
    for subset in range(1, 1 << n):
        low = subset & -subset
        union[subset] = union[subset ^ low] | network.inputs[low.bit_length() - 1]
    everything = (1 << n) - 1
    return [u & (network.output | union[everything ^ subset]) for subset, u in enumerate(union)]


def as_order(split: Sequence[int], n: int) -> Order:
    """The tree of splits, read from the leaves up."""
    subsets, todo = [], [(1 << n) - 1]
    while todo:
        subset = todo.pop()
        if split[subset]:
            subsets.append(subset)
            todo += [split[subset], subset ^ split[subset]]
    number = {1 << k: k for k in range(n)}
    order = []
    for subset in reversed(subsets):
        order.append((number[split[subset]], number[subset ^ split[subset]]))
        number[subset] = n + len(order) - 1
    return order


Score = Callable[[Network, int, int], float]


def difference(network: Network, a: int, b: int) -> float:
    """Prefer the pair whose product costs little beyond reading the two."""
    return network.volume(a | b) - network.volume(a) - network.volume(b)


def ratio(network: Network, a: int, b: int) -> float:
    """Prefer the pair whose product costs little for its size (in logarithms, since volumes exceed all floats)."""
    return math.log(max(network.volume(a | b), 1)) - math.log(max(network.volume(a) + network.volume(b), 1))


def greedy_order(network: Network, score: Score) -> tuple[int, Order]:
    """Cost and order: the best-scored pairs that share a label, and when none is left, the smallest arrays first."""
    search = Greedy(network, score)
    while search.queue:
        _, _, a, b = heapq.heappop(search.queue)
        if a in search.live and b in search.live:
            search.contract(a, b)
    rest = [(network.volume(labels), k) for k, labels in search.live.items()]
    heapq.heapify(rest)
    while len(rest) > 1:
        (_, a), (_, b) = heapq.heappop(rest), heapq.heappop(rest)
        k = search.contract(a, b)
        heapq.heappush(rest, (network.volume(search.live[k]), k))
    return search.cost, search.order


class Greedy:
    """The state of a greedy search: the arrays that are left, who holds each label, and the scored pairs."""

    def __init__(self, network: Network, score: Score) -> None:
        self.network, self.score = network, score
        self.live: dict[int, int] = {}
        self.holders: dict[int, dict[int, None]] = {}  # label bit -> arrays, in order of appearance
        self.queue: list[tuple[float, int, int, int]] = []  # score, volume of the result, the pair
        self.order: Order = []
        self.cost = 0
        self.numbers = count()
        for labels in network.inputs:
            self.add(labels)

    def add(self, labels: int) -> int:
        """A new array, scored against those that it shares a label with."""
        new, partners = next(self.numbers), dict[int, None]()
        for bit in bits(labels):
            holders = self.holders.setdefault(bit, {})
            partners.update(dict.fromkeys(islice(reversed(holders), PARTNERS)))
            holders[new] = None
        self.live[new] = labels
        for k in partners:
            both = labels | self.live[k]
            score = self.score(self.network, labels, self.live[k])
            result = self.network.volume(both & ~self.summed(k, new))
            heapq.heappush(self.queue, (score, result, k, new))
        return new

    def summed(self, a: int, b: int) -> int:
        """The labels that only these two arrays hold, and the result does not want."""
        out = 0
        for bit in bits((self.live[a] | self.live[b]) & ~self.network.output):
            holders = self.holders[bit]
            if len(holders) == (a in holders) + (b in holders):
                out |= bit
        return out

    def contract(self, a: int, b: int) -> int:
        """Replace two arrays by their product."""
        both, result = self.live[a] | self.live[b], (self.live[a] | self.live[b]) & ~self.summed(a, b)
        for k in (a, b):
            for bit in bits(self.live.pop(k)):
                del self.holders[bit][k]
        self.cost += self.network.volume(both)
        self.order.append((a, b))
        return self.add(result)


def bits(labels: int) -> list[int]:
    """The members of a set of labels, as sets of one."""
    out = []
    while labels:
        low = labels & -labels
        out.append(low)
        labels ^= low
    return out
