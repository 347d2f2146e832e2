"""`lmswitch status`: the host, what it holds in memory, and what is left of the memory."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.cli.units import UNKNOWN, duration, size
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Gpu, Snapshot
from langchain_lmswitch.types.models import Resident

if TYPE_CHECKING:
    from rich.table import Table

    from langchain_lmswitch.hosts.base import Host

_KINDS: Final = {
    "explicit": "the address you gave",
    "lmstudio": "LM Studio",
    "embedded": "embedded host",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A host and its memory at one moment."""

    address: str = ""
    """Empty if no host runs."""
    kind: str = ""
    residents: tuple[tuple[Resident, str], ...] = ()
    """Each with what it is doing."""
    snapshot: Snapshot


def status(ctx: typer.Context, *, json: Json = False, base_url: BaseUrl = None) -> None:
    """Show the host, its loaded models, the memory.

    It only looks: no host is started, no model loaded.
    """
    from langchain_lmswitch.switch.portal import portal

    now = portal().call(_look(session_of(ctx, base_url)))
    if json:
        show_json(record(now))
        return
    show(overview(now))
    if now.residents:
        show("", residents(now))


async def _look(session: Session) -> Status:
    if session.host is not None:
        return await _status(session.host, kind="explicit", here=session.measure().snapshot())
    from langchain_lmswitch.hosts.finding import look

    settings = session.settings()
    here, found = session.measure().snapshot(), await look(settings)
    if found is None:
        return Status(snapshot=here)
    from langchain_lmswitch.hosts.lmstudio import LMStudioHost

    host = LMStudioHost(found.address, settings=settings, token=found.token)
    try:
        return await _status(host, kind=found.kind, here=here)
    finally:
        await host.aclose()


async def _status(host: "Host", *, kind: str, here: Snapshot) -> Status:
    doing = []
    for resident in await host.residents():
        state = await host.state(resident.identifier)
        doing.append((resident, UNKNOWN if state is None else "idle" if state.idle else "busy"))
    return Status(
        address=host.address,
        kind=kind,
        residents=tuple(doing),
        snapshot=here if host.scope == "local" else UNKNOWN_MACHINE,
    )


def overview(now: Status) -> "Table":
    """Lay out the host and the memory, a line each."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_row("host", _host_line(now))
    grid.add_row("memory", _memory_line(now.snapshot))
    for line in _gpu_lines(now.snapshot.gpus):
        grid.add_row("gpu", line)
    if now.address:
        grid.add_row("loaded", _loaded_line(len(now.residents)))
    return grid


def _host_line(now: Status) -> str:
    if not now.address:
        return "none running; `lmswitch ask` starts the embedded host if it is installed"
    return f"{now.address} ({_KINDS.get(now.kind, now.kind)})"


def _loaded_line(count: int) -> str:
    return "nothing" if not count else f"{count} model{'s' if count > 1 else ''}"


def _memory_line(snapshot: Snapshot) -> str:
    if snapshot.ram_free_bytes is None and snapshot.ram_total_bytes is None:
        return UNKNOWN
    limit = "the limit of this container" if snapshot.limited_by == "container" else "this machine"
    free, total = size(snapshot.ram_free_bytes), size(snapshot.ram_total_bytes)
    return f"{free} free of {total} ({limit})"


def _gpu_lines(gpus: tuple[Gpu, ...] | None) -> list[str]:
    if gpus is None:
        return [UNKNOWN]
    return [
        f"{gpu.name}, {size(gpu.free_bytes)} free of {size(gpu.total_bytes)}" for gpu in gpus
    ] or ["none"]


def residents(now: Status) -> "Table":
    """Lay out the models in memory."""
    rows = [
        (
            one.identifier,
            "" if one.key == one.identifier else one.key,
            f"{one.context_tokens:,}" if one.context_tokens else UNKNOWN,
            doing,
            "never" if one.ttl_s is None else f"after {duration(one.ttl_s)} idle",
        )
        for one, doing in now.residents
    ]
    return table("loaded as", "model", "context", "state", "unloads", rows=rows, right=("context",))


def record(now: Status) -> dict[str, Any]:
    """Write the status as JSON values; what is unknown is null."""
    host = {"address": now.address, "kind": now.kind} if now.address else None
    held = [
        {**asdict(one), "state": None if doing == UNKNOWN else doing}
        for one, doing in now.residents
    ]
    return {"host": host, "residents": held, "memory": asdict(now.snapshot)}
