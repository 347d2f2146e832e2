"""What one host's loads and answers teach, kept in the ledger for the next process."""

import time
from collections.abc import Callable
from typing import Final

from langchain_lmswitch._version import __version__
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.policy.deciding import ChoiceFacts, Outcome
from langchain_lmswitch.policy.experience import Experience
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.planning import PlanFacts
from langchain_lmswitch.switch.answers import Answers
from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.plans import Plan
from langchain_lmswitch.types.records import DecisionKind, DecisionRecord

HERE = "local"
"""The name under which the loads of any host on this computer are remembered: the embedded host
has another port each time. Its engine tells it from LM Studio."""

_FRESH_S: Final = 10.0
"""How long a corrected estimate is good, if no load is noted: lessons of failures end by time."""
_MOST: Final = 256
"""Corrected estimates that are kept."""


class Learning:
    """Puts estimates right by what was seen before; lives on the portal's loop.

    Args:
        host: Whose loads these are.
        ledger: Where they are remembered.
        learn: Whether answers are graded.
        wall_clock: Unix time in seconds.
    """

    def __init__(
        self,
        host: Host,
        ledger: Ledger,
        *,
        learn: bool = True,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._host = host
        self._ledger = ledger
        self._wall_clock = wall_clock
        self._name = HERE if host.scope == "local" else host.address
        self.answers: Answers = Answers(ledger, self._name, learn=learn, wall_clock=wall_clock)
        self._engine = ""
        self._known: Experience | None = None
        self._guesses = Experience()
        self._corrected: dict[tuple[LoadSpec, Footprint], tuple[Footprint, float]] = {}

    async def begin(self) -> None:
        """Read what is remembered; once."""
        if self._known is None:
            self._engine = await self._host.engine()
        if self._known is None:  # still: somebody else may have begun meanwhile
            self._known = Experience(self._ledger.loads(self._name))
        await self.answers.begin()

    @property
    def lessons(self) -> Lessons:
        """What the grades of this host's models teach."""
        return self.answers.lessons

    def pace(self, key: str) -> Pace | None:
        """Tell how fast a model has been lately; `None` if it has not answered yet."""
        return self.answers.pace(key)

    def corrected(self, spec: LoadSpec, card: ModelCard, footprint: Footprint) -> Footprint:
        """Put an estimate right."""
        if self._known is None:
            return footprint
        now_s = self._wall_clock()
        found, until_s = self._corrected.get((spec, footprint), (footprint, now_s))
        if not now_s < until_s:
            configuration = self._configuration(spec, card)
            found = self._known.corrected(configuration, footprint, now_s=now_s)
            if len(self._corrected) >= _MOST:
                self._corrected.clear()
            self._corrected[spec, footprint] = found, now_s + _FRESH_S
        return found

    def load_s(self, key: str, size_bytes: int) -> float:
        """Give the seconds that loading a model is expected to take."""
        return (self._known or self._guesses).load_s(key, size_bytes)

    def record(
        self,
        spec: LoadSpec,
        card: ModelCard,
        *,
        load_s: float,
        expected_bytes: int | None,
        free_bytes: int | None,
        failure: LoadFailed | None = None,
    ) -> LoadRecord:
        """Write a load down, made or failed; `spec` has the context really loaded."""
        return LoadRecord(
            at_s=self._wall_clock(),
            configuration=self._configuration(spec, card),
            load_s=load_s,
            expected_bytes=expected_bytes,
            failed=failure.reason if failure else "",
            for_memory=failure.for_memory if failure else False,
            free_bytes=free_bytes,
        )

    def note(self, record: LoadRecord) -> None:
        """Remember a load, and learn from it."""
        self._ledger.note_load(record)
        self._corrected.clear()
        if self._known:
            self._known.learn(record)

    def note_plan(self, facts: PlanFacts, plan: Plan) -> None:
        """Remember how a model got into memory, and all that this was decided from."""
        self._note("plan", facts, plan)

    def note_choice(self, facts: ChoiceFacts, outcome: Outcome) -> None:
        """Remember who was chosen to answer, and all that this was decided from."""
        self._note("choice", facts, outcome)

    def _note(self, kind: DecisionKind, facts: object, outcome: object) -> None:
        record = DecisionRecord(
            at_s=self._wall_clock(),
            kind=kind,
            facts=facts,
            outcome=outcome,
            version=__version__,
        )
        self._ledger.note_decision(record)

    def _configuration(self, spec: LoadSpec, card: ModelCard) -> Configuration:
        return Configuration(
            host=self._name,
            key=card.key,
            size_bytes=card.size_bytes,
            context_tokens=spec.context_tokens or 0,
            parallel=spec.parallel or 1,
            engine=self._engine,
        )
