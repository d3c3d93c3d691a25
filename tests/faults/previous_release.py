"""The source of the last release, taken out of the repository's history."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

# The commit of the last release. Each release moves it, see docs/releasing.md.
COMMIT = "346d355cccc4a3164e28f23c0b9e29cb5624219e"
# A web process imports these packages.
_SERVED = ("adapters", "application", "domain", "workflows")
_PROJECT = Path(__file__).parents[2]
_WHERE = "import adapters; print(adapters.__file__)"


class NotInRepository(Exception):
    """The commit is missing, as in a shallow clone or a source archive."""

    def __init__(self) -> None:
        super().__init__(
            f"commit {COMMIT[:7]} is not in this repository; fetch the whole history to run this"
        )


def archive() -> bytes:
    """Return the release's packages as a tar archive.

    Raises NotInRepository where the history does not have the commit.
    """
    try:
        return _output(["git", "-C", str(_PROJECT), "archive", COMMIT, "--", *_SERVED])
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise NotInRepository from None


def unpack(packages: bytes, folder: Path) -> dict[str, str]:
    """Write the packages into a new folder.

    Args:
        packages: a tar archive.
        folder: to create.

    Returns:
        The variables with which `python -m` runs these packages in this environment.

    Raises:
        RuntimeError: Python finds other packages under these variables.

    """
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(packages)) as source:
        # Python 3.11.0 to 3.11.3 have no filters; the archive is git's own.
        source.extraction_filter = getattr(tarfile, "data_filter", None)
        source.extractall(folder)  # noqa: S202
    # Without the safe path, the folder that a process starts in comes first.
    environ = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    used = _output([sys.executable, "-c", _WHERE], environ).decode().strip()
    if not Path(used).is_relative_to(folder):
        raise RuntimeError(f"the source in use is {used}, not the release's")
    return environ


def _output(argv: list[str], environ: dict[str, str] | None = None) -> bytes:
    return subprocess.run(argv, env=environ, capture_output=True, check=True).stdout
