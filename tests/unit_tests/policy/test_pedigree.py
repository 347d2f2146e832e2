"""What a card tells of where a model comes from, how large it is and what it was made for."""

import pytest

from langchain_lmswitch.policy.bits import bits_of, quantization_loss
from langchain_lmswitch.policy.bundled import bundled
from langchain_lmswitch.policy.families import UNKNOWN, family_of
from langchain_lmswitch.policy.pedigree import pedigree
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelCard

SPECIALTIES = {row["name"] for row in bundled("specialties")["specialty"]}


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("Qwen2.5-7B-Instruct", "Qwen 2.5"),
        ("qwen/qwen3-30b-a3b-2507", "Qwen 3"),
        ("qwen3.6-27b", "Qwen 3.5 and later"),
        ("qwen4-9b", "Qwen 4 and later"),
        ("qwen-7b-chat", "Qwen 1"),
        ("qwen-32b", "Qwen 1"),
        ("Qwen1.5-72B-Chat", "Qwen 1.5"),
        ("CodeQwen1.5-7B-Chat", "Qwen 1.5"),
        ("Meta-Llama-3_1-8B-Instruct", "Llama 3.1 and 3.2"),
        ("llama3.1:8b", "Llama 3.1 and 3.2"),
        ("meta-llama-3-70b-instruct", "Llama 3"),
        ("llama-33b", "Llama 1"),
        ("Llama-2-13b-chat-hf", "Llama 2"),
        ("codellama-34b", "Code Llama"),
        ("tinyllama-1.1b-chat", "TinyLlama"),
        ("gemma-2b", "Gemma"),
        ("gemma-7b-it", "Gemma"),
        ("gemma-1.1-7b-it", "Gemma"),
        ("gemma-2-2b-it", "Gemma 2"),
        ("gemma2:27b", "Gemma 2"),
        ("google/gemma-3-27b", "Gemma 3"),
        ("gemma-3n-e4b-it", "Gemma 3n, 4B"),
        ("medgemma-4b-it", "Gemma 3"),
        ("codegemma-7b", "CodeGemma"),
        ("gemma-4-31b", "Gemma 4 and later"),
        ("mistral-7b-instruct-v0.3", "Mistral 7B 0.3"),
        ("mistralai/mistral-small-3.2", "Mistral Small 3"),
        ("mistral-small-24b-instruct-2501", "Mistral Small 3"),
        ("mistral-nemo-instruct-2407", "Mistral Nemo"),
        ("mistralai/devstral-small-2507", "Devstral"),
        ("deepseek/deepseek-r1-0528-qwen3-8b", "DeepSeek R1 distilled, second"),
        ("deepseek-r1-distill-llama-8b", "DeepSeek R1 distilled"),
        ("llama-3.3-nemotron-super-49b-v1", "Llama 3.3 Nemotron"),
        ("llama3-chatqa-1.5-70b", "ChatQA"),
        ("hermes-3-llama-3.1-8b", "Hermes 3"),
        ("dolphin-2.9-llama3-8b", "Llama 3"),
        ("phi-4-mini-reasoning", "Phi 4 mini"),
        ("phi-2", "Phi"),
        ("c4ai-command-r-v01", "Command R"),
        ("c4ai-command-r-plus", "Command R+"),
        ("smollm2-135m-instruct", "SmolLM 2"),
        ("granite-3.3-8b-instruct", "Granite 3"),
        ("ibm/granite-4-h-tiny", "Granite 4 and later"),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("zai-org/glm-4.7-flash", "GLM 4.5 and later"),
        ("glm-4-9b-chat", "GLM 4"),
        ("yi-1.5-9b-chat", "Yi 1.5"),
        ("Yi-6b-Chat", "Yi"),
        ("solar-10.7b", "SOLAR"),
        ("my-own-7b", ""),
        ("delphi-7b", ""),
        ("popular-7b", ""),
    ],
)
def test_families_by_name(key: str, family: str) -> None:
    assert family_of(card(key)).name == family


def test_families_by_what_else_a_card_tells() -> None:
    """The displayed name, then the architecture; that of llama has been used by everybody."""
    assert family_of(ModelCard(key="x", display_name="Gemma 2 9B")).name == "Gemma 2"
    assert family_of(ModelCard(key="x", architecture="gemma3")).name == "Gemma 3"
    assert family_of(ModelCard(key="phi-4", architecture="llama")).name == "Phi 4"
    assert family_of(ModelCard(key="x", architecture="llama")) is UNKNOWN


@pytest.mark.parametrize(
    ("key", "params", "billions", "active"),
    [
        ("qwen3-30b-a3b", "", 30, 3),
        ("granite-3.0-1b-a400m", "", 1, 0.4),
        ("Mixtral-8x7B-Instruct-v0.1", "", 46.5, 12.6),
        ("Mixtral-8x7B-Instruct-v0.1", "46.7B", 46.7, 12.6),
        ("mixtral", "", 46.7, 12.9),
        ("my-mixture", "30B-A3B", 30, 3),
        ("Mixtral-8x7B-Instruct-v0.1", "46.7B-A12.9B", 46.7, 12.9),
        ("gpt-oss-20b", "", 20, 3.6),
        ("deepseek-coder-v2-lite-instruct", "", 15.7, 2.4),
        ("phi-3-mini-4k-instruct", "", 3.8, None),
        ("mistral-small-2501", "", 23.6, None),
        ("qwen2.5-7b-instruct", "7.6B", 7.6, None),
        ("qwen2.5-14b-instruct-1m", "", 14, None),
    ],
)
def test_parameters(key: str, params: str, billions: float, active: float | None) -> None:
    found = pedigree(card(key, params=params))

    assert found.billions == pytest.approx(billions, rel=0.01)
    assert found.active == (None if active is None else pytest.approx(active, rel=0.01))


@pytest.mark.parametrize(
    ("key", "made_for"),
    [
        ("qwen2.5-coder-7b-instruct", ["code"]),
        ("codeqwen1.5-7b", ["code"]),
        ("starcoder2-3b", ["code"]),
        ("devstral-small", ["code"]),
        ("codestral-22b", ["code"]),
        ("sqlcoder-7b", ["code"]),
        ("qwen2.5-math-7b", ["math"]),
        ("mathstral-7b", ["math"]),
        ("qwen3-4b-thinking-2507", ["thinking"]),
        ("deepseek-r1-distill-qwen-7b", ["thinking"]),
        ("fin-r1", ["thinking", "finance and law"]),
        ("chatqa-2-8b", ["documents"]),
        ("xlam-7b-fc-r", ["calling"]),
        ("medgemma-4b", ["medicine"]),
        ("qwen2.5-vl-7b", ["pictures"]),
        ("mythomax-l2-13b", ["stories"]),
        ("towerinstruct-7b", ["translation"]),
        ("llama-guard-3-8b", ["judging"]),
        ("qwen2.5-7b-instruct", []),
        ("command-r-v01", []),
        ("database-expert", []),
        ("decoded-7b", []),
        ("aftermath-7b", []),
        ("fragrant-7b", []),
        ("mediator-7b", []),
        ("lawrence-7b", []),
        ("format-7b", []),
        ("draftsman-7b", []),
    ],
)
def test_what_a_model_was_made_for(key: str, made_for: list[str]) -> None:
    assert [one.name for one in pedigree(card(key)).specialties] == made_for


@pytest.mark.parametrize(
    ("key", "base", "merged"),
    [
        ("llama-3-8b-base", True, False),
        ("gemma-3-4b-pt", True, False),
        ("qwen2.5-7b-instruct-abliterated", False, True),
        ("llama-3-8b-uncensored", False, True),
        ("llama-3-slerp-8b", False, True),
        ("database-7b", False, False),
        ("adaptive-pt2-7b", False, False),
        ("emergent-properties-7b", False, False),
    ],
)
def test_what_became_of_it(key: str, base: bool, merged: bool) -> None:  # noqa: FBT001
    found = pedigree(card(key))

    assert (found.base, found.merged) == (base, merged)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("Q4_K_M", 4.8),
        ("Q3_K_S", 3.5),
        ("Q3_K_M", 3.9),
        ("UD-Q2_K_XL", 2.9),
        ("IQ4_XS", 4.4),
        ("IQ1_M", 1.7),
        ("Q8_0", 8.0),
        ("Q4_0", 4.0),
        ("4bit", 4.0),
        ("8-bit", 8.0),
        ("INT4", 4.0),
        ("F16", None),
        ("BF16", None),
        ("MXFP4", None),
        ("", None),
        ("fp8", 8.0),
    ],
)
def test_bits_of_a_quantization(name: str, bits: float | None) -> None:
    assert bits_of(name) == bits


def test_what_coarse_weights_cost() -> None:
    """Next to nothing at 8 bits, a few points at 4 and most of it at less than 2."""
    assert quantization_loss(8, 8) < 0.01 < quantization_loss(4.8, 8) < 0.1
    assert quantization_loss(1.7, 8) > 1
    assert quantization_loss(None, 8) == 0
    assert quantization_loss(3, 1) > quantization_loss(3, 8) > quantization_loss(3, 70)


def test_every_family_has_a_name_of_its_own() -> None:
    rows = bundled("families")["family"]

    assert len({row["name"] for row in rows}) == len(rows)
    assert len({row["pattern"] for row in rows}) == len(rows)
    assert all(set(row.get("is", ())) <= SPECIALTIES for row in rows)
    assert all(row.keys() & {"worth"} for row in rows)
