"""Probe: whether the host lets us in, and what it has."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.cli.doctor.examination import Examination
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.cli.doctor.probes.servers import read_servers
from langchain_lmswitch.types.machine import Scope
from langchain_lmswitch.types.models import ModelCard, Resident

if TYPE_CHECKING:
    from langchain_lmswitch.errors import LMSwitchError
    from langchain_lmswitch.hosts.base import Host

_ANSWER_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a host said."""

    host: "Host | None" = None
    """`None` if none runs, or it could not be called."""
    scope: Scope = "local"
    error: "LMSwitchError | None" = None
    """Why it did not answer."""
    engine: str = ""
    """Its release; empty if it does not tell."""
    cards: tuple[ModelCard, ...] = ()
    residents: tuple[Resident, ...] = ()


async def read_talk(exam: Examination) -> Talk:
    """Ask the host what it is and has."""
    from langchain_lmswitch.errors import LMSwitchError

    try:
        host = await _host(exam)
    except LMSwitchError as error:
        return Talk(error=error)
    if host is None:
        return Talk()
    try:
        cards, residents, engine = await asyncio.gather(
            host.cards(), host.residents(), host.engine()
        )
    except LMSwitchError as error:
        return Talk(host=host, scope=host.scope, error=error)
    return Talk(
        host=host,
        scope=host.scope,
        engine=engine,
        cards=tuple(cards),
        residents=tuple(residents),
    )


async def _host(exam: Examination) -> "Host | None":
    if exam.session.host is not None:
        return exam.session.host
    settings, servers = await exam.of(settings_of), await exam.of(read_servers)
    if servers.used is None:
        return None
    from langchain_lmswitch.hosts.lmstudio import LMStudioHost

    short = settings.model_copy(update={"timeout_s": min(settings.timeout_s, _ANSWER_S)})
    host = LMStudioHost(servers.used.address, settings=short, token=servers.used.token)
    exam.leaving.push_async_callback(host.aclose)
    return host
