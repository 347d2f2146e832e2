"""What a user says of some models only."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, field_validator

from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import Role, TaskKind

Share = Annotated[float, Field(ge=0, le=1)]


class ModelSettings(BaseModel):
    """What holds for the models of one name; what is `None` is as for all the others.

    Where several names match a model, of each field what is said first counts.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    models: str
    """Which ones: a key, a part of keys, or a glob over keys."""

    roles: tuple[TaskKind, ...] = ()
    """Tasks that they are the first choice for."""

    scores: tuple[tuple[TaskKind, Share], ...] = ()
    """The share of a task's requests that they get right, by task: `{code = 0.9}`."""

    pin: bool = False
    """Whether they are never unloaded to make room, in any process that reads this."""

    max_context: Annotated[int, Field(ge=256)] | None = None
    """Tokens of context to load them with in place of `context_tokens`, and the most that they may
    have: a request that needs more is not sent to them."""

    parallel: Annotated[int, Field(ge=1, le=64)] | None = None
    """Requests that one loaded instance answers at the same time."""

    ttl_s: NonNegativeFloat | None = None
    """Idle seconds after which the host unloads them; 0 is never."""

    @field_validator("roles", mode="before")
    @classmethod
    def _one_role(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("scores", mode="before")
    @classmethod
    def _by_task(cls, value: object) -> object:
        return tuple(value.items()) if isinstance(value, Mapping) else value

    def as_roles(self) -> tuple[Role, ...]:
        """Give what is said of their roles in the form of `Settings.roles`."""
        return roles_of({self.models: {"roles": self.roles, "scores": dict(self.scores)}})

    @classmethod
    def table_keys(cls) -> tuple[str, ...]:
        """Name the keys that the table of a model may have."""
        return tuple(name for name in cls.model_fields if name != "models")
