"""`ChatLMSwitch`: LangChain's hooks."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    BaseRunManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from langchain_lmswitch.chat_models.telling import TellingChatModel
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import PredictEvent, SwitchEvent

if TYPE_CHECKING:
    from langchain_lmswitch.graph.calls import Call


class ChatLMSwitch(TellingChatModel):
    """One chat model for all the models on your machine.

    For every request it decides which local model should answer, loads it if the machine can
    afford that, keeps the conversation within the loaded context, answers, and says why it chose
    as it did. It reaches a running LM Studio, or else the embedded host of
    `langchain-lmswitch[embedded]`, which starts by itself.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch

        llm = ChatLMSwitch(temperature=0)
        answer = llm.invoke("What is the capital of France?")
        print(answer.text)
        print(answer.response_metadata["lmswitch"]["model"], "for", llm.why().task)

        decision = llm.explain("Write a Python function.", quality=0.9)  # calls nothing
        for one in decision.candidates:
            print(one.key, one.note or "not needed")
        ```

        ```text
        The capital of France is Paris.
        qwen2.5-coder-0.5b-instruct for facts
        qwen2.5-coder-0.5b-instruct chosen
        smollm2-135m-instruct not needed
        ```

    It is a LangChain chat model: `invoke`, `stream`, `batch`, `bind_tools`,
    `with_structured_output`, each with its asynchronous twin. Constructing it does no IO. It can be
    pickled and copied, and used from any thread and any event loop, also inside a running one.

    Every argument may be left out. Those of the first two tables, but `nodes` and `streaming`, may
    also be given per call or with `bind`; `model` to `roles` may stand in `config["configurable"]`,
    too. An argument of the call wins over the config, that over `nodes`, that over the field.

    | who answers | |
    | --- | --- |
    | `model="auto"` | a key, a part that only one key has, or the identifier of a loaded model |
    | `task=None` | what is asked for: `code`, `math`, `reasoning`, `knowledge`, `facts`, |
    | | `extraction`, `summary`, `creative`, `rewriting`, `tools`, `chat`; else it is found out |
    | `quality=None` | 0 is the fastest answer, 1 the best; half way unless given |
    | `prefer=None` | models that should answer if they can: keys, parts, globs like `*coder*` |
    | `require=None` | the only ones that may; `vision` and `tools` mean an ability |
    | `allow=None`, `deny=None` | rules: a denied model never answers, not even by name |
    | `roles=None` | `{"coder": ["code"]}`: first choice; `{"coder": {"code": 0.9}}`: how good |
    | `nodes=None` | hints by the name of the LangGraph node that asks |
    | `explore=None` | how readily a little known loaded model is tried, 0 to 1 |
    | `learn=None` | whether what becomes of answers teaches which model to choose |

    | how it answers | |
    | --- | --- |
    | `temperature=None`, `top_p=None`, `seed=None` | as the model is used to, unless given |
    | `max_tokens=None` | most tokens to answer with |
    | `stop=None` | texts that end the answer; `stop_sequences` is the same |
    | `send_reasoning=False` | whether the model sees its own earlier thinking again |
    | `allow_url_fetch=False` | whether images may be fetched from addresses in messages |
    | `context=None` | `on` fits long conversations, `observe` only tells, `off` sends them |
    | `on_overflow=None` | whether a message larger than its place is cut (`clip`) or refused |
    | `summarizer=None` | who summarizes what leaves the context: `auto`, `off`, a key, a model |
    | `streaming=False` | whether `invoke` streams inside, for the sake of callbacks |

    | where, and who listens | |
    | --- | --- |
    | `base_url=None`, `api_key=None` | the host as `host:port`, and its token; else one is found |
    | `timeout=None` | longest wait in seconds between two signs of life while answering |
    | `max_retries=2` | how often a lost connection is tried again, before the first token |
    | `on_event=None` | called with loading, queueing, eviction and compression, as they happen |
    | `host=None`, `monitor=None`, `ledger=None` | for tests; see `langchain_lmswitch.testing` |

    What is not given is as the settings say: `LMSWITCH_*` in the environment, or `lmswitch.toml`;
    see `langchain_lmswitch.Settings`. LangChain's own arguments (`cache`, `callbacks`,
    `rate_limiter`, `profile` and more) are those of any chat model.

    Look further: `invoke` for what may go wrong; `explain`, `why` and `router` for the decision;
    `loaded`, `preload`, `prefetch`, `hold`, `pin`, `unload` and `watch` for the memory; `live` and
    `timeline` to see it; `feedback` for what it learns; `langchain_lmswitch.errors` for every error
    in one tree.
    """

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return call.mended(generate_from_stream(self._pieces(call)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return call.mended(await agenerate_from_stream(self._apieces(call)))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return self._pieces(self._call(messages, stop, kwargs, run_manager))

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        return self._apieces(self._call(messages, stop, kwargs, run_manager))

    def _pieces(self, call: "Call") -> Iterator[ChatGenerationChunk]:
        with closing(portal().stream(call.events())) as events:
            for event in events:
                if isinstance(event, SwitchEvent):
                    call.outlets.tell(event)
                elif piece := self._heard(call, event):
                    yield piece

    async def _apieces(self, call: "Call") -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(portal().astream(call.events())) as events:
            async for event in events:
                if isinstance(event, SwitchEvent):
                    await call.outlets.atell(event)
                elif piece := self._heard(call, event):
                    yield piece

    def _heard(self, call: "Call", event: Decision | PredictEvent) -> ChatGenerationChunk | None:
        if isinstance(event, Decision):
            self._follow(event)
            self._remember(event)
        piece = call.chunks.next(event)
        return None if piece is None else ChatGenerationChunk(message=piece)

    def _call(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        kwargs: Mapping[str, Any],
        run: BaseRunManager | None,
    ) -> "Call":
        # LangGraph takes most of a second to import: only who asks a question pays for it.
        from langchain_lmswitch.graph.calls import Call  # noqa: PLC0415

        options = self._options(stop, kwargs)
        options["run"] = str(run.run_id) if run else None
        return Call(self._router(), messages, options, on_event=self.on_event)
