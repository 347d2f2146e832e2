"""`lmswitch config`: settings, their places, and a file to start from."""

import json
import stat
from typing import Any

import pytest
from desks import Desk
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.settings.documenting import example_file, model_table, settings_table


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["config", *args])


def row(output: str, name: str) -> list[str]:
    [line] = [line for line in output.splitlines() if line.startswith(f"{name} ")]
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def record(*args: str) -> dict[str, Any]:
    done = run("--json", *args)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_setting_is_shown_with_its_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(
        user='api_key = "sk-lm-secret"\nthreads = 2\ndeny = "a"\n[models.coder]\npin = true',
        project='threads = 3\nheadroom_bytes = 1073741824\ndeny = ["b"]',
    )
    monkeypatch.setenv("LMSWITCH_THREADS", "4")

    table, legend = run().stdout.rsplit("\n\n", maxsplit=1)
    shown, user, project = table, "user file", "project file"

    assert row(shown, "parallel") == ["parallel", "1", "default"]
    assert row(shown, "budget_bytes") == ["budget_bytes", "not set", "default"]
    assert row(shown, "api_key") == ["api_key", "set", f"{user}, line 1"]
    assert row(shown, "headroom_bytes")[1:] == ["1073741824 (1.0 GiB)", f"{project}, line 2"]
    assert row(shown, 'models."coder".pin')[1:] == ["true", f"{user}, line 5"]
    assert row(shown, "deny")[1:] == ['["a", "b"]', f"{project}, line 3, and {user}, line 3"]
    assert row(shown, "threads")[1:] == [
        "4",
        f"LMSWITCH_THREADS, over {project}, line 1 and {user}, line 2",
    ]
    assert legend.splitlines() == [
        "project file: ~/work/project/lmswitch.toml",
        "user file: ~/.config/langchain-lmswitch/lmswitch.toml",
    ]
    assert {line.split(" ")[0] for line in shown.splitlines()[2:]} == {
        *(set(Settings.model_fields) - {"models"}),
        'models."coder".pin',
    }
    assert "secret" not in shown


def test_only_what_is_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `lmswitch` itself takes instead of a default is no change of the user's."""
    monkeypatch.setenv("LMSWITCH_COMMAND", "true")
    desk.write(user="threads = 2")

    shown = run("--changed").stdout.split("\n\n")[0].splitlines()

    assert [line.split(" ")[0] for line in shown[2:]] == ["threads"]
    assert row(run().stdout, "unload_at_exit")[1:] == ["false", "default of commands"]


def test_what_is_wrong_is_shown_among_the_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is marked, told with what to do, and the command fails."""
    desk.write(
        user='api_key = ["secret"]\nparallel = 2\nday = 2020-01-01\n'
        '[models.coder]\npin = "maybe"\nmax_context = 4096',
        project="parallel = 0",
    )
    monkeypatch.setenv("LMSWITCH_CONTXT", "on")

    done = run("--changed")
    shown = done.stdout

    assert done.exit_code == 2
    assert row(shown, "api_key") == ["api_key", "set (wrong)", "user file, line 1"]
    assert row(shown, "parallel")[1:] == [
        "0 (wrong)",
        "project file, line 1, over user file, line 2",
    ]
    assert row(shown, 'models."coder".pin')[1:] == ["maybe (wrong)", "user file, line 5"]
    assert row(shown, 'models."coder".max_context')[1:] == ["4096", "user file, line 6"]
    assert row(shown, "contxt")[1:] == ["on (wrong)", "LMSWITCH_CONTXT"]
    assert row(shown, "day")[1:] == ["2020-01-01 (wrong)", "user file, line 3"]
    assert len(shown.split("\n\n")[0].splitlines()) == 2 + 6
    assert "secret" not in shown + done.stderr
    assert "`parallel` cannot be 0" in done.stderr


def test_what_is_wrong_as_json(desk: Desk) -> None:
    desk.write(user="parallel = 0\nthreads = 2")

    done = run("--json", "--changed")
    found = {
        one["name"]: (one["value"], one["wrong"]) for one in json.loads(done.stdout)["settings"]
    }

    assert done.exit_code == 2
    assert found == {"parallel": (0, True), "threads": (2, False)}
    assert json.loads(done.stderr)["error"] == "BadSettings"


@pytest.mark.parametrize("project", ["threads 3", 'base_url = "h:1"'])
def test_a_file_that_cannot_be_used_is_left_out(project: str, desk: Desk) -> None:
    desk.write(user="threads = 2", project=project)

    done = run("--changed")

    assert done.exit_code == 2
    assert row(done.stdout, "threads")[1:] == ["2", "user file, line 1"]
    assert str(desk.project_file) in done.stderr


def test_where_no_file_can_be_read_the_environment_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(user="a = ", project="threads 3")
    monkeypatch.setenv("LMSWITCH_THREADS", "4")

    done = run("--changed")

    assert done.exit_code == 2
    assert row(done.stdout, "threads")[1:] == ["4", "LMSWITCH_THREADS"]


@pytest.mark.usefixtures("desk")
def test_nothing_changed_says_how_to_begin() -> None:
    done = run("--changed")

    assert done.stdout == ""
    assert done.stderr.startswith("All is as by default. `lmswitch config --init` writes a file")


@pytest.mark.usefixtures("desk")
def test_nothing_changed_in_a_file_that_is_there_says_so() -> None:
    assert run("--init").exit_code == 0

    told = " ".join(run("--changed").stderr.split())

    assert "lmswitch.toml sets nothing yet: take the # away" in told
    assert "--init" not in told


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("args", [["config", "--base-url", "h:1"], ["--base-url", "h:1", "config"]])
def test_an_option_is_a_place_too(args: list[str]) -> None:
    shown = CliRunner().invoke(app, args).stdout

    assert row(shown, "base_url") == ["base_url", "h:1", "--base-url"]


def test_as_json(desk: Desk) -> None:
    desk.write(user='api_key = "sk-lm-secret"\nthreads = 2')

    found = {one["name"]: one for one in record("--changed")["settings"]}

    assert found["threads"] == {
        "name": "threads",
        "value": 2,
        "changed": True,
        "wrong": False,
        "from": [
            {"kind": "user", "name": str(desk.user_file), "line": 2},
            {"kind": "default", "name": "", "line": None},
        ],
    }
    assert found["api_key"]["value"] is True
    assert len(record()["settings"]) == len(Settings.model_fields)


def test_where_files_are_looked_for(desk: Desk) -> None:
    shown = run("--path").stdout
    assert row(shown, "the user's")[1:] == [
        "~/.config/langchain-lmswitch/lmswitch.toml",
        "no; `lmswitch config --init` writes it",
    ]
    assert row(shown, "the project's")[2] == "no"

    desk.write(user="", project="")
    shown = run("--path").stdout
    assert row(shown, "the user's")[2] == "yes"
    assert row(shown, "the project's")[1:] == ["~/work/project/lmswitch.toml", "yes"]
    assert record("--path") == {
        "project": {"path": str(desk.project_file), "exists": True},
        "user": {"path": str(desk.user_file), "exists": True},
    }


def test_where_files_are_looked_for_if_the_environment_says(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file is not there, which every other command refuses."""
    monkeypatch.setenv("LMSWITCH_CONFIG", str(desk.home / "mine.toml"))
    shown = run("--path").stdout
    assert row(shown, "the user's (LMSWITCH_CONFIG)")[1] == "~/mine.toml"

    monkeypatch.setenv("LMSWITCH_CONFIG", "off")
    shown = run("--path").stdout
    assert shown.count("none is read: LMSWITCH_CONFIG is off") == 2
    assert record("--path") == {"project": None, "user": None}


def test_a_file_to_start_from(desk: Desk) -> None:
    """Only its owner may read it: a token may be put into it."""
    done = run("--init")

    assert done.stdout == f"{desk.user_file} is written; all in it is commented out.\n"
    assert desk.user_file.read_text(encoding="utf-8") == example_file()
    assert stat.S_IMODE(desk.user_file.stat().st_mode) == 0o600
    assert run("--changed").stdout == ""


def test_a_file_is_never_written_over(desk: Desk) -> None:
    desk.write(user="threads = 2")

    done = run("--init")

    assert done.exit_code == 2
    assert "is there already and stays as it is." in done.stderr
    assert desk.user_file.read_text(encoding="utf-8") == "threads = 2"


def test_the_file_that_the_environment_names_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = desk.home / "new" / "mine.toml"
    monkeypatch.setenv("LMSWITCH_CONFIG", str(file))

    assert record("--init") == {"written": str(file)}
    assert file.is_file()
    assert not desk.user_file.exists()


@pytest.mark.usefixtures("desk")
def test_no_file_is_written_that_would_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_CONFIG", "off")

    done = run("--init")

    assert done.exit_code == 2
    assert (
        done.stderr
        == "lmswitch: No file is read, since LMSWITCH_CONFIG is `off`. Unset it first.\n"
    )


def test_the_table_of_the_readme(desk: Desk) -> None:
    """It is there though a setting is wrong: it tells what they are."""
    desk.write(user="threads = 0")

    assert run("--markdown").stdout == f"{settings_table()}\n\n{model_table()}\n"


@pytest.mark.usefixtures("desk")
def test_one_thing_at_a_time() -> None:
    done = run("--path", "--init")

    assert done.exit_code == 2
    assert "--path, --init and --markdown" in done.stderr


def test_what_is_wrong_is_told_with_its_place(desk: Desk) -> None:
    desk.write(project="thread = 2")

    done = run()

    assert done.exit_code == 2
    assert done.stderr == (
        f"lmswitch: {desk.project_file}, line 1: `thread` is no setting. Nearest: threads. "
        "Correct it there.\n"
    )
