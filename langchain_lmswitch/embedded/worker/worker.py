"""A loaded model: one process, and what can be asked of it."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Self

import httpx

from langchain_lmswitch.embedded.worker.client import ContextFull, EngineClient
from langchain_lmswitch.embedded.worker.history import to_chat
from langchain_lmswitch.embedded.worker.loading import launch
from langchain_lmswitch.embedded.worker.process import WorkerProcess
from langchain_lmswitch.embedded.worker.spec import WorkerSpec
from langchain_lmswitch.embedded.worker.toolstream import ToolEvent, ToolStream
from langchain_lmswitch.embedded.worker.translate import ChunkReader, active_tools, chat_body
from langchain_lmswitch.errors import HostFailed, ModelGone
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent, PromptProgress
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

GRACE_S = 2.0
"""How long after a broken socket the process may take to be seen dead."""

_BUSIEST_FIRST = ("generating", "processingPrompt", "computingEmbedding")


class Worker:
    """A model in a process of its own; make one with `start`."""

    def __init__(
        self, spec: WorkerSpec, process: WorkerProcess, client: EngineClient, *, context_tokens: int
    ) -> None:
        self.spec = spec
        self.pid: int = process.pid
        self.context_tokens = context_tokens
        """The context of one request, as really loaded."""
        self._process = process
        self._client = client
        self._phases: Counter[str] = Counter()

    @classmethod
    async def start(
        cls, spec: WorkerSpec, *, on_progress: Callable[[float], None] | None = None
    ) -> Self:
        """Load a model; cancelling kills the process promptly.

        Args:
            spec: What to load.
            on_progress: Gets fractions up to 1.0; the first 0.9 are bytes read from disk.

        Raises:
            BadModelFile: The file is missing or no GGUF model.
            LoadFailed: The engine could not load it.
            MissingExtra: The engine is not installed.
        """
        process, client, context_tokens = await launch(spec, on_progress or (lambda _: None))
        return cls(spec, process, client, context_tokens=context_tokens)

    async def predict(self, request: PredictRequest) -> AsyncGenerator[PredictEvent, None]:
        """Answer; the last event is the one `Finished`.

        Leaving early stops the engine.

        Raises:
            ContextTooLong: The prompt exceeds the context.
            InvalidRequest: The engine or the chat template cannot work with the request.
            ModelGone: The process ended before the answer did.
        """
        started_s, first_s = time.perf_counter(), None
        reader, tools = ChunkReader(max_tokens=request.max_tokens), _tool_stream(request)
        with self._phase("processingPrompt") as enter:
            async with aclosing(self._events(request, reader, tools)) as events:
                async for event in events:
                    if first_s is None and not isinstance(event, PromptProgress):
                        first_s = time.perf_counter() - started_s
                        enter("generating")
                    yield event
        called = tools is not None and tools.calls > 0
        yield _timed(reader.finished(), first_s, called=called)

    async def tokenize(self, text: str) -> list[int]:
        """The model's tokens of `text`, without any it would add around a prompt."""
        answer = await self._ask("/tokenize", {"content": text})
        tokens: list[int] = answer["tokens"]
        return tokens

    async def render(
        self, messages: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()
    ) -> str:
        """The very prompt that `predict` would send for the same messages and tools."""
        answer = await self._ask("/apply-template", {"messages": to_chat(messages, tools=tools)})
        return str(answer["prompt"])

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, in their order."""
        if not texts:
            return []
        with self._phase("computingEmbedding"):
            answer = await self._ask("/v1/embeddings", {"input": list(texts)})
        rows = sorted(answer["data"], key=lambda row: row["index"])
        return [row["embedding"] for row in rows]

    @property
    def active(self) -> int:
        """Requests in hand and waiting."""
        return self._phases.total()

    @property
    def status(self) -> str:
        """`idle`, `processingPrompt`, `generating` or `computingEmbedding`."""
        busy = (phase for phase in _BUSIEST_FIRST if self._phases[phase] > 0)
        return next(busy, "idle")

    async def wait_exit(self) -> int | None:
        """Wait until the process is gone, whoever ended it; negative is a signal."""
        code = await self._process.wait()
        await self._client.close()
        return code

    async def stop(self) -> None:
        """End the process, which gives all its memory back; bounded, and may be repeated."""
        await self._process.stop()
        await self._client.close()

    async def _events(
        self, request: PredictRequest, reader: ChunkReader, tools: ToolStream | None
    ) -> AsyncGenerator[PromptProgress | ToolEvent, None]:
        try:
            async with aclosing(self._fragments(request, reader)) as fragments:
                async for event in fragments:
                    if tools is None or isinstance(event, PromptProgress):
                        yield event
                    else:
                        for tool_event in tools.feed(event):
                            yield tool_event
        except ContextFull:
            reader.fill()
        for tool_event in tools.close() if tools else ():
            yield tool_event

    async def _fragments(
        self, request: PredictRequest, reader: ChunkReader
    ) -> AsyncGenerator[PromptProgress | Fragment, None]:
        stream = self._client.chunks("/v1/chat/completions", chat_body(request))
        async with self._alive(), aclosing(stream) as chunks:
            async for chunk in chunks:
                for event in reader.feed(chunk):
                    yield event
            if not reader.complete:
                raise httpx.RemoteProtocolError("the answer broke off")

    async def _ask(self, path: str, body: dict[str, Any]) -> Any:
        async with self._alive():
            return await self._client.post(path, body)

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Turn a broken socket into what it means."""
        if self._process.returncode is not None:
            raise self._gone()
        try:
            yield
        except httpx.TransportError as error:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), GRACE_S)
                raise self._gone() from error
            raise HostFailed(self._client.address, doing="answering", reason=str(error)) from error

    def _gone(self) -> ModelGone:
        code = self._process.returncode
        return ModelGone(self.spec.key, reason=f"its process ended with code {code}")

    @contextmanager
    def _phase(self, name: str) -> Iterator[Callable[[str], None]]:
        """Count a request under what it does now; the value given moves it on."""
        current = name
        self._phases[current] += 1

        def enter(following: str) -> None:
            nonlocal current
            self._phases[current] -= 1
            self._phases[following] += 1
            current = following

        try:
            yield enter
        finally:
            self._phases[current] -= 1


def _timed(finished: Finished, first_s: float | None, *, called: bool) -> Finished:
    stop_reason = "toolCalls" if called else finished.stop_reason
    return replace(finished, stop_reason=stop_reason, time_to_first_token_s=first_s)


def _tool_stream(request: PredictRequest) -> ToolStream | None:
    tools = active_tools(request)
    if not tools:
        return None
    return ToolStream(
        {tool["function"]["name"] for tool in tools},
        new_id=_new_call_id,
        must_call=request.tool_choice == "required",
    )


def _new_call_id() -> str:
    return f"call_{secrets.token_hex(8)}"
