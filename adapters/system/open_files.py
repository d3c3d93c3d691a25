"""The limit of open files of this process."""

import resource
from typing import Final

ENOUGH: Final = 65_536


def raise_open_files() -> int:
    """Raise the limit as far as the machine lets this process, and return it (files)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
