"""`lmswitch bench switching`: seconds spent on loads, against rivals and the optimum."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def switching(*, data: Data = None, requests: Requests = 3000, json: Json = False) -> None:
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
    rows = list(_played(data, requests))
    if json:
        show_json({"rows": [asdict(row) for row in rows]})
        return
    from langchain_lmswitch.testing.bench import MIX

    show(listing(rows))
    remark(MIX)


def _played(data: Path | None, requests: int) -> "Iterator[Row]":
    from langchain_lmswitch.testing.bench import generated, switching, traced

    read = traced(data, requests=requests) if data else []
    streams: list[Stream] = [*read, *generated(requests)]
    for stream in streams:
        remark(f"{stream.name}: {len(stream.requests):,} requests, {len(stream.models)} models")
        yield from switching([stream])


def listing(rows: "Sequence[Row]") -> "Table":
    """Lay the rows out as they come: by stream, budget and number at a time."""
    headings = ("stream", "budget", "at a time", "policy", "load", "of the optimum", "worst skip")
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
                str(row.worst_skip),
            )
            for row in rows
        ],
        right=headings[1:3] + headings[4:],
    )
