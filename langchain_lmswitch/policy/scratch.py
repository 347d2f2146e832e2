"""The scratch buffers of a computation, as llama.cpp reserves them with flash attention on.

llama.cpp builds the graph of the largest step and lets its allocator (`ggml/src/ggml-alloc.c`)
place the tensors over each other, so the buffer is as large as the step's most crowded moment. In
32-bit elements for each token of the step, these are the moments:

    feed-forward   3 * n_ff + 5 * n_embd                    n_ff of all experts used together
    attention      2 * q + max(5 * n_embd, 3 * k + n_embd)  q, k: all query heads, all key heads
    experts        (2 * experts_used + 3) * n_embd + experts_used * n_ff_expert
    recurrence     n_projected + 2 * conv_width + 3 * n_inner + n_embd, and two copies of the
                   states of one layer
    output         n_vocab for each request; n_vocab + 6 * n_embd for each token when all are output

A sixth more is reckoned for the holes that the allocator leaves between them: the widths of
known models leave none, but 4 of 44 random ones did, of 15 % at most; 44 others were not low.

A step is `n_ubatch` tokens, rounded up to a multiple of the cache's parts (`graph_reserve` in
`src/llama-context.cpp`). On top come the masks, `2 * n_ubatch * cells` bytes in f16 for full and
for window layers each, the rows of the output (`4 * n_vocab` bytes a request) and the inputs.

Fitted to xllamacpp 2026.10.11549 on a CPU; `tests/integration_tests/test_footprint_truth.py` holds
the cases. What is far from known models, as few and narrow experts beside a wide feed-forward
part, comes out high, not low.
"""

import math
from typing import Final

from langchain_lmswitch.policy.kvcache import BLOCKS, F32_BYTES, ContextParams
from langchain_lmswitch.types.models import Architecture

MASK_BYTES: Final = 2
INPUT_BYTES: Final = 64
"""Of one token: its number, its positions, the cells it goes to."""
FIXED_BYTES: Final = 64 * 1024
HOLES: Final = 7 / 6
"""What the allocator needs at most, to what it would need without a gap."""


def compute_bytes(
    architecture: Architecture, context: ContextParams, *, all_outputs: bool = False
) -> int:
    """Returns an upper bound of the scratch buffers.

    Args:
        architecture: The facts.
        context: How the context is made.
        all_outputs: Whether the logits of every token of a step are computed: for embeddings, and
            for all in llama.cpp until 2025 (300.75 MiB for a Qwen2.5-3B).
    """
    tokens, rows = context.reserved_tokens, architecture.n_vocab * context.parallel
    crowded = max(
        math.ceil(HOLES * tokens * _layer_elements(architecture)),
        _scan_elements(architecture, context),
        tokens * _output_elements(architecture) if all_outputs else rows,
    )
    given_bytes = _mask_bytes(architecture, context) + _input_bytes(architecture, context)
    return F32_BYTES * (crowded + rows) + given_bytes


def _layer_elements(architecture: Architecture) -> int:
    """Returns the elements of a token in the more crowded part of a layer."""
    n_embd, n_ff, experts = architecture.n_embd, architecture.n_ff, 0
    if architecture.experts_used:
        used = architecture.experts_used
        side_by_side = used * (architecture.n_ff_expert or n_ff)
        n_ff = max(n_ff, side_by_side)
        experts = (2 * used + 3) * n_embd + side_by_side
    queries = architecture.n_heads * architecture.key_length
    keys = max(architecture.kv_heads, default=0) * architecture.key_length
    attention = 2 * queries + max(5 * n_embd, 3 * keys + n_embd)
    return max(3 * n_ff + 5 * n_embd, attention, experts)


def _output_elements(architecture: Architecture) -> int:
    """Returns the elements of a token whose logits are computed; an encoder has none."""
    if not _is_decoder(architecture):
        return 0
    return architecture.n_vocab + 6 * architecture.n_embd


def _is_decoder(architecture: Architecture) -> bool:
    return architecture.recurrence is not None or any(architecture.kv_heads)


def _scan_elements(architecture: Architecture, context: ContextParams) -> int:
    """Returns the elements of a recurrent layer's step, all tokens and requests together."""
    if architecture.recurrence is None:
        return 0
    one = architecture.recurrence
    token = one.n_projected + 2 * one.conv_width + 3 * one.n_inner + architecture.n_embd
    states = 2 * context.parallel * one.n_inner * one.n_state
    return context.reserved_tokens * token + states


def _mask_bytes(architecture: Architecture, context: ContextParams) -> int:
    windowed = architecture.window_layers or (False,) * len(architecture.kv_heads)
    cached = [
        window for heads, window in zip(architecture.kv_heads, windowed, strict=True) if heads
    ]
    cells = context.cells if False in cached else 0
    cells += context.window_cells(architecture.window_tokens) if True in cached else 0
    if not _is_decoder(architecture):
        cells = context.reserved_tokens  # every token of the step attends to every other
    return MASK_BYTES * context.reserved_tokens * cells


def _input_bytes(architecture: Architecture, context: ContextParams) -> int:
    """Returns what is known of a step before it begins.

    A quantized cache brings a matrix for the full and one for the window layers, by which heads
    are turned before they are quantized (`n_rot_k` in llama.cpp's log).
    """
    quantized = BLOCKS[context.key_type][0] > 1 or BLOCKS[context.value_type][0] > 1
    head = max(architecture.key_length, architecture.value_length)
    rotations = 2 * F32_BYTES * head**2 if quantized else 0
    return INPUT_BYTES * context.reserved_tokens + FIXED_BYTES + rotations
