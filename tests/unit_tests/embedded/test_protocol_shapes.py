"""Models, estimates and errors in LM Studio's words."""

import lmstudio.json_api as sdk
from lmstudio._sdk_models import EmbeddingModelInstanceInfo, LlmInfo, LlmInstanceInfo

from langchain_lmswitch.embedded.protocol import failures
from langchain_lmswitch.embedded.protocol.shapes import (
    card_info,
    quantization_bits,
    resident_info,
    survey,
    usage,
)
from langchain_lmswitch.errors import ContextTooLong, LoadFailed, ModelGone
from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot
from langchain_lmswitch.types.models import ModelCard, Resident

CARD = ModelCard(
    key="tiny",
    display_name="Tiny",
    publisher="me",
    path="me/tiny/tiny.gguf",
    size_bytes=10,
    architecture="llama",
    params="1M",
    quantization="Q4_K_M",
    max_context_tokens=2048,
    vision=True,
    tool_use=True,
)
RESIDENT = Resident(
    key="tiny", identifier="tiny:2", reference="ref", context_tokens=512, ttl_s=60, last_used_s=1.5
)


def test_a_card_has_every_field_that_the_javascript_schema_requires() -> None:
    info = card_info(CARD)
    required = {
        *("type", "modelKey", "format", "displayName", "publisher", "path", "sizeBytes"),
        *("indexedModelIdentifier", "deviceIdentifier", "maxContextLength"),
        *("vision", "trainedForToolUse"),
    }
    assert required <= info.keys()
    assert info["quantization"] == {"name": "Q4_K_M", "bits": 4}
    assert info["deviceIdentifier"] is None


def test_unknown_facts_are_left_out_where_the_schema_allows() -> None:
    info = card_info(ModelCard(key="bare"))
    assert not info.keys() & {"paramsString", "architecture", "quantization"}
    assert info["displayName"] == "bare"


def test_the_sdk_reads_cards_and_residents() -> None:
    assert sdk.load_struct(card_info(CARD), LlmInfo).model_key == "tiny"
    loaded = sdk.load_struct(resident_info(CARD, RESIDENT), LlmInstanceInfo)
    assert (loaded.identifier, loaded.context_length) == ("tiny:2", 512)


def test_the_sdk_reads_an_embedding_model_of_a_format_it_does_not_know() -> None:
    """One unknown format would make it refuse the whole listing."""
    card = ModelCard(key="use", kind="embedding", format="numpy")
    info = resident_info(card, Resident(key="use", identifier="use", kind="embedding"))
    assert sdk.load_struct(info, EmbeddingModelInstanceInfo).model_key == "use"
    assert "vision" not in info


def test_times_are_milliseconds_or_null() -> None:
    info = resident_info(CARD, RESIDENT)
    assert (info["ttlMs"], info["lastUsedTime"]) == (60_000, 1500)
    info = resident_info(CARD, Resident(key="tiny", identifier="tiny"))
    assert (info["ttlMs"], info["lastUsedTime"]) == (None, None)


def test_bits_are_read_from_the_name_of_a_quantization() -> None:
    names = {"Q4_K_M": 4, "IQ3_XXS": 3, "BF16": 16, "MXFP4": 4, "": None, "mixed": None}
    assert {name: quantization_bits(name) for name in names} == names


def test_the_parts_of_an_estimate_sum_up() -> None:
    cost = Footprint(
        weights_bytes=600, kv_bytes=300, compute_bytes=100, vram_bytes=500, source="header"
    )
    memory = usage(cost, fits=True)["memory"]
    assert memory["modelBytes"] + memory["contextBytes"] == memory["totalBytes"] == 1000
    assert memory["modelVramBytes"] + memory["contextVramBytes"] == memory["totalVramBytes"] == 500
    assert memory["confidence"] == "high"


def test_a_guess_from_the_size_has_low_confidence() -> None:
    cost = Footprint(weights_bytes=600, kv_bytes=300, source="size")
    estimate = usage(cost, fits=False)
    assert estimate["memory"]["confidence"] == "low"
    assert estimate["passesGuardrails"] is False


def test_a_survey_tells_no_accelerator_from_an_unknown_one() -> None:
    codes = []
    for gpus in (None, (), (Gpu(name="G", total_bytes=7, free_bytes=None),)):
        machine = Snapshot(ram_total_bytes=5, ram_free_bytes=None, gpus=gpus)
        found = survey(machine, version="1", architecture="x86_64", platform="linux")
        (engine,) = found["engines"]
        codes.append(engine["hardwareSurvey"]["gpuSurveyResult"]["result"]["code"])
    assert codes == ["Unset", "NoDevicesFound", "Success"]
    assert engine["memoryInfo"] == {"ramCapacity": 5, "vramCapacity": 7, "totalMemory": 12}


def test_errors_carry_the_codes_that_clients_look_for() -> None:
    codes = [
        failures.to_wire(error)["displayData"]["code"]
        for error in (
            failures.no_model_matching({"identifier": "x"}, ["a"]),
            failures.model_unloaded(),
            failures.path_not_found("x", ["a"]),
            failures.domain_mismatch("x", actual="llm", expected="embedding"),
            failures.preset_not_found("p"),
        )
    ]
    assert codes == [
        "generic.noModelMatchingQuery",
        "generic.specificModelUnloaded",
        "generic.pathNotFound",
        "generic.domainMismatch",
        "generic.presetNotFound",
    ]


def test_samples_are_bounded_and_the_total_is_not() -> None:
    display = failures.path_not_found("x", [str(n) for n in range(50)]).wire["displayData"]
    assert len(display["availablePathsSample"]) == failures.SAMPLE
    assert display["totalModels"] == 50


def test_a_lack_of_memory_is_said_in_lm_studios_words() -> None:
    wire = failures.to_wire(LoadFailed("m", reason="no room", for_memory=True))
    assert wire["title"].startswith(
        "Model loading was stopped due to insufficient system resources"
    )


def test_an_overlong_prompt_tells_both_numbers() -> None:
    wire = failures.to_wire(ContextTooLong(tokens=900, limit_tokens=512))
    assert "900" in wire["title"]
    assert wire["errorData"] == {"type": "ContextTooLong", "tokens": 900, "limitTokens": 512}


def test_a_dead_process_is_told_in_the_title() -> None:
    wire = failures.to_wire(ModelGone("m", reason="signal 9"))
    assert wire["title"] == "The model process ended: signal 9"


def test_a_foreign_error_tells_its_type_and_nothing_of_its_text() -> None:
    """Its text could hold a prompt, or a path."""
    wire = failures.to_wire(ValueError("secret prompt"))
    assert "ValueError" in wire["title"]
    assert "secret" not in str(wire)
