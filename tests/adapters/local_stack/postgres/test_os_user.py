import stat
from pathlib import Path

import pytest

from adapters.local_stack.postgres.os_user import open_passage, open_programs


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("before", "after"), [(0o700, 0o701), (0o755, 0o755), (0o2750, 0o2751)])
def test_a_passage_opens_nothing_else(tmp_path: Path, before: int, after: int) -> None:
    """A folder that every user may pass through stays as unreadable as it was."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(before)
    open_passage([folder])

    assert mode(folder) == after


def test_a_closed_installation_becomes_usable(tmp_path: Path) -> None:
    """Programs become runnable, libraries readable and folders open; nothing becomes writable."""
    program, library = tmp_path / "package/bin/postgres", tmp_path / "package/lib/library.so"
    for file, bits in ((program, 0o700), (library, 0o600)):
        file.parent.mkdir(parents=True)
        file.touch()
        file.chmod(bits)
    (tmp_path / "package").chmod(0o700)
    open_programs(tmp_path / "package")

    assert (mode(program), mode(library)) == (0o755, 0o644)
    assert mode(tmp_path / "package") == 0o755
