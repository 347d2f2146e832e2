"""What is wrong with settings is told with its place and what to do."""

import asyncio
from collections.abc import Callable

import pytest
from desks import Desk

from langchain_lmswitch import ChatLMSwitch, LMSwitchEmbeddings
from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import FixedMachine, ScriptedHost


def told() -> str:
    with pytest.raises(BadSettings) as caught:
        Settings()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\ncontxt_tokens = 1", "line 2: `contxt_tokens` is no setting. Nearest: context_tokens."),
        ("xyz = 1", "line 1: `xyz` is no setting. `lmswitch config --markdown` lists all."),
        ("LM_API_TOKEN = 'x'", "line 1: `LM_API_TOKEN` is no setting."),
        (
            '[models."a/b"]\nmax_contxt = 1',
            'line 2: `models."a/b".max_contxt` is no setting. Nearest: max_context.',
        ),
        ("[models.a]\nmodels = 1", "line 1: `models` cannot be {'a': {'models': 1}}: 'a' names"),
        ("models.a = 3", "line 1: `models` cannot be {'a': 3}: 'a' needs a table of roles, scores"),
        ("[models.a]\npin = 3", 'line 2: `models."a".pin` cannot be 3: Input should be a valid'),
        ("[models.a]\nroles = ['cook']", "line 2: `models.\"a\".roles` cannot be 'cook': Input"),
        ("[models.a.scores]\ncook = 1", "line 1: `models.\"a\".scores` cannot be 'cook': Input"),
        ("[models.a]\nscores.code = 2", 'line 2: `models."a".scores` cannot be 2: Input should be'),
        ("[roles]\na = ['cook']", "line 1: `roles` cannot be {'a': ['cook']}: 'a' has the role"),
        ("parallel = 0", "line 1: `parallel` cannot be 0: Input should be greater than or equal"),
        ("deny = [3]", "line 1: `deny` cannot be 3: Input should be a valid string."),
    ],
)
def test_what_a_file_says_wrong(text: str, said: str, desk: Desk) -> None:
    desk.write(user=text)

    message = told()

    assert message.startswith(f"{desk.user_file}, {said}")
    assert message.endswith(" Correct it there.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parallel = 1\nthreads 2", r"is no TOML: Expected '=' .* \(at line 2, column 9\)\."),
        ("a = 1\na = 2\n", r"is no TOML: Cannot overwrite a value \(at line 2, column 6\)\."),
    ],
)
def test_what_is_no_toml(text: str, said: str, desk: Desk) -> None:
    desk.write(project=text)

    with pytest.raises(BadSettings, match=rf"project.lmswitch\.toml {said} Correct it there\.$"):
        Settings()


def test_what_is_no_text(desk: Desk) -> None:
    desk.write(user="")
    desk.user_file.write_bytes(b"a = '\xff'")

    assert told().startswith(f"{desk.user_file} is no TOML: 'utf-8' codec can't decode byte 0xff")


def test_a_file_that_cannot_be_read(desk: Desk) -> None:
    desk.user_file.mkdir(parents=True)

    message = told()

    assert message.startswith(f"{desk.user_file} cannot be read: ")
    assert message.endswith("set LMSWITCH_CONFIG to another file or to `off`.")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LMSWITCH_THREADS", "many", "LMSWITCH_THREADS cannot be 'many': Input should be a valid"),
        ("LMSWITCH_THREAD", "2", "LMSWITCH_THREAD is no setting. Nearest: LMSWITCH_THREADS."),
        ("LMSWITCH_MODELS", "/a:/b", "LMSWITCH_MODELS cannot be '/a:/b': it is no JSON object,"),
        ("LMSWITCH_MODELS", "[1]", "LMSWITCH_MODELS cannot be 1: Input should be a valid"),
        (
            "LMSWITCH_MODELS",
            '{"a": {"pin": 3}}',
            'models."a".pin in LMSWITCH_MODELS cannot be 3: Input should be a valid boolean',
        ),
        ("LMSWITCH_ROLES", "code", "LMSWITCH_ROLES cannot be 'code': it is no JSON object, such"),
    ],
)
@pytest.mark.usefixtures("desk")
def test_what_a_variable_says_wrong(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    message = told()

    assert message.startswith(said)
    assert message.endswith(" Change or unset it in the environment.")


@pytest.mark.parametrize(
    "variable",
    [
        "LMSWITCH_TEST_MODELS",
        "LMSWITCH_BENCH_S",
        "LMSWITCH_SERVICE_HOST",
        "LMSWITCH_SERVICE_PORT_HTTP",
        "LMSWITCH_PORT",
        "LMSWITCH_PORT_1234_TCP_ADDR",
    ],
)
@pytest.mark.usefixtures("desk")
def test_variables_that_are_no_settings(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes sets some beside a service of the name `lmswitch`, and our tests have theirs."""
    monkeypatch.setenv(variable, "tcp://10.0.0.1:1234")

    assert Settings() == Settings(base_url=None)


@pytest.mark.usefixtures("desk")
def test_what_an_argument_says_wrong() -> None:
    with pytest.raises(BadSettings) as caught:
        Settings(parallel=0, lingr_s=2)  # type: ignore[call-arg]

    assert caught.value.problems == (
        "`parallel` cannot be 0: Input should be greater than or equal to 1.",
        "`lingr_s` is no setting. Nearest: linger_s.",
    )
    assert str(caught.value).endswith(" Correct the argument.")


def test_all_that_is_wrong_is_told_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(user="parallel = 0", project="threads = 0")
    monkeypatch.setenv("LMSWITCH_TTL_S", "0")

    with pytest.raises(BadSettings) as caught:
        Settings()

    problems = sorted(caught.value.problems)
    assert [problem.split(":")[0] for problem in problems] == [
        f"{desk.user_file}, line 1",
        f"{desk.project_file}, line 1",
        "LMSWITCH_TTL_S cannot be '0'",
    ]
    assert caught.value.remedy.count("Correct it there.") == 1


def test_a_token_is_never_told(desk: Desk) -> None:
    desk.write(user="api_key = ['sk-lm-secret']")

    message = told()

    assert "`api_key` cannot be what was given: " in message
    assert "secret" not in message


def _asked(llm: ChatLMSwitch) -> None:
    llm.invoke("Hello")


def _asked_async(llm: ChatLMSwitch) -> None:
    asyncio.run(llm.ainvoke("Hello"))


def _streamed(llm: ChatLMSwitch) -> None:
    list(llm.stream("Hello"))


@pytest.mark.parametrize("ask", [_asked, _asked_async, _streamed])
def test_who_asks_a_chat_model_is_told(ask: Callable[[ChatLMSwitch], None], desk: Desk) -> None:
    """By the same error, however it asks; the chat model itself can be made."""
    desk.write(user="contxt_tokens = 1")
    llm = ChatLMSwitch(host=ScriptedHost(), monitor=FixedMachine())

    with pytest.raises(BadSettings, match="`contxt_tokens` is no setting"):
        ask(llm)


def test_who_embeds_is_told(desk: Desk) -> None:
    desk.write(user="contxt_tokens = 1")

    with pytest.raises(BadSettings, match="`contxt_tokens` is no setting"):
        LMSwitchEmbeddings(host=ScriptedHost()).embed_query("Hello")
