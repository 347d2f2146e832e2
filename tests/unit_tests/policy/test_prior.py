"""What is expected of models that were never asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.prior import CEILING, prior
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import Features, Hints, Needs, Task, TaskKind

KINDS: tuple[TaskKind, ...] = get_args(TaskKind)


def task(kind: TaskKind = "chat", *, tools: bool = False, difficulty: float = 0.5) -> Task:
    return Task(
        kind=kind,
        confidence=0.8,
        evidence="a word",
        needs=Needs(tools=tools),
        features=Features(difficulty=difficulty),
    )


def told(kind: TaskKind, roles: Mapping[str, object]) -> Task:
    return replace(task(kind), hints=Hints(roles=roles_of(roles)))


def quality(key: str, kind: TaskKind, *, params: str = "", quantization: str = "") -> float:
    return prior(card(key, params=params, quantization=quantization), task(kind)).quality


# What is published, and what everybody knows: more than a point apart.
@pytest.mark.parametrize(
    ("kind", "better", "worse"),
    [
        ("knowledge", "qwen2.5-7b-instruct", "qwen1.5-7b-chat"),
        ("knowledge", "gemma-2-9b-it", "llama-2-70b-chat"),
        ("knowledge", "llama-3.1-8b-instruct", "c4ai-command-r-v01"),
        ("reasoning", "qwen3-8b", "qwen2.5-7b-instruct"),
        ("reasoning", "mistral-small-24b-instruct-2501", "mixtral-8x7b-instruct-v0.1"),
        ("math", "qwen2.5-7b-instruct", "meta-llama-3-8b-instruct"),
        ("math", "phi-4", "phi-3-medium-4k-instruct"),
        ("math", "deepseek-r1-distill-qwen-7b", "qwen2.5-7b-instruct"),
        ("math", "mathstral-7b-v0.1", "mistral-7b-instruct-v0.3"),
        ("math", "qwen2.5-math-7b-instruct", "qwen2.5-7b-instruct"),
        ("code", "qwen2.5-coder-7b-instruct", "qwen2.5-7b-instruct"),
        ("code", "qwen2.5-coder-14b", "codellama-34b-instruct"),
        ("code", "llama-3.1-8b-instruct", "codegemma-7b"),
        ("chat", "gemma-3-12b-it", "gemma-2-9b-it"),
        ("chat", "qwen2.5-7b-instruct", "qwen2.5-coder-7b-instruct"),
        ("chat", "qwen2.5-7b-instruct", "qwen2.5-math-7b-instruct"),
        ("chat", "yi-1.5-9b-chat", "yi-6b-chat"),
        ("chat", "smollm2-1.7b-instruct", "smollm2-135m-instruct"),
        ("facts", "llama-3.1-8b-instruct", "phi-3-mini-4k-instruct"),
        ("facts", "llama-3.1-70b-instruct", "qwen3-8b"),
        ("extraction", "llama3-chatqa-1.5-8b", "mistral-7b-instruct-v0.2"),
        ("knowledge", "llama-3.1-8b-instruct", "llama3-chatqa-1.5-70b"),
        ("tools", "xlam-1b-fc-r", "gemma-7b-it"),
        ("tools", "llama-3.1-8b-instruct", "gemma-2-27b-it"),
        ("code", "gpt-oss-20b", "gemma-2-27b-it"),
        ("math", "qwen3-30b-a3b", "qwen2.5-14b-instruct"),
        ("chat", "olmo-2-1124-13b-instruct", "olmo-7b-instruct"),
        ("chat", "granite-3.3-8b-instruct", "falcon-40b-instruct"),
        ("chat", "qwen3.6-27b", "qwen3-32b"),
        ("chat", "gemma-4-12b", "gemma-3-12b-it"),
    ],
)
def test_who_is_better_at_what(kind: TaskKind, better: str, worse: str) -> None:
    assert quality(better, kind) > quality(worse, kind) + 0.01


def test_a_new_generation_beats_ten_times_the_parameters() -> None:
    """What is largest is seldom best."""
    assert quality("qwen3-8b", "math") > quality("llama-2-70b-chat", "math") + 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_a_mixture_is_between_its_active_part_and_its_size(kind: TaskKind) -> None:
    active, mixture, all_of_it = (
        quality(key, kind) for key in ("qwen3-3b", "qwen3-30b-a3b", "qwen3-30b")
    )

    assert active < mixture < all_of_it


@pytest.mark.parametrize("kind", KINDS)
@given(small=st.floats(0.1, 400), times=st.floats(1.1, 10))
def test_more_parameters_are_never_worse(kind: TaskKind, small: float, times: float) -> None:
    """Of models that differ in nothing else."""
    few, many = (
        prior(ModelCard(key="x", params=f"{billions:.3f}B"), task(kind)).quality
        for billions in (small, small * times)
    )

    assert few < many <= CEILING


def test_what_a_doubling_brings_grows_less() -> None:
    """Eight points or so at 8B; twice that where models are small, half where they are large."""
    small, middling, large = (
        quality("x", "knowledge", params=f"{2 * size}B")
        - quality("x", "knowledge", params=f"{size}B")
        for size in (1, 8, 64)
    )

    assert small > 1.4 * middling > 1.4 * 1.4 * large > 0


@pytest.mark.parametrize("key", ["llama-3.1-8b-base", "gemma-3-4b-pt"])
def test_base_models_answer_badly(key: str) -> None:
    taught = key.rpartition("-")[0] + "-it"

    assert quality(taught, "chat") - quality(key, "chat") > 0.15


@pytest.mark.parametrize("key", ["database-expert-8b", "adaptive-8b", "8b"])
def test_words_within_words_mean_nothing(key: str) -> None:
    reasons = prior(card(key, quantization=""), task()).reasons

    assert [reason.rpartition(" ")[0] for reason in reasons] == ["8B parameters", "unknown family"]


def test_coarse_weights_lose_and_small_models_lose_more() -> None:
    names = ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ1_S"]
    small, large = (
        [quality("llama-3.1", "reasoning", params=params, quantization=one) for one in names]
        for params in ("3B", "70B")
    )

    assert small == sorted(small, reverse=True)
    assert small[1] - small[3] < 0.02 < small[3] - small[5]
    assert small[3] - small[5] > 1.5 * (large[3] - large[5]) > 0


@pytest.mark.parametrize("name", ["F16", "BF16", "", "MXFP4", "unheard of"])
def test_full_and_unknown_weights_lose_nothing(name: str) -> None:
    assert quality("gpt-oss-20b", "code", quantization=name) == quality("gpt-oss-20b", "code")


def test_changed_models_lose_a_little() -> None:
    loss = quality("qwen2.5-7b-instruct", "chat") - quality(
        "qwen2.5-7b-instruct-abliterated", "chat"
    )

    assert 0.02 < loss < 0.1


@pytest.mark.parametrize(
    "key",
    [
        "llama-guard-3-8b",
        "qwen2.5-72b-reward",
        "olmocr-7b-ocr",
        "whisper-large",
        "qwen3-reranker-8b",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_who_only_helps_others_is_never_best(kind: TaskKind, key: str) -> None:
    assert quality(key, kind) < 0.001 < quality("smollm2-135m-instruct", kind)


def test_training_for_tools_beats_ten_times_the_parameters() -> None:
    trained = prior(card("a", params="1B", tool_use=True), task(tools=True))
    large = prior(card("b", params="10B"), task(tools=True))

    assert trained.quality > large.quality


@pytest.mark.parametrize("kind", KINDS)
def test_a_grammar_helps_to_call_tools_and_training_helps_more(kind: TaskKind) -> None:
    plain, held, trained = (
        prior(one, task(kind, tools=True)).quality
        for one in (
            card("a", params="4B"),
            replace(card("a", params="4B"), tool_grammar=True),
            card("a", params="4B", tool_use=True),
        )
    )

    assert plain < held < trained
    if kind != "tools":
        without = task(kind)
        assert prior(card("a", tool_use=True), without) == prior(card("a"), without)


@pytest.mark.parametrize(
    ("key", "loses"),
    [
        ("smollm2-1.7b-instruct", 0.1),
        ("mistral-7b-instruct-v0.2", 0.03),
        ("qwen2.5-1.5b-instruct", 0.0),
        ("mystery-7b", 0.0),
    ],
)
@pytest.mark.parametrize("kind", ["chat", "summary", "facts"])
def test_other_languages_than_english(kind: TaskKind, key: str, loses: float) -> None:
    unclear, english, german = (
        prior(card(key), replace(task(kind), needs=Needs(language=language))).quality
        for language in ("", "en", "de")
    )

    assert unclear == english >= german
    assert english - german >= loses
    assert (english == german) is (loses == 0.0)


@given(
    st.sampled_from(["qwen2.5-coder-7b", "mystery", "llama-2-70b", "gemma-3-1b-it"]),
    st.sampled_from(KINDS),
    st.floats(0, 0.9),
)
def test_what_is_harder_is_done_less_well(key: str, kind: TaskKind, easy: float) -> None:
    harder = prior(card(key), task(kind, difficulty=easy + 0.1))

    assert 0 < harder.quality < prior(card(key), task(kind, difficulty=easy)).quality < 1


def test_tasks_are_mixed_as_likely_as_they_are() -> None:
    coder = card("qwen2.5-coder-7b")
    features = Features(kinds={"code": 0.6, "chat": 0.2, "math": 0.01})
    mixed = prior(coder, replace(task("facts"), features=features)).quality

    share = 0.75 * quality("qwen2.5-coder-7b", "code") + 0.25 * quality("qwen2.5-coder-7b", "chat")
    assert mixed == pytest.approx(share, abs=0.02)  # the card has a quantization


@given(
    st.sampled_from(["qwen2.5-coder-7b-base", "mystery", "llama-3.1-70b", "xlam-1b-fc"]),
    st.dictionaries(st.sampled_from(KINDS), st.floats(0.01, 1)),
    st.booleans(),
    st.sampled_from([{}, {"*": ["code"]}, {"*": {"code": 0.3}}]),
)
def test_reasons_add_up(
    key: str,
    kinds: dict[TaskKind, float],
    tools: bool,  # noqa: FBT001
    roles: Mapping[str, object],
) -> None:
    request = replace(
        task(tools=tools), features=Features(kinds=kinds), hints=Hints(roles=roles_of(roles))
    )
    found = prior(card(key, tool_use=True, quantization="Q3_K_S"), request)

    points = [float(reason.rpartition(" ")[2]) for reason in found.reasons]
    assert sum(points) == pytest.approx(found.quality, abs=0.0006 * len(points))
    assert found.prior == found.quality


def test_published_accuracies_move_the_formula_and_do_not_replace_it() -> None:
    """Llama 3.1 8B is better at mathematics than at its makers' other benchmarks says the table."""
    known, unknown = "qwen2.5-coder-7b-instruct", "qwen2.5-coder-9b-instruct"
    for key, expected in ((known, True), (unknown, False)):
        reasons = prior(card(key), task("code")).reasons
        assert any(one.startswith("published accuracies") for one in reasons) is expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_makes_the_first_choice(kind: TaskKind) -> None:
    """Even of the smallest beside the largest; of two with the role the better one is ahead."""
    roles = {"smol": [kind], "qwen2.5-1.5b": kind}
    tiny, small, giant = (
        prior(card(key), told(kind, roles)).quality
        for key in ("smollm2-135m-instruct", "qwen2.5-1.5b-instruct", "qwen3-235b-a22b-thinking")
    )

    assert small > tiny > giant + 0.02


def test_the_role_of_the_likeliest_task_decides_whatever_else_it_may_be() -> None:
    features = Features(kinds={"code": 0.4, "chat": 0.3, "facts": 0.3})
    request = replace(told("code", {"smol": "code"}), features=features)
    tiny, giant = (
        prior(card(key), request).quality for key in ("smollm2-135m-instruct", "qwen3-32b")
    )

    assert tiny > giant + 0.02
    other = replace(request, kind="facts")
    assert prior(card("smollm2-135m-instruct"), other).quality < giant


def test_a_role_says_nothing_of_other_tasks() -> None:
    roles = {"coder": ["code"]}

    assert prior(card("coder-7b"), told("math", roles)) == prior(card("coder-7b"), task("math"))
    assert prior(card("other-7b"), told("code", roles)) == prior(card("other-7b"), task("code"))


def test_a_score_is_taken_as_it_is() -> None:
    roles = {"gemma": {"scores": {"math": 0.31}, "roles": ["math"]}}
    easy = replace(told("math", roles), features=Features(difficulty=0.0))

    assert prior(card("gemma-3-27b"), easy).quality == pytest.approx(0.31)
