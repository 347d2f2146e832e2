"""Which error says best why nobody can answer."""

from typing import Any

import pytest

from langchain_lmswitch.errors import LoadFailed, NoSuitableModel, NotEnoughMemory
from langchain_lmswitch.graph.refusing import refusal_error
from langchain_lmswitch.graph.setbacks import failed
from langchain_lmswitch.graph.state import RouterState, plain
from langchain_lmswitch.types.decisions import Candidate, Decision
from langchain_lmswitch.types.plans import Refusal

BLIND = Candidate(key="blind", score=0.5, note="cannot see images")
REFUSAL = Refusal(key="big", reason="no", needed_bytes=9, free_bytes=1, blockers=("x",))


def state(
    *candidates: Candidate,
    refusal: Refusal | None = None,
    failed: dict[str, dict[str, Any]] | None = None,
) -> RouterState:
    decision = Decision(model="", identifier="", task="chat", reason="", candidates=candidates)
    return RouterState(
        decision=plain(decision),
        refusal=plain(refusal) if refusal else None,
        failed=failed or {},
    )


@pytest.mark.parametrize("for_memory", [False, True])
def test_last_failure_with_the_hosts_words(for_memory: bool) -> None:  # 1  # noqa: FBT001
    failures = {
        "a": {"reason": "First.", "for_memory": False},
        "b": {"reason": "Second.", "for_memory": for_memory},
    }
    error = refusal_error(state(BLIND, refusal=REFUSAL, failed=failures))

    assert isinstance(error, LoadFailed)
    assert (error.key, error.reason, error.for_memory) == ("b", "Second.", for_memory)


def test_memory_that_was_taken_when_its_turn_came_with_the_numbers() -> None:  # 1
    taken = NotEnoughMemory("b", needed_bytes=7, free_bytes=3, blockers=["held"])
    update = failed(state(BLIND), "b", taken)
    error = refusal_error(state(BLIND, failed=update["failed"]))

    assert isinstance(error, NotEnoughMemory)
    assert (error.key, error.needed_bytes, error.free_bytes) == ("b", 7, 3)
    assert error.blockers == ("held",)


def test_lack_of_memory_with_its_numbers() -> None:  # 2
    error = refusal_error(state(BLIND, refusal=REFUSAL))

    assert isinstance(error, NotEnoughMemory)
    assert (error.key, error.needed_bytes, error.free_bytes) == ("big", 9, 1)
    assert error.blockers == ("x",)


def test_nobody_can() -> None:  # 3
    error = refusal_error(state(BLIND))

    assert isinstance(error, NoSuitableModel)
    assert error.rejected == {"blind": "cannot see images"}
    assert "Install a model that can" in str(error)


def test_nothing_is_installed() -> None:
    assert "lmswitch pull starter" in str(refusal_error(state()))
