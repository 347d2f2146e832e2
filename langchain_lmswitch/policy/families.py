"""Which family a model is of, by its name, and what is generally known of that family."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from langchain_lmswitch.policy.bundled import bundled
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import TaskKind

Languages = Literal["english", "few", "many"]
"""`english`: good for no other; `few`: noticeably weaker in others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """Models of one maker and generation; there is one object for each."""

    name: str
    worth: float
    """What its generation and training are worth, in doublings of parameters; 0 is Llama 3.1."""
    billions: float | None = None
    """Parameters, where its names do not tell them."""
    active: float | None = None
    """Billions of parameters that compute each token, where its names do not tell them."""
    tools: bool = False
    """Whether it was trained to call tools."""
    languages: Languages = "many"
    lean: Mapping[TaskKind, float] = field(default_factory=dict)
    """Where it is better or worse than its worth, in logits."""
    made_for: tuple[str, ...] = ()
    """The specialties of all its models; see `policy.specialties`."""


UNKNOWN: Final = Family(name="", worth=-0.4)
"""Somewhat below what is known: what nobody has heard of is seldom among the best."""

_ARCHITECTURES: Final[Mapping[str, str]] = {
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma": "gemma-7b",
    "gemma2": "gemma-2",
    "gemma3": "gemma-3",
    "phi2": "phi-2",
    "phi3": "phi-3",
    "falcon": "falcon",
    "starcoder2": "starcoder2",
    "command-r": "command-r",
    "internlm2": "internlm2",
    "olmo2": "olmo2",
    "deepseek2": "deepseek-v2",
    "granite": "granite",
    "gpt2": "gpt-2",
}
"""By the architecture in a file's header, the name of a model that has it. Many have the one called
`llama`, so it tells nothing."""


def family_of(card: ModelCard) -> Family:
    """Tell a model's family.

    1. By its key, without the publisher's name.
    2. By the name that its host displays.
    3. By its architecture, if only one family has it.
    """
    for name in map(bare_name, (card.key, card.display_name)):  # 1, 2
        if found := _named(name):
            return found
    return _named(_ARCHITECTURES.get(card.architecture.lower(), "")) or UNKNOWN  # 3


def bare_name(key: str) -> str:
    """Give the part of a key that names the model: `gemma-3-4b` of `google/Gemma_3-4B`."""
    return key.rpartition("/")[2].lower().replace("_", ".").replace(" ", "-")


@cache
def _families() -> tuple[tuple[re.Pattern[str], Family], ...]:
    return tuple(
        (re.compile(row["pattern"]), _family(row)) for row in bundled("families")["family"]
    )


def _family(row: Mapping[str, object]) -> Family:
    told = {key: value for key, value in row.items() if key not in {"pattern", "is"}}
    made_for = row.get("is", ())
    return Family(**told, made_for=tuple(made_for))  # type: ignore[arg-type]  # our own table


@cache
def _named(name: str) -> Family | None:
    return next((family for pattern, family in _families() if pattern.search(name)), None)
