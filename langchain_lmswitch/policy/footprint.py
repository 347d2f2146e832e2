"""What a load is going to cost, before it is made.

The formulas are llama.cpp's own, checked against what it allocated: `KV` to the byte in every run
(`tests/unit_tests/policy/test_footprint.py` holds the cases).

    weights   = size of the file (all experts; every part; the projector too)
    pad(n)    = n rounded up to 256
    KV        = sum over layers of cells * kv_heads * (key_length + value_length) * 2 bytes (f16)
    cells     = pad(context)                                            full attention
              = min(pad(context), pad(window * parallel + n_ubatch))    sliding window
              = 0                                                       recurrent, or no cache
    compute   = the larger of
                4 * n_ubatch * (n_embd + n_vocab)                     older engines: all output rows
                4 * n_ubatch * (3 * n_ff + 5 * n_embd) + 2 * n_ubatch * pad(context) + 150 MiB
                                                                      current ones, and the process

Estimate / peak resident memory, xllamacpp 2026.10.11549, 2 CPU cores, one request of 600 tokens:

    SmolLM2-135M Q4_1            context 2048: 305 / 217 MiB   8192: 446 / 352 MiB
    Qwen2.5-Coder-0.5B Q4_K_M    context 2048: 838 / 660 MiB   8192: 910 / 732 MiB
"""

import math
import re
from typing import Final

from langchain_lmswitch.policy.parameters import billions_of
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import Architecture

N_UBATCH: Final = 512
"""Tokens the engine computes at a time, by default."""
F16_BYTES: Final = 2
F32_BYTES: Final = 4
PAD_TOKENS: Final = 256
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
    repacked: bool = False,
) -> Footprint:
    """Estimates a load from the facts in the file's header.

    It errs high, not low: by some percent for large models, by 25 to 45 for the smallest.

    Args:
        architecture: The facts.
        size_bytes: Of all files of the model.
        context_tokens: The context to load, shared by the requests answered at the same time.
        parallel: Their number.
        repacked: Whether the engine lays the weights out anew in memory of its own; see `repacks`.
    """
    return Footprint(
        weights_bytes=size_bytes + (_copy_bytes(architecture, size_bytes) if repacked else 0),
        kv_bytes=kv_bytes(architecture, context_tokens=context_tokens, parallel=parallel),
        compute_bytes=compute_bytes(architecture, context_tokens=context_tokens),
        source="header",
    )


def from_size(size_bytes: int, *, params: str, context_tokens: int) -> Footprint:
    """Guesses a load from the size of the model alone: the last resort.

    The cache is taken as 64 KiB x (parameters in billions)^0.45 per token, which fits common
    models within a factor of about two: real ones run from 24 to 160 KiB and more.

    Args:
        size_bytes: Of all files of the model.
        params: Parameter count as the host writes it, for example `7B`; empty if unknown.
        context_tokens: The context to load.
    """
    billions = billions_of(params) or size_bytes / _BYTES_PER_PARAMETER / 1e9
    per_token = _KV_BYTES_PER_TOKEN * billions**_KV_EXPONENT
    return Footprint(
        weights_bytes=size_bytes,
        kv_bytes=math.ceil(per_token * pad(context_tokens)),
        compute_bytes=2 * PROCESS_BYTES,
        source="size",
    )


def kv_bytes(architecture: Architecture, *, context_tokens: int, parallel: int = 1) -> int:
    """Returns the size of the key-value cache in f16, as llama.cpp allocates it."""
    full = pad(context_tokens)
    window = min(full, pad(architecture.window_tokens * parallel + N_UBATCH))
    uses_window = architecture.window_layers or (False,) * len(architecture.kv_heads)
    cells = sum(
        heads * (window if windowed else full)
        for heads, windowed in zip(architecture.kv_heads, uses_window, strict=True)
    )
    return cells * (architecture.key_length + architecture.value_length) * F16_BYTES


def compute_bytes(architecture: Architecture, *, context_tokens: int) -> int:
    """Returns an upper bound of the scratch buffers, flash attention on, and the process."""
    output = F32_BYTES * (architecture.n_embd + architecture.n_vocab)
    layer = F32_BYTES * (3 * architecture.n_ff + 5 * architecture.n_embd)
    current = N_UBATCH * (layer + F16_BYTES * pad(context_tokens)) + PROCESS_BYTES
    return max(N_UBATCH * output, current)


def _copy_bytes(architecture: Architecture, size_bytes: int) -> int:
    odd = architecture.n_embd % _K_BLOCK != 0
    return math.ceil(size_bytes * (REPACKED_RATIO_ODD if odd else REPACKED_RATIO))


def repacks(quantization: str) -> bool:
    """Returns whether a CPU run keeps a second, rearranged copy of such weights."""
    return _REPACKED.fullmatch(quantization) is not None


def pad(tokens: int) -> int:
    """Returns the cells the engine allocates for a context."""
    return math.ceil(tokens / PAD_TOKENS) * PAD_TOKENS
