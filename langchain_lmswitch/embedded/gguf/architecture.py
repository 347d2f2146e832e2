"""From a header's keys to the facts that memory depends on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from langchain_lmswitch.embedded.gguf.cursor import Value
from langchain_lmswitch.types.models import Architecture

MAX_LAYERS: Final = 4_096
MAX_SIZE: Final = 1 << 31

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


class Facts:
    """The keys of one architecture, each checked for type and size."""

    def __init__(self, metadata: Mapping[str, Value], prefix: str) -> None:
        self._metadata = metadata
        self._prefix = prefix

    def number(self, name: str) -> int:
        """Returns a plain whole number, for a per-layer one the largest; 0 if there is none."""
        return max(self.numbers(name), default=0)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Returns the whole numbers under a name, one or many; empty if there are none."""
        value = self._metadata.get(f"{self._prefix}.{name}")
        many = value if isinstance(value, tuple) else (value,)
        return tuple(item for item in many if isinstance(item, int) and 0 <= item <= MAX_SIZE)

    def flags(self, name: str) -> tuple[bool, ...]:
        """Returns a per-layer yes or no; empty if it is not one for each layer."""
        value = self._metadata.get(f"{self._prefix}.{name}")
        return tuple(bool(item) for item in value) if isinstance(value, tuple) else ()

    def is_false(self, name: str) -> bool:
        """Returns whether the file says a plain no."""
        return self._metadata.get(f"{self._prefix}.{name}") is False


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
    head_size = n_embd // n_heads if n_heads else 0
    windows = _window_layers(facts, name, n_layers)
    return Architecture(
        name=name,
        n_layers=n_layers,
        n_embd=n_embd,
        n_heads=n_heads,
        kv_heads=_kv_heads(facts, n_layers),
        key_length=_head_size(facts, "key_length") or head_size,
        value_length=_head_size(facts, "value_length") or head_size,
        n_ff=facts.number("feed_forward_length"),
        n_vocab=n_vocab or facts.number("vocab_size"),
        window_tokens=facts.number("attention.sliding_window") if any(windows) else 0,
        window_layers=windows if any(windows) else (),
        context_tokens=facts.number("context_length"),
    )


def _head_size(facts: Facts, which: str) -> int:
    # Some files give window layers another size; the larger one errs on the safe side.
    return max(facts.number(f"attention.{which}"), facts.number(f"attention.{which}_swa"))


def _kv_heads(facts: Facts, n_layers: int) -> tuple[int, ...]:
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
    interval = facts.number("full_attention_interval")  # 3
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
