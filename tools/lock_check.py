"""`python -m tools.lock_check`: compare the locks with `pyproject.toml` and with the environment.

It reads files and the metadata of the installed packages, and needs no network. `pip check` does
not follow extras; this does. It prints one line for each difference and exits with 1 if there is
one.
"""

import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement

from tools.failure import ToolError, exit_code
from tools.lock_file import DEVELOPMENT, PRODUCTION, Pin, normalized, read_lock

# `venv` puts them into each new environment.
FROM_VENV = frozenset({"pip", "setuptools"})


class Installed(NamedTuple):
    """One package of an environment: its version and the requirements that it declares."""

    version: str
    needs: tuple[str, ...] = ()


class Declared(NamedTuple):
    """The requirements that a project declares: at run time, and with all extras and the build."""

    name: str
    runtime: tuple[str, ...]
    everything: tuple[str, ...]


def declared(pyproject: str) -> Declared:
    """Return the requirements in the text of a `pyproject.toml`."""
    read = tomllib.loads(pyproject)
    project = read["project"]
    runtime = tuple(project.get("dependencies", ()))
    extras = [
        each for extra in project.get("optional-dependencies", {}).values() for each in extra
    ]
    everything = (*runtime, *extras, *read["build-system"]["requires"])
    return Declared(normalized(project["name"]), runtime, everything)


def differences(
    project: Declared,
    production: Iterable[Pin],
    development: Iterable[Pin],
    installed: Mapping[str, Installed],
) -> Iterator[str]:
    """Yield one sentence for each way in which project, locks and environment disagree."""
    runtime_pins, all_pins = list(production), list(development)
    yield from _undeveloped(runtime_pins, all_pins)
    for lock, pins, requirements in (
        (PRODUCTION, _here(runtime_pins), project.runtime),
        (DEVELOPMENT, _here(all_pins), project.everything),
    ):
        yield from _unsatisfied(lock, pins, project.name, requirements)
        yield from _unequal(lock, set(pins), _reached(project.name, requirements, installed))
    yield from _uninstalled(_here(all_pins), installed, project.name)


def _here(pins: Iterable[Pin]) -> dict[str, str]:
    """Return name and version of the pins that apply to this interpreter and platform."""
    return {
        pin.name: pin.version for pin in pins if not pin.marker or Marker(pin.marker).evaluate()
    }


def _undeveloped(production: Iterable[Pin], development: Iterable[Pin]) -> Iterator[str]:
    known = set(development)
    for pin in production:
        if pin not in known:
            yield f"{PRODUCTION} has {pin.name}=={pin.version}, {DEVELOPMENT} has not the same."


def _unsatisfied(
    lock: str, pins: Mapping[str, str], own: str, requirements: Iterable[str]
) -> Iterator[str]:
    for requirement in _applying(requirements, ""):
        name = normalized(requirement.name)
        if name == own:
            continue
        if name not in pins:
            yield f"pyproject.toml asks for {requirement}, {lock} does not have it."
        elif not requirement.specifier.contains(pins[name], prereleases=True):
            yield f"pyproject.toml asks for {requirement}, {lock} has {pins[name]}."


def _reached(
    own: str, requirements: Iterable[str], installed: Mapping[str, Installed]
) -> set[str]:
    """Return every package that the requirements lead to, extras included, on this platform."""
    found: set[tuple[str, str]] = set()
    open_ends = list(_applying(requirements, ""))
    while open_ends:
        requirement = open_ends.pop()
        name = normalized(requirement.name)
        for extra in {"", *requirement.extras} if name != own else ():
            if (name, extra) not in found:
                found.add((name, extra))
                needs = installed[name].needs if name in installed else ()
                open_ends += _applying(needs, extra)
    return {name for name, _ in found}


def _applying(requirements: Iterable[str], extra: str) -> Iterator[Requirement]:
    """Yield the requirements whose marker holds here, with an extra or (empty) without."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _unequal(lock: str, pinned: set[str], reached: set[str]) -> Iterator[str]:
    for name in sorted(reached - pinned):
        yield f"{lock} does not have {name}, which a package in it needs."
    for name in sorted(pinned - reached):
        yield f"{lock} has {name}, which no requirement for it leads to."


def _uninstalled(
    pins: Mapping[str, str], installed: Mapping[str, Installed], own: str
) -> Iterator[str]:
    for name in sorted(installed.keys() - pins.keys() - FROM_VENV - {own}):
        yield f"{name} {installed[name].version} is installed, {DEVELOPMENT} does not have it."
    for name, version in pins.items():
        if name not in installed:
            yield f"{DEVELOPMENT} has {name}=={version}, which is not installed."
        elif installed[name].version != version:
            yield f"{DEVELOPMENT} has {name}=={version}, installed is {installed[name].version}."


def environment() -> dict[str, Installed]:
    """Return the packages of this interpreter's environment, by normalized name."""
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    return {normalized(each.name): _installed(each) for each in distributions(path=folders)}


def _installed(distribution: Distribution) -> Installed:
    return Installed(distribution.version, tuple(distribution.requires or ()))


def check(project: Path) -> None:
    """Compare the locks of a project with its `pyproject.toml` and with this environment.

    Raises `ToolError` that lists the differences, if there are any.
    """
    found = [
        *differences(
            declared((project / "pyproject.toml").read_text(encoding="utf-8")),
            read_lock(project / PRODUCTION),
            read_lock(project / DEVELOPMENT),
            environment(),
        )
    ]
    if found:
        remedy = "Make the locks again with `make lock`, then the environment with `make install`."
        raise ToolError("\n".join([*found, remedy]))


def main() -> int:
    """Check the project in the current folder; return the exit code."""
    return exit_code(lambda: check(Path.cwd()))


if __name__ == "__main__":
    sys.exit(main())
