"""Reading the headers of model files that nobody vouches for."""

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_tests.embedded.gguf_writer import U64, gguf_bytes, model_metadata, text, write_model

from langchain_lmswitch.embedded.gguf import (
    has_tool_template,
    parse_split,
    read_header,
    survey,
)
from langchain_lmswitch.embedded.gguf.filetypes import FILE_TYPES, quantization_in
from langchain_lmswitch.embedded.gguf.survey import handles_tools
from langchain_lmswitch.embedded.gguf.tensors import Tensor, WeightBytes, weight_bytes
from langchain_lmswitch.errors import BadModelFile
from langchain_lmswitch.types.models import Architecture, Recurrence


def header_of(tmp_path: Path, metadata: dict[str, Any], name: str = "model.gguf") -> Any:
    return read_header(write_model(tmp_path / name, metadata))


def test_a_plain_model(tmp_path: Path) -> None:
    header = header_of(tmp_path, model_metadata())
    assert header.architecture == Architecture(
        name="qwen2",
        n_layers=24,
        n_embd=896,
        n_heads=14,
        kv_heads=(2,) * 24,
        key_length=64,
        value_length=64,
        n_ff=4864,
        n_vocab=3,
        context_tokens=32768,
    )
    assert (header.name, header.quantization, header.params) == (
        "Qwen2.5 Coder 0.5B Instruct",
        "Q4_K_M",
        "0.5B",
    )
    assert (header.is_embedding, header.is_projector, header.is_adapter) == (False,) * 3


def test_the_walk_stops_at_the_word_list(tmp_path: Path) -> None:
    """What stands behind the list may be broken; nobody looks."""
    whole = gguf_bytes(model_metadata())
    cut = whole[: whole.index(b"tokenizer.ggml.tokens") + 21 + 4 + 12]
    path = tmp_path / "cut.gguf"
    path.write_bytes(cut + b"\xff" * 8)
    assert read_header(path).n_vocab == 3


def test_explicit_head_sizes_win_over_the_quotient(tmp_path: Path) -> None:
    keys = {"qwen2.attention.key_length": 128, "qwen2.attention.value_length": 96}
    facts = header_of(tmp_path, keys | model_metadata()).architecture
    assert (facts.key_length, facts.value_length) == (128, 96)


def test_heads_may_differ_by_layer(tmp_path: Path) -> None:
    keys = model_metadata() | {"qwen2.block_count": 3, "qwen2.attention.head_count_kv": [8, 0, 4]}
    assert header_of(tmp_path, keys).architecture.kv_heads == (8, 0, 4)


def test_linear_attention_leaves_a_cache_in_every_fourth_layer(tmp_path: Path) -> None:
    keys = model_metadata() | {"qwen2.block_count": 8}
    keys = {"qwen2.full_attention_interval": 4} | keys
    assert header_of(tmp_path, keys).architecture.kv_heads == (0, 0, 0, 2, 0, 0, 0, 2)


def test_linear_attention_of_qwen_is_known_without_the_key(tmp_path: Path) -> None:
    keys = {
        "general.architecture": "qwen35",
        "qwen35.block_count": 8,
        "qwen35.embedding_length": 2560,
        "qwen35.attention.head_count": 16,
        "qwen35.attention.head_count_kv": 4,
        "qwen35.ssm.conv_kernel": 4,
        "qwen35.ssm.inner_size": 4096,
        "qwen35.ssm.state_size": 128,
        "qwen35.ssm.group_count": 16,
        "qwen35.ssm.time_step_rank": 32,
    }
    facts = header_of(tmp_path, keys).architecture
    assert facts.kv_heads == (0, 0, 0, 4) * 2
    assert facts.recurrence == Recurrence(
        n_layers=6, conv_tokens=3, conv_width=8192, n_inner=4096, n_state=128, n_projected=12320
    )


def test_short_convolutions_keep_the_last_tokens(tmp_path: Path) -> None:
    keys = {"qwen2.shortconv.l_cache": 3} | model_metadata()
    keys |= {"qwen2.block_count": 3, "qwen2.attention.head_count_kv": [0, 8, 0]}
    found = header_of(tmp_path, keys).architecture.recurrence
    assert (found.n_layers, found.conv_tokens, found.conv_width, found.n_state) == (2, 2, 896, 0)


def test_rwkv_keeps_a_square_for_each_head(tmp_path: Path) -> None:
    keys = {
        "general.architecture": "rwkv7",
        "rwkv7.block_count": 4,
        "rwkv7.embedding_length": 768,
        "rwkv7.attention.head_count": 0,
        "rwkv7.wkv.head_size": 64,
    }
    found = header_of(tmp_path, keys).architecture.recurrence
    assert (found.n_layers, found.conv_tokens, found.conv_width) == (4, 2, 768)
    assert (found.n_inner, found.n_state) == (768, 64)


@pytest.mark.parametrize(("name", "n_layers"), [("falcon-h1", 3), ("nemotron_h", 1), ("jamba", 2)])
def test_which_layers_keep_a_state(tmp_path: Path, name: str, n_layers: int) -> None:
    """All of Falcon's; of Nemotron's only those that are no feed-forward either."""
    keys = {
        "general.architecture": name,
        f"{name}.block_count": 3,
        f"{name}.embedding_length": 64,
        f"{name}.feed_forward_length": [0, 128, 0],
        f"{name}.attention.head_count": 4,
        f"{name}.attention.head_count_kv": [0, 0, 2],
        f"{name}.ssm.inner_size": 128,
    }
    assert header_of(tmp_path, keys).architecture.recurrence.n_layers == n_layers


def test_latent_attention_keeps_no_values(tmp_path: Path) -> None:
    keys = {
        "qwen2.attention.key_length": 576,
        "qwen2.attention.value_length": 512,
        "qwen2.attention.key_length_mla": 192,
    } | model_metadata()
    facts = header_of(tmp_path, keys).architecture
    assert (facts.key_length, facts.value_length) == (576, 0)


def test_heads_of_window_layers_and_experts(tmp_path: Path) -> None:
    keys = gemma(
        **{
            "attention.key_length": 512,
            "attention.key_length_swa": 256,
            "attention.value_length_swa": 128,
            "expert_count": 8,
            "expert_used_count": 2,
            "expert_feed_forward_length": 96,
        }
    )
    facts = header_of(tmp_path, keys).architecture
    assert (facts.key_length, facts.window_key_length, facts.window_value_length) == (512, 256, 128)
    assert (facts.experts_used, facts.n_ff_expert) == (2, 96)


Q4_K = 12


def table(*names: str) -> list[Tensor]:
    """Tensors of 256 x 8 in Q4_K, one behind the other; those that end in `norm` are 8 x F32."""
    found, offset = [], 0
    for name in names:
        shape, kind = ((8,), 0) if name.endswith("norm") else ((256, 8), Q4_K)
        found.append(Tensor(name=name, shape=shape, kind=kind, offset=offset))
        offset += found[-1].n_bytes or 0
    return found


def test_what_is_laid_out_anew_needs_no_place_in_the_file() -> None:
    """Unmapped at both ends, but not in between."""
    tensors = table("output.weight", "a.norm", "blk.0.ffn_up.weight", "b.norm", "blk.1.x.weight")
    found = weight_bytes(tensors, machine="x86_64")
    assert found == WeightBytes(mapped=32 + 1152 + 32, rearranged=3 * 1152)
    assert found.total == 4 * 1152 + 2 * 32


def test_a_tied_embedding_is_there_twice() -> None:
    tied = weight_bytes(table("token_embd.weight", "a.norm"), machine="AMD64")
    assert tied == WeightBytes(mapped=1152 + 32, rearranged=1152)
    untied = weight_bytes(table("token_embd.weight", "output.weight"), machine="AMD64")
    assert untied == WeightBytes(mapped=1152, rearranged=1152)


def test_the_processor_decides_what_is_laid_out_anew() -> None:
    q6_k = [Tensor(name="output.weight", shape=(256, 8), kind=14, offset=0)]
    assert weight_bytes(q6_k, machine="x86_64") == WeightBytes(mapped=1680, rearranged=0)
    assert weight_bytes(q6_k, machine="arm64") == WeightBytes(mapped=0, rearranged=1680)
    assert weight_bytes(q6_k, machine="riscv64") == WeightBytes(mapped=1680, rearranged=0)


@pytest.mark.parametrize(
    ("name", "shape", "rearranged"),
    [
        ("blk.0.ffn_up.weight", (256, 12), False),
        ("blk.0.ffn_up_exps.weight", (256, 8, 4), True),
        ("blk.0.attn_v_b.weight", (256, 8, 4), False),
        ("blk.0.ffn_up.bias", (256,), False),
    ],
)
def test_shapes_that_have_no_other_layout(
    name: str, shape: tuple[int, ...], *, rearranged: bool
) -> None:
    tensor = Tensor(name=name, shape=shape, kind=Q4_K, offset=0)
    found = weight_bytes([tensor], machine="x86_64")
    assert found is not None
    assert (found.rearranged > 0) is rearranged


def test_an_unknown_type_is_not_guessed_at() -> None:
    tensor = Tensor(name="a", shape=(4,), kind=99, offset=0)
    assert weight_bytes([tensor]) is None


def test_layers_that_share_a_cache_have_none(tmp_path: Path) -> None:
    keys = {"qwen2.attention.shared_kv_layers": 10} | model_metadata()
    assert header_of(tmp_path, keys).architecture.kv_heads == (2,) * 14 + (0,) * 10


def gemma(**more: Any) -> dict[str, Any]:
    base = {
        "general.architecture": "gemma3",
        "gemma3.block_count": 12,
        "gemma3.embedding_length": 3840,
        "gemma3.attention.head_count": 16,
        "gemma3.attention.sliding_window": 1024,
    }
    return base | {f"gemma3.{key}": value for key, value in more.items()}


def test_the_window_pattern_that_llama_cpp_has_in_code(tmp_path: Path) -> None:
    facts = header_of(tmp_path, gemma()).architecture
    assert facts.window_tokens == 1024
    assert facts.window_layers == ((True,) * 5 + (False,)) * 2


def test_the_window_pattern_of_the_file_wins(tmp_path: Path) -> None:
    pattern = [True, False, False] * 4
    keys = gemma(**{"attention.sliding_window_pattern": pattern})
    assert header_of(tmp_path, keys).architecture.window_layers == tuple(pattern)


def test_a_window_of_an_unknown_architecture_is_not_trusted(tmp_path: Path) -> None:
    keys = {"qwen2.attention.sliding_window": 4096} | model_metadata()
    facts = header_of(tmp_path, keys).architecture
    assert (facts.window_tokens, facts.window_layers) == (0, ())


def test_an_encoder_is_an_embedding_model_without_cache(tmp_path: Path) -> None:
    keys = {
        "general.architecture": "nomic-bert",
        "nomic-bert.block_count": 12,
        "nomic-bert.embedding_length": 768,
        "nomic-bert.attention.head_count": 12,
        "nomic-bert.attention.causal": False,
        "nomic-bert.pooling_type": 1,
    }
    header = header_of(tmp_path, keys)
    assert header.is_embedding
    assert header.architecture.kv_heads == (0,) * 12


def test_a_decoder_with_pooling_is_an_embedding_model(tmp_path: Path) -> None:
    assert header_of(tmp_path, {"qwen2.pooling_type": 3} | model_metadata()).is_embedding


def test_a_projector_is_none_of_our_models(tmp_path: Path) -> None:
    header = header_of(tmp_path, {"general.architecture": "clip", "clip.has_vision_encoder": True})
    assert header.is_projector
    assert header.architecture is None


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("gemma-3-4b-it-UD-Q4_K_XL.gguf", "Q4_K_XL"),
        ("phi-4-IQ2_XXS.gguf", "IQ2_XXS"),
        ("gpt-oss-20b-MXFP4.gguf", "MXFP4"),
        ("model-f16.gguf", "F16"),
        ("q8-bert.gguf", ""),
    ],
)
def test_the_quantization_of_a_file_that_says_it_too_late(
    tmp_path: Path, name: str, quantization: str
) -> None:
    keys = model_metadata()
    del keys["general.file_type"]
    assert header_of(tmp_path, keys, name).quantization == quantization


def test_the_survey_finds_the_quantization_behind_the_tokenizer(tmp_path: Path) -> None:
    keys = model_metadata()
    keys["general.file_type"] = keys.pop("general.file_type")
    assert survey(write_model(tmp_path / "m.gguf", keys)).quantization == "Q4_K_M"


def test_every_file_type_name_is_recognized_in_a_file_name() -> None:
    assert {name for name in FILE_TYPES.values() if quantization_in(f"m-{name}") != name} == set()
    assert (FILE_TYPES[7], FILE_TYPES[15], FILE_TYPES[32], FILE_TYPES[39]) == (
        "Q8_0",
        "Q4_K_M",
        "BF16",
        "NVFP4",
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("llama-2-7b.Q4_0.gguf", "7B"),
        ("Mixtral-8x7B-v0.1.gguf", "8X7B"),
        ("x-30B-A3B.gguf", "30B-A3B"),
        ("phi.gguf", ""),
    ],
)
def test_the_parameter_label_comes_from_the_name_if_need_be(
    tmp_path: Path, name: str, label: str
) -> None:
    keys = model_metadata(name="a model")
    del keys["general.size_label"]
    assert header_of(tmp_path, keys, name).params == label


def test_parameters_are_counted_from_the_tensor_table(tmp_path: Path) -> None:
    assert survey(write_model(tmp_path / "m.gguf")).n_params == 896 * 3


@pytest.mark.parametrize(
    ("template", "tools"),
    [
        ("{%- if tools %}", True),
        ("{% for tool in tools %}", True),
        ("{{- tools | tojson }}", True),
        ("{%- if not tools is defined %}", True),
        ("{% for m in messages %}{{ 'tools: ' + m }}{% endfor %}", False),
        ("Use your tools! {{ messages }}", False),
        ("{% if builtin_tools %}", False),
        ("", False),
    ],
)
def test_a_template_that_handles_tools(template: str, tools: bool) -> None:  # noqa: FBT001
    assert handles_tools(template) is tools


@pytest.mark.parametrize("template", ["{% if tools %}", "{{ messages }}", None])
def test_the_template_is_found_behind_the_word_list(tmp_path: Path, template: str | None) -> None:
    path = write_model(tmp_path / "m.gguf", model_metadata(template=template))
    assert has_tool_template(path) is (template == "{% if tools %}")


def test_a_second_template_for_tools_counts(tmp_path: Path) -> None:
    keys = model_metadata(template="{{ messages }}") | {"tokenizer.chat_template.tool_use": "x"}
    assert has_tool_template(write_model(tmp_path / "m.gguf", keys))


def test_split_names() -> None:
    part = parse_split("Big-Q4_K_M-00002-of-00003.gguf")
    assert part is not None
    assert (part.stem, part.number, part.count) == ("Big-Q4_K_M", 2, 3)
    assert part.siblings(Path("x"))[0] == Path("x/Big-Q4_K_M-00001-of-00003.gguf")
    assert parse_split("whole.gguf") is None


def one_key(kind: int, value: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", kind) + value


LIES = {
    "empty": b"",
    "another format": b"PK\x03\x04" + b"\0" * 64,
    "version 1": b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
    "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "too many keys": b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
    "too many tensors": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0),
    "endless key": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 63),
    "endless text": one_key(8, struct.pack("<Q", 1 << 63)),
    "endless array": one_key(9, struct.pack("<IQ", 4, 1 << 63)),
    "endless strings": one_key(9, struct.pack("<IQ", 8, 1 << 63)),
    "arrays of arrays": one_key(9, struct.pack("<IQ", 9, 1)),
    "unknown type": one_key(77, b""),
    "cut off": gguf_bytes(model_metadata())[:100],
}


@pytest.mark.parametrize("content", LIES.values(), ids=LIES)
@pytest.mark.parametrize("read", [read_header, survey])
def test_a_lying_file_is_refused(
    tmp_path: Path, content: bytes, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "lie.gguf"
    path.write_bytes(content)
    with pytest.raises(BadModelFile) as caught:
        read(path)
    assert caught.value.path == str(path)


def test_a_missing_file_and_a_folder_are_bad_model_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.gguf"):
        with pytest.raises(BadModelFile):
            read_header(path)


def test_many_long_texts_are_not_all_kept(tmp_path: Path) -> None:
    """Sixty texts of one megabyte each, within every single bound, exceed the sum."""
    path = tmp_path / "long.gguf"
    path.write_bytes(gguf_bytes({f"k{i}": "x" * (1 << 20) for i in range(60)}))
    tracemalloc.start()
    with pytest.raises(BadModelFile, match="header is larger"):
        read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 << 20


def test_too_many_strings_are_not_walked(tmp_path: Path) -> None:
    path = tmp_path / "strings.gguf"
    with path.open("wb") as file:
        file.write(one_key(9, struct.pack("<IQ", 8, 5_000_000)))
        file.truncate(5_000_000 * 8 + 1000)
    with pytest.raises(BadModelFile, match="strings"):
        survey(path)


def read_bytes(folder: Path, content: bytes) -> None:
    """Reads it in every way there is; anything but `BadModelFile` escapes."""
    path = folder / "fuzz.gguf"
    path.write_bytes(content)
    for read in (read_header, survey):
        try:
            found = read(path)
        except BadModelFile:
            continue
        for name in ("architecture", "quantization", "params", "is_embedding", "is_projector"):
            getattr(found, name, None)


FUZZ = settings(
    deadline=2000, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(content=st.binary(max_size=512))
def test_arbitrary_bytes(tmp_path: Path, content: bytes) -> None:
    read_bytes(tmp_path, content)
    read_bytes(tmp_path, b"GGUF\x03\0\0\0" + content)


@FUZZ
@given(data=st.data())
def test_mutated_and_truncated_files(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(gguf_bytes(model_metadata(), tensors={"t": (3, 4)}))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    read_bytes(tmp_path, bytes(content[: data.draw(st.integers(0, len(content)))]))


VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**31), 2**32 - 1),
    st.builds(U64, st.integers(0, 2**64 - 1)),
    st.text(max_size=20),
    st.lists(st.booleans(), max_size=5),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
)
NAMES = st.sampled_from(
    [
        *model_metadata(),
        "qwen2.attention.sliding_window",
        "gemma2.block_count",
        "qwen2.attention.causal",
    ]
)


@FUZZ
@given(st.dictionaries(NAMES, VALUES, max_size=14))
def test_well_formed_files_of_nonsense(tmp_path: Path, metadata: dict[str, Any]) -> None:
    read_bytes(tmp_path, gguf_bytes(metadata))
