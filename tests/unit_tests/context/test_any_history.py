"""What holds of every prompt, for histories and tokenizers of all kinds and four windows."""

from collections.abc import Sequence
from copy import deepcopy

import pytest
from histories.checking import check_prompt, least, numbered, said, whole_question
from histories.driving import TOKENIZERS, Conversation, Tokenizer
from histories.making import histories
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.fitting import Fitted
from langchain_lmswitch.errors import ContextTooLong

WINDOWS = (256, 600, 2_000, 8_000)

few = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
windows = pytest.mark.parametrize("budget_tokens", WINDOWS)


@windows
@few
@given(histories(), st.sampled_from(TOKENIZERS))
def test_any_history(budget_tokens: int, messages: list[BaseMessage], tokenizer: Tokenizer) -> None:
    """It fits by the exact count, nothing is torn apart, and the caller's messages stay."""
    messages = numbered(messages)
    before = deepcopy(messages)
    try:
        fitted = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer).fit(messages)
    except ContextTooLong as error:
        assert error.limit_tokens == budget_tokens < error.tokens
        assert tokenizer.prompt(least(messages)) > budget_tokens
    else:
        tokens = tokenizer.prompt(fitted.messages)
        assert fitted.report.tokens_after == tokens <= budget_tokens
        check_prompt(messages, fitted.messages)
        if tokenizer.prompt(least(messages, 10**9)) < budget_tokens // 2:
            assert whole_question(messages, fitted.messages)
    assert messages == before


@windows
@few
@given(histories(), st.sampled_from(TOKENIZERS), st.randoms(use_true_random=False))
def test_warm_and_cold(
    budget_tokens: int,
    messages: list[BaseMessage],
    tokenizer: Tokenizer,
    random: "st.random.Random",
) -> None:
    """What was worked out before changes nothing: not by turns, branches, edits, new answers."""
    warm = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
    for now in (*_branches(messages, random), messages):
        cold = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
        assert _outcome(warm, now) == _outcome(cold, now)


def _branches(messages: list[BaseMessage], random: "st.random.Random") -> list[list[BaseMessage]]:
    found = []
    for _ in range(6):
        cut = random.randint(0, len(messages))
        branch = [*messages[:cut]]
        if branch and random.random() < 0.6:
            at = random.randrange(len(branch))
            branch[at] = branch[at].model_copy(update={"content": f"edited {at}"})
        found.append([*branch, HumanMessage("And now?")] if random.random() < 0.5 else branch)
    return found


def _outcome(conversation: Conversation, messages: Sequence[BaseMessage]) -> object:
    try:
        fitted = conversation.fit(messages)
    except ContextTooLong as error:
        return str(error)
    return [*map(said, fitted.messages)], fitted.report


@windows
@few
@given(histories(), st.sampled_from(TOKENIZERS))
def test_begins_as_before(
    budget_tokens: int, messages: list[BaseMessage], tokenizer: Tokenizer
) -> None:
    """A prompt begins as the one before it, up to what that one recalled, or says it does not."""
    conversation = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
    before: Fitted | None = None
    for end in _asked_at(messages):
        try:
            now = conversation.fit(messages[:end])
        except ContextTooLong:
            before = None
            continue
        if before and not now.report.compacted:
            head = _head(before)
            assert [*map(said, now.messages[: len(head)])] == head
        before = now


def _asked_at(messages: Sequence[BaseMessage]) -> list[int]:
    """List where the model is asked: after the user, and after all results of a step."""
    ends = [*range(1, len(messages) + 1)]
    return [
        end
        for end in ends
        if isinstance(messages[end - 1], HumanMessage | ToolMessage)
        and not (end < len(messages) and isinstance(messages[end], ToolMessage))
    ]


def _head(fitted: Fitted) -> list[object]:
    prompt = [*map(said, fitted.messages)]
    if not fitted.report.recalled:
        return prompt
    users = [at for at, one in enumerate(fitted.messages) if isinstance(one, HumanMessage)]
    return prompt[: users[-1]]
