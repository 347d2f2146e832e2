"""Verdict: the port files."""

from langchain_lmswitch.cli.doctor.commands import end, remove
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem
from langchain_lmswitch.cli.doctor.probes.notes import Notes

NAME = "port files"


def judge_notes(facts: Notes) -> Finding:
    """Say whether what hosts wrote down of themselves still holds.

    1. Our own, which leads to the embedded host.
    2. LM Studio's, which it leaves behind when it is closed.
    """
    match facts.fate:  # 1
        case "dead" | "somebody else":
            return problem(NAME, _stale(facts), remove(facts.ours))
        case "unreadable":
            return problem(NAME, f"{facts.ours} makes no sense and is ignored", remove(facts.ours))
        case "frozen":
            what = f"the embedded host (process {facts.pid}) does not answer at {facts.host_port}"
            return problem(NAME, f"{what}. Its log is {facts.log}.", end(facts.pid))
        case "no token":
            what = (
                f"the token of the embedded host (process {facts.pid}) is gone, so nobody gets in"
            )
            return problem(NAME, f"{what}. The next host makes a new one.", end(facts.pid))
        case "serves" | "absent":
            return _of_lmstudio(facts)


def _of_lmstudio(facts: Notes) -> Finding:
    if facts.lmstudio_port is not None and not facts.lmstudio_greets:  # 2
        what = f"{facts.lmstudio} says port {facts.lmstudio_port}, where LM Studio does not answer"
        return note(NAME, f"{what}: its server is off now", "lms server start")
    return ok(NAME, "in order" if facts.fate == "serves" else "none")


def _stale(facts: Notes) -> str:
    gone = (
        f"process {facts.pid} is gone"
        if facts.fate == "dead"
        else f"process {facts.pid} is another program by now"
    )
    return (
        f"{facts.ours} leads to a host that ended without cleaning up ({gone}). The next one "
        f"replaces it; what happened may stand in {facts.log}."
    )
