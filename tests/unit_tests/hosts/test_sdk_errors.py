"""Every exception that the SDK defines, and every code of a report, has an error of ours.

A newer SDK that has another exception or another code makes these tests fail.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any, Final

import lmstudio
import pytest
from lmstudio import _sdk_models

from langchain_lmswitch.errors import (
    HostFailed,
    HostLost,
    HostTimeout,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    UnknownModel,
)
from langchain_lmswitch.hosts.lmstudio.failures import Call, load_failure, translate

CALL = Call(address="127.0.0.1:1", doing="testing", subject="tiny", within_s=2)

EXCEPTIONS: Final[Mapping[str, type[LMSwitchError]]] = {
    "LMStudioCancelledError": HostFailed,
    "LMStudioChannelClosedError": HostFailed,
    "LMStudioClientError": HostFailed,
    "LMStudioError": HostFailed,
    "LMStudioFileNotFoundError": HostLost,
    "LMStudioModelNotFoundError": HostFailed,
    "LMStudioOSError": HostLost,
    "LMStudioPluginInitError": HostFailed,
    "LMStudioPluginRuntimeError": HostLost,
    "LMStudioPredictionError": HostFailed,
    "LMStudioPresetNotFoundError": HostFailed,
    "LMStudioRuntimeError": HostLost,
    "LMStudioServerError": HostFailed,
    "LMStudioTimeoutError": HostTimeout,
    "LMStudioUnknownMessageWarning": HostFailed,
    "LMStudioValueError": HostFailed,
    "LMStudioWebsocketError": HostLost,
    "ServerRequestError": HostFailed,
}
"""What each becomes that brings no report; those of the server are told apart by its code."""

CODES: Final[Mapping[str, tuple[type[LMSwitchError], bool]]] = {
    "generic.domainMismatch": (HostFailed, False),
    "generic.engineDoesNotSupportFeature": (HostFailed, False),
    "generic.identifierNotFound": (UnknownModel, False),
    "generic.missingRuntimeExtension": (HostFailed, False),
    "generic.noModelMatchingQuery": (UnknownModel, False),
    "generic.pathNotFound": (UnknownModel, False),
    "generic.presetNotFound": (HostFailed, False),
    "generic.specificModelUnloaded": (ModelGone, True),
}
"""What each becomes, and whether trying again may help."""

FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "generic.domainMismatch": {"path": "x", "actualDomain": "embedding", "expectedDomain": "llm"},
    "generic.engineDoesNotSupportFeature": {
        "feature": "structured output",
        "engineName": "mlx-llm",
        "engineType": "mlx",
        "installedVersion": "0.1",
        "supportedVersion": None,
    },
    "generic.identifierNotFound": {
        "identifier": "my-id",
        "loadedModelsSample": [],
        "totalLoadedModels": 0,
    },
    "generic.noModelMatchingQuery": {
        "query": {"identifier": "my-id"},
        "loadedModelsSample": ["qwen2.5-7b-instruct-1m"],
        "totalLoadedModels": 1,
    },
    "generic.pathNotFound": {"path": "x", "availablePathsSample": ["y"], "totalModels": 1},
    "generic.presetNotFound": {
        "specifiedFuzzyPresetIdentifier": "x",
        "availablePresetsSample": [],
        "totalAvailablePresets": 0,
    },
}
"""The other fields of a code, as LM Studio sends them."""


def modules() -> Iterator[Any]:
    """Every module of the SDK, the private ones too."""
    for found in pkgutil.walk_packages(lmstudio.__path__, "lmstudio."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def exceptions() -> dict[str, type[Exception]]:
    """Every exception that they define."""
    return {
        kind.__name__: kind
        for module in [lmstudio, *modules()]
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and kind.__module__.partition(".")[0] == "lmstudio"
    }


def report(code: str) -> dict[str, Any]:
    shown = {"code": code, **FIELDS.get(code, {})}
    return {"title": "Words of the host.", "rootTitle": "Words of the host.", "displayData": shown}


def test_every_exception_of_the_sdk_is_known_here() -> None:
    assert exceptions().keys() == EXCEPTIONS.keys()


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exception_of_the_sdk_becomes_an_error_of_ours(name: str) -> None:
    translated = translate(exceptions()[name]("some words"), CALL)

    assert type(translated) is EXCEPTIONS[name]
    assert "127.0.0.1:1" in str(translated)


def test_every_code_of_the_sdk_is_known_here() -> None:
    """The SDK does not know them all: JavaScript's has `generic.missingRuntimeExtension` too."""
    tags = {
        kind.__struct_config__.tag
        for name, kind in vars(_sdk_models).items()
        if name.startswith("ErrorDisplayData") and hasattr(kind, "__struct_config__")
    }

    assert len(tags) >= 7
    assert tags <= CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_code_of_a_report_becomes_an_error_of_ours(code: str) -> None:
    """The SDK gives two codes a class of their own: the code is what counts."""
    error = lmstudio.LMStudioServerError.from_details("RPC error", report(code))
    translated = translate(error, CALL)

    assert (type(translated), translated.is_retryable) == CODES[code]
    if isinstance(translated, UnknownModel):
        assert translated.key == "tiny"
    else:
        assert "Words of the host" in str(translated)


@pytest.mark.parametrize("code", CODES)
def test_code_of_a_load_that_failed(code: str) -> None:
    """The router goes on to the next model after either of these two."""
    error = lmstudio.LMStudioServerError.from_details("Channel error", report(code))
    failed = load_failure(translate(error, CALL), "tiny")

    assert isinstance(failed, UnknownModel | LoadFailed)
    assert failed.key == "tiny"
    assert not failed.is_retryable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), HostTimeout),
        (ConnectionResetError("reset by peer"), HostLost),
        (KeyError("llm"), HostFailed),
        (RuntimeError("is currently inactive"), HostFailed),
    ],
)
def test_what_others_raise_inside_the_sdk(error: Exception, expected: type[LMSwitchError]) -> None:
    assert type(translate(error, CALL)) is expected
