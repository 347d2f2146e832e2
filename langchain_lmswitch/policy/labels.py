"""Which of somebody's labels a request belongs to, by what is known of its task."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from langchain_lmswitch.types.tasks import Task, TaskKind

Probabilities = dict[str, float]

_KINDS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)


def _words(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{'|'.join(words)})", re.IGNORECASE)


_NAMED: Final[Mapping[TaskKind, re.Pattern[str]]] = {
    "code": _words(
        "cod(?:e|er|es|ing)(?![a-z])",
        "program(?!me)",
        "software",
        "debug",
        "refactor",
        "script",
        "python",
        "javascript",
        "typescript",
        "java(?![a-z])",
        "sql(?![a-z])",
        "rust(?![a-z])",
        "c\\+\\+",
    ),
    "math": _words("math", "arithmetic", "algebra", "calcul", "equation", "numeric"),
    "reasoning": _words("reason", "logic", "puzzle", "plan(?:s|ning|ner)?(?![a-z])", "analy[sz]"),
    "knowledge": _words("knowledge", "explain", "explanation", "science", "learn", "concept"),
    "facts": _words("facts?(?![a-z])", "factual", "trivia", "look(?:ing)? up", "lookup"),
    "extraction": _words(
        "extract", "parse", "pars(?:er|ing)", "classif", "json", "fields?(?![a-z])"
    ),
    "summary": _words("summar", "condens", "shorten", "tl;?dr", "digest"),
    "creative": _words("creativ", "stor(?:y|ies)(?![a-z])", "poe(?:m|t)", "fiction", "imagin"),
    "rewriting": _words("rewrit", "translat", "paraphras", "proofread", "grammar", "edit"),
    "tools": _words("tools?(?![a-z])", "function[ -]call", "api call", "agentic"),
    "chat": _words("chat", "conversation", "small ?talk", "greeting", "casual", "talk"),
}
_EASY: Final = _words(
    "simple", "easy", "trivial", "quick", "fast", "small", "short", "basic", "cheap", "light"
)
_HARD: Final = _words(
    "complex", "hard(?![a-z])", "difficult", "deep", "challeng", "powerful", "advanced", "expert"
)
_DIFFICULTY: Final = _words("difficult", "complex", "hard(?![a-z])", "challeng", "effort", "easy")
_VISION: Final = _words("image", "vision", "visual", "pictur", "photo", "screenshot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a label, a route or a question stands for."""

    kinds: frozenset[TaskKind] = frozenset()
    """Tasks that it names."""
    difficulty: float | None = None
    """0 if it is for what is easy, 1 if for what is hard; `None` if it does not say."""
    vision: bool = False
    """Whether it is for pictures."""

    @property
    def silent(self) -> bool:
        """Whether it says nothing that is understood."""
        return not self.kinds and self.difficulty is None and not self.vision


def label_of(*said: Any) -> Label:
    """Understand a label from its name and its description.

    1. A mapping with `task` or `tasks`, and `difficulty` from 0 to 1, is taken at its word.
    2. Else the words of all that is said name tasks, ease or hardness, and pictures. Of ease and
       hardness in one label neither counts.
    """
    for one in said:  # 1
        if isinstance(one, Mapping) and (kinds := _told(one)) | (one.keys() & {"difficulty"}):
            return Label(kinds=kinds, difficulty=_number(one.get("difficulty")))
    text = " ".join(str(one) for one in said if one is not None).replace("_", " ")  # 2
    easy, hard = bool(_EASY.search(text)), bool(_HARD.search(text))
    return Label(
        kinds=frozenset(kind for kind, words in _NAMED.items() if words.search(text)),
        difficulty=None if easy == hard else float(hard),
        vision=bool(_VISION.search(text)),
    )


def kinds_of(task: Task) -> dict[TaskKind, float]:
    """Give the probability of each task; what is not known is spread over all."""
    told = {kind: max(0.0, task.features.kinds.get(kind, 0.0)) for kind in _KINDS}
    total = sum(told.values())
    if total > 0:
        return {kind: share / total for kind, share in told.items()}
    rest = (1 - task.confidence) / len(_KINDS)
    return {kind: rest + task.confidence * (kind == task.kind) for kind in _KINDS}


_HARDNESS: Final[Mapping[TaskKind, float]] = {
    "code": 0.6,
    "math": 0.65,
    "reasoning": 0.75,
    "knowledge": 0.4,
    "facts": 0.25,
    "extraction": 0.35,
    "summary": 0.3,
    "creative": 0.4,
    "rewriting": 0.25,
    "tools": 0.45,
    "chat": 0.1,
}
"""How hard a request of each task is, as people say it of models: for which of them they would take
the powerful one."""
_HALF_WAY: Final = 0.25
"""The difficulty, among requests of one task, of one that is neither easy nor hard."""

_NAMED_FIT: Final = 1.0
_OPEN_FIT: Final = 0.25
"""Of a label that names no task: it is for all that no other is for."""
_GRADED_FIT: Final = 0.3
"""Of one that names other tasks, and how hard they are."""
_OTHER_FIT: Final = 0.03
_SIGHT: Final = 20.0


def hardness(task: Task) -> float:
    """Tell how hard a request is among all requests: 0 is trivial, 1 as hard as they come.

    Half of it is what its task is like, half its difficulty among requests of that task.
    """
    usual = sum(share * _HARDNESS[kind] for kind, share in kinds_of(task).items())
    difficulty = min(1.0, max(0.0, task.features.difficulty))
    return (usual + difficulty / (difficulty + _HALF_WAY)) / 2


def probabilities(task: Task, labels: Mapping[str, Label]) -> Probabilities:
    """Tell how probably a request belongs to each label.

    1. Each task it may be is shared among the labels: one that names it gets most of it, one that
       names none a part, one that names others next to nothing - more if it says how hard they
       are, since that holds for any task.
    2. A label for what is hard counts by the hardness of the request, one for what is easy by its
       ease.
    3. A label for pictures counts twenty times as much if there is one, and a twentieth if not.

    Args:
        task: The classified request.
        labels: By name; at least one.
    """
    sums = dict.fromkeys(labels, 0.0)
    hard = hardness(task)
    for kind, share in kinds_of(task).items():
        fits = {
            name: _fit(label, kind, hard=hard, seen=task.needs.vision)
            for name, label in labels.items()
        }
        total = sum(fits.values())
        for name, fit in fits.items():
            sums[name] += share * fit / total
    return sums


def likelihood(task: Task, label: Label) -> float:
    """Tell how probably what a question says is true of a request; 0.5 if it cannot be told."""
    if label.vision:
        return float(task.needs.vision)
    if label.kinds:
        told = sum(share for kind, share in kinds_of(task).items() if kind in label.kinds)
        return min(1.0, told)
    if label.difficulty is None:
        return 0.5
    return abs(1 - label.difficulty - hardness(task))


def levels(task: Task, count: int, *said: Any) -> list[float]:
    """Tell how probable each level of a rubric is, the lowest first.

    1. A rubric of difficulty is answered by the hardness of the request, shared by the two levels
       next to it.
    2. Of any other nothing is known: all levels are as probable.
    """
    text = " ".join(str(one) for one in said)
    if not _DIFFICULTY.search(text):  # 2
        return [1 / count] * count
    place = hardness(task) * (count - 1)  # 1
    return [max(0.0, 1 - abs(place - level)) for level in range(count)]


def certainty(shares: Sequence[float]) -> float:
    """Tell how far the most probable of some is above chance: 0 is not at all, 1 is certain."""
    if len(shares) == 1:
        return 1.0
    chance = 1 / len(shares)
    return min(1.0, max(0.0, (max(shares) - chance) / (1 - chance)))


def _fit(label: Label, kind: TaskKind, *, hard: float, seen: bool) -> float:
    fit = _OPEN_FIT  # 1
    if kind in label.kinds:
        fit = _NAMED_FIT
    elif label.kinds:
        fit = _OTHER_FIT if label.difficulty is None else _GRADED_FIT
    if label.difficulty is None:  # 2
        fit *= 0.5
    else:
        fit *= max(0.01, abs(1 - label.difficulty - hard))
    if label.vision:  # 3
        fit *= _SIGHT if seen else 1 / _SIGHT
    return fit


def _told(said: Mapping[str, Any]) -> frozenset[TaskKind]:
    tasks = said.get("tasks", said.get("task", ()))
    named = [tasks] if isinstance(tasks, str) else tasks if isinstance(tasks, Sequence) else ()
    return frozenset(kind for kind in _KINDS if kind in named)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(1.0, max(0.0, float(value)))
