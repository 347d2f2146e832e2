"""Files from a repository of the Hugging Face Hub."""

import os
import shutil
from pathlib import Path

from langchain_lmswitch.embedded.pull import hub
from langchain_lmswitch.embedded.pull.checks import check_room, sha256_of, wrong_bytes
from langchain_lmswitch.embedded.pull.choice import HubName, choose
from langchain_lmswitch.embedded.pull.landing import Landing
from langchain_lmswitch.embedded.pull.notice import write_notice
from langchain_lmswitch.embedded.pull.transfer import Transfer
from langchain_lmswitch.errors import DownloadFailed

_PATIENCE_S = 20


def find_files(name: str, wanted: HubName) -> tuple[hub.HubRepository, list[hub.HubFile]]:
    """Returns the repository and those of its files that make up the model.

    Raises:
        DownloadFailed: The Hub is out of reach, or has nothing that suits.
    """
    repo = hub.repository(wanted.repository, deadline_s=_PATIENCE_S)
    if repo is None:
        raise DownloadFailed(
            name,
            reason="the Hugging Face Hub cannot be reached, or has no such repository",
            remedy="The starter models come without it: `lmswitch pull starter`.",
        )
    files = choose(repo.files, wanted.file)
    if not files:
        raise DownloadFailed(
            name,
            reason="the repository has no such GGUF file",
            remedy=f"See https://huggingface.co/{wanted.repository}/tree/main.",
        )
    return repo, files


def fetch_file(
    repo: hub.HubRepository, file: hub.HubFile, folder: Path, transfer: Transfer
) -> Path:
    """Fetches one file into the repository's folder, unless it is there.

    Raises:
        DownloadFailed: It could not be had, or the caller cancelled.
    """
    landing = Landing(target=folder / file.path, size_bytes=file.size_bytes)
    with landing.alone(transfer):
        if landing.is_done:
            transfer.finish(file.size_bytes)
        else:
            land_file(repo, file, landing, transfer)
    return landing.target


def land_file(
    repo: hub.HubRepository, file: hub.HubFile, landing: Landing, transfer: Transfer
) -> None:
    """Fetches and checks one file; the caller holds its lock."""
    staging = landing.staging("hub")
    check_room(transfer.name, staging, file.size_bytes)
    path = hub.download(repo, file, staging, transfer)
    if file.sha256 and sha256_of(path, tick=transfer.check) != file.sha256:
        shutil.rmtree(staging, ignore_errors=True)
        raise wrong_bytes(transfer.name)
    with path.open("rb+") as whole:
        os.fsync(whole.fileno())
    write_notice(
        landing.target,
        license_name=repo.license,
        upstream=f"https://huggingface.co/{repo.name}",
        fetched=f"there at {repo.revision}; sha256 {file.sha256 or 'not given'}",
    )
    landing.settle(path)
    transfer.finish(file.size_bytes)
