"""Where models come from: the repository of the host that is found, else our own pulling."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from langchain_lmswitch.types.downloads import Arrival, DownloadOption, Hit, OnBytes

if TYPE_CHECKING:
    from langchain_lmswitch.cli.session import Session
    from langchain_lmswitch.embedded.starter import StarterModel
    from langchain_lmswitch.hosts.lmstudio.repository import Repository
    from langchain_lmswitch.settings import Settings

MOST: Final = 20
"""Models that a search lists at most."""


class Source(Protocol):
    """Something that has models to download. Every method blocks."""

    @property
    def where(self) -> str:
        """What it is, in words."""

    @property
    def local(self) -> bool:
        """Whether what it brings is for this computer's memory."""

    @property
    def folder(self) -> Path | None:
        """Where it puts models; `None` if that is unknown, or it looks for room there itself."""

    def search(self, term: str) -> Sequence[Hit]:
        """Find models."""

    def options(self, hit: Hit) -> Sequence[DownloadOption]:
        """List what there is of a model, the best first."""

    def download(self, option: DownloadOption, on_bytes: OnBytes) -> Arrival:
        """Download."""

    def close(self) -> None:
        """Let go of it."""


def find_source(session: "Session") -> Source:
    """Find where models come from.

    1. What the session was given.
    2. The repository of a host that was named, or of a running LM Studio: it serves what it keeps.
    3. For our own embedded host, and where none runs, our own pulling.

    Raises:
        HostNotFound: The address that was given does not answer.
    """
    if session.source is not None:  # 1
        return session.source
    from langchain_lmswitch.hosts.finding import look
    from langchain_lmswitch.switch.portal import portal

    settings = session.settings()
    found = portal().call(look(settings))
    if found is None or found.kind == "embedded":  # 3
        return OwnSource(settings)
    from langchain_lmswitch.hosts.lmstudio.repository import Repository  # 2

    return HostSource(Repository(found.address, settings=settings, token=found.token))


class OwnSource:
    """The starter models, and GGUF repositories of the Hugging Face Hub."""

    where: Final = "the Hugging Face Hub"
    local: Final = True
    folder: Final = None

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings

    def search(self, term: str) -> list[Hit]:
        """Find models; a full name is not searched for."""
        from langchain_lmswitch.embedded import pull
        from langchain_lmswitch.embedded.pull.choice import HubName
        from langchain_lmswitch.embedded.starter import find_starter

        if find_starter(term) or HubName.parse(term):
            return [Hit(name=term, identifier={}, exact=True)]
        found = pull.search(term, limit=MOST)
        return [Hit(name=one.name, identifier={}, exact=one.name == term) for one in found]

    def options(self, hit: Hit) -> list[DownloadOption]:
        """List what there is of a model, the best first."""
        from langchain_lmswitch.embedded import pull

        return [
            DownloadOption(
                name=one.name,
                identifier=one.name,
                quantization=one.quantization,
                size_bytes=one.size_bytes or None,
                recommended=not place,
            )
            for place, one in enumerate(pull.options(hit.name))
        ]

    def download(self, option: DownloadOption, on_bytes: OnBytes) -> Arrival:
        """Download."""
        from langchain_lmswitch.embedded.pull import fetch

        files = fetch(option.identifier, self._settings, on_progress=on_bytes)
        return Arrival(files=tuple(files))

    def close(self) -> None:
        """Do nothing: nothing is held."""


class HostSource:
    """The repository of a host that speaks LM Studio's protocol."""

    def __init__(self, repository: "Repository") -> None:
        from langchain_lmswitch.hosts.addresses import scope_of

        self._repository = repository
        self.local: bool = scope_of(repository.address) == "local"

    @property
    def where(self) -> str:
        """What it is, in words."""
        return f"the repository of the host at {self._repository.address}"

    @property
    def folder(self) -> Path | None:
        """Where LM Studio puts models, if it is on this computer and that can be seen."""
        from langchain_lmswitch.embedded.shelf.folders import lmstudio_folders

        places = lmstudio_folders(Path.home()) if self.local else []
        return next((place for place in places if place.is_dir()), None)

    def search(self, term: str) -> list[Hit]:
        """Find models; a starter model is looked for by the repository it comes from."""
        from langchain_lmswitch.embedded.starter import find_starter

        starter = find_starter(term)
        wanted = starter.repository if starter else term
        found: list[Hit] = self._call(lambda: self._repository.search(wanted, limit=MOST))
        return _of_starter(found, starter) if starter else found

    def options(self, hit: Hit) -> list[DownloadOption]:
        """List what there is of a model, in the host's order."""
        found: list[DownloadOption] = self._call(lambda: self._repository.options(hit))
        return found

    def download(self, option: DownloadOption, on_bytes: OnBytes) -> Arrival:
        """Download."""
        arrival: Arrival = self._call(lambda: self._repository.download(option, on_bytes))
        return arrival

    def close(self) -> None:
        """Drop the connection."""
        self._call(self._repository.aclose)

    def _call(self, work: Callable[[], Any]) -> Any:
        from langchain_lmswitch.switch.portal import portal

        return portal().call(work())


def _of_starter(found: Sequence[Hit], starter: "StarterModel") -> list[Hit]:
    """Prefer the starter's very repository among what a search for it has found."""
    names = {starter.repository.casefold(), starter.name.casefold()}
    return [one for one in found if one.name.casefold() in names] or list(found)
