"""The bench of switching: every policy, for every stream and budget."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from langchain_lmswitch.testing.bench.optimum import least_load_seconds
from langchain_lmswitch.testing.bench.product import play
from langchain_lmswitch.testing.bench.rivals import RIVALS, load_seconds
from langchain_lmswitch.testing.bench.streams import GB, Stream

OURS: Final = "lmswitch"
OPTIMUM: Final = "optimum"
POLICIES: Final = (*RIVALS, OURS, OPTIMUM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one policy makes of a stream in a budget."""

    stream: str
    budget_gb: float
    concurrency: int
    policy: str
    load_s: float
    """Seconds of all loads."""
    load_ratio: float
    """Of `load_s` to the least for requests in this order. With several at once it may be less
    than 1: whoever changes their order can spend less."""
    load_ratio_max: float
    """The worst of these, where several streams of a kind were played; else the same."""
    worst_skip: int
    """How many requests passed the load that was passed most; 0 where the order is kept."""


def switching(streams: Iterable[Stream]) -> Iterator[Row]:
    """Play streams, one by one.

    The rivals take the requests in their order, however many workers there are: they batch nothing.
    """
    for stream in streams:
        for budget_bytes in (stream.tight_bytes, stream.roomy_bytes):
            yield from _rows(stream, budget_bytes)


def averaged(rows: Iterable[Row]) -> list[Row]:
    """Put the rows for streams of the same name together: means, and the worst."""
    kinds: dict[tuple[str, float, int, str], list[Row]] = {}
    for row in rows:
        kind = (row.stream, row.budget_gb, row.concurrency, row.policy)
        kinds.setdefault(kind, []).append(row)
    return [_averaged(alike) for alike in kinds.values()]


def _averaged(alike: Sequence[Row]) -> Row:
    return replace(
        alike[0],
        load_s=round(fmean(row.load_s for row in alike), 3),
        load_ratio=round(fmean(row.load_ratio for row in alike), 4),
        load_ratio_max=max(row.load_ratio_max for row in alike),
        worst_skip=max(row.worst_skip for row in alike),
    )


def _rows(stream: Stream, budget_bytes: int) -> Iterator[Row]:
    least_s = least_load_seconds(stream, budget_bytes)
    in_order = {rival: load_seconds(stream, budget_bytes, rival) for rival in RIVALS}
    for concurrency in stream.at_once:
        played = play(stream, budget_bytes, concurrency=concurrency)
        for policy, load_s in (in_order | {OURS: played.load_s, OPTIMUM: least_s}).items():
            yield Row(
                stream=stream.name,
                budget_gb=budget_bytes / GB,
                concurrency=concurrency,
                policy=policy,
                load_s=round(load_s, 3),
                load_ratio=round(load_s / least_s, 4),
                load_ratio_max=round(load_s / least_s, 4),
                worst_skip=played.worst_skip if policy == OURS else 0,
            )
