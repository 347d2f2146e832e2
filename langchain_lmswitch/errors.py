"""Everything that can go wrong, in one tree.

Each error carries fields, and its message ends with what to do next. Each is a `ModelError` of
`langchain_core`, and the one of the same meaning or the builtin that a plain `except` expects. A
star is `is_retryable`, for retry middleware: the same request may succeed a moment later.

    LMSwitchError
    +-- HostError
    |   +-- HostNotFound *  no model server anywhere  ModelConnectionError
    |   +-- HostLost *      the connection broke      ModelConnectionError
    |   +-- HostTimeout *   no answer in time         ModelTimeoutError
    |   +-- HostRejected    the token was refused     ModelAuthenticationError
    |   +-- HostFailed *    anything else it reports  ModelAPIError
    |   +-- UnknownModel    no such model there       ModelNotFoundError
    |   +-- LoadFailed      it could not be loaded    ModelError
    |   +-- ModelGone *     left or crashed in use    ModelAPIError
    +-- NoSuitableModel     none can do it            ModelNotFoundError
    +-- ModelDenied         you do not allow it       ModelPermissionDeniedError
    +-- NotEnoughMemory     none that can fits        MemoryError
    +-- QueueFull *         too many wait already     ModelRateLimitError
    +-- ContextTooLong      more than is loaded       ContextOverflowError
    +-- InvalidRequest      a wrong argument          ModelInvalidRequestError
    +-- InvalidOutput *     not the object asked for  OutputParserException
    +-- MissingExtra        a package is missing      ImportError
    +-- TooOld              a package is too old      ImportError
    +-- DownloadFailed      no weights were fetched   OSError
    +-- BadModelFile        not a usable GGUF file    ValueError
    +-- BadSettings         a setting cannot be so    ValueError
"""

# ruff: noqa: N818 - what has happened is its own name

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
    OutputParserException,
)


class LMSwitchError(ModelError):
    """Base of every error this package raises; all can be copied and pickled.

    `is_retryable` says whether the same request may succeed a moment later.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch, LMSwitchError
        from langchain_lmswitch.testing import ScriptedHost

        llm = ChatLMSwitch(host=ScriptedHost(["tiny-chat"]))
        try:
            llm.invoke("Hello", model="tiny-chart")
        except LMSwitchError as error:
            print(type(error).__name__, error.is_retryable)
            print(error)
        ```

        ```text
        UnknownModel False
        No model 'tiny-chart' on this host. Nearest: 'tiny-chat'. `lmswitch models` lists them all.
        ```
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are rebuilt from `args`, our message; our constructors take fields instead.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[LMSwitchError], args: tuple[Any, ...], fields: Mapping[str, Any]
) -> LMSwitchError:
    # `MemoryError.__new__` refuses subclasses whose layout another base has set, so ask that base.
    base: Any = kind
    while "__new__" not in vars(base):
        base = base.__base__
    error: LMSwitchError = base.__new__(kind)
    super(LMSwitchError, error).__init__(*args)  # the builtin's, which sets `ImportError.msg`
    error.args = args
    error.__dict__.update(fields)
    return error


class HostError(LMSwitchError):
    """A model server failed us, or none was found."""


class HostNotFound(HostError, ModelConnectionError, ConnectionError):
    """No model server answers, and none can be started."""

    def __init__(self, tried: Sequence[str], *, remedy: str) -> None:
        self.tried: tuple[str, ...] = tuple(tried)
        self.remedy = remedy
        super().__init__(f"No model server found; tried {', '.join(tried)}. {remedy}")


class HostLost(HostError, ModelConnectionError, ConnectionError):
    """The connection to the host broke in the middle of a call."""

    def __init__(self, address: str, *, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(
            f"The connection to the model host at {address} broke: {reason}. "
            "The next call reconnects; `lmswitch status` shows whether the host is up."
        )


class HostTimeout(HostError, ModelTimeoutError, TimeoutError):
    """The host gave no sign of life within our deadline."""

    def __init__(self, address: str, *, doing: str, after_s: float) -> None:
        self.address = address
        self.doing = doing
        self.after_s = after_s
        super().__init__(
            f"The model host at {address} did not answer within {after_s:g} s while {doing}. "
            "Raise `timeout`, or look at the host with `lmswitch status`."
        )


class HostRejected(HostError, ModelAuthenticationError, PermissionError):
    """The host refused our credentials."""

    def __init__(self, address: str, *, reason: str) -> None:
        self.address = address
        self.reason = reason
        super().__init__(
            f"The model host at {address} refused the connection: {reason}. "
            "Set `api_key` or LM_API_TOKEN to a token of that host (sk-lm-...)."
        )


class HostFailed(HostError, ModelAPIError):
    """The host reported an error that has no type here."""

    def __init__(self, address: str, *, doing: str, reason: str, retryable: bool = True) -> None:
        self.address = address
        self.doing = doing
        self.reason = reason
        self.is_retryable = retryable
        super().__init__(f"The model host at {address} failed while {doing}: {reason}")


class UnknownModel(HostError, ModelNotFoundError, LookupError):
    """The host has no model or instance of that name."""

    def __init__(self, key: str, *, nearest: Sequence[str] = ()) -> None:
        self.key = key
        self.nearest: tuple[str, ...] = tuple(nearest)
        hint = f" Nearest: {', '.join(map(repr, nearest))}." if nearest else ""
        super().__init__(f"No model {key!r} on this host.{hint} `lmswitch models` lists them all.")


class LoadFailed(HostError):
    """The host tried to load a model and could not.

    Not to be retried: room was made and all others were tried before, and a load is dear.
    """

    def __init__(self, key: str, *, reason: str, for_memory: bool = False) -> None:
        self.key = key
        self.reason = reason
        self.for_memory = for_memory
        """Whether the host's words sound like a lack of memory."""
        remedy = (
            "Free memory or choose a smaller model." if for_memory else "See the host's own log."
        )
        super().__init__(f"Loading {key!r} failed: {reason} {remedy}")


class ModelGone(HostError, ModelAPIError):
    """The model was unloaded, or its process died, while it was in use."""

    def __init__(self, key: str, *, reason: str) -> None:
        self.key = key
        self.reason = reason
        super().__init__(f"The model {key!r} went away while answering: {reason}. Try again.")


class NoSuitableModel(LMSwitchError, ModelNotFoundError, LookupError):
    """No model on the host can do what the request needs."""

    def __init__(self, task: str, *, rejected: Mapping[str, str], remedy: str) -> None:
        self.task = task
        self.rejected: dict[str, str] = dict(rejected)
        """Model key -> why it was passed over."""
        why = "; ".join(f"{key}: {reason}" for key, reason in self.rejected.items())
        what = f"No model can answer this {task} request ({why})" if why else "There is no model"
        super().__init__(f"{what}. {remedy}")


class ModelDenied(LMSwitchError, ModelPermissionDeniedError, PermissionError):
    """The model that was named may not answer: the user's own rules say so."""

    def __init__(self, key: str, *, setting: str, reason: str) -> None:
        self.key = key
        self.setting = setting
        """`deny` or `allow`: an argument, or a setting."""
        self.reason = reason
        super().__init__(
            f"{key!r} may not answer: {reason}. Name another model, or change `{setting}`; "
            "`lmswitch config` tells where it is set."
        )


class NotEnoughMemory(LMSwitchError, MemoryError):
    """Models that could answer exist, but none fits the memory there is."""

    def __init__(
        self, key: str, *, needed_bytes: int, free_bytes: int, blockers: Sequence[str] = ()
    ) -> None:
        self.key = key
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes
        self.blockers: tuple[str, ...] = tuple(blockers)
        """Identifiers of loaded models that may not be unloaded now."""
        held = f", and {', '.join(blockers)} may not be unloaded" if blockers else ""
        super().__init__(
            f"{key!r} needs about {needed_bytes / 2**20:,.0f} MiB, {free_bytes / 2**20:,.0f} MiB "
            f"are free{held}. Close other programs, unload a model, or install a smaller one."
        )


class QueueFull(LMSwitchError, ModelRateLimitError):
    """As many requests as may wait for a model to be loaded are waiting already."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        """How many may wait at the same time; the setting `queue_limit`."""
        super().__init__(
            f"{limit} requests are waiting for a model to be loaded, and no more may. "
            "Try again when some have been answered, or raise `queue_limit`."
        )


class ContextTooLong(LMSwitchError, ContextOverflowError, ValueError):
    """The part of the conversation that must be kept exceeds the loaded context."""

    def __init__(self, *, tokens: int, limit_tokens: int) -> None:
        self.tokens = tokens
        self.limit_tokens = limit_tokens
        super().__init__(
            f"The prompt needs {tokens} tokens and the loaded context leaves {limit_tokens}. "
            "Shorten the last message or the system prompt, or raise `context_tokens`."
        )


class InvalidRequest(LMSwitchError, ModelInvalidRequestError, ValueError):
    """An argument or a message cannot be used as it is."""


class InvalidOutput(LMSwitchError, OutputParserException):
    """The model's answer is not the object that was asked for."""

    is_retryable: bool = True

    def __init__(self, *, text: str, reason: str, cut_off: bool = False) -> None:
        self.text = text
        """All that the model wrote."""
        self.reason = reason
        self.cut_off = cut_off
        """Whether it ended because of a limit."""
        self.is_retryable = not cut_off
        remedy = (
            "Raise `max_tokens` or the context, or ask for less."
            if cut_off
            else "Ask again, describe the fields better, or use a larger model."
        )
        self.llm_output = text
        self.observation: None = None
        self.send_to_llm = False
        super(Exception, self).__init__(
            f"The model's answer is not what was asked for: {reason}. The error's `text` holds it. "
            f"{remedy}"
        )


class MissingExtra(LMSwitchError, ImportError):
    """An optional package is needed and is not installed."""

    def __init__(self, extra: str, *, why: str) -> None:
        self.extra = extra
        super().__init__(f"{why}. Run: pip install 'langchain-lmswitch[{extra}]'")


class TooOld(LMSwitchError, ImportError):
    """An installed package is of an older version than something needs."""

    def __init__(self, package: str, *, needed: str, why: str) -> None:
        self.package = package
        self.needed = needed
        super().__init__(
            f"{package} {needed} or later is needed. {why}. "
            f"Run: pip install --upgrade '{package}>={needed}'"
        )


class DownloadFailed(LMSwitchError, OSError):
    """Weights could not be fetched, or are not what was asked for."""

    def __init__(self, name: str, *, reason: str, remedy: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"Fetching {name!r} failed: {reason}. {remedy}")


class BadModelFile(LMSwitchError, ValueError):
    """A file is not a GGUF model that can be read."""

    def __init__(self, path: str, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} is not a usable GGUF model: {reason}.")


class BadSettings(LMSwitchError, ValueError):
    """A setting cannot be as a file, the environment or an argument has it."""

    def __init__(self, problems: Sequence[str], *, remedy: str) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        """Each with the place where it stands."""
        self.remedy = remedy
        super().__init__(f"{' '.join(problems)} {remedy}")
