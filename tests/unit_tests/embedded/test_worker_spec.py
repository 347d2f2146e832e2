import json
from pathlib import Path

import pytest

from langchain_lmswitch.embedded.worker import WorkerSpec
from langchain_lmswitch.embedded.worker.spec import generation_threads, missing_cpu_features
from langchain_lmswitch.embedded.worker.warming import READING_SHARE, shards, warm

SMALL, LARGE = 98 * 10**6, 491 * 10**6


@pytest.mark.parametrize("mmproj", [None, Path("/m/mmproj.gguf")])
def test_a_spec_survives_the_way_to_the_child(mmproj: Path | None) -> None:
    spec = WorkerSpec(key="k", path=Path("/m/é.gguf"), mmproj=mmproj, context_tokens=512, threads=3)

    assert WorkerSpec.from_wire(json.loads(json.dumps(spec.to_wire()))) == spec


@pytest.mark.parametrize(
    ("name", "engine"), [("a.gguf", "llama"), ("A.GGUF", "llama"), ("weights.npz", "sentences")]
)
def test_the_file_decides_the_engine(name: str, engine: str) -> None:
    assert WorkerSpec(key="k", path=Path(name), context_tokens=512).engine == engine


@pytest.mark.parametrize(
    ("asked", "size_bytes", "cores", "expected"),
    [(5, SMALL, 2, 5), (None, SMALL, 16, 1), (None, LARGE, 4, 4), (None, LARGE, 64, 8)],
)
def test_threads_for_generation(
    asked: int | None, size_bytes: int, cores: int, expected: int
) -> None:
    assert generation_threads(asked, size_bytes=size_bytes, cores=cores) == expected


def test_an_old_processor_is_told_what_it_lacks() -> None:
    old = "processor : 0\nflags\t\t: fpu sse4_2 avx f16c\n"

    assert missing_cpu_features(old) == ("avx2", "fma", "bmi2")


@pytest.mark.parametrize("cpuinfo", ["", "flags : avx2 fma bmi2 f16c", "Features : neon"])
def test_a_new_or_unknown_processor_lacks_nothing(cpuinfo: str) -> None:
    assert missing_cpu_features(cpuinfo) == ()


def test_all_shards_of_a_split_model_are_found() -> None:
    names = [path.name for path in shards(Path("/m/big-00001-of-00003.gguf"))]

    assert names == [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]


def test_progress_is_in_proportion_to_the_bytes_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(12 * 2**20))
    (tmp_path / "b").write_bytes(bytes(4 * 2**20))
    told: list[float] = []

    size_bytes = warm([tmp_path / "a", tmp_path / "b"], told.append)

    assert size_bytes == 16 * 2**20
    assert told == pytest.approx([READING_SHARE * part for part in (0.25, 0.5, 0.75, 1.0)])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        warm([tmp_path / "none"], lambda _: None)
