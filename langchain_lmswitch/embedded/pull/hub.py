"""The Hugging Face Hub, through its own library, where it can be reached."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

from langchain_lmswitch.embedded.pull.transfer import Transfer, last_words
from langchain_lmswitch.errors import DownloadFailed

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

PROBE_S: Final = 3.0
"""Longest wait for the Hub to answer at all."""
ANSWER_S: Final = 6.0
"""Longest wait for what was asked, the library's own import included."""
# A process of its own, as the library has no way to cancel; its own code keeps what has come and
# goes on from there. Xet writes in pieces that cannot be watched.
_DOWNLOAD: Final = """
import sys
from huggingface_hub import hf_hub_download
repository, file, revision, folder = sys.argv[1:]
hf_hub_download(repository, file, revision=revision, local_dir=folder)
"""
_ENVIRONMENT: Final = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file of a repository."""

    path: str
    size_bytes: int
    sha256: str | None
    """`None` if the Hub does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRepository:
    """A repository at one commit."""

    name: str
    revision: str
    license: str
    """Empty if it does not say."""
    files: tuple[HubFile, ...]


def repository(name: str, *, deadline_s: float = ANSWER_S) -> HubRepository | None:
    """Returns what a repository holds; `None` if that cannot be found out in time."""
    return within(deadline_s, lambda: _repository(name, deadline_s))


def find_repositories(term: str, *, limit: int) -> list[HubRepository]:
    """Returns GGUF repositories by popularity, without their files; empty out of reach."""

    def look() -> list[HubRepository]:
        found = _api().list_models(search=term, filter="gguf", sort="downloads", limit=limit)
        return [
            HubRepository(name=info.id, revision="", license=_license(info), files=())
            for info in found
        ]

    return within(ANSWER_S, look) or []


def download(repo: HubRepository, file: HubFile, staging: Path, transfer: Transfer) -> Path:
    """Fetches one file into a folder and returns where it lies there.

    Raises:
        DownloadFailed: It could not be had, or the caller cancelled.
    """
    command = (sys.executable, "-c", _DOWNLOAD, repo.name, file.path, repo.revision, str(staging))
    status, said = transfer.run(
        command, folder=staging, environment=_ENVIRONMENT, growing_bytes=file.size_bytes
    )
    path = staging / file.path
    if status != 0 or not path.is_file():
        raise DownloadFailed(
            transfer.name,
            reason=f"the Hub did not deliver {file.path}: {last_words(said)}",
            remedy="Run it again to go on; gated models need `hf auth login` first.",
        )
    return path


def within(seconds: float, work: Callable[[], _T]) -> _T | None:
    """Returns the result of work that may hang, for example in a name lookup; `None` if it fails.

    The thread is left behind if it does.
    """
    results: SimpleQueue[_T | None] = SimpleQueue()

    def run() -> None:
        try:
            results.put(work())
        except Exception as error:  # noqa: BLE001  whatever it is, the Hub is of no use now
            _log.debug("The Hugging Face Hub is of no use: %r", error)
            results.put(None)

    Thread(target=run, name="lmswitch-hub", daemon=True).start()
    try:
        return results.get(timeout=seconds)
    except Empty:
        return None


def _api() -> "HfApi":
    """Returns the library's client once the Hub has answered: the client itself retries for long.

    Raises:
        httpx.TransportError: It does not answer.
        ConnectionError: The user wants no connection.
        ImportError: The library is not installed.
    """
    from huggingface_hub import HfApi, constants  # noqa: PLC0415  a second of imports

    if constants.HF_HUB_OFFLINE:
        raise ConnectionError("HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    httpx.head(endpoint, timeout=PROBE_S)
    return HfApi(endpoint=endpoint)


def _repository(name: str, timeout_s: float) -> HubRepository:
    info = _api().model_info(name, files_metadata=True, timeout=timeout_s)
    return HubRepository(
        name=info.id,
        revision=info.sha or "main",
        license=_license(info),
        files=tuple(map(_file, info.siblings or [])),
    )


def _file(sibling: Any) -> HubFile:
    return HubFile(
        path=sibling.rfilename,
        size_bytes=sibling.size or 0,
        sha256=sibling.lfs.sha256 if sibling.lfs else None,
    )


def _license(info: Any) -> str:
    tags = info.tags or []
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
