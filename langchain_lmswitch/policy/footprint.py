"""What a load is going to cost, before it is made.

    weights   = size of the file (all experts; every part; the projector too), or what the tensor
                table says a CPU run holds: the mapped part, and the rearranged copies
    cache     = the key-value cache and the recurrent state; see `policy.kvcache`
    compute   = scratch buffers and the rows of the output; see `policy.scratch`
    backend   = 150 MiB for the process; GPUs come on top, see `policy.offload`

The first three are what llama.cpp reports as its buffers; they are checked for the shapes of
seventeen models in `tests/integration_tests/test_footprint_truth.py`: the cache to the byte, the
sum never low and up to 3 % high. Encoders without a gate (BERT) come out 24 % high.

Estimate / peak resident memory, xllamacpp 2026.10.11549, 2 CPU cores, a prompt of 600 words, steps
of 256 tokens, weights by the tensor table; printed by `tests/benchmarks/test_footprint_peak.py`:

    SmolLM2-135M Q4_1            context 2048: 297 / 210 MiB   8192: 435 / 346 MiB
    Qwen2.5-Coder-0.5B Q4_K_M    context 2048: 688 / 641 MiB   8192: 763 / 714 MiB
"""

import math
import re
from typing import Final

from langchain_lmswitch.policy.kvcache import (
    N_UBATCH,
    CacheType,
    ContextParams,
    layer_bytes,
    pad,
    state_bytes,
)
from langchain_lmswitch.policy.parameters import billions_of
from langchain_lmswitch.policy.scratch import compute_bytes
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import Architecture

PROCESS_BYTES: Final = 150 * 2**20
"""The engine's code, its vocabulary and its threads; gguf-parser-go reckons the same."""

REPACKED_RATIO: Final = 0.7
"""Second copy of the weights that a CPU run makes, as a share of the file.

Measured: 0.71 for Qwen3-4B and 0.62 for Qwen2.5-Coder-1.5B, both Q4_K_M.
"""
REPACKED_RATIO_ODD: Final = 0.1
"""The same where the width is no multiple of 256.

K-quants then fall back to types that are not rearranged; 0.06 for Qwen2.5-Coder-0.5B.
"""
_K_BLOCK: Final = 256
_REPACKED: Final = re.compile(r"(Q[2-6]_K|Q4_0|IQ4_NL|MXFP4)(_[SML])?", re.IGNORECASE)

_KV_BYTES_PER_TOKEN: Final = 64 * 1024
_KV_EXPONENT: Final = 0.45
_BYTES_PER_PARAMETER: Final = 0.6
"""Of a Q4_K_M file, to guess the parameters where even they are unknown."""


def from_header(
    architecture: Architecture,
    *,
    size_bytes: int,
    context_tokens: int,
    parallel: int = 1,
    unified: bool = True,
    n_ubatch: int = N_UBATCH,
    key_type: CacheType = "f16",
    value_type: CacheType = "f16",
    repacked: bool = False,
    weights_bytes: int | None = None,
    all_outputs: bool = False,
) -> Footprint:
    """Estimates a load from the facts in the file's header.

    Args:
        architecture: The facts.
        size_bytes: Of all files of the model.
        context_tokens: The context to load, of all requests answered at the same time.
        parallel: Their number.
        unified: Whether they share the context, as they do unless the engine is told otherwise.
        n_ubatch: Tokens that the engine computes at a time.
        key_type: How keys are kept.
        value_type: How values are kept.
        repacked: Whether the engine lays the weights out anew in memory of its own; see `repacks`.
        weights_bytes: What the weights take in memory, where the tensor table has been read; it
            takes the place of `size_bytes` and `repacked`, which is a guess.
        all_outputs: Whether every token's logits are computed, as for embeddings and in older
            engines; see `compute_bytes`.
    """
    context = ContextParams(
        context_tokens=context_tokens,
        parallel=parallel,
        unified=unified,
        n_ubatch=n_ubatch,
        key_type=key_type,
        value_type=value_type,
    )
    if weights_bytes is None:
        weights_bytes = size_bytes + (_copy_bytes(architecture, size_bytes) if repacked else 0)
    cache_bytes = sum(layer_bytes(architecture, context))
    return Footprint(
        weights_bytes=weights_bytes,
        kv_bytes=cache_bytes + state_bytes(architecture, parallel=parallel),
        compute_bytes=compute_bytes(architecture, context, all_outputs=all_outputs),
        backend_bytes=PROCESS_BYTES,
        n_layers=architecture.n_layers,
        source="header",
    )


def from_size(size_bytes: int, *, params: str, context_tokens: int) -> Footprint:
    """Guesses a load from the size of the model alone: the last resort.

    The cache is taken as 64 KiB x (parameters in billions)^0.45 per token, which fits common
    models within a factor of about two: real ones run from 24 to 160 KiB and more.

    Args:
        size_bytes: Of all files of the model.
        params: Parameter count as the host writes it, for example `7B`; empty if unknown.
        context_tokens: The context to load; 0 for an encoder, which keeps no cache.
    """
    billions = billions_of(params) or size_bytes / _BYTES_PER_PARAMETER / 1e9
    per_token = _KV_BYTES_PER_TOKEN * billions**_KV_EXPONENT
    return Footprint(
        weights_bytes=size_bytes,
        kv_bytes=math.ceil(per_token * pad(context_tokens)),
        compute_bytes=PROCESS_BYTES,
        backend_bytes=PROCESS_BYTES,
        source="size",
    )


def _copy_bytes(architecture: Architecture, size_bytes: int) -> int:
    odd = architecture.n_embd % _K_BLOCK != 0
    return math.ceil(size_bytes * (REPACKED_RATIO_ODD if odd else REPACKED_RATIO))


def repacks(quantization: str) -> bool:
    """Returns whether a CPU run keeps a second, rearranged copy of such weights.

    By the name alone, for whatever processor: x86-64 does so for fewer types than ARM. The tensor
    table knows (`weight_bytes` in `embedded.gguf.tensors`).
    """
    return _REPACKED.fullmatch(quantization) is not None
