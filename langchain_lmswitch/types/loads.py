"""What loads took: the observations that footprints and load times are learnt from."""

from dataclasses import dataclass
from typing import Literal

LoadSource = Literal["load", "calibration"]
"""A load for a request, or one that was made to measure it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that the cost of a load depends on; what is empty is the host's choice, or unknown."""

    host: str
    """Its address."""
    key: str
    size_bytes: int = 0
    """Of the files: a model that was replaced under the same key is another one."""
    context_tokens: int = 0
    """The context really loaded."""
    parallel: int = 1
    """Requests answered at the same time."""
    engine: str = ""
    """Its version."""
    key_type: str = ""
    """How keys are cached, such as `q8_0`."""
    value_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRecord:
    """One load, made or failed. `None` is unknown, never zero."""

    at_s: float
    """Unix time."""
    configuration: Configuration
    load_s: float
    """How long it took; of a failed one, until it failed."""
    expected_bytes: int | None = None
    """The estimate, before anything learnt was put in."""
    observed_bytes: int | None = None
    """All memory that it really held, wherever it lies."""
    observed_vram_bytes: int | None = None
    """The part of it in accelerator memory."""
    source: LoadSource = "load"
    failed: str = ""
    """The host's words; empty if it was made."""
    for_memory: bool = False
    """Whether they sound like a lack of memory."""
    free_bytes: int | None = None
    """What was free just before."""
