"""What a live view makes of what it hears; nothing is shown here."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from unit_tests.notebook.pasts import BEGUN_S, GIB, answer, share

from langchain_lmswitch.notebook.meter import meters
from langchain_lmswitch.notebook.scene import MOST_STEPS, Scene
from langchain_lmswitch.notebook.view import View, view
from langchain_lmswitch.types.events import LoadProgress
from langchain_lmswitch.types.history import (
    Departure,
    LoadSpan,
    MemorySample,
    Note,
    Occupancy,
    WaitSpan,
)

LOAD = LoadSpan(number=1, key="coder", started_s=BEGUN_S + 1, expected_bytes=GIB)
WAIT = WaitSpan(number=1, key="coder", reason="another model is being loaded", started_s=BEGUN_S)
ANSWER = replace(answer("coder", 3, None, task="code", reason="best of 2"), number=1)


def after(*notes: Note, now_s: float = 5.0) -> View:
    scene = Scene(begun_s=BEGUN_S)
    for note in notes:
        scene = scene.heard(note)
    return view(scene, BEGUN_S + now_s)


def texts(shown: View) -> list[str]:
    return [f"{step.key} {step.text}" for step in shown.steps]


def page(shown: View) -> str:
    """Give the words of the HTML, as a reader sees them."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign, assignment]  # it collects
    parser.feed(shown._repr_html_())
    return " ".join(" ".join(found).split())


def test_nothing_yet_is_said() -> None:
    for told in (repr(after()), page(after())):
        assert told == "Nothing has happened yet."


def test_a_load_has_its_progress_its_size_and_its_seconds() -> None:
    shown = after(LOAD, LoadProgress(key="coder", fraction=0.42), now_s=4.0)
    assert texts(shown) == ["coder is being loaded, about 1.0 GiB, 3.0 s"]
    assert "42%" in repr(shown)
    assert "width:42%" in shown._repr_html_()


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (replace(LOAD, ended_s=BEGUN_S + 3), "coder loaded in 2.0 s"),
        (
            replace(LOAD, ended_s=BEGUN_S + 3, failed="not enough memory"),
            "coder could not be loaded: not enough memory, after 2.0 s",
        ),
        (replace(LOAD, expected_bytes=None), "coder is being loaded, size unknown, 4.0 s"),
    ],
)
def test_a_load_ends_in_one_of_its_ways(load: LoadSpan, text: str) -> None:
    shown = after(LOAD, LoadProgress(key="coder", fraction=1.0), load)
    assert texts(shown) == [text]


def test_an_answer_goes_from_the_prompt_to_its_tokens_and_says_why() -> None:
    first = replace(ANSWER, first_token_s=BEGUN_S + 3.5)
    done = replace(first, ended_s=BEGUN_S + 4.5, tokens=12)
    assert texts(after(ANSWER)) == ["coder reads the prompt (code), 2.0 s"]
    assert texts(after(ANSWER, first)) == ["coder is answering (code), 2.0 s"]
    shown = after(ANSWER, first, done)
    assert texts(shown) == ["coder answered (code) in 1.5 s, 12 tokens, the first after 0.5 s"]
    assert "best of 2" in repr(shown)
    assert "best of 2" in page(shown)


def test_an_answer_that_breaks_off_is_marked() -> None:
    shown = after(ANSWER, replace(ANSWER, ended_s=BEGUN_S + 4, failed="ModelGone"))
    assert texts(shown) == ["coder broke off (code): ModelGone, after 1.0 s"]
    assert "\u26a0" in shown._repr_html_()


def test_a_wait_tells_why_while_it_lasts_and_is_forgotten_if_it_was_short() -> None:
    assert "another model is being loaded" in repr(after(WAIT))
    assert texts(after(WAIT, replace(WAIT, ended_s=BEGUN_S + 2))) == ["coder waited 2.0 s"]
    assert texts(after(WAIT, replace(WAIT, ended_s=BEGUN_S + 0.01))) == []


@pytest.mark.parametrize(
    ("departure", "text"),
    [
        ({"room_for": "coder"}, "left, to make room for coder"),
        ({}, "was unloaded"),
        ({"asked": False}, "is no longer in memory"),
    ],
)
def test_who_leaves_is_told_and_why(departure: dict[str, object], text: str) -> None:
    gone = Departure(at_s=BEGUN_S, key="talker", identifier="x", **departure)  # type: ignore[arg-type]  # as written
    assert texts(after(gone)) == [f"talker {text}"]


def test_only_the_last_steps_are_shown_and_the_others_counted() -> None:
    answers = [replace(answer("coder", n, n + 0.5), number=n) for n in range(MOST_STEPS + 3)]
    shown = after(*answers)
    assert len(shown.steps) == MOST_STEPS
    for told in (repr(shown), page(shown)):
        assert "(3 earlier steps)" in told
    assert [step.number for step in shown.steps] == list(range(3, MOST_STEPS + 3))


def memory(**fields: object) -> Sequence[str]:
    sample = MemorySample(at_s=BEGUN_S, **fields)  # type: ignore[arg-type]  # as written
    held = Occupancy(at_s=BEGUN_S, shares=(share("coder", 1.0, vram_gib=2.0),))
    return [meter.text for meter in meters(sample, held)]


def test_memory_is_the_budget_or_all_there_is() -> None:
    ram = {"ram_total_bytes": 8 * GIB, "ram_free_bytes": 5 * GIB}
    assert memory(**ram, budget_bytes=4 * GIB) == [
        "Budget 4.0 GiB: coder 3.0 GiB, free 1.0 GiB",
    ]
    assert memory(**ram, vram_total_bytes=4 * GIB, vram_free_bytes=GIB) == [
        "VRAM 4.0 GiB: coder 2.0 GiB, other programs 1.0 GiB, free 1.0 GiB",
        "RAM 8.0 GiB: coder 1.0 GiB, other programs 2.0 GiB, free 5.0 GiB",
    ]
    assert memory(ram_total_bytes=None) == ["RAM: coder 1.0 GiB"]
    assert list(meters(None, None)) == []


def test_text_and_html_say_the_same() -> None:
    sample = MemorySample(at_s=BEGUN_S, ram_total_bytes=8 * GIB, ram_free_bytes=5 * GIB)
    held = Occupancy(at_s=BEGUN_S, shares=(share("coder"),))
    shown = after(sample, held, WAIT, LOAD, ANSWER)
    said, written = (set(re.findall(r"\w+", text)) for text in (repr(shown), page(shown)))
    assert said == written


def test_no_name_ends_a_line_or_steers_a_terminal() -> None:
    shown = after(replace(ANSWER, key="a\n\x1b[2Jb", reason=""))
    assert repr(shown) == "   3.0 s  a\\n\\x1b[2Jb reads the prompt (code), 2.0 s"
    assert "\x1b" not in shown._repr_html_()


def test_html_is_escaped() -> None:
    key = '<script>"&'
    shown = after(
        replace(ANSWER, key=key, reason="<b>", task="<i>"),
        MemorySample(at_s=BEGUN_S, ram_total_bytes=8 * GIB, ram_free_bytes=GIB),
        Occupancy(at_s=BEGUN_S, shares=(share(key),)),
    )
    html = shown._repr_html_()
    for raw in ("<script", "<b>", "<i>", '"&"'):
        assert raw not in html
    assert key in page(shown)
