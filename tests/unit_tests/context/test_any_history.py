"""What holds of every prompt, for histories and tokenizers of all kinds and four windows."""

from collections.abc import Sequence
from copy import deepcopy
from random import Random

import pytest
from histories.checking import check_prompt, least, numbered, said, whole_question
from histories.driving import TOKENIZERS, Conversation, Tokenizer
from histories.making import Maker
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.fitting import Fitted
from langchain_lmswitch.errors import ContextTooLong

WINDOWS = (256, 600, 2_000, 8_000)


def examples(count: int) -> settings:
    """Make so many histories, always the same ones; a seed cannot be made simpler."""
    return settings(max_examples=count, derandomize=True, deadline=None, phases=[Phase.generate])


seeds = st.integers(0, 2**32)
windows = pytest.mark.parametrize("budget_tokens", WINDOWS)


@windows
@examples(60)
@given(seeds, st.sampled_from(TOKENIZERS))
def test_any_history(budget_tokens: int, seed: int, tokenizer: Tokenizer) -> None:
    """It fits by the exact count, nothing is torn apart, and the caller's messages stay."""
    messages = numbered(Maker(seed).history())
    before = deepcopy(messages)
    fitted = _tried(Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer), messages)
    if isinstance(fitted, ContextTooLong):
        assert fitted.limit_tokens == budget_tokens < fitted.tokens
        assert tokenizer.prompt(least(messages)) > budget_tokens
    else:
        tokens = tokenizer.prompt(fitted.messages)
        assert fitted.report.tokens_after == tokens <= budget_tokens
        check_prompt(messages, fitted.messages)
        if tokenizer.prompt(least(messages, 10**9)) < budget_tokens // 2:
            assert whole_question(messages, fitted.messages)
    assert messages == before


def _tried(conversation: Conversation, messages: Sequence[BaseMessage]) -> Fitted | ContextTooLong:
    try:
        return conversation.fit(messages)
    except ContextTooLong as error:
        return error


@windows
@examples(10)
@given(seeds, st.sampled_from(TOKENIZERS))
def test_warm_and_cold(budget_tokens: int, seed: int, tokenizer: Tokenizer) -> None:
    """What was worked out before changes nothing: not by turns, branches, edits, new answers."""
    warm = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
    messages = Maker(seed).history()
    for now in (*_branches(messages, Random(seed)), messages):  # noqa: S311 - nothing secret
        cold = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
        assert _outcome(warm, now) == _outcome(cold, now)


def _branches(messages: list[BaseMessage], random: Random) -> list[list[BaseMessage]]:
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
    fitted = _tried(conversation, messages)
    if isinstance(fitted, ContextTooLong):
        return str(fitted)
    return [*map(said, fitted.messages)], fitted.report


@windows
@examples(12)
@given(seeds, st.sampled_from(TOKENIZERS))
def test_begins_as_before(budget_tokens: int, seed: int, tokenizer: Tokenizer) -> None:
    """A prompt begins as the one before it, up to what that one recalled, or says it does not."""
    conversation = Conversation(budget_tokens=budget_tokens, tokenizer=tokenizer)
    messages = Maker(seed).history()
    before: Fitted | None = None
    for end in _asked_at(messages):
        now = _tried(conversation, messages[:end])
        if isinstance(now, ContextTooLong):
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
    if not (fitted.report.evicted_messages or fitted.report.recalled):
        return prompt
    users = [at for at, one in enumerate(fitted.messages) if isinstance(one, HumanMessage)]
    return prompt[: users[-1]]
