"""The locks agree with `pyproject.toml` and with the environment; every difference is found."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tools.failure import ToolError
from tools.lock_check import Declared, Installed, check, declared, differences
from tools.lock_file import Pin

ROOT = Path(__file__).parents[2]
PROJECT = Declared("shop", ("web>=1",), ("web>=1", "shop[local]", "tests==2.*"))
INSTALLED = {
    "web": Installed("1.5", ("schemas[mail]>=1", "ancient; python_version < '3'")),
    "schemas": Installed("1.0", ("addresses; extra == 'mail'", "huge; extra == 'all'")),
    "addresses": Installed("3.0"),
    "tests": Installed("2.1"),
    "shop": Installed("0.1"),
    "pip": Installed("22.3"),
}
RUNTIME = ("web==1.5", "schemas==1.0", "addresses==3.0")
ALL = (*RUNTIME, "tests==2.1")


def pins(texts: Sequence[str]) -> list[Pin]:
    """Return pins that were written as `name==version` or `name==version ; marker`."""
    return [_pin(*text.partition(" ; ")[::2]) for text in texts]


def _pin(text: str, marker: str) -> Pin:
    name, _, version = text.partition("==")
    return Pin(name, version, marker, frozenset("x"))


def found(
    production: Sequence[str] = RUNTIME,
    development: Sequence[str] = ALL,
    installed: Mapping[str, Installed] = INSTALLED,
    project: Declared = PROJECT,
) -> list[str]:
    """Return the differences."""
    return [*differences(project, pins(production), pins(development), installed)]


def test_the_locks_of_the_repository_agree() -> None:
    """Project, locks and the environment that runs this test are the same."""
    assert declared((ROOT / "pyproject.toml").read_text()).name == "slotkeeper"
    check(ROOT)


def test_locks_that_agree_have_no_difference() -> None:
    """Extras are followed, requirements for other platforms are not."""
    assert found() == []


def test_a_pin_for_another_platform_is_left_alone() -> None:
    """A universal lock has pins that do not apply here."""
    other = "winapi==1 ; sys_platform == 'win32'"

    assert found((*RUNTIME, other), (*ALL, other)) == []


@pytest.mark.parametrize("web", ["0.9", "0.9rc1"])
def test_a_pin_that_does_not_satisfy_is_found(web: str) -> None:
    """The bound in `pyproject.toml` was raised, the lock was not made again."""
    pinned = (f"web=={web}", *RUNTIME[1:])
    installed = {**INSTALLED, "web": INSTALLED["web"]._replace(version=web)}

    assert found(pinned, (*pinned, "tests==2.1"), installed) == [
        f"pyproject.toml asks for web>=1, requirements.lock has {web}.",
        f"pyproject.toml asks for web>=1, requirements-dev.lock has {web}.",
    ]


def test_a_requirement_that_is_not_pinned_is_found() -> None:
    """A requirement was added, and the lock was not made again."""
    asked = PROJECT._replace(everything=(*PROJECT.everything, "lint"))

    assert found(project=asked) == [
        "pyproject.toml asks for lint, requirements-dev.lock does not have it.",
        "requirements-dev.lock does not have lint, which a package in it needs.",
    ]


def test_a_package_that_only_an_extra_leads_to_is_found() -> None:
    """The production lock has the runtime dependencies alone."""
    assert found(production=ALL) == [
        "requirements.lock has tests, which no requirement for it leads to."
    ]


def test_a_package_that_nothing_leads_to_is_found() -> None:
    """A requirement was removed, and the lock was not made again."""
    installed = {**INSTALLED, "old": Installed("1")}

    assert found(development=(*ALL, "old==1"), installed=installed) == [
        "requirements-dev.lock has old, which no requirement for it leads to."
    ]


def test_a_dependency_that_is_asked_for_by_an_extra_is_found_missing() -> None:
    """`pip check` does not see this one."""
    without = [each for each in ALL if "addresses" not in each]

    assert found(without[:2], without) == [
        "requirements.lock does not have addresses, which a package in it needs.",
        "requirements-dev.lock does not have addresses, which a package in it needs.",
        "addresses 3.0 is installed, requirements-dev.lock does not have it.",
    ]


@pytest.mark.parametrize(
    "pin", ["schemas==1.1", "schemas==1.0 ; python_version >= '3'"], ids=["version", "marker"]
)
def test_production_pins_that_differ_are_found(pin: str) -> None:
    """Both locks have the same versions, markers and hashes."""
    name = pin.partition(" ;")[0]

    assert found(production=(RUNTIME[0], pin, RUNTIME[2])) == [
        f"requirements.lock has {name}, requirements-dev.lock has not the same."
    ]


def test_an_installed_package_without_a_pin_is_found() -> None:
    """A package was installed by hand."""
    assert found(installed={**INSTALLED, "extra": Installed("4")}) == [
        "extra 4 is installed, requirements-dev.lock does not have it."
    ]


def test_an_installed_package_of_another_version_is_found() -> None:
    """A package was upgraded by hand, or was removed."""
    other = {**INSTALLED, "tests": Installed("2.2")}
    without = {name: each for name, each in INSTALLED.items() if name != "tests"}

    assert found(installed=other) == ["requirements-dev.lock has tests==2.1, installed is 2.2."]
    assert found(installed=without) == [
        "requirements-dev.lock has tests==2.1, which is not installed."
    ]


def test_the_build_and_every_extra_belong_to_development() -> None:
    """The project is installed without build isolation, so the lock has what builds it."""
    read = declared(
        '[build-system]\nrequires = ["builder>=1"]\n'
        '[project]\nname = "The.Shop"\ndependencies = ["web"]\n'
        '[project.optional-dependencies]\nlocal = ["server"]\ndev = ["tests"]\n'
    )

    assert read == Declared("the-shop", ("web",), ("web", "server", "tests", "builder>=1"))


def test_differences_end_with_the_remedy(tmp_path: Path) -> None:
    """The check of a project lists them all, and what to do."""
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\n[project]\nname = "shop"\ndependencies = ["web"]\n'
    )
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(f"other==1 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(ToolError) as disagreed:
        check(tmp_path)

    *lines, remedy = str(disagreed.value).splitlines()
    assert "pyproject.toml asks for web, requirements.lock does not have it." in lines
    assert remedy.startswith("Make the locks again with `make lock`")
