"""The content of `pip install .`, which production runs."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source import PRODUCT
from tools.tracked import ROOT, tracked_files


def test_an_installation_has_everything_that_the_source_tree_runs_with(tmp_path: Path) -> None:
    """Modules, migrations, templates, and the module in which Piccolo looks for its engine."""
    needed = {
        path.as_posix()
        for path in tracked_files()
        if path.parts[0] in PRODUCT or path.name == "piccolo_conf.py"
    }

    building = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(building, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        brought = set(archive.namelist())

    assert sorted(needed - brought) == []
