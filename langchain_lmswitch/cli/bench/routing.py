"""`lmswitch bench routing`: how good choices are, against the best single model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table as Listing

    from langchain_lmswitch.testing.bench.routing import Row, Sizes, Table

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


def routing(
    *,
    data: Data,
    holdout: Holdout = None,
    models: Models = None,
    share: Share = 0.5,
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
    from langchain_lmswitch.testing.bench.routing import read_table

    tables = [_read(read_table(one)) for one in data]
    held = [_read(read_table(one)) for one in holdout or ()]
    sizes = _sizes(models, [*data, *(holdout or ())])
    measured = _measured(tables, held, sizes, share)
    if json:
        show_json(measured)
        return
    show(listing(measured["rows"] + measured["unseen"]))


def _read(found: "Table") -> "Table":
    remark(f"{found.name}: {len(found):,} prompts, {len(found.models)} models")
    return found


def _sizes(models: Path | None, files: "Sequence[Path]") -> "Sizes":
    from langchain_lmswitch.testing.bench.routing import find_sizes, read_sizes

    lists = [models] if models else list(dict.fromkeys(filter(None, map(find_sizes, files))))
    return {model: size for file in reversed(lists) for model, size in read_sizes(file).items()}


def _measured(
    tables: "Sequence[Table]", held: "Sequence[Table]", sizes: "Sizes", share: float
) -> dict[str, list[dict[str, Any]]]:
    from langchain_lmswitch.testing.bench.routing import (
        apgr_of,
        cold_of,
        record,
        rows_of,
        trials,
    )

    parted = trials(tables, held, share=share)
    rows: list[Row] = [row for trial in parted for row in rows_of(trial, sizes)]
    seen = [record(row) for row in rows if row.tasks == "seen"]
    unseen = [record(row) for row in rows if row.tasks == "unseen"]
    return {
        "rows": seen or unseen,
        "unseen": unseen,
        "cold_start": [record(one) for table in held or tables for one in cold_of(table, sizes)],
        "apgr": [
            record(one) for trial in parted for one in apgr_of(trial.fit, trial.graded, sizes)
        ],
    }


def listing(rows: "Sequence[dict[str, Any]]") -> "Listing":
    """Lay the rows out as they come."""
    headings = ("pool", "tasks", "gain", "95 %", "skill z", "saves", "at 95 %", "score", "best")
    return table(
        *headings,
        rows=[
            (
                row["pool"],
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
        right=headings[2:],
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} %"
