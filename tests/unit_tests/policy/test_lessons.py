"""What grades teach, and what they cannot break."""

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features, TaskKind

WINDOW = 400
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)


def features(kind: TaskKind = "chat", *, seed: int = 0, signs: tuple[float, ...] = ()) -> Features:
    dice = random.Random(seed)  # noqa: S311
    vector = tuple(dice.randint(-30, 30) for _ in range(8))
    return Features(kinds={kind: 0.9, "facts": 0.1}, signs=signs, vector=vector)


def grade(key: str, score: float, kind: TaskKind = "chat", *, at: int = 0, seed: int = 0) -> Grade:
    words = features(kind, seed=seed)
    return Grade(at_s=at, key=key, features=words, score=score, request=str(at))


def priors(**qualities: float) -> dict[str, Expected]:
    return {key: Expected(quality=quality, prior=quality) for key, quality in qualities.items()}


def qualities(
    lessons: Lessons, known: Mapping[str, Expected], kind: TaskKind = "chat"
) -> dict[str, float]:
    return {key: one.quality for key, one in lessons.expect(features(kind), known).items()}


def best(lessons: Lessons, known: Mapping[str, Expected], words: Features) -> str:
    expected = lessons.expect(words, known)
    return max(expected, key=lambda key: (expected[key].quality, key))


def many(count: int, *, models: Mapping[str, float], seed: int = 0) -> list[Grade]:
    """Grade every model for each request, at random; code is read off the first sign."""
    dice = random.Random(seed)  # noqa: S311
    grades = []
    for at in range(count):
        luck, code = dice.random(), dice.random() < 0.5
        words = features("code" if code else "chat", seed=at, signs=(float(code), dice.random()))
        for key, right in models.items():
            odds = right + (0.3 if code and key == "coder" else 0.0)
            score = float(luck < odds)
            grades.append(Grade(at_s=at, key=key, features=words, score=score, request=str(at)))
    return grades


def score_of(lessons: Lessons, known: Mapping[str, Expected], asked: Iterable[Grade]) -> float:
    """Tell the mean score of the models that the lessons would choose."""
    by_request: dict[str, dict[str, Grade]] = {}
    for one in asked:
        by_request.setdefault(one.request, {})[one.key] = one
    got = [
        answers[best(lessons, known, next(iter(answers.values())).features)].score
        for answers in by_request.values()
    ]
    return sum(got) / len(got)


def test_nothing_learnt_leaves_the_prior() -> None:
    known = priors(a=0.4, b=0.6)

    assert Lessons().expect(features(), known) == known


def test_the_prior_counts_for_twenty_grades() -> None:
    """Of two models in the same task, half way after as many."""
    lessons = Lessons(
        grade(key, score, at=at)
        for at in range(20)
        for key, score in (("a", float(at % 2)), ("b", 0.0))
    )

    learnt = qualities(lessons, priors(a=0.5, b=0.5))

    assert 0.2 < learnt["a"] - learnt["b"] < 0.4


def test_a_hard_task_tells_nothing_of_who_is_better() -> None:
    """The one that is asked fails; who was never asked would have failed as well."""
    lessons = Lessons(grade("a", 0.0, at=at) for at in range(40))

    learnt = qualities(lessons, priors(a=0.6, b=0.5))

    assert learnt["a"] < 0.3
    assert learnt["b"] < 0.45


def test_code_teaches_of_code() -> None:
    """What a model shows in one task moves another task by less."""
    grades = [
        grade(key, score, "code", at=at)
        for at in range(100)
        for key, score in (("a", 1.0), ("b", 0.0))
    ]
    grades += [grade(key, 0.5, "chat", at=100 + at) for at in range(100) for key in "ab"]
    lessons, known = Lessons(grades), priors(a=0.5, b=0.5)

    code, chat = qualities(lessons, known, "code"), qualities(lessons, known, "chat")

    assert code["a"] - code["b"] > 0.6
    assert abs(chat["a"] - chat["b"]) < 0.25


def test_spread_shrinks_with_grades() -> None:
    known = priors(a=0.5)
    one, two = (
        Lessons(grade("a", 1.0, at=at) for at in range(count)).expect(features(), known)["a"]
        for count in (5, 200)
    )

    assert 0 < two.spread < one.spread < 0.11
    assert two.grades > one.grades


def test_of_two_grades_for_one_answer_the_last_counts() -> None:
    known = priors(a=0.5, b=0.5)
    again = Lessons([grade("a", 0.0), grade("b", 0.5), grade("a", 1.0)])
    once = Lessons([grade("b", 0.5), grade("a", 1.0)])

    assert qualities(again, known) == pytest.approx(qualities(once, known))


def test_neighbors_teach_what_the_task_does_not() -> None:
    """One kind, two ways of asking: the signs tell which model is right."""
    dice = random.Random(1)  # noqa: S311
    lessons = Lessons()
    for at in range(600):
        left = dice.random() < 0.5
        words = features(seed=at, signs=(float(left), 1.0 - left))
        for key, right in (("a", left), ("b", not left)):
            score = float(dice.random() < (0.8 if right else 0.3))
            lessons.learn(Grade(at_s=at, key=key, features=words, score=score, request=str(at)))
    known = priors(a=0.5, b=0.5)

    assert best(lessons, known, features(seed=-1, signs=(1.0, 0.0))) == "a"
    assert best(lessons, known, features(seed=-1, signs=(0.0, 1.0))) == "b"


def test_what_is_like_nothing_seen_is_for_the_best_on_the_whole() -> None:
    grades = many(600, models={"coder": 0.3, "large": 0.5})
    lessons, known = Lessons(grades), priors(coder=0.5, large=0.5)
    code = features("code", seed=-1, signs=(1.0, 0.5))
    strange = replace(code, vector=tuple([127, -127] * 4))
    apart = lessons.expect(code, known)
    faded = lessons.expect(strange, known)

    assert apart["coder"].quality > apart["large"].quality
    assert faded["coder"].quality - faded["large"].quality < 0.02


def test_order_does_not_matter() -> None:
    """Grades that come together teach the same, whichever is written first."""
    grades = many(400, models={"coder": 0.4, "large": 0.6})
    shuffled = random.Random(2).sample(grades, len(grades))  # noqa: S311
    known = priors(coder=0.5, large=0.5)
    words = features("code", seed=3, signs=(1.0, 0.2))

    one, two = (Lessons(order).expect(words, known) for order in (grades, shuffled))

    for key in known:
        assert one[key].quality == pytest.approx(two[key].quality)


SCORES = st.one_of(
    st.floats(0, 1), st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300, -1, 2])
)
WEIGHTS = st.sampled_from([1.0, 0.5, 0.0, -3.0, 1e300, math.nan, math.inf])
GRADES = st.lists(
    st.builds(
        Grade,
        at_s=st.sampled_from([0.0, 1.0, math.nan, math.inf]),
        key=st.sampled_from("abc"),
        features=st.builds(
            Features,
            kinds=st.dictionaries(
                st.sampled_from(["code", "chat", "nonsense"]),
                st.sampled_from([0.3, 1.0, math.nan, math.inf, -1.0]),
            ),
            difficulty=st.sampled_from([0.0, 0.4, 7.0, math.nan]),
        ),
        score=SCORES,
        weight=WEIGHTS,
        request=st.sampled_from(["", "one", "two"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=40, phases=NO_SHRINKING)
@given(GRADES)
def test_nonsense_does_no_harm(grades: list[Grade]) -> None:
    """Whatever is graded, what is expected are numbers, the same ones for the same grades."""
    known = priors(a=0.2, b=0.5, c=0.9)

    expected = Lessons(grades).expect(features("code"), known)

    assert list(expected) == list(known)
    assert all(0 <= one.quality <= 1 and 0 <= one.spread < 1 for one in expected.values())
    assert expected == Lessons(grades).expect(features("code"), known)


def test_nonsense_among_neighbors_does_no_harm() -> None:
    bad = Features(signs=(math.nan, math.inf), vector=(10**9,) * 8)
    grades = many(320, models={"coder": 0.4, "large": 0.6})
    grades += [replace(grades[0], features=bad, request=f"bad {at}") for at in range(20)]
    grades += [replace(grades[0], features=Features(), request=f"short {at}") for at in range(20)]
    known = priors(coder=0.5, large=0.5)

    for words in (grades[0].features, bad, Features()):
        assert all(0 <= one.quality <= 1 for one in Lessons(grades).expect(words, known).values())


def test_a_heavy_grade_counts_like_any_other() -> None:
    known = priors(a=0.5, b=0.5)
    heavy = Lessons([replace(grade("a", 5.0), weight=1e9), grade("b", 0.0)])
    plain = Lessons([grade("a", 1.0), grade("b", 0.0)])

    assert qualities(heavy, known) == pytest.approx(qualities(plain, known))


@pytest.mark.parametrize("seed", range(3))
def test_no_model_is_out_for_ever(seed: int) -> None:
    """Whatever was said of it, once it is long enough ago it counts as if it had never been."""
    dice = random.Random(seed)  # noqa: S311
    known = priors(a=0.5, b=0.5)
    bad = [grade("a", 0.0, at=at, seed=at) for at in range(WINDOW)]
    others = [grade("b", dice.random(), at=WINDOW + at, seed=seed and at) for at in range(WINDOW)]
    lessons = Lessons(bad, kept=WINDOW)
    assert qualities(lessons, known)["a"] < 0.1

    for one in others:
        lessons.learn(one)

    assert qualities(lessons, known) == pytest.approx(qualities(Lessons(others), known))


def test_a_bad_name_is_lived_down() -> None:
    """After as many good answers as there were bad ones, a model is preferred again."""
    lessons = Lessons(
        grade(key, score, at=at) for at in range(200) for key, score in (("a", 0.0), ("b", 0.6))
    )
    known = priors(a=0.5, b=0.5)
    assert best(lessons, known, features()) == "b"

    for at in range(200, 900):
        lessons.learn(grade("a", 1.0, at=at))

    assert best(lessons, known, features()) == "a"


@pytest.mark.parametrize("seed", range(2))
def test_a_model_that_is_worse_in_all_takes_nothing(seed: int) -> None:
    """Half a percent of the score, at the most."""
    models = {"coder": 0.35, "large": 0.5}
    worse = models | {"worse": 0.45}
    asked = many(320, models=worse, seed=seed + 10)
    known = priors(coder=0.5, large=0.5, worse=0.55)

    with_it = Lessons(many(320, models=worse, seed=seed))
    without = Lessons(many(320, models=models, seed=seed))
    before = score_of(without, {key: known[key] for key in models}, asked)

    assert score_of(with_it, known, asked) >= 0.995 * before
