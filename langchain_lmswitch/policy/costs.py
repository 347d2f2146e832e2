"""What an answer costs: its seconds, and their price in points of the score."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from langchain_lmswitch.policy.pedigree import BYTES_PER_PARAM, pedigree
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Task, TaskKind

MARGIN: Final = 0.035
"""Points that what is not loaded must be better by: so far expectations are wrong by chance.

With 3 points a replay of public answers in runs of eight, 48 GB for nine models, made 8.1 loads per
hundred requests, with 3.5 it makes 7.5; the answers were worth the same."""

_PRICE_AT_HALF: Final = 0.002
"""Points for a second, where the knob stands in the middle."""
_STEEPNESS: Final = 99.0
"""What the price rises by from one half of the knob to its end, nearly."""

_BYTES_PER_S: Final = 100e9
"""Of weights, read from memory: between a laptop's processor and its graphics."""
_PREFILL_GAIN: Final = 15.0
"""Tokens of a prompt are read many at a time."""
_LEAST_BYTES, _MOST_BYTES = 0.25, 4.2
"""Per parameter: two bits, and not quantized at all."""
_UNKNOWN_BILLION: Final = 7.0
_LEAST_BILLION: Final = 0.01

_ANSWER_TOKENS: Final[Mapping[TaskKind, float]] = {
    "code": 350,
    "math": 300,
    "reasoning": 300,
    "knowledge": 200,
    "facts": 120,
    "extraction": 150,
    "summary": 200,
    "creative": 400,
    "rewriting": 200,
    "tools": 100,
    "chat": 150,
}
"""Written for a request of middling difficulty."""
_ENOUGH_ANSWERS: Final = 8
"""After which a model's own answers tell how much it writes."""
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
    rise = math.pow(_STEEPNESS, 2 * (1 - quality)) - 1  # `**` might be complex, for all mypy knows
    return _PRICE_AT_HALF * rise / (_STEEPNESS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a request makes a model read and write, in tokens; a guess, see `size_of`."""

    prompt: float
    new: float
    """The part of the prompt that a model has not read that gave the last answer."""
    answer: float


def size_of(task: Task) -> Size:
    """Guess the size of a request.

    The answer's by the task, and by its difficulty: half as much again for the hardest as for the
    easiest.
    """
    needs, features = task.needs, task.features
    kinds = features.kinds or {task.kind: 1.0}
    total = sum(kinds.values()) or 1.0
    usual = sum([share * _ANSWER_TOKENS[kind] for kind, share in kinds.items()]) / total
    return Size(
        prompt=max(needs.context_tokens, needs.wanted_tokens - _WANTED_ANSWER_TOKENS),
        new=needs.context_tokens,
        answer=(0.8 + 0.4 * features.difficulty) * usual,
    )


def answer_s(size: Size, pace: Pace, *, known_prompt: bool = False) -> float:
    """Tell the seconds that reading the prompt and writing the answer take.

    They are `prompt tokens / read rate + answer tokens / write rate`. Some models think aloud: what
    a model has written on average counts as much as the task does, by the geometric mean of both.

    Args:
        size: Of the request.
        pace: Of the model; see `pace_of`.
        known_prompt: Whether the model has the conversation before the last message still.
    """
    prompt, answer = size.new if known_prompt else size.prompt, size.answer
    if pace.answer_tokens and pace.answers >= _ENOUGH_ANSWERS:
        answer = math.sqrt(answer * pace.answer_tokens)
    reading_s = prompt / pace.read_tokens_per_second if pace.read_tokens_per_second else 0.0
    return reading_s + (answer / pace.tokens_per_second if pace.tokens_per_second else 0.0)


def pace_of(card: ModelCard, seen: Pace | None) -> Pace:
    """Give the pace of a model, guessing what was not seen."""
    guessed = guessed_pace(card)
    if seen is None:
        return guessed
    return replace(
        seen,
        read_tokens_per_second=seen.read_tokens_per_second or guessed.read_tokens_per_second,
        tokens_per_second=seen.tokens_per_second or guessed.tokens_per_second,
    )


@lru_cache(maxsize=1024)
def guessed_pace(card: ModelCard) -> Pace:
    """Guess how fast a model is that was not seen at work.

    1. For each token of the answer its active weights are read once, at 100 GB/s.
    2. How many bytes a weight has is told by its size on disk; 0.6 if that is unknown.
    3. A prompt is read fifteen times as fast as an answer is written.

    Example:
        >>> guessed_pace(ModelCard(key="chat-10b", size_bytes=5_000_000_000)).tokens_per_second
        20.0
    """
    total, active = pedigree(card).billions or _UNKNOWN_BILLION, active_billion(card)
    each = card.size_bytes / (total * 1e9) if card.size_bytes else BYTES_PER_PARAM  # 2
    each = min(max(each, _LEAST_BYTES), _MOST_BYTES)
    writing = _BYTES_PER_S / (max(active, _LEAST_BILLION) * 1e9 * each)  # 1
    return Pace(
        read_tokens_per_second=_PREFILL_GAIN * writing,  # 3
        tokens_per_second=writing,
    )


def active_billion(card: ModelCard) -> float:
    """Billions of parameters that compute each token: all, but in a mixture of experts.

    Example:
        >>> [active_billion(ModelCard(key=key)) for key in ("qwen3-30b-a3b", "llama-3.2-3b")]
        [3.0, 3.0]
    """
    known = pedigree(card)
    total = known.billions or _UNKNOWN_BILLION
    return min(known.active or total, total)
