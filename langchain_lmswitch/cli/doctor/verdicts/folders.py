"""Verdicts: folders, disk space and the ledger."""

import shlex
from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign, remove
from langchain_lmswitch.cli.doctor.findings import Finding, ok, problem, unknown
from langchain_lmswitch.cli.doctor.probes.folders import Folders
from langchain_lmswitch.cli.units import size

_LEAST_BYTES: Final = 2 * 2**30
"""A small model with its parts while it is fetched."""


def judge_folders(facts: Folders) -> Finding:
    """Say whether we can write where we have to."""
    if facts.closed:
        folder, why = facts.closed[0]
        what = f"{folder} cannot be written: {why}. Hosts, tokens and models need it."
        return problem("folders", what, _open(facts, why))
    if facts.open_to_others:
        path = facts.open_to_others[0]
        what = f"others on this machine can read {path}, and so use your host"
        return problem("folders", what, f"chmod 600 {shlex.quote(str(path))}")
    return ok("folders", str(facts.home))


def _open(facts: Folders, why: str) -> str:
    home = shlex.quote(str(facts.home))
    if "another user" in why:
        return f'sudo chown -R "$(id -un)" {home}'
    if "permissions" in why:
        return f"chmod -R u+rwX {home}"
    return assign("LMSWITCH_HOME", "/path/to/a/folder")


def judge_disk(facts: Folders) -> Finding:
    """Say whether there is space for models."""
    if facts.free_bytes is None:
        return unknown("disk", f"how much is free at {facts.models} cannot be told")
    what = f"{size(facts.free_bytes)} free for models at {facts.models}"
    if facts.free_bytes < _LEAST_BYTES:
        return problem("disk", f"only {what}", assign("LMSWITCH_HOME", "/path/on/a/larger/disk"))
    return ok("disk", what)


def judge_ledger(facts: Folders) -> Finding:
    """Say whether what was learnt can be read and added to."""
    path, aside = facts.ledger, f"{facts.ledger}.old"
    match facts.ledger_state:
        case "off":
            return ok("ledger", "off: nothing is remembered (LMSWITCH_REMEMBER)")
        case "absent":
            return ok("ledger", "not begun yet")
        case "sound":
            return ok("ledger", str(path))
        case "newer":
            what = f"{path} was written by a newer version: this one learns nothing for later"
            return problem("ledger", what, "pip install --upgrade langchain-lmswitch")
        case "locked":
            what = f"another program holds {path}: what is learnt now is forgotten"
            return problem("ledger", what, f"fuser -v {shlex.quote(str(path))}")
        case "closed":
            what = f"{path} cannot be written ({facts.ledger_why}): nothing is learnt for later"
            return problem("ledger", what, f"chmod u+rw {shlex.quote(str(path))}")
        case "damaged" | "foreign":
            kind = "is damaged" if facts.ledger_state == "damaged" else "is no ledger"
            what = f"{path} {kind}: what was learnt in it is lost. It is set aside at the next use."
            moved = f"mv {shlex.quote(str(path))} {shlex.quote(aside)}"
            return problem("ledger", what, moved if path.name else remove(path))
