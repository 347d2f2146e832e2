"""What a host offers for download: read as far as it can be, and nothing is made up."""

from typing import Any

import pytest

from langchain_lmswitch.hosts.lmstudio.offers import hits, options, progress
from langchain_lmswitch.types.downloads import DownloadOption

CATALOG = {"type": "catalog", "identifier": "qwen/qwen3-4b"}


def test_a_search_result_is_read_with_how_its_host_names_it() -> None:
    told = {"results": [{"name": "qwen/qwen3-4b", "identifier": CATALOG, "staffPick": True}]}

    (hit,) = hits(told, "qwen3")

    assert (hit.name, hit.identifier, hit.exact) == ("qwen/qwen3-4b", CATALOG, False)


@pytest.mark.parametrize(
    ("term", "said", "exact"),
    [("Qwen/Qwen3-4B", {}, True), ("qwen3", {"exact": True}, True), ("qwen3", {}, False)],
)
def test_a_result_is_exact_by_its_name_or_its_hosts_word(
    term: str,
    said: dict[str, Any],
    exact: bool,  # noqa: FBT001
) -> None:
    told = {"results": [{"name": "qwen/qwen3-4b", "identifier": CATALOG, **said}]}

    assert [one.exact for one in hits(told, term)] == [exact]


def test_an_option_is_read_with_its_fit() -> None:
    raw = {
        "name": "Qwen3 4B Q4_K_M",
        "downloadIdentifier": "qwen3@q4_k_m",
        "quantization": "Q4_K_M",
        "sizeBytes": 2.5e9,
        "fitEstimation": "partialGPUOffload",
        "recommended": True,
    }

    assert options({"results": [raw]}) == [
        DownloadOption(
            name="Qwen3 4B Q4_K_M",
            identifier="qwen3@q4_k_m",
            quantization="Q4_K_M",
            size_bytes=2_500_000_000,
            fits_by_host=True,
            recommended=True,
        )
    ]


@pytest.mark.parametrize(
    ("fit", "fits"),
    [("fullGPUOffload", True), ("fitWithoutGPU", True), ("willNotFit", False), ("newer", None)],
)
def test_a_fit_that_is_not_known_is_unknown(fit: str, fits: bool | None) -> None:  # noqa: FBT001
    raw = {"name": "a", "downloadIdentifier": "a", "sizeBytes": 0, "fitEstimation": fit}

    (option,) = options({"results": [raw]})

    assert option.fits_by_host is fits
    assert option.size_bytes is None, "nothing weighs nothing"


@pytest.mark.parametrize("told", [None, [], {"results": None}, {"results": ["a", {"name": 1}]}])
def test_what_cannot_be_read_is_passed_over(told: Any) -> None:
    assert hits(told, "a") == []
    assert options(told) == []


@pytest.mark.parametrize(
    ("update", "read"),
    [
        ({"downloadedBytes": 5, "totalBytes": 10.0}, (5, 10)),
        ({"downloadedBytes": 5}, (5, 5)),
        ({"downloadedBytes": True, "totalBytes": 10}, None),
        ({"totalBytes": 10}, None),
    ],
)
def test_progress_is_told_as_far_as_it_is_known(update: Any, read: Any) -> None:
    assert progress(update) == read
