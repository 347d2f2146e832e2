"""LM Studio's key-value configuration, built from our values."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.requests import JsonObject, PredictRequest


def instance(identifier: str) -> dict[str, Any]:
    """Name a loaded instance."""
    return {"type": "query", "query": {"identifier": identifier}}


def stack(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Wrap fields as the one layer that a client adds."""
    pairs = [{"key": key, "value": value} for key, value in fields.items()]
    return {"layers": [{"layerName": "apiOverride", "config": {"fields": pairs}}]}


def load_params(spec: LoadSpec) -> dict[str, Any]:
    """Parameters of `loadModel`."""
    params: dict[str, Any] = {"modelKey": spec.key, "loadConfigStack": stack(load_fields(spec))}
    if spec.identifier is not None:
        params["identifier"] = spec.identifier
    if spec.ttl_s is not None:
        params["ttlMs"] = round(spec.ttl_s * 1000)
    return params


def load_fields(spec: LoadSpec) -> dict[str, Any]:
    """Fields of a load.

    A context that is asked for comes with auto-fit off: newer hosts otherwise choose their own.
    """
    fields: dict[str, Any] = {}
    if spec.kind == "embedding":
        if spec.context_tokens is not None:
            fields["embedding.load.contextLength"] = spec.context_tokens
        return fields
    if spec.context_tokens is not None:
        fields["llm.load.contextLength"] = spec.context_tokens
        fields["llm.load.llama.autoFit"] = False
        fields["llm.load.mlx.autoFit"] = False
    if spec.parallel is not None:
        fields["llm.load.numParallelSessions"] = spec.parallel
    return fields


def predict_params(
    identifier: str, request: PredictRequest, messages: Sequence[JsonObject]
) -> dict[str, Any]:
    """Parameters of `predict`; `messages` are the request's, with every image uploaded."""
    return {
        "modelSpecifier": instance(identifier),
        "history": {"messages": list(messages)},
        "predictionConfigStack": stack(predict_fields(request)),
    }


def predict_fields(request: PredictRequest) -> dict[str, Any]:
    """Fields of an answer; the request's own options come last and win."""
    fields = {"contextOverflowPolicy": "stopAtLimit", **_sampling(request), **_shape(request)}
    named = {f"llm.prediction.{key}": value for key, value in fields.items()}
    return named | dict(request.options)


def render_params(
    identifier: str, messages: Sequence[JsonObject], tools: Sequence[JsonObject]
) -> dict[str, Any]:
    """Parameters of `applyPromptTemplate`."""
    return {
        "specifier": instance(identifier),
        "history": {"messages": list(messages)},
        "predictionConfigStack": {"layers": []},
        "opts": {"toolDefinitions": list(tools)} if tools else {},
    }


def _sampling(request: PredictRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if request.temperature is not None:
        fields["temperature"] = request.temperature
    if request.max_tokens is not None:
        fields["maxPredictedTokens"] = _checked(request.max_tokens)
    if request.stop:
        fields["stopStrings"] = list(request.stop)
    if request.seed is not None:
        fields["seed"] = _checked(request.seed)
    if request.top_p is not None:
        fields["topPSampling"] = _checked(request.top_p)
    return fields


def _shape(request: PredictRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if request.tools:
        fields["tools"] = {"type": "toolArray", "tools": list(request.tools)}
    if request.tool_choice is not None:
        fields["toolChoice"] = {"type": "generic", "mode": request.tool_choice}
    if request.json_schema is not None:
        fields["structured"] = {"type": "json", "jsonSchema": request.json_schema}
    return fields


def _checked(value: float) -> dict[str, Any]:
    return {"checked": True, "value": value}
