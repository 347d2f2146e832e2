"""Answers: the events of one prediction."""

import contextlib
from collections.abc import AsyncGenerator

from langchain_lmswitch.errors import HostFailed, HostLost
from langchain_lmswitch.hosts.endings import check_end
from langchain_lmswitch.hosts.lmstudio import fields, images
from langchain_lmswitch.hosts.lmstudio.connection import Connection
from langchain_lmswitch.hosts.lmstudio.packets import PacketReader
from langchain_lmswitch.types.events import Finished, PredictEvent
from langchain_lmswitch.types.requests import PredictRequest


async def answer(
    connection: Connection, identifier: str, request: PredictRequest, *, within_s: float
) -> AsyncGenerator[PredictEvent, None]:
    """Stream an answer; asked once more if the connection broke before anything came.

    Raises:
        UnknownModel: Nothing is loaded under this identifier.
        ModelGone: It was unloaded or crashed before the answer was complete.
        ContextTooLong: The host found the prompt too long for the loaded context.
    """
    for last in (False, True):
        begun = False
        events = _answer_once(connection, identifier, request, within_s)
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    begun = True
                    yield event
        except HostLost:
            connection.lost()
            if begun or last:
                raise
        else:
            return


async def _answer_once(
    connection: Connection, identifier: str, request: PredictRequest, within_s: float
) -> AsyncGenerator[PredictEvent, None]:
    messages = await images.upload(connection, request.messages)
    channel = connection.channel(
        ("llm", "predict"),
        fields.predict_params(identifier, request, messages),
        doing="answering",
        subject=identifier,
        within_s=within_s,
    )
    reader = PacketReader()
    async with channel:
        while (packet := await channel.packet()) is not None:
            for event in reader.read(packet):
                if not isinstance(event, Finished):
                    yield event
                    continue
                check_end(event, identifier, connection.address)
                yield event
                return
    reason = "it ended the answer without its last packet."
    raise HostFailed(connection.address, doing="answering", reason=reason)
