"""Raw listings, read with tolerance."""

import pytest
from unit_tests.hosts.peer import info, loaded

from langchain_lmswitch.hosts.lmstudio import listing
from langchain_lmswitch.types.models import ModelCard, Resident


def test_a_full_entry_keeps_what_the_sdk_drops() -> None:
    assert listing.cards([info("tiny", deviceIdentifier="other-mac")]) == [
        ModelCard(
            key="tiny",
            display_name="Tiny",
            publisher="pub",
            path="pub/tiny/tiny.gguf",
            size_bytes=91_000_000,
            architecture="llama",
            params="135M",
            quantization="Q4_1",
            max_context_tokens=2048,
            tool_use=True,
            device="other-mac",
        )
    ]


def test_an_unknown_format_is_kept_and_an_unknown_type_is_left_out() -> None:
    raw = [
        info("a", format="pte"),
        info("b", type="imageGen"),
        {"type": "llm"},
        "nonsense",
        info("c", type="embedding", paramsString=None, quantization=None),
    ]
    assert [(card.key, card.kind, card.format) for card in listing.cards(raw)] == [
        ("a", "llm", "pte"),
        ("c", "embedding", "gguf"),
    ]


def test_a_loaded_model_keeps_its_ttl_and_last_use() -> None:
    (found,) = listing.residents(
        [loaded("tiny", identifier="mine", lastUsedTime=1_700_000_000_500)]
    )
    assert found == Resident(
        key="tiny",
        identifier="mine",
        reference="xJZs==",
        context_tokens=2048,
        size_bytes=91_000_000,
        ttl_s=60.0,
        last_used_s=1_700_000_000.5,
    )


def test_no_ttl_means_never() -> None:
    (found,) = listing.residents([loaded(ttlMs=None)])
    assert (found.ttl_s, found.last_used_s) == (None, None)


@pytest.mark.parametrize("raw", [None, {}, "[]", 3])
def test_what_is_no_listing_lists_nothing(raw: object) -> None:
    assert listing.cards(raw) == []
