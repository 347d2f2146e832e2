"""Names for the shell to complete: quick and silent, and nothing is started for them."""

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any, Final

import typer

from langchain_lmswitch.cli.session import Session, session_of

if TYPE_CHECKING:
    from langchain_lmswitch.hosts.base import Host

WITHIN_S: Final = 0.5
"""Longest wait for an answer of a host that runs: somebody holds the Tab key."""

Names = Callable[["Host"], Coroutine[Any, Any, Sequence[str]]]


def installed(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the key of a model."""

    async def keys(host: "Host") -> list[str]:
        return sorted(card.key for card in await host.cards())

    return _completed(ctx, incomplete, keys)


def chat_models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the key of a model that can answer."""

    async def keys(host: "Host") -> list[str]:
        return sorted(card.key for card in await host.cards() if card.kind == "llm")

    return _completed(ctx, incomplete, keys)


def loaded(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete what a model in memory is loaded as."""

    async def identifiers(host: "Host") -> list[str]:
        return sorted(one.identifier for one in await host.residents())

    return _completed(ctx, incomplete, identifiers)


def pullable(incomplete: str) -> list[str]:
    """Complete the name of a starter model: others are too many, and far away."""
    from langchain_lmswitch.embedded.starter import starter_names

    return [name for name in ("starter", *starter_names("l")) if name.startswith(incomplete)]


def _completed(ctx: typer.Context, incomplete: str, names: Names) -> list[str]:
    """Ask the host that runs, if one does; whatever goes wrong, there is nothing to complete."""
    from langchain_lmswitch.switch.portal import portal

    session = session_of(ctx, _base_url(ctx))
    try:
        with _silence():
            found = portal().call(_asked(session, names))
    except Exception:  # noqa: BLE001 - a shell in the middle of a line is no place for errors
        return []
    return [name for name in found if name.startswith(incomplete)]


async def _asked(session: Session, names: Names) -> Sequence[str]:
    if session.host is not None:
        return await asyncio.wait_for(names(session.host), WITHIN_S)
    from langchain_lmswitch.hosts.finding import look

    settings = session.settings()
    found = await asyncio.wait_for(look(settings), WITHIN_S)
    if found is None:
        return ()
    # Importing the SDK takes longer than asking: it must not count for the host.
    from langchain_lmswitch.hosts.lmstudio import LMStudioHost

    host = LMStudioHost(found.address, settings=settings, token=found.token)
    try:
        return await asyncio.wait_for(names(host), WITHIN_S)
    finally:
        await host.aclose()


def _base_url(ctx: typer.Context) -> str | None:
    """Find the address in what is on the line already, before the command or after it."""
    contexts = (ctx, ctx.parent) if ctx.parent else (ctx,)
    return next((said for one in contexts if (said := one.params.get("base_url"))), None)


@contextmanager
def _silence() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
