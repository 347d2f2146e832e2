"""Answering: a channel of fragments that ends with a sum."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.endpoints.residents import describe, find, load_config
from langchain_lmswitch.embedded.instance import Instance
from langchain_lmswitch.embedded.protocol import kv
from langchain_lmswitch.embedded.protocol.failures import CanceledError, preset_not_found
from langchain_lmswitch.embedded.protocol.packets import packets, stats
from langchain_lmswitch.embedded.services import Request
from langchain_lmswitch.embedded.uploads import with_images
from langchain_lmswitch.errors import InvalidRequest, ModelGone
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent
from langchain_lmswitch.types.requests import PredictRequest


async def predict(request: Request, channel: Channel) -> None:
    """Answer with a model that is loaded; nothing is ever loaded for it."""
    if (preset := request.optional_text("fuzzyPresetIdentifier")) is not None:
        raise preset_not_found(preset)
    values = kv.fields(request.get("predictionConfigStack"))
    instance = find("llm", request, field="modelSpecifier")
    asked = kv.predict_request(values, history(request, instance))
    with request.services.instances.use(instance):
        answer = _Answer(channel)
        finished = await _finish(answer, instance, request, asked)
        summary = answer.summary(finished, gpu_layers=_layers(request))
        channel.post(_success(instance, values, summary))


def history(request: Request, instance: Instance) -> list[dict[str, Any]]:
    """Read the conversation of a request, its images in place.

    Raises:
        InvalidRequest: It is malformed, or has an image the model cannot see.
    """
    messages = (request.get("history") or {}).get("messages")
    if not isinstance(messages, list):
        raise InvalidRequest("The history has no list of messages.")
    vision = instance.model.card.vision
    return with_images(messages, request.services.uploads, client=request.client, vision=vision)


class _Answer:
    """Passes an answer on, and keeps what the sum at the end needs."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._started_s = time.monotonic()
        self._first_token_s: float | None = None
        self._tokens = 0
        self.finished: Finished | None = None

    async def follow(self, events: AsyncGenerator[PredictEvent, None]) -> None:
        async with aclosing(events):
            async for event in events:
                self._note(event)
                for packet in packets(event):
                    self._channel.post(packet)

    async def until_canceled(self, events: AsyncGenerator[PredictEvent, None]) -> None:
        await self._channel.until_canceled(self.follow(events))

    def cut(self, stop_reason: str) -> Finished:
        """The end of an answer that somebody else ended: the counts are our own."""
        if self.finished is not None:
            return self.finished
        return Finished(
            stop_reason=stop_reason,
            predicted_tokens=self._tokens,
            time_to_first_token_s=self._first_token_s,
        )

    def summary(self, finished: Finished, *, gpu_layers: int) -> dict[str, Any]:
        total_s = time.monotonic() - self._started_s
        return stats(finished, total_s=total_s, gpu_layers=gpu_layers)

    def _note(self, event: PredictEvent) -> None:
        if isinstance(event, Finished):
            self.finished = event
        elif isinstance(event, Fragment):
            self._tokens += event.tokens
            if self._first_token_s is None:
                self._first_token_s = time.monotonic() - self._started_s


async def _finish(
    answer: _Answer, instance: Instance, request: Request, asked: PredictRequest
) -> Finished:
    """Stream the answer and say how it ended.

    Being canceled, or unloaded on somebody's wish, is a regular end in this protocol.
    """
    try:
        await answer.until_canceled(instance.worker.predict(asked))
    except CanceledError:
        return answer.cut("userStopped")
    except ModelGone:
        if not instance.leaving:
            request.services.instances.lost(instance)
            raise
        return answer.cut("modelUnloaded")
    return answer.cut("failed")


def _success(instance: Instance, values: kv.Fields, summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "success",
        "stats": summary,
        "modelInfo": describe(instance),
        "loadModelConfig": load_config(instance),
        "predictionConfig": kv.config(values),
    }


def _layers(request: Request) -> int:
    """Layers on the accelerator: none where there is none, else LM Studio's word for unknown."""
    return 0 if request.services.snapshot().gpus == () else -1
