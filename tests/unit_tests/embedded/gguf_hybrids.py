"""True shapes of models with recurrent layers or latent attention, with fewer layers."""

from unit_tests.embedded.gguf_models import (
    F32,
    Q4_K,
    Q8_0,
    Tensors,
    attention,
    experts,
    feed_forward,
    keys,
    model,
    norms,
)
from unit_tests.embedded.gguf_sparse import Sparse


def lfm2() -> Sparse:
    """LFM2-1.2B, whole: ten short convolutions, six layers of attention."""
    full = {2, 5, 8, 10, 12, 14}
    kv_heads = [8 if number in full else 0 for number in range(16)]
    convolution: Tensors = {
        "attn_norm.weight": ((2048,), F32),
        "shortconv.conv.weight": ((3, 2048), F32),
        "shortconv.in_proj.weight": ((2048, 3 * 2048), Q4_K),
        "shortconv.out_proj.weight": ((2048, 2048), Q4_K),
    }
    attending = attention(2048, 32, 8, 64, normed=True)

    def layer(number: int) -> Tensors:
        return (attending if number in full else convolution) | feed_forward(2048, 8192)

    facts = keys(
        "lfm2", 16, 2048, 8192, 32, attention__head_count_kv=kv_heads, shortconv__l_cache=3
    )
    return model(facts, 65536, layer, norm="token_embd_norm")


def mamba2(layers: int) -> Sparse:
    """Mamba2-2.7B: no attention at all."""
    inner, state, heads = 5120, 128, 80
    width = inner + 2 * state
    layer: Tensors = {
        "attn_norm.weight": ((2560,), F32),
        "ssm_in.weight": ((2560, inner + width + heads), Q4_K),
        "ssm_conv1d.weight": ((4, width), F32),
        "ssm_conv1d.bias": ((width,), F32),
        "ssm_dt.bias": ((heads,), F32),
        "ssm_a": ((1, heads), F32),
        "ssm_d": ((1, heads), F32),
        "ssm_norm.weight": ((inner, 1), F32),
        "ssm_out.weight": ((inner, 2560), Q4_K),
    }
    ssm = {"conv_kernel": 4, "inner_size": inner, "state_size": state, "group_count": 1}
    more = {f"ssm__{key}": value for key, value in (ssm | {"time_step_rank": heads}).items()}
    facts = keys("mamba2", layers, 2560, 0, 0, attention__head_count_kv=0, **more)
    return model(facts, 50288, layer, tied=False)


def qwen35(layers: int) -> Sparse:
    """Qwen3.5-4B: Gated DeltaNet, attention in every fourth layer."""
    inner, state, groups, heads = 4096, 128, 16, 32
    width = inner + 2 * state * groups
    linear: Tensors = {
        "attn_norm.weight": ((2560,), F32),
        "attn_qkv.weight": ((2560, width), Q4_K),
        "attn_gate.weight": ((2560, inner), Q4_K),
        "ssm_conv1d.weight": ((4, width), F32),
        "ssm_dt.bias": ((heads,), F32),
        "ssm_a": ((heads,), F32),
        "ssm_beta.weight": ((2560, heads), Q4_K),
        "ssm_alpha.weight": ((2560, heads), Q4_K),
        "ssm_norm.weight": ((inner // heads,), F32),
        "ssm_out.weight": ((inner, 2560), Q4_K),
    }
    full = attention(2560, 16, 4, 256, normed=True)
    full["attn_q.weight"] = ((2560, 2 * 16 * 256), Q4_K)
    rest = feed_forward(2560, 9216)
    rest["post_attention_norm.weight"] = rest.pop("ffn_norm.weight")
    ssm = {"conv_kernel": 4, "inner_size": inner, "state_size": state, "group_count": groups}
    more = {f"ssm__{key}": value for key, value in (ssm | {"time_step_rank": heads}).items()}
    more |= {"attention__head_count_kv": 4, "full_attention_interval": 4}
    more |= {"attention__key_length": 256, "attention__value_length": 256}
    more |= {"rope__dimension_count": 64}
    facts = keys("qwen35", layers, 2560, 9216, 16, rope__dimension_sections=[11, 11, 10, 0], **more)
    return model(facts, 248320, lambda number: (linear if (number + 1) % 4 else full) | rest)


def glm_flash(layers: int, n_experts: int) -> Sparse:
    """GLM-4.7-Flash: latent attention, whose values are a view of its keys; experts."""
    latent, rotary, plain, value, heads, query = 512, 64, 192, 256, 20, 768
    attending: Tensors = {
        **norms(2048, "attn_norm", "ffn_norm"),
        "attn_q_a.weight": ((2048, query), Q4_K),
        "attn_q_a_norm.weight": ((query,), F32),
        "attn_q_b.weight": ((query, heads * (plain + rotary)), Q4_K),
        "attn_kv_a_mqa.weight": ((2048, latent + rotary), Q4_K),
        "attn_kv_a_norm.weight": ((latent,), F32),
        "attn_k_b.weight": ((plain, latent, heads), Q8_0),
        "attn_v_b.weight": ((latent, value, heads), Q4_K),
        "attn_output.weight": ((heads * value, 2048), Q4_K),
    }
    shared: Tensors = {
        "ffn_gate_shexp.weight": ((2048, 1536), Q4_K),
        "ffn_up_shexp.weight": ((2048, 1536), Q4_K),
        "ffn_down_shexp.weight": ((1536, 2048), Q4_K),
    }
    sparse = attending | experts(2048, 1536, n_experts) | shared
    dense = attending | feed_forward(2048, 10240)
    more = {"attention__head_count_kv": 1, "attention__kv_lora_rank": latent}
    more |= {"attention__key_length": latent + rotary, "attention__value_length": latent}
    more |= {"attention__key_length_mla": plain + rotary, "attention__value_length_mla": value}
    more |= {"attention__q_lora_rank": query, "leading_dense_block_count": 1}
    more |= {"rope__dimension_count": rotary, "expert_feed_forward_length": 1536}
    more |= {"expert_count": n_experts, "expert_used_count": 4, "expert_shared_count": 1}
    facts = keys("deepseek2", layers, 2048, 10240, heads, expert_weights_scale=1.8, **more)
    return model(facts, 154880, lambda number: sparse if number else dense, tied=False)
