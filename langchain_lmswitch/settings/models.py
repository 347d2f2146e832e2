"""What a user says of some models only."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat


class ModelSettings(BaseModel):
    """What holds for the models of one name; what is `None` is as for all the others.

    Where several names match a model, what stands first counts.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    models: str
    """Which ones: a key, a part of keys, or a glob over keys."""

    roles: tuple[str, ...] = ()
    """Tasks that they are the first choice for."""

    scores: tuple[tuple[str, float], ...] = ()
    """The share of a task's requests that they get right."""

    pin: bool = False
    """Whether they are never unloaded to make room."""

    max_context: Annotated[int, Field(ge=256)] | None = None
    """Most tokens of context to load them with."""

    parallel: Annotated[int, Field(ge=1, le=64)] | None = None
    """Requests that one loaded instance answers at the same time."""

    ttl_s: NonNegativeFloat | None = None
    """Idle seconds after which the host unloads them."""
