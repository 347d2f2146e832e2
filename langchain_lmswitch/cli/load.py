"""`lmswitch load`: a model in memory before anybody asks it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, say, show_json
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import duration, size

if TYPE_CHECKING:
    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.byhand import LoadedByHand

Name = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="Its key, or a part that only one key has.",
        autocompletion=installed,
    ),
]
Context = Annotated[
    int | None,
    typer.Option(
        "--context", "-c", min=256, metavar="TOKENS", help="Context to load it with; no less."
    ),
]
Pin = Annotated[
    bool, typer.Option("--pin", help="Never unload it to make room; see `lmswitch pin`.")
]


def load(
    ctx: typer.Context,
    model: Name,
    *,
    context: Context = None,
    pin: Pin = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Load a model now, for the questions to come.

    Idle models leave for it, as they would for a question. It stays until it has not been used for
    `ttl_s` seconds, whatever processes end meanwhile.
    """
    from langchain_lmswitch.cli.loading import LoadBar
    from langchain_lmswitch.switch.portal import portal

    with LoadBar(f"looking for {model}") as bar:
        work = _load(session_of(ctx, base_url), model, bar, context_tokens=context, pin=pin)
        loaded = portal().call(work)
    if json:
        show_json(record(loaded))
        return
    say(headline(loaded))
    for line in remarks(loaded):
        remark(line)


async def _load(
    session: Session, name: str, bar: "LoadBar", *, context_tokens: int | None, pin: bool
) -> "LoadedByHand":
    from langchain_lmswitch.switch.byhand import ByHand

    by_hand = ByHand(await session.board())
    card = await by_hand.named(name)
    return await by_hand.load(card, bar.tell, context_tokens=context_tokens, pin=pin)


def headline(loaded: "LoadedByHand") -> str:
    """Say what is in memory now, where, and how long that took."""
    resident = loaded.held.resident
    context = f"{resident.context_tokens:,} tokens of context, " if resident.context_tokens else ""
    what = f"{context}about {_held(loaded)}"
    if loaded.held.load_s:
        took = duration(loaded.held.load_s)
        return f"{resident.key} was loaded in {took} at {loaded.address}: {what}."
    return f"{resident.key} is loaded already at {loaded.address}: {what}."


def remarks(loaded: "LoadedByHand") -> list[str]:
    """Say what left for it, and how long it stays."""
    held = loaded.held
    left = ", ".join(held.evicted)
    usual = loaded.usual_tokens
    return [
        *([f"{left} left to make room."] if left else []),
        *([f"It waited {duration(held.queued_s)} for its turn."] if held.queued_s >= 1 else []),
        *(
            [f"There is no room for its usual context of {usual:,} tokens."]
            if held.load_s and 0 < held.resident.context_tokens < usual
            else []
        ),
        _stay(loaded),
    ]


def _stay(loaded: "LoadedByHand") -> str:
    ttl_s = loaded.held.resident.ttl_s
    until = "it is unloaded" if ttl_s is None else f"it has not been used for {duration(ttl_s)}"
    if not loaded.ours:
        return f"Somebody else loaded it; it stays until {until}, or they unload it."
    room = "is pinned, so that nothing takes its place" if loaded.pinned else ""
    return f"It {f'{room}, and ' if room else ''}stays until {until}."


def _held(loaded: "LoadedByHand") -> str:
    total = size(loaded.share.total_bytes)
    if loaded.share.vram_bytes:
        return f"{total}, {size(loaded.share.vram_bytes)} of it on GPUs"
    return f"{total} of RAM" if loaded.all_in_ram else total


def record(loaded: "LoadedByHand") -> dict[str, Any]:
    """Write what was loaded as JSON values; what is unknown is null."""
    held = loaded.held
    return {
        "host": loaded.address,
        "model": held.resident.key,
        "resident": asdict(held.resident),
        "loaded": bool(held.load_s),
        "load_s": held.load_s,
        "queued_s": held.queued_s,
        "evicted": list(held.evicted),
        "footprint_bytes": loaded.share.total_bytes,
        "footprint_vram_bytes": loaded.share.vram_bytes,
        "ours": loaded.ours,
        "pinned": loaded.pinned,
    }
