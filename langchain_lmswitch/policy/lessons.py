"""What grades have taught of the models of this machine."""

from collections.abc import Iterable, Mapping
from typing import Final

from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features


class Lessons:
    """What the grades so far say of models.

    Args:
        grades: Oldest first.
    """

    def __init__(self, grades: Iterable[Grade] = ()) -> None:
        for grade in grades:
            self.learn(grade)

    def learn(self, grade: Grade) -> None:
        """Add one grade."""

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        """Put priors right by what was learnt.

        Args:
            features: Of the request.
            priors: By key, of every model that might answer.
        """
        return dict(priors)


NO_LESSONS: Final = Lessons()
