"""What a host reports in words alone; for exceptions and codes see `test_sdk_errors`."""

import lmstudio
import pytest

from langchain_lmswitch.errors import (
    ContextTooLong,
    HostError,
    HostFailed,
    HostRejected,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    UnknownModel,
)
from langchain_lmswitch.hosts.lmstudio.failures import (
    Call,
    load_failure,
    read_report,
    translate,
    translate_connecting,
)

CALL = Call(address="127.0.0.1:1", doing="testing", subject="tiny", within_s=2)
SECRET = "the user's own words"  # noqa: S105 - what must not be repeated


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


@pytest.mark.parametrize(
    "words",
    [
        "Invalid token '<' in the template",
        'Unexpected property: invalid key "temperature"',
    ],
)
def test_not_every_token_and_key_is_a_credential(words: str) -> None:
    assert type(read_report({"title": words}, CALL)) is HostFailed


@pytest.mark.parametrize(
    "words",
    [
        (
            "Trying to keep the first 5323 tokens when context the overflows. However, the model "
            "is loaded with context length of only 4096 tokens, which is not enough. Try to load "
            "the model with a larger context length, or provide a shorter input."
        ),
        "Cannot truncate prompt with n_keep (5323) >= n_ctx (4096)",
        (
            "The number of tokens to keep from the initial prompt is greater than the context "
            "length (n_keep: 5323>= n_ctx: 4096). Try to load the model with a larger context "
            "length, or provide a shorter input."
        ),
    ],
)
def test_overflow_carries_its_numbers(words: str) -> None:
    """In the words of LM Studio 0.3 and 0.4 (lmstudio-bug-tracker #546, opencode #11141)."""
    error = read_report({"title": words}, CALL)

    assert isinstance(error, ContextTooLong)
    assert (error.tokens, error.limit_tokens) == (5323, 4096)


def test_context_that_is_full_is_not_tried_again() -> None:
    """Some models cannot go on then (lmstudio-bug-tracker #1024); the prompt itself had room."""
    words = (
        "Reached context length of 4096 tokens with model (arch: gpt-oss) that does not currently "
        "support mid-generation context overflow"
    )
    error = read_report({"title": words}, CALL)

    assert isinstance(error, HostFailed)
    assert (error.reason, error.is_retryable) == (words, False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"type": "ContextTooLong", "tokens": 9, "limitTokens": 4}, ContextTooLong),
        ({"type": "InvalidRequest"}, InvalidRequest),
        ({"type": "UnknownModel"}, UnknownModel),
        ({"type": "HostFailed"}, HostFailed),
        ({"type": "ContextTooLong", "tokens": "many"}, HostFailed),
        ({"type": "OSError"}, HostFailed),
        ("InvalidRequest", HostFailed),
    ],
)
def test_embedded_host_names_the_error(data: object, expected: type[LMSwitchError]) -> None:
    """So that a request which is wrong there too is not tried again."""
    assert type(read_report({"title": "Words.", "errorData": data}, CALL)) is expected


@pytest.mark.parametrize(
    "error",
    [
        ValueError("dictionary update sequence element #0 has length 1; 2 is required"),
        lmstudio.LMStudioServerError("Authentication failed", {"title": "Invalid passkey"}),
    ],
)
def test_refused_credentials_are_host_rejected_on_every_sdk(error: Exception) -> None:
    assert isinstance(translate_connecting(error, CALL), HostRejected)


def test_surprise_while_connecting_is_not_blamed_on_the_credentials() -> None:
    error = lmstudio.LMStudioClientError("Unexpected message")

    assert type(translate_connecting(error, CALL)) is HostFailed


@pytest.mark.parametrize(
    "words",
    [
        (
            "Model loading was stopped due to insufficient system resources. Under the current "
            "settings, this model requires approximately 273.25 GB of memory, and continuing to "
            "load it would likely overload your system and cause it to freeze."
        ),
        (
            "Model loading aborted due to insufficient system resources. Overloading the system "
            "will likely cause it to freeze."
        ),
        "Not enough resources to load the model with the current settings",
        "It appears your system does not have enough memory to load this model.",
        "cudaMalloc failed: out of memory",
        "unable to allocate CUDA0 buffer",
        "failed to allocate compute pp buffers",
        "CUDA error: out of memory",
        "Not enough memory to load",
        "std::bad_alloc",
    ],
)
def test_words_that_speak_of_memory(words: str) -> None:
    """Such a report carries no code; the host's words are kept, and what to do is added."""
    failed = load_failure(read_report({"title": words}, CALL), "tiny")

    assert isinstance(failed, LoadFailed)
    assert failed.for_memory
    assert words in str(failed)
    assert str(failed).endswith("Free memory or choose a smaller model.")


@pytest.mark.parametrize(
    "words",
    [
        "Engine protocol startup was aborted",
        "Error loading model.",
        "Failed to load model",
        "unknown model architecture",
        "Attempt to pull a snapshot of system resources failed.",
    ],
)
def test_words_that_do_not(words: str) -> None:
    failed = load_failure(read_report({"title": words}, CALL), "tiny")

    assert isinstance(failed, LoadFailed)
    assert not failed.for_memory
    assert words in str(failed)
