"""True shapes of known models, with fewer layers (and experts): widths, heads, words are theirs."""

from collections.abc import Callable
from typing import Any, NamedTuple

from unit_tests.embedded.gguf_sparse import Sparse

F32, Q8_0, Q4_K, Q6_K, MXFP4 = 0, 8, 12, 14, 39

Tensors = dict[str, tuple[tuple[int, ...], int]]


class Widths(NamedTuple):
    """What does not depend on the number of layers."""

    n_embd: int
    n_ff: int
    heads: int
    kv_heads: int
    n_vocab: int


def keys(name: str, layers: int, n_embd: int, n_ff: int, heads: int, **more: Any) -> dict[str, Any]:
    base = {
        "block_count": layers,
        "context_length": 131072,
        "embedding_length": n_embd,
        "feed_forward_length": n_ff,
        "attention.head_count": heads,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 1e6,
    }
    base |= {key.replace("__", "."): value for key, value in more.items()}
    return {"general.architecture": name} | {f"{name}.{key}": one for key, one in base.items()}


def attention(
    n_embd: int, heads: int, kv_heads: int, head: int, *, kind: int = Q4_K, normed: bool = False
) -> Tensors:
    found: Tensors = {
        "attn_norm.weight": ((n_embd,), F32),
        "attn_q.weight": ((n_embd, heads * head), kind),
        "attn_k.weight": ((n_embd, kv_heads * head), kind),
        "attn_v.weight": ((n_embd, kv_heads * head), kind),
        "attn_output.weight": ((heads * head, n_embd), kind),
    }
    norms: Tensors = {f"attn_{one}_norm.weight": ((head,), F32) for one in "qk"}
    return found | (norms if normed else {})


def biases(heads: int, kv_heads: int, head: int) -> Tensors:
    widths = {"q": heads * head, "k": kv_heads * head, "v": kv_heads * head}
    return {f"attn_{one}.bias": ((width,), F32) for one, width in widths.items()}


def feed_forward(n_embd: int, n_ff: int, *, kind: int = Q4_K) -> Tensors:
    return {
        "ffn_norm.weight": ((n_embd,), F32),
        "ffn_gate.weight": ((n_embd, n_ff), kind),
        "ffn_up.weight": ((n_embd, n_ff), kind),
        "ffn_down.weight": ((n_ff, n_embd), kind),
    }


def experts(n_embd: int, n_ff: int, n_experts: int, *, kind: int = Q4_K) -> Tensors:
    return {
        "ffn_gate_inp.weight": ((n_embd, n_experts), F32),
        "ffn_gate_exps.weight": ((n_embd, n_ff, n_experts), kind),
        "ffn_up_exps.weight": ((n_embd, n_ff, n_experts), kind),
        "ffn_down_exps.weight": ((n_ff, n_embd, n_experts), kind),
    }


def norms(n_embd: int, *names: str) -> Tensors:
    return {f"{name}.weight": ((n_embd,), F32) for name in names}


def model(
    metadata: dict[str, Any],
    n_vocab: int,
    layer: Tensors | Callable[[int], Tensors],
    *,
    tied: bool = True,
    kind: int = Q6_K,
    norm: str = "output_norm",
) -> Sparse:
    """Puts the layers between the embedding and the output."""
    name = metadata["general.architecture"]
    n_embd = metadata[f"{name}.embedding_length"]
    tensors: Tensors = {"token_embd.weight": ((n_embd, n_vocab), kind), **norms(n_embd, norm)}
    if not tied:
        tensors["output.weight"] = ((n_embd, n_vocab), kind)
    for number in range(metadata[f"{name}.block_count"]):
        here = layer(number) if callable(layer) else layer
        tensors |= {f"blk.{number}.{key}": one for key, one in here.items()}
    return Sparse(metadata, tensors, n_vocab)


def llama(layers: int, widths: Widths, *, tied: bool) -> Sparse:
    n_embd, n_ff, heads, kv_heads, n_vocab = widths
    head = n_embd // heads
    more = {"attention__head_count_kv": kv_heads, "rope__dimension_count": head}
    layer = attention(n_embd, heads, kv_heads, head) | feed_forward(n_embd, n_ff)
    return model(keys("llama", layers, n_embd, n_ff, heads, **more), n_vocab, layer, tied=tied)


def mixtral(layers: int, n_experts: int) -> Sparse:
    more = {"attention__head_count_kv": 8, "rope__dimension_count": 128}
    more |= {"expert_count": n_experts, "expert_used_count": 2}
    layer = attention(4096, 32, 8, 128) | norms(4096, "ffn_norm")
    layer |= experts(4096, 14336, n_experts)
    return model(keys("llama", layers, 4096, 14336, 32, **more), 32000, layer, tied=False)


def qwen2(layers: int, widths: Widths, *, kind: int) -> Sparse:
    n_embd, n_ff, heads, kv_heads, n_vocab = widths
    head = n_embd // heads
    layer = attention(n_embd, heads, kv_heads, head, kind=kind) | biases(heads, kv_heads, head)
    layer |= feed_forward(n_embd, n_ff, kind=kind)
    facts = keys("qwen2", layers, n_embd, n_ff, heads, attention__head_count_kv=kv_heads)
    return model(facts, n_vocab, layer, kind=kind if kind == Q8_0 else Q6_K)


def _heads(kv_heads: int, head: int) -> dict[str, Any]:
    return {
        "attention__head_count_kv": kv_heads,
        "attention__key_length": head,
        "attention__value_length": head,
    }


def qwen3(layers: int, n_embd: int, n_ff: int, heads: int, *, kind: int = Q6_K) -> Sparse:
    layer = attention(n_embd, heads, 8, 128, normed=True) | feed_forward(n_embd, n_ff)
    facts = keys("qwen3", layers, n_embd, n_ff, heads, **_heads(8, 128))
    return model(facts, 151936, layer, kind=kind)


def made_up(widths: Widths, head: int, *, used: int = 0, n_ff_expert: int = 0) -> Sparse:
    """A model like Qwen3 whose widths are nobody's; with experts if some are used."""
    n_embd, n_ff, heads, kv_heads, n_vocab = widths
    more = _heads(kv_heads, head)
    layer = attention(n_embd, heads, kv_heads, head, kind=Q8_0, normed=True)
    if used:
        more |= {"expert_count": 8, "expert_used_count": used}
        more |= {"expert_feed_forward_length": n_ff_expert}
        layer |= norms(n_embd, "ffn_norm") | experts(n_embd, n_ff_expert, 8, kind=Q8_0)
    else:
        layer |= feed_forward(n_embd, n_ff, kind=Q8_0)
    name = "qwen3moe" if used else "qwen3"
    facts = keys(name, 3, n_embd, n_ff, heads, **more)
    return model(facts, n_vocab, layer, tied=False, kind=Q8_0)


def qwen3_moe(layers: int, n_experts: int) -> Sparse:
    more = _heads(4, 128) | {"expert_count": n_experts, "expert_used_count": 8}
    more |= {"expert_feed_forward_length": 768}
    layer = attention(2048, 32, 4, 128, normed=True) | norms(2048, "ffn_norm")
    layer |= experts(2048, 768, n_experts)
    return model(keys("qwen3moe", layers, 2048, 6144, 32, **more), 151936, layer, tied=False)


def gemma(name: str, layers: int, widths: Widths, *, window: int) -> Sparse:
    n_embd, n_ff, heads, kv_heads, n_vocab = widths
    more = _heads(kv_heads, 256) | {"attention__sliding_window": window}
    if name == "gemma2":
        more |= {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}
    layer = attention(n_embd, heads, kv_heads, 256, normed=name == "gemma3")
    layer |= feed_forward(n_embd, n_ff) | norms(n_embd, "post_attention_norm", "post_ffw_norm")
    return model(keys(name, layers, n_embd, n_ff, heads, **more), n_vocab, layer)


def gpt_oss(layers: int, n_experts: int) -> Sparse:
    more = _heads(8, 64) | {"attention__sliding_window": 128, "expert_count": n_experts}
    more |= {"expert_used_count": 4, "expert_feed_forward_length": 2880}
    layer = attention(2880, 64, 8, 64, kind=Q8_0) | biases(64, 8, 64)
    layer |= experts(2880, 2880, n_experts, kind=MXFP4) | norms(2880, "post_attention_norm")
    layer |= {f"ffn_{one}_exps.bias": ((2880, n_experts), F32) for one in ("gate", "up", "down")}
    layer |= {"attn_output.bias": ((2880,), F32), "attn_sinks.weight": ((64,), F32)}
    layer["ffn_gate_inp.bias"] = ((n_experts,), F32)
    facts = keys("gpt-oss", layers, 2880, 2880, 64, **more)
    return model(facts, 201088, layer, tied=False, kind=Q8_0)


def phi3(layers: int) -> Sparse:
    more = {"attention__head_count_kv": 32, "rope__dimension_count": 96}
    more |= {"rope__scaling__original_context_length": 4096}
    layer: Tensors = {
        **norms(3072, "attn_norm", "ffn_norm"),
        "attn_qkv.weight": ((3072, 3 * 3072), Q4_K),
        "attn_output.weight": ((3072, 3072), Q4_K),
        "ffn_up.weight": ((3072, 2 * 8192), Q4_K),
        "ffn_down.weight": ((8192, 3072), Q4_K),
    }
    return model(keys("phi3", layers, 3072, 8192, 32, **more), 32064, layer, tied=False)
