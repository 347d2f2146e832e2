"""How many parameters a label or a name speaks of."""

import re
from typing import Final

_BILLIONS: Final = {"K": 1e-6, "M": 1e-3, "B": 1.0, "T": 1e3}
_COUNT: Final = r"(?:(\d{1,3})\s?x\s?)?(\d{1,6}(?:\.\d{1,6})?)\s?"
_LABEL = re.compile(rf"\s*{_COUNT}([KMBT])", re.IGNORECASE)
_NAME = re.compile(rf"(?<![a-z0-9.]){_COUNT}([MBT])(?![a-z0-9])", re.IGNORECASE)
"""In a name, thousands are tokens of context (`phi-3-mini-4k`), and `a3b` are the active ones."""


def billions_of(label: str) -> float:
    """Billions of parameters that a label like `8x7B` or `135M` means; 0 if it means none."""
    return _billions(_LABEL.match(label))


def billions_in(name: str) -> float:
    """Billions of parameters that a model's name tells; 0 if it tells none."""
    return _billions(_NAME.search(name))


def _billions(found: re.Match[str] | None) -> float:
    if found is None:
        return 0.0
    experts, number, unit = found.groups()
    return int(experts or 1) * float(number) * _BILLIONS[unit.upper()]
