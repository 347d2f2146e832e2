"""A model for each node of a graph: the best there is, for what loading costs."""

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_lmswitch.policy import allocating
from langchain_lmswitch.policy.allocating import Node, Setting, allocate, evaluate, single
from langchain_lmswitch.policy.turnover import Installed, loads

GIB = 2**30
CODER = Installed(bytes=5 * GIB, load_s=6.0)
CHAT = Installed(bytes=6 * GIB, load_s=8.0)
PAIR = {"coder": CODER, "chat": CHAT}
WRITE = Node(name="write", quality={"coder": 0.8, "chat": 0.6})
TALK = Node(name="talk", quality={"coder": 0.55, "chat": 0.7})


def setting(
    order: str, *, budget_gib: float | None = None, price: float = 0.002, nodes: int = 2
) -> Setting:
    """Make a setting of the two nodes, called in an order such as `wwt`."""
    return Setting(
        nodes=[WRITE, TALK][:nodes],
        models=PAIR,
        order=[{"w": "write", "t": "talk"}[one] for one in order],
        budget_bytes=None if budget_gib is None else int(budget_gib * GIB),
        price=price,
    )


def test_each_node_has_its_best_model_where_there_is_room_for_all() -> None:
    found = allocate(setting("wt", budget_gib=11))

    assert found.models == {"write": "coder", "talk": "chat"}
    assert found.quality == pytest.approx(0.75)
    assert found.load_s == 0
    assert found == allocate(setting("wt"))


def test_one_model_for_all_where_taking_turns_costs_too_much() -> None:
    """Each call would wait seven seconds, which is worth 14 points."""
    found = allocate(setting("wt", budget_gib=10, price=0.02))

    assert found.models == {"write": "coder", "talk": "coder"}
    assert found.load_s == 0
    assert found == single(setting("wt", budget_gib=10, price=0.02))


def test_taking_turns_is_worth_it_where_turns_are_long() -> None:
    found = allocate(setting("w" * 50 + "t" * 50, budget_gib=10, price=0.02))

    assert found.models == {"write": "coder", "talk": "chat"}
    assert found.loads == pytest.approx(2 / 100)
    assert found.load_s == pytest.approx(14 / 100)


def test_the_node_that_asks_most_counts_most() -> None:
    price = 0.02

    assert allocate(setting("wttt", budget_gib=10, price=price)).models["write"] == "chat"
    assert allocate(setting("wwwt", budget_gib=10, price=price)).models["talk"] == "coder"


def test_what_exceeds_the_budget_is_nobodys() -> None:
    assert allocate(setting("wt", budget_gib=5)).models == {"write": "coder", "talk": "coder"}
    assert allocate(setting("wt", budget_gib=1)).models == {}


def test_a_node_that_nobody_can_answer_gets_none() -> None:
    look = Node(name="look", quality={})
    given_ = Setting(
        nodes=[WRITE, look], models=PAIR, order=["write", "look"], budget_bytes=None, price=0
    )

    assert allocate(given_).models == {"write": "coder"}


def test_equal_values_take_fewer_models() -> None:
    same = [Node(name=name, quality={"a": 0.5, "b": 0.5}) for name in "xyz"]
    models = {"a": CHAT, "b": CODER}
    found = allocate(
        Setting(nodes=same, models=models, order="xyz", budget_bytes=None, price=0.002)
    )

    assert found.models == dict.fromkeys("xyz", "a")


@pytest.mark.parametrize(
    ("order", "budget_gib", "expected"),
    [
        ("aabb", 11, {}),
        ("aabb", 10, {"a": 1, "b": 1}),
        ("abab", 10, {"a": 2, "b": 2}),
        ("aaaa", 6, {}),
        ("aba", 10, {"b": 1, "a": 1}),  # the first of a round is still there from the last
    ],
)
def test_loads_of_a_round(order: str, budget_gib: float, expected: dict[str, int]) -> None:
    models = {"a": CHAT, "b": CODER}

    assert loads(order, models, int(budget_gib * GIB)) == expected


# --- many nodes ---------------------------------------------------------------------------------


def drawn(seed: int, *, nodes: int, models: int) -> Setting:
    dice = random.Random(seed)  # noqa: S311 - a test
    keys = [f"m{index}" for index in range(models)]
    return Setting(
        nodes=[
            Node(name=f"n{index}", quality={key: dice.random() for key in keys})
            for index in range(nodes)
        ],
        models={
            key: Installed(bytes=dice.randint(1, 8) * GIB, load_s=dice.uniform(1, 9))
            for key in keys
        },
        order=[f"n{dice.randrange(nodes)}" for _ in range(24)],
        budget_bytes=9 * GIB,
        price=dice.choice([0.0, 0.002, 0.02, 0.1]),
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_trying_all_is_the_optimum(seed: int) -> None:
    one = drawn(seed, nodes=3, models=4)
    every = product(one.models, repeat=3)
    names = [node.name for node in one.nodes]
    best = max(evaluate(dict(zip(names, keys, strict=True)), one).value for keys in every)

    assert allocate(one).value == pytest.approx(best)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_improving_is_never_worse_than_one_for_all_or_the_best_for_each(seed: int) -> None:
    one = drawn(seed, nodes=8, models=4)  # 65,536 allocations
    found, alone = allocate(one), single(one)
    each = {node.name: max(node.quality, key=lambda k: node.quality[k]) for node in one.nodes}

    assert alone is not None
    assert found.value >= alone.value - 1e-9
    assert found.value >= evaluate(each, one).value - 1e-9
    assert found == allocate(one)


def test_improving_comes_near_the_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = [allocate(drawn(seed, nodes=4, models=4)).value for seed in range(25)]
    monkeypatch.setattr(allocating, "MOST_TRIED", 0)
    found = [allocate(drawn(seed, nodes=4, models=4)).value for seed in range(25)]

    assert all(one <= best + 1e-9 for one, best in zip(found, exact, strict=True))
    assert sum(found) >= 0.99 * sum(exact)
