"""From a request to the body of llama.cpp's server, and from its chunks to events. Pure.

The chat endpoint is OpenAI's with llama.cpp's additions: `return_progress` (prompt progress),
`timings_per_token` (tokens so far in each chunk), and `verbose` with `response_fields`, which
adds `__verbose: {stop_type, stopping_word}` to the last chunk (measured on build 11549).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_lmswitch.embedded.worker.history import to_chat
from langchain_lmswitch.embedded.worker.toolgrammar import tool_grammar
from langchain_lmswitch.types.events import Finished, Fragment, PromptProgress
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

_PLAIN_OPTIONS = {"llm.prediction.topKSampling": "top_k"}
_CHECKED_OPTIONS: dict[str, tuple[str, float]] = {
    "llm.prediction.topPSampling": ("top_p", 1.0),
    "llm.prediction.minPSampling": ("min_p", 0.0),
    "llm.prediction.repeatPenalty": ("repeat_penalty", 1.0),
    "llm.prediction.seed": ("seed", -1),
    "llm.prediction.llama.presencePenalty": ("presence_penalty", 0.0),
    "llm.prediction.llama.frequencyPenalty": ("frequency_penalty", 0.0),
}
"""LM Studio's `{"checked", "value"}` fields: the engine's name, and what switches it off."""


def chat_body(request: PredictRequest) -> dict[str, Any]:
    """Write the body of `POST /v1/chat/completions`."""
    tools = active_tools(request)
    return {
        "messages": to_chat(request.messages, tools=tools),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "timings_per_token": True,
        "verbose": True,
        "response_fields": ["stop_type", "stopping_word"],
        "cache_prompt": True,
        **_sampling(request),
        **_constraint(request, tools),
    }


def active_tools(request: PredictRequest) -> tuple[JsonObject, ...]:
    """The tools the model may call in this answer."""
    return () if request.tool_choice == "none" else request.tools


def _sampling(request: PredictRequest) -> dict[str, Any]:
    named = {
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "top_p": request.top_p,
    }
    given = {name: value for name, value in named.items() if value is not None}
    return dict(_option(*option) for option in request.options if _known(option[0])) | given


def _known(key: str) -> bool:
    return key in _PLAIN_OPTIONS or key in _CHECKED_OPTIONS


def _option(key: str, value: Any) -> tuple[str, Any]:
    if key in _PLAIN_OPTIONS:
        return _PLAIN_OPTIONS[key], value
    name, off = _CHECKED_OPTIONS[key]
    if not isinstance(value, Mapping):
        return name, value
    return name, value.get("value", off) if value.get("checked") else off


def _constraint(request: PredictRequest, tools: tuple[JsonObject, ...]) -> dict[str, Any]:
    if tools:
        must_call = request.tool_choice == "required"
        grammar = tool_grammar(tools, must_call=must_call, answer_schema=request.json_schema)
        return {"grammar": grammar}
    if request.json_schema is not None:
        form = {"name": "answer", "schema": dict(request.json_schema)}
        return {"response_format": {"type": "json_schema", "json_schema": form}}
    return {}


@dataclass(slots=True, kw_only=True)
class ChunkReader:
    """Turns the chunks of one answer into events, and remembers how it ended."""

    max_tokens: int | None = None
    _predicted: int = 0
    _told: int = 0
    _finish_reason: str | None = None
    _last: dict[str, Any] = field(default_factory=dict)
    _usage: dict[str, Any] = field(default_factory=dict)
    _timings: dict[str, Any] = field(default_factory=dict)

    def feed(self, chunk: Mapping[str, Any]) -> Iterator[PromptProgress | Fragment]:
        """Read one chunk."""
        self._timings = chunk.get("timings") or self._timings
        self._usage = chunk.get("usage") or self._usage
        self._last = chunk.get("__verbose") or self._last
        self._predicted = self._timings.get("predicted_n", self._predicted)
        if progress := chunk.get("prompt_progress"):
            yield _progress(progress)
        for choice in chunk.get("choices", ()):
            self._finish_reason = choice.get("finish_reason") or self._finish_reason
            yield from self._fragments(choice.get("delta") or {})

    def _fragments(self, delta: Mapping[str, Any]) -> Iterator[Fragment]:
        for name, reasoning in (("reasoning_content", True), ("content", False)):
            if text := delta.get(name):
                tokens, self._told = max(0, self._predicted - self._told), self._predicted
                yield Fragment(text=text, tokens=tokens, reasoning=reasoning)

    @property
    def complete(self) -> bool:
        """Whether the engine has said that the answer ended."""
        return self._finish_reason is not None

    def fill(self) -> None:
        """End the answer because the context is full."""
        self._finish_reason = "length"
        self.max_tokens = None

    def finished(self) -> Finished:
        """The last event of the answer."""
        details = self._usage.get("prompt_tokens_details") or {}
        return Finished(
            stop_reason=self._stop_reason(),
            prompt_tokens=self._usage.get("prompt_tokens"),
            predicted_tokens=self._made,
            cached_tokens=details.get("cached_tokens"),
            tokens_per_second=self._timings.get("predicted_per_second"),
        )

    @property
    def _made(self) -> int:
        return int(self._usage.get("completion_tokens", self._predicted))

    def _stop_reason(self) -> str:
        """Say why the answer ended.

        1. A stop string: the engine names the word.
        2. A limit: ours if that many tokens were made, else the context is full.
        3. The model ended it.
        """
        if self._last.get("stop_type") == "word":  # 1
            return "stopStringFound"
        if self._finish_reason == "length":  # 2
            ours = self.max_tokens is not None and self._made >= self.max_tokens
            return "maxPredictedTokensReached" if ours else "contextLengthReached"
        return "eosFound"  # 3


def _progress(wire: Mapping[str, Any]) -> PromptProgress:
    total = wire["total"]
    fraction = wire["processed"] / total if total else 1.0
    return PromptProgress(fraction=fraction, cached_tokens=wire["cache"], total_tokens=total)
