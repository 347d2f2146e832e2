"""How the questions of a chat are to be answered."""

from dataclasses import asdict, dataclass
from typing import Any

from langchain_lmswitch.types.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user asks of every answer; `None` leaves it to the router and the model."""

    model: str | None = None
    task: TaskKind | None = None
    quality: float | None = None
    max_tokens: int | None = None
    temperature: float | None = None

    def options(self) -> dict[str, Any]:
        """Give the arguments of a call."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def told(self) -> str:
        """Say in a few words what is asked of models."""
        facts = [
            f"model {self.model}" if self.model else "model auto",
            f"task {self.task}" if self.task else "",
            f"quality {self.quality:g}" if self.quality is not None else "",
        ]
        return ", ".join(fact for fact in facts if fact)
