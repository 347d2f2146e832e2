"""Verdict: proxies."""

from urllib.parse import urlsplit

from langchain_lmswitch.cli.doctor.commands import assign, unset
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem
from langchain_lmswitch.cli.doctor.probes.proxies import Proxies


def judge_proxies(facts: Proxies) -> Finding:
    """Say whom the proxies of the environment are in the way of.

    Not of us on the way to a host: that goes direct, whatever is set. But downloads go through
    them, and other programs go through them even to this very machine.
    """
    if not facts.variables:
        return ok("proxy", "none")
    names = ", ".join(facts.variables)
    if facts.dead:
        what = (
            f"{names} names {_shown(facts.dead[0])}, which does not answer: downloads fail "
            "(`lmswitch pull`, pip). The way to a host is direct and not affected."
        )
        return problem("proxy", what, unset(facts.variables))
    if not facts.loopback_excepted:
        what = (
            f"{names} is set, without an exception for this machine. We reach hosts directly all "
            "the same; other programs may ask the proxy for LM Studio, and fail."
        )
        return note("proxy", what, assign("NO_PROXY", "localhost,127.0.0.1,::1"))
    return ok("proxy", f"{names}, for downloads only")


def _shown(url: str) -> str:
    """Give the address of a proxy without the password that may stand in it."""
    return urlsplit(url if "://" in url else f"http://{url}").netloc.rpartition("@")[2]
