"""Finds the models on disk and says what each can do."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from langchain_lmswitch.embedded.gguf import GgufHeader, Survey, read_header
from langchain_lmswitch.embedded.shelf.encoder import installed_encoder
from langchain_lmswitch.embedded.shelf.folders import ModelFile, model_files, roots
from langchain_lmswitch.embedded.shelf.keys import Named, unique_keys
from langchain_lmswitch.embedded.shelf.surveys import Surveys
from langchain_lmswitch.errors import BadModelFile
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.models import Architecture, ModelCard, ModelKind

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfModel:
    """A model on disk: what is told of it, and what it takes to load it."""

    card: ModelCard
    path: Path
    mmproj: Path | None
    """The projector that lets it see; `None` if there is none."""
    architecture: Architecture | None
    """What its memory depends on; `None` if it is no GGUF file."""
    weights_bytes: int | None = None
    """What its weights take in memory, the projector's included; `None` if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    file: ModelFile
    header: GgufHeader


class Shelf:
    """The folders that are searched for models; see `folders.roots`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._surveys = Surveys(settings.run_home / "model-files.json")
        self._warned: set[Path] = set()

    def scan(self) -> list[ShelfModel]:
        """Returns the models that are there now, ordered by key. Blocks on the disk.

        A file that cannot be read is skipped and named in the log once.
        """
        found = self._found()
        projectors = _projectors(found)
        models = [model for one in found if (model := self._model(one, projectors))]
        self._surveys.save()
        if encoder := installed_encoder():
            card, path = encoder
            models.append(ShelfModel(card=card, path=path, mmproj=None, architecture=None))
        return sorted(_with_unique_keys(models), key=lambda model: model.card.key)

    def _found(self) -> list[_Found]:
        """Returns each file once, though two folders may hold it."""
        seen: set[object] = set()
        found: list[_Found] = []
        for root in roots(self._settings):
            for file in model_files(root, warn=self._warn):
                marks = _marks(file)
                if not seen & marks and (header := self._header(file.path)):
                    found.append(_Found(file=file, header=header))
                seen |= marks
        return found

    def _header(self, path: Path) -> GgufHeader | None:
        try:
            return read_header(path)
        except BadModelFile as error:
            self._warn(path, str(error))
            return None

    def _model(self, found: _Found, projectors: dict[Path, Path]) -> ShelfModel | None:
        header = found.header
        if _is_projector(found) or header.is_adapter:
            return None
        try:
            survey = self._surveys.of(found.file.path)
        except (BadModelFile, OSError) as error:
            self._warn(found.file.path, str(error))
            return None
        mmproj = projectors.get(found.file.path.parent)
        return ShelfModel(
            card=_card(found, survey, vision=mmproj is not None),
            path=found.file.path,
            mmproj=mmproj,
            architecture=header.architecture,
            weights_bytes=_weights_bytes(found.file, survey, mmproj),
        )

    def _warn(self, path: Path, reason: str) -> None:
        if path not in self._warned:
            self._warned.add(path)
            _log.warning("Skipping the model file %s: %s", path, reason)


def _weights_bytes(file: ModelFile, survey: Survey, mmproj: Path | None) -> int | None:
    """Count what the tensor table tells of; a model in several files has one in each."""
    if survey.weights is None or file.size_bytes != file.path.stat().st_size:
        return None
    return survey.weights.total + (mmproj.stat().st_size if mmproj else 0)


def _marks(file: ModelFile) -> set[object]:
    """Returns what tells a file: its real path, and its place in the customary layout."""
    marks: set[object] = {file.path.resolve()}
    return marks | {(file.relative.lower(), file.size_bytes)} if file.publisher else marks


def _projectors(found: list[_Found]) -> dict[Path, Path]:
    """Returns the projector of each folder, the first by name if there are several."""
    paths = [one.file.path for one in found if _is_projector(one)]
    return {path.parent: path for path in sorted(paths, reverse=True)}


def _is_projector(found: _Found) -> bool:
    return found.header.is_projector or found.file.path.name.lower().startswith("mmproj")


def _card(found: _Found, survey: Survey, *, vision: bool) -> ModelCard:
    file, header = found.file, found.header
    kind: ModelKind = "embedding" if header.is_embedding else "llm"
    return ModelCard(
        key="",
        kind=kind,
        display_name=header.name or file.path.stem,
        publisher=file.publisher,
        path=file.relative,
        size_bytes=file.size_bytes,
        architecture=header.architecture_name,
        params=header.params or _label(survey.n_params),
        quantization=survey.quantization or header.quantization,
        max_context_tokens=header.context_tokens,
        vision=vision and kind == "llm",
        tool_use=survey.tool_template and kind == "llm",
        tool_grammar=kind == "llm",
    )


def _label(n_params: int) -> str:
    """Returns a count of parameters as people write it."""
    if n_params >= 10**9:
        return f"{n_params / 1e9:.2g}B"
    return f"{n_params // 10**6}M" if n_params >= 10**6 else ""


def _with_unique_keys(models: list[ShelfModel]) -> list[ShelfModel]:
    named = [
        Named(
            relative=model.card.path,
            quantization=model.card.quantization,
            publisher=model.card.publisher,
            embedding=model.card.kind == "embedding",
        )
        for model in models
    ]
    return [
        replace(model, card=replace(model.card, key=model.card.key or key))
        for model, key in zip(models, unique_keys(named), strict=True)
    ]
