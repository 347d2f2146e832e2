"""What a chat model of ours is made of."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

from langchain_core.language_models.base import LangSmithParams
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from langchain_lmswitch.chat_models.binding import BindingChatModel
from langchain_lmswitch.chat_models.naming import check_names
from langchain_lmswitch.messages.incoming import PROVIDER
from langchain_lmswitch.messages.options import LLM_TYPE, checked_summarizer
from langchain_lmswitch.types.contexts import ContextMode, Overflow
from langchain_lmswitch.types.events import SwitchEvent
from langchain_lmswitch.types.roles import roles_of

ANSWERING: Final = (
    "model",
    "task",
    "quality",
    "prefer",
    "require",
    "allow",
    "deny",
    "roles",
    "temperature",
    "max_tokens",
    "seed",
    "top_p",
    "allow_url_fetch",
    "send_reasoning",
    "explore",
    "learn",
    "context",
    "on_overflow",
    "summarizer",
)
"""The fields that say how to answer, under the names of `RouterOptions`."""


class ChatModelFields(BindingChatModel):
    """The fields of `ChatLMSwitch`, and what they make of it for LangChain."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        arbitrary_types_allowed=True, populate_by_name=True
    )

    model: str = "auto"
    """A model key, a part that only one key has, the identifier of a loaded model, or `auto`."""
    task: str | None = None
    """`code`, `math`, `reasoning`, `knowledge`, `facts`, `extraction`, `summary`, `creative`,
    `rewriting`, `tools` or `chat`; `None` lets the router find out."""
    quality: float | None = Field(default=None, ge=0, le=1)
    """0 is the fastest answer, 1 the best; `None` is half way."""
    prefer: list[str] | None = None
    """Models that should answer if they can: keys, parts of keys, or globs such as `*coder*`."""
    require: list[str] | None = None
    """The only models that may answer, named likewise; `vision` and `tools` mean an ability."""
    allow: list[str] | None = None
    """The only models that may ever answer, named likewise; `None` is LMSWITCH_ALLOW, or all."""
    deny: list[str] | None = None
    """Models that may never answer, not even if they are named, beside those of LMSWITCH_DENY."""
    roles: dict[str, Any] | None = None
    """What models are good at: `{"coder": ["code"]}` makes them the first choice for a task,
    `{"coder": {"code": 0.9}}` says how much of it they get right. LMSWITCH_ROLES comes after it."""
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
    allow_url_fetch: bool = False
    """Whether images may be fetched from the remote addresses that messages name."""
    send_reasoning: bool = False
    """Whether the model sees its own earlier thinking again."""
    explore: float | None = Field(default=None, ge=0, le=1)
    """How readily a loaded model is tried of which little is known; `None` is as
    `LMSWITCH_EXPLORE` says, and 0 never tries."""
    learn: bool | None = None
    """Whether what becomes of an answer teaches which model to choose; `None` is yes, unless
    `LMSWITCH_LEARN` says no. `feedback` counts in any case but that."""
    context: ContextMode | None = None
    """What becomes of a conversation longer than the context: `on` keeps the recent turns and puts
    back the earlier ones that the question needs, `observe` only reports what that would give, and
    `off` sends it as it is; `None` is as `LMSWITCH_CONTEXT` says."""
    summarizer: Any = None
    """Who summarizes what leaves the context, in the background: `auto`, `off`, the key of a model
    that is used if it is in memory, or any chat model of LangChain's; `None` is as
    `LMSWITCH_SUMMARIZER` says."""
    on_overflow: Overflow | None = None
    """Whether a message that is larger than its place is cut (`clip`) or refused (`raise`); `None`
    is as `LMSWITCH_ON_OVERFLOW` says."""
    streaming: bool = False
    """Whether `invoke` streams inside, for the sake of callbacks."""
    on_event: Callable[[SwitchEvent], None] | None = Field(default=None, exclude=True)
    """Called with load progress, queueing, eviction and compression, as typed events."""
    host: Any = Field(default=None, exclude=True, repr=False)
    """A `Host` object to use instead of looking for one; see `langchain_lmswitch.testing`."""
    monitor: Any = Field(default=None, exclude=True, repr=False)
    """A `Monitor` to measure the machine of `host` with."""
    ledger: Any = Field(default=None, exclude=True, repr=False)
    """A `Ledger` that remembers what loads of `host` took; see `langchain_lmswitch.ledger`."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        # LangChain's base class drops what it does not know: a typing mistake would go unnoticed.
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        check_names(given, cls.model_fields.keys() | aliases)
        return given

    @field_validator("summarizer")
    @classmethod
    def _summarizes(cls, summarizer: Any) -> Any:
        return checked_summarizer(summarizer)

    @field_validator("roles")
    @classmethod
    def _readable(cls, roles: dict[str, Any] | None) -> dict[str, Any] | None:
        roles_of(roles or {})
        return roles

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # A host is a connection, shared by all who use it, as are whoever measures and listens.
        memo = {} if memo is None else memo
        shared = (self.host, self.monitor, self.ledger, self.on_event)
        memo.update({id(one): one for one in shared})
        return super().__deepcopy__(memo)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Whether `langchain_core.load` can write and read it."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where `langchain_core.load` imports it from."""
        return ["langchain_lmswitch", "chat_models"]

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The arguments that are written as the name of a secret only."""
        return {"api_key": "LM_API_TOKEN"}

    @property
    def _llm_type(self) -> str:
        return LLM_TYPE

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        names = ("model", "task", "temperature", "max_tokens", "stop", "seed", "top_p", "base_url")
        return {name: getattr(self, name) for name in names}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = PROVIDER
        params["ls_model_name"] = kwargs.get("model") or self.model
        return params
