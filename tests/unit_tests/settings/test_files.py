"""Files of settings: where they are found, when they are read, and what they may say."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from desks import Desk
from pydantic import SecretStr

from langchain_lmswitch.embedded.launch import environment
from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings import ModelSettings, Settings, made_settings
from langchain_lmswitch.settings.files import places
from langchain_lmswitch.settings.sifting import sift
from langchain_lmswitch.settings.sources import PERSONAL

# --- where they are ---------------------------------------------------------------------------


def test_without_files_all_is_as_by_default(desk: Desk) -> None:
    where = places()

    assert (where.user, where.named, where.project) == (desk.user_file, False, None)
    assert Settings().context_tokens == 8192


def test_each_place_counts_over_those_below(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(
        user="context_tokens = 1000\nparallel = 2\nlinger_s = 3\nthreads = 4",
        project="context_tokens = 1001\nparallel = 3\nlinger_s = 4",
    )
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", "1002")
    monkeypatch.setenv("LMSWITCH_PARALLEL", "4")

    found = Settings(context_tokens=1003)

    assert (found.context_tokens, found.parallel) == (1003, 4)
    assert (found.linger_s, found.threads) == (4, 4)


def test_the_nearest_file_above_is_the_project_s(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(project="parallel = 2")
    deep = desk.project / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    assert places().project == desk.project_file
    (deep.parent / "lmswitch.toml").write_text("parallel = 3")
    assert Settings().parallel == 3


def test_the_home_directory_is_the_last_that_is_looked_into(desk: Desk) -> None:
    (desk.home.parent / "lmswitch.toml").write_text("parallel = 2")
    assert places().project is None

    (desk.home / "lmswitch.toml").write_text("parallel = 3")
    assert places().project == desk.home / "lmswitch.toml"


def test_outside_of_home_it_is_looked_for_up_to_the_root(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = desk.home.parent / "elsewhere" / "deep"
    elsewhere.mkdir(parents=True)
    (desk.home.parent / "lmswitch.toml").write_text("parallel = 2")
    monkeypatch.chdir(elsewhere)

    assert places().project == desk.home.parent / "lmswitch.toml"


def test_where_we_may_not_look_there_is_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a service that has another user's HOME; that it is too long a name works for root."""
    desk.write(project="parallel = 3")
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{desk.home}/{'x' * 300}")

    assert Settings().parallel == 3


def test_a_home_that_nobody_has_is_the_name_of_a_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(user='home = "~nobody-here/x"\nmodel_folders = ["~/models"]')

    assert Settings().home == desk.user_file.parent / "~nobody-here" / "x"
    assert Settings().model_folders == (desk.home / "models",)
    monkeypatch.setenv("LMSWITCH_CONFIG", "~nobody-here/x.toml")
    assert places().user == desk.project / "~nobody-here" / "x.toml"


@pytest.mark.skipif(os.name != "posix", reason="Windows knows a home otherwise")
@pytest.mark.parametrize("config", [None, "off"])
def test_where_nobody_has_a_home(
    config: str | None, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the library and for `lmswitch config`, which shows what there is of wrong settings."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", _nobody)
    if config is not None:
        monkeypatch.setenv("LMSWITCH_CONFIG", config)

    for ask in (Settings, lambda: sift({})):
        with pytest.raises(BadSettings, match="Set HOME to a folder that you can write"):
            ask()
    monkeypatch.setenv("HOME", str(desk.home))
    assert Settings().home.is_relative_to(desk.home)


def _nobody(uid: int) -> NoReturn:
    raise KeyError(uid)


def test_a_variable_may_begin_at_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no shell has read it: in a container, in a unit of systemd."""
    monkeypatch.setenv("LMSWITCH_HOME", "~/data")
    monkeypatch.setenv("LMSWITCH_MODEL_FOLDERS", "~/a")

    assert Settings().home == desk.home / "data"
    assert Settings().model_folders == (desk.home / "a",)


def test_an_empty_variable_says_nothing_or_is_an_empty_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers and CI pass on what is not set."""
    desk.write(user='base_url = "h:1"\ndeny = ["a"]\napi_key = "k"\nthreads = 2')
    for name in ("HOME", "BASE_URL", "DENY", "API_KEY", "THREADS", "MODELS", "CONTEXT_STORE"):
        monkeypatch.setenv(f"LMSWITCH_{name}", "")
    monkeypatch.setenv("LM_API_TOKEN", "")

    found = Settings()

    assert (found.base_url, found.api_key, found.threads) == ("h:1", SecretStr("k"), 2)
    assert (found.deny, found.models, found.context_store) == ((), (), None)
    assert found.home.is_absolute()


def test_the_user_s_file_is_no_project_s(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever works in the folder of settings may say there what only the user may."""
    desk.write(user='base_url = "h:1"')
    monkeypatch.chdir(desk.user_file.parent)

    assert places().project is None
    assert Settings().base_url == "h:1"


def test_a_directory_that_is_gone_has_no_project(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = desk.home / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert places().project is None


def test_the_environment_names_another_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the user's; a project's still counts over it."""
    desk.write(user="parallel = 2\nthreads = 2", project="parallel = 3")
    other = desk.home / "other.toml"
    other.write_text("parallel = 4\nlinger_s = 4")
    monkeypatch.setenv("LMSWITCH_CONFIG", "~/other.toml")

    found = Settings()

    assert (found.parallel, found.linger_s, found.threads) == (3, 4, None)


@pytest.mark.parametrize("off", ["off", "OFF", ""])
def test_off_reads_no_file(off: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(user="parallel = 2", project="parallel = 3")
    monkeypatch.setenv("LMSWITCH_CONFIG", off)

    assert Settings().parallel == 1


def test_a_named_file_must_be_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_CONFIG", str(desk.home / "none.toml"))

    with pytest.raises(BadSettings, match=r"There is no .*none\.toml\. .*unset LMSWITCH_CONFIG\.$"):
        Settings()


# --- what they say ----------------------------------------------------------------------------


def test_every_form_of_a_file(desk: Desk) -> None:
    """Lists are lists, tables are tables, and paths are read from where the file lies."""
    desk.write(
        user="""
            api_key = "sk-lm-secret"
            model_folders = ["~/weights", "near", "/far"]
            context_store = "kept.sqlite"
            deny = ["*uncensored*"]
            allow = "qwen*, gemma"
            ttl_s = 60

            [roles]
            gemma = { chat = 0.9 }

            [models."qwen2.5-coder"]
            roles = ["code"]
            pin = true
            max_context = 8192
        """
    )
    beside = desk.user_file.parent

    found = Settings()

    assert found.api_key == SecretStr("sk-lm-secret")
    assert found.model_folders == (desk.home / "weights", beside / "near", Path("/far"))
    assert found.context_store == beside / "kept.sqlite"
    assert (found.deny, found.allow, found.ttl_s) == (("*uncensored*",), ("qwen*", "gemma"), 60)
    assert [(role.models, role.task, role.score) for role in found.all_roles] == [
        ("gemma", "chat", 0.9),
        ("qwen2.5-coder", "code", None),
    ]
    assert found.models == (
        ModelSettings(models="qwen2.5-coder", roles=("code",), pin=True, max_context=8192),
    )


def test_folders_may_be_written_as_in_path(desk: Desk) -> None:
    desk.write(user=f'model_folders = "/a{os.pathsep}b"')

    assert Settings().model_folders == (Path("/a"), desk.user_file.parent / "b")


def test_tables_of_all_places_are_merged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(
        user='[models."qwen*"]\nttl_s = 9\n[models.coder]\npin = true\nparallel = 2\nttl_s = 1',
        project="[models.coder]\nparallel = 3\nttl_s = 2",
    )
    monkeypatch.setenv("LMSWITCH_MODELS", '{"coder": {"ttl_s": 3}}')

    assert Settings().models == (
        ModelSettings(models="coder", pin=True, parallel=3, ttl_s=3),
        ModelSettings(models="qwen*", ttl_s=9),
    )


def test_a_mark_of_windows_before_the_text_is_no_part_of_it(desk: Desk) -> None:
    desk.write(user="\ufeffparallel = 2")

    assert Settings().parallel == 2


@pytest.mark.parametrize("name", PERSONAL)
def test_a_project_may_not_say_where_your_words_go(name: str, desk: Desk) -> None:
    """Nor which files are loaded; it may have come with a stranger's repository."""
    desk.write(project=f'parallel = 2\n{name} = "x"')

    with pytest.raises(BadSettings) as caught:
        Settings()

    assert f"{desk.project_file}, line 2: a project's file may not set `{name}`" in str(
        caught.value
    )
    assert str(caught.value).endswith(f"Set it in {desk.user_file}, or in the environment.")


def test_a_project_may_say_everything_else() -> None:
    """What a setting may be said in is decided for each: a new one is looked at here."""
    assert set(Settings.model_fields) - set(PERSONAL) == {
        "allow",
        "budget_bytes",
        "context",
        "context_tokens",
        "deny",
        "embedder",
        "evict_helpers",
        "explore",
        "headroom_bytes",
        "learn",
        "linger_s",
        "load_timeout_s",
        "models",
        "on_overflow",
        "parallel",
        "queue_limit",
        "queue_timeout_s",
        "refine",
        "refine_timeout_s",
        "remember",
        "roles",
        "summarizer",
        "threads",
        "timeout_s",
        "ttl_s",
        "unload_at_exit",
    }


def test_a_project_cannot_lift_the_user_s_ban(desk: Desk) -> None:
    desk.write(user='deny = ["*uncensored*"]', project='deny = "llama"')

    assert Settings().deny == ("*uncensored*", "llama")


# --- when they are read -----------------------------------------------------------------------


def test_a_changed_file_counts_from_the_next_settings_on(desk: Desk) -> None:
    """What was made keeps what it was made with, also where it is kept by a chat model."""
    desk.write(user="parallel = 2")
    before, made = Settings(), made_settings(None, base_url="h:1")

    desk.write(user="parallel = 33")

    assert (before.parallel, made.settings.parallel) == (2, 2)
    assert made_settings(made, base_url="h:1").settings.parallel == 2
    assert made_settings(made, base_url="h:2").settings.parallel == 33
    assert Settings().parallel == 33


def test_an_unchanged_file_is_read_once(desk: Desk) -> None:
    """Settings are made often; a file that did not change is only looked at."""
    desk.write(user="parallel = 2")
    Settings()
    status = desk.user_file.stat()

    desk.user_file.write_text("parallel = 3")
    os.utime(desk.user_file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert Settings().parallel == 2


def test_the_embedded_host_gets_what_its_parent_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads no files of its own, though they may say something else by then."""
    desk.write(user="linger_s = 3\nthreads = 2", project="linger_s = 4")
    parent = Settings(linger_s=5)
    for name, value in environment(parent).items():
        monkeypatch.setenv(name, value)
    desk.write(user="linger_s = 6\nthreads = 3\nparallel = 9", project="linger_s = 7")

    assert Settings() == parent


def test_a_command_takes_its_own_default(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file counts over it, as over every default."""
    monkeypatch.setenv("LMSWITCH_COMMAND", "true")
    assert Settings().unload_at_exit is False

    desk.write(user="unload_at_exit = true")
    assert Settings().unload_at_exit is True
