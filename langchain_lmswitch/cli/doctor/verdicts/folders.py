"""Verdicts: folders, disk space and the ledger."""

import shlex
from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem, unknown
from langchain_lmswitch.cli.doctor.probes.folders import Folders, Obstacle, Why
from langchain_lmswitch.types.units import size

_LEAST_BYTES: Final = 2**30
"""For the starter models, with their parts while they are fetched."""
_WHYS: Final[dict[Why, str]] = {
    "no folder": "{} is a file",
    "read-only disk": "the disk of {} is read-only",
    "no permission": "the permissions of {} do not let you",
    "another user's": "{} belongs to another user",
}
_LITTLE_BYTES: Final = 5 * 2**30
"""For a model of seven billion parameters, in four bits."""


def judge_folders(facts: Folders) -> Finding:
    """Say whether we can write where we have to."""
    if facts.obstacles:
        first = facts.obstacles[0]
        what = f"{first.folder} cannot be written: {_WHYS[first.why].format(first.at)}"
        return problem("folders", f"{what}. Hosts, tokens and models need it.", _open(first))
    if facts.open_to_others:
        path = facts.open_to_others[0]
        what = f"others on this machine can read {path}, and so use your host"
        return problem("folders", what, f"chmod 600 {shlex.quote(str(path))}")
    return ok("folders", str(facts.home))


def _open(found: Obstacle) -> str:
    """Write how we get to write, without taking away what may be others' for good reason."""
    at = shlex.quote(str(found.at))
    if found.why == "read-only disk":  # the home directory is likely to be on it
        return assign("LMSWITCH_HOME", "/path/on/another/disk")
    if found.why == "no permission":
        return f"chmod u+rwx {at}"
    if found.why == "another user's" and found.at_home:
        return f'sudo chown -R "$(id -un)" {at}'
    return assign("LMSWITCH_HOME", '"$HOME/lmswitch"')


def judge_disk(facts: Folders) -> Finding:
    """Say whether there is space for models."""
    if facts.free_bytes is None:
        return unknown("disk", f"how much is free at {facts.models} cannot be told")
    what = f"{size(facts.free_bytes)} free for models at {facts.models}"
    remedy = assign("LMSWITCH_HOME", "/path/on/a/larger/disk")
    if facts.free_bytes < _LEAST_BYTES:
        return problem("disk", f"only {what}", remedy)
    if facts.free_bytes < _LITTLE_BYTES:
        return note("disk", f"{what}: enough for small ones only", remedy)
    return ok("disk", what)


def judge_ledger(facts: Folders) -> Finding:
    """Say whether what was learnt can be read and added to."""
    path = shlex.quote(str(facts.ledger))
    match facts.ledger_state:
        case "off":
            return ok("ledger", "off: nothing is remembered, as `remember` says in your settings")
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
