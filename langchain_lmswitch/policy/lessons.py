"""What grades have taught of the models of this machine."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features

if TYPE_CHECKING:
    from langchain_lmswitch.policy.schooling import Schooling

KEPT: Final = 4096
"""Requests that are enough to tell what is alike, and few enough to look at in a moment."""


class Lessons:
    """What the grades so far say of models; see `Schooling`.

    Grades that make no sense are left out: what is no number, or has no weight.

    Args:
        grades: Oldest first.
        kept: Requests whose grades count; older ones are forgotten.
    """

    def __init__(self, grades: Iterable[Grade] = (), *, kept: int = KEPT) -> None:
        self._kept = kept
        self._schooling: Schooling | None = None
        for grade in grades:
            self.learn(grade)

    def learn(self, grade: Grade) -> None:
        """Add one grade."""
        if not (math.isfinite(grade.score) and 0 < grade.weight < math.inf):
            return
        if self._schooling is None:
            from langchain_lmswitch.policy.schooling import Schooling  # noqa: PLC0415 - numpy

            self._schooling = Schooling(kept=self._kept)
        self._schooling.learn(grade)

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        """Put priors right by what was learnt.

        Args:
            features: Of the request.
            priors: By key, of every model that might answer.
        """
        if self._schooling is None or not priors:
            return dict(priors)
        return self._schooling.expect(features, priors)


NO_LESSONS: Final = Lessons()
