"""What a switchboard remembers of what it did; in virtual time where nothing else is said."""

import asyncio
from collections import deque
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, desk, model, virtual

from langchain_lmswitch import ChatLMSwitch, LMSwitchEmbeddings
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.history import MOST, History
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import Finished, Fragment, LoadProgress
from langchain_lmswitch.types.history import (
    AnswerSpan,
    Departure,
    LoadSpan,
    MemorySample,
    Note,
    Past,
    WaitSpan,
)
from langchain_lmswitch.types.machine import Gpu, Snapshot


def past_of(one: Desk) -> Past:
    return one.board.history.past()


def resident_keys(past: Past) -> list[str]:
    return [share.key for share in past.occupancies[-1].shares]


@virtual
async def test_a_swap_is_a_departure_and_a_load() -> None:
    one = desk(model("a"), model("b"))
    await one.use("a", "1", for_s=2.0)
    await one.use("b", "2")

    past = past_of(one)
    first, second = past.loads
    assert (first.key, first.started_s, first.ended_s, first.evicted) == ("a", 0.0, 5.0, ())
    assert (second.key, second.evicted, second.failed) == ("b", ("a",), "")
    assert second.expected_bytes == 500 * MIB
    [gone] = past.departures
    assert (gone.key, gone.room_for, gone.asked) == ("a", "b", True)
    assert first.ended_s is not None
    assert first.ended_s + 2.0 <= gone.at_s <= second.started_s
    assert resident_keys(past) == ["b"]
    assert [len(one.shares) for one in past.occupancies] == [1, 0, 1]
    assert past.occupancies[-1].shares[0].total_bytes == 500 * MIB


@virtual
async def test_what_is_under_way_has_no_end() -> None:
    one = desk(model("a"))
    loading = asyncio.create_task(one.acquire("a"))
    await asyncio.sleep(2.5)
    [load] = past_of(one).loads
    assert (load.started_s, load.ended_s) == (0.0, None)
    await loading
    [load] = past_of(one).loads
    assert load.ended_s == 5.0


@virtual
async def test_a_load_that_fails_says_so_in_words_of_ours() -> None:
    broken = LoadFailed("a", reason="secret words", for_memory=False)
    one = desk(model("a"), fail_load={"a": broken})
    with pytest.raises(LoadFailed):
        await one.acquire("a")
    past = past_of(one)
    assert [load.failed for load in past.loads] == ["LoadFailed"]
    assert past.occupancies == ()
    assert "secret" not in repr(past)


@virtual
async def test_a_load_that_is_given_up_is_over() -> None:
    one = desk(model("a"))
    loading = asyncio.create_task(one.acquire("a"))
    await asyncio.sleep(2.5)
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    [load] = past_of(one).loads
    assert (load.ended_s, load.failed) == (2.5, "given up")


@virtual
async def test_who_waits_for_an_answer_of_another_model_is_seen_waiting() -> None:
    one = desk(model("a"), model("b"))
    await one.acquire("a", "1")
    asking = asyncio.create_task(one.acquire("b", "2"))
    await asyncio.sleep(3.0)
    [wait] = past_of(one).waits
    assert (wait.key, wait.ended_s) == ("b", None)
    assert wait.reason.endswith("waiting for an answer")

    one.board.release("1")
    await asking
    past = past_of(one)
    [wait] = past.waits
    load = past.loads[-1]
    assert wait.ended_s == load.started_s >= 8.0  # 5 s to load, 3 s to answer


@virtual
async def test_a_model_that_left_by_itself_is_missed_at_the_next_look() -> None:
    one = desk(model("a"), memory_mib=None)
    await one.use("a", "1")
    one.host.lose("lmswitch/a")
    await asyncio.sleep(60)
    await one.board.surveyor.survey()
    past = past_of(one)
    [gone] = past.departures
    assert (gone.key, gone.room_for, gone.asked) == ("a", "", False)
    assert resident_keys(past) == []


@virtual
async def test_what_others_load_is_seen_with_what_it_holds() -> None:
    one = desk(model("a", mib=100), memory_mib=None)
    await one.host.load(one.board.surveyor.spec(one.host.disk["a"]))
    await one.board.surveyor.survey()
    [share] = past_of(one).occupancies[-1].shares
    assert (share.key, share.total_bytes) == ("a", int(100 * MIB * 1.2))
    assert past_of(one).loads == ()


@virtual
async def test_an_unload_by_hand_is_for_nobody() -> None:
    one = desk(model("a"))
    await one.use("a", "1")
    await one.board.unload("lmswitch/a")
    [gone] = past_of(one).departures
    assert (gone.key, gone.room_for, gone.asked) == ("a", "", True)
    await one.board.surveyor.survey()
    assert len(past_of(one).departures) == 1


def asked(host: ScriptedHost, *questions: str, **fields: Any) -> Past:
    """Ask a chat model, and give what its board remembers; in real time."""
    llm = ChatLMSwitch(host=host, monitor=host, **fields)
    for question in questions:
        llm.invoke(question)
    return llm.timeline().past


def test_an_answer_has_its_task_its_first_token_and_its_length_but_no_words() -> None:
    host = ScriptedHost(["chat"], replies="The lion sleeps tonight.")
    past = asked(host, "Write a Python function about zebras.")
    [answer] = past.answers
    assert (answer.key, answer.identifier, answer.task) == ("chat", "lmswitch/chat", "code")
    assert (answer.tokens, answer.failed) == (5, "")
    assert answer.ended_s is not None
    assert answer.first_token_s is not None
    assert past.loads[0].ended_s is not None
    assert past.loads[0].ended_s <= answer.started_s <= answer.first_token_s <= answer.ended_s
    assert answer.reason
    for word in ("zebra", "lion"):
        assert word not in repr(past)


def test_an_answer_that_breaks_off_has_failed() -> None:
    host = ScriptedHost(["chat"], vanish_after={"chat": [0]})
    past = asked(host, "Hello")
    assert [answer.failed for answer in past.answers] == ["ModelGone", ""]
    assert past.answers[0].first_token_s is None


def test_embeddings_are_answers_too() -> None:
    host = ScriptedHost([card("embedder", kind="embedding")])
    LMSwitchEmbeddings(host=host, monitor=host).embed_documents(["a", "b"])
    board = boards().given(host, host, ChatLMSwitch()._own_settings())
    past = board.history.past()
    assert [(one.key, one.task, one.failed) for one in past.answers] == [
        ("embedder", "embedding", "")
    ]


def test_memory_is_noted_with_each_request_and_with_the_budget() -> None:
    host = ScriptedHost(["chat"], memory_bytes=4000 * MIB)
    past = asked(host, "Hello")
    assert past.samples[0].ram_total_bytes == 4000 * MIB
    frees = [one.ram_free_bytes for one in past.samples]
    assert frees[0] == 4000 * MIB
    assert (frees[-1] or 0) < 4000 * MIB


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


DECISION = Decision(model="a", identifier="lmswitch/a", task="chat", reason="the only one")
IDLE = Snapshot(ram_total_bytes=1000 * MIB, ram_free_bytes=900 * MIB, gpus=())


def test_no_more_is_kept_than_the_limit() -> None:
    clock = Clock()
    history = History("here", clock=clock)
    for number in range(MOST + 500):
        clock.now_s = 100.0 + 20 * number
        history.measured(IDLE)
        with history.answering(DECISION):
            pass
    past = history.past()
    assert (len(past.answers), len(past.samples)) == (MOST, MOST)
    assert past.answers[-1].started_s == clock.now_s
    assert past.answers[0].started_s == 100.0 + 20 * 500


def test_memory_that_stands_still_is_noted_now_and_then_only() -> None:
    clock = Clock()
    history = History("here", clock=clock)
    for _ in range(100):
        clock.now_s += 0.25
        history.measured(IDLE)
    assert [one.at_s for one in history.past().samples] == [100.25, 110.25, 120.25]
    clock.now_s += 0.25
    history.measured(Snapshot(ram_total_bytes=1000 * MIB, ram_free_bytes=880 * MIB, gpus=()))
    assert history.past().samples[-1].ram_free_bytes == 880 * MIB


def test_accelerators_count_together_and_unified_ones_with_main_memory() -> None:
    own = Gpu(name="own", total_bytes=8 * MIB, free_bytes=3 * MIB)
    unified = Gpu(name="chip", total_bytes=64 * MIB, free_bytes=32 * MIB, unified=True)
    blind = Gpu(name="blind", total_bytes=8 * MIB, free_bytes=None)
    found = [sample_of((own, own, unified)), sample_of((own, blind)), sample_of(())]
    assert [(one.vram_total_bytes, one.vram_free_bytes) for one in found] == [
        (16 * MIB, 6 * MIB),
        (16 * MIB, None),
        (0, 0),
    ]
    assert sample_of(None).vram_total_bytes is None


def sample_of(gpus: tuple[Gpu, ...] | None) -> MemorySample:
    history = History("here", clock=Clock())
    history.measured(Snapshot(ram_total_bytes=None, ram_free_bytes=None, gpus=gpus))
    return history.past().samples[0]


@virtual
async def test_a_listener_hears_it_all_as_it_happens() -> None:
    one, heard = desk(model("a"), model("b")), deque[Note]()
    await one.acquire("a", "1")
    unsubscribe = one.board.history.subscribe(heard.append)
    kinds = [type(note).__name__ for note in heard]
    assert kinds == ["MemorySample", "Occupancy"]  # how things stand

    asking = asyncio.create_task(one.acquire("b", "2"))
    await asyncio.sleep(1)
    one.board.release("1")
    await asking
    told = [note for note in heard if isinstance(note, WaitSpan | LoadSpan | Departure)]
    assert [type(note).__name__ for note in told if getattr(note, "ended_s", 1) is not None] == [
        "Departure",
        "WaitSpan",
        "LoadSpan",
    ]
    parts = [note.fraction for note in heard if isinstance(note, LoadProgress)]
    assert parts == [0.0, 0.25, 0.5, 0.75, 1.0]

    unsubscribe()
    heard.clear()
    one.board.release("2")
    await one.board.unload("lmswitch/b")
    assert not heard


def test_who_listens_late_hears_what_is_under_way() -> None:
    history, heard = History("here", clock=Clock()), deque[Note]()
    with history.answering(DECISION) as hear:
        history.subscribe(heard.append)
        hear(Fragment(text="secret"))
        hear(Fragment(text="secret"))
        hear(Finished(stop_reason="eosFound", predicted_tokens=2))
    answers = [note for note in heard if isinstance(note, AnswerSpan)]
    assert [(one.first_token_s, one.ended_s, one.tokens) for one in answers] == [
        (None, None, None),
        (100.0, None, None),
        (100.0, 100.0, 2),
    ]
    assert "secret" not in repr(heard)


def test_a_listener_that_fails_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    history, heard = History("here", clock=Clock()), deque[Note]()

    def broken(note: Note) -> None:
        raise ValueError(note)

    history.subscribe(broken)
    history.subscribe(heard.append)
    history.measured(IDLE)
    assert len(heard) == 1
    assert "ValueError" in caplog.text


def test_the_board_of_a_chat_model_is_the_one_whose_history_is_shown() -> None:
    host = ScriptedHost(["chat"])
    llm = ChatLMSwitch(host=host, monitor=host)
    llm.invoke("Hello")
    board = portal().call(llm._open_board())
    assert llm.timeline().past.answers == board.history.past().answers
