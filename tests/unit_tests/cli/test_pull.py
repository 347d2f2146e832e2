"""`lmswitch pull`: what is chosen, what is asked, and what is refused before a byte is moved."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.pull.outlook import Outlook, outlook, recommended
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.embedded.starter import starter_names
from langchain_lmswitch.errors import DownloadFailed
from langchain_lmswitch.testing import FixedMachine
from langchain_lmswitch.types.downloads import Arrival, DownloadOption, Hit, OnBytes
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Snapshot

GIB = 2**30
MACHINE = Snapshot(ram_total_bytes=16 * GIB, ram_free_bytes=8 * GIB, gpus=())


def form(quantization: str, gib: float, **said: Any) -> DownloadOption:
    name = f"maker/qwen/{quantization.lower()}.gguf"
    return DownloadOption(
        name=name,
        identifier=name,
        quantization=quantization,
        size_bytes=round(gib * GIB),
        **said,
    )


FORMS = (form("Q4_K_M", 4.4, recommended=True), form("Q8_0", 6.0), form("F16", 14.0))


class Shop:
    """Has some models, and delivers a small file of each in two pieces."""

    where = "the shop"
    local = True

    def __init__(
        self,
        home: Path,
        *,
        hits: Sequence[str] = (),
        forms: Sequence[DownloadOption] = (),
        error: BaseException | None = None,
        folder: Path | None = None,
    ) -> None:
        self.home = home
        self.hits = hits
        self.forms = forms
        self.error = error
        self.folder = folder
        self.delivered: list[str] = []
        self.closed = False

    def search(self, term: str) -> list[Hit]:
        found = [one for one in self.hits if term in one] if self.hits else [term]
        return [Hit(name=one, identifier={}, exact=one == term) for one in found]

    def options(self, hit: Hit) -> list[DownloadOption]:
        whole = DownloadOption(name=hit.name, identifier=hit.name, size_bytes=2**21)
        return list(self.forms) or [whole]

    def download(self, option: DownloadOption, on_bytes: OnBytes) -> Arrival:
        on_bytes(2**20, 2**21)
        if self.error:
            raise self.error
        on_bytes(2**21, 2**21)
        self.delivered.append(option.name)
        file = self.home / f"{len(self.delivered)}.gguf"
        file.write_bytes(b"GGUF")
        return Arrival(files=(file,))

    def close(self) -> None:
        self.closed = True


def run(shop: Shop, *args: str, said: str | None = None, machine: Snapshot = MACHINE) -> Result:
    """Run `pull`; somebody is there to ask if there is anything that they have `said`."""
    session = Session(source=shop, monitor=FixedMachine(now=machine), asks=said is not None)
    return CliRunner().invoke(app, ["pull", *args], obj=session, input=said)


@pytest.mark.parametrize("size", ["s", "l"])
def test_starter_is_every_model_of_its_size(tmp_path: Path, size: Any) -> None:
    shop = Shop(tmp_path)

    done = run(shop, "starter", "--size", size)

    assert done.exit_code == 0
    assert shop.delivered == starter_names(size)
    assert shop.closed
    for number, name in enumerate(shop.delivered, 1):
        assert str(tmp_path / f"{number}.gguf") in done.stdout
        assert f"{name}: complete" in done.stderr
    assert "1 MiB of 2 MiB" in done.stderr
    assert "lmswitch ask" in done.stderr


def test_recommended_form_is_taken_where_nobody_can_be_asked(tmp_path: Path) -> None:
    shop = Shop(tmp_path, forms=FORMS)

    done = run(shop, "qwen")

    assert shop.delivered == [FORMS[0].name]
    assert "is taken of 3; --list shows all" in done.stderr


def test_pull_as_json_tells_the_files_and_the_estimate(tmp_path: Path) -> None:
    told = json.loads(run(Shop(tmp_path, forms=FORMS), "qwen", "--json").stdout)

    (option,) = told.pop("options")
    assert told == {
        "name": "qwen",
        "from": "the shop",
        "models": [FORMS[0].name],
        "files": [str(tmp_path / "1.gguf")],
    }
    assert option["fits"] is True
    assert option["context_tokens"] == 8192
    assert option["needs_bytes"] > option["size_bytes"]


def test_list_shows_each_form_and_what_would_become_of_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, forms=FORMS)

    done = run(shop, "qwen", "--list")

    heading, _, *rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert heading == "form size needs about fits 7.5 GiB"
    assert rows == [
        "1 Q4_K_M 4.4 GiB 6.0 GiB with 8,192 tokens recommended",
        "2 Q8_0 6.0 GiB 7.0 GiB with 4,096 tokens",
        "3 F16 14.0 GiB 14.8 GiB no",
    ]
    assert shop.delivered == []


def test_list_of_several_models_names_each(tmp_path: Path) -> None:
    lines = run(Shop(tmp_path), "starter", "--list").stdout.splitlines()

    assert [line for line in lines if line in starter_names()] == starter_names()
    assert sum("recommended" in line for line in lines) == len(starter_names())


def test_list_as_json_has_all_of_it(tmp_path: Path) -> None:
    told = json.loads(run(Shop(tmp_path, forms=FORMS), "qwen", "--list", "--json").stdout)

    assert [one["fits"] for one in told["options"]] == [True, True, False]
    assert [one["quantization"] for one in told["options"]] == ["Q4_K_M", "Q8_0", "F16"]


@pytest.mark.parametrize(("said", "place"), [("\n", 0), ("2\n", 1), ("9\n2\n", 1)])
def test_somebody_picks_a_form(tmp_path: Path, said: str, place: int) -> None:
    """Enter takes what is recommended; a number that is not there is asked for again."""
    shop = Shop(tmp_path, forms=FORMS)

    done = run(shop, "qwen", said=said)

    assert done.exit_code == 0
    assert shop.delivered == [FORMS[place].name]
    assert "recommended" in done.stderr


def test_quantization_may_be_named(tmp_path: Path) -> None:
    shop = Shop(tmp_path, forms=FORMS)

    assert run(shop, "qwen@q8_0", said="").exit_code == 0
    assert shop.delivered == [FORMS[1].name]

    missing = run(shop, "qwen@q2_k", said="")
    assert missing.exit_code == 6
    assert "there is no q2_k of it (there is Q4_K_M, Q8_0, F16)" in missing.stderr


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("n\n", 6), (None, 6)])
def test_what_cannot_fit_is_downloaded_only_if_somebody_says_so(
    tmp_path: Path, said: str | None, code: int
) -> None:
    shop = Shop(tmp_path, forms=FORMS)

    done = run(shop, "qwen@f16", said=said)

    assert done.exit_code == code
    assert (shop.delivered == []) == bool(code)
    assert "does not fit with 2,048 tokens" in done.stderr


def test_yes_downloads_what_cannot_fit_and_asks_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, forms=FORMS)

    assert run(shop, "qwen@f16", "--yes", said="").exit_code == 0
    assert shop.delivered == [FORMS[2].name]


def test_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    giant = form("Q4_0", 5.0 * 2**30, fits_by_host=True)
    shop = Shop(tmp_path, forms=[giant], folder=tmp_path)

    done = run(shop, "qwen", machine=UNKNOWN_MACHINE)

    assert done.exit_code == 6
    assert f"{tmp_path} has " in " ".join(done.stderr.split())
    assert shop.delivered == []


def test_of_several_models_somebody_picks_one(tmp_path: Path) -> None:
    shop = Shop(tmp_path, hits=["qwen-small", "qwen-big"])

    assert run(shop, "qwen", said="2\n").exit_code == 0
    assert shop.delivered == ["qwen-big"]


def test_several_models_are_named_where_nobody_can_be_asked(tmp_path: Path) -> None:
    done = run(Shop(tmp_path, hits=["qwen-small", "qwen-big"]), "qwen")

    assert done.exit_code == 6
    assert "several models are meant by it: qwen-small, qwen-big" in done.stderr


def test_model_of_the_very_name_is_meant(tmp_path: Path) -> None:
    shop = Shop(tmp_path, hits=["qwen-big", "qwen"])

    assert run(shop, "qwen").exit_code == 0
    assert shop.delivered == ["qwen"]


def test_unknown_model_says_what_works_everywhere(tmp_path: Path) -> None:
    done = run(Shop(tmp_path, hits=["llama"]), "qwen", "--json")

    assert done.exit_code == 6
    error = json.loads(done.stderr)
    assert error["error"] == "DownloadFailed"
    assert "lmswitch pull starter" in error["message"]


def test_interrupted_pull_says_that_it_can_go_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, error=KeyboardInterrupt())

    done = run(shop, "qwen")

    assert done.exit_code == 130
    assert "goes on from there" in done.stderr
    assert shop.closed


def test_failed_pull_has_its_own_exit_code(tmp_path: Path) -> None:
    error = DownloadFailed("qwen", reason="no route", remedy="Try again.")

    done = run(Shop(tmp_path, error=error), "qwen")

    assert done.exit_code == 6
    assert done.stderr.endswith(f"lmswitch: {error}\n")


def weigh(option: DownloadOption, machine: Snapshot | None = MACHINE) -> Outlook:
    return outlook(option, machine, context_tokens=8192, headroom_bytes=0)


def test_less_context_is_tried_before_a_model_does_not_fit() -> None:
    tight = weigh(form("Q4_0", 7.0))

    assert tight.fits is True
    assert 2048 <= tight.context_tokens < 8192


@pytest.mark.parametrize("machine", [UNKNOWN_MACHINE, None])
def test_of_another_machine_the_host_has_the_word(machine: Snapshot | None) -> None:
    fits, not_known = form("Q4_0", 7.0, fits_by_host=True), form("Q4_0", 7.0)

    assert weigh(fits, machine).words == "fits, says its host"
    assert weigh(not_known, machine).words == "unknown"


def test_largest_that_fits_is_recommended_instead_of_one_that_does_not() -> None:
    forms = [form("F16", 14.0, recommended=True), form("Q4_0", 4.0), form("Q5_0", 5.0)]
    weighed = [weigh(one) for one in forms]

    assert recommended(weighed) is weighed[2]
    assert recommended(weighed[:1]) is None
