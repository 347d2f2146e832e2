"""What a request wants, read off its words by rules and a learnt head: no model, no waiting."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, get_args

from langchain_lmswitch.policy.difficulty import difficulty
from langchain_lmswitch.policy.head import head
from langchain_lmswitch.policy.languages import language
from langchain_lmswitch.policy.rules import weigh
from langchain_lmswitch.policy.signs import signs
from langchain_lmswitch.policy.vectors import embed
from langchain_lmswitch.policy.wording import Wording, wording
from langchain_lmswitch.types.tasks import Features, Needs, Request, Task, TaskKind

_ENOUGH: Final = 2.0
_TRUST: Final = 1.8
_PLAIN: Final = "no sign of another task"
_NAMED: Final = "named by the caller"
_READS_LIKE: Final[Mapping[TaskKind, str]] = {
    "code": "it reads like programming",
    "math": "it reads like mathematics",
    "reasoning": "it reads like a puzzle",
    "knowledge": "it reads like a question of study",
    "facts": "it reads like a question of fact",
    "extraction": "it reads like a question about a given text",
    "summary": "it reads like a wish for a summary",
    "creative": "it reads like a wish for a text of imagination",
    "rewriting": "it reads like a wish for another wording",
    "tools": "it reads like a wish to act",
    "chat": _PLAIN,
}


def classify(request: Request) -> Task:
    """Tell the task of a request, its features and its hard needs.

    1. Each rule that matches the last user turn adds its weight to its task, and half of it
       where only the system prompt matches.
    2. Signs of the user's turn, the rules' weights and its vector are what the learnt head sees;
       it gives each task a probability, and each point of a rule's weight makes its task 1.8
       times as likely: what is learnt may be wrong, a rule that fires is a fact.
    3. Without head, or words that the vectors know, each task has its share of the rules' weight,
       and `chat` the rest: one vague word is no sign.
    4. The likeliest task wins, and its probability is the confidence. Ties go to the task named
       first in `TaskKind`.
    5. A hint of the caller that names a task wins over all that, and is certain.
    """
    said = wording(request.user_text)
    weights, evidence = weigh(said, wording(request.system_text) if request.system_text else None)
    features = Features(
        signs=signs(request, said, weights),
        vector=embed(request.user_text),
        difficulty=difficulty(said),
    )
    kinds = _named(request) or _learnt(features, weights) or _ruled(weights)
    kind = max(get_args(TaskKind), key=lambda kind: kinds.get(kind, 0.0))  # 4
    return Task(
        kind=kind,
        confidence=round(kinds[kind], 3),
        evidence=_NAMED if _named(request) else evidence.get(kind, _READS_LIKE[kind]),
        needs=_needs(request, said),
        hints=request.hints,
        features=replace(features, kinds=kinds),
    )


def _named(request: Request) -> Mapping[TaskKind, float]:
    return {kind: 1.0 for kind in get_args(TaskKind) if request.hint == kind}  # 5


def _learnt(features: Features, weights: Mapping[TaskKind, float]) -> Mapping[TaskKind, float]:
    learnt = head() if any(features.vector) else None  # 2
    if learnt is None:
        return {}
    kinds = learnt.kinds(features.vector, features.signs)
    shares = {kind: share * _TRUST ** weights[kind] for kind, share in kinds.items()}
    return {kind: share / sum(shares.values()) for kind, share in shares.items()}


def _ruled(weights: Mapping[TaskKind, float]) -> Mapping[TaskKind, float]:
    found = sum(weights.values()) + 1  # 3
    kinds = {kind: weight / found for kind, weight in weights.items() if weight}
    if max(weights.values()) < _ENOUGH:
        return {**dict.fromkeys(kinds, 0.0), "chat": 1.0}
    return kinds | {"chat": kinds.get("chat", 0.0) + 1 / found}


def _needs(request: Request, said: Wording) -> Needs:
    return Needs(
        vision=request.images,
        tools=request.tools,
        structure=request.structure,
        language=language(said),
        context_tokens=request.context_tokens,
        wanted_tokens=request.wanted_tokens,
    )
