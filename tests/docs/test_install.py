"""The content of the two wheels: production runs one, developers and CI add the other."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PRODUCT
from tools.tracked import ROOT, tracked_files

SANDBOX = ROOT / "distributions" / "sandbox"
DEVELOPMENT_ONLY = ("sandbox/", "adapters/local_stack/")


def content(folder: Path, target: Path) -> set[str]:
    """Build the wheel of a folder with a `pyproject.toml`; return the names of its files."""
    building = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(building, cwd=folder, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def sources() -> set[str]:
    """Return each file of the product, and the module in which Piccolo looks for its engine."""
    return {
        path.as_posix()
        for path in tracked_files()
        if path.parts[0] in PRODUCT or path.name == "piccolo_conf.py"
    }


def test_the_service_has_everything_that_production_runs(
    tmp_path: Path, sources: set[str]
) -> None:
    """Modules, migrations and templates, but neither the sandbox nor the local stack."""
    brought = content(ROOT, tmp_path)

    assert brought == {each for each in sources if not each.startswith(DEVELOPMENT_ONLY)}


def test_the_sandbox_has_the_rest(tmp_path: Path, sources: set[str]) -> None:
    """No file is in both wheels, and none is in neither."""
    brought = {each for each in content(SANDBOX, tmp_path) if "__pycache__" not in each}

    assert brought == {each for each in sources if each.startswith(DEVELOPMENT_ONLY)}


def test_the_sandbox_asks_for_the_service_of_its_release() -> None:
    """Both wheels have one version; the sandbox takes its libraries from the service."""
    service, sandbox = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for folder in (ROOT, SANDBOX)
    )
    version = service["version"]

    assert sandbox["version"] == version
    assert sandbox["dependencies"] == [f"slotkeeper=={version}"]
    assert sandbox["optional-dependencies"] == {"local": [f"slotkeeper[local]=={version}"]}
    assert sandbox["requires-python"] == service["requires-python"]
    assert sandbox["license"] == service["license"]
