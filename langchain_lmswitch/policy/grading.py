"""What becomes of an answer, as a grade of the model that gave it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from langchain_lmswitch.policy.schemas import follows
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade, GradeSource
from langchain_lmswitch.types.tasks import Features, Task

CHECKED: Final = 0.5
"""Weight where the form of an answer could be checked, for right and wrong alike: if only failures
counted, who is asked for objects would look worse than who is not."""
USELESS: Final = 0.5
"""Weight of an answer that is none: nothing was said, or the model broke off."""
CUT_OFF: Final = 0.1
"""Weight of an answer that was cut off: the limit is the caller's, but others may be briefer."""
FINE: Final = 0.05
"""Weight of an answer that nobody objected to: most people say nothing of a bad one, either."""
ASKED_AGAIN: Final = 0.3
"""Weight of being asked again, or passed over for another model, by somebody who read it."""

AS_USUAL: Final = 0.75
"""The score of an answer against which nothing is said: about what good local models are expected
to reach. With 1, who is asked most would look better with every answer: after 100 of them by 6 to 8
points, that is more than one model of twice the size is better than another."""
_CUT_OFF_SCORE: Final = 0.3
_ASKED_AGAIN_SCORE: Final = 0.2
_READ_S: Final = 1.0
"""Nobody reads an answer in less: what is asked again sooner is sampled, or tried, by a program."""
_RETRY_S: Final = 60.0
"""Who asks again later may just want to know again."""

_LIMITS: Final = frozenset({"maxPredictedTokensReached", "contextLengthReached"})
_STOPPED: Final = "userStopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How good an answer looks, and how much that counts."""

    score: float
    weight: float
    source: GradeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What can be told of an answer without understanding it."""

    text: str = ""
    """What was said; not what was thought."""
    stop_reason: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Name and arguments of each tool call."""
    broken_calls: int = 0
    """What was meant as a tool call and cannot be read as one."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Those that could be called, in OpenAI's form."""
    must_call: bool = False
    json_schema: Mapping[str, Any] | None = None
    """What the answer had to follow, if it calls no tool."""


FAILED: Final = Verdict(score=0.0, weight=USELESS, source="error")
"""The model broke off."""
WRONG_FORM: Final = Verdict(score=0.0, weight=CHECKED, source="schema")
"""What reads the answer did not take it."""


def verdict(form: Form) -> Verdict | None:
    """Judge a complete answer by its form; `None` if that tells nothing.

    1. What the caller stopped tells nothing.
    2. What ended at a limit is poor, weakly, whatever its form has become: the limit is not the
       model's. If nothing was said by then, it is useless.
    3. A tool call that cannot be read, calls no such tool or does not follow its schema is wrong;
       so is an answer without any call where one was asked for.
    4. An answer with neither text nor calls is useless.
    5. What should be an object must be JSON,
    6. and follow its schema.
    7. An answer whose form could be checked, and is right, is as good as usual,
    8. and so is any other, weakly.
    """
    said = bool(form.text.strip() or form.calls)
    if form.stop_reason == _STOPPED:  # 1
        return None
    if form.stop_reason in _LIMITS and said:  # 2
        return Verdict(score=_CUT_OFF_SCORE, weight=CUT_OFF, source="truncated")
    if form.broken_calls or not _calls_right(form):  # 3
        return Verdict(score=0.0, weight=CHECKED, source="tool_call")
    if not said:  # 2, 4
        return Verdict(score=0.0, weight=USELESS, source="empty")
    if form.json_schema is not None and not form.calls:
        return _of_object(form.text, form.json_schema)  # 5, 6, 7
    weight = CHECKED if form.calls else FINE  # 7, 8
    return Verdict(score=AS_USUAL, weight=weight, source="fine")


def _calls_right(form: Form) -> bool:
    if form.must_call and not form.calls:
        return False
    schemas = {one.get("name"): one.get("parameters", {}) for one in map(_function, form.tools)}
    return all(
        name in schemas and follows(arguments, schemas[name]) for name, arguments in form.calls
    )


def _function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    function = tool.get("function")
    return function if isinstance(function, Mapping) else {}


def _of_object(text: str, schema: Mapping[str, Any]) -> Verdict:
    try:
        found = json.loads(_unfenced(text))
    except (ValueError, RecursionError):
        return Verdict(score=0.0, weight=CHECKED, source="parse")
    if not follows(found, schema):
        return WRONG_FORM
    return Verdict(score=AS_USUAL, weight=CHECKED, source="fine")


def _unfenced(text: str) -> str:
    inner = text.strip()
    if inner.startswith("```") and inner.endswith("```"):
        return inner.removeprefix("```json").removeprefix("```").removesuffix("```")
    return inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who answered a turn of a conversation, and whether the caller had named it."""

    answer: AnswerRecord
    named: bool


def again(earlier: Asked, *, key: str, named: bool, begun_s: float) -> Verdict | None:
    """Judge an answer by what was done after it: the same words were asked again.

    1. At once, or after a minute, that tells nothing; see `_READ_S`.
    2. Who names another model now, and named none before, was not content with the choice.
    3. Who names a model each time compares models.
    4. Who asks again as before was not content with the answer.

    Args:
        earlier: The answer before.
        key: Of the model that answers now.
        named: Whether the caller names it.
        begun_s: When it was asked, as Unix time.
    """
    if not _READ_S <= begun_s - earlier.answer.at_s <= _RETRY_S:  # 1
        return None
    if named and not earlier.named and key != earlier.answer.key:  # 2
        return Verdict(score=_ASKED_AGAIN_SCORE, weight=ASKED_AGAIN, source="override")
    if named and key != earlier.answer.key:  # 3
        return None
    return Verdict(score=_ASKED_AGAIN_SCORE, weight=ASKED_AGAIN, source="retry")  # 4


def outweighs(new: Grade, old: Grade | None) -> bool:
    """Tell whether a grade takes the place of the one before, of the same answer.

    1. The caller's word counts, and the last one.
    2. Else what weighs no less does, unless it says the same: no news is not better than bad news,
       and who was first knows best what is wrong.
    """
    if old is None or new.source == "feedback":  # 1
        return True
    weighs = new.weight >= old.weight and new.score != old.score
    return old.source != "feedback" and weighs  # 1, 2


def grade_of(answer: AnswerRecord, verdict: Verdict, *, at_s: float) -> Grade:
    """Write a verdict down."""
    return Grade(
        at_s=at_s,
        key=answer.key,
        features=answer.features,
        score=verdict.score,
        weight=verdict.weight,
        source=verdict.source,
        node=answer.node,
        request=answer.turn or answer.request,
        host=answer.host,
    )


def features_of(task: Task) -> Features:
    """Give the features of a request, with its task if nothing else tells of that."""
    if task.features.kinds:
        return task.features
    return replace(task.features, kinds={task.kind: 1.0})


def answered_before(answers: Sequence[Asked], key: str) -> bool:
    """Tell whether a model is among those that answered."""
    return any(one.answer.key == key for one in answers)
