"""`lmswitch bench routing`: how good choices are, against the best single model."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table as Listing

    from langchain_lmswitch.testing.bench.routing import Measure, Sizes, Table

Data = Annotated[
    list[Path],
    typer.Option(
        metavar="FILE",
        help="Judged answers, as .parquet, .jsonl or .csv with the columns `prompt` and "
        "`score:MODEL`, one for each model, from 0 to 1; `task` and `part` are optional. "
        "Give it again for more files.",
    ),
]
Holdout = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Grade on these files, and learn from all of --data."),
]
Models = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A CSV file with model, total_b and active_b, in billions of parameters; else "
        "models.csv beside the data or above it, and else the models' names tell.",
    ),
]
Share = Annotated[
    float,
    typer.Option(
        "--fit-share",
        metavar="SHARE",
        min=0.01,
        max=0.99,
        help="How much of a file without parts is learnt from.",
    ),
]
Rivals = Annotated[
    bool,
    typer.Option(
        "--rivals",
        help="Grade the methods of others, too, fitted on the same vectors and prompts.",
    ),
]
LeaveOut = Annotated[
    bool,
    typer.Option(
        "--leave-out", help="Leave one task after the other out of what is learnt; takes long."
    ),
]
Online = Annotated[
    bool,
    typer.Option(
        "--online",
        help="Learn while answering 2,500 requests, from grades of all answers and of every tenth; "
        "takes long.",
    ),
]
Sessions = Annotated[
    bool,
    typer.Option(
        "--sessions",
        help="Count the loads where requests of one kind come in runs and memory is scarce.",
    ),
]
RowsOnly = Annotated[
    bool, typer.Option("--rows-only", help="Measure nothing but the rows, and what is asked for.")
]


def routing(
    *,
    data: Data,
    holdout: Holdout = None,
    models: Models = None,
    share: Share = 0.5,
    rivals: Rivals = False,
    leave_out: LeaveOut = False,
    online: Online = False,
    sessions: Sessions = False,
    rows_only: RowsOnly = False,
    json: Json = False,
) -> None:
    """Compare the choices with always taking the best single model.

    Learns from one part of the judged answers and grades on another, with everything loaded:
    --holdout, or the other parts that a file names, or the other half by a hash of the prompt.
    Models are chosen from pools of at most 10, 50 and 100 billion parameters each.

    `gain_pct` is over the model that is best in what was learnt from, with its 95 % interval.
    `skill_z` compares with the same mix of models on shuffled prompts: less than 3 may be chance.
    `save100_pct` and `save95_pct` are the weights moved that are saved at 100 and 95 % of that
    model's quality.
    """
    # Before numpy is imported: vectors are small, and more threads only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from langchain_lmswitch.testing.bench.routing import QUICK, report

    wanted: dict[Measure, bool] = {
        "rivals": rivals,
        "left_out": leave_out,
        "online": online,
        "sessions": sessions,
    }
    measured = report(
        _read(data),
        _read(holdout or ()),
        _sizes(models, [*data, *(holdout or ())]),
        share=share,
        also=[*(() if rows_only else QUICK), *(name for name, on in wanted.items() if on)],
    )
    if json:
        show_json(measured)
        return
    show(*listings(measured))
    for mean in measured["means"]:
        remark(summary(mean))


def summary(mean: "Mapping[str, Any]") -> str:
    """Say in a line what rows come to."""
    return (
        f"{mean['of']}, {mean['router']}: gain {mean['gain_pct']:+.1f} % on average, "
        f"{mean['worst_pct']:+.1f} % at worst of {mean['pools']}; saves "
        f"{mean['save100_pct']:.0f} and {mean['save95_pct']:.0f} %"
    )


def _read(files: "Iterable[Path]") -> "list[Table]":
    from langchain_lmswitch.testing.bench.routing import read_table

    tables = [read_table(one) for one in files]
    for one in tables:
        remark(f"{one.name}: {len(one):,} prompts, {len(one.models)} models")
    return tables


def _sizes(models: Path | None, files: "Sequence[Path]") -> "Sizes":
    from langchain_lmswitch.testing.bench.routing import find_sizes, read_sizes

    lists = [models] if models else list(dict.fromkeys(filter(None, map(find_sizes, files))))
    return {model: size for file in reversed(lists) for model, size in read_sizes(file).items()}


def listings(measured: "Mapping[str, Sequence[dict[str, Any]]]") -> "list[Listing]":
    """Lay out what was measured, a table for each measure that has rows."""
    marks = [
        *measured["rows"],
        *(row for row in measured["unseen"] if row not in measured["rows"]),
        *measured.get("left_out", ()),
        *measured.get("rivals", ()),
    ]
    others = {name: rows for name, rows in measured.items() if name in _HEADINGS and rows}
    return [listing(marks), *(_plain(rows, _HEADINGS[name]) for name, rows in others.items())]


_HEADINGS: Final = {
    "cold_start": {"pool": "nothing learnt", "share_pct": "% of the best", "n": "prompts"},
    "apgr": {"pool": "pair", "strong": "strong", "labels": "labels", "apgr": "APGR"},
    "latency": {
        "pool": "decision",
        "p50_ms": "ms p50",
        "p99_ms": "p99",
        "busy_p99_ms": "of the processor",
        "long_ms": "100,000 characters",
    },
    "tasks": {"table": "tasks of", "task": "data set", "accuracy_pct": "% right", "n": "prompts"},
    "online": {
        "pool": "learning while answering",
        "feedback": "graded",
        "share_pct": "% of the best",
        "last_share_pct": "last fifth",
    },
    "sessions": {
        "pool": "loads weighed",
        "memory_gb": "GB",
        "run": "in a row",
        "loads_per_100": "loads per 100",
        "utility": "utility",
        "plain_loads_per_100": "not weighed",
        "plain_utility": "its utility",
    },
}


def listing(rows: "Sequence[dict[str, Any]]") -> "Listing":
    """Lay the rows out as they come."""
    headings = (
        *("pool", "router", "tasks", "gain", "95 %"),
        *("skill z", "saves", "at 95 %", "score", "best"),
    )
    return table(
        *headings,
        rows=[
            (
                row["pool"],
                row["router"],
                row["tasks"],
                f"{row['gain_pct']:+.1f} %",
                f"{row['gain_lo']:+.1f} to {row['gain_hi']:+.1f}",
                f"{row['skill_z']:.1f}",
                _percent(row["save100_pct"]),
                _percent(row["save95_pct"]),
                f"{row['score']:.3f}",
                f"{row['best_single']:.3f}",
            )
            for row in rows
        ],
        right=headings[3:],
    )


def _plain(rows: "Sequence[dict[str, Any]]", headings: "Mapping[str, str]") -> "Listing":
    numbers = [title for name, title in headings.items() if not isinstance(rows[0][name], str)]
    cells = [[_cell(row[name]) for name in headings] for row in rows]
    return table(*headings.values(), rows=cells, right=numbers)


def _cell(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{round(value)} %"
