"""What it takes to read a header and to estimate a load; printed, never asserted."""

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from unit_tests.embedded.gguf_models import gpt_oss, qwen3
from unit_tests.embedded.gguf_sparse import Sparse, write_sparse

from langchain_lmswitch.embedded.gguf import read_header, survey
from langchain_lmswitch.policy.footprint import from_header

pytestmark = pytest.mark.alone

MODELS = {"qwen3-4b": qwen3(36, 2560, 9728, 32), "gpt-oss-20b": gpt_oss(24, 32)}


@pytest.fixture(params=list(MODELS.values()), ids=list(MODELS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    model: Sparse = request.param
    return write_sparse(tmp_path / "model.gguf", model)


def test_reading_a_header(benchmark: BenchmarkFixture, path: Path) -> None:
    header = benchmark(read_header, path)
    assert header.n_vocab > 100_000


def test_surveying_a_file(benchmark: BenchmarkFixture, path: Path) -> None:
    weights = benchmark(survey, path).weights
    assert weights.mapped > 0


def test_estimating_a_load(benchmark: BenchmarkFixture, path: Path) -> None:
    facts = read_header(path).architecture
    assert facts is not None
    load = benchmark(lambda: from_header(facts, size_bytes=1, context_tokens=8192))
    assert load.kv_bytes > 0
