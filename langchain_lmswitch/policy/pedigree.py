"""What a card tells of a model: where it comes from, how large it is, what became of it."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from langchain_lmswitch.policy.bits import bits_of
from langchain_lmswitch.policy.families import Family, bare_name, family_of
from langchain_lmswitch.policy.parameters import billions_in, billions_of
from langchain_lmswitch.policy.specialties import Specialty, specialties_in
from langchain_lmswitch.types.models import ModelCard

BYTES_PER_PARAM: Final = 0.6
"""About 4.8 bits a weight, the K-quant most people load; only where no count is known."""

_BASE: Final = re.compile(r"(?:^|[-.:])(?:base|pt)(?:[-.:]|$)")
_MERGED: Final = re.compile(
    r"abliterat|uncensor|heretic|lewd|nsfw|(?<![a-z])(?:merge|slerp|ties|dare|frank(?:en)?)"
)
_ACTIVE: Final = re.compile(r"(?<![a-z0-9.])a(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")
_EXPERTS: Final = re.compile(r"(?<![a-z0-9.])(\d{1,3})\s?x\s?(\d+(?:\.\d+)?)\s?b", re.IGNORECASE)
_EXPERTS_SHARE: Final = 0.83
_EXPERTS_ACTIVE: Final = 1.8
"""Eight experts of 7B share their attention: 46.7B in all; two compute each token: 12.9B."""
_UNKNOWN_B: Final = 3.0
"""In place of a size that nothing tells: most models that people have are not smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pedigree:
    """What is known of a model."""

    family: Family
    billions: float | None
    """Parameters in all; `None` if unknown."""
    active: float | None
    """Those that compute each token; `None` if all do."""
    specialties: tuple[Specialty, ...] = ()
    base: bool = False
    """Whether it was never taught to answer, only to go on."""
    merged: bool = False
    """Whether somebody mixed it of others, or took its refusals away."""
    bits: float | None = None
    """Of a weight; `None` if unknown, or if nothing was lost."""

    @property
    def answers(self) -> bool:
        """Whether it is made to answer questions at all."""
        return all(one.answers for one in self.specialties)

    @property
    def able_billions(self) -> float:
        """The parameters of a model without experts that would know as much.

        The geometric mean of all parameters and the active ones: a mixture knows more than its
        active part and less than its size.
        """
        billions = self.billions or _UNKNOWN_B
        return max(math.sqrt(billions * (self.active or billions)), 0.01)


@lru_cache(maxsize=1024)
def pedigree(card: ModelCard) -> Pedigree:
    """Read off a card what is known of the model."""
    family, name = family_of(card), bare_name(card.key)
    active = _active(_label(card).lower()) or _active(name) or family.active
    return Pedigree(
        family=family,
        billions=params_billion(card, usual=family.billions, active=active),
        active=active,
        specialties=specialties_in(name, also=family.made_for),
        base=bool(_BASE.search(name)),
        merged=bool(_MERGED.search(name)),
        bits=bits_of(card.quantization),
    )


def params_billion(
    card: ModelCard, *, usual: float | None = None, active: float | None = None
) -> float | None:
    """Billions of parameters; `None` if nothing tells them.

    1. From the host's label, the displayed name or the key. Experts named as `8x7B` share a part,
       so that they are fewer in all, if it is known how many are active.
    2. What is usual in its family.
    3. From the size of its file.
    """
    label = _label(card)
    if told := billions_of(label) or billions_in(label):  # 1
        return told * _EXPERTS_SHARE if active and _EXPERTS.search(label) else told
    if usual:
        return usual  # 2
    return card.size_bytes / BYTES_PER_PARAM / 1e9 if card.size_bytes else None  # 3


def _label(card: ModelCard) -> str:
    if billions_of(card.params):
        return card.params
    return card.display_name if billions_in(card.display_name) else card.key


def _active(name: str) -> float | None:
    if found := _ACTIVE.search(name):
        return float(found[1]) * (1.0 if found[2] == "b" else 1e-3)
    if found := _EXPERTS.search(name):
        return float(found[2]) * _EXPERTS_ACTIVE
    return None
