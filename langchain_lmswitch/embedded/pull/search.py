"""What there is to download."""

from dataclasses import dataclass

from langchain_lmswitch.embedded.pull import hub
from langchain_lmswitch.embedded.starter import starter_models


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
        Downloadable(
            name=model.name,
            description=model.description,
            size_bytes=model.size_bytes,
            license=model.license,
            quantization=model.quantization,
        )
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
