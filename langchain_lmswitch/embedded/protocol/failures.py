"""Errors as LM Studio serializes them, with the codes that its SDKs understand."""

from collections.abc import Sequence
from typing import Any

from langchain_lmswitch.errors import (
    ContextTooLong,
    LMSwitchError,
    LoadFailed,
    ModelGone,
)
from langchain_lmswitch.types.models import ModelKind

SAMPLE = 10
"""How many names an error lists."""
INSUFFICIENT = "Model loading was stopped due to insufficient system resources"
"""LM Studio's own words; clients tell a lack of memory by them, since it has no code."""


class WireError(LMSwitchError):
    """An error in the words of the protocol, ready to be sent."""

    def __init__(
        self,
        title: str,
        *,
        suggestion: str | None = None,
        display: dict[str, Any] | None = None,
    ) -> None:
        self.wire: dict[str, Any] = serialized(title, suggestion=suggestion, displayData=display)
        super().__init__(title)


class CanceledError(WireError):
    """The client called it off."""

    def __init__(self, what: str = "The request") -> None:
        super().__init__(f"{what} was canceled by the client.")


def serialized(title: str, **more: Any) -> dict[str, Any]:
    """Build a serialized error, leaving out what is `None`."""
    known = {name: value for name, value in more.items() if value is not None}
    return {"title": title, "rootTitle": title, **known}


def to_wire(error: Exception) -> dict[str, Any]:
    """Serialize any error of ours; of a foreign one, the type is all that is told."""
    match error:
        case WireError():
            return error.wire
        case LoadFailed(reason=reason, for_memory=for_memory):
            title = INSUFFICIENT if for_memory else "Error loading model"
            return serialized(f"{title}: {reason}", errorData=_data(error))
        case ModelGone():
            return serialized(f"The model process ended: {error.reason}", errorData=_data(error))
        case ContextTooLong(tokens=tokens, limit_tokens=limit):
            data = {"tokens": tokens, "limitTokens": limit}
            return serialized(str(error), errorData=_data(error, **data))
        case LMSwitchError():
            return serialized(str(error), errorData=_data(error))
        case _:
            return serialized(f"The host failed with an internal error: {type(error).__name__}")


def no_model_matching(query: Any, loaded: Sequence[str]) -> WireError:
    """No loaded model answers to this query."""
    return WireError(
        "No loaded model matches the query.",
        suggestion="List the loaded models, or load the model first.",
        display={
            "code": "generic.noModelMatchingQuery",
            "query": query,
            "loadedModelsSample": list(loaded[:SAMPLE]),
            "totalLoadedModels": len(loaded),
        },
    )


def model_unloaded() -> WireError:
    """The very instance that a handle refers to is gone."""
    return WireError(
        "The model has been unloaded.", display={"code": "generic.specificModelUnloaded"}
    )


def path_not_found(path: str, available: Sequence[str]) -> WireError:
    """No model of this key or path is on disk."""
    return WireError(
        f"Cannot find a model with the key {path!r}.",
        suggestion="`lmswitch models` lists them all; `lmswitch pull starter` fetches two.",
        display={
            "code": "generic.pathNotFound",
            "path": path,
            "availablePathsSample": list(available[:SAMPLE]),
            "totalModels": len(available),
        },
    )


def domain_mismatch(path: str, *, actual: ModelKind, expected: ModelKind) -> WireError:
    """A model of the other kind was named."""
    return WireError(
        f"{path!r} is a model of the type {actual!r}, not {expected!r}.",
        display={
            "code": "generic.domainMismatch",
            "path": path,
            "actualDomain": actual,
            "expectedDomain": expected,
        },
    )


def preset_not_found(preset: str) -> WireError:
    """This host has no presets."""
    return WireError(
        f"Cannot find a preset with the identifier {preset!r}.",
        suggestion="This host keeps no presets; send the settings with the request.",
        display={
            "code": "generic.presetNotFound",
            "specifiedFuzzyPresetIdentifier": preset,
            "availablePresetsSample": [],
            "totalAvailablePresets": 0,
        },
    )


def identifier_taken(identifier: str) -> WireError:
    """An explicit identifier is in use."""
    return WireError(
        f"A model with the identifier {identifier!r} already exists.",
        suggestion="Choose another identifier, leave it out, or unload that model.",
    )


def _data(error: LMSwitchError, **more: Any) -> dict[str, Any]:
    return {"type": type(error).__name__, **more}
