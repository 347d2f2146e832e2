"""The licence notice that is laid beside fetched weights."""

from pathlib import Path
from typing import Final

_TERMS: Final = {
    "apache-2.0": (
        "Licensed under the Apache License, Version 2.0. You may obtain a copy of the License at\n"
        "https://www.apache.org/licenses/LICENSE-2.0. Unless required by applicable law or agreed\n"
        'to in writing, the work is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR\n'
        "CONDITIONS OF ANY KIND, either express or implied.\n"
    )
}


def write_notice(weights: Path, *, license_name: str, upstream: str, fetched: str) -> None:
    """Writes `<file>.NOTICE.txt`: what it is, whose it is, where it came from.

    Args:
        weights: The file it is about.
        license_name: SPDX identifier in small letters; empty if unknown.
        upstream: Where its author publishes it.
        fetched: Where these bytes came from, and their digest.
    """
    terms = _TERMS.get(license_name, f"License: {license_name or 'see the address above'}\n")
    path = weights.with_name(f"{weights.name}.NOTICE.txt")
    path.write_text(f"{weights.name}\n{upstream}\n\n{terms}\nFetched from {fetched}.\n", "utf-8")
