"""Hints that come with a call's config, as well as with its arguments."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, get_args

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import LLMResult
from langchain_core.runnables import ConfigurableFieldSpec, RunnableConfig
from langchain_core.runnables.config import ensure_config
from pydantic import field_validator

from langchain_lmswitch.chat_models.legible import LegibleChatModel
from langchain_lmswitch.types.tasks import TaskKind

HINTS: Final[Mapping[str, tuple[Any, str]]] = {
    "model": (str, "A model key, the identifier of a loaded model, or `auto`."),
    "task": (str, f"One of {', '.join(get_args(TaskKind))}."),
    "quality": (float, "0 is the fastest answer, 1 the best."),
    "prefer": (list[str], "Models that should answer if they can."),
    "require": (list[str], "The only models that may answer."),
    "allow": (list[str], "The only models that may ever answer."),
    "deny": (list[str], "Models that never answer."),
    "roles": (dict[str, Any], "What models are good at: tasks, or scores, by model."),
    "node": (str, "The node of a graph that asks."),
}
"""What `configurable` may hold, with its type and meaning."""

NODES: Final = frozenset(HINTS) - {"node"}
"""What may be said of a node."""

Nodes = Mapping[str, Mapping[str, Any]]
"""By the name of a node, hints for what it asks."""


class HintedChatModel(LegibleChatModel):
    """A chat model whose hints may stand in `config["configurable"]`.

    LangChain hands a chat model's hooks no config; so the public methods turn the hints into
    arguments of the call, where callbacks, traces and the cache see them too. An argument of the
    call wins over the config, the config over what is said of the node that asks, and that over the
    model's own field.
    """

    nodes: dict[str, dict[str, Any]] | None = None
    """Hints for the nodes of a LangGraph graph, by the name of the node: `{"plan": {"task":
    "reasoning"}}`; `lmswitch allocate --json` writes such a mapping."""

    @field_validator("nodes")
    @classmethod
    def _known_hints(cls, nodes: Nodes | None) -> Nodes | None:
        for node, hints in (nodes or {}).items():
            if unknown := ", ".join(sorted(hints.keys() - NODES)):
                known = ", ".join(sorted(NODES))
                msg = f"{unknown} cannot be said of node {node!r}; give some of {known}."
                raise ValueError(msg)
        return nodes

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The hints that `config["configurable"]` may hold."""
        own = [
            ConfigurableFieldSpec(id=name, annotation=kind, description=meaning, default=None)
            for name, (kind, meaning) in HINTS.items()
        ]
        return [*super().config_specs, *own]

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer, with the model that suits the request best at this moment.

        Args:
            input: A text, a prompt, or the conversation so far.
            config: LangChain's; hints may stand in its `configurable`.
            stop: Texts that end the answer.
            kwargs: For this call only: whatever the class says of who answers and how, and
                `tools`, `tool_choice`, `response_format`, `node`.

        Returns:
            The message; its `response_metadata["lmswitch"]` holds the decision as a mapping.

        Raises:
            HostNotFound: There is neither an LM Studio nor an embedded host.
            NoSuitableModel: No model is installed that can do it.
            UnknownModel: `model` names one that the host does not have.
            ModelDenied: `model` names one that your own rules forbid.
            NotEnoughMemory: What could answer does not fit the memory.
            ContextTooLong: What must be kept does not fit the context.
            InvalidRequest: An argument or a message cannot be used.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(temperature=0)
            answer = llm.invoke("What is the capital of France?", quality=0.9, max_tokens=16)
            print(answer.text)
            ```

            ```text
            The capital of France is Paris.
            ```
        """
        return super().invoke(input, config, stop=stop, **hinted(config, kwargs, self.nodes))

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - as above
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; see `invoke`. Cancelling it stops the work on the host, too."""
        return await super().ainvoke(input, config, stop=stop, **hinted(config, kwargs, self.nodes))

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - as above
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Answer, piece by piece; see `invoke`. Leaving the loop stops the work on the host.

        The first piece carries the decision, the last the tokens that were used; added up, they
        are the message that `invoke` gives.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(temperature=0, max_tokens=16)
            for piece in llm.stream("What is the capital of France?"):
                print(piece.text, end="")
            ```

            ```text
            The capital of France is Paris.
            ```
        """
        return super().stream(input, config, stop=stop, **hinted(config, kwargs, self.nodes))

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - as above
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Answer, piece by piece; see `stream`."""
        return super().astream(input, config, stop=stop, **hinted(config, kwargs, self.nodes))

    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Answer several conversations; see `BaseChatModel.generate`. Cached answers say so."""
        return _cache_marked(super().generate(*args, **kwargs))

    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Answer several conversations; see `BaseChatModel.agenerate`. Cached answers say so."""
        return _cache_marked(await super().agenerate(*args, **kwargs))


def hinted(
    config: RunnableConfig | None, kwargs: Mapping[str, Any], nodes: Nodes | None = None
) -> dict[str, Any]:
    """Add the hints of a config, or of the one in the context, to a call's arguments.

    Args:
        config: Of the call.
        kwargs: Its arguments.
        nodes: What is said of the nodes of a graph.
    """
    configurable = ensure_config(config).get("configurable") or {}
    hints = {name: configurable[name] for name in HINTS if configurable.get(name) is not None}
    node = kwargs.get("node") or hints.get("node") or node_of_context(config)
    return {**(nodes or {}).get(node or "", {}), **hints, **kwargs}


def node_of_context(config: RunnableConfig | None = None) -> str | None:
    """Give the name of the LangGraph node that is running, if there is one."""
    node = (ensure_config(config).get("metadata") or {}).get("langgraph_node")
    return None if node is None else str(node)


def thread_of_context() -> str | None:
    """Give the `thread_id` of the graph that is running, if there is one."""
    thread = (ensure_config().get("configurable") or {}).get("thread_id")
    return None if thread is None else str(thread)


def _cache_marked(result: LLMResult) -> LLMResult:
    for generations in result.generations:
        for generation in generations:
            message = getattr(generation, "message", None)
            if isinstance(message, AIMessage) and _from_cache(message):
                # The record may be the cache's own object: a copy of it is marked.
                record = {**message.response_metadata.get("lmswitch", {}), "cached": True}
                metadata = {**message.response_metadata, "lmswitch": record}
                update = {"response_metadata": metadata}
                generation.message = message.model_copy(update=update)  # type: ignore[union-attr]
    return result


def _from_cache(message: AIMessage) -> bool:
    # LangChain marks a hit by a cost of zero, and in no other way.
    usage: Mapping[str, Any] = message.usage_metadata or {}
    return usage.get("total_cost") == 0
