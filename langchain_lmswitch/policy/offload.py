"""Which part of a load lies on GPUs, where its host does not say so.

With a share r of the layers on a GPU:

    VRAM  = r * (weights + cache) + compute + the GPU's backend
    RAM   = the rest of weights and cache + 150 MiB for the process + 150 MiB for its GPU's driver

The cache stays in main memory if it is kept back. Where not all layers go, VRAM has room for one
more: what stays behind is brought there, a layer at a time, to compute a long prompt.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot

Backend = Literal["cuda", "metal"]

BACKEND_BYTES: Final[dict[Backend, int]] = {"cuda": 457 * 2**20, "metal": 512 * 2**20}
"""What a GPU's driver and kernels take in each device: 250 to 460 MiB with CUDA, 512 with Metal.

Ollama keeps as much free; what is neither is reckoned as CUDA.
"""
_PERCENT: Final = 100
"""Parts that a load is moved in, where its layers are unknown."""


def placed(footprint: Footprint, snapshot: Snapshot) -> Footprint:
    """Give a load that its host will lay on GPUs as far as they have room; any other unchanged.

    1. A host that has estimated it knows better, and so do loads that were observed.
    2. Without GPUs, or where it is unknown whether there are any, all stays in main memory.
    3. A GPU with a part of main memory moves nothing, but its backend comes on top.
    4. Else as many layers move as fit what is free on all GPUs together; nothing does where any
       of them does not tell what is free.
    """
    if footprint.source in {"host", "ledger"} or footprint.vram_bytes or not snapshot.gpus:  # 1, 2
        return footprint
    own = [gpu for gpu in snapshot.gpus if not gpu.unified]
    if not own:
        more_bytes = _backends(snapshot.gpus)
        return replace(footprint, backend_bytes=footprint.backend_bytes + more_bytes)  # 3
    free = [gpu.free_bytes for gpu in own if gpu.free_bytes is not None]
    if len(free) < len(own):
        return footprint
    ratio = fitting(footprint, free_bytes=sum(free), backend_bytes=_backends(own))
    return offloaded(footprint, ratio=ratio, backend_bytes=_backends(own))  # 4


def offloaded(
    footprint: Footprint,
    *,
    ratio: float,
    backend_bytes: int = BACKEND_BYTES["cuda"],
    cache: bool = True,
) -> Footprint:
    """Give the same load with a share of its layers on GPUs.

    llama.cpp moves whole layers, the last ones first, and counts the output as one more
    (`i_gpu_start` in `llama_model::load_tensors`, `src/llama-model.cpp`); each layer's cache goes
    with it unless it is kept back; the input embedding stays, which errs on the GPU's safe side
    here. Layers count alike: where their sizes differ, as with sliding windows, it is an average.
    The scratch buffers are reckoned to the GPU, as soon as one layer is there.

    Args:
        footprint: The load, all of it in main memory.
        ratio: Share of the layers, from 0 to 1.
        backend_bytes: What the backends of all these GPUs take.
        cache: Whether the cache goes with its layers.
    """
    moved = gpu_layers(ratio, _layers(footprint))
    if moved == 0:
        return replace(footprint, vram_bytes=0)
    going_bytes = footprint.weights_bytes + (footprint.kv_bytes if cache else 0)
    share_bytes = math.ceil(going_bytes * moved / (_layers(footprint) + 1))
    return replace(
        footprint,
        backend_bytes=footprint.backend_bytes + backend_bytes,
        vram_bytes=share_bytes + footprint.compute_bytes + backend_bytes,
    )


def fitting(footprint: Footprint, *, free_bytes: int, backend_bytes: int) -> float:
    """Give the largest share of the layers whose part of the load fits what is free."""
    parts = _layers(footprint) + 1
    left_bytes = free_bytes - footprint.compute_bytes - backend_bytes
    going_bytes = footprint.weights_bytes + footprint.kv_bytes
    if left_bytes <= 0:
        return 0.0
    return min(parts, left_bytes * parts // max(1, going_bytes)) / parts


def gpu_layers(ratio: float, n_layers: int) -> int:
    """Give how many layers a ratio moves, the output counted as one more."""
    return round(min(1.0, max(0.0, ratio)) * (n_layers + 1))


def _layers(footprint: Footprint) -> int:
    return footprint.n_layers or _PERCENT - 1


def _backends(gpus: Sequence[Gpu]) -> int:
    return sum(BACKEND_BYTES[_backend(gpu)] for gpu in gpus)


def _backend(gpu: Gpu) -> Backend:
    return "metal" if gpu.unified and gpu.name.startswith("Apple") else "cuda"
