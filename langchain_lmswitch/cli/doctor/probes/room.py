"""Probe: main memory, limits on it, swap, and what models would take."""

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.cli.doctor.examination import Examination, Untold, aside
from langchain_lmswitch.cli.doctor.probes.files import read_files
from langchain_lmswitch.cli.doctor.probes.graphics import read_snapshot
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.cli.doctor.probes.talk import Talk, read_talk
from langchain_lmswitch.machine.boundary import Enclosure, read_surroundings
from langchain_lmswitch.machine.cgroups import Cgroups
from langchain_lmswitch.machine.files import read_text
from langchain_lmswitch.machine.memory import machine_memory
from langchain_lmswitch.types.machine import Scope, Snapshot

if TYPE_CHECKING:
    from langchain_lmswitch.cli.shelf import Fit

_MOST: Final = 8
"""Models whose room is reckoned, the smallest ones."""
_PATIENCE_S: Final = 3.0
_STALLED: Final = re.compile(r"^some avg10=([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Memory as it is now."""

    now: Snapshot
    machine_bytes: int | None
    """Main memory of the computer, whatever the limits."""
    limit_bytes: int | None
    """The tightest limit that a container or a service manager sets; `None` if there is none."""
    stalled_percent: float | None
    """Share of the last ten seconds in which somebody waited for memory; `None` if unknown."""
    scope: Scope = "local"
    hosted: bool = False
    """Whether there is a host."""
    enclosure: Enclosure = "none"
    flatpak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Which models could be in memory now."""

    now: Snapshot
    scope: Scope = "local"
    budget_bytes: int | None = None
    verdicts: "tuple[tuple[str, Fit], ...]" = ()
    """The smallest chat models of the host, each with whether it fits."""
    smallest_bytes: int | None = None
    """Size of the smallest model file, for want of a host."""


async def read_room(exam: Examination) -> Room:
    """Measure memory and read the limits."""
    now = await exam.of(read_snapshot)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            talk = await exam.of(read_talk)
    except (Untold, TimeoutError):
        talk = Talk()  # this machine can be looked at all the same
    return await aside(lambda: _room(exam, now, talk))


def _room(exam: Examination, now: Snapshot, talk: Talk) -> Room:
    root = exam.root
    limits = Cgroups(proc=root / "proc", cgroup=root / "sys/fs/cgroup").limits()
    stalled = _STALLED.search(read_text(root / "proc/pressure/memory"))
    return Room(
        now=now,
        machine_bytes=machine_memory().total,
        limit_bytes=min((one.limit_bytes for one in limits), default=None),
        stalled_percent=float(stalled[1]) if stalled else None,
        scope=talk.scope,
        hosted=talk.host is not None,
        enclosure=read_surroundings(root=root).enclosure,
        flatpak=(root / ".flatpak-info").exists(),
    )


async def read_fits(exam: Examination) -> Fits:
    """Reckon which of the smallest chat models fit now."""
    settings, talk = await exam.of(settings_of), await exam.of(read_talk)
    now, files = await exam.of(read_snapshot), await exam.of(read_files)
    return Fits(
        now=now,
        scope=talk.scope,
        budget_bytes=settings.budget_bytes,
        verdicts=await _verdicts(exam, talk),
        smallest_bytes=files.smallest_bytes,
    )


async def _verdicts(exam: Examination, talk: Talk) -> "tuple[tuple[str, Fit], ...]":
    """Ask as `lmswitch models` does; of a board that nobody else sees."""
    if talk.host is None or talk.error is not None:
        return ()
    from langchain_lmswitch.cli.models import fit
    from langchain_lmswitch.ledger.memory import MemoryLedger
    from langchain_lmswitch.switch.learning import Learning
    from langchain_lmswitch.switch.surveyor import Surveyor

    surveyor = Surveyor(
        talk.host,
        exam.session.measure(),
        await exam.of(settings_of),
        learning=Learning(talk.host, MemoryLedger(), learn=False),
        leased=lambda _: False,
    )
    chat = sorted((card for card in talk.cards if card.kind == "llm"), key=lambda c: c.size_bytes)
    footprints, survey = await surveyor.footprints(chat[:_MOST]), await surveyor.survey()
    measured, told = survey.snapshot.ram_free_bytes is not None, []
    for card in chat[:_MOST]:
        cost = footprints[card.key]
        plan = surveyor.plan(surveyor.spec(card), cost, survey, needed_tokens=0, patient=True)
        told.append((card.key, fit(plan, cost, measured=measured)))
    return tuple(told)
