"""Verdict: the settings."""

import os

from langchain_lmswitch.cli.doctor.commands import unset
from langchain_lmswitch.cli.doctor.findings import Finding, ok, problem
from langchain_lmswitch.cli.doctor.probes.knobs import Knobs

NAME = "settings"


def judge_knobs(facts: Knobs) -> Finding:
    """Say whether the settings can be read, and whether each variable is one."""
    if facts.error:
        remedy = unset([facts.culprit]) if facts.culprit in os.environ else "lmswitch --help"
        return problem(NAME, f"{facts.error}. Every command ends with this.", remedy)
    if facts.strangers:
        name, nearest = facts.strangers[0]
        meant = f" Is {nearest} meant?" if nearest else ""
        more = f" So do {len(facts.strangers) - 1} more." if len(facts.strangers) > 1 else ""
        return problem(NAME, f"{name} is no setting and has no effect.{meant}{more}", "")
    return ok(NAME, "as they should be")
