"""The distribution is the commit, and the same each time."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tools.distribution import build
from tools.failure import ToolError

GIT = str(shutil.which("git"))
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.11"
[tool.hatch.build.targets.wheel]
include = ["shop.py"]
"""
VARYING = """
[tool.hatch.build.targets.wheel.hooks.custom]
path = "hook.py"
"""
HOOK = """
import pathlib, uuid
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        pathlib.Path(self.root, "shop.py").write_text(f"ID = '{uuid.uuid4()}'")
"""


def commit(folder: Path, files: dict[str, str]) -> None:
    """Make a repository with one commit."""
    for name, text in files.items():
        (folder / name).write_text(text)
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        [*author, "commit", "--quiet", "-m", "One"],
    ):
        subprocess.run([GIT, *command], cwd=folder, check=True)


def test_a_distribution_has_what_is_committed(tmp_path: Path) -> None:
    """Changes of the working tree that are not committed are left out."""
    commit(tmp_path, {"pyproject.toml": PYPROJECT, "shop.py": "ONE = 1\n"})
    (tmp_path / "shop.py").write_text("ONE = 'changed'\n")

    built = build(tmp_path, tmp_path / "dist")

    assert [each.name for each in built] == ["shop-1.0-py3-none-any.whl", "shop-1.0.tar.gz"]
    with zipfile.ZipFile(built[0]) as wheel:
        assert wheel.read("shop.py") == b"ONE = 1\n"


def test_a_build_that_varies_is_refused(tmp_path: Path) -> None:
    """Both builds are compared, byte by byte; nothing is kept of a build that varies."""
    files = {"pyproject.toml": PYPROJECT + VARYING, "shop.py": "", "hook.py": HOOK}
    commit(tmp_path, files)

    with pytest.raises(ToolError, match=r"shop-1\.0-py3-none-any\.whl"):
        build(tmp_path, tmp_path / "dist")

    assert not (tmp_path / "dist").exists()


def test_a_build_that_fails_is_shown(tmp_path: Path) -> None:
    """The cause stays visible."""
    commit(tmp_path, {"pyproject.toml": PYPROJECT.replace('name = "shop"', "")})

    with pytest.raises(ToolError, match=r"(?s)name.*Nothing is built"):
        build(tmp_path, tmp_path / "dist")


def test_each_further_distribution_is_built(tmp_path: Path) -> None:
    """A folder of `distributions/` is a wheel of its own, without a source archive."""
    folder = tmp_path / "distributions" / "window"
    folder.mkdir(parents=True)
    second = PYPROJECT.replace('"shop"', '"window"').replace('"shop.py"', '"window.py"')
    (folder / "pyproject.toml").write_text(second)
    (folder / "window.py").write_text("")
    commit(tmp_path, {"pyproject.toml": PYPROJECT, "shop.py": "ONE = 1\n"})

    built = build(tmp_path, tmp_path / "dist")

    assert [each.name for each in built] == [
        "shop-1.0-py3-none-any.whl",
        "shop-1.0.tar.gz",
        "window-1.0-py3-none-any.whl",
    ]
