"""What it costs to remember a decision: bytes on disk, and time on the loop and beside it.

What is printed is per record, for hosts with a few models and with many. It asserts no time: only
that each decision comes out the same when it is decided anew.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_lmswitch.ledger.plain import packed
from langchain_lmswitch.ledger.replaying import replay
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.policy.deciding import ChoiceFacts, Offer, decide
from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.footprint import from_size
from langchain_lmswitch.policy.planning import Survey
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.records import DecisionRecord
from langchain_lmswitch.types.tasks import Needs, Task

pytestmark = pytest.mark.alone

GIB = 2**30
RECORDS = 500


def scene(models: int) -> ChoiceFacts:
    """A code request to a host with models of many sizes, two of them loaded."""
    cards = [
        card(
            f"publisher-{number % 7}/model-{number}-{1 + number % 30}b-instruct",
            params=f"{1 + number % 30}B",
            size_bytes=(1 + number % 30) * 600_000_000,
            tool_use=bool(number % 2),
        )
        for number in range(models)
    ]
    return ChoiceFacts(
        task=Task(
            kind="code",
            confidence=0.7,
            evidence="a code block",
            needs=Needs(tools=True, context_tokens=900, wanted_tokens=1900),
        ),
        cards=tuple(cards),
        survey=Survey(
            occupants=tuple(map(_occupant, cards[:2])),
            snapshot=Snapshot(
                ram_total_bytes=64 * GIB,
                ram_free_bytes=40 * GIB,
                gpus=(Gpu(name="gpu", total_bytes=24 * GIB, free_bytes=20 * GIB),),
            ),
        ),
        headroom_bytes=GIB // 2,
        load_s={one.key: round(2 + one.size_bytes / 1.5e9, 3) for one in cards},
        offers={one.key: _offer(one) for one in cards[:12]},
    )


def _occupant(one: ModelCard) -> Occupant:
    resident = Resident(key=one.key, identifier=f"lmswitch/{one.key}", context_tokens=8192)
    return Occupant(resident=resident, bytes=one.size_bytes)


def _offer(one: ModelCard) -> Offer:
    spec = LoadSpec(
        key=one.key, context_tokens=8192, parallel=1, identifier=f"lmswitch/{one.key}", ttl_s=3600.0
    )
    return Offer(
        spec=spec, footprint=from_size(one.size_bytes, params=one.params, context_tokens=8192)
    )


def micros(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RECORDS):
        started_s = time.perf_counter()
        work()
        times.append(time.perf_counter() - started_s)
    return statistics.median(times) * 1e6


@pytest.mark.parametrize("models", [2, 8, 12])
def test_cost_of_a_record(models: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = scene(models)
    outcome = decide(facts)
    record = DecisionRecord(at_s=0.0, kind="choice", facts=facts, outcome=outcome, version="1")
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    deciding = micros(lambda: decide(facts))
    noting = micros(lambda: ledger.note_decision(replace(record, at_s=1.0)))
    ledger.close()
    writing = micros(lambda: packed(recordable(record).facts))
    size = ledger.path.stat().st_size / RECORDS
    with capsys.disabled():
        times = f"decided in {deciding:.0f} us, noted in {noting:.1f}, made ready in {writing:.0f}"
        print(f"\n{models} models: {size:,.0f} bytes a record; {times}")  # noqa: T201 - to be read

    found = [replay(one) for one in SqliteLedger(ledger.path).decisions(RECORDS)]
    assert len(found) == RECORDS
    assert all(one.same for one in found)
