"""Every error of the SDK, and every report of the host, as an error of ours.

The SDK's own messages quote packets, and so the user's text, wherever one surprised it: of those
only the kind of error is kept. What the host itself says is kept in full.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import lmstudio

from langchain_lmswitch.errors import (
    ContextTooLong,
    HostFailed,
    HostLost,
    HostRejected,
    HostTimeout,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    UnknownModel,
)
from langchain_lmswitch.policy.troubles import sounds_like_memory

_MISSING: Final = frozenset(
    {"generic.noModelMatchingQuery", "generic.pathNotFound", "generic.identifierNotFound"}
)
_LASTING: Final = frozenset(
    {
        "generic.domainMismatch",
        "generic.engineDoesNotSupportFeature",
        "generic.missingRuntimeExtension",
        "generic.presetNotFound",
    }
)
"""Codes of what stays as it is until somebody changes the request or the host."""
_GONE: Final = re.compile(
    r"unloaded|crashed|process (exited|died|ended|terminated)|exited unexpectedly|exit code",
    re.IGNORECASE,
)
_REJECTED: Final = re.compile(
    r"authentication failed|unauthorized|invalid (api (key|token)|passkey)|api token",
    re.IGNORECASE,
)
_OVERFLOWS: Final = (
    re.compile(r"keep the first (\d+) tokens.*?context length of (?:only )?(\d+)", re.IGNORECASE),
    re.compile(r"n_keep\D*(\d+)\)?\s*>=\s*n_ctx\D*(\d+)", re.IGNORECASE),
)
"""How LM Studio 0.3 and 0.4 say it: the tokens of the prompt, then those of the context."""
_FULL: Final = re.compile(r"reached context length of \d+ tokens", re.IGNORECASE)
"""In the middle of an answer, by models that cannot go on then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was being done when it failed."""

    address: str
    doing: str
    """In words, as in `it failed while listing models`."""
    subject: str = ""
    """The model key or identifier it was about."""
    within_s: float = 0.0
    """The deadline it had."""


def translate(error: Exception, call: Call) -> LMSwitchError:
    """Turn whatever the SDK raised into an error of ours."""
    match error:
        case LMSwitchError():
            return error
        case TimeoutError():
            return HostTimeout(call.address, doing=call.doing, after_s=call.within_s)
        case lmstudio.LMStudioServerError():
            return read_report(_report(error), call)
        case lmstudio.LMStudioWebsocketError():
            return _socket_failure(error, call)
        case lmstudio.LMStudioRuntimeError() | OSError():
            return HostLost(call.address, reason=f"the connection is closed ({_kind(error)})")
        case _:
            reason = f"the answer surprised the LM Studio SDK ({_kind(error)})."
            return HostFailed(call.address, doing=call.doing, reason=reason)


def cause(error: Exception) -> Exception | None:
    """Give what to show below our error: nothing that quotes packets, and never itself."""
    hide = isinstance(error, LMSwitchError | lmstudio.LMStudioClientError)
    return None if hide else error


def translate_connecting(error: Exception, call: Call) -> LMSwitchError:
    """Turn what entering the SDK's client raised into an error of ours.

    In 1.5.0 a refused token comes out as a `ValueError` or `TypeError`: the SDK takes the host's
    words for a mapping, and loses them.
    """
    if isinstance(error, ValueError | TypeError) and not isinstance(error, lmstudio.LMStudioError):
        return HostRejected(call.address, reason="it did not accept the credentials")
    translated = translate(error, call)
    if isinstance(error, lmstudio.LMStudioServerError) and isinstance(translated, HostFailed):
        return HostRejected(call.address, reason=translated.reason.rstrip("."))
    return translated


def read_report(report: Mapping[str, Any], call: Call) -> LMSwitchError:
    """Turn the host's own error report into an error of ours.

    1. The embedded host, whose errors are ours, names the type.
    2. A code tells for sure.
    3. Else its words do, as far as they are known.
    """
    words = report_words(report)
    if named := _by_type(report.get("errorData"), words, call):  # 1
        return named
    display = report.get("displayData")
    code = display.get("code") if isinstance(display, Mapping) else None
    if code in _MISSING:  # 2
        return UnknownModel(call.subject)
    if code == "generic.specificModelUnloaded":
        return ModelGone(call.subject, reason=words.rstrip("."))
    if code in _LASTING:
        return HostFailed(call.address, doing=call.doing, reason=words, retryable=False)
    return _by_words(words, call)  # 3


def _by_type(data: Any, words: str, call: Call) -> LMSwitchError | None:
    match data:
        case {"type": "ContextTooLong", "tokens": int(tokens), "limitTokens": int(limit_tokens)}:
            return ContextTooLong(tokens=tokens, limit_tokens=limit_tokens)
        case {"type": "InvalidRequest"}:
            return InvalidRequest(words)
        case {"type": "UnknownModel"}:
            return UnknownModel(call.subject)
        case _:
            return None


def _by_words(words: str, call: Call) -> LMSwitchError:
    for overflow in filter(None, (pattern.search(words) for pattern in _OVERFLOWS)):
        tokens, limit = (int(number) for number in overflow.groups())
        return ContextTooLong(tokens=tokens, limit_tokens=limit)
    if _REJECTED.search(words):
        return HostRejected(call.address, reason=words.rstrip("."))
    if call.subject and _GONE.search(words):
        return ModelGone(call.subject, reason=words.rstrip("."))
    retryable = not _FULL.search(words)
    return HostFailed(call.address, doing=call.doing, reason=words, retryable=retryable)


def load_failure(error: LMSwitchError, key: str) -> LMSwitchError:
    """Turn what a load ended with into `LoadFailed`, unless it says more as it is."""
    match error:
        case HostFailed(reason=reason) | ModelGone(reason=reason):
            full = reason if reason.endswith((".", "!", "?")) else f"{reason}."
            return LoadFailed(key, reason=full, for_memory=sounds_like_memory(reason))
        case _:
            return error


def report_words(report: Mapping[str, Any]) -> str:
    """All that a report says, once each: title, root title, cause, suggestion."""
    parts: list[str] = []
    for name in ("title", "rootTitle", "cause", "suggestion"):
        part = report.get(name)
        if isinstance(part, str) and part.strip() and part.strip() not in parts:
            parts.append(part.strip())
    return " ".join(parts) or "it gave no reason"


def _report(error: lmstudio.LMStudioServerError) -> Mapping[str, Any]:
    known = error.server_error
    if known is None:
        return {"title": str(error)}
    return {
        "title": known.title,
        "rootTitle": known.root_title,
        "cause": known.cause,
        "suggestion": known.suggestion,
        "displayData": known.display_data,
        "errorData": known.error_data,
    }


def _socket_failure(error: lmstudio.LMStudioWebsocketError, call: Call) -> LMSwitchError:
    why, words = error.__context__, str(error)
    if isinstance(why, TypeError | ValueError):
        return InvalidRequest(
            f"The request to {call.address} is not JSON: {why}. Look at the tools, the schema and "
            "the options that were given."
        )
    if "not reachable" in words:
        return HostLost(call.address, reason="nothing answers there")
    if "unexpectedly disconnected" in words:
        return HostLost(call.address, reason="it closed the connection")
    return HostLost(call.address, reason="the socket failed")


def _kind(error: Exception) -> str:
    return type(error).__name__
