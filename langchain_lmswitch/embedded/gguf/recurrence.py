"""Layers that keep a state instead of a cache: Mamba, Gated DeltaNet, RWKV, short convolutions.

As `llama_hparams::n_embd_r` and `n_embd_s` reckon them (llama.cpp, `src/llama-hparams.cpp`); which
layers they are is set in `load_arch_hparams` of each `src/models/*.cpp`.
"""

from typing import Final

from langchain_lmswitch.embedded.gguf.facts import Facts
from langchain_lmswitch.types.models import Recurrence

BOTH: Final = frozenset({"falcon-h1"})
"""Architectures whose every layer has a cache and a state."""
BARE: Final = frozenset({"nemotron_h", "nemotron_h_moe"})
"""Architectures with layers of feed-forward alone, which keep nothing."""
FOURTH: Final = frozenset({"qwen3next", "qwen35", "qwen35moe"})
"""Architectures with a cache in every fourth layer, unless the file says otherwise."""
_RWKV_SHIFTS: Final = 2


def attention_interval(facts: Facts, name: str) -> int:
    """Returns every how many layers one has a cache; 0 if there is no such rule."""
    return facts.number("full_attention_interval") or (4 if name in FOURTH else 0)


def recurrence(
    facts: Facts, name: str, kv_heads: tuple[int, ...], *, n_embd: int
) -> Recurrence | None:
    """Returns what the recurrent layers are like; `None` if there are none."""
    n_layers = _count(facts, name, kv_heads)
    if n_layers == 0:
        return None
    if head_size := facts.number("wkv.head_size"):
        shifts = facts.number("token_shift_count") or _RWKV_SHIFTS
        return _like(n_layers, shifts, n_embd, n_inner=n_embd, n_state=head_size)
    if tokens := facts.number("shortconv.l_cache"):
        return _like(n_layers, tokens - 1, n_embd, projected=3 * n_embd)
    if n_inner := facts.number("ssm.inner_size"):
        return _state_space(facts, n_layers, n_inner)
    return None


def _state_space(facts: Facts, n_layers: int, n_inner: int) -> Recurrence:
    n_state = facts.number("ssm.state_size")
    groups = 2 * facts.number("ssm.group_count") * n_state
    kernel = facts.number("ssm.conv_kernel")
    projected = 2 * n_inner + groups + facts.number("ssm.time_step_rank")
    return _like(
        n_layers,
        max(0, kernel - 1),
        n_inner + groups,
        n_inner=n_inner,
        n_state=n_state,
        projected=projected,
    )


def _like(
    n_layers: int,
    conv_tokens: int,
    conv_width: int,
    *,
    n_inner: int = 0,
    n_state: int = 0,
    projected: int = 0,
) -> Recurrence:
    return Recurrence(
        n_layers=n_layers,
        conv_tokens=conv_tokens,
        conv_width=conv_width,
        n_inner=n_inner,
        n_state=n_state,
        n_projected=projected,
    )


def _count(facts: Facts, name: str, kv_heads: tuple[int, ...]) -> int:
    """Returns how many layers keep a state, of an architecture that has such layers at all."""
    if name in BOTH:
        return len(kv_heads)
    widths = facts.numbers("feed_forward_length")
    if name in BARE and len(widths) == len(kv_heads):
        return sum(heads == width == 0 for heads, width in zip(kv_heads, widths, strict=True))
    return kv_heads.count(0)
