"""The context of a model as a budget."""

import pytest

from langchain_lmswitch.context.budget import budget


@pytest.mark.parametrize(
    ("context_tokens", "max_tokens", "left"),
    [
        (8192, None, 7168),
        (2000, None, 1500),
        (4096, 100, 3996),
        (4096, 9999, 2048),
        (4096, 0, 4096),
    ],
)
def test_budget(context_tokens: int, max_tokens: int | None, left: int) -> None:
    """The answer gets what was asked, at most half; unasked a quarter, at most 1,024 tokens."""
    assert budget(context_tokens, max_tokens=max_tokens) == left
