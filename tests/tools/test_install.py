"""Installing from an index that also serves newer releases of everything."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.tools.package_index import PackageIndex, write_wheel
from tools.failure import ToolError
from tools.install import Environment, explanation, install

ROOT = Path(__file__).parents[2]
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "shop"
version = "1.0"
dependencies = ["framework"]
"""
BACKEND = """
import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    shutil.copy("shop-1.0-py3-none-any.whl", folder)
    return "shop-1.0-py3-none-any.whl"
"""


class Shop(NamedTuple):
    """A small project, its lock, and the address of its package index."""

    folder: Path
    lock: Path
    address: str

    @property
    def environment(self) -> Path:
        """Where the project is installed."""
        return self.folder / ".venv"

    def variables(self) -> dict[str, str]:
        """Return the variables with which pip knows this index and nothing else."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
        alone = {
            "PIP_INDEX_URL": self.address,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
        }
        return kept | alone

    def start(self) -> subprocess.Popen[str]:
        """Start an installation in a process group of its own."""
        where = ("--project", self.folder, "--lock", self.lock, "--environment", self.environment)
        command: list[str | Path] = [sys.executable, "-m", "tools.install", *where]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def install(self) -> tuple[int, str]:
        """Install; return the exit code and what was written to standard error."""
        installing = self.start()
        _, errors = installing.communicate()
        return installing.returncode, errors

    def pip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the pip of the environment."""
        python = str(self.environment / "bin" / "python")
        command = [python, "-m", "pip", *arguments]
        return subprocess.run(
            command, env=self.variables(), capture_output=True, text=True, check=False
        )


def new_shop(folder: Path, lock: str, address: str) -> Shop:
    """Write a project that can be installed without a network."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    write_wheel(folder, "shop", "1.0", ["framework"])
    (folder / "requirements-dev.lock").write_text(lock)
    return Shop(folder, folder / "requirements-dev.lock", address)


class Served(NamedTuple):
    """A lock, and the address of an index that has newer releases of all that is in it."""

    lock: str
    address: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the locked releases, one of them asked for with an extra, and newer ones."""
    index = PackageIndex(tmp_path_factory.mktemp("index"))
    lock = index.add("framework", "1.0", ["schemas[mail]==1.*"])
    lock += index.add("schemas", "1.0", ["addresses>=1"], extra="mail")
    lock += index.add("addresses", "1.0")
    index.add("framework", "1.1", ["schemas[mail]==1.*"])
    index.add("schemas", "1.1", ["addresses>=1"], extra="mail")
    index.add("addresses", "2.0")
    with index.serve() as address:
        yield Served(lock, address)


@pytest.fixture(scope="module")
def shop(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A project whose first installation was killed, and that was then installed again."""
    made = new_shop(tmp_path_factory.mktemp("shops") / "shop", *served)
    signalled(made, signal.SIGKILL)
    assert not (made.environment / ".installed").exists()
    assert made.install() == (0, "")
    return made


@contextmanager
def heard_interrupts() -> Iterator[None]:
    """Let programs that start here get SIGINT: a job in a shell's background inherits its loss."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def signalled(shop: Shop, number: signal.Signals) -> tuple[int, str]:
    """Send a signal to an installation that waits for an index; return its exit and its errors."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with heard_interrupts():
            waiting = shop._replace(address=f"http://127.0.0.1:{silent.getsockname()[1]}/").start()
        silent.settimeout(100)
        connection, _ = silent.accept()
        os.killpg(waiting.pid, number)
        _, errors = waiting.communicate()
        connection.close()
    return waiting.returncode, errors


def versions(listed: str) -> dict[str, str]:
    """Return the packages in pip's list, apart from those that `venv` brings."""
    found = {each["name"]: each["version"] for each in json.loads(listed)}
    return {name: version for name, version in found.items() if name not in {"pip", "setuptools"}}


def test_the_environment_is_exactly_the_lock(shop: Shop) -> None:
    """Newer releases on the index, and a dependency with an extra, change nothing."""
    listed = shop.pip("list", "--format", "json").stdout

    assert versions(listed) == {
        "framework": "1.0",
        "schemas": "1.0",
        "addresses": "1.0",
        "shop": "1.0",
    }


def test_a_pip_that_resolves_the_lock_again_may_refuse_it(shop: Shop) -> None:
    """Without `--no-deps`, a pip before 23.3 takes the newer release, which has no hash."""
    version = re.findall(r"\d+", shop.pip("--version").stdout)[:2]

    again = shop.pip(
        "install", "--dry-run", "--ignore-installed", "--require-hashes", "-r", str(shop.lock)
    )

    if tuple(map(int, version)) < (23, 3):
        assert "schemas[mail]==1.* --hash" in again.stderr
    else:
        assert "Would install addresses-1.0 framework-1.0 schemas-1.0" in again.stdout


def test_without_the_lock_the_newest_releases_come(shop: Shop) -> None:
    """The index of this test does offer them."""
    newest = shop.pip("install", "--dry-run", "--ignore-installed", "framework")

    assert "Would install addresses-2.0 framework-1.1 schemas-1.1" in newest.stdout


def test_a_whole_environment_is_kept(shop: Shop) -> None:
    """The same lock and interpreter: only the project is installed again."""
    kept = shop.environment / "kept"
    kept.touch()

    assert shop.install() == (0, "")
    assert kept.exists()


def test_another_lock_makes_another_environment(shop: Shop, tmp_path: Path) -> None:
    """The stamp names the lock, so that nothing of an older lock is left over."""
    other = tmp_path / "other.lock"
    other.write_text(shop.lock.read_text() + "# one more line\n")

    before = Environment(shop.environment, shop.folder, shop.lock)
    after = Environment(shop.environment, shop.folder, other)

    assert before.is_current()
    assert not after.is_current()


def test_an_interrupted_installation_leaves_nothing(served: Served, tmp_path: Path) -> None:
    """Ctrl-C in the middle removes the environment and exits with 130."""
    code, errors = signalled(new_shop(tmp_path / "shop", *served), signal.SIGINT)

    assert code == 130
    assert errors == "Interrupted; run the same command again.\n"
    assert not (tmp_path / "shop" / ".venv").exists()


def test_a_changed_hash_is_refused(served: Served, tmp_path: Path) -> None:
    """A version or hash that was edited by hand: one sentence with the remedy, no environment."""
    edited = re.sub("sha256:.*", f"sha256:{'0' * 64}", served.lock, count=1)
    shop = new_shop(tmp_path / "shop", edited, served.address)

    code, errors = shop.install()

    assert code == 1
    assert errors == (
        "requirements-dev.lock was edited by hand, or the index serves other files: the hash of"
        " framework==1.0 differs; restore it with `git checkout requirements-dev.lock`, or make it"
        " again with `make lock`.\n"
    )
    assert not shop.environment.exists()


def test_a_package_that_is_missing_is_named(shop: Shop) -> None:
    """`pip check` sees what `--no-deps` does not add."""
    lines = shop.lock.read_text().splitlines(keepends=True)
    shop.folder.joinpath("schemas.lock").write_text("".join(lines[2:4]))
    shop.pip("uninstall", "--yes", "schemas")

    code, errors = shop.install()
    shop.pip("install", "--no-deps", "--requirement", str(shop.folder / "schemas.lock"))

    assert code == 1
    assert errors.splitlines() == [
        "framework 1.0 requires schemas, which is not installed.",
        "The lock is incomplete: `make lock`, then `make clean install`.",
    ]


@pytest.mark.parametrize("line", ["schemas==1.0", "schemas>=1.0", "schemas", "-r more.lock"])
def test_a_line_without_version_or_hash_is_refused(
    served: Served, tmp_path: Path, line: str
) -> None:
    """A line that was written by hand is found before the environment is touched."""
    shop = new_shop(tmp_path / "shop", f"{served.lock}{line}\n", served.address)
    shop.environment.mkdir()

    code, errors = shop.install()

    assert code == 1
    assert errors.count("\n") == 1
    assert f"`{line}`" in errors
    assert "`make lock`" in errors
    assert [*shop.environment.iterdir()] == []


def test_a_python_without_venv_is_named(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian ships `venv` in a package of its own."""
    shop = new_shop(tmp_path / "shop", *served)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "ensurepip" else 1
    )

    with pytest.raises(ToolError, match=r"This Python has no venv: .*python3-venv"):
        install(Environment(shop.environment, shop.folder, shop.lock))

    assert not shop.environment.exists()


def test_a_pip_without_hashes_is_named() -> None:
    """A pip that does not know the option leads to a newer Python."""
    said = explanation("Usage:\n…\nno such option: --require-hashes\n", "requirements-dev.lock")

    assert said.count("\n") == 0
    assert "too old to check hashes" in said
    assert "make PYTHON=" in said


def test_any_other_failure_is_shown_as_pip_says_it() -> None:
    """The cause stays visible, with what to do next."""
    said = explanation("ERROR: No matching distribution found for x\n", "requirements-dev.lock")

    assert said.startswith("ERROR: No matching distribution found for x\n")
    assert said.endswith("then repeat.")


OLD_PYTHON = f"""#!/bin/sh
[ "$1" = -c ] || {{ echo started >> "$0.log"; exit 0; }}
exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13, 'final', 0); $2"
"""


@pytest.mark.parametrize("target", ["install", "lock"])
def test_a_python_that_is_too_old_is_refused(tmp_path: Path, target: str) -> None:
    """Before anything starts, with the way to another one."""
    old = tmp_path / "python3.10"
    old.write_text(OLD_PYTHON)
    old.chmod(0o755)

    made = subprocess.run(
        [str(shutil.which("make")), target, f"PYTHON={old}", f"VENV={tmp_path}/environment"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode != 0
    assert made.stderr.splitlines()[0] == (
        f"Slotkeeper needs Python 3.11 or newer, and '{old}' is not:"
        " name another one with 'make PYTHON=python3.12'."
    )
    assert [each.name for each in tmp_path.iterdir()] == ["python3.10"]
