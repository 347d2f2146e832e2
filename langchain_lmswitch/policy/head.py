"""The linear head: what the vector and the signs of a request say about its task, learnt.

Its weights lie inside the package, made by `tests/training`, and are read on the first use.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Final, get_args

from langchain_lmswitch.policy.signs import NAMES
from langchain_lmswitch.policy.vectors import DATA, DIMENSIONS
from langchain_lmswitch.types.tasks import TaskKind

_LOG = logging.getLogger(__name__)

FILE: Final = "head.json"
_READING = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A row of weights for each task; the first of a row stands for itself."""

    weights: Any
    """A matrix of numpy's."""

    def kinds(self, vector: Sequence[int], signs: Sequence[float]) -> dict[TaskKind, float]:
        """Give the probability of each task."""
        import numpy as np  # noqa: PLC0415 - not before a request comes

        scores = self.weights @ inputs(vector, signs)
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        return dict(zip(get_args(TaskKind), shares.tolist(), strict=True))


def inputs(vector: Sequence[int], signs: Sequence[float]) -> Any:
    """Line up what the head sees, in its order."""
    import numpy as np  # noqa: PLC0415 - not before a request comes

    return np.array((1.0, *(part / 127 for part in vector), *signs), np.float64)


def head() -> Head | None:
    """Give the head of the package; `None` if it cannot be read, with one warning."""
    with _READING:
        return _read_head()


@lru_cache(1)
def _read_head() -> Head | None:
    try:
        return Head(weights=_checked(json.loads((DATA / FILE).read_text("utf-8"))))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, rules are enough
        _LOG.warning("Without the learnt weights (%s) tasks are told by rules alone.", error)
        return None


def _checked(stored: Mapping[str, Any]) -> Any:
    import numpy as np  # noqa: PLC0415 - not before a request comes

    if stored["signs"] != list(NAMES) or stored["kinds"] != list(get_args(TaskKind)):
        raise ValueError(f"{FILE} was made for other signs or tasks; run its training again")
    weights = np.array(stored["weights"], np.float64)
    if weights.shape != (len(stored["kinds"]), 1 + DIMENSIONS + len(NAMES)):
        raise ValueError(f"{FILE} was made for other vectors; run its training again")
    return weights
