"""Draws the README's picture: `python tests/docs/picture.py [--out notebooks/images]`.

A real switch, as it happened just now: three questions to the two starter models of the embedded
host (`lmswitch pull starter`), with memory for one of them at a time.
"""

import argparse
import os
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.notebook.drawing import draw
from langchain_lmswitch.notebook.layout import Layout, layout
from langchain_lmswitch.notebook.palette import Palette, Theme, looks, palette
from langchain_lmswitch.types.history import AnswerSpan, Past

BUDGET_BYTES: Final = 900 * 2**20
"""Enough for each of the two models, and not for both."""
QUESTIONS: Final = {
    "Write a Python function that reverses a string.": 24,
    "Good morning! Tell me about yourself.": 96,
    "Fix this bug: for i in range(3) print(i)": 24,
}
"""And the tokens that an answer may have: the small model is quick, and its bar is to be seen."""

_PAUSE_S: Final = 1.5
"""Between an answer and the next question: a model in memory that does nothing is to be seen."""
_ABOVE_IN: Final = 1.48
_FONT_PT: Final = 8.5
_LINE_IN: Final = 0.152
_CHARS: Final = 37
"""Of a line of words, in a third of the width."""
_BOLD_CHARS: Final = 32
_FONTS: Final = ["DejaVu Sans", "Verdana", "Segoe UI", "Helvetica", "Arial"]
"""Words stay words, to be found and to be read aloud: in the first of these that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, and what became of it."""

    number: int
    text: str
    asked_s: float
    answer: AnswerSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A switch that has happened."""

    questions: tuple[Question, ...]
    past: Past
    took_s: float


def play() -> Played:
    """Ask the questions, one after the other."""
    llm = ChatLMSwitch(roles={"smollm2": ["chat"]}, temperature=0, seed=1, learn=False)
    llm.unload()
    begun_s, asked = time.time(), []
    for text, max_tokens in QUESTIONS.items():
        asked.append((text, time.time()))
        llm.invoke(text, max_tokens=max_tokens)
        time.sleep(_PAUSE_S)
    past = llm.timeline().past
    answers = [one for one in past.answers if one.started_s >= begun_s]
    questions = tuple(
        Question(number=number, text=text, asked_s=asked_s, answer=answer)
        for number, ((text, asked_s), answer) in enumerate(zip(asked, answers, strict=True), 1)
    )
    return Played(questions=questions, past=past, took_s=past.now_s - begun_s)


def drawn(played: Played, theme: Theme) -> Figure:
    """Draw what happened, with the questions above it."""
    laid_out = layout(played.past, played.took_s)
    assert laid_out is not None
    figure = draw(laid_out, theme, above_in=_ABOVE_IN)
    colors = palette(theme)
    words = figure.add_axes((0, 0, 1, 1), facecolor="none")
    words.set_axis_off()
    words.set_xlim(0, figure.get_figwidth())
    words.set_ylim(0, figure.get_figheight())
    for question in played.questions:
        _asked(words, question, len(played.questions), laid_out, colors)
        _moment(figure, question, laid_out, colors)
    return figure


def _asked(words: Axes, question: Question, of: int, laid_out: Layout, colors: Palette) -> None:
    """Write a question, who answered it, and why."""
    width, height = words.get_xlim()[1], words.get_ylim()[1]
    left = 0.12 + (question.number - 1) * (width - 0.12) / of
    _badge(words, left + 0.09, height - 0.2, question.number, colors)
    color = looks([lane.key for lane in laid_out.lanes])[question.answer.key].color
    y = height - 0.2
    for text, weight in _lines(question):
        style: dict[str, Any] = {"va": "center", "fontsize": _FONT_PT, "weight": weight}
        x = left + 0.26
        if text == question.answer.key:
            y -= 0.05
            words.text(x, y, "\u25a0", color=color, **style)
            x += 0.16
        words.text(x, y, text, color=colors.ink, **style)
        y -= _LINE_IN


def _lines(question: Question) -> Iterator[tuple[str, str]]:
    """Give each line with the weight of its letters."""
    answer = question.answer
    for line in textwrap.wrap(question.text, _BOLD_CHARS):
        yield line, "bold"
    yield answer.key, "bold"
    why = answer.reason.removeprefix(f"{answer.key} for ")
    for line in textwrap.wrap(why, _CHARS):
        yield line, "normal"


def _moment(figure: Figure, question: Question, laid_out: Layout, colors: Palette) -> None:
    """Mark when it was asked, through all that is drawn below."""
    x = laid_out.axis.x(question.asked_s)
    *panels, _ = figure.axes
    for axes in panels:
        axes.axvline(x, color=colors.ink, linewidth=0.8, linestyle=(0, (2, 2)), zorder=5)
    top = panels[0].get_position()
    words = figure.axes[-1]
    left = (top.x0 + x * top.width) * figure.get_figwidth()
    _badge(words, left, top.y1 * figure.get_figheight() + 0.06, question.number, colors)


def _badge(words: Axes, x: float, y: float, number: int, colors: Palette) -> None:
    words.text(
        x,
        y,
        str(number),
        ha="center",
        va="center",
        fontsize=_FONT_PT - 1,
        weight="bold",
        color=colors.paper or "#ffffff",
        bbox={"boxstyle": "circle,pad=0.22", "facecolor": colors.ink, "edgecolor": "none"},
        zorder=6,
    )


def save(figure: Figure, path: Path) -> None:
    """Write it so that the same switch gives the same file."""
    with mpl.rc_context():
        mpl.rcParams["svg.hashsalt"] = "langchain-lmswitch"
        mpl.rcParams["svg.fonttype"] = "none"
        mpl.rcParams["font.sans-serif"] = _FONTS
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Play a switch and draw it, for light pages and for dark ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).parents[2] / "notebooks" / "images"
    parser.add_argument("--out", type=Path, default=here, help="where to write the two files")
    out: Path = parser.parse_args(arguments).out
    os.environ["LMSWITCH_BUDGET_BYTES"] = str(BUDGET_BYTES)
    os.environ["LMSWITCH_REMEMBER"] = "false"  # what this machine has learnt is not to be shown
    played = play()
    out.mkdir(parents=True, exist_ok=True)
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        save(drawn(played, theme), out / f"switch-{theme}.svg")


if __name__ == "__main__":
    main()
