"""Endpoints about models in memory; the same for language and embedding models."""

from functools import partial
from typing import Any

from langchain_lmswitch.embedded.endpoints.table import Call
from langchain_lmswitch.embedded.instance import Instance
from langchain_lmswitch.embedded.protocol import kv
from langchain_lmswitch.embedded.protocol.matching import Query, specifier
from langchain_lmswitch.embedded.protocol.shapes import resident_info
from langchain_lmswitch.embedded.services import Request
from langchain_lmswitch.types.models import ModelKind


def calls(kind: ModelKind) -> dict[str, Call]:
    """The calls of one namespace."""
    return {
        "listLoaded": partial(list_loaded, kind),
        "getModelInfo": partial(get_model_info, kind),
        "getLoadConfig": partial(get_load_config, kind),
        "getInstanceProcessingState": partial(get_processing_state, kind),
        "tokenize": partial(tokenize, kind),
        "countTokens": partial(count_tokens, kind),
        "unloadModel": partial(unload_model, kind),
    }


def find(kind: ModelKind, request: Request, *, field: str = "specifier") -> Instance:
    """Find the instance a request specifies.

    Raises:
        WireError: There is none.
        InvalidRequest: The specifier cannot be read.
    """
    return request.services.instances.find(specifier(request.get(field)), kind=kind)


def describe(instance: Instance) -> dict[str, Any]:
    """Describe an instance to a client."""
    return resident_info(instance.model.card, instance.resident())


def load_config(instance: Instance) -> dict[str, Any]:
    """Say what an instance was really loaded with."""
    context_tokens = instance.worker.context_tokens
    return kv.load_config(instance.kind, context_tokens=context_tokens, parallel=instance.parallel)


async def list_loaded(kind: ModelKind, request: Request) -> list[dict[str, Any]]:
    """List what is in memory."""
    return [describe(instance) for instance in request.services.instances.all(kind)]


async def get_model_info(kind: ModelKind, request: Request) -> dict[str, Any] | None:
    """Describe one instance; void instead of an error if that is wished."""
    if request.get("throwIfNotFound") is not False:
        return describe(find(kind, request))
    asked = specifier(request.get("specifier"))
    found = request.services.instances.look_up(asked, kind=kind)
    return None if found is None else describe(found)


async def get_load_config(kind: ModelKind, request: Request) -> dict[str, Any]:
    """Say what an instance was loaded with."""
    return load_config(find(kind, request))


async def get_processing_state(kind: ModelKind, request: Request) -> dict[str, Any] | None:
    """Say what an instance is doing."""
    asked = specifier(request.get("specifier"))
    instance = request.services.instances.look_up(asked, kind=kind)
    if instance is None and request.get("throwIfNotFound") is False:
        return None
    instance = instance or find(kind, request)
    return {"status": instance.worker.status, "queued": instance.worker.active}


async def tokenize(kind: ModelKind, request: Request) -> dict[str, Any]:
    """Split a text into tokens."""
    return {"tokens": await _tokens(kind, request)}


async def count_tokens(kind: ModelKind, request: Request) -> dict[str, Any]:
    """Count the tokens of a text."""
    return {"tokenCount": len(await _tokens(kind, request))}


async def unload_model(kind: ModelKind, request: Request) -> None:
    """Unload at once, even while it is answering."""
    instances = request.services.instances
    query = Query(identifier=request.text("identifier"))
    await instances.unload(instances.find(query, kind=kind))


async def _tokens(kind: ModelKind, request: Request) -> list[int]:
    text = request.text("inputString")
    instance = find(kind, request)
    with request.services.instances.use(instance):
        return await instance.worker.tokenize(text)
