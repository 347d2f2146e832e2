"""The whole bench of routing: every measure, as plain values of JSON."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from statistics import fmean
from typing import Any, Final, Literal

from langchain_lmswitch.testing.bench.routing.kinds import recognized
from langchain_lmswitch.testing.bench.routing.online import online_of
from langchain_lmswitch.testing.bench.routing.pools import Sizes
from langchain_lmswitch.testing.bench.routing.rows import (
    apgr_of,
    cold_of,
    latency_rows_of,
    rival_rows_of,
    rows_of,
    visit_rows_of,
)
from langchain_lmswitch.testing.bench.routing.tables import Table
from langchain_lmswitch.testing.bench.routing.trials import FIT_SHARE, trials, without_each_task

Measure = Literal[
    "cold_start", "apgr", "latency", "tasks", "rivals", "left_out", "online", "sessions"
]
"""What is measured beside the rows."""

PAIR_SHARE: Final = 0.7
"""Of a table of two models without parts that is learnt from, as others measure pairs."""
_MARKED: Final = ("rows", "unseen", "left_out", "rivals")

QUICK: Final[tuple[Measure, ...]] = ("cold_start", "apgr", "latency", "tasks")
"""Measures that take seconds."""

Record = dict[str, Any]


def report(
    data: Sequence[Table],
    holdouts: Sequence[Table],
    sizes: Sizes,
    *,
    share: float = FIT_SHARE,
    also: Collection[Measure] = QUICK,
) -> dict[str, list[Record]]:
    """Measure tables.

    `rows` has a row for each pool of models, over the tasks that were learnt from; `unseen` has
    the same for other tasks. If there are none but those, `rows` has them too. `means` sums both
    up, and whatever else is marked.

    Args:
        data: Learnt from, and graded if there are no holdouts; see `trials`.
        holdouts: Graded.
        sizes: Of the models that are known.
        share: Of data without parts that is learnt from.
        also: What is measured beside the rows.
    """
    parts = trials(data, holdouts, share=share)
    whole = holdouts or data
    measures: Mapping[Measure, Callable[[], Iterable[Any]]] = {
        "cold_start": lambda: _each(whole, lambda one: cold_of(one, sizes)),
        "apgr": lambda: _each(
            trials(data, holdouts, share=PAIR_SHARE),
            lambda one: apgr_of(one.fit, one.graded, sizes),
        ),
        "latency": lambda: _each(parts, lambda one: latency_rows_of(one, sizes)),
        "tasks": lambda: _each(whole, recognized),
        "rivals": lambda: _each(parts, lambda one: rival_rows_of(one, sizes)),
        "left_out": lambda: _each(
            parts,
            lambda one: _each(without_each_task(one), lambda left: rows_of(left, sizes)),
        ),
        "online": lambda: _each(whole, lambda one: online_of(one, sizes)),
        "sessions": lambda: _each(parts, lambda one: visit_rows_of(one, sizes)),
    }
    rows = list(_each(parts, lambda one: rows_of(one, sizes)))
    unseen = [record(row) for row in rows if row.tasks == "unseen"]
    seen = [record(row) for row in rows if row.tasks == "seen"]
    found = {"rows": seen or unseen, "unseen": unseen} | {
        name: [record(one) for one in measures[name]()] for name in measures if name in also
    }
    means = [mean for name in _MARKED for mean in means_of(name, found.get(name, ()))]
    return found | {"means": means}


def means_of(name: str, rows: Sequence[Record]) -> Iterator[Record]:
    """Sum rows up, router by router; where nothing could be saved, that counts as 0."""
    for router in dict.fromkeys(row["router"] for row in rows):
        ours = [row for row in rows if row["router"] == router]
        means = {
            column: round(fmean(row[column] or 0.0 for row in ours), 5)
            for column in ("gain_pct", "save100_pct", "save95_pct")
        }
        worst = min(row["gain_pct"] for row in ours)
        yield {"of": name, "router": router, "worst_pct": worst, "pools": len(ours), **means}


def record(row: Any) -> Record:
    """Write a row as plain values of JSON, its marks beside the rest, with five digits."""
    values = asdict(row)
    first = {name: values.pop(name) for name in ("pool",) if name in values}
    return {name: _cut(one) for name, one in {**first, **values.pop("marks", {}), **values}.items()}


def _each(ones: Iterable[Any], measure: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    return chain.from_iterable(map(measure, ones))


def _cut(value: Any) -> Any:
    match value:
        case float():
            return round(value, 5)
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case _:
            return value
