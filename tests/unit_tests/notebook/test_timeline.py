"""A timeline as people get it: a picture, a text, a file."""

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from unit_tests.notebook.pasts import BEGUN_S, answer, long_day, swap

import langchain_lmswitch
from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest, MissingExtra
from langchain_lmswitch.notebook.palette import Theme, looks
from langchain_lmswitch.notebook.timeline import Timeline
from langchain_lmswitch.testing import ScriptedHost
from langchain_lmswitch.types.history import Past

NOTHING: Final = Past(host="here", now_s=BEGUN_S)


def words(timeline: Timeline) -> list[str]:
    """List all that is written in a picture."""
    found = [text for axes in timeline.figure.axes for text in axes.texts]
    ticks = [
        label
        for axes in timeline.figure.axes
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels())
    ]
    legends = [text for legend in timeline.figure.legends for text in legend.get_texts()]
    return [text.get_text() for text in (*found, *ticks, *legends)]


def test_the_text_has_the_facts_of_the_picture() -> None:
    timeline = Timeline(swap())
    assert repr(timeline).splitlines() == [
        "Timeline: 3 answers, 2 loads, 1 eviction in 20 s",
        "  coder: 1 answer (1 code) in 5.5 s, 1 load in 4.0 s, evicted for talker",
        "  talker: 2 answers (2 chat) in 5.0 s, 1 load in 3.0 s, waited 2.0 s",
    ]
    written = words(timeline)
    for word in ("coder", "talker", "code", "chat", "evicted", "waiting", "loading", "0 s"):
        assert word in written, word


def test_failures_are_in_the_text_and_in_the_picture() -> None:
    broken = replace(swap().loads[1], failed="not enough memory")
    gone = answer("coder", 4, 5, failed="ModelGone")
    timeline = Timeline(replace(swap(), answers=(gone,), loads=(swap().loads[0], broken)))
    assert repr(timeline).count("1 failed") == 2
    written = words(timeline)
    assert "chat, failed" in written
    assert "failed" in written


def test_a_notebook_gets_a_small_sharp_picture() -> None:
    for past in (swap(), long_day(12, 2)):
        shown = Timeline(past)._repr_png_()
        assert shown is not None
        data, size = shown
        assert len(data) < 30_000
        with Image.open(io.BytesIO(data)) as image:
            assert image.width >= size["width"] == 800
    assert not hasattr(Timeline, "_repr_svg_")  # both would double what a notebook keeps


@pytest.mark.parametrize("theme", ["light", "dark", None])
def test_a_picture_fits_the_page_it_is_on(theme: Theme | None) -> None:
    shown = Timeline(swap(), theme=theme)._repr_png_()
    assert shown is not None
    with Image.open(io.BytesIO(shown[0])) as image:
        corner = image.convert("RGBA").getpixel((2, 2))
    assert isinstance(corner, tuple)
    red, *_, alpha = corner
    expected = {"light": red > 240 and alpha == 255, "dark": red < 40, None: alpha == 0}
    assert expected[theme]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_file_is_written_as_its_name_says(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"swap{suffix}"
    Timeline(swap(), theme="light").save(path)
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert path.read_bytes().startswith(begins[suffix])


def test_no_backend_is_needed() -> None:
    """A picture is made in a server's thread as in a notebook."""
    package = Path(langchain_lmswitch.__file__).parent
    assert not [path for path in package.rglob("*.py") if "pyplot" in path.read_text("utf-8")]


def test_nothing_yet_is_said_and_not_drawn(tmp_path: Path) -> None:
    timeline = Timeline(NOTHING)
    assert repr(timeline).startswith("Nothing has happened yet")
    assert timeline._repr_png_() is None
    assert timeline.events == ()
    with pytest.raises(InvalidRequest, match="ask a model something"):
        timeline.save(tmp_path / "empty.png")


def test_without_matplotlib_the_text_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("langchain_lmswitch.notebook.draw")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("matplotlib", "matplotlib.axes", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    timeline = Timeline(swap())
    with pytest.raises(MissingExtra, match=r"langchain-lmswitch\[notebook\]"):
        _ = timeline.figure
    assert timeline._repr_png_() is None
    assert repr(timeline).startswith("Timeline: 3 answers")


def test_models_look_different_even_if_they_are_many() -> None:
    found = looks([str(number) for number in range(12)])
    assert len({(look.color, look.hatch) for look in found.values()}) == 12


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    keys = ("$x^{2$", "m" * 80, "\u6f22\u5b57\x1b[2J")  # the font lacks some, which warns nobody
    past = replace(swap(), answers=tuple(answer(key, 4, 9) for key in keys))
    timeline = Timeline(past)
    assert timeline._repr_png_() is not None
    timeline.save(tmp_path / "any.svg")
    assert f"{'m' * 18}\u2026{'m' * 9}" in words(timeline)


def test_a_chat_model_tells_its_timeline() -> None:
    host = ScriptedHost(["chat"])
    llm = ChatLMSwitch(host=host, monitor=host)
    assert repr(llm.timeline()).startswith("Nothing has happened yet")
    llm.invoke("Hello")
    timeline = llm.timeline()
    assert repr(timeline).startswith("Timeline: 1 answer, 1 load, 0 evictions")
    assert [type(one).__name__ for one in timeline.events] == ["LoadSpan", "AnswerSpan"]
    assert "chat" in words(timeline)
