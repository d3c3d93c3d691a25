"""Opening folders to other users, by the least that is needed."""

import stat
from collections.abc import Iterable
from pathlib import Path

_READ = stat.S_IRGRP | stat.S_IROTH
_EXECUTE = stat.S_IXGRP | stat.S_IXOTH


def let_everybody_pass(folders: Iterable[Path]) -> None:
    """Let everybody reach what they may use below *folders*, but not list them."""
    for folder in folders:
        _add(folder, stat.S_IXOTH)


def let_everybody_run(tree: Path) -> None:
    """Let everybody read what is in *tree*, and run what its owner may run."""
    for path in (tree, *tree.rglob("*")):
        runnable = path.stat().st_mode & stat.S_IXUSR
        _add(path, _READ | _EXECUTE if runnable else _READ)


def _add(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | bits != mode:
        path.chmod(mode | bits)
