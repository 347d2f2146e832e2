"""Which part of a load lies on GPUs, where its host does not say so.

With a share r of the layers on a GPU:

    VRAM  = r * (weights + cache) + compute + the GPU's backend
    RAM   = the rest of weights and cache + 150 MiB for the process + 210 MiB for its use of GPUs

The cache stays in main memory if it is kept back. Where not all layers go, VRAM has room for one
more: a part of what stays behind is brought there, a layer at a time, to compute a long prompt.

Estimate / what an H200 had less after the first answer, in MiB; llama.cpp v0.5.0 with CUDA 13,
models of made-up weights:

    llama-3.2-1b   context 8192    all: 1751 / 1627
    llama-3.1-8b   context 8192    all: 6467 / 5905    16 of 33: 3755 / 3385
    qwen3-4b       context 32768   all: 7714 / 7581    12 of 37: 3261 / 3175 (without an answer)

Its buffers there: the cache to the byte, the scratch buffers 6 to 49 % below the estimate; with
flash attention off they are up to six times as large. The input embedding stays mapped in main
memory beside this (105 to 525 MiB), where the system may take it back.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot

Backend = Literal["cuda", "metal"]

BACKEND_BYTES: Final[dict[Backend, int]] = {"cuda": 720 * 2**20, "metal": 512 * 2**20}
"""What a GPU's driver and kernels take in each device.

CUDA on an H200, which is a large one: 527 MiB for a bare process; with llama.cpp 531 when a model
is loaded, 607 to 614 after the first answer, and 710 with experts, whatever the model's size.
Smaller cards are said to need 250 to 460. Ollama keeps 457 free, and 512 with Metal. What is
neither is reckoned as CUDA.
"""
GPU_PROCESS_BYTES: Final = 210 * 2**20
"""What a process that uses a GPU holds in main memory beyond one that does not: 200 to 214 MiB
with CUDA and an H200, most of it CUDA's libraries and what it allocates for itself."""
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
    parts = _layers(footprint) + 1
    room = moved if moved == parts else moved + 1
    share_bytes = math.ceil(going_bytes * moved / parts)
    spare_bytes = math.ceil(going_bytes * room / parts) - share_bytes
    return replace(
        footprint,
        compute_bytes=footprint.compute_bytes + spare_bytes,
        backend_bytes=footprint.backend_bytes + backend_bytes + GPU_PROCESS_BYTES,
        vram_bytes=share_bytes + spare_bytes + footprint.compute_bytes + backend_bytes,
    )


def fitting(footprint: Footprint, *, free_bytes: int, backend_bytes: int) -> float:
    """Give the largest share of the layers whose part of the load fits what is free."""
    parts = _layers(footprint) + 1
    left_bytes = max(0, free_bytes - footprint.compute_bytes - backend_bytes)
    going_bytes = footprint.weights_bytes + footprint.kv_bytes
    count = left_bytes * parts // max(1, going_bytes)
    return 1.0 if count >= parts else max(0, count - 1) / parts  # one more is room to compute


def gpu_layers(ratio: float, n_layers: int) -> int:
    """Give how many layers a ratio moves, the output counted as one more."""
    return round(min(1.0, max(0.0, ratio)) * (n_layers + 1))


def _layers(footprint: Footprint) -> int:
    return footprint.n_layers or _PERCENT - 1


def _backends(gpus: Sequence[Gpu]) -> int:
    return sum(BACKEND_BYTES[_backend(gpu)] for gpu in gpus)


def _backend(gpu: Gpu) -> Backend:
    return "metal" if gpu.unified and gpu.name.startswith("Apple") else "cuda"
