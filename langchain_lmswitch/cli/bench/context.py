"""`lmswitch bench context`: what is left of a long conversation when a question needs it."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.table import Table

    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.board import Held, Switchboard
    from langchain_lmswitch.testing.bench.context import Chat, Counter, Driver, Embedder

Data = Annotated[
    list[Path],
    typer.Option(
        metavar="FILE",
        help="Conversations as JSON lines, packed by gzip or not: `turns` with `who`, `text` and "
        "`date`, and `qs` with `q`, `cat` and `ev`, the places of the turns that the answer "
        "stands in. Give it again for more files, which are measured as one.",
    ),
]
Ratios = Annotated[
    list[float],
    typer.Option(
        "--ratio",
        metavar="K",
        min=1.0,
        help="How many times longer than the budget the conversation is. Give it again for more "
        "rows.",
    ),
]
Counting = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="KEY",
        help="Load this model and count with its tokenizer and template; else an estimate counts.",
    ),
]
Embedding = Annotated[
    Literal["none", "sentences"],
    typer.Option(
        "--embedder", help="Recall with the sentence encoder of the `embedded` extra, too."
    ),
]
Priors = Annotated[
    bool,
    typer.Option(
        help="Let what the user said, and standing instructions, come before what was answered."
    ),
]
Prefill = Annotated[
    bool, typer.Option(help="Replay the conversations turn by turn, which takes longest.")
]
Rivals = Annotated[
    bool,
    typer.Option(
        "--rivals",
        help="Measure a sliding window, too, and plain BM25 with as many recent messages.",
    ),
]

CALL = "bench context"


def context(
    ctx: typer.Context,
    *,
    data: Data,
    ratio: Ratios,
    model: Counting = None,
    embedder: Embedding = "none",
    priors: Priors = True,
    prefill: Prefill = True,
    rivals: Rivals = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Measure what of a long conversation is there when needed.

    Each question is asked in the end, with a budget of 1/K of the conversation's tokens.
    `evidence_recall` is how much of the turns that its answer stands in is in the prompt, word for
    word, and `all_evidence` the share of the questions for which all of them are. Questions of
    category 5, which no turn answers, are left out.

    `prefill_ratio` compares what a server has to read of each prompt, beyond what the prompt before
    began with, with dropping the oldest messages when there is no more room.
    """
    # Before numpy is imported: vectors are small, and more threads only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from langchain_lmswitch.testing.bench.context import Driver, report

    chats = _read(data)
    with _counter(session_of(ctx, base_url), model) as counter:
        driver = Driver(counter=counter, embedder=_embedder(embedder), priors=priors)
        measured = report(chats, ratio, driver, rivals=rivals, prefill=prefill)
    if json:
        show_json(measured)
        return
    show(listing(measured.get("rows", [measured])))
    remark(summary(driver))


def summary(driver: "Driver") -> str:
    """Say in a line who counted, and how much was asked for."""
    spent = driver.spent
    return (
        f"{len(spent.fits_s):,} prompts in {sum(spent.fits_s):.1f} s of the processor; "
        f"{driver.counter.name} counted {spent.counted_texts:,} texts and "
        f"{spent.counted_prompts:,} prompts, {spent.embedded_texts:,} were embedded"
    )


def _read(files: "Iterable[Path]") -> "list[Chat]":
    from langchain_lmswitch.testing.bench.context import read_chats

    found: list[Chat] = []
    for file in files:
        chats = read_chats(file)
        questions = sum(len(one.questions) for one in chats)
        remark(f"{file.name}: {len(chats)} conversations, {questions} questions")
        found += chats
    return found


def _embedder(name: Literal["none", "sentences"]) -> "Embedder | None":
    if name == "none":
        return None
    from langchain_lmswitch.testing.bench.context import Sentences

    return Sentences()


@contextmanager
def _counter(session: Session, model: str | None) -> "Iterator[Counter]":
    """Give who counts; a model stays loaded as long as it does."""
    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.portal import portal
    from langchain_lmswitch.testing.bench.context import Estimate, Hosted

    if model is None:
        yield Estimate()
        return
    with LoadBar() as bar:
        board, held = portal().call(_acquire(session, model, bar))
    try:
        yield Hosted(board.host, held.resident.identifier, key=held.resident.key)
    finally:
        portal().call(_release(board))


async def _acquire(session: Session, model: str, bar: "LoadBar") -> "tuple[Switchboard, Held]":
    from langchain_lmswitch.policy.naming import find_card

    board = await session.board()
    residents = await board.surveyor.residents()
    card = find_card(model, await board.surveyor.cards(), residents=residents)
    held = await board.acquire(card, call=CALL, needed_tokens=0, on_event=bar.tell, hold=True)
    return board, held


async def _release(board: "Switchboard") -> None:
    board.release(CALL)  # on the portal's loop, where the board lives


def listing(rows: "Sequence[Mapping[str, Any]]") -> "Table":
    """Lay the rows out, others below ours."""
    headings = ("K", "by", "evidence", "all of it", "over", "questions", "prefill", "ms each")
    lines = []
    for row in rows:
        lines.append(_cells(row, "lmswitch", row))
        lines += [_cells(row, name, one) for name, one in row["baselines"].items()]
    return table(*headings, rows=lines, right=(headings[0], *headings[2:]))


def _cells(row: "Mapping[str, Any]", who: str, marks: "Mapping[str, Any]") -> tuple[str, ...]:
    prefill, fit_ms = marks.get("prefill_ratio"), marks.get("fit_ms")
    return (
        f"{row['ratio']:g}",
        who,
        f"{100 * marks['evidence_recall']:.1f} %",
        f"{100 * marks['all_evidence']:.1f} %",
        str(marks["over_budget"]),
        str(marks["n"]),
        "" if prefill is None else f"{100 * prefill:.0f} %",
        "" if fit_ms is None else f"{fit_ms:.1f}",
    )
