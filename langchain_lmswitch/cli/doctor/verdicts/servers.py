"""Verdicts: whether there is a host, and whether there is more than one."""

from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign, install, unset
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem
from langchain_lmswitch.cli.doctor.probes.processes import HostProcess
from langchain_lmswitch.cli.doctor.probes.servers import Servers, Silence

VARIABLE: Final = "LMSWITCH_BASE_URL"
_MOST: Final = 3
"""Other hosts that are named."""
_KINDS: Final = {
    "explicit": "the address you gave",
    "lmstudio": "LM Studio",
    "embedded": "the embedded host",
}
_SILENCES: Final[dict[Silence, str]] = {
    "refused": "nothing listens there",
    "no answer": "nothing answers there; a firewall, or a computer that is off",
    "another server": "what listens there does not answer as LM Studio's server does (Ollama and "
    "llama-server speak another protocol)",
    "no such name": "no computer of that name is known here",
}


def judge_host(facts: Servers) -> Finding:
    """Say which host is used, or why there is none.

    1. One is used.
    2. What was given is no address.
    3. The address that was given does not answer: another one that does, or what to try.
    4. A host answers where it is not looked for.
    5. LM Studio runs and does not serve.
    6. None runs, and the embedded one would be started.
    7. There is none.
    """
    if facts.used is not None:  # 1
        return ok("host", f"{_KINDS[facts.used.kind]} answers at {facts.used.address}")
    if facts.bad_address:  # 2
        return problem("host", facts.bad_address, assign(VARIABLE, "127.0.0.1:1234"))
    if facts.given is not None:  # 3
        return _given_is_silent(facts, facts.given)
    return _none_where_looked(facts)


def _given_is_silent(facts: Servers, given: str) -> Finding:
    why = _SILENCES[facts.silence or "no answer"]
    what = f"{given} was given as the address of the host, but {why}."
    if facts.elsewhere:
        there = facts.elsewhere[0]
        return problem("host", f"{what} A host answers at {there}.", assign(VARIABLE, there))
    return problem(
        "host", f"{what} Without an address, this machine is searched.", unset([VARIABLE])
    )


def _none_where_looked(facts: Servers) -> Finding:
    if facts.elsewhere:  # 4
        there = facts.elsewhere[0]
        what = f"a host answers at {there}, where it is not looked for"
        return problem("host", what, assign(VARIABLE, there))
    if any(one.kind == "lmstudio" for one in facts.processes):  # 5
        return problem("host", "LM Studio runs, but its server is off", "lms server start")
    if facts.would_start:  # 6
        return ok("host", "none runs now; the embedded host is started when it is needed")
    ports = ", ".join(one.rpartition(":")[2] for one in facts.looked_at)  # 7
    what = f"none: no LM Studio answers (ports {ports}), and the embedded host is not installed"
    return problem("host", what, install("langchain-lmswitch[embedded]"))


def judge_rivals(facts: Servers) -> Finding:
    """Say whether other hosts run beside the one that is used."""
    rivals = _rivals(facts)
    if not rivals:
        return ok("other hosts", "none")
    told = ", ".join(f"{address} (process {owner.pid})" for address, owner in rivals[:_MOST])
    count = "one runs" if len(rivals) == 1 else f"{len(rivals)} run"
    more = " and others" if len(rivals) > _MOST else ""
    what = f"{count} beside the one you use: {told}{more}. What they load takes memory from it."
    if all(owner.kind == "embedded" for _, owner in rivals):
        return note("other hosts", f"{what} They end by themselves when nobody uses them.")
    return note("other hosts", what, "lms server stop")


def _rivals(facts: Servers) -> list[tuple[str, HostProcess]]:
    """List who greets and is another process than the host that is used, as far as that is seen."""
    if facts.used is None:
        return []
    owners = {port: one for one in facts.processes for port in one.ports}
    mine = owners.get(_port(facts.used.address))
    found = []
    for address in facts.greeting:
        owner = owners.get(_port(address))
        # LM Studio answers at two ports.
        if owner and owner != mine and (owner.kind, facts.used.kind) != ("lmstudio", "lmstudio"):
            found.append((address, owner))
    return found


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
