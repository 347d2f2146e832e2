"""Verdict: proxies."""

from collections.abc import Sequence

from langchain_lmswitch.cli.doctor.commands import assign, install, unset
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem
from langchain_lmswitch.cli.doctor.probes.proxies import Proxies


def judge_proxies(facts: Proxies) -> Finding:
    """Say whom the proxies of the environment are in the way of.

    Not of us on the way to a host: that goes direct, whatever is set. But downloads go through
    them, and other programs go through them even to this very machine.
    """
    if not facts.variables:
        return ok("proxy", "none")
    if facts.dead:
        return _dead([name for name, _ in facts.dead], facts.dead[0][1])
    names = ", ".join(name for name, _ in facts.variables)
    if facts.socks:
        what = f"{names} names a SOCKS proxy, for which httpx needs more: downloads will fail"
        return problem("proxy", what, install("httpx[socks]"))
    if not facts.loopback_excepted:
        what = (
            f"{names} is set, without an exception for this machine. We reach hosts directly all "
            "the same; other programs may ask the proxy for LM Studio, and fail."
        )
        return note("proxy", what, assign("NO_PROXY", "localhost,127.0.0.1,::1"))
    return ok("proxy", f"{names}, for downloads only")


def _dead(names: Sequence[str], url: str) -> Finding:
    # Models and packages come over HTTPS.
    fetching = any(not name.lower().startswith("http_") for name in names)
    fail = "downloads (`lmswitch pull`, pip)" if fetching else "other programs that obey it"
    what = (
        f"{', '.join(names)} names {_shown(url)}, which does not answer: {fail} will fail. We "
        "reach hosts without it."
    )
    return problem("proxy", what, unset(names))


def _shown(url: str) -> str:
    """Give the address of a proxy without the password that may stand in it."""
    return url.rpartition("://")[2].rpartition("@")[2]
