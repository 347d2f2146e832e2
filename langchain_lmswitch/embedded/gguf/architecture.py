"""From a header's keys to the facts that memory depends on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from langchain_lmswitch.embedded.gguf.cursor import Value
from langchain_lmswitch.embedded.gguf.facts import Facts
from langchain_lmswitch.embedded.gguf.recurrence import attention_interval, recurrence
from langchain_lmswitch.types.models import Architecture

MAX_LAYERS: Final = 4_096

WINDOW_PERIODS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "afmoe": 4,
        "cohere2": 4,
        "exaone4": 4,
        "gemma2": 2,
        "gemma3": 6,
        "gemma3n": 5,
        "gpt-oss": 2,
        "olmo2": 4,
        "plamo3": 8,
        "smallthinker": 4,
    }
)
"""Every how many layers one attends to all; the others use the window.

Files often leave it out: llama.cpp has it in code (`set_swa_pattern` in `src/models/*.cpp`).
Any other architecture counts as attending to all, as llama.cpp ignores its window too.
"""

DENSE_FIRST: Final = frozenset({"smallthinker"})
"""Architectures whose full layer opens the period instead of closing it."""


def architecture(metadata: Mapping[str, Value], *, n_vocab: int) -> Architecture | None:
    """Returns the architecture, or `None` if the header lacks its layers or width."""
    name = metadata.get("general.architecture")
    if not isinstance(name, str):
        return None
    facts = Facts(metadata, name)
    n_layers, n_embd = facts.number("block_count"), facts.number("embedding_length")
    if not (0 < n_layers <= MAX_LAYERS and n_embd > 0):
        return None
    n_heads = facts.number("attention.head_count")
    key, value = _head_sizes(facts, n_embd // n_heads if n_heads else 0)
    windows = _window_layers(facts, name, n_layers)
    kv_heads = _kv_heads(facts, name, n_layers)
    return Architecture(
        name=name,
        n_layers=n_layers,
        n_embd=n_embd,
        n_heads=n_heads,
        kv_heads=kv_heads,
        key_length=key,
        value_length=value,
        n_ff=facts.number("feed_forward_length"),
        n_vocab=n_vocab or facts.number("vocab_size"),
        window_tokens=facts.number("attention.sliding_window") if any(windows) else 0,
        window_layers=windows if any(windows) else (),
        window_key_length=facts.number("attention.key_length_swa"),
        window_value_length=facts.number("attention.value_length_swa"),
        context_tokens=facts.number("context_length"),
        experts_used=facts.number("expert_used_count") if facts.number("expert_count") else 0,
        n_ff_expert=facts.number("expert_feed_forward_length"),
        recurrence=recurrence(facts, name, kv_heads, n_embd=n_embd),
    )


def _head_sizes(facts: Facts, quotient: int) -> tuple[int, int]:
    """Returns the elements of a key and of a value head.

    Latent attention keeps no values: they are a view of the keys (`has_v` in llama.cpp's
    `llama_kv_cache`).
    """
    key = facts.number("attention.key_length") or quotient
    if facts.number("attention.key_length_mla"):
        return key, 0
    return key, facts.number("attention.value_length") or quotient


def _kv_heads(facts: Facts, name: str, n_layers: int) -> tuple[int, ...]:
    """Returns the heads of each layer's cache.

    1. An encoder keeps no cache.
    2. The key of the cache, else the key of the queries; one number stands for every layer.
    3. Linear attention: only every n-th layer has a cache.
    4. The last layers may share the cache of earlier ones.
    """
    if facts.is_false("attention.causal"):  # 1
        return (0,) * n_layers
    given = facts.numbers("attention.head_count_kv") or facts.numbers("attention.head_count")  # 2
    each = given if len(given) == n_layers else (max(given, default=0),) * n_layers
    interval = attention_interval(facts, name)  # 3
    if interval:
        each = tuple(n if (i + 1) % interval == 0 else 0 for i, n in enumerate(each))
    own = max(0, n_layers - facts.number("attention.shared_kv_layers"))  # 4
    return each[:own] + (0,) * (n_layers - own)


def _window_layers(facts: Facts, name: str, n_layers: int) -> tuple[bool, ...]:
    """Returns which layers use the sliding window.

    1. Layer by layer, if the file says so.
    2. By the period in the file, for architectures that are known to honor it.
    3. By the period that llama.cpp has in code.
    """
    if not facts.number("attention.sliding_window"):
        return ()
    each = facts.flags("attention.sliding_window_pattern")
    if len(each) == n_layers:  # 1
        return each
    if name not in WINDOW_PERIODS:
        return ()
    period = facts.number("attention.sliding_window_pattern") or WINDOW_PERIODS[name]  # 2, 3
    full = 0 if name in DENSE_FIRST else period - 1
    return tuple(layer % period != full for layer in range(n_layers))
