"""What a request wants: examples of each task, and what holds for every text."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.types.tasks import Needs, Request, TaskKind


def kind_of(text: str, *, system_text: str = "", hint: str | None = None) -> TaskKind:
    return classify(Request(user_text=text, system_text=system_text, hint=hint)).kind


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("What does this do?\n```\nfoo()\n```", "a code block"),
        ("def total(items):\n    return sum(items)", "a code block"),
        ("fn main() {}", "a code block"),
        ("Traceback (most recent call last):", "an error trace"),
        ("I get KeyError: 'name'. Why?", "an error trace"),
        ("How do I sort a list in Rust?", "a programming language"),
        ("C++ or C#, which is harder?", "a programming language"),
        ("Please refactor this for me.", "a programming task"),
        ("The query of my api is slow, is it a bug? The loop?", "a word of programming"),
    ],
)
def test_code_in_english(text: str, evidence: str) -> None:
    """Code is told from blocks, traces, languages, tasks and words, with the reason."""
    task = classify(Request(user_text=text))

    assert (task.kind, task.evidence) == ("code", evidence)


@pytest.mark.parametrize(
    "text",
    [
        "Schreibe eine Funktion, die eine Zeichenkette umkehrt.",
        "Wie öffne ich eine Datei in Python?",
        "Erkläre mir diesen Algorithmus als Programm.",
        "写一个函数来反转字符串",
        "用Python排序一个列表",
        "写一个SQL查询",
        "怎么用JavaScript排序数组",
        "Pythonで文字列を逆にするコードを書いて",
    ],
)
def test_code_in_other_languages(text: str) -> None:
    """A Latin word that touches Chinese or Japanese is a word all the same."""
    assert kind_of(text) == "code"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What is 12 * 7?", "math"),
        ("x = 4, find y", "math"),
        ("Was ist 15 % von 80?", "math"),
        ("Calculate the area of a circle.", "math"),
        ("Berechne die Fläche eines Dreiecks.", "math"),
        ("计算圆的面积", "math"),
        ("Anna has 3 apples and buys 4. How many apples are there?", "math"),
        ("Summarize the minutes.", "summary"),
        ("tl;dr please", "summary"),
        ("Fasse den Text bitte zusammen.", "summary"),
        ("Résume ce texte.", "summary"),
        ("总结这篇文章", "summary"),
        ("Write a haiku about rain.", "creative"),
        ("Schreibe ein Märchen.", "creative"),
        ("写一首关于月亮的诗", "creative"),
        ("Imagine and brainstorm something creative.", "creative"),
        ("Hello, how are you?", "chat"),
        ("你好", "chat"),
        ("", "chat"),
    ],
)
def test_other_tasks(text: str, kind: TaskKind) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize("text", ["Explain the Pythonic way of life.", "I like javanese food."])
def test_part_of_a_word_is_no_language(text: str) -> None:
    assert kind_of(text) != "code"


@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_hint_wins(kind: TaskKind) -> None:
    """The caller knows better than any rule."""
    task = classify(Request(user_text="```def f(): ...```", hint=kind))

    assert (task.kind, task.confidence, task.evidence) == (kind, 1.0, "named by the caller")


def test_hint_that_names_no_task_is_left_aside() -> None:
    assert kind_of("Write a haiku.", hint="poetry") == "creative"


def test_system_prompt_counts_half() -> None:
    """It decides where the user's turn does not, and what the user asks counts for more."""
    setting = "You write python code and unit tests."
    alone, set_up = (
        classify(Request(user_text="Now handle the empty case.", system_text=text))
        for text in ("", setting)
    )

    assert set_up.kind == "code" != alone.kind
    assert kind_of("Hello", system_text=setting) == "chat"
    assert kind_of("Write a poem.", system_text="You are a python coder.") == "creative"


def test_tie_goes_to_the_task_named_first() -> None:
    """`x = 1` in a code block is as much an equation as code."""
    assert kind_of("```\nx = 1\n```") == "code"


def test_confidence_grows_with_evidence() -> None:
    little = classify(Request(user_text="The loop?"))
    much = classify(Request(user_text="A python function:\n```\nimport os\n```\nOSError: no"))

    assert 0 < little.confidence < 0.9 < much.confidence <= 1


def test_needs_are_handed_on() -> None:
    request = Request(
        user_text="What is this?",
        images=True,
        tools=True,
        structure=True,
        context_tokens=5,
        wanted_tokens=9,
    )

    assert classify(request).needs == Needs(
        vision=True,
        tools=True,
        structure=True,
        language="en",
        context_tokens=5,
        wanted_tokens=9,
    )


@pytest.mark.parametrize(
    ("before", "after", "is_code"),
    [(0, 100_000, True), (100_000, 0, True), (50_000, 50_000, False)],
)
def test_long_text_is_read_at_its_ends(before: int, after: int, is_code: bool) -> None:  # noqa: FBT001
    filler = "The weather was fine and so we went on along the river. "
    text = (
        f"{filler * (before // 55)} Write a python script with unit tests. {filler * (after // 55)}"
    )

    assert (kind_of(text) == "code") is is_code


def test_ends_of_a_long_text_do_not_run_together() -> None:
    """Two halves of a word that only meet where the middle was cut out are no word."""
    text = f"{'. ' * 598}sum{'x' * 96_000}mary{'. ' * 598}"

    assert "summary" in f"{text[:1199]}{text[-1200:]}"
    assert kind_of(text) != "summary"


@given(text=st.text(), system=st.text(max_size=50))
def test_every_text_is_a_task(text: str, system: str) -> None:
    """Whatever is written: a task, the same one each time, with a confidence from 0 to 1."""
    request = Request(user_text=text, system_text=system)
    task = classify(request)

    assert task == classify(request)
    assert task.kind in get_args(TaskKind)
    assert 0 <= task.confidence <= 1
    assert task.evidence


@pytest.mark.parametrize(
    "text",
    ["Please improve my resume.", "The shop is open 24/7.", "What happened on 2024-11-22?"],
)
def test_what_only_looks_like_a_task(text: str) -> None:
    """A CV is no summary, and dates are no sums."""
    assert kind_of(text) not in {"summary", "math"}
