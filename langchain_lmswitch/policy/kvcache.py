"""The key-value cache and the recurrent state, to the byte as llama.cpp allocates them.

    pad(n)    = n rounded up to 256
    cells     = pad(context)                                                 unified
              = pad(context // parallel) for each request                    not unified
    window    = min(cells, pad(window * parallel + n_ubatch))                unified
              = min(cells, pad(window + n_ubatch))                           not unified
    cache     = sum over layers of cells * kv_heads * (key_length * q(K) + value_length * q(V))
    state     = 4 * parallel * recurrent layers * (conv_tokens * conv_width + n_state * n_inner)

Sources in llama.cpp: `llama_kv_cache_iswa` (`size_swa` in `src/llama-kv-cache-iswa.cpp`),
`llama_context` (`n_ctx_seq`), `llama_hparams::n_embd_r` and `n_embd_s` (`src/llama-hparams.cpp`);
checked by `tests/integration_tests/test_footprint_truth.py`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from langchain_lmswitch.types.models import Architecture

CacheType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]

BLOCKS: Final[Mapping[CacheType, tuple[int, int]]] = MappingProxyType(
    {
        "f32": (1, 4),
        "f16": (1, 2),
        "bf16": (1, 2),
        "q8_0": (32, 34),
        "q5_1": (32, 24),
        "q5_0": (32, 22),
        "q4_1": (32, 20),
        "q4_0": (32, 18),
        "iq4_nl": (32, 18),
    }
)
"""Elements and bytes of one block of each type that a cache may have (`ggml/src/ggml-common.h`)."""

F32_BYTES: Final = 4
PAD_TOKENS: Final = 256
N_UBATCH: Final = 512
"""Tokens the engine computes at a time, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextParams:
    """How a context is made, in llama.cpp's terms."""

    context_tokens: int
    """Of all requests together."""
    parallel: int = 1
    """Requests answered at the same time."""
    unified: bool = True
    """Whether they share the cells; else each has its part."""
    n_ubatch: int = N_UBATCH
    """Tokens that the engine is told to compute at a time."""
    key_type: CacheType = "f16"
    value_type: CacheType = "f16"

    @property
    def streams(self) -> int:
        """Parts that the cache is made of."""
        return 1 if self.unified else self.parallel

    @property
    def batch_tokens(self) -> int:
        """Tokens computed at a time, at most as many as there is context."""
        return min(self.n_ubatch, self.context_tokens)

    @property
    def reserved_tokens(self) -> int:
        """The same as scratch is reserved for: the same number for each part."""
        return math.ceil(self.batch_tokens / self.streams) * self.streams

    @property
    def cells(self) -> int:
        """Tokens that one part has room for."""
        return pad(max(1, self.context_tokens // self.streams))

    def window_cells(self, window_tokens: int) -> int:
        """Returns the cells of a layer that attends to a window."""
        sharing = self.parallel if self.unified else 1
        return min(self.cells, pad(window_tokens * sharing + self.batch_tokens))


def pad(tokens: int) -> int:
    """Returns the cells the engine allocates for a context."""
    return math.ceil(tokens / PAD_TOKENS) * PAD_TOKENS


def layer_bytes(architecture: Architecture, context: ContextParams) -> tuple[int, ...]:
    """Returns the size of each layer's cache."""
    windowed = architecture.window_layers or (False,) * len(architecture.kv_heads)
    window = _row_bytes(architecture, context, in_window=True)
    full = _row_bytes(architecture, context, in_window=False)
    return tuple(
        heads * (window if in_window else full)
        for heads, in_window in zip(architecture.kv_heads, windowed, strict=True)
    )


def state_bytes(architecture: Architecture, *, parallel: int) -> int:
    """Returns the state of recurrent layers, kept in f32 for each request."""
    if architecture.recurrence is None:
        return 0
    one = architecture.recurrence
    elements = one.conv_tokens * one.conv_width + one.n_state * one.n_inner
    return F32_BYTES * parallel * one.n_layers * elements


def _row_bytes(architecture: Architecture, context: ContextParams, *, in_window: bool) -> int:
    """Returns what one head takes in all cells of a layer."""
    key, value = architecture.key_length, architecture.value_length
    cells = context.cells
    if in_window:
        cells = context.window_cells(architecture.window_tokens)
        key = architecture.window_key_length or key
        value = architecture.window_value_length or value
    cells *= context.streams
    return _size(cells * key, context.key_type) + _size(cells * value, context.value_type)


def _size(n_elements: int, cache_type: CacheType) -> int:
    # Cells are a multiple of every type's block, so nothing is cut off.
    elements, block_bytes = BLOCKS[cache_type]
    return n_elements // elements * block_bytes
