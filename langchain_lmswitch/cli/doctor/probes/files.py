"""Probe: the model files in the folders that are searched."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.cli.doctor.examination import Examination, aside
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.embedded.gguf import read_header
from langchain_lmswitch.embedded.shelf.folders import ModelFile, model_files, roots
from langchain_lmswitch.errors import BadModelFile
from langchain_lmswitch.settings import Settings

_MOST: Final = 200
"""Headers that are read: more would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is there, and what is wrong with it."""

    chat: int = 0
    """Files of models that can answer."""
    smallest_bytes: int | None = None
    """Size of the smallest of these."""
    others: int = 0
    bad: tuple[tuple[Path, str], ...] = ()
    """Files that cannot be used, each with why."""
    missing: tuple[Path, ...] = ()
    """Folders that the user has named and that are not there."""
    named: tuple[Path, ...] = ()
    """Folders that the user has named and that are there."""
    unread: int = 0
    """Files that were not looked into."""


async def read_files(exam: Examination) -> Files:
    """Look into every model file."""
    settings = await exam.of(settings_of)
    return await aside(lambda: _files(settings))


def _files(settings: Settings) -> Files:
    bad: list[tuple[Path, str]] = []
    missing = tuple(one for one in settings.model_folders if not one.is_dir())
    found = _found(settings, bad)
    chat, others = [], 0
    for file in found[:_MOST]:
        try:
            header = read_header(file.path)
        except (BadModelFile, OSError) as error:
            bad.append((file.path, getattr(error, "reason", None) or str(error)))
            continue
        answers = not (header.is_projector or header.is_adapter or header.is_embedding)
        if answers:
            chat.append(file.size_bytes)
        others += not answers
    return Files(
        chat=len(chat),
        smallest_bytes=min(chat, default=None),
        others=others,
        bad=tuple(bad),
        missing=missing,
        named=tuple(one for one in settings.model_folders if one not in missing),
        unread=max(0, len(found) - _MOST),
    )


def _found(settings: Settings, bad: list[tuple[Path, str]]) -> list[ModelFile]:
    """List each file once, though two folders may hold it."""
    found: dict[str, ModelFile] = {}
    for root in roots(settings):
        for file in model_files(root, warn=lambda path, why: bad.append((path, why))):
            found.setdefault(os.path.realpath(file.path), file)
    return list(found.values())
