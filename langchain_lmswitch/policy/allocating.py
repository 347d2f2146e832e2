"""Which model each node of a graph should have, if that is settled beforehand.

After LLMSelector (arXiv 2502.14815): one model for each module of a compound system, found by
improving one module at a time. Added here are the memory and the loads of one machine.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from langchain_lmswitch.policy.turnover import Installed, loads

Models = dict[str, str]
"""Node to key."""

MOST_TRIED: Final = 4096
"""Allocations up to which all are tried."""
_GAIN: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a graph, and how good each model is there."""

    name: str
    quality: Mapping[str, float]
    """By key, how good its answers are expected to be; who lacks a need is missing."""
    answer_s: Mapping[str, float] = field(default_factory=dict)
    """By key, the seconds that an answer is expected to take; what is missing takes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """All that an allocation depends on."""

    nodes: Sequence[Node]
    """In the order of the graph."""
    models: Mapping[str, Installed]
    order: Sequence[str]
    """The nodes of the calls, one after the other, as they usually come."""
    budget_bytes: int | None
    """Room for all models together; `None` is no limit, or unknown."""
    price: float
    """Points of quality that a second of a call is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A model for each node, and what is to be expected of it."""

    models: Models
    """Node to key; nodes that no model can answer are missing."""
    quality: float
    """Of an answer, in the mean of all calls."""
    answer_s: float
    """Seconds that an answer takes, in the mean."""
    load_s: float
    """Seconds of loading for each call, in the mean."""
    loads: float
    """Loads for each call, in the mean."""
    value: float
    """The quality less the price of all seconds."""

    @property
    def keys(self) -> frozenset[str]:
        """The models that it takes."""
        return frozenset(self.models.values())


def allocate(setting: Setting) -> Allocation:
    """Find the allocation of the highest value.

    1. A model larger than the budget is nobody's; a node that none can answer gets none.
    2. Up to 4,096 allocations are all tried.
    3. Of more, single nodes are improved until none can be: from each model for all nodes that it
       can answer, and from the most valuable model for each node. So it is never worse than one
       model for all, nor than the best for each.

    Equal values go to fewer models, then to those whose keys come first.
    """
    able = _able(setting)  # 1
    if not able:
        return evaluate({}, setting)
    if math.prod(map(len, able.values())) <= MOST_TRIED:  # 2
        tried: Iterator[Models] = (
            dict(zip(able, keys, strict=True)) for keys in product(*able.values())
        )
        return min((evaluate(one, setting) for one in tried), key=_rank)
    ends = (_improved(start, able, setting) for start in _starts(able, setting))  # 3
    return min(ends, key=_rank)


def single(setting: Setting) -> Allocation | None:
    """Find the best allocation of one model to all nodes, if one model can answer them all."""
    able = _able(setting)
    shared = frozenset[str].intersection(*map(frozenset, able.values())) if able else ()
    alone = [evaluate(dict.fromkeys(able, key), setting) for key in sorted(shared)]
    return min(alone, key=_rank, default=None)


def evaluate(models: Models, setting: Setting) -> Allocation:
    """Tell what is to be expected of an allocation."""
    calls = [node for node in setting.order if node in models]
    count = max(1, len(calls))
    times = Counter(calls)
    counted = loads([models[node] for node in calls], setting.models, setting.budget_bytes)
    load_s = sum(setting.models[key].load_s * often for key, often in counted.items()) / count
    quality, answer_s = 0.0, 0.0
    for one in setting.nodes:
        if key := models.get(one.name):
            quality += times[one.name] * one.quality[key] / count
            answer_s += times[one.name] * one.answer_s.get(key, 0.0) / count
    return Allocation(
        models=models,
        quality=quality,
        answer_s=answer_s,
        load_s=load_s,
        loads=sum(counted.values()) / count,
        value=quality - setting.price * (load_s + answer_s),
    )


def _able(setting: Setting) -> dict[str, list[str]]:
    """List for each node who can answer it, the most valuable first, loads aside."""
    limit = math.inf if setting.budget_bytes is None else setting.budget_bytes
    fitting = {key for key, model in setting.models.items() if model.bytes <= limit}
    able = {one.name: _sorted(one, fitting, setting.price) for one in setting.nodes}
    return {name: keys for name, keys in able.items() if keys}


def _sorted(node: Node, fitting: set[str], price: float) -> list[str]:
    worth = {
        key: quality - price * node.answer_s.get(key, 0.0)
        for key, quality in node.quality.items()
        if key in fitting
    }
    return sorted(worth, key=lambda key: (-worth[key], key))


def _starts(able: Mapping[str, Sequence[str]], setting: Setting) -> Iterator[Models]:
    best = {node: keys[0] for node, keys in able.items()}
    yield best
    for key in sorted(setting.models):
        yield {node: key if key in keys else best[node] for node, keys in able.items()}


def _improved(start: Models, able: Mapping[str, Sequence[str]], setting: Setting) -> Allocation:
    reached = evaluate(start, setting)
    moved = True
    while moved:
        moved = False
        for node, keys in able.items():
            tries = [evaluate({**reached.models, node: key}, setting) for key in keys]
            better = min(tries, key=_rank)
            if better.value > reached.value + _GAIN:
                reached, moved = better, True
    return reached


def _rank(one: Allocation) -> tuple[float, int, tuple[str, ...]]:
    return (-round(one.value, 9), len(one.keys), tuple(one.models.values()))
