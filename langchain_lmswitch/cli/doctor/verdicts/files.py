"""Verdict: the model files."""

import os

from langchain_lmswitch.cli.doctor.commands import assign, remove, unset
from langchain_lmswitch.cli.doctor.findings import Finding, ok, problem
from langchain_lmswitch.cli.doctor.probes.files import Files

NAME = "model files"
_VARIABLE = "LMSWITCH_MODEL_FOLDERS"


def judge_files(facts: Files) -> Finding:
    """Say whether the files and folders can be used."""
    if facts.bad:
        path, why = facts.bad[0]
        more = f", and {len(facts.bad) - 1} more" if len(facts.bad) > 1 else ""
        what = f"{path} cannot be used{more}: {why.rstrip('.')}. Get it anew, or remove it."
        return problem(NAME, what, remove(path))
    if facts.missing:
        what = f"there is no folder {facts.missing[0]}, which {_VARIABLE} names"
        left = os.pathsep.join(map(str, facts.named))
        return problem(NAME, what, assign(_VARIABLE, left) if left else unset([_VARIABLE]))
    total = facts.chat + facts.others
    unread = f"; {facts.unread} more were not looked into" if facts.unread else ""
    return ok(NAME, f"{total} in order{unread}" if total else f"none in our folders{unread}")
