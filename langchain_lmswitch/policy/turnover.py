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
    if budget_bytes is None or _together(set(keys), models) <= budget_bytes:
        return counted
    runs = [key for key, _ in groupby(keys)]
    held: dict[str, None] = {}  # the one used last stands last
    for first in (True, False):  # 2
        for key in runs:
            known = key in held
            held.pop(key, None)
            while _together(held, models) + models[key].bytes > budget_bytes:  # 1
                del held[next(iter(held))]
            held[key] = None
            if not (known or first):
                counted[key] = counted.get(key, 0) + 1
    return counted


def _together(keys: Mapping[str, None] | set[str], models: Mapping[str, Installed]) -> int:
    return sum(models[key].bytes for key in keys)
