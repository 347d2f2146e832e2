"""Models on disk, models in memory, and the wish to load one."""

from dataclasses import dataclass
from typing import Literal

from langchain_lmswitch.types.displays.models import card_sheet, resident_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown

ModelKind = Literal["llm", "embedding"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ModelCard(Shown):
    """A model on disk, as its host lists it."""

    key: str
    """What a user writes to name it; unique on its host."""
    kind: ModelKind = "llm"
    format: str = "gguf"
    """As the host says it; unknown formats are kept."""
    display_name: str = ""
    publisher: str = ""
    path: str = ""
    """Relative to the host's models folder."""
    size_bytes: int = 0
    architecture: str = ""
    params: str = ""
    """Parameter count as the host writes it, for example `7B`; empty if unknown."""
    quantization: str = ""
    """For example `Q4_K_M`; empty if unknown."""
    max_context_tokens: int = 0
    """The longest context it may have: what it was trained for, or less by the user's word; 0 if
    unknown."""
    capped: bool = False
    """Whether that is the user's word, and less than it was trained for."""
    vision: bool = False
    tool_use: bool = False
    """Whether it was trained to call tools."""
    tool_grammar: bool = False
    """Whether its host holds it to well-formed tool calls by a grammar, trained or not."""
    device: str | None = None
    """Another machine the host reaches it on; `None` is the host's own."""

    def _sheet(self) -> Sheet:
        return card_sheet(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Resident(Shown):
    """A model in the host's memory."""

    key: str
    identifier: str
    """What requests name it by; unique among the residents of its host."""
    kind: ModelKind = "llm"
    reference: str = ""
    """Names this very load; a reload under the same identifier has another."""
    context_tokens: int = 0
    """The context it was really loaded with; 0 if unknown."""
    size_bytes: int = 0
    ttl_s: float | None = None
    """Idle seconds until the host unloads it; `None` is never."""
    last_used_s: float | None = None
    """Unix time of the last request; `None` if there was none."""

    def _sheet(self) -> Sheet:
        return resident_sheet(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """A load as we ask for it; what is `None` is the host's choice."""

    key: str
    kind: ModelKind = "llm"
    context_tokens: int | None = None
    parallel: int | None = None
    """Requests answered at the same time; they share the context."""
    identifier: str | None = None
    ttl_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Layers that keep a state of constant size for each request, in place of a cache."""

    n_layers: int
    conv_tokens: int
    """Earlier tokens that the convolution looks back on."""
    conv_width: int
    n_inner: int
    n_state: int
    """Elements of the state for each inner one; 0 if there is a convolution only."""
    n_projected: int
    """Elements that a token is first projected to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The facts of a GGUF header that memory depends on; see `policy.footprint`."""

    name: str
    n_layers: int
    n_embd: int
    n_heads: int
    kv_heads: tuple[int, ...]
    """Key and value heads, layer by layer; 0 in a layer without attention."""
    key_length: int
    """Elements per key head."""
    value_length: int
    """Elements per value head."""
    n_ff: int = 0
    """Width of the feed-forward part; the widest layer counts. 0 if unknown."""
    n_vocab: int = 0
    """From the embedding tensor's shape; 0 if unknown."""
    window_tokens: int = 0
    """Sliding attention window; 0 if every layer attends to all."""
    window_layers: tuple[bool, ...] = ()
    """Which layers use the window; empty if none does."""
    context_tokens: int = 0
    """The context it was trained for."""
    experts_used: int = 0
    """Experts that compute each token; 0 if there are none."""
    n_ff_expert: int = 0
    """Width of one expert's feed-forward part."""
    window_key_length: int = 0
    """Elements per key head in window layers; 0 if as in the others."""
    window_value_length: int = 0
    recurrence: Recurrence | None = None
