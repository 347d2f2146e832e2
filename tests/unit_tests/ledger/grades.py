"""Short ways to write answers and grades."""

from hypothesis import strategies as st

from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade, GradeSource
from langchain_lmswitch.types.tasks import Features

HERE = "local"
CODE = Features(kinds={"code": 0.9, "chat": 0.1}, difficulty=0.3, signs=(0.5, 1.0), vector=(7, -3))


def grade(
    number: int = 0,
    *,
    key: str = "coder",
    score: float = 1.0,
    request: str | None = None,
    host: str = HERE,
    source: GradeSource = "feedback",
    weight: float = 1.0,
) -> Grade:
    """Make a grade that is told from others by its time."""
    return Grade(
        at_s=float(number),
        key=key,
        features=CODE,
        score=score,
        weight=weight,
        source=source,
        request=f"request-{number}" if request is None else request,
        host=host,
    )


def answer(number: int = 0, *, key: str = "coder", host: str = HERE) -> AnswerRecord:
    """Make an answer that is told from others by its request and its run."""
    return AnswerRecord(
        at_s=float(number),
        host=host,
        request=f"request-{number}",
        key=key,
        task="code",
        features=CODE,
        run=f"run-{number}",
        prompt_tokens=100,
        answer_tokens=20,
        first_token_s=0.5,
        tokens_per_second=40.0,
    )


shares = st.floats(0, 1)
kinds = st.dictionaries(st.sampled_from(["code", "math", "chat", "tools"]), shares, max_size=3)
features = st.builds(
    Features,
    kinds=kinds,
    difficulty=shares,
    signs=st.lists(st.floats(-5, 5), max_size=3).map(tuple),
    vector=st.lists(st.integers(-127, 127), max_size=4).map(tuple),
)
grades = st.builds(
    Grade,
    at_s=st.floats(0, 2e9),
    key=st.sampled_from(["coder", "chat/modell-ä", "small"]),
    features=features,
    score=shares,
    weight=st.floats(0.01, 1),
    source=st.sampled_from(["feedback", "fine", "schema"]),
    request=st.sampled_from(["", "a", "b", "c"]),
    host=st.sampled_from([HERE, "far:1234"]),
)
