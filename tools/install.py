"""`python -m tools.install`: make the environment that the development lock describes.

The environment is whole or it does not exist. It is made again when the lock or the interpreter
differs from those of the last installation; otherwise only the project itself is installed again.
The stamp is written last, and names both. An installation that fails or is interrupted removes
the environment; one that is killed leaves no stamp, so that the next one begins again.

pip installs the lock as it is (`--no-deps`). A pip that resolves the lock again may find a newer
release on the index, which has no hash here. `pip check` then compares the packages with the
requirements that they declare.

This module needs only the standard library, because it runs before anything is installed.
"""

import argparse
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.failure import ToolError, exit_code
from tools.lock_file import DEVELOPMENT, read_lock

STAMP = ".installed"

# Twice quiet: errors only. The package index of an organisation may warn of missing pages.
# Not compiled: a third of the time would go into modules that are never imported.
_INSTALL = ("install", "--quiet", "--quiet", "--no-compile", "--no-deps")
_MISMATCH = re.compile(r"^ +(\S+?)(?: from \S.*)?:\n +Expected sha256", re.MULTILINE)


class Environment(NamedTuple):
    """A virtual environment, the project that is installed in it, and the lock it is made of."""

    folder: Path
    project: Path
    lock: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that says that the environment is whole."""
        return self.folder / STAMP

    def identity(self) -> str:
        """Return what the stamp of this environment contains: the lock's digest, the interpreter."""
        digest = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        return f"{digest} {sys.version.split()[0]} {self.folder.resolve()}\n"

    def is_current(self) -> bool:
        """Return whether the environment is whole and is the one that the lock describes."""
        return self.stamp.exists() and self.stamp.read_text(encoding="utf-8") == self.identity()


def install(environment: Environment) -> None:
    """Make the environment, or bring the project in it up to date.

    Raises `ToolError` if the lock or pip cannot be used, or if an installation fails.
    """
    read_lock(environment.lock)
    if environment.is_current():
        _install_project(environment)
    else:
        _make_afresh(environment)
    _write_stamp(environment)


def _make_afresh(environment: Environment) -> None:
    print(f"Making the environment in {environment.folder}; it takes a minute or so …", flush=True)
    try:
        _make_empty(environment)
        _install_lock(environment)
        _install_project(environment)
    except BaseException:
        shutil.rmtree(environment.folder, ignore_errors=True)
        raise


def _make_empty(environment: Environment) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise ToolError(
            "This Python has no venv: install it (Debian and Ubuntu: `apt-get install"
            " python3-venv`), or name another Python with `make PYTHON=python3.12`."
        )
    command = [sys.executable, "-m", "venv", "--clear", str(environment.folder)]
    if subprocess.run(command, check=False).returncode:
        raise ToolError(
            f"{environment.folder} cannot be made: remove the cause above, then repeat."
        )


def _install_lock(environment: Environment) -> None:
    _pip(environment, *_INSTALL, "--require-hashes", "--requirement", environment.lock)


def _install_project(environment: Environment) -> None:
    _pip(environment, *_INSTALL, "--no-build-isolation", "--editable", environment.project)
    _pip(environment, "check")


def _pip(environment: Environment, *arguments: str | Path) -> None:
    pip = (str(environment.python), "-m", "pip", "--disable-pip-version-check")
    done = subprocess.run([*pip, *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise ToolError(explanation(done.stdout + done.stderr, environment.lock.name))


def explanation(output: str, lock: str) -> str:
    """Return one sentence with the remedy for what pip printed; the last resort quotes it."""
    if "no such option: --require-hashes" in output:
        return "This pip is too old to check hashes: name a newer Python with `make PYTHON=python3.12`."
    if "DO NOT MATCH THE HASHES" in output:
        named = ", ".join(_MISMATCH.findall(output)) or "a package"
        return (
            f"{lock} was edited by hand, or the index serves other files: the hash of {named}"
            f" differs; restore it with `git checkout {lock}`, or make it again with `make lock`."
        )
    if "which is not installed" in output or "has requirement" in output:
        return f"{output.strip()}\nThe lock is incomplete: `make lock`, then `make clean install`."
    return f"{output.strip()}\nNothing is installed: remove the cause above, then repeat."


def _write_stamp(environment: Environment) -> None:
    beside = environment.stamp.with_name(f"{STAMP}.new")
    beside.write_text(environment.identity(), encoding="utf-8")
    beside.replace(environment.stamp)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the environment of the project in the current folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.install")
    parser.add_argument("--environment", type=Path, default=Path(".venv"))
    parser.add_argument("--lock", type=Path, default=Path(DEVELOPMENT))
    parser.add_argument("--project", type=Path, default=Path())
    given = parser.parse_args(arguments)
    project, lock = given.project.resolve(), given.lock
    return exit_code(lambda: install(Environment(given.environment, project, lock)))


if __name__ == "__main__":
    sys.exit(main())
