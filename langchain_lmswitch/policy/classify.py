"""What a request wants, read off its words by rules: well under a millisecond, no model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, get_args

from langchain_lmswitch.types.tasks import Needs, Request, Task, TaskKind

_READ_CHARS: Final = 2000
"""Read from each end of a long text: rules are linear in length, and the wish stands at an end."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: TaskKind
    weight: float
    evidence: str
    pattern: re.Pattern[str]


def _rule(kind: TaskKind, weight: float, evidence: str, pattern: str) -> _Rule:
    # ASCII: by Unicode's rules a Latin word that touches Chinese has no boundary there.
    flags = re.IGNORECASE | re.MULTILINE | re.ASCII
    return _Rule(kind, weight, evidence, re.compile(pattern, flags))


_LANGUAGES: Final = (
    r"python|javascript|typescript|java|c\+\+|c#|rust|golang|kotlin|swift|ruby|php|sql|bash|"
    r"html|css|regex|pandas|numpy|django|react|docker(?:file)?|kubernetes|git"
)

_RULES: Final = (
    _rule(
        "code",
        3,
        "a code block",
        r"```|^\s*(?:def \w+\(|class \w+[:({]|from [\w.]+ import|import \w+;?$|"
        r"#include|public \w+ |func \w+\(|fn \w+\()",
    ),
    _rule("code", 3, "an error trace", r"Traceback \(most recent|\w+(?:Error|Exception):"),
    _rule("code", 2, "a programming language", rf"(?<!\w)(?:{_LANGUAGES})(?!\w)"),
    _rule(
        "code",
        2,
        "a programming task",
        r"\b(?:function|funktion|fonction|funci[oó]n|script|code|program(?:m|ming)?|algorithm|"
        r"refactor|debug|compile|unit tests?)\b|函数|代码|関数|コード",
    ),
    _rule("code", 1, "a word of programming", r"\b(?:api|class|method|bug|query|variable|loop)\b"),
    _rule(
        "math",
        3,
        "an equation or formula",
        r"\d\s*[+*^\u00d7÷]\s*\d|\d\s+[-/]\s+\d|\d+\s*%\s*(?:of|von|de)|[a-z]\s*=\s*-?\d|[∫∑√π]|\\frac",
    ),
    _rule(
        "math",
        2,
        "a mathematical term",
        r"\b(?:calculate|compute|solve|equation|integral|derivative|probability|percent(?:age)?|"
        r"theorem|prove|matrix|algebra|geometry|arithmetic|berechne|gleichung|calcule[rz]?)\b|计算|方程",
    ),
    _rule(
        "math",
        2,
        "a word problem",
        r"\bhow (?:many|much)\b[^?]*\d|\d[^?]*\bhow (?:many|much|far|long|old)\b",
    ),
    _rule(
        "summary",
        4,
        "a wish for a summary",
        r"\b(?:summari[sz]e|summary|tl;?dr|key points|shorten|condense|zusammenfass\w*|"
        r"fasse\b.*\bzusammen|r[eé]sume[rz]|r[eé]sum[eé] (?:ce|le|la|les)|resumen)\b|"
        r"总结|摘要|要約",
    ),
    _rule(
        "creative",
        3,
        "a wish for a text of imagination",
        r"\b(?:poem|haiku|sonnet|limerick|story|novel|lyrics|song|screenplay|fairy tale|"
        r"slogan|joke|gedicht|geschichte|m[aä]rchen|po[eè]me|cuento)\b|诗|故事|俳句|物語",
    ),
    _rule("creative", 1, "a wish to invent", r"\b(?:imagine|brainstorm|creative|invent)\b"),
)

_ENOUGH: Final = 2.0
_SYSTEM_WEIGHT: Final = 0.5
"""A system prompt sets the stage; what the user asks now counts for more."""


def classify(request: Request) -> Task:
    """Tell the task of a request and its hard needs.

    1. A hint of the caller that names a task wins.
    2. Each rule that matches the last user turn adds its weight to its task, and half of it
       where only the system prompt matches.
    3. The heaviest task wins if it has a weight of 2 or more, else it is `chat`: one vague word
       is no sign. Ties go to the task named first in `TaskKind`.

    The confidence is the winner's share of all weight, damped while little has matched.
    """
    needs = Needs(
        vision=request.images,
        tools=request.tools,
        structure=request.structure,
        context_tokens=request.context_tokens,
        wanted_tokens=request.wanted_tokens,
    )
    plain = Task(
        kind="chat",
        confidence=0.5,
        evidence="no sign of another task",
        needs=needs,
        hints=request.hints,
    )
    for kind in get_args(TaskKind):
        if request.hint == kind:  # 1
            return replace(plain, kind=kind, confidence=1.0, evidence="named by the caller")
    weights, evidence = _weigh(_ends(request.user_text), _ends(request.system_text))  # 2
    kind = max(weights, key=lambda kind: weights[kind])  # 3
    if weights[kind] < _ENOUGH:
        return plain
    confidence = weights[kind] / (sum(weights.values()) + 1)
    return replace(plain, kind=kind, confidence=confidence, evidence=evidence[kind])


def _weigh(user: str, system: str) -> tuple[Mapping[TaskKind, float], Mapping[TaskKind, str]]:
    weights: dict[TaskKind, float] = dict.fromkeys(get_args(TaskKind), 0.0)
    evidence: dict[TaskKind, str] = {}
    for rule in _RULES:
        share = 1.0 if rule.pattern.search(user) else 0.0
        if not share and system and rule.pattern.search(system):
            share = _SYSTEM_WEIGHT
        if share:
            weights[rule.kind] += rule.weight * share
            evidence.setdefault(rule.kind, rule.evidence)
    return weights, evidence


def _ends(text: str) -> str:
    if len(text) <= 2 * _READ_CHARS:
        return text
    return f"{text[:_READ_CHARS]}\n{text[-_READ_CHARS:]}"
