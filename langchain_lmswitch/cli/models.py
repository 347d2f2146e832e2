"""`lmswitch models`: what is installed, what it can do, and whether it fits now."""

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.cli.units import UNKNOWN, mib, size
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from langchain_lmswitch.switch.surveyor import Survey, Surveyor
    from langchain_lmswitch.types.machine import Footprint
    from langchain_lmswitch.types.models import ModelCard, Resident


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether a model can be in memory now."""

    fits: bool | None
    """`None` if that is unknown."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The models of a host, each with who holds it in memory and whether it fits."""

    address: str
    rows: "Sequence[tuple[ModelCard, Sequence[Resident], Footprint | None, Fit]]"


def models(ctx: typer.Context, *, json: Json = False, base_url: BaseUrl = None) -> None:
    """List the models: what they can do, if they fit."""
    from langchain_lmswitch.switch.portal import portal

    shelf = portal().call(_look(session_of(ctx, base_url)))
    if json:
        show_json(record(shelf))
    elif shelf.rows:
        show(listing(shelf))
    if not shelf.rows and not json:
        remark(
            f"No model is installed at {shelf.address}. Run `lmswitch pull starter`, "
            "or download one in LM Studio."
        )


async def _look(session: Session) -> Shelf:
    board = await session.board()
    surveyor = board.surveyor
    cards = sorted(await surveyor.cards(), key=lambda card: (card.kind == "embedding", card.key))
    footprints = await asyncio.gather(*(_footprint(surveyor, card) for card in cards))
    survey = await surveyor.survey()
    rows = []
    for card, footprint in zip(cards, footprints, strict=True):
        holding = [one.resident for one in survey.occupants if one.resident.key == card.key]
        rows.append((card, holding, footprint, _fit(surveyor, card, footprint, survey)))
    return Shelf(address=board.host.address, rows=rows)


async def _footprint(surveyor: "Surveyor", card: "ModelCard") -> "Footprint | None":
    from langchain_lmswitch.errors import BadModelFile, HostFailed, UnknownModel

    try:
        return await surveyor.footprint(card)
    except (BadModelFile, HostFailed, UnknownModel):
        return None


def _fit(
    surveyor: "Surveyor", card: "ModelCard", footprint: "Footprint | None", survey: "Survey"
) -> Fit:
    plan = surveyor.plan(surveyor.spec(card), footprint, survey, needed_tokens=0, patient=True)
    return fit(plan, footprint, measured=survey.snapshot.ram_free_bytes is not None)


def fit(plan: Plan | Refusal, footprint: "Footprint | None", *, measured: bool) -> Fit:
    """Say whether a model fits, and why.

    1. It is in memory.
    2. What it costs is unknown, or the memory of a remote machine is: the host's word, if any.
    3. The plan to load it, or why there is none.
    """
    match plan:
        case Use():  # 1
            return Fit(fits=True, why="yes")
        case Load() if footprint is None or not measured:  # 2
            return _by_host(footprint)
        case Load(evict=evict):  # 3
            leaving = ", ".join(one.key for one in evict)
            return Fit(fits=True, why=f"yes, after unloading {leaving}" if evict else "yes")
        case Refusal(reason=reason):
            return Fit(fits=False, why=f"no: {reason}")


def _by_host(footprint: "Footprint | None") -> Fit:
    said = footprint.fits_by_host if footprint else None
    words = {True: "yes, says its host", False: "no, says its host", None: UNKNOWN}
    return Fit(fits=said, why=words[said])


def listing(shelf: Shelf) -> "Table":
    """Lay the models out: chat models first, each kind by name."""
    headings = ("model", "size", "params", "quant", "context", "can", "needs", "loaded", "fits")
    rows = [
        (
            card.key,
            size(card.size_bytes or None),
            card.params or UNKNOWN,
            card.quantization or UNKNOWN,
            f"{card.max_context_tokens:,}" if card.max_context_tokens else UNKNOWN,
            ", ".join(abilities(card)),
            mib(footprint.total_bytes if footprint else None),
            "yes" if holding else "",
            verdict.why,
        )
        for card, holding, footprint, verdict in shelf.rows
    ]
    return table(*headings, rows=rows, right=("size", "params", "context", "needs"))


def abilities(card: "ModelCard") -> list[str]:
    """Name what a model can do."""
    if card.kind == "embedding":
        return ["embedding"]
    return ["chat", *(["tools"] * card.tool_use), *(["vision"] * card.vision)]


def record(shelf: Shelf) -> dict[str, Any]:
    """Write the models as JSON values."""
    rows = [
        {
            **asdict(card),
            "can": abilities(card),
            "resident": [one.identifier for one in holding],
            "footprint_bytes": footprint.total_bytes if footprint else None,
            "fits": verdict.fits,
            "why": verdict.why,
        }
        for card, holding, footprint, verdict in shelf.rows
    ]
    return {"host": shelf.address, "models": rows}
