"""All that the doctor looks at, in the order in which it is best put right."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from langchain_lmswitch.cli.doctor.examination import Examination
from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.doctor.probes.files import read_files
from langchain_lmswitch.cli.doctor.probes.folders import read_folders
from langchain_lmswitch.cli.doctor.probes.graphics import read_graphics
from langchain_lmswitch.cli.doctor.probes.knobs import origin_of, read_knobs, settings_of
from langchain_lmswitch.cli.doctor.probes.notes import read_notes
from langchain_lmswitch.cli.doctor.probes.packages import read_packages
from langchain_lmswitch.cli.doctor.probes.proxies import read_proxies
from langchain_lmswitch.cli.doctor.probes.room import read_fits, read_room
from langchain_lmswitch.cli.doctor.probes.servers import read_servers, same
from langchain_lmswitch.cli.doctor.probes.talk import read_talk
from langchain_lmswitch.cli.doctor.verdicts.files import judge_files
from langchain_lmswitch.cli.doctor.verdicts.folders import judge_disk, judge_folders, judge_ledger
from langchain_lmswitch.cli.doctor.verdicts.graphics import judge_gpu, judge_gpu_memory
from langchain_lmswitch.cli.doctor.verdicts.knobs import judge_knobs
from langchain_lmswitch.cli.doctor.verdicts.notes import judge_notes
from langchain_lmswitch.cli.doctor.verdicts.packages import (
    judge_embedded,
    judge_packages,
    judge_python,
)
from langchain_lmswitch.cli.doctor.verdicts.proxies import judge_proxies
from langchain_lmswitch.cli.doctor.verdicts.room import (
    judge_fit,
    judge_limit,
    judge_place,
    judge_swap,
)
from langchain_lmswitch.cli.doctor.verdicts.servers import judge_host, judge_rivals
from langchain_lmswitch.cli.doctor.verdicts.talk import (
    Asked,
    Installed,
    judge_models,
    judge_residents,
    judge_token,
)
from langchain_lmswitch.embedded import presence
from langchain_lmswitch.types.tasks import Hints

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Check(Generic[F]):
    """One line of the report."""

    name: str
    probe: Callable[[Examination], Awaitable[F]]
    judge: Callable[[F], Finding]


async def read_asked(exam: Examination) -> Asked:
    """Gather what tells why a host lets us in or not."""
    talk, servers = await exam.of(read_talk), await exam.of(read_servers)
    settings = await exam.of(settings_of)
    found, used = presence.read_port(settings.run_home), servers.used
    ours = found is not None and used is not None and same(found.host_port, used.address)
    return Asked(
        talk=talk,
        servers=servers,
        has_token=settings.api_key is not None,
        token_origin=await origin_of(exam, "api_key"),
        token_file=found.token_file if found is not None and ours else "",
    )


async def read_installed(exam: Examination) -> Installed:
    """Gather which models there are."""
    servers = await exam.of(read_servers)
    settings = await exam.of(settings_of)
    return Installed(
        talk=await exam.of(read_talk),
        files=await exam.of(read_files),
        would_start=servers.would_start,
        hints=Hints(allow=settings.allow, deny=settings.deny),
        origins={name: await origin_of(exam, name) for name in ("allow", "deny")},
        spoken_of=(
            *(table.models for table in settings.models),
            *(role.models for role in settings.roles),
        ),
    )


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("settings", read_knobs, judge_knobs),
    Check("python", read_packages, judge_python),
    Check("packages", read_packages, judge_packages),
    Check("embedded host", read_packages, judge_embedded),
    Check("folders", read_folders, judge_folders),
    Check("disk", read_folders, judge_disk),
    Check("ledger", read_folders, judge_ledger),
    Check("place", read_room, judge_place),
    Check("proxy", read_proxies, judge_proxies),
    Check("port files", read_notes, judge_notes),
    Check("host", read_servers, judge_host),
    Check("access", read_asked, judge_token),
    Check("other hosts", read_servers, judge_rivals),
    Check("models", read_installed, judge_models),
    Check("model files", read_files, judge_files),
    Check("in memory", read_talk, judge_residents),
    Check("gpu", read_graphics, judge_gpu),
    Check("gpu memory", read_graphics, judge_gpu_memory),
    Check("memory limit", read_room, judge_limit),
    Check("memory", read_fits, judge_fit),
    Check("swap", read_room, judge_swap),
)
