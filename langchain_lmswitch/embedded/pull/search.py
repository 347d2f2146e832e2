"""What there is to download."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from langchain_lmswitch.embedded.gguf.filetypes import quantization_in
from langchain_lmswitch.embedded.pull import hub
from langchain_lmswitch.embedded.pull.choice import HubName, choose, variants
from langchain_lmswitch.embedded.pull.repositories import find_files
from langchain_lmswitch.embedded.starter import StarterModel, find_starter, starter_models


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloadable:
    """A model that `fetch` can bring."""

    name: str
    """What `fetch` takes."""
    description: str
    size_bytes: int
    """0 if unknown before a file is chosen."""
    license: str
    """Empty if unknown."""
    quantization: str
    """Empty if there are several."""


def search(term: str, *, limit: int) -> list[Downloadable]:
    """Returns models whose name or description holds every word, starter models first. Blocks.

    The Hugging Face Hub is asked too; if it does not answer in a few seconds, it adds nothing.
    """
    words = term.casefold().split()
    starters = [
        _starter(model)
        for model in starter_models()
        if all(word in f"{model.relative} {model.description}".casefold() for word in words)
    ]
    if len(starters) >= limit:
        return starters[:limit]
    known = {model.repository for model in starter_models()}
    found = [
        Downloadable(
            name=repo.name,
            description="GGUF repository on the Hugging Face Hub",
            size_bytes=0,
            license=repo.license,
            quantization="",
        )
        for repo in hub.find_repositories(term, limit=limit)
        if repo.name not in known
    ]
    return (starters + found)[:limit]


def options(name: str) -> list[Downloadable]:
    """Returns what there is of one model, the best trade of size and quality first. Blocks.

    A starter model is what it is; a repository of the Hub may have many quantizations, and of one
    of its files there is that only.

    Raises:
        DownloadFailed: The Hub is out of reach, or has nothing that suits.
    """
    if starter := find_starter(name):
        return [_starter(starter)]
    wanted = HubName.parse(name)
    if wanted is None:
        return []
    repo, _ = find_files(name, wanted)
    found = [choose(repo.files, wanted.file)] if wanted.file else variants(repo.files)
    return [_variant(repo, files) for files in found]


def _starter(model: StarterModel) -> Downloadable:
    return Downloadable(
        name=model.name,
        description=model.description,
        size_bytes=model.size_bytes,
        license=model.license,
        quantization=model.quantization,
    )


def _variant(repo: hub.HubRepository, files: Sequence[hub.HubFile]) -> Downloadable:
    first = files[0]
    return Downloadable(
        name=f"{repo.name}/{first.path}",
        description="GGUF file on the Hugging Face Hub",
        size_bytes=sum(file.size_bytes for file in files),
        license=repo.license,
        quantization=quantization_in(PurePosixPath(first.path).stem),
    )
