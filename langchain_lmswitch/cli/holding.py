"""What a model in memory holds, by estimate."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langchain_lmswitch.switch.reckoner import Reckoner
    from langchain_lmswitch.types.machine import Footprint, Snapshot
    from langchain_lmswitch.types.models import ModelCard, Resident

_FACTOR: Final = 1.2
"""Weights to all that a model holds, where no more is known of it."""


async def held_bytes(
    reckoner: "Reckoner", resident: "Resident", card: "ModelCard | None"
) -> tuple[int, int]:
    """Reckon what a model holds in main memory, and on GPUs.

    Nothing is loaded for it. A host that cannot estimate leaves a guess from the model's size.
    """
    from langchain_lmswitch.errors import BadModelFile, HostFailed, UnknownModel

    guessed_bytes = round(resident.size_bytes * _FACTOR)
    if card is None:
        return guessed_bytes, 0
    try:
        cost = await _footprint(reckoner, resident, card)
    except (BadModelFile, HostFailed, UnknownModel):
        return guessed_bytes, 0
    return cost.ram_bytes, cost.vram_bytes


async def _footprint(reckoner: "Reckoner", resident: "Resident", card: "ModelCard") -> "Footprint":
    from langchain_lmswitch.policy.offload import placed

    usual = reckoner.spec(card)
    tokens = resident.context_tokens or usual.context_tokens
    spec = replace(usual, context_tokens=tokens)
    await reckoner.learning.begin()
    estimate = await reckoner.estimate(spec, card)
    if estimate.source != "host":
        # It was laid on the GPUs when it was not there yet.
        estimate = placed(estimate, _emptied(reckoner.snapshot()))
    return reckoner.learning.corrected(spec, card, estimate)


def _emptied(snapshot: "Snapshot") -> "Snapshot":
    if snapshot.gpus is None:
        return snapshot
    gpus = tuple(replace(gpu, free_bytes=gpu.total_bytes) for gpu in snapshot.gpus)
    return replace(snapshot, gpus=gpus)
