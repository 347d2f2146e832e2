"""How fast models are."""

from dataclasses import replace

from unit_tests.ledger.grades import answer

from langchain_lmswitch.policy.paces import LATEST, Paces
from langchain_lmswitch.types.paces import Pace


def test_nothing_is_known_of_who_has_not_answered() -> None:
    assert Paces([answer()]).of("other") is None


def test_one_slow_answer_is_not_a_slow_model() -> None:
    """It waited for somebody else's."""
    told = [answer(number) for number in range(4)]
    slow = replace(answer(5), first_token_s=60.0, tokens_per_second=1.0)
    found = Paces([*told, slow]).of("coder")

    assert found is not None
    assert (found.first_token_s, found.tokens_per_second, found.answers) == (0.5, 40.0, 5)
    assert found.answer_tokens == 20


def test_prompts_are_read_at_the_rate_of_all_of_them() -> None:
    told = [
        replace(answer(1), prompt_tokens=10, first_token_s=0.1),
        replace(answer(2), prompt_tokens=990, first_token_s=0.9),
    ]
    found = Paces(told).of("coder")

    assert found is not None
    assert found.read_tokens_per_second == 1000


def test_only_the_latest_count() -> None:
    paces = Paces(answer(number) for number in range(LATEST))
    for number in range(LATEST):
        paces.note(replace(answer(number), tokens_per_second=8.0))
    found = paces.of("coder")

    assert found is not None
    assert (found.tokens_per_second, found.answers) == (8.0, LATEST)


def test_unknown_is_not_zero() -> None:
    silent = replace(
        answer(), prompt_tokens=None, answer_tokens=None, first_token_s=None, tokens_per_second=None
    )

    assert Paces([silent]).of("coder") == Pace(answers=1)
    assert Paces([replace(silent, prompt_tokens=0, first_token_s=0.0)]).of("coder") == Pace(
        answers=1, first_token_s=0.0
    )
