"""What is known of the nodes of a graph: from its log, or from their names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final, get_args

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.policy.allocating import Node
from langchain_lmswitch.policy.costs import answer_s, pace_of, size_of
from langchain_lmswitch.policy.labels import label_of
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.needs import lacking
from langchain_lmswitch.policy.scoring import expect
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features, Task, TaskKind

_WORTH: Final = 10.0
"""Grades of one model at one node that count as much as what is expected of it otherwise."""
_READ: Final = 200
"""Requests of a node that are looked at, the latest; more would tell the same."""
_MOST_CALLS: Final = 300
"""Calls whose order is looked at, the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that a node made."""

    node: str
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The nodes of a graph, in its order, and what they ask for."""

    tasks: Mapping[str, Sequence[Task]]
    """By node, its requests; of one that is not in the log, what is told or guessed."""
    calls: Mapping[str, int]
    """By node, how often it is in the log."""
    order: tuple[str, ...]
    """The nodes of the calls as they come."""


def asked_of(
    visits: Sequence[Visit], *, graph: Sequence[str] = (), told: Mapping[str, Task | None]
) -> Asked:
    """Find out which nodes there are and what they ask for.

    1. The nodes of the graph that the log knows: others ask no model. If it knows none of them,
       all of them, since the graph has not run yet.
    2. Besides, those that are told of; and if nothing is given at all, those in the log.
    3. What a node asks for: as told, else as logged, else as its name says.
    4. Its calls come as in the log; but if a node is not in it, one call of each in its order.

    Args:
        visits: The log, oldest first.
        graph: The nodes of a graph.
        told: More nodes, with the task of each if it is known.
    """
    logged: dict[str, list[Task]] = {}
    for one in visits:
        logged.setdefault(one.node, []).append(one.task)
    known = [name for name in graph if name in logged] or graph  # 1
    names = list(dict.fromkeys([*known, *told])) or list(logged)  # 2
    tasks = {}
    for name in names:
        task = told.get(name)
        tasks[name] = [task] if task else logged.get(name) or [guessed_task(name)]  # 3
    order = tuple(one.node for one in visits if one.node in tasks)[-_MOST_CALLS:]
    if not set(names) <= set(order):
        order = tuple(names)  # 4
    calls = Counter(one.node for one in visits)
    return Asked(tasks=tasks, calls={name: calls[name] for name in names}, order=order)


def node_of(
    name: str,
    tasks: Sequence[Task],
    cards: Sequence[ModelCard],
    *,
    lessons: Lessons,
    grades: Sequence[Grade] = (),
    paces: Mapping[str, Pace] | None = None,
) -> Node:
    """Tell how good each model is at a node, and how long it takes.

    1. Who lacks what one of its requests needs cannot be its model.
    2. What is expected of the others for each request, in the mean.
    3. Grades of a model at this very node count beside that, ten of them as much.

    Args:
        name: Of the node.
        tasks: Its requests; at least one.
        cards: The models there are.
        lessons: What grades have taught.
        grades: Of answers, at this node and elsewhere.
        paces: By key, how fast each is; what is missing is guessed.
    """
    read = tasks[-_READ:]
    able = [
        card
        for card in cards
        if card.kind == "llm" and not any(lacking(card, one.needs, one.hints) for one in read)  # 1
    ]
    sizes = [size_of(one) for one in read]
    expected = [expect(one, cards, lessons) for one in read]
    here = [one for one in grades if one.node == name]
    quality, takes_s = {}, {}
    for card in able:
        mean = fsum(one[card.key].quality for one in expected) / len(expected)  # 2
        own = [one for one in here if one.key == card.key]
        quality[card.key] = _judged(mean, own)  # 3
        pace = pace_of(card, (paces or {}).get(card.key))
        takes_s[card.key] = fsum(answer_s(one, pace) for one in sizes) / len(sizes)
    return Node(name=name, quality=quality, answer_s=takes_s)


def named_task(said: str) -> tuple[str, Task | None]:
    """Read `name` or `name=task`, as a person writes a node.

    Raises:
        InvalidRequest: There is no such task, or no name.
    """
    name, told, task = (part.strip() for part in said.partition("="))
    known: tuple[TaskKind, ...] = get_args(TaskKind)
    if not name:
        raise InvalidRequest(f"{said!r} names no node; write `name` or `name=task`.")
    if not told:
        return name, None
    for kind in known:
        if kind == task:
            return name, task_of(kind, evidence="named by the caller")
    raise InvalidRequest(f"There is no task {task!r} for node {name!r}: take {', '.join(known)}.")


def guessed_task(name: str) -> Task:
    """Guess what a node asks for from its name; `chat` if that says nothing."""
    kinds = sorted(label_of(name).kinds)
    return task_of(*kinds or ["chat"], evidence="by the name of the node")


def task_of(*kinds: TaskKind, evidence: str) -> Task:
    """Make a task of which no more than its kinds is known."""
    shares: Mapping[TaskKind, float] = {kind: 1 / len(kinds) for kind in kinds}
    features = Features(kinds=shares)
    return Task(kind=kinds[0], confidence=1.0, evidence=evidence, features=features)


def _judged(quality: float, grades: Sequence[Grade]) -> float:
    weight = fsum(one.weight for one in grades)
    scores = fsum(one.weight * one.score for one in grades)
    return (_WORTH * quality + scores) / (_WORTH + weight)
