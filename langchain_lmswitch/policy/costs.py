"""What an answer costs: its seconds, and their price in points of the score."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from langchain_lmswitch.policy.prior import params_billion
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Task, TaskKind

MARGIN: Final = 0.03
"""Points that what is not loaded must be better by: so far expectations are wrong by chance."""

_PRICE_AT_HALF: Final = 0.002
"""Points for a second, where the knob stands in the middle."""
_STEEPNESS: Final = 99.0
"""What the price rises by from one half of the knob to its end, nearly."""

_BYTES_PER_S: Final = 100e9
"""Of weights, read from memory: between a laptop's processor and its graphics."""
_PREFILL_GAIN: Final = 15.0
"""Tokens of a prompt are read many at a time."""
_BYTES_PER_PARAM: Final = 0.6
_LEAST_BYTES, _MOST_BYTES = 0.25, 4.2
"""Per parameter: two bits, and not quantized at all."""
_UNKNOWN_BILLION: Final = 7.0
_EXPERTS_USED: Final = 1.85
"""Of a model of several experts, for each token: two, which share what is not of any expert."""

_ACTIVE = re.compile(r"(?<![a-z0-9])a(\d{1,3}(?:\.\d{1,2})?)b(?![a-z0-9])", re.IGNORECASE)
_EXPERTS = re.compile(r"(?<![a-z0-9.])\d{1,3}\s?x\s?(\d{1,3}(?:\.\d{1,2})?)\s?b", re.IGNORECASE)

_ANSWER_TOKENS: Final[Mapping[TaskKind, float]] = {
    "code": 400,
    "math": 350,
    "reasoning": 350,
    "knowledge": 250,
    "facts": 80,
    "extraction": 120,
    "summary": 200,
    "creative": 450,
    "rewriting": 200,
    "tools": 80,
    "chat": 150,
}
"""Written for a request of middling difficulty."""
_WANTED_ANSWER_TOKENS: Final = 512
"""What `Needs.wanted_tokens` sets aside for the answer."""


def price(quality: float) -> float:
    """Price one second in points of the score, by the knob: 0 is the fastest answer, 1 the best.

    A second costs 0.002 points at 0.5, a hundred times as much at 0, and nothing at 1. The price
    is an exponential that is lowered to end at zero: each step of the knob multiplies it by about
    the same, since what models take differs by factors too.

    Example:
        >>> [round(price(quality), 5) for quality in (0, 0.25, 0.5, 0.75, 1)]
        [0.2, 0.02008, 0.002, 0.00018, 0.0]
    """
    rise = _STEEPNESS ** (2 * (1 - quality)) - 1
    return _PRICE_AT_HALF * rise / (_STEEPNESS - 1)


def answer_s(task: Task, pace: Pace, *, known_prompt: bool = False) -> float:
    """Tell the seconds that reading the prompt and writing the answer take.

    Args:
        task: The classified request.
        pace: Of the model.
        known_prompt: Whether the model has the conversation before the last message still.
    """
    prompt, answer = tokens_of(task)
    if known_prompt:
        prompt = float(task.needs.context_tokens)
    return prompt / pace.prefill_tokens_per_s + answer / pace.decode_tokens_per_s


def tokens_of(task: Task) -> tuple[float, float]:
    """Guess the tokens of the prompt, and of the answer by task and difficulty."""
    kinds = task.features.kinds or {task.kind: 1.0}
    total = sum(kinds.values()) or 1.0
    usual = sum(share * _ANSWER_TOKENS[kind] for kind, share in kinds.items()) / total
    needs = task.needs
    prompt = max(needs.context_tokens, needs.wanted_tokens - _WANTED_ANSWER_TOKENS)
    return float(prompt), (0.5 + task.features.difficulty) * usual


@lru_cache(maxsize=1024)
def guessed_pace(card: ModelCard) -> Pace:
    """Guess how fast a model is that was not seen at work.

    1. For each token of the answer its active weights are read once, at 100 GB/s.
    2. How many bytes a weight has is told by its size on disk; 0.6 if that is unknown.
    3. A prompt is read fifteen times as fast as an answer is written.

    Example:
        >>> card = ModelCard(key="chat-10b", size_bytes=5_000_000_000)
        >>> round(guessed_pace(card).decode_tokens_per_s)
        20
    """
    total, active = params_billion(card) or _UNKNOWN_BILLION, active_billion(card)
    each = card.size_bytes / (total * 1e9) if card.size_bytes else _BYTES_PER_PARAM  # 2
    each = min(max(each, _LEAST_BYTES), _MOST_BYTES)
    decode = _BYTES_PER_S / (active * 1e9 * each)  # 1
    return Pace(
        prefill_tokens_per_s=_PREFILL_GAIN * decode,  # 3
        decode_tokens_per_s=decode,
    )


def active_billion(card: ModelCard) -> float:
    """Billions of parameters that compute each token: all, but in a mixture of experts.

    Example:
        >>> [active_billion(ModelCard(key=key)) for key in ("qwen3-30b-a3b", "llama-3.2-3b")]
        [3.0, 3.0]
    """
    for name in (card.params, card.display_name, card.key):
        if told := _ACTIVE.search(name):
            return float(told[1])
        if experts := _EXPERTS.search(name):
            return _EXPERTS_USED * float(experts[1])
    return params_billion(card) or _UNKNOWN_BILLION
