"""Every error of the SDK, and every report of a host, has an error of ours."""

from collections.abc import Iterator

import lmstudio
import lmstudio.plugin
import pytest

from langchain_lmswitch.errors import (
    ContextTooLong,
    HostError,
    HostFailed,
    HostLost,
    HostRejected,
    HostTimeout,
    LoadFailed,
    ModelGone,
    UnknownModel,
)
from langchain_lmswitch.hosts.lmstudio.failures import (
    Call,
    load_failure,
    read_report,
    sounds_like_memory,
    translate,
    translate_connecting,
)

CALL = Call(address="127.0.0.1:1", doing="testing", subject="tiny", within_s=2)
SECRET = "the user's own words"  # noqa: S105 - what must not be repeated


def subclasses(base: type[lmstudio.LMStudioError]) -> Iterator[type[lmstudio.LMStudioError]]:
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


def test_the_sdk_has_the_errors_we_know() -> None:
    names = {one.__name__ for one in subclasses(lmstudio.LMStudioError)}
    assert names == {
        "LMStudioCancelledError",
        "LMStudioChannelClosedError",
        "LMStudioClientError",
        "LMStudioFileNotFoundError",
        "LMStudioModelNotFoundError",
        "LMStudioOSError",
        "LMStudioPluginInitError",
        "LMStudioPluginRuntimeError",
        "LMStudioPredictionError",
        "LMStudioPresetNotFoundError",
        "LMStudioRuntimeError",
        "LMStudioServerError",
        "LMStudioTimeoutError",
        "LMStudioUnknownMessageWarning",
        "LMStudioValueError",
        "LMStudioWebsocketError",
    }


@pytest.mark.parametrize("kind", sorted(subclasses(lmstudio.LMStudioError), key=str))
def test_every_error_of_the_sdk_is_translated(kind: type[lmstudio.LMStudioError]) -> None:
    expected = {
        "LMStudioTimeoutError": HostTimeout,
        "LMStudioWebsocketError": HostLost,
        "LMStudioRuntimeError": HostLost,
        "LMStudioPluginRuntimeError": HostLost,
        "LMStudioOSError": HostLost,
        "LMStudioFileNotFoundError": HostLost,
    }.get(kind.__name__, HostFailed)
    assert type(translate(kind("some words"), CALL)) is expected


@pytest.mark.parametrize(
    "error",
    [
        lmstudio.LMStudioClientError(f"RPC unexpected message: {SECRET}"),
        lmstudio.LMStudioWebsocketError(f"Failed to send websocket message ({SECRET}): broken"),
        KeyError(SECRET),
    ],
)
def test_what_quotes_packets_is_not_repeated(error: Exception) -> None:
    assert SECRET not in str(translate(error, CALL))


def test_a_server_error_keeps_the_hosts_words() -> None:
    report = {"title": "Odd thing", "cause": "No idea", "suggestion": "Restart"}
    error = lmstudio.LMStudioServerError.from_details("RPC error", report)
    translated = translate(error, CALL)
    assert isinstance(translated, HostFailed)
    assert translated.reason == "Odd thing No idea Restart"


@pytest.mark.parametrize(
    "code", ["generic.noModelMatchingQuery", "generic.pathNotFound", "generic.identifierNotFound"]
)
def test_codes_that_mean_an_unknown_model(code: str) -> None:
    """1.5.0 gives only the first a class of its own."""
    report = {"title": "Cannot find", "displayData": {"code": code, "path": "x"}}
    error = lmstudio.LMStudioServerError.from_details("RPC error", report)
    translated = translate(error, CALL)
    assert isinstance(translated, UnknownModel)
    assert translated.key == "tiny"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The model has crashed without additional information. (Exit code: null)", ModelGone),
        ("Model unloaded.", ModelGone),
        ("Invalid API token", HostRejected),
        ("Something", HostFailed),
    ],
)
def test_words_tell_where_there_is_no_code(title: str, expected: type[HostError]) -> None:
    assert type(read_report({"title": title}, CALL)) is expected


def test_an_overflow_carries_its_numbers() -> None:
    words = (
        "Trying to keep the first 5323 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens, which is not enough."
    )
    error = read_report({"title": words}, CALL)
    assert isinstance(error, ContextTooLong)
    assert (error.tokens, error.limit_tokens) == (5323, 4096)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("dictionary update sequence element #0 has length 1; 2 is required"),
        lmstudio.LMStudioServerError("Authentication failed", {"title": "Invalid passkey"}),
    ],
)
def test_refused_credentials_are_host_rejected_on_every_sdk(error: Exception) -> None:
    assert isinstance(translate_connecting(error, CALL), HostRejected)


@pytest.mark.parametrize(
    "words",
    [
        "Model loading was stopped due to insufficient system resources.",
        "Model loading aborted due to insufficient system resources",
        "unable to allocate CUDA0 buffer",
        "failed to allocate compute pp buffers",
        "CUDA error: out of memory",
        "Not enough memory to load",
        "std::bad_alloc",
    ],
)
def test_words_that_speak_of_memory(words: str) -> None:
    assert sounds_like_memory(words)
    failed = load_failure(HostFailed("a", doing="loading", reason=words), "tiny")
    assert isinstance(failed, LoadFailed)
    assert failed.for_memory


@pytest.mark.parametrize(
    "words",
    ["Engine protocol startup was aborted", "Error loading model.", "unknown model architecture"],
)
def test_words_that_do_not(words: str) -> None:
    assert not sounds_like_memory(words)
