"""Decisions decided anew, by the rules as they are now."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.ledger.plain import plain
from langchain_lmswitch.policy.deciding import ChoiceFacts, MissingFacts
from langchain_lmswitch.policy.planning import PlanFacts
from langchain_lmswitch.policy.recording import Verdict, redecided
from langchain_lmswitch.types.records import DecisionKind, DecisionRecord

_FACTS: Final[Mapping[DecisionKind, TypeAdapter[Any]]] = {
    "choice": TypeAdapter(ChoiceFacts),
    "plan": TypeAdapter(PlanFacts),
}
_VERDICT: Final = TypeAdapter(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A decision, and the same one now."""

    record: DecisionRecord
    then: Verdict | None = None
    """`None` if it cannot be read."""
    now: Verdict | None = None
    """`None` if it cannot be decided from what was recorded."""
    trouble: str = ""
    """Why it cannot be."""

    @property
    def same(self) -> bool:
        """Whether it comes out as it did."""
        return self.then is not None and self.then == self.now

    @property
    def differing(self) -> tuple[str, ...]:
        """Name what comes out otherwise: `model`, `how`, `evict`, `reason`."""
        if self.then is None or self.now is None:
            return ()
        then, now = asdict(self.then), asdict(self.now)
        return tuple(name for name in then if then[name] != now[name])


def replay(record: DecisionRecord) -> Replay:
    """Decide once more what a record tells of, as the ledger gives it back."""
    try:
        facts = _FACTS[record.kind].validate_python(record.facts)
        then = _VERDICT.validate_python(plain(record.outcome))
    except (KeyError, ValidationError):
        return Replay(record=record, trouble="it was recorded in another form")
    try:
        return Replay(record=record, then=then, now=redecided(facts))
    except (MissingFacts, UnknownModel) as missing:
        return Replay(record=record, then=then, trouble=str(missing))
