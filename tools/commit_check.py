"""`python -m tools.commit_check BASE`: every commit since BASE imports and passes ruff.

Each commit is checked out into a folder that exists only while the command runs. The working
tree stays as it is. Then every module of the product, the tools and the tests is imported from
that folder. Finally ruff checks it with the settings of that commit. The packages are those of the
environment that runs the command. `git bisect` can then stop at any commit.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.failure import ToolError, exit_code

# Runs in the folder of a commit. The environment's own link to the working tree is dropped first,
# so that a module that the commit lacks is missing here too.
_IMPORT_ALL = """
import importlib, sys
from pathlib import Path
here = Path.cwd()
sys.path[:] = [str(here), *(each for each in sys.path if Path(each).resolve() != Path(sys.argv[1]))]
for folder in sys.argv[2:]:
    for path in sorted(here.glob(f"{folder}/**/*.py")):
        parts = path.relative_to(here).with_suffix("").parts
        if parts[-1] != "__main__" and "piccolo_migrations" not in parts:
            importlib.import_module(".".join(parts).removesuffix(".__init__"))
"""
FOLDERS = ("domain", "application", "adapters", "workflows", "sandbox", "tools", "bench", "tests")


def check(repository: Path, base: str) -> int:
    """Check each commit after `base` up to HEAD, oldest first; return how many there are.

    Raises `ToolError` for an unknown `base`, or if a commit fails; it names all that fail.
    """
    commits = _git(repository, "rev-list", "--reverse", f"{base}..HEAD").split()
    failed = []
    with _worktree(repository) as folder:
        for commit in commits:
            title = _git(repository, "log", "-1", "--format=%h %s", commit).strip()
            _git(folder, "checkout", "--quiet", "--detach", commit)
            print(title, flush=True)
            if not _passes(folder, repository):
                failed.append(title)
    if failed:
        raise ToolError("\n".join(["Fix these commits with `git rebase`:", *failed]))
    return len(commits)


def _passes(folder: Path, repository: Path) -> bool:
    commands = (
        ["-c", _IMPORT_ALL, str(repository), *FOLDERS],
        ["-m", "ruff", "check", "--quiet", "--no-cache", "."],
        ["-m", "ruff", "format", "--check", "--quiet", "--no-cache", "."],
    )
    return all(
        subprocess.run([sys.executable, *command], cwd=folder, check=False).returncode == 0
        for command in commands
    )


@contextmanager
def _worktree(repository: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slotkeeper-commits-") as scratch:
        folder = Path(scratch).resolve() / "commit"
        _git(repository, "worktree", "add", "--quiet", "--detach", str(folder), "HEAD")
        try:
            yield folder
        finally:
            _git(repository, "worktree", "remove", "--force", str(folder))


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ToolError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the commits of the repository in the current folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.commit_check")
    parser.add_argument("base", help="the last commit that is not checked, such as origin/main")
    base = parser.parse_args(arguments).base

    def run() -> None:
        print(f"{check(Path.cwd().resolve(), base)} commits import and pass ruff.")

    return exit_code(run)


if __name__ == "__main__":
    sys.exit(main())
