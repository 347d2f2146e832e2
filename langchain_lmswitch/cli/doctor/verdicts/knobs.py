"""Verdict: the settings."""

from langchain_lmswitch.cli.doctor.commands import assign, unset
from langchain_lmswitch.cli.doctor.findings import Finding, ok, problem
from langchain_lmswitch.cli.doctor.probes.knobs import Knobs

NAME = "settings"


def judge_knobs(facts: Knobs) -> Finding:
    """Say whether the settings can be read, and what to do about the first that cannot."""
    if not facts.problems:
        return ok(NAME, "in order; `lmswitch config` shows them")
    what = f"{' '.join(facts.problems)} Every command fails until that is put right."
    return problem(NAME, what, _remedy(facts))


def _remedy(facts: Knobs) -> str:
    if not facts.culprit:
        return "lmswitch config --path"
    taken = [assign(facts.meant, f'"${facts.culprit}"')] if facts.meant else []
    return " && ".join([*taken, unset([facts.culprit])])
