"""The first candidate that can answer, and the sentence that says why."""

from collections.abc import Mapping, Sequence

import pytest

from langchain_lmswitch.policy.choice import Choice, choose
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use
from langchain_lmswitch.types.tasks import Task

MIB = 2**20
TASK = Task(kind="code", confidence=0.9, evidence="a code block")


def candidate(
    key: str, *, lacks: tuple[str, ...] = (), score: float = 0.5, pinned: bool = False
) -> Candidate:
    return Candidate(key=key, score=score, lacks=lacks, parts={"same turn": 1.0} if pinned else {})


def use(key: str) -> Use:
    return Use(resident=Resident(key=key, identifier=key))


def load(key: str, *, evict: Sequence[str] = (), mib: int | None = 700) -> Load:
    footprint = Footprint(weights_bytes=(mib or 0) * MIB, kv_bytes=0, source="host")
    return Load(
        spec=LoadSpec(key=key),
        footprint=None if mib is None else footprint,
        evict=tuple(Resident(key=one, identifier=f"lmswitch/{one}") for one in evict),
    )


def refusal(key: str) -> Refusal:
    return Refusal(key=key, reason="needs 9 MiB, 1 MiB free", needed_bytes=9 * MIB)


def pick(
    ranked: Sequence[Candidate],
    plans: Mapping[str, Plan | Refusal],
    *,
    failed: Mapping[str, str] | None = None,
    forced: bool = False,
    smaller_than_bytes: int | None = None,
    losses_s: Mapping[str, float] | None = None,
    fresh: Sequence[str] = (),
    trouble: str = "",
) -> Choice:
    return choose(
        TASK,
        ranked,
        plans=plans,
        failed=failed or {},
        forced=forced,
        smaller_than_bytes=smaller_than_bytes,
        losses_s=losses_s,
        fresh=fresh,
        trouble=trouble,
    )


def test_best_is_chosen() -> None:
    choice = pick([candidate("a"), candidate("b")], {"a": load("a"), "b": use("b")})

    assert choice.key == "a"
    assert [one.note for one in choice.candidates] == ["chosen", ""]
    assert choice.reason == (
        "a for code (a code block): best score of 2 candidates; "
        "loaded for this, about 700 MiB, it fits."
    )


def test_passed_over_in_order() -> None:
    """A lack is told before a failure, a failure before a lack of memory."""
    lacks = ("cannot see images",)
    choice = pick(
        [candidate("first", lacks=lacks), candidate("second"), candidate("third"), candidate("z")],
        {"second": refusal("second"), "third": refusal("third"), "z": use("z")},
        failed={"first": "broken", "second": "broken"},
    )

    assert [one.note for one in choice.candidates] == [
        "cannot see images",
        "failed: broken",
        "does not fit: needs 9 MiB, 1 MiB free",
        "chosen",
    ]
    assert [one.fits for one in choice.candidates] == [None, False, False, True]
    assert "the best of those that can answer now (first cannot see images)" in choice.reason


def test_failed_though_it_would_fit() -> None:
    choice = pick(
        [candidate("a"), candidate("b")], {"a": use("a"), "b": use("b")}, failed={"a": "x"}
    )

    assert choice.key == "b"
    assert "(a failed: x)" in choice.reason


def test_who_was_not_looked_at_is_not_chosen() -> None:
    choice = pick([candidate("a"), candidate("b")], {"b": use("b")})

    assert choice.key == "b"


def test_nobody() -> None:
    choice = pick([candidate("a"), candidate("b")], {"a": refusal("a")}, failed={"b": "broken"})

    assert choice.key is None
    assert choice.reason == (
        "nobody can answer (a: does not fit: needs 9 MiB, 1 MiB free; b: failed: broken)"
    )
    assert pick([], {}).reason == "nobody can answer (no model is installed)"


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (use("a"), "already loaded."),
        (load("a", mib=None), "loaded for this."),
        (load("a"), "loaded for this, about 700 MiB, it fits."),
        (load("a", evict=["b", "c"]), "about 700 MiB, after unloading b, c."),
    ],
)
def test_what_it_costs_is_told(plan: Plan, told: str) -> None:
    assert pick([candidate("a")], {"a": plan}).reason.endswith(told)


@pytest.mark.parametrize(
    ("plan", "footprint_bytes"),
    [
        (use("a"), None),
        (load("a"), 700 * MIB),
        (refusal("a"), 9 * MIB),
        (load("a", mib=None), None),
    ],
)
def test_footprint_is_recorded(plan: Plan | Refusal, footprint_bytes: int | None) -> None:
    [one] = pick([candidate("a")], {"a": plan}).candidates

    assert one.footprint_bytes == footprint_bytes


def test_forced() -> None:
    choice = pick([candidate("a")], {"a": use("a")}, forced=True)

    assert choice.reason == "a for code (a code block): you asked for it; already loaded."


def test_only_model_installed() -> None:
    assert "the only model installed" in pick([candidate("a")], {"a": use("a")}).reason


def test_only_one_that_can() -> None:
    """Who lacks a need is ranked last, whatever its score: no score was compared."""
    blind = candidate("b", lacks=("cannot see images",))
    reason = pick([candidate("a"), blind], {"a": use("a")}).reason

    assert "the only one that can (b cannot see images)" in reason


def test_scores_are_compared_among_those_that_can() -> None:
    blind = candidate("c", lacks=("cannot see images",))
    plans = {"a": use("a"), "b": use("b")}

    assert (
        "best score of 2 candidates" in pick([candidate("a"), candidate("b"), blind], plans).reason
    )


def test_after_a_failure_for_memory_only_smaller_ones_are_loaded() -> None:
    """One of unknown size is not known to be smaller; one in memory needs no load."""
    plans: dict[str, Plan | Refusal] = {
        "a": load("a", mib=900),
        "b": load("b", mib=900),
        "c": load("c", mib=None),
        "d": load("d", mib=899),
        "e": use("e"),
    }
    ranked = [candidate(key) for key in "abcd"]
    limit_bytes = 900 * MIB
    choice = pick(ranked, plans, failed={"a": "out of memory"}, smaller_than_bytes=limit_bytes)
    notes = ["failed: out of memory", *["no smaller than what failed for memory"] * 2, "chosen"]

    assert [one.note for one in choice.candidates] == notes
    assert pick([candidate("e")], plans, smaller_than_bytes=1).key == "e"


@pytest.mark.parametrize(
    ("score", "loss_s", "fresh", "key"),
    [
        (0.52, 0.0, (), "best"),
        (0.52, 10.1, (), "there"),
        (0.519, 0.0, ("old",), "there"),
        (0.52, 0.0, ("there",), "best"),
        (0.521, 0.0, ("old",), "best"),
        (0.521, 1.0, ("old",), "there"),
    ],
)
def test_nobody_leaves_for_a_small_gain(
    score: float, loss_s: float, fresh: Sequence[str], key: str
) -> None:
    """Two thousandths for each second that who leaves is expected to be waited for again."""
    choice = pick(
        [candidate("best", score=score), candidate("there")],
        {"best": load("best", evict=["old"]), "there": use("there")},
        losses_s={"lmswitch/old": loss_s},
        fresh=fresh,
    )

    assert choice.key == key
    if key == "there":
        assert "best hardly better than there, and old would have to leave" in choice.reason


@pytest.mark.parametrize("pinned", [False, True])
def test_who_has_the_turn_is_loaded_anew_whoever_has_to_leave(pinned: bool) -> None:  # noqa: FBT001
    choice = pick(
        [candidate("best", pinned=pinned), candidate("there")],
        {"best": load("best", evict=["old"]), "there": use("there")},
        fresh=["old"],
    )

    assert choice.key == ("best" if pinned else "there")
    assert ("it has this turn already" in choice.reason) is pinned


def test_trouble_is_told() -> None:
    choice = pick([candidate("a"), candidate("b")], {"a": use("a")}, trouble="KeyError")

    assert "the models could not be compared (KeyError), and this one can answer" in choice.reason
