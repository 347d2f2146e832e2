"""Where model files lie, and which there are."""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.embedded.gguf import parse_split
from langchain_lmswitch.settings import Settings

_log = logging.getLogger(__name__)

MAX_DEPTH: Final = 8
_SUFFIX: Final = ".gguf"
_UNFINISHED: Final = ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One GGUF file, or the parts of one model, under one of the folders."""

    path: Path
    """The file, or its first part."""
    relative: str
    """Under the folder, with forward slashes: `publisher/repository/file.gguf` as a rule."""
    size_bytes: int
    """Of all parts."""

    @property
    def publisher(self) -> str:
        """The outermost of at least two folders; empty if it lies less deep."""
        parts = self.relative.split("/")
        return parts[0] if len(parts) > 2 else ""  # noqa: PLR2004  publisher, repository, file


def roots(settings: Settings) -> list[Path]:
    """Returns the folders to look in: our own, the user's, LM Studio's."""
    return [settings.models_home, *settings.model_folders, *lmstudio_folders(Path.home())]


def lmstudio_folders(home: Path) -> list[Path]:
    """Returns LM Studio's models folders, current and older.

    LM Studio keeps the path of its home in a pointer file when the user has moved it.
    """
    return [
        _pointed_at(home / ".lmstudio-home-pointer") / "models"
        if (home / ".lmstudio-home-pointer").is_file()
        else home / ".lmstudio" / "models",
        home / ".cache" / "lm-studio" / "models",
    ]


def _pointed_at(pointer: Path) -> Path:
    try:
        return Path(pointer.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        _log.warning("%s cannot be read; looking in the usual place", pointer)
        return pointer.parent / ".lmstudio"


def model_files(root: Path, *, warn: Callable[[Path, str], None]) -> Iterator[ModelFile]:
    """Yields every whole model file under a folder, in a fixed order.

    Folders are entered once, however many links lead there. Files and folders that end in
    `.part` are downloads under way, those that start with a dot are nobody's models. A split
    model that lacks a part is passed to `warn` instead.
    """
    entered: set[Path] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        here = Path(folder)
        real = here.resolve()
        deep = len(here.relative_to(root).parts) >= MAX_DEPTH
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = [] if deep else sorted(filter(_is_open, folders))
        for name in sorted(files):
            if name.lower().endswith(_SUFFIX) and _is_open(name):
                yield from _whole(here / name, root, warn)


def _is_open(name: str) -> bool:
    return not (name.startswith(".") or name.endswith(_UNFINISHED))


def _whole(path: Path, root: Path, warn: Callable[[Path, str], None]) -> Iterator[ModelFile]:
    """Yields the file, a split model once with its first part, and nothing for the others."""
    split = parse_split(path.name)
    if split is not None and split.number != 1:
        return
    parts = split.siblings(path.parent) if split else [path]
    try:
        size_bytes = sum(part.stat().st_size for part in parts)
    except OSError as error:
        warn(path, error.strerror or type(error).__name__)
        return
    relative = path.relative_to(root).as_posix()
    yield ModelFile(path=path, relative=relative, size_bytes=size_bytes)
