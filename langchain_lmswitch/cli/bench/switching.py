"""`lmswitch bench switching`: seconds spent on loads, against rivals and the optimum."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Table

    from langchain_lmswitch.testing.bench import Row, Stream

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Holds traces of services: azure-llm-2023/*code*.csv and *conv*.csv, and "
        "mooncake-fast25/*.csv; what exists is used.",
    ),
]
Requests = Annotated[
    int, typer.Option(metavar="N", min=1, help="How many requests of each stream are played.")
]
Seeds = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        help="Play N of each made-up stream, by the seeds 0 to N-1: rows have the means then, and "
        "`load_ratio_max` the worst.",
    ),
]


def switching(
    *, data: Data = None, requests: Requests = 3000, seeds: Seeds = 1, json: Json = False
) -> None:
    """Compare what loads cost, by who is made to leave.

    Plays streams of requests on a simulated machine: made-up ones, and the traces in
    --data. The rows `lmswitch` come from the switchboard of this package, in virtual time; the
    rivals' from their rules, in the order of the requests; `optimum` is exact, by hindsight, for
    requests in that order. With 8 at a time, 8 workers take the requests in order, a model answers
    up to 8 at once and each answer takes 1.5 to 4.5 seconds; only `lmswitch` answers out of order
    then, so its ratio may be below 1.

    Traces name no models, so models are laid over them: each service has three, for the shorter
    half of its prompts, the longest tenth, and those between. The first service has coders of
    1.9, 5.4 and 9.9 GB, the second chat models of 0.6, 4.7 and 8.4 GB, and so on by turns. A load
    takes a second, and the model's bytes at 1.5 GB/s.
    """
    from langchain_lmswitch.testing.bench import MIX, averaged

    rows = averaged(_played(data, requests, seeds))
    if json:
        show_json({"rows": [asdict(row) for row in rows]})
        return
    show(listing(rows))
    remark(MIX)


def _played(data: Path | None, requests: int, seeds: int) -> "Iterator[Row]":
    from langchain_lmswitch.testing.bench import generated, switching, traced

    read = traced(data, requests=requests) if data else []
    made = (one for seed in range(seeds) for one in generated(requests, seed=seed))
    streams: Iterable[Stream] = chain(read, made)
    for stream in streams:
        remark(f"{stream.name}: {len(stream.requests):,} requests, {len(stream.models)} models")
        yield from switching([stream])


def listing(rows: "Sequence[Row]") -> "Table":
    """Lay the rows out as they come: by stream, budget and number at a time."""
    headings = (
        *("stream", "budget", "at a time", "policy", "load"),
        *("of the optimum", "at worst", "worst skip"),
    )
    return table(
        *headings,
        rows=[
            (
                row.stream,
                f"{row.budget_gb:g} GB",
                str(row.concurrency),
                row.policy,
                f"{row.load_s:,.0f} s",
                f"{row.load_ratio:.3f}",
                f"{row.load_ratio_max:.3f}",
                str(row.worst_skip),
            )
            for row in rows
        ],
        right=headings[1:3] + headings[4:],
    )
