"""How one request is to be answered, as a plain mapping that a graph's state can hold."""

from typing import Any, TypedDict


class RouterOptions(TypedDict, total=False):
    """How to answer; what is absent is the model's or the router's choice."""

    model: str
    """A model key, an identifier of a loaded instance, or `auto`."""
    task: str | None
    """The task, if the caller knows it."""
    quality: float | None
    """0 is the fastest answer, 1 the best; see `policy.ranking`."""
    prefer: list[str] | None
    """Models that should answer if they can: keys, parts of keys, or globs over keys."""
    require: list[str] | None
    """The only models that may answer, in the same form; `vision` and `tools` are abilities."""
    allow: list[str] | None
    """The only models that may answer, in the same form, beside what else is required."""
    deny: list[str] | None
    """The models that may not, not even if they are named."""
    roles: dict[str, Any] | None
    """What models are good at; see `types.roles.roles_of`."""
    node: str | None
    """The node of a graph that asks."""
    explore: float | None
    """How readily a loaded model is tried of which little is known."""
    learn: bool | None
    """Whether what becomes of the answer is to teach anything."""
    run: str | None
    """LangChain's id of the run, by which the answer may be judged later."""
    thread: str | None
    """Names the conversation, so that its next turn may stay with the same model."""
    temperature: float | None
    max_tokens: int | None
    stop: list[str]
    seed: int | None
    top_p: float | None
    tools: list[dict[str, Any]]
    tool_choice: str | None
    """`none`, `auto` or `required`."""
    parallel_tool_calls: bool | None
    """Whether an answer may have more than one tool call; `None` is yes."""
    json_schema: dict[str, Any] | None
    context: str | None
    """`on`, `observe` or `off`; see `types.contexts.ContextMode`."""
    summarizer: Any
    """`auto`, `off`, the key of a model, or a chat model."""
    on_overflow: str | None
    """`clip` or `raise`; see `types.contexts.Overflow`."""
    timeout_s: float | None
    """Longest gap between two signs of life from the model."""
    allow_url_fetch: bool
    """Whether images may be fetched from remote addresses."""
    send_reasoning: bool
    """Whether the model sees its own earlier thinking again."""
