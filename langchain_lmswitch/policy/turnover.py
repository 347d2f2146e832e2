"""How much loading it takes if the calls of a graph go to given models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What it costs to have a model in memory."""

    bytes: int
    load_s: float


def loads(
    keys: Sequence[str], models: Mapping[str, Installed], budget_bytes: int | None
) -> dict[str, int]:
    """Count the loads, by key, while calls go to models in this order, over and over.

    1. A model stays until its room is needed; who was used longest ago leaves first.
    2. The first round only fills the memory: what is counted is each round after it.

    Args:
        keys: The model of each call.
        models: Each of them; none is larger than the budget.
        budget_bytes: Room for all that is loaded together; `None` is no limit.
    """
    counted: dict[str, int] = {}
    if budget_bytes is None or sum(models[key].bytes for key in set(keys)) <= budget_bytes:
        return counted
    runs = [key for key, _ in groupby(keys)]
    held: dict[str, int] = {}  # bytes; the one used last stands last
    left_bytes = budget_bytes
    for first in (True, False):  # 2
        for key in runs:
            if key in held:
                held[key] = held.pop(key)
                continue
            left_bytes -= models[key].bytes
            while left_bytes < 0:  # 1
                left_bytes += held.pop(next(iter(held)))
            held[key] = models[key].bytes
            if not first:
                counted[key] = counted.get(key, 0) + 1
    return counted
