"""Each commit imports and passes ruff by itself, whatever the working tree has."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.commit_check import check
from tools.failure import ToolError

GIT = str(shutil.which("git"))


class Repository:
    """A small repository in which the link of an editable installation is on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.com")
        self.write("pyproject.toml", "[tool.ruff]\n")
        self.commit("Begin", {"domain/__init__.py": "", "domain/one.py": "ONE = 1\n"})

    def git(self, *arguments: str) -> str:
        """Run git and return what it prints."""
        return subprocess.run(
            [GIT, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def write(self, path: str, text: str) -> None:
        """Write a file of the working tree."""
        target = self.folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
        self.git("add", path)

    def commit(self, subject: str, files: dict[str, str]) -> None:
        """Commit files, after their folders exist."""
        for path, text in files.items():
            self.write(path, text)
        self.git("commit", "--quiet", "--message", subject)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with one commit, which is the base."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    made = Repository(tmp_path)
    made.git("tag", "base")
    return made


def test_commits_that_import_pass(repository: Repository) -> None:
    """The commits after the base are counted, and nothing is left behind."""
    repository.commit("Use one", {"domain/two.py": "from domain.one import ONE\n\nTWO = ONE\n"})
    repository.commit("Say more", {"domain/one.py": "ONE = 10\n"})

    assert check(repository.folder, "base") == 2
    assert repository.git("status", "--porcelain") == ""
    assert len(repository.git("worktree", "list").splitlines()) == 1


def test_a_commit_that_lacks_a_module_is_found(repository: Repository) -> None:
    """A later commit that adds the module, and the working tree, do not hide it."""
    repository.commit(
        "Use two", {"domain/three.py": "from domain.two import TWO\n\nTHREE = TWO + 1\n"}
    )
    repository.commit("Add two", {"domain/two.py": "TWO = 2\n"})

    with pytest.raises(ToolError) as failed:
        check(repository.folder, "base")

    assert str(failed.value).splitlines()[1:] == [
        repository.git("log", "-1", "--format=%h %s", "HEAD~1").strip()
    ]


def test_a_commit_that_ruff_refuses_is_found(repository: Repository) -> None:
    """The settings are those of the commit."""
    repository.commit("Import in vain", {"domain/two.py": "import os\n"})
    repository.commit("Format badly", {"domain/two.py": "TWO  =  2\n"})
    repository.commit("Format well", {"domain/two.py": "TWO = 2\n"})

    with pytest.raises(ToolError) as failed:
        check(repository.folder, "base")

    titles = [line.partition(" ")[2] for line in str(failed.value).splitlines()[1:]]
    assert titles == ["Import in vain", "Format badly"]


def test_an_unknown_base_is_named(repository: Repository) -> None:
    """The sentence has the name that git does not know."""
    with pytest.raises(ToolError, match="nowhere"):
        check(repository.folder, "nowhere")
