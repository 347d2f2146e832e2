"""What is known of a graph's nodes, from their log, their tasks or their names."""

import pytest

from langchain_lmswitch.policy.lessons import NO_LESSONS
from langchain_lmswitch.policy.nodes import Visit, asked_of, guessed_task, node_of, task_of
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features, Needs, Task, TaskKind

CODER, EYES = card("coder-7b", params="7B"), card("eyes-2b", params="2B", vision=True)
CODE = task_of("code", evidence="")


def grade(key: str, score: float, *, node: str = "write") -> Grade:
    return Grade(at_s=0, key=key, features=Features(), score=score, node=node)


def visit(node: str, kind: TaskKind = "code") -> Visit:
    return Visit(node=node, task=task_of(kind, evidence=""))


def test_who_lacks_a_need_of_one_request_cannot_be_the_model() -> None:
    seeing = Task(kind="chat", confidence=1, evidence="", needs=Needs(vision=True))
    both = node_of("look", [CODE, CODE], [CODER, EYES], lessons=NO_LESSONS)
    one = node_of("look", [CODE, seeing], [CODER, EYES], lessons=NO_LESSONS)

    assert set(both.quality) == {"coder-7b", "eyes-2b"}
    assert set(one.quality) == {"eyes-2b"}


def test_grades_at_the_node_count_and_no_others() -> None:
    before = node_of("write", [CODE], [CODER, EYES], lessons=NO_LESSONS).quality
    graded = node_of(
        "write",
        [CODE],
        [CODER, EYES],
        lessons=NO_LESSONS,
        grades=[grade("eyes-2b", 1.0)] * 10 + [grade("coder-7b", 0.0, node="talk")] * 10,
    ).quality

    assert graded["eyes-2b"] == pytest.approx((before["eyes-2b"] + 1) / 2)
    assert graded["coder-7b"] == before["coder-7b"]


def test_a_model_that_was_seen_to_be_slow_takes_longer() -> None:
    guessed = node_of("write", [CODE], [CODER], lessons=NO_LESSONS).answer_s["coder-7b"]
    slow = Pace(answers=9, tokens_per_second=2.0, read_tokens_per_second=20.0)
    seen = node_of("write", [CODE], [CODER], lessons=NO_LESSONS, paces={"coder-7b": slow})

    assert seen.answer_s["coder-7b"] > 3 * guessed > 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [("code_writer", "code"), ("planner", "reasoning"), ("summarize", "summary"), ("x", "chat")],
)
def test_a_name_tells_what_a_node_asks_for(name: str, kind: str) -> None:
    assert guessed_task(name).kind == kind


def test_nodes_of_the_graph_that_the_log_knows_ask_models() -> None:
    asked = asked_of([visit("b"), visit("z"), visit("a")], graph=["a", "tool", "b"], told={})

    assert list(asked.tasks) == ["a", "b"]
    assert asked.order == ("b", "a")
    assert asked.calls == {"a": 1, "b": 1}


def test_a_node_that_is_not_in_the_log_is_called_once_in_its_place() -> None:
    asked = asked_of([visit("a")] * 5, told={"new": CODE, "a": None})

    assert asked.order == ("new", "a")
    assert asked.tasks["new"] == [CODE]
    assert len(asked.tasks["a"]) == 5


def test_what_is_told_of_a_node_replaces_its_log() -> None:
    asked = asked_of([visit("a", "chat")] * 5, told={"a": CODE})

    assert asked.tasks == {"a": [CODE]}
    assert len(asked.order) == 5


def test_without_anything_given_all_that_is_logged_is_meant() -> None:
    assert list(asked_of([visit("a"), visit("b")], told={}).tasks) == ["a", "b"]
    assert not asked_of([], told={}).tasks
