"""The packages of a production installation: what the lock pins, and which package asks for which.

Versions are those of the production lock. Licenses and requirements are those of the metadata of
the installed packages, which the development lock keeps at the same versions. Markers are judged
for one fixed target, the oldest supported Python on Linux, so that every machine finds the same.
"""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from tools.failure import ToolError
from tools.licenses import license_of
from tools.lock_check import Declared
from tools.lock_file import PRODUCTION, Pin, normalized, read_lock

_TARGET = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


class Component(NamedTuple):
    """One package: its version, the marker of its pin (or ""), its license, and its requirements.

    `needs` are normalized names in order. `direct` says whether `pyproject.toml` asks for it.
    """

    name: str
    version: str
    marker: str
    license: str
    needs: tuple[str, ...]
    direct: bool


def components(project: Path, declared: Declared) -> list[Component]:
    """Return the packages of the production lock of a project, by name.

    Raises:
        ToolError: the lock cannot be read, a package of it is not installed here in that version,
            its license is unknown, or a package that is asked for has no pin.

    """
    pins = sorted(read_lock(project / PRODUCTION))
    direct = {name for name, _ in _applying(declared.runtime, frozenset())}
    extras = _extras(pins, declared)
    found = [_component(pin, extras[pin.name], direct=pin.name in direct) for pin in pins]
    if unpinned := direct.union(*(each.needs for each in found)) - extras.keys():
        raise ToolError(f"{PRODUCTION} lacks {', '.join(sorted(unpinned))}: run `make lock`.")
    return found


def _component(pin: Pin, extras: frozenset[str], *, direct: bool) -> Component:
    installed = _installed(pin)
    needs = {name for name, _ in _applying(installed.requires or (), extras)}
    licensed = license_of(installed.metadata)
    return Component(pin.name, pin.version, pin.marker, licensed, tuple(sorted(needs)), direct)


def _installed(pin: Pin) -> Distribution:
    try:
        found = distribution(pin.name)
    except PackageNotFoundError:
        found = None
    if found is None or found.version != pin.version:
        raise ToolError(f"{pin.name}=={pin.version} is not installed here: run `make install`.")
    return found


def _extras(pins: Iterable[Pin], declared: Declared) -> dict[str, frozenset[str]]:
    """Return the extras with which each package is asked for, for all pins."""
    requires = {pin.name: _installed(pin).requires or () for pin in pins}
    found: dict[str, frozenset[str]] = dict.fromkeys(requires, frozenset())
    asked = [*_applying(declared.runtime, frozenset())]
    seen: set[str] = set()
    while asked:
        name, extras = asked.pop()
        if name in requires and (name not in seen or extras - found[name]):
            seen.add(name)
            found[name] |= extras
            asked += _applying(requires[name], found[name])
    return found


def _applying(
    requirements: Iterable[str], extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield name and extras of the requirements that hold for the target with these extras."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is None or any(
            marker.evaluate({**_TARGET, "extra": extra}) for extra in ("", *sorted(extras))
        ):
            yield normalized(requirement.name), frozenset(requirement.extras)
