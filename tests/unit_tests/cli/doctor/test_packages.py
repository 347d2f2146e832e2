"""Versions out of range, by the metadata of packages that are really found."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.doctor.probes.packages import Package, Packages
from langchain_lmswitch.cli.doctor.verdicts.packages import judge_embedded, judge_packages

Examine = Callable[..., Finding]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is searched before all others."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def put(site: Path, name: str, version: str, *lines: str) -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    head = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}")
    (folder / "METADATA").write_text("\n".join([*head, *lines, ""]))


def test_what_is_installed_here_is_in_order(look_at: Examine) -> None:
    assert look_at("python").what == ".".join(map(str, sys.version_info[:3]))
    assert look_at("packages").state == "ok"
    assert "lmstudio " in look_at("packages").what


@pytest.mark.parametrize(
    ("name", "version"),
    [("lmstudio", "2.0.0"), ("langchain-core", "0.3.1"), ("langgraph", "3.0"), ("xllamacpp", "1")],
)
def test_package_out_of_range(look_at: Examine, site: Path, name: str, version: str) -> None:
    put(site, name, version)

    told = look_at("packages")

    assert told.state == "problem"
    assert f"{name} {version} is not what is needed" in told.what
    assert told.remedy.startswith(f"pip install '{name}") or "==" in told.remedy


def test_beta_within_range_is_in_order(look_at: Examine, site: Path) -> None:
    put(site, "lmstudio", "1.6.0b1")

    assert look_at("packages").state == "ok"


def test_several_are_put_right_at_once(look_at: Examine, site: Path) -> None:
    put(site, "lmstudio", "2.0.0")
    put(site, "langgraph", "3.0")

    told = look_at("packages")

    assert told.remedy.count("pip install") == 1
    assert "'lmstudio<1.7,>=1.5'" in told.remedy
    assert "'langgraph<2,>=1.2'" in told.remedy


def test_package_that_is_missing(look_at: Examine, site: Path) -> None:
    put(site, "langchain-lmswitch", "0.1", "Requires-Dist: no-such-package-here>=1")

    told = look_at("packages")

    assert told.state == "problem"
    assert "no-such-package-here is not installed" in told.what


def test_python_that_is_too_old(look_at: Examine, site: Path) -> None:
    put(site, "langchain-lmswitch", "0.1", "Requires-Python: >=4")

    assert look_at("python").state == "problem"


def test_extra_that_is_missing(look_at: Examine, site: Path) -> None:
    put(
        site,
        "langchain-lmswitch",
        "0.1",
        "Provides-Extra: embedded",
        'Requires-Dist: no-such-engine>=1; extra == "embedded"',
    )

    told = look_at("embedded host")

    assert told.state == "note"
    assert told.remedy == "pip install 'langchain-lmswitch[embedded]'"


def test_extra_out_of_range_is_a_problem_of_the_packages() -> None:
    engine = Package(name="engine", requirement="engine==2", installed="1", fits=False)
    facts = Packages(
        own="0.1",
        python="3.11.7",
        python_needed=">=3.11",
        python_fits=True,
        required=(),
        extras=(("embedded", (engine,)),),
    )

    assert judge_packages(facts).remedy == "pip install engine==2"
    assert judge_embedded(facts).state == "ok"
