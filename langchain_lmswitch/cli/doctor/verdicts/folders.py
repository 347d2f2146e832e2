"""Verdicts: folders, disk space and the ledger."""

import shlex
from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign
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
    path = shlex.quote(str(facts.ledger))
    match facts.ledger_state:
        case "off":
            return ok("ledger", "off: nothing is remembered (LMSWITCH_REMEMBER)")
        case "absent":
            return ok("ledger", "not begun yet")
        case "sound":
            return ok("ledger", str(facts.ledger))
        case "newer":
            why = "was written by a newer version: this one learns nothing for later"
            remedy = "pip install --upgrade langchain-lmswitch"
        case "locked":
            why = "is held by another program: what is learnt now is forgotten"
            remedy = f"fuser -v {path}"
        case "closed":
            why = f"cannot be written ({facts.ledger_why}): nothing is learnt for later"
            remedy = f"chmod u+rw {path}"
        case "damaged" | "foreign":
            kind = "is damaged" if facts.ledger_state == "damaged" else "is no ledger"
            why = f"{kind}: nothing can be learnt from it. The next request sets it aside."
            remedy = f"mv {path} {path}.old"
    return problem("ledger", f"{facts.ledger} {why}", remedy)
