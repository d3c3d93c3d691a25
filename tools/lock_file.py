"""The format of the two locks: pip requirements, each with an exact version and its hashes.

`requirements.lock` is for production: the runtime dependencies without extras.
`requirements-dev.lock` is for development: the same pins and those of every extra.
This module needs only the standard library, because it runs before anything is installed.
"""

import re
from pathlib import Path
from typing import NamedTuple

from tools.failure import ToolError

PRODUCTION = "requirements.lock"
DEVELOPMENT = "requirements-dev.lock"

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==(?P<version>[^\s;*]+)"
    r"(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
_CONTINUED = re.compile(r"[ \t]*\\\n[ \t]*")


class Pin(NamedTuple):
    """One package of a lock: normalized name, version, environment marker (or ""), hashes."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def normalized(name: str) -> str:
    """Return a package's name as the indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(path: Path) -> list[Pin]:
    """Return the pins of a lock, in its order.

    Raises `ToolError` if the file is missing, is empty, or was edited by hand: a line is not an
    exact version with hashes.
    """
    if not path.is_file():
        raise ToolError(f"{path.name} is missing: restore it, or make it with `make lock`.")
    lines = _CONTINUED.sub(" ", path.read_text(encoding="utf-8")).splitlines()
    pins = [_pin(path, line) for line in lines if line.strip() and not line.startswith("#")]
    if not pins:
        raise ToolError(f"{path.name} is empty: restore it, or make it again with `make lock`.")
    return pins


def _pin(path: Path, line: str) -> Pin:
    match = _PIN.fullmatch(line.rstrip())
    if match is None:
        shown = line.partition(" --hash")[0].strip()
        raise ToolError(
            f"{path.name} was edited by hand: `{shown}` is not an exact version with its hashes;"
            " restore the file, or make it again with `make lock`."
        )
    hashes = frozenset(match["hashes"].split())
    return Pin(normalized(match["name"]), match["version"], match["marker"] or "", hashes)
