"""`python -m tools.lock`: make both locks from `pyproject.toml`.

uv resolves, in a folder and an environment that exist only while the command runs. It resolves
for every platform and for every Python from the oldest supported one on, and adds the hash of
each file of a release. Pins of today are kept unless `--upgrade` or `--upgrade-package` is given.
The production lock is resolved with the development lock as its constraints, so that their
versions are equal. Both files are replaced together, after both were resolved.

uv reads `UV_DEFAULT_INDEX` to use another package index. The locks name no index.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tools.failure import ToolError, exit_code
from tools.lock_file import DEVELOPMENT, PRODUCTION

UV = "uv==0.13.9"
HEADER = "# Made by `make lock` from pyproject.toml; do not edit.\n"
_OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-build",
    "--no-header",
    "--no-annotate",
    "--no-config",
    "--quiet",
)


def make_locks(project: Path, upgrades: Sequence[str] = ()) -> None:
    """Resolve both locks of a project; `upgrades` are uv's options that let pins change.

    Raises `ToolError`, and leaves both files as they are, if uv cannot be installed or finds no
    solution.
    """
    with tempfile.TemporaryDirectory(prefix="slotkeeper-lock-") as folder:
        scratch = Path(folder)
        uv = _install_uv(scratch)
        for name in ("pyproject.toml", PRODUCTION, DEVELOPMENT):
            if (project / name).exists():
                shutil.copy(project / name, scratch)
        _compile(uv, scratch, DEVELOPMENT, ["--all-extras", *upgrades])
        _compile(uv, scratch, PRODUCTION, ["--constraint", DEVELOPMENT])
        for name in (DEVELOPMENT, PRODUCTION):
            _replace(scratch / name, project / name)


def _install_uv(scratch: Path) -> Path:
    programs = scratch / "environment" / "bin"
    _run(scratch, sys.executable, "-m", "venv", str(programs.parent))
    quiet = ("--disable-pip-version-check", "--quiet", "--quiet")
    _run(scratch, str(programs / "pip"), "install", *quiet, "--only-binary", ":all:", UV)
    return programs / "uv"


def _compile(uv: Path, scratch: Path, name: str, options: Sequence[str]) -> None:
    given = ("--python-version", oldest_python(scratch), "--cache-dir", str(scratch / "cache"))
    compile_all = (str(uv), "pip", "compile", "pyproject.toml", "--output-file", name)
    _run(scratch, *compile_all, *_OPTIONS, *given, *options)


def oldest_python(project: Path) -> str:
    """Return the oldest Python that a project supports, such as `3.11`."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return str(declared["project"]["requires-python"]).removeprefix(">=")


def _replace(made: Path, target: Path) -> None:
    """Put a lock in its place in one step, with the line that says how it was made."""
    beside = target.with_name(f"{target.name}.new")
    beside.write_text(HEADER + made.read_text(encoding="utf-8"), encoding="utf-8")
    beside.replace(target)


def _run(scratch: Path, *command: str) -> None:
    if subprocess.run(command, cwd=scratch, check=False).returncode:
        raise ToolError(
            "The locks are unchanged: remove the cause above, then repeat `make lock`."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the locks of the current folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock")
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    parser.add_argument("--upgrade-package", action="append", default=[], metavar="NAME")
    given = parser.parse_args(arguments)
    upgrades = [word for name in given.upgrade_package for word in ("--upgrade-package", name)]
    if given.upgrade:
        upgrades.append("--upgrade")
    return exit_code(lambda: make_locks(Path.cwd(), upgrades))


if __name__ == "__main__":
    sys.exit(main())
