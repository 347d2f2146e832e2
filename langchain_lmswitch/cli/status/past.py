"""What the ledger remembers of the last minutes; it is only read, and never made."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_lmswitch.cli.status.seen import Choice, Past
from langchain_lmswitch.types.displays.decisions import parted

if TYPE_CHECKING:
    from langchain_lmswitch.ledger.base import Ledger
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.types.loads import LoadRecord
    from langchain_lmswitch.types.records import DecisionRecord

SHOWN: Final = 8
"""Answers and decisions that are told at most."""
_READ: Final = 6 * SHOWN
"""Decisions that are read: those how a model gets into memory stand among them."""
_LOAD_S: Final = 900.0
"""A load that ends later than this after a decision came of another one."""


class Recollection:
    """Reads the ledger anew when its files have changed."""

    def __init__(self, settings: "Settings") -> None:
        from langchain_lmswitch.ledger.sqlite import SqliteLedger

        self._settings = settings
        self._ledger = SqliteLedger(settings.ledger_path)  # it makes nothing until it is written
        self._read: dict[tuple[str, object], Past] = {}

    @property
    def ledger(self) -> "Ledger":
        """The ledger, to be read only; an empty one if nothing is to be remembered."""
        from langchain_lmswitch.ledger.memory import MemoryLedger

        return self._ledger if self._settings.remember else MemoryLedger()

    def past(self, host: str) -> Past:
        """Tell what is remembered of a host, by its name in the ledger."""
        if not self._settings.remember:
            return Past(silence="nothing is remembered: `remember` is off in your settings")
        stamp = _stamp(self._settings.ledger_path)
        if stamp is None:
            return Past(silence="nothing is remembered yet")
        if (host, stamp) not in self._read:
            self._read = {(host, stamp): _of_host(self._ledger, host)}
        return self._read[host, stamp]


def _stamp(path: Path) -> object:
    """Tell one state of the ledger's files from another; `None` if there are none."""
    found = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(FileNotFoundError):  # the second comes and goes with whoever writes
            found.append(file.stat())
    return tuple((one.st_mtime_ns, one.st_size) for one in found) or None


def _of_host(ledger: "Ledger", host: str) -> Past:
    told = choices(ledger.decisions(_READ), ledger.loads(host))
    return Past(answers=ledger.answers(host)[: -SHOWN - 1 : -1], choices=told)


def choices(
    decisions: "Sequence[DecisionRecord]", loads: "Sequence[LoadRecord]"
) -> tuple[Choice, ...]:
    """Sum up the latest decisions who answers, newest first."""
    chosen = [one for one in decisions if one.kind == "choice" and isinstance(one.outcome, Mapping)]
    return tuple(_choice(one, loads) for one in chosen[: -SHOWN - 1 : -1])


def _choice(record: "DecisionRecord", loads: "Iterable[LoadRecord]") -> Choice:
    outcome = cast("Mapping[str, Any]", record.outcome)
    model, how = outcome.get("model", ""), outcome.get("how", "refuse")
    who, why = parted(outcome.get("reason", ""))  # who and what for have columns of their own
    return Choice(
        at_s=record.at_s,
        task=_task(record.facts),
        model=model,
        how=how,
        why=(why or who).rstrip("."),
        evicted=tuple(outcome.get("evict", ())),
        load_s=_load_s(model, record.at_s, loads) if how == "load" else None,
    )


def _task(facts: Any) -> Any:
    task = facts.get("task") if isinstance(facts, Mapping) else None
    return task.get("kind") if isinstance(task, Mapping) else None


def _load_s(model: str, at_s: float, loads: "Iterable[LoadRecord]") -> float | None:
    """Find the load that came of a decision: the first one after it."""
    later = (
        one.load_s
        for one in loads
        if one.configuration.key == model and at_s <= one.at_s <= at_s + _LOAD_S and not one.failed
    )
    return next(later, None)
