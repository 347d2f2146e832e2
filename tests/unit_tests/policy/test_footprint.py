"""Estimates of what a load costs, against what llama.cpp really allocated."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.footprint import (
    from_header,
    from_size,
    repacks,
)
from langchain_lmswitch.policy.kvcache import (
    BLOCKS,
    CacheType,
    ContextParams,
    layer_bytes,
    pad,
    state_bytes,
)
from langchain_lmswitch.policy.parameters import billions_of
from langchain_lmswitch.types.models import Architecture, Recurrence

MIB = 2**20


def shape(
    layers: int, kv_heads: int, head: int, *, n_embd: int, n_ff: int = 0, n_vocab: int = 0
) -> Architecture:
    return Architecture(
        name="made",
        n_layers=layers,
        n_embd=n_embd,
        n_heads=32,
        kv_heads=(kv_heads,) * layers,
        key_length=head,
        value_length=head,
        n_ff=n_ff,
        n_vocab=n_vocab,
    )


LLAMA_8B = shape(32, 8, 128, n_embd=4096, n_ff=14336, n_vocab=128256)
QWEN3_4B = shape(36, 8, 128, n_embd=2560, n_ff=9728, n_vocab=151936)
QWEN3_30B = shape(48, 4, 128, n_embd=2048, n_ff=6144, n_vocab=151936)
GEMMA_12B = replace(
    shape(48, 8, 256, n_embd=3840, n_ff=15360, n_vocab=262208),
    window_tokens=1024,
    window_layers=tuple(layer % 6 != 5 for layer in range(48)),
)
SMOLLM2 = shape(30, 3, 64, n_embd=576, n_ff=1536, n_vocab=49152)
CODER_HALF_B = shape(24, 2, 64, n_embd=896, n_ff=4864, n_vocab=151936)


def kv_bytes(model: Architecture, *, context_tokens: int, parallel: int = 1) -> int:
    context = ContextParams(context_tokens=context_tokens, parallel=parallel)
    return sum(layer_bytes(model, context))


class Allocated(NamedTuple):
    """One load as llama.cpp reported it, in MiB."""

    model: Architecture
    context: int
    weights: int
    kv: int
    total: int
    parallel: int = 1


ALLOCATED = {
    "llama-8b@8k": Allocated(LLAMA_8B, 8192, 4685, 1024, 5841),
    "qwen3-4b@4k": Allocated(QWEN3_4B, 4096, 2376, 576, 3038),
    "qwen3-4b@32k": Allocated(QWEN3_4B, 32768, 2376, 4608, 7098),
    "gemma-12b@8k": Allocated(GEMMA_12B, 8192, 6956, 992, 8085),
    "gemma-12b@32k": Allocated(GEMMA_12B, 32768, 6956, 2528, 9645),
    "gemma-12b@32k x4": Allocated(GEMMA_12B, 32768, 6956, 3488, 10605, parallel=4),
    "qwen3-30b@8k": Allocated(QWEN3_30B, 8192, 17691, 768, 18555),
    "qwen3-30b@32k": Allocated(QWEN3_30B, 32768, 17691, 3072, 20883),
    "smollm2@2k": Allocated(SMOLLM2, 2048, 94, 45, 217),
    "smollm2@8k": Allocated(SMOLLM2, 8192, 94, 180, 352),
    "coder-0.5b@2k": Allocated(CODER_HALF_B, 2048, 469, 24, 660),
    "coder-0.5b@8k": Allocated(CODER_HALF_B, 8192, 469, 96, 732),
}


@pytest.mark.parametrize("case", ALLOCATED.values(), ids=ALLOCATED)
def test_the_cache_matches_to_the_byte(case: Allocated) -> None:
    size = kv_bytes(case.model, context_tokens=case.context, parallel=case.parallel)
    assert size == case.kv * MIB


@pytest.mark.parametrize("case", ALLOCATED.values(), ids=ALLOCATED)
def test_the_estimate_is_never_low_and_at_most_half_too_high(case: Allocated) -> None:
    estimate = from_header(
        case.model,
        size_bytes=case.weights * MIB,
        context_tokens=case.context,
        parallel=case.parallel,
    )
    assert case.total * MIB <= estimate.total_bytes <= 1.5 * case.total * MIB


@pytest.mark.parametrize("case", [c for c in ALLOCATED.values() if c.weights > 2000])
def test_large_models_are_estimated_within_a_tenth(case: Allocated) -> None:
    estimate = from_header(
        case.model,
        size_bytes=case.weights * MIB,
        context_tokens=case.context,
        parallel=case.parallel,
    )
    assert estimate.total_bytes <= 1.1 * case.total * MIB


def test_a_copy_is_reckoned_only_where_it_is_made() -> None:
    def weights(model: Architecture, *, repacked: bool) -> int:
        load = from_header(model, size_bytes=1000, context_tokens=2048, repacked=repacked)
        return load.weights_bytes

    assert weights(QWEN3_4B, repacked=False) == 1000
    assert weights(QWEN3_4B, repacked=True) == 1700
    assert weights(CODER_HALF_B, repacked=True) == 1100


def test_which_quantizations_are_copied() -> None:
    assert all(map(repacks, ("Q4_K_M", "q4_k_s", "Q6_K", "Q4_0", "IQ4_NL")))
    assert not any(map(repacks, ("Q4_1", "F16", "BF16", "", "IQ2_XS")))


def test_layers_without_attention_cost_no_cache() -> None:
    hybrid = replace(QWEN3_4B, kv_heads=(8, 0, 0) * 12)
    assert 3 * kv_bytes(hybrid, context_tokens=4096) == kv_bytes(QWEN3_4B, context_tokens=4096)


@given(context=st.integers(1, 1 << 20), more=st.integers(0, 1 << 20))
def test_more_context_never_costs_less(context: int, more: int) -> None:
    for model in (LLAMA_8B, GEMMA_12B, SMOLLM2):
        small = from_header(model, size_bytes=1, context_tokens=context)
        large = from_header(model, size_bytes=1, context_tokens=context + more)
        assert small.total_bytes <= large.total_bytes


@given(context=st.integers(1, 1 << 20), parallel=st.integers(1, 64))
def test_more_requests_at_once_never_cost_less_and_never_more_than_full_layers(
    context: int, parallel: int
) -> None:
    one = kv_bytes(GEMMA_12B, context_tokens=context)
    many = kv_bytes(GEMMA_12B, context_tokens=context, parallel=parallel)
    full = kv_bytes(replace(GEMMA_12B, window_layers=()), context_tokens=context)
    assert one <= many <= full


@pytest.mark.parametrize(
    ("cache_type", "mib"), [("f16", 1024), ("q8_0", 544), ("q4_0", 288), ("f32", 2048)]
)
def test_a_quantized_cache_is_as_small_as_its_blocks(cache_type: CacheType, mib: int) -> None:
    context = ContextParams(context_tokens=8192, key_type=cache_type, value_type=cache_type)
    assert sum(layer_bytes(LLAMA_8B, context)) == mib * MIB


def test_keys_and_values_may_be_of_different_types() -> None:
    context = ContextParams(context_tokens=8192, key_type="q8_0", value_type="q4_0")
    assert sum(layer_bytes(LLAMA_8B, context)) == (544 + 288) // 2 * MIB


def test_parts_that_are_not_shared_are_padded_each() -> None:
    """Measured: 5000 tokens for four are 1280 cells for each, and 160 MiB in 8 such layers."""
    model = shape(8, 8, 128, n_embd=2560)
    context = ContextParams(context_tokens=5000, parallel=4, unified=False)
    assert (context.cells, sum(layer_bytes(model, context))) == (1280, 160 * MIB)


def test_the_heads_of_window_layers_may_be_smaller() -> None:
    like_gemma4 = replace(GEMMA_12B, window_key_length=128, window_value_length=128)
    context = ContextParams(context_tokens=8192)
    wide, narrow = layer_bytes(GEMMA_12B, context), layer_bytes(like_gemma4, context)
    assert (narrow[0] * 2, narrow[5]) == (wide[0], wide[5])


def hybrid() -> Architecture:
    """Qwen3.5-4B with eight layers."""
    linear = Recurrence(
        n_layers=6, conv_tokens=3, conv_width=8192, n_inner=4096, n_state=128, n_projected=12320
    )
    return replace(QWEN3_4B, kv_heads=(0, 0, 0, 4) * 2, recurrence=linear)


def test_recurrent_layers_keep_a_state_for_each_request() -> None:
    """Measured: 12.56 MiB for one request, 50.25 for four, whatever the context."""
    assert state_bytes(hybrid(), parallel=1) == 12.5625 * MIB
    assert state_bytes(hybrid(), parallel=4) == 50.25 * MIB
    assert state_bytes(QWEN3_4B, parallel=4) == 0
    load = from_header(hybrid(), size_bytes=0, context_tokens=4096)
    assert load.kv_bytes == sum(
        (kv_bytes(hybrid(), context_tokens=4096), state_bytes(hybrid(), parallel=1))
    )


def scratch(model: Architecture, *, step: int = 512, all_outputs: bool = False) -> float:
    load = from_header(
        model, size_bytes=0, context_tokens=8192, n_ubatch=step, all_outputs=all_outputs
    )
    return load.compute_bytes / MIB


def test_smaller_steps_need_less_scratch() -> None:
    assert scratch(LLAMA_8B) == pytest.approx(7 / 6 * 124 + 8.6, abs=0.2)
    assert scratch(LLAMA_8B, step=256) == pytest.approx(7 / 6 * 62 + 4.6, abs=0.2)


def test_older_engines_keep_the_logits_of_every_token() -> None:
    """Published: 300.75 MiB for Qwen2.5-3B, all in all."""
    qwen = shape(36, 2, 128, n_embd=2048, n_ff=11008, n_vocab=151936)
    assert scratch(qwen) < 110
    assert 300.75 < scratch(qwen, all_outputs=True) < 1.1 * 300.75


def test_an_encoder_has_no_logits() -> None:
    encoder = replace(SMOLLM2, kv_heads=(0,) * 30)
    assert scratch(encoder, all_outputs=True) == scratch(encoder) < scratch(SMOLLM2)


def test_experts_need_scratch_side_by_side() -> None:
    """Measured: 96.6 MiB for Qwen3-30B-A3B, 8 experts of 768 each; a sixth more is reckoned."""
    experts = replace(QWEN3_30B, experts_used=8, n_ff_expert=768)
    assert scratch(experts) == pytest.approx(7 / 6 * 88 + 8.6, abs=0.1)
    assert scratch(QWEN3_30B) < scratch(experts)


@given(
    context=st.integers(1, 1 << 20),
    parallel=st.integers(1, 64),
    unified=st.booleans(),
    step=st.integers(1, 4096),
    key_type=st.sampled_from(sorted(BLOCKS)),
)
def test_a_cache_has_room_for_what_was_asked_and_no_type_is_larger_than_f32(
    context: int, parallel: int, step: int, key_type: CacheType, *, unified: bool
) -> None:
    params = ContextParams(
        context_tokens=context,
        parallel=parallel,
        unified=unified,
        n_ubatch=step,
        key_type=key_type,
    )
    assert params.cells * params.streams > context - params.streams
    largest = replace(params, key_type="f32", value_type="f32")
    assert 0 < sum(layer_bytes(GEMMA_12B, params)) <= sum(layer_bytes(GEMMA_12B, largest))


def test_what_the_tensor_table_says_takes_the_place_of_a_guess() -> None:
    load = from_header(
        QWEN3_4B, size_bytes=1000, context_tokens=2048, repacked=True, weights_bytes=1234
    )
    assert load.weights_bytes == 1234


@given(
    size=st.integers(0, 1 << 42),
    context=st.integers(1, 1 << 20),
    params=st.sampled_from(["", "7B", "135M", "8x7B", "30B-A3B", "nonsense"]),
)
def test_no_estimate_is_below_the_file(size: int, context: int, params: str) -> None:
    header = from_header(SMOLLM2, size_bytes=size, context_tokens=context)
    guess = from_size(size, params=params, context_tokens=context)
    assert min(header.weights_bytes, guess.weights_bytes) >= size
    assert guess.source == "size"


@given(context=st.integers(1, 1 << 20), more=st.integers(0, 1 << 20))
def test_a_guess_grows_with_the_context(context: int, more: int) -> None:
    small = from_size(10**9, params="1B", context_tokens=context)
    large = from_size(10**9, params="1B", context_tokens=context + more)
    assert small.total_bytes <= large.total_bytes


@given(st.integers(0, 1 << 30))
def test_padding_is_the_least_multiple_that_holds_it(tokens: int) -> None:
    assert pad(tokens) % 256 == 0
    assert tokens <= pad(tokens) < tokens + 256


@pytest.mark.parametrize(
    ("label", "billions"),
    [("7B", 7), ("135M", 0.135), ("8x7B", 56), ("30B-A3B", 30), ("1.5b", 1.5), ("", 0), ("big", 0)],
)
def test_parameter_labels(label: str, billions: float) -> None:
    assert billions_of(label) == pytest.approx(billions)


@given(st.text())
def test_no_label_breaks_the_parser(label: str) -> None:
    assert billions_of(label) >= 0
