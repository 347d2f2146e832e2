"""How good a model is expected to be before it was ever asked, from what is known of it."""

import math
import re
from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.policy.parameters import billions_in, billions_of
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Task, TaskKind

_BYTES_PER_PARAM: Final = 0.6
"""About 4.8 bits a weight, the K-quant most people load; only where no count is known."""

_SPECIALISTS: Final[Mapping[TaskKind, re.Pattern[str]]] = {
    "code": re.compile(r"cod(?:er|e)|devstral|starcoder|codestral|codegemma", re.IGNORECASE),
    "math": re.compile(r"math", re.IGNORECASE),
}
_BASE = re.compile(r"(?:^|[-_.])(?:base|pt)(?:[-_.]|$)", re.IGNORECASE)


def prior(card: ModelCard, task: Task) -> Expected:
    """Tell how often a model is right in such requests, in points of 0 to 1.

    1. Size: each doubling of the parameters is worth 8 points.
    2. A specialist of the task gains 8 points, one of another task loses 12.
    3. A base model, not trained to answer, loses 20; fewer than 4 bits a weight loses 5.
    4. With tools, a model trained for them gains 20.
    """
    billions = params_billion(card)
    label = f"{card.params or _label(billions)} parameters"
    doublings = math.log2(max(billions or 1.0, 0.01))
    parts = [(0.5 + 0.08 * doublings, label)]  # 1
    for kind, pattern in _SPECIALISTS.items():  # 2
        if pattern.search(card.key):
            parts.append((0.08, f"{kind} model") if kind == task.kind else (-0.12, f"{kind} model"))
    if _BASE.search(card.key):  # 3
        parts.append((-0.2, "base model"))
    if re.match(r"I?Q[123]", card.quantization, re.IGNORECASE):
        parts.append((-0.05, card.quantization))
    if task.needs.tools and card.tool_use:  # 4
        parts.append((0.2, "trained to call tools"))
    quality = sum(points for points, _ in parts)
    reasons = tuple(f"{why} {points:+.3f}" for points, why in parts)
    return Expected(quality=quality, prior=quality, reasons=reasons)


def params_billion(card: ModelCard) -> float | None:
    """Billions of parameters: from the host's label, else the name, else the size; or `None`."""
    told = (
        billions_of(card.params) or billions_in(card.display_name) or billions_in(card.key) or None
    )
    if told is not None:
        return told
    return card.size_bytes / _BYTES_PER_PARAM / 1e9 if card.size_bytes else None


def _label(billions: float | None) -> str:
    if billions is None:
        return "unknown"
    return f"{billions:.2g}B" if billions >= 1 else f"{billions * 1000:.0f}M"
