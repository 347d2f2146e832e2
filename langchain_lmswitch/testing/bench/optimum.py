"""The least that any policy can spend on loads for requests in this order: exact, by hindsight."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Final

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.streams import Model, Stream

MOST_MODELS: Final = 8
"""With more there are too many sets."""

Set = int
"""Of resident models; bit n stands for the nth."""


def least_load_seconds(stream: Stream, budget_bytes: int) -> float:
    """Sum the seconds of all loads, where each eviction is made with the whole stream in view.

    Dynamic programming over the sets that can be resident after each request:

    1. A model is loaded when it is asked for, and not before: that is never dearer.
    2. Nobody leaves who could stay: whoever is in the way later can leave later.
    3. A set is given up if another one can become it by loads, for no more than it has cost.

    Raises:
        InvalidRequest: There are more than eight models, or one is larger than the budget.
    """
    if len(stream.models) > MOST_MODELS or max(one.bytes for one in stream.models) > budget_bytes:
        raise InvalidRequest(
            f"There is no exact optimum for {stream.name!r} in {budget_bytes} bytes: take at most "
            f"{MOST_MODELS} models, none larger than that."
        )
    table = _Table(stream.models, budget_bytes)
    costs: Mapping[Set, float] = {0: 0.0}
    for place, _ in groupby(stream.requests):
        costs = table.pruned(table.after(place, costs))
    return min(costs.values())


class _Table:
    """What sets of models weigh and cost."""

    def __init__(self, models: Sequence[Model], budget_bytes: int) -> None:
        self._load_s = [one.load_s for one in models]
        self._all_bytes = _sums([one.bytes for one in models])
        self._all_load_s = _sums(self._load_s)
        self._budget_bytes = budget_bytes
        self._left = cache(self._largest)

    def after(self, place: int, costs: Mapping[Set, float]) -> dict[Set, float]:
        """Give the least cost of each set that can be resident after a request."""
        found: dict[Set, float] = {}
        for held, cost in costs.items():
            hit = held >> place & 1
            spent = cost if hit else cost + self._load_s[place]
            for left in (held,) if hit else self._left(held, place):  # 1
                if spent < found.get(left, float("inf")):
                    found[left] = spent
        return found

    def pruned(self, costs: Mapping[Set, float]) -> dict[Set, float]:
        """Give up what need not be followed any further."""
        kept: dict[Set, float] = {}
        for held, cost in sorted(costs.items(), key=lambda item: item[1]):
            if all(
                spent + self._all_load_s[held & ~one] > cost for one, spent in kept.items()
            ):  # 3
                kept[held] = cost
        return kept

    def _largest(self, held: Set, place: int) -> tuple[Set, ...]:
        """List what can be resident once a model is loaded; none is a part of another."""
        new = 1 << place
        fitting = [
            one | new for one in _parts(held) if self._all_bytes[one | new] <= self._budget_bytes
        ]
        largest: list[Set] = []
        for one in sorted(fitting, key=int.bit_count, reverse=True):
            if not any(one & other == one for other in largest):  # 2
                largest.append(one)
        return tuple(largest)


def _sums(values: Iterable[float]) -> list[float]:
    """Sum the values of every set."""
    sums = [0.0]
    for value in values:
        sums += [one + value for one in sums]
    return sums


def _parts(held: Set) -> Iterator[Set]:
    """List all parts of a set, itself and the empty one included."""
    part = held
    while part:
        yield part
        part = (part - 1) & held
    yield 0
