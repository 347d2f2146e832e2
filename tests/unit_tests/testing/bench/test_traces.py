"""Traces as they are published, and files that are not."""

from pathlib import Path

import pytest

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench import MIX, traced

CODE = "azure-llm-2023/AzureLLMInferenceTrace_code.csv"
CONV = "azure-llm-2023/AzureLLMInferenceTrace_conv.csv"
MOONCAKE = "mooncake-fast25/conversation_compact.csv"


def write(folder: Path, name: str, *lines: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def azure(folder: Path, name: str, *rows: tuple[str, int]) -> Path:
    return write(
        folder,
        name,
        "TIMESTAMP,ContextTokens,GeneratedTokens",
        *(f"2023-11-16 18:17:{at}00,{tokens},10" for at, tokens in rows),
    )


def names(folder: Path, **options: int) -> list[list[str]]:
    return [[one.models[at].name for at in one.requests] for one in traced(folder, **options)]


def test_services_are_laid_side_by_side_in_time(tmp_path: Path) -> None:
    azure(tmp_path, CODE, ("03.97996", 10), ("05.03196", 10))
    azure(tmp_path, CONV, ("04.00000", 10), ("03.00000", 10))

    [[first, *rest]] = names(tmp_path)
    assert first.startswith("chat")
    assert [one.split("-")[0] for one in rest] == ["coder", "chat", "coder"]


def test_models_go_by_the_length_of_the_prompt(tmp_path: Path) -> None:
    azure(tmp_path, CODE, *((f"{at:02}.00000", 100 * at) for at in range(1, 21)))

    [found] = names(tmp_path)
    sizes = [one.removeprefix("coder-") for one in found]
    assert sizes == sorted(sizes, key=["small", "medium", "large"].index)
    assert [sizes.count(one) for one in ("small", "medium", "large")] == [10, 8, 2]


def test_mooncake_counts_milliseconds(tmp_path: Path) -> None:
    write(
        tmp_path,
        MOONCAKE,
        "timestamp_ms,input_length,output_length,first_block,n_blocks",
        "900,50,5,0,14",
        "1000,6758,500,0,14",
        "20,10,500,0,15",
    )

    [stream] = traced(tmp_path)
    assert (stream.name, len(stream.requests)) == ("mooncake-fast25", 3)
    assert stream.requests[0] == min(stream.requests)
    assert stream.requests[2] == max(stream.requests)


def test_only_the_first_requests_are_taken(tmp_path: Path) -> None:
    azure(tmp_path, CODE, *((f"{at:02}.00000", at) for at in range(50)))

    assert len(traced(tmp_path, requests=7)[0].requests) == 7


def test_what_was_laid_over_is_told() -> None:
    assert "shortest 50%" in MIX
    assert "coder-large of 9.9 GB" in MIX


def test_no_trace_is_an_error_that_tells_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as told:
        traced(tmp_path)

    assert str(tmp_path) in str(told.value)
    for sought in ("azure-llm-2023/*code*.csv", "azure-llm-2023/*conv*.csv", "mooncake-fast25/*"):
        assert sought in str(told.value)


@pytest.mark.parametrize(
    "row", ["yesterday,10,10", "2023-11-16 18:17:03.9799600,many,10", "2023-11-16 18:17:03"]
)
def test_row_that_cannot_be_read_is_named(tmp_path: Path, row: str) -> None:
    good = "2023-11-16 18:17:03.9799600,4808,10"
    file = write(tmp_path, CODE, "TIMESTAMP,ContextTokens,GeneratedTokens", good, row)

    with pytest.raises(InvalidRequest, match="line 3") as told:
        traced(tmp_path)
    assert str(file) in str(told.value)


def test_trace_without_rows_is_an_error(tmp_path: Path) -> None:
    file = azure(tmp_path, CODE)

    with pytest.raises(InvalidRequest, match="no rows") as told:
        traced(tmp_path)
    assert str(file.parent) in str(told.value)


def test_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    azure(tmp_path, CODE).write_bytes(bytes(range(256)))

    with pytest.raises(InvalidRequest, match="line 1"):
        traced(tmp_path)


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    write(tmp_path, MOONCAKE, "timestamp_ms,length", "0,5")

    with pytest.raises(InvalidRequest, match="line 1: it has no column 'input_length'"):
        traced(tmp_path)
