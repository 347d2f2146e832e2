"""The static vectors: alike is near, in any language; any text has one; none without the file."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy import vectors
from langchain_lmswitch.policy.vectors import embed


def likeness(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embed(one), embed(other), strict=True)) / vectors._UNIT**2


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "Write a function that reverses a list.",
            "Schreibe eine Funktion, die eine Liste umkehrt.",
            "Who painted the Mona Lisa?",
        ),
        (
            "Escribe una función que ordene una lista.",
            "写一个函数来排序列表",
            "La recette de la tarte aux pommes.",
        ),
        (
            "How many apples does Anna have if she buys 3 more?",
            "Combien de pommes Anna a-t-elle si elle en achète 3 de plus ?",
            "Translate this sentence into German.",
        ),
    ],
)
def test_what_is_alike_is_near(text: str, near: str, far: str) -> None:
    assert likeness(text, near) > likeness(text, far) + 0.2


@given(st.text())
def test_every_text_has_a_vector(text: str) -> None:
    """Of unit length, or of none where no word of it is known; the same each time."""
    vector = embed(text)
    length = math.sqrt(sum(part * part for part in vector))

    assert vector == embed(text)
    assert not length or length == pytest.approx(127, abs=5)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x" * 1_000_000, "\U0001f600" * 1000])
def test_odd_texts(text: str) -> None:
    assert len(embed(text)) == len(embed("Hello"))


def test_long_text_is_read_at_its_ends() -> None:
    middle = "a" * 500_000
    assert likeness(f"Sort a list in Python. {middle}", "Sort a list in Python.") > 0.9
