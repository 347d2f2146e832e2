"""Endpoints that load models or say what it would cost; the same for both kinds."""

from functools import partial
from typing import Any, assert_never

from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.endpoints.residents import describe
from langchain_lmswitch.embedded.endpoints.table import Call, Stream
from langchain_lmswitch.embedded.flights import Progress, Starting, Step, Unloading
from langchain_lmswitch.embedded.protocol import kv
from langchain_lmswitch.embedded.protocol.matching import Query
from langchain_lmswitch.embedded.protocol.shapes import card_info, usage
from langchain_lmswitch.embedded.services import Request, Services
from langchain_lmswitch.embedded.shelf import ShelfModel
from langchain_lmswitch.embedded.worker.llama import BATCH_TOKENS
from langchain_lmswitch.policy import footprint
from langchain_lmswitch.policy.kvcache import N_UBATCH
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelKind

DEMAND_TTL_S = 3600.0
"""Idle seconds of a model loaded on demand whose client names none: LM Studio's own default."""


def calls(kind: ModelKind) -> dict[str, Call]:
    """The calls of one namespace."""
    return {"estimateModelUsage": partial(estimate_model_usage, kind)}


def channels(kind: ModelKind) -> dict[str, Stream]:
    """The channels of one namespace."""
    return {"loadModel": partial(load_model, kind), "getOrLoad": partial(get_or_load, kind)}


async def load_model(kind: ModelKind, request: Request, channel: Channel) -> None:
    """Load a new instance, which stays until it is unloaded or its time is up."""
    name = request.text("modelKey")
    identifier, ttl_s = request.optional_text("identifier"), request.seconds("ttlMs")
    model, *others = await request.services.catalog.find(name, kind=kind)
    resolved = {"type": "resolved", "info": card_info(model.card)}
    more = {"ambiguous": [one.card.path for one in (model, *others)]} if others else {}
    channel.post(resolved | more)
    spec = _spec(request, model.card.key, kind=kind, identifier=identifier, ttl_s=ttl_s)
    load = request.services.instances.load(
        model, spec, on_progress=lambda done: channel.post({"type": "progress", "progress": done})
    )
    instance = await channel.until_canceled(load)
    channel.post({"type": "success", "info": describe(instance)})


async def get_or_load(kind: ModelKind, request: Request, channel: Channel) -> None:
    """Use what is loaded, or load it on demand in the place of what was."""
    instances, name = request.services.instances, request.text("identifier")
    ttl_s = request.seconds("loadTtlMs") or DEMAND_TTL_S
    if (present := instances.look_up(Query(identifier=name), kind=kind)) is not None:
        instances.touch(present)
        channel.post({"type": "alreadyLoaded", "info": describe(present)})
        return
    model, *_ = await request.services.catalog.find(name, kind=kind)
    spec = _spec(request, model.card.key, kind=kind, identifier=None, ttl_s=ttl_s)
    load = instances.get_or_load(model, spec, tell=lambda step: channel.post(_packet(step)))
    instance = await channel.until_canceled(load)
    channel.post({"type": "loadSuccess", "info": describe(instance)})


async def estimate_model_usage(kind: ModelKind, request: Request) -> dict[str, Any]:
    """Say what a load would cost, and whether there is room for it."""
    services, name = request.services, request.text("modelKey")
    model, *_ = await services.catalog.find(name, kind=kind)
    spec = _spec(request, model.card.key, kind=kind, identifier=None, ttl_s=None)
    cost = _cost(model, spec, services)
    return usage(cost, fits=_fits(cost, services))


def _cost(model: ShelfModel, spec: LoadSpec, services: Services) -> Footprint:
    card = model.card
    wanted = spec.context_tokens or services.settings.context_tokens
    context_tokens = min(wanted, card.max_context_tokens or wanted)
    if model.architecture is None:
        return footprint.from_size(
            card.size_bytes,
            params=card.params,
            context_tokens=context_tokens if card.kind == "llm" else 0,
        )
    text_only = card.kind == "llm" and model.mmproj is None
    return footprint.from_header(
        model.architecture,
        size_bytes=card.size_bytes,
        context_tokens=context_tokens,
        parallel=spec.parallel or services.settings.parallel,
        n_ubatch=BATCH_TOKENS if text_only else N_UBATCH,
        repacked=footprint.repacks(card.quantization),
        weights_bytes=model.weights_bytes,
        all_outputs=card.kind == "embedding",
    )


def _fits(cost: Footprint, services: Services) -> bool:
    """Whether it fits beside all that is loaded; unknown memory does not forbid."""
    free_bytes = services.snapshot().ram_free_bytes
    return free_bytes is None or cost.ram_bytes + services.settings.headroom_bytes <= free_bytes


def _spec(
    request: Request, key: str, *, kind: ModelKind, identifier: str | None, ttl_s: float | None
) -> LoadSpec:
    values = kv.fields(request.get("loadConfigStack"))
    return kv.load_spec(key, values, kind=kind, identifier=identifier, ttl_s=ttl_s)


def _packet(step: Step) -> dict[str, Any]:
    match step:
        case Unloading(instance=instance):
            return {"type": "unloadingOtherJITModel", "info": describe(instance)}
        case Starting(identifier=identifier, model=model):
            info = card_info(model.card)
            return {"type": "startLoading", "identifier": identifier, "info": info}
        case Progress(fraction=fraction):
            return {"type": "loadProgress", "progress": fraction}
        case _:
            assert_never(step)
