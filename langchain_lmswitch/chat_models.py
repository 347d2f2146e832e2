"""`ChatLMSwitch`: LangChain's face of the router, thin over one asynchronous core."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Final, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.incoming import PROVIDER, Chunks
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import SwitchEvent

if TYPE_CHECKING:
    from langchain_lmswitch.graph.outlets import Outlets
    from langchain_lmswitch.graph.router import Router, RouterEvent
    from langchain_lmswitch.graph.state import RouterOptions

_PER_CALL: Final = frozenset(
    {"model", "task", "temperature", "max_tokens", "seed", "top_p", "tools", "tool_choice"}
)
_IGNORED: Final = frozenset({"stream", "stream_usage", "ls_structured_output_format"})
"""Said to LangChain, not to the model."""


class ChatLMSwitch(BaseChatModel):
    """One chat model for all the models on your machine.

    For every request it decides which local model should answer, loads it if the machine can
    afford that, keeps the conversation within the loaded context, and answers. It reaches a
    running LM Studio, or else the embedded host of `langchain-lmswitch[embedded]`.

    Constructing it does no IO. It can be pickled and copied, and used from any thread and any
    event loop, also inside a running one.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch

        llm = ChatLMSwitch()
        answer = llm.invoke("Write a Python function that reverses a string.")
        print(answer.text)
        print(answer.response_metadata["lmswitch"]["reason"])
        ```

    Every argument but the first two may be left to the settings (`LMSWITCH_*`); see
    `langchain_lmswitch.settings.Settings`. `model`, `task`, `temperature`, `max_tokens`, `seed`,
    `top_p` and `stop` may also be given per call or with `bind`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    model: str = "auto"
    """A model key, the identifier of a loaded model, or `auto` to let the router choose."""
    task: str | None = None
    """`code`, `math`, `summary`, `creative` or `chat`; `None` lets the router find out."""
    temperature: float | None = Field(default=None, ge=0)
    """`None` is the model's own default."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Most tokens to answer with."""
    stop: list[str] | None = Field(default=None, alias="stop_sequences")
    """Texts that end the answer; they are not part of it."""
    seed: int | None = None
    """Seed of the sampler, where the host honors it."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Share of the probability mass to sample from."""
    timeout: float | None = Field(default=None, gt=0)
    """Longest wait in seconds between two signs of life while answering."""
    max_retries: int = Field(default=2, ge=0)
    """How often a lost connection is tried again, before the first token only."""
    base_url: str | None = None
    """The host as `host:port`; `None` looks for one."""
    api_key: SecretStr | None = None
    """Token of the host, `sk-lm-...`; `None` reads `LM_API_TOKEN`."""
    streaming: bool = False
    """Whether `invoke` streams inside, for the sake of callbacks."""
    on_event: Callable[[SwitchEvent], None] | None = Field(default=None, exclude=True)
    """Called with load progress, queueing, eviction and compression, as typed events."""
    host: Any = Field(default=None, exclude=True, repr=False)
    """A `Host` object to use instead of looking for one; see `langchain_lmswitch.testing`."""
    monitor: Any = Field(default=None, exclude=True, repr=False)
    """A `Monitor` to measure the machine of `host` with."""

    _settings: tuple[object, Settings] | None = PrivateAttr(default=None)
    """What they were made from, since a copy may be given another host, and the settings."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # A host is a connection, shared by all who use it, as are whoever measures and listens.
        memo = {} if memo is None else memo
        memo.update({id(one): one for one in (self.host, self.monitor, self.on_event)})
        return super().__deepcopy__(memo)

    @property
    def _llm_type(self) -> str:
        return "lmswitch-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        names = ("model", "task", "temperature", "max_tokens", "stop", "seed", "top_p", "base_url")
        return {name: getattr(self, name) for name in names}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = PROVIDER
        params["ls_model_name"] = kwargs.get("model") or self.model
        return params

    def explain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide as `invoke` would at this moment, without loading or calling a model.

        Raises:
            HostNotFound: There is no host to ask what models it has.
            UnknownModel: `model` names one the host does not have.
        """
        asked = self._convert_input(messages).to_messages()
        return portal().call(self._router().explain(asked, self._options(None, kwargs)))

    async def aexplain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide as `ainvoke` would; see `explain`."""
        asked = self._convert_input(messages).to_messages()
        return await portal().acall(self._router().explain(asked, self._options(None, kwargs)))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - core reports tokens
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        outlets, chunks = self._outlets(), Chunks()
        with closing(portal().stream(self._answer(messages, stop, kwargs))) as events:
            for event in events:
                if isinstance(event, SwitchEvent):
                    outlets.tell(event)
                elif piece := chunks.next(event):
                    yield ChatGenerationChunk(message=piece)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - as above
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        outlets, chunks = self._outlets(), Chunks()
        async with aclosing(portal().astream(self._answer(messages, stop, kwargs))) as events:
            async for event in events:
                if isinstance(event, SwitchEvent):
                    await outlets.atell(event)
                elif piece := chunks.next(event):
                    yield ChatGenerationChunk(message=piece)

    def _answer(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> "AsyncGenerator[RouterEvent, None]":
        return self._router().answer(messages, self._options(stop, kwargs))

    def _options(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> "RouterOptions":
        if unknown := kwargs.keys() - _PER_CALL - _IGNORED:
            names = ", ".join(sorted(unknown))
            msg = f"Unknown argument {names}; a call takes {', '.join(sorted(_PER_CALL))}, stop."
            raise InvalidRequest(msg)
        own = {name: getattr(self, name, None) for name in _PER_CALL}
        said = {name: value for name, value in kwargs.items() if value is not None}
        merged = {**own, **said, "stop": stop or self.stop or [], "timeout_s": self.timeout}
        # The names are the keys of RouterOptions, less those meant for LangChain.
        return cast("RouterOptions", {k: v for k, v in merged.items() if k not in _IGNORED})

    def _router(self) -> "Router":
        # LangGraph takes most of a second to import: only who asks a question pays for it.
        from langchain_lmswitch.graph import routers  # noqa: PLC0415

        if self.host is None:
            return routers.router(self._own_settings(), retries=self.max_retries)
        return routers.router_to(
            self.host,
            monitor=self.monitor,
            settings=self._own_settings(),
            retries=self.max_retries,
        )

    def _outlets(self) -> "Outlets":
        from langchain_lmswitch.graph.outlets import Outlets  # noqa: PLC0415 - as above

        return Outlets(self.on_event)

    def _own_settings(self) -> Settings:
        given: dict[str, Any] = {"base_url": self.base_url, "api_key": self.api_key}
        if self._settings is None or self._settings[0] != given:
            settings = Settings(**{k: v for k, v in given.items() if v is not None})
            self._settings = given, settings
        return self._settings[1]
