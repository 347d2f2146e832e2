"""Requests one after another for a memory that does not hold all models: loads against quality."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from langchain_lmswitch.policy.deciding import ChoiceFacts, Offer, decide
from langchain_lmswitch.policy.demand import Demand
from langchain_lmswitch.policy.eviction import Absentee, Occupant
from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.policy.planning import Survey
from langchain_lmswitch.policy.runs import Runs, is_fresh
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.plans import Load
from langchain_lmswitch.types.tasks import Task

POINTS_PER_SECOND: Final = 0.002
"""What waiting for a load costs, in points of an answer's score."""
_AT_ONCE: Final = Pace(read_tokens_per_second=1e12, tokens_per_second=1e12)
"""Only loads are counted here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of a session."""

    task: Task
    expected: Mapping[str, Expected]
    """By key, how good each model's answer is expected to be."""
    scores: Mapping[str, float]
    """By key, how good it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a session came to."""

    requests: int
    loads: int
    load_s: float
    score: float
    """Mean of the answers' scores."""

    @property
    def loads_per_100(self) -> float:
        """Loads per hundred requests."""
        return 100 * self.loads / self.requests

    @property
    def utility(self) -> float:
        """Mean of the scores, less the price of the loads."""
        return self.score - POINTS_PER_SECOND * self.load_s / self.requests


def play(
    cards: Sequence[ModelCard], asked: Iterable[Asked], *, budget_bytes: int, steady: bool = True
) -> Played:
    """Answer requests by the product's own choice, each load taking 2 s and its size at 1.5 GB/s.

    Args:
        cards: The models there are.
        asked: Requests, in order.
        budget_bytes: The memory for all of them.
        steady: Whether a load is weighed; else the best that fits is loaded each time.
    """
    memory = _Memory(cards=tuple(cards), budget_bytes=budget_bytes, steady=steady)
    for one in asked:
        memory.answer(one)
    return Played(
        requests=memory.requests,
        loads=memory.loads,
        load_s=memory.load_s,
        score=memory.score / max(1, memory.requests),
    )


@dataclass(slots=True, kw_only=True)
class _Memory:
    cards: tuple[ModelCard, ...]
    budget_bytes: int
    steady: bool
    loaded: dict[str, int] = field(default_factory=dict)
    """Key to the request that it was loaded for."""
    used: dict[str, int] = field(default_factory=dict)
    demand: Demand = field(default_factory=Demand)
    runs: Runs = field(default_factory=Runs)
    requests: int = 0
    loads: int = 0
    load_s: float = 0.0
    score: float = 0.0

    def answer(self, asked: Asked) -> None:
        outcome = decide(self._facts(asked))
        key = outcome.choice.key or ""
        if isinstance(outcome.plan, Load):
            self._load(key, [one.key for one in outcome.plan.evict])
        self.requests += 1
        self.used[key] = self.requests
        self.demand.note(key)
        self.runs = self.runs.after(outcome.best)
        self.score += asked.scores[key]

    def _load(self, key: str, leaving: Sequence[str]) -> None:
        for one in leaving:
            self.loaded.pop(one)
        self.loaded[key] = self.requests
        self.loads += 1
        self.load_s += guessed_load_s(self._size(key))

    def _facts(self, asked: Asked) -> ChoiceFacts:
        cards = self.cards if self.steady else self._best(asked)
        fresh = [key for key, at in self.loaded.items() if self._is_fresh(at)]
        task = asked.task
        return ChoiceFacts(
            task=task,
            cards=cards,
            survey=self._survey(),
            expected=asked.expected,
            paces={card.key: _AT_ONCE for card in cards},
            runs=self.runs,
            fresh=tuple(sorted(fresh)),
            offers={card.key: _offer(card) for card in cards},
        )

    def _best(self, asked: Asked) -> tuple[ModelCard, ...]:
        fitting = [card for card in self.cards if card.size_bytes <= self.budget_bytes]
        return (max(fitting, key=lambda card: (asked.expected[card.key].quality, card.key)),)

    def _is_fresh(self, at: int) -> bool:
        return is_fresh(age_s=0.0, requests=self.requests - at)

    def _survey(self) -> Survey:
        held_bytes = sum(self._size(key) for key in self.loaded)
        free_bytes = self.budget_bytes - held_bytes
        return Survey(
            occupants=tuple(self._occupant(key) for key in self.loaded),
            snapshot=Snapshot(
                ram_total_bytes=self.budget_bytes, ram_free_bytes=free_bytes, gpus=()
            ),
            absent=tuple(
                Absentee(key=card.key, bytes=card.size_bytes, gain_s=self._loss_s(card.key))
                for card in self.cards
                if card.key not in self.loaded and self.demand.rate(card.key)
            ),
            doubt=self.demand.doubt,
        )

    def _occupant(self, key: str) -> Occupant:
        resident = Resident(
            key=key,
            identifier=key,
            context_tokens=1,
            size_bytes=self._size(key),
            last_used_s=float(self.used.get(key, 0)),
        )
        return Occupant(resident=resident, bytes=self._size(key), loss_s=self._loss_s(key))

    def _loss_s(self, key: str) -> float:
        return self.demand.rate(key) * guessed_load_s(self._size(key))

    def _size(self, key: str) -> int:
        return next(card.size_bytes for card in self.cards if card.key == key)


def _offer(card: ModelCard) -> Offer:
    footprint = Footprint(
        weights_bytes=card.size_bytes, kv_bytes=0, source="ledger", uncertainty=0.0
    )
    return Offer(spec=LoadSpec(key=card.key, identifier=card.key), footprint=footprint)
