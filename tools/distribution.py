"""`python -m tools.distribution`: build the wheels and the source archive of HEAD, reproducibly.

The repository has one wheel of its own, and one for each folder of `distributions/`. Each is built twice, from two clones; the bytes have to be equal. The
working tree plays no part. The files go to `dist/`, and their SHA-256 sums are printed.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.failure import ToolError, exit_code


def build(repository: Path, target: Path) -> list[Path]:
    """Build the distribution of HEAD into `target`; return its files.

    Raises `ToolError` if a build fails, or if the two builds differ.
    """
    with tempfile.TemporaryDirectory(prefix="slotkeeper-dist-") as scratch:
        first, second = (_build_once(repository, Path(scratch) / each) for each in ("a", "b"))
        if first != second:
            differing = ", ".join(sorted(dict(first.items() ^ second.items())))
            raise ToolError(f"Two builds of one commit differ in {differing}: find what varies.")
    target.mkdir(exist_ok=True)
    for name, content in first.items():
        (target / name).write_bytes(content)
    return [target / name for name in sorted(first)]


def _build_once(repository: Path, folder: Path) -> dict[str, bytes]:
    source, made = folder / "source", folder / "made"
    _run(repository, "git", "clone", "--quiet", str(repository), str(source))
    hatchling = (sys.executable, "-m", "hatchling", "build", "--directory", str(made))
    _run(source, *hatchling)
    for each in sorted(source.glob("distributions/*/pyproject.toml")):
        _run(each.parent, *hatchling, "--target", "wheel")
    return {each.name: each.read_bytes() for each in made.iterdir()}


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ToolError(f"{done.stderr.strip()}\nNothing is built: remove the cause above.")


def main() -> int:
    """Build the distribution of the repository in the current folder; return the exit code."""

    def run() -> None:
        for path in build(Path.cwd().resolve(), Path("dist")):
            print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}")

    return exit_code(run)


if __name__ == "__main__":
    sys.exit(main())
