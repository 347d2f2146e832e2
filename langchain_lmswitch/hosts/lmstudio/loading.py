"""Loads and unloads."""

from collections.abc import Iterable

from langchain_lmswitch.errors import HostLost, LMSwitchError, LoadFailed, UnknownModel
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.hosts.lmstudio import fields, listing
from langchain_lmswitch.hosts.lmstudio.channels import Channel
from langchain_lmswitch.hosts.lmstudio.connection import Connection
from langchain_lmswitch.hosts.lmstudio.failures import load_failure
from langchain_lmswitch.policy.naming import nearest
from langchain_lmswitch.types.models import LoadSpec, ModelCard, ModelKind, Resident
from langchain_lmswitch.types.requests import JsonObject


async def cards(connection: Connection) -> list[ModelCard]:
    """List the models on disk."""
    return listing.cards(
        await connection.ask(("system", "listDownloadedModels"), doing="listing models")
    )


async def loaded(connection: Connection, kind: ModelKind) -> list[Resident]:
    """List the loaded models of one kind."""
    raw = await connection.ask((kind, "listLoaded"), doing="listing loaded models")
    return [resident for resident in listing.residents(raw) if resident.kind == kind]


async def load(
    connection: Connection, spec: LoadSpec, *, on_progress: OnProgress | None, within_s: float
) -> Resident:
    """Load a model as a new instance; one that comes after a cancel all the same is unloaded.

    Raises:
        UnknownModel: No such model on disk.
        LoadFailed: The host tried and could not.
    """
    # A load must not be repeated: so find out first whether the connection still lives.
    await loaded(connection, spec.kind)
    try:
        async with _channel(connection, spec, within_s) as channel:
            resident = await _follow(channel, spec, on_progress)
    except UnknownModel:
        raise unknown(spec.key, (card.key for card in await cards(connection))) from None
    except LMSwitchError as error:
        if isinstance(error, HostLost):
            connection.lost()
        raise load_failure(error, spec.key) from None
    return resident if resident.context_tokens else await _read_back(connection, resident)


async def unload(connection: Connection, kind: ModelKind, identifier: str) -> None:
    """Unload one instance.

    Raises:
        UnknownModel: Nothing is loaded under this identifier.
    """
    await connection.ask_once(
        (kind, "unloadModel"),
        {"identifier": identifier},
        doing="unloading a model",
        subject=identifier,
    )


def unknown(name: str, known: Iterable[str]) -> UnknownModel:
    """Build the error that names what was probably meant."""
    return UnknownModel(name, nearest=nearest(name, known))


def _channel(connection: Connection, spec: LoadSpec, within_s: float) -> Channel:
    async def undo(last: JsonObject) -> None:
        resident = listing.resident(last["info"], spec.kind)
        await unload(connection, spec.kind, resident.identifier)

    return connection.channel(
        (spec.kind, "loadModel"),
        fields.load_params(spec),
        doing="loading a model",
        subject=spec.key,
        within_s=within_s,
        undo=undo,
    )


async def _follow(channel: Channel, spec: LoadSpec, on_progress: OnProgress | None) -> Resident:
    highest = -1.0
    while (packet := await channel.packet()) is not None:
        progress, info = packet.get("progress"), packet.get("info")
        if packet.get("type") == "success" and isinstance(info, dict) and "modelKey" in info:
            return listing.resident(info, spec.kind)
        if isinstance(progress, int | float) and highest < progress <= 1:
            highest = progress
            if on_progress is not None:
                on_progress(highest)
    raise LoadFailed(spec.key, reason="The host ended the load without a result.")


async def _read_back(connection: Connection, resident: Resident) -> Resident:
    listed = await loaded(connection, resident.kind)
    return next((one for one in listed if one.identifier == resident.identifier), resident)
