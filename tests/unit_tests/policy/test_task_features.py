"""The numbers that a request is compared by: tasks, signs, difficulty, language."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy import head, vectors
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.signs import NAMES
from langchain_lmswitch.types.tasks import Request, Task, TaskKind

ODD = ["", " ", "\x00", "\ud800", "\U0001f600" * 50, "a" * 1_000_000, "1" * 9000, "a) " * 3000]


def task(text: str, *, system: str = "", tools: bool = False) -> Task:
    return classify(Request(user_text=text, system_text=system, tools=tools))


@given(st.text(), st.text(max_size=30))
def test_tasks_are_a_distribution(text: str, system: str) -> None:
    features = task(text, system=system).features

    assert math.isclose(sum(features.kinds.values()), 1, abs_tol=1e-9)
    assert min(features.kinds.values()) >= 0
    assert features == task(text, system=system).features


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts(text: str) -> None:
    """Signs and difficulty stay between 0 and 1, whatever is written."""
    features = task(text).features

    assert len(features.signs) == len(NAMES)
    assert all(0 <= sign <= 1 for sign in features.signs)
    assert 0 <= features.difficulty <= 1


def test_confidence_is_the_probability_of_the_task() -> None:
    told = task("Write a function that reverses a string.")

    assert told.confidence == pytest.approx(told.features.kinds[told.kind], abs=1e-3)


@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_hint_is_certain(kind: TaskKind) -> None:
    told = classify(Request(user_text="2 + 2", hint=kind))

    assert told.features.kinds == {kind: 1.0}
    assert told.features.vector


@given(st.sampled_from(["secret", "geheim", "\u79d8\u5bc6"]), st.text(max_size=20))
def test_evidence_never_quotes(word: str, rest: str) -> None:
    """It is one of a few sentences, none of which the user wrote."""
    assert word not in task(f"{word} {rest} {word}").evidence


def sign(text: str, name: str, *, tools: bool = False) -> float:
    return task(text, tools=tools).features.signs[NAMES.index(name)]


@pytest.mark.parametrize(
    ("name", "text", "other"),
    [
        ("digits", "1234 567", "no digits"),
        ("choices", "Which one?\nA. x\nB. y\nC. z", "Which one?"),
        ("blanks", "It is called ____.", "It is called so."),
        ("asked at the end", "Is it? Well, is it?", "Is it? It is."),
        ("unfinished", "The sun is", "The sun is hot."),
        ("formulas", "$\\frac{1}{2}$", "a half"),
        ("names", "the rivers Rhine and Elbe", "the rivers and lakes"),
        ("unspaced letters", "\u5199\u4e00\u9996\u8bd7", "poem"),
        ("a passage", "It rained all day. " * 9, "It rained all day."),
        ("who", "Hello! Who wrote it?", "Hello! Where is it?"),
        ("rules: code", "```\nx\n```", "x"),
    ],
)
def test_signs(name: str, text: str, other: str) -> None:
    assert sign(text, name) > sign(other, name)


def test_bound_tools_are_a_sign() -> None:
    assert (sign("Hi", "tools"), sign("Hi", "tools", tools=True)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        ("What is 2 + 3?", "Prove that $\\sqrt{2}$ is irrational and derive a bound on the error."),
        ("Hi!", "Write a web server. It must use TLS, must not block, and should never log twice."),
        ("What is the capital of Peru?", "What is the eigenvalue spectrum of the Hamiltonian?"),
    ],
)
def test_difficulty(easy: str, hard: str) -> None:
    assert task(easy).features.difficulty + 0.05 < task(hard).features.difficulty


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of Peru?", "en"),
        ("Wie heißt die Hauptstadt von Peru und wer regiert das Land?", "de"),
        ("Quelle est la capitale du Pérou ?", "fr"),
        ("¿Cuál es la capital de Perú y quién es el presidente?", "es"),
        ("Qual è la capitale del Perù e chi la governa?", "it"),
        ("Qual é a capital do Peru e quem é o presidente?", "pt"),
        ("秘鲁的首都是哪里\uff1f", "zh"),
        ("ペルーの首都はどこですか。", "ja"),
        ("페루의 수도는 어디입니까?", "ko"),
        ("Какая столица Перу?", "ru"),
        ("用Python写一个函数", "zh"),
        ("12 * 7", ""),
        ("", ""),
    ],
)
def test_language(text: str, language: str) -> None:
    assert task(text).needs.language == language


CODE = [
    "Schreibe bitte eine Funktion, die prüft, ob zwei Wörter Anagramme sind.",
    "Wie lese ich in C# eine Datei zeilenweise ein?",
    "Écrivez une fonction qui compte les mots d'une phrase.",
    "Comment trier une liste de dictionnaires en Python ?",
    "Escribe un programa que ordene una lista sin usar sort.",
    "¿Por qué falla este código con un IndexError?",
    "写一个函数\uff0c统计字符串中每个字符出现的次数。",
    "如何用JavaScript删除数组中的重复元素\uff1f",
    "文字列が回文かどうかを調べる関数を書いてください。",
    "Pythonでファイルを一行ずつ読むコードを教えてください。",
]


@pytest.mark.parametrize("text", CODE)
def test_code_in_many_languages(text: str) -> None:
    assert task(text).kind == "code"


ASKED: dict[TaskKind, str] = {
    "code": "Write a function that rotates a matrix by ninety degrees.",
    "math": "A rope of 45 meters is cut into pieces of 3 meters. How many pieces are there?",
    "reasoning": "Solve this logic puzzle: one of three brothers always lies. Who broke the cup?",
    "knowledge": "Which of the following is a mammal?\nA. trout\nB. whale\nC. eagle\nD. frog",
    "facts": "Who painted the ceiling of the Sistine Chapel?",
    "extraction": "Context: The mill burned down in 1871.\nQuestion: When did the mill burn down?",
    "summary": "Summarize the report below in three sentences.",
    "creative": "Write a poem about an old lighthouse.",
    "rewriting": "Translate into Spanish: The shop is closed on Sundays.",
    "tools": "Set a timer for twenty minutes and remind me to call Anna.",
    "chat": "Hello, how are you today?",
}
WAYS = [
    "Hi there! {}",
    "{} Thank you very much!",
    "Sorry to bother you again. {}",
    "{} Please keep it short.",
    "My colleague asks: {}",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_reworded_keeps_its_task(kind: TaskKind, way: str) -> None:
    assert task(way.format(ASKED[kind])).kind == kind


@pytest.mark.parametrize("system", ["You are a helpful assistant.", "Answer politely and briefly."])
@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_plain_system_prompt_changes_no_task(kind: TaskKind, system: str) -> None:
    assert task(ASKED[kind], system=system).kind == kind


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in place of the package's data, read afresh."""
    caches = (vectors._read_encoder, head._read_head)
    monkeypatch.setattr(vectors, "DATA", tmp_path)
    monkeypatch.setattr(head, "DATA", tmp_path)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()


def test_rules_alone_are_enough(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without the files there is one warning, no vector, and a task from what rules say."""
    (data / "vectors.npz").write_bytes(b"no archive")
    told = [task(text) for text in ("Sort a list in Python.", "Well?", "")]

    assert [one.kind for one in told] == ["code", "chat", "chat"]
    assert [one.features.vector for one in told] == [(), (), ()]
    assert all(math.isclose(sum(one.features.kinds.values()), 1) for one in told)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    "stored", ["", "{}", '{"signs": ["length"], "kinds": ["chat"], "weights": [[0.0]]}']
)
def test_head_for_other_signs_is_left_aside(
    data: Path, caplog: pytest.LogCaptureFixture, stored: str
) -> None:
    package = Path(head.__file__).parent / "data"
    (data / "vectors.npz").write_bytes((package / "vectors.npz").read_bytes())
    (data / "head.json").write_text(stored)
    told = task("Sort a list in Python.")

    assert (told.kind, told.evidence) == ("code", "a programming language")
    assert told.features.vector
    assert len(caplog.records) == 1
