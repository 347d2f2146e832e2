"""Verdicts: whether the host lets us in, and whether it has models."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_lmswitch.cli.doctor.commands import assign, undo
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem, unknown
from langchain_lmswitch.cli.doctor.probes.files import Files
from langchain_lmswitch.cli.doctor.probes.servers import Servers
from langchain_lmswitch.cli.doctor.probes.talk import Talk
from langchain_lmswitch.errors import HostRejected, InvalidRequest
from langchain_lmswitch.policy.needs import forbidding
from langchain_lmswitch.policy.wishes import matches
from langchain_lmswitch.settings.layers import DEFAULT, Origin
from langchain_lmswitch.types.tasks import Hints
from langchain_lmswitch.types.units import plural

_NO_HOST = "no host runs to be asked"
_CLOSED = "the host does not tell us; see access"
_LIST = "lmswitch models"
TOKEN = "LM_API_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A host's answers, with how it was found."""

    talk: Talk
    servers: Servers
    has_token: bool
    """Whether the settings hold one."""
    token_origin: Origin = DEFAULT
    """Where they have it from."""
    token_file: str = ""
    """Where the token of an embedded host lies that this home knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The models of a host, and the files in the folders of this machine."""

    talk: Talk
    files: Files
    would_start: bool
    """Whether the embedded host would be started, and serve the files."""
    hints: Hints = Hints()  # noqa: RUF009 - it is frozen
    """Who may answer, by the settings."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where the settings say so."""
    spoken_of: tuple[str, ...] = ()
    """The models of which the settings say something, as they name them."""


def judge_token(facts: Asked) -> Finding:
    """Say whether the host lets us in.

    1. It does, or none runs yet.
    2. The token has not the form of one.
    3. It refused the token, or wants one.
    4. It failed otherwise.
    """
    talk = facts.talk
    match talk.error:
        case None if talk.host is None and facts.servers.would_start:
            return ok("access", "no host runs yet; the one that is started lets us in")
        case None if talk.host is None:
            return unknown("access", _NO_HOST)
        case None:  # 1
            release = f"; release {talk.engine}" if talk.engine else ""
            return ok("access", f"the host lets us in{release}")
        case InvalidRequest():  # 2
            return problem("access", str(talk.error), undo(facts.token_origin))
        case HostRejected():  # 3
            return _refused(facts)
        case _:  # 4
            return problem("access", str(talk.error), "lmswitch status")


def _refused(facts: Asked) -> Finding:
    """Say what would be let in.

    1. The embedded host of this very home.
    2. That of another home, which is for that home alone.
    3. LM Studio, with a token.
    """
    address = facts.servers.used.address if facts.servers.used else "the host"
    if facts.token_file:  # 1
        what = f"the embedded host at {address} refused us; its token lies in {facts.token_file}"
        token = f'"$(cat {shlex.quote(facts.token_file)})"'
        return problem("access", what, f"export {TOKEN}={token}")
    if facts.servers.is_embedded:  # 2
        what = f"{address} is the embedded host of another LMSWITCH_HOME, and lets only that in"
        return problem("access", what, undo(facts.servers.origin))
    what = (  # 3
        f"{address} refused the token that is set; it may have been deleted"
        if facts.has_token
        else f"{address} wants a token, and none is set"
    )
    where = "LM Studio makes one under Developer, Server Settings, Manage Tokens."
    return problem(
        "access", f"{what}. {where}", assign(TOKEN, "sk-lm-XXXXXXXX:YYYYYYYYYYYYYYYYYYYY")
    )


def judge_models(facts: Installed) -> Finding:
    """Say which models there are."""
    if facts.talk.error is not None:
        return unknown("models", _CLOSED)
    if facts.talk.host is None:
        return _by_files(facts)
    able = [card for card in facts.talk.cards if card.kind == "llm"]
    chat, rest = len(able), len(facts.talk.cards) - len(able)
    forbidden = [next(forbidding(card, facts.hints), None) for card in able]
    if chat and all(forbidden):
        setting, why = forbidden[0] or ("", "")
        what = f"none of the {plural(chat, 'chat model')} may answer: {why}"
        return problem("models", what, undo(facts.origins.get(setting, DEFAULT)))
    if chat:
        others = f", {plural(rest, 'embedding model')}" if rest else ""
        return _counted(facts, f"{plural(chat, 'chat model')}{others}")
    what = "only embedding models are installed" if rest else "none is installed"
    what = f"{what}, so there is nothing that could answer"
    return problem("models", what, "lmswitch pull starter")


def _counted(facts: Installed, what: str) -> Finding:
    strange = [
        name
        for name in dict.fromkeys(facts.spoken_of)
        if not any(matches(card, name) for card in facts.talk.cards)
    ]
    if not strange:
        return ok("models", what)
    names = ", ".join(f"`{name}`" for name in strange)
    return note("models", f"{what}; the settings speak of {names}, and none is called so", _LIST)


def _by_files(facts: Installed) -> Finding:
    if facts.files.chat:
        return ok("models", f"{plural(facts.files.chat, 'model file')} on this machine")
    if facts.would_start:
        what = "no model file is on this machine, so there is nothing that could answer"
        return problem("models", what, "lmswitch pull starter")
    return unknown("models", _NO_HOST)


def judge_residents(facts: Talk) -> Finding:
    """Say who holds memory that we may not take."""
    if facts.error is not None:
        return unknown("in memory", _CLOSED)
    foreign = [one for one in facts.residents if not one.identifier.startswith("lmswitch/")]
    if not foreign:
        held = plural(len(facts.residents), "model")
        return ok("in memory", f"{held}, loaded by us" if facts.residents else "nothing")
    names = ", ".join(one.identifier for one in foreign)
    what = (
        f"{names} was loaded by another program, or by LM Studio itself when it was asked for "
        "(Just-in-Time loading). It is never unloaded to make room, unless you allow that."
    )
    return note("in memory", what, assign("LMSWITCH_EVICT_FOREIGN", "true"))
