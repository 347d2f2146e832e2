"""Terms: the forms of a word meet, in the languages people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.context.terms import MOST_CHARS, terms_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("studies", "studied"),
        ("running", "runs"),
        ("bought", "buy"),
        ("went", "gone"),
        ("PAINTED", "painting"),
        ("hoped", "hoping"),
        ("children", "child"),
        ("Anna's", "Anna"),
        ("Größe", "GROSSE"),
        ("été", "ete"),
        ("машину", "машины"),
        ("1,200", "1200"),
        ("photographer", "photographs"),
        ("Ausbildung", "ausbilden"),
    ],
)
def test_forms_of_a_word_share_their_term(one: str, other: str) -> None:
    assert terms_of(one)
    assert terms_of(one) == terms_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("cat", "car"), ("7421", "7422"), ("test", "text"), ("кошка", "книга")]
)
def test_other_words_do_not(one: str, other: str) -> None:
    assert set(terms_of(one)).isdisjoint(terms_of(other))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("flask_login", {"flask_login", "flask", "login"}),
        ("getUserName", {"getusername", "user"}),
        ("src/app/main.rs", {"src/app/main.rs", "app", "src"}),
        ("v2.6.1", {"v2.6.1", "2", "6", "1"}),
        ("2023-05-07", {"2023-05-07", "2023", "05", "07"}),
        ("the 15th", {"15"}),
    ],
)
def test_identifiers_are_terms_as_a_whole_and_in_parts(text: str, parts: set[str]) -> None:
    assert parts <= set(terms_of(text))


def test_words_that_say_nothing_are_left_out() -> None:
    assert terms_of("What was it that you did to the whole of them?") == terms_of("whole")
    assert terms_of("Was ist das und wo war es?") == []
    assert terms_of("Что это было и где?") == []


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("周敏是什么时候离开银行的?", "我上个月离开了银行"),
        ("ラーメン屋はどこ?", "駅前のラーメンが好き"),
        ("한국어를 공부했어?", "한국어가 어렵다"),
        ("ประเทศไทยอยู่ที่ไหน", "ฉันรักประเทศไทย"),
    ],
)
def test_scripts_without_spaces_meet_in_pairs_of_characters(question: str, said: str) -> None:
    assert len(set(terms_of(question)) & set(terms_of(said))) >= 2
    assert terms_of("猫") == ["猫"]


@given(st.text())
def test_any_text_has_terms_of_bounded_length(text: str) -> None:
    found = terms_of(text)
    assert all(0 < len(term) <= MOST_CHARS + 2 for term in found)
    assert found == terms_of(text)
