"""What the memory of a load depends on beyond the plain facts of an architecture."""

from dataclasses import dataclass

from langchain_lmswitch.types.models import Architecture


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
class ModelShape(Architecture):
    """An architecture with its experts, its recurrent layers and the heads of its windows."""

    experts_used: int = 0
    """Experts that compute each token; 0 if there are none."""
    n_ff_expert: int = 0
    """Width of one expert's feed-forward part."""
    window_key_length: int = 0
    """Elements per key head in window layers; 0 if as in the others."""
    window_value_length: int = 0
    recurrence: Recurrence | None = None
