"""Running the checks: all at once, none for too long, none in the way of another."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_lmswitch.cli.doctor.checks import CHECKS, Check
from langchain_lmswitch.cli.doctor.examination import LONGEST_S, Examination
from langchain_lmswitch.cli.doctor.findings import Finding, unknown
from langchain_lmswitch.cli.session import Session


async def examine(
    session: Session,
    *,
    checks: Sequence[Check[Any]] = CHECKS,
    root: Path = Path("/"),
    within_s: float = LONGEST_S,
) -> list[Finding]:
    """Look at everything; the findings come in the order of the checks."""
    until_s = asyncio.get_running_loop().time() + within_s
    async with Examination(session, root=root) as exam:
        return list(await asyncio.gather(*(_checked(one, exam, until_s) for one in checks)))


async def _checked(check: Check[Any], exam: Examination, until_s: float) -> Finding:
    """Make one check; one that fails itself says so."""
    try:
        async with asyncio.timeout_at(until_s):
            return check.judge(await exam.of(check.probe))
    except TimeoutError:
        return unknown(check.name, "could not check: it took too long")
    except Exception as error:  # noqa: BLE001 - a doctor who faints helps nobody
        why = str(error) or type(error).__name__
        return unknown(check.name, f"could not check: {why}")
