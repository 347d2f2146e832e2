"""`lmswitch calibrate`: what models really take, measured by loading them."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import UNKNOWN, duration, mib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.board import Switchboard
    from langchain_lmswitch.switch.calibration import Calibrated, Calibration
    from langchain_lmswitch.types.models import ModelCard

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Key of a model; all chat models that fit without it.",
        autocompletion=installed,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model: what it took, or why that was not measured."""

    key: str
    found: "Calibrated | None" = None
    why_not: str = ""


def calibrate(
    ctx: typer.Context, model: Name = None, *, json: Json = False, base_url: BaseUrl = None
) -> None:
    """Load models to measure what they take.

    Each is loaded, answers one short question and is unloaded again, unless it was loaded before.
    What it took is remembered: later estimates are put right by it.
    """
    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.portal import portal

    with LoadBar() as bar:
        rows = portal().call(_measure(session_of(ctx, base_url), model, bar))
    if json:
        show_json({"models": [record(row) for row in rows]})
        return
    if rows:
        show(listing(rows))
    for line in remarks(rows):
        remark(line)


async def _measure(session: Session, name: str | None, bar: "LoadBar") -> "list[Row]":
    from langchain_lmswitch.switch.calibration import Calibration

    board = await session.board()
    calibration = Calibration(board, session.measure())
    if name is not None:
        card = await _named(board, name)
        return [Row(key=card.key, found=await calibration.calibrate(card, bar.tell))]
    cards = [card for card in await board.surveyor.cards() if card.kind == "llm"]
    smallest_first = sorted(cards, key=lambda card: (card.size_bytes, card.key))
    return [await _row(calibration, card, bar) for card in smallest_first]


async def _row(calibration: "Calibration", card: "ModelCard", bar: "LoadBar") -> Row:
    """Measure one of many: what cannot be measured is left out, and the next has its turn."""
    from langchain_lmswitch.errors import InvalidRequest, LoadFailed, ModelGone, NotEnoughMemory

    try:
        return Row(key=card.key, found=await calibration.calibrate(card, bar.tell))
    except (InvalidRequest, LoadFailed, ModelGone, NotEnoughMemory) as error:
        return Row(key=card.key, why_not=str(error))


async def _named(board: "Switchboard", name: str) -> "ModelCard":
    from langchain_lmswitch.policy.naming import find_card

    residents = await board.surveyor.residents()
    return find_card(name, await board.surveyor.cards(), residents=residents)


def listing(rows: "Sequence[Row]") -> "Table":
    """Lay out what was measured, a line for each model."""
    headings = ("model", "context", "expected", "took", "in RAM", "on GPUs", "after", "loaded in")
    lines = [
        (row.key, *(_cells(row.found) if row.found else [UNKNOWN] * (len(headings) - 1)))
        for row in rows
    ]
    return table(*headings, rows=lines, right=headings[1:])


def _cells(found: "Calibrated") -> list[str]:
    return [
        f"{found.resident.context_tokens:,}" if found.resident.context_tokens else UNKNOWN,
        mib(found.expected_bytes),
        mib(found.taken.total_bytes),
        mib(found.taken.ram_bytes),
        mib(found.taken.vram_bytes),
        mib(_held(found)),
        duration(found.load_s),
    ]


def remarks(rows: "Sequence[Row]") -> list[str]:
    """Say what is missing in the table, and why."""
    if not rows:
        return ["No chat model is installed. Run `lmswitch pull starter`."]
    said = [f"{row.key} was not measured: {row.why_not}" for row in rows if row.why_not]
    found = [(row.key, row.found) for row in rows if row.found]
    said += [f"{key}: no peak, {one.why_no_peak}" for key, one in found if one.why_no_peak]
    said += [
        f"{key}: {_gap(one)}; estimates stay as they are"
        for key, one in found
        if one.taken.total_bytes is None
    ]
    return said


def _gap(found: "Calibrated") -> str:
    if found.taken.ram_bytes is not None:
        return "what it took on GPUs is unknown"
    return "other loads, or other programs, were in the way, so run it again"


def record(row: Row) -> dict[str, Any]:
    """Write a row as JSON values; what is unknown is null."""
    found = row.found
    if found is None:
        return {"key": row.key, "why_not": row.why_not}
    return {
        "key": row.key,
        "context_tokens": found.resident.context_tokens or None,
        "expected_bytes": found.expected_bytes,
        "taken": {**asdict(found.taken), "total_bytes": found.taken.total_bytes},
        "after_answer_bytes": _held(found),
        "load_s": found.load_s,
        "why_no_peak": found.why_no_peak or None,
    }


def _held(found: "Calibrated") -> int | None:
    from langchain_lmswitch.types.readings import Observation

    return found.weighed.total_bytes if isinstance(found.weighed, Observation) else None
