"""What a host can download: LM Studio's own catalog and the Hugging Face Hub, through its SDK."""

from typing import Final

from langchain_lmswitch.errors import (
    DownloadFailed,
    HostFailed,
    HostLost,
    HostTimeout,
    LMSwitchError,
    UnknownModel,
)
from langchain_lmswitch.hosts.lmstudio import offers
from langchain_lmswitch.hosts.lmstudio.channels import Channel
from langchain_lmswitch.hosts.lmstudio.connection import Connection
from langchain_lmswitch.hosts.lmstudio.tokens import auth_message
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.downloads import Arrival, DownloadOption, Hit, OnBytes

_SEARCH_S: Final = 30.0
"""Longest wait for an answer that the host itself has to look up elsewhere."""


class Repository:
    """Searches and downloads by a host that speaks LM Studio's protocol.

    Building one does no IO. A download that is cancelled is cancelled on the host as well; what
    has arrived is its own to keep.

    Args:
        address: `host:port`.
        settings: Deadlines and the token.
        token: A token that goes before the settings' one.

    Raises:
        InvalidRequest: The token has not the form of one.
    """

    def __init__(self, address: str, *, settings: Settings, token: str | None = None) -> None:
        if token is None and settings.api_key is not None:
            token = settings.api_key.get_secret_value()
        self._within_s = settings.load_timeout_s
        self._connection = Connection(
            address, auth=auth_message(token), timeout_s=settings.timeout_s
        )

    @property
    def address(self) -> str:
        """Where it is, as `host:port`."""
        return self._connection.address

    async def search(self, term: str, *, limit: int) -> list[Hit]:
        """Find models that could be downloaded."""
        told = await self._connection.ask(
            ("repository", "searchModels"),
            {"opts": {"searchTerm": term, "limit": limit}},
            doing="searching for models",
            within_s=_SEARCH_S,
        )
        return offers.hits(told, term)

    async def options(self, hit: Hit) -> list[DownloadOption]:
        """List what there is of a model.

        Raises:
            DownloadFailed: It is not there any more.
        """
        try:
            told = await self._connection.ask(
                ("repository", "getModelDownloadOptions"),
                {"modelSearchResultIdentifier": dict(hit.identifier)},
                doing="listing what can be downloaded",
                subject=hit.name,
                within_s=_SEARCH_S,
            )
        except (HostFailed, UnknownModel) as error:
            raise _failed(hit.name, error) from None
        return offers.options(told)

    async def download(self, option: DownloadOption, on_bytes: OnBytes) -> Arrival:
        """Download, and tell what the model is called now.

        Raises:
            DownloadFailed: It could not be had.
        """
        channel = self._connection.channel(
            ("repository", "downloadModel"),
            {"downloadIdentifier": option.identifier},
            doing="downloading a model",
            subject=option.name,
            within_s=self._within_s,
        )
        try:
            async with channel:
                return Arrival(key=await _follow(channel, option.name, on_bytes))
        except (HostFailed, HostLost, HostTimeout, UnknownModel) as error:
            raise _failed(option.name, error) from None

    async def aclose(self) -> None:
        """Drop the connection."""
        await self._connection.aclose()


async def _follow(channel: Channel, name: str, on_bytes: OnBytes) -> str:
    while (packet := await channel.packet()) is not None:
        match packet:
            case {"type": "downloadProgress", "update": dict(update)}:
                if progress := offers.progress(update):
                    on_bytes(*progress)
            case {"type": "success"}:
                return str(packet.get("defaultIdentifier") or "")
            case _:  # `startFinalizing`, or what a newer host tells
                continue
    raise DownloadFailed(
        name, reason="the host ended it without a result", remedy="Run it again to go on."
    )


def _failed(name: str, error: LMSwitchError) -> DownloadFailed:
    reason = error.reason if isinstance(error, HostFailed | HostLost) else str(error)
    remedy = "Run it again: what has arrived is kept where the host can keep it."
    return DownloadFailed(name, reason=reason.rstrip("."), remedy=remedy)
